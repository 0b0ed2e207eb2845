/* Depthwise convolutions: as many groups as channels and filters, so that a channel is seen by one
 * filter. At most BL_BLOCK taps: one block of rule F. */
#ifndef BL_KERNELS_CPU_DEPTHWISE_H
#define BL_KERNELS_CPU_DEPTHWISE_H
#include "kernels/cpu/conv_ranges.h"
#include "kernels/cpu/cpu.h"

static inline bool bl_is_depthwise(const bl_conv *v) {
    return v->groups > 1 && v->groups == v->channels && v->groups == v->filters &&
           v->kernel * v->kernel <= BL_BLOCK;
}
void BL_CPU(depthwise_forward)(const bl_conv2d_forward *a, const bl_part *part);
void BL_CPU(depthwise_backward_input)(const bl_conv2d_backward_input *a, const bl_part *part);
void BL_CPU(depthwise_backward_weight)(const bl_conv2d_backward_weight *a, const bl_part *part);
#endif
