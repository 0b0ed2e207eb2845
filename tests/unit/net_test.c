/* Nets as models build them: layers, widths, parameters, initial values. */
#include "engine/model/layer.h"
#include "engine/model/model.h"
#include "tests/check.h"
#include "tests/unit/tiny_data.h"
#include <math.h>

static void build(bl_net *net, const bl_config *config, size_t categorical, size_t continuous) {
    static const uint32_t cardinality[] = {1116, 8, 4};
    static const char *const name[] = {"Store", "DayOfWeek", "Flag"};
    const bl_model_input input = {.categorical = categorical,
                                  .continuous = continuous,
                                  .cardinality = cardinality,
                                  .categorical_name = name,
                                  .target_is_log = true,
                                  .target_max = 41551.0};
    CHECK_OK(bl_model_build(net, config, &input, ERR));
}

/* "embedding dropout ..." */
static void check_layers(const bl_net *net, const char *expected) {
    char text[512] = "";
    for (size_t i = 0; i < net->nodes; i++) {
        const size_t n = strlen(text);
        (void)snprintf(text + n, sizeof text - n, "%s%s:%zu", i ? " " : "",
                       net->node[i].layer->name, net->node[i].width);
    }
    assert_string_equal(text, expected);
}

/* MobileNetV3-Large, a row for each block of Howard et al. 2019, table 1: kernel, expansion,
 * output, squeeze-excitation. Weights of convolutions, gamma and beta of norms, biases behind no
 * norm. */
static size_t mobilenet_parameters(size_t classes) {
    static const size_t row[15][4] = {
        {3, 16,  16,  0},
        {3, 64,  24,  0},
        {3, 72,  24,  0},
        {5, 72,  40,  1},
        {5, 120, 40,  1},
        {5, 120, 40,  1},
        {3, 240, 80,  0},
        {3, 200, 80,  0},
        {3, 184, 80,  0},
        {3, 184, 80,  0},
        {3, 480, 112, 1},
        {3, 672, 112, 1},
        {5, 672, 160, 1},
        {5, 960, 160, 1},
        {5, 960, 160, 1},
    };
    static const size_t squeezed[15] = {0, 0, 0, 24, 32, 32, 0, 0, 0, 0, 120, 168, 168, 240, 240};
    size_t sum = 27 * 16 + 2 * 16, in = 16;
    for (size_t i = 0; i < 15; i++) {
        const size_t k = row[i][0], e = row[i][1], out = row[i][2], q = squeezed[i];
        if (e != in) sum += in * e + 2 * e;
        sum += k * k * e + 2 * e;
        if (row[i][3]) sum += e * q + q + q * e + e;
        sum += e * out + 2 * out;
        in = out;
    }
    return sum + 160 * 960 + 2 * 960 + 960 * 1280 + 1280 + 1280 * classes + classes;
}

static void test_mobilenet(void **state) {
    (void)state;
    static const size_t classes[] = {10, 1000};
    assert_int_equal(mobilenet_parameters(1000), 5483032); /* as torchvision counts them */
    for (size_t c = 0; c < BL_COUNT(classes); c++) {
        bl_config config;
        bl_net net;
        size_t parameters = 0;
        const bl_model_input input = {
            .continuous = 32 * 32 * 3, .shape = {32, 32, 3},
                     .classes = classes[c]
        };
        tiny_config(&config);
        CHECK_OK(bl_config_set(&config, "model.kind", "mobilenet_v3_large", ERR));
        CHECK_OK(bl_model_build(&net, &config, &input, ERR));
        for (size_t i = 0; i < net.params; i++)
            parameters += net.param[i].running ? 0 : net.param[i].rows * net.param[i].cols;
        assert_int_equal(parameters, mobilenet_parameters(classes[c]));
        bl_net_free(&net);
    }
}

/* Layers and parameters counted by hand: weights and biases of every convolution and dense layer.
 */
