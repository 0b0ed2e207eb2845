/* y = max(x, 0). */
#include "engine/model/layer.h"

static bl_status shape(bl_net *net, bl_net_node *node, bl_err *err) {
    (void)net, (void)err;
    node->width = node->in_width[0];
    return BL_OK;
}

static void forward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const bl_relu_forward args = {
        .y = node->y, .x = node->x[0], .count = pass->batch * node->width};
    pass->kernels->relu_forward(&args, part);
}

static void backward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const bl_relu_backward args = {
        .dx = node->dx[0], .dy = node->dy, .y = node->y, .count = pass->batch * node->width};
    pass->kernels->relu_backward(&args, part);
}

const bl_layer bl_layer_relu = {.name = "relu",
                                .inputs = 1,
                                .shares_output = true,
                                .shares_gradient = true,
                                .shape = shape,
                                .forward = forward,
                                .backward = backward};
