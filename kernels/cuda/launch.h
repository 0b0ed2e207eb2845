/* How CUDA C is written here: for nvcc, and for an ordinary C++ compiler with the emulator of
 * tests/cuda, which runs the same text on a processor, thread by thread, so that every kernel is
 * tested on machines without a GPU.
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
/* Threads of a block run independently ... */
#define BL_LAUNCH(kernel, grid, block, queue, ...)                                                 \
    kernel<<<(grid), (block), 0, (queue)->stream>>>(__VA_ARGS__)
/* ... or meet at __syncthreads, which all of them reach equally often. */
#define BL_LAUNCH_TOGETHER(kernel, grid, block, queue, ...)                                        \
    BL_LAUNCH(kernel, grid, block, queue, __VA_ARGS__)
#define BL_UNROLL _Pragma("unroll")
#endif
#define BL_REF [[maybe_unused]] static __device__
#include "engine/base/numerics.h"
#include "kernels/cuda/queue.h"
#include "kernels/exact_math.h"
#include "kernels/ref/ref.h"

enum { BL_CUDA_THREADS = 256 };

/* The thread's number in its grid. */
static inline __device__ size_t bl_thread(void) {
    return (size_t)blockIdx.x * blockDim.x + threadIdx.x;
}
/* Blocks of BL_CUDA_THREADS that cover `count` threads. */
static inline unsigned bl_blocks(size_t count) {
    return (unsigned)((count + BL_CUDA_THREADS - 1) / BL_CUDA_THREADS);
}
static inline bl_queue *bl_queue_of(const bl_part *part) {
    bl_cuda_use();
    return (bl_queue *)part->queue;
}
#endif
