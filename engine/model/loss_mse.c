/* Mean of (y - target)^2. */
#include "engine/model/loss.h"

static void run(const bl_kernels *kernels, const bl_loss_args *a, const bl_part *part) {
    const bl_mse args = {.sum = a->sum,
                         .dy = a->dy,
                         .y = a->y,
                         .target = a->target,
                         .count = a->count,
                         .total = a->total};
    kernels->mse(&args, part);
}

const bl_loss bl_loss_mse = {.name = "mse", .run = run};
