/* Batch norm: sums per block of examples and column, the tree per column, then every element. A
 * batch of one block goes to batchnorm_block.cu.
 *
 *     forward    bl_colsum_blocks<sum_term>      partial (blocks, n)   a thread a block and column
 *                finish_mean                     mean (n)              a thread a column
 *                bl_colsum_blocks<square_term>   partial
 *                finish_variance                 rstd, sum_mean, sum_var
 *                normalise                       y (batch, n)          a thread an element
 *                dropout
 *     backward   the dropout's, two sums in the same way, then dx
 *
 * Kernels of one queue run one after the other, so each finds what the one before it wrote. */
#include "kernels/cuda/batchnorm_block.h"
#include "kernels/cuda/columns.h"

namespace {

/* The terms of a column's sums: at() reads what a link needs, add() is the link (chain.h). */
struct sum_term {
    const float *x;
    size_t n;
    __device__ float at(size_t b, size_t j) const { return x[b * n + j]; }
    __device__ float add(float acc, float x_bj) const { return acc + x_bj; }
};

struct square_term {
    const float *x, *mean;
    size_t n;
    __device__ float at(size_t b, size_t j) const { return x[b * n + j] - mean[j]; }
    __device__ float add(float acc, float d) const { return fmaf(d, d, acc); }
};

struct gamma_term {
    const float *dy, *x, *mean, *rstd;
    size_t n;
    struct pair {
        float dy, xhat;
    };
    __device__ pair at(size_t b, size_t j) const {
        return {dy[b * n + j], (x[b * n + j] - mean[j]) * rstd[j]};
    }
    __device__ float add(float acc, const pair &p) const { return fmaf(p.dy, p.xhat, acc); }
};

__global__ void finish_sum(float *out, const float *partial, size_t blocks, size_t n) {
    const size_t j = bl_thread();
    if (j < n) out[j] = bl_colsum_tree(partial, blocks, n, j);
}

__global__ void finish_mean(bl_batchnorm_forward a, const float *partial, size_t blocks) {
    const size_t j = bl_thread();
    if (j < a.n) a.mean[j] = bl_colsum_tree(partial, blocks, a.n, j) / (float)a.batch;
}

__global__ void finish_variance(bl_batchnorm_forward a, const float *partial, size_t blocks) {
    const size_t j = bl_thread();
    if (j >= a.n) return;
    const float mean = a.mean[j];
    const float var = bl_colsum_tree(partial, blocks, a.n, j) / (float)a.batch;
    const float unbiased = a.batch > 1 ? var * ((float)a.batch / (float)(a.batch - 1)) : var;
    a.rstd[j] = 1.0f / sqrtf(var + a.eps);
    a.sum_mean[j] = mean;
    a.sum_var[j] = unbiased;
}

__global__ void average(bl_running_average a) {
    const size_t i = bl_thread();
    if (i >= a.count) return;
    a.running[i] = fmaf(a.momentum, a.sum[i] / (float)a.chunks - a.running[i], a.running[i]);
}

__global__ void normalise(bl_batchnorm_forward a) {
    const size_t i = bl_thread(), j = i % a.n;
    if (i < a.batch * a.n) a.y[i] = fmaf((a.x[i] - a.mean[j]) * a.rstd[j], a.gamma[j], a.beta[j]);
}

/* No example depends on another: rstd is made for every element anew, which costs less than a
 * kernel of its own. */
__global__ void infer(bl_batchnorm_inference a) {
    const size_t i = bl_thread(), j = i % a.n;
    if (i >= a.batch * a.n) return;
    const float rstd = 1.0f / sqrtf(a.running_var[j] + a.eps);
    const float y = fmaf((a.x[i] - a.running_mean[j]) * rstd, a.gamma[j], a.beta[j]);
    a.y[i] = bl_epilogue_apply(&a.epilogue, i, y);
}

__global__ void backward(bl_batchnorm_backward a) {
    const size_t i = bl_thread(), j = i % a.n;
    if (i >= a.batch * a.n) return;
    const float scale = a.gamma[j] * a.rstd[j];
    const float mean_dy = a.dbeta[j] / (float)a.batch, mean_dg = a.dgamma[j] / (float)a.batch;
    const float xhat = (a.x[i] - a.mean[j]) * a.rstd[j];
    const float dx = scale * ((a.dy[i] - mean_dy) - xhat * mean_dg);
    a.dx[i] = bl_epilogue_apply(&a.epilogue, i, dx);
}

} // namespace

