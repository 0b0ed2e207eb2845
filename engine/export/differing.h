/* The settings in which the runs of an experiment differ, so that a table of them can tell any two
 * runs apart: an optimizer, a model's width, a target of regularisation. Batch size, learning rate,
 * seed and rows have columns of their own and are left out. */
#ifndef BL_ENGINE_EXPORT_DIFFERING_H
#define BL_ENGINE_EXPORT_DIFFERING_H
#include "engine/base/json.h"
#include "engine/base/status.h"
#include <stdbool.h>
#include <stddef.h>

/* A key and what the first run that has it says. */
typedef struct bl_export_setting {
    char *key, *text;
    size_t runs; /* that have it */
    bool differs;
} bl_export_setting;

typedef struct bl_export_settings {
    bl_export_setting *v; /* (count) by their keys, once bl_export_settings_choose was called */
    size_t count, runs;
} bl_export_settings;

/* Takes in the "config" of one run. */
void bl_export_settings_add(bl_export_settings *all, const bl_json *config);
/* Keeps those that differ, or that not every run has. */
void bl_export_settings_choose(bl_export_settings *all);
void bl_export_settings_free(bl_export_settings *all);
#endif
