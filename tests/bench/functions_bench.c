/* The project's elementary functions beside the C library's: nanoseconds a value on one core,
 * called one by one over numbers in the first cache. Each pair is held to each other first. Medians
 * of processor time, both sides in turns. */
#include "kernels/shared/exact_math.h"
#include "tests/bench/bench.h"
#include <math.h>

enum { REPEATS = 31, COUNT = 1024 };
static const double SAMPLE_SECONDS = 1e-3, MOST_ULP = 4;

/* As the kernels are compiled where the processor has it: fma() is one instruction. */
#if defined(__x86_64__)
#define FUSED __attribute__((target("avx2,fma")))
static bool has_fused(void) {
    return __builtin_cpu_supports("fma");
}
#else
#define FUSED
static bool has_fused(void) {
    return true;
}
#endif

/* Loops over one function each: own_NAME and libm_NAME. */
#define PAIR(NAME, TYPE, OWN, LIBM)                                                                \
    FUSED static void own_##NAME(void *y, const void *x) {                                         \
        for (int i = 0; i < COUNT; i++) {                                                          \
            const TYPE v = ((const TYPE *)x)[i];                                                   \
            ((TYPE *)y)[i] = OWN;                                                                  \
        }                                                                                          \
    }                                                                                              \
    FUSED static void libm_##NAME(void *y, const void *x) {                                        \
        for (int i = 0; i < COUNT; i++) {                                                          \
            const TYPE v = ((const TYPE *)x)[i];                                                   \
            ((TYPE *)y)[i] = LIBM;                                                                 \
        }                                                                                          \
    }
PAIR(exp, float, bl_expf(v), expf(v))
PAIR(log, float, bl_logf(v), logf(v))
PAIR(tanh, float, bl_tanhf(v), tanhf(v))
PAIR(sigmoid, float, bl_sigmoid(v), 1.0f / (1.0f + expf(-v)))
PAIR(exp64, double, bl_exp64(v), exp(v))
PAIR(log64, double, bl_log64(v), log(v))

typedef void loop(void *y, const void *x);
static const struct {
    const char *name;
    loop *own, *libm;
    double from, to; /* of the arguments */
    bool fp64;
} k_pairs[] = {
    {"exp",      own_exp,     libm_exp,     -20.0, 20.0,  false},
    {"log",      own_log,     libm_log,     0.01,  100.0, false},
    {"tanh",     own_tanh,    libm_tanh,    -4.0,  4.0,   false},
    {"sigmoid",  own_sigmoid, libm_sigmoid, -10.0, 10.0,  false},
    {"exp fp64", own_exp64,   libm_exp64,   -20.0, 0.0,   true },
    {"log fp64", own_log64,   libm_log64,   1.0,   1e3,   true },
};

typedef union values {
    float f32[COUNT];
    double f64[COUNT];
} values;

static void fill(values *x, double from, double to, bool fp64) {
    for (size_t i = 0; i < COUNT; i++) {
        const double v = from + (to - from) * (double)(i * 2654435761u >> 9 & 0x3ff) / 1024.0;
        if (fp64)
            x->f64[i] = v;
        else
            x->f32[i] = (float)v;
    }
}

static void verify(const char *name, const values *own, const values *libm, bool fp64) {
    for (size_t i = 0; i < COUNT; i++) {
        const double a = fp64 ? own->f64[i] : (double)own->f32[i];
        const double b = fp64 ? libm->f64[i] : (double)libm->f32[i];
        if (fabs(a - b) <= MOST_ULP * (fp64 ? 0x1p-52 : 0x1p-23) * fmax(fabs(b), 0x1p-126))
            continue;
        (void)fprintf(stderr, "functions_bench: %s gives %a where libm gives %a\n", name, a, b);
        exit(1);
    }
}

static double sample(loop *run, values *y, const values *x) {
    const double start = seconds();
    int calls = 0;
    do {
        run(y, x);
        calls++;
    } while (seconds() - start < SAMPLE_SECONDS);
    return (seconds() - start) / calls / COUNT;
}

int main(void) {
    static values x, own, libm;
    if (!has_fused()) {
        (void)printf("functions: not measured, this processor has no fused multiply-add\n");
        return 0;
    }
    (void)printf("function     own ns   libm ns   ratio\n");
    for (size_t i = 0; i < BL_COUNT(k_pairs); i++) {
        double a[REPEATS], b[REPEATS];
        fill(&x, k_pairs[i].from, k_pairs[i].to, k_pairs[i].fp64);
        k_pairs[i].own(&own, &x);
        k_pairs[i].libm(&libm, &x);
        verify(k_pairs[i].name, &own, &libm, k_pairs[i].fp64);
        for (size_t r = 0; r < REPEATS; r++) {
            a[r] = sample(k_pairs[i].own, &own, &x);
            b[r] = sample(k_pairs[i].libm, &libm, &x);
        }
        const double mine = 1e9 * median(a, REPEATS), theirs = 1e9 * median(b, REPEATS);
        (void)printf("%-10s %8.2f  %8.2f  %6.2f\n", k_pairs[i].name, mine, theirs, theirs / mine);
    }
    return 0;
}
