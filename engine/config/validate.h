/* What holds between keys: a schedule's horizon, as many dropouts as layers. */
#ifndef BL_ENGINE_CONFIG_VALIDATE_H
#define BL_ENGINE_CONFIG_VALIDATE_H
#include "engine/base/nearest.h"
#include "engine/config/schema.h"

typedef struct bl_config_fault {
    const char *path; /* of the key to be changed */
    char message[256];
    char hint[BL_NEAREST_HINT]; /* "did you mean 'rmse'?" or "" */
} bl_config_fault;

bool bl_config_validate(const bl_config *config, bl_config_fault *fault);
/* The numerics epoch of a run: part of its id and of its log's header. */
int bl_config_numerics_epoch(const bl_config *config);
/* Says what holds but may surprise, a line each: at which of the sweep's batch sizes a
 * normalisation sees other examples than its name says. */
void bl_config_notes(const bl_config *config, void (*say)(void *ctx, const char *line), void *ctx);
#endif
