/* A Lua state for scripts that nobody has read: bounded memory, instructions and processor time, no
 * way out to the system, and nothing in reach that differs between two starts of the program.
 *
 * All memory of the state is one region, so a state can be abandoned in the middle of anything and
 * freed without its help. That is how limits act: they jump out of Lua past every pcall. The
 * last of them is a timer on the thread's processor time, whose signal ends loops inside Lua's own
 * C functions, where no hook is called. Code that must not be left half done (malloc, the host)
 * stands between bl_sandbox_enter and bl_sandbox_leave; no Lua call that can raise an error may. */
#ifndef BL_ENGINE_LUA_SANDBOX_H
#define BL_ENGINE_LUA_SANDBOX_H
#include "engine/base/buf.h"
#include "engine/base/file.h"
#include "engine/base/status.h"
#include "engine/lua/heap.h"
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

typedef struct bl_sandbox {
    lua_State *lua;
    bl_heap *heap;
    size_t bytes_limit;
    uint64_t instructions, instructions_limit;
    double cpu_limit;      /* seconds */
    uint64_t seed;         /* of math.random */
    uint64_t drawn;        /* values of math.random so far */
    char library[BL_PATH]; /* folder of the shared modules */
    char folder[BL_PATH];  /* folder of the script */
    bl_buf text;           /* of the chunk being loaded */
    const char *source;    /* "@file" and line of the script that ran last, for limits */
    int line;
    volatile sig_atomic_t busy;    /* depth of bl_sandbox_enter */
    volatile sig_atomic_t expired; /* the timer rang meanwhile */
    sigjmp_buf escape;
    timer_t timer;
    struct itimerspec left; /* of the timer, while paused */
    bl_status status;       /* why the state was left from inside */
    bl_err *err;
} bl_sandbox;

typedef struct bl_sandbox_limits {
    size_t bytes;
    uint64_t instructions;
    double cpu_seconds;
} bl_sandbox_limits;

/* Makes a state, calls body(L) with `arg` as a light userdata at index 1 under all limits, and
 * frees the state. `box` must stay where it is meanwhile; its seed and folders are the caller's to
 * fill. */
bl_status bl_sandbox_run(bl_sandbox *box, const bl_sandbox_limits *limits, lua_CFunction body,
                         void *arg, bl_err *err) BL_CHECKED;

void bl_sandbox_enter(bl_sandbox *box);
void bl_sandbox_leave(bl_sandbox *box); /* does not return when the time ran out meanwhile */
/* As enter and leave, with the clock of the script stopped between them. */
void bl_sandbox_pause(bl_sandbox *box);
void bl_sandbox_resume(bl_sandbox *box);
/* Leaves the state for good; box->err is already filled. No pcall sees it. */
_Noreturn void bl_sandbox_abandon(bl_sandbox *box, bl_status status);

/* Opens the safe part of Lua's library, and `require`. */
void bl_sandbox_open(lua_State *L);
bl_sandbox *bl_sandbox_of(lua_State *L);
/* Loads a text chunk and leaves it on the stack, or raises its error. */
void bl_sandbox_load(lua_State *L, const char *path);
/* Pushes an array of the table's keys: numbers ascending, then strings by bytes. Raises an error
 * for keys of other types. Returns their number. */
lua_Integer bl_sandbox_keys(lua_State *L, int table);
#endif
