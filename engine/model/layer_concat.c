/* y = both inputs' features side by side. */
#include "engine/model/layer.h"
#include "kernels/part.h"
#include <string.h>

static bl_status shape(bl_net *net, bl_net_node *node, bl_err *err) {
    (void)net, (void)err;
    node->width = node->in_width[0] + node->in_width[1];
    return BL_OK;
}

static void forward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const bl_range rows = bl_part_range(part, pass->batch, 1);
    const size_t a = node->in_width[0], b = node->in_width[1];
    for (size_t i = rows.begin; i < rows.end; i++) {
        memcpy(node->y + i * (a + b), node->x[0] + i * a, a * sizeof(float));
        memcpy(node->y + i * (a + b) + a, node->x[1] + i * b, b * sizeof(float));
    }
}

static void backward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    const bl_range rows = bl_part_range(part, pass->batch, 1);
    const size_t a = node->in_width[0], b = node->in_width[1];
    for (size_t i = rows.begin; i < rows.end; i++) {
        const float *dy = node->dy + i * (a + b);
        if (node->dx[0] != NULL) memcpy(node->dx[0] + i * a, dy, a * sizeof(float));
        if (node->dx[1] != NULL) memcpy(node->dx[1] + i * b, dy + a, b * sizeof(float));
    }
}

const bl_layer bl_layer_concat = {
    .name = "concat", .inputs = 2, .shape = shape, .forward = forward, .backward = backward};
