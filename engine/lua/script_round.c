/* exp:run{...}: a Lua table is checked and sent as a round; its results become a Lua table. */
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/base/nearest.h"
#include "engine/base/text.h"
#include "engine/config/doc.h"
#include "engine/config/layers.h"
#include "engine/config/open_values.h"
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
    char text[VALUE_TEXT], open[BL_OPEN_PATH];
    const char *of_layer, *path = name;
    if (bl_config_setting_find(s->config, name, open))
        path = open;
    else if (!bl_config_layers_is_path(name, &of_layer))
        path = bl_script_setting(L, s, name, o->where);
    if (!bl_config_key_is_identity(path))
        luaL_error(L, "%s'%s' belongs to the experiment, a single run cannot set it", o->where,
                   path);
    value_text(L, text, o, name);
    bl_err fault = {0};
    if (bl_config_set(&s->resolved, path, text, &fault) != BL_OK)
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
            ceil(epochs * (double)s->facts->epoch_rows / (double)s->resolved.train.batch_size);
        if (most < (double)steps) steps = most < 1 ? 1 : (int64_t)most;
    }
    if (steps == INT64_MAX) luaL_error(L, "%sno budget: give max_steps or max_epochs", o->where);
    s->trial.max_steps = bl_script_grid_floor(&s->resolved, s->facts->epoch_rows, steps);
}

static void check_trial(lua_State *L, const bl_script *s, const trial_options *o) {
    bl_err fault = {0};
    const int64_t size = s->resolved.train.batch_size;
    if (bl_config_check(&s->resolved, &fault) != BL_OK) luaL_error(L, "%s%s", o->where, fault.text);
    if (size > s->facts->epoch_rows && bl_config_is_external(s->config))
        luaL_error(L, "%sbatch size %I is larger than an epoch (external.epoch_rows = %I)",
                   o->where, (LUAI_UACINT)size, (LUAI_UACINT)s->facts->epoch_rows);
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
    s->trial = bl_trial_of(s->config);
    s->resolved = *s->config;
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
        char hint[BL_NEAREST_HINT];
        const char *near = bl_nearest(name, known, BL_COUNT(known));
        luaL_error(L, "a round has no '%s'%s%s", name, bl_nearest_hint(hint, ", ", near),
                   near != NULL ? "" : ": settings belong to its trials");
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

/* ---- results ---- */

/* What scripts see as tables of results are empty ones: a field is read from the planner's answer
 * when it is asked for. A table with all fields takes 600 bytes and more; a round may have 100,000.
 *
 *     result (table) -> metatable { __index, fill }, one for each round
 *     upvalues of both functions: the answer, and {result = its position in the answer}
 *
 * `evals` is made once and kept, since a script may compare or change it. bl_sandbox_keys calls
 * `fill`, so that pairs, next and decisions see every field. */
enum { UP_ANSWER = 1, UP_POSITIONS };

typedef struct answer {
    bl_sandbox *box;
    char *bytes; /* in memory that counts */
    size_t size;
} answer;

typedef struct result {
    const char *run, *outcome;
    int64_t steps, target_step, previous_eval_step, max_steps, batch_size, seed;
    double learning_rate;
    int64_t evals;
    bl_wire_reader in; /* at the evaluations */
} result;

enum { EVAL_BYTES = 32 };

/* The fields are in the order in which planner.c puts them. */
static result read_result(const answer *from, size_t position) {
    result r;
    r.in = (bl_wire_reader){from->bytes + position, from->bytes + from->size, false};
    r.run = bl_wire_get_text(&r.in, NULL);
    r.outcome = bl_wire_get_text(&r.in, NULL);
    r.steps = bl_wire_get_i64(&r.in);
    r.target_step = bl_wire_get_i64(&r.in);
    r.previous_eval_step = bl_wire_get_i64(&r.in);
    r.max_steps = bl_wire_get_i64(&r.in);
    r.batch_size = bl_wire_get_i64(&r.in);
    r.seed = bl_wire_get_i64(&r.in);
    r.learning_rate = bl_wire_get_f64(&r.in);
    r.evals = bl_wire_get_i64(&r.in);
    return r;
}

static void set_integer(lua_State *L, const char *name, int64_t value) {
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

static void set_finite(lua_State *L, const char *name, double value) {
    if (!isfinite(value)) return;
    lua_pushnumber(L, value);
    lua_setfield(L, -2, name);
}

static void push_evals(lua_State *L, result *r) {
    lua_createtable(L, (int)r->evals, 0);
    for (int64_t i = 1; i <= r->evals; i++) {
        lua_createtable(L, 0, 4);
        set_integer(L, "step", bl_wire_get_i64(&r->in));
        set_finite(L, "value", bl_wire_get_f64(&r->in));
        set_finite(L, "train_loss", bl_wire_get_f64(&r->in));
        set_finite(L, "batch_mean", bl_wire_get_f64(&r->in));
        lua_rawseti(L, -2, i);
    }
}

static const char *const k_integers[] = {"steps",     "target_step", "previous_eval_step",
                                         "max_steps", "batch_size",  "seed"};
static const char *const k_others[] = {"run", "outcome", "learning_rate", "evals"};

/* Pushes the field, nil where a result has none of that name. */
static void push_field(lua_State *L, result *r, const char *name) {
    const int64_t integer[] = {r->steps,     r->target_step, r->previous_eval_step,
                               r->max_steps, r->batch_size,  r->seed};
    for (size_t i = 0; i < BL_COUNT(k_integers); i++) {
        if (strcmp(name, k_integers[i]) != 0) continue;
        if (integer[i] == 0 && strcmp(name, "target_step") == 0)
            lua_pushnil(L); /* it was not reached */
        else
            lua_pushinteger(L, integer[i]);
        return;
    }
    if (strcmp(name, "run") == 0)
        (void)lua_pushstring(L, r->run);
    else if (strcmp(name, "outcome") == 0)
        (void)lua_pushstring(L, r->outcome);
    else if (strcmp(name, "learning_rate") == 0)
        lua_pushnumber(L, r->learning_rate);
    else if (strcmp(name, "evals") == 0)
        push_evals(L, r);
    else
        lua_pushnil(L);
}

/* Finds the result that the table at index 1 stands for; false: it has all its fields. */
static bool find_result(lua_State *L, result *r) {
    const answer *from = lua_touserdata(L, lua_upvalueindex(UP_ANSWER));
    lua_pushvalue(L, 1);
    const bool found = lua_rawget(L, lua_upvalueindex(UP_POSITIONS)) == LUA_TNUMBER;
    if (found) *r = read_result(from, (size_t)lua_tointeger(L, -1));
    lua_pop(L, 1);
    return found;
}

/* __index(result, name) */
static int result_index(lua_State *L) {
    result r;
    if (lua_type(L, 2) != LUA_TSTRING || !find_result(L, &r)) return 0;
    push_field(L, &r, lua_tostring(L, 2));
    if (strcmp(lua_tostring(L, 2), "evals") == 0) {
        lua_pushvalue(L, 2);
        lua_pushvalue(L, -2);
        lua_rawset(L, 1);
    }
    return 1;
}

/* Gives the table at index 1 the field, unless the script has set it. */
static void fill_field(lua_State *L, result *r, const char *name) {
    (void)lua_pushstring(L, name);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, 1) != LUA_TNIL) {
        lua_pop(L, 2);
        return;
    }
    lua_pop(L, 1);
    push_field(L, r, name);
    lua_rawset(L, 1);
}

