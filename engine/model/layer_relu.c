/* y = max(x, 0). */
#include "engine/model/layer.h"

static bl_status shape(bl_net *net, bl_net_node *node, bl_err *err) {
    (void)err;
    node->width = node->in_width[0];
    if (node->in[0] == BL_NET_VALUES) return BL_OK;
    bl_net_node *source = &net->node[node->in[0]];
    if (source->added) source--;
    node->relu = source->relu = source->layer->takes_relu;
    return BL_OK;
}

static void forward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    if (node->relu) return; /* the layer before has applied it, where y lies */
    const bl_relu_forward args = {
        .y = node->y, .x = node->x[0], .count = pass->batch * node->width};
    pass->kernels->relu_forward(&args, part);
}

static void backward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    if (node->ended) return;
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
