/* Pictures: files written here with known answers, faults and what is said of them, the generator,
 * shifting and mirroring, and the real MNIST and CIFAR-10 where they lie in a data folder. */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/philox.h"
#include "engine/base/sha256.h"
#include "engine/data/block.h"
#include "engine/data/dataset_open.h"
#include "engine/data/image/augment.h"
#include "engine/data/image/resize.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include <math.h>
#include <stdlib.h>

static const char idx_cfg[] =
    "origin = \"the moon\"; folder = \"spots\";\n"
    "image = { format = \"idx\"; height = 2; width = 3; channels = 1; classes = 3; };\n"
    "tables = ( { name = \"train\"; files = ( { file = \"a\"; }, { file = \"a.label\"; },\n"
    "                                         { file = \"b\"; }, { file = \"b.label\"; } ); },\n"
    "           { name = \"test\"; files = ( { file = \"c\"; }, { file = \"c.label\"; } ); } );\n"
    "split = { valid = 1; test = [\"test\"]; };\n"
    "synthetic = { seed = 7; rows = 40; test_rows = 10; noise = 0.5; };\n";

static const char cifar_cfg[] =
    "origin = \"the moon\"; folder = \"spots\";\n"
    "image = { format = \"cifar\"; height = 1; width = 2; channels = 3; classes = 3; };\n"
    "tables = ( { name = \"one\"; files = ( { file = \"one\"; } ); },\n"
    "           { name = \"two\"; files = ( { file = \"two\"; } ); } );\n"
    "variants = ( { name = \"full\"; tables = [\"one\", \"two\"]; },\n"
    "             { name = \"half\"; tables = [\"one\"]; } );\n"
    "split = { valid = 1; };\n";

typedef struct fixture {
    const char *root;
    char data[BL_PATH], said[2048];
    bl_dataset_options options;
} fixture;

static void hear(void *ctx, const char *text) {
    fixture *f = ctx;
    strncat(f->said, text, sizeof f->said - strlen(f->said) - 2);
    strcat(f->said, "\n");
}

static void put(const fixture *f, const char *file, const void *bytes, size_t n) {
    char path[BL_PATH];
    CHECK_OK(bl_path(path, ERR, "%s/%s", f->root, file));
    CHECK_OK(bl_file_write(path, bytes, n, ERR));
}

/* `rows` pictures of 2 x 3 that count up from `first`, and their labels. */
static void put_idx(const fixture *f, const char *name, uint8_t rows, uint8_t first,
                    const uint8_t *label) {
    uint8_t pictures[64] = {0, 0, 8, 3, 0, 0, 0, rows, 0, 0, 0, 2, 0, 0, 0, 3};
    uint8_t labels[16] = {0, 0, 8, 1, 0, 0, 0, rows};
    char file[64];
    for (size_t i = 0; i < rows * 6u; i++) pictures[16 + i] = (uint8_t)(first + i);
    memcpy(labels + 8, label, rows);
    snprintf(file, sizeof file, "data/spots/%s", name);
    put(f, file, pictures, 16 + rows * 6u);
    snprintf(file, sizeof file, "data/spots/%s.label", name);
    put(f, file, labels, 8u + rows);
}

static fixture *begin(const char *cfg) {
    fixture *f = bl_xalloc(sizeof *f);
    f->root = scratch_folder("image");
    snprintf(f->data, sizeof f->data, "%s/data", f->root);
    f->options = (bl_dataset_options){
        .manifest_dir = f->root, .data_path = f->data, .say = hear, .say_ctx = f};
    char folder[BL_PATH];
    CHECK_OK(bl_path(folder, ERR, "%s/data/spots", f->root));
    CHECK_OK(bl_make_dirs(folder, ERR));
    put(f, "spots.cfg", cfg, strlen(cfg));
    return f;
}

static fixture *begin_idx(void) {
    fixture *f = begin(idx_cfg);
    put_idx(f, "a", 2, 0, (const uint8_t[]){0, 1});
    put_idx(f, "b", 2, 12, (const uint8_t[]){2, 1});
    put_idx(f, "c", 1, 100, (const uint8_t[]){2});
    return f;
}

