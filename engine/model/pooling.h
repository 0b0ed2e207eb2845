/* What the two pooling layers share: windows of set.kernel, set.stride apart (0: 1). */
#ifndef BL_ENGINE_MODEL_POOLING_H
#define BL_ENGINE_MODEL_POOLING_H
#include "engine/model/layer.h"

static inline bl_pool2d bl_pooling_of(const bl_net_node *node, size_t batch) {
    return (bl_pool2d){.batch = batch,
                       .height = node->in_shape[0].height,
                       .width = node->in_shape[0].width,
                       .channels = node->in_shape[0].channels,
                       .out_height = node->shape.height,
                       .out_width = node->shape.width,
                       .size = node->set.kernel,
                       .stride = node->set.stride > 0 ? node->set.stride : 1};
}

static inline bl_status bl_pooling_shape(bl_net_node *node, bl_err *err) {
    const bl_pool2d p = bl_pooling_of(node, 0);
    if (p.size < 1 || p.size > p.height || p.size > p.width)
        BL_FAIL(err, BL_EINVAL, "pooling by %zu does not fit a picture of %zu by %zu", p.size,
                p.height, p.width);
    node->shape = (bl_shape){(p.height - p.size) / p.stride + 1, (p.width - p.size) / p.stride + 1,
                             p.channels};
    node->width = bl_shape_positions(node->shape) * p.channels;
    return BL_OK;
}
#endif
