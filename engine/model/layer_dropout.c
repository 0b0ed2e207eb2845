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
    node->saved_each = bl_dropout_mask_bytes(node->width) / sizeof(float); /* the mask */
    return BL_OK;
}

bl_dropout bl_layer_dropout_of(const bl_net_node *node, const bl_pass *pass) {
    return (bl_dropout){.y = node->y,
                        .mask = (unsigned char *)node->memory,
                        .x = node->x[0],
                        .batch = pass->batch,
                        .n = node->width,
                        .seed = pass->seed,
                        .layer = (uint32_t)node->index,
                        .position = pass->position,
                        .from = pass->from,
                        .threshold = (uint32_t)(node->set.rate * 0x1p+32),
                        .scale = (float)(1.0 / (1.0 - node->set.rate))};
}

static void forward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const bl_dropout args = bl_layer_dropout_of(node, pass);
    pass->kernels->dropout(&args, part);
}

/* y shares x's memory: nothing to do. */
static void infer(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    (void)node, (void)pass, (void)part;
}

static void backward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const bl_dropout forward_args = bl_layer_dropout_of(node, pass);
    const bl_dropout_backward args = {.dx = node->dx[0],
                                      .dy = node->dy,
                                      .mask = forward_args.mask,
                                      .batch = pass->batch,
                                      .n = node->width,
                                      .scale = forward_args.scale};
    pass->kernels->dropout_backward(&args, part);
}

const bl_layer bl_layer_dropout = {.name = "dropout",
                                   .inputs = 1,
                                   .shares_output = true,
                                   .shares_gradient = true,
                                   .shape = shape,
                                   .forward = forward,
                                   .infer = infer,
                                   .backward = backward};
