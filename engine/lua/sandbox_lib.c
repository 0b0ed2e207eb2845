/* The part of Lua's library that scripts see. Left out: what reaches files, processes or bytecode.
 * Replaced: what differs from one start to the next (order of pairs, random numbers, addresses,
 * table.sort, which picks its pivots by the clock). */
#include "engine/base/mem.h"
#include "engine/base/philox.h"
#include "engine/lua/sandbox.h"
#include "engine/lua/sobol.h"
#include "engine/stats/seed_plan.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { MODULE_NAME = 64 };

/* ---- tables in one order ---- */

typedef struct key {
    const char *text; /* NULL: a number */
    size_t length;
    bool is_integer;
    lua_Integer integer;
    lua_Number number;
} key;

static int by_key(const void *left, const void *right) {
    const key *a = left, *b = right;
    if (a->text == NULL && b->text == NULL) {
        if (a->is_integer && b->is_integer)
            return (a->integer > b->integer) - (a->integer < b->integer);
        return (a->number > b->number) - (a->number < b->number);
    }
    if (a->text == NULL || b->text == NULL) return a->text == NULL ? -1 : 1;
    const int order = memcmp(a->text, b->text, bl_size_min(a->length, b->length));
    return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

static void sift(key *keys, size_t root, size_t count) {
    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && by_key(&keys[child], &keys[child + 1]) < 0) child++;
        if (by_key(&keys[root], &keys[child]) >= 0) return;
        const key moved = keys[root];
        keys[root] = keys[child];
        keys[child] = moved;
    }
}

/* Heapsort: qsort takes memory that no limit of the script counts. Lists come in order. */
static void sort_keys(key *keys, size_t count) {
    size_t i = 1;
    while (i < count && by_key(&keys[i - 1], &keys[i]) < 0) i++;
    if (i >= count) return;
    for (i = count / 2; i-- > 0;) sift(keys, i, count);
    for (i = count; i-- > 1;) {
        const key last = keys[i];
        keys[i] = keys[0];
        keys[0] = last;
        sift(keys, 0, i);
    }
}

const void *const bl_sandbox_fill = &bl_sandbox_fill;

/* Lets a table that is made on demand be made; of others nothing happens. */
static void fill(lua_State *L, int table) {
    if (lua_getmetatable(L, table) == 0) return;
    const bool has = lua_rawgetp(L, -1, bl_sandbox_fill) == LUA_TFUNCTION;
    if (has) {
        lua_pushvalue(L, table);
        lua_call(L, 1, 0);
    }
    lua_pop(L, has ? 1 : 2);
}

/* Leaves one value on the stack, a list of the keys in order. Lua's own order follows hashes
 * whose seed changes; pairs and next go through this list instead, so that a script has one
 * meaning everywhere. */
lua_Integer bl_sandbox_keys(lua_State *L, int table) {
    table = lua_absindex(L, table);
    luaL_checkstack(L, 6, "too many nested tables");
    fill(L, table);
    size_t count = 0, i = 0;
    for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING && lua_type(L, -2) != LUA_TNUMBER)
            luaL_error(L, "the order of keys of type %s is not defined: use numbers or strings",
                       luaL_typename(L, -2));
        count++;
    }
    key *keys = lua_newuserdatauv(L, count * sizeof *keys, 0);
    for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1), i++) {
        keys[i] = (key){0};
        if (lua_type(L, -2) == LUA_TSTRING) {
            keys[i].text = lua_tolstring(L, -2, &keys[i].length);
        } else {
            keys[i].is_integer = lua_isinteger(L, -2) != 0;
            keys[i].number = lua_tonumber(L, -2);
            if (keys[i].is_integer) keys[i].integer = lua_tointeger(L, -2);
        }
    }
    sort_keys(keys, count);
    lua_createtable(L, count < INT_MAX ? (int)count : INT_MAX, 0);
    for (i = 0; i < count; i++) {
        if (keys[i].text != NULL)
            (void)lua_pushlstring(L, keys[i].text, keys[i].length);
        else if (keys[i].is_integer)
            lua_pushinteger(L, keys[i].integer);
        else
            lua_pushnumber(L, keys[i].number);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_remove(L, -2);
    return (lua_Integer)count;
}

