/* Batch normalisation over the examples that come at once: the batch, or a piece of it. For
 * inference, running statistics that move once a batch. */
#include "engine/model/layer.h"
#include <stdio.h>

enum { GAMMA, BETA, RUNNING_MEAN, RUNNING_VAR };

static bl_status add(bl_net *net, bl_net_node *node, const char *name, bl_init init, bool running,
                     bl_err *err) {
    bl_param p = {.rows = 1, .cols = node->width, .init = init, .running = running};
    (void)snprintf(p.name, sizeof p.name, "%s", name);
    return bl_net_add_param(net, node, &p, err);
}

static bl_status shape(bl_net *net, bl_net_node *node, bl_err *err) {
    node->width = node->in_width[0];
    node->saved = 2 * node->width; /* mean, rstd */
    BL_TRY(add(net, node, "gamma", BL_INIT_ONE, false, err));
    BL_TRY(add(net, node, "beta", BL_INIT_ZERO, false, err));
    BL_TRY(add(net, node, "running_mean", BL_INIT_ZERO, true, err));
    return add(net, node, "running_var", BL_INIT_ONE, true, err);
}

static void forward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    bl_batchnorm_forward args = {.y = node->y,
                                 .mean = node->memory,
                                 .rstd = node->memory + node->width,
                                 .sum_mean = node->grad[RUNNING_MEAN],
                                 .sum_var = node->grad[RUNNING_VAR],
                                 .x = node->x[0],
                                 .gamma = node->param[GAMMA],
                                 .beta = node->param[BETA],
                                 .batch = pass->batch,
                                 .n = node->width,
                                 .eps = bl_layer_eps(node)};
    if (node->dropout != NULL) args.dropout = bl_layer_dropout_of(node->dropout, pass);
    pass->kernels->batchnorm_forward(&args, part);
}

static size_t chunks_of(const bl_net_node *node, size_t batch) {
    (void)node, (void)batch;
    return 1;
}

static void infer(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const bl_batchnorm_inference args = {.y = node->y,
                                         .x = node->x[0],
                                         .running_mean = node->param[RUNNING_MEAN],
                                         .running_var = node->param[RUNNING_VAR],
                                         .gamma = node->param[GAMMA],
                                         .beta = node->param[BETA],
                                         .batch = pass->batch,
                                         .n = node->width,
                                         .eps = bl_layer_eps(node)};
    pass->kernels->batchnorm_inference(&args, part);
}

static void backward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    /* Nobody may want dx, but the kernel writes it: over dy, which has served. */
    bl_batchnorm_backward args = {.dx = node->dx[0] != NULL ? node->dx[0] : node->dy,
                                  .dgamma = node->grad[GAMMA],
                                  .dbeta = node->grad[BETA],
                                  .dy = node->dy,
                                  .x = node->x[0],
                                  .mean = node->memory,
                                  .rstd = node->memory + node->width,
                                  .gamma = node->param[GAMMA],
                                  .epilogue = node->dx_epilogue,
                                  .batch = pass->batch,
                                  .n = node->width};
    if (node->dropout != NULL) {
        const bl_dropout dropout = bl_layer_dropout_of(node->dropout, pass);
        args.mask = dropout.mask;
        args.mask_scale = dropout.scale;
    }
    pass->kernels->batchnorm_backward(&args, part);
}

const bl_layer bl_layer_batchnorm = {.name = "batchnorm",
                                     .inputs = 1,
                                     .shares_gradient = true,
                                     .fuses_dropout = true,
                                     .fuses_backward = true,
                                     .shape = shape,
                                     .forward = forward,
                                     .infer = infer,
                                     .backward = backward,
                                     .chunks = chunks_of};
