#include "tests/unit/tiny_data.h"
#include "engine/base/mem.h"
#include "engine/base/philox.h"
#include "kernels/shared/exact_math.h"
#include <stdio.h>

enum { TRAIN = 700, VALID = 300, ROWS = TRAIN + VALID, CATEGORICAL = 3, CONTINUOUS = 2 };
enum { SIDE = 6, CHANNELS = 2, PIXELS = SIDE * SIDE * CHANNELS };

static const uint32_t k_cardinality[CATEGORICAL] = {8, 13, 40};
static const char *const k_categorical[CATEGORICAL] = {"day", "month", "shop"};
static const char *const k_continuous[CONTINUOUS] = {"distance", "warmth"};

typedef struct tables {
    uint16_t codes[ROWS * CATEGORICAL];
    float values[ROWS * CONTINUOUS], target[ROWS];
    uint8_t pixels[ROWS * PIXELS];
} tables;

static void fill(tables *t, size_t categorical, size_t continuous) {
    const uint64_t seed = 7;
    for (uint32_t row = 0; row < ROWS; row++) {
        float signal = 1.0f;
        for (uint32_t c = 0; c < CATEGORICAL; c++) {
            const uint32_t word = bl_random_u32(seed, BL_STREAM_SYNTH, c, row);
            const uint32_t code = 1 + word % (k_cardinality[c] - 1);
            if (c < categorical) t->codes[row * categorical + c] = (uint16_t)code;
            signal += 0.3f * bl_sin_turn((float)code / (float)k_cardinality[c]);
        }
        for (uint32_t c = 0; c < CONTINUOUS; c++) {
            const bl_u32x4 words = bl_random4(seed, BL_STREAM_SYNTH, 8 + c, row);
            const float z = bl_normal(words.v[0], words.v[1]);
            if (c < continuous) t->values[row * continuous + c] = z;
            signal += 0.1f * z;
        }
        t->target[row] = signal;
    }
}

void tiny_data(bl_dataset *out, size_t categorical, size_t continuous) {
    tables *t = bl_xalloc(sizeof *t);
    fill(t, categorical, continuous);
    *out = (bl_dataset){.name = "tiny",
                        .synthetic = true,
                        .rows = ROWS,
                        .train_rows = TRAIN,
                        .valid_rows = VALID,
                        .categorical = categorical,
                        .continuous = continuous,
                        .codes = t->codes,
                        .cardinality = k_cardinality,
                        .values = t->values,
                        .target = t->target,
                        .target_transform = "log",
                        .target_max = 12.0,
                        .categorical_name = k_categorical,
                        .continuous_name = k_continuous,
                        .bytes = sizeof *t,
                        .owner = t};
    (void)snprintf(out->sha256, sizeof out->sha256, "%064d", 0);
}

void tiny_classes(bl_dataset *out, size_t classes) {
    tiny_data(out, 0, CONTINUOUS);
    tables *t = out->owner;
    for (size_t i = 0; i < ROWS; i++) {
        const float share = 0.5f + 0.15f * (t->values[2 * i] + t->values[2 * i + 1]);
        const float inside = share < 0.0f ? 0.0f : share > 0.999f ? 0.999f : share;
        t->target[i] = (float)(size_t)(inside * (float)classes);
    }
    out->classes = classes;
    (void)snprintf(out->target_transform, sizeof out->target_transform, "none");
}