static void test_picture_nets(void **state) {
    (void)state;
    enum {
        CNN = 25 * 32 + 32 + 25 * 32 * 64 + 64 + 3136 * 1024 + 1024 + 1024 * 10 + 10,
        STEM = 9 * 3 * 16 + 16,
        BLOCK1 = 2 * (9 * 16 * 16 + 16),
        BLOCK2 = 9 * 16 * 32 + 32 + 9 * 32 * 32 + 32 + 16 * 32 + 32,
        BLOCK3 = 9 * 32 * 64 + 64 + 9 * 64 * 64 + 64 + 32 * 64 + 64,
        RESNET = STEM + BLOCK1 + BLOCK2 + BLOCK3 + 64 * 10 + 10,
        NORMS = 2 * (3 * 16 + 3 * 32 + 3 * 64), /* gamma and beta */
    };
    static const struct {
        const char *kind, *filters, *hidden, *norm;
        bl_shape shape;
        size_t parameters, multiplies, nodes;
    } cases[] = {
        {"simple_cnn",
         "",        "1024",
         "none",  {28, 28, 1},
         CNN,                                                     784 * 25 * 32 + 196 * 25 * 32 * 64 + 3136 * 1024 + 1024 * 10,
         10                                                                                                                       },
        {"resnet8",
         "",        "1",
         "none",  {32, 32, 3},
         RESNET,                                                  1024 * 9 * 16 * (3 + 32) + 256 * (9 * 32 * (16 + 32) + 16 * 32) +
             64 * (9 * 64 * (32 + 64) + 32 * 64) + 640,
         24                                                                                                                       },
        {"resnet8",
         "",        "1",
         "ghost", {32, 32, 3},
         RESNET + NORMS,
         1024 * 9 * 16 * (3 + 32) + 256 * (9 * 32 * (16 + 32) + 16 * 32) +
             64 * (9 * 64 * (32 + 64) + 32 * 64) + 640,
         33                                                                                                                       },
        {"simple_cnn",
         "3, 5",    "7",
         "none",  {28, 28, 1},
         25 * 3 + 3 + 25 * 3 * 5 + 5 + 245 * 7 + 7 + 7 * 10 + 10,
         784 * 25 * 3 + 196 * 25 * 3 * 5 + 245 * 7 + 7 * 10,
         10                                                                                                                       },
        {"resnet8",
         "2, 3, 5", "1",
         "none",  {32, 32, 3},
         9 * 3 * 2 + 2 + 2 * (9 * 2 * 2 + 2) + 9 * 2 * 3 + 3 + 9 * 3 * 3 + 3 + 2 * 3 + 3 +
             9 * 3 * 5 + 5 + 9 * 5 * 5 + 5 + 3 * 5 + 5 + 50 + 10,
         1024 * 9 * 2 * (3 + 4) + 256 * (9 * 3 * (2 + 3) + 2 * 3) + 64 * (9 * 5 * (3 + 5) + 3 * 5) +
             50,                                                                                                                24},
    };
    for (size_t c = 0; c < BL_COUNT(cases); c++) {
        bl_config config;
        bl_net net;
        const bl_shape image = cases[c].shape;
        const bl_model_input input = {.continuous = bl_shape_positions(image) * image.channels,
                                      .shape = image,
                                      .classes = 10};
        tiny_config(&config);
        CHECK_OK(bl_config_set(&config, "model.kind", cases[c].kind, ERR));
        CHECK_OK(bl_config_set(&config, "model.filters", cases[c].filters, ERR));
        CHECK_OK(bl_config_set(&config, "model.hidden", cases[c].hidden, ERR));
        CHECK_OK(bl_config_set(&config, "model.dropout", "0.4", ERR));
        CHECK_OK(bl_config_set(&config, "model.norm", cases[c].norm, ERR));
        CHECK_OK(bl_model_build(&net, &config, &input, ERR));
        size_t parameters = 0, multiplies = 0;
        for (size_t i = 0; i < net.params; i++)
            parameters += net.param[i].running ? 0 : net.param[i].rows * net.param[i].cols;
        for (size_t i = 0; i < net.nodes; i++) multiplies += net.node[i].multiplies;
        assert_int_equal(parameters, cases[c].parameters);
        assert_int_equal(multiplies, cases[c].multiplies);
        assert_int_equal(net.nodes, cases[c].nodes);
        bl_net_free(&net);
    }
    bl_config config;
    bl_net net;
    const bl_model_input input = {
        .continuous = 784, .shape = {28, 28, 1},
             .classes = 10
    };
    tiny_config(&config);
    CHECK_OK(bl_config_set(&config, "model.kind", "simple_cnn", ERR));
    CHECK_OK(bl_config_set(&config, "model.filters", "3", ERR));
    assert_int_equal(bl_model_build(&net, &config, &input, ERR), BL_EINVAL);
    assert_string_equal(ERR->text, "model.filters has 1 numbers; simple_cnn takes 2, or none");
    bl_net_free(&net);
}

