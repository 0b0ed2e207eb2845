#include "engine/estimate/estimate.h"
#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include "engine/estimate/sim_sweep.h"
#include "engine/sweep/sweep.h"
#include "engine/train/train.h"
#include <math.h>
#include <stdlib.h>

static const double k_seconds_per_size = 0.05;

/* The batch sizes that have been measured so far. */
typedef struct measured {
    const bl_estimate_place *place;
    bl_config config; /* changed from size to size */
    bl_sim_size *size;
    size_t count;
} measured;

/* Seconds of one step and one evaluation at the configuration's batch size. */
static bl_status measure(const bl_estimate_place *place, const bl_config *c, double *step,
                         double *eval, bl_err *err) {
    bl_train *train = NULL;
    const bl_train_options options = {.kernels = place->kernels,
                                      .device_data = place->device_data,
                                      .run_id = "estimate",
                                      .threads = 1};
    BL_TRY(bl_train_open(&train, c, place->data, &options, err));
    const double start = bl_clock_seconds();
    bl_status status = bl_train_advance(train, 1, NULL, err);
    *eval = bl_clock_seconds() - start;
    if (status == BL_OK) status = bl_train_time(train, k_seconds_per_size, step, err);
    *eval = fmax(0.0, *eval - *step);
    bl_train_close(train);
    return status;
}

/* Measures a size when it is first asked for. */
static bl_status time_of(measured *t, int64_t batch_size, const bl_sim_size **out, bl_err *err) {
    size_t i = 0;
    while (i < t->count && t->size[i].batch_size != batch_size) i++;
    if (i == t->count) {
        *BL_PUSH(t->size, t->count, "batch sizes") =
            (bl_sim_size){batch_size, (double)NAN, (double)NAN};
        t->config.train.batch_size = batch_size;
        const bl_status status =
            measure(t->place, &t->config, &t->size[i].step, &t->size[i].eval, err);
        if (status == BL_ENOMEM) t->size[i].step = (double)NAN;
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

bl_status bl_estimate_sweep(bl_estimate *out, const bl_estimate_place *place,
                            const bl_config *config, bl_err *err) {
    const bl_planner_facts facts = {.epoch_rows = bl_train_epoch_rows(config, place->data),
                                    .synthetic = place->data->synthetic};
    measured t = {.place = place, .config = *config};
    t.config.train.learning_rate = BL_TIMING_RATE;
    bl_sim_sweep in = {.step_seconds = step_seconds, .ctx = &t};
    bl_status status =
        bl_sim_sweep_run(&in, place->script, place->library_dir, config, &facts, err);
    const bl_sim_size *time;
    for (size_t i = 0; i < in.count && status == BL_OK; i++)
        status = time_of(&t, in.run[i].batch_size, &time, err);
    if (status == BL_OK) out->seconds = bl_sim_sweep_seconds(&in, t.size, t.count, &t.config);
    out->runs = in.count;
    bl_sim_sweep_free(&in);
    free(t.size);
    return status;
}
