/* For tests/gpu/ptx.sh: every fused multiply-add that the source asks for carries a mark into the
 * PTX, so that one that the compiler made of a product and a sum has none. Included before all
 * else. */
#ifndef BL_TESTS_GPU_MARKED_FMA_H
#define BL_TESTS_GPU_MARKED_FMA_H
#include <cmath>
#include <cuda_runtime.h>

static inline __host__ __device__ float bl_marked_fmaf(float a, float b, float c) {
#ifdef __CUDA_ARCH__
    float r;
    asm("fma.rn.f32 %0, %1, %2, %3; // source" : "=f"(r) : "f"(a), "f"(b), "f"(c));
    return r;
#else
    return fmaf(a, b, c);
#endif
}
static inline __host__ __device__ double bl_marked_fma(double a, double b, double c) {
#ifdef __CUDA_ARCH__
    double r;
    asm("fma.rn.f64 %0, %1, %2, %3; // source" : "=d"(r) : "d"(a), "d"(b), "d"(c));
    return r;
#else
    return fma(a, b, c);
#endif
}
#define fmaf bl_marked_fmaf
#define fma  bl_marked_fma
#endif
