/* Whole training steps on one thread: seconds per step, examples per second, part of the
 * multiply-add work. Rossmann's net with real data where they are, generated data otherwise; the
 * other nets on data made here.
 *
 *     train_bench      a table: medians of interleaved repetitions
 *     train_bench -    answers requests, one a line, "WORK BATCH THREADS SECONDS", with the time of
 *                      a step: of the processor, and on the clock. peer_torch.py answers the same
 *                      ones; steps.py asks both in turn. "shape" tells Rossmann's columns, "peak"
 *                      how many multiply-adds a second, twice, the kernels' instruction set does */
#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include "engine/base/philox.h"
#include "engine/config/config.h"
#include "engine/data/dataset_open.h"
#include "engine/model/layer.h"
#include "engine/stats/summary.h"
#include "engine/train/workload.h"
#include "kernels/shared/exact_math.h"
#include "tests/bench/bench.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REPEATS = 5, MADE_ROWS = 20000, MADE_VALID = 256, MOST_BATCHES = 3, CLASSES = 10 };

typedef struct bench {
    const bl_kernels *kernels;
    bl_dataset rossmann, simplenn, mlp, digits, photos;
} bench;

/* Normal values and classes at random: a step's time does not depend on what can be learnt. */
static void make_classes(bl_dataset *out, size_t continuous, size_t classes) {
    const size_t rows = MADE_ROWS + MADE_VALID;
    float *values = bl_xalloc(rows * (continuous + 1) * sizeof *values);
    float *target = values + rows * continuous;
    for (size_t i = 0; i < rows * continuous; i++) {
        const bl_u32x4 words = bl_random4(1, BL_STREAM_SYNTH, 0, i);
        values[i] = bl_normal(words.v[0], words.v[1]);
    }
    for (size_t i = 0; i < rows; i++)
        target[i] = (float)(bl_random4(1, BL_STREAM_SYNTH, 1, i).v[0] % classes);
    *out = (bl_dataset){.name = "made",
                        .synthetic = true,
                        .rows = rows,
                        .train_rows = MADE_ROWS,
                        .valid_rows = MADE_VALID,
                        .classes = classes,
                        .continuous = continuous,
                        .values = values,
                        .target = target,
                        .target_transform = "none",
                        .owner = values};
}

/* Pictures at random, MADE_ROWS / 5 of them to train on. */
static void make_pictures(bl_dataset *out, size_t side, size_t channels) {
    const size_t train = MADE_ROWS / 5, rows = train + MADE_VALID, each = side * side * channels;
    float *target = bl_xalloc(rows * (sizeof *target + each));
    uint8_t *pixels = (uint8_t *)(target + rows);
    for (size_t i = 0; i < rows * each; i++) pixels[i] = (uint8_t)(i * 2654435761u >> 7);
    for (size_t i = 0; i < rows; i++)
        target[i] = (float)(bl_random4(1, BL_STREAM_SYNTH, 1, i).v[0] % CLASSES);
    *out = (bl_dataset){.name = "made",
                        .synthetic = true,
                        .rows = rows,
                        .train_rows = train,
                        .valid_rows = MADE_VALID,
                        .classes = CLASSES,
                        .continuous = each,
                        .target = target,
                        .target_transform = "none",
                        .pixels = pixels,
                        .height = side,
                        .width = side,
                        .channels = channels,
                        .owner = target};
    for (size_t c = 0; c < channels; c++)
        out->pixel_mean[c] = 127.5f, out->pixel_scale[c] = 1.0f / 74.0f;
}

static void name(char *out, const char *text) {
    (void)snprintf(out, BL_NAME, "%s", text);
}

/* Without the average of weights: peers keep none. */
static bl_status rossmann_config(bl_config *out, bl_err *err) {
    BL_TRY(bl_config_read(out, "experiments", "rossmann", "paper", NULL, 0, err));
    name(out->eval.average, "none");
    return BL_OK;
}

/* With the average of weights that evaluations may look at. */
static bl_status averaged_config(bl_config *out, bl_err *err) {
    BL_TRY(rossmann_config(out, err));
    name(out->eval.average, "power");
    return BL_OK;
}

