#include "engine/cli/dry_run.h"
#include "engine/base/clock.h"
#include "engine/estimate/estimate.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* The line of one preset. */
static bl_status say_preset(const bl_experiment *e, const char *preset, const bl_args *args,
                            size_t jobs, bl_err *err) {
    bl_experiment other;
    bl_estimate cost;
    char text[32];
    BL_TRY(bl_experiment_config(&other, e->config.name, preset, args, err));
    const bl_estimate_place place = {.data = &e->data,
                                     .kernels = e->kernels,
                                     .device_data = e->device_data,
                                     .script = e->script,
                                     .library_dir = bl_cli_lua_dir};
    const bl_status status = bl_estimate_sweep(&cost, &place, &other.config, err);
    bl_experiment_close(&other);
    BL_TRY(status);
    bl_clock_span(text, fmax(1.0, cost.seconds / (double)jobs));
    const bl_i64_list *sizes = &other.config.sweep.batch_sizes;
    bl_cli_printf(stdout,
                  "  %-6s about %-7s %4zu runs, %2zu batch sizes, %" PRId64 " to %" PRId64
                  ", %" PRId64 " seed%s\n",
                  preset[0] != '\0' ? preset : "all", text, cost.runs, sizes->n, sizes->v[0],
                  sizes->v[sizes->n - 1], other.config.sweep.seeds,
                  other.config.sweep.seeds == 1 ? "" : "s");
    return BL_OK;
}

bl_status bl_cli_dry_run(const bl_experiment *e, const bl_args *args, size_t jobs, bl_err *err) {
    bl_names presets;
    bl_buf data = {0};
    BL_TRY(bl_config_presets(&presets, bl_cli_experiments_dir, e->config.name, err));
    bl_experiment_data_words(&data, e);
    bl_cli_printf(stdout, "%s, on %s, %zu at once with %s kernels:\n", e->config.name,
                  bl_buf_text(&data), jobs, bl_computed_by(e->kernels, e->device_data));
    bl_buf_free(&data);
    bl_status status = BL_OK;
    for (size_t i = 0; status == BL_OK && i < presets.count; i++)
        status = say_preset(e, presets.name[i], args, jobs, err);
    bl_names_free(&presets);
    BL_TRY(status);
    bl_cli_printf(
        stdout,
        "Nothing was run. The script was asked for its runs as if they went as "
        "sweep.expected_epochs "
        "and\nsweep.expected_batch_size say. Runs that are done already are not repeated.\n");
    return BL_OK;
}
