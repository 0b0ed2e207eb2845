/* How long a sweep takes here: measured time per step, and the work its configuration expects. */
#ifndef BL_ENGINE_ESTIMATE_ESTIMATE_H
#define BL_ENGINE_ESTIMATE_ESTIMATE_H
#include "engine/cli/experiment.h"

/* One line per preset of the experiment on stdout. Short: a few steps per batch size are run. */
bl_status bl_estimate_presets(const bl_experiment *e, const bl_args *args, size_t jobs,
                              bl_err *err) BL_CHECKED;
#endif
