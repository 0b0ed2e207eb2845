/* A real step and a real evaluation at one batch size, in a process of its own. Running out of
 * memory there is a result and harms nobody: the process has a limit of what it may hold, and the
 * system ends it before any other one (oom_score_adj). */
#ifndef BL_ENGINE_MACHINE_MEMORY_PROBE_H
#define BL_ENGINE_MACHINE_MEMORY_PROBE_H
#include "engine/config/config.h"
#include "engine/data/dataset.h"
#include "engine/external/external.h"
#include "engine/train/device_dataset.h"
#include "kernels/kernel.h"

typedef enum bl_probe_ending {
    BL_PROBE_RAN,
    BL_PROBE_REFUSED,  /* the memory was not given */
    BL_PROBE_KILLED,   /* the system ended the process: out of memory */
    BL_PROBE_OVER,     /* a program that held more than it may: it was ended */
    BL_PROBE_TOO_SLOW, /* stopped after bl_machine_place.seconds */
    BL_PROBE_FAILED,   /* for another reason */
    BL_PROBE_COUNT
} bl_probe_ending;
const char *bl_probe_ending_words(bl_probe_ending ending); /* "was refused the memory" */

typedef struct bl_probe_result {
    bl_probe_ending ending;
    double bytes;   /* the most that the process held at once, data set included; NAN on a device */
    double seconds; /* that it took */
    double data;    /* share of a step that waits for data, as a program says; else NAN or 0 */
} bl_probe_result;

/* Where probes run. All the caller's. */
typedef struct bl_machine_place {
    const bl_config *config;
    const bl_dataset *data;
    const bl_kernels *kernels;
    const bl_train_device_data *device_data; /* NULL: on the processor. On a device a probe runs in
                                                this process: the card refuses without harm */
    const bl_external_options *program;      /* NULL: batchlab's own net. Else what runs of the
                                                user's program are opened with; `dir` is the folder
                                                of their folders (program_probe.h) */
    double bytes;                            /* that a probe may take; INFINITY: no limit */
    double seconds;                          /* a probe may take; 0: any time */
} bl_machine_place;

/* A process that has threads must not call this: it forks. BL_EIO: no process could be started. */
bl_status bl_probe_run(bl_probe_result *out, const bl_machine_place *place, int64_t batch_size,
                       bl_err *err) BL_CHECKED;
#endif
