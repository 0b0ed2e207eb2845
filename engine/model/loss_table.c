#include "engine/base/mem.h"
#include "engine/model/loss.h"
#include <string.h>

#define ROW(name) &bl_loss_##name,
const bl_loss *const bl_loss_table[] = {BL_CHOICES_LOSS(ROW)};
#undef ROW
const size_t bl_loss_count = BL_COUNT(bl_loss_table);

const bl_loss *bl_loss_find(const char *name) {
    for (size_t i = 0; i < bl_loss_count; i++)
        if (strcmp(bl_loss_table[i]->name, name) == 0) return bl_loss_table[i];
    return NULL;
}
