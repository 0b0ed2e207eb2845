/* Does a program give the same values again, and does it go on from its state as if it had never
 * been interrupted? It is trained a few evaluations twice, and once with a pause in the middle. */
#ifndef BL_ENGINE_EXTERNAL_TWICE_H
#define BL_ENGINE_EXTERNAL_TWICE_H
#include "engine/config/config.h"
#include "engine/train/train.h"

/* What two series of evaluations differ in; one may be shorter. */
typedef struct bl_external_difference {
    int64_t from; /* the first step whose values or losses differ; 0: none does */
    double by;    /* the largest relative difference from there on */
} bl_external_difference;

typedef struct bl_external_twice {
    int64_t paused_at, steps;
    bool saves; /* there was a state to go on from */
    bl_external_difference again, resumed;
} bl_external_twice;

/* Trains config->train's run in folders below `dir`, which is the caller's to remove.
 * BL_EINTERRUPTED: `pause` was due. BL_EPROGRAM: it failed, and the line that starts it by hand
 * needs the folder. */
bl_status bl_external_check_twice(bl_external_twice *out, const bl_config *config, const char *dir,
                                  const bl_train_pause *pause, bl_err *err) BL_CHECKED;
#endif