void bl_colsum_run(float *out, const float *dy, size_t batch, size_t n, bl_queue *queue) {
    const size_t blocks = bl_batch_blocks(batch);
    float *partial = blocks == 1 ? out : (float *)queue->workspace; /* one block is the sum */
    bl_launch_columns(sum_term{dy, n}, partial, batch, n, queue);
    if (n > 0 && blocks != 1)
        BL_LAUNCH(finish_sum, bl_blocks(n), BL_CUDA_THREADS, queue, out, partial, blocks, n);
}

void bl_batchnorm_forward_cuda(const bl_batchnorm_forward *args, const bl_part *part) {
    bl_queue *queue = bl_queue_of(part);
    const bl_batchnorm_forward a = *args;
    float *partial = (float *)queue->workspace;
    const size_t blocks = bl_batch_blocks(a.batch);
    if (a.batch == 0 || a.n == 0) return;
    if (bl_batchnorm_is_one_block(a.batch, a.n)) {
        bl_batchnorm_forward_block(&a, queue);
        return;
    }
    bl_launch_columns(sum_term{a.x, a.n}, partial, a.batch, a.n, queue);
    BL_LAUNCH(finish_mean, bl_blocks(a.n), BL_CUDA_THREADS, queue, a, partial, blocks);
    bl_launch_columns(square_term{a.x, a.mean, a.n}, partial, a.batch, a.n, queue);
    BL_LAUNCH(finish_variance, bl_blocks(a.n), BL_CUDA_THREADS, queue, a, partial, blocks);
    BL_LAUNCH(normalise, bl_blocks(a.batch * a.n), BL_CUDA_THREADS, queue, a);
    if (a.dropout.mask) bl_dropout_cuda(&a.dropout, part);
}

void bl_running_average_cuda(const bl_running_average *args, const bl_part *part) {
    const bl_running_average a = *args;
    if (a.count > 0) BL_LAUNCH(average, bl_blocks(a.count), BL_CUDA_THREADS, bl_queue_of(part), a);
}

void bl_batchnorm_inference_cuda(const bl_batchnorm_inference *args, const bl_part *part) {
    const bl_batchnorm_inference a = *args;
    if (a.batch * a.n > 0)
        BL_LAUNCH(infer, bl_blocks(a.batch * a.n), BL_CUDA_THREADS, bl_queue_of(part), a);
}

/* One block of examples is one kernel. More take one kernel for each step: the dropout's backward,
 * the sums of dy, the sums of dy * xhat, and dx. The column sums pass through the workspace. */
void bl_batchnorm_backward_cuda(const bl_batchnorm_backward *args, const bl_part *part) {
    bl_queue *queue = bl_queue_of(part);
    bl_batchnorm_backward a = *args;
    float *partial = (float *)queue->workspace;
    if (a.n == 0) return;
    if (bl_batchnorm_is_one_block(a.batch, a.n)) {
        bl_batchnorm_backward_block(&a, queue);
        return;
    }
    if (a.mask) {
        const bl_dropout_backward dropped = {a.dx, a.dy, a.mask, a.batch, a.n, a.mask_scale};
        bl_dropout_backward_cuda(&dropped, part);
        a.dy = a.dx;
    }
    bl_colsum_run(a.dbeta, a.dy, a.batch, a.n, queue);
    bl_launch_columns(gamma_term{a.dy, a.x, a.mean, a.rstd, a.n}, partial, a.batch, a.n, queue);
    BL_LAUNCH(finish_sum, bl_blocks(a.n), BL_CUDA_THREADS, queue, a.dgamma, partial,
              bl_batch_blocks(a.batch), a.n);
    if (a.batch > 0) BL_LAUNCH(backward, bl_blocks(a.batch * a.n), BL_CUDA_THREADS, queue, a);
}
