/* Targets of a new experiment, by what a trial run reached. */
#include "engine/base/mem.h"
#include "engine/starter/experiment_text.h"
#include "tests/check.h"
#include "tests/unit/tiny_run.h"
#include <stdlib.h>
#include <string.h>

/* Where a net gains little over always the same answer, targets lie between the two: one that the
 * trial never came near ends every run without an answer. */
static void test_small_gain(void **state) {
    (void)state;
    bl_starter_plan plan = {.train_rows = 800, .valid_rows = 200, .baseline = {.constant = 0.9}};
    const bl_starter_pilot pilot = {.best = 0.89, .best_rate = 0.01};
    bl_starter_sizes(&plan);
    assert_false(bl_starter_targets(&plan, &pilot));
    assert_true(plan.targets[0] < 0.9 && plan.targets[0] > plan.targets[1]);
    assert_true(plan.targets[1] > 0.89);
}

/* Where the trial ends above the same answer for every row, its own values are the targets. */
static void test_no_gain(void **state) {
    (void)state;
    static const double first[] = {1.4, 1.1};
    for (size_t k = 0; k < BL_COUNT(first); k++) {
        bl_starter_plan plan = {
            .train_rows = 180, .valid_rows = 20, .metric = "rmse", .baseline = {.constant = 1}};
        bl_starter_pilot *pilot = bl_xalloc(sizeof *pilot);
        bl_buf text = {0};
        *pilot = (bl_starter_pilot){.best = 1.1, .best_rate = 0.01};
        pilot->run[2] = (bl_starter_run){
            .learning_rate = 0.01, .evals = 2, .step = {1,        9  },
                    .best = {first[k], 1.1}
        };
        bl_starter_sizes(&plan);
        assert_false(bl_starter_targets(&plan, pilot));
        assert_true(plan.targets[0] > plan.targets[1] && plan.targets[1] > 1.1);
        assert_true(plan.targets[0] < 1.3 && plan.lr_start == 0.01);
        assert_int_equal(plan.steps, k == 0 ? 9 : 1);
        bl_starter_config(&plan, &text);
        assert_non_null(strstr(bl_buf_text(&text), "these targets are what it reached"));
        bl_buf_free(&text);
        free(pilot);
    }
    bl_buf text = {0};
    bl_starter_plan plan = {
        .train_rows = 180, .valid_rows = 20, .metric = "rmse", .baseline = {.constant = 1}};
    bl_starter_sizes(&plan);
    bl_starter_config(&plan, &text); /* every rate diverged */
    assert_non_null(strstr(bl_buf_text(&text), "these targets are guesses"));
    bl_buf_free(&text);
}

/* Each rate's run is the same whichever thread makes it. */
static void test_pilot_threads(void **state) {
    const fixture *f = *state;
    bl_starter_pilot *pilot = bl_xalloc(2 * sizeof *pilot);
    for (size_t i = 0; i < 2; i++)
        CHECK_OK(bl_starter_pilot_run(&pilot[i], &f->config, &f->data, tiny_kernels(),
                                      i == 0 ? 1 : 4, ERR));
    assert_memory_equal(&pilot[0], &pilot[1], sizeof pilot[0]);
    for (size_t r = 0; r < BL_STARTER_RATES; r++) assert_true(pilot[0].run[r].evals > 0);
    assert_true(pilot[0].best_rate > 0);
    free(pilot);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_gain), cmocka_unit_test(test_no_gain),
        cmocka_unit_test_setup_teardown(test_pilot_threads, tiny_setup, tiny_teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
