/* What stands before and after a call of cuBLASLt: matrices transposed and converted between 32 and
 * 16 bits, a bias added, a factor multiplied in. */
#include "kernels/cuda/launch.h"
#include "kernels/cuda/narrow.h"

namespace {

/* Element i of an array of that width, as fp32; set() rounds it on its way back. */
__device__ float get(const void *from, size_t i, bl_width width) {
    if (width == BL_FP32) return ((const float *)from)[i];
    const uint16_t h = ((const uint16_t *)from)[i];
    return width == BL_BF16 ? bl_of_bf16(h) : bl_of_fp16(h);
}

__device__ void set(void *to, size_t i, float x, bl_width width) {
    if (width == BL_FP32)
        ((float *)to)[i] = x;
    else
        ((uint16_t *)to)[i] = width == BL_BF16 ? bl_bf16_of(x) : bl_fp16_of(x);
}

/* from is (rows, columns), to is (columns, rows). */
__global__ void transpose(void *to, bl_width to_width, const void *from, bl_width from_width,
                          size_t rows, size_t columns) {
    const size_t i = bl_thread(), column = i / rows, row = i % rows;
    if (column < columns) set(to, i, get(from, row * columns + column, from_width), to_width);
}

__global__ void add_bias(float *y, const float *bias, size_t count, size_t n) {
    const size_t i = bl_thread();
    if (i < count) y[i] = y[i] + bias[i % n];
}

__global__ void scale(float *x, float factor, size_t count) {
    const size_t i = bl_thread();
    if (i < count) x[i] = x[i] * factor;
}

} // namespace

void bl_cuda_transpose(bl_queue *queue, void *to, bl_width to_width, const void *from,
                       bl_width from_width, size_t rows, size_t columns) {
    if (rows * columns > 0)
        BL_LAUNCH(transpose, bl_blocks(rows * columns), BL_CUDA_THREADS, queue, to, to_width, from,
                  from_width, rows, columns);
}

void bl_cuda_add_bias(bl_queue *queue, float *y, const float *bias, size_t count, size_t n) {
    if (count > 0) BL_LAUNCH(add_bias, bl_blocks(count), BL_CUDA_THREADS, queue, y, bias, count, n);
}

void bl_cuda_scale(bl_queue *queue, float *x, float factor, size_t count) {
    bl_cuda_use(queue->device);
    if (count > 0) BL_LAUNCH(scale, bl_blocks(count), BL_CUDA_THREADS, queue, x, factor, count);
}
