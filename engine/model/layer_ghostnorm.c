/* Batch normalisation of a picture's channels over the examples and positions of a chunk of the
 * batch: about set.ghost examples, all that come at once if that is 0 (Hoffer, Hubara, Soudry
 * 2017). For inference, running statistics that move once a batch by the average of its chunks. */
#include "engine/config/ghost.h"
#include "engine/model/layer.h"
#include <stdio.h>

enum { GAMMA, BETA, RUNNING_MEAN, RUNNING_VAR };

static bl_status add(bl_net *net, bl_net_node *node, const char *name, bl_init init, bool running,
                     bl_err *err) {
    bl_param p = {.rows = 1, .cols = node->shape.channels, .init = init, .running = running};
    (void)snprintf(p.name, sizeof p.name, "%s", name);
    return bl_net_add_param(net, node, &p, err);
}

static bl_status shape(bl_net *net, bl_net_node *node, bl_err *err) {
    node->width = node->in_width[0];
    /* mean and rstd of every chunk; a batch has no more chunks than examples */
    if (node->set.ghost == 0) node->saved = 2 * node->shape.channels;
    if (node->set.ghost > 0) node->saved_each = 2 * node->shape.channels;
    BL_TRY(add(net, node, "gamma", BL_INIT_ONE, false, err));
    BL_TRY(add(net, node, "beta", BL_INIT_ZERO, false, err));
    BL_TRY(add(net, node, "running_mean", BL_INIT_ZERO, true, err));
    return add(net, node, "running_var", BL_INIT_ONE, true, err);
}

static size_t chunks_of(const bl_net_node *node, size_t batch) {
    return node->set.ghost > 0 ? bl_ghost_chunks(batch, node->set.ghost) : 1;
}

static void forward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const size_t chunks = chunks_of(node, pass->batch);
    const bl_ghostnorm_forward args = {.y = node->y,
                                       .mean = node->memory,
                                       .rstd = node->memory + chunks * node->shape.channels,
                                       .sum_mean = node->grad[RUNNING_MEAN],
                                       .sum_var = node->grad[RUNNING_VAR],
                                       .x = node->x[0],
                                       .gamma = node->param[GAMMA],
                                       .beta = node->param[BETA],
                                       .epilogue = node->epilogue,
                                       .batch = pass->batch,
                                       .positions = bl_shape_positions(node->shape),
                                       .n = node->shape.channels,
                                       .chunks = chunks,
                                       .eps = bl_layer_eps(node)};
    pass->kernels->ghostnorm_forward(&args, part);
}

static void infer(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const bl_batchnorm_inference args = {.y = node->y,
                                         .x = node->x[0],
                                         .running_mean = node->param[RUNNING_MEAN],
                                         .running_var = node->param[RUNNING_VAR],
                                         .gamma = node->param[GAMMA],
                                         .beta = node->param[BETA],
                                         .epilogue = node->epilogue,
                                         .batch = pass->batch * bl_shape_positions(node->shape),
                                         .n = node->shape.channels,
                                         .eps = bl_layer_eps(node)};
    pass->kernels->batchnorm_inference(&args, part);
}

static void backward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const size_t chunks = chunks_of(node, pass->batch);
    /* Nobody may want dx, but the kernel writes it: over dy, which has served. */
    const bl_ghostnorm_backward args = {.dx = node->dx[0] != NULL ? node->dx[0] : node->dy,
                                        .dgamma = node->grad[GAMMA],
                                        .dbeta = node->grad[BETA],
                                        .dy = node->dy,
                                        .x = node->x[0],
                                        .mean = node->memory,
                                        .rstd = node->memory + chunks * node->shape.channels,
                                        .gamma = node->param[GAMMA],
                                        .batch = pass->batch,
                                        .positions = bl_shape_positions(node->shape),
                                        .n = node->shape.channels,
                                        .chunks = chunks};
    pass->kernels->ghostnorm_backward(&args, part);
}

const bl_layer bl_layer_ghostnorm = {.name = "ghostnorm",
                                     .inputs = 1,
                                     .fuses_relu = true,
                                     .fuses_add = true,
                                     .shares_gradient = true,
                                     .shape = shape,
                                     .forward = forward,
                                     .infer = infer,
                                     .backward = backward,
                                     .chunks = chunks_of};
