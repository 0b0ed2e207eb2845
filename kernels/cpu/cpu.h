/* What the CPU kernels are written in. The build compiles each file of this folder once per
 * instruction set with -DBL_ISA=<name>; BL_CPU(dropout) then names bl_dropout_<name>. Vectors are a
 * handful of element-wise operations, each rounded like its scalar twin, so that a kernel gives the
 * same bits at every width. To add an instruction set: one block below, one row in the Makefile's
 * ISAS, one row in kernels_table.c.
 *
 *     bl_v    BL_W floats; + - * / are element-wise
 *     bl_vm   the first n of BL_W lanes
 *     bl_vq   BL_W / 2 uint64, or BL_W uint32 in pairs; for the random generator
 *     BL_NARROW         if defined: a set half as wide, which every processor with this one has
 *     BL_TILE_ROWS(X)   X(r) for each row of the dense kernels' register tile: rows * 3
 *                       accumulators have to fit the register file
 *     BL_TALL_ROWS(X)   ... of a tile one vector wide: few accumulators wait for each other
 *     BL_AHEAD          terms that rows to be packed are fetched ahead
 *     BL_SLAB_FLOATS    packed at once: half of a large second cache, or what the third one holds
 *                       (panels then come from there row block by row block)
 *     BL_SLAB_DEPTH     blocks of terms packed at once
 *     BL_CONV_VECS      vectors of the convolutions' register tile, at most, and its rows; those of
 *     BL_CONV_ROWS, _1  a tile one vector wide. At most BL_CONV_MOST
 *
 *     sqrt(a)                     rounded as IEEE 754 says
 *     if_positive(a, b)           a <= 0 ? +0 : b, so that a NaN is not hidden
 *     if_greater(a, b, x, y)      a > b ? x : y; y where one is a NaN
 *     if_number(a, x, y)          a is no NaN ? x : y
 *     if_at_least(a, least, b)    a >= least ? b : +0, comparing uint32 lanes
 *     at_least(a, least)          the same as bits, lane 0's the lowest
 *     if_kept(bits, b)            b in lanes whose bit of a dropout's mask (kernel.h) is set, +0 in
 *                                 the others
 *     mul32                       products of low halves
 *     high                        high halves moved down; the upper bits are anything
 *     pair                        low halves joined to (a, b)
 *     zip_low, zip_high           lanes of two vectors in turn, in an order that differs between
 *                                 the sets: zip_low(p, q), zip_high(p, q) hold p0 q0 p1 q1 ...
 *                                 when lane i of p and of q stands for number numbers()[i] */
#ifndef BL_KERNELS_CPU_CPU_H
#define BL_KERNELS_CPU_CPU_H
#include "engine/base/numerics.h"
#include "kernels/kernel.h"
#include "kernels/part.h"
#include <math.h>
#include <string.h>

#ifndef BL_ISA
#define BL_ISA scalar
#endif
#define BL_PASTE_(family, isa) bl_##family##_##isa
#define BL_PASTE(family, isa)  BL_PASTE_(family, isa)
#define BL_CPU(family)         BL_PASTE(family, BL_ISA)
#define BL_CPU_DECLARE(family) void BL_CPU(family)(const bl_##family *args, const bl_part *part);
BL_FAMILIES(BL_CPU_DECLARE)
#undef BL_CPU_DECLARE

#define BL_INLINE static inline __attribute__((always_inline))

