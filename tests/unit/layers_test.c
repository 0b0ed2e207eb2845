/* A net as a list of layers: the same bits as the named builders, every layer of the table, every
 * message, one canonical form. */
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/config/key.h"
#include "engine/config/layers.h"
#include "engine/config/validate.h"
#include "engine/model/layer.h"
#include "engine/model/model.h"
#include "engine/train/train.h"
#include "tests/check.h"
#include "tests/unit/tiny_data.h"

#define PATH "experiments/shop/experiment.cfg"

static void set_list(bl_config *config, const char *list) {
    (void)snprintf(config->model.kind, BL_NAME, "layers");
    CHECK_OK(bl_config_set(config, "model.layers", list, ERR));
}

/* ---- as the named nets ---- */

/* The log of a run of `steps` steps, its header left out: that names the net. */
static void log_of(const bl_config *config, const bl_dataset *data, int64_t steps, bl_buf *out) {
    bl_train_options options = {.run_id = "0123456789ab", .threads = 1};
    bl_train *train = NULL;
    CHECK_OK(bl_kernels_pick(&options.kernels, ERR));
    CHECK_OK(bl_train_open(&train, config, data, &options, ERR));
    while (bl_train_now(train)->step < steps) CHECK_OK(bl_train_advance(train, steps, NULL, ERR));
    bl_buf_str(out, strchr(bl_buf_text(bl_train_log(train)), '\n'));
    bl_train_close(train);
}

static void check_same_log(const char *what, const bl_config *named, const char *list,
                           const bl_dataset *data) {
    bl_buf a = {0}, b = {0};
    bl_config listed = *named;
    set_list(&listed, list);
    log_of(named, data, 12, &a);
    log_of(&listed, data, 12, &b);
    assert_non_null(strstr(bl_buf_text(&a), "\"params\":\""));
    if (strcmp(bl_buf_text(&a), bl_buf_text(&b)) != 0)
        fail_msg("%s: the list's log differs\n%s\n%s", what, a.data, b.data);
    bl_buf_free(&a), bl_buf_free(&b);
}

// clang-format off
#define CONV3(filters_, rest) "{ type = \"conv2d\"; filters = " filters_ "; kernel = 3; padding = \"same\"; " rest "}"
#define CONV5(filters_)       "{ type = \"conv2d\"; filters = " filters_ "; kernel = 5; padding = \"same\"; }"
#define PROJECT(filters_)     "{ type = \"conv2d\"; filters = " filters_ "; kernel = 1; stride = 2; }"
#define PAD(channels_)        "{ type = \"pad_channels\"; channels = " channels_ "; stride = 2; }"
#define POOL                  "{ type = \"max_pool\"; size = 2; }"
#define DENSE(units_)         "{ type = \"dense\"; units = " units_ "; }"
#define DROPOUT(rate_)        "{ type = \"dropout\"; rate = " rate_ "; }"
#define RELU                  ", \"relu\", "
/* A norm comes with a comma before it. */
#define BATCH                 ", \"batch_norm\""
#define GHOST                 ", { type = \"ghost_norm\"; size = 16; }"
/* ResNet-8 with filters 4, 8, 16; `norm` follows each convolution. */
#define BLOCK(filters_, rest, norm, shortcut_) \
    "{ type = \"residual\"; layers = ( " CONV3(filters_, rest) norm RELU CONV3(filters_, "") norm " ); shortcut = ( " shortcut_ " ); }"
#define RESNET(norm, shortcut2, shortcut3) \
    CONV3("4", "") norm RELU BLOCK("4", "", norm, "") RELU BLOCK("8", "stride = 2; ", norm, shortcut2) RELU \
    BLOCK("16", "stride = 2; ", norm, shortcut3) RELU "\"global_pool\", " DENSE("3")

static const struct {
    const char *kind, *norm, *shortcut, *list;
} k_named[] = {
    {"simple_cnn", "none", "projection",
     CONV5("4") RELU POOL ", " CONV5("8") RELU POOL ", " DENSE("20") RELU DROPOUT("0.25") ", " DENSE("3")},
    {"resnet8", "none", "projection", RESNET("", PROJECT("8"), PROJECT("16"))},
    {"resnet8", "none", "pad", RESNET("", PAD("8"), PAD("16"))},
    {"resnet8", "batch", "projection", RESNET(BATCH, PROJECT("8") BATCH, PROJECT("16") BATCH)},
    {"resnet8", "ghost", "projection", RESNET(GHOST, PROJECT("8") GHOST, PROJECT("16") GHOST)},
};
// clang-format on

