#include "engine/model/metric.h"
#include "engine/base/numerics.h"
#include <math.h>

void bl_metric_begin(bl_metric_sum *sum, const bl_metric *metric) {
    *sum = (bl_metric_sum){.metric = metric};
}

static void close_block(bl_metric_sum *sum) {
    double block = sum->open;
    int i = 0;
    for (; sum->blocks >> i & 1; i++) block = sum->level[i] + block;
    sum->level[i] = block;
    sum->blocks++;
    sum->open = 0.0;
}

void bl_metric_add(bl_metric_sum *sum, const float *y, size_t width, const float *target,
                   size_t count) {
    for (size_t i = 0; i < count; i++) {
        sum->open = sum->open + sum->metric->term(y + i * width, width, (double)target[i]);
        if (++sum->count % BL_BLOCK == 0) close_block(sum);
    }
}

double bl_metric_value(const bl_metric_sum *sum) {
    bl_metric_sum all = *sum;
    double total = 0.0;
    bool any = false;
    if (all.count == 0) return (double)NAN;
    if (all.count % BL_BLOCK != 0) close_block(&all);
    for (int i = 0; i < 64; i++) {
        if (!(all.blocks >> i & 1)) continue;
        total = any ? all.level[i] + total : all.level[i];
        any = true;
    }
    return all.metric->finish(total, (double)all.count);
}
