/* What passes between a planner (a Lua script) and the engine: rounds of trials, their results, and
 * decisions. The planner is a pure function of results; who runs the rounds is the host's business.
 */
#ifndef BL_ENGINE_SWEEP_ROUND_H
#define BL_ENGINE_SWEEP_ROUND_H
#include "engine/base/status.h"
#include "engine/config/config.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One question asked of one run. */
typedef struct bl_trial {
    bl_config config;  /* resolved: base with the trial's own settings over it */
    int64_t max_steps; /* the budget */
    double target;     /* stop when the metric is at or below it; NAN: run to the budget */
    char reason[256];
} bl_trial;

typedef struct bl_round {
    char title[128]; /* "batch 512" */
    const bl_trial *trial;
    size_t count;
    bool race; /* the first to reach its target bounds the others: they stop at the first
                  evaluation at or after slack x its steps */
    double slack;
} bl_round;

typedef enum bl_outcome {
    BL_OUTCOME_TARGET, /* reached */
    BL_OUTCOME_BUDGET, /* max_steps came first */
    BL_OUTCOME_RACE,   /* cut by the race */
    BL_OUTCOME_DIVERGED,
    BL_OUTCOME_MEMORY, /* did not fit */
    BL_OUTCOME_COUNT
} bl_outcome;
const char *bl_outcome_name(bl_outcome outcome); /* "target", "budget", "race", ... */

typedef struct bl_eval {
    int64_t step;
    double value; /* the metric; NAN when diverged */
    double train_loss;
} bl_eval;

typedef struct bl_trial_result {
    char run[13]; /* id */
    bl_outcome outcome;
    int64_t steps;       /* of the published prefix, for this trial's question */
    /* First evaluation step at or below the target, and the one before it; 0: there is none. */
    int64_t target_step, previous_eval_step;
    bl_eval *eval;       /* up to `steps`; freed by bl_round_results_free */
    size_t evals;
} bl_trial_result;
void bl_round_results_free(bl_trial_result *results, size_t count); /* their eval arrays */

/* The host's side. All may be called many times while a planner runs. */
typedef struct bl_planner_host {
    void *ctx;
    /* Carries a round out and fills results[round->count]. BL_EINTERRUPTED stops the planner. */
    bl_status (*run)(void *ctx, const bl_round *round, bl_trial_result *results, bl_err *err);
    /* A decision: `json` is all members of an object without braces, text included,
     * `text` one line for people. */
    bl_status (*decide)(void *ctx, const char *json, const char *text, bl_err *err);
    /* seconds[count]: of one step at each batch size, NAN where it does not fit in memory. The same
     * numbers whenever it is asked for the same sizes: they are measured once and kept. */
    bl_status (*step_times)(void *ctx, const int64_t *batch_sizes, size_t count, double *seconds,
                            bl_err *err);
} bl_planner_host;

/* What the planner may know of the world beside its configuration. */
typedef struct bl_planner_facts {
    int64_t epoch_rows; /* training rows of one epoch */
    bool synthetic;
} bl_planner_facts;

typedef struct bl_planner_limits {
    size_t memory_bytes;   /* 64 MiB */
    uint64_t instructions; /* of the script's own */
    double cpu_seconds;    /* of the script's own, without rounds */
    size_t max_trials;     /* 100000 */
} bl_planner_limits;
extern const bl_planner_limits bl_planner_default_limits;

/* Runs experiments/NAME/sweep.lua against the host. Errors carry the script's file:line. */
bl_status bl_planner_run(const char *script_path, const char *library_dir, const bl_config *config,
                         const bl_planner_facts *facts, const bl_planner_host *host,
                         const bl_planner_limits *limits, bl_err *err) BL_CHECKED;
#endif