#if defined(BL_ISA_avx512)
#include <immintrin.h>
enum { BL_W = 16 };
#define BL_NARROW       avx2
#define BL_TILE_ROWS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
enum { BL_CONV_VECS = 3, BL_CONV_ROWS = 8, BL_CONV_ROWS_1 = 8 };
#define BL_TALL_ROWS BL_TILE_ROWS
enum { BL_AHEAD = 8, BL_SLAB_FLOATS = 1 << 18, BL_SLAB_DEPTH = 16 };
typedef __m512 bl_v;
typedef __mmask16 bl_vm;
typedef __m512i bl_vq;
BL_INLINE bl_v bl_v_zero(void) {
    return _mm512_setzero_ps();
}
BL_INLINE bl_v bl_v_set1(float x) {
    return _mm512_set1_ps(x);
}
BL_INLINE bl_v bl_v_load(const float *p) {
    return _mm512_loadu_ps(p);
}
BL_INLINE void bl_v_store(float *p, bl_v v) {
    _mm512_storeu_ps(p, v);
}
BL_INLINE bl_vm bl_vm_first(size_t n) {
    return (bl_vm)((1u << n) - 1u);
}
BL_INLINE bl_v bl_v_load_part(const float *p, bl_vm m) {
    return _mm512_maskz_loadu_ps(m, p);
}
BL_INLINE void bl_v_store_part(float *p, bl_v v, bl_vm m) {
    _mm512_mask_storeu_ps(p, m, v);
}
BL_INLINE bl_v bl_v_fma(bl_v a, bl_v b, bl_v c) {
    return _mm512_fmadd_ps(a, b, c);
}
BL_INLINE bl_v bl_v_sqrt(bl_v a) {
    return _mm512_sqrt_ps(a);
}
BL_INLINE bl_v bl_v_if_positive(bl_v a, bl_v b) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a, _mm512_setzero_ps(), _CMP_NLE_UQ), b);
}
BL_INLINE bl_v bl_v_if_greater(bl_v a, bl_v b, bl_v x, bl_v y) {
    return _mm512_mask_mov_ps(y, _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ), x);
}
BL_INLINE bl_v bl_v_if_number(bl_v a, bl_v x, bl_v y) {
    return _mm512_mask_mov_ps(y, _mm512_cmp_ps_mask(a, a, _CMP_ORD_Q), x);
}
BL_INLINE bl_v bl_v_if_at_least(bl_vq a, uint32_t least, bl_v b) {
    return _mm512_maskz_mov_ps(_mm512_cmpge_epu32_mask(a, _mm512_set1_epi32((int)least)), b);
}
BL_INLINE uint32_t bl_vq_at_least(bl_vq a, uint32_t least) {
    return _mm512_cmpge_epu32_mask(a, _mm512_set1_epi32((int)least));
}
BL_INLINE bl_v bl_v_if_kept(uint32_t bits, bl_v b) {
    const __m512i bit =
        _mm512_setr_epi32(1, 2, 4, 8, 1 << 8, 2 << 8, 4 << 8, 8 << 8, 1 << 16, 2 << 16, 4 << 16,
                          8 << 16, 1 << 24, 2 << 24, 4 << 24, 8 << 24);
    return _mm512_maskz_mov_ps(_mm512_test_epi32_mask(_mm512_set1_epi32((int)bits), bit), b);
}
BL_INLINE bl_vq bl_vq_set1(uint64_t x) {
    return _mm512_set1_epi64((long long)x);
}
BL_INLINE bl_vq bl_vq_add(bl_vq a, bl_vq b) {
    return _mm512_add_epi64(a, b);
}
BL_INLINE bl_vq bl_vq_xor3(bl_vq a, bl_vq b, bl_vq c) {
    return _mm512_ternarylogic_epi64(a, b, c, 0x96);
}
BL_INLINE bl_vq bl_vq_mul32(bl_vq a, bl_vq b) {
    return _mm512_mul_epu32(a, b);
}
BL_INLINE bl_vq bl_vq_high(bl_vq a) {
    return _mm512_shuffle_epi32(a, 0xf5);
}
BL_INLINE bl_vq bl_vq_pair(bl_vq a, bl_vq b) {
    return _mm512_mask_blend_epi32(0xaaaa, a, _mm512_slli_epi64(b, 32));
}
BL_INLINE bl_vq bl_vq_numbers(void) {
    return _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7);
}
BL_INLINE bl_vq bl_vq_zip_low(bl_vq a, bl_vq b) {
    return _mm512_unpacklo_epi64(a, b);
}
BL_INLINE bl_vq bl_vq_zip_high(bl_vq a, bl_vq b) {
    return _mm512_unpackhi_epi64(a, b);
}

