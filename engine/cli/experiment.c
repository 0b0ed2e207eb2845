#include "engine/cli/experiment.h"

bl_status bl_experiment_config(bl_experiment *e, const char *name, const char *preset,
                               const bl_args *args, bl_err *err) {
    *e = (bl_experiment){0};
    BL_TRY(
        bl_config_read(&e->config, bl_experiments_dir, name, preset, args->set, args->sets, err));
    return bl_path(e->script, err, "%s/%s/sweep.lua", bl_experiments_dir, name);
}

bl_status bl_experiment_open(bl_experiment *e, bool synthetic, bool create_store, bl_err *err) {
    const bl_dataset_options options = bl_cli_dataset_options(synthetic);
    BL_TRY(bl_kernels_pick(&e->kernels, err));
    BL_TRY(bl_store_open(&e->store, bl_runs_dir(), e->config.name, create_store, err));
    return bl_dataset_open(&e->data, e->config.dataset, &options, err);
}

void bl_experiment_close(bl_experiment *e) {
    bl_dataset_free(&e->data);
}
