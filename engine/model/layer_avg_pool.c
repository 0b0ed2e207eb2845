/* The mean of every window. */
#include "engine/model/pooling.h"

static bl_status shape(bl_net *net, bl_net_node *node, bl_err *err) {
    (void)net;
    return bl_pooling_shape(node, err);
}

static void forward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const bl_avg_pool_forward args = {
        .y = node->y, .x = node->x[0], .pool = bl_pooling_of(node, pass->batch)};
    pass->kernels->avg_pool_forward(&args, part);
}

static void backward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    if (node->dx[0] == NULL) return;
    const bl_avg_pool_backward args = {
        .dx = node->dx[0], .dy = node->dy, .pool = bl_pooling_of(node, pass->batch)};
    pass->kernels->avg_pool_backward(&args, part);
}

const bl_layer bl_layer_avg_pool = {
    .name = "avg_pool", .inputs = 1, .shape = shape, .forward = forward, .backward = backward};
