/* Every tile of kernels/cuda/product.h against the processor's kernels, byte for byte: products
 * that are large enough for it, once of aligned arrays with multiples of four, which are read in
 * quads of 16 bytes, and once of others. families_test has small products of arrays that are never
 * aligned. */
#include "engine/base/mem.h"
#include "engine/base/philox.h"
#include "kernels/device.h"
#include "tests/check.h"
#include "tests/unit/device_run.h"
#include <string.h>

/* An array here and there. */
typedef struct twin {
    float *here, *there;
    size_t count;
} twin;

static const bl_device *g_device;
static bl_queue *g_queue;
static const bl_kernels *g_here;

static twin make(size_t count, uint32_t number) {
    twin t = {.count = count};
    void *memory;
    t.here = bl_xalloc(count * sizeof(float));
    CHECK_OK(g_device->alloc(g_device, &memory, count * sizeof(float), ERR));
    t.there = memory;
    for (size_t i = 0; i < count; i++) {
        const uint32_t word = bl_random_u32(7, BL_STREAM_SYNTH, number, i);
        t.here[i] = word % 16 == 0 ? 0.0f : (float)(int32_t)word * 0x1p-31f;
    }
    g_device->put(g_queue, t.there, t.here, count * sizeof(float));
    CHECK_OK(g_device->wait(g_queue, ERR));
    return t;
}

/* The results are equal. */
static void check(const twin *t, const char *what, size_t number) {
    float *back = bl_xalloc(t->count * sizeof(float));
    g_device->get(g_queue, back, t->there, t->count * sizeof(float));
    CHECK_OK(g_device->wait(g_queue, ERR));
    for (size_t i = 0; i < t->count; i++)
        if (memcmp(&back[i], &t->here[i], sizeof(float)) != 0)
            fail_msg("%s, case %zu: [%zu] is %a, on the processor %a", what, number, i,
                     (double)back[i], (double)t->here[i]);
    free(back);
}

static void drop(twin *t, size_t count) {
    for (size_t i = 0; i < count; i++) {
        free(t[i].here);
        g_device->release(g_device, t[i].there);
    }
}

static bl_part part_here(void) {
    static _Alignas(64) unsigned char scratch[BL_KERNEL_SCRATCH];
    return (bl_part){.part = 0, .parts = 1, .scratch = scratch};
}
static bl_part part_there(void) {
    return (bl_part){.part = 0, .parts = 1, .queue = g_queue};
}

/* ---- dense layers: m x n outputs, each a sum of `terms` ---- */

static const struct {
    size_t m, n, terms;
} k_products[] = {
    {9,     16,   12 },
    {9,     18,   13 }, /* 32 x 32 */
    {640,   624,  12 },
    {640,   625,  13 }, /* 64 x 64 */
    {1500,  1404, 8  },
    {1499,  1405, 9  }, /* 128 x 128 */
    {12300, 32,   20 },
    {12301, 33,   19 }, /* 128 x 32 */
    {12300, 16,   12 },
    {13201, 15,   13 }, /* 128 x 16 */
    {640,   624,  268},
    {12301, 16,   259}, /* blocks of terms */
};

static void test_dense_forward(void **state) {
    (void)state;
    for (size_t i = 0; i < BL_COUNT(k_products); i++) {
        const size_t m = k_products[i].m, n = k_products[i].n, k = k_products[i].terms;
        twin t[] = {make(m * k, 1), make(k * n, 2), make(n, 3), make(m * n, 4)};
        const bl_part here = part_here(), there = part_there();
        const bl_epilogue relu = {.relu = true};
        g_here->dense_forward(
            &(bl_dense_forward){t[3].here, t[0].here, t[1].here, t[2].here, m, k, n, relu}, &here);
        g_device->kernels->dense_forward(
            &(bl_dense_forward){t[3].there, t[0].there, t[1].there, t[2].there, m, k, n, relu},
            &there);
        check(&t[3], "dense_forward", i);
        drop(t, BL_COUNT(t));
    }
}