/* Without projections, their parameters less. */
static void test_padded_shortcuts(void **state) {
    (void)state;
    enum { PROJECTIONS = 16 * 32 + 32 + 32 * 64 + 64 };
    static const char *const shortcuts[] = {"projection", "pad"};
    size_t parameters[2] = {0, 0};
    const bl_model_input input = {
        .continuous = 32 * 32 * 3, .shape = {32, 32, 3},
                 .classes = 10
    };
    for (size_t c = 0; c < 2; c++) {
        bl_config config;
        bl_net net;
        tiny_config(&config);
        CHECK_OK(bl_config_set(&config, "model.kind", "resnet8", ERR));
        CHECK_OK(bl_config_set(&config, "model.norm", "none", ERR));
        CHECK_OK(bl_config_set(&config, "model.shortcut", shortcuts[c], ERR));
        CHECK_OK(bl_model_build(&net, &config, &input, ERR));
        for (size_t i = 0; i < net.params; i++)
            parameters[c] += net.param[i].rows * net.param[i].cols;
        bl_net_free(&net);
    }
    assert_int_equal(parameters[0], parameters[1] + PROJECTIONS);
}

static void test_embedding_widths(void **state) {
    (void)state;
    static const struct {
        uint32_t n;
        size_t width;
    } anchors[] = {
        {1116,  81 },
        {13,    7  },
        {8,     5  },
        {4,     3  },
        {32,    11 },
        {53,    15 },
        {1,     2  },
        {65536, 600}
    };
    for (size_t i = 0; i < BL_COUNT(anchors); i++)
        assert_int_equal(bl_layer_embedding_width(anchors[i].n), anchors[i].width);
}

static void test_tabular_layers(void **state) {
    (void)state;
    bl_config config;
    bl_net net;
    tiny_config(&config);
    build(&net, &config, 3, 2);
    check_layers(&net, "embedding:89 dropout:89 batch_norm:2 concat:91 dense:24 relu:24 "
                       "batch_norm:24 dropout:24 dense:12 relu:12 batch_norm:12 dropout:12 dense:1 "
                       "sigmoid_range:1");
    assert_true(fabs((double)bl_net_output(&net)->set.high - log(1.2 * 41551.0)) < 1e-6);
    assert_string_equal(net.param[0].name, "0.embedding.Store");
    assert_string_equal(net.param[net.params - 1].name, "12.dense.bias");
    bl_net_free(&net);

    build(&net, &config, 0, 2);
    check_layers(&net, "batch_norm:2 dense:24 relu:24 batch_norm:24 dropout:24 dense:12 relu:12 "
                       "batch_norm:12 dropout:12 dense:1 sigmoid_range:1");
    bl_net_free(&net);

    config.model.batch_norm = false;
    config.model.embedding_dropout = 0.0;
    config.model.dropout.n = 0;
    config.model.hidden.n = 1;
    (void)snprintf(config.model.output, BL_NAME, "linear");
    build(&net, &config, 3, 2);
    check_layers(&net, "embedding:89 concat:91 dense:24 relu:24 dense:1");
    bl_net_free(&net);
    build(&net, &config, 3, 0);
    check_layers(&net, "embedding:89 dense:24 relu:24 dense:1");
    bl_net_free(&net);

    config.model.dropout = (bl_f64_list){.v = {0.5}, .n = 1}; /* one for all */
    config.model.hidden.n = 2;
    build(&net, &config, 0, 2);
    check_layers(&net, "dense:24 relu:24 dropout:24 dense:12 relu:12 dropout:12 dense:1");
    bl_net_free(&net);
}

