/* The sweep's script runs on imagined runs (engine/estimate/sim_sweep.h), so that whatever it asks
 * for is counted; time per step and per evaluation is measured here. */
#include "engine/estimate/estimate.h"
#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include "engine/cli/progress.h"
#include "engine/estimate/sim_sweep.h"
#include "engine/sweep/sweep.h"
#include "engine/train/train.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double k_seconds_per_size = 0.05;

typedef struct estimate {
    const bl_experiment *e;
    bl_config *config;
    bl_size_time *size;
    size_t count;
} estimate;

/* Seconds of one step and one evaluation at the configuration's batch size. */
static bl_status measure(const bl_experiment *e, const bl_config *c, double *step, double *eval,
                         bl_err *err) {
    bl_train *train = NULL;
    const bl_train_options options = {
        .kernels = e->kernels, .device_data = e->device_data, .run_id = "estimate", .threads = 1};
    BL_TRY(bl_train_open(&train, c, &e->data, &options, err));
    const double start = bl_clock_seconds();
    bl_status status = bl_train_advance(train, 1, NULL, err);
    *eval = bl_clock_seconds() - start;
    if (status == BL_OK) status = bl_train_time(train, k_seconds_per_size, step, err);
    *eval = fmax(0.0, *eval - *step);
    bl_train_close(train);
    return status;
}

/* Measures a size when it is first asked for. */
static bl_status time_of(estimate *t, int64_t batch_size, const bl_size_time **out, bl_err *err) {
    size_t i = 0;
    while (i < t->count && t->size[i].batch_size != batch_size) i++;
    if (i == t->count) {
        t->size = bl_xrealloc(t->size, ++t->count * sizeof *t->size);
        t->size[i] = (bl_size_time){batch_size, (double)NAN, (double)NAN};
        t->config->train.batch_size = batch_size;
        const bl_status status = measure(t->e, t->config, &t->size[i].step, &t->size[i].eval, err);
        if (status == BL_ENOMEM) t->size[i].step = (double)NAN;
        if (status != BL_OK && status != BL_ENOMEM) return status;
    }
    *out = &t->size[i];
    return BL_OK;
}

static bl_status step_seconds(void *ctx, int64_t batch_size, double *seconds, bl_err *err) {
    const bl_size_time *time;
    BL_TRY(time_of(ctx, batch_size, &time, err));
    *seconds = time->step;
    return BL_OK;
}

/* `config` is changed on the way. */
static bl_status imagine(const bl_experiment *e, bl_config *config, double *seconds, size_t *runs,
                         bl_err *err) {
    const bl_config asked = *config;
    const bl_planner_facts facts = {.epoch_rows = bl_train_epoch_rows(config, &e->data),
                                    .synthetic = e->data.synthetic};
    config->train.learning_rate = BL_TIMING_RATE;
    estimate t = {.e = e, .config = config};
    bl_sim_sweep in = {.step_seconds = step_seconds, .ctx = &t};
    bl_status status = bl_sim_sweep_run(&in, e->script, bl_lua_dir, &asked, &facts, err);
    const bl_size_time *time;
    for (size_t i = 0; i < in.count && status == BL_OK; i++)
        status = time_of(&t, in.run[i].batch_size, &time, err);
    if (status == BL_OK) *seconds = bl_sim_sweep_seconds(&in, t.size, t.count, config);
    *runs = in.count;
    bl_sim_sweep_free(&in);
    free(t.size);
    return status;
}

static bl_status estimate_preset(const bl_experiment *e, const char *preset, const bl_args *args,
                                 size_t jobs, bl_err *err) {
    bl_experiment other;
    double seconds;
    size_t runs;
    char text[32];
    BL_TRY(bl_experiment_config(&other, e->config.name, preset, args, err));
    BL_TRY(imagine(e, &other.config, &seconds, &runs, err));
    bl_duration_text(text, fmax(1.0, seconds / (double)jobs));
    const bl_i64_list *sizes = &other.config.sweep.batch_sizes;
    (void)printf("  %-6s about %-7s %4zu runs, %2zu batch sizes, %" PRId64 " to %" PRId64
                 ", %" PRId64 " seed%s\n",
                 preset[0] != '\0' ? preset : "all", text, runs, sizes->n, sizes->v[0],
                 sizes->v[sizes->n - 1], other.config.sweep.seeds,
                 other.config.sweep.seeds == 1 ? "" : "s");
    return BL_OK;
}

bl_status bl_estimate_presets(const bl_experiment *e, const bl_args *args, size_t jobs,
                              bl_err *err) {
    bl_names presets;
    bl_buf data = {0};
    BL_TRY(bl_config_presets(&presets, bl_experiments_dir, e->config.name, err));
    bl_experiment_data_words(&data, e);
    (void)printf("%s, on %s, %zu at once with %s kernels:\n", e->config.name, bl_buf_text(&data),
                 jobs, bl_computed_by(e->kernels, e->device_data));
    bl_buf_free(&data);
    bl_status status = BL_OK;
    for (size_t i = 0; status == BL_OK && i < presets.count; i++)
        status = estimate_preset(e, presets.name[i], args, jobs, err);
    bl_names_free(&presets);
    BL_TRY(status);
    (void)printf(
        "Nothing was run. The script was asked for its runs as if they went as "
        "sweep.expected_epochs "
        "and\nsweep.expected_batch_size say. Runs that are done already are not repeated.\n");
    return BL_OK;
}
