/* Group norm (Wu, He 2018): every example's channels in set.groups groups, each normalised over its
 * channels and positions. */
#include "engine/model/layer_group_norm.h"

enum { GAMMA, BETA };

bl_status bl_layer_group_norm_shape(bl_net *net, bl_net_node *node, size_t groups, bl_err *err) {
    const size_t n = node->in_shape[0].channels;
    if (groups < 1 || n % groups != 0)
        BL_FAIL(err, BL_EINVAL, "%zu channels cannot be normalised in %zu groups", n, groups);
    if (n > BL_GROUPNORM_CHANNELS)
        BL_FAIL(err, BL_EINVAL, "%zu channels are more than the %d that are normalised together", n,
                BL_GROUPNORM_CHANNELS);
    node->width = node->in_width[0];
    node->saved_each = 2 * groups; /* mean, rstd */
    const bl_param gamma = {.name = "gamma", .rows = 1, .cols = n, .init = BL_INIT_ONE};
    const bl_param beta = {.name = "beta", .rows = 1, .cols = n, .init = BL_INIT_ZERO};
    BL_TRY(bl_net_add_param(net, node, &gamma, err));
    return bl_net_add_param(net, node, &beta, err);
}

void bl_layer_group_norm_run(const bl_net_node *node, size_t groups, const bl_pass *pass,
                             const bl_part *part) {
    const bl_groupnorm_forward args = {.y = node->y,
                                       .mean = node->memory,
                                       .rstd = node->memory + pass->batch * groups,
                                       .x = node->x[0],
                                       .gamma = node->param[GAMMA],
                                       .beta = node->param[BETA],
                                       .batch = pass->batch,
                                       .positions = bl_shape_positions(node->shape),
                                       .n = node->shape.channels,
                                       .groups = groups,
                                       .eps = bl_layer_eps(node)};
    pass->kernels->groupnorm_forward(&args, part);
}

void bl_layer_group_norm_back(const bl_net_node *node, size_t groups, const bl_pass *pass,
                              const bl_part *part) {
    const bl_groupnorm_backward_weight weight = {.dgamma = node->grad[GAMMA],
                                                 .dbeta = node->grad[BETA],
                                                 .dy = node->dy,
                                                 .x = node->x[0],
                                                 .mean = node->memory,
                                                 .rstd = node->memory + pass->batch * groups,
                                                 .batch = pass->batch,
                                                 .positions = bl_shape_positions(node->shape),
                                                 .n = node->shape.channels,
                                                 .groups = groups};
    pass->kernels->groupnorm_backward_weight(&weight, part);
    if (node->dx[0] == NULL) return;
    const bl_groupnorm_backward_input input = {.dx = node->dx[0],
                                               .dy = node->dy,
                                               .x = node->x[0],
                                               .mean = weight.mean,
                                               .rstd = weight.rstd,
                                               .gamma = node->param[GAMMA],
                                               .batch = pass->batch,
                                               .positions = weight.positions,
                                               .n = weight.n,
                                               .groups = groups};
    pass->kernels->groupnorm_backward_input(&input, part);
}

static bl_status shape(bl_net *net, bl_net_node *node, bl_err *err) {
    return bl_layer_group_norm_shape(net, node, node->set.groups, err);
}
static void forward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    bl_layer_group_norm_run(node, node->set.groups, pass, part);
}
static void backward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    bl_layer_group_norm_back(node, node->set.groups, pass, part);
}

const bl_layer bl_layer_group_norm = {
    .name = "group_norm", .inputs = 1, .shape = shape, .forward = forward, .backward = backward};
