#include "engine/base/mem.h"
#include "engine/optim/schedule.h"
#include <string.h>

#define ROW(name) &bl_schedule_##name,
const bl_schedule *const bl_schedule_table[] = {BL_CHOICES_SCHEDULE(ROW)};
#undef ROW
const size_t bl_schedule_count = BL_COUNT(bl_schedule_table);

const bl_schedule *bl_schedule_find(const char *name) {
    for (size_t i = 0; i < bl_schedule_count; i++)
        if (strcmp(bl_schedule_table[i]->name, name) == 0) return bl_schedule_table[i];
    return NULL;
}
