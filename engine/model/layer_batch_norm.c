/* Batch normalisation (Ioffe, Szegedy 2015): y = (x - mean) / sqrt(var + eps) * gamma + beta,
 * channel by channel. In training mean and var are those of the examples that come at once, a batch
 * or a piece of it; for inference, running statistics that move once a batch.
 *
 *     batch_norm     of features: one number an example and channel
 *     batch_norm2d   of a picture's channels, over examples and positions
 *     ghost_norm     the same over chunks of about set.ghost examples, each by itself (Hoffer,
 *                    Hubara, Soudry 2017); the running statistics move by the average of the chunks
 *
 * The sums of the first have one term an example, those of the others a chain of positions an
 * example, so a picture of one position is not the same bits as a feature: builders say which they
 * mean. All keep mean and rstd for backward, and all have the same parameters. */
#include "engine/config/ghost.h"
#include "engine/model/layer.h"
#include <stdio.h>

enum { GAMMA, BETA, RUNNING_MEAN, RUNNING_VAR };

/* ---- what all of them share: n channels ---- */

static bl_status add_params(bl_net *net, bl_net_node *node, size_t n, bl_err *err) {
    static const struct {
        const char *name;
        bl_init init;
        bool running;
    } each[] = {
        [GAMMA] = {"gamma",        BL_INIT_ONE,  false},
        [BETA] = {"beta",         BL_INIT_ZERO, false},
        [RUNNING_MEAN] = {"running_mean", BL_INIT_ZERO, true },
        [RUNNING_VAR] = {"running_var",  BL_INIT_ONE,  true },
    };
    for (size_t i = 0; i < BL_COUNT(each); i++) {
        bl_param p = {.rows = 1, .cols = n, .init = each[i].init, .running = each[i].running};
        (void)snprintf(p.name, sizeof p.name, "%s", each[i].name);
        BL_TRY(bl_net_add_param(net, node, &p, err));
    }
    return BL_OK;
}

/* Of `rows` times n values. */
static void infer_rows(const bl_net_node *node, const bl_pass *pass, const bl_part *part,
                       size_t rows, size_t n) {
    const bl_batchnorm_inference args = {.y = node->y,
                                         .x = node->x[0],
                                         .running_mean = node->param[RUNNING_MEAN],
                                         .running_var = node->param[RUNNING_VAR],
                                         .gamma = node->param[GAMMA],
                                         .beta = node->param[BETA],
                                         .batch = rows,
                                         .n = n,
                                         .eps = bl_layer_eps(node),
                                         .epilogue = node->epilogue};
    pass->kernels->batchnorm_inference(&args, part);
}

/* Where dx goes. Nobody may want it, but the kernels write it: over dy, which has served. */
static float *dx_of(const bl_net_node *node) {
    return node->dx[0] != NULL ? node->dx[0] : node->dy;
}

/* ---- features ---- */

static bl_status shape(bl_net *net, bl_net_node *node, bl_err *err) {
    node->width = node->in_width[0];
    node->saved = 2 * node->width; /* mean, rstd */
    return add_params(net, node, node->width, err);
}

static size_t one_chunk(const bl_net_node *node, size_t batch) {
    (void)node, (void)batch;
    return 1;
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

static void infer(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    infer_rows(node, pass, part, pass->batch, node->width);
}

static void backward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    bl_batchnorm_backward args = {.dx = dx_of(node),
                                  .dgamma = node->grad[GAMMA],
                                  .dbeta = node->grad[BETA],
                                  .dy = node->dy,
                                  .x = node->x[0],
                                  .mean = node->memory,
                                  .rstd = node->memory + node->width,
                                  .gamma = node->param[GAMMA],
                                  .batch = pass->batch,
                                  .n = node->width,
                                  .epilogue = node->dx_epilogue};
    if (node->dropout != NULL) {
        const bl_dropout dropout = bl_layer_dropout_of(node->dropout, pass);
        args.mask = dropout.mask;
        args.mask_scale = dropout.scale;
    }
    pass->kernels->batchnorm_backward(&args, part);
}

const bl_layer bl_layer_batch_norm = {.name = "batch_norm",
                                      .inputs = 1,
                                      .shares_gradient = true,
                                      .fuses_dropout = true,
                                      .fuses_backward = true,
                                      .shape = shape,
                                      .forward = forward,
                                      .infer = infer,
                                      .backward = backward,
                                      .chunks = one_chunk};

/* ---- pictures ---- */

static bl_status shape2d(bl_net *net, bl_net_node *node, bl_err *err) {
    const size_t n = node->shape.channels;
    node->width = node->in_width[0];
    /* mean and rstd of every chunk; a batch has no more chunks than examples */
    if (node->set.ghost == 0) node->saved = 2 * n;
    if (node->set.ghost > 0) node->saved_each = 2 * n;
    return add_params(net, node, n, err);
}

static size_t chunks_of(const bl_net_node *node, size_t batch) {
    return node->set.ghost > 0 ? bl_ghost_chunks(batch, node->set.ghost) : 1;
}

static void forward2d(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const size_t chunks = chunks_of(node, pass->batch);
    const bl_batchnorm2d_forward args = {.y = node->y,
                                         .mean = node->memory,
                                         .rstd = node->memory + chunks * node->shape.channels,
                                         .sum_mean = node->grad[RUNNING_MEAN],
                                         .sum_var = node->grad[RUNNING_VAR],
                                         .x = node->x[0],
                                         .gamma = node->param[GAMMA],
                                         .beta = node->param[BETA],
                                         .batch = pass->batch,
                                         .positions = bl_shape_positions(node->shape),
                                         .n = node->shape.channels,
                                         .chunks = chunks,
                                         .eps = bl_layer_eps(node),
                                         .epilogue = node->epilogue};
    pass->kernels->batchnorm2d_forward(&args, part);
}

static void infer2d(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    infer_rows(node, pass, part, pass->batch * bl_shape_positions(node->shape),
               node->shape.channels);
}

static void backward2d(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const size_t chunks = chunks_of(node, pass->batch);
    const bl_batchnorm2d_backward args = {.dx = dx_of(node),
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
    pass->kernels->batchnorm2d_backward(&args, part);
}

#define OF_PICTURES(text)                                                                          \
    {                                                                                              \
        .name = (text), .inputs = 1, .fuses_add = true, .fuses_relu = true,                        \
        .shares_gradient = true, .shape = shape2d, .forward = forward2d, .infer = infer2d,         \
        .backward = backward2d, .chunks = chunks_of                                                \
    }
const bl_layer bl_layer_batch_norm2d = OF_PICTURES("batch_norm2d");
const bl_layer bl_layer_ghost_norm = OF_PICTURES("ghost_norm");
