/* p <- p - rate (g + weight_decay p) */
#include "engine/optim/optim.h"

BL_CLONES static void step(const bl_optim_step *args, size_t begin, size_t end) {
    const float rate = (float)args->rate, decay = (float)args->weight_decay;
    float *restrict p = args->param;
    const float *restrict grad = args->grad;
    for (size_t i = begin; i < end; i++) {
        const float g = bl_flush_tiny(grad[i]) + decay * p[i];
        p[i] = p[i] - rate * g;
    }
}

const bl_optim bl_optim_sgd = {.name = "sgd", .step = step};
