#include "engine/base/named.h"
#include "engine/model/layer.h"

const bl_layer *const bl_layer_table[] = {
    &bl_layer_embedding,    &bl_layer_dropout,      &bl_layer_dense,      &bl_layer_relu,
    &bl_layer_batch_norm,   &bl_layer_batch_norm2d, &bl_layer_concat,     &bl_layer_sigmoid_range,
    &bl_layer_conv2d,       &bl_layer_max_pool,     &bl_layer_avg_pool,   &bl_layer_global_pool,
    &bl_layer_ghost_norm,   &bl_layer_fork,         &bl_layer_add,        &bl_layer_scale,
    &bl_layer_hard_sigmoid, &bl_layer_hard_swish,   &bl_layer_group_norm, &bl_layer_layer_norm,
    &bl_layer_pad_channels,
};
const size_t bl_layer_count = BL_COUNT(bl_layer_table);

const bl_layer *bl_layer_find(const char *name) {
    return bl_named_find(bl_layer_table, bl_layer_count, name);
}