static void test_same_as_named_picture_nets(void **state) {
    (void)state;
    bl_dataset data;
    tiny_pictures(&data, 3);
    for (size_t i = 0; i < BL_COUNT(k_named); i++) {
        bl_config config;
        const bool cnn = strcmp(k_named[i].kind, "simple_cnn") == 0;
        tiny_picture_config(&config, k_named[i].kind);
        CHECK_OK(bl_config_set(&config, "model.filters", cnn ? "4, 8" : "4, 8, 16", ERR));
        CHECK_OK(bl_config_set(&config, "model.norm", k_named[i].norm, ERR));
        CHECK_OK(bl_config_set(&config, "model.shortcut", k_named[i].shortcut, ERR));
        config.model.ghost_size = 16;
        check_same_log(k_named[i].kind, &config, k_named[i].list, &data);
    }
    tiny_data_free(&data);
}

static void test_same_as_mlp(void **state) {
    (void)state;
    bl_config config;
    bl_dataset data;
    tiny_classes(&data, 3);
    tiny_config(&config);
    CHECK_OK(bl_config_set(&config, "model.kind", "mlp", ERR));
    CHECK_OK(bl_config_set(&config, "loss", "cross_entropy", ERR));
    CHECK_OK(bl_config_set(&config, "metric", "error", ERR));
    check_same_log("mlp", &config,
                   DENSE("24") ", \"relu\", " DROPOUT("0.05") ", " DENSE(
                       "12") ", \"relu\", " DROPOUT("0.1") ", " DENSE("3"),
                   &data);
    tiny_data_free(&data);
}

static void test_same_as_tabular(void **state) {
    (void)state;
    bl_config config;
    bl_dataset data;
    tiny_data(&data, 3, 2);
    tiny_config(&config);
    check_same_log("tabular", &config,
                   "{ type = \"concat\"; layers = ( \"embedding\", " DROPOUT(
                       "0.04") " ); beside = ( "
                               "\"batch_norm\" ); "
                               "}, " DENSE("24") ", "
                                                 "\"relu"
                                                 "\", "
                                                 "\"batc"
                                                 "h_"
                                                 "norm\""
                                                 ","
                                                 " " DROPOUT("0.05") ", " DENSE(
                                                     "12") ", \"relu\", "
                                                           "\"batch_norm\", " DROPOUT(
                                                               "0."
                                                               "1") ", " DENSE("1") ", "
                                                                                    "\"sigm"
                                                                                    "oid_"
                                                                                    "range"
                                                                                    "\"",
                   &data);
    tiny_data_free(&data);
}

/* ---- every layer ---- */

static const uint32_t k_cardinality[] = {4, 7};

/* Pictures of 8 x 8 x 3 in 10 classes, or 2 columns of each kind and a number. */
static bl_status build(bl_net *net, const char *list, bool pictures, bl_err *err) {
    bl_config config;
    const bl_model_input pictured = {
        .continuous = 8 * 8 * 3, .shape = {8, 8, 3},
                 .classes = 10
    };
    const bl_model_input table = {.categorical = 2,
                                  .continuous = 2,
                                  .cardinality = k_cardinality,
                                  .target_is_log = true,
                                  .target_max = 100.0};
    tiny_config(&config);
    set_list(&config, list);
    return bl_model_build(net, &config, pictures ? &pictured : &table, err);
}

/* Lists with their layers in order and the parameters counted by hand, statistics left out. */
// clang-format off
static const struct {
    bool pictures;
    const char *list, *layers;
    size_t parameters;
} k_lists[] = {
    {true, DENSE("10"), "dense", 192 * 10 + 10},
    {true,
     "{ type = \"conv2d\"; filters = 6; kernel = 3; stride = 2; groups = 3; bias = false; }, \"batch_norm\", \"hard_swish\", "
     "{ type = \"avg_pool\"; size = 2; stride = 1; }, \"layer_norm\", " DENSE("10"),
     "conv2d batch_norm2d hard_swish avg_pool layer_norm dense", 9 * 6 + 2 * 6 + 2 * 6 + 2 * 2 * 6 * 10 + 10},
    {true,
     "{ type = \"conv2d\"; filters = 6; kernel = 3; }, { type = \"group_norm\"; groups = 3; }, \"relu\", " POOL
     ", { type = \"ghost_norm\"; size = 8; }, \"global_pool\", \"batch_norm\", " DROPOUT("0.5") ", " DENSE("10"),
     "conv2d group_norm relu max_pool ghost_norm global_pool batch_norm dropout dense",
     27 * 6 + 6 + 12 + 12 + 12 + 60 + 10},
    /* Squeeze and excitation. */
    {true,
     "{ type = \"conv2d\"; filters = 6; kernel = 1; }, "
     "{ type = \"scale\"; layers = ( \"global_pool\", " DENSE("2") RELU DENSE("6") ", \"hard_sigmoid\" ); }, " DENSE("10"),
     "conv2d fork global_pool dense relu dense hard_sigmoid scale dense", 18 + 6 + 14 + 18 + 64 * 6 * 10 + 10},
    /* The data may be read twice without a fork. */
    {true,
     "{ type = \"residual\"; layers = ( { type = \"conv2d\"; filters = 5; kernel = 1; } ); "
     "shortcut = ( { type = \"pad_channels\"; channels = 5; } ); }, " DENSE("10"),
     "conv2d pad_channels add dense", 15 + 5 + 64 * 5 * 10 + 10},
    /* What works in place gets a copy of what another layer reads, and of the data. */
    {true,
     DROPOUT("0.1") ", " DENSE("10") ", { type = \"residual\"; layers = ( \"relu\", " DENSE("10") " ); }",
     "pad_channels dropout dense fork pad_channels relu dense add", 1920 + 10 + 110},
    {false,
     "{ type = \"concat\"; layers = (\"embedding\"); }, " DENSE("1") ", { type = \"sigmoid_range\"; low = -1; high = 1.5; }",
     "embedding concat dense sigmoid_range", 4 * 3 + 7 * 5 + 10 + 1},
};
// clang-format on

