/* How a trial ended: the word that plans, results and logs use for it. */
#ifndef BL_ENGINE_PLAN_OUTCOME_H
#define BL_ENGINE_PLAN_OUTCOME_H
#include <stdbool.h>

typedef enum bl_outcome {
    BL_OUTCOME_TARGET, /* reached */
    BL_OUTCOME_BUDGET, /* max_steps came first */
    BL_OUTCOME_RACE,   /* cut by the race */
    BL_OUTCOME_DIVERGED,
    BL_OUTCOME_MEMORY, /* did not fit */
    BL_OUTCOME_FAILED, /* a program of the user's own: it ended otherwise than it was asked to */
    BL_OUTCOME_COUNT
} bl_outcome;

const char *bl_outcome_name(bl_outcome outcome); /* "target", "budget", "race", ... */
/* False for a word that is none of these. */
bool bl_outcome_parse(bl_outcome *out, const char *name);
#endif
