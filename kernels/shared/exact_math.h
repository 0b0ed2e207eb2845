/* exp, log, tanh, sigmoid and the sine of a turn, with the same bits on every machine: they are
 * made of IEEE add, subtract, multiply, divide, fused multiply-add and integer operations only, in
 * a fixed order. Training, initialisation and data preparation use these and never libm.
 *
 * At most 2 ulp from the exact result (fp64: 1 ulp) over all inputs; special cases as in C's
 * Annex F. A NaN comes back as some NaN. The polynomials are plain Taylor series, long enough for
 * the reduced range. `fmaf` and `fma` are exact operations (one rounding), not libm in that sense.
 */
#ifndef BL_KERNELS_SHARED_EXACT_MATH_H
#define BL_KERNELS_SHARED_EXACT_MATH_H
#include "engine/base/philox.h"
#include <math.h>
#include <stdint.h>
#include <string.h>

static inline BL_HD uint32_t bl_bits32(float x) {
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}
static inline BL_HD float bl_float32(uint32_t u) {
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}
static inline BL_HD uint64_t bl_bits64(double x) {
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}
static inline BL_HD double bl_float64(uint64_t u) {
    double x;
    memcpy(&x, &u, sizeof x);
    return x;
}

/* IEEE square roots: the hardware's, rounded correctly everywhere. */
static inline BL_HD float bl_sqrtf(float x) {
    return sqrtf(x);
}
static inline BL_HD double bl_sqrt64(double x) {
    return sqrt(x);
}

/* 2^n for -126 <= n <= 127. */
static inline BL_HD float bl_pow2f(int32_t n) {
    return bl_float32((uint32_t)(n + 127) << 23);
}
/* 2^n for -1022 <= n <= 1023. */
static inline BL_HD double bl_pow2_64(int64_t n) {
    return bl_float64((uint64_t)(n + 1023) << 52);
}

/* x = n ln 2 + r with |r| <= ln 2 / 2; e^r = 1 + (r + r^2 (1/2 + r/6 + ...)). Adding 1.5 * 2^23
 * rounds to an integer and leaves it in the low bits. ln 2 is a sum of two floats. */
static inline BL_HD float bl_expf(float x) {
    if (!(x >= -104.0f)) return x < -104.0f ? 0.0f : x + x; /* below half the least float; NaN */
    if (x > 89.0f) return INFINITY;
    const float shifted = fmaf(x, 0x1.715476p+0f, 0x1.8p+23f);
    const float k = shifted - 0x1.8p+23f;
    const int32_t n = (int32_t)(bl_bits32(shifted) - bl_bits32(0x1.8p+23f));
    const float r = fmaf(k, 0x1.05c610p-29f, fmaf(k, -0x1.62e430p-1f, x));
    float q = 1.0f / 5040.0f;
    q = fmaf(q, r, 1.0f / 720.0f);
    q = fmaf(q, r, 1.0f / 120.0f);
    q = fmaf(q, r, 1.0f / 24.0f);
    q = fmaf(q, r, 1.0f / 6.0f);
    q = fmaf(q, r, 0.5f);
    const float y = 1.0f + fmaf(r * r, q, r);
    /* Two factors, so that a subnormal result is rounded once and 2^128 can be reached. */
    const int32_t half = n / 2;
    return y * bl_pow2f(half) * bl_pow2f(n - half);
}

/* x = 2^e (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)); s = f / (2 + f);
 * log(1 + f) = 2 atanh(s) = f - (f^2/2 - s (f^2/2 + R)), R = 2 (s^2/3 + s^4/5 + ...) (the
 * arrangement of Sun's fdlibm, whose error stays below one ulp). */
