/* What a sweep script is given and what it may take: what planner.h and the script's process share.
 */
#ifndef BL_ENGINE_LUA_LIMITS_H
#define BL_ENGINE_LUA_LIMITS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a script may know of the world beside its configuration. */
typedef struct bl_planner_facts {
    int64_t epoch_rows; /* training rows of one epoch */
    bool synthetic;
} bl_planner_facts;

/* What a script may take. `check`, `run` and `work` hold the same. */
typedef struct bl_planner_limits {
    size_t memory_bytes;   /* of the script's process, above what the program has anyway */
    uint64_t instructions; /* of Lua's */
    double cpu_seconds;    /* of the script's process; the host's time is not in it */
    size_t max_trials;
    size_t max_decisions;
    size_t one_decision_bytes;
    size_t decision_bytes; /* of all decisions */
    size_t trial_bytes;    /* of all trials: what they set and why */
} bl_planner_limits;
extern const bl_planner_limits bl_planner_default_limits;
#endif
