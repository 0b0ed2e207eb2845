/* Adam; weight decay is part of the gradient. */
#ifndef BL_KERNELS_SHARED_UPDATE_ADAM_H
#define BL_KERNELS_SHARED_UPDATE_ADAM_H
#include "kernels/shared/update.h"

enum { bl_update_adam_states = 2 };
static inline BL_HD float bl_update_adam(const bl_update_numbers *n, float p, float g, float *s0,
                                         float *s1) {
    g = g + n->decay * p;
    return p - bl_update_moments(n, g, s0, s1);
}
#endif