/* Upvalues: the table, its sorted keys, the position. Keys removed meanwhile are passed over. */
static int pairs_step(lua_State *L) {
    lua_Integer at = lua_tointeger(L, lua_upvalueindex(3));
    for (;;) {
        lua_settop(L, 0);
        if (lua_rawgeti(L, lua_upvalueindex(2), ++at) == LUA_TNIL) return 1;
        lua_pushvalue(L, -1);
        if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL) continue;
        lua_pushinteger(L, at);
        lua_replace(L, lua_upvalueindex(3));
        return 2;
    }
}

static int base_pairs(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_pushvalue(L, 1);
    (void)bl_sandbox_keys(L, 1);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, pairs_step, 3);
    return 1;
}

/* next(t, k): the keys are sorted anew at each call; pairs sorts them once. */
static int base_next(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    const lua_Integer n = bl_sandbox_keys(L, 1);
    lua_Integer at = 1;
    if (!lua_isnil(L, 2)) {
        for (; at <= n; at++) {
            (void)lua_rawgeti(L, 3, at);
            const bool found = lua_rawequal(L, -1, 2) != 0;
            lua_pop(L, 1);
            if (found) break;
        }
        if (at++ > n) return luaL_error(L, "invalid key to 'next'");
    }
    if (lua_rawgeti(L, 3, at) == LUA_TNIL) return 1;
    lua_pushvalue(L, -1);
    (void)lua_rawget(L, 1);
    return 2;
}

static bool less(lua_State *L, int comparison, int a, int b) {
    if (lua_isnil(L, comparison)) return lua_compare(L, a, b, LUA_OPLT) != 0;
    lua_pushvalue(L, comparison);
    lua_pushvalue(L, a);
    lua_pushvalue(L, b);
    lua_call(L, 2, 1);
    const bool answer = lua_toboolean(L, -1) != 0;
    lua_pop(L, 1);
    return answer;
}

/* Merges from[lo, mid) and from[mid, hi) into `to`; the left one goes first among equals. */
static void merge(lua_State *L, int from, int to, lua_Integer lo, lua_Integer mid, lua_Integer hi) {
    lua_Integer a = lo, b = mid;
    for (lua_Integer out = lo; out < hi; out++) {
        bool take_b = a >= mid;
        if (!take_b && b < hi) {
            (void)lua_rawgeti(L, from, a);
            (void)lua_rawgeti(L, from, b);
            take_b = less(L, 2, lua_absindex(L, -1), lua_absindex(L, -2));
            lua_pop(L, 2);
        }
        (void)lua_rawgeti(L, from, take_b ? b++ : a++);
        lua_rawseti(L, to, out);
    }
}

/* Stable merge sort, bottom up, between the table and a copy. Lua's own takes its pivots by the
 * clock. */
