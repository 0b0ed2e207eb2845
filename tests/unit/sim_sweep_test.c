/* What `run -n` counts: the script's own runs, each once and as far as it is asked for, on a closed
 * form. */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/estimate/sim_sweep.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include "tests/unit/fake_host.h"
#include <math.h>
#include <stdlib.h>

/* Batch sizes above this do not fit. */
static int64_t g_most;

static bl_status some_seconds(void *ctx, int64_t batch_size, double *seconds, bl_err *err) {
    (void)err;
    *(size_t *)ctx += 1;
    *seconds = g_most > 0 && batch_size > g_most ? (double)NAN : 0.001;
    return BL_OK;
}

static bl_status imagine(const char *body, const char *const *sets, size_t n_sets, bl_sim_sweep *in,
                         bl_err *err) {
    static const char *folder; /* as in fake_plan */
    static size_t asked;
    char path[BL_PATH], script[2048];
    bl_config config;
    fake_config(&config, sets, n_sets);
    if (folder == NULL) folder = scratch_folder("imagine");
    CHECK_OK(bl_path(path, ERR, "%s/s.lua", folder));
    (void)snprintf(script, sizeof script,
                   "local sweep = require 'sweep'\nreturn function(exp)\n  %s\nend\n", body);
    CHECK_OK(bl_file_write(path, script, strlen(script), ERR));
    *in = (bl_sim_sweep){.step_seconds = some_seconds, .ctx = &asked};
    asked = 0;
    const bl_status status = bl_sim_sweep_run(in, path, "scripts/lua", &config, &fake_facts, err);
    assert_true(status != BL_OK || asked > 0);
    return status;
}

/* Runs and the sum of their steps. */
static size_t count(const char *body, const char *const *sets, size_t n_sets, int64_t *steps) {
    bl_sim_sweep in;
    CHECK_OK(imagine(body, sets, n_sets, &in, ERR));
    *steps = 0;
    for (size_t i = 0; i < in.count; i++) {
        *steps += in.run[i].steps;
        assert_true(in.run[i].evals > 0 && in.run[i].evals <= (size_t)in.run[i].steps);
    }
    const size_t n = in.count;
    bl_sim_sweep_free(&in);
    return n;
}

/* E rows / B (1 + B / B*) = 2 * 1000 / 10 * 1.1 = 220 at the best rate. */
static void steps_by_hand(void **state) {
    (void)state;
    static const struct {
        const char *rule;
        double best_at_40;
    } cases[] = {
        {"sweep.lr_rule=keep",   0.01},
        {"sweep.lr_rule=sqrt",   0.02},
        {"sweep.lr_rule=linear", 0.04}
    };
    for (size_t i = 0; i < BL_COUNT(cases); i++) {
        bl_config c;
        fake_config(&c,
                    (const char *[]){"sweep.batch_sizes=[10, 40]", "sweep.expected_epochs=2",
                                     "sweep.expected_batch_size=100", "sweep.lr_start=0.01",
                                     cases[i].rule},
                    5);
        const double at_40 = 2.0 * 1000 / 40 * 1.4;
        assert_true(fabs(bl_sim_sweep_steps(&c, 1000, 10, 0.01) - 220.0) < 1e-9);
        assert_true(fabs(bl_sim_sweep_steps(&c, 1000, 10, 0.02) - 220.0 * exp2(0.4)) < 1e-9);
        assert_true(fabs(bl_sim_sweep_steps(&c, 1000, 10, 0.0025) - 220.0 * exp2(1.6)) < 1e-9);
        assert_true(fabs(bl_sim_sweep_steps(&c, 1000, 40, cases[i].best_at_40) - at_40) < 1e-9);
    }
}

static void a_run_counts_once(void **state) {
    (void)state;
    int64_t steps;
    static const char *const sets[] = {"eval.growth=1"};
    assert_int_equal(
        count("exp:run { { learning_rate = 0.5, max_steps = 7 }, { seed = 2, max_steps = 3 } }\n"
              "exp:run { { learning_rate = 0.5, max_steps = 11 } }\n"
              "exp:run { { learning_rate = 0.5, max_steps = 5 } }",
              sets, 1, &steps),
        2);
    assert_int_equal(steps, 11 + 3);
}

/* Batch 64 expects 100000 / 64 (1 + 64 / 1024) = 1660.2 steps: the best rate's first evaluation at
 * the target is 1661; the rate two doublings off stops there, times the slack. */
