/* The join: three optima, their ties, and what may not win. */
#include "engine/stats/optimum.h"
#include "tests/check.h"
#include <math.h>

enum { SIZES = 5, SEEDS = 5 };
static const bl_stats_options OPTIONS = {.seed = 3, .replicates = 400};

typedef struct table {
    bl_stats_point runs[SIZES][SEEDS];
    bl_stats_cost_input in[SIZES];
    bl_stats_cost_row rows[SIZES];
    bl_stats_optimum best[BL_STATS_GOAL_COUNT];
} table;

/* Batch sizes 32 to 512, hyperbola with S_min = 100 and B_crit = 100; a step takes 10 ms and 0.1 ms
 * per example and costs one unit per example and 5: fewest steps at 512, the fastest at 256 or 512,
 * the cheapest at 32. `spread`: how far the seeds lie apart. */
static void make(table *t, double spread) {
    *t = (table){0};
    for (size_t i = 0; i < SIZES; i++) {
        const double b = 32 << i;
        for (int s = 0; s < SEEDS; s++)
            t->runs[i][s] = (bl_stats_point){
                .batch_size = b, .steps = 100 * (1 + 100 / b) * (1 + spread * (s - 2)), .seed = s};
        t->in[i] = (bl_stats_cost_input){.batch_size = b,
                                         .runs = t->runs[i],
                                         .run_count = SEEDS,
                                         .step_seconds = bl_stats_exact(0.01 + 1e-4 * b),
                                         .step_resource = bl_stats_exact(5 + b),
                                         .feasible = true};
    }
}

static void run(table *t) {
    CHECK_OK(bl_stats_costs(t->rows, t->best, t->in, SIZES, &OPTIONS, ERR));
}

/* exp of the mean log of 1 + 0.001 (s - 2). */
static double geometric(void) {
    double sum = 0;
    for (int s = 0; s < SEEDS; s++) sum += log1p(0.001 * (s - 2)) / SEEDS;
    return exp(sum);
}

static void three_optima(void **state) {
    (void)state;
    table t;
    make(&t, 0.001);
    run(&t);
    const bl_stats_optimum *best = t.best;
    assert_true(best[BL_STATS_FEWEST_STEPS].known && best[BL_STATS_FEWEST_STEPS].index == 4);
    /* (1 + 100/B)(10 + B/10) is least at B = 100, and smaller at 128 than at 64. */
    assert_int_equal(best[BL_STATS_FASTEST].index, 2);
    assert_int_equal(best[BL_STATS_CHEAPEST].index, 0);
    check_close(t.rows[2].cost[BL_STATS_FEWEST_STEPS].value, 178.125 * geometric(), 1e-9);
    check_close(t.rows[2].cost[BL_STATS_FASTEST].value, 178.125 * geometric() * 0.0228, 1e-9);
    check_close(t.rows[2].cost[BL_STATS_CHEAPEST].value, 178.125 * geometric() * 133, 1e-9);
    for (int goal = 0; goal < BL_STATS_GOAL_COUNT; goal++) {
        assert_int_equal(best[goal].tied, 0);
        assert_true(best[goal].judged && best[goal].confidence == 1);
    }
}

static void overlaps_are_named(void **state) {
    (void)state;
    table t;
    make(&t, 0.05);
    run(&t);
    const bl_stats_optimum *best = &t.best[BL_STATS_FASTEST];
    assert_int_equal(best->index, 2);
    assert_true(t.rows[1].tied[BL_STATS_FASTEST]);
    assert_false(t.rows[2].tied[BL_STATS_FASTEST]);
    /* 256 takes 22 % longer. Runs scatter by 8 %, means of five differ by 5 %, and 2.99 times that,
     * Tukey's value for five sizes and 20 degrees of freedom over sqrt(2), is 16 %. */
    assert_false(t.rows[3].tied[BL_STATS_FASTEST]);
    assert_false(t.rows[0].tied[BL_STATS_FASTEST]);

    assert_true(best->confidence > 0.3 && best->confidence < 1);
    const bl_stats_value *v = &t.rows[2].cost[BL_STATS_FASTEST];
    assert_true(v->low < v->value && v->value < v->high);
    assert_false(t.rows[0].tied[BL_STATS_FEWEST_STEPS]); /* 412 against 120 steps */
}

