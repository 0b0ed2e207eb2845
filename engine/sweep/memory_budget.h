/* Memory that the open runs of a round share. In a race every member is open at once, and how much
 * they take together must not decide whether one of them fits: so a run is opened only where its
 * planned memory fits beside that of the others, and one that waits makes room as a checkpoint. */
#ifndef BL_ENGINE_SWEEP_MEMORY_BUDGET_H
#define BL_ENGINE_SWEEP_MEMORY_BUDGET_H
#include "engine/sweep/active_trial.h"

typedef struct bl_memory_budget {
    size_t memory; /* bytes; 0: no bound */
    bl_active_trial *member;
    size_t count;
} bl_memory_budget;

/* Plans each member's memory, a device's queue included. */
void bl_memory_budget_measure(const bl_memory_budget *room, const bl_scheduler *s);

/* The following are called with the members' lock held. */

/* May the member's run be opened beside those that are open? One alone always may: then it is the
 * machine that refuses, and that is an outcome. */
bool bl_memory_budget_admits(const bl_memory_budget *room, const bl_active_trial *member);
/* The idle member with an open run that is furthest, or, with `least`, the least far; among those
 * for which wanted(ctx, member). NULL: there is none. */
bl_active_trial *bl_memory_budget_victim(const bl_memory_budget *room, bool least,
                                         bool (*wanted)(const void *ctx,
                                                        const bl_active_trial *member),
                                         const void *ctx);
#endif
