/* "Advance run R to step n", whoever answers it: batchlab's own training (engine/train), a program
 * of the user's own (engine/external/external.h) where the configuration has external.command, or
 * what was trained elsewhere (recorded.h) where it has external.imported. The calls and their order
 * are those of engine/train/train.h. What is above them, from the store to the planner, sees no
 * difference. */
#ifndef BL_ENGINE_SWEEP_TRAINER_H
#define BL_ENGINE_SWEEP_TRAINER_H
#include "engine/sweep/scheduler_settings.h"
#include "engine/train/train.h"

typedef struct bl_trainer bl_trainer;

/* The claim is on the run's folder, `dir`; a program's files lie in the claim's own folder, so that
 * they go with it. */
bl_status bl_trainer_open(bl_trainer **out, const bl_scheduler *s, const bl_config *config,
                          const char *run_id, bl_claim *claim, size_t threads,
                          bl_err *err) BL_CHECKED;
void bl_trainer_close(bl_trainer *t); /* NULL is fine */

/* Bytes that a run takes. Of a program: external.memory_mib, 0 where that is not given. */
bl_status bl_trainer_memory(const bl_scheduler *s, const bl_config *config, size_t *bytes,
                            bl_err *err) BL_CHECKED;
/* BL_ENOMEM, after the first step too, is an outcome. */
bl_status bl_trainer_advance(bl_trainer *t, int64_t limit, const bl_train_pause *pause,
                             bl_err *err) BL_CHECKED;
const bl_train_state *bl_trainer_now(const bl_trainer *t);
const bl_buf *bl_trainer_log(const bl_trainer *t);
const bl_buf *bl_trainer_noise(const bl_trainer *t); /* as bl_train_noise; empty of a program */

/* The state for the checkpoint in `slot`, which is to be written next. `last`: the run is closed
 * after it, so a program is asked to save and to end. *any: there is something new to be kept. */
bl_status bl_trainer_save(bl_trainer *t, bool last, int slot, bl_buf *out, bool *any,
                          bl_err *err) BL_CHECKED;
/* From the bytes of the checkpoint in `slot`. */
bl_status bl_trainer_restore(bl_trainer *t, int slot, const bl_buf *state, const char *log,
                             size_t log_n, bl_err *err) BL_CHECKED;
#endif
