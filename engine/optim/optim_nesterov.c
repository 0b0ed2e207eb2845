/* g' = g + weight_decay p;  v <- momentum v + g';  p <- p - rate (g' + momentum v)
 * (Nesterov 1983, in PyTorch's form: p is the point ahead, where the gradient is taken, and the
 * rate is outside of v. Sutskever et al. 2013 keep the point behind and the rate inside; both agree
 * while rate and momentum stay the same.) */
#include "engine/optim/optim.h"

BL_CLONES static void step(const bl_optim_step *args, size_t begin, size_t end) {
    const float rate = (float)args->rate, decay = (float)args->weight_decay;
    const float momentum = (float)args->momentum;
    float *restrict p = args->param, *restrict v = args->state[0];
    const float *restrict grad = args->grad;
    for (size_t i = begin; i < end; i++) {
        const float g = bl_flush_tiny(grad[i]) + decay * p[i];
        v[i] = bl_flush_tiny(momentum * v[i] + g);
        p[i] = p[i] - rate * (g + momentum * v[i]);
    }
}

const bl_optim bl_optim_nesterov = {.name = "nesterov", .states = 1, .step = step};
