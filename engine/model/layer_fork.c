/* y = x, for two layers to read: a residual block's body and its shortcut. */
#include "engine/model/layer.h"

static bl_status shape(bl_net *net, bl_net_node *node, bl_err *err) {
    (void)net, (void)err;
    node->width = node->in_width[0];
    node->saved_each = node->width; /* the second reader's gradient */
    return BL_OK;
}

/* y shares x's memory: nothing to do. */
static void forward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    (void)node, (void)pass, (void)part;
}

static void backward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    if (node->reader_count < 2) return;
    const bl_add args = {
        .y = node->dy, .a = node->dy, .b = node->memory, .count = pass->batch * node->width};
    pass->kernels->add(&args, part);
}

const bl_layer bl_layer_fork = {.name = "fork",
                                .inputs = 1,
                                .shares_output = true,
                                .shares_gradient = true,
                                .forks = true,
                                .shape = shape,
                                .forward = forward,
                                .backward = backward};
