/* exp:run{...}: a Lua table is checked and sent as a round; its results become a Lua table. */
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/base/nearest.h"
#include "engine/base/text.h"
#include "engine/config/doc.h"
#include "engine/config/layers.h"
#include "engine/lua/script.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { VALUE_TEXT = 2048 };

/* What a trial says beside settings. */
typedef struct trial_options {
    char where[32]; /* "trial 3: " */
    int64_t max_steps;
    double max_epochs;
    bool has_steps, has_epochs;
} trial_options;

/* ---- settings ---- */

/* The value on top as the text that bl_config_set reads; numbers keep every bit. */
static void number_text(lua_State *L, char out[VALUE_TEXT], const trial_options *o,
                        const char *name) {
    const double value = lua_tonumber(L, -1);
    if (!isfinite(value)) luaL_error(L, "%s'%s' is not a finite number", o->where, name);
    if (lua_isinteger(L, -1))
        (void)snprintf(out, VALUE_TEXT, "%lld", (long long)lua_tointeger(L, -1));
    else if (value == floor(value) && fabs(value) < 0x1p53)
        (void)snprintf(out, VALUE_TEXT, "%.0f", value);
    else
        bl_json_f64_text(out, value);
}

/* The value on top as the text that bl_config_set reads: a number, a truth value, a text or a list
 * of numbers. */
static void value_text(lua_State *L, char out[VALUE_TEXT], const trial_options *o,
                       const char *name) {
    switch (lua_type(L, -1)) {
    case LUA_TNUMBER:
        number_text(L, out, o, name);
        return;
    case LUA_TBOOLEAN:
        (void)snprintf(out, VALUE_TEXT, "%s", lua_toboolean(L, -1) ? "true" : "false");
        return;
    case LUA_TSTRING:
        if (lua_rawlen(L, -1) >= VALUE_TEXT || strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1))
            luaL_error(L, "%s'%s' is too long or not text", o->where, name);
        (void)snprintf(out, VALUE_TEXT, "%s", lua_tostring(L, -1));
        return;
    case LUA_TTABLE:
        break;
    default:
        luaL_error(L, "%s'%s' cannot be a %s", o->where, name, luaL_typename(L, -1));
    }
    size_t at = (size_t)snprintf(out, VALUE_TEXT, "[");
    const lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= n; i++) {
        char item[VALUE_TEXT];
        if (lua_rawgeti(L, -1, i) != LUA_TNUMBER)
            luaL_error(L, "%s'%s' has to be a list of numbers", o->where, name);
        number_text(L, item, o, name);
        lua_pop(L, 1);
        at += (size_t)snprintf(out + at, VALUE_TEXT - at, "%s%s", i > 1 ? ", " : "", item);
        if (at + 2 >= VALUE_TEXT) luaL_error(L, "%s'%s' is too long a list", o->where, name);
    }
    (void)snprintf(out + at, VALUE_TEXT - at, "]");
}

/* Sets the value on top, in the trial in hand and in the message. */
static void set(lua_State *L, bl_script *s, const trial_options *o, const char *name) {
    char text[VALUE_TEXT];
    const char *of_layer;
    const char *path =
        bl_config_layers_is_path(name, &of_layer) ? name : bl_script_setting(L, name, o->where);
    if (!bl_config_key_is_identity(path))
        luaL_error(L, "%s'%s' belongs to the experiment, a single run cannot set it", o->where,
                   path);
    value_text(L, text, o, name);
    bl_err fault = {0};
    if (bl_config_set(&s->trial.config, path, text, &fault) != BL_OK)
        luaL_error(L, "%s%s", o->where, fault.text);
    bl_wire_put_text(&s->settings, path);
    bl_wire_put_text(&s->settings, text);
}

/* ---- one trial ---- */