static void refused(fixture *f, bl_status status, const char *part) {
    bl_dataset d;
    bl_err err = {0};
    assert_int_equal(bl_dataset_open(&d, "spots", &f->options, &err), status);
    if (!strstr(err.text, part)) fail_msg("no '%s' in: %s", part, err.text);
}

static void test_idx(void **state) {
    (void)state;
    fixture *f = begin_idx();
    bl_dataset d;
    CHECK_OK(bl_dataset_open(&d, "spots", &f->options, ERR));
    assert_int_equal(d.rows, 5);
    assert_int_equal(d.train_rows, 3);
    assert_int_equal(d.valid_rows, 1);
    assert_int_equal(d.test_rows, 1);
    assert_int_equal(d.classes, 3);
    assert_int_equal(d.continuous, 6);
    assert_false(d.synthetic);
    assert_null(d.values);
    for (size_t i = 0; i < 24; i++) assert_int_equal(d.pixels[i], i);
    for (size_t i = 0; i < 6; i++) assert_int_equal(d.pixels[24 + i], 100 + i);
    const float label[] = {0, 1, 2, 1, 2};
    assert_memory_equal(d.target, label, sizeof label);
    /* Training values 0 .. 17: mean 8.5, variance (18^2 - 1) / 12. */
    assert_true(d.pixel_mean[0] == 8.5f);
    assert_float_equal(d.pixel_scale[0], (float)(1 / sqrt(323.0 / 12)), 1e-7f);
    float values[6];
    bl_picture_values(values, &d, 4, NULL, 0);
    for (size_t i = 0; i < 6; i++)
        assert_true(values[i] == ((float)(100 + i) - 8.5f) * d.pixel_scale[0]);
    bl_dataset_free(&d);
    free(f);
}

/* The pictures of begin_idx, scaled up. */
static fixture *begin_resized(int height, int width) {
    char cfg[2048];
    const char *at = strstr(idx_cfg, "classes = 3;");
    snprintf(cfg, sizeof cfg, "%.*sclasses = 3; resize_height = %d; resize_width = %d;%s",
             (int)(at - idx_cfg), idx_cfg, height, width, at + strlen("classes = 3;"));
    fixture *f = begin_idx();
    put(f, "spots.cfg", cfg, strlen(cfg));
    return f;
}

/* As large as a picture may be, and one row more. */
static void test_resize_most(void **state) {
    (void)state;
    bl_dataset d;
    fixture *f = begin_resized(512, BL_PICTURE_BYTES / 512);
    CHECK_OK(bl_dataset_open(&d, "spots", &f->options, ERR));
    assert_int_equal(d.height * d.width, BL_PICTURE_BYTES);
    assert_int_equal(d.pixels[5 * (size_t)BL_PICTURE_BYTES - 1], 105);
    bl_dataset_free(&d);
    free(f);
    f = begin_resized(513, BL_PICTURE_BYTES / 512);
    refused(f, BL_EINVAL, "and give at most 262144 values");
    free(f);
}

/* From 2 x 3 to 4 x 6, worked by hand: centres lie at -1/4, 1/4, 3/4, 5/4 of the source's rows. */
static void test_resize(void **state) {
    (void)state;
    fixture *f = begin_resized(4, 6);
    bl_dataset d;
    CHECK_OK(bl_dataset_open(&d, "spots", &f->options, ERR));
    assert_int_equal(d.height, 4);
    assert_int_equal(d.width, 6);
    assert_int_equal(d.continuous, 24);
    /* The first picture is 0 1 2 / 3 4 5; a quarter of 3 is 0.75, of 1 is 0.25. */
    static const uint8_t expected[] = {0, 0, 1, 1, 2, 2, 1, 1, 2, 2, 3, 3,
                                       2, 3, 3, 4, 4, 4, 3, 3, 4, 4, 5, 5};
    assert_memory_equal(d.pixels, expected, sizeof expected);
    bl_dataset_free(&d);
    free(f);
    /* Nothing changes where no size does; one row and one column are repeated. */
    const uint8_t one[] = {7, 9};
    uint8_t to[8];
    bl_picture_resize(to, (bl_picture_size){1, 1}, one, (bl_picture_size){1, 1}, 2);
    assert_memory_equal(to, one, 2);
    bl_picture_resize(to, (bl_picture_size){2, 2}, one, (bl_picture_size){1, 1}, 2);
    static const uint8_t repeated[] = {7, 9, 7, 9, 7, 9, 7, 9};
    assert_memory_equal(to, repeated, 8);
}

