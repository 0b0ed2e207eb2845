/* Batch norm of images by chunks of a batch: every example's chain over its positions side by side,
 * then a chunk's chains over its examples and their tree, a channel of a chunk a thread; then every
 * element. */
#include "kernels/cuda/image.h"
#include "kernels/ref/batchnorm2d.c"

namespace {

/* Example b's chunk: larger ones come first. Of 10 examples in 4 chunks: 3, 3, 2, 2. */
__device__ size_t chunk_of(size_t b, size_t batch, size_t chunks) {
    const size_t size = batch / chunks, more = batch % chunks, large = more * (size + 1);
    return b < large ? b / (size + 1) : more + (b - large) / size;
}

/* each (batch, n): the chain of x over an example's positions. */
BL_CHAIN_KERNEL sums_of_x(float *__restrict__ each, const float *__restrict__ x, size_t batch,
                          size_t positions, size_t n) {
    const size_t i = bl_thread(), b = i / n;
    if (b < batch) each[i] = bl_chain_sum(0, x + b * positions * n + i % n, n, 0, positions);
}

/* The same of the squared distance from the mean. */
BL_CHAIN_KERNEL sums_of_squares(float *__restrict__ each, const float *__restrict__ all,
                                const float *__restrict__ mean, size_t batch, size_t positions,
                                size_t n, size_t chunks) {
    const size_t i = bl_thread(), b = i / n, j = i % n;
    if (b >= batch) return;
    const float *x = all + b * positions * n + j;
    const float m = mean[chunk_of(b, batch, chunks) * n + j];
    each[i] = bl_chain(
        0.0f, 0, positions, [=](size_t p) { return x[p * n] - m; },
        [](float acc, float d) { return fmaf(d, d, acc); });
}

/* each_s, each_t (batch, n): the chains of dy and of dy * xhat, in one pass. */
BL_CHAIN_KERNEL sums_of_gradients(float *__restrict__ each_s, float *__restrict__ each_t,
                                  bl_batchnorm2d_backward a) {
    const size_t i = bl_thread(), b = i / a.n, j = i % a.n;
    if (b >= a.batch) return;
    const size_t k = chunk_of(b, a.batch, a.chunks) * a.n + j, first = b * a.positions * a.n + j;
    const bl_norm_sums sums =
        bl_norm_chains(a.x + first, a.dy + first, a.n, a.positions, a.mean[k], a.rstd[k]);
    each_s[i] = sums.dy;
    each_t[i] = sums.dy_xhat;
}

/* Rule B over the examples of a chunk. */
__device__ float chunk_sum(const float *each, size_t begin, size_t end, size_t n, size_t j) {
    bl_ref_tree tree;
    tree.blocks = 0;
    for (size_t from = begin; from < end; from += BL_BLOCK) {
        const size_t until = bl_ref_block_end(from, end);
        const float block = bl_chain_sum(0, each + j, n, from, until);
        if (from == begin && until == end) return block;
        bl_ref_tree_push(&tree, block);
    }
    return bl_ref_tree_sum(&tree);
}

/* The channel j of a chunk, in the reference's own words, so that its count_of can be asked. */
template <class Args> __device__ column column_of(const Args &a, size_t chunk, size_t j) {
    column c = {a.x,
                nullptr,
                bl_chunk_begin(a.batch, a.chunks, chunk),
                bl_chunk_begin(a.batch, a.chunks, chunk + 1),
                a.positions,
                a.n,
                j};
    return c;
}

BL_CHAIN_KERNEL finish_means(bl_batchnorm2d_forward a, const float *__restrict__ each) {
    const size_t i = bl_thread(), chunk = i / a.n, j = i % a.n;
    if (chunk >= a.chunks) return;
    const column c = column_of(a, chunk, j);
    a.mean[i] = chunk_sum(each, c.begin, c.end, a.n, j) / count_of(&c);
}

/* unbiased (chunks, n) is for the sum of variances; of one chunk it is the sum. */
BL_CHAIN_KERNEL finish_variances(bl_batchnorm2d_forward a, const float *__restrict__ each,
                                 float *__restrict__ unbiased) {
    const size_t i = bl_thread(), chunk = i / a.n, j = i % a.n;
    if (chunk >= a.chunks) return;
    const column c = column_of(a, chunk, j);
    const float count = count_of(&c), var = chunk_sum(each, c.begin, c.end, a.n, j) / count;
    a.rstd[i] = 1.0f / sqrtf(var + a.eps);
    unbiased[i] = count > 1.0f ? var * (count / (count - 1.0f)) : var;
    if (a.chunks == 1) a.sum_mean[j] = a.mean[j];
}

__global__ void finish_sums(bl_batchnorm2d_forward a, const float *unbiased) {
    const size_t j = bl_thread();
    if (j >= a.n) return;
    a.sum_mean[j] = bl_colsum_tree(a.mean, a.chunks, a.n, j);
    a.sum_var[j] = bl_colsum_tree(unbiased, a.chunks, a.n, j);
}

/* A block of the grid's y for each chunk. */
__global__ void normalise(bl_batchnorm2d_forward a) {
    const size_t chunk = blockIdx.y, j = bl_thread() % a.n;
    const column c = column_of(a, chunk, j);
    const size_t i = c.begin * a.positions * a.n + bl_thread();
    if (i >= c.end * a.positions * a.n) return;
    const float xhat = (a.x[i] - a.mean[chunk * a.n + j]) * a.rstd[chunk * a.n + j];
    const float y = fmaf(xhat, a.gamma[j], a.beta[j]);
    a.y[i] = bl_epilogue_apply(&a.epilogue, i, y);
}

/* s, t (chunks, n) of the contract; of one chunk they are the gradients. */
BL_CHAIN_KERNEL finish_chunks(bl_batchnorm2d_backward a, const float *__restrict__ each_s,
                              const float *__restrict__ each_t, float *__restrict__ s,
                              float *__restrict__ t) {
    const size_t i = bl_thread(), chunk = i / a.n, j = i % a.n;
    if (chunk >= a.chunks) return;
    const column c = column_of(a, chunk, j);
    s[i] = chunk_sum(each_s, c.begin, c.end, a.n, j);
    t[i] = chunk_sum(each_t, c.begin, c.end, a.n, j);
}

__global__ void finish_gradients(bl_batchnorm2d_backward a, const float *s, const float *t) {
    const size_t j = bl_thread(), chunks = a.batch > 0 ? a.chunks : 0;
    if (j >= a.n) return;
    a.dbeta[j] = bl_colsum_tree(s, chunks, a.n, j);
    a.dgamma[j] = bl_colsum_tree(t, chunks, a.n, j);
}

/*     xhat = (x - mean) rstd          dx = gamma rstd (dy - s / count - xhat t / count)
 *
 * with s the sum of dy and t that of dy xhat over a chunk's examples and positions (Ioffe and
 * Szegedy, 2015, section 3; the terms of its dL/dx gathered). */
__global__ void backward(bl_batchnorm2d_backward a, const float *s, const float *t) {
    const size_t chunk = blockIdx.y, j = bl_thread() % a.n, k = chunk * a.n + j;
    const column c = column_of(a, chunk, j);
    const size_t i = c.begin * a.positions * a.n + bl_thread();
    if (i >= c.end * a.positions * a.n) return;
    const float count = count_of(&c), rstd = a.rstd[k];
    const float scale = a.gamma[j] * rstd, mean_dy = s[k] / count, mean_dg = t[k] / count;
    const float xhat = (a.x[i] - a.mean[k]) * rstd;
    a.dx[i] = scale * ((a.dy[i] - mean_dy) - xhat * mean_dg);
}

/* 65535 is the most blocks that a grid has along y. */
bool fits(size_t floats, size_t chunks) {
    return floats <= bl_workspace_floats() && chunks <= 65535;
}

/* Of a grid that has a chunk's elements along x. */
template <class Args> dim3 by_chunks(const Args &a) {
    const size_t most = (a.batch + a.chunks - 1) / a.chunks;
    return dim3(bl_blocks(most * a.positions * a.n), (unsigned)a.chunks);
}

} // namespace

