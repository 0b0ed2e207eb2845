/* Rule-B sums down the columns of a (batch, n) array: blocks of 256 examples side by side, one
 * thread a column; then the tree, one thread a column. */
#ifndef BL_KERNELS_CUDA_COLUMNS_H
#define BL_KERNELS_CUDA_COLUMNS_H
#include "kernels/cuda/launch.h"

static inline size_t bl_batch_blocks(size_t batch) {
    return (batch + BL_BLOCK - 1) / BL_BLOCK;
}

/* partial (blocks, n): term.add(acc, b, j) is the chain's next link. */
template <class Term>
__global__ void bl_colsum_blocks(Term term, float *partial, size_t batch, size_t n) {
    const size_t j = bl_thread(), begin = (size_t)blockIdx.y * BL_BLOCK;
    if (j >= n) return;
    float acc = 0;
    for (size_t b = begin; b < bl_ref_block_end(begin, batch); b++) acc = term.add(acc, b, j);
    partial[(size_t)blockIdx.y * n + j] = acc;
}

static inline __device__ float bl_colsum_tree(const float *partial, size_t blocks, size_t n,
                                              size_t j) {
    if (blocks == 1) return partial[j];
    bl_ref_tree tree;
    tree.blocks = 0;
    size_t i = 0;
    for (; i + 8 <= blocks; i += 8) {
        float ahead[8]; /* on their way together; the tree takes them one by one */
        BL_UNROLL
        for (unsigned u = 0; u < 8; u++) ahead[u] = partial[(i + u) * n + j];
        BL_UNROLL
        for (unsigned u = 0; u < 8; u++) bl_ref_tree_push(&tree, ahead[u]);
    }
    for (; i < blocks; i++) bl_ref_tree_push(&tree, partial[i * n + j]);
    return bl_ref_tree_sum(&tree);
}

template <class Term>
static inline void bl_launch_columns(Term term, float *partial, size_t batch, size_t n,
                                     bl_queue *queue) {
    const dim3 grid(bl_blocks(n), (unsigned)bl_batch_blocks(batch));
    if (batch > 0 && n > 0)
        BL_LAUNCH(bl_colsum_blocks, grid, BL_CUDA_THREADS, queue, term, partial, batch, n);
}
#endif
