/* Matched pairs against values worked by hand, and how often the intervals hold. */
#include "engine/base/philox.h"
#include "engine/stats/pairs.h"
#include "tests/check.h"
#include <math.h>

static void is(const bl_stats_value *v, double value, double low, double high) {
    assert_true(v->known);
    assert_float_equal(v->value, value, 1e-12);
    assert_float_equal(v->low, low, 1e-12);
    assert_float_equal(v->high, high, 1e-12);
}

/* Ratios 1 to 10 in any order: of ten the interval is the second to the ninth (97.9 %); at the
 * level of one of two factors likewise (1.07 % miss on each side, allowed are 1.25 %). */
static void ratios(void **state) {
    (void)state;
    double first[10], second[10];
    for (int i = 0; i < 10; i++) {
        first[i] = 1 << i;
        second[i] = first[i] * ((i * 7) % 10 + 1);
    }
    const bl_stats_value v = bl_stats_pair_ratio(first, second, 10);
    is(&v, 5.5, 2, 9);
    /* Costs 3 +- 1 in eight repetitions: their range, 99.2 %. */
    const double cost0[] = {1, 2, 1, 2, 1, 2, 1, 2}, cost1[] = {2, 4, 3, 6, 3, 6, 4, 8};
    const bl_stats_value c = bl_stats_pair_cost(first, second, 10, cost0, cost1, 8);
    is(&c, 16.5, 4, 36);
}

static void differences(void **state) {
    (void)state;
    const double first[] = {1, 1, 1, 1, 1, 1}, second[] = {3, 1, 2, 6, 5, 4};
    const bl_stats_value v = bl_stats_pair_difference(first, second, 6);
    is(&v, 2.5, 0, 5); /* six: the range, 96.9 % */
}

static void too_few(void **state) {
    (void)state;
    const double x[] = {1, 1, 1, 1, 1, 1}, y[] = {2, 2, 2, 2, 2, 2};
    const bl_stats_value five = bl_stats_pair_ratio(x, y, 5), six = bl_stats_pair_ratio(x, y, 6);
    assert_true(five.known && !bl_stats_has_interval(&five));
    assert_true(six.known && bl_stats_has_interval(&six));
    const bl_stats_value cost = bl_stats_pair_cost(x, y, 6, x, y, 6); /* each needs seven */
    assert_true(cost.known && !bl_stats_has_interval(&cost));
    assert_false(bl_stats_pair_ratio(x, y, 0).known);
    assert_false(bl_stats_pair_cost(x, y, 6, x, y, 0).known);
}

/* Runs that did not arrive are at infinity: on one side they stretch the interval, and when they
 * are the middle only a bound is left. */
static void not_arrived(void **state) {
    (void)state;
    const double first[] = {10, 10, 10, 10, 10, 10, 10};
    double second[] = {20, 20, 30, 20, 20, INFINITY, INFINITY};
    bl_stats_value v = bl_stats_pair_ratio(first, second, 7);
    assert_true(v.value == 2 && v.low == 2 && isinf(v.high) && v.bound == 0);
    second[0] = second[1] = INFINITY;
    v = bl_stats_pair_ratio(first, second, 7);
    assert_true(isinf(v.value) && v.bound == 1 && v.low == 2);
    v = bl_stats_pair_ratio(second, first, 7);
    assert_true(v.value == 0 && v.bound == -1 && v.high == 0.5);
}

static double normal(uint64_t seed, uint64_t at) {
    const bl_u32x4 w = bl_random4(seed, BL_STREAM_BOOTSTRAP, 7, at);
    return sqrt(-2 * log(1 - bl_unit_f64(w.v[0], w.v[1]))) *
           cos(6.283185307179586 * bl_unit_f64(w.v[2], w.v[3]));
}

/* Pairs that share a seed's luck (the first factor) and have their own besides; the true ratio is
 * 0.5. The interval of ten pairs holds it in 97.9 % of all data sets, of 2000 within 1.2 %. */
static void coverage(void **state) {
    (void)state;
    enum { SETS = 2000, PAIRS = 10 };
    int held = 0;
    for (uint64_t set = 0; set < SETS; set++) {
        double first[PAIRS], second[PAIRS];
        for (uint64_t i = 0; i < PAIRS; i++) {
            const double luck = exp(0.5 * normal(set, 3 * i));
            first[i] = 1000 * luck * exp(0.2 * normal(set, 3 * i + 1));
            second[i] = 500 * luck * exp(0.2 * normal(set, 3 * i + 2));
        }
        const bl_stats_value v = bl_stats_pair_ratio(first, second, PAIRS);
        held += v.low <= 0.5 && v.high >= 0.5;
    }
    assert_true(fabs(held / (double)SETS - 0.9785) < 0.012);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ratios),      cmocka_unit_test(differences), cmocka_unit_test(too_few),
        cmocka_unit_test(not_arrived), cmocka_unit_test(coverage),
    };
    return cmocka_run_group_tests_name("stats_pairs", tests, NULL, NULL);
}
