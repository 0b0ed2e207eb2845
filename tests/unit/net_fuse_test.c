/* The fusion pass: what it finds in chains that are written out here, and that a fused net has the
 * bits of the same net unfused, forward, backward and in inference. */
#include "engine/model/model.h"
#include "kernels/shared/exact_math.h"
#include "tests/check.h"
#include "tests/unit/tiny_data.h"
#include <string.h>

static size_t add(bl_net *net, const char *layer, bl_layer_settings set, size_t in0, size_t in1) {
    size_t index = 0;
    CHECK_OK(bl_net_add(net, layer, &set, in0, in1, &index, ERR));
    return index;
}
#define SET(...)         ((bl_layer_settings){__VA_ARGS__})
#define CONV(net, at)    add(net, "conv2d", SET(.units = 2, .kernel = 3, .same = true), at, 0)
#define PLAIN(net, l, a) add(net, l, SET(0), a, 0)

/* ---- what it finds ---- */

/* "forward_by backward_by add relu dropout fork gate gradient_of", "-" for none. */
static void check_node(const bl_net *net, size_t node, const char *expected) {
    const bl_fusion *f = &net->node[node].fused;
    const size_t all[] = {f->forward_by, f->backward_by, f->add,  f->relu,
                          f->dropout,    f->fork,        f->gate, f->gradient_of};
    char text[128];
    int n = 0;
    for (size_t i = 0; i < BL_COUNT(all); i++)
        n += all[i] == BL_NET_NONE
                 ? snprintf(text + n, sizeof text - (size_t)n, "%s-", i ? " " : "")
                 : snprintf(text + n, sizeof text - (size_t)n, "%s%zu", i ? " " : "", all[i]);
    if (strcmp(text, expected) != 0)
        fail_msg("node %zu, %s: %s, not %s", node, net->node[node].layer->name, text, expected);
}

static void check_nodes(bl_net *net, const char *const *expected, size_t count) {
    bl_net_fuse(net);
    assert_int_equal(net->nodes, count);
    for (size_t i = 0; i < count; i++) check_node(net, i, expected[i]);
    bl_net_fuse(net); /* again: the same */
    for (size_t i = 0; i < count; i++) check_node(net, i, expected[i]);
    bl_net_free(net);
}

/* The residual block at the head of net_fuse.c. */
static void test_residual_block(void **state) {
    (void)state;
    bl_net net;
    bl_net_init(&net, 0, 4 * 4 * 2);
    bl_net_set_shape(&net, (bl_shape){4, 4, 2});
    size_t at = PLAIN(&net, "relu", CONV(&net, BL_NET_VALUES));
    const size_t fork = PLAIN(&net, "fork", at);
    at = PLAIN(&net, "relu", CONV(&net, fork));
    at = add(&net, "add", SET(0), CONV(&net, at), fork);
    (void)PLAIN(&net, "global_pool", PLAIN(&net, "relu", at));
    static const char *const expected[] = {
        "- - - 1 - - - -", /* conv2d: its relu */
        "0 3 - - - - - -", /* relu: before the fork */
        "- 3 - - - - - 6", /* fork: its second gradient is the add's */
        "- - - 4 - 2 1 -", /* conv2d */
        "3 5 - - - - - -", /* relu */
        "- - 6 7 - - 4 -", /* conv2d: add and relu */
        "5 - - - - - - -", /* add */
        "5 - - - - - - -", /* relu: global_pool leaves its backward to it */
        "- - - - - - - -",
    };
    check_nodes(&net, expected, BL_COUNT(expected));
}

/* Dense, relu, batch norm and dropout, as in the net for tables. */
static void test_table_chain(void **state) {
    (void)state;
    bl_net net;
    bl_net_init(&net, 0, 5);
    size_t at = PLAIN(&net, "relu", add(&net, "dense", SET(.units = 4), BL_NET_VALUES, 0));
    at = PLAIN(&net, "batch_norm", at);
    at = add(&net, "dropout", SET(.rate = 0.5), at, 0);
    at = add(&net, "dropout", SET(.rate = 0.5), at, 0);
    (void)add(&net, "dense", SET(.units = 1), at, 0);
    static const char *const expected[] = {
        "- - - 1 - - - -", "0 2 - - - - - -", "- - - - 3 - 1 -",
        "2 2 - - - - - -", "- - - - - - - -", /* a second dropout has no norm before it */
        "- - - - - - - -",
    };
    check_nodes(&net, expected, BL_COUNT(expected));
}

/* An add whose last input is not directly before it, or no kernel's, is its own. */
static void test_what_is_left_alone(void **state) {
    (void)state;
    bl_net net;
    bl_net_init(&net, 0, 6);
    const size_t first = add(&net, "dense", SET(.units = 6), BL_NET_VALUES, 0);
    const size_t fork = PLAIN(&net, "fork", first);
    const size_t side = PLAIN(&net, "hard_swish", fork);
    const size_t sum = add(&net, "add", SET(0), fork, side);
    (void)PLAIN(&net, "relu", sum);
    static const char *const expected[] = {"- - - - - - - -", "- - - - - - - -", "- - - - - - - -",
                                           "- - - - - - - -", "- - - - - - - -"};
    check_nodes(&net, expected, BL_COUNT(expected));
}

/* ---- bits ---- */

enum { COUNT = 9, SIDE = 8, CLASSES = 3 };

typedef struct run {
    bl_net net;
    bl_arena arena;
    bl_pass pass;
} run;

