/* Rule-B sums down the columns of a (batch, n) array: blocks of 256 examples side by side, one
 * thread a column; then the tree, one thread a column. */
#ifndef BL_KERNELS_CUDA_COLUMNS_H
#define BL_KERNELS_CUDA_COLUMNS_H
#include "kernels/cuda/chain.h"

static inline size_t bl_batch_blocks(size_t batch) {
    return (batch + BL_BLOCK - 1) / BL_BLOCK;
}

/* partial (blocks, n): the chain's next link is term.add(acc, term.at(b, j)). */
template <class Term>
BL_CHAIN_KERNEL bl_colsum_blocks(Term term, float *__restrict__ partial, size_t batch, size_t n) {
    const size_t j = bl_thread(), begin = (size_t)blockIdx.y * BL_BLOCK;
    if (j >= n) return;
    partial[(size_t)blockIdx.y * n + j] = bl_chain(
        0.0f, begin, bl_ref_block_end(begin, batch), [&](size_t b) { return term.at(b, j); },
        [&](float acc, const auto &t) { return term.add(acc, t); });
}

/* Rule B's tree over n <= 32 blocks, block(0), block(1), ...: read together, and kept in registers,
 * as every level's number is known when this is compiled.
 *
 * level[l] holds the sum of 2^l blocks where bit l of the count so far is set. Block u closes as
 * many levels as u has ones at its lower end: u = 3 (11b) takes level[0], then level[1], and is
 * kept at level[2]. The levels of n's bits are added at last, the lowest first, older sums on the
 * left. */
template <class Block>
static inline __device__ float bl_tree_of_few(unsigned n, const Block &block) {
    float term[32], level[6];
    BL_UNROLL
    for (unsigned u = 0; u < 32; u++)
        if (u < n) term[u] = block(u);
    BL_UNROLL
    for (unsigned u = 0; u < 32; u++) {
        if (u >= n) continue;
        unsigned l = 0;
        BL_UNROLL
        for (; l < 5 && (u >> l & 1); l++) term[u] = level[l] + term[u];
        level[l] = term[u];
    }
    float sum = 0;
    bool seen = false;
    BL_UNROLL
    for (unsigned l = 0; l < 6; l++) {
        if (!(n >> l & 1)) continue;
        sum = seen ? level[l] + sum : level[l];
        seen = true;
    }
    return sum;
}

/* The same over any number of blocks, which are rows of partial (blocks, n), at column j. */
static inline __device__ float bl_colsum_tree(const float *partial, size_t blocks, size_t n,
                                              size_t j) {
    if (blocks == 1) return partial[j];
    if (blocks <= 32)
        return bl_tree_of_few((unsigned)blocks, [=](size_t i) { return partial[i * n + j]; });
    bl_ref_tree tree;
    tree.blocks = 0;
    for (size_t from = 0; from + 32 <= blocks; from += 32) {
        float sum = bl_tree_of_few(32, [=](size_t i) { return partial[(from + i) * n + j]; });
        int l = 5; /* that of 32 blocks */
        for (; tree.blocks >> l & 1; l++) sum = tree.level[l] + sum;
        tree.level[l] = sum;
        tree.blocks += 32;
    }
    for (size_t i = tree.blocks; i < blocks; i++) bl_ref_tree_push(&tree, partial[i * n + j]);
    return bl_ref_tree_sum(&tree);
}

/* Both kernels' first step: partial (blocks, n) of a (batch, n) array. A grid has a block's
 * columns along x, blocks along y. */
template <class Term>
static inline void bl_launch_columns(Term term, float *partial, size_t batch, size_t n,
                                     bl_queue *queue) {
    const dim3 grid(bl_blocks(n), (unsigned)bl_batch_blocks(batch));
    if (batch > 0 && n > 0)
        BL_LAUNCH(bl_colsum_blocks, grid, BL_CUDA_THREADS, queue, term, partial, batch, n);
}
#endif
