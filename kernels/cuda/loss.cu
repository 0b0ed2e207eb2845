/* Losses: every example's term and gradient side by side; then the chain of each block of 256
 * examples, one thread a block; then the tree. */
#include "kernels/cuda/launch.h"
#include "kernels/ref/loss.c"

namespace {

__global__ void chain_blocks(double *partial, const double *term, size_t count) {
    const size_t block = bl_thread(), begin = block * BL_BLOCK;
    if (begin >= count) return;
    double acc = 0;
    for (size_t i = begin; i < bl_ref_block_end(begin, count); i++) acc = acc + term[i];
    partial[block] = acc;
}

__global__ void combine(double *sum, const double *partial, size_t blocks) {
    bl_ref_tree64 tree;
    tree.blocks = 0;
    for (size_t i = 0; i < blocks; i++) bl_ref_tree64_push(&tree, partial[i]);
    *sum = bl_ref_tree64_sum(&tree);
}

/* The terms lie in the workspace; the blocks' sums go behind them. */
void sum_terms(double *sum, double *term, size_t count, bl_queue *queue) {
    double *partial = term + count;
    const size_t blocks = (count + BL_BLOCK - 1) / BL_BLOCK;
    if (blocks > 0)
        BL_LAUNCH(chain_blocks, bl_blocks(blocks), BL_CUDA_THREADS, queue, partial, term, count);
    BL_LAUNCH(combine, 1, 1, queue, sum, partial, blocks);
}

__global__ void mse_terms(bl_mse a, double *term) {
    const size_t i = bl_thread();
    if (i >= a.count) return;
    const double e = (double)a.y[i] - (double)a.target[i];
    const float scale = 2.0f / (float)a.total;
    term[i] = e * e;
    if (a.dy) a.dy[i] = scale * (a.y[i] - a.target[i]);
}

__global__ void softmax_terms(bl_softmax_cross_entropy a, double *term) {
    const size_t b = bl_thread();
    if (b >= a.batch) return;
    term[b] = softmax_term(&a, b);
    if (a.dy) softmax_gradient(&a, b);
}

} // namespace

void bl_mse_cuda(const bl_mse *args, const bl_part *part) {
    bl_queue *queue = bl_queue_of(part);
    const bl_mse a = *args;
    double *term = (double *)queue->workspace;
    if (a.count > 0) BL_LAUNCH(mse_terms, bl_blocks(a.count), BL_CUDA_THREADS, queue, a, term);
    sum_terms(a.sum, term, a.count, queue);
}

void bl_softmax_cross_entropy_cuda(const bl_softmax_cross_entropy *args, const bl_part *part) {
    bl_queue *queue = bl_queue_of(part);
    const bl_softmax_cross_entropy a = *args;
    double *term = (double *)queue->workspace;
    if (a.batch > 0) BL_LAUNCH(softmax_terms, bl_blocks(a.batch), BL_CUDA_THREADS, queue, a, term);
    sum_terms(a.sum, term, a.batch, queue);
}
