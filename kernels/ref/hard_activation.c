#include "kernels/ref/ref.h"

/* y = min(max(x + 3, 0), 6) / 6: a straight line from 0 at -3 to 1 at 3. */
BL_REF void bl_hard_sigmoid_forward_ref(const bl_hard_sigmoid_forward *a, const bl_part *part) {
    const bl_range range = bl_part_range(part, a->count, 1);
    for (size_t i = range.begin; i < range.end; i++) {
        const float x = a->x[i];
        a->y[i] = x <= -3.0f ? 0.0f : x > 3.0f ? 1.0f : (x + 3.0f) / 6.0f;
    }
}

/* dx = dy / 6 where the line rises, else +0. */
BL_REF void bl_hard_sigmoid_backward_ref(const bl_hard_sigmoid_backward *a, const bl_part *part) {
    const bl_range range = bl_part_range(part, a->count, 1);
    for (size_t i = range.begin; i < range.end; i++)
        a->dx[i] = a->x[i] <= -3.0f || a->x[i] > 3.0f ? 0.0f : a->dy[i] / 6.0f;
}

/* y = x min(max(x + 3, 0), 6) / 6 (Howard et al. 2019). */
BL_REF void bl_hard_swish_forward_ref(const bl_hard_swish_forward *a, const bl_part *part) {
    const bl_range range = bl_part_range(part, a->count, 1);
    for (size_t i = range.begin; i < range.end; i++) {
        const float x = a->x[i];
        a->y[i] = x <= -3.0f ? 0.0f : x > 3.0f ? x : x * ((x + 3.0f) / 6.0f);
    }
}

/* dx = dy (2 x + 3) / 6 between, dy above 3, +0 from -3 down. */
BL_REF void bl_hard_swish_backward_ref(const bl_hard_swish_backward *a, const bl_part *part) {
    const bl_range range = bl_part_range(part, a->count, 1);
    for (size_t i = range.begin; i < range.end; i++) {
        const float x = a->x[i], dy = a->dy[i];
        a->dx[i] = x <= -3.0f ? 0.0f : x > 3.0f ? dy : dy * (((x + x) + 3.0f) / 6.0f);
    }
}