void tiny_pictures(bl_dataset *out, size_t classes) {
    tiny_data(out, 0, 0);
    tables *t = out->owner;
    for (uint32_t row = 0; row < ROWS; row++) {
        const uint32_t class = bl_random_u32(11, BL_STREAM_SYNTH, 0, row) % (uint32_t)classes;
        t->target[row] = (float)class;
        for (uint32_t i = 0; i < PIXELS; i++) {
            const uint32_t noise = bl_random_u32(12, BL_STREAM_SYNTH, i, row) % 100;
            const bool bar = i / CHANNELS % SIDE == class % SIDE;
            t->pixels[row * PIXELS + i] = (uint8_t)(noise + (bar ? 120 : 30));
        }
    }
    out->pixels = t->pixels;
    out->height = out->width = SIDE;
    out->channels = CHANNELS;
    out->continuous = PIXELS;
    for (size_t c = 0; c < CHANNELS; c++) {
        out->pixel_mean[c] = 100.0f + 4.0f * (float)c;
        out->pixel_scale[c] = 1.0f / 50.0f;
    }
    out->values = NULL;
    out->classes = classes;
    (void)snprintf(out->target_transform, sizeof out->target_transform, "none");
}

void tiny_data_free(bl_dataset *data) {
    free(data->owner);
    *data = (bl_dataset){0};
}

void tiny_name(char out[BL_NAME], const char *text) {
    (void)snprintf(out, BL_NAME, "%s", text);
}

void tiny_config(bl_config *out) {
    *out = (bl_config){0};
    tiny_name(out->name, "tiny");
    tiny_name(out->dataset, "tiny");
    tiny_name(out->numerics, "exact");
    tiny_name(out->model.kind, "tabular");
    out->model.hidden = (bl_i64_list){
        .v = {24, 12},
          .n = 2
    };
    out->model.dropout = (bl_f64_list){
        .v = {0.05, 0.1},
          .n = 2
    };
    out->model.embedding_dropout = 0.04;
    out->model.batch_norm = true;
    out->model.width = 1.0;
    tiny_name(out->model.output, "sigmoid_range");
    tiny_name(out->loss, "mse");
    tiny_name(out->metric, "exp_rmspe");
    tiny_name(out->optimizer.name, "adamw");
    out->optimizer.momentum = 0.8;
    out->optimizer.beta1 = 0.9;
    out->optimizer.beta2 = 0.99;
    out->optimizer.eps = 1e-8;
    out->optimizer.weight_decay = 0.01;
    tiny_name(out->schedule.name, "one_cycle");
    out->schedule.horizon_epochs = 4;
    out->schedule.warmup = 0.3;
    out->schedule.div_factor = 25;
    out->schedule.final_div_factor = 1e4;
    out->schedule.cycle_momentum = true;
    out->schedule.momentum_low = 0.85;
    out->schedule.momentum_high = 0.95;
    out->train.batch_size = 32;
    out->train.learning_rate = 0.01;
    out->train.seed = 1;
    out->eval.growth = 1.25;
    out->eval.first = 5;
    tiny_name(out->eval.average, "none");
    out->eval.average_width = 0.1;
}

void tiny_picture_config(bl_config *out, const char *kind) {
    tiny_config(out);
    tiny_name(out->model.kind, kind);
    tiny_name(out->model.norm, "none");
    out->model.hidden = (bl_i64_list){.v = {20}, .n = 1};
    out->model.dropout = (bl_f64_list){.v = {0.25}, .n = 1};
    out->model.ghost_size = 64;
    tiny_name(out->loss, "cross_entropy");
    tiny_name(out->metric, "error");
    tiny_name(out->optimizer.name, "nesterov");
    tiny_name(out->schedule.name, "constant");
    out->data.crop = 1;
    out->data.flip = true;
}

void tiny_quadratic_config(bl_config *out, const char *optimizer, const char *expectation) {
    tiny_config(out);
    tiny_name(out->dataset, "none");
    tiny_name(out->model.kind, "quadratic");
    tiny_name(out->metric, "expected_loss");
    tiny_name(out->schedule.name, "constant");
    tiny_name(out->optimizer.name, optimizer);
    tiny_name(out->quadratic.expectation, expectation);
    out->optimizer.momentum = 0.9;
    out->optimizer.weight_decay = 0.0;
    out->data.rows = 1000;
    out->quadratic.dimensions = 100;
    out->quadratic.replicas = 8;
    out->quadratic.noise = out->quadratic.start = 1.0;
    out->eval.first = 1;
    out->eval.growth = 1.0;
}
