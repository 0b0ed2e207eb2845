/* How long a sweep takes here, before it runs: the experiment's script plans on a simulated sweep
 * (engine/estimate/sim_sweep.h), so that everything it asks for is counted; the time of a step and
 * of an evaluation is measured, for each batch size when it is first asked for. */
#ifndef BL_ENGINE_ESTIMATE_ESTIMATE_H
#define BL_ENGINE_ESTIMATE_ESTIMATE_H
#include "engine/estimate/estimate_place.h"

/* Processor time is what counts on a processor, so other work on the machine does not enter. */
typedef struct bl_estimate {
    double seconds; /* of one run after the other; NAN: not known, as a program trains them */
    size_t runs;
    size_t measured, remembered; /* batch sizes: measured for this, or once before */
    double busy; /* while they were measured: clock over processor time, the largest; 1: nothing */
} bl_estimate;

/* Short: a few steps per batch size are run, unless they were before. `config` is the sweep's. */
bl_status bl_estimate_sweep(bl_estimate *out, const bl_estimate_place *place,
                            const bl_config *config, bl_err *err) BL_CHECKED;
#endif
