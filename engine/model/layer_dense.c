/* y = x w + bias. Both start uniform within 1 / sqrt(features in), PyTorch's default, unless the
 * model gives the weights' deviation (`spread`): then they are normal and the bias is 0. */
#include "engine/model/layer.h"
#include "kernels/shared/exact_math.h"

enum { WEIGHT, BIAS };

/* Declares weight (k, n), then bias (n). Without set.spread both are uniform within 1 / sqrt(k);
 * with it the weight is normal and the bias 0. */
static bl_status shape(bl_net *net, bl_net_node *node, bl_err *err) {
    const size_t k = node->in_width[0], n = node->set.units;
    const float bound = 1.0f / bl_sqrtf((float)k);
    node->width = n;
    node->shape = (bl_shape){1, 1, n};
    node->multiplies = k * n;
    BL_TRY(bl_net_add_param(
        net, node,
        &(bl_param){.name = "weight",
                    .rows = k,
                    .cols = n,
                    .init = node->set.spread > 0.0f ? BL_INIT_NORMAL : BL_INIT_UNIFORM,
                    .scale = node->set.spread > 0.0f ? node->set.spread : bound},
        err));
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
    const bl_dense_forward args = {.y = node->y,
                                   .x = node->x[0],
                                   .w = node->param[WEIGHT],
                                   .bias = node->param[BIAS],
                                   .batch = pass->batch,
                                   .k = node->in_width[0],
                                   .n = node->width,
                                   .epilogue = node->epilogue};
    pass->kernels->dense_forward(&args, part);
}

/* dw and dbias, then dx, unless the input is the data. */
static void backward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const size_t k = node->in_width[0], n = node->width;
    const bl_dense_backward_weight weight = {.dw = node->grad[WEIGHT],
                                             .dbias = node->grad[BIAS],
                                             .x = node->x[0],
                                             .dy = node->dy,
                                             .batch = pass->batch,
                                             .k = k,
                                             .n = n};
    pass->kernels->dense_backward_weight(&weight, part);
    if (node->dx[0] == NULL) return;
    const bl_dense_backward_input input = {.dx = node->dx[0],
                                           .dy = node->dy,
                                           .w = node->param[WEIGHT],
                                           .epilogue = node->dx_epilogue,
                                           .batch = pass->batch,
                                           .k = k,
                                           .n = n};
    pass->kernels->dense_backward_input(&input, part);
}

const bl_layer bl_layer_dense = {.name = "dense",
                                 .inputs = 1,
                                 .fuses_add = true,
                                 .fuses_relu = true,
                                 .fuses_backward = true,
                                 .shape = shape,
                                 .forward = forward,
                                 .backward = backward};
