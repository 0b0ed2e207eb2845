/* A Lua state for scripts that nobody has read: bounded memory and instructions, no way out to the
 * system, and nothing in reach that differs between two starts of the program.
 *
 * The state lives in a process of its own, which planner.c makes. A limit that is reached ends that
 * process, whatever Lua is doing, so no pcall of the script sees it and there is nothing to clean
 * up:
 *
 *     instructions   counted by Lua's hook
 *     memory         counted by the allocator
 *     time           a timer on the process's processor time kills it (planner.c). It is the only
 *                    limit that holds inside Lua's own C functions, where no hook is called
 *
 * `place` says where the script was. It is shared with the planner, which lives longer than the
 * script.
 *
 * Lua's collector never runs by itself. The hook calls it when the memory in use has doubled, or
 * when half of what is left is used (collect_if_due in sandbox.c). First it checks that no
 * metatable makes a table weak, so no script can see when memory was collected.
 *
 * Rules for a new function that scripts can call:
 *     1. Memory whose size depends on the script comes from Lua or from bl_sandbox_resize.
 *     2. An error of Lua may leave the function at any call that can raise one. The end of the
 *        process is the only clean-up, so it must hold nothing that outlives the process.
 *     3. It returns the same on every machine. */
#ifndef BL_ENGINE_LUA_SANDBOX_H
#define BL_ENGINE_LUA_SANDBOX_H
#include "engine/base/buf.h"
#include "engine/base/file.h"
#include "engine/base/status.h"
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdint.h>

/* The line of the experiment's own script that ran last; line 0: none did. */
typedef struct bl_sandbox_place {
    char source[BL_PATH];
    int line;
} bl_sandbox_place;

typedef struct bl_sandbox bl_sandbox;
struct bl_sandbox {
    /* The caller's to fill. */
    size_t bytes_limit;
    uint64_t instructions_limit;
    uint64_t seed;           /* of math.random and math.sobol */
    const char *script;      /* path of the experiment's script */
    const char *library_dir; /* lines of files in it are the library's, not the script's */
    bl_sandbox_place *place;
    void (*load)(bl_sandbox *box, lua_State *L, const char *module); /* pushes its chunk */
    void (*stop)(bl_sandbox *box); /* ends the process; `err` says why; takes no memory */
    bl_err *err;

    /* The sandbox's own. */
    uint64_t drawn; /* values of math.random so far */
    size_t bytes, collect_at;
    uint64_t instructions;
    const char *source; /* what place->source is a copy of */
};

/* Makes a state, calls body(L) with `arg` as a light userdata at index 1, and says how that ended:
 * BL_EINVAL, and box->err, for an error of the script. The state is left to the end of the process.
 */
bl_status bl_sandbox_run(bl_sandbox *box, lua_CFunction body, void *arg) BL_CHECKED;

/* realloc and free, in memory that counts as the script's: does not return where that is used up.
 * `old_size` is what was asked for. NULL for a size of 0. */
void *bl_sandbox_resize(bl_sandbox *box, void *old, size_t old_size, size_t size);
/* Fills `err`: "FILE:LINE: the script takes more than AMOUNT UNIT". */
bl_status bl_sandbox_limit(const bl_sandbox_place *place, const char *script, double amount,
                           const char *unit, bl_err *err);
/* Raises an error where a metatable would show when the collector ran: a script can give it such a
 * member after setmetatable has seen it. */
void bl_sandbox_check_metatables(lua_State *L);

static inline bl_sandbox *bl_sandbox_of(lua_State *L) {
    return *(bl_sandbox **)lua_getextraspace(L);
}

/* Opens the safe part of Lua's library, and `require`. */
void bl_sandbox_open(lua_State *L);
/* Pushes the function that a text chunk is, or raises its error. A byte-order mark before it is
 * skipped. */
void bl_sandbox_load(lua_State *L, const char *path, const char *text, size_t length);
/* The key, a light userdata, under which a metatable may have fill(table). bl_sandbox_keys calls it
 * first: it gives a table its members where they are made on demand. No script can have the key. */
extern const void *const bl_sandbox_fill;
/* Collects garbage if so much memory is in use that it is time to. For functions that take much
 * memory before Lua's next instruction. */
void bl_sandbox_collect_if_due(lua_State *L);
/* Pushes an array of the table's keys: numbers ascending, then strings by bytes. Raises an error
 * for keys of other types. Returns their number. */
lua_Integer bl_sandbox_keys(lua_State *L, int table);
#endif
