/* What the functions that scripts call share, in the script's process; private to the room.
 *
 * Each call of `exp` reads its Lua arguments, checks them, sends them to the planner as messages
 * (wire.h) and turns the answer into Lua values. Whatever a call needs beyond Lua's own memory
 * hangs on the script, since an error of Lua may leave a call half way. */
#ifndef BL_ENGINE_LUA_SCRIPT_H
#define BL_ENGINE_LUA_SCRIPT_H
#include "engine/base/buf.h"
#include "engine/lua/limits.h"
#include "engine/lua/round.h"
#include "engine/lua/sandbox.h"
#include "engine/lua/wire.h"

enum { BL_SCRIPT_NAMES = 8 };

/* A setting's name in a script, and the full path of its key. */
typedef struct bl_script_name {
    char name[64];
    const char *path; /* NULL: free */
} bl_script_name;

typedef struct bl_script {
    bl_sandbox box;
    bl_wire wire; /* to the planner */
    const bl_config *config;
    const bl_planner_facts *facts;
    const bl_planner_limits *limits;
    size_t trials_left, trial_bytes_left, decisions_left, decision_bytes_left;
    bl_trial trial;                 /* in hand */
    bl_config resolved;             /* the trial in hand as it is checked */
    bl_buf message, settings, json; /* in hand: what is sent, a trial's settings, a decision */
    bl_err err;
    char *answer; /* the last one, in memory that counts */
    size_t answer_size;
    bl_script_name named[BL_SCRIPT_NAMES];
    size_t next_name;
} bl_script;

/* Runs the script at box.script and ends the process. box.place, box.library_dir, wire.fd, config,
 * facts and limits are the caller's to fill. */
_Noreturn void bl_script_main(bl_script *script);

/* The script of a function that was made with it as first upvalue. */
bl_script *bl_script_of(lua_State *L);
/* Begins a message; the fields are added to what is returned. */
bl_buf *bl_script_begin(bl_script *s);
/* Sends it, at the latest with the next question, where no answer is due. */
void bl_script_tell(bl_script *s, bl_wire_kind kind);
/* Sends it and waits. What the planner refuses is raised as an error. */
bl_wire_reader bl_script_ask(lua_State *L, bl_script *s, bl_wire_kind kind);
/* Takes bytes of the plan from what is left; raises an error where a sweep's may have no more. */
void bl_script_count_bytes(lua_State *L, size_t *left, size_t bytes, const char *what);

/* Full path of a setting from its path or a last part that only one has; raises an error that names
 * the nearest one and starts with `where`. */
const char *bl_script_setting(lua_State *L, bl_script *s, const char *name, const char *where);
/* The last step at or below `steps` at which every run is evaluated; the first such if all are
 * above. Runs that end there have no evaluation that longer ones lack. */
int64_t bl_script_grid_floor(const bl_config *config, int64_t epoch_rows, int64_t steps);
/* The first at or above `steps`. */
int64_t bl_script_grid_ceil(const bl_config *config, int64_t epoch_rows, int64_t steps);
/* A Lua number that is a whole number of steps, at least 1. */
int64_t bl_script_steps(lua_State *L, int index, const char *what);

int bl_script_call_run(lua_State *L);    /* exp:run{...} */
int bl_script_call_times(lua_State *L);  /* exp:step_times{64, 128} */
int bl_script_call_decide(lua_State *L); /* exp:decide{...} */
int bl_script_call_note(lua_State *L);   /* exp:note(text) */
#endif
