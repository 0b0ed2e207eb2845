/* Losses: every example's term and gradient side by side; then the chain of each block of 256
 * examples, one thread a block; then the tree. A batch of one block takes one kernel. */
#include "kernels/cuda/chain.h"
#include "kernels/ref/loss.c"

namespace {

BL_CHAIN_KERNEL chain_blocks(double *__restrict__ partial, const double *__restrict__ term,
                             size_t count) {
    const size_t block = bl_thread(), begin = block * BL_BLOCK;
    if (begin >= count) return;
    partial[block] = bl_chain(
        0.0, begin, bl_ref_block_end(begin, count), [=](size_t i) { return term[i]; },
        [](double acc, double t) { return acc + t; });
}

__global__ void combine(double *sum, const double *partial, size_t blocks) {
    bl_ref_tree64 tree;
    tree.blocks = 0;
    for (size_t i = 0; i < blocks; i++) bl_ref_tree64_push(&tree, partial[i]);
    *sum = bl_ref_tree64_sum(&tree);
}

/* Terms and sum of at most one block of examples, in one kernel: term(i) makes example i's term and
 * gradient. */
template <class Terms> __global__ void one_block(Terms terms, double *sum, unsigned count) {
    __shared__ double term[BL_BLOCK];
    if (threadIdx.x < count) term[threadIdx.x] = terms.make(threadIdx.x);
    __syncthreads();
    if (threadIdx.x > 0) return;
    double acc = 0;
    for (unsigned i = 0; i < count; i++) acc = acc + term[i];
    *sum = acc;
}

/* The terms lie in the workspace; the blocks' sums go behind them. */
void sum_terms(double *sum, double *term, size_t count, bl_queue *queue) {
    double *partial = term + count;
    const size_t blocks = (count + BL_BLOCK - 1) / BL_BLOCK;
    if (blocks > 0)
        BL_LAUNCH(chain_blocks, bl_blocks(blocks), BL_CUDA_THREADS, queue, partial, term, count);
    BL_LAUNCH(combine, 1, 1, queue, sum, partial, blocks);
}

/* What make(i) returns is the term of the sum; the gradient is written on the way, as both need
 * the same numbers. */
struct mse_terms {
    bl_mse a;
    __device__ double make(size_t i) const {
        const double e = (double)a.y[i] - (double)a.target[i];
        const float scale = 2.0f / (float)a.total;
        if (a.dy) a.dy[i] = scale * (a.y[i] - a.target[i]);
        return e * e;
    }
};

struct softmax_terms {
    bl_softmax_cross_entropy a;
    __device__ double make(size_t b) const {
        const double term = softmax_term(&a, b);
        if (a.dy) softmax_gradient(&a, b);
        return term;
    }
};

template <class Terms> __global__ void every_term(Terms terms, double *term, size_t count) {
    const size_t i = bl_thread();
    if (i < count) term[i] = terms.make(i);
}

/* Workspace: a double for each example, then one for each block. */
template <class Terms> void run(const Terms &terms, double *sum, size_t count, bl_queue *queue) {
    double *term = (double *)queue->workspace;
    if (count > 0 && count <= BL_BLOCK) {
        BL_LAUNCH_TOGETHER(one_block<Terms>, 1, BL_BLOCK, queue, terms, sum, (unsigned)count);
        return;
    }
    if (count > 0)
        BL_LAUNCH(every_term<Terms>, bl_blocks(count), BL_CUDA_THREADS, queue, terms, term, count);
    sum_terms(sum, term, count, queue);
}

} // namespace

void bl_mse_cuda(const bl_mse *args, const bl_part *part) {
    run(mse_terms{*args}, args->sum, args->count, bl_queue_of(part));
}

void bl_softmax_cross_entropy_cuda(const bl_softmax_cross_entropy *args, const bl_part *part) {
    run(softmax_terms{*args}, args->sum, args->batch, bl_queue_of(part));
}
