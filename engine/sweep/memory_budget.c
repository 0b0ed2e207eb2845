#include "engine/sweep/memory_budget.h"
#include "engine/sweep/trainer.h"

/* A trial whose memory cannot be planned counts as all of it; opening it reports the error. */
static size_t planned(const bl_scheduler *s, const bl_active_trial *a) {
    bl_err ignored;
    size_t bytes;
    bl_config config;
    bl_trial_resolve(a->trial, &config);
    if (bl_trainer_memory(s, &config, &bytes, &ignored) != BL_OK) return s->memory;
    return bytes + (s->device_data != NULL ? s->device_data->device->queue_bytes : 0);
}

void bl_memory_budget_measure(const bl_memory_budget *budget, const bl_scheduler *s) {
    for (size_t i = 0; budget->memory > 0 && i < budget->count; i++)
        budget->active[i].bytes = planned(s, &budget->active[i]);
}

/* A busy trial may be opening its run. */
static bool is_open(const bl_active_trial *a) {
    return a->state == BL_ACTIVE_BUSY || a->train != NULL;
}

bool bl_memory_budget_admits(const bl_memory_budget *budget, const bl_active_trial *active) {
    size_t used = 0;
    if (budget->memory == 0) return true;
    for (size_t i = 0; i < budget->count; i++) {
        const bl_active_trial *a = &budget->active[i];
        if (a != active && is_open(a)) used += a->bytes;
    }
    return used == 0 || used + active->bytes <= budget->memory;
}

bl_active_trial *bl_memory_budget_victim(const bl_memory_budget *budget, bool least,
                                         bool (*wanted)(const void *ctx,
                                                        const bl_active_trial *active),
                                         const void *ctx) {
    bl_active_trial *best = NULL;
    for (size_t i = 0; i < budget->count; i++) {
        bl_active_trial *a = &budget->active[i];
        if (a->state != BL_ACTIVE_IDLE || a->train == NULL || !wanted(ctx, a)) continue;
        const int64_t step = bl_active_trial_step(a),
                      so_far = best != NULL ? bl_active_trial_step(best) : 0;
        if (best == NULL || (least ? step < so_far : step > so_far)) best = a;
    }
    return best;
}
