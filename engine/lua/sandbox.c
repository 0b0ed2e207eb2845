#include "engine/lua/sandbox.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* One part in 16 of the memory is for what is not in the heap: a chunk's text, C's stack, ids. */
enum { HOOK_EVERY = 1000, RESERVE = 16 };
typedef enum escape { ESCAPE_CPU = 1, ESCAPE_INSTRUCTIONS, ESCAPE_MEMORY, ESCAPE_STATUS } escape;

/* ---- time -------------------------------------------------------------------------------------
 */

static void on_timer(int sig, siginfo_t *info, void *context) {
    (void)sig;
    (void)context;
    if (info->si_code != SI_TIMER) return;
    bl_sandbox *box = info->si_value.sival_ptr;
    box->expired = 1;
    if (box->busy == 0) siglongjmp(box->escape, ESCAPE_CPU);
}

void bl_sandbox_enter(bl_sandbox *box) {
    box->busy = box->busy + 1;
}

void bl_sandbox_leave(bl_sandbox *box) {
    box->busy = box->busy - 1;
    if (box->busy == 0 && box->expired) siglongjmp(box->escape, ESCAPE_CPU);
}

void bl_sandbox_pause(bl_sandbox *box) {
    bl_sandbox_enter(box);
    const struct itimerspec off = {0};
    BL_ASSERT(timer_settime(box->timer, 0, &off, &box->left) == 0);
}

void bl_sandbox_resume(bl_sandbox *box) {
    BL_ASSERT(timer_settime(box->timer, 0, &box->left, NULL) == 0);
    bl_sandbox_leave(box);
}

_Noreturn void bl_sandbox_abandon(bl_sandbox *box, bl_status status) {
    box->status = status;
    siglongjmp(box->escape, ESCAPE_STATUS);
}

static bl_status start_timer(bl_sandbox *box, sigset_t *old_mask, bl_err *err) {
    const int sig = SIGRTMIN + 1;
    /* The handler stays installed: it only acts on timers of this file, and another thread may be
     * inside a sandbox of its own. */
    struct sigaction action = {.sa_sigaction = on_timer, .sa_flags = SA_SIGINFO | SA_RESTART};
    (void)sigemptyset(&action.sa_mask);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = sig};
    event.sigev_value.sival_ptr = box;
    event.sigev_notify_thread_id = gettid();
    if (sigaction(sig, &action, NULL) != 0 ||
        timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &box->timer) != 0)
        BL_FAIL(err, BL_EUNSUPPORTED, "cannot limit a script's processor time: no timers here");
    sigset_t mask;
    (void)sigemptyset(&mask);
    (void)sigaddset(&mask, sig);
    (void)pthread_sigmask(SIG_UNBLOCK, &mask, old_mask);
    const double whole = floor(box->cpu_limit);
    const struct itimerspec limit = {
        .it_value = {(time_t)whole, (long)((box->cpu_limit - whole) * 1e9)}
    };
    BL_ASSERT(timer_settime(box->timer, 0, &limit, NULL) == 0);
    return BL_OK;
}

/* ---- memory -----------------------------------------------------------------------------------
 */

/* Lua asks for a size when it has it, so the old one is not needed. */
static void *allocate(void *user, void *old, size_t old_size, size_t size) {
    (void)old_size;
    bl_sandbox *box = user;
    bl_sandbox_enter(box);
    void *p = bl_heap_resize(box->heap, old, size);
    bl_sandbox_leave(box);
    return p;
}

/* ---- position and errors ----------------------------------------------------------------------
 */

static bool in_library(const bl_sandbox *box, const char *source) {
    const size_t n = strlen(box->library);
    return strncmp(source + 1, box->library, n) == 0 && source[1 + n] == '/';
}

/* Every function of a chunk shares the chunk's source text, and bl_sandbox_load keeps the chunk, so
 * the pointer stays good. */
