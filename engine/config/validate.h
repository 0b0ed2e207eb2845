/* What holds between keys: a schedule's horizon, as many dropouts as layers. */
#ifndef BL_ENGINE_CONFIG_RULES_H
#define BL_ENGINE_CONFIG_RULES_H
#include "engine/config/schema.h"

typedef struct bl_rule_fault {
    const char *path; /* of the key to be changed */
    char message[256];
} bl_rule_fault;

bool bl_rules_hold(const bl_config *config, bl_rule_fault *fault);
/* Whether a key with this condition means anything: momentum does not under adam. */
bool bl_rules_matter(const bl_config *config, bl_key_when when);
/* The numerics epoch of a run: part of its id and of its log's header. */
int bl_rules_epoch(const bl_config *config);
/* Says what holds but may surprise, a line each: at which of the sweep's batch sizes a
 * normalisation sees other examples than its name says. */
void bl_rules_notes(const bl_config *config, void (*say)(void *ctx, const char *line), void *ctx);
#endif
