#include "engine/sweep/stop_rule.h"
#include <math.h>
#include <stdint.h>

bl_eval bl_stop_eval_of(const bl_runlog_eval *logged) {
    return (bl_eval){.step = logged->step,
                     .value = logged->value,
                     .train_loss = logged->train_loss,
                     .batch_mean = logged->batch_mean,
                     .ends = logged->ends};
}

size_t bl_stop_first_hit(const bl_eval *eval, size_t evals, double target, int64_t max_steps) {
    for (size_t i = 0; i < evals && eval[i].step <= max_steps; i++)
        if (eval[i].value <= target) return i; /* false for NAN on either side */
    return SIZE_MAX;
}

/* In the order of what is sure: nothing is known yet; the run is over; the target was reached;
 * the race is lost. Only the last depends on the other runs. */
bool bl_stop_needs_more(const bl_trial *trial, const bl_eval *eval, size_t evals, double slack,
                        int64_t best) {
    if (evals == 0) return true;
    const bl_eval *last = &eval[evals - 1];
    if (isnan(last->value) || last->ends || last->step >= trial->max_steps) return false;
    if (bl_stop_first_hit(eval, evals, trial->target, trial->max_steps) != SIZE_MAX) return false;
    return best == 0 || (double)last->step < slack * (double)best;
}

/* A run may have been trained further than this trial asks, for another one. The answer is what
 * it would have been: the evaluations are gone through from the first, and the first that ends
 * the trial is the last that counts. Target before divergence before race: a hit at the race's
 * last step counts. */
void bl_stop_apply(const bl_trial *trial, double slack, int64_t best, bl_trial_result *result) {
    const bl_eval *eval = result->eval;
    const size_t n = result->evals;
    BL_ASSERT(n > 0);
    const size_t reached_at = bl_stop_first_hit(eval, n, trial->target, trial->max_steps);
    size_t last = 0; /* the evaluation the answer ends at */
    result->outcome = BL_OUTCOME_BUDGET;
    for (;; last++) {
        if (last == reached_at)
            result->outcome = BL_OUTCOME_TARGET;
        else if (isnan(eval[last].value))
            result->outcome = BL_OUTCOME_DIVERGED;
        else if (best > 0 && (double)eval[last].step >= slack * (double)best)
            result->outcome = BL_OUTCOME_RACE;
        else if (last + 1 < n && eval[last + 1].step <= trial->max_steps)
            continue;
        break;
    }
    result->steps = eval[last].step;
    result->evals = last + 1;
    const bool reached = result->outcome == BL_OUTCOME_TARGET;
    result->target_step = reached ? eval[last].step : 0;
    result->previous_eval_step = reached && last > 0 ? eval[last - 1].step : 0;
}