static void on_hook(lua_State *L, lua_Debug *frame) {
    bl_sandbox *box = bl_sandbox_of(L);
    if (frame->event == LUA_HOOKLINE) {
        if (lua_getinfo(L, "S", frame) != 0 && frame->source[0] == '@' &&
            !in_library(box, frame->source)) {
            box->source = frame->source;
            box->line = frame->currentline;
        }
        return;
    }
    if (box->instructions < HOOK_EVERY) siglongjmp(box->escape, ESCAPE_INSTRUCTIONS);
    box->instructions -= HOOK_EVERY;
}

static int on_panic(lua_State *L) {
    siglongjmp(bl_sandbox_of(L)->escape, ESCAPE_MEMORY);
}

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

static bl_status limit_reached(const bl_sandbox *box, bl_err *err, double amount,
                               const char *unit) {
    char place[BL_PATH + 32];
    if (box->source == NULL)
        (void)snprintf(place, sizeof place, "%s", box->folder);
    else
        (void)snprintf(place, sizeof place, "%s:%d", box->source + 1, box->line);
    BL_FAIL(err, BL_EINVAL, "%s: the script takes more than %g %s", place, amount, unit);
}

/* ---- running ----------------------------------------------------------------------------------
 */

static bl_status guarded(bl_sandbox *box, lua_CFunction body, void *arg, bl_err *err) {
    const int left = sigsetjmp(box->escape, 1);
    if (left == 0)
        bl_sandbox_leave(box); /* from here on there is a place to jump to */
    else
        box->busy = 1;
    if (left == ESCAPE_CPU) return limit_reached(box, err, box->cpu_limit, "s of processor time");
    if (left == ESCAPE_INSTRUCTIONS)
        return limit_reached(box, err, (double)box->instructions_limit, "instructions");
    if (left == ESCAPE_STATUS) return box->status;
    int outcome = LUA_ERRMEM;
    if (left == 0) {
        lua_State *L = lua_newstate(allocate, box);
        box->lua = L;
        if (L != NULL) {
            *(bl_sandbox **)lua_getextraspace(L) = box;
            (void)lua_atpanic(L, on_panic);
            lua_sethook(L, on_hook, LUA_MASKLINE | LUA_MASKCOUNT, HOOK_EVERY);
            lua_pushcfunction(L, on_error);
            lua_pushcfunction(L, body);
            lua_pushlightuserdata(L, arg);
            outcome = lua_pcall(L, 1, 0, 1);
        }
        box->busy = 1; /* a signal from here on is only noted */
    }
    if (outcome == LUA_OK) return BL_OK;
    if (outcome == LUA_ERRMEM)
        return limit_reached(box, err, (double)box->bytes_limit / 1048576.0, "MiB of memory");
    if (err != NULL && err->code == BL_OK) BL_FAIL(err, BL_EINVAL, "error in an error handler");
    return BL_EINVAL;
}

bl_status bl_sandbox_run(bl_sandbox *box, const bl_sandbox_limits *limits, lua_CFunction body,
                         void *arg, bl_err *err) {
    bl_err own;
    box->err = err != NULL ? err : &own;
    *box->err = (bl_err){0};
    box->bytes_limit = limits->bytes;
    box->instructions = box->instructions_limit = limits->instructions;
    box->cpu_limit = limits->cpu_seconds;
    sigset_t mask;
    bl_sandbox_enter(box);
    box->heap = bl_heap_open(limits->bytes - limits->bytes / RESERVE);
    if (box->heap == NULL) BL_FAIL(err, BL_ENOMEM, "no memory for a sweep script");
    bl_status status = start_timer(box, &mask, err);
    if (status != BL_OK) {
        bl_heap_close(box->heap);
        return status;
    }
    status = guarded(box, body, arg, box->err);
    (void)timer_delete(box->timer);
    (void)pthread_sigmask(SIG_SETMASK, &mask, NULL);
    bl_heap_close(box->heap);
    bl_buf_free(&box->text);
    return status;
}
