#include "engine/base/mem.h"
#include "kernels/cpu/cpu.h"

/* The rule-B sum; the tree's levels are few numbers and stay on the stack. */
static double squared_error(const bl_mse *a) {
    double level[64], acc = 0;
    for (size_t begin = 0, block = 0; begin < a->count; begin += BL_BLOCK, block++) {
        const size_t end = bl_min_size(begin + BL_BLOCK, a->count);
        acc = 0;
        for (size_t i = begin; i < end; i++) {
            const double e = (double)a->y[i] - (double)a->target[i];
            acc = acc + e * e;
        }
        int l = 0;
        for (; block >> l; l++)
            if (block >> l & 1)
                acc = level[l] + acc;
            else if (end < a->count)
                break;
        level[l] = acc;
    }
    return acc;
}

void BL_CPU(mse)(const bl_mse *a, const bl_part *part) {
    if (part->part == 0) *a->loss = a->count ? squared_error(a) / (double)a->count : 0.0;
    if (!a->dy) return;
    const float scale = 2.0f / (float)a->count;
    const bl_range range = bl_part_range(part, a->count, BL_W);
    for (size_t i = range.begin; i < range.end; i++) a->dy[i] = scale * (a->y[i] - a->target[i]);
}
