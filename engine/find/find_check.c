/* The proposal is tried before it is made: seeds of their own size and rate to the harder target.
 * The noise scale says how steps change with the batch size where the rate is retuned. How far a
 * rule for the rate reaches, it does not say. A size at which most seeds do not arrive gives way to
 * one half as far from the pilot's. */
#include "engine/find/find_check.h"
#include "engine/base/mem.h"
#include "engine/train/train.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Steps of the tried runs, over what is forecast. */
static const double k_patience = 3.0;

/* Evaluated at `steps`, or at the next evaluation. */
static int64_t at_evaluation(const bl_config *config, int64_t batch_size, int64_t rows,
                             double steps) {
    bl_config sized = *config;
    sized.train.batch_size = batch_size;
    int64_t at = bl_train_next_eval(&sized, rows, 0, INT64_MAX);
    while ((double)at < steps) at = bl_train_next_eval(&sized, rows, at, INT64_MAX);
    return at;
}

/* The proposal's trial for each of the pilot's seeds. */
static void fill(bl_trial trial[], const bl_find *f, const bl_config *config, int64_t max_steps) {
    for (size_t i = 0; i < f->seeds; i++) {
        trial[i] = bl_trial_of(config);
        trial[i].batch_size = f->best.batch_size;
        trial[i].learning_rate = f->best.learning_rate;
        trial[i].seed += (int64_t)i;
        trial[i].max_steps = max_steps;
        trial[i].target = f->target[BL_FIND_TARGETS - 1].value;
        (void)snprintf(trial[i].reason, sizeof trial[i].reason, "the proposal, seed %lld",
                       (long long)trial[i].seed);
    }
}

/* Seeds that came to the target, and the mean of the logs of their steps. */
static size_t arrivals(const bl_trial_result *result, size_t count, double *log_steps) {
    size_t n = 0;
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        if (result[i].outcome != BL_OUTCOME_TARGET) continue;
        sum += log((double)result[i].target_step);
        n++;
    }
    *log_steps = n > 0 ? sum / (double)n : (double)NAN;
    return n;
}

bl_status bl_find_check_proposal(bl_find *f, const bl_config *config, int64_t rows,
                                 const bl_scheduler *scheduler, bl_err *err) {
    bl_trial *trial = bl_xalloc((f->seeds + 1) * sizeof *trial);
    bl_trial_result *result = bl_xalloc((f->seeds + 1) * sizeof *result);
    bl_status status = BL_OK;
    while (f->best.known && f->best.batch_size != f->batch_size) {
        const int64_t most =
            at_evaluation(config, f->best.batch_size, rows, k_patience * f->best.steps);
        const bl_round round = {
            .title = "proposal", .trial = trial, .count = f->seeds, .slack = 1.0};
        double log_steps;
        fill(trial, f, config, most);
        status = bl_scheduler_run(scheduler, &round, result, err);
        if (status != BL_OK) break;
        const size_t n = arrivals(result, f->seeds, &log_steps);
        bl_round_results_free(result, f->seeds);
        if (2 * n >= f->seeds) {
            bl_find_measured(&f->best, f, exp(log_steps), n);
            break;
        }
        if (f->refused.batch_size == 0)
            f->refused = (bl_find_refusal){f->best.batch_size, most, n, f->best.learning_rate};
        bl_find_move(&f->best, f, config->sweep.lr_rule, rows);
    }
    free(result);
    free(trial);
    return status;
}
