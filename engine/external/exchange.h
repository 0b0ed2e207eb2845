/* The files that batchlab writes for a program: params.json before it starts, goal.json at any
 * time. And the command line that starts it. Both folder and files are described in
 * docs/external.md. */
#ifndef BL_ENGINE_EXTERNAL_EXCHANGE_H
#define BL_ENGINE_EXTERNAL_EXCHANGE_H
#include "engine/base/buf.h"
#include "engine/config/config.h"

/* What a program is asked for. */
typedef struct bl_external_goal {
    int64_t until;        /* train up to this step; it never falls */
    bool park;            /* save, and end with BL_EXIT_RESUMABLE */
    const int64_t *evals; /* (eval_count) the steps after which it evaluates, ascending */
    size_t eval_count;
} bl_external_goal;
void bl_external_goal_text(bl_buf *out, const bl_external_goal *goal);

/* {"batch_size":64,...}, without a configuration no parameter; and with `care` what only the helper
 * looks at: the file that shows that batchlab lives, how old it may become, and seconds between two
 * states. */
typedef struct bl_external_care {
    const char *beat;
    double stale, save_seconds;
    bool checkpoint;
} bl_external_care;
void bl_external_params_text(bl_buf *out, const bl_config *config, const bl_external_care *care);

/* Does each {NAME} of the command name a parameter, and does external.scrape say what to read? */
bl_status bl_external_check(const bl_config *config, bl_err *err) BL_CHECKED;
/* The argument vector of a run, {batch_size} and the like replaced, {run} by the run's folder; NULL
 * at its end. To be freed with bl_external_argv_free. BL_EINVAL: {NAME} names no parameter. */
bl_status bl_external_argv(char ***argv, const bl_config *config, const char *run,
                           bl_err *err) BL_CHECKED;
void bl_external_argv_free(char **argv);
/* The same as a line for a shell. */
void bl_external_argv_text(bl_buf *out, char *const *argv);
#endif