static int table_sort(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    if (!lua_isnoneornil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    lua_newtable(L);
    const lua_Integer n = (lua_Integer)lua_rawlen(L, 1);
    int from = 1, to = 3;
    for (lua_Integer width = 1; width < n; width *= 2) {
        for (lua_Integer lo = 1; lo <= n; lo += 2 * width) {
            const lua_Integer end = n + 1, mid = lo + width, hi = mid + width;
            merge(L, from, to, lo, mid < end ? mid : end, hi < end ? hi : end);
        }
        const int swap = from;
        from = to;
        to = swap;
    }
    for (lua_Integer i = 1; from != 1 && i <= n; i++) {
        (void)lua_rawgeti(L, from, i);
        lua_rawseti(L, 1, i);
    }
    return 0;
}

/* ---- no addresses ---- */

static bool has_address(lua_State *L, int index) {
    const int type = lua_type(L, index);
    return type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TUSERDATA ||
           type == LUA_TLIGHTUSERDATA || type == LUA_TTHREAD;
}

static void push_text(lua_State *L, int index) {
    if (has_address(L, index) && luaL_getmetafield(L, index, "__tostring") == LUA_TNIL)
        lua_pushstring(L, luaL_typename(L, index));
    else {
        if (has_address(L, index)) lua_pop(L, 1);
        (void)luaL_tolstring(L, index, NULL);
    }
}

static int base_tostring(lua_State *L) {
    luaL_checkany(L, 1);
    push_text(L, 1);
    return 1;
}

/* Upvalue: Lua's own string.format. */
static int string_format(lua_State *L) {
    for (const char *p = luaL_checkstring(L, 1); *p != '\0'; p++) {
        if (*p != '%') continue;
        p += 1 + strspn(p + 1, "-+ #0123456789.");
        if (*p == 'p') return luaL_error(L, "'%%p' is not for scripts: addresses change");
        if (*p == '\0') break;
    }
    for (int i = 2; i <= lua_gettop(L); i++) {
        if (!has_address(L, i)) continue;
        push_text(L, i);
        lua_replace(L, i);
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

/* Members of a metatable that would show when the collector ran, or that run at a moment of Lua's
 * own choice. */
static void check_metatable(lua_State *L, int metatable) {
    static const char *const refused[] = {"__gc", "__mode", "__close"};
    metatable = lua_absindex(L, metatable);
    for (size_t i = 0; i < BL_COUNT(refused); i++) {
        lua_pushstring(L, refused[i]);
        if (lua_rawget(L, metatable) != LUA_TNIL)
            luaL_error(
                L, "'%s' is not for scripts: a plan must not depend on when memory is collected",
                refused[i]);
        lua_pop(L, 1);
    }
}

/* Pushes the set of all tables that scripts use as metatables. Its keys are weak: a metatable that
 * is gone needs no check. */
static void push_metatables(lua_State *L) {
    if (luaL_getsubtable(L, LUA_REGISTRYINDEX, "bl.metatables") != 0) return;
    lua_createtable(L, 0, 1);
    (void)lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    (void)lua_setmetatable(L, -2);
}

void bl_sandbox_check_metatables(lua_State *L) {
    luaL_checkstack(L, 6, "no stack left");
    push_metatables(L);
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) check_metatable(L, -2);
    lua_pop(L, 1);
}

/* Upvalue: Lua's own setmetatable. */
static int base_setmetatable(lua_State *L) {
    if (lua_istable(L, 2)) {
        check_metatable(L, 2);
        push_metatables(L);
        lua_pushvalue(L, 2);
        lua_pushboolean(L, true);
        lua_rawset(L, -3);
        lua_pop(L, 1);
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

static int base_print(lua_State *L) {
    return luaL_error(L,
                      "a sweep script cannot print: exp:note(text) writes a line while the sweep "
                      "runs and keeps it in the plan");
}

/* ---- random numbers ---- */

/* As Lua's, but the n-th value is a function of the seed and n. */
static int math_random(lua_State *L) {
    bl_sandbox *box = bl_sandbox_of(L);
    const bl_u32x4 word = bl_random4(box->seed, BL_STREAM_SEARCH, 0, box->drawn++);
    const int arguments = lua_gettop(L);
    if (arguments == 0) {
        lua_pushnumber(L, bl_unit_f64(word.v[0], word.v[1]));
        return 1;
    }
    const lua_Integer low = arguments == 1 ? 1 : luaL_checkinteger(L, 1);
    const lua_Integer high = luaL_checkinteger(L, arguments == 1 ? 1 : 2);
    luaL_argcheck(L, arguments <= 2, 3, "at most two limits");
    luaL_argcheck(L, low <= high, arguments, "interval is empty");
    const uint64_t span = (uint64_t)high - (uint64_t)low; /* one less than the count */
    const uint64_t bits = ((uint64_t)word.v[0] << 32) | word.v[1];
    /* The high half of bits x count: spread evenly but for 2^-64 of it. */
    const uint64_t drawn = span == UINT64_MAX
                               ? bits
                               : (uint64_t)(((unsigned __int128)bits * (span + (uint64_t)1)) >> 64);
    lua_pushinteger(L, (lua_Integer)((uint64_t)low + drawn));
    return 1;
}

/* math.sobol(point, coordinate), both from 1: in (0, 1), a function of train.seed. */
static int math_sobol(lua_State *L) {
    const lua_Integer point = luaL_checkinteger(L, 1), coordinate = luaL_checkinteger(L, 2);
    luaL_argcheck(L, point >= 1 && point <= UINT32_MAX, 1, "points are numbered from 1");
    luaL_argcheck(L, coordinate >= 1 && coordinate <= BL_SOBOL_DIMENSIONS, 2,
                  "there are 16 coordinates");
    lua_pushnumber(
        L, bl_sobol_shifted(bl_sandbox_of(L)->seed, (uint32_t)point - 1, (uint32_t)coordinate - 1));
    return 1;
}

/* ---- statistics ---- */

enum { MOST_POINTS = 4096, SCALING_COST = 4000000 }; /* instructions, for the script's limit */

/* A member of the row on top of the stack. */
static double row_number(lua_State *L, const char *name) {
    lua_getfield(L, -1, name);
    const double value = lua_isnil(L, -1) ? 0 : luaL_checknumber(L, -1);
    lua_pop(L, 1);
    return value;
}

static bl_stats_point row_point(lua_State *L) {
    bl_stats_point p = {.batch_size = row_number(L, "batch_size"),
                        .steps = row_number(L, "steps"),
                        .steps_prev = row_number(L, "before")};
    lua_getfield(L, -1, "censored");
    p.censored = lua_toboolean(L, -1);
    lua_pop(L, 1);
    if (p.censored) p.steps_prev = 0;
    return p;
}

/* Gives the table on top the ends of an interval, where there is one. */
static void set_interval(lua_State *L, const bl_stats_value *v) {
    if (!bl_stats_has_interval(v)) return;
    lua_pushnumber(L, v->low);
    lua_setfield(L, -2, "low");
    lua_pushnumber(L, v->high);
    lua_setfield(L, -2, "high");
}

/*     { b_crit = 812, low = 640, high = 1030, fewest = 256,
 *       sizes = { { batch_size = 64, low = ..., high = ..., tied = false, share = 0.3 }, ... } }
 *
 * What is not known is absent, so that a script asks by `if plan.b_crit`. */
static void push_seed_plan(lua_State *L, const bl_stats_seed_plan *plan) {
    lua_newtable(L);
    if (plan->b_crit.known && bl_stats_has_interval(&plan->b_crit)) {
        lua_pushnumber(L, plan->b_crit.value);
        lua_setfield(L, -2, "b_crit");
        set_interval(L, &plan->b_crit);
    }
    if (plan->fewest < plan->count) {
        lua_pushnumber(L, plan->size[plan->fewest].batch_size);
        lua_setfield(L, -2, "fewest");
    }
    lua_createtable(L, (int)plan->count, 0);
    for (size_t i = 0; i < plan->count; i++) {
        lua_createtable(L, 0, 5);
        lua_pushnumber(L, plan->size[i].batch_size);
        lua_setfield(L, -2, "batch_size");
        set_interval(L, &plan->size[i].steps);
        lua_pushboolean(L, plan->size[i].tied);
        lua_setfield(L, -2, "tied");
        lua_pushnumber(L, plan->size[i].share);
        lua_setfield(L, -2, "share");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "sizes");
}

/* math.scaling{ { batch_size =, steps =, before =, censored = }, ... }: how well the critical batch
 * size is known and where further seeds help (engine/stats/seed_plan.h). */
static int math_scaling(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    bl_sandbox *box = bl_sandbox_of(L);
    const lua_Unsigned n = lua_rawlen(L, 1);
    luaL_argcheck(L, n <= MOST_POINTS, 1, "more than 4,096 runs");
    bl_stats_point *points = lua_newuserdatauv(L, (n + 1) * sizeof *points, 0);
    bl_stats_seed_plan *plan = lua_newuserdatauv(L, sizeof *plan, 0);
    for (lua_Unsigned i = 0; i < n; i++) {
        lua_rawgeti(L, 1, (lua_Integer)i + 1);
        luaL_argcheck(L, lua_istable(L, -1), 1, "a list of tables, one for each run");
        points[i] = row_point(L);
        lua_pop(L, 1);
    }
    box->instructions += SCALING_COST;
    bl_err err = {0};
    if (bl_stats_plan_seeds(plan, points, (size_t)n, &err) != BL_OK)
        return luaL_error(L, "math.scaling: %s", err.text);
    push_seed_plan(L, plan);
    return 1;
}

/* ---- chunks ---- */

static size_t byte_order_mark(const char *text, size_t length) {
    return length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

/* Text only ("t"): bytecode could do what no text can. */
void bl_sandbox_load(lua_State *L, const char *path, const char *text, size_t length) {
    const size_t mark = byte_order_mark(text, length);
    text += mark;
    length -= mark;
    (void)lua_pushfstring(L, "@%s", path);
    int outcome = luaL_loadbufferx(L, text, length, lua_tostring(L, -1), "t");
    if (outcome == LUA_ERRSYNTAX) {
        /* Lua shortens long names in messages. Under a known short one it can be put back. */
        lua_pop(L, 1);
        outcome = luaL_loadbufferx(L, text, length, "=?", "t");
        const char *message = lua_tostring(L, -1);
        if (outcome == LUA_ERRSYNTAX && message[0] == '?')
            (void)lua_pushfstring(L, "%s%s", path, message + 1);
    } else if (outcome == LUA_ERRRUN) { /* nested too deep for the parser: it names no place */
        (void)lua_pushfstring(L, "%s: %s", path, lua_tostring(L, -1));
    }
    if (outcome != LUA_OK) (void)lua_error(L);
    (void)luaL_getsubtable(L, LUA_REGISTRYINDEX, "bl.chunks");
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 1);
    lua_remove(L, -2);
}

/* A module that failed may be required again: its place is emptied. Called with { module's name }
 * when base_require ends, by an error, too. */
static int forget_loading(lua_State *L) {
    (void)luaL_getsubtable(L, LUA_REGISTRYINDEX, "bl.modules");
    (void)lua_rawgeti(L, 1, 1);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, -3) == LUA_TLIGHTUSERDATA) {
        lua_pop(L, 1);
        lua_pushnil(L);
        lua_rawset(L, -3);
    }
    return 0;
}

/* Pushes what calls forget_loading at the end of the present function. No protected call does it,
 * since messages then lack the line of the module. */
static void push_guard(lua_State *L, const char *name) {
    lua_createtable(L, 1, 0);
    (void)lua_pushstring(L, name);
    lua_rawseti(L, -2, 1);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, forget_loading);
    lua_setfield(L, -2, "__close");
    (void)lua_setmetatable(L, -2);
    lua_toclose(L, -1);
}

/* A module is loaded once and is what its chunk returns. While it is being loaded, its place holds
 * a light userdata: a module that requires itself is told so. */
static int base_require(lua_State *L) {
    const char *name = luaL_checkstring(L, 1);
    if (strlen(name) >= MODULE_NAME || name[0] == '\0' ||
        name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] != '\0')
        return luaL_error(L, "module names are made of a-z, 0-9 and _");
    lua_settop(L, 1);
    (void)luaL_getsubtable(L, LUA_REGISTRYINDEX, "bl.modules");
    const int known = lua_getfield(L, 2, name);
    if (known == LUA_TLIGHTUSERDATA)
        return luaL_error(L, "module '%s' is required while it is being loaded", name);
    if (known != LUA_TNIL) return 1;
    push_guard(L, name);
    bl_sandbox_of(L)->load(bl_sandbox_of(L), L, name);
    lua_pushlightuserdata(L, L);
    lua_setfield(L, 2, name);
    lua_call(L, 0, 1);
    if (lua_isnil(L, -1)) return luaL_error(L, "module '%s' returns nothing", name);
    lua_pushvalue(L, -1);
    lua_setfield(L, 2, name);
    return 1;
}

