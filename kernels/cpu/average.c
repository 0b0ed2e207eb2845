/* power_average: average + weight * (value - average). The contract has three roundings, so
 * there is no fma here. */
#include "kernels/cpu/cpu.h"

typedef struct average {
    const bl_power_average *a;
    bl_v weight;
} average;

BL_INLINE void step(const void *ctx, size_t i, bl_lanes m) {
    const average *r = ctx;
    const bl_v before = bl_v_get(r->a->average + i, m);
    const bl_v away = bl_v_get(r->a->value + i, m) - before;
    bl_v_put(r->a->average + i, before + r->weight * away, m);
}

void BL_CPU(power_average)(const bl_power_average *a, const bl_part *part) {
    const average r = {a, bl_v_set1(a->weight)};
    bl_for_vectors(bl_part_range(part, a->count, BL_W), step, &r);
}
