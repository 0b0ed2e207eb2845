/* y = the first input, every channel times the second input's feature for it: the end of a
 * squeeze-and-excitation block (Hu, Shen, Sun 2018). */
#include "engine/model/layer.h"

static bl_status shape(bl_net *net, bl_net_node *node, bl_err *err) {
    (void)net;
    if (node->in_width[1] != node->in_shape[0].channels)
        BL_FAIL(err, BL_EINVAL, "%zu factors cannot scale %zu channels", node->in_width[1],
                node->in_shape[0].channels);
    node->width = node->in_width[0];
    return BL_OK;
}

static void forward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const bl_scale_forward args = {.y = node->y,
                                   .x = node->x[0],
                                   .s = node->x[1],
                                   .batch = pass->batch,
                                   .positions = bl_shape_positions(node->shape),
                                   .n = node->shape.channels};
    pass->kernels->scale_forward(&args, part);
}

/* dx[0] lies where dy does, or nobody wants it. */
static void backward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const bl_scale_backward args = {.dx = node->dy,
                                    .ds = node->dx[1],
                                    .dy = node->dy,
                                    .x = node->x[0],
                                    .s = node->x[1],
                                    .batch = pass->batch,
                                    .positions = bl_shape_positions(node->shape),
                                    .n = node->shape.channels};
    pass->kernels->scale_backward(&args, part);
}

const bl_layer bl_layer_scale = {.name = "scale",
                                 .inputs = 2,
                                 .shares_gradient = true,
                                 .shape = shape,
                                 .forward = forward,
                                 .backward = backward};
