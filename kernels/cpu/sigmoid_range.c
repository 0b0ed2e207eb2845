/* sigmoid_range: plain loops, as bl_sigmoid of kernels/shared/exact_math.h is scalar. Every
 * operation is rounded as the contract writes it, so these are the bits of the other backends. */
#include "kernels/cpu/cpu.h"
#include "kernels/shared/exact_math.h"

void BL_CPU(sigmoid_range_forward)(const bl_sigmoid_range_forward *a, const bl_part *part) {
    const bl_range range = bl_part_range(part, a->count, BL_W);
    const float span = a->high - a->low;
    for (size_t i = range.begin; i < range.end; i++) {
        a->s[i] = bl_sigmoid(a->x[i]);
        a->y[i] = fmaf(span, a->s[i], a->low);
    }
}

void BL_CPU(sigmoid_range_backward)(const bl_sigmoid_range_backward *a, const bl_part *part) {
    const bl_range range = bl_part_range(part, a->count, BL_W);
    const float span = a->high - a->low;
    for (size_t i = range.begin; i < range.end; i++)
        a->dx[i] = a->dy[i] * (span * (a->s[i] * (1.0f - a->s[i])));
}
