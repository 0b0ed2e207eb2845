/* What adam and adamw share: m <- beta1 m + (1 - beta1) g;  v <- beta2 v + (1 - beta2) g g;
 * p <- p - (rate / weight1) m / (sqrt(v) / sqrt(weight2) + eps)   (Kingma and Ba 2015)
 *
 * A v below 2^-100 counts as 0: then sqrt(v) would have been below 2^-50, which nobody sees beside
 * the least eps that the configuration takes, 1e-10. */
#ifndef BL_ENGINE_OPTIM_ADAM_H
#define BL_ENGINE_OPTIM_ADAM_H
#include "engine/optim/optim.h"
#include "kernels/exact_math.h"

typedef struct bl_adam {
    float beta1, rest1, beta2, rest2; /* rest = 1 - beta, rounded once */
    float rate, scale, eps;           /* rate / weight1, 1 / sqrt(weight2) */
} bl_adam;

static inline BL_HD bl_adam bl_adam_of(const bl_optim_step *args) {
    return (bl_adam){.beta1 = (float)args->momentum,
                     .rest1 = (float)(1.0 - args->momentum),
                     .beta2 = (float)args->beta2,
                     .rest2 = (float)(1.0 - args->beta2),
                     .rate = (float)(args->rate / args->weight1),
                     .scale = (float)(1.0 / bl_sqrt64(args->weight2)),
                     .eps = (float)args->eps};
}

/* The change of one parameter. */
static inline BL_HD float bl_adam_delta(const bl_adam *a, float g, float *m, float *v) {
    *m = bl_flush_tiny(a->beta1 * *m + a->rest1 * g);
    *v = bl_flush_tiny(a->beta2 * *v + a->rest2 * (g * g));
    return a->rate * (*m / (bl_sqrtf(*v) * a->scale + a->eps));
}
#endif
