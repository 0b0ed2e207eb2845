/* The limits of a sweep script, the collector, errors with their place, and the call of a script's
 * body (sandbox.h says what holds). What a script can call is in sandbox_lib.c.
 *
 * Lua calls two functions of this file again and again:
 *
 *     allocate   for every block of memory: counts it, and stops the script at the limit
 *     on_hook    on every new line: notes the place, for messages
 *                every HOOK_EVERY instructions: counts them, stops the script at the limit, and
 *                collects memory when that is due
 *
 * `stop` ends the process, so none of them returns after a limit. An error of the script itself is
 * a Lua error: on_error makes the message, with the line of the script first and then, where the
 * library found the mistake, the line of the library:
 *
 *     experiments/NAME/sweep.lua:4: 'seeds' has to be at least 1
 *       found by scripts/lua/check.lua:31 */
#include "engine/lua/sandbox.h"
#include "engine/base/mem.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HOOK_EVERY = 1000, /* instructions between two calls of the hook */
    BLOCK_HEAD = 16,   /* bytes that the C library keeps beside each block */
    RESERVE = 16,      /* 1/16 of the memory is kept for what Lua does not allocate: the C stack,
                          the text of a message */
};
/* The first collection is due when so much memory is in use. */
static const size_t k_first_collection = 1 << 20;

/* ---- limits ---- */

bl_status bl_sandbox_limit(const bl_sandbox_place *place, const char *script, double amount,
                           const char *unit, bl_err *err) {
    char at[BL_PATH + 32];
    if (place->line == 0)
        (void)snprintf(at, sizeof at, "%s", script);
    else
        (void)snprintf(at, sizeof at, "%.*s:%d", BL_PATH - 1, place->source, place->line);
    BL_FAIL(err, BL_EINVAL, "%s: the script takes more than %g %s", at, amount, unit);
}

/* What a block takes of the script's memory: its size and the allocator's head. */
static size_t cost_of(size_t size) {
    return size > 0 ? size + BLOCK_HEAD : 0;
}

void *bl_sandbox_resize(bl_sandbox *box, void *old, size_t old_size, size_t size) {
    const size_t limit = box->bytes_limit - box->bytes_limit / RESERVE;
    const size_t others = box->bytes - (old != NULL ? cost_of(old_size) : 0);
    const bool fits = size <= limit && others + cost_of(size) <= limit;
    void *p = NULL;
    if (size == 0)
        free(old);
    else
        p = fits ? realloc(old, size) : NULL;
    if (size > 0 && p == NULL) {
        /* Far below the limit, the machine has no memory left. Near the limit, the free memory lies
         * in gaps between the script's own blocks: then the limit is the cause. */
        if (fits && others + cost_of(size) < limit / 2)
            (void)BL_ERR(box->err, BL_ENOMEM, "no memory for the sweep script %s", box->script);
        else
            (void)bl_sandbox_limit(box->place, box->script, (double)box->bytes_limit / 1048576.0,
                                   "MiB of memory", box->err);
        box->stop(box);
    }
    box->bytes = others + cost_of(size);
    return p;
}

/* For a new block, Lua passes the kind of the object as old_size: it is no size then. */
static void *allocate(void *box, void *old, size_t old_size, size_t size) {
    return bl_sandbox_resize(box, old, old_size, size);
}

static bool in_library(const bl_sandbox *box, const char *source) {
    const size_t n = strlen(box->library_dir);
    return strncmp(source + 1, box->library_dir, n) == 0 && source[1 + n] == '/';
}

/* Every function of a chunk shares the chunk's source text, and bl_sandbox_load keeps the chunk, so
 * a source is known by its address. */
static void note_line(bl_sandbox *box, lua_State *L, lua_Debug *frame) {
    if (lua_getinfo(L, "S", frame) == 0 || frame->source[0] != '@') return;
    if (in_library(box, frame->source)) return;
    if (frame->source != box->source) {
        box->place->line = 0;
        (void)snprintf(box->place->source, sizeof box->place->source, "%s", frame->source + 1);
        box->source = frame->source;
    }
    box->place->line = frame->currentline;
}

