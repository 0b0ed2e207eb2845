/* Training steps on a device: one run alone, and 32 runs at once, each on its own queue.
 *   gpu_bench [--smoke] [--device]
 * CSV: net, batch size, runs at once, microseconds of a step of one run, steps of all runs in a
 * second, examples in a second. Generated data: a step's time does not depend on what can be
 * learnt. --device: level `device` instead of `exact`. tests/gpu/peer.py times the same nets in
 * PyTorch. */
#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include "engine/base/philox.h"
#include "engine/config/config.h"
#include "engine/data/dataset_open.h"
#include "engine/train/train.h"
#include "kernels/device.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 20000, PICTURES = 4096, FEATURES = 10, TOGETHER = 32, MOST_BATCHES = 3 };
#define WARM_UP 0.15 /* of the seconds that are timed */

static const struct work {
    const char *name;
    const char *model;
    size_t height, width, channels, classes; /* of pictures; height 0: numbers */
    int64_t batch[MOST_BATCHES];             /* 0: no more */
} k_works[] = {
    {"rossmann",   "tabular",    0,  0,  0, 0,  {64, 512, 8192}},
    {"simplenn",   "mlp",        0,  0,  0, 2,  {64}           },
    {"simple_cnn", "simple_cnn", 28, 28, 1, 10, {128}          },
    {"resnet8",    "resnet8",    32, 32, 3, 10, {256}          },
};

static bool g_level_device;

/* One of the runs at once. */
typedef struct job {
    bl_train *train;
    double seconds, each;
    bl_status status;
    bl_err err;
} job;

static void name(char *out, const char *text) {
    (void)snprintf(out, BL_NAME, "%s", text);
}

/* Classes at random, of numbers or of pictures; free what it owns. */
static void make_classes(bl_dataset *out, const struct work *w) {
    const size_t each = w->height > 0 ? w->height * w->width * w->channels : FEATURES;
    const size_t rows = w->height > 0 ? PICTURES : ROWS;
    float *target = bl_xalloc(rows * (sizeof *target + each * sizeof(float)));
    float *values = target + rows;
    uint8_t *pixels = (uint8_t *)values;
    for (size_t i = 0; i < rows * each; i++) {
        const uint32_t word = bl_random_u32(1, BL_STREAM_SYNTH, 0, i);
        if (w->height > 0)
            pixels[i] = (uint8_t)(word >> 24);
        else
            values[i] = (float)word * 0x1p-32f - 0.5f;
    }
    for (size_t i = 0; i < rows; i++)
        target[i] = (float)(bl_random_u32(1, BL_STREAM_SYNTH, 1, i) % w->classes);
    *out = (bl_dataset){.name = "made",
                        .synthetic = true,
                        .rows = rows,
                        .train_rows = rows - 256,
                        .valid_rows = 256,
                        .classes = w->classes,
                        .continuous = each,
                        .values = w->height > 0 ? NULL : values,
                        .pixels = w->height > 0 ? pixels : NULL,
                        .height = w->height,
                        .width = w->width,
                        .channels = w->channels,
                        .target = target,
                        .target_transform = "none",
                        .owner = target};
    for (size_t c = 0; c < w->channels; c++) {
        out->pixel_mean[c] = 127.5f;
        out->pixel_scale[c] = 1.0f / 64.0f;
    }
}

static bl_status configure(bl_config *c, const struct work *w, int64_t batch, bl_err *err) {
    BL_TRY(bl_config_read(c, "experiments", "rossmann", "paper", NULL, 0, err));
    c->train.batch_size = batch;
    c->train.learning_rate = BL_TIMING_RATE;
    if (g_level_device) name(c->numerics, "device");
    if (strcmp(w->model, "tabular") == 0) return BL_OK;
    name(c->model.kind, w->model);
    name(c->model.norm, "batch");
    name(c->model.output, "linear");
    c->model.hidden = (bl_i64_list){.v = {w->height > 0 ? 1024 : 50}, .n = 1};
    c->model.dropout.n = 0;
    name(c->loss, "cross_entropy");
    name(c->metric, "error");
    name(c->optimizer.name, "adam");
    c->optimizer.weight_decay = 0.0;
    return BL_OK;
}

static void *time_one(void *arg) {
    job *j = arg;
    j->status = bl_train_time(j->train, j->seconds, &j->each, &j->err);
    return NULL;
}

/* Every job for so many seconds, each on a thread; the first fault of any. */
static bl_status time_all(job *jobs, size_t runs, double seconds, bl_err *err) {
    pthread_t thread[TOGETHER];
    for (size_t i = 0; i < runs; i++) jobs[i].seconds = seconds;
    for (size_t i = 0; i < runs; i++)
        if (pthread_create(&thread[i], NULL, time_one, &jobs[i]) != 0) abort();
    for (size_t i = 0; i < runs; i++) (void)pthread_join(thread[i], NULL);
    for (size_t i = 0; i < runs; i++) {
        if (jobs[i].status == BL_OK) continue;
        *err = jobs[i].err;
        return jobs[i].status;
    }
    return BL_OK;
}

