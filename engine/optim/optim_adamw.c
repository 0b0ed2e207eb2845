/* Adam with decoupled weight decay: p <- (1 - rate weight_decay) p first (Loshchilov and Hutter
 * 2019). Every parameter decays, biases and batch norm too, as in fastai. */
#include "engine/optim/adam.h"

BL_CLONES static void step(const bl_optim_step *args, size_t begin, size_t end) {
    const bl_adam adam = bl_adam_of(args);
    const float keep = (float)(1.0 - args->rate * args->weight_decay);
    float *restrict p = args->param, *restrict m = args->state[0], *restrict v = args->state[1];
    const float *restrict grad = args->grad;
    for (size_t i = begin; i < end; i++) {
        const float g = bl_flush_tiny(grad[i]);
        p[i] = p[i] * keep - bl_adam_delta(&adam, g, &m[i], &v[i]);
    }
}

const bl_optim bl_optim_adamw = {.name = "adamw", .states = 2, .adam = true, .step = step};
