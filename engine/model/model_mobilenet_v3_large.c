/* MobileNetV3-Large (Howard et al. 2019, table 1). A stem of stride 2; fifteen inverted residual
 * blocks: a 1 x 1 convolution that expands, a depthwise one, in some squeeze-and-excitation, a
 * 1 x 1 convolution that contracts, and the identity beside them where the shape stays; a 1 x 1
 * convolution to six times the channels; the mean of each; two dense layers. Convolutions have no
 * bias but batch norm of eps 0.001 and momentum 0.01, as torchvision has it. model.width scales
 * the channels, to multiples of 8.
 *
 * Initial values are torchvision's, too: weights of convolutions, and of the dense layers that
 * stand for its 1 x 1 convolutions in squeeze-and-excitation, normal with variance 2 / (kernel^2
 * filters) (He et al. 2015, "fan out", groups not counted); of the last two dense layers with
 * deviation 0.01; all biases 0. */
#include "engine/model/model.h"
#include "kernels/shared/exact_math.h"

typedef struct row {
    size_t kernel, expanded, out, stride;
    bool squeeze, swish;
} row;
static const row k_rows[] = {
    {3, 16,  16,  1, false, false},
    {3, 64,  24,  2, false, false},
    {3, 72,  24,  1, false, false},
    {5, 72,  40,  2, true,  false},
    {5, 120, 40,  1, true,  false},
    {5, 120, 40,  1, true,  false},
    {3, 240, 80,  2, false, true },
    {3, 200, 80,  1, false, true },
    {3, 184, 80,  1, false, true },
    {3, 184, 80,  1, false, true },
    {3, 480, 112, 1, true,  true },
    {3, 672, 112, 1, true,  true },
    {5, 672, 160, 2, true,  true },
    {5, 960, 160, 1, true,  true },
    {5, 960, 160, 1, true,  true },
};
enum { STEM = 16, LAST = 1280 };

/* The multiple of 8 nearest to `wanted`, at least 8, and not below nine tenths of it. */
static size_t eights(double wanted) {
    const size_t near = bl_size_max(8, (size_t)(wanted + 4.0) / 8 * 8);
    return (double)near < 0.9 * wanted ? near + 8 : near;
}

static size_t scaled(const bl_config *config, size_t channels) {
    return eights((double)channels * config->model.width);
}

static float fan_out_spread(size_t kernel, size_t filters) {
    return bl_sqrtf(2.0f / (float)(kernel * kernel * filters));
}

/* Convolution and batch norm. */
static bl_status add_conv(bl_net *net, bl_layer_settings conv, size_t *at, bl_err *err) {
    const bl_layer_settings norm = {.eps = 0.001f, .momentum = 0.01f};
    conv.no_bias = true;
    conv.same = true;
    conv.spread = fan_out_spread(conv.kernel, conv.units);
    BL_TRY(bl_net_add(net, "conv2d", &conv, *at, 0, at, err));
    return bl_net_add(net, "batch_norm2d", &norm, *at, 0, at, err);
}

static bl_status add_plain(bl_net *net, const char *layer, size_t *at, bl_err *err) {
    return bl_net_add(net, layer, NULL, *at, 0, at, err);
}

static bl_status add_activation(bl_net *net, bool swish, size_t *at, bl_err *err) {
    return add_plain(net, swish ? "hard_swish" : "relu", at, err);
}

/* Every channel times a factor that two dense layers make of the channels' means. */
static bl_status add_squeeze(bl_net *net, size_t channels, size_t *at, bl_err *err) {
    const size_t few = eights((double)channels / 4.0);
    const bl_layer_settings squeeze = {.units = few, .spread = fan_out_spread(1, few)};
    const bl_layer_settings excite = {.units = channels, .spread = fan_out_spread(1, channels)};
    BL_TRY(add_plain(net, "fork", at, err));
    size_t factors = *at;
    BL_TRY(add_plain(net, "global_pool", &factors, err));
    BL_TRY(bl_net_add(net, "dense", &squeeze, factors, 0, &factors, err));
    BL_TRY(add_plain(net, "relu", &factors, err));
    BL_TRY(bl_net_add(net, "dense", &excite, factors, 0, &factors, err));
    BL_TRY(add_plain(net, "hard_sigmoid", &factors, err));
    return bl_net_add(net, "scale", NULL, *at, factors, at, err);
}

static bl_status add_block(bl_net *net, const bl_config *config, const row *r, size_t *at,
                           bl_err *err) {
    const size_t in = net->node[*at].shape.channels;
    const size_t expanded = scaled(config, r->expanded), out = scaled(config, r->out);
    const bool residual = r->stride == 1 && in == out;
    const bl_layer_settings depthwise = {
        .units = expanded, .kernel = r->kernel, .stride = r->stride, .groups = expanded};
    if (residual) BL_TRY(add_plain(net, "fork", at, err));
    const size_t shortcut = *at;
    if (expanded != in) {
        BL_TRY(add_conv(net, (bl_layer_settings){.units = expanded, .kernel = 1}, at, err));
        BL_TRY(add_activation(net, r->swish, at, err));
    }
    BL_TRY(add_conv(net, depthwise, at, err));
    BL_TRY(add_activation(net, r->swish, at, err));
    if (r->squeeze) BL_TRY(add_squeeze(net, expanded, at, err));
    BL_TRY(add_conv(net, (bl_layer_settings){.units = out, .kernel = 1}, at, err));
    return residual ? bl_net_add(net, "add", NULL, *at, shortcut, at, err) : BL_OK;
}

static bl_status add_head(bl_net *net, const bl_config *config, const bl_model_input *input,
                          size_t *at, bl_err *err) {
    const bl_layer_settings last = {.units = scaled(config, LAST), .spread = 0.01f};
    const bl_layer_settings dropout = {.rate = 0.2};
    const bl_layer_settings outputs = {.units = bl_model_outputs(input), .spread = 0.01f};
    const size_t channels = 6 * net->node[*at].shape.channels;
    BL_TRY(add_conv(net, (bl_layer_settings){.units = channels, .kernel = 1}, at, err));
    BL_TRY(add_plain(net, "hard_swish", at, err));
    BL_TRY(add_plain(net, "global_pool", at, err));
    BL_TRY(bl_net_add(net, "dense", &last, *at, 0, at, err));
    BL_TRY(add_plain(net, "hard_swish", at, err));
    BL_TRY(bl_net_add(net, "dropout", &dropout, *at, 0, at, err));
    return bl_net_add(net, "dense", &outputs, *at, 0, at, err);
}

static bl_status build(bl_net *net, const bl_config *config, const bl_model_input *input,
                       bl_err *err) {
    const bl_layer_settings stem = {.units = scaled(config, STEM), .kernel = 3, .stride = 2};
    size_t at = BL_NET_VALUES;
    BL_TRY(bl_model_check_pictures(config, input, err));
    BL_TRY(add_conv(net, stem, &at, err));
    BL_TRY(add_plain(net, "hard_swish", &at, err));
    for (size_t i = 0; i < BL_COUNT(k_rows); i++)
        BL_TRY(add_block(net, config, &k_rows[i], &at, err));
    return add_head(net, config, input, &at, err);
}

const bl_model bl_model_mobilenet_v3_large = {
    .name = "mobilenet_v3_large", .pictures = true, .build = build};
