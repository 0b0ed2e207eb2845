/* When a trial's run stops, and what it then answers: a pure function of its evaluations. The
 * answer is the same whatever computed them, in whatever order, and however far beyond it a stored
 * log goes. That is why a longer log answers a shorter question, and why a race leaves no trace of
 * its timing.
 *
 * A run stops at the first evaluation, in this order, at which
 *     1. the metric is at or below the target                     BL_OUTCOME_TARGET
 *     2. the metric is not a number                               BL_OUTCOME_DIVERGED
 *     3. the step is at or above slack times the race's fewest    BL_OUTCOME_RACE
 *     4. no later evaluation lies within max_steps                BL_OUTCOME_BUDGET
 *        (also where a program of the user's own has no more)
 *
 * Example: target 0.2, max_steps 100, evaluations at steps 1, 2, 4, 8, 16, ...
 *     step        1     2     4     8     16
 *     value       0.9   0.7   0.4   0.25  0.18
 * Alone the run answers "target" at 16, its previous evaluation being 8. In a race that another run
 * has won at step 4 with slack 1.25, it stops at the first step at or above 5: "race" at 8. With
 * max_steps 8 it answers "budget" at 8, although the log goes on to the target. */
#ifndef BL_ENGINE_SWEEP_STOP_RULE_H
#define BL_ENGINE_SWEEP_STOP_RULE_H
#include "engine/lua/round.h"
#include "engine/runlog/runlog.h"

/* An evaluation as the rule and scripts see it, of a log. */
bl_eval bl_stop_eval_of(const bl_runlog_eval *logged);

/* First evaluation at or below `target` and within `max_steps`, as an index; SIZE_MAX: none. A
 * target that is not a number is never reached. */
size_t bl_stop_first_hit(const bl_eval *eval, size_t evals, double target, int64_t max_steps);

/* Is more of this run needed? `best`: the fewest steps to target of its race so far, 0: none yet or
 * no race. */
bool bl_stop_needs_more(const bl_trial *trial, const bl_eval *eval, size_t evals, double slack,
                        int64_t best);

/* Fills outcome, steps, target_step and previous_eval_step of a result whose evaluations, one at
 * least, are filled, and cuts `evals` to those up to `steps`. `best` is the race's final one. */
void bl_stop_apply(const bl_trial *trial, double slack, int64_t best, bl_trial_result *result);
#endif
