/* Steps are expected to follow S(B) = E/B (1 + B/B*) with E = sweep.expected_epochs epochs and
 * B* = sweep.expected_batch_size, both declared by the experiment; time per step and per evaluation
 * is measured here. The plan is taken to be a race of seven rates, all seeds for the winner and its
 * two neighbours, and under a budget three rates, all seeds for the winner. */
#include "engine/cli/estimate.h"
#include "engine/base/clock.h"
#include "engine/cli/progress.h"
#include "engine/train/train.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static const double k_racing_rates = 7.0, k_budget_rates = 3.0, k_seeded_rates = 3.0,
                    k_seconds_per_size = 0.05;

/* Seconds of one step and one evaluation at the configuration's batch size. */
static bl_status measure(const bl_experiment *e, const bl_config *c, double *step, double *eval,
                         bl_err *err) {
    bl_train *train = NULL;
    const bl_train_options options = {
        .kernels = e->kernels, .resident = e->resident, .run_id = "estimate", .threads = 1};
    BL_TRY(bl_train_open(&train, c, &e->data, &options, err));
    const double start = bl_clock_seconds();
    bl_status status = bl_train_advance(train, 1, NULL, err);
    *eval = bl_clock_seconds() - start;
    if (status == BL_OK) status = bl_train_time(train, k_seconds_per_size, step, err);
    *eval = fmax(0.0, *eval - *step);
    bl_train_close(train);
    return status;
}

static double evaluations(double steps, double ratio) {
    const double dense = 1.0 / (ratio - 1.0); /* up to here every step is evaluated */
    return steps <= dense ? steps : dense + log(steps / dense) / log(ratio);
}

/* Training time that budgets of time and money allow a run. */
static double budget_seconds(const bl_config *c) {
    const double price = c->cost.per_core_hour / 3600.0;
    return fmax(c->sweep.budget_seconds, price > 0 ? c->sweep.budget_cost / price : 0.0);
}

static bl_status estimate(const bl_experiment *e, bl_config *c, double *seconds, bl_err *err) {
    const double rows = (double)bl_train_epoch_rows(c, &e->data);
    *seconds = 0.0;
    c->train.learning_rate = BL_TIMING_RATE;
    for (size_t i = 0; i < c->sweep.batch_sizes.n; i++) {
        const double batch = (double)c->sweep.batch_sizes.v[i];
        c->train.batch_size = c->sweep.batch_sizes.v[i];
        double step, eval;
        const bl_status status = measure(e, c, &step, &eval, err);
        if (status == BL_ENOMEM) continue; /* the sweep leaves it out as well */
        BL_TRY(status);
        const double budget = fmin((double)c->sweep.max_steps, c->sweep.max_epochs * rows / batch);
        const double steps = fmin(budget, c->sweep.expected_epochs * rows / batch *
                                              (1.0 + batch / c->sweep.expected_batch_size));
        const double runs = k_racing_rates + k_seeded_rates * (double)(c->sweep.seeds - 1);
        const double longer =
            fmax((double)c->sweep.budget_steps, c->sweep.budget_epochs * rows / batch);
        *seconds += runs * (steps * step + evaluations(steps, c->eval.ratio) * eval);
        const double budget_runs = k_budget_rates + (double)(c->sweep.seeds - 1);
        *seconds += budget_runs * (fmax(0.0, longer - steps) * step + budget_seconds(c));
        *seconds += (double)c->timing.repeats * fmax(c->timing.seconds, 3.0 * step);
    }
    return BL_OK;
}

static bl_status estimate_preset(const bl_experiment *e, const char *preset, const bl_args *args,
                                 size_t jobs, bl_err *err) {
    bl_experiment other;
    double seconds;
    char text[32];
    BL_TRY(bl_experiment_config(&other, e->config.name, preset, args, err));
    BL_TRY(estimate(e, &other.config, &seconds, err));
    bl_duration_text(text, fmax(1.0, seconds / (double)jobs));
    const bl_i64_list *sizes = &other.config.sweep.batch_sizes;
    (void)printf(
        "  %-6s about %-7s %2zu batch sizes, %" PRId64 " to %" PRId64 ", %" PRId64 " seed%s\n",
        preset[0] != '\0' ? preset : "all", text, sizes->n, sizes->v[0], sizes->v[sizes->n - 1],
        other.config.sweep.seeds, other.config.sweep.seeds == 1 ? "" : "s");
    return BL_OK;
}

bl_status bl_estimate_presets(const bl_experiment *e, const bl_args *args, size_t jobs,
                              bl_err *err) {
    bl_names presets;
    bl_buf data = {0};
    BL_TRY(bl_config_presets(&presets, bl_experiments_dir, e->config.name, err));
    bl_experiment_data_words(&data, e);
    (void)printf("%s, on %s, %zu at once with %s kernels:\n", e->config.name, bl_buf_text(&data),
                 jobs, bl_computed_by(e->kernels, e->resident));
    bl_buf_free(&data);
    bl_status status = BL_OK;
    for (size_t i = 0; status == BL_OK && i < presets.count; i++)
        status = estimate_preset(e, presets.name[i], args, jobs, err);
    bl_names_free(&presets);
    BL_TRY(status);
    (void)printf("Nothing was run. Runs that are done already are not repeated.\n");
    return BL_OK;
}
