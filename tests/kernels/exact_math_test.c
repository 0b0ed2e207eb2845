/* Accuracy of the project's own functions against libm in a wider type, the special cases, and a
 * golden sum of their bits: whatever compiler and flags built this program must reproduce it. */
#include "engine/base/mem.h"
#include "engine/base/sha256.h"
#include "kernels/shared/exact_math.h"
#include "tests/check.h"

/* Every EVERY_NTH-th bit pattern; 1 tests all 2^32 of them (minutes). */
#ifndef EVERY_NTH
#define EVERY_NTH 9973
#endif

/* The distance of y from the exact result, in units of the last place of a float there. */
static double ulps(float y, double exact) {
    if (isnan(exact)) return isnan(y) ? 0.0 : HUGE_VAL;
    if ((double)y == exact) return 0;
    if (isinf(exact)) return HUGE_VAL;
    int e;
    frexp(exact, &e);
    const int last = e - 24 < -149 ? -149 : e - 24;
    if (isinf(y) && fabs(exact) >= 0x1.ffffffp127 && signbit(y) == signbit(exact)) return 0;
    return fabs((double)y - exact) / ldexp(1.0, last);
}

typedef struct function {
    const char *name;
    float (*f)(float);
    double (*exact)(double);
} function;

static double exact_sigmoid(double x) {
    return 1.0 / (1.0 + exp(-x));
}
static const function functions[] = {
    {"exp",     bl_expf,    exp          },
    {"log",     bl_logf,    log          },
    {"tanh",    bl_tanhf,   tanh         },
    {"sigmoid", bl_sigmoid, exact_sigmoid},
};

static void test_accuracy(void **state) {
    const function *f = *state;
    double worst = 0;
    float at = 0;
    for (uint64_t u = 0; u <= UINT32_MAX; u += EVERY_NTH) {
        const float x = bl_float32((uint32_t)u);
        const double error = ulps(f->f(x), f->exact((double)x));
        if (error > worst) {
            worst = error;
            at = x;
        }
    }
    if (worst > 2.0) fail_msg("%s is %.3f ulp off at %a", f->name, worst, (double)at);
}

static void test_accuracy64(void **state) {
    (void)state;
    double worst_exp = 0, worst_log = 0;
    for (uint64_t i = 0; i < 200000; i++) {
        const bl_u32x4 r = bl_random4(1, BL_STREAM_SYNTH, 0, i);
        const double u = bl_unit_f64(r.v[0], r.v[1]);
        const double x = 1400.0 * u - 700.0;
        const double near_one = 0.5 + 1.5 * u,
                     any = bl_float64(bl_bits64(u) ^ (uint64_t)r.v[2] << 31);
        const double logs[] = {near_one, 1.0 + 1e-5 * (u - 0.5), fabs(any)};
        int e;
        const long double ex = expl((long double)x);
        frexpl(ex, &e);
        const double error = (double)(fabsl((long double)bl_exp64(x) - ex) / ldexpl(1, e - 53));
        worst_exp = fmax(worst_exp, error);
        for (size_t j = 0; j < BL_COUNT(logs); j++) {
            const double y = bl_log64(logs[j]);
            if (!isfinite(y) || logs[j] == 1.0) continue;
            const long double l = logl((long double)logs[j]);
            frexpl(l, &e);
            worst_log = fmax(worst_log, (double)(fabsl((long double)y - l) / ldexpl(1, e - 53)));
        }
    }
    if (worst_exp > 1.1) fail_msg("exp64 is %.3f ulp off", worst_exp);
    if (worst_log > 1.1) fail_msg("log64 is %.3f ulp off", worst_log);
}

static void test_special_cases(void **state) {
    (void)state;
    assert_true(bl_expf(0.0f) == 1.0f && bl_expf(-INFINITY) == 0.0f);
    assert_true(bl_expf(INFINITY) == INFINITY && bl_expf(88.8f) == INFINITY);
    assert_true(bl_expf(88.7f) < INFINITY && bl_expf(-103.9f) == 0x1p-149f);
    assert_true(bl_logf(1.0f) == 0.0f && bl_logf(0.0f) == -INFINITY);
    assert_true(bl_logf(-0.0f) == -INFINITY && bl_logf(INFINITY) == INFINITY);
    assert_true(isnan(bl_logf(-1.0f)) && isnan(bl_logf(-INFINITY)) && isnan(bl_logf(NAN)));
    assert_true(bl_tanhf(INFINITY) == 1.0f && bl_tanhf(-INFINITY) == -1.0f);
    assert_true(bl_bits32(bl_tanhf(-0.0f)) == 0x80000000u && bl_tanhf(0x1p-149f) == 0x1p-149f);
    assert_true(bl_sigmoid(0.0f) == 0.5f && bl_sigmoid(INFINITY) == 1.0f);
    assert_true(bl_sigmoid(-INFINITY) == 0.0f && isnan(bl_sigmoid(NAN)) && isnan(bl_tanhf(NAN)));
    assert_true(bl_exp64(0.0) == 1.0 && bl_exp64(709.8) == (double)INFINITY);
    assert_true(bl_exp64(-745.2) == 0.0 && bl_exp64(-745.1) == 0x1p-1074);
    assert_true(bl_log64(1.0) == 0.0 && bl_log64(0.0) == -(double)INFINITY);
    assert_true(isnan(bl_log64(-2.0)) && isnan(bl_exp64((double)NAN)));
}

