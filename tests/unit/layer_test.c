/* Every row of the layer and loss tables: outputs and gradients against fp64 (net64.h), on every
 * backend. A row that no case covers fails. */
#include "engine/model/layer.h"
#include "engine/model/loss.h"
#include "engine/model/model.h"
#include "kernels/shared/exact_math.h"
#include "tests/check.h"
#include "tests/unit/net64.h"
#include "tests/unit/tiny_data.h"

enum { BATCH = 19, CATEGORICAL = 2, CONTINUOUS = 3 };

static const bl_shape k_image = {6, 5, 2};
static const uint32_t k_cardinality[CATEGORICAL] = {4, 7};

static size_t add(bl_net *net, const char *layer, bl_layer_settings set, size_t in0, size_t in1) {
    size_t index = 0;
    CHECK_OK(bl_net_add(net, layer, &set, in0, in1, &index, ERR));
    return index;
}
#define SET(...)               ((bl_layer_settings){__VA_ARGS__})
#define DENSE(net, units_, in) add(net, "dense", SET(.units = (units_)), in, 0)

/* Each builds a small net in whose gradients an error of its layer shows. */
static void build_embedding(bl_net *net) {
    const size_t at =
        add(net, "embedding", SET(.columns = CATEGORICAL, .cardinality = k_cardinality), 0, 0);
    (void)DENSE(net, 1, at);
}
static void build_dropout(bl_net *net) {
    size_t at = DENSE(net, 5, BL_NET_VALUES);
    at = add(net, "dropout", SET(.rate = 0.3), at, 0);
    (void)DENSE(net, 1, at);
}
static void build_dense(bl_net *net) {
    (void)DENSE(net, 1, DENSE(net, 4, BL_NET_VALUES));
}
static void build_relu(bl_net *net) {
    size_t at = DENSE(net, 6, BL_NET_VALUES);
    at = add(net, "relu", SET(0), at, 0);
    at = add(net, "dropout", SET(.rate = 0.3), at, 0); /* may share relu's output: it says so */
    (void)DENSE(net, 1, at);
}
static void build_batchnorm(bl_net *net) {
    size_t at = add(net, "batch_norm", SET(0), BL_NET_VALUES, 0);
    at = DENSE(net, 4, at);
    at = add(net, "relu", SET(0), at, 0);
    at = add(net, "batch_norm", SET(0), at, 0);
    (void)DENSE(net, 1, at);
}
/* What dense layers and batch norm take over: the dropout behind them, the relu and the fork
 * before. */
static void build_taken(bl_net *net) {
    size_t at = add(net, "relu", SET(0), DENSE(net, 20, BL_NET_VALUES), 0);
    at = add(net, "dropout", SET(.rate = 0.3), add(net, "batch_norm", SET(0), at, 0), 0);
    at = add(net, "relu", SET(0), DENSE(net, 20, at), 0);
    for (size_t block = 0; block < 2; block++) {
        const size_t x = add(net, "fork", SET(0), at, 0);
        at = x;
        if (block == 1) at = add(net, "batch_norm", SET(0), at, 0);
        if (block == 1) at = add(net, "dropout", SET(.rate = 0.4), at, 0);
        at = add(net, "relu", SET(0), DENSE(net, 20, at), 0);
        at = add(net, "add", SET(0), DENSE(net, 20, at), x);
        at = add(net, "relu", SET(0), at, 0);
    }
    (void)DENSE(net, 1, at);
}
static void build_concat(bl_net *net) {
    const size_t left =
        add(net, "embedding", SET(.columns = CATEGORICAL, .cardinality = k_cardinality), 0, 0);
    const size_t right = add(net, "batch_norm", SET(0), BL_NET_VALUES, 0);
    (void)DENSE(net, 1, add(net, "concat", SET(0), left, right));
}
static void build_sigmoid_range(bl_net *net) {
    (void)add(net, "sigmoid_range", SET(.low = -1.0f, .high = 3.0f), DENSE(net, 1, BL_NET_VALUES),
              0);
}

/* From here on the values are pictures (IMAGE). */
#define CONV(net, in, ...) add(net, "conv2d", SET(__VA_ARGS__), in, 0)

