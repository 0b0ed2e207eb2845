/* The trials of an experiment's plan, for commands that go through all of them. */
#ifndef BL_ENGINE_CLI_TRIALS_H
#define BL_ENGINE_CLI_TRIALS_H
#include "engine/base/chunks.h"
#include "engine/cli/experiment.h"
#include "engine/sweep/sweep.h"

/* The first trial of each run, sorted by run. They share the experiment's configuration. */
typedef struct bl_experiment_trials {
    bl_trial *trial;
    char (*run)[BL_RUN_ID]; /* (count) */
    size_t count;
    bl_chunks sets; /* what the trials' `sets` point to */
    bool complete;  /* the planner came to its end */
} bl_experiment_trials;

/* BL_EINVAL for a program whose values are other ones every time: `what` cannot be done. */
bl_status bl_experiment_repeats(const bl_experiment *e, const char *what, bl_err *err) BL_CHECKED;
/* Answers from the experiment's store alone. */
bl_scheduler bl_experiment_lookup(const bl_experiment *e);

/* Plans with the scheduler's store and data. With lookup_only the plan goes as far as the store's
 * runs decide it; otherwise what is missing is trained. */
bl_status bl_experiment_trials_collect(bl_experiment_trials *out, const bl_experiment *e,
                                       const bl_scheduler *scheduler, bl_err *err) BL_CHECKED;
void bl_experiment_trials_free(bl_experiment_trials *trials);
#endif
