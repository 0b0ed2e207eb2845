/* exp:decide{...}: a Lua table becomes a decision of the plan. It is first a JSON object, members
 * in sorted order, and then read as the plan reads its own lines: what the file cannot hold is an
 * error of the script (engine/plan/records.c names the fields of each kind). */
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/base/text.h"
#include "engine/lua/script.h"
#include "engine/plan/plan.h"
#include <math.h>
#include <string.h>

enum { MAX_DEPTH = 8 };

/* Asked before `more` bytes are written: a text may be larger than any decision. */
static void check_size(lua_State *L, const bl_script *s, size_t more) {
    if (s->json.len + more > s->limits->one_decision_bytes)
        luaL_error(L, "a decision is larger than %d bytes", (int)s->limits->one_decision_bytes);
}

/* The text on top. */
static const char *checked_text(lua_State *L, const bl_script *s, const char *name) {
    const char *text = lua_tostring(L, -1);
    if (strlen(text) != lua_rawlen(L, -1)) luaL_error(L, "'%s' contains a zero byte", name);
    check_size(L, s, strlen(text));
    return text;
}

static void add_table(lua_State *L, bl_script *s, bl_jw *w, const char *key, const char *name,
                      int depth);

/* The value on top. `key` is NULL for an element of an array, whose name is the array's. */
static void add_value(lua_State *L, bl_script *s, bl_jw *w, const char *key, const char *name,
                      int depth) {
    check_size(L, s, 0);
    switch (lua_type(L, -1)) {
    case LUA_TNUMBER:
        if (!isfinite(lua_tonumber(L, -1))) luaL_error(L, "'%s' is not a finite number", name);
        if (lua_isinteger(L, -1))
            bl_jw_i64(w, key, lua_tointeger(L, -1));
        else
            bl_jw_f64(w, key, lua_tonumber(L, -1));
        return;
    case LUA_TBOOLEAN:
        bl_jw_bool(w, key, lua_toboolean(L, -1) != 0);
        return;
    case LUA_TSTRING:
        bl_jw_str(w, key, checked_text(L, s, name));
        return;
    case LUA_TTABLE:
        add_table(L, s, w, key, name, depth);
        return;
    default:
        luaL_error(L, "'%s' cannot be a %s", name, luaL_typename(L, -1));
    }
}

/* A table with a first element is an array, and so is an empty one; any other is an object, and so
 * is the decision itself. */
static void add_table(lua_State *L, bl_script *s, bl_jw *w, const char *key, const char *name,
                      int depth) {
    if (depth > MAX_DEPTH) luaL_error(L, "'%s' is nested too deeply", name);
    const int table = lua_gettop(L);
    const lua_Integer n = bl_sandbox_keys(L, table);
    const bool array = depth > 0 && n == (lua_Integer)lua_rawlen(L, table);
    if (array)
        bl_jw_array(w, key);
    else
        bl_jw_object(w, key);
    for (lua_Integer i = 1; i <= n; i++) {
        const bool named = lua_rawgeti(L, table + 1, i) == LUA_TSTRING;
        if (named == array) luaL_error(L, "'%s' mixes numbered and named members", name);
        const char *member = array ? NULL : checked_text(L, s, name);
        lua_pushvalue(L, -1);
        (void)lua_rawget(L, table);
        add_value(L, s, w, member, array ? name : member, depth + 1);
        lua_pop(L, 2);
    }
    bl_jw_end(w);
    lua_settop(L, table);
}

static const char *text_field(lua_State *L, const char *name) {
    (void)lua_pushstring(L, name);
    if (lua_rawget(L, 2) != LUA_TSTRING || lua_rawlen(L, -1) == 0)
        luaL_error(L, "a decision needs '%s', a text", name);
    const char *text = lua_tostring(L, -1);
    lua_pop(L, 1); /* the table keeps it */
    if (!bl_text_is_plain(text))
        luaL_error(L, "'%s' has to be one line without control characters", name);
    return text;
}

/* What is wrong with the decision in hand, BL_OK: nothing. */
static bl_status check_decision(const bl_script *s, bl_err *wrong) {
    bl_json_doc doc = {0};
    bl_chunks memory = {0};
    bl_plan_decision decision;
    bl_status status = BL_OK;
    BL_GOTO(bl_json_parse(&doc, s->json.data, s->json.len, "decision", 1, wrong));
    if (bl_json_get(doc.root, "round") != NULL || bl_json_get(doc.root, "record") != NULL)
        BL_GOTO(
            BL_ERR(wrong, BL_EFORMAT, "a decision has no 'round' or 'record': the plan adds them"));
    status = bl_plan_decision_parse(&decision, doc.root, &memory, wrong);
done:
    bl_chunks_free(&memory);
    bl_json_free(&doc);
    return status;
}

/* exp:decide{kind = ..., text = ..., ...}: the table as JSON, checked here against the plan's
 * own reader, so that the error has the script's line. The planner writes it. */
int bl_script_call_decide(lua_State *L) {
    bl_script *s = bl_script_of(L);
    if (!lua_istable(L, 2)) return luaL_error(L, "exp:decide takes a table: exp:decide{kind=...}");
    lua_settop(L, 2);
    (void)text_field(L, "text");
    (void)text_field(L, "kind");
    if (s->decisions_left-- == 0) {
        s->decisions_left = 0;
        return luaL_error(L, "the plan has more decisions than a sweep may have (%d)",
                          (int)s->limits->max_decisions);
    }
    bl_buf_clear(&s->json);
    bl_jw w = bl_jw_open(&s->json);
    lua_pushvalue(L, 2);
    add_table(L, s, &w, NULL, "decision", 0);
    bl_script_count_bytes(L, &s->decision_bytes_left, s->json.len, "decisions");
    bl_err wrong = {0};
    if (check_decision(s, &wrong) != BL_OK) return luaL_error(L, "%s", wrong.text);
    bl_buf *m = bl_script_begin(s);
    bl_wire_put_bytes(m, s->json.data, s->json.len);
    (void)bl_script_ask(L, s, BL_WIRE_DECIDE);
    return 0;
}

int bl_script_call_note(lua_State *L) {
    if (lua_type(L, 2) != LUA_TSTRING) return luaL_error(L, "exp:note takes a text");
    lua_settop(L, 2);
    lua_newtable(L);
    lua_insert(L, 2);
    lua_setfield(L, 2, "text");
    (void)lua_pushliteral(L, "note");
    lua_setfield(L, 2, "kind");
    return bl_script_call_decide(L);
}