/* Strided and padded; in groups, depthwise. */
static void build_conv2d(bl_net *net) {
    size_t at = CONV(net, BL_NET_VALUES, .units = 4, .kernel = 3, .same = true);
    at = CONV(net, at, .units = 6, .kernel = 3, .stride = 2, .same = true, .groups = 2);
    at = CONV(net, at, .units = 6, .kernel = 2, .groups = 6, .no_bias = true);
    (void)DENSE(net, 1, at);
}
static void build_max_pool(bl_net *net) {
    size_t at = CONV(net, BL_NET_VALUES, .units = 3, .kernel = 2);
    at = add(net, "max_pool", SET(.kernel = 3, .stride = 2), at, 0);
    at = add(net, "relu", SET(0), at, 0);
    (void)DENSE(net, 1, at);
}
static void build_avg_pool(bl_net *net) {
    size_t at = CONV(net, BL_NET_VALUES, .units = 3, .kernel = 2);
    at = add(net, "avg_pool", SET(.kernel = 2, .stride = 1), at, 0);
    (void)DENSE(net, 1, at);
}
static void build_global_pool(bl_net *net) {
    const size_t at = CONV(net, BL_NET_VALUES, .units = 3, .kernel = 2);
    (void)DENSE(net, 1, add(net, "global_pool", SET(0), at, 0));
}
static void build_ghost_norm(bl_net *net) {
    size_t at = CONV(net, BL_NET_VALUES, .units = 3, .kernel = 2);
    at = add(net, "ghost_norm", SET(.ghost = 4), at, 0);
    at = add(net, "relu", SET(0), at, 0);
    (void)DENSE(net, 1, add(net, "batch_norm2d", SET(0), at, 0));
}
static void build_groupnorm(bl_net *net) {
    size_t at = CONV(net, BL_NET_VALUES, .units = 6, .kernel = 2);
    at = add(net, "group_norm", SET(.groups = 3), at, 0);
    at = add(net, "relu", SET(0), at, 0);
    at = add(net, "group_norm", SET(.groups = 6, .eps = 0.01f), at, 0);
    (void)DENSE(net, 1, at);
}
static void build_layernorm(bl_net *net) {
    size_t at = CONV(net, BL_NET_VALUES, .units = 3, .kernel = 2);
    at = add(net, "layer_norm", SET(0), at, 0);
    at = DENSE(net, 7, add(net, "relu", SET(0), at, 0));
    (void)DENSE(net, 1, add(net, "layer_norm", SET(0), at, 0));
}
/* The parameterless shortcut of a strided block. */
static void build_pad_channels(bl_net *net) {
    const size_t x = add(net, "fork", SET(0), CONV(net, BL_NET_VALUES, .units = 3, .kernel = 2), 0);
    const size_t body = CONV(net, x, .units = 5, .kernel = 3, .stride = 2, .same = true);
    const size_t shortcut = add(net, "pad_channels", SET(.units = 5, .stride = 2), x, 0);
    (void)DENSE(net, 1, add(net, "add", SET(0), body, shortcut));
}
/* A residual block in a residual block. */
static void build_fork(bl_net *net) {
    const size_t x = CONV(net, BL_NET_VALUES, .units = 3, .kernel = 2);
    const size_t outer = add(net, "fork", SET(0), x, 0);
    const size_t inner = add(net, "fork", SET(0), outer, 0);
    const size_t body = CONV(net, inner, .units = 3, .kernel = 3, .same = true);
    const size_t sum = add(net, "add", SET(0), body, inner);
    (void)DENSE(net, 1, add(net, "add", SET(0), outer, sum));
}
static void build_add(bl_net *net) {
    const size_t x = add(net, "fork", SET(0), CONV(net, BL_NET_VALUES, .units = 3, .kernel = 2), 0);
    const size_t body = CONV(net, x, .units = 4, .kernel = 3, .stride = 2, .same = true);
    const size_t shortcut = CONV(net, x, .units = 4, .kernel = 1, .stride = 2);
    size_t at = add(net, "add", SET(0), body, shortcut);
    at = add(net, "relu", SET(0), at, 0);
    (void)DENSE(net, 1, at);
}
/* Two residual blocks after one another, whose sums, relus and gradients the convolutions take:
 * with a shortcut of its own, and with the identity. */