/* Worked by hand: sd of log steps s over four runs at each of two sizes, 6 degrees of freedom. */
static void the_interval_is_student(void **state) {
    (void)state;
    table t;
    make(&t, 0);
    for (size_t i = 0; i < SIZES; i++) {
        t.in[i].run_count = i < 2 ? 4 : 0;
        for (int s = 0; s < 4; s++) t.runs[i][s].steps *= exp(s % 2 == 0 ? 0.1 : -0.1);
    }
    run(&t);
    const bl_stats_value *v = &t.rows[0].cost[BL_STATS_FEWEST_STEPS];
    const double sd = sqrt(0.04 / 3 / 4); /* of a mean */
    check_close(v->high / v->value, exp(2.4469118511449697 * sd), 1e-9);
    check_close(v->value / v->low, exp(2.4469118511449697 * sd), 1e-9);
    /* Two sizes: the studentized range over sqrt(2) is Student's t. */
    const bl_stats_power *p = &t.best[BL_STATS_FEWEST_STEPS].power;
    assert_true(p->runs == 4 && p->more == 8);
    check_close(p->factor, exp(2.4469118511449697 * sd * sqrt(2)), 1e-9);
    check_close(p->factor_more, exp(2.1447866879169273 * sd),
                1e-9); /* 14 degrees, half the variance */
}

/* Seeds that stop at one evaluation say no more than its gap. */
static void the_gap_counts(void **state) {
    (void)state;
    table t;
    make(&t, 0);
    for (size_t i = 0; i < SIZES; i++)
        for (int s = 0; s < SEEDS; s++) t.runs[i][s].steps_prev = t.runs[i][s].steps / 1.2 - 1;
    run(&t);
    const bl_stats_value *v = &t.rows[0].cost[BL_STATS_FEWEST_STEPS];
    check_close(v->value, 412.5, 1e-9);
    check_close(v->high / v->value, exp(1.959963984540054 * log(1.2) / sqrt(12)), 1e-9);
    assert_true(t.rows[3].tied[BL_STATS_FEWEST_STEPS]); /* 139 against 120 */
    assert_false(t.rows[1].tied[BL_STATS_FEWEST_STEPS]);
}

static void noise_of_the_timing_pass(void **state) {
    (void)state;
    table t;
    make(&t, 0);
    t.in[2].step_seconds.low = t.in[2].step_seconds.value * 0.9;
    t.in[2].step_seconds.high = t.in[2].step_seconds.value / 0.9;
    run(&t);
    const bl_stats_value *v = &t.rows[2].cost[BL_STATS_FASTEST];
    assert_true(fabs(v->low / v->value - 0.9) < 0.02);
    assert_true(fabs(v->high / v->value - 1 / 0.9) < 0.02);
    assert_true(t.rows[2].cost[BL_STATS_CHEAPEST].low == t.rows[2].cost[BL_STATS_CHEAPEST].high);
}

static void upfront_costs_count(void **state) {
    (void)state;
    table t;
    make(&t, 0.001);
    t.in[2].upfront_seconds = 5;
    t.in[0].upfront_resource = 1e6;
    run(&t);
    assert_int_equal(t.best[BL_STATS_FASTEST].index, 1);
    assert_int_equal(t.best[BL_STATS_CHEAPEST].index, 1);
    check_close(t.rows[2].cost[BL_STATS_FASTEST].value, 178.125 * geometric() * 0.0228 + 5, 1e-9);
    assert_true(t.rows[2].cost[BL_STATS_FASTEST].low > 9);

    assert_int_equal(t.best[BL_STATS_FEWEST_STEPS].index, 4);
}

