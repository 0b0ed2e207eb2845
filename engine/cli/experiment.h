/* What every command on an experiment begins with: its configuration, data, store and kernels. The
 * steps come in this order, as later ones rest on earlier ones:
 *
 *     bl_experiment_config    experiment.cfg, preset and --set; the paths of its files
 *     bl_experiment_level     numerics = "device": the GPU's name becomes part of the configuration
 *     bl_experiment_open      kernels, store, data set
 *     bl_experiment_device    the data set on the device; how many runs fit there at once
 *     bl_experiment_scheduler what a sweep or a retraining needs of all this
 *     bl_experiment_close     once, also after a failure of any of them
 *
 * bl_experiment_begin does the first three for a command that takes the usual options. */
#ifndef BL_ENGINE_CLI_EXPERIMENT_H
#define BL_ENGINE_CLI_EXPERIMENT_H
#include "engine/cli/command.h"
#include "engine/cli/progress.h"
#include "engine/plan/plan.h"
#include "engine/store/store.h"
#include "engine/train/device_dataset.h"
#include "kernels/kernel.h"

typedef struct bl_experiment {
    bl_config config;
    bl_dataset data;
    bl_store store;
    bool trains; /* else it only looks at the store */
    const bl_kernels *kernels;
    bl_train_device_data on_device;          /* the data set, ... */
    const bl_train_device_data *device_data; /* ... if runs are to be on a device; else NULL */
    bl_external_devices *devices;            /* that programs are given; NULL: they see all */
    size_t device_memory; /* bytes that its runs may take together there; 0: no device */
    char fits[384];       /* how many fit there at once, and why; "": -j or no device */
    char script[BL_PATH];
    bl_plan_references references; /* of sweep.reference, empty without one */
} bl_experiment;

/* Configuration and script path only. */
bl_status bl_experiment_config(bl_experiment *e, const char *name, const char *preset,
                               const bl_args *args, bl_err *err) BL_CHECKED;
/* What a command has written as experiments/NAME, with runs that are programs, is read back: are
 * its configuration and its script right? *trials: of the first round. */
bl_status bl_experiment_check_written(const char *name, size_t *trials, bl_err *err) BL_CHECKED;
/* Then data, kernels and store. */
bl_status bl_experiment_open(bl_experiment *e, bool synthetic, bool create_store,
                             bl_err *err) BL_CHECKED;
/* The digest of external.inputs, which is part of run ids; done by bl_experiment_open. `keep`: what
 * was hashed is remembered in the store. */
bl_status bl_experiment_inputs(bl_experiment *e, bool keep, bl_err *err) BL_CHECKED;
/* Both, without making a store, for a command whose operand is the experiment. -1 to go on, else
 * the exit status after words on stderr. */
int bl_experiment_begin(bl_experiment *e, const bl_args *args, const char *preset, bool synthetic,
                        const char *device);
/* Between the two (done by bl_experiment_begin), for --device NAME: at numerics = "device" takes
 * the GPU's and its libraries' names into the configuration, as they are part of run ids;
 * BL_EUNSUPPORTED on a processor. */
bl_status bl_experiment_level(bl_experiment *e, const char *device, bl_err *err) BL_CHECKED;
/* Then, for --device NAME (NULL and "cpu": nothing), the data set on the device, and how many runs
 * are at work there at once: as many of the sweep's largest batch size as half of the memory that
 * is then free holds, one for every BL_DEVICE_SHARE multiprocessors, at most BL_DEVICE_JOBS, at
 * least one. *jobs 0 becomes that. Every -j keeps to that half. */
enum { BL_DEVICE_JOBS = 32, BL_DEVICE_SHARE = 4 };
bl_status bl_experiment_device(bl_experiment *e, const char *name, size_t *jobs,
                               bl_err *err) BL_CHECKED;
/* Do the layers of model.layers fit the data? The fault has the file's line. */
bl_status bl_experiment_layers(const bl_experiment *e, const bl_dataset *data,
                               bl_err *err) BL_CHECKED;
/* What open runs may take together: on a device half of it, of programs that say how much they take
 * what the machine has, or what is given. 0: no bound. */
size_t bl_experiment_memory(const bl_experiment *e);
/* How its runs are trained, or retrained: `jobs` at once, shown on `display`, with a checkpoint
 * every half minute. What differs is the caller's to change. */
bl_scheduler bl_experiment_scheduler(const bl_experiment *e, size_t jobs, bl_display *display);
/* How many programs run at once without -j: one, as a program uses the cores itself, or
 * external.jobs_per_device on each device. */
size_t bl_experiment_jobs(const bl_experiment *e);
/* As bl_label_dataset. */
void bl_experiment_data_words(bl_buf *out, const bl_experiment *e);
void bl_experiment_close(bl_experiment *e);
#endif