static void layers_text(char out[512], const bl_net *net) {
    out[0] = '\0';
    for (size_t i = 0; i < net->nodes; i++) {
        const size_t n = strlen(out);
        (void)snprintf(out + n, 512 - n, "%s%s", i ? " " : "", net->node[i].layer->name);
    }
}

static void test_lists(void **state) {
    (void)state;
    char text[512];
    for (size_t i = 0; i < BL_COUNT(k_lists); i++) {
        bl_net net;
        size_t parameters = 0;
        CHECK_OK(build(&net, k_lists[i].list, k_lists[i].pictures, ERR));
        layers_text(text, &net);
        assert_string_equal(text, k_lists[i].layers);
        for (size_t p = 0; p < net.params; p++)
            parameters += net.param[p].running ? 0 : net.param[p].rows * net.param[p].cols;
        assert_int_equal(parameters, k_lists[i].parameters);
        bl_net_free(&net);
    }
}

static bool has_word(const char *text, const char *word) {
    const size_t n = strlen(word);
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word))
        if ((at == text || at[-1] == ' ' || at[-1] == '"') && strchr(" \"", at[n]) != NULL)
            return true;
    return false;
}

static void test_every_layer_is_in_a_list(void **state) {
    (void)state;
    for (size_t i = 0; i < bl_layer_count; i++) {
        bool found = false;
        for (size_t c = 0; c < BL_COUNT(k_lists); c++)
            found = found || has_word(k_lists[c].layers, bl_layer_table[i]->name);
        if (!found) fail_msg("layer %s is in no list here", bl_layer_table[i]->name);
    }
    for (size_t i = 0; i < bl_config_layer_kind_count; i++) {
        bool found = false;
        for (size_t c = 0; c < BL_COUNT(k_lists); c++)
            found = found || has_word(k_lists[c].list, bl_config_layer_kinds[i].name);
        if (!found) fail_msg("kind %s is in no list here", bl_config_layer_kinds[i].name);
    }
}

/* ---- messages ---- */

/* Lists that are well written but fit no net on the data. */
// clang-format off
static const struct {
    bool pictures;
    const char *list, *message;
} k_misfits[] = {
    {true, DENSE("12"),
     "model.layers[0] (dense): the list ends in 12 features, but the data set's target is one of 10 classes: end it with { type = \"dense\"; units = 10; }"},
    {false, "{ type = \"concat\"; layers = (\"embedding\"); }, " DENSE("2"),
     "model.layers[1] (dense): the list ends in 2 features, but the data set's target is 1 number: end it with { type = \"dense\"; units = 1; }"},
    {true, "{ type = \"conv2d\"; filters = 2; kernel = 9; }",
     "model.layers[0] (conv2d): a window of 9 x 9 does not fit what comes in, 8 x 8: take a smaller one, or shrink the picture less before it"},
    {true, "\"global_pool\", { type = \"max_pool\"; size = 2; }",
     "model.layers[1] (max_pool): a window of 2 x 2 does not fit: what comes in is no picture but 3 features; put the layer before what ends the picture"},
    {true, "{ type = \"conv2d\"; filters = 2; kernel = 4; padding = \"same\"; }",
     "model.layers[0] (conv2d): padding \"same\" takes an odd kernel, not 4: take 5 or \"valid\""},
    {true, "{ type = \"conv2d\"; filters = 4; kernel = 3; groups = 2; }",
     "model.layers[0] (conv2d): a convolution of 3 channels to 4 filters has no 2 groups"},
    {true, "{ type = \"group_norm\"; groups = 2; }",
     "model.layers[0] (group_norm): 3 channels cannot be normalised in 2 groups"},
    {true, CONV3("4", "") ", { type = \"pad_channels\"; channels = 3; }",
     "model.layers[1] (pad_channels): 4 channels cannot be padded to 3"},
    {true, CONV3("4", "") ", { type = \"residual\"; layers = ( " CONV3("6", "stride = 2; ") " ); }",
     "model.layers[1] (residual): its layers give 4 x 4 x 6, its shortcut 8 x 8 x 4, which cannot be added: change either, perhaps shortcut = ( { type = \"conv2d\"; filters = 6; kernel = 1; stride = 2; } );"},
    {true, DENSE("4") ", { type = \"residual\"; layers = ( " DENSE("6") " ); }",
     "model.layers[1] (residual): its layers give 6, its shortcut 4, which cannot be added: change either, perhaps shortcut = ( { type = \"dense\"; units = 6; } );"},
    {true,"{ type = \"scale\"; layers = ( \"global_pool\", " DENSE("2") " ); }",
     "model.layers[0] (scale): its layers give 2 features for 3 channels: let them begin with \"global_pool\" and end with a dense layer of units = 3"},
    {true, "{ type = \"residual\"; layers = (\"relu\"); shortcut = ( \"relu\", \"embedding\" ); }",
     "model.layers[0].shortcut[1] (embedding): the data set has no categorical columns: leave the layer out"},
    {false,"\"batch_norm\", \"embedding\"",
     "model.layers[1] (embedding): it reads the data, not the layer before: put it first, beside the continuous columns by a concat"},
    {false, "\"embedding\", " DENSE("1"),
     "model.layers[0] (embedding): no layer reads the data set's 2 continuous columns: begin with a concat of \"embedding\" and what is beside it"},
    {false,DENSE("1"),
     "model.layers[0] (dense): no layer reads the data set's 2 categorical columns: begin with a concat of \"embedding\" and what is beside it"},
    {true, DENSE("10") ", \"sigmoid_range\"",
     "model.layers[1] (sigmoid_range): the target is one of 10 classes, no number: leave the layer out"},
    {false, "{ type = \"concat\"; layers = (\"embedding\"); }, " DENSE( "1") ", { type = \"sigmoid_range\"; low = 2; high = 1; }",
     "model.layers[2] (sigmoid_range): nothing lies between low = 2 and high = 1" },
};
// clang-format on