static void build_blocks(bl_net *net) {
    size_t at = add(net, "relu", SET(0), CONV(net, BL_NET_VALUES, .units = 3, .kernel = 2), 0);
    for (size_t block = 0; block < 2; block++) {
        const size_t stride = block == 0 ? 2 : 1;
        size_t shortcut = at = add(net, "fork", SET(0), at, 0);
        at = CONV(net, at, .units = 4, .kernel = 3, .stride = stride, .same = true);
        at = add(net, "relu", SET(0), at, 0);
        at = CONV(net, at, .units = 4, .kernel = 3, .same = true);
        if (block == 0) shortcut = CONV(net, shortcut, .units = 4, .kernel = 1, .stride = 2);
        at = add(net, "add", SET(0), at, shortcut);
        at = add(net, "relu", SET(0), at, 0);
    }
    (void)DENSE(net, 1, at);
}
/* The same with batch norm, which takes the sums and relus. */
static size_t add_normalised(bl_net *net, size_t in, size_t kernel, size_t stride, size_t ghost) {
    const size_t conv = CONV(net, in, .units = 4, .kernel = kernel, .stride = stride, .same = true,
                             .no_bias = true);
    return add(net, "ghost_norm", SET(.ghost = ghost), conv, 0);
}
static void build_norm_blocks(bl_net *net) {
    size_t at = add(net, "relu", SET(0), add_normalised(net, BL_NET_VALUES, 3, 1, 4), 0);
    for (size_t block = 0; block < 2; block++) {
        const size_t stride = block == 0 ? 2 : 1;
        size_t shortcut = at = add(net, "fork", SET(0), at, 0);
        at = add(net, "relu", SET(0), add_normalised(net, at, 3, stride, 0), 0);
        at = add_normalised(net, at, 3, 1, 4);
        if (block == 0) shortcut = add_normalised(net, shortcut, 1, 2, 0);
        at = add(net, "add", SET(0), at, shortcut);
        at = add(net, "relu", SET(0), at, 0);
    }
    (void)DENSE(net, 1, at);
}
/* Squeeze and excitation. */
static void build_scale(bl_net *net) {
    const size_t x = add(net, "fork", SET(0), CONV(net, BL_NET_VALUES, .units = 3, .kernel = 2), 0);
    size_t at = DENSE(net, 2, add(net, "global_pool", SET(0), x, 0));
    at = DENSE(net, 3, add(net, "relu", SET(0), at, 0));
    at = add(net, "hard_sigmoid", SET(0), at, 0);
    (void)DENSE(net, 1, add(net, "scale", SET(0), x, at));
}
static void build_hard_sigmoid(bl_net *net) {
    (void)DENSE(net, 1, add(net, "hard_sigmoid", SET(0), DENSE(net, 5, BL_NET_VALUES), 0));
}
static void build_hard_swish(bl_net *net) {
    (void)DENSE(net, 1, add(net, "hard_swish", SET(0), DENSE(net, 5, BL_NET_VALUES), 0));
}

static const struct {
    const char *layer;
    void (*build)(bl_net *net);
    bool shape;
} k_cases[] = {
    {"embedding",     build_embedding,     false},
    {"dropout",       build_dropout,       false},
    {"dense",         build_dense,         false},
    {"relu",          build_relu,          false},
    {"concat",        build_concat,        false},
    {"sigmoid_range", build_sigmoid_range, false},
    {"batch_norm",    build_batchnorm,     false},
    {"batch_norm",    build_taken,         false},
    {"conv2d",        build_conv2d,        true },
    {"max_pool",      build_max_pool,      true },
    {"avg_pool",      build_avg_pool,      true },
    {"global_pool",   build_global_pool,   true },
    {"ghost_norm",    build_ghost_norm,    true },
    {"batch_norm2d",  build_ghost_norm,    true },
    {"group_norm",    build_groupnorm,     true },
    {"layer_norm",    build_layernorm,     true },
    {"pad_channels",  build_pad_channels,  true },
    {"fork",          build_fork,          true },
    {"add",           build_add,           true },
    {"add",           build_blocks,        true },
    {"ghost_norm",    build_norm_blocks,   true },
    {"scale",         build_scale,         true },
    {"hard_sigmoid",  build_hard_sigmoid,  true },
    {"hard_swish",    build_hard_swish,    true },
};

