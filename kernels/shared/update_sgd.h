/* p <- p - rate (g + weight_decay p) */
#ifndef BL_KERNELS_SHARED_UPDATE_SGD_H
#define BL_KERNELS_SHARED_UPDATE_SGD_H
#include "kernels/shared/update.h"

enum { bl_update_sgd_states = 0 };
static inline BL_HD float bl_update_sgd(const bl_update_numbers *n, float p, float g, float *s0,
                                        float *s1) {
    (void)s0, (void)s1;
    g = g + n->decay * p;
    return p - n->rate * g;
}
#endif