/* A fully connected classifier; what does not matter here is as Rossmann's. */
static bl_status mlp_config(bl_config *out, const bl_i64_list *hidden, const char *optimizer,
                            bl_err *err) {
    BL_TRY(rossmann_config(out, err));
    name(out->model.kind, "mlp");
    out->model.hidden = *hidden;
    out->model.dropout.n = 0;
    name(out->loss, "cross_entropy");
    name(out->metric, "error");
    name(out->optimizer.name, optimizer);
    out->optimizer.momentum = 0.9;
    out->optimizer.weight_decay = 0.0;
    out->train.learning_rate = 1e-3;
    return BL_OK;
}
static bl_status simplenn_config(bl_config *out, bl_err *err) {
    return mlp_config(out, &(bl_i64_list){.v = {50}, .n = 1}, "adam", err);
}
static bl_status big_config(bl_config *out, bl_err *err) {
    return mlp_config(out,
                      &(bl_i64_list){
                          .v = {1024, 1024},
                            .n = 2
    },
                      "momentum", err);
}

/* experiments/mnist, presets quick and error. */
static bl_status mnist_config(bl_config *out, bl_err *err) {
    return mlp_config(out, &(bl_i64_list){.v = {128}, .n = 1}, "nesterov", err);
}

/* The nets of pictures that the literature has, momentum 0.9. */
static bl_status pictures_config(bl_config *out, const char *kind, const char *norm, bl_err *err) {
    BL_TRY(mlp_config(out, &(bl_i64_list){.v = {1024}, .n = 1}, "momentum", err));
    name(out->model.kind, kind);
    name(out->model.norm, norm);
    return BL_OK;
}
static bl_status cnn_config(bl_config *out, bl_err *err) {
    BL_TRY(pictures_config(out, "simple_cnn", "none", err));
    out->model.dropout = (bl_f64_list){.v = {0.4}, .n = 1};
    return BL_OK;
}
static bl_status resnet8_config(bl_config *out, bl_err *err) {
    return pictures_config(out, "resnet8", "none", err);
}
static bl_status resnet8_bn_config(bl_config *out, bl_err *err) {
    return pictures_config(out, "resnet8", "batch", err);
}

static const bl_dataset *rossmann_data(const bench *b) {
    return &b->rossmann;
}
static const bl_dataset *simplenn_data(const bench *b) {
    return &b->simplenn;
}
static const bl_dataset *mlp_data(const bench *b) {
    return &b->mlp;
}
static const bl_dataset *digits_data(const bench *b) {
    return &b->digits;
}
static const bl_dataset *photos_data(const bench *b) {
    return &b->photos;
}

static const struct work {
    const char *name;
    bl_status (*config)(bl_config *out, bl_err *err);
    const bl_dataset *(*data)(const bench *b);
    int64_t batch[MOST_BATCHES]; /* of the table */
    bool evaluate;               /* a "step" evaluates the validation rows */
} k_works[] = {
    {"rossmann",   rossmann_config,   rossmann_data, {64, 512, 2048}, false},
    {"averaged",   averaged_config,   rossmann_data, {64, 512, 2048}, false},
    {"evaluate",   rossmann_config,   rossmann_data, {512},           true },
    {"simplenn",   simplenn_config,   simplenn_data, {32},            false},
    {"mlp",        big_config,        mlp_data,      {32, 128, 4096}, false},
    {"mnist",      mnist_config,      digits_data,   {32, 256, 1024}, false},
    {"simple_cnn", cnn_config,        digits_data,   {128},           false},
    {"resnet8",    resnet8_config,    photos_data,   {64},            false},
    {"resnet8_bn", resnet8_bn_config, photos_data,   {64},            false},
};

typedef struct timing {
    double cpu, wall; /* seconds per step */
    double flops;     /* of a step's dense products and convolutions, two for a multiply-add */
} timing;

static double product_flops(const bl_train *t, bool evaluate) {
    double each = 0;
    for (size_t i = 0; i < t->net.nodes; i++) {
        const bl_net_node *node = &t->net.node[i];
        const double products = evaluate ? 1 : node->dx[0] != NULL ? 3 : 2;
        each += 2.0 * products * (double)node->multiplies;
    }
    return each * (double)(evaluate ? t->eval_rows : t->batch);
}

