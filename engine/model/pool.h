/* What the two pooling layers share: windows of set.kernel, set.stride apart (0: 1). */
#ifndef BL_ENGINE_MODEL_POOL_H
#define BL_ENGINE_MODEL_POOL_H
#include "engine/model/layer.h"

static inline bl_pool2d bl_pool_of(const bl_net_node *node, size_t batch) {
    return (bl_pool2d){.batch = batch,
                       .height = node->in_image[0].height,
                       .width = node->in_image[0].width,
                       .channels = node->in_image[0].channels,
                       .out_height = node->image.height,
                       .out_width = node->image.width,
                       .size = node->set.kernel,
                       .stride = node->set.stride > 0 ? node->set.stride : 1};
}

static inline bl_status bl_pool_shape(bl_net_node *node, bl_err *err) {
    const bl_pool2d p = bl_pool_of(node, 0);
    if (p.size < 1 || p.size > p.height || p.size > p.width)
        BL_FAIL(err, BL_EINVAL, "pooling by %zu does not fit a picture of %zu by %zu", p.size,
                p.height, p.width);
    node->image = (bl_image){(p.height - p.size) / p.stride + 1, (p.width - p.size) / p.stride + 1,
                             p.channels};
    node->width = bl_image_positions(node->image) * p.channels;
    return BL_OK;
}
#endif
