/* The memory that the open runs of a round share. In a race every trial has a run at once, and how
 * much these take together must not decide whether one of them fits. So a run is opened only where
 * its planned memory fits beside that of the others. One that waits has another run closed, which
 * goes on from its checkpoint later.
 *
 * Example: 2 GiB, five runs of 600 MiB each. Three are open; the fourth waits until one of the
 * three is done, or is more than twice as far and is closed for it. */
#ifndef BL_ENGINE_SWEEP_MEMORY_BUDGET_H
#define BL_ENGINE_SWEEP_MEMORY_BUDGET_H
#include "engine/sweep/active_trial.h"

typedef struct bl_memory_budget {
    size_t memory;           /* bytes; 0: no bound */
    bl_active_trial *active; /* all trials of the round */
    size_t count;
} bl_memory_budget;

/* Fills `bytes` of each trial: its run's planned memory, a device's queue included. */
void bl_memory_budget_measure(const bl_memory_budget *budget, const bl_scheduler *s);

/* The following are called with the scheduler's lock held. */

/* May the trial's run be opened beside those that are open? A run alone always may: then it is the
 * machine that refuses, and that is an outcome. */
bool bl_memory_budget_admits(const bl_memory_budget *budget, const bl_active_trial *active);
/* Of the idle trials with an open run for which wanted(ctx, trial): the one that is furthest or,
 * with `least`, the least far. NULL: there is none. */
bl_active_trial *bl_memory_budget_victim(const bl_memory_budget *budget, bool least,
                                         bool (*wanted)(const void *ctx,
                                                        const bl_active_trial *active),
                                         const void *ctx);
#endif
