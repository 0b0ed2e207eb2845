/* The largest value of every window; its place is kept. */
#include "engine/model/pooling.h"

static bl_status shape(bl_net *net, bl_net_node *node, bl_err *err) {
    (void)net;
    BL_TRY(bl_pooling_shape(node, err));
    node->saved_each = node->width; /* where in its window */
    return BL_OK;
}

static void forward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const bl_max_pool_forward args = {.y = node->y,
                                      .index = node->memory,
                                      .x = node->x[0],
                                      .pool = bl_pooling_of(node, pass->batch)};
    pass->kernels->max_pool_forward(&args, part);
}

static void backward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    if (node->dx[0] == NULL) return;
    const bl_max_pool_backward args = {.dx = node->dx[0],
                                       .dy = node->dy,
                                       .index = node->memory,
                                       .pool = bl_pooling_of(node, pass->batch)};
    pass->kernels->max_pool_backward(&args, part);
}

const bl_layer bl_layer_max_pool = {
    .name = "max_pool", .inputs = 1, .shape = shape, .forward = forward, .backward = backward};