static bl_status measure(const struct work *w, int64_t batch, size_t runs, double seconds,
                         const bl_train_device_data *device_data, const bl_dataset *data,
                         bl_err *err) {
    job jobs[TOGETHER] = {0};
    bl_train_options options = {.device_data = device_data, .run_id = "benchmark", .threads = 1};
    bl_config c;
    double each = 0.0, rate = 0.0;
    bl_status status;
    BL_GOTO(bl_kernels_pick(&options.kernels, err));
    BL_GOTO(configure(&c, w, batch, err));
    for (size_t i = 0; i < runs; i++) {
        c.train.seed = (int64_t)i + 1;
        BL_GOTO(bl_train_open(&jobs[i].train, &c, data, &options, err));
    }
    /* What happens once, as late loading, capture and the growth of local memory, is not timed. */
    BL_GOTO(time_all(jobs, runs, WARM_UP * seconds, err));
    BL_GOTO(time_all(jobs, runs, seconds, err));
    for (size_t i = 0; i < runs; i++) {
        each += jobs[i].each / (double)runs;
        rate += 1.0 / jobs[i].each;
    }
    (void)printf("%s,%" PRId64 ",%zu,%.2f,%.0f,%.0f\n", w->name, batch, runs, each * 1e6, rate,
                 rate * (double)batch);
    (void)fflush(stdout);
done:
    for (size_t i = 0; i < runs; i++) bl_train_close(jobs[i].train);
    return status;
}

/* How many nodes a recorded step has; the emulated device tells, and carries nothing out for it. */
static bl_status count_nodes(const struct work *w, int64_t batch, bl_train *train, bl_err *err) {
    double each;
    (void)setenv("BL_EMULATED_STREAMS", "never", 1);
    (void)unsetenv("BL_EMULATED_NODES");
    const bl_status status = bl_train_time(train, 0.0, &each, err);
    (void)unsetenv("BL_EMULATED_STREAMS");
    const char *nodes = getenv("BL_EMULATED_NODES");
    if (nodes != NULL) (void)printf("# nodes %s,%" PRId64 ",%s\n", w->name, batch, nodes);
    return status == BL_EDIVERGED ? BL_OK : status; /* no loss was computed */
}

/* A run of every batch size can be opened. */
static bl_status open_work(const struct work *w, const bl_train_device_data *device_data,
                           const bl_dataset *data, bl_err *err) {
    bl_train_options options = {.device_data = device_data, .run_id = "benchmark", .threads = 1};
    BL_TRY(bl_kernels_pick(&options.kernels, err));
    for (size_t i = 0; i < MOST_BATCHES && w->batch[i] > 0; i++) {
        bl_config c;
        bl_train *train;
        BL_TRY(configure(&c, w, w->batch[i], err));
        BL_TRY(bl_train_open(&train, &c, data, &options, err));
        const bl_status status = count_nodes(w, w->batch[i], train, err);
        bl_train_close(train);
        BL_TRY(status);
    }
    return BL_OK;
}

/* All batch sizes alone and together; with `smoke` SimpleNN's alone, two at once: an emulated
 * device takes minutes for a step of others, which are only opened. */
static bl_status measure_work(const struct work *w, const bl_device *device, const bl_dataset *data,
                              bool smoke, bl_err *err) {
    const double seconds = smoke ? 0.001 : 2.0;
    bl_train_device_data device_data;
    bl_status status;
    BL_TRY(bl_train_device_data_open(&device_data, device, data, err));
    if (smoke) BL_GOTO(open_work(w, &device_data, data, err));
    for (size_t i = 0; i < MOST_BATCHES && w->batch[i] > 0; i++) {
        if (smoke && strcmp(w->name, "simplenn") != 0) break;
        BL_GOTO(measure(w, w->batch[i], 1, seconds, &device_data, data, err));
        BL_GOTO(measure(w, w->batch[i], smoke ? 2 : TOGETHER, seconds, &device_data, data, err));
    }
    status = BL_OK;
done:
    bl_train_device_data_close(&device_data);
    return status;
}

/* The first net is on a table that is generated as such; the others on what is made here. */
static bl_status bench_work(const struct work *w, const bl_device *device, bool smoke,
                            bl_err *err) {
    const bl_dataset_options generated = {.manifest_dir = "datasets", .synthetic = true};
    bl_dataset data;
    if (w->classes == 0) {
        BL_TRY(bl_dataset_open(&data, w->name, &generated, err));
        (void)printf("# table ");
        for (size_t c = 0; c < data.categorical; c++)
            (void)printf("%" PRIu32 " ", data.cardinality[c]);
        (void)printf("| %zu\n", data.continuous);
    } else {
        make_classes(&data, w);
    }
    const bl_status status = measure_work(w, device, &data, smoke, err);
    if (w->classes == 0)
        bl_dataset_free(&data);
    else
        free(data.owner);
    return status;
}

static bl_status bench(bool smoke, bl_err *err) {
    const bl_device *device;
    BL_TRY(bl_device_open(&device, "cuda", err));
    (void)printf("# %s; %s\nnet,batch,runs,step_us,steps_per_second,examples_per_second\n",
                 device->name, device->library);
    for (size_t i = 0; i < BL_COUNT(k_works); i++)
        BL_TRY(bench_work(&k_works[i], device, smoke, err));
    return BL_OK;
}

int main(int argc, char **argv) {
    bl_err err = {0};
    bool smoke = false;
    for (int i = 1; i < argc; i++) {
        smoke = smoke || strcmp(argv[i], "--smoke") == 0;
        g_level_device = g_level_device || strcmp(argv[i], "--device") == 0;
    }
    if (bench(smoke, &err) == BL_OK) return 0;
    (void)fprintf(stderr, "gpu_bench: %s\n", err.text);
    return err.code == BL_EUNSUPPORTED ? 69 : 1;
}