static void test_mlp_layers(void **state) {
    (void)state;
    bl_config config;
    bl_net net;
    bl_err err;
    tiny_config(&config);
    (void)snprintf(config.model.kind, BL_NAME, "mlp");
    bl_model_input input = {.continuous = 10, .classes = 3};
    CHECK_OK(bl_model_build(&net, &config, &input, ERR));
    check_layers(&net, "dense:24 relu:24 dropout:24 dense:12 relu:12 dropout:12 dense:3");
    bl_net_free(&net);
    config.model.dropout.n = 0;
    input.classes = 0;
    CHECK_OK(bl_model_build(&net, &config, &input, ERR));
    check_layers(&net, "dense:24 relu:24 dense:12 relu:12 dense:1");
    bl_net_free(&net);
    config.model.hidden.n = 0;
    input.classes = 2;
    CHECK_OK(bl_model_build(&net, &config, &input, ERR));
    check_layers(&net, "dense:2");
    bl_net_free(&net);
    input.categorical = 1;
    assert_int_equal(bl_model_build(&net, &config, &input, &err), BL_EINVAL);
    assert_non_null(strstr(err.text, "10 of them and 1 categorical"));
    bl_net_free(&net);
}

/* The net for tables tells classes apart by linear outputs only. */
static void test_tabular_classes(void **state) {
    (void)state;
    bl_config config;
    bl_net net;
    bl_err err;
    tiny_config(&config);
    const bl_model_input input = {.continuous = 2, .classes = 4};
    assert_int_equal(bl_model_build(&net, &config, &input, &err), BL_EINVAL);
    assert_non_null(strstr(err.text, "one of 4 classes"));
    bl_net_free(&net);
    (void)snprintf(config.model.output, BL_NAME, "linear");
    CHECK_OK(bl_model_build(&net, &config, &input, ERR));
    assert_int_equal(bl_net_output(&net)->width, 4);
    bl_net_free(&net);
}

/* Tensors lie one after another without overlap, each on a cache line. */
static void test_parameter_table(void **state) {
    (void)state;
    bl_config config;
    bl_net net;
    size_t end[2] = {0, 0};
    tiny_config(&config);
    build(&net, &config, 3, 2);
    for (size_t i = 0; i < net.params; i++) {
        const bl_param *p = &net.param[i];
        assert_int_equal(p->offset % 16, 0);
        assert_true(p->offset >= end[p->running] && p->offset < end[p->running] + 16);
        end[p->running] = p->offset + p->rows * p->cols;
    }
    assert_true(end[0] <= net.weights && end[1] <= net.runnings);
    bl_net_free(&net);
}

static void check_values(const bl_param *p, const float *values) {
    const size_t count = p->rows * p->cols;
    double sum = 0.0, squares = 0.0, most = 0.0;
    for (size_t i = 0; i < count; i++) {
        sum += (double)values[i];
        squares += (double)values[i] * (double)values[i];
        most = fmax(most, fabs((double)values[i]));
    }
    const double n = (double)count, deviation = sqrt(squares / n), scale = (double)p->scale;
    switch (p->init) {
    case BL_INIT_ZERO:
        assert_true(most == 0.0);
        break;
    case BL_INIT_ONE:
        assert_true(sum == n && squares == n);
        break;
    case BL_INIT_UNIFORM:
        assert_true(most <= scale);
        if (count < 1000) break;
        assert_true(fabs(sum / n) < 5.0 * scale / sqrt(3.0 * n));
        assert_true(fabs(deviation - scale / sqrt(3.0)) < 0.05 * scale);
        break;
    case BL_INIT_NORMAL:
        assert_true(most <= 5.78 * scale);
        if (count < 1000) break;
        assert_true(fabs(sum / n) < 5.0 * scale / sqrt(n));
        assert_true(fabs(deviation / scale - 1.0) < 4.0 / sqrt(2.0 * n));
        break;
    case BL_INIT_FOLDED_NORMAL: /* at two deviations: .8796 of the full deviation */
        assert_true(most <= 2.0 * scale);
        if (count < 1000) break;
        assert_true(fabs(sum / n) < 5.0 * scale / sqrt(n));
        assert_true(deviation > 0.85 * scale && deviation < 0.95 * scale);
        break;
    }
}

