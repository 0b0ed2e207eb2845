/* How CUDA C is written here: for nvcc, and for an ordinary C++ compiler with the emulator of
 * tests/cuda, which runs the same text on a processor, thread by thread, so that every kernel is
 * tested on machines without a GPU.
 *
 * A kernel is started by BL_LAUNCH, or by BL_LAUNCH_TOGETHER where its threads meet. Example:
 *
 *     __global__ void relu_forward(float *y, const float *x, size_t count) {
 *         const size_t i = bl_thread();
 *         if (i < count) y[i] = x[i] <= 0.0f ? 0.0f : x[i];
 *     }
 *     BL_LAUNCH(relu_forward, bl_blocks(count), BL_CUDA_THREADS, queue, y, x, count);
 *
 * Arguments travel by value: no pointer to the host's memory may be among them. A launch that fails
 * is kept in the queue with the kernel's name and grid (queue.h).
 *
 * A reference kernel computes part p of its outputs; on a device thread p is part p. That gives
 * every family an exact kernel (reference.cu); those worth it have one of their own beside it.
 * No float atomics, no shuffles; a grid depends on the problem's shape only. */
#ifndef BL_KERNELS_CUDA_LAUNCH_H
#define BL_KERNELS_CUDA_LAUNCH_H
#ifdef BL_CUDA_EMULATED
#include "tests/cuda/emulate.h"
#else
#include <cuda_runtime.h>
#define BL_START(kernel, grid, block, queue, ...)                                                  \
    kernel<<<(grid), (block), 0, (queue)->stream>>>(__VA_ARGS__)
#define BL_START_TOGETHER(kernel, grid, block, queue, ...)                                         \
    BL_START(kernel, grid, block, queue, __VA_ARGS__)
#define BL_UNROLL                       _Pragma("unroll")
#define BL_ROLLED                       _Pragma("unroll 1")
#define BL_CHECK_ALIGNED(address, size) ((void)0) /* the emulator looks */
#endif
#define BL_REF [[maybe_unused]] static __device__
#include "engine/base/numerics.h"
#include "kernels/cuda/cuda_kernels.h"
#include "kernels/ref/ref.h"
#include "kernels/shared/exact_math.h"

enum { BL_CUDA_THREADS = 256 };

/* Threads of a block run independently ... */
#define BL_LAUNCH(kernel, grid, block, queue, ...)                                                 \
    do {                                                                                           \
        BL_START(kernel, grid, block, queue, __VA_ARGS__);                                         \
        bl_launched(queue, #kernel, __PRETTY_FUNCTION__, grid, block);                             \
    } while (0)
/* ... or meet at __syncthreads, which all of them reach equally often. */
#define BL_LAUNCH_TOGETHER(kernel, grid, block, queue, ...)                                        \
    do {                                                                                           \
        BL_START_TOGETHER(kernel, grid, block, queue, __VA_ARGS__);                                \
        bl_launched(queue, #kernel, __PRETTY_FUNCTION__, grid, block);                             \
    } while (0)

static inline void bl_launched(bl_queue *queue, const char *kernel, const char *where, dim3 grid,
                               dim3 block) {
    bl_queue_launched(queue, kernel, where, grid.x, grid.y, grid.z, block.x * block.y * block.z);
}

/* The thread's number in its grid. */
static inline __device__ size_t bl_thread(void) {
    return (size_t)blockIdx.x * blockDim.x + threadIdx.x;
}
/* Blocks of BL_CUDA_THREADS that cover `count` threads. */
static inline unsigned bl_blocks(size_t count) {
    return (unsigned)((count + BL_CUDA_THREADS - 1) / BL_CUDA_THREADS);
}
static inline bl_queue *bl_queue_of(const bl_part *part) {
    bl_queue *queue = (bl_queue *)part->queue;
    bl_cuda_use(queue->device);
    return queue;
}
#endif
