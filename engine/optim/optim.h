/* Optimizers: element by element, fp32, only additions, multiplications, divisions and square roots
 * in the order written, so that vector width and threads cannot change a bit. One file
 * optim_NAME.c and one row of engine/config/choices.h each.
 *
 * Gradients are snapped before they are used and states after they are updated: below 2^-100 in
 * size they become +0, because subnormal numbers are slow and moments of idle embedding rows decay
 * into them. */
#ifndef BL_ENGINE_OPTIM_OPTIM_H
#define BL_ENGINE_OPTIM_OPTIM_H
#include "engine/base/numerics.h"
#include "engine/config/choices.h"
#include "engine/config/config.h"
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

enum { BL_OPTIM_STATES = 2 };

/* One step's numbers. */
typedef struct bl_optim_step {
    float *param; /* updated */
    const float *grad;
    float *state[BL_OPTIM_STATES]; /* updated; `states` of them, +0 at first */
    double rate;                   /* learning rate */
    double momentum;               /* or beta1: what a one-cycle schedule moves */
    double beta2, eps, weight_decay;
    double weight1, weight2; /* adam: 1 - the product of all steps' beta1 (beta2), this one's too */
} bl_optim_step;

typedef struct bl_optim {
    const char *name;
    size_t states; /* floats kept per parameter */
    bool adam;     /* its momentum is called beta1 in the configuration */
    /* Elements [begin, end). */
    void (*step)(const bl_optim_step *args, size_t begin, size_t end);
} bl_optim;

#define DECLARE(name) extern const bl_optim bl_optim_##name;
BL_CHOICES_OPTIMIZER(DECLARE)
#undef DECLARE

extern const bl_optim *const bl_optim_table[];
extern const size_t bl_optim_count;
const bl_optim *bl_optim_find(const char *name); /* NULL: there is none */

static inline BL_HD float bl_flush_tiny(float x) {
    return fabsf(x) < 0x1p-100f ? 0.0f : x;
}
#endif