typedef struct bench {
    bl_net net;
    bl_arena arena;
    bl_pool *pool;
    bl_pass pass;
} bench;

static float normal(uint32_t what, size_t i) {
    const bl_u32x4 words = bl_random4(3, BL_STREAM_SYNTH, what, i);
    return bl_normal(words.v[0], words.v[1]);
}

/* A net in memory with random parameters and a random batch. */
static void open_bench(bench *b, size_t c, const bl_kernels *kernels) {
    bl_arena dry = {0};
    bl_net_layout layout = {.arena = &dry};
    *b = (bench){
        .pass = {.kernels = kernels, .batch = BATCH, .seed = 5, .position = 1000}
    };
    bl_net_init(&b->net, CATEGORICAL,
                k_cases[c].shape ? bl_shape_positions(k_image) * k_image.channels : CONTINUOUS);
    if (k_cases[c].shape) bl_net_set_shape(&b->net, k_image);
    k_cases[c].build(&b->net);
    bl_net_fuse(&b->net);
    bl_net_lay_out(&b->net, &layout, BATCH);
    CHECK_OK(bl_arena_init(&b->arena, dry.peak, ERR));
    layout.arena = &b->arena;
    bl_net_lay_out(&b->net, &layout, BATCH);
    assert_false(layout.too_large);
    CHECK_OK(bl_pool_open(&b->pool, 2, ERR));
    b->pass.pool = b->pool;
    b->pass.scratch = bl_alloc((size_t)2 * BL_KERNEL_SCRATCH);
    bl_net_reset(&b->net, 1);
    for (size_t i = 0; i < b->net.weights; i++) b->net.weight[i] = 0.7f * normal(0, i);
    for (size_t i = 0; i < BATCH * b->net.continuous; i++) b->net.values[i] = normal(1, i);
    for (size_t i = 0; i < BATCH; i++) b->net.target[i] = normal(2, i);
    for (size_t i = 0; i < (size_t)BATCH * CATEGORICAL; i++)
        b->net.codes[i] =
            (uint16_t)(bl_random_u32(4, BL_STREAM_SYNTH, 0, i) % k_cardinality[i % CATEGORICAL]);
}

static void close_bench(bench *b) {
    bl_pool_close(b->pool);
    free(b->pass.scratch);
    bl_arena_free(&b->arena);
    bl_net_free(&b->net);
}

static void check_near(const char *what, const float *got, const double *expected, size_t count) {
    double largest = 0.0;
    for (size_t i = 0; i < count; i++) largest = fmax(largest, fabs(expected[i]));
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)got[i] - expected[i]) <= 5e-6 * largest + 1e-9))
            fail_msg("%s: element %zu is %.9g, in fp64 %.9g", what, i, (double)got[i], expected[i]);
}

static void check_case(size_t c, const bl_kernels *kernels) {
    char what[128];
    bench b;
    open_bench(&b, c, kernels);
    const bl_net_node *out = bl_net_output(&b.net);
    double loss = 0.0;
    const bl_part whole = {.parts = 1, .scratch = b.pass.scratch};
    bl_net_forward(&b.net, &b.pass);
    const bl_loss_args args = {.y = out->y,
                               .target = b.net.target,
                               .dy = out->dy,
                               .sum = &loss,
                               .count = BATCH,
                               .width = 1,
                               .total = BATCH};
    bl_loss_mse.run(kernels, &args, &whole);
    (void)snprintf(what, sizeof what, "%s, output, %s", k_cases[c].layer, kernels->name);
    double *weight = bl_xalloc(b.net.weights * sizeof *weight);
    for (size_t i = 0; i < b.net.weights; i++) weight[i] = (double)b.net.weight[i];
    double *y = net64_forward(&b.net, &b.pass, weight);
    check_near(what, out->y, y, BATCH * out->width);
    bl_net_backward(&b.net, &b.pass);
    (void)snprintf(what, sizeof what, "%s, gradient, %s", k_cases[c].layer, kernels->name);
    double *gradient = net64_gradient(&b.net, &b.pass, net64_mse);
    check_near(what, b.net.gradient, gradient, b.net.weights);
    free(gradient), free(y), free(weight);
    close_bench(&b);
}

