/* v <- momentum v + (g + weight_decay p);  p <- p - rate v  (Polyak 1964, as in PyTorch) */
#ifndef BL_KERNELS_SHARED_UPDATE_MOMENTUM_H
#define BL_KERNELS_SHARED_UPDATE_MOMENTUM_H
#include "kernels/shared/update.h"

enum { bl_update_momentum_states = 1 };
static inline BL_HD float bl_update_momentum(const bl_update_numbers *n, float p, float g,
                                             float *s0, float *s1) {
    (void)s1;
    g = g + n->decay * p;
    *s0 = bl_flush_tiny(n->momentum * *s0 + g);
    return p - n->rate * *s0;
}
#endif