#elif defined(BL_ISA_avx2)
#include <immintrin.h>
enum { BL_W = 8 };
#define BL_TILE_ROWS(X) X(0) X(1) X(2) X(3)
enum { BL_CONV_VECS = 2, BL_CONV_ROWS = 6, BL_CONV_ROWS_1 = 8 };
#define BL_TALL_ROWS(X) BL_TILE_ROWS(X) X(4) X(5) X(6) X(7)
enum { BL_AHEAD = 24, BL_SLAB_FLOATS = 7 << 17, BL_SLAB_DEPTH = 16 };
typedef __m256 bl_v;
typedef struct bl_vm {
    __m256i lanes;
    size_t n;
} bl_vm;
typedef __m256i bl_vq;
BL_INLINE bl_v bl_v_zero(void) {
    return _mm256_setzero_ps();
}
BL_INLINE bl_v bl_v_set1(float x) {
    return _mm256_set1_ps(x);
}
BL_INLINE bl_v bl_v_load(const float *p) {
    return _mm256_loadu_ps(p);
}
BL_INLINE void bl_v_store(float *p, bl_v v) {
    _mm256_storeu_ps(p, v);
}
BL_INLINE bl_vm bl_vm_first(size_t n) {
    const __m256i number = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return (bl_vm){_mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), number), n};
}
BL_INLINE bl_v bl_v_load_part(const float *p, bl_vm m) {
    return _mm256_maskload_ps(p, m.lanes);
}
/* Not vmaskmovps, which takes some AMD processors 20 cycles. */
BL_INLINE void bl_v_store_part(float *p, bl_v v, bl_vm m) {
    __m128 rest = _mm256_castps256_ps128(v);
    if (m.n >= 8) {
        _mm256_storeu_ps(p, v);
        return;
    }
    if (m.n & 4) {
        _mm_storeu_ps(p, rest);
        p += 4;
        rest = _mm256_extractf128_ps(v, 1);
    }
    if (m.n & 2) {
        const double low = _mm_cvtsd_f64(_mm_castps_pd(rest));
        memcpy(p, &low, sizeof low);
        p += 2;
        rest = _mm_movehl_ps(rest, rest);
    }
    if (m.n & 1) _mm_store_ss(p, rest);
}
BL_INLINE bl_v bl_v_fma(bl_v a, bl_v b, bl_v c) {
    return _mm256_fmadd_ps(a, b, c);
}
BL_INLINE bl_v bl_v_sqrt(bl_v a) {
    return _mm256_sqrt_ps(a);
}
BL_INLINE bl_v bl_v_if_positive(bl_v a, bl_v b) {
    return _mm256_and_ps(_mm256_cmp_ps(a, _mm256_setzero_ps(), _CMP_NLE_UQ), b);
}
BL_INLINE bl_v bl_v_if_greater(bl_v a, bl_v b, bl_v x, bl_v y) {
    return _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_GT_OQ));
}
BL_INLINE bl_v bl_v_if_number(bl_v a, bl_v x, bl_v y) {
    return _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, a, _CMP_ORD_Q));
}
BL_INLINE bl_v bl_v_if_at_least(bl_vq a, uint32_t least, bl_v b) {
    const __m256i t = _mm256_set1_epi32((int)least);
    return _mm256_and_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_max_epu32(a, t), a)), b);
}
BL_INLINE uint32_t bl_vq_at_least(bl_vq a, uint32_t least) {
    const __m256i t = _mm256_set1_epi32((int)least);
    return (uint32_t)_mm256_movemask_ps(
        _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_max_epu32(a, t), a)));
}
BL_INLINE bl_v bl_v_if_kept(uint32_t bits, bl_v b) {
    const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 1 << 8, 2 << 8, 4 << 8, 8 << 8);
    const __m256i its = _mm256_and_si256(_mm256_set1_epi32((int)bits), bit);
    return _mm256_and_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(its, bit)), b);
}
BL_INLINE bl_vq bl_vq_set1(uint64_t x) {
    return _mm256_set1_epi64x((long long)x);
}
BL_INLINE bl_vq bl_vq_add(bl_vq a, bl_vq b) {
    return _mm256_add_epi64(a, b);
}
BL_INLINE bl_vq bl_vq_xor3(bl_vq a, bl_vq b, bl_vq c) {
    return _mm256_xor_si256(_mm256_xor_si256(a, b), c);
}
BL_INLINE bl_vq bl_vq_mul32(bl_vq a, bl_vq b) {
    return _mm256_mul_epu32(a, b);
}
BL_INLINE bl_vq bl_vq_high(bl_vq a) {
    return _mm256_shuffle_epi32(a, 0xf5);
}
BL_INLINE bl_vq bl_vq_pair(bl_vq a, bl_vq b) {
    return _mm256_blend_epi32(a, _mm256_slli_epi64(b, 32), 0xaa);
}
BL_INLINE bl_vq bl_vq_numbers(void) {
    return _mm256_setr_epi64x(0, 2, 1, 3);
}
BL_INLINE bl_vq bl_vq_zip_low(bl_vq a, bl_vq b) {
    return _mm256_unpacklo_epi64(a, b);
}
BL_INLINE bl_vq bl_vq_zip_high(bl_vq a, bl_vq b) {
    return _mm256_unpackhi_epi64(a, b);
}