/* Gives the net memory, its first values, and holds those to what the table says. */
static void reset_and_check(bl_net *net, bl_arena *arena) {
    bl_arena dry = {0};
    bl_net_layout layout = {.arena = &dry};
    bl_net_lay_out(net, &layout, 4);
    CHECK_OK(bl_arena_init(arena, dry.peak, ERR));
    layout.arena = arena;
    bl_net_lay_out(net, &layout, 4);
    bl_net_reset(net, 1);
    for (size_t i = 0; i < net->params; i++) {
        const bl_param *p = &net->param[i];
        check_values(p, (p->running ? net->running : net->weight) + p->offset);
    }
}

static void test_initial_values(void **state) {
    (void)state;
    bl_config config;
    bl_net net;
    bl_arena arena;
    tiny_config(&config);
    build(&net, &config, 3, 2);
    reset_and_check(&net, &arena);
    float *first = bl_xalloc(net.weights * sizeof *first);
    memcpy(first, net.weight, net.weights * sizeof *first);
    bl_net_reset(&net, 2);
    assert_memory_not_equal(first, net.weight, net.weights * sizeof *first);
    bl_net_reset(&net, 1);
    assert_memory_equal(first, net.weight, net.weights * sizeof *first);
    free(first);
    bl_arena_free(&arena);
    bl_net_free(&net);
}

/* Of a tensor: its kind of initial values, and the deviation of normal ones. */
static void expect_init(const bl_param *p, bl_init init, double scale) {
    if (p->init != init ||
        (init == BL_INIT_NORMAL && fabs((double)p->scale - scale) > 1e-6 * scale))
        fail_msg("%s: kind %d, scale %.6g, not kind %d, scale %.6g", p->name, (int)p->init,
                 (double)p->scale, (int)init, scale);
}

/* As torchvision.models.mobilenet_v3_large() starts: kaiming_normal_(mode="fan_out") for
 * convolutions, normal_(0, 0.01) for linear layers, ones and zeros for norms, zeros for biases. The
 * convolution's size is the tensor's first dimension times its kernel's, so a depthwise one counts
 * all channels. */
static void test_mobilenet_initial_values(void **state) {
    (void)state;
    bl_config config;
    bl_net net;
    bl_arena arena;
    size_t dense = 0, denses = 0;
    const bl_model_input input = {
        .continuous = 32 * 32 * 3, .shape = {32, 32, 3},
                 .classes = 10
    };
    tiny_config(&config);
    CHECK_OK(bl_config_set(&config, "model.kind", "mobilenet_v3_large", ERR));
    CHECK_OK(bl_model_build(&net, &config, &input, ERR));
    for (size_t i = 0; i < net.nodes; i++) denses += strcmp(net.node[i].layer->name, "dense") == 0;
    for (size_t i = 0; i < net.nodes; i++) {
        const bl_net_node *node = &net.node[i];
        const bl_param *p = &net.param[node->first_param];
        const bool conv = strcmp(node->layer->name, "conv2d") == 0;
        if (!conv && strcmp(node->layer->name, "dense") != 0) continue;
        const size_t taps = conv ? node->set.kernel * node->set.kernel : 1;
        const bool head = !conv && ++dense > denses - 2;
        expect_init(&p[0], BL_INIT_NORMAL, head ? 0.01 : sqrt(2.0 / (double)(taps * p[0].cols)));
        if (node->params > 1) expect_init(&p[1], BL_INIT_ZERO, 0.0);
    }
    assert_int_equal(denses, 2 * 8 + 2);
    reset_and_check(&net, &arena);
    bl_arena_free(&arena);
    bl_net_free(&net);
}

static void test_no_columns(void **state) {
    (void)state;
    bl_config config;
    bl_net net;
    bl_err err;
    tiny_config(&config);
    const bl_model_input input = {.target_is_log = true, .target_max = 10.0};
    assert_int_equal(bl_model_build(&net, &config, &input, &err), BL_EINVAL);
    bl_net_free(&net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_embedding_widths),
        cmocka_unit_test(test_picture_nets),
        cmocka_unit_test(test_mobilenet),
        cmocka_unit_test(test_padded_shortcuts),
        cmocka_unit_test(test_tabular_layers),
        cmocka_unit_test(test_mlp_layers),
        cmocka_unit_test(test_tabular_classes),
        cmocka_unit_test(test_parameter_table),
        cmocka_unit_test(test_initial_values),
        cmocka_unit_test(test_no_columns),
        cmocka_unit_test(test_mobilenet_initial_values),
    };
    return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
