/* Families whose outputs stand alone: one thread each, in the order of memory. */
#include "kernels/cuda/launch.h"
#include "kernels/ref/dropout_ref.h"
#include "kernels/shared/average.h"

namespace {

/* NaN is not <= 0, so it goes through, as the contract has it; fmaxf would make it 0. */
__global__ void relu_forward(float *y, const float *x, size_t count) {
    const size_t i = bl_thread();
    if (i < count) y[i] = x[i] <= 0.0f ? 0.0f : x[i];
}

__global__ void relu_backward(float *dx, const float *dy, const float *y, size_t count) {
    const size_t i = bl_thread();
    if (i < count) dx[i] = y[i] <= 0.0f ? 0.0f : dy[i];
}

/* y = low + (high - low) / (1 + e^-x); s is kept, since the gradient is (high - low) s (1 - s). */
__global__ void sigmoid_range_forward(bl_sigmoid_range_forward a) {
    const size_t i = bl_thread();
    if (i >= a.count) return;
    const float s = bl_sigmoid(a.x[i]);
    a.s[i] = s;
    a.y[i] = fmaf(a.high - a.low, s, a.low);
}

__global__ void sigmoid_range_backward(bl_sigmoid_range_backward a) {
    const size_t i = bl_thread();
    if (i >= a.count) return;
    const float s = a.s[i];
    a.dx[i] = a.dy[i] * ((a.high - a.low) * (s * (1.0f - s)));
}

/* The n columns at x into those at y; the strides are the widths of the arrays they are part of. */
__global__ void copy_columns(bl_copy_columns a) {
    const size_t i = bl_thread(), b = i / a.n, j = i % a.n;
    if (b < a.batch) a.y[b * a.y_stride + j] = a.x[b * a.x_stride + j];
}

/* Four features a thread: they share one call of the generator and a byte of the mask. */
__global__ void dropout(bl_dropout a) {
    const size_t bytes = bl_dropout_mask_bytes(a.n), i = bl_thread(), b = i / bytes;
    if (b >= a.batch) return;
    a.position += a.from ? *a.from : 0;
    bl_ref_drop4(&a, b, i % bytes);
}

__global__ void dropout_backward(bl_dropout_backward a) {
    const size_t i = bl_thread();
    if (i < a.batch * a.n) a.dx[i] = bl_ref_kept(a.mask, a.scale, a.dy[i], a.n, i / a.n, i % a.n);
}

__global__ void power_average(bl_power_average a) {
    const size_t i = bl_thread();
    if (i < a.count) a.average[i] = bl_power_average_of(a.average[i], a.value[i], a.weight);
}

__global__ void epilogue(bl_epilogue e, float *y, size_t count) {
    const size_t i = bl_thread();
    if (i < count) y[i] = bl_epilogue_apply(&e, i, y[i]);
}

} // namespace

void bl_relu_forward_cuda(const bl_relu_forward *a, const bl_part *part) {
    if (a->count > 0)
        BL_LAUNCH(relu_forward, bl_blocks(a->count), BL_CUDA_THREADS, bl_queue_of(part), a->y, a->x,
                  a->count);
}

void bl_relu_backward_cuda(const bl_relu_backward *a, const bl_part *part) {
    if (a->count > 0)
        BL_LAUNCH(relu_backward, bl_blocks(a->count), BL_CUDA_THREADS, bl_queue_of(part), a->dx,
                  a->dy, a->y, a->count);
}

void bl_sigmoid_range_forward_cuda(const bl_sigmoid_range_forward *args, const bl_part *part) {
    const bl_sigmoid_range_forward a = *args;
    if (a.count > 0)
        BL_LAUNCH(sigmoid_range_forward, bl_blocks(a.count), BL_CUDA_THREADS, bl_queue_of(part), a);
}

void bl_sigmoid_range_backward_cuda(const bl_sigmoid_range_backward *args, const bl_part *part) {
    const bl_sigmoid_range_backward a = *args;
    if (a.count > 0)
        BL_LAUNCH(sigmoid_range_backward, bl_blocks(a.count), BL_CUDA_THREADS, bl_queue_of(part),
                  a);
}

void bl_dropout_cuda(const bl_dropout *args, const bl_part *part) {
    const bl_dropout a = *args;
    const size_t threads = a.batch * bl_dropout_mask_bytes(a.n);
    if (threads > 0) BL_LAUNCH(dropout, bl_blocks(threads), BL_CUDA_THREADS, bl_queue_of(part), a);
}

void bl_dropout_backward_cuda(const bl_dropout_backward *args, const bl_part *part) {
    const bl_dropout_backward a = *args;
    if (a.batch * a.n > 0)
        BL_LAUNCH(dropout_backward, bl_blocks(a.batch * a.n), BL_CUDA_THREADS, bl_queue_of(part),
                  a);
}

void bl_copy_columns_cuda(const bl_copy_columns *args, const bl_part *part) {
    const bl_copy_columns a = *args;
    if (a.batch * a.n > 0)
        BL_LAUNCH(copy_columns, bl_blocks(a.batch * a.n), BL_CUDA_THREADS, bl_queue_of(part), a);
}

/* A step of training does this beside its update (training.cu), where the weight lies on the
 * device. */
void bl_power_average_cuda(const bl_power_average *args, const bl_part *part) {
    const bl_power_average a = *args;
    if (a.count > 0)
        BL_LAUNCH(power_average, bl_blocks(a.count), BL_CUDA_THREADS, bl_queue_of(part), a);
}

void bl_cuda_epilogue(bl_queue *queue, const bl_epilogue *args, float *y, size_t count) {
    const bl_epilogue e = *args;
    if (count > 0 && !bl_epilogue_is_empty(&e))
        BL_LAUNCH(epilogue, bl_blocks(count), BL_CUDA_THREADS, queue, e, y, count);
}