static void test_gradients(void **state) {
    (void)state;
    for (size_t k = 0; k < bl_kernels_count; k++) {
        if (!bl_kernels_table[k]->usable()) continue;
        for (size_t c = 0; c < BL_COUNT(k_cases); c++) check_case(c, bl_kernels_table[k]);
    }
}

/* A narrow MobileNetV3: the slope of the fp64 loss along the gradient, leant aside at random, is
 * the gradient's own. */
static void test_mobilenet_gradient(void **state) {
    (void)state;
    enum { COUNT = 6, CLASSES = 3, SIDE = 12 };
    const bl_shape image = {SIDE, SIDE, 2};
    const bl_model_input input = {
        .continuous = SIDE * SIDE * 2, .shape = image, .classes = CLASSES};
    bl_config config;
    bl_arena dry = {0}, arena;
    bl_net_layout layout = {.arena = &dry};
    bl_net net;
    bl_pass pass = {.batch = COUNT, .seed = 5, .position = 7};
    double sum = 0.0, norm = 0.0, expected = 0.0;
    tiny_picture_config(&config, "mobilenet_v3_large");
    config.model.width = 0.05;
    CHECK_OK(bl_kernels_pick(&pass.kernels, ERR));
    CHECK_OK(bl_model_build(&net, &config, &input, ERR));
    bl_net_lay_out(&net, &layout, COUNT);
    CHECK_OK(bl_arena_init(&arena, dry.peak, ERR));
    layout.arena = &arena;
    bl_net_lay_out(&net, &layout, COUNT);
    CHECK_OK(bl_pool_open(&pass.pool, 1, ERR));
    pass.scratch = bl_alloc(BL_KERNEL_SCRATCH);
    bl_net_reset(&net, 3);
    for (size_t i = 0; i < COUNT * net.continuous; i++) net.values[i] = normal(1, i);
    for (size_t i = 0; i < COUNT; i++) net.target[i] = (float)(i % CLASSES);
    const bl_net_node *out = bl_net_output(&net);
    const bl_loss_args args = {.y = out->y,
                               .target = net.target,
                               .dy = out->dy,
                               .sum = &sum,
                               .count = COUNT,
                               .width = CLASSES,
                               .total = COUNT,
                               .label_smoothing = NET64_SMOOTHING};
    const bl_part whole = {.parts = 1, .scratch = pass.scratch};
    bl_net_forward(&net, &pass);
    bl_loss_cross_entropy.run(pass.kernels, &args, &whole);
    bl_net_backward(&net, &pass);
    double *at = bl_xalloc(net.weights * sizeof *at), *dir = bl_xalloc(net.weights * sizeof *dir);
    for (size_t i = 0; i < net.weights; i++) norm += pow((double)net.gradient[i], 2.0);
    const double rms = sqrt(norm / (double)net.weights), h = 1e-7 / rms;
    double slope = 0.0;
    for (size_t i = 0; i < net.weights; i++) {
        dir[i] = (double)net.gradient[i] + 0.5 * rms * (double)normal(9, i);
        expected += dir[i] * (double)net.gradient[i];
    }
    for (int side = -1; side <= 1; side += 2) {
        for (size_t i = 0; i < net.weights; i++) at[i] = (double)net.weight[i] + side * h * dir[i];
        double *y = net64_forward(&net, &pass, at);
        slope += side * net64_cross_entropy(y, CLASSES, net.target, COUNT) / (2.0 * h);
        free(y);
    }
    if (!(fabs(slope / expected - 1.0) < 1e-3)) fail_msg("slope %g, gradient %g", slope, expected);
    free(at), free(dir), free(pass.scratch);
    bl_pool_close(pass.pool);
    bl_arena_free(&arena);
    bl_net_free(&net);
}

static void test_every_layer_has_a_case(void **state) {
    (void)state;
    for (size_t i = 0; i < bl_layer_count; i++) {
        const char *name = bl_layer_table[i]->name;
        bool covered = false;
        for (size_t c = 0; c < BL_COUNT(k_cases); c++)
            covered = covered || strcmp(k_cases[c].layer, name) == 0;
        if (!covered || !net64_knows(name)) fail_msg("layer %s has no case here", name);
    }
}