static void test_misfits(void **state) {
    (void)state;
    for (size_t i = 0; i < BL_COUNT(k_misfits); i++) {
        bl_net net;
        bl_err err = {0};
        assert_int_equal(build(&net, k_misfits[i].list, k_misfits[i].pictures, &err), BL_EINVAL);
        assert_string_equal(err.text, k_misfits[i].message);
        bl_net_free(&net);
    }
}

/* Without continuous columns there is nothing to read but embeddings. */
static void test_categorical_alone(void **state) {
    (void)state;
    static const char *const lists[][2] = {
        {DENSE("1"),
         "model.layers[0] (dense): the data set has no continuous columns to read: begin with "
         "\"embedding\""},
        {"{ type = \"concat\"; layers = (\"embedding\"); }",
         "model.layers[0] (concat): the data set has no continuous columns to put beside: list its "
         "layers alone" },
    };
    const bl_model_input input = {.categorical = 2, .cardinality = k_cardinality};
    bl_config config;
    bl_net net;
    bl_err err = {0};
    tiny_config(&config);
    for (size_t i = 0; i < BL_COUNT(lists); i++) {
        set_list(&config, lists[i][0]);
        assert_int_equal(bl_model_build(&net, &config, &input, &err), BL_EINVAL);
        assert_string_equal(err.text, lists[i][1]);
        bl_net_free(&net);
    }
    set_list(&config, "\"embedding\", " DENSE("1"));
    CHECK_OK(bl_model_build(&net, &config, &input, ERR));
    bl_net_free(&net);
    config.model.layers[0] = '\0';
    assert_int_equal(bl_model_build(&net, &config, &input, &err), BL_EINVAL);
    assert_string_equal(err.text, "model.layers is empty: list the net's layers");
    bl_net_free(&net);
}

/* Lists that are not well written: the place and the words, at columns of MODEL. */
#define MODEL "dataset = \"shop\"; model: { kind = \"layers\";\n layers = ( "
// clang-format off
static const struct {
    const char *list, *message;
} k_refused[] = {
    {"\"rely\" ); };", ":2:13: error: there is no layer 'rely' (batchlab check --list-keys layers)"},
    {"{ type = \"conv2d\"; kernel = 3; } ); };",
     ":2:13: error: layer 'conv2d' lacks 'filters': feature maps out, a number from 1 to 65536"},
    {"\"dropout\" ); };",
     ":2:13: error: layer 'dropout' lacks 'rate': share of the features that become 0 in training, a number from 0, below 1"},
    {"\"residual\" ); };",
     ":2:13: error: layer 'residual' lacks 'layers', a list of layers: layers = ( { type = \"dense\"; units = 10; } or \"relu\" );"},
    {"{ type = \"scale\"; layers = (); } ); };", ":2:13: error: layer 'scale' lacks 'layers', a "},
    {"{ type = \"dense\"; unts = 3; } ); };", ":2:31: error: layer 'dense' has no 'unts'; it has: units"},
    {"{ type = \"relu\"; units = 3; } ); };", ":2:30: error: layer 'relu' has no 'units'; it has: no settings"},
    {"{ units = 3; } ); };",
     ":2:13: error: a layer is a group with a type, or a name alone: { type = \"dense\"; units = 10; } or \"relu\""},
    {"{ type = 3; } ); };", ":2:15: error: a layer is a group with a type, or a name alone: "},
    {"3 ); };", ":2:13: error: a layer is a group with a type, or a name alone: "},
    {"{ type = \"dense\"; units = 0; } ); };", ":2:31: error: 'units' is 0; allowed: from 1 to 65536 (units)"},
    {"{ type = \"dropout\"; rate = 1.0; } ); };", ":2:33: error: 'rate' is 1; allowed: from 0, below 1"},
    {"{ type = \"dropout\"; rate = -0.1; } ); };", ":2:33: error: 'rate' is -0.1; allowed: from 0, below 1"},
    {"{ type = \"conv2d\"; filters = 2; kernel = 3; padding = \"sam\"; } ); };",
     ":2:57: error: 'padding' is \"sam\"; allowed: valid, same"},
    {"{ type = \"residual\"; layers = 3; } ); };", ":2:34: error: 'layers' is a list of layers: layers = ( "},
    {"{ type = \"residual\"; layers = (\"rely\"); } ); };", ":2:44: error: there is no layer 'rely'"},
    {"); };", ":1:28: error: kind is \"layers\", but 'layers' is missing or empty: layers = ( ... );" },
};
// clang-format on