static void open_run(run *r, const bl_config *config, bool fused) {
    const bl_model_input input = {
        .continuous = SIDE * SIDE * 2, .shape = {SIDE, SIDE, 2},
                 .classes = CLASSES
    };
    bl_arena dry = {0};
    bl_net_layout layout = {.arena = &dry};
    *r = (run){
        .pass = {.batch = COUNT, .seed = 5, .position = 7}
    };
    CHECK_OK(bl_kernels_pick(&r->pass.kernels, ERR));
    CHECK_OK(bl_model_build(&r->net, config, &input, ERR));
    size_t by_others = 0;
    for (size_t i = 0; i < r->net.nodes; i++) {
        by_others += r->net.node[i].fused.forward_by != BL_NET_NONE;
        if (!fused) r->net.node[i].fused = bl_fusion_none();
    }
    assert_true(by_others > 0);
    bl_net_lay_out(&r->net, &layout, COUNT);
    CHECK_OK(bl_arena_init(&r->arena, dry.peak, ERR));
    layout.arena = &r->arena;
    bl_net_lay_out(&r->net, &layout, COUNT);
    CHECK_OK(bl_pool_open(&r->pass.pool, 1, ERR));
    r->pass.scratch = bl_alloc(BL_KERNEL_SCRATCH);
    bl_net_reset(&r->net, 3);
    for (size_t i = 0; i < COUNT * r->net.continuous; i++)
        r->net.values[i] = bl_uniform(bl_random_u32(1, BL_STREAM_SYNTH, 0, i), -1.0f, 1.0f);
}

static void close_run(run *r) {
    bl_pool_close(r->pass.pool);
    free(r->pass.scratch);
    bl_arena_free(&r->arena);
    bl_net_free(&r->net);
}

static void pass_through(run *r, float y[2][COUNT * CLASSES]) {
    const bl_net_node *out = bl_net_output(&r->net);
    bl_net_forward(&r->net, &r->pass);
    memcpy(y[0], out->y, sizeof y[0]);
    for (size_t i = 0; i < (size_t)COUNT * CLASSES; i++) out->dy[i] = out->y[i] - (float)(i % 2);
    bl_net_backward(&r->net, &r->pass);
    bl_net_update_running_stats(&r->net, &r->pass, COUNT, COUNT);
    bl_net_infer(&r->net, &r->pass);
    memcpy(y[1], out->y, sizeof y[1]);
}

static void check_same(const bl_config *config) {
    run fused, alone;
    float y[2][COUNT * CLASSES], z[2][COUNT * CLASSES];
    open_run(&fused, config, true);
    open_run(&alone, config, false);
    for (int pass = 0; pass < 2; pass++) { /* the second one over what the first one left */
        pass_through(&fused, y);
        pass_through(&alone, z);
        assert_memory_equal(y, z, sizeof y);
        assert_memory_equal(fused.net.gradient, alone.net.gradient,
                            bl_net_gradients(&fused.net) * sizeof(float));
    }
    close_run(&fused);
    close_run(&alone);
}

static void test_same_bits(void **state) {
    (void)state;
    static const char *const norms[] = {"none", "batch", "ghost"};
    bl_config config;
    for (size_t i = 0; i < BL_COUNT(norms); i++) {
        tiny_picture_config(&config, "resnet8");
        CHECK_OK(bl_config_set(&config, "model.norm", norms[i], ERR));
        CHECK_OK(bl_config_set(&config, "model.shortcut", i == 1 ? "pad" : "projection", ERR));
        check_same(&config);
    }
    tiny_picture_config(&config, "mobilenet_v3_large");
    config.model.width = 0.05;
    check_same(&config);
    tiny_picture_config(&config, "simple_cnn");
    check_same(&config);
}

/* Residual blocks of dense layers, of convolutions, and one whose shortcut is the last input. */
static void test_same_bits_of_lists(void **state) {
    (void)state;
    static const char *const lists[] = {
        "{ type = \"dense\"; units = 8; }, { type = \"relu\"; }, { type = \"residual\"; layers = ( "
        "{ type = \"dense\"; units = 8; }, { type = \"relu\"; }, { type = \"dense\"; units = 8; } "
        "); }, { type = \"relu\"; }, { type = \"batch_norm\"; }, { type = \"dropout\"; rate = 0.3; "
        "}, { type = \"dense\"; units = 3; }",
        "{ type = \"conv2d\"; filters = 4; kernel = 3; padding = \"same\"; }, { type = \"relu\"; "
        "}, { type = "
        "\"residual\"; layers = ( { type = \"conv2d\"; filters = 4; kernel = 3; padding = "
        "\"same\"; }, { type = "
        "\"batch_norm\"; } ); shortcut = ( { type = \"conv2d\"; filters = 4; kernel = 1; } ); }, { "
        "type = \"relu\"; }, { type = \"global_pool\"; }, { type = \"dense\"; units = 3; }",
        "{ type = \"dense\"; units = 8; }, { type = \"residual\"; layers = ( { type = "
        "\"residual\"; "
        "layers = ( { type = \"dense\"; units = 8; } ); }, { type = \"relu\"; } ); }, { type = "
        "\"dense\"; units = 3; }",
    };
    bl_config config;
    for (size_t i = 0; i < BL_COUNT(lists); i++) {
        tiny_picture_config(&config, "layers");
        CHECK_OK(bl_config_set(&config, "model.layers", lists[i], ERR));
        check_same(&config);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_residual_block),     cmocka_unit_test(test_table_chain),
        cmocka_unit_test(test_what_is_left_alone), cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_same_bits_of_lists),
    };
    return cmocka_run_group_tests_name("net_fuse", tests, NULL, NULL);
}
