#include "engine/base/mem.h"
#include "engine/base/named.h"
#include "engine/model/metric.h"

#define ROW(name, reads) &bl_metric_##name,
const bl_metric *const bl_metric_table[] = {BL_CHOICES_METRIC(ROW)};
#undef ROW
const size_t bl_metric_count = BL_COUNT(bl_metric_table);

const bl_metric *bl_metric_find(const char *name) {
    return bl_named_find(bl_metric_table, bl_metric_count, name);
}
