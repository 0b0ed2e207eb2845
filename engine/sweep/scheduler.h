/* Carries rounds out: many runs over a few threads, each run alone on its thread. What is published
 * does not depend on how many threads there are or which run came first.
 *
 *     bl_trial_result results[2];
 *     BL_TRY(bl_scheduler_run(&scheduler, &round, results, err));    two trials, in their order
 *     ...
 *     bl_round_results_free(results, 2); */
#ifndef BL_ENGINE_SWEEP_SCHEDULER_H
#define BL_ENGINE_SWEEP_SCHEDULER_H
#include "engine/sweep/scheduler_settings.h"

/* Fills results[round->count], whose evaluations are the caller's to free; after an error there is
 * nothing to free. BL_EINTERRUPTED: stopped, and what was computed is kept in checkpoints. */
bl_status bl_scheduler_run(const bl_scheduler *scheduler, const bl_round *round,
                           bl_trial_result *results, bl_err *err) BL_CHECKED;
#endif
