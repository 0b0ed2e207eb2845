#include "engine/base/mem.h"
#include "engine/base/named.h"
#include "engine/optim/schedule.h"

#define ROW(name, reads) &bl_schedule_##name,
const bl_schedule *const bl_schedule_table[] = {BL_CHOICES_SCHEDULE(ROW)};
#undef ROW
const size_t bl_schedule_count = BL_COUNT(bl_schedule_table);

const bl_schedule *bl_schedule_find(const char *name) {
    return bl_named_find(bl_schedule_table, bl_schedule_count, name);
}
