/* Dropout: a fraction `rate` of the features becomes 0, the others grow by 1 / (1 - rate). Which
 * ones depends on the example's place in the stream of examples alone. Inference changes nothing.
 */
#include "engine/model/layer.h"

static bl_status shape(bl_net *net, bl_net_node *node, bl_err *err) {
    (void)net;
    if (!(node->set.rate >= 0.0 && node->set.rate < 1.0))
        BL_FAIL(err, BL_EINVAL, "dropout is %g; it has to be at least 0 and below 1",
                node->set.rate);
    node->width = node->in_width[0];
    return BL_OK;
}

static void mask(float *y, const float *x, const bl_net_node *node, const bl_pass *pass,
                 const bl_part *part) {
    const bl_dropout args = {.y = y,
                             .x = x,
                             .batch = pass->batch,
                             .n = node->width,
                             .seed = pass->seed,
                             .layer = (uint32_t)node->index,
                             .position = pass->position,
                             .from = pass->from,
                             .threshold = (uint32_t)(node->set.rate * 0x1p+32),
                             .scale = (float)(1.0 / (1.0 - node->set.rate))};
    pass->kernels->dropout(&args, part);
}

static void forward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    mask(node->y, node->x[0], node, pass, part);
}

/* y shares x's memory: nothing to do. */
static void infer(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    (void)node, (void)pass, (void)part;
}

static void backward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    mask(node->dx[0], node->dy, node, pass, part);
}

const bl_layer bl_layer_dropout = {.name = "dropout",
                                   .inputs = 1,
                                   .shares_output = true,
                                   .shares_gradient = true,
                                   .shape = shape,
                                   .forward = forward,
                                   .infer = infer,
                                   .backward = backward};
