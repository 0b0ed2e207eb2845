/* exp:decide{...}: a Lua table becomes the members of a JSON object, in sorted order. */
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/lua/planner.h"
#include <math.h>
#include <string.h>

enum { MAX_DEPTH = 8 };

static void add_text(bl_planner *p, const char *text) {
    bl_sandbox_enter(&p->box);
    bl_buf_str(&p->json, text);
    bl_sandbox_leave(&p->box);
}

static void add_string(bl_planner *p, const char *text) {
    bl_sandbox_enter(&p->box);
    bl_json_string(&p->json, text);
    bl_sandbox_leave(&p->box);
}

static void add_number(lua_State *L, bl_planner *p, const char *name) {
    const double value = lua_tonumber(L, -1);
    if (!isfinite(value)) luaL_error(L, "'%s' is not a finite number", name);
    bl_sandbox_enter(&p->box);
    if (lua_isinteger(L, -1))
        bl_json_i64(&p->json, lua_tointeger(L, -1));
    else
        bl_json_f64(&p->json, value);
    bl_sandbox_leave(&p->box);
}

static void add_table(lua_State *L, bl_planner *p, const char *name, int depth, bool braces);

/* The value on top. */
static void add_value(lua_State *L, bl_planner *p, const char *name, int depth) {
    switch (lua_type(L, -1)) {
    case LUA_TNUMBER:
        add_number(L, p, name);
        return;
    case LUA_TBOOLEAN:
        add_text(p, lua_toboolean(L, -1) ? "true" : "false");
        return;
    case LUA_TSTRING:
        if (strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1))
            luaL_error(L, "'%s' contains a zero byte", name);
        add_string(p, lua_tostring(L, -1));
        return;
    case LUA_TTABLE:
        add_table(L, p, name, depth, true);
        return;
    default:
        luaL_error(L, "'%s' cannot be a %s", name, luaL_typename(L, -1));
    }
}

/* A table with a first element is an array, and an empty one too; any other an object. */
static void add_table(lua_State *L, bl_planner *p, const char *name, int depth, bool braces) {
    if (depth > MAX_DEPTH) luaL_error(L, "'%s' is nested too deeply", name);
    const int table = lua_gettop(L);
    const lua_Integer n = bl_sandbox_keys(L, table);
    const bool array = braces && n == (lua_Integer)lua_rawlen(L, table);
    if (braces) add_text(p, array ? "[" : "{");
    for (lua_Integer i = 1; i <= n; i++) {
        const bool named = lua_rawgeti(L, table + 1, i) == LUA_TSTRING;
        if (named == array) luaL_error(L, "'%s' mixes numbered and named members", name);
        if (i > 1) add_text(p, ",");
        const char *member = array ? name : lua_tostring(L, -1);
        if (!array) {
            add_string(p, member);
            add_text(p, ":");
        }
        lua_pushvalue(L, -1);
        (void)lua_rawget(L, table);
        add_value(L, p, member, depth + 1);
        lua_pop(L, 2);
    }
    if (braces) add_text(p, array ? "]" : "}");
    lua_settop(L, table);
}

static const char *text_field(lua_State *L, const char *name) {
    (void)lua_pushstring(L, name);
    if (lua_rawget(L, 2) != LUA_TSTRING || lua_rawlen(L, -1) == 0)
        luaL_error(L, "a decision needs '%s', a text", name);
    const char *text = lua_tostring(L, -1);
    lua_pop(L, 1); /* the table keeps it */
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ') luaL_error(L, "'%s' has to be one line", name);
    return text;
}

int bl_planner_call_decide(lua_State *L) {
    bl_planner *p = bl_planner_of(L);
    if (!lua_istable(L, 2)) return luaL_error(L, "exp:decide takes a table: exp:decide{kind=...}");
    lua_settop(L, 2);
    const char *text = text_field(L, "text");
    const char *kind = text_field(L, "kind");
    if (kind[strspn(kind, "abcdefghijklmnopqrstuvwxyz_")] != '\0')
        return luaL_error(L, "'kind' is made of a-z and _");
    bl_buf_clear(&p->json);
    lua_pushvalue(L, 2);
    add_table(L, p, "decision", 0, false);
    bl_sandbox_pause(&p->box);
    const bl_status status = p->host->decide(p->host->ctx, bl_buf_text(&p->json), text, p->box.err);
    if (status != BL_OK) bl_sandbox_abandon(&p->box, status);
    bl_sandbox_resume(&p->box);
    return 0;
}

int bl_planner_call_note(lua_State *L) {
    if (lua_type(L, 2) != LUA_TSTRING) return luaL_error(L, "exp:note takes a text");
    lua_settop(L, 2);
    lua_newtable(L);
    lua_insert(L, 2);
    lua_setfield(L, 2, "text");
    (void)lua_pushliteral(L, "note");
    lua_setfield(L, 2, "kind");
    return bl_planner_call_decide(L);
}
