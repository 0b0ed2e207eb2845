/* Global average pooling, factors for channels (scale), and the hard activations: one thread a
 * number, or, where positions are summed, a channel of an example. */
#include "kernels/cuda/chain.h"
#include "kernels/ref/hard_activation.c"
#include "kernels/ref/positions.c"

namespace {

/* The reference's text, thread i the part that has element i alone. */
__device__ bl_part part_of(size_t i, size_t count) {
    return {i, count, nullptr, nullptr};
}

/* As sum_of() of the reference: rule F over the positions of a channel, of x or of x * z. */
template <bool PRODUCT>
__device__ float positions_sum(const float *x, const float *z, size_t positions, size_t n) {
    float sum = 0;
    for (size_t begin = 0; begin < positions; begin += BL_BLOCK) {
        const size_t end = bl_ref_block_end(begin, positions);
        const float acc =
            PRODUCT ? bl_chain_products(0, x, z, n, begin, end) : bl_chain_sum(0, x, n, begin, end);
        sum = begin == 0 ? acc : sum + acc;
    }
    return sum;
}

BL_CHAIN_KERNEL mean_forward(bl_mean_positions_forward a) {
    const size_t i = bl_thread(), b = i / a.n, j = i % a.n;
    if (b < a.batch)
        a.y[i] = positions_sum<false>(a.x + b * a.positions * a.n + j, nullptr, a.positions, a.n) /
                 (float)a.positions;
}

__global__ void mean_backward(bl_mean_positions_backward a) {
    const size_t i = bl_thread(), b = i / a.n / a.positions;
    if (b < a.batch) a.dx[i] = a.dy[b * a.n + i % a.n] / (float)a.positions;
}

__global__ void scale_forward(bl_scale_forward a) {
    const size_t i = bl_thread(), b = i / a.n / a.positions;
    if (b < a.batch) a.y[i] = a.x[i] * a.s[b * a.n + i % a.n];
}

BL_CHAIN_KERNEL scale_sums(bl_scale_backward a) {
    const size_t i = bl_thread(), b = i / a.n, first = b * a.positions * a.n + i % a.n;
    if (b < a.batch) a.ds[i] = positions_sum<true>(a.dy + first, a.x + first, a.positions, a.n);
}

/* After the sums: dx may be dy. */
__global__ void scale_gradient(bl_scale_backward a) {
    const size_t i = bl_thread(), b = i / a.n / a.positions;
    if (b < a.batch) a.dx[i] = a.dy[i] * a.s[b * a.n + i % a.n];
}

} // namespace

#define DEFINE(family)                                                                             \
    static __global__ void family##_each(bl_##family a) {                                          \
        const bl_part part = part_of(bl_thread(), a.count);                                        \
        if (part.part < a.count) bl_##family##_ref(&a, &part);                                     \
    }                                                                                              \
    void bl_##family##_cuda(const bl_##family *args, const bl_part *part) {                        \
        const bl_##family a = *args;                                                               \
        if (a.count > 0)                                                                           \
            BL_LAUNCH(family##_each, bl_blocks(a.count), BL_CUDA_THREADS, bl_queue_of(part), a);   \
    }
DEFINE(add)
DEFINE(hard_sigmoid_forward)
DEFINE(hard_sigmoid_backward)
DEFINE(hard_swish_forward)
DEFINE(hard_swish_backward)

#define DEFINE_POSITIONS(family, kernel)                                                           \
    void bl_##family##_cuda(const bl_##family *args, const bl_part *part) {                        \
        const bl_##family a = *args;                                                               \
        const size_t count = a.batch * a.positions * a.n;                                          \
        if (count > 0) BL_LAUNCH(kernel, bl_blocks(count), BL_CUDA_THREADS, bl_queue_of(part), a); \
    }
DEFINE_POSITIONS(mean_positions_backward, mean_backward)
DEFINE_POSITIONS(scale_forward, scale_forward)

void bl_mean_positions_forward_cuda(const bl_mean_positions_forward *args, const bl_part *part) {
    const bl_mean_positions_forward a = *args;
    if (a.batch * a.n > 0)
        BL_LAUNCH(mean_forward, bl_blocks(a.batch * a.n), BL_CUDA_THREADS, bl_queue_of(part), a);
}

void bl_scale_backward_cuda(const bl_scale_backward *args, const bl_part *part) {
    const bl_scale_backward a = *args;
    const size_t count = a.batch * a.positions * a.n;
    if (a.batch * a.n > 0)
        BL_LAUNCH(scale_sums, bl_blocks(a.batch * a.n), BL_CUDA_THREADS, bl_queue_of(part), a);
    if (count > 0)
        BL_LAUNCH(scale_gradient, bl_blocks(count), BL_CUDA_THREADS, bl_queue_of(part), a);
}