static void targets_and_races_end_runs(void **state) {
    (void)state;
    int64_t steps;
    static const char *const sets[] = {"eval.growth=1", "sweep.batch_sizes=[64]",
                                       "sweep.targets=[]", "sweep.lr_start=0.0625"};
    const char *one = "exp:run { { batch_size = 64, learning_rate = 2^-4, target = 0.2 } }";
    assert_int_equal(count(one, sets, 4, &steps), 1);
    assert_int_equal(steps, 1661);
    assert_int_equal(count("exp:run { race = true, slack = 1.5,\n"
                           "  { batch_size = 64, learning_rate = 2^-4, target = 0.2 },\n"
                           "  { batch_size = 64, learning_rate = 2^-2, target = 0.2 } }",
                           sets, 4, &steps),
                     2);
    assert_int_equal(steps, 1661 + 2492);
    /* Whoever is asked first; and outside of a race nobody stops another: 1660.2 x 2^1.6. */
    assert_int_equal(count("exp:run { race = true, slack = 1.5,\n"
                           "  { batch_size = 64, learning_rate = 2^-3, target = 0.2 },\n"
                           "  { batch_size = 64, learning_rate = 2^-4, target = 0.2 },\n"
                           "  { batch_size = 64, learning_rate = 2^-2, target = 0.2 } }",
                           sets, 4, &steps),
                     3);
    assert_int_equal(steps, 2191 + 1661 + 2492);
    assert_int_equal(count("exp:run { { batch_size = 64, learning_rate = 2^-4, target = 0.2 },\n"
                           "  { batch_size = 64, learning_rate = 2^-2, target = 0.2 } }",
                           sets, 4, &steps),
                     2);
    assert_int_equal(steps, 1661 + 5033);
}

/* Rules and comparisons add what they run: 2 rules at one size, none of them the tuned rate, with 3
 * seeds; 4 fresh seeds at two sizes, to the target. */
static void rules_and_comparisons_are_in_it(void **state) {
    (void)state;
    int64_t alone, ruled, compared, budgeted;
    static const char *const sets[] = {"sweep.batch_sizes=[64, 512]", "sweep.lr_search=local",
                                       "sweep.lr_start=0.0625"};
    const char *base = "sweep.critical_batch(exp)";
    const size_t n = count(base, sets, 3, &alone);
    assert_int_equal(
        count("local points = sweep.critical_batch(exp)\n"
              "sweep.rules(exp, { from = points, rules = { 'saturating' }, b_star = 10 })",
              sets, 3, &ruled),
        n + 3);
    assert_true(ruled > alone);
    assert_int_equal(
        count("local points = sweep.critical_batch(exp)\n"
              "sweep.compare(exp, { from = points, pairs = { { 64, 512 } }, seeds = 4 })",
              sets, 3, &compared),
        n + 8);
    assert_true(compared > alone);
    assert_true(count("local points = sweep.critical_batch(exp)\nsweep.budgets(exp, { from = "
                      "points, seconds = 100 })",
                      sets, 3, &budgeted) >= n);
    assert_true(budgeted >= alone + 100000 - 1661);
}

static void what_does_not_fit_is_left_out(void **state) {
    (void)state;
    int64_t all, some;
    static const char *const sets[] = {"sweep.batch_sizes=[64, 512]"};
    const size_t n = count("sweep.critical_batch(exp)", sets, 1, &all);
    g_most = 100;
    const size_t fewer = count("sweep.critical_batch(exp)", sets, 1, &some);
    g_most = 0;
    assert_true(fewer < n && some < all);
}

static void faults_keep_their_line(void **state) {
    (void)state;
    bl_sim_sweep in;
    bl_err err = {0};
    assert_int_equal(imagine("sweep.critical_batch(exp, { bach = 1 })", NULL, 0, &in, &err),
                     BL_EINVAL);
    assert_non_null(strstr(err.text, "/s.lua:3: critical_batch has no option 'bach'"));
    bl_sim_sweep_free(&in);
}

/* 64: (100 + 20) steps of 1/2 s, (3 + 1) evaluations of 2 s, 5 times 2 s of timing; 512: 10 steps
 * of 4 s, 2 evaluations, 5 times three steps; 2048 does not fit. */
static void seconds_by_hand(void **state) {
    (void)state;
    bl_sim_run runs[] = {
        {.batch_size = 64,  .steps = 100, .evals = 3},
        {.batch_size = 512, .steps = 10,  .evals = 2},
        {.batch_size = 64,  .steps = 20,  .evals = 1}
    };
    const bl_sim_size sizes[] = {
        {64,   0.5,         2.0        },
        {512,  4.0,         2.0        },
        {2048, (double)NAN, (double)NAN}
    };
    const bl_sim_sweep in = {.run = runs, .count = BL_COUNT(runs)};
    const bl_config config = {
        .timing = {.repeats = 5, .seconds = 2.0}
    };
    assert_true(bl_sim_sweep_seconds(&in, sizes, BL_COUNT(sizes), &config) ==
                (60.0 + 8.0 + 10.0) + (40.0 + 4.0 + 60.0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_by_hand),
        cmocka_unit_test(seconds_by_hand),
        cmocka_unit_test(a_run_counts_once),
        cmocka_unit_test(targets_and_races_end_runs),
        cmocka_unit_test(rules_and_comparisons_are_in_it),
        cmocka_unit_test(what_does_not_fit_is_left_out),
        cmocka_unit_test(faults_keep_their_line),
    };
    return cmocka_run_group_tests_name("sim_sweep", tests, NULL, NULL);
}
