/* Mean of (y - target)^2. */
#include "engine/model/loss.h"

static void run(const bl_kernels *kernels, const float *y, const float *target, size_t count,
                double *value, float *dy, const bl_part *part) {
    const bl_mse args = {.loss = value, .dy = dy, .y = y, .target = target, .count = count};
    kernels->mse(&args, part);
}

const bl_loss bl_loss_mse = {.name = "mse", .run = run};
