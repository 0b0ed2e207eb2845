/* relu_forward and relu_backward: vectors through bl_v_if_positive, which lets a NaN through as
 * the contract asks. No element depends on another, so any cut into parts gives the same bits. */
#include "kernels/cpu/cpu.h"

BL_INLINE void forward(const void *ctx, size_t i, bl_lanes m) {
    const bl_relu_forward *a = ctx;
    const bl_v x = bl_v_get(a->x + i, m);
    bl_v_put(a->y + i, bl_v_if_positive(x, x), m);
}

void BL_CPU(relu_forward)(const bl_relu_forward *a, const bl_part *part) {
    bl_for_vectors(bl_part_range(part, a->count, BL_W), forward, a);
}

BL_INLINE void backward(const void *ctx, size_t i, bl_lanes m) {
    const bl_relu_backward *a = ctx;
    bl_v_put(a->dx + i, bl_v_if_positive(bl_v_get(a->y + i, m), bl_v_get(a->dy + i, m)), m);
}

void BL_CPU(relu_backward)(const bl_relu_backward *a, const bl_part *part) {
    bl_for_vectors(bl_part_range(part, a->count, BL_W), backward, a);
}
