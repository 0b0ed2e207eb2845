/* Convolution of a picture (kernels/kernel_image.h), "same" or valid. Weights and biases start
 * uniform within 1 / sqrt(terms of an output), or as `spread` says: as those of dense do. */
#include "engine/model/layer.h"
#include "kernels/shared/exact_math.h"

enum { WEIGHT, BIAS };
static const size_t k_most_line = 1 << 18; /* floats: what kernels hold in scratch */

/* A setting that was left at 0 is 1. */
static size_t or_one(size_t setting) {
    return setting > 0 ? setting : 1;
}

static bl_conv conv_of(const bl_net_node *node, size_t batch) {
    return (bl_conv){.batch = batch,
                     .height = node->in_shape[0].height,
                     .width = node->in_shape[0].width,
                     .channels = node->in_shape[0].channels,
                     .out_height = node->shape.height,
                     .out_width = node->shape.width,
                     .filters = node->set.units,
                     .kernel = node->set.kernel,
                     .stride = or_one(node->set.stride),
                     .pad = node->set.same ? (node->set.kernel - 1) / 2 : 0,
                     .groups = or_one(node->set.groups)};
}

/* The window fits the padded picture, groups divide channels and filters, and a line fits the
 * scratch. */
static bl_status check(const bl_net_node *node, bl_err *err) {
    const bl_conv c = conv_of(node, 0);
    if (c.kernel < 1 || c.kernel > c.height + 2 * c.pad || c.kernel > c.width + 2 * c.pad)
        BL_FAIL(err, BL_EINVAL, "a %zu by %zu convolution does not fit a picture of %zu by %zu",
                c.kernel, c.kernel, c.height, c.width);
    if (c.filters < 1 || c.channels % c.groups != 0 || c.filters % c.groups != 0)
        BL_FAIL(err, BL_EINVAL, "a convolution of %zu channels to %zu filters has no %zu groups",
                c.channels, c.filters, c.groups);
    if (c.kernel * (c.width + 2 * c.pad + c.stride) * bl_size_max(c.channels, c.filters) >
        k_most_line)
        BL_FAIL(err, BL_EINVAL,
                "a %zu by %zu convolution of pictures %zu wide, %zu channels to %zu filters, is "
                "larger than the kernels take",
                c.kernel, c.kernel, c.width, c.channels, c.filters);
    return BL_OK;
}

/* y is (h + 2 pad - kernel) / stride + 1 high and wide, set.units channels deep. */
static bl_status shape(bl_net *net, bl_net_node *node, bl_err *err) {
    BL_TRY(check(node, err));
    const bl_conv c = conv_of(node, 0);
    const size_t k = c.kernel * c.kernel * c.channels / c.groups, n = c.filters;
    const float bound = 1.0f / bl_sqrtf((float)k);
    node->shape = (bl_shape){(c.height + 2 * c.pad - c.kernel) / c.stride + 1,
                             (c.width + 2 * c.pad - c.kernel) / c.stride + 1, n};
    node->width = bl_shape_positions(node->shape) * n;
    node->multiplies = node->width * k;
    BL_TRY(bl_net_add_param(
        net, node,
        &(bl_param){.name = "weight",
                    .rows = k,
                    .cols = n,
                    .init = node->set.spread > 0.0f ? BL_INIT_NORMAL : BL_INIT_UNIFORM,
                    .scale = node->set.spread > 0.0f ? node->set.spread : bound},
        err));
    if (node->set.no_bias) return BL_OK;
    return bl_net_add_param(
        net, node,
        &(bl_param){.name = "bias",
                    .rows = 1,
                    .cols = n,
                    .init = node->set.spread > 0.0f ? BL_INIT_ZERO : BL_INIT_UNIFORM,
                    .scale = bound},
        err);
}

static void forward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const bl_conv2d_forward args = {.y = node->y,
                                    .x = node->x[0],
                                    .w = node->param[WEIGHT],
                                    .bias = node->set.no_bias ? NULL : node->param[BIAS],
                                    .epilogue = node->epilogue,
                                    .conv = conv_of(node, pass->batch)};
    pass->kernels->conv2d_forward(&args, part);
}

/* dw and dbias, then dx, unless the input is the data. */
static void backward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const bl_conv2d_backward_weight weight = {.dw = node->grad[WEIGHT],
                                              .dbias = node->set.no_bias ? NULL : node->grad[BIAS],
                                              .x = node->x[0],
                                              .dy = node->dy,
                                              .conv = conv_of(node, pass->batch)};
    pass->kernels->conv2d_backward_weight(&weight, part);
    if (node->dx[0] == NULL) return;
    const bl_conv2d_backward_input input = {.dx = node->dx[0],
                                            .dy = node->dy,
                                            .w = node->param[WEIGHT],
                                            .epilogue = node->dx_epilogue,
                                            .conv = conv_of(node, pass->batch)};
    pass->kernels->conv2d_backward_input(&input, part);
}

const bl_layer bl_layer_conv2d = {.name = "conv2d",
                                  .inputs = 1,
                                  .fuses_relu = true,
                                  .fuses_add = true,
                                  .fuses_backward = true,
                                  .keeps_gradient = true,
                                  .shape = shape,
                                  .forward = forward,
                                  .backward = backward};