static void test_idx_faults(void **state) {
    (void)state;
    fixture *f = begin_idx();
    const uint8_t short_header[] = {0, 0, 8, 3, 0, 0};
    put(f, "data/spots/a", short_header, sizeof short_header);
    refused(f, BL_EFORMAT, "/a: no IDX file of pictures");
    put_idx(f, "a", 2, 0, (const uint8_t[]){0, 3});
    refused(f, BL_EFORMAT, "a.label: label 1 is 3, the data set has 3 classes");
    put_idx(f, "a", 2, 0, (const uint8_t[]){0, 1});
    const uint8_t floats[] = {0, 0, 13, 1, 0, 0, 0, 2, 0, 1};
    put(f, "data/spots/a.label", floats, sizeof floats);
    refused(f, BL_EFORMAT, "a.label: no IDX file of labels");
    const uint8_t one[] = {0, 0, 8, 1, 0, 0, 0, 1, 0};
    put(f, "data/spots/a.label", one, sizeof one);
    refused(f, BL_EFORMAT, "a.label: 1 labels for the 2 pictures of ");
    const uint8_t cut[] = {0, 0, 8, 1, 0, 0, 0, 2, 0};
    put(f, "data/spots/a.label", cut, sizeof cut);
    refused(f, BL_EFORMAT, "a.label: its header announces 2 values, 1 are there");
    const uint8_t more[] = {0, 0, 8, 1, 0, 0, 0, 2, 0, 1, 2};
    put(f, "data/spots/a.label", more, sizeof more);
    refused(f, BL_EFORMAT, "a.label: its header announces 2 values, 3 are there");
    const uint8_t huge[] = {0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
    put(f, "data/spots/a", huge, sizeof huge);
    refused(f, BL_EFORMAT, "/a: its dimensions are too large");
    const uint8_t tall[] = {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6};
    put(f, "data/spots/a", tall, sizeof tall);
    put(f, "data/spots/a.label", one, sizeof one);
    refused(f, BL_EFORMAT, "/a: pictures of 3 x 2 x 1, the data set declares 2 x 3 x 1");
    free(f);
    f = begin_idx();
    put_idx(f, "a", 0, 0, (const uint8_t[]){0});
    put_idx(f, "b", 1, 0, (const uint8_t[]){0});
    refused(f, BL_EINVAL, "1 rows for validation leave none of 1 for training");
    free(f);
}

static void test_cifar(void **state) {
    (void)state;
    fixture *f = begin(cifar_cfg);
    bl_dataset d;
    /* Label, two red, two green, two blue. */
    const uint8_t records[] = {2, 1, 2, 3, 4, 5, 6, 0, 11, 12, 13, 14, 15, 16};
    const uint8_t interleaved[] = {1, 3, 5, 2, 4, 6, 11, 13, 15, 12, 14, 16};
    put(f, "data/spots/one", records, sizeof records);
    CHECK_OK(bl_dataset_open(&d, "spots", &f->options, ERR));
    assert_string_equal(d.variant, "half");
    assert_non_null(strstr(f->said, "spots/two is not in "));
    assert_int_equal(d.rows, 2);
    assert_memory_equal(d.pixels, interleaved, sizeof interleaved);
    assert_true(d.target[0] == 2 && d.target[1] == 0);
    assert_true(d.pixel_mean[1] == 3.5f && d.pixel_scale[2] == 2.0f); /* 5, 6: deviation 1/2 */
    char half[65];
    memcpy(half, d.sha256, sizeof half);
    bl_dataset_free(&d);
    put(f, "data/spots/two", records, 7);
    CHECK_OK(bl_dataset_open(&d, "spots", &f->options, ERR));
    assert_string_equal(d.variant, "full");
    assert_int_equal(d.rows, 3);
    assert_memory_equal(d.pixels + 12, interleaved, 6);
    assert_string_not_equal(d.sha256, half);
    bl_dataset_free(&d);
    put(f, "data/spots/two", records, 8);
    refused(f, BL_EFORMAT, "two: 8 bytes are no whole number of records of 7");
    put(f, "data/spots/two", "\3abcdef", 7);
    refused(f, BL_EFORMAT, "two: the label of record 0 is 3, the data set has 3 classes");
    free(f);
}

/* A cached block is looked through before it is used. */
static void test_block(void **state) {
    (void)state;
    fixture *f = begin_idx();
    char cache[BL_PATH], path[BL_PATH];
    bl_dataset d;
    bl_buf file = {0};
    bl_err err = {0};
    snprintf(cache, sizeof cache, "%s/cache", f->root);
    f->options.cache_dir = cache;
    CHECK_OK(bl_dataset_open(&d, "spots", &f->options, ERR));
    bl_dataset_free(&d);
    CHECK_OK(bl_path(path, ERR, "%s/spots.cache", cache));
    CHECK_OK(bl_file_read(&file, path, 1 << 20, ERR));
    const size_t n = file.len - 64;
    unsigned char *block = bl_alloc(n); /* aligned as a mapping is */
    memcpy(block, file.data, n);
    CHECK_OK(bl_block_open(&d, block, n, ERR));
    float *label = (float *)(uintptr_t)d.target;
    bl_block_close(&d);
    static const float wrong[] = {3, -1, 0.5f, NAN};
    for (size_t i = 0; i < BL_COUNT(wrong); i++) {
        label[4] = wrong[i];
        assert_int_equal(bl_block_open(&d, block, n, &err), BL_EFORMAT);
        assert_non_null(strstr(err.text, "class number"));
    }
    label[4] = 2;
    bl_block_header *h = (bl_block_header *)(void *)block;
    h->height = 3, h->width = 2; /* as many bytes */
    CHECK_OK(bl_block_open(&d, block, n, ERR));
    bl_block_close(&d);
    h->height = 0;
    assert_int_equal(bl_block_open(&d, block, n, &err), BL_EFORMAT);
    h->height = 1, h->channels = 6, h->width = 1;
    assert_int_equal(bl_block_open(&d, block, n, &err), BL_EFORMAT);
    h->channels = 1, h->width = 6;
    h->pixel_scale[3] = NAN;
    assert_int_equal(bl_block_open(&d, block, n, &err), BL_EFORMAT);
    free(block);
    bl_buf_free(&file);
    free(f);
}

/* Each line of the declaration at fault in turn, and what is said. */
static void test_declarations(void **state) {
    (void)state;
    static const char *const cases[][3] = {
        {"format = \"idx\"",          "format = \"idy\"",                                  "no image format 'idy'"},
        {"height = 2",                "height = 0",                                        "1 .. 4 channels"      },
        {"channels = 1",              "channels = 5",                                      "1 .. 4 channels"      },
        {"classes = 3",               "classes = 1",                                       "'classes' is 2"       },
        {"classes = 3;",              "",                                                  "'classes' is missing" },
        {"valid = 1;",                "share = 0.5;",                                      "split by 'valid'"     },
        {"test = [\"test\"]",         "test = [\"tests\"]",                                "no table 'tests'"     },
        {"test = [\"test\"]",         "test = [\"train\", \"test\"]",                      "left for training"    },
        {"classes = 3;",              "classes = 3; resize_height = 4;",                   "go together"          },
        {"classes = 3;",              "classes = 3; resize_height = 1; resize_width = 9;",
         "make a picture larger"                                                                                  },
        {"rows = 40",                 "rows = 1",                                          "'rows' is more than"  },
        {"seed = 7",                  "sead = 7",                                          "unknown key 'sead'"   },
        {", { file = \"c.label\"; }", "",                                                  "takes files by 2"     },
        {"split =",                   "target = \"x\"; split =",                           "'target' does not go" },
        {"name = \"train\";",         "name = \"train\"; text = [\"x\"];",                 "'text' does not go"   },
    };
    for (size_t i = 0; i < BL_COUNT(cases); i++) {
        char cfg[2048];
        const char *at = strstr(idx_cfg, cases[i][0]);
        if (!at) fail_msg("no '%s' in the declaration", cases[i][0]);
        snprintf(cfg, sizeof cfg, "%.*s%s%s", (int)(at - idx_cfg), idx_cfg, cases[i][1],
                 at + strlen(cases[i][0]));
        fixture *f = begin(cfg);
        refused(f, BL_EINVAL, cases[i][2]);
        free(f);
    }
}

/* Made anew it is the same bytes, which are fixed here; examples of a class resemble each other. */
static void test_generator(void **state) {
    (void)state;
    fixture *f = begin(idx_cfg);
    bl_dataset d, again;
    char digest[65];
    CHECK_OK(bl_dataset_open(&d, "spots", &f->options, ERR));
    CHECK_OK(bl_dataset_open(&again, "spots", &f->options, ERR));
    assert_true(d.synthetic);
    assert_non_null(strstr(f->said, "SYNTHETIC DATA"));
    assert_int_equal(d.rows, 50);
    assert_int_equal(d.test_rows, 10);
    assert_memory_equal(d.pixels, again.pixels, d.rows * 6);
    assert_memory_equal(d.target, again.target, d.rows * sizeof *d.target);
    bl_sha256_of(d.pixels, d.rows * 6, digest);
    assert_string_equal(digest, "0336600c12ce301354fe98cc5ac08ac6655c439436ce3329ace4648e86c811ee");
    size_t seen[3] = {0};
    for (size_t i = 0; i < d.rows; i++) seen[(size_t)d.target[i]]++;
    for (size_t k = 0; k < 3; k++) assert_in_range(seen[k], 5, 30);
    bl_dataset_free(&d);
    bl_dataset_free(&again);
    free(f);
}

/* Against the definition, pixel by pixel: every shift and both orientations occur. */
static void test_augment(void **state) {
    (void)state;
    enum { H = 3, W = 4, C = 2, POSITIONS = 400 };
    uint8_t pixels[H * W * C];
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 7 + 1);
    const bl_dataset d = {
        .pixels = pixels,
        .height = H,
        .width = W,
        .channels = C,
        .continuous = H * W * C,
        .pixel_mean = {3,    5},
        .pixel_scale = {0.5f, 2}
    };
    const bl_augment augment = {.seed = 9, .crop = 2, .flip = true};
    bool seen[5][5][2] = {{{false}}};
    for (uint64_t position = 0; position < POSITIONS; position++) {
        float values[H * W * C];
        const bl_u32x4 r = bl_random4(9, BL_STREAM_AUGMENT, 0, position);
        const int dy = (int)(r.v[0] % 5) - 2, dx = (int)(r.v[1] % 5) - 2, flip = r.v[2] & 1;
        bl_picture_values(values, &d, 0, &augment, position);
        seen[dy + 2][dx + 2][flip] = true;
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                for (int c = 0; c < C; c++) {
                    const int fy = y + dy, fx = (flip ? W - 1 - x : x + dx) - (flip ? dx : 0);
                    const bool inside = fy >= 0 && fy < H && fx >= 0 && fx < W;
                    const float expected =
                        inside ? ((float)pixels[(fy * W + fx) * C + c] - d.pixel_mean[c]) *
                                     d.pixel_scale[c]
                               : 0.0f;
                    assert_true(values[(y * W + x) * C + c] == expected);
                }
    }
    for (size_t i = 0; i < 50; i++) assert_true(((bool *)seen)[i]);
    /* Either alone. */
    float values[H * W * C], expected[H * W * C];
    const bl_augment still = {.seed = 9};
    bl_picture_values(expected, &d, 0, NULL, 0);
    for (uint64_t position = 0; position < 8; position++) {
        bl_picture_values(values, &d, 0, &still, position);
        assert_memory_equal(values, expected, sizeof values);
        const bl_augment flip = {.seed = 9, .flip = true}, crop = {.seed = 9, .crop = 1};
        const bl_u32x4 r = bl_random4(9, BL_STREAM_AUGMENT, 0, position);
        bl_picture_values(values, &d, 0, &flip, position);
        assert_true(values[0] == expected[(r.v[2] & 1) != 0 ? (W - 1) * C : 0]);
        bl_picture_values(values, &d, 0, &crop, position);
        const int y = (int)(r.v[0] % 3), x = (int)(r.v[1] % 3); /* what stands in row 1, column 1 */
        assert_true(values[(W + 1) * C] == expected[(y * W + x) * C]);
    }
}

