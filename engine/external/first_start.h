/* The first start of a program of which nothing is known yet (`batchlab init --command`): what does
 * it say of itself, how far does it come, how fast? It gets no parameters, so that its own defaults
 * hold, is asked for some hundred steps, and is parked after some seconds. */
#ifndef BL_ENGINE_EXTERNAL_FIRST_START_H
#define BL_ENGINE_EXTERNAL_FIRST_START_H
#include "engine/base/json.h"
#include "engine/external/guess.h"
#include "engine/train/train.h"

typedef struct bl_external_ask {
    char *const *argv;  /* ends with NULL; {run} becomes the folder */
    const char *dir;    /* its folder, the caller's to remove */
    const char *metric; /* as its user calls it, or NULL */
    int64_t until;      /* steps asked for */
    double seconds;     /* since its first evaluation, after which it is parked */
    /* Told each time that it was quiet for `silence` seconds more: it may load data, or hang. */
    void (*is_quiet)(double seconds);
    double silence;
} bl_external_ask;

typedef struct bl_external_first {
    int level; /* what of docs/external.md it does: 0 to 3 */
    bl_json_doc said;
    const bl_json *args; /* in `said`: the parameters it asks for and their defaults; NULL: none */
    int64_t steps;       /* that it trained, as far as it said */
    double step_s;       /* seconds a step; NAN: not known */
    bool with_evaluations;   /* they are in step_s */
    bl_external_guess guess; /* its evaluations, and at level 0 where they are read */
} bl_external_first;

/* BL_EPROGRAM: it failed; the message is for its author. BL_EINTERRUPTED: `pause` was
 * due. */
bl_status bl_external_first_start(bl_external_first *out, const bl_external_ask *ask,
                                  const bl_train_pause *pause, bl_err *err) BL_CHECKED;
void bl_external_first_free(bl_external_first *first);
#endif
