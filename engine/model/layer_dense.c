/* y = x w + bias. Both start uniform within 1 / sqrt(features in), PyTorch's default, unless the
 * model gives the weights' deviation (`spread`): then they are normal and the bias is 0. */
#include "engine/base/mem.h"
#include "engine/model/layer.h"
#include "kernels/part.h"
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

/* dx, unless the input is the data. */
static void backward_input(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    if (node->dx[0] == NULL) return;
    const bl_dense_backward_input args = {.dx = node->dx[0],
                                          .dy = node->dy,
                                          .w = node->param[WEIGHT],
                                          .epilogue = node->dx_epilogue,
                                          .batch = pass->batch,
                                          .k = node->in_width[0],
                                          .n = node->width};
    pass->kernels->dense_backward_input(&args, part);
}

/* What dw and dbias are computed from. */
static bl_dense_backward_weight weight_args(const bl_net_node *node, const bl_pass *pass) {
    return (bl_dense_backward_weight){.dw = node->grad[WEIGHT],
                                      .dbias = node->grad[BIAS],
                                      .x = node->x[0],
                                      .dy = node->dy,
                                      .batch = pass->batch,
                                      .k = node->in_width[0],
                                      .n = node->width};
}

static void backward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const bl_dense_backward_weight args = weight_args(node, pass);
    pass->kernels->dense_backward_weight(&args, part);
    backward_input(node, pass, part);
}

/* dw strip by strip, each updated while it is in the second cache. All strips lie in the same
 * place, where the first one of the part belongs: so the gradient as a whole is neither written to
 * memory nor read from it. */
static void backward_update(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    enum { STRIP_FLOATS = 1 << 15, WHOLE_ROWS = 16 };
    const bl_dense_backward_weight all = weight_args(node, pass);
    const bl_range rows = bl_part_range(part, all.k, WHOLE_ROWS);
    const bl_part alone = {.part = 0, .parts = 1, .scratch = part->scratch};
    const size_t fit = STRIP_FLOATS / all.n / WHOLE_ROWS * WHOLE_ROWS;
    const size_t strip = bl_size_max(fit, WHOLE_ROWS);
    for (size_t i = rows.begin; i < rows.end; i += strip) {
        bl_dense_backward_weight args = all;
        args.dw = all.dw + rows.begin * all.n;
        args.dbias = i == 0 ? all.dbias : NULL;
        args.x = all.x + i;
        args.x_stride = all.k;
        args.k = bl_size_min(strip, rows.end - i);
        pass->kernels->dense_backward_weight(&args, &alone);
        pass->update->weights(pass->update->ctx, args.dw, all.dw + i * all.n, args.k * all.n);
    }
}

const bl_layer bl_layer_dense = {.name = "dense",
                                 .inputs = 1,
                                 .fuses_add = true,
                                 .fuses_relu = true,
                                 .fuses_backward = true,
                                 .shape = shape,
                                 .forward = forward,
                                 .backward = backward,
                                 .backward_input = backward_input,
                                 .backward_update = backward_update};
