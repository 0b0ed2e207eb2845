/* The two curves against closed forms: what was put in comes out. */
#include "engine/base/mem.h"
#include "engine/stats/fit.h"
#include "tests/check.h"
#include <math.h>

enum { MAX = 16 };

static size_t hyperbola_cells(bl_stats_cell *cells, double s_min, double b_crit, double from,
                              double to) {
    const bl_stats_curve h = {s_min, b_crit, 1};
    size_t n = 0;
    for (double b = from; b <= to; b *= 2)
        cells[n++] = (bl_stats_cell){log(b), log(bl_stats_curve_at(&h, b)), 1, false};
    return n;
}

static size_t segment_cells(bl_stats_cell *cells, const bl_stats_segments *g, double from,
                            double to) {
    size_t n = 0;
    for (double b = from; b <= to; b *= 2)
        cells[n++] = (bl_stats_cell){log(b), log(bl_stats_segments_at(g, b)), 1, false};
    return n;
}

static void worked_anchors(void **state) {
    (void)state;
    const bl_stats_curve h = {100, 1000, 1};
    const double e_min = 100 * 1000;
    check_close(bl_stats_curve_at(&h, 250) / 100, 5, 1e-15);
    check_close(bl_stats_curve_at(&h, 250) * 250 / e_min, 1.25, 1e-15);
    check_close(bl_stats_curve_at(&h, 4000) / 100, 1.25, 1e-15);
    check_close(bl_stats_curve_at(&h, 4000) * 4000 / e_min, 5, 1e-15);
}

static void exact_hyperbola(void **state) {
    (void)state;
    const double bends[] = {40, 100, 777, 1000, 5000, 16384, 60000};
    for (size_t i = 0; i < BL_COUNT(bends); i++) {
        bl_stats_cell cells[MAX];
        const size_t n = hyperbola_cells(cells, 321, bends[i], 32, 16384);
        bl_stats_curve h;
        assert_true(bl_stats_fit_curve(&h, cells, n, 1));
        check_close(h.s_min, 321, 1e-6);
        check_close(h.b_crit, bends[i], 1e-6);
        assert_true(bl_stats_curve_deviation(&h, cells, n) < 1e-6);
    }
}

static void exact_segments(void **state) {
    (void)state;
    /* Two cells at least on every segment, else the data leave a choice. */
    const bl_stats_segments shapes[] = {
        {1e6, -0.5, 100, 1500},
        {1e6, -0.3, 150, 3000},
        {5e5, -0.8, 77,  2222},
        {2e7, -0.1, 300, 5000}
    };
    for (size_t i = 0; i < BL_COUNT(shapes); i++) {
        bl_stats_cell cells[MAX];
        const size_t n = segment_cells(cells, &shapes[i], 16, 32768);
        bl_stats_segments g;
        assert_true(bl_stats_fit_segments(&g, cells, n));
        check_close(g.examples, shapes[i].examples, 1e-6);
        check_close(g.slope, shapes[i].slope, 1e-6);
        check_close(g.knee_low, shapes[i].knee_low, 1e-6);
        check_close(g.knee_high, shapes[i].knee_high, 1e-6);
        check_close(bl_stats_segments_floor(&g), bl_stats_segments_floor(&shapes[i]), 1e-6);
    }
}

static void sharp_knee(void **state) {
    (void)state;
    const bl_stats_segments sharp = {1e5, -0.5, 724, 724};
    bl_stats_cell cells[MAX];
    const size_t n = segment_cells(cells, &sharp, 32, 16384);
    bl_stats_segments g;
    assert_true(bl_stats_fit_segments(&g, cells, n));
    check_close(g.knee_low, 724, 1e-4);
    check_close(g.knee_high, 724, 1e-4);
    /* No hyperbola bends like that. */
    bl_stats_curve h;
    assert_true(bl_stats_fit_curve(&h, cells, n, 1));
    assert_true(bl_stats_curve_deviation(&h, cells, n) > 0.15);
    /* The family does better with its sharpest member. */
    assert_true(bl_stats_fit_curve(&h, cells, n, BL_STATS_SHAPE_MOST));
    assert_true(bl_stats_curve_deviation(&h, cells, n) < 0.15 && h.p > 3);
}

