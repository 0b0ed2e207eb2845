/* y = x min(max(x + 3, 0), 6) / 6 (Howard et al. 2019). */
#include "engine/model/layer.h"

static bl_status shape(bl_net *net, bl_net_node *node, bl_err *err) {
    (void)net, (void)err;
    node->width = node->in_width[0];
    return BL_OK;
}

static void forward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const bl_hard_swish_forward args = {
        .y = node->y, .x = node->x[0], .count = pass->batch * node->width};
    pass->kernels->hard_swish_forward(&args, part);
}

static void backward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    if (node->dx[0] == NULL) return;
    const bl_hard_swish_backward args = {
        .dx = node->dx[0], .dy = node->dy, .x = node->x[0], .count = pass->batch * node->width};
    pass->kernels->hard_swish_backward(&args, part);
}

const bl_layer bl_layer_hard_swish = {.name = "hard_swish",
                                      .inputs = 1,
                                      .shares_gradient = true,
                                      .shape = shape,
                                      .forward = forward,
                                      .backward = backward};
