/* ResNet-8 (He et al. 2016, with one block a stage): a convolution to 16 channels, then three
 * residual blocks of two 3 x 3 convolutions with 16, 32 and 64 filters, the last two of stride 2;
 * (or model.filters; the first convolution has as many as the first block); the mean of every
 * channel; one dense output. Shortcuts are the identity; where the shape changes, by
 * model.shortcut, a 1 x 1 convolution or every other position and channels of 0. Every convolution
 * is followed by model.norm. */
#include "engine/model/model.h"
#include <string.h>

static bl_status add_conv(bl_net *net, const bl_config *config, const bl_layer_settings *conv,
                          size_t *at, bl_err *err) {
    const bool ghost = strcmp(config->model.norm, "ghost") == 0;
    const bl_layer_settings norm = {.ghost = ghost ? (size_t)config->model.ghost_size : 0};
    BL_TRY(bl_net_add(net, "conv2d", conv, *at, 0, at, err));
    if (strcmp(config->model.norm, "none") == 0) return BL_OK;
    return bl_net_add(net, ghost ? "ghost_norm" : "batch_norm2d", &norm, *at, 0, at, err);
}

/* What brings a block's input to the shape of its output; *at is the block's input. */
static bl_status add_shortcut(bl_net *net, const bl_config *config, size_t filters, size_t stride,
                              size_t *at, bl_err *err) {
    const bl_layer_settings change = {.units = filters, .kernel = 1, .stride = stride};
    if (stride == 1) return BL_OK;
    if (strcmp(config->model.shortcut, "pad") == 0)
        return bl_net_add(net, "pad_channels", &change, *at, 0, at, err);
    return add_conv(net, config, &change, at, err);
}

static bl_status add_block(bl_net *net, const bl_config *config, size_t filters, size_t stride,
                           size_t *at, bl_err *err) {
    const bl_layer_settings first = {.units = filters, .kernel = 3, .stride = stride, .same = true};
    const bl_layer_settings second = {.units = filters, .kernel = 3, .same = true};
    BL_TRY(bl_net_add(net, "fork", NULL, *at, 0, at, err));
    size_t shortcut = *at;
    BL_TRY(add_conv(net, config, &first, at, err));
    BL_TRY(bl_net_add(net, "relu", NULL, *at, 0, at, err));
    BL_TRY(add_conv(net, config, &second, at, err));
    BL_TRY(add_shortcut(net, config, filters, stride, &shortcut, err));
    BL_TRY(bl_net_add(net, "add", NULL, *at, shortcut, at, err));
    return bl_net_add(net, "relu", NULL, *at, 0, at, err);
}

static bl_status build(bl_net *net, const bl_config *config, const bl_model_input *input,
                       bl_err *err) {
    static const size_t literature[] = {16, 32, 64};
    const bl_layer_settings outputs = {.units = bl_model_outputs(input)};
    size_t at = BL_NET_VALUES, filters[BL_COUNT(literature)];
    BL_TRY(bl_model_check_pictures(config, input, err));
    BL_TRY(bl_model_filters(config, literature, BL_COUNT(literature), filters, err));
    const bl_layer_settings first = {.units = filters[0], .kernel = 3, .same = true};
    BL_TRY(add_conv(net, config, &first, &at, err));
    BL_TRY(bl_net_add(net, "relu", NULL, at, 0, &at, err));
    BL_TRY(add_block(net, config, filters[0], 1, &at, err));
    BL_TRY(add_block(net, config, filters[1], 2, &at, err));
    BL_TRY(add_block(net, config, filters[2], 2, &at, err));
    BL_TRY(bl_net_add(net, "global_pool", NULL, at, 0, &at, err));
    return bl_net_add(net, "dense", &outputs, at, 0, &at, err);
}

const bl_model bl_model_resnet8 = {.name = "resnet8", .pictures = true, .build = build};
