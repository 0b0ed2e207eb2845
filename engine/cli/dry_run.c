/* `batchlab run -n`, a line for each preset:
 *
 *     tiny    about 1s       135 runs,  5 batch sizes, 1 to 256, 1 seed
 *     sampled about 31s      130 runs,  8 batch sizes, 8 to 1024, 5 seeds
 *
 * Times are those of one core over the number of runs at once. */
#include "engine/cli/dry_run.h"
#include "engine/base/clock.h"
#include "engine/estimate/estimate.h"
#include "engine/report/text/labels.h"
#include "engine/stats/step_line.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* What all presets that are said have in common. */
typedef struct dry_run {
    const bl_experiment *e;
    const bl_args *args;
    size_t jobs, remembered;
    bl_display *display;
    double busy;
    int width; /* of the longest preset's name */
} dry_run;

/* The line of one preset. */
static bl_status say_preset(dry_run *d, const char *preset, bl_err *err) {
    const bl_experiment *e = d->e;
    bl_experiment other;
    bl_estimate cost;
    char text[32], kept[BL_PATH];
    BL_TRY(bl_path(kept, err, "%s", bl_cli_dataset_options(false).cache_dir));
    BL_TRY(bl_experiment_config(&other, e->config.name, preset, d->args, err));
    const bl_estimate_place place = {.data = &e->data,
                                     .kernels = e->kernels,
                                     .device_data = e->device_data,
                                     .script = e->script,
                                     .library_dir = bl_cli_lua_dir(),
                                     .memory_dir = kept,
                                     .say = bl_display_say,
                                     .say_ctx = d->display};
    const bl_status status = bl_estimate_sweep(&cost, &place, &other.config, err);
    bl_experiment_close(&other);
    BL_TRY(status);
    bl_display_close(d->display);
    d->busy = fmax(d->busy, cost.busy);
    d->remembered += cost.remembered;
    const bool timed = !isnan(cost.seconds);
    text[0] = '\0';
    if (timed) bl_clock_span(text, fmax(1.0, cost.seconds / (double)d->jobs));
    const bl_i64_list *sizes = &other.config.sweep.batch_sizes;
    bl_cli_printf(stdout,
                  "  %-*s %s%-7s %4zu runs, %2zu batch sizes, %" PRId64 " to %" PRId64 ", %" PRId64
                  " seed%s\n",
                  d->width, preset[0] != '\0' ? preset : "all", timed ? "about " : "", text,
                  cost.runs, sizes->n, sizes->v[0], sizes->v[sizes->n - 1],
                  other.config.sweep.seeds, other.config.sweep.seeds == 1 ? "" : "s");
    return BL_OK;
}

/* How sure the times are. */
static void say_times(const dry_run *d) {
    if (d->remembered > 0)
        bl_cli_printf(stdout, "Times of %zu batch sizes were measured before.\n", d->remembered);
    if (d->busy > 1 + BL_STATS_DISTURBED)
        bl_cli_printf(
            stdout,
            "The machine is busy: these are processor times, and by the clock it takes up "
            "to %.2g times\nas long while it is.\n",
            d->busy);
}

bl_status bl_cli_dry_run(const bl_experiment *e, const bl_args *args, const char *preset,
                         size_t jobs, bl_display *display, bl_err *err) {
    dry_run d = {.e = e, .args = args, .jobs = jobs, .display = display, .busy = 1, .width = 6};
    bl_names presets;
    bl_buf data = {0};
    BL_TRY(bl_config_presets(&presets, bl_cli_experiments_of(e->config.name), e->config.name, err));
    bl_experiment_data_words(&data, e);
    const bool external = bl_config_is_external(&e->config);
    const bool imported = bl_config_is_imported(&e->config);
    if (imported)
        bl_cli_printf(stdout, "%s, " BL_IMPORTED_LABEL ", which are read and not trained:\n",
                      e->config.name);
    else if (external)
        bl_cli_printf(stdout, "%s, trained by your program, %zu at once:\n", e->config.name, jobs);
    else
        bl_cli_printf(stdout, "%s, on %s, %zu at once with %s kernels:\n", e->config.name,
                      bl_buf_text(&data), jobs, bl_computed_by(e->kernels, e->device_data));
    bl_buf_free(&data);
    for (size_t i = 0; i < presets.count; i++)
        if (preset == NULL || strcmp(preset, presets.name[i]) == 0)
            d.width = (int)bl_size_max((size_t)d.width, strlen(presets.name[i]));
    bl_status status = BL_OK;
    for (size_t i = 0; status == BL_OK && i < presets.count; i++)
        if (preset == NULL || strcmp(preset, presets.name[i]) == 0)
            status = say_preset(&d, presets.name[i], err);
    bl_names_free(&presets);
    BL_TRY(status);
    say_times(&d);
    if (external && !imported)
        bl_cli_printf(stdout, "How long it takes is not known: your program was not started.\n");
    bl_cli_printf(
        stdout,
        "Nothing was run. The script was asked for its runs as if they went as "
        "sweep.expected_epochs "
        "and\nsweep.expected_batch_size say. Runs that are done already are not repeated.\n");
    return BL_OK;
}