static double positive(lua_State *L, const char *where, const char *name) {
    const double value = lua_tonumber(L, -1);
    if (lua_type(L, -1) != LUA_TNUMBER || !isfinite(value) || value <= 0)
        luaL_error(L, "%s'%s' has to be a finite number above 0", where, name);
    return value;
}

static void copy_text(lua_State *L, char *out, size_t size, const char *where, const char *name) {
    if (lua_type(L, -1) != LUA_TSTRING) luaL_error(L, "%s'%s' has to be text", where, name);
    const char *text = lua_tostring(L, -1);
    if (!bl_text_is_plain(text))
        luaL_error(L, "%s'%s' has to be one line without control characters", where, name);
    if (strlen(text) >= size)
        luaL_error(L, "%s'%s' is longer than %d bytes", where, name, (int)size - 1);
    memcpy(out, text, strlen(text) + 1);
}

/* The value of field `name` is on top. */
static void trial_field(lua_State *L, bl_script *s, trial_options *o, const char *name) {
    if (strcmp(name, "max_steps") == 0) {
        char what[64];
        (void)snprintf(what, sizeof what, "%s'max_steps'", o->where);
        o->max_steps = bl_script_steps(L, -1, what);
        o->has_steps = true;
    } else if (strcmp(name, "max_epochs") == 0) {
        o->max_epochs = positive(L, o->where, name);
        o->has_epochs = true;
    } else if (strcmp(name, "target") == 0) {
        s->trial.target = lua_tonumber(L, -1);
        if (lua_type(L, -1) != LUA_TNUMBER || !isfinite(s->trial.target))
            luaL_error(L, "%s'target' has to be a finite number", o->where);
    } else if (strcmp(name, "reason") == 0) {
        copy_text(L, s->trial.reason, sizeof s->trial.reason, o->where, name);
    } else {
        set(L, s, o, name);
    }
}

/* The smallest of the budgets that are given; the configuration's epochs count only when the trial
 * gives none. Ends where an evaluation stands anyway, so that the log is a pure prefix. */
static void set_budget(lua_State *L, bl_script *s, const trial_options *o) {
    const bl_config *config = s->config;
    int64_t steps = INT64_MAX;
    if (config->sweep.max_steps > 0) steps = config->sweep.max_steps;
    if (o->has_steps && o->max_steps < steps) steps = o->max_steps;
    const double epochs = o->has_epochs   ? o->max_epochs
                          : !o->has_steps ? config->sweep.max_epochs
                                          : 0;
    if (epochs > 0) {
        const double most =
            ceil(epochs * (double)s->facts->epoch_rows / (double)s->trial.config.train.batch_size);
        if (most < (double)steps) steps = most < 1 ? 1 : (int64_t)most;
    }
    if (steps == INT64_MAX) luaL_error(L, "%sno budget: give max_steps or max_epochs", o->where);
    s->trial.max_steps = bl_script_grid_floor(&s->trial.config, s->facts->epoch_rows, steps);
}

static void check_trial(lua_State *L, const bl_script *s, const trial_options *o) {
    bl_err fault = {0};
    const int64_t size = s->trial.config.train.batch_size;
    if (bl_config_check(&s->trial.config, &fault) != BL_OK)
        luaL_error(L, "%s%s", o->where, fault.text);
    if (size > s->facts->epoch_rows)
        luaL_error(L, "%sbatch size %I is larger than the data set (%I training rows)", o->where,
                   (LUAI_UACINT)size, (LUAI_UACINT)s->facts->epoch_rows);
}

