/* The time of a sweep is the sum over its runs of
 *
 *     steps x seconds of a step(batch size) + evaluations x seconds of an evaluation(batch size)
 *
 * Which runs there will be, and how long, comes from the script on a simulated sweep. The seconds
 * are measured here, for a batch size when the script first asks for it: 50 ms of steps, after one
 * step and one evaluation that warm up. A script whose decisions depend on the time of a step so
 * sees real times.
 *
 * On a processor the seconds are processor time, so that other work on the machine does not enter.
 * `busy` keeps how much longer the clock said, for a warning. */
#include "engine/estimate/estimate.h"
#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include "engine/estimate/remembered.h"
#include "engine/estimate/sim_sweep.h"
#include "engine/sweep/sweep.h"
#include "engine/train/train.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Of each batch size's measurement, without the warming step. */
static const double k_seconds_per_size = 0.05;
/* Of a step and of an evaluation of a program: what it takes is not known. */
static const double k_nominal = 0.001;

/* The batch sizes that have been measured so far. */
typedef struct measured {
    const bl_estimate_place *place;
    bl_config config; /* changed from size to size */
    bl_sim_size *size;
    size_t count, remembered;
    double busy; /* as in bl_estimate */
} measured;

/* A stretch of work by the clock and by the processor. */
typedef struct stretch {
    double clock, processor;
} stretch;
static stretch stretch_begin(void) {
    return (stretch){bl_clock_seconds(), bl_clock_cpu_seconds()};
}
static stretch stretch_end(stretch s) {
    return (stretch){bl_clock_seconds() - s.clock, bl_clock_cpu_seconds() - s.processor};
}

/* Seconds of one step and one evaluation at the configuration's batch size. On a device the
 * processor waits, and the clock counts. A program is not started for it. */
static bl_status measure(measured *t, bl_estimate_times *out, bl_err *err) {
    const bl_estimate_place *place = t->place;
    const bool by_clock = place->device_data != NULL;
    bl_train *train = NULL;
    if (bl_config_is_external(&t->config)) {
        *out = (bl_estimate_times){k_nominal, k_nominal};
        return BL_OK;
    }
    const bl_train_options options = {.kernels = place->kernels,
                                      .device_data = place->device_data,
                                      .run_id = "estimate",
                                      .threads = 1};
    BL_TRY(bl_train_open(&train, &t->config, place->data, &options, err));
    stretch first = stretch_begin();
    bl_status status = bl_train_advance(train, 1, NULL, err);
    first = stretch_end(first);
    stretch steps = stretch_begin();
    double step = 0;
    if (status == BL_OK) status = bl_train_time(train, k_seconds_per_size, &step, err);
    steps = stretch_end(steps);
    bl_train_close(train);
    BL_TRY(status);
    const double share = by_clock ? 1 : fmin(1, steps.processor / steps.clock);
    out->step = step * share;
    out->eval = fmax(0.0, (by_clock ? first.clock : first.processor) - out->step);
    t->busy = fmax(t->busy, 1 / share);
    return BL_OK;
}

/* As measured before, or now. */
static bl_status recall_or_measure(measured *t, bl_estimate_times *out, bl_err *err) {
    char path[BL_PATH], line[80];
    const bool external = bl_config_is_external(&t->config);
    const bool keeps = !external && bl_estimate_memory_path(path, t->place, &t->config);
    if (keeps && bl_estimate_recall(out, path)) {
        t->remembered++;
        return BL_OK;
    }
    (void)snprintf(line, sizeof line, "measuring steps of batch size %" PRId64,
                   t->config.train.batch_size);
    if (t->place->say != NULL && !external) t->place->say(t->place->say_ctx, line);
    BL_TRY(measure(t, out, err));
    if (keeps) bl_estimate_remember(out, path);
    return BL_OK;
}

/* Measures a size when it is first asked for. A size that does not fit in memory (BL_ENOMEM) has
 * NAN times and is no error: the sweep leaves it out as well. */
static bl_status time_of(measured *t, int64_t batch_size, const bl_sim_size **out, bl_err *err) {
    size_t i = 0;
    while (i < t->count && t->size[i].batch_size != batch_size) i++;
    if (i == t->count) {
        *BL_PUSH(t->size, t->count, "batch sizes") =
            (bl_sim_size){batch_size, (double)NAN, (double)NAN};
        t->config.train.batch_size = batch_size;
        bl_estimate_times times = {(double)NAN, (double)NAN};
        const bl_status status = recall_or_measure(t, &times, err);
        t->size[i].step = times.step;
        t->size[i].eval = times.eval;
        if (status != BL_OK && status != BL_ENOMEM) return status;
    }
    *out = &t->size[i];
    return BL_OK;
}

static bl_status step_seconds(void *ctx, int64_t batch_size, double *seconds, bl_err *err) {
    const bl_sim_size *time;
    BL_TRY(time_of(ctx, batch_size, &time, err));
    *seconds = time->step;
    return BL_OK;
}

/* The rate is one at which nothing diverges, and it does not change a step's time. */
bl_status bl_estimate_sweep(bl_estimate *out, const bl_estimate_place *place,
                            const bl_config *config, bl_err *err) {
    const bl_planner_facts facts = {.epoch_rows = bl_train_epoch_rows(config, place->data),
                                    .synthetic = place->data->synthetic};
    measured t = {.place = place, .config = *config, .busy = 1};
    t.config.train.learning_rate = BL_TIMING_RATE;
    bl_sim_sweep in = {.step_seconds = step_seconds, .ctx = &t};
    bl_status status =
        bl_sim_sweep_run(&in, place->script, place->library_dir, config, &facts, err);
    const bl_sim_size *time;
    for (size_t i = 0; i < in.count && status == BL_OK; i++)
        status = time_of(&t, in.run[i].batch_size, &time, err);
    if (status == BL_OK) out->seconds = bl_sim_sweep_seconds(&in, t.size, t.count, &t.config);
    if (bl_config_is_external(config)) out->seconds = (double)NAN;
    out->runs = in.count;
    out->remembered = t.remembered;
    out->measured = t.count - t.remembered;
    out->busy = t.busy;
    bl_sim_sweep_free(&in);
    free(t.size);
    return status;
}