/* The next collection is due when the memory in use has doubled, or half of what is left is used.
 */
void bl_sandbox_collect_if_due(lua_State *L) {
    bl_sandbox *box = bl_sandbox_of(L);
    if (box->bytes < box->collect_at) return;
    bl_sandbox_check_metatables(L);
    (void)lua_gc(L, LUA_GCCOLLECT);
    const size_t left = box->bytes_limit > box->bytes ? box->bytes_limit - box->bytes : 0;
    box->collect_at =
        bl_size_max(box->bytes + bl_size_min(box->bytes, left / 2), k_first_collection);
}

static void on_hook(lua_State *L, lua_Debug *frame) {
    bl_sandbox *box = bl_sandbox_of(L);
    if (frame->event == LUA_HOOKLINE) {
        note_line(box, L, frame);
        return;
    }
    box->instructions += HOOK_EVERY;
    if (box->instructions > box->instructions_limit) {
        (void)bl_sandbox_limit(box->place, box->script, (double)box->instructions_limit,
                               "instructions", box->err);
        box->stop(box);
    }
    bl_sandbox_collect_if_due(L);
}

/* ---- errors ---- */

/* Drops the "file:line: " that luaL_error or error() put before the message, if it is one of the
 * frames on the stack. */
static const char *without_position(lua_State *L, const char *message) {
    lua_Debug frame;
    for (int level = 1; lua_getstack(L, level, &frame) != 0; level++) {
        char position[LUA_IDSIZE + 32];
        if (lua_getinfo(L, "Sl", &frame) == 0 || frame.currentline <= 0) continue;
        const int n =
            snprintf(position, sizeof position, "%s:%d: ", frame.short_src, frame.currentline);
        if (n > 0 && strncmp(message, position, (size_t)n) == 0) return message + n;
    }
    return message;
}

/* Message handler: the line of the experiment's own script first, then the library's. */
static int on_error(lua_State *L) {
    bl_sandbox *box = bl_sandbox_of(L);
    char kind[64];
    const char *text = kind;
    if (lua_type(L, 1) == LUA_TSTRING)
        text = lua_tostring(L, 1);
    else
        (void)snprintf(kind, sizeof kind, "error raised with a %s value", luaL_typename(L, 1));
    const char *bare = without_position(L, text);
    char script[BL_PATH + 32] = "", library[BL_PATH + 32] = "";
    lua_Debug frame;
    for (int level = 1; script[0] == '\0' && lua_getstack(L, level, &frame) != 0; level++) {
        if (lua_getinfo(L, "Sl", &frame) == 0 || frame.currentline <= 0) continue;
        if (!in_library(box, frame.source))
            (void)snprintf(script, sizeof script, "%s:%d: ", frame.source + 1, frame.currentline);
        else if (library[0] == '\0')
            (void)snprintf(library, sizeof library, "\n  found by %s:%d", frame.source + 1,
                           frame.currentline);
    }
    (void)BL_ERR(box->err, BL_EINVAL, "%s%s%s", script, script[0] != '\0' ? bare : text, library);
    return 1;
}

/* ---- running ---- */

bl_status bl_sandbox_run(bl_sandbox *box, lua_CFunction body, void *arg) {
    *box->err = (bl_err){0};
    box->collect_at = k_first_collection;
    lua_State *L = lua_newstate(allocate, box);
    BL_ASSERT(L != NULL);
    *(bl_sandbox **)lua_getextraspace(L) = box;
    (void)lua_gc(L, LUA_GCSTOP);
    lua_sethook(L, on_hook, LUA_MASKLINE | LUA_MASKCOUNT, HOOK_EVERY);
    lua_pushcfunction(L, on_error);
    lua_pushcfunction(L, body);
    lua_pushlightuserdata(L, arg);
    if (lua_pcall(L, 1, 0, 1) == LUA_OK) return BL_OK;
    if (box->err->code == BL_OK) BL_FAIL(box->err, BL_EINVAL, "error in an error handler");
    return BL_EINVAL;
}