static void test_refused(void **state) {
    (void)state;
    bl_buf text = {0};
    for (size_t i = 0; i < BL_COUNT(k_refused); i++) {
        bl_config config;
        bl_err err = {0};
        bl_buf_clear(&text);
        bl_buf_printf(&text, MODEL "%s", k_refused[i].list);
        assert_int_equal(bl_config_parse(&config, text.data, text.len, PATH, NULL, NULL, 0, &err),
                         BL_EINVAL);
        const size_t n = strlen(PATH);
        if (strncmp(err.text, PATH, n) != 0 ||
            strncmp(err.text + n, k_refused[i].message, strlen(k_refused[i].message)) != 0)
            fail_msg("%s\nwanted %s", err.text, k_refused[i].message);
    }
    bl_buf_free(&text);
}

static void test_refused_elsewhere(void **state) {
    (void)state;
    static const char *const texts[][2] = {
        {"dataset = \"shop\"; model: { layers = 3; };",            PATH
         ":1:28: error: 'layers' is a list of layers like ( \"relu\", { type = \"dense\"; units "
         "= 10; } ), not 3"                },
        {"dataset = \"shop\"; model: { layers = ( \"relu\" ); };",
         PATH ":1:28: error: 'layers' is read under kind = \"layers\" alone: write that beside it"},
    };
    bl_buf deep = {0};
    bl_config config;
    bl_err err = {0};
    for (size_t i = 0; i < BL_COUNT(texts); i++) {
        assert_int_equal(
            bl_config_parse(&config, texts[i][0], strlen(texts[i][0]), PATH, NULL, NULL, 0, &err),
            BL_EINVAL);
        if (strncmp(err.text, texts[i][1], strlen(texts[i][1])) != 0) fail_msg("%s", err.text);
    }
    for (int depth = BL_CONFIG_LAYER_DEPTH - 1; depth <= BL_CONFIG_LAYER_DEPTH; depth++) {
        bl_buf_clear(&deep);
        for (int i = 0; i < depth; i++) bl_buf_str(&deep, "{ type = \"scale\"; layers = ( ");
        bl_buf_str(&deep, "\"relu\"");
        for (int i = 0; i < depth; i++) bl_buf_str(&deep, " ); }");
        bl_config_defaults(&config);
        const bl_status status = bl_config_set(&config, "layers", bl_buf_text(&deep), &err);
        assert_int_equal(status, depth < BL_CONFIG_LAYER_DEPTH ? BL_OK : BL_EINVAL);
    }
    assert_non_null(strstr(err.text, "lists of layers lie in each other more than 8 deep"));
    bl_buf_free(&deep);
}

/* ---- one form ---- */

