/* y = low + (high - low) / (1 + e^-x): a prediction that cannot leave a known range. */
#include "engine/model/layer.h"

static bl_status shape(bl_net *net, bl_net_node *node, bl_err *err) {
    (void)net;
    if (!(node->set.high > node->set.low))
        BL_FAIL(err, BL_EINVAL,
                "the output's range would be %g to %g: nothing lies between (model.output)",
                (double)node->set.low, (double)node->set.high);
    node->width = node->in_width[0];
    node->saved_each = node->width; /* the sigmoid itself */
    return BL_OK;
}

static void forward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const bl_sigmoid_range_forward args = {.y = node->y,
                                           .s = node->memory,
                                           .x = node->x[0],
                                           .count = pass->batch * node->width,
                                           .low = node->set.low,
                                           .high = node->set.high};
    pass->kernels->sigmoid_range_forward(&args, part);
}

static void backward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const bl_sigmoid_range_backward args = {.dx = node->dx[0],
                                            .dy = node->dy,
                                            .s = node->memory,
                                            .count = pass->batch * node->width,
                                            .low = node->set.low,
                                            .high = node->set.high};
    pass->kernels->sigmoid_range_backward(&args, part);
}

const bl_layer bl_layer_sigmoid_range = {
    .name = "sigmoid_range", .inputs = 1, .shape = shape, .forward = forward, .backward = backward};
