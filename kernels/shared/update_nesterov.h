/* g' = g + weight_decay p;  v <- momentum v + g';  p <- p - rate (g' + momentum v)
 * (Nesterov 1983, in PyTorch's form: p is the point ahead, where the gradient is taken, and the
 * rate is outside of v. Sutskever et al. 2013 keep the point behind and the rate inside; both agree
 * while rate and momentum stay the same.) */
#ifndef BL_KERNELS_SHARED_UPDATE_NESTEROV_H
#define BL_KERNELS_SHARED_UPDATE_NESTEROV_H
#include "kernels/shared/update.h"

enum { bl_update_nesterov_states = 1 };
static inline BL_HD float bl_update_nesterov(const bl_update_numbers *n, float p, float g,
                                             float *s0, float *s1) {
    (void)s1;
    g = g + n->decay * p;
    *s0 = bl_flush_tiny(n->momentum * *s0 + g);
    return p - n->rate * (g + n->momentum * *s0);
}
#endif
