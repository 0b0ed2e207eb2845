/* Updates of one parameter, as host and device make them: fp32, only additions, multiplications,
 * divisions and square roots in the order written, so that neither vector width nor threads nor a
 * device can change a bit.
 *
 * An optimizer is one file, update_NAME.h, and one row of engine/config/choices.h. The row names
 * the configuration keys that the formula uses: what it does not name comes as no number. The file
 * says how many states a parameter has, and has the formula:
 *
 *     enum { bl_update_sign_states = 0 };
 *     static inline BL_HD float bl_update_sign(const bl_update_numbers *n, float p, float g,
 *                                              float *s0, float *s1) {
 *         (void)s0, (void)s1;
 *         return p - (g > 0.0f ? n->rate : g < 0.0f ? -n->rate : 0.0f);
 *     }
 *
 * It returns the parameter's next value. `g` is the gradient, with what is below 2^-100 in size as
 * +0; states are to be flushed likewise after they are updated (bl_flush_tiny), because subnormal
 * numbers are slow and moments of idle embedding rows decay into them. s0 and s1 point to the
 * parameter's states, +0 at first; a state that is not declared is no place to look at.
 *
 * The Makefile lists these files in a header, updates_list.h, from which the loops of
 * engine/optim/optim_table.c and of kernels/cuda/training.cu are made. */
#ifndef BL_KERNELS_SHARED_UPDATE_H
#define BL_KERNELS_SHARED_UPDATE_H
#include "kernels/shared/exact_math.h"
#include <stddef.h>

enum { BL_UPDATE_STATES = 2 }; /* the most that an optimizer keeps for a parameter */

/* What one step updates, and by which numbers. */
typedef struct bl_update_step {
    float *param; /* updated */
    const float *grad;
    float *state[BL_UPDATE_STATES]; /* updated; as many as the optimizer has, +0 at first */
    double rate;                    /* learning rate */
    double momentum;                /* or beta1: what a one-cycle schedule moves */
    double beta2, eps, weight_decay;
    double average;          /* share of the new weights in their average, where one is kept */
    double weight1, weight2; /* adam: 1 - the product of all steps' beta1 (beta2), this one's too */
} bl_update_step;

/* The step's numbers as the formulas use them, each rounded to fp32 once. */
typedef struct bl_update_numbers {
    float rate, decay, momentum; /* decay: weight decay as part of the gradient */
    float keep;                  /* 1 - rate x weight decay: what decoupled decay leaves of p */
    /* adam's */
    float beta1, rest1, beta2, rest2; /* rest = 1 - beta */
    float rate_unbiased, scale, eps;  /* rate / weight1, 1 / sqrt(weight2) */
} bl_update_numbers;

static inline BL_HD bl_update_numbers bl_update_numbers_of(const bl_update_step *s) {
    bl_update_numbers n;
    n.rate = (float)s->rate;
    n.decay = (float)s->weight_decay;
    n.momentum = (float)s->momentum;
    n.keep = (float)(1.0 - s->rate * s->weight_decay);
    n.beta1 = (float)s->momentum;
    n.rest1 = (float)(1.0 - s->momentum);
    n.beta2 = (float)s->beta2;
    n.rest2 = (float)(1.0 - s->beta2);
    n.rate_unbiased = (float)(s->rate / s->weight1);
    n.scale = (float)(1.0 / bl_sqrt64(s->weight2));
    n.eps = (float)s->eps;
    return n;
}

static inline BL_HD float bl_flush_tiny(float x) {
    return fabsf(x) < 0x1p-100f ? 0.0f : x;
}

/* What adam and adamw share: m <- beta1 m + (1 - beta1) g;  v <- beta2 v + (1 - beta2) g g;
 * p <- p - (rate / weight1) m / (sqrt(v) / sqrt(weight2) + eps) (Kingma and Ba 2015)
 *
 * A v below 2^-100 counts as 0: then sqrt(v) would have been below 2^-50, which nobody sees beside
 * the least eps that the configuration takes, 1e-10. Returned: the change of the parameter. */
static inline BL_HD float bl_update_moments(const bl_update_numbers *n, float g, float *m,
                                            float *v) {
    *m = bl_flush_tiny(n->beta1 * *m + n->rest1 * g);
    *v = bl_flush_tiny(n->beta2 * *v + n->rest2 * (g * g));
    return n->rate_unbiased * (*m / (bl_sqrtf(*v) * n->scale + n->eps));
}
#endif
