#include "engine/lua/round.h"
#include "engine/base/mem.h"

static const char *const outcome_names[] = {
    [BL_OUTCOME_TARGET] = "target",     [BL_OUTCOME_BUDGET] = "budget", [BL_OUTCOME_RACE] = "race",
    [BL_OUTCOME_DIVERGED] = "diverged", [BL_OUTCOME_MEMORY] = "memory",
};
_Static_assert(BL_COUNT(outcome_names) == BL_OUTCOME_COUNT, "an outcome without a name");

const char *bl_outcome_name(bl_outcome outcome) {
    BL_ASSERT((size_t)outcome < BL_COUNT(outcome_names));
    return outcome_names[outcome];
}

void bl_round_results_free(bl_trial_result *results, size_t count) {
    for (size_t i = 0; i < count; i++) {
        free(results[i].eval);
        results[i].eval = NULL;
        results[i].evals = 0;
    }
}
