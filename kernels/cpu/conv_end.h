/* What a convolution does to a sum and its bias before it is stored. */
#ifndef BL_KERNELS_CPU_CONV_END_H
#define BL_KERNELS_CPU_CONV_END_H
#include "kernels/cpu/cpu.h"

typedef struct bl_conv_end {
    const float *base; /* of the results; elements of the other two are found by their place */
    const float *plus, *mask; /* NULL: none */
    bool relu;
} bl_conv_end;

/* + plus, and the backward of the mask's relu, for acc, which will be stored at c. */
BL_INLINE bl_v bl_conv_plus(const bl_conv_end *e, bl_v acc, const float *c, bl_lanes m) {
    return acc + bl_v_get(e->plus + (c - e->base), m);
}
BL_INLINE bl_v bl_conv_mask(const bl_conv_end *e, bl_v acc, const float *c, bl_lanes m) {
    return bl_v_if_positive(bl_v_get(e->mask + (c - e->base), m), acc);
}

/* All that is asked for, in order. */
BL_INLINE bl_v bl_conv_finish(const bl_conv_end *e, bl_v acc, const float *c, bl_lanes m) {
    if (e->plus) acc = bl_conv_plus(e, acc, c, m);
    if (e->relu) acc = bl_v_if_positive(acc, acc);
    if (e->mask) acc = bl_conv_mask(e, acc, c, m);
    return acc;
}
#endif