static void test_canonical(void **state) {
    (void)state;
    static const char *const same[] = {
        "{ type = \"conv2d\"; kernel = 3; filters = 8; }, { type = \"max_pool\"; size = 2; }, "
        "\"relu\"",
        "( { filters = 8; stride = 1; type = \"conv2d\"; padding = \"valid\"; groups = 1; bias = "
        "true; kernel = 3; }, { type = \"max_pool\"; size = 2; stride = 2; }, { type = \"relu\"; } "
        ")",
        "{ type = \"conv2d\"; kernel = 0x3; filters = 8L; }, { type = \"max_pool\"; size = 2; "
        "stride = 0; }, \"re\" \"lu\" # the end",
        "{ type = \"conv2d\"; kernel = 3; filters = 8; }, { type = \"max_pool\"; size = 2; "
        "stride = \"unset\"; }, \"relu\"",
    };
    bl_config config;
    for (size_t i = 0; i < BL_COUNT(same); i++) {
        bl_config_defaults(&config);
        bl_buf text = {0};
        bl_buf_printf(&text, "( %s\n )", same[i]);
        CHECK_OK(bl_config_set(&config, "layers", i == 1 ? same[i] : bl_buf_text(&text), ERR));
        assert_string_equal(config.model.layers,
                            "[{\"type\":\"conv2d\",\"filters\":8,\"kernel\":3},"
                            "{\"type\":\"max_pool\",\"size\":2},\"relu\"]");
        bl_buf_free(&text);
    }
    CHECK_OK(bl_config_set(&config, "model.kind", "layers", ERR));
    bl_buf id = {0};
    bl_config_identity(&config, &id);
    assert_non_null(
        strstr(id.data, "\"model.kind\":\"layers\",\"model.layers\":[{\"type\":\"conv2d\","));
    assert_null(strstr(id.data, "model.hidden"));
    bl_buf_clear(&id);
    CHECK_OK(bl_config_set(&config, "model.kind", "mlp", ERR));
    bl_config_identity(&config, &id);
    assert_null(strstr(id.data, "model.layers"));
    bl_buf_free(&id);
}

/* What takes a pool's stride away, on the command line and with the 0 of the release before. */
static void test_stride_is_taken_away(void **state) {
    (void)state;
    static const char *const away[] = {"unset", "0", "2"};
    static const char plain[] = "[{\"type\":\"max_pool\",\"size\":2}]";
    bl_config config;
    bl_err err = {0};
    for (size_t i = 0; i < BL_COUNT(away); i++) {
        bl_config_defaults(&config);
        CHECK_OK(bl_config_set(&config, "layers", "{ type = \"max_pool\"; size = 2; stride = 1; }",
                               ERR));
        assert_non_null(strstr(config.model.layers, "\"stride\":1"));
        CHECK_OK(bl_config_set(&config, "model.layers[0].stride", away[i], ERR));
        assert_string_equal(config.model.layers, plain);
    }
    assert_int_equal(bl_config_set(&config, "model.layers[0].stride", "-1", &err), BL_EINVAL);
    assert_int_equal(bl_config_set(&config, "model.layers[0].size", "unset", &err), BL_EINVAL);
    assert_string_equal(config.model.layers, plain);
}

/* Every key of every kind, away from its default, through the dump and back. */
static void test_round_trip(void **state) {
    (void)state;
    bl_buf list = {0}, dump = {0};
    for (size_t k = 0; k < bl_config_layer_kind_count; k++) {
        const bl_config_layer_kind *kind = &bl_config_layer_kinds[k];
        bl_buf_printf(&list, "%s{ type = \"%s\";", k ? ", " : "", kind->name);
        for (size_t i = 0; i < kind->key_count; i++) {
            const bl_key *key = &kind->keys[i];
            const char *value = key->type == BL_VALUE_I64    ? "7"
                                : key->type == BL_VALUE_F64  ? "0.3"
                                : key->type == BL_VALUE_BOOL ? "false"
                                                             : "\"same\"";
            assert_true(key->help != NULL);
            bl_buf_printf(&list, " %s = %s;", bl_key_leaf(key), value);
        }
        for (size_t i = 0; i < BL_CONFIG_LAYER_LISTS && kind->list[i] != NULL; i++)
            bl_buf_printf(&list, " %s = ( \"relu\" );", kind->list[i]);
        bl_buf_str(&list, " }");
    }
    bl_config config, again;
    bl_config_defaults(&config);
    memcpy(config.dataset, "shop", 5);
    set_list(&config, bl_buf_text(&list));
    for (size_t k = 0; k < bl_config_layer_kind_count; k++)
        for (size_t i = 0; i < bl_config_layer_kinds[k].key_count; i++) {
            char quoted[64];
            (void)snprintf(quoted, sizeof quoted,
                           "\"%s\":", bl_key_leaf(&bl_config_layer_kinds[k].keys[i]));
            if (strcmp(quoted, "\"stride\":") == 0) continue; /* a pool's is its size */
            assert_non_null(strstr(config.model.layers, quoted));
        }
    bl_config_dump(&config, &dump);
    CHECK_OK(bl_config_parse(&again, dump.data, dump.len, PATH, NULL, NULL, 0, ERR));
    assert_memory_equal(&again, &config, sizeof config);
    bl_buf_free(&list), bl_buf_free(&dump);
}

