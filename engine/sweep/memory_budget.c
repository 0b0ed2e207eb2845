#include "engine/sweep/memory_budget.h"

/* What cannot be planned is told when it is opened. */
static size_t planned(const bl_scheduler *s, const bl_member *m) {
    bl_err ignored;
    size_t bytes;
    if (bl_train_memory(&m->trial->config, s->data, s->resident, &bytes, &ignored) != BL_OK)
        return s->memory;
    return bytes + (s->resident != NULL ? s->resident->device->queue_bytes : 0);
}

void bl_room_plan(const bl_room *room, const bl_scheduler *s) {
    for (size_t i = 0; room->memory > 0 && i < room->count; i++)
        room->member[i].bytes = planned(s, &room->member[i]);
}

/* A busy member may be opening its run. */
static bool is_open(const bl_member *m) {
    return m->state == BL_MEMBER_BUSY || m->train != NULL;
}

bool bl_room_for(const bl_room *room, const bl_member *member) {
    size_t used = 0;
    if (room->memory == 0) return true;
    for (size_t i = 0; i < room->count; i++) {
        const bl_member *m = &room->member[i];
        if (m != member && is_open(m)) used += m->bytes;
    }
    return used == 0 || used + member->bytes <= room->memory;
}

bl_member *bl_room_open(const bl_room *room, bool least,
                        bool (*wanted)(const void *ctx, const bl_member *member), const void *ctx) {
    bl_member *best = NULL;
    for (size_t i = 0; i < room->count; i++) {
        bl_member *m = &room->member[i];
        if (m->state != BL_MEMBER_IDLE || m->train == NULL || !wanted(ctx, m)) continue;
        const int64_t step = bl_member_step(m), so_far = best != NULL ? bl_member_step(best) : 0;
        if (best == NULL || (least ? step < so_far : step > so_far)) best = m;
    }
    return best;
}
