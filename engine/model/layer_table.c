#include "engine/model/layer.h"

const bl_layer *const bl_layer_table[] = {
    &bl_layer_embedding, &bl_layer_dropout, &bl_layer_dense,         &bl_layer_relu,
    &bl_layer_batchnorm, &bl_layer_concat,  &bl_layer_sigmoid_range,
};
const size_t bl_layer_count = BL_COUNT(bl_layer_table);
