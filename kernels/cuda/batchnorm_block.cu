/* Batch norm of a batch that is one block of rule B, 256 examples at most: one kernel each way
 * instead of five to seven. Small batches are bound by launches, not by what they compute.
 *
 * A block of the grid holds a few neighbouring columns whole in shared memory, so every number is
 * read once, and all reads are on their way together. Then one thread a column walks down it in
 * rule B's order (the tree of one block is the block's sum), and all threads make the elements:
 *
 *     x (batch, n) --> | x[0..batch)[32 columns] |  sum -> mean;  squares -> rstd;  y, dropout
 *
 * The bits are those of batchnorm.cu and of the reference: each operation is the same. */
#include "kernels/cuda/batchnorm_block.h"
#include "kernels/cuda/launch.h"
#include "kernels/ref/dropout_ref.h"

namespace {

/* Threads of a block, and columns that fit shared memory: forward keeps one array, backward two. */
enum { THREADS = 256, FORWARD = 32, BACKWARD = 16, AHEAD = 8 };

/* acc <- next(acc, column[b]) for all b in order, AHEAD of them read at once. `stride` lies between
 * two of a column. */
template <class Next>
__device__ float chain(const float *column, unsigned stride, unsigned batch, Next next) {
    float acc = 0;
    unsigned b = 0;
    for (; b + AHEAD <= batch; b += AHEAD) {
        float ahead[AHEAD];
        BL_UNROLL
        for (unsigned u = 0; u < AHEAD; u++) ahead[u] = column[(b + u) * stride];
        BL_UNROLL
        for (unsigned u = 0; u < AHEAD; u++) acc = next(acc, ahead[u], b + u);
    }
    for (; b < batch; b++) acc = next(acc, column[b * stride], b);
    return acc;
}

/* A thread block has FORWARD columns: all threads copy them to shared memory, one thread a column
 * computes the sums in order, and all threads write y and then the dropout. */
__global__ void __launch_bounds__(THREADS) forward(bl_batchnorm_forward a) {
    __shared__ float x[BL_BLOCK][FORWARD + 1], mean[FORWARD], rstd[FORWARD];
    const unsigned c = threadIdx.x % FORWARD, row = threadIdx.x / FORWARD;
    const unsigned batch = (unsigned)a.batch;
    const size_t j = (size_t)blockIdx.x * FORWARD + c;
    for (unsigned b = row; j < a.n && b < batch; b += THREADS / FORWARD) x[b][c] = a.x[b * a.n + j];
    __syncthreads();
    if (row == 0 && j < a.n) {
        const float sum = chain(&x[0][c], FORWARD + 1, batch,
                                [](float acc, float v, unsigned) { return acc + v; });
        const float m = sum / (float)a.batch;
        const float squares =
            chain(&x[0][c], FORWARD + 1, batch, [m](float acc, float v, unsigned) {
                const float d = v - m;
                return fmaf(d, d, acc);
            });
        const float var = squares / (float)a.batch;
        mean[c] = a.mean[j] = a.sum_mean[j] = m;
        rstd[c] = a.rstd[j] = 1.0f / sqrtf(var + a.eps);
        a.sum_var[j] = a.batch > 1 ? var * ((float)a.batch / (float)(a.batch - 1)) : var;
    }
    __syncthreads();
    for (unsigned b = row; j < a.n && b < batch; b += THREADS / FORWARD)
        a.y[b * a.n + j] = fmaf((x[b][c] - mean[c]) * rstd[c], a.gamma[j], a.beta[j]);
    if (!a.dropout.mask) return;
    __syncthreads();
    /* Units of four features, which lie within this block's columns. */
    bl_dropout drop = a.dropout;
    drop.position += drop.from ? *drop.from : 0;
    for (unsigned i = threadIdx.x; i < batch * (FORWARD / 4); i += THREADS) {
        const size_t unit = (size_t)blockIdx.x * (FORWARD / 4) + i % (FORWARD / 4);
        if (unit < bl_dropout_mask_bytes(a.n)) bl_ref_drop4(&drop, i / (FORWARD / 4), unit);
    }
}

/* dx may be dy: a block reads all of its columns before it writes. */
__global__ void __launch_bounds__(THREADS) backward(bl_batchnorm_backward a) {
    __shared__ float dy[BL_BLOCK][BACKWARD + 1], xhat[BL_BLOCK][BACKWARD + 1];
    __shared__ float dbeta[BACKWARD], dgamma[BACKWARD];
    const unsigned c = threadIdx.x % BACKWARD, row = threadIdx.x / BACKWARD;
    const unsigned batch = (unsigned)a.batch;
    const size_t j = (size_t)blockIdx.x * BACKWARD + c;
    for (unsigned b = row; j < a.n && b < batch; b += THREADS / BACKWARD) {
        const float d = a.dy[b * a.n + j];
        dy[b][c] = a.mask ? bl_ref_kept(a.mask, a.mask_scale, d, a.n, b, j) : d;
        xhat[b][c] = (a.x[b * a.n + j] - a.mean[j]) * a.rstd[j];
    }
    __syncthreads();
    /* The two sums of a column in two warps, so that they run side by side. */
    if (row == 0 && j < a.n)
        dbeta[c] = a.dbeta[j] = chain(&dy[0][c], BACKWARD + 1, batch,
                                      [](float acc, float v, unsigned) { return acc + v; });
    if (row == 2 && j < a.n)
        dgamma[c] = a.dgamma[j] =
            chain(&xhat[0][c], BACKWARD + 1, batch,
                  [&](float acc, float v, unsigned b) { return fmaf(dy[b][c], v, acc); });
    __syncthreads();
    for (unsigned b = row; j < a.n && b < batch; b += THREADS / BACKWARD) {
        const float scale = a.gamma[j] * a.rstd[j];
        const float mean_dy = dbeta[c] / (float)a.batch, mean_dg = dgamma[c] / (float)a.batch;
        const float dx = scale * ((dy[b][c] - mean_dy) - xhat[b][c] * mean_dg);
        a.dx[b * a.n + j] = bl_epilogue_apply(&a.epilogue, b * a.n + j, dx);
    }
}

} // namespace

bool bl_batchnorm_is_one_block(size_t batch, size_t n) {
    return batch > 0 && batch <= BL_BLOCK && n > 0;
}

void bl_batchnorm_forward_block(const bl_batchnorm_forward *args, bl_queue *queue) {
    const bl_batchnorm_forward a = *args;
    BL_LAUNCH_TOGETHER(forward, (unsigned)((a.n + FORWARD - 1) / FORWARD), THREADS, queue, a);
}

void bl_batchnorm_backward_block(const bl_batchnorm_backward *args, bl_queue *queue) {
    const bl_batchnorm_backward a = *args;
    BL_LAUNCH_TOGETHER(backward, (unsigned)((a.n + BACKWARD - 1) / BACKWARD), THREADS, queue, a);
}
