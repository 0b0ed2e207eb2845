#include "engine/base/mem.h"
#include "engine/optim/optim.h"
#include <string.h>

#define ROW(name) &bl_optim_##name,
const bl_optim *const bl_optim_table[] = {BL_CHOICES_OPTIMIZER(ROW)};
#undef ROW
const size_t bl_optim_count = BL_COUNT(bl_optim_table);

const bl_optim *bl_optim_find(const char *name) {
    for (size_t i = 0; i < bl_optim_count; i++)
        if (strcmp(bl_optim_table[i]->name, name) == 0) return bl_optim_table[i];
    return NULL;
}
