/* Training steps on a device: one run alone, and 32 runs at once, each on its own queue.
 *   gpu_bench [--smoke]
 * CSV: net, batch size, runs at once, microseconds of a step of one run, steps of all runs in a
 * second, examples in a second. Generated data: a step's time does not depend on what can be
 * learnt. */
#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include "engine/base/philox.h"
#include "engine/config/config.h"
#include "engine/data/dataset.h"
#include "engine/train/train.h"
#include "kernels/device.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 20000, FEATURES = 10, TOGETHER = 32, MOST_BATCHES = 3 };

static const struct work {
    const char *name;
    const char *model;
    int64_t batch[MOST_BATCHES]; /* 0: no more */
} k_works[] = {
    {"rossmann", "tabular", {64, 512, 8192}},
    {"simplenn", "mlp",     {64}           },
};

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

/* Two classes at random. */
static void make_classes(bl_dataset *out) {
    float *values = bl_xalloc(ROWS * (FEATURES + 1) * sizeof *values);
    float *target = values + ROWS * FEATURES;
    for (size_t i = 0; i < ROWS * FEATURES; i++)
        values[i] = (float)bl_random_u32(1, BL_STREAM_SYNTH, 0, i) * 0x1p-32f - 0.5f;
    for (size_t i = 0; i < ROWS; i++)
        target[i] = (float)(bl_random_u32(1, BL_STREAM_SYNTH, 1, i) & 1);
    *out = (bl_dataset){.name = "made",
                        .synthetic = true,
                        .rows = ROWS,
                        .train_rows = ROWS - 256,
                        .valid_rows = 256,
                        .classes = 2,
                        .continuous = FEATURES,
                        .values = values,
                        .target = target,
                        .target_transform = "none",
                        .owner = values};
}

static bl_status configure(bl_config *c, const struct work *w, int64_t batch, bl_err *err) {
    BL_TRY(bl_config_read(c, "experiments", "rossmann", "paper", NULL, 0, err));
    c->train.batch_size = batch;
    c->train.learning_rate = BL_TIMING_RATE;
    if (strcmp(w->model, "tabular") == 0) return BL_OK;
    name(c->model.kind, w->model);
    c->model.hidden = (bl_i64_list){.v = {50}, .n = 1};
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

/* Every job on a thread; the first fault of any. */
static bl_status time_all(job *jobs, size_t runs, bl_err *err) {
    pthread_t thread[TOGETHER];
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
                         const bl_resident *resident, const bl_dataset *data, bl_err *err) {
    job jobs[TOGETHER] = {0};
    bl_train_options options = {.resident = resident, .run_id = "benchmark", .threads = 1};
    bl_config c;
    double each = 0.0, rate = 0.0;
    bl_status status;
    BL_GOTO(bl_kernels_pick(&options.kernels, err));
    BL_GOTO(configure(&c, w, batch, err));
    for (size_t i = 0; i < runs; i++) {
        jobs[i].seconds = seconds;
        c.train.seed = (int64_t)i + 1;
        BL_GOTO(bl_train_open(&jobs[i].train, &c, data, &options, err));
    }
    BL_GOTO(time_all(jobs, runs, err));
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

/* All batch sizes alone and together; with `smoke` the smallest one, two at once. */
static bl_status measure_work(const struct work *w, const bl_device *device, const bl_dataset *data,
                              bool smoke, bl_err *err) {
    const double seconds = smoke ? 0.001 : 2.0;
    bl_resident resident;
    bl_status status;
    BL_TRY(bl_resident_open(&resident, device, data, err));
    for (size_t i = 0; i < (smoke ? 1 : MOST_BATCHES) && w->batch[i] > 0; i++) {
        BL_GOTO(measure(w, w->batch[i], 1, seconds, &resident, data, err));
        BL_GOTO(measure(w, w->batch[i], smoke ? 2 : TOGETHER, seconds, &resident, data, err));
    }
    status = BL_OK;
done:
    bl_resident_close(&resident);
    return status;
}

static bl_status bench(bool smoke, bl_err *err) {
    const bl_dataset_options generated = {.manifest_dir = "datasets", .synthetic = true};
    const bl_device *device;
    bl_dataset rossmann, made;
    BL_TRY(bl_device_open(&device, "cuda", err));
    (void)printf("# %s; %s\nnet,batch,runs,step_us,steps_per_second,examples_per_second\n",
                 device->name, device->library);
    make_classes(&made);
    bl_status status = measure_work(&k_works[1], device, &made, smoke, err);
    free(made.owner);
    if (status != BL_OK || smoke) return status;
    BL_TRY(bl_dataset_open(&rossmann, "rossmann", &generated, err));
    status = measure_work(&k_works[0], device, &rossmann, smoke, err);
    bl_dataset_free(&rossmann);
    return status;
}

int main(int argc, char **argv) {
    bl_err err = {0};
    if (bench(argc > 1 && strcmp(argv[1], "--smoke") == 0, &err) == BL_OK) return 0;
    (void)fprintf(stderr, "gpu_bench: %s\n", err.text);
    return err.code == BL_EUNSUPPORTED ? 69 : 1;
}
