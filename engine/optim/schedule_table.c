#include "engine/base/mem.h"
#include "engine/optim/schedule.h"
#include <string.h>

const bl_schedule *const bl_schedule_table[] = {&bl_schedule_constant, &bl_schedule_linear,
                                                &bl_schedule_cosine, &bl_schedule_one_cycle};
const size_t bl_schedule_count = BL_COUNT(bl_schedule_table);

const bl_schedule *bl_schedule_find(const char *name) {
    for (size_t i = 0; i < bl_schedule_count; i++)
        if (strcmp(bl_schedule_table[i]->name, name) == 0) return bl_schedule_table[i];
    return NULL;
}
