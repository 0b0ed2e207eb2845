/* Simple CNN: two blocks of convolution ("same", 5 x 5; 32, then 64 filters, or model.filters),
 * ReLU and max pooling by 2; then the fully connected net. That of the literature has model.hidden
 * = [1024] and model.dropout = [0.4] (Shallue et al. 2019). */
#include "engine/model/model.h"

static bl_status add_block(bl_net *net, size_t filters, size_t *at, bl_err *err) {
    const bl_layer_settings conv = {.units = filters, .kernel = 5, .same = true};
    const bl_layer_settings pool = {.kernel = 2, .stride = 2};
    BL_TRY(bl_net_add(net, "conv2d", &conv, *at, 0, at, err));
    BL_TRY(bl_net_add(net, "relu", NULL, *at, 0, at, err));
    return bl_net_add(net, "max_pool", &pool, *at, 0, at, err);
}

static bl_status build(bl_net *net, const bl_config *config, const bl_model_input *input,
                       bl_err *err) {
    static const size_t literature[] = {32, 64};
    size_t at = BL_NET_VALUES, filters[BL_COUNT(literature)];
    BL_TRY(bl_model_check_pictures(config, input, err));
    BL_TRY(bl_model_filters(config, literature, BL_COUNT(literature), filters, err));
    for (size_t i = 0; i < BL_COUNT(filters); i++) BL_TRY(add_block(net, filters[i], &at, err));
    return bl_model_add_head(net, config, input, &at, err);
}

const bl_model bl_model_simple_cnn = {.name = "simple_cnn", .pictures = true, .build = build};
