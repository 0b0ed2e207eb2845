/* CUDA C on a processor: enough of the language and of the runtime for kernels/cuda, so that its
 * text runs, bit for bit, where there is no GPU. One launch runs at a time; blocks run one after
 * another; the threads of a block one after another, or, where they meet at __syncthreads, as
 * coroutines. BL_EMULATED_ORDER=backwards begins with the last block and, between two meetings,
 * with the last thread. A stream carries its calls out as late as may be, when it is waited for, or
 * at once (BL_EMULATED_STREAMS=eager); a captured graph is the list of its calls. */
#ifndef BL_TESTS_CUDA_EMULATE_H
#define BL_TESTS_CUDA_EMULATE_H
#include "tests/cuda/cuda_runtime_api.h"
#include <functional>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __restrict__ __restrict
#define __shared__ static
#define BL_HD
#define BL_UNROLL
#define BL_ROLLED

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};
extern dim3 threadIdx, blockIdx, blockDim, gridDim;
void __syncthreads(void);
static inline int __popcll(unsigned long long bits) {
    return __builtin_popcountll(bits);
}

/* True for the N-th call of this name since BL_EMULATED_FAIL=NAME:N was set: it has to fail, and
 * BL_EMULATED_FAILED says that it did. Kernels go by the name `launch`. */
bool emulated_failure(const char *name);
/* Keeps an error as the thread's last, as a launch that cannot be made leaves it. */
void emulated_error(cudaError_t error);
/* What a launch may not be: too large or empty a grid, too many threads, a stream of another device
 * than the thread's. */
cudaError_t emulated_check(dim3 grid, dim3 block, cudaStream_t stream);
/* A vector load or store whose address is not a multiple of its size: a fault on a device. */
void emulated_misaligned(const void *address, size_t size);
#define BL_CHECK_ALIGNED(address, size)                                                            \
    ((uintptr_t)(address) % (size) == 0 ? (void)0 : emulated_misaligned((address), (size)))

/* Keeps the call for when the stream is waited for, or in the graph that is being captured. */
void emulated_enqueue(cudaStream_t stream, std::function<void(void)> call);

/* Enqueues `body` for every thread of every block. */
void emulate(dim3 grid, dim3 block, cudaStream_t stream, bool together,
             std::function<void(void)> body);
/* The arguments are those of the moment of the launch, as a device's are. */
template <class Kernel, class... Args>
void emulate_with(dim3 grid, dim3 block, cudaStream_t stream, bool together, Kernel kernel,
                  Args... args) {
    emulate(grid, block, stream, together, [=] { kernel(args...); });
}
#define BL_START(kernel, grid, block, queue, ...)                                                  \
    emulate_with((grid), (block), (queue)->stream, false, [](auto... x) { kernel(x...); },         \
                 __VA_ARGS__)
#define BL_START_TOGETHER(kernel, grid, block, queue, ...)                                         \
    emulate_with((grid), (block), (queue)->stream, true, [](auto... x) { kernel(x...); },          \
                 __VA_ARGS__)
#endif
