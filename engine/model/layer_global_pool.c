/* The mean of every channel over the whole picture. */
#include "engine/model/layer.h"

static bl_status shape(bl_net *net, bl_net_node *node, bl_err *err) {
    (void)net, (void)err;
    node->width = node->in_shape[0].channels;
    return BL_OK;
}

static void forward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const bl_mean_positions_forward args = {.y = node->y,
                                            .x = node->x[0],
                                            .batch = pass->batch,
                                            .positions = bl_shape_positions(node->in_shape[0]),
                                            .n = node->width};
    pass->kernels->mean_positions_forward(&args, part);
}

static void backward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    if (node->dx[0] == NULL) return;
    const bl_mean_positions_backward args = {.dx = node->dx[0],
                                             .dy = node->dy,
                                             .batch = pass->batch,
                                             .positions = bl_shape_positions(node->in_shape[0]),
                                             .n = node->width};
    pass->kernels->mean_positions_backward(&args, part);
}

const bl_layer bl_layer_global_pool = {
    .name = "global_pool", .inputs = 1, .shape = shape, .forward = forward, .backward = backward};