static const struct {
    const char *loss;
    net64_loss run;
    size_t width;
} k_losses[] = {
    {"mse",           net64_mse,           1},
    {"cross_entropy", net64_cross_entropy, 3},
};

/* The sum and its gradient against libm and central differences, whole and as part of a batch. */
static void check_loss(const bl_loss *loss, size_t c, size_t total) {
    enum { COUNT = 300, MOST = 3 * COUNT };
    const double h = 1e-6, share = (double)COUNT / (double)total;
    const size_t width = k_losses[c].width;
    float y[MOST], target[COUNT], dy[MOST];
    double y64[MOST], expected[MOST], sum = 0.0;
    static _Alignas(64) unsigned char scratch[1024];
    const bl_part whole = {.parts = 1, .scratch = scratch};
    for (size_t i = 0; i < COUNT * width; i++) y64[i] = (double)(y[i] = normal(5, i));
    for (size_t i = 0; i < COUNT; i++) target[i] = loss->classes ? (float)(i % 3) : normal(6, i);
    const bl_loss_args args = {.y = y,
                               .target = target,
                               .dy = dy,
                               .sum = &sum,
                               .count = COUNT,
                               .width = width,
                               .total = total,
                               .label_smoothing = NET64_SMOOTHING};
    loss->run(bl_kernels_table[bl_kernels_count - 1], &args, &whole);
    assert_true(fabs(sum / COUNT - k_losses[c].run(y64, width, target, COUNT)) < 1e-12);
    for (size_t i = 0; i < COUNT * width; i++) {
        y64[i] = (double)y[i] + h;
        const double above = k_losses[c].run(y64, width, target, COUNT);
        y64[i] = (double)y[i] - h;
        const double below = k_losses[c].run(y64, width, target, COUNT);
        expected[i] = share * (above - below) / (2.0 * h);
        y64[i] = (double)y[i];
    }
    check_near(loss->name, dy, expected, COUNT * width);
}

static void test_losses(void **state) {
    (void)state;
    for (size_t i = 0; i < bl_loss_count; i++) {
        size_t c = 0;
        while (c < BL_COUNT(k_losses) && strcmp(k_losses[c].loss, bl_loss_table[i]->name) != 0) c++;
        if (c == BL_COUNT(k_losses)) fail_msg("loss %s has no case here", bl_loss_table[i]->name);
        check_loss(bl_loss_table[i], c, 300);
        check_loss(bl_loss_table[i], c, 700);
    }
}

/* Inference: no dropout, running statistics, as in fp64, and an example's output is its own. */
static void test_inference(void **state) {
    (void)state;
    for (size_t c = 0; c < BL_COUNT(k_cases); c++) {
        bench b;
        open_bench(&b, c,
                   bl_kernels_table[0]->usable() ? bl_kernels_table[0] : bl_kernels_table[1]);
        float together[BATCH];
        const bl_net_node *out = bl_net_output(&b.net);
        bl_net_forward(&b.net, &b.pass);
        bl_net_update_running_stats(&b.net, &b.pass, BATCH,
                                    BATCH); /* moves the running statistics */
        bl_net_infer(&b.net, &b.pass);
        double *y = net64_infer(&b.net, &b.pass);
        check_near(k_cases[c].layer, out->y, y, BATCH);
        free(y);
        memcpy(together, out->y, sizeof together);
        for (size_t i = 0; i < BATCH; i++) {
            memmove(b.net.codes, b.net.codes + (i > 0) * CATEGORICAL,
                    (BATCH - 1) * CATEGORICAL * sizeof *b.net.codes);
            memmove(b.net.values, b.net.values + (i > 0) * b.net.continuous,
                    (BATCH - 1) * b.net.continuous * sizeof *b.net.values);
            b.pass.batch = 1;
            b.pass.position = i;
            bl_net_infer(&b.net, &b.pass);
            assert_memory_equal(&together[i], out->y, sizeof(float));
        }
        close_bench(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_mobilenet_gradient),
        cmocka_unit_test(test_every_layer_has_a_case),
        cmocka_unit_test(test_losses),
        cmocka_unit_test(test_inference),
    };
    return cmocka_run_group_tests_name("layer", tests, NULL, NULL);
}
