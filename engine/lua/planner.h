/* Inside of the planner: what the functions that scripts call share. Whatever a call needs beyond
 * Lua's own memory hangs on the planner, since an error of the script may leave a call half way. */
#ifndef BL_ENGINE_LUA_PLANNER_H
#define BL_ENGINE_LUA_PLANNER_H
#include "engine/base/buf.h"
#include "engine/sweep/round.h"
#include "engine/lua/sandbox.h"

typedef struct bl_planner {
    bl_sandbox box;
    const char *script;
    const bl_config *config;
    const bl_planner_facts *facts;
    const bl_planner_host *host;
    size_t trials_left;
    bl_trial *trials; /* of the round in hand */
    bl_trial_result *results;
    size_t count;
    bl_buf json; /* of the decision in hand */
} bl_planner;

/* The planner of a function that was made with it as first upvalue. */
bl_planner *bl_planner_of(lua_State *L);
void bl_planner_drop_round(bl_planner *p);

/* Full path of a setting from its path or a last part that only one has; raises an error that names
 * the nearest one and starts with `where`. */
const char *bl_planner_setting(lua_State *L, const char *name, const char *where);
/* The last step at or below `steps` at which every run is evaluated; the first such if all are
 * above. Runs that end there have no evaluation that longer ones lack. */
int64_t bl_planner_grid_floor(const bl_config *config, int64_t epoch_rows, int64_t steps);
/* The first at or above `steps`. */
int64_t bl_planner_grid_ceil(const bl_config *config, int64_t epoch_rows, int64_t steps);
/* A Lua number that is a whole number of steps, at least 1. */
int64_t bl_planner_steps(lua_State *L, int index, const char *what);

int bl_planner_call_run(lua_State *L);    /* exp:run{...} */
int bl_planner_call_times(lua_State *L);  /* exp:step_times{64, 128} */
int bl_planner_call_decide(lua_State *L); /* exp:decide{...} */
int bl_planner_call_note(lua_State *L);   /* exp:note(text) */
#endif
