/* The table of what model.layers may list. */
#include "engine/base/mem.h"
#include "engine/config/layers.h"

static const char *const paddings[] = {"valid", "same"};

#define FIELD(kind, field)                                                                         \
    .type = (kind), .offset = offsetof(bl_config_layer, field),                                    \
    .size = sizeof(((bl_config_layer *)0)->field)
#define I64(field, a, b) FIELD(BL_VALUE_I64, field), .min = (a), .max = (b)
#define F64(field, a, b) FIELD(BL_VALUE_F64, field), .min = (a), .max = (b)
#define EPS(kind)                                                                                  \
    {                                                                                              \
        kind ".eps", F64(eps, 0, 1), .min_open = true, .def = "1e-5",                              \
                                     .help = "added to the variance"                               \
    }
#define MOMENTUM(kind)                                                                             \
    {                                                                                              \
        kind ".momentum", F64(momentum, 0, 1),                                                     \
            .min_open = true, .def = "0.1", .help = "share of a batch in the running statistics"   \
    }

// clang-format off
static const bl_key conv2d[] = {
    {"conv2d.filters", I64(filters, 1, 65536), .help = "feature maps out"},
    {"conv2d.kernel", I64(kernel, 1, 255), .unit = "pixels", .help = "height and width of a filter"},
    {"conv2d.stride", I64(stride, 1, 255), .def = "1", .unit = "pixels", .help = "from one position to the next"},
    {"conv2d.padding", FIELD(BL_VALUE_STR, padding), .choices = paddings, .choice_count = BL_COUNT(paddings), .def = "valid",
     .help = "same: zeros around the picture, which keeps its size at stride 1; takes an odd kernel"},
    {"conv2d.groups", I64(groups, 1, 65536), .def = "1", .help = "of channels apart from each other; as many as channels: depthwise"},
    {"conv2d.bias", FIELD(BL_VALUE_BOOL, bias), .def = "true", .help = "a number added to each feature map"},
};
static const bl_key max_pool[] = {
    {"max_pool.size", I64(size, 1, 255), .unit = "pixels", .help = "height and width of a window"},
    {"max_pool.stride", I64(stride, 1, 255), .optional = true, .def = "", .unit = "pixels", .help = "from one window to the next; absent: the size"},
};
static const bl_key avg_pool[] = {
    {"avg_pool.size", I64(size, 1, 255), .unit = "pixels", .help = "height and width of a window"},
    {"avg_pool.stride", I64(stride, 1, 255), .optional = true, .def = "", .unit = "pixels", .help = "from one window to the next; absent: the size"},
};
static const bl_key dense[] = {
    {"dense.units", I64(units, 1, 65536), .unit = "units", .help = "features out"},
};
static const bl_key dropout[] = {
    {"dropout.rate", F64(rate, 0, 1), .max_open = true, .help = "share of the features that become 0 in training"},
};
static const bl_key batch_norm[] = {EPS("batch_norm"), MOMENTUM("batch_norm")};
static const bl_key ghost_norm[] = {
    {"ghost_norm.size", I64(ghost, 2, 16777216), .unit = "rows", .help = "examples that are normalised together"},
    EPS("ghost_norm"), MOMENTUM("ghost_norm"),
};
static const bl_key group_norm[] = {
    {"group_norm.groups", I64(groups, 1, 65536), .help = "of channels that are normalised together"},
    EPS("group_norm"),
};
static const bl_key layer_norm[] = {EPS("layer_norm")};
static const bl_key pad_channels[] = {
    {"pad_channels.channels", I64(channels, 1, 65536), .help = "channels out, those beyond the input's 0"},
    {"pad_channels.stride", I64(stride, 1, 255), .def = "1", .unit = "pixels", .help = "from one position kept to the next"},
};
static const bl_key sigmoid_range[] = {
    {"sigmoid_range.low", F64(low, -1e12, 1e12), .def = "0", .help = "the least prediction"},
    {"sigmoid_range.high", F64(high, -1e12, 1e12), .def = "0", .help = "the greatest; with low and high 0: 0 to 1.2 times the largest training target"},
};

#define KEYS(array) .keys = (array), .key_count = BL_COUNT(array)
const bl_config_layer_kind bl_config_layer_kinds[] = {
    {"conv2d", KEYS(conv2d), .convolves = true, .help = "convolution of a picture"},
    {"dense", KEYS(dense), .help = "every feature out a weighted sum of all features in, and a bias"},
    {"relu", .help = "the larger of x and 0"},
    {"hard_swish", .help = "x min(max(x + 3, 0), 6) / 6"},
    {"hard_sigmoid", .help = "min(max(x + 3, 0), 6) / 6"},
    {"max_pool", KEYS(max_pool), .stride_is_size = true, .help = "the largest value of every window"},
    {"avg_pool", KEYS(avg_pool), .stride_is_size = true, .help = "the mean of every window"},
    {"global_pool", .help = "the mean of every channel"},
    {"dropout", KEYS(dropout), .help = "features set to 0 at random; none in evaluations"},
    {"batch_norm", KEYS(batch_norm), .normalises_batch = true, .help = "channels, or features, normalised over the batch"},
    {"ghost_norm", KEYS(ghost_norm), .help = "channels normalised over chunks of the batch"},
    {"group_norm", KEYS(group_norm), .help = "groups of channels normalised within each example"},
    {"layer_norm", KEYS(layer_norm), .help = "each example normalised over all its features"},
    {"residual", .list = {"layers", "shortcut"}, .help = "layers(x) + shortcut(x); no shortcut: x itself"},
    {"scale", .list = {"layers"}, .help = "x, each channel times the feature of layers(x) for it: squeeze and excitation"},
    {"concat", .list = {"layers", "beside"}, .help = "the features of layers(x) and of beside(x), none: x itself, side by side"},
    {"pad_channels", KEYS(pad_channels), .help = "channels of 0 added: a shortcut without parameters"},
    {"embedding", .help = "the data set's categorical columns: first, or first in a list of a concat that is first"},
    {"sigmoid_range", KEYS(sigmoid_range), .help = "a prediction kept in a range"},
};
// clang-format on
const size_t bl_config_layer_kind_count = BL_COUNT(bl_config_layer_kinds);
