/* How long a sweep takes here, before it runs: the experiment's script plans on a simulated sweep
 * (engine/estimate/sim_sweep.h), so that everything it asks for is counted; the time of a step and
 * of an evaluation is measured, for each batch size when it is first asked for. */
#ifndef BL_ENGINE_ESTIMATE_ESTIMATE_H
#define BL_ENGINE_ESTIMATE_ESTIMATE_H
#include "engine/config/config.h"
#include "engine/data/dataset.h"
#include "engine/train/device_dataset.h"
#include "kernels/kernel.h"

/* Where the runs would be trained, and the script that asks for them. All the caller's. */
typedef struct bl_estimate_place {
    const bl_dataset *data;
    const bl_kernels *kernels;
    const bl_train_device_data *device_data; /* NULL: on the processor */
    const char *script, *library_dir;
} bl_estimate_place;

typedef struct bl_estimate {
    double seconds; /* of one run after the other */
    size_t runs;
} bl_estimate;

/* Short: a few steps per batch size are run. `config` is the sweep's. */
bl_status bl_estimate_sweep(bl_estimate *out, const bl_estimate_place *place,
                            const bl_config *config, bl_err *err) BL_CHECKED;
#endif
