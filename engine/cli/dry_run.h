/* `batchlab run -n`: what each preset would train here, and how long it would take. */
#ifndef BL_ENGINE_CLI_DRY_RUN_H
#define BL_ENGINE_CLI_DRY_RUN_H
#include "engine/cli/experiment.h"

/* One line per preset of the experiment on stdout. Short: a few steps per batch size are run. */
bl_status bl_cli_dry_run(const bl_experiment *e, const bl_args *args, size_t jobs,
                         bl_err *err) BL_CHECKED;
#endif
