/* Depthwise convolutions: as many groups as channels and filters, so that a channel is seen by one
 * filter. At most BL_BLOCK taps: one block of rule F. */
#ifndef BL_KERNELS_CPU_DEPTHWISE_H
#define BL_KERNELS_CPU_DEPTHWISE_H
#include "kernels/cpu/cpu.h"

static inline bool bl_is_depthwise(const bl_conv *v) {
    return v->groups > 1 && v->groups == v->channels && v->groups == v->filters &&
           v->kernel * v->kernel <= BL_BLOCK;
}
void BL_CPU(depthwise_forward)(const bl_conv2d_forward *a, const bl_part *part);
void BL_CPU(depthwise_backward_input)(const bl_conv2d_backward_input *a, const bl_part *part);
void BL_CPU(depthwise_backward_weight)(const bl_conv2d_backward_weight *a, const bl_part *part);

/* Along one dimension: the taps that see a position of x with remainder `remainder` modulo the
 * stride, the last of them, and the position of y it is seen by from position `remainder`. */
typedef struct bl_phase {
    size_t taps, last;
    ptrdiff_t first;
} bl_phase;
static inline bl_phase bl_phase_of(const bl_conv *v, size_t remainder) {
    const size_t least = (remainder + v->pad) % v->stride; /* the smallest such tap */
    if (least >= v->kernel) return (bl_phase){0};
    const size_t taps = (v->kernel - 1 - least) / v->stride + 1,
                 last = least + (taps - 1) * v->stride;
    const ptrdiff_t above = (ptrdiff_t)(remainder + v->pad) - (ptrdiff_t)last;
    return (bl_phase){.taps = taps, .last = last, .first = above / (ptrdiff_t)v->stride};
}
#endif
