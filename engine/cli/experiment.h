/* What every command on an experiment begins with: its configuration, data, store and kernels. */
#ifndef BL_ENGINE_CLI_EXPERIMENT_H
#define BL_ENGINE_CLI_EXPERIMENT_H
#include "engine/cli/command.h"
#include "engine/store/store.h"
#include "kernels/kernel.h"

typedef struct bl_experiment {
    bl_config config;
    bl_dataset data;
    bl_store store;
    bool trains; /* else it only looks at the store */
    const bl_kernels *kernels;
    char script[BL_PATH];
    bl_buf known; /* of sweep.known (engine/cli/known.h), empty without one */
} bl_experiment;

/* Configuration and script path only. */
bl_status bl_experiment_config(bl_experiment *e, const char *name, const char *preset,
                               const bl_args *args, bl_err *err) BL_CHECKED;
/* Then data, kernels and store. */
bl_status bl_experiment_open(bl_experiment *e, bool synthetic, bool create_store,
                             bl_err *err) BL_CHECKED;
void bl_experiment_close(bl_experiment *e);
#endif