static void test_one_key(void **state) {
    (void)state;
    static const char *const refused[][3] = {
        {"model.layers[3].units",             "4", "there is no layer [3]: the list has 3, from [0]"    },
        {"model.layers[0].unit",              "4",
         "layer 'dense' has no 'unit'; it has: units; did you mean 'units'?"                            },
        {"model.layers[0].units",             "x", "'units' is a whole number, not \"x\""               },
        {"model.layers[0]",                   "4", "a key of a layer is written model.layers[2].units, "},
        {"model.layers[x].units",             "4", "a key of a layer is written model.layers[2].units, "},
        {"model.layers[0].units.x",           "4", "a key of a layer is written model.layers[2].units, "},
        {"model.layers[1].layers",            "4", "layer 'residual' has no 'layers'"                   },
        {"model.layers[1].shortcut[0].units", "4",
         "there is no layer [0]: the list has 0, from [0]"                                              },
    };
    bl_config config;
    bl_err err = {0};
    bl_config_defaults(&config);
    set_list(&config, DENSE("8") ", { type = \"residual\"; layers = ( \"relu\", " DENSE(
                          "8") " ); }, " DENSE("10"));
    CHECK_OK(bl_config_set(&config, "layers[1].layers[1].units", "16", ERR));
    CHECK_OK(bl_config_set(&config, "model.layers[0].units", "16", ERR));
    assert_string_equal(
        config.model.layers,
        "[{\"type\":\"dense\",\"units\":16},{\"type\":\"residual\",\"layers\":[\"relu\","
        "{\"type\":\"dense\",\"units\":16}]},{\"type\":\"dense\",\"units\":10}]");
    const bl_config before = config;
    for (size_t i = 0; i < BL_COUNT(refused); i++) {
        assert_int_equal(bl_config_set(&config, refused[i][0], refused[i][1], &err), BL_EINVAL);
        if (strstr(err.text, refused[i][2]) == NULL)
            fail_msg("%s\nwanted %s", err.text, refused[i][2]);
    }
    assert_memory_equal(&config, &before, sizeof config);
    assert_true(bl_config_key_is_identity("model.layers[0].units"));
    assert_int_equal(bl_config_set(&config, "layers", "1; x = 2", &err), BL_EINVAL);
    assert_int_equal(bl_config_set(&config, "layers", "); x = (2", &err), BL_EINVAL);
    assert_non_null(strstr(err.text, "no list of layers, which is written ( "));
}

/* Pieces of a batch are part of a run's id where the list normalises other examples together. */
static void test_pieces(void **state) {
    (void)state;
    static const struct {
        const char *list;
        bool there;
    } cases[] = {
        {"\"layer_norm\"",                                                               false},
        {"\"batch_norm\"",                                                               true },
        {"{ type = \"batch_norm\"; eps = 0.001; }",                                      true },
        {"{ type = \"ghost_norm\"; size = 64; }",                                        false},
        {"{ type = \"ghost_norm\"; size = 64; }, { type = \"ghost_norm\"; size = 48; }", true },
        {"{ type = \"scale\"; layers = ( { type = \"ghost_norm\"; size = 48; } ); }",    true },
    };
    bl_config config;
    bl_buf id = {0};
    bl_config_defaults(&config);
    CHECK_OK(bl_config_set(&config, "train.batch_size", "1024", ERR));
    CHECK_OK(bl_config_set(&config, "train.micro_batch", "256", ERR));
    for (size_t i = 0; i < BL_COUNT(cases); i++) {
        set_list(&config, cases[i].list);
        bl_buf_clear(&id);
        bl_config_identity(&config, &id);
        if ((strstr(id.data, "train.micro_batch") != NULL) != cases[i].there)
            fail_msg("%s: %s", cases[i].list, id.data);
        assert_int_equal(bl_config_numerics_epoch(&config), cases[i].there ? 2 : 1);
    }
    set_list(&config, "\"batch_norm\", { type = \"conv2d\"; filters = 4; kernel = 3; }");
    assert_int_equal(bl_config_numerics_epoch(&config), 3);
    bl_buf_free(&id);
}

/* Facts are found in lists within lists, whatever else the layers say. */
static void test_facts(void **state) {
    (void)state;
    static const struct {
        const char *list;
        bool batch_norm, convolutions;
        size_t ghosts;
        int64_t last_ghost;
    } cases[] = {
        {"\"relu\", { type = \"dense\"; units = 10; }",                false, false, 0, 0 },
        {"{ type = \"residual\"; layers = ( \"relu\" ); shortcut = ( { type = \"conv2d\"; filters "
         "= 4; "
         "kernel = 1; } ); }",                                false, true,  0, 0 },
        {"{ type = \"concat\"; layers = ( \"relu\" ); beside = ( { type = \"batch_norm\"; eps = "
         "0.01; } ); }",                                      true,  false, 0, 0 },
        {"{ type = \"ghost_norm\"; eps = 0.01; size = 8; }, { type = \"residual\"; layers = ( { "
         "type = "
         "\"ghost_norm\"; momentum = 0.5; size = 32; } ); }", false, false, 2, 32},
    };
    bl_config config;
    bl_config_defaults(&config);
    for (size_t i = 0; i < BL_COUNT(cases); i++) {
        bl_config_layer_facts facts;
        set_list(&config, cases[i].list);
        bl_config_layers_facts(&facts, config.model.layers);
        assert_int_equal(facts.batch_norm, cases[i].batch_norm);
        assert_int_equal(facts.convolutions, cases[i].convolutions);
        assert_int_equal(facts.ghosts, cases[i].ghosts);
        if (facts.ghosts > 0) assert_int_equal(facts.ghost[facts.ghosts - 1], cases[i].last_ghost);
    }
}

