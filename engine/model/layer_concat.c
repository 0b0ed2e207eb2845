/* y = both inputs' features side by side. */
#include "engine/model/layer.h"

static bl_status shape(bl_net *net, bl_net_node *node, bl_err *err) {
    (void)net, (void)err;
    node->width = node->in_width[0] + node->in_width[1];
    return BL_OK;
}

static void copy(float *y, size_t y_stride, const float *x, size_t x_stride, size_t n,
                 const bl_pass *pass, const bl_part *part) {
    const bl_copy_columns args = {
        .y = y, .x = x, .batch = pass->batch, .n = n, .y_stride = y_stride, .x_stride = x_stride};
    pass->kernels->copy_columns(&args, part);
}

static void forward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const size_t a = node->in_width[0], b = node->in_width[1];
    copy(node->y, a + b, node->x[0], a, a, pass, part);
    copy(node->y + a, a + b, node->x[1], b, b, pass, part);
}

static void backward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const size_t a = node->in_width[0], b = node->in_width[1];
    if (node->dx[0] != NULL) copy(node->dx[0], a, node->dy, a + b, a, pass, part);
    if (node->dx[1] != NULL) copy(node->dx[1], b, node->dy + a, a + b, b, pass, part);
}

const bl_layer bl_layer_concat = {
    .name = "concat", .inputs = 2, .shape = shape, .forward = forward, .backward = backward};