static void what_cannot_win(void **state) {
    (void)state;
    table t;
    make(&t, 0.001);
    t.in[4].feasible = false;
    for (int s = 0; s < SEEDS; s++) {
        t.runs[3][s].censored = true; /* gave up early: a lower bound below the winner's value */
        t.runs[3][s].steps = 50;
    }
    t.in[2].run_count = 0;
    t.in[1].step_seconds = bl_stats_unknown();
    run(&t);
    assert_int_equal(t.best[BL_STATS_FEWEST_STEPS].index, 1);
    assert_int_equal(t.best[BL_STATS_FASTEST].index, 0);
    assert_true(t.rows[4].cost[BL_STATS_FEWEST_STEPS].known);
    assert_int_equal(t.rows[3].cost[BL_STATS_FASTEST].bound, 1);
    assert_true(isinf(t.rows[3].cost[BL_STATS_FASTEST].high));
    assert_true(t.rows[3].tied[BL_STATS_FASTEST]); /* nobody knows where it would have arrived */
    assert_false(t.rows[2].cost[BL_STATS_FASTEST].known);
    assert_false(t.rows[1].cost[BL_STATS_FASTEST].known);
}

static void one_seed_judges_nothing(void **state) {
    (void)state;
    table t;
    make(&t, 0);
    for (size_t i = 0; i < SIZES; i++) t.in[i].run_count = 1;
    run(&t);
    const bl_stats_optimum *best = &t.best[BL_STATS_FASTEST];
    assert_true(best->known && best->index == 2);
    assert_false(best->judged);
    assert_int_equal(best->tied, 0);
    assert_true(isnan(best->confidence));
    assert_true(isnan(t.rows[2].cost[BL_STATS_FASTEST].low));
}

static void equal_costs_go_to_the_smaller_batch(void **state) {
    (void)state;
    table t;
    make(&t, 0);
    for (size_t i = 0; i < SIZES; i++) {
        for (int s = 0; s < SEEDS; s++) t.runs[i][s].steps = 100;
        t.in[i].batch_size = 512 >> i; /* descending: order of rows is no criterion */
    }
    run(&t);
    assert_int_equal(t.best[BL_STATS_FEWEST_STEPS].index, 4);
    assert_int_equal(t.best[BL_STATS_FEWEST_STEPS].tied, 4);
}

static void nothing_and_nonsense(void **state) {
    (void)state;
    table t;
    make(&t, 0);
    CHECK_OK(bl_stats_costs(t.rows, t.best, t.in, 0, &OPTIONS, ERR));
    assert_false(t.best[0].known);
    for (size_t i = 0; i < SIZES; i++) t.in[i].run_count = 0;
    run(&t);
    assert_false(t.best[0].known);
    make(&t, 0);
    t.in[1].batch_size = 32;
    bl_err err = {0};
    assert_int_equal(bl_stats_costs(t.rows, t.best, t.in, SIZES, &OPTIONS, &err), BL_EINVAL);
    make(&t, 0);
    t.runs[1][0].steps = -1;
    assert_int_equal(bl_stats_costs(t.rows, t.best, t.in, SIZES, &OPTIONS, &err), BL_EINVAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_optima),
        cmocka_unit_test(overlaps_are_named),
        cmocka_unit_test(the_interval_is_student),
        cmocka_unit_test(the_gap_counts),
        cmocka_unit_test(noise_of_the_timing_pass),
        cmocka_unit_test(upfront_costs_count),
        cmocka_unit_test(what_cannot_win),
        cmocka_unit_test(one_seed_judges_nothing),
        cmocka_unit_test(equal_costs_go_to_the_smaller_batch),
        cmocka_unit_test(nothing_and_nonsense),
    };
    return cmocka_run_group_tests_name("stats_optimum", tests, NULL, NULL);
}
