/* Embeddings. Column descriptors travel with the call: the caller's lie on the host.
 *
 * Backward has no sort, unlike the processor's kernel: a block of threads for each row of a table
 * looks for its own examples. For 256 examples each of the 64 threads looks at four codes. With 8
 * threads and 2 codes each:
 *
 *     thread     0     1     2     3     4     5     6     7
 *     found      .x    ..    x.    ..    xx    ..    ..    .x      bits, in `found`
 *     before     0     1     1     2     2     4     4     4       how many lie in front
 *     list       1, 4, 8, 9, 15                                    in the order of examples
 *
 * Every thread counts the bits in front of its own, so that all write their part of the list at
 * once. */
#include "kernels/cuda/columns.h"

namespace {

enum { COLUMNS = 64 }; /* of one call; more take more calls */

struct columns {
    bl_embedding_column column[COLUMNS];
    size_t first, count;    /* of the batch's columns */
    size_t at[COLUMNS + 1]; /* where a table begins among the floats of all of them */
};

__global__ void forward(bl_embedding_forward a, columns cs) {
    const size_t i = bl_thread(), b = i / cs.count, c = i % cs.count;
    if (b >= a.batch) return;
    const bl_embedding_column *col = &cs.column[c];
    const float *from = a.table + col->base + a.codes[b * a.columns + cs.first + c] * col->width;
    float *to = a.y + b * a.y_stride + col->offset;
    for (size_t d = 0; d < col->width; d++) to[d] = from[d];
}

enum { THREADS = 64, EACH = BL_BLOCK / THREADS }; /* codes that a thread looks at */

/* Which of the n <= 256 examples from `begin` on have the code: their numbers in `list`, in order,
 * and how many. All threads of the block are here together. */
__device__ unsigned find(const bl_embedding_backward &a, size_t column, size_t code, size_t begin,
                         size_t n, uint64_t *found, uint8_t *list) {
    unsigned mine = 0, before = 0, all = 0;
    for (unsigned e = 0; e < EACH; e++) {
        const size_t i = threadIdx.x * EACH + e;
        if (i < n && a.codes[(begin + i) * a.columns + column] == code) mine |= 1u << e;
    }
    __syncthreads(); /* the list before this one was read */
    ((uint8_t *)found)[threadIdx.x] = (uint8_t)mine;
    __syncthreads();
    for (unsigned w = 0; w < THREADS / 8; w++) {
        const uint64_t earlier = ((uint64_t)1 << threadIdx.x % 8 * 8) - 1;
        if (w < threadIdx.x / 8) before += __popcll(found[w]);
        if (w == threadIdx.x / 8) before += __popcll(found[w] & earlier);
        all += __popcll(found[w]);
    }
    for (unsigned e = 0; e < EACH; e++)
        if (mine >> e & 1) list[before++] = (uint8_t)(threadIdx.x * EACH + e);
    __syncthreads();
    return all;
}

/* A block of threads for each row of each column's table, and a layer for each `blocks` blocks of
 * rule B: the threads look for the row's code together, then each adds up one feature of what
 * belongs to the row. A layer's sum goes to partial (layers, floats of all tables), or, if there is
 * one layer, to the result. */
BL_CHAIN_KERNEL backward(bl_embedding_backward a, columns cs, float *partial, size_t blocks) {
    __shared__ uint64_t found[THREADS / 8];
    __shared__ uint8_t list[BL_BLOCK];
    const size_t first = blockIdx.y * blocks * BL_BLOCK, left = a.batch - first;
    const size_t end = left < blocks * BL_BLOCK ? a.batch : first + blocks * BL_BLOCK;
    size_t row = blockIdx.x, c = 0;
    while (row >= cs.column[c].rows) row -= cs.column[c++].rows;
    const bl_embedding_column *col = &cs.column[c];
    for (size_t d0 = 0; d0 < col->width; d0 += THREADS) {
        const size_t d = d0 + threadIdx.x;
        bl_ref_tree tree;
        tree.blocks = 0;
        float acc = 0;
        for (size_t begin = first; begin < end; begin += BL_BLOCK) {
            const size_t n = bl_ref_block_end(begin, end) - begin;
            const unsigned here = find(a, cs.first + c, row, begin, n, found, list);
            const float *dy = a.dy + begin * a.dy_stride + col->offset + d;
            acc = 0;
            if (d < col->width)
                acc = bl_chain(
                    acc, 0, here, [&](size_t i) { return dy[list[i] * a.dy_stride]; },
                    [](float sum, float term) { return sum + term; });
            if (blocks > 1) bl_ref_tree_push(&tree, acc);
        }
        if (blocks > 1) acc = bl_ref_tree_sum(&tree);
        if (d >= col->width) continue;
        const size_t i = row * col->width + d;
        if (gridDim.y == 1)
            a.dtable[col->base + i] = acc;
        else
            partial[blockIdx.y * cs.at[cs.count] + cs.at[c] + i] = acc;
    }
}

/* The layers' sums of every float, combined by the tree. */
__global__ void combine(bl_embedding_backward a, columns cs, const float *partial, size_t layers) {
    const size_t i = bl_thread();
    size_t c = 0;
    if (i >= cs.at[cs.count]) return;
    while (i >= cs.at[c + 1]) c++;
    a.dtable[cs.column[c].base + i - cs.at[c]] =
        bl_colsum_tree(partial, layers, cs.at[cs.count], i);
}

/* As many columns from `first` on as one call takes. */
columns some_columns(const bl_embedding_column *column, size_t first, size_t all) {
    columns cs = {};
    cs.first = first;
    cs.count = all - first < COLUMNS ? all - first : (size_t)COLUMNS;
    for (size_t c = 0; c < cs.count; c++) {
        cs.column[c] = column[first + c];
        cs.at[c + 1] = cs.at[c] + column[first + c].rows * column[first + c].width;
    }
    return cs;
}

} // namespace