/* Reads the trial whose table is on top, checks it and sends it. */
static void send_trial(lua_State *L, bl_script *s, lua_Integer number) {
    trial_options o = {0};
    (void)snprintf(o.where, sizeof o.where, "trial %lld: ", (long long)number);
    if (!lua_istable(L, -1))
        luaL_error(L, "%sa trial is a table of settings, not a %s", o.where, luaL_typename(L, -1));
    s->trial = (bl_trial){.config = *s->config, .target = (double)NAN};
    bl_buf_clear(&s->settings);
    const int table = lua_gettop(L);
    const lua_Integer n = bl_sandbox_keys(L, table);
    for (lua_Integer i = 1; i <= n; i++) {
        if (lua_rawgeti(L, table + 1, i) != LUA_TSTRING)
            luaL_error(L, "%ssettings have names", o.where);
        const char *name = lua_tostring(L, -1);
        lua_pushvalue(L, -1);
        (void)lua_rawget(L, table);
        trial_field(L, s, &o, name);
        lua_pop(L, 2);
    }
    lua_settop(L, table);
    check_trial(L, s, &o);
    set_budget(L, s, &o);
    bl_buf *m = bl_script_begin(s);
    bl_wire_put_i64(m, s->trial.max_steps);
    bl_wire_put_f64(m, s->trial.target);
    bl_wire_put_text(m, s->trial.reason);
    bl_buf_add(m, s->settings.data, s->settings.len);
    bl_script_count_bytes(L, &s->trial_bytes_left, m->len, "trials");
    bl_script_tell(s, BL_WIRE_TRIAL);
}

/* ---- a round ---- */

/* The value on top is the round's field `name`. */
static void round_field(lua_State *L, bl_round *round, const char *name) {
    static const char *const known[] = {"title", "race", "slack"};
    if (strcmp(name, "title") == 0) {
        copy_text(L, round->title, sizeof round->title, "", name);
    } else if (strcmp(name, "race") == 0) {
        if (!lua_isboolean(L, -1)) luaL_error(L, "'race' has to be true or false");
        round->race = lua_toboolean(L, -1) != 0;
    } else if (strcmp(name, "slack") == 0) {
        round->slack = positive(L, "", name);
        if (round->slack < 1) luaL_error(L, "'slack' has to be at least 1");
    } else {
        const char *near = bl_nearest(name, known, BL_COUNT(known));
        luaL_error(L, "a round has no '%s'%s%s%s", name, near ? ", did you mean '" : "",
                   near ? near : "", near ? "'?" : ": settings belong to its trials");
    }
}

/* Reads the table at index 2 but for its trials; returns their number. */
static lua_Integer round_header(lua_State *L, bl_round *round) {
    const lua_Integer n = bl_sandbox_keys(L, 2);
    lua_Integer trials = 0;
    for (lua_Integer i = 1; i <= n; i++) {
        if (lua_rawgeti(L, 3, i) == LUA_TNUMBER) {
            if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) != trials + 1)
                luaL_error(L, "the trials of a round are numbered 1, 2, 3 without gaps");
            trials++;
            lua_pop(L, 1);
            continue;
        }
        const char *name = lua_tostring(L, -1);
        lua_pushvalue(L, -1);
        (void)lua_rawget(L, 2);
        round_field(L, round, name);
        lua_pop(L, 2);
    }
    lua_settop(L, 2);
    if (trials == 0) luaL_error(L, "a round needs at least one trial");
    return trials;
}