static inline BL_HD float bl_logf(float x) {
    uint32_t u = bl_bits32(x);
    int32_t e = 0;
    if (u - 0x00800000u >= 0x7f000000u) { /* not a normal positive number */
        if (u << 1 == 0) return -INFINITY;
        if (u == 0x7f800000u) return x;
        if (x != x) return x + x;
        if (u >> 31) return NAN;
        u = bl_bits32(x * 0x1p+23f);
        e = -23;
    }
    u -= 0x3f3504f3u; /* sqrt(1/2) */
    e += (int32_t)u >> 23;
    const float f = bl_float32((u & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
    const float s = f / (2.0f + f), z = s * s, k = (float)e;
    float r = 2.0f / 9.0f;
    r = fmaf(r, z, 2.0f / 7.0f);
    r = fmaf(r, z, 2.0f / 5.0f);
    r = fmaf(r, z, 2.0f / 3.0f);
    r = r * z;
    const float h = 0.5f * f * f;
    const float low = fmaf(s, h + r, k * 0x1.2fefa2p-17f);
    return k * 0x1.62e3p-1f - ((h - low) - f);
}

/* The sine of t turns, sin(2 pi t), for 0 <= t <= 1. */
static inline BL_HD float bl_sin_turn(float t) {
    const int32_t quarter = (int32_t)(4.0f * t + 0.5f);
    const float a = (t - 0.25f * (float)quarter) * 0x1.921fb6p+2f; /* |a| <= pi / 4 */
    const float z = a * a;
    float s = 1.0f / 362880.0f, c = 1.0f / 40320.0f;
    s = fmaf(s, z, -1.0f / 5040.0f);
    s = fmaf(s, z, 1.0f / 120.0f);
    s = fmaf(s, z, -1.0f / 6.0f);
    s = fmaf(a * z, s, a);
    c = fmaf(c, z, -1.0f / 720.0f);
    c = fmaf(c, z, 1.0f / 24.0f);
    c = fmaf(c, z, -0.5f);
    c = fmaf(c, z, 1.0f);
    const float v = quarter & 1 ? c : s;
    return quarter & 2 ? -v : v;
}
static inline BL_HD float bl_cos_turn(float t) {
    return bl_sin_turn(t < 0.75f ? t + 0.25f : t - 0.75f);
}

/* e^(x - k ln 2) for |x - k ln 2| <= ln 2 / 2. Vector kernels share it with bl_exp64. */
static inline BL_HD double bl_exp64_reduced(double x, double k) {
    const double r = fma(k, -0x1.abc9e3b39803fp-56, fma(k, -0x1.62e42fefa39efp-1, x));
    double q = 1.0 / 6227020800.0;
    q = fma(q, r, 1.0 / 479001600.0);
    q = fma(q, r, 1.0 / 39916800.0);
    q = fma(q, r, 1.0 / 3628800.0);
    q = fma(q, r, 1.0 / 362880.0);
    q = fma(q, r, 1.0 / 40320.0);
    q = fma(q, r, 1.0 / 5040.0);
    q = fma(q, r, 1.0 / 720.0);
    q = fma(q, r, 1.0 / 120.0);
    q = fma(q, r, 1.0 / 24.0);
    q = fma(q, r, 1.0 / 6.0);
    q = fma(q, r, 0.5);
    return 1.0 + fma(r * r, q, r);
}
static inline BL_HD double bl_exp64(double x) {
    if (!(x >= -746.0)) return x < -746.0 ? 0.0 : x + x;
    if (x > 710.0) return (double)INFINITY;
    const double shifted = fma(x, 0x1.71547652b82fep+0, 0x1.8p+52);
    const double k = shifted - 0x1.8p+52;
    const int64_t n = (int64_t)(bl_bits64(shifted) - bl_bits64(0x1.8p+52));
    const double y = bl_exp64_reduced(x, k);
    const int64_t half = n / 2;
    return y * bl_pow2_64(half) * bl_pow2_64(n - half);
}

/* 1 / (1 + e^-x). In fp64 and rounded once: the quotient of two rounded floats can be 2.2 ulp off.
 */
static inline BL_HD float bl_sigmoid(float x) {
    return (float)(1.0 / (1.0 + bl_exp64(-(double)x)));
}

/* With e = e^(-2|x|): tanh |x| = (1 - e) / (1 + e); near 0, where 1 - e cancels, x - x^3 / 3. */
static inline BL_HD float bl_tanhf(float x) {
    const double a = fabs((double)x);
    if (a < 0x1p-13) return copysignf((float)fma(a * a * a, -1.0 / 3.0, a), x);
    const double e = bl_exp64(-2.0 * a);
    return copysignf((float)((1.0 - e) / (1.0 + e)), x);
}

/* log(2^k (1 + f)) for sqrt(1/2) <= 1 + f <= sqrt(2). Vector kernels share it with bl_log64. */
static inline BL_HD double bl_log64_reduced(double f, double k) {
    const double s = f / (2.0 + f), z = s * s;
    double r = 2.0 / 21.0;
    r = fma(r, z, 2.0 / 19.0);
    r = fma(r, z, 2.0 / 17.0);
    r = fma(r, z, 2.0 / 15.0);
    r = fma(r, z, 2.0 / 13.0);
    r = fma(r, z, 2.0 / 11.0);
    r = fma(r, z, 2.0 / 9.0);
    r = fma(r, z, 2.0 / 7.0);
    r = fma(r, z, 2.0 / 5.0);
    r = fma(r, z, 2.0 / 3.0);
    r = r * z;
    const double h = 0.5 * f * f;
    const double low = fma(s, h + r, k * 0x1.a39ef35793c76p-33);
    return k * 0x1.62e42feep-1 - ((h - low) - f);
}
static inline BL_HD double bl_log64(double x) {
    uint64_t u = bl_bits64(x);
    int64_t e = 0;
    if (u - 0x0010000000000000u >= 0x7fe0000000000000u) { /* not a normal positive number */
        if (u << 1 == 0) return -(double)INFINITY;
        if (u == 0x7ff0000000000000u) return x;
        if (x != x) return x + x;
        if (u >> 63) return (double)NAN;
        u = bl_bits64(x * 0x1p+54);
        e = -54;
    }
    u -= 0x3fe6a09e667f3bcdu; /* sqrt(1/2) */
    e += (int64_t)u >> 52;
    const double f = bl_float64((u & 0x000fffffffffffffu) + 0x3fe6a09e667f3bcdu) - 1.0;
    return bl_log64_reduced(f, (double)e);
}

/* A standard normal value from two random words (Box and Muller 1958); at most 5.77 in size. */
static inline BL_HD float bl_normal(uint32_t word0, uint32_t word1) {
    const float u = 1.0f - bl_unit_f32(word0); /* in (0, 1] */
    return bl_sqrtf(-2.0f * bl_logf(u)) * bl_sin_turn(bl_unit_f32(word1));
}

/* Uniform in [low, high): high itself may appear by rounding. */
static inline BL_HD float bl_uniform(uint32_t word, float low, float high) {
    return fmaf(high - low, bl_unit_f32(word), low);
}
#endif
