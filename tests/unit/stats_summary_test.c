/* The domain; order statistics against values worked by hand or known from tables. */
#include "engine/base/philox.h"
#include "engine/stats/point.h"
#include "engine/stats/summary.h"
#include "tests/check.h"
#include <math.h>

static void near(double found, double expected) {
    if (!(fabs(found - expected) <= 1e-12 * (1 + fabs(expected))))
        fail_msg("%.17g, expected %.17g", found, expected);
}

static void domain(void **state) {
    (void)state;
    assert_true(bl_stats_in_domain(1e-9) && bl_stats_in_domain(1e15));
    assert_false(bl_stats_in_domain(nextafter(1e-9, 0)) ||
                 bl_stats_in_domain(nextafter(1e15, 1e16)));
    assert_false(bl_stats_in_domain(0) || bl_stats_in_domain(-1) || bl_stats_in_domain(NAN));
}

static void quantiles_of_type_7(void **state) {
    (void)state;
    const double x[] = {1, 2, 4, 8};
    near(bl_stats_quantile_sorted(x, 4, 0), 1);
    near(bl_stats_quantile_sorted(x, 4, 1), 8);
    near(bl_stats_quantile_sorted(x, 4, 0.5), 3);
    near(bl_stats_quantile_sorted(x, 4, 0.25), 1.75);
    near(bl_stats_quantile_sorted(x, 1, 0.7), 1);
    const double open[] = {1, INFINITY, INFINITY};
    assert_true(isinf(bl_stats_quantile_sorted(open, 3, 0.75)));
}

static void medians(void **state) {
    (void)state;
    const double x[] = {9, 1, 5, 3};
    near(bl_stats_median(x, 3), 5);
    near(bl_stats_median(x, 4), 4);
    assert_true(isnan(bl_stats_median(x, 0)));
    assert_true(x[0] == 9 && x[3] == 3);
    const bl_stats_value r = bl_stats_range(x, 4);
    assert_true(r.known && r.low == 1 && r.high == 9 && r.value == 4);
    assert_false(bl_stats_range(x, 0).known);
}

/* The classical table: n = 6 takes the range (0.969), n = 9 ranks 2 and 8 (0.961), n = 20 ranks 6
 * and 15 (0.959), n = 100 ranks 40 and 61 (0.965). */
static void intervals_of_the_median(void **state) {
    (void)state;
    double x[1000], coverage;
    for (int i = 0; i < 1000; i++) x[i] = 1000 - i;
    const struct {
        size_t n, low, high;
        double coverage;
    } table[] = {
        {1,   1,  1,  0                },
        {2,   1,  2,  0.5              },
        {5,   1,  5,  0.9375           },
        {6,   1,  6,  0.96875          },
        {9,   2,  8,  0.9609375        },
        {20,  6,  15, 0.958610534667969},
        {100, 40, 61, 0.9647997998     }
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const size_t n = table[i].n;
        const bl_stats_value v = bl_stats_median_interval(x + 1000 - n, n, 0.95, &coverage);
        assert_int_equal((int)v.low, (int)table[i].low);
        assert_int_equal((int)v.high, (int)table[i].high);
        assert_true(fabs(coverage - table[i].coverage) < 1e-9);
    }
    assert_false(bl_stats_median_interval(x, 0, 0.95, NULL).known);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(domain),
        cmocka_unit_test(quantiles_of_type_7),
        cmocka_unit_test(medians),
        cmocka_unit_test(intervals_of_the_median),
    };
    return cmocka_run_group_tests_name("stats_summary", tests, NULL, NULL);
}
