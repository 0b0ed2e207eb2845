#include "engine/base/mem.h"
#include "engine/base/named.h"
#include "engine/model/loss.h"

#define ROW(name, reads) &bl_loss_##name,
const bl_loss *const bl_loss_table[] = {BL_CHOICES_LOSS(ROW)};
#undef ROW
const size_t bl_loss_count = BL_COUNT(bl_loss_table);

const bl_loss *bl_loss_find(const char *name) {
    return bl_named_find(bl_loss_table, bl_loss_count, name);
}
