/* Targets of a new experiment, by what a trial run reached. */
#include "engine/starter/experiment_text.h"
#include "tests/check.h"

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

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_small_gain)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
