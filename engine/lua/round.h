/* What a sweep script asks for and what it gets back: rounds of trials and their results.
 *
 * A trial is one question to one run: "train this configuration until the metric is at or below
 * `target`, for at most `max_steps`". A round is a list of trials that are answered together; in a
 * race the first to reach its target bounds the others. The answer is a pure function of the
 * trial's evaluations (engine/sweep/stop_rule.h), whoever computed them and when.
 *
 * Example: batch 64 at two rates races to 0.2 with slack 1.25. The first reaches 0.2 at step 80, so
 * the second stops at its first evaluation at or after step 100 with BL_OUTCOME_RACE. */
#ifndef BL_ENGINE_LUA_ROUND_H
#define BL_ENGINE_LUA_ROUND_H
#include "engine/base/run_id.h"
#include "engine/base/status.h"
#include "engine/config/config.h"
#include "engine/plan/outcome.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A configuration takes 14 KB and a round may have 100,000 trials: a trial holds only where it
 * leaves the base, which all of them share. */
typedef struct bl_trial {
    const bl_config *base; /* the experiment's: outlives the trial and stays as it is */
    int64_t batch_size, seed;
    double learning_rate; /* these three replace what the base has */
    /* Its other settings in order, "path\0value\0path\0value\0" and "" at the end; NULL: none.
     * bl_config_set has taken each of them. Not the trial's own memory: see bl_round. */
    const char *sets;
    int64_t max_steps; /* the budget, an evaluation step */
    double target;     /* of the metric; NAN: run to the budget */
    char reason[256];  /* one line for the plan */
} bl_trial;
_Static_assert(sizeof(bl_trial) <= 512, "a round of 100,000 trials fits in memory");

/* The base itself as a trial, without a target or a budget. */
bl_trial bl_trial_of(const bl_config *base);
/* The configuration that the trial's run has: the base with the trial's settings over it. */
void bl_trial_resolve(const bl_trial *trial, bl_config *out);
/* Bytes of `sets` with its end; 0 where there are none. */
size_t bl_trial_sets_bytes(const bl_trial *trial);

/* Trials, and the texts that their `sets` point to, last until the host's `run` returns; who keeps
 * a trial longer copies both. */
typedef struct bl_round {
    char title[128]; /* "batch 512" */
    const bl_trial *trial;
    size_t count;
    bool race;    /* once a trial reached its target, the others stop at their first evaluation at
                     or after slack times its steps */
    double slack; /* at least 1 */
} bl_round;

typedef struct bl_eval {
    int64_t step;
    double value; /* the metric; NAN when diverged */
    double train_loss;
    double batch_mean; /* the metric's mean over batches; NAN: diverged, or the run has none */
    bool ends;         /* the last that its program has to give */
} bl_eval;

typedef struct bl_trial_result {
    char run[BL_RUN_ID]; /* id */
    bl_outcome outcome;
    int64_t steps; /* at which the answer ends */
    /* First evaluation step at or below the target, and the one before it; 0: there is none. */
    int64_t target_step, previous_eval_step;
    bl_eval *eval; /* up to `steps`; freed by bl_round_results_free */
    size_t evals;
    char *error; /* why it failed, one line; NULL: it did not; freed with them */
} bl_trial_result;

/* Frees the evaluations and the error of each result; the array of results is the caller's. */
void bl_round_results_free(bl_trial_result *results, size_t count);
#endif
