/* Mean of -sum_j q_j log p_j, p the softmax of y; q is 1 at the target's class and 0 elsewhere, or
 * with label smoothing e (Szegedy et al. 2016) 1 - e + e / classes and e / classes. */
#include "engine/model/loss.h"

static void run(const bl_kernels *kernels, const bl_loss_args *a, const bl_part *part) {
    const bl_softmax_cross_entropy args = {.sum = a->sum,
                                           .dy = a->dy,
                                           .y = a->y,
                                           .target = a->target,
                                           .batch = a->count,
                                           .classes = a->width,
                                           .total = a->total,
                                           .smoothing = a->label_smoothing};
    kernels->softmax_cross_entropy(&args, part);
}

const bl_loss bl_loss_cross_entropy = {.name = "cross_entropy", .classes = true, .run = run};
