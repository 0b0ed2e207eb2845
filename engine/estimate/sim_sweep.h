/* A sweep on imagined runs: what its script would ask for, rules, budgets and comparisons included,
 * if runs went as the configuration expects. Nothing is trained. */
#ifndef BL_ENGINE_ESTIMATE_SIM_SWEEP_H
#define BL_ENGINE_ESTIMATE_SIM_SWEEP_H
#include "engine/base/sha256.h"
#include "engine/lua/planner.h"

typedef struct bl_sim_run {
    char identity[BL_SHA256_HEX];
    int64_t batch_size, steps;
    size_t evals;
} bl_sim_run;

/* Measured at a batch size; NAN: it does not fit in memory, and the sweep leaves it out as well. */
typedef struct bl_sim_size {
    int64_t batch_size;
    double step, eval; /* seconds */
} bl_sim_size;

typedef struct bl_sim_sweep {
    /* Seconds of a step at a batch size, NAN where it does not fit in memory. */
    bl_status (*step_seconds)(void *ctx, int64_t batch_size, double *seconds, bl_err *err);
    void *ctx;
    bl_sim_run *run; /* each run once, as far as the farthest question about it goes */
    size_t count;
    /* inside */
    size_t *slot; /* (slots) 1 + index of a run, by the digest of its identity; 0: free */
    size_t slots;
    const bl_config *config;
    int64_t epoch_rows;
    double target; /* that expected_epochs speaks of; NAN until one is known */
} bl_sim_sweep;

/* Steps to the target at a batch size and learning rate:
 *
 *     S = E rows / B (1 + B / B*) 2^(0.4 d^2),   d = doublings between the rate and the best
 *
 * with E = sweep.expected_epochs, B* = sweep.expected_batch_size, and the best rate at lr_start for
 * the first of sweep.batch_sizes, moved by lr_rule for the others. */
double bl_sim_sweep_steps(const bl_config *config, int64_t epoch_rows, double batch_size,
                          double learning_rate);

/* Fills in->run. Errors of the script are its own, with its line. */
bl_status bl_sim_sweep_run(bl_sim_sweep *in, const char *script, const char *library_dir,
                           const bl_config *config, const bl_planner_facts *facts,
                           bl_err *err) BL_CHECKED;
/* Seconds of all runs on one core, then of the timing pass: for each size timing.repeats times
 * timing.seconds or three steps. `size` has every run's batch size. */
double bl_sim_sweep_seconds(const bl_sim_sweep *in, const bl_sim_size *size, size_t count,
                            const bl_config *config);
void bl_sim_sweep_free(bl_sim_sweep *in);
#endif
