/* A plan of any size, for tests and benchmarks of growth: 8 batch sizes, at each as many learning
 * rates as it takes, one trial each, some of them lost, and the decision on each batch size. */
#ifndef BL_TESTS_UNIT_LARGE_PLAN_H
#define BL_TESTS_UNIT_LARGE_PLAN_H
#include "engine/plan/plan.h"
#include <math.h>
#include <stdio.h>

enum { LARGE_PLAN_SIZES = 8 };

static inline void large_plan_trial(bl_buf *out, size_t i, size_t trials) {
    const size_t size = i % LARGE_PLAN_SIZES, rate = i / LARGE_PLAN_SIZES;
    const double far = (double)rate / (double)(trials / LARGE_PLAN_SIZES); /* from the best rate */
    const int64_t steps = 200 + 6400 / (1 << size) + (int64_t)(1000 * far);
    const bool lost = rate % 3 == 2;
    bl_plan_trial t = {.round = 1,
                       .set = "{}",
                       .batch_size = 32 << size,
                       .learning_rate = 0.001 * (1 + far),
                       .seed = 1,
                       .max_steps = 60000,
                       .target = 0.2,
                       .outcome = lost ? BL_OUTCOME_RACE : BL_OUTCOME_TARGET,
                       .steps = steps,
                       .target_step = lost ? 0 : steps,
                       .previous_eval_step = lost ? 0 : steps - 1,
                       .reason = ""};
    (void)snprintf(t.run, sizeof t.run, "%012zx", i * 0x9E3779B1u % ((size_t)1 << 40));
    bl_plan_write_trial(out, &t);
}

static inline void large_plan_best(bl_buf *out, size_t size) {
    char run[1][BL_RUN_ID];
    bl_plan_decision d = bl_plan_decision_empty(BL_PLAN_BEST);
    (void)snprintf(run[0], sizeof run[0], "%012zx", size * 0x9E3779B1u % ((size_t)1 << 40));
    d.round = 1;
    d.batch_size = 32 << size;
    d.learning_rate = 0.001;
    d.target = 0.2;
    d.steps = 200 + 6400 / (1 << size);
    d.censored = BL_PLAN_NO;
    d.bracketed = BL_PLAN_YES;
    d.runs = (bl_plan_runs){run, 1};
    d.text = "";
    bl_plan_write_decision(out, &d);
}

/* The text of plan.jsonl. */
static inline void large_plan(bl_buf *out, size_t trials) {
    double targets[] = {0.3, 0.2};
    bl_plan_head head = {
        .experiment = "fixture",
        .preset = "",
        .title = "",
        .metric = "loss",
        .optimizer = "adamw",
        .targets = {targets,        2             },
        .baseline = (double)NAN,
        .epoch_rows = 4096,
        .dataset = {.name = "none", .variant = "",  .sha256 = ""},
        .cost = {.per_core_hour = (double)NAN,              .currency = "EUR"}
    };
    bl_plan_write_head(out, &head);
    bl_plan_write_round(out, &(bl_plan_round){.round = 1, .title = "all", .race = true});
    for (size_t i = 0; i < trials; i++) large_plan_trial(out, i, trials);
    for (size_t size = 0; size < LARGE_PLAN_SIZES; size++) large_plan_best(out, size);
    bl_plan_seal(out);
}
#endif