/* Values of whole pictures are (byte - mean) * scale, also where a vector of several channels ends
 * within a pixel or within the picture. */
static void test_values_of_any_size(void **state) {
    (void)state;
    enum { MOST = 21 * 5 * BL_PICTURE_CHANNELS };
    uint8_t pixels[MOST];
    for (size_t i = 0; i < MOST; i++) pixels[i] = (uint8_t)(i * 37 + 11);
    for (size_t channels = 1; channels <= BL_PICTURE_CHANNELS; channels++)
        for (size_t width = 1; width <= 21; width++)
            for (size_t height = 1; height <= 5; height += 2) {
                const bl_dataset d = {
                    .pixels = pixels,
                    .height = height,
                    .width = width,
                    .channels = channels,
                    .pixel_mean = {3.3f,  57.1f, 99.9f,  128.7f},
                    .pixel_scale = {0.51f, 1.7f,  0.013f, 3.1f  }
                };
                const size_t n = height * width * channels;
                float values[MOST + 1], guard = -77;
                values[n] = guard;
                bl_picture_values(values, &d, 0, NULL, 0);
                for (size_t i = 0; i < n; i++)
                    assert_true(values[i] == ((float)pixels[i] - d.pixel_mean[i % channels]) *
                                                 d.pixel_scale[i % channels]);
                assert_true(values[n] == guard);
            }
}

