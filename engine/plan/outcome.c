/* The words stand in plans, logs, results and messages alike. They are part of the formats: none
 * may change. */
#include "engine/plan/outcome.h"
#include "engine/base/mem.h"
#include <string.h>

static const char *const outcome_names[] = {
    [BL_OUTCOME_TARGET] = "target", [BL_OUTCOME_BUDGET] = "budget",
    [BL_OUTCOME_RACE] = "race",     [BL_OUTCOME_DIVERGED] = "diverged",
    [BL_OUTCOME_MEMORY] = "memory", [BL_OUTCOME_FAILED] = "failed",
};
_Static_assert(BL_COUNT(outcome_names) == BL_OUTCOME_COUNT, "an outcome without a name");

const char *bl_outcome_name(bl_outcome outcome) {
    BL_ASSERT((size_t)outcome < BL_COUNT(outcome_names));
    return outcome_names[outcome];
}

bool bl_outcome_parse(bl_outcome *out, const char *name) {
    for (size_t i = 0; i < BL_COUNT(outcome_names); i++) {
        if (strcmp(outcome_names[i], name) != 0) continue;
        *out = (bl_outcome)i;
        return true;
    }
    return false;
}
