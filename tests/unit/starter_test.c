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
        cmocka_unit_test(test_small_gain),
        cmocka_unit_test_setup_teardown(test_pilot_threads, tiny_setup, tiny_teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
