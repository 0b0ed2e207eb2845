/* `batchlab run -n`: what each preset would train here, and how long it would take. */
#ifndef BL_ENGINE_CLI_DRY_RUN_H
#define BL_ENGINE_CLI_DRY_RUN_H
#include "engine/cli/experiment.h"
#include "engine/cli/progress.h"

/* One line for `preset`, NULL: for each preset of the experiment, on stdout. Short: a few steps per
 * batch size are run, and their times kept beside the cache of data sets. */
bl_status bl_cli_dry_run(const bl_experiment *e, const bl_args *args, const char *preset,
                         size_t jobs, bl_display *display, bl_err *err) BL_CHECKED;
#endif