static void set_integer(lua_State *L, const char *name, int64_t value) {
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

static void push_evals(lua_State *L, bl_wire_reader *in) {
    const int64_t n = bl_wire_get_i64(in);
    lua_newtable(L);
    for (int64_t i = 1; i <= n; i++) {
        lua_createtable(L, 0, 2);
        set_integer(L, "step", bl_wire_get_i64(in));
        const double value = bl_wire_get_f64(in);
        if (isfinite(value)) {
            lua_pushnumber(L, value);
            lua_setfield(L, -2, "value");
        }
        lua_rawseti(L, -2, i);
    }
}

/* The fields are in the order in which planner.c puts them. */
static void push_result(lua_State *L, bl_wire_reader *in) {
    lua_newtable(L);
    (void)lua_pushstring(L, bl_wire_get_text(in, NULL));
    lua_setfield(L, -2, "run");
    (void)lua_pushstring(L, bl_wire_get_text(in, NULL));
    lua_setfield(L, -2, "outcome");
    set_integer(L, "steps", bl_wire_get_i64(in));
    const int64_t target_step = bl_wire_get_i64(in);
    if (target_step > 0) set_integer(L, "target_step", target_step);
    set_integer(L, "previous_eval_step", bl_wire_get_i64(in));
    set_integer(L, "max_steps", bl_wire_get_i64(in));
    set_integer(L, "batch_size", bl_wire_get_i64(in));
    set_integer(L, "seed", bl_wire_get_i64(in));
    lua_pushnumber(L, bl_wire_get_f64(in));
    lua_setfield(L, -2, "learning_rate");
    push_evals(L, in);
    lua_setfield(L, -2, "evals");
}

/* Sends the round trial by trial: an error in one leaves a round that the planner forgets. */
int bl_script_call_run(lua_State *L) {
    bl_script *s = bl_script_of(L);
    if (!lua_istable(L, 2)) return luaL_error(L, "exp:run takes a table: exp:run{ {...}, ... }");
    lua_settop(L, 2);
    bl_round round = {.slack = s->config->sweep.race_cutoff};
    const size_t count = (size_t)round_header(L, &round);
    if (count > s->trials_left)
        return luaL_error(L, "the plan has more trials than a sweep may have");
    s->trials_left -= count;
    if (count > s->limits->memory_bytes / sizeof s->trial)
        return luaL_error(L, "no memory for a round of %d trials", (int)count);
    bl_buf *m = bl_script_begin(s);
    bl_wire_put_text(m, round.title);
    bl_wire_put_i64(m, round.race);
    bl_wire_put_f64(m, round.slack);
    bl_wire_put_i64(m, (int64_t)count);
    bl_script_count_bytes(L, &s->trial_bytes_left, m->len, "trials");
    bl_script_tell(s, BL_WIRE_ROUND);
    for (size_t i = 0; i < count; i++) {
        (void)lua_rawgeti(L, 2, (lua_Integer)i + 1);
        send_trial(L, s, (lua_Integer)i + 1);
        lua_pop(L, 1);
    }
    (void)bl_script_begin(s);
    bl_wire_reader in = bl_script_ask(L, s, BL_WIRE_RUN);
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        push_result(L, &in);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* exp:step_times{64, 128}: seconds of a step by batch size; nil where it does not fit in memory. */
int bl_script_call_times(lua_State *L) {
    bl_script *s = bl_script_of(L);
    int64_t sizes[BL_LIST];
    luaL_checktype(L, 2, LUA_TTABLE);
    const lua_Integer n = (lua_Integer)lua_rawlen(L, 2);
    if (n < 1 || n > BL_LIST)
        return luaL_error(L, "step_times takes a list of 1 to %d batch sizes", (int)BL_LIST);
    for (lua_Integer i = 1; i <= n; i++) {
        (void)lua_rawgeti(L, 2, i);
        sizes[i - 1] = lua_tointeger(L, -1);
        if (!lua_isinteger(L, -1) || sizes[i - 1] < 1 || sizes[i - 1] > s->facts->epoch_rows)
            return luaL_error(L, "step_times: batch sizes are whole numbers from 1 to %I",
                              (LUAI_UACINT)s->facts->epoch_rows);
        lua_pop(L, 1);
    }
    bl_buf *m = bl_script_begin(s);
    bl_wire_put_i64(m, n);
    for (lua_Integer i = 0; i < n; i++) bl_wire_put_i64(m, sizes[i]);
    bl_wire_reader in = bl_script_ask(L, s, BL_WIRE_TIMES);
    lua_createtable(L, 0, (int)n);
    for (lua_Integer i = 0; i < n; i++) {
        const double seconds = bl_wire_get_f64(&in);
        if (!isfinite(seconds)) continue;
        lua_pushnumber(L, seconds);
        lua_rawseti(L, -2, (lua_Integer)sizes[i]);
    }
    return 1;
}
