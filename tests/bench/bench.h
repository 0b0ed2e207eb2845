/* What the benchmarks share: time of this thread, medians, filled arrays, the multiply-add peak. */
#ifndef BL_TESTS_BENCH_BENCH_H
#define BL_TESTS_BENCH_BENCH_H
#include "engine/base/mem.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Of the processor, so that what else runs on the machine is not counted. */
static inline double seconds(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static inline double median(double *x, size_t n) {
    qsort(x, n, sizeof *x, by_value);
    return x[n / 2];
}

static inline void *memory(size_t bytes) {
    void *p = bl_alloc(bytes);
    if (!p) {
        (void)fprintf(stderr, "bench: out of memory\n");
        exit(1);
    }
    return p;
}

/* In [-1, 1). */
static inline float *array(size_t n) {
    float *x = memory(n * sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = (float)(i * 2654435761u >> 7 & 0x3ff) * 0x1p-9f - 1.0f;
    return x;
}

/* The multiply-add peak of an instruction set, in operations per second, two for a multiply-add:
 * independent chains, as many as hide the latency. */
#if defined(__x86_64__)
#include <immintrin.h>
#define PEAK(NAME, TARGET, TYPE, WIDTH, SET1, FMA)                                                 \
    __attribute__((target(TARGET))) static inline double NAME(void) {                              \
        enum { ROUNDS = 2000000 };                                                                 \
        TYPE v[12];                                                                                \
        const TYPE a = SET1(0.999f), c = SET1(0.001f);                                             \
        double best = 0;                                                                           \
        for (int i = 0; i < 12; i++) v[i] = SET1((float)i);                                        \
        for (int repeat = 0; repeat < 7; repeat++) {                                               \
            const double start = seconds();                                                        \
            for (int r = 0; r < ROUNDS; r++) {                                                     \
                v[0] = FMA(v[0], a, c), v[1] = FMA(v[1], a, c), v[2] = FMA(v[2], a, c);            \
                v[3] = FMA(v[3], a, c), v[4] = FMA(v[4], a, c), v[5] = FMA(v[5], a, c);            \
                v[6] = FMA(v[6], a, c), v[7] = FMA(v[7], a, c), v[8] = FMA(v[8], a, c);            \
                v[9] = FMA(v[9], a, c), v[10] = FMA(v[10], a, c), v[11] = FMA(v[11], a, c);        \
            }                                                                                      \
            const double rate = 2.0 * 12 * WIDTH * ROUNDS / (seconds() - start);                   \
            if (rate > best) best = rate;                                                          \
        }                                                                                          \
        volatile float sink = 0;                                                                   \
        for (int i = 0; i < 12; i++) sink = v[i][0];                                               \
        (void)sink;                                                                                \
        return best;                                                                               \
    }
PEAK(peak_avx512, "avx512f", __m512, 16, _mm512_set1_ps, _mm512_fmadd_ps)
PEAK(peak_avx2, "avx2,fma", __m256, 8, _mm256_set1_ps, _mm256_fmadd_ps)
#undef PEAK
static inline double peak_of(const char *backend) {
    if (strcmp(backend, "avx512") == 0) return peak_avx512();
    return strcmp(backend, "avx2") == 0 ? peak_avx2() : 0;
}
#else
static inline double peak_of(const char *backend) {
    return (void)backend, 0;
}
#endif
#endif
