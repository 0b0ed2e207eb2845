/* Least squares against answers that are known, by hand and exactly. */
#include "engine/base/philox.h"
#include "engine/stats/least_squares.h"
#include "tests/check.h"
#include <math.h>

/* y = 1, 3, 2 at x = 0, 1, 2: intercept 1.5, slope 0.5. */
static void test_by_hand(void **state) {
    (void)state;
    bl_stats_squares s;
    const double y[] = {1, 3, 2};
    assert_true(bl_stats_squares_init(&s, 2, 1));
    for (size_t i = 0; i < 3; i++) bl_stats_squares_add(&s, (double[]){1, (double)i}, &y[i]);
    assert_true(bl_stats_squares_solve(&s, 0));
    check_close(s.right[0], 1.5, 1e-12);
    check_close(s.right[1], 0.5, 1e-12);
    bl_stats_squares_free(&s);
}

/* Two outputs that are linear in five inputs are found to the last digits. */
static void test_exact_lines(void **state) {
    (void)state;
    enum { P = 5, ROWS = 100 };
    const double line[P][2] = {
        {1,   -4},
        {2,   0 },
        {-3,  5 },
        {0.5, 6 },
        {7,   -1}
    };
    bl_stats_squares s;
    assert_true(bl_stats_squares_init(&s, P, 2));
    for (size_t i = 0; i < ROWS; i++) {
        double x[P], y[2] = {0};
        for (size_t j = 0; j < P; j++) {
            x[j] = (double)bl_unit_f32(bl_random_u32(1, BL_STREAM_SYNTH, 0, i * P + j)) - 0.5;
            for (size_t k = 0; k < 2; k++) y[k] += line[j][k] * x[j];
        }
        bl_stats_squares_add(&s, x, y);
    }
    assert_true(bl_stats_squares_solve(&s, 0));
    for (size_t j = 0; j < P; j++)
        for (size_t k = 0; k < 2; k++) assert_true(fabs(s.right[j * 2 + k] - line[j][k]) < 1e-11);
    bl_stats_squares_free(&s);
}

/* Columns that are the same have no one answer; with a ridge they share it. */
static void test_ridge(void **state) {
    (void)state;
    for (int ridge = 0; ridge < 2; ridge++) {
        bl_stats_squares s;
        assert_true(bl_stats_squares_init(&s, 2, 1));
        for (int i = 1; i < 10; i++) bl_stats_squares_add(&s, (double[]){i, i}, &(double){4.0 * i});
        assert_int_equal(bl_stats_squares_solve(&s, ridge ? 1e-9 : 0), ridge);
        if (ridge) check_close(s.right[0], 2, 1e-6);
        if (ridge) check_close(s.right[1], 2, 1e-6);
        bl_stats_squares_free(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_by_hand),
                                       cmocka_unit_test(test_exact_lines),
                                       cmocka_unit_test(test_ridge)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
