/* What a trial's run answers, as a pure function of its evaluations: the same whatever computed
 * them, in whatever order, however far beyond the question the stored prefix goes. */
#ifndef BL_ENGINE_SWEEP_STOP_RULE_H
#define BL_ENGINE_SWEEP_STOP_RULE_H
#include "engine/lua/round.h"

/* First evaluation at or below `target` and within `max_steps`, as an index; SIZE_MAX: none. */
size_t bl_stop_first_hit(const bl_eval *eval, size_t evals, double target, int64_t max_steps);

/* Is more of this run needed? `best`: the fewest steps to target of its race so far, 0: none yet or
 * no race. */
bool bl_stop_needs_more(const bl_trial *trial, const bl_eval *eval, size_t evals, double slack,
                        int64_t best);

/* Fills outcome, steps, hit, before, and cuts `evals`, once the race's final `best` is known. */
void bl_stop_apply(const bl_trial *trial, double slack, int64_t best, bl_trial_result *result);
#endif
