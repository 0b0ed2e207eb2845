/* A sum in order whose terms lie in memory. Its links come one after another; its terms need not: a
 * thread has AHEAD of them on their way before it adds the first, or each would cost it the time of
 * a read. */
#ifndef BL_KERNELS_CUDA_CHAIN_H
#define BL_KERNELS_CUDA_CHAIN_H
#include "kernels/cuda/launch.h"

enum { BL_AHEAD = 32, BL_FEW_AHEAD = 8 };

/* Of a kernel with a chain: it may take more than the 32 registers with which a multiprocessor is
 * full of threads. Else ptxas starts a part of the reads only when others are done. */
#define BL_CHAIN_KERNEL __global__ void __launch_bounds__(BL_CUDA_THREADS, 1)

/* Whole groups of AHEAD terms from *at on; leaves *at behind the last. */
template <unsigned AHEAD, class Sum, class Load, class Link>
static inline __device__ Sum bl_chain_groups(Sum acc, size_t *at, size_t end, const Load &load,
                                             const Link &link) {
    for (; *at + AHEAD <= end; *at += AHEAD) {
        decltype(load((size_t)0)) term[AHEAD];
        BL_UNROLL
        for (unsigned u = 0; u < AHEAD; u++) term[u] = load(*at + u);
        BL_UNROLL
        for (unsigned u = 0; u < AHEAD; u++) acc = link(acc, term[u]);
    }
    return acc;
}

/* acc <- link(acc, load(i)) for i = begin, ..., end - 1. `load` may read nothing that is written
 * meanwhile. */
template <class Sum, class Load, class Link>
static inline __device__ Sum bl_chain(Sum acc, size_t begin, size_t end, const Load &load,
                                      const Link &link) {
    acc = bl_chain_groups<BL_AHEAD>(acc, &begin, end, load, link);
    acc = bl_chain_groups<BL_FEW_AHEAD>(acc, &begin, end, load, link);
    return bl_chain_groups<1>(acc, &begin, end, load, link);
}

/* The chain acc + x[i * stride]. */
static inline __device__ float bl_chain_sum(float acc, const float *x, size_t stride, size_t begin,
                                            size_t end) {
    return bl_chain(
        acc, begin, end, [=](size_t i) { return x[i * stride]; },
        [](float sum, float term) { return sum + term; });
}

/* The chain fmaf(x[i * stride], z[i * stride], acc). */
static inline __device__ float bl_chain_products(float acc, const float *x, const float *z,
                                                 size_t stride, size_t begin, size_t end) {
    struct pair {
        float x, z;
    };
    return bl_chain(
        acc, begin, end,
        [=](size_t i) {
            return pair{x[i * stride], z[i * stride]};
        },
        [](float sum, const pair &p) { return fmaf(p.x, p.z, sum); });
}
#endif