static void straight_lines(void **state) {
    (void)state;
    bl_stats_cell cells[MAX];
    const bl_stats_segments line = {1e6, 0, 1e9, 1e9};
    size_t n = segment_cells(cells, &line, 32, 4096);
    bl_stats_segments g;
    assert_true(bl_stats_fit_segments(&g, cells, n));
    check_close(g.examples, 1e6, 1e-6);
    assert_true(bl_stats_segments_deviation(&g, cells, n) < 1e-6);
    for (size_t i = 0; i < n; i++) cells[i].log_s = 5;
    assert_true(bl_stats_fit_segments(&g, cells, n));
    check_close(bl_stats_segments_floor(&g), exp(5), 1e-6);
    for (size_t i = 0; i < n; i++) cells[i].log_s = (double)i; /* rising: no curve may follow */
    assert_true(bl_stats_fit_segments(&g, cells, n));
    assert_true(g.slope <= 0 && g.slope >= -1);
}

/* A run that needs more steps than were allowed can only raise the curve. */
static void censoring_pulls_up(void **state) {
    (void)state;
    bl_stats_cell cells[MAX];
    const size_t n = hyperbola_cells(cells, 100, 1000, 64, 8192);
    bl_stats_curve plain, low, high;
    assert_true(bl_stats_fit_curve(&plain, cells, n, 1));
    /* "At least half as many": says nothing, and the rest determines the curve. */
    cells[n - 1].censored = true;
    cells[n - 1].log_s -= log(2.0);
    assert_true(bl_stats_fit_curve(&low, cells, n, 1));
    check_close(low.s_min, 100, 1e-6);
    check_close(low.b_crit, 1000, 1e-6);
    /* "At least twice as many": the floor rises, the bend comes earlier. */
    cells[n - 1].log_s += log(4.0);
    assert_true(bl_stats_fit_curve(&high, cells, n, 1));
    assert_true(high.s_min > 1.05 * plain.s_min);
    assert_true(high.b_crit < 0.95 * plain.b_crit);
    /* A bound above the curve pulls exactly as a measured point would. */
    cells[n - 1].censored = false;
    assert_true(bl_stats_fit_curve(&plain, cells, n, 1));
    check_close(high.s_min, plain.s_min, 1e-6);
    check_close(high.b_crit, plain.b_crit, 1e-6);

    bl_stats_segments g_plain, g_high;
    cells[n - 1].censored = false;
    cells[n - 1].log_s -= log(2.0);
    assert_true(bl_stats_fit_segments(&g_plain, cells, n));
    cells[n - 1].censored = true;
    cells[n - 1].log_s += log(2.0);
    assert_true(bl_stats_fit_segments(&g_high, cells, n));
    assert_true(bl_stats_segments_floor(&g_high) > 1.05 * bl_stats_segments_floor(&g_plain));
    cells[n - 1].censored = false;
    assert_true(bl_stats_fit_segments(&g_plain, cells, n));
    check_close(bl_stats_segments_floor(&g_high), bl_stats_segments_floor(&g_plain), 1e-6);
    check_close(g_high.slope, g_plain.slope, 1e-6);
}

static void a_wrong_censored_point_is_no_deviation(void **state) {
    (void)state;
    bl_stats_cell cells[MAX];
    const size_t n = hyperbola_cells(cells, 100, 1000, 64, 8192);
    const bl_stats_curve h = {100, 1000, 1};
    cells[0].censored = true;
    cells[0].log_s -= 3;
    assert_true(bl_stats_curve_deviation(&h, cells, n) < 1e-9);
    cells[0].log_s += 3 + log(1.5);
    assert_true(fabs(bl_stats_curve_deviation(&h, cells, n) - 0.5) < 1e-9);
}

static void too_few_cells(void **state) {
    (void)state;
    bl_stats_cell cells[MAX];
    const size_t n = hyperbola_cells(cells, 100, 1000, 64, 512);
    bl_stats_curve h = {7, 7, 7};
    bl_stats_segments g = {.examples = 7};
    assert_false(bl_stats_fit_curve(&h, cells, 0, 1));
    assert_false(bl_stats_fit_segments(&g, cells, 0));
    assert_false(bl_stats_fit_curve(&h, cells, 2, 1));
    assert_false(bl_stats_fit_segments(&g, cells, 3));
    cells[1].censored = cells[2].censored = true;
    assert_false(bl_stats_fit_curve(&h, cells, n, 1));
    assert_false(bl_stats_fit_segments(&g, cells, n));
    assert_true(h.s_min == 7 && g.examples == 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_anchors),
        cmocka_unit_test(exact_hyperbola),
        cmocka_unit_test(exact_segments),
        cmocka_unit_test(sharp_knee),
        cmocka_unit_test(straight_lines),
        cmocka_unit_test(censoring_pulls_up),
        cmocka_unit_test(a_wrong_censored_point_is_no_deviation),
        cmocka_unit_test(too_few_cells),
    };
    return cmocka_run_group_tests_name("stats_fit", tests, NULL, NULL);
}
