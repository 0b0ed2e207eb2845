/* Conversion between fp32 and the two 16-bit formats, bf16 and fp16 ("narrow" floats): rounded
 * to the nearest, ties to even. A NaN stays one.
 *
 *     fp32   s eeeeeeee mmmmmmmmmmmmmmmmmmmmmmm     exponent 8 bits, bias 127
 *     bf16   s eeeeeeee mmmmmmm                     the upper half of fp32
 *     fp16   s eeeee mmmmmmmmmm                     exponent 5 bits, bias 15
 *
 * Rounding adds half of the last place that stays, less one, and the last kept bit: a tie so goes
 * to the even number. */
#ifndef BL_KERNELS_CUDA_NARROW_H
#define BL_KERNELS_CUDA_NARROW_H
#include "kernels/shared/exact_math.h"

static inline BL_HD uint16_t bl_bf16_of(float x) {
    const uint32_t u = bl_bits32(x);
    if (x != x) return (uint16_t)(u >> 16 | 0x40);
    return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}
static inline BL_HD float bl_of_bf16(uint16_t h) {
    return bl_float32((uint32_t)h << 16);
}

/* 5 bits of exponent: too large is infinite; below 2^-14 in steps of 2^-24. */
static inline BL_HD uint16_t bl_fp16_of(float x) {
    const uint32_t u = bl_bits32(x), sign = u >> 16 & 0x8000, size = u & 0x7fffffff;
    if (x != x) return (uint16_t)(sign | 0x7e00);
    if (size >= 0x477ff000) return (uint16_t)(sign | 0x7c00); /* 65520 and more */
    if (size >= 0x38800000)
        return (uint16_t)(sign | (size - 0x38000000 + 0xfff + (size >> 13 & 1)) >> 13);
    const float steps = bl_float32(size) * 0x1p24f + 0x1p23f; /* rounds to a whole number */
    return (uint16_t)(sign | (bl_bits32(steps) - bl_bits32(0x1p23f)));
}
static inline BL_HD float bl_of_fp16(uint16_t h) {
    const uint32_t sign = (uint32_t)(h & 0x8000) << 16, size = h & 0x7fff;
    if (size >= 0x7c00) return bl_float32(sign | 0x7f800000 | (size & 0x3ff) << 13);
    const float x = bl_float32(size << 13) * 0x1p112f; /* exact: only the exponent moves */
    return bl_float32(sign | bl_bits32(x));
}
#endif