#else
/* Four floats in the compiler's own vector type: SSE2 or NEON without a line of either. */
enum { BL_W = 4 };
#define BL_TILE_ROWS(X) X(0) X(1) X(2) X(3)
enum { BL_CONV_VECS = 3, BL_CONV_ROWS = 4, BL_CONV_ROWS_1 = 4 };
#define BL_TALL_ROWS    BL_TILE_ROWS
enum { BL_AHEAD = 8, BL_SLAB_FLOATS = 1 << 16, BL_SLAB_DEPTH = 1 };
typedef float bl_v __attribute__((vector_size(16)));
typedef uint32_t bl_vu __attribute__((vector_size(16)));
typedef uint64_t bl_vq __attribute__((vector_size(16)));
typedef size_t bl_vm;
BL_INLINE bl_v bl_v_zero(void) {
    return (bl_v){0};
}
BL_INLINE bl_v bl_v_set1(float x) {
    return (bl_v){x, x, x, x};
}
BL_INLINE bl_v bl_v_load(const float *p) {
    bl_v v;
    memcpy(&v, p, sizeof v);
    return v;
}
BL_INLINE void bl_v_store(float *p, bl_v v) {
    memcpy(p, &v, sizeof v);
}
BL_INLINE bl_vm bl_vm_first(size_t n) {
    return n;
}
BL_INLINE bl_v bl_v_load_part(const float *p, bl_vm m) {
    bl_v v = {0};
    for (size_t i = 0; i < m; i++) v[i] = p[i];
    return v;
}
BL_INLINE void bl_v_store_part(float *p, bl_v v, bl_vm m) {
    for (size_t i = 0; i < m; i++) p[i] = v[i];
}
BL_INLINE bl_v bl_v_fma(bl_v a, bl_v b, bl_v c) {
    return (bl_v){fmaf(a[0], b[0], c[0]), fmaf(a[1], b[1], c[1]), fmaf(a[2], b[2], c[2]),
                  fmaf(a[3], b[3], c[3])};
}
BL_INLINE bl_v bl_v_sqrt(bl_v a) {
    return (bl_v){sqrtf(a[0]), sqrtf(a[1]), sqrtf(a[2]), sqrtf(a[3])};
}
BL_INLINE bl_v bl_v_if_positive(bl_v a, bl_v b) {
    const bl_vu yes = ~(bl_vu)(a <= bl_v_zero());
    return (bl_v)(yes & (bl_vu)b);
}
BL_INLINE bl_v bl_v_choose(bl_vu yes, bl_v x, bl_v y) {
    return (bl_v)((yes & (bl_vu)x) | (~yes & (bl_vu)y));
}
BL_INLINE bl_v bl_v_if_greater(bl_v a, bl_v b, bl_v x, bl_v y) {
    return bl_v_choose((bl_vu)(a > b), x, y);
}
BL_INLINE bl_v bl_v_if_number(bl_v a, bl_v x, bl_v y) {
    return bl_v_choose((bl_vu)(a == a), x, y);
}
BL_INLINE bl_v bl_v_if_at_least(bl_vq a, uint32_t least, bl_v b) {
    const bl_vu yes = (bl_vu)((bl_vu)a >= (bl_vu){least, least, least, least});
    return (bl_v)(yes & (bl_vu)b);
}
BL_INLINE uint32_t bl_vq_at_least(bl_vq a, uint32_t least) {
    const bl_vu one =
        (bl_vu)((bl_vu)a >= (bl_vu){least, least, least, least}) & (bl_vu){1, 2, 4, 8};
    return one[0] | one[1] | one[2] | one[3];
}
BL_INLINE bl_v bl_v_if_kept(uint32_t bits, bl_v b) {
    const bl_vu yes = (bl_vu)(((bl_vu){bits, bits, bits, bits} & (bl_vu){1, 2, 4, 8}) != 0);
    return (bl_v)(yes & (bl_vu)b);
}
BL_INLINE bl_vq bl_vq_set1(uint64_t x) {
    return (bl_vq){x, x};
}
BL_INLINE bl_vq bl_vq_add(bl_vq a, bl_vq b) {
    return a + b;
}
BL_INLINE bl_vq bl_vq_xor3(bl_vq a, bl_vq b, bl_vq c) {
    return a ^ b ^ c;
}
BL_INLINE bl_vq bl_vq_mul32(bl_vq a, bl_vq b) {
    return (a & bl_vq_set1(0xffffffffu)) * (b & bl_vq_set1(0xffffffffu));
}
BL_INLINE bl_vq bl_vq_high(bl_vq a) {
    return a >> 32;
}
BL_INLINE bl_vq bl_vq_pair(bl_vq a, bl_vq b) {
    return (a & bl_vq_set1(0xffffffffu)) | b << 32;
}
BL_INLINE bl_vq bl_vq_numbers(void) {
    return (bl_vq){0, 1};
}
BL_INLINE bl_vq bl_vq_zip_low(bl_vq a, bl_vq b) {
    return (bl_vq){a[0], b[0]};
}
BL_INLINE bl_vq bl_vq_zip_high(bl_vq a, bl_vq b) {
    return (bl_vq){a[1], b[1]};
}
#endif

