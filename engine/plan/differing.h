/* The settings in which the runs of an experiment, or the trials of a plan, differ, so that a table
 * of them can tell any two runs apart: an optimizer, a model's width, a target of regularisation.
 * Batch size, learning rate, seed and rows have columns of their own and are left out. */
#ifndef BL_ENGINE_PLAN_DIFFERING_H
#define BL_ENGINE_PLAN_DIFFERING_H
#include "engine/base/json.h"
#include "engine/base/status.h"
#include <stdbool.h>
#include <stddef.h>

/* A key and what the first run that has it says. */
typedef struct bl_plan_differing_key {
    char *key, *text;
    size_t runs; /* that have it */
    bool differs;
} bl_plan_differing_key;

typedef struct bl_plan_differing {
    bl_plan_differing_key *v; /* (count) by their keys, once bl_plan_differing_choose was called */
    size_t count, runs;
} bl_plan_differing;

/* Takes in the "config" of one run. */
void bl_plan_differing_add(bl_plan_differing *all, const bl_json *config);
/* Keeps those that differ, or that not every run has. */
void bl_plan_differing_choose(bl_plan_differing *all);
void bl_plan_differing_free(bl_plan_differing *all);
#endif
