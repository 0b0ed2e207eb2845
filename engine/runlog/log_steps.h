/* The evaluation steps of a log, and the first at which two logs differ: for `diff`, and for the
 * message of a run that came out otherwise the second time. */
#ifndef BL_ENGINE_RUNLOG_LOG_STEPS_H
#define BL_ENGINE_RUNLOG_LOG_STEPS_H
#include "engine/base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the log says at one evaluation step: the step record and the evaluation after it. */
typedef struct bl_runlog_step {
    int64_t step;
    double loss, mean_loss, value; /* NAN: diverged */
    char hash[17];                 /* rolls over every batch loss up to here */
} bl_runlog_step;

typedef struct bl_runlog_steps {
    bl_runlog_step *at;
    size_t count;
} bl_runlog_steps;

/* From the text of a log that bl_runlog_parse has accepted; `name` is for messages. */
bl_status bl_runlog_steps_read(bl_runlog_steps *out, const char *text, size_t n, const char *name,
                               bl_err *err) BL_CHECKED;
void bl_runlog_steps_free(bl_runlog_steps *steps);
/* The first step that both have and at which hash or value differ: indices *i, *j; false: none. */
bool bl_runlog_steps_differ(const bl_runlog_steps *a, const bl_runlog_steps *b, size_t *i,
                            size_t *j);
#endif