static void test_dense_backward_input(void **state) {
    (void)state;
    for (size_t i = 0; i < BL_COUNT(k_products); i++) {
        const size_t m = k_products[i].m, k = k_products[i].n, n = k_products[i].terms;
        twin t[] = {make(m * n, 1), make(k * n, 2), make(m * k, 3)};
        const bl_part here = part_here(), there = part_there();
        const bl_epilogue none = {0};
        g_here->dense_backward_input(
            &(bl_dense_backward_input){t[2].here, t[0].here, t[1].here, m, k, n, none}, &here);
        g_device->kernels->dense_backward_input(
            &(bl_dense_backward_input){t[2].there, t[0].there, t[1].there, m, k, n, none}, &there);
        check(&t[2], "dense_backward_input", i);
        drop(t, BL_COUNT(t));
    }
}

static void test_dense_backward_weight(void **state) {
    (void)state;
    for (size_t i = 0; i < BL_COUNT(k_products); i++) {
        const size_t k = k_products[i].m, n = k_products[i].n, batch = k_products[i].terms;
        twin t[] = {make(batch * k, 1), make(batch * n, 2), make(k * n, 3)};
        const bl_part here = part_here(), there = part_there();
        g_here->dense_backward_weight(
            &(bl_dense_backward_weight){t[2].here, NULL, t[0].here, t[1].here, batch, k, n, k},
            &here);
        g_device->kernels->dense_backward_weight(
            &(bl_dense_backward_weight){t[2].there, NULL, t[0].there, t[1].there, batch, k, n, k},
            &there);
        check(&t[2], "dense_backward_weight", i);
        drop(t, BL_COUNT(t));
    }
}

/* ---- convolutions ---- */

static const struct {
    size_t batch, side, channels, filters, kernel, stride, groups;
} k_convs[] = {
  /* 32 x 32 */
    {2,   5,  4,  8,  3, 1, 1},
    {2,   7,  8,  8,  3, 2, 2},
 /* 64 x 64: forward, input, weights */
    {8,   32, 4,  48, 3, 1, 1},
    {8,   32, 3,  49, 3, 1, 1},
    {8,   32, 48, 4,  3, 1, 1},
    {8,   32, 49, 3,  3, 1, 1},
    {114, 4,  8,  48, 3, 1, 1},
    {130, 4,  7,  49, 3, 1, 1},
 /* 128 x 32 */
    {12,  32, 4,  32, 3, 1, 1},
    {12,  32, 32, 5,  3, 1, 1},
    {114, 4,  12, 32, 3, 1, 1},
    {130, 5,  11, 31, 3, 1, 1},
 /* 128 x 16 */
    {12,  32, 4,  16, 3, 1, 1},
    {12,  32, 1,  16, 5, 1, 1},
    {12,  32, 16, 4,  3, 1, 1},
    {13,  32, 15, 5,  3, 1, 1},
    {114, 4,  12, 16, 3, 1, 1},
    {140, 4,  11, 15, 3, 1, 1},
 /* 128 x 128 */
    {22,  32, 4,  96, 1, 1, 1},
    {22,  32, 96, 4,  1, 1, 1},
 /* phases of a stride, several blocks of examples */
    {22,  32, 96, 8,  1, 2, 1},
    {10,  33, 16, 16, 3, 2, 1},
    {300, 4,  12, 16, 3, 1, 1},
};

static bl_conv conv_of(size_t i) {
    const size_t kernel = k_convs[i].kernel, stride = k_convs[i].stride, pad = kernel / 2;
    const size_t out = (k_convs[i].side + 2 * pad - kernel) / stride + 1;
    return (bl_conv){.batch = k_convs[i].batch,
                     .height = k_convs[i].side,
                     .width = k_convs[i].side,
                     .channels = k_convs[i].channels,
                     .out_height = out,
                     .out_width = out,
                     .filters = k_convs[i].filters,
                     .kernel = kernel,
                     .stride = stride,
                     .pad = pad,
                     .groups = k_convs[i].groups};
}