/* First picture and label counts as published; the whole by its SHA-256. */
static void check_real(const char *name, size_t rows, size_t train, const char *sha256) {
    bl_dataset d;
    const char *path = getenv("BATCHLAB_DATA");
    bl_dataset_options options = {.manifest_dir = "datasets",
                                  .data_path = path ? path : "datasets/cache:../shared/datasets",
                                  .cache_dir = "datasets/cache"};
    CHECK_OK(bl_dataset_open(&d, name, &options, ERR));
    if (d.synthetic) {
        bl_dataset_free(&d);
        skip();
    }
    char digest[65];
    assert_int_equal(d.rows, rows);
    assert_int_equal(d.train_rows, train);
    assert_int_equal(d.classes, 10);
    bl_sha256_of(d.pixels, d.rows * d.continuous, digest);
    bl_dataset_free(&d);
    assert_string_equal(digest, sha256);
}
static void test_real_mnist(void **state) {
    (void)state;
    check_real("mnist", 70000, 55000,
               "5b92582eb909c82a9bfefcd44acbe9233be3eb5b419a44cf211022ad2bf4bf96");
}
static void test_real_fashion_mnist(void **state) {
    (void)state;
    check_real("fashion_mnist", 70000, 55000,
               "0fbbfcb392782b3b702472ead3688778e1509e8cf40f5c24d9d3303618b193ab");
}
static void test_real_cifar10(void **state) {
    (void)state;
    check_real("cifar10", 41000, 35000,
               "e35326ccb6bbfced5305de746accf0239e426e2ad96a0f30cde8cc6034f7c611");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_of_any_size),
        cmocka_unit_test(test_idx),
        cmocka_unit_test(test_resize),
        cmocka_unit_test(test_resize_most),
        cmocka_unit_test(test_idx_faults),
        cmocka_unit_test(test_cifar),
        cmocka_unit_test(test_block),
        cmocka_unit_test(test_declarations),
        cmocka_unit_test(test_generator),
        cmocka_unit_test(test_augment),
        cmocka_unit_test(test_real_mnist),
        cmocka_unit_test(test_real_fashion_mnist),
        cmocka_unit_test(test_real_cifar10),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