static double cpu_seconds(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bl_status time_run(bl_train *train, bool evaluate, double seconds, double *each,
                          bl_err *err) {
    if (!evaluate) return bl_train_time(train, seconds, each, err);
    const double start = bl_clock_seconds();
    int passes = 0;
    for (; passes < 1 || bl_clock_seconds() - start < seconds; passes++)
        (void)train->workload->evaluate(train);
    *each = (bl_clock_seconds() - start) / passes;
    return BL_OK;
}

static bl_status measure(const bench *b, const struct work *w, int64_t batch, size_t threads,
                         double seconds, timing *out, bl_err *err) {
    bl_config c;
    BL_TRY(w->config(&c, err));
    c.train.batch_size = batch;
    bl_train *train = NULL;
    const bl_train_options options = {.kernels = b->kernels, .run_id = "bench", .threads = threads};
    double warm;
    BL_TRY(bl_train_open(&train, &c, w->data(b), &options, err));
    bl_status status = time_run(train, w->evaluate, 0.0, &warm, err);
    if (status == BL_OK) {
        const double cpu = cpu_seconds(), wall = bl_clock_seconds();
        status = time_run(train, w->evaluate, seconds, &out->wall, err);
        out->cpu = out->wall * (cpu_seconds() - cpu) / (bl_clock_seconds() - wall);
        out->flops = product_flops(train, w->evaluate);
    }
    bl_train_close(train);
    return status;
}

static bl_status table(const bench *b, bl_err *err) {
    (void)printf("work       kernels  batch      us/step   examples/s   GFLOP/s\n");
    for (size_t i = 0; i < BL_COUNT(k_works); i++)
        for (size_t j = 0; j < MOST_BATCHES && k_works[i].batch[j] > 0; j++) {
            const int64_t batch = k_works[i].batch[j];
            double cpu[REPEATS];
            timing t = {0};
            for (size_t r = 0; r < REPEATS; r++) {
                BL_TRY(measure(b, &k_works[i], batch, 1, 0.2, &t, err));
                cpu[r] = t.cpu;
            }
            const double median = bl_stats_median(cpu, REPEATS);
            const double rows =
                k_works[i].evaluate ? (double)b->rossmann.valid_rows : (double)batch;
            (void)printf("%-10s %-7s %6" PRId64 " %12.2f %12.0f %9.1f\n", k_works[i].name,
                         b->kernels->name, batch, 1e6 * median, rows / median,
                         t.flops / median / 1e9);
            (void)fflush(stdout);
        }
    return BL_OK;
}

static bl_status answer(const bench *b, const char *work, int64_t batch, size_t threads,
                        double seconds, bl_err *err) {
    for (size_t i = 0; i < BL_COUNT(k_works); i++) {
        if (strcmp(k_works[i].name, work) != 0) continue;
        timing t;
        BL_TRY(measure(b, &k_works[i], batch, threads, seconds, &t, err));
        (void)printf("%.9g %.9g %.9g\n", t.cpu, t.wall, t.flops);
        return BL_OK;
    }
    BL_FAIL(err, BL_EINVAL, "there is no work \"%s\"", work);
}

static bl_status serve(const bench *b, bl_err *err) {
    char line[200], work[32];
    while (fgets(line, sizeof line, stdin) != NULL) {
        int64_t batch;
        size_t threads;
        double seconds;
        if (sscanf(line, "%31s %" SCNd64 " %zu %lf", work, &batch, &threads, &seconds) == 4) {
            BL_TRY(answer(b, work, batch, threads, seconds, err));
        } else if (strncmp(line, "shape", 5) == 0) {
            (void)printf("%s %zu", b->kernels->name, b->rossmann.continuous);
            for (size_t i = 0; i < b->rossmann.categorical; i++)
                (void)printf(" %u", b->rossmann.cardinality[i]);
            (void)printf("\n");
        } else if (strncmp(line, "peak", 4) == 0) {
            (void)printf("%g\n", peak_of(b->kernels->name));
        } else {
            BL_FAIL(err, BL_EINVAL, "not a request: %s", line);
        }
        (void)fflush(stdout);
    }
    return BL_OK;
}

int main(int argc, char **argv) {
    bl_err err = {0};
    bench b = {0};
    const char *path = getenv("BATCHLAB_DATA");
    const bl_dataset_options options = {.manifest_dir = "datasets",
                                        .data_path =
                                            path ? path : "datasets/cache:../shared/datasets",
                                        .cache_dir = "datasets/cache"};
    bl_status status;
    make_classes(&b.simplenn, 10, 2);
    make_classes(&b.mlp, 784, CLASSES);
    make_pictures(&b.digits, 28, 1);
    make_pictures(&b.photos, 32, 3);
    BL_GOTO(bl_kernels_pick(&b.kernels, &err));
    BL_GOTO(bl_dataset_open(&b.rossmann, "rossmann", &options, &err));
    BL_GOTO(argc > 1 && strcmp(argv[1], "-") == 0 ? serve(&b, &err) : table(&b, &err));
done:
    bl_dataset_free(&b.rossmann);
    free(b.simplenn.owner);
    free(b.mlp.owner);
    free(b.digits.owner);
    free(b.photos.owner);
    if (status != BL_OK) (void)fprintf(stderr, "train_bench: %s\n", err.text);
    return status == BL_OK ? 0 : 1;
}
