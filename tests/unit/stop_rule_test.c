/* What a run answers depends on its evaluations alone: not on who computed how much beyond the
 * question. */
#include "engine/base/mem.h"
#include "engine/sweep/stop_rule.h"
#include "tests/check.h"
#include <math.h>

static const bl_eval k_curve[] = {
    {.step = 1,  .value = 9 },
    {.step = 2,  .value = 5 },
    {.step = 4,  .value = 3 },
    {.step = 8,  .value = 2 },
    {.step = 16, .value = 1 },
    {.step = 32, .value = .5}
};
static const bl_eval k_broken[] = {
    {.step = 1, .value = 9  },
    {.step = 2, .value = 5  },
    {.step = 4, .value = NAN}
};

typedef struct answer {
    const char *name;
    const bl_eval *eval;
    size_t evals;
    double target;
    int64_t max_steps, best;
    bl_outcome outcome;
    int64_t steps, target_step, previous_eval_step;
} answer;

static const answer k_answers[] = {
    {"reached",                         k_curve,  6, 2,   100, 0, BL_OUTCOME_TARGET,   8,  8, 4},
    {"reached at the first",            k_curve,  6, 9,   100, 0, BL_OUTCOME_TARGET,   1,  1, 0},
    {"budget before target",            k_curve,  6, 2,   4,   0, BL_OUTCOME_BUDGET,   4,  0, 0},
    {"budget between evaluations",      k_curve,  6, 2,   7,   0, BL_OUTCOME_BUDGET,   4,  0, 0},
    {"no target runs to the budget",    k_curve,  6, NAN, 16,  0, BL_OUTCOME_BUDGET,   16, 0, 0},
    {"cut by the race",                 k_curve,  6, 1,   100, 4, BL_OUTCOME_RACE,     8,  0, 0},
    {"the bound itself cuts",           k_curve,  6, 1,   100, 2, BL_OUTCOME_RACE,     4,  0, 0},
    {"a hit at the bound counts",       k_curve,  6, 2,   100, 4, BL_OUTCOME_TARGET,   8,  8, 4},
    {"a hit beyond the bound does not", k_curve,  6, .5,  100, 8, BL_OUTCOME_RACE,     16, 0, 0},
    {"diverged",                        k_broken, 3, 1,   100, 0, BL_OUTCOME_DIVERGED, 4,  0, 0},
    {"cut before it diverged",          k_broken, 3, 1,   100, 1, BL_OUTCOME_RACE,     2,  0, 0},
};

static void settles(void **state) {
    const answer *a = *state;
    const bl_trial trial = {.max_steps = a->max_steps, .target = a->target};
    bl_trial_result r = {.eval = (bl_eval *)(uintptr_t)a->eval, .evals = a->evals};
    bl_stop_apply(&trial, 2.0, a->best, &r);
    assert_int_equal(r.outcome, a->outcome);
    assert_int_equal(r.steps, a->steps);
    assert_int_equal(r.target_step, a->target_step);
    assert_int_equal(r.previous_eval_step, a->previous_eval_step);
    /* Every prefix that closes the question gives the same answer. */
    for (size_t n = 1; n <= a->evals; n++) {
        if (bl_stop_needs_more(&trial, a->eval, n, 2.0, a->best)) continue;
        bl_trial_result cut = {.eval = (bl_eval *)(uintptr_t)a->eval, .evals = n};
        bl_stop_apply(&trial, 2.0, a->best, &cut);
        assert_int_equal(cut.outcome, r.outcome);
        assert_int_equal(cut.steps, r.steps);
    }
}

static void nothing_computed_is_open(void **state) {
    (void)state;
    const bl_trial trial = {.max_steps = 1, .target = 1};
    assert_true(bl_stop_needs_more(&trial, NULL, 0, 2.0, 0));
}

int main(void) {
    struct CMUnitTest tests[BL_COUNT(k_answers) + 1];
    for (size_t i = 0; i < BL_COUNT(k_answers); i++)
        tests[i] = (struct CMUnitTest){.name = k_answers[i].name,
                                       .test_func = settles,
                                       .initial_state = (void *)(uintptr_t)&k_answers[i]};
    tests[BL_COUNT(k_answers)] = (struct CMUnitTest)cmocka_unit_test(nothing_computed_is_open);
    return _cmocka_run_group_tests("question", tests, BL_COUNT(tests), NULL, NULL);
}