static size_t x_floats(const bl_conv *v) {
    return v->batch * v->height * v->width * v->channels;
}
static size_t y_floats(const bl_conv *v) {
    return v->batch * v->out_height * v->out_width * v->filters;
}
static size_t w_floats(const bl_conv *v) {
    return v->kernel * v->kernel * v->channels / v->groups * v->filters;
}

static void conv_forward(size_t i) {
    const bl_conv v = conv_of(i);
    twin t[] = {make(x_floats(&v), 1), make(w_floats(&v), 2), make(v.filters, 3),
                make(y_floats(&v), 4)};
    const bl_part here = part_here(), there = part_there();
    const bl_epilogue relu = {.relu = true};
    g_here->conv2d_forward(
        &(bl_conv2d_forward){t[3].here, t[0].here, t[1].here, t[2].here, v, relu}, &here);
    g_device->kernels->conv2d_forward(
        &(bl_conv2d_forward){t[3].there, t[0].there, t[1].there, t[2].there, v, relu}, &there);
    check(&t[3], "conv2d_forward", i);
    drop(t, BL_COUNT(t));
}

static void test_conv2d_forward(void **state) {
    (void)state;
    for (size_t i = 0; i < BL_COUNT(k_convs); i++) conv_forward(i);
}

static void test_conv2d_backward_input(void **state) {
    (void)state;
    for (size_t i = 0; i < BL_COUNT(k_convs); i++) {
        const bl_conv v = conv_of(i);
        twin t[] = {make(y_floats(&v), 1), make(w_floats(&v), 2), make(x_floats(&v), 3)};
        const bl_part here = part_here(), there = part_there();
        const bl_epilogue none = {0};
        g_here->conv2d_backward_input(
            &(bl_conv2d_backward_input){t[2].here, t[0].here, t[1].here, v, none}, &here);
        g_device->kernels->conv2d_backward_input(
            &(bl_conv2d_backward_input){t[2].there, t[0].there, t[1].there, v, none}, &there);
        check(&t[2], "conv2d_backward_input", i);
        drop(t, BL_COUNT(t));
    }
}

static void test_conv2d_backward_weight(void **state) {
    (void)state;
    for (size_t i = 0; i < BL_COUNT(k_convs); i++) {
        const bl_conv v = conv_of(i);
        twin t[] = {make(x_floats(&v), 1), make(y_floats(&v), 2), make(v.filters, 3),
                    make(w_floats(&v), 4)};
        const bl_part here = part_here(), there = part_there();
        g_here->conv2d_backward_weight(
            &(bl_conv2d_backward_weight){t[3].here, t[2].here, t[0].here, t[1].here, v}, &here);
        g_device->kernels->conv2d_backward_weight(
            &(bl_conv2d_backward_weight){t[3].there, t[2].there, t[0].there, t[1].there, v},
            &there);
        check(&t[3], "conv2d_backward_weight", i);
        check(&t[2], "conv2d_backward_weight's bias", i);
        drop(t, BL_COUNT(t));
    }
}

static int begin(void **state) {
    (void)state;
    g_device = open_device();
    CHECK_OK(bl_kernels_pick(&g_here, ERR));
    CHECK_OK(g_device->queue_open(g_device, &g_queue, ERR));
    return 0;
}

static int end(void **state) {
    (void)state;
    g_device->queue_close(g_queue);
    return 0;
}

/* device_products_test [PATTERN]: only cases whose names match. */
int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dense_forward),         cmocka_unit_test(test_dense_backward_input),
        cmocka_unit_test(test_dense_backward_weight), cmocka_unit_test(test_conv2d_forward),
        cmocka_unit_test(test_conv2d_backward_input), cmocka_unit_test(test_conv2d_backward_weight),
    };
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("device products", tests, begin, end);
}
