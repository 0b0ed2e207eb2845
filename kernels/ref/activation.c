#include "kernels/ref/ref.h"

/* y = max(x, 0), a NaN staying one. */
BL_REF void bl_relu_forward_ref(const bl_relu_forward *a, const bl_part *part) {
    const bl_range range = bl_part_range(part, a->count, 1);
    for (size_t i = range.begin; i < range.end; i++) a->y[i] = a->x[i] <= 0.0f ? 0.0f : a->x[i];
}

/* dx = dy where y > 0, else +0. */
BL_REF void bl_relu_backward_ref(const bl_relu_backward *a, const bl_part *part) {
    const bl_range range = bl_part_range(part, a->count, 1);
    for (size_t i = range.begin; i < range.end; i++) a->dx[i] = a->y[i] <= 0.0f ? 0.0f : a->dy[i];
}