static void test_turns(void **state) {
    (void)state;
    for (int i = 0; i <= 8; i++) {
        static const float sines[] = {0, 0.70710678f, 1, 0.70710678f, 0};
        const float want = i <= 4 ? sines[i] : -sines[i - 4];
        assert_true(fabsf(bl_sin_turn((float)i / 8) - want) < 1e-7f);
    }
    for (uint32_t i = 0; i < 1u << 24; i += 997) {
        const float t = bl_unit_f32(i << 8);
        const double angle = 2 * 3.14159265358979323846 * (double)t;
        assert_true(fabs((double)bl_sin_turn(t) - sin(angle)) < 1.2e-7);
        assert_true(fabs((double)bl_cos_turn(t) - cos(angle)) < 1.2e-7);
    }
}

static void test_normal_moments(void **state) {
    (void)state;
    enum { N = 200000 };
    double sum = 0, squares = 0, fourths = 0;
    for (uint64_t i = 0; i < N; i++) {
        const bl_u32x4 r = bl_random4(3, BL_STREAM_INIT, 0, i);
        const double z = (double)bl_normal(r.v[0], r.v[1]);
        sum += z;
        squares += z * z;
        fourths += z * z * z * z;
    }
    /* five standard errors */
    assert_true(fabs(sum / N) < 5 * sqrt(1.0 / N));
    assert_true(fabs(squares / N - 1) < 5 * sqrt(2.0 / N));
    assert_true(fabs(fourths / N - 3) < 5 * sqrt(96.0 / N));
    assert_true(isfinite(bl_normal(~0u, ~0u)) && isfinite(bl_normal(0, 0)));
}

/* A NaN's bits are no promise. */
static void digest(bl_sha256 *sha, double y, size_t bytes) {
    const float narrow = (float)y;
    if (isnan(y))
        bl_sha256_update(sha, "nan", 3);
    else if (bytes == sizeof narrow)
        bl_sha256_update(sha, &narrow, bytes);
    else
        bl_sha256_update(sha, &y, bytes);
}

static void test_golden_bits(void **state) {
    (void)state;
    bl_sha256 sha;
    char hex[BL_SHA256_HEX];
    bl_sha256_init(&sha);
    for (uint64_t u = 0; u <= UINT32_MAX; u += 99991) {
        const float x = bl_float32((uint32_t)u);
        for (size_t i = 0; i < BL_COUNT(functions); i++)
            digest(&sha, (double)functions[i].f(x), sizeof x);
        digest(&sha, (double)bl_sin_turn(bl_unit_f32((uint32_t)u)), sizeof x);
        digest(&sha, (double)bl_normal((uint32_t)u, (uint32_t)(u * 7)), sizeof x);
        digest(&sha, (double)bl_uniform((uint32_t)u, -0.3f, 0.7f), sizeof x);
        digest(&sha, bl_exp64((double)x), sizeof(double));
        digest(&sha, bl_log64(fabs((double)x)), sizeof(double));
    }
    bl_sha256_hex(&sha, hex);
    assert_string_equal(hex, "e3ecb25661e2f2d71f3e33f5c677e5f9d2c5fbcad989a1bfbc678b0c260f0e6a");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        {"exp within 2 ulp",     test_accuracy, NULL, NULL, (void *)(uintptr_t)&functions[0]},
        {"log within 2 ulp",     test_accuracy, NULL, NULL, (void *)(uintptr_t)&functions[1]},
        {"tanh within 2 ulp",    test_accuracy, NULL, NULL, (void *)(uintptr_t)&functions[2]},
        {"sigmoid within 2 ulp", test_accuracy, NULL, NULL, (void *)(uintptr_t)&functions[3]},
        cmocka_unit_test(test_accuracy64),
        cmocka_unit_test(test_special_cases),
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_normal_moments),
        cmocka_unit_test(test_golden_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