/* fill(result): gives the table its fields for good. */
static int result_fill(lua_State *L) {
    result r;
    if (!find_result(L, &r)) return 0;
    for (size_t i = 0; i < BL_COUNT(k_integers); i++) fill_field(L, &r, k_integers[i]);
    for (size_t i = 0; i < BL_COUNT(k_others); i++) fill_field(L, &r, k_others[i]);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    lua_rawset(L, lua_upvalueindex(UP_POSITIONS));
    return 0;
}

static int answer_free(lua_State *L) {
    answer *a = lua_touserdata(L, 1);
    a->bytes = bl_sandbox_resize(a->box, a->bytes, a->size, 0);
    a->size = 0;
    return 0;
}

/* Pushes the script's last answer, which is the collector's to free from here on. */
static answer *push_answer(lua_State *L, bl_script *s) {
    answer *a = lua_newuserdatauv(L, sizeof *a, 0);
    *a = (answer){.box = &s->box};
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, answer_free);
    lua_setfield(L, -2, "__gc");
    (void)lua_setmetatable(L, -2);
    a->bytes = s->answer;
    a->size = s->answer_size;
    s->answer = NULL;
    s->answer_size = 0;
    return a;
}

/* Pushes the list of results that the script's last answer holds. */
static void push_results(lua_State *L, bl_script *s, size_t count) {
    const answer *a = push_answer(L, s);
    const int top = lua_gettop(L);
    lua_createtable(L, 0, (int)count); /* positions */
    lua_createtable(L, 0, 3);          /* the metatable */
    for (int i = 0; i < 2; i++) {
        lua_pushvalue(L, top);
        lua_pushvalue(L, top + 1);
        lua_pushcclosure(L, i == 0 ? result_index : result_fill, 2);
        if (i == 0) lua_setfield(L, top + 2, "__index");
    }
    lua_rawsetp(L, top + 2, bl_sandbox_fill);
    lua_pushboolean(L, 0);
    lua_setfield(L, top + 2, "__metatable");
    lua_createtable(L, (int)count, 0);
    size_t position = 0;
    for (size_t i = 0; i < count; i++) {
        const result r = read_result(a, position);
        lua_newtable(L);
        lua_pushvalue(L, top + 2);
        (void)lua_setmetatable(L, -2);
        lua_pushvalue(L, -1);
        lua_pushinteger(L, (lua_Integer)position);
        lua_rawset(L, top + 1);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
        position = (size_t)(r.in.at - a->bytes) + (size_t)r.evals * EVAL_BYTES;
    }
    lua_replace(L, top);
    lua_settop(L, top);
}

/* Sends the round trial by trial: an error in one leaves a round that the planner forgets. */
int bl_script_call_run(lua_State *L) {
    bl_script *s = bl_script_of(L);
    if (!lua_istable(L, 2)) return luaL_error(L, "exp:run takes a table: exp:run{ {...}, ... }");
    lua_settop(L, 2);
    bl_round round = {.slack = s->config->sweep.race_cutoff};
    /* Before the list of keys, which takes memory of its own. */
    if (lua_rawlen(L, 2) > s->limits->max_trials)
        return luaL_error(L, "a round of %I trials is more trials than a sweep may have (%I)",
                          (LUAI_UACINT)lua_rawlen(L, 2), (LUAI_UACINT)s->limits->max_trials);
    const size_t count = (size_t)round_header(L, &round);
    if (count > s->trials_left)
        return luaL_error(L, "the plan has more trials than a sweep may have (%I)",
                          (LUAI_UACINT)s->limits->max_trials);
    s->trials_left -= count;
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
        bl_sandbox_collect_if_due(L); /* no instruction of Lua's runs here */
    }
    (void)bl_script_begin(s);
    (void)bl_script_ask(L, s, BL_WIRE_RUN);
    push_results(L, s, count);
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