#ifdef BL_NARROW
#define BL_NARROW_DECLARE(family)                                                                  \
    void BL_PASTE(family, BL_NARROW)(const bl_##family *args, const bl_part *part);
BL_FAMILIES(BL_NARROW_DECLARE)
#undef BL_NARROW_DECLARE
#endif

/* The compiler forgets what a pointer is: it would keep all addresses made of it through a loop, on
 * the stack if need be. */
#define BL_FORGET(p) __asm__("" : "+r"(p))
/* It forgets what a vector is made of: it would load it again for every use. */
#if defined(__x86_64__)
#define BL_IN_REGISTER(v) __asm__("" : "+v"(v))
#elif defined(__aarch64__)
#define BL_IN_REGISTER(v) __asm__("" : "+w"(v))
#else
#define BL_IN_REGISTER(v) ((void)(v))
#endif

/* A vector of columns inside a matrix or at its edge; the compiler sees `full` as a constant. */
typedef struct bl_lanes {
    bool full;
    bl_vm first;
} bl_lanes;
BL_INLINE bl_v bl_v_get(const float *p, bl_lanes m) {
    return m.full ? bl_v_load(p) : bl_v_load_part(p, m.first);
}
BL_INLINE void bl_v_put(float *p, bl_v v, bl_lanes m) {
    if (m.full)
        bl_v_store(p, v);
    else
        bl_v_store_part(p, v, m.first);
}

/* Calls step(ctx, i, lanes) for all vectors of a range of floats, the last one maybe in part. */
typedef void bl_vector_step(const void *ctx, size_t i, bl_lanes m);
BL_INLINE void bl_for_vectors(bl_range range, bl_vector_step *step, const void *ctx) {
    size_t i = range.begin;
    for (; i + BL_W <= range.end; i += BL_W) step(ctx, i, (bl_lanes){.full = true});
    if (i < range.end) step(ctx, i, (bl_lanes){.first = bl_vm_first(range.end - i)});
}
#endif
