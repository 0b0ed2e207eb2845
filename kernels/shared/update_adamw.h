/* Adam with decoupled weight decay: p <- (1 - rate weight_decay) p first (Loshchilov and Hutter
 * 2019). Every parameter decays, biases and batch norm too, as in fastai. */
#ifndef BL_KERNELS_SHARED_UPDATE_ADAMW_H
#define BL_KERNELS_SHARED_UPDATE_ADAMW_H
#include "kernels/shared/update.h"

enum { bl_update_adamw_states = 2 };
static inline BL_HD float bl_update_adamw(const bl_update_numbers *n, float p, float g, float *s0,
                                          float *s1) {
    return p * n->keep - bl_update_moments(n, g, s0, s1);
}
#endif