/* ---- opening ---- */

static void remove_names(lua_State *L, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        lua_pushnil(L);
        lua_setfield(L, -2, names[i]);
    }
}

/* The function of the library on top becomes an upvalue of the one in its place. */
static void wrap(lua_State *L, const char *name, lua_CFunction function) {
    (void)lua_getfield(L, -1, name);
    lua_pushcclosure(L, function, 1);
    lua_setfield(L, -2, name);
}

/* The libraries of a script: base, string, math and table, without what reads files, makes code
 * or depends on the machine. io, os, debug, package, coroutine and utf8 are never opened. */
void bl_sandbox_open(lua_State *L) {
    static const char *const base[] = {"load",   "loadfile",       "loadstring",
                                       "dofile", "collectgarbage", "warn"};
    static const luaL_Reg replaced[] = {
        {"pairs",    base_pairs   },
        {"next",     base_next    },
        {"tostring", base_tostring},
        {"require",  base_require },
        {"print",    base_print   },
        {NULL,       NULL         }
    };
    static const char *const string[] = {"dump"}, *const math[] = {"randomseed"};
    luaL_requiref(L, LUA_GNAME, luaopen_base, 1);
    remove_names(L, base, BL_COUNT(base));
    luaL_setfuncs(L, replaced, 0);
    wrap(L, "setmetatable", base_setmetatable);
    luaL_requiref(L, LUA_STRLIBNAME, luaopen_string, 1);
    remove_names(L, string, BL_COUNT(string));
    wrap(L, "format", string_format);
    luaL_requiref(L, LUA_MATHLIBNAME, luaopen_math, 1);
    remove_names(L, math, BL_COUNT(math));
    lua_pushcfunction(L, math_random);
    lua_setfield(L, -2, "random");
    lua_pushcfunction(L, math_sobol);
    lua_setfield(L, -2, "sobol");
    lua_pushcfunction(L, math_scaling);
    lua_setfield(L, -2, "scaling");
    luaL_requiref(L, LUA_TABLIBNAME, luaopen_table, 1);
    lua_pushcfunction(L, table_sort);
    lua_setfield(L, -2, "sort");
    lua_pop(L, 4);
}
