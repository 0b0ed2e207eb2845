/* y = the sum of both inputs: the end of a residual block. */
#include "engine/model/layer.h"

static bl_status shape(bl_net *net, bl_net_node *node, bl_err *err) {
    (void)net;
    const bl_shape a = node->in_shape[0], b = node->in_shape[1];
    if (a.height != b.height || a.width != b.width || a.channels != b.channels)
        BL_FAIL(err, BL_EINVAL, "%zu x %zu x %zu and %zu x %zu x %zu features cannot be added",
                a.height, a.width, a.channels, b.height, b.width, b.channels);
    node->width = node->in_width[0];
    return BL_OK;
}

static void forward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const bl_add args = {
        .y = node->y, .a = node->x[0], .b = node->x[1], .count = pass->batch * node->width};
    pass->kernels->add(&args, part);
}

/* dx[0] lies where dy does. */
static void backward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    if (node->dx[1] == NULL || node->dx[1] == node->dy) return;
    const bl_copy_columns args = {.y = node->dx[1],
                                  .x = node->dy,
                                  .batch = pass->batch,
                                  .n = node->width,
                                  .y_stride = node->width,
                                  .x_stride = node->width};
    pass->kernels->copy_columns(&args, part);
}

const bl_layer bl_layer_add = {.name = "add",
                               .inputs = 2,
                               .shares_gradient = true,
                               .shape = shape,
                               .forward = forward,
                               .backward = backward};
