#include "engine/sweep/memory_budget.h"

/* What cannot be planned is told when it is opened. */
static size_t planned(const bl_scheduler *s, const bl_active_trial *m) {
    bl_err ignored;
    size_t bytes;
    if (bl_train_memory(&m->trial->config, s->data, s->device_data, &bytes, &ignored) != BL_OK)
        return s->memory;
    return bytes + (s->device_data != NULL ? s->device_data->device->queue_bytes : 0);
}

void bl_memory_budget_measure(const bl_memory_budget *room, const bl_scheduler *s) {
    for (size_t i = 0; room->memory > 0 && i < room->count; i++)
        room->member[i].bytes = planned(s, &room->member[i]);
}

/* A busy member may be opening its run. */
static bool is_open(const bl_active_trial *m) {
    return m->state == BL_MEMBER_BUSY || m->train != NULL;
}

bool bl_memory_budget_admits(const bl_memory_budget *room, const bl_active_trial *member) {
    size_t used = 0;
    if (room->memory == 0) return true;
    for (size_t i = 0; i < room->count; i++) {
        const bl_active_trial *m = &room->member[i];
        if (m != member && is_open(m)) used += m->bytes;
    }
    return used == 0 || used + member->bytes <= room->memory;
}

bl_active_trial *bl_memory_budget_victim(const bl_memory_budget *room, bool least,
                                         bool (*wanted)(const void *ctx,
                                                        const bl_active_trial *member),
                                         const void *ctx) {
    bl_active_trial *best = NULL;
    for (size_t i = 0; i < room->count; i++) {
        bl_active_trial *m = &room->member[i];
        if (m->state != BL_MEMBER_IDLE || m->train == NULL || !wanted(ctx, m)) continue;
        const int64_t step = bl_active_trial_step(m),
                      so_far = best != NULL ? bl_active_trial_step(best) : 0;
        if (best == NULL || (least ? step < so_far : step > so_far)) best = m;
    }
    return best;
}
