/* The process of a script, from `exp` to its last message. A script is given `exp`, a
 * userdata with a metatable that cannot be had or replaced:
 *
 *     exp.name, exp.epoch_rows        experiment_index: a field is looked up when it is read
 *     exp.config["train.seed"]        config_index: of any key of the schema, by its path
 *     exp:run{...}                    a closure around (the script, the method's function)
 *
 * Each C function finds the bl_script among its upvalues, as the first (bl_script_of). There is no
 * global state, and nothing that a script could reach and change.
 *
 * What only the planner can do goes over the wire (wire.h): a message is begun, filled and told, or
 * asked where an answer has to come. The process ends without a word when the planner is gone. */
#include "engine/lua/script.h"
#include "engine/base/mem.h"
#include "engine/base/nearest.h"
#include "engine/config/doc.h"
#include "engine/config/key.h"
#include "engine/config/open_values.h"
#include "engine/config/renamed.h"
#include "engine/config/schema.h"
#include "engine/config/value.h"
#include "engine/train/train.h"
#include <float.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static const char experiment_type[] = "experiment";

bl_script *bl_script_of(lua_State *L) {
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* ---- the planner ---- */

bl_buf *bl_script_begin(bl_script *s) {
    bl_buf_clear(&s->message);
    return &s->message;
}

/* A planner that is gone was stopped: so is its script. */
void bl_script_tell(bl_script *s, bl_wire_kind kind) {
    if (!bl_wire_add(&s->wire, kind, &s->message)) _exit(0);
}

/* The reader points into s->answer, which the next question overwrites. REFUSED becomes a Lua
 * error here, so that callers see answers only. */
bl_wire_reader bl_script_ask(lua_State *L, bl_script *s, bl_wire_kind kind) {
    bl_sandbox_check_metatables(L);
    bl_script_tell(s, kind);
    if (!bl_wire_send(&s->wire)) _exit(0);
    size_t length;
    bl_wire_kind answer;
    if (!bl_wire_receive_head(&s->wire, &answer, &length)) _exit(0);
    s->answer = bl_sandbox_resize(&s->box, s->answer, s->answer_size, length);
    s->answer_size = length;
    if (!bl_wire_receive(&s->wire, s->answer, length)) _exit(0);
    bl_wire_reader in = {s->answer, s->answer + length, false};
    if (answer == BL_WIRE_REFUSED) luaL_error(L, "%s", bl_wire_get_text(&in, NULL));
    return in;
}

/* Takes `bytes` off what is left of a limit, or raises an error of the script. */
void bl_script_count_bytes(lua_State *L, size_t *left, size_t bytes, const char *what) {
    if (bytes > *left) luaL_error(L, "the %s of the plan take more bytes than a sweep's may", what);
    *left -= bytes;
}

/* ---- settings ---- */

/* Never returns: the error names the nearest path or last part of one. */
static int no_setting(lua_State *L, const char *name, const char *where) {
    const char *known[2 * BL_KEYS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < bl_schema_count; i++) {
        known[n++] = bl_schema[i].path;
        known[n++] = bl_key_leaf(&bl_schema[i]);
    }
    char hint[BL_NEAREST_HINT];
    return luaL_error(L, "%sunknown setting '%s'%s", where, name,
                      bl_nearest_hint(hint, ", ", bl_nearest(name, known, n)));
}

/* The path of the key that `name` means: a path, the last part of one, or an old name of it. */
static const char *setting_path(lua_State *L, const char *name, const char *where) {
    const bl_key *key = bl_key_find(name, strlen(name));
    const char *found = key != NULL ? key->path : NULL;
    for (size_t i = 0; key == NULL && i < bl_schema_count; i++) {
        const char *leaf = bl_key_leaf(&bl_schema[i]);
        if (leaf[0] != name[0] || strcmp(leaf, name) != 0) continue;
        if (found != NULL)
            luaL_error(L, "%s'%s' may be %s or %s: write which", where, name, found,
                       bl_schema[i].path);
        found = bl_schema[i].path;
    }
    const bl_key *renamed = found == NULL ? bl_renamed_key(name, strlen(name), NULL) : NULL;
    if (renamed != NULL) found = renamed->path;
    if (found == NULL) no_setting(L, name, where);
    return found;
}

/* The trials of a round set the same few keys again and again: the last names are remembered. */
const char *bl_script_setting(lua_State *L, bl_script *s, const char *name, const char *where) {
    for (size_t i = 0; i < BL_SCRIPT_NAMES; i++)
        if (s->named[i].path != NULL && strcmp(s->named[i].name, name) == 0)
            return s->named[i].path;
    const char *path = setting_path(L, name, where);
    bl_script_name *slot = &s->named[s->next_name % BL_SCRIPT_NAMES];
    if (strlen(name) >= sizeof slot->name) return path;
    s->next_name++;
    memcpy(slot->name, name, strlen(name) + 1);
    slot->path = path;
    return path;
}

/* { { 64, 512 }, ... } */
static void push_pairs(lua_State *L, const bl_i64_pairs *pairs) {
    lua_createtable(L, (int)pairs->n, 0);
    for (size_t i = 0; i < pairs->n; i++) {
        lua_createtable(L, 2, 0);
        for (size_t j = 0; j < 2; j++) {
            lua_pushinteger(L, pairs->v[i][j]);
            lua_rawseti(L, -2, (lua_Integer)j + 1);
        }
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* Pushes a setting's value: lists become tables, an absent value nil, a list of layers its text. */
static void push_value(lua_State *L, const bl_config_value *v) {
    const size_t n = v->type == BL_VALUE_I64S   ? v->i64s->n
                     : v->type == BL_VALUE_F64S ? v->f64s->n
                                                : 0;
    bl_buf text = {0};
    if (v->absent) {
        lua_pushnil(L);
        return;
    }
    switch (v->type) {
    case BL_VALUE_BOOL:
        lua_pushboolean(L, v->boolean);
        return;
    case BL_VALUE_I64:
        lua_pushinteger(L, v->i64);
        return;
    case BL_VALUE_F64:
        lua_pushnumber(L, v->f64);
        return;
    case BL_VALUE_LAYERS: /* as a trial may set it */
        bl_key_write(v, BL_FORM_LIBCONFIG, &text);
        (void)lua_pushstring(L, bl_buf_text(&text));
        bl_buf_free(&text);
        return;
    case BL_VALUE_TEXTS:
    case BL_VALUE_OPEN:
    case BL_VALUE_STR:
        (void)lua_pushstring(L, v->str);
        return;
    case BL_VALUE_PAIRS:
        push_pairs(L, v->pairs);
        return;
    case BL_VALUE_I64S:
    case BL_VALUE_F64S:
        break;
    }
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        if (v->type == BL_VALUE_I64S)
            lua_pushinteger(L, v->i64s->v[i]);
        else
            lua_pushnumber(L, v->f64s->v[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* exp.config["sweep.batch_sizes"] */
static int config_index(lua_State *L) {
    bl_script *s = bl_script_of(L);
    const char *path = bl_script_setting(L, s, luaL_checkstring(L, 2), "");
    const bl_config_value value = bl_value_of(bl_key_find(path, strlen(path)), s->config);
    push_value(L, &value);
    return 1;
}

/* exp:limits("momentum"): the least and the greatest value a setting may have, and its path. What
 * external.settings may be is the program's to say. */
static int call_limits(lua_State *L) {
    char open[BL_OPEN_PATH];
    if (bl_config_setting_find(bl_script_of(L)->config, luaL_checkstring(L, 2), open)) {
        lua_pushnumber(L, -DBL_MAX);
        lua_pushnumber(L, DBL_MAX);
        (void)lua_pushstring(L, open);
        return 3;
    }
    const char *path = bl_script_setting(L, bl_script_of(L), luaL_checkstring(L, 2), "");
    const bl_key *key = bl_key_find(path, strlen(path));
    BL_ASSERT(key != NULL);
    if (key->type == BL_VALUE_BOOL || key->type == BL_VALUE_STR || key->type == BL_VALUE_LAYERS ||
        key->type == BL_VALUE_TEXTS || key->type == BL_VALUE_OPEN)
        return luaL_error(L, "'%s' is not a number", path);
    lua_pushnumber(L, key->min);
    lua_pushnumber(L, key->max);
    (void)lua_pushstring(L, path);
    return 3;
}

/* ---- the evaluation grid ---- */

/* Imported runs were evaluated anywhere. */
int64_t bl_script_grid_floor(const bl_config *config, int64_t epoch_rows, int64_t steps) {
    if (bl_config_is_imported(config)) return steps;
    int64_t at = bl_train_next_eval(config, epoch_rows, 0, INT64_MAX);
    for (;;) {
        const int64_t next = bl_train_next_eval(config, epoch_rows, at, INT64_MAX);
        if (next > steps) return at;
        at = next;
    }
}

/* The first evaluation at or after `steps`; the floor is the last one not after it, or the first
 * of all where none is so early. */
int64_t bl_script_grid_ceil(const bl_config *config, int64_t epoch_rows, int64_t steps) {
    if (bl_config_is_imported(config)) return steps;
    int64_t at = bl_train_next_eval(config, epoch_rows, 0, INT64_MAX);
    while (at < steps) at = bl_train_next_eval(config, epoch_rows, at, INT64_MAX);
    return at;
}

/* A whole number on Lua's stack, of at most 2^53. Beyond that doubles have no ones. */
int64_t bl_script_steps(lua_State *L, int index, const char *what) {
    const double steps = lua_tonumber(L, index);
    if (lua_type(L, index) != LUA_TNUMBER || !(steps >= 1) || steps != floor(steps))
        luaL_error(L, "%s has to be a whole number of steps, at least 1", what);
    return steps < 0x1p53 ? (int64_t)steps : (int64_t)1 << 53;
}

static int call_grid_floor(lua_State *L) {
    const bl_script *s = bl_script_of(L);
    const int64_t steps = bl_script_steps(L, 2, "the argument of grid_floor");
    lua_pushinteger(L, bl_script_grid_floor(s->config, s->facts->epoch_rows, steps));
    return 1;
}

static int call_grid_ceil(lua_State *L) {
    const bl_script *s = bl_script_of(L);
    const int64_t steps = bl_script_steps(L, 2, "the argument of grid_ceil");
    lua_pushinteger(L, bl_script_grid_ceil(s->config, s->facts->epoch_rows, steps));
    return 1;
}

/* ---- exp ---- */

static const luaL_Reg methods[] = {
    {"run",        bl_script_call_run   },
    {"decide",     bl_script_call_decide},
    {"note",       bl_script_call_note  },
    {"grid_floor", call_grid_floor      },
    {"grid_ceil",  call_grid_ceil       },
    {"limits",     call_limits          },
    {"step_times", bl_script_call_times },
    {NULL,         NULL                 },
};

/* Upvalues: the planner, the methods, the configuration's view. */
static int experiment_index(lua_State *L) {
    static const char *const fields[] = {
        "name",   "preset", "title",      "synthetic", "config", "epoch_rows", "run",
        "decide", "note",   "grid_floor", "grid_ceil", "limits", "step_times"};
    const bl_script *s = bl_script_of(L);
    const char *name = luaL_checkstring(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(2)) != LUA_TNIL) return 1;
    if (strcmp(name, "name") == 0)
        (void)lua_pushstring(L, s->config->name);
    else if (strcmp(name, "preset") == 0)
        (void)lua_pushstring(L, s->config->preset);
    else if (strcmp(name, "title") == 0)
        (void)lua_pushstring(L, s->config->title);
    else if (strcmp(name, "synthetic") == 0)
        lua_pushboolean(L, s->facts->synthetic);
    else if (strcmp(name, "epoch_rows") == 0)
        lua_pushinteger(L, s->facts->epoch_rows);
    else if (strcmp(name, "config") == 0)
        lua_pushvalue(L, lua_upvalueindex(3));
    else {
        char hint[BL_NEAREST_HINT];
        return luaL_error(L, "the experiment has no '%s'%s", name,
                          bl_nearest_hint(hint, ", ", bl_nearest(name, fields, BL_COUNT(fields))));
    }
    return 1;
}

static int refuse_write(lua_State *L) {
    return luaL_error(L, "the experiment is read-only: '%s' cannot be set",
                      luaL_tolstring(L, 2, NULL));
}

/* Gives the userdata on top a metatable with this index function (its upvalues lie above the
 * userdata and are popped). */
static void protect(lua_State *L, const char *type, lua_CFunction index, int upvalues) {
    lua_pushcclosure(L, index, upvalues);
    (void)luaL_newmetatable(L, type);
    lua_insert(L, -2);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, refuse_write);
    lua_setfield(L, -2, "__newindex");
    (void)lua_pushliteral(L, "locked");
    lua_setfield(L, -2, "__metatable");
    (void)lua_setmetatable(L, -2);
}

/* Upvalues: the planner, the method. Methods are called with a colon and a known argument. */
static int checked_method(lua_State *L) {
    if (luaL_testudata(L, 1, experiment_type) == NULL)
        return luaL_error(L, "methods are called with a colon: exp:run{...}, exp:decide{...}");
    return lua_tocfunction(L, lua_upvalueindex(2))(L);
}

/* Pushes `exp`: a userdata whose fields are read by experiment_index and cannot be written. */
static void push_experiment(lua_State *L, bl_script *s) {
    (void)lua_newuserdatauv(L, 1, 0);
    lua_pushlightuserdata(L, s);
    lua_newtable(L);
    for (const luaL_Reg *m = methods; m->name != NULL; m++) {
        lua_pushlightuserdata(L, s);
        lua_pushcfunction(L, m->func);
        lua_pushcclosure(L, checked_method, 2);
        lua_setfield(L, -2, m->name);
    }
    (void)lua_newuserdatauv(L, 1, 0);
    lua_pushlightuserdata(L, s);
    protect(L, "configuration", config_index, 1);
    protect(L, experiment_type, experiment_index, 3);
}

/* ---- running ---- */

/* Reads the chunk of a module; "" is the script itself. */
static void load(bl_sandbox *box, lua_State *L, const char *module) {
    bl_script *s = (bl_script *)(void *)box;
    bl_wire_put_text(bl_script_begin(s), module);
    bl_wire_reader in = bl_script_ask(L, s, BL_WIRE_LOAD);
    size_t length;
    const char *path = bl_wire_get_text(&in, NULL), *text = bl_wire_get_text(&in, &length);
    bl_sandbox_load(L, path, text, length);
}

/* The body of the sandbox. */
static int run_script(lua_State *L) {
    bl_script *s = lua_touserdata(L, 1);
    bl_sandbox_open(L);
    load(&s->box, L, "");
    lua_call(L, 0, 1);
    if (lua_type(L, -1) != LUA_TFUNCTION)
        return luaL_error(L, "%s: a sweep returns a function: return function(exp) ... end",
                          s->box.script);
    push_experiment(L, s);
    lua_call(L, 1, 0);
    bl_sandbox_check_metatables(L);
    return 0;
}

/* The last message. What waits goes out first, since there may be no memory for both. */
static void stop(bl_sandbox *box) {
    bl_script *s = (bl_script *)(void *)box;
    bl_buf *m = bl_script_begin(s);
    bl_wire_put_i64(m, s->err.code);
    bl_wire_put_text(m, s->err.text);
    if (bl_wire_send(&s->wire) && bl_wire_add(&s->wire, BL_WIRE_END, m))
        (void)bl_wire_send(&s->wire);
    _exit(0);
}

/* Room for the last message, which must need no memory when it is sent. */
static void make_room(bl_buf *buf) {
    static const char room[BL_ERR_TEXT + 64];
    bl_buf_add(buf, room, sizeof room);
    bl_buf_clear(buf);
}

_Noreturn void bl_script_main(bl_script *s) {
    s->box.bytes_limit = s->limits->memory_bytes;
    s->box.instructions_limit = s->limits->instructions;
    s->box.seed = (uint64_t)s->config->train.seed;
    s->box.load = load;
    s->box.stop = stop;
    s->box.err = &s->err;
    s->trials_left = s->limits->max_trials;
    s->decisions_left = s->limits->max_decisions;
    s->decision_bytes_left = s->limits->decision_bytes;
    s->trial_bytes_left = s->limits->trial_bytes;
    make_room(&s->message);
    make_room(&s->wire.out);
    s->err.code = bl_sandbox_run(&s->box, run_script, s);
    stop(&s->box);
    _exit(1); /* not reached */
}
