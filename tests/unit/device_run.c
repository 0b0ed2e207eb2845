#include "tests/unit/device_run.h"
#include "bl_build.h"
#include "engine/base/mem.h"
#include "kernels/device.h"
#include "tests/check.h"
#include <stdlib.h>
#include <string.h>

const bl_device *open_device(void) {
    const bl_device *device = NULL;
    (void)setenv("BATCHLAB_CUDA", BL_BUILD_DIR "/libbatchlab_cuda_emulated.so", 0);
    /* The emulated plug-in has a cuBLASLt and a cuDNN in it. */
    if (strstr(getenv("BATCHLAB_CUDA"), "emulated") != NULL)
        (void)setenv("BATCHLAB_CUBLASLT", getenv("BATCHLAB_CUDA"), 0),
            (void)setenv("BATCHLAB_CUDNN", getenv("BATCHLAB_CUDA"), 0);
    CHECK_OK(bl_device_open(&device, "cuda", ERR));
    return device;
}

int device_setup(void **state) {
    (void)tiny_setup(state);
    fixture *f = *state;
    CHECK_OK(bl_train_device_data_open(&f->device_data, open_device(), &f->data, ERR));
    return 0;
}

int device_teardown(void **state) {
    bl_train_device_data_close(&((fixture *)*state)->device_data);
    return tiny_teardown(state);
}

bl_train *open_run(const fixture *f, bool device) {
    bl_train_options options = {.run_id = "0123456789ab",
                                .device_data = device ? &f->device_data : NULL};
    bl_train *train = NULL;
    CHECK_OK(bl_kernels_pick(&options.kernels, ERR));
    CHECK_OK(bl_train_open(&train, &f->config, &f->data, &options, ERR));
    return train;
}

static void check_same_text(const bl_buf *x, const bl_buf *y) {
    const size_t n = x->len < y->len ? x->len : y->len;
    for (size_t i = 0; i < n; i++)
        if (x->data[i] != y->data[i])
            fail_msg("the logs differ at byte %zu: %.80s | %.80s", i, (char *)x->data + i,
                     (char *)y->data + i);
    assert_int_equal(x->len, y->len);
}

void check_same(const bl_train *a, const bl_train *b) {
    check_same_text(bl_train_log(a), bl_train_log(b));
    check_same_text(bl_train_noise(a), bl_train_noise(b));
}

void check_run(const fixture *f, int64_t steps) {
    bl_train *here = open_run(f, false), *there = open_run(f, true);
    bl_buf a = {0}, b = {0};
    advance_to(here, steps);
    advance_to(there, steps);
    check_same(here, there);
    CHECK_OK(bl_train_save(here, &a, ERR));
    CHECK_OK(bl_train_save(there, &b, ERR));
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
    bl_buf_free(&a);
    bl_buf_free(&b);
    bl_train_close(here);
    bl_train_close(there);
}

uint8_t *make_pictures(fixture *f, size_t height, size_t width) {
    const size_t n = height * width * 2;
    uint8_t *pixels = bl_xalloc(f->data.rows * n);
    for (size_t i = 0; i < f->data.rows * n; i++) pixels[i] = (uint8_t)(i * 31 >> 3);
    f->data.pixels = pixels;
    f->data.height = height, f->data.width = width, f->data.channels = 2, f->data.continuous = n;
    f->data.pixel_mean[0] = 100, f->data.pixel_scale[0] = 0.25f;
    f->data.pixel_mean[1] = 50, f->data.pixel_scale[1] = 0.5f;
    bl_train_device_data_close(&f->device_data);
    f->data.values = NULL;
    CHECK_OK(bl_train_device_data_open(&f->device_data, open_device(), &f->data, ERR));
    return pixels;
}

uint8_t *make_convolutional(fixture *f, const char *model, const char *norm) {
    uint8_t *pixels = make_pictures(f, 4, 4);
    f->data.categorical = 0;
    strcpy(f->config.model.kind, model);
    strcpy(f->config.model.norm, norm);
    strcpy(f->config.model.output, "linear");
    f->config.data.eval_rows = 20;
    f->config.train.batch_size = 16;
    return pixels;
}

// clang-format off
const device_list device_lists[] = {
    {true, "{ type = \"conv2d\"; filters = 6; kernel = 3; stride = 2; padding = \"same\"; groups = 2; bias = false; }, \"hard_swish\", "
           "{ type = \"avg_pool\"; size = 2; stride = 1; }, \"layer_norm\", { type = \"dense\"; units = 1; }"},
    {true, "{ type = \"conv2d\"; filters = 6; kernel = 3; }, { type = \"group_norm\"; groups = 3; }, \"relu\", "
           "{ type = \"max_pool\"; size = 2; }, { type = \"ghost_norm\"; size = 8; }, \"global_pool\", \"batch_norm\", "
           "{ type = \"dropout\"; rate = 0.5; }, { type = \"dense\"; units = 1; }"},
    {true, "{ type = \"conv2d\"; filters = 6; kernel = 1; }, { type = \"scale\"; layers = ( \"global_pool\", "
           "{ type = \"dense\"; units = 6; }, \"hard_sigmoid\" ); }, { type = \"dense\"; units = 1; }"},
    {true, "{ type = \"residual\"; layers = ( { type = \"conv2d\"; filters = 5; kernel = 1; } ); "
           "shortcut = ( { type = \"pad_channels\"; channels = 5; } ); }, { type = \"dense\"; units = 1; }"},
    {false, "{ type = \"concat\"; layers = ( \"embedding\", { type = \"dropout\"; rate = 0.1; } ); beside = ( \"batch_norm\" ); }, "
            "{ type = \"dense\"; units = 1; }, \"sigmoid_range\""},
};
// clang-format on
const size_t device_list_count = BL_COUNT(device_lists);
