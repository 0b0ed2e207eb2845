/* hard_sigmoid and hard_swish (kernels/kernel_image.h), forward and backward, vector by vector. The
 * formulas have three cases, at x <= -3, in between, and x > 3. All lanes compute the middle case;
 * then two selections put the others in, the one at x <= -3 last. A NaN takes part in no
 * comparison, so y is one, too. kernels/ref/hard_activation.c is the same with branches. */
#include "kernels/cpu/cpu.h"

static const float k_low = 3.0f, k_six = 6.0f;

BL_INLINE void sigmoid_forward(const void *ctx, size_t i, bl_lanes m) {
    const bl_hard_sigmoid_forward *a = ctx;
    const bl_v x = bl_v_get(a->x + i, m), three = bl_v_set1(k_low), up = x + three;
    const bl_v y = bl_v_if_greater(x, three, bl_v_set1(1.0f), up / bl_v_set1(k_six));
    bl_v_put(a->y + i, bl_v_if_positive(up, y), m);
}
BL_INLINE void sigmoid_backward(const void *ctx, size_t i, bl_lanes m) {
    const bl_hard_sigmoid_backward *a = ctx;
    const bl_v x = bl_v_get(a->x + i, m), three = bl_v_set1(k_low);
    const bl_v dx =
        bl_v_if_greater(x, three, bl_v_zero(), bl_v_get(a->dy + i, m) / bl_v_set1(k_six));
    bl_v_put(a->dx + i, bl_v_if_positive(x + three, dx), m);
}
BL_INLINE void swish_forward(const void *ctx, size_t i, bl_lanes m) {
    const bl_hard_swish_forward *a = ctx;
    const bl_v x = bl_v_get(a->x + i, m), three = bl_v_set1(k_low), up = x + three;
    const bl_v y = bl_v_if_greater(x, three, x, x * (up / bl_v_set1(k_six)));
    bl_v_put(a->y + i, bl_v_if_positive(up, y), m);
}
BL_INLINE void swish_backward(const void *ctx, size_t i, bl_lanes m) {
    const bl_hard_swish_backward *a = ctx;
    const bl_v x = bl_v_get(a->x + i, m), dy = bl_v_get(a->dy + i, m), three = bl_v_set1(k_low);
    const bl_v inside = dy * (((x + x) + three) / bl_v_set1(k_six));
    bl_v_put(a->dx + i, bl_v_if_positive(x + three, bl_v_if_greater(x, three, dy, inside)), m);
}

void BL_CPU(hard_sigmoid_forward)(const bl_hard_sigmoid_forward *a, const bl_part *part) {
    bl_for_vectors(bl_part_range(part, a->count, BL_W), sigmoid_forward, a);
}
void BL_CPU(hard_sigmoid_backward)(const bl_hard_sigmoid_backward *a, const bl_part *part) {
    bl_for_vectors(bl_part_range(part, a->count, BL_W), sigmoid_backward, a);
}
void BL_CPU(hard_swish_forward)(const bl_hard_swish_forward *a, const bl_part *part) {
    bl_for_vectors(bl_part_range(part, a->count, BL_W), swish_forward, a);
}
void BL_CPU(hard_swish_backward)(const bl_hard_swish_backward *a, const bl_part *part) {
    bl_for_vectors(bl_part_range(part, a->count, BL_W), swish_backward, a);
}
