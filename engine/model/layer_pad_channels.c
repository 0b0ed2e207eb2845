/* A shortcut without parameters (He et al. 2016, option A): every set.stride-th position, and
 * channels of 0 up to set.units. */
#include "engine/model/layer.h"

static bl_pad_channels pad_of(const bl_net_node *node, size_t batch) {
    return (bl_pad_channels){.batch = batch,
                             .height = node->in_shape[0].height,
                             .width = node->in_shape[0].width,
                             .channels = node->in_shape[0].channels,
                             .out_height = node->shape.height,
                             .out_width = node->shape.width,
                             .out_channels = node->set.units,
                             .stride = node->set.stride > 0 ? node->set.stride : 1};
}

static bl_status shape(bl_net *net, bl_net_node *node, bl_err *err) {
    const bl_pad_channels p = pad_of(node, 0);
    (void)net;
    if (p.out_channels < p.channels)
        BL_FAIL(err, BL_EINVAL, "%zu channels cannot be padded to %zu", p.channels, p.out_channels);
    node->shape =
        (bl_shape){(p.height - 1) / p.stride + 1, (p.width - 1) / p.stride + 1, p.out_channels};
    node->width = bl_shape_positions(node->shape) * p.out_channels;
    return BL_OK;
}

static void forward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const bl_pad_channels_forward args = {node->y, node->x[0], pad_of(node, pass->batch)};
    pass->kernels->pad_channels_forward(&args, part);
}

static void backward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    if (node->dx[0] == NULL) return;
    const bl_pad_channels_backward args = {node->dx[0], node->dy, pad_of(node, pass->batch)};
    pass->kernels->pad_channels_backward(&args, part);
}

const bl_layer bl_layer_pad_channels = {.name = "pad_channels",
                                        .inputs = 1,
                                        .keeps_gradient = true,
                                        .shape = shape,
                                        .forward = forward,
                                        .backward = backward};
