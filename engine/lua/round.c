#include "engine/lua/round.h"
#include "engine/base/mem.h"

void bl_round_results_free(bl_trial_result *results, size_t count) {
    for (size_t i = 0; i < count; i++) {
        free(results[i].eval);
        results[i].eval = NULL;
        results[i].evals = 0;
    }
}