void bl_embedding_forward_cuda(const bl_embedding_forward *args, const bl_part *part) {
    const bl_embedding_forward a = *args;
    for (size_t first = 0; first < a.columns; first += COLUMNS) {
        const columns cs = some_columns(a.column, first, a.columns);
        if (a.batch > 0)
            BL_LAUNCH(forward, bl_blocks(a.batch * cs.count), BL_CUDA_THREADS, bl_queue_of(part), a,
                      cs);
    }
}

/* Many blocks of rule B are summed side by side, where the workspace holds their sums. */
void bl_embedding_backward_cuda(const bl_embedding_backward *args, const bl_part *part) {
    enum { FEW = 4, MOST_LAYERS = 65535 };
    const bl_embedding_backward a = *args;
    bl_queue *queue = bl_queue_of(part);
    float *partial = (float *)queue->workspace;
    const size_t blocks = bl_batch_blocks(a.batch);
    for (size_t first = 0; first < a.columns; first += COLUMNS) {
        const columns cs = some_columns(a.column, first, a.columns);
        size_t rows = 0;
        for (size_t c = 0; c < cs.count; c++) rows += cs.column[c].rows;
        const bool fits = blocks * cs.at[cs.count] <= bl_workspace_floats();
        const size_t layers = blocks > FEW && blocks <= MOST_LAYERS && fits ? blocks : 1;
        if (rows == 0) continue;
        BL_LAUNCH_TOGETHER(backward, dim3((unsigned)rows, (unsigned)layers), THREADS, queue, a, cs,
                           partial, layers > 1 ? (size_t)1 : blocks);
        if (layers > 1 && cs.at[cs.count] > 0)
            BL_LAUNCH(combine, bl_blocks(cs.at[cs.count]), BL_CUDA_THREADS, queue, a, cs, partial,
                      layers);
    }
}
