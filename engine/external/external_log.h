/* private to the room. The log of a run that batchlab did not train itself (docs/formats.md), line
 * by line: of a program, and of a run that was finished elsewhere. */
#ifndef BL_ENGINE_EXTERNAL_EXTERNAL_LOG_H
#define BL_ENGINE_EXTERNAL_EXTERNAL_LOG_H
#include "engine/train/train.h"

void bl_external_log_header(bl_buf *log, const bl_config *config, const char *run_id);
/* A step record and an evaluation record; a value that is not finite is a run that diverged. *now
 * is where the run then stands. */
void bl_external_log_eval(bl_buf *log, bl_train_state *now, const bl_config *config, int64_t step,
                          double value, double loss);
/* Marks the last evaluation as the last that there is. */
void bl_external_log_end(bl_buf *log, bl_train_state *now);
#endif