/* Workspace: a chain's result for each example and channel, then a variance for each chunk and
 * channel. What does not fit is left to the reference kernel. */
void bl_batchnorm2d_forward_cuda(const bl_batchnorm2d_forward *args, const bl_part *part) {
    const bl_batchnorm2d_forward a = *args;
    bl_queue *queue = bl_queue_of(part);
    float *each = (float *)queue->workspace;
    float *unbiased = a.chunks == 1 ? a.sum_var : each + a.batch * a.n;
    const unsigned all = bl_blocks(a.batch * a.n), channels = bl_blocks(a.chunks * a.n);
    if (a.batch == 0 || a.n == 0) return;
    if (a.positions == 0 || !fits((a.batch + a.chunks) * a.n, a.chunks)) {
        bl_batchnorm2d_forward_reference(args, part);
        return;
    }
    BL_LAUNCH(sums_of_x, all, BL_CUDA_THREADS, queue, each, a.x, a.batch, a.positions, a.n);
    BL_LAUNCH(finish_means, channels, BL_CUDA_THREADS, queue, a, each);
    BL_LAUNCH(sums_of_squares, all, BL_CUDA_THREADS, queue, each, a.x, a.mean, a.batch, a.positions,
              a.n, a.chunks);
    BL_LAUNCH(finish_variances, channels, BL_CUDA_THREADS, queue, a, each, unbiased);
    if (a.chunks > 1) BL_LAUNCH(finish_sums, bl_blocks(a.n), BL_CUDA_THREADS, queue, a, unbiased);
    BL_LAUNCH(normalise, by_chunks(a), BL_CUDA_THREADS, queue, a);
}

/* Workspace: two chains' results for each example and channel, then two sums for each chunk and
 * channel. What does not fit is left to the reference kernel. */
void bl_batchnorm2d_backward_cuda(const bl_batchnorm2d_backward *args, const bl_part *part) {
    const bl_batchnorm2d_backward a = *args;
    bl_queue *queue = bl_queue_of(part);
    float *each_s = (float *)queue->workspace, *each_t = each_s + a.batch * a.n;
    const bool whole = a.chunks == 1 && a.batch > 0; /* what is made for the chunk is the result */
    float *s = whole ? a.dbeta : each_t + a.batch * a.n, *t = whole ? a.dgamma : s + a.chunks * a.n;
    const unsigned all = bl_blocks(a.batch * a.n), channels = bl_blocks(a.chunks * a.n);
    if (a.n == 0) return;
    if (a.positions == 0 || !fits(2 * (a.batch + a.chunks) * a.n, a.chunks)) {
        bl_batchnorm2d_backward_reference(args, part);
        return;
    }
    if (a.batch > 0) {
        BL_LAUNCH(sums_of_gradients, all, BL_CUDA_THREADS, queue, each_s, each_t, a);
        BL_LAUNCH(finish_chunks, channels, BL_CUDA_THREADS, queue, a, each_s, each_t, s, t);
    }
    if (!whole) BL_LAUNCH(finish_gradients, bl_blocks(a.n), BL_CUDA_THREADS, queue, a, s, t);
    if (a.batch > 0) BL_LAUNCH(backward, by_chunks(a), BL_CUDA_THREADS, queue, a, s, t);
}
