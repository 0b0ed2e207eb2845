/* Where further seeds help: shares against finite differences of the fit itself. */
#include "engine/stats/seed_plan.h"
#include "tests/check.h"
#include <math.h>

enum { SIZES = 9, SEEDS = 3, RUNS = SIZES * SEEDS };
static const bl_stats_options NO_INTERVALS = {0};

static void make(bl_stats_point *p, double exponent) {
    const bl_stats_curve c = {200, 1000, exponent};
    for (int i = 0; i < RUNS; i++) {
        const double b = 32 * exp2(i / SEEDS);
        p[i] = (bl_stats_point){.batch_size = b,
                                .steps = bl_stats_curve_at(&c, b) * exp(0.1 * sin(5 * i)),
                                .seed = i % SEEDS};
    }
}

static double log_b_crit(const bl_stats_point *p) {
    bl_stats_critical c;
    CHECK_OK(bl_stats_critical_fit(&c, p, RUNS, &NO_INTERVALS, ERR));
    return log(c.curve.curve.b_crit);
}

static void shares_are_the_slopes(void **state) {
    (void)state;
    for (int exponent = 2; exponent <= 3; exponent++) {
        bl_stats_point p[RUNS];
        double slope[SIZES], all = 0;
        make(p, exponent);
        for (int i = 0; i < SIZES; i++) {
            double ends[2];
            for (int side = 0; side < 2; side++) {
                make(p, exponent);
                for (int s = 0; s < SEEDS; s++)
                    p[i * SEEDS + s].steps *= exp(side == 0 ? -1e-4 : 1e-4);
                ends[side] = log_b_crit(p);
            }
            slope[i] = pow((ends[1] - ends[0]) / 2e-4, 2);
            all += slope[i];
        }
        make(p, exponent);
        bl_stats_seed_plan plan;
        CHECK_OK(bl_stats_plan_seeds(&plan, p, RUNS, ERR));
        assert_int_equal(plan.count, SIZES);
        double sum = 0;
        for (int i = 0; i < SIZES; i++) {
            assert_true(plan.size[i].batch_size == 32 << i);
            /* Gauss-Newton's slopes leave out the curve's second derivatives times deviations. */
            assert_true(fabs(plan.size[i].share - slope[i] / all) < 0.05);
            sum += plan.size[i].share;
        }
        assert_true(fabs(sum - 1) < 1e-9);
        assert_true(bl_stats_has_interval(&plan.b_crit));
    }
}

static void the_fewest_and_its_ties(void **state) {
    (void)state;
    bl_stats_point p[RUNS];
    bl_stats_seed_plan plan;
    make(p, 3);
    CHECK_OK(bl_stats_plan_seeds(&plan, p, RUNS, ERR));
    assert_true(plan.fewest >= SIZES - 3 && !plan.size[plan.fewest].tied);
    assert_true(plan.size[plan.fewest == SIZES - 1 ? SIZES - 2 : SIZES - 1].tied);
    assert_false(plan.size[0].tied);
    for (int i = 0; i < RUNS; i++) p[i].censored = true;
    CHECK_OK(bl_stats_plan_seeds(&plan, p, RUNS, ERR));
    assert_true(plan.fewest == SIZE_MAX && !plan.b_crit.known);
    CHECK_OK(bl_stats_plan_seeds(&plan, p, 0, ERR));
    assert_int_equal(plan.count, 0);
}

static void refused(void **state) {
    (void)state;
    static bl_stats_point many[BL_STATS_SEED_SIZES + 1];
    for (int i = 0; i <= BL_STATS_SEED_SIZES; i++)
        many[i] = (bl_stats_point){.batch_size = i + 1, .steps = 9};
    bl_stats_seed_plan plan;
    bl_err err = {0};
    assert_int_equal(bl_stats_plan_seeds(&plan, many, BL_STATS_SEED_SIZES + 1, &err), BL_EINVAL);
    assert_string_equal(err.text, "more than 256 batch sizes");
    many[3].steps = -1;
    assert_int_equal(bl_stats_plan_seeds(&plan, many, 5, &err), BL_EINVAL);
    assert_non_null(strstr(err.text, "point 4"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_the_slopes),
        cmocka_unit_test(the_fewest_and_its_ties),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests_name("stats_seed_plan", tests, NULL, NULL);
}
