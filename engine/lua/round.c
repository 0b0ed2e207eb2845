#include "engine/lua/round.h"
#include "engine/base/mem.h"
#include <math.h>
#include <string.h>

bl_trial bl_trial_of(const bl_config *base) {
    return (bl_trial){.base = base,
                      .batch_size = base->train.batch_size,
                      .seed = base->train.seed,
                      .learning_rate = base->train.learning_rate,
                      .target = (double)NAN};
}

void bl_trial_resolve(const bl_trial *trial, bl_config *out) {
    *out = *trial->base;
    for (const char *path = trial->sets; path != NULL && *path != '\0';) {
        const char *value = path + strlen(path) + 1;
        BL_ASSERT(bl_config_set(out, path, value, NULL) == BL_OK);
        path = value + strlen(value) + 1;
    }
    out->train.batch_size = trial->batch_size;
    out->train.seed = trial->seed;
    out->train.learning_rate = trial->learning_rate;
}

size_t bl_trial_sets_bytes(const bl_trial *trial) {
    const char *at = trial->sets;
    if (at == NULL) return 0;
    while (*at != '\0') { /* a path, and its value */
        at += strlen(at) + 1;
        at += strlen(at) + 1;
    }
    return (size_t)(at - trial->sets) + 1;
}

void bl_round_results_free(bl_trial_result *results, size_t count) {
    for (size_t i = 0; i < count; i++) {
        free(results[i].eval);
        free(results[i].error);
        results[i].eval = NULL;
        results[i].error = NULL;
        results[i].evals = 0;
    }
}
