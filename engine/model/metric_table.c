#include "engine/base/mem.h"
#include "engine/model/metric.h"
#include <string.h>

#define ROW(name) &bl_metric_##name,
const bl_metric *const bl_metric_table[] = {BL_CHOICES_METRIC(ROW)};
#undef ROW
const size_t bl_metric_count = BL_COUNT(bl_metric_table);

const bl_metric *bl_metric_find(const char *name) {
    for (size_t i = 0; i < bl_metric_count; i++)
        if (strcmp(bl_metric_table[i]->name, name) == 0) return bl_metric_table[i];
    return NULL;
}