static void add_line(void *ctx, const char *line) {
    bl_buf_printf(ctx, "%s\n", line);
}

static void test_notes(void **state) {
    (void)state;
    bl_config config;
    bl_buf out = {0};
    bl_config_defaults(&config);
    set_list(&config, "{ type = \"ghost_norm\"; size = 64; }");
    CHECK_OK(bl_config_set(&config, "sweep.batch_sizes", "32, 64", ERR));
    bl_config_notes(&config, add_line, &out);
    assert_string_equal(bl_buf_text(&out),
                        "note: a ghost_norm of model.layers is larger than the batch: it is one "
                        "chunk, as under batch norm, at batch size 32\n");
    bl_buf_clear(&out);
    CHECK_OK(bl_config_set(&config, "model.kind", "mlp", ERR));
    bl_config_notes(&config, add_line, &out);
    assert_string_equal(bl_buf_text(&out),
                        "note: model.layers is not read, as model.kind is another\n");
    bl_buf_free(&out);
}

/* ---- the page ---- */

static void read_page(bl_buf *page) {
    CHECK_OK(bl_file_read(page, "docs/configuration.md", 1 << 20, ERR));
}

typedef struct said {
    const char *page;
    char head[BL_NAME];
} said;

/* Its default; of an optional key what the help says that its absence means. */
static const char *default_of(const bl_key *key) {
    static const char absent[] = "; absent: ";
    if (!key->optional) return key->def;
    const char *means = strstr(key->help, absent);
    assert_non_null(means);
    return means + strlen(absent);
}

/* A layer's line has its keys, with the default or "given": "| `dense` | `units` | ... |". */
static void check_said(void *ctx, const bl_key *key) {
    said *s = ctx;
    char row[128], cell[128];
    if (key->type < 0) (void)snprintf(s->head, sizeof s->head, "%s", key->path);
    (void)snprintf(row, sizeof row, "\n| `%s` |", s->head);
    const char *at = strstr(s->page, row);
    if (at == NULL) fail_msg("docs/configuration.md has no line of the layer %s", s->head);
    if (key->type < 0) return;
    const bool list = key->type == BL_VALUE_LAYERS;
    if (key->def == NULL || list)
        (void)snprintf(cell, sizeof cell, "`%s`", bl_key_leaf(key));
    else
        (void)snprintf(cell, sizeof cell, "`%s` (%s)", bl_key_leaf(key), default_of(key));
    const char *found = strstr(at, cell);
    if (found == NULL || found > strchr(at + 1, '\n'))
        fail_msg("docs/configuration.md does not say %s of %s", cell, s->head);
}

static void test_page_says_every_layer(void **state) {
    (void)state;
    bl_buf page = {0};
    read_page(&page);
    said s = {.page = bl_buf_text(&page)};
    bl_config_layers_each_key(check_said, &s);
    bl_buf_free(&page);
}

/* The page's example is an experiment: a net on MNIST's pictures with the parameters it claims. */
static void test_page_example(void **state) {
    (void)state;
    static const char begin[] = "```libconfig\n";
    bl_buf page = {0};
    bl_config config;
    bl_net net;
    size_t parameters = 0;
    const bl_model_input input = {
        .continuous = 784, .shape = {28, 28, 1},
             .classes = 10
    };
    read_page(&page);
    const char *text = strstr(bl_buf_text(&page), begin);
    assert_non_null(text);
    text += strlen(begin);
    const size_t n = (size_t)(strstr(text, "```") - text);
    CHECK_OK(bl_config_parse(&config, text, n, "example", NULL, NULL, 0, ERR));
    CHECK_OK(bl_model_build(&net, &config, &input, ERR));
    for (size_t p = 0; p < net.params; p++)
        parameters += net.param[p].running ? 0 : net.param[p].rows * net.param[p].cols;
    assert_int_equal(parameters, 25 * 8 + 8 + 9 * 8 * 16 + 32 + 9 * 16 * 16 + 32 + 7840 + 10);
    assert_non_null(strstr(bl_buf_text(&page), "11,578 parameters"));
    bl_net_free(&net);
    bl_buf_free(&page);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_same_as_named_picture_nets),
        cmocka_unit_test(test_same_as_mlp),
        cmocka_unit_test(test_same_as_tabular),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_every_layer_is_in_a_list),
        cmocka_unit_test(test_misfits),
        cmocka_unit_test(test_categorical_alone),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_refused_elsewhere),
        cmocka_unit_test(test_canonical),
        cmocka_unit_test(test_stride_is_taken_away),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_one_key),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_notes),
        cmocka_unit_test(test_page_says_every_layer),
        cmocka_unit_test(test_page_example),
    };
    return cmocka_run_group_tests_name("layers", tests, NULL, NULL);
}
