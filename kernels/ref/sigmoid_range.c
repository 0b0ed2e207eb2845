#include "kernels/ref/ref.h"
#include "kernels/shared/exact_math.h"

/* s = 1 / (1 + e^-x), y = low + (high - low) s; s is kept for backward. */
BL_REF void bl_sigmoid_range_forward_ref(const bl_sigmoid_range_forward *a, const bl_part *part) {
    const bl_range range = bl_part_range(part, a->count, 1);
    for (size_t i = range.begin; i < range.end; i++) {
        a->s[i] = bl_sigmoid(a->x[i]);
        a->y[i] = fmaf(a->high - a->low, a->s[i], a->low);
    }
}

/* dx = dy (high - low) s (1 - s). */
BL_REF void bl_sigmoid_range_backward_ref(const bl_sigmoid_range_backward *a, const bl_part *part) {
    const bl_range range = bl_part_range(part, a->count, 1);
    for (size_t i = range.begin; i < range.end; i++) {
        const float s = a->s[i];
        a->dx[i] = a->dy[i] * ((a->high - a->low) * (s * (1.0f - s)));
    }
}
