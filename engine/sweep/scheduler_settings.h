/* What a scheduler is given: the data, the store, how much of the machine, and whom to tell. All of
 * it is the caller's, stays as it is while a round runs, and is shared by the scheduler's threads.
 */
#ifndef BL_ENGINE_SWEEP_SCHEDULER_SETTINGS_H
#define BL_ENGINE_SWEEP_SCHEDULER_SETTINGS_H
#include "engine/data/dataset.h"
#include "engine/external/devices.h"
#include "engine/lua/round.h"
#include "engine/store/store.h"
#include "engine/train/device_dataset.h"
#include "kernels/kernel.h"

/* A moment of a round, for the progress display. */
typedef struct bl_progress {
    const char *round_title;
    size_t runs_done, runs; /* of this round */
    int64_t batch_size;
    double learning_rate;
    int64_t step, max_steps; /* of the run that just moved */
    double value, train_loss;
    bool run_done; /* this run needs no more */
    bool trained;  /* false: the answer was in the store */
} bl_progress;

/* Where the processor time of rounds went, in seconds. What is not in here are the planner's script
 * and the choice of what is done next. */
typedef struct bl_scheduler_spent {
    double training; /* steps and evaluations */
    double store;    /* claims, checkpoints, logs and their digests */
} bl_scheduler_spent;

typedef struct bl_scheduler {
    const bl_dataset *data;
    const bl_store *store;
    const bl_kernels *kernels;
    const bl_train_device_data
        *device_data;             /* the data on a device, where the runs are then; or NULL */
    bl_external_devices *devices; /* of programs; NULL: each sees all */
    size_t jobs;
    size_t memory;             /* bytes that the open runs may take together; 0: no bound */
    double checkpoint_seconds; /* between checkpoints of one run */
    const volatile int *stop;  /* nonzero: checkpoint everything and return BL_EINTERRUPTED */
    bool lookup_only;          /* answer from the store or fail with BL_EMISSING: plan, check */
    /* Is the trial to be trained here? NULL: all are. A round whose other trials the store cannot
     * answer fails with BL_EMISSING once those that are wanted are done. */
    bool (*wanted)(void *ctx, const bl_trial *trial);
    void *wanted_ctx;
    void (*progress)(void *ctx, const bl_progress *now); /* one call at a time; may be NULL */
    void *progress_ctx;
    /* A program failed: the message for its author. The run's outcome is `failed`, and the round
     * goes on. One call at a time. NULL: nobody hears it, and the failure ends the round. */
    void (*failure)(void *ctx, const char *text);
    void *failure_ctx;
    bl_scheduler_spent *spent; /* added to; NULL: nobody asks */
} bl_scheduler;
#endif
