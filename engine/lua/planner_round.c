/* exp:run{...}: a Lua table becomes a checked round, its results a Lua table. */
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/base/nearest.h"
#include "engine/base/sha256.h"
#include "engine/config/doc.h"
#include "engine/config/layers.h"
#include "engine/lua/planner.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { VALUE_TEXT = 2048 };

/* What a trial says beside settings. */
typedef struct question {
    char where[32]; /* "trial 3: " */
    int64_t max_steps;
    double max_epochs;
    bool has_steps, has_epochs;
} question;

/* ---- settings ---------------------------------------------------------------------------------
 */

/* The value on top as the text that bl_config_set reads; numbers keep every bit. */
static void number_text(lua_State *L, char out[VALUE_TEXT], const question *q, const char *name) {
    const double value = lua_tonumber(L, -1);
    if (!isfinite(value)) luaL_error(L, "%s'%s' is not a finite number", q->where, name);
    if (lua_isinteger(L, -1))
        (void)snprintf(out, VALUE_TEXT, "%lld", (long long)lua_tointeger(L, -1));
    else if (value == floor(value) && fabs(value) < 0x1p53)
        (void)snprintf(out, VALUE_TEXT, "%.0f", value);
    else
        bl_f64_text(out, value);
}

static void value_text(lua_State *L, char out[VALUE_TEXT], const question *q, const char *name) {
    switch (lua_type(L, -1)) {
    case LUA_TNUMBER:
        number_text(L, out, q, name);
        return;
    case LUA_TBOOLEAN:
        (void)snprintf(out, VALUE_TEXT, "%s", lua_toboolean(L, -1) ? "true" : "false");
        return;
    case LUA_TSTRING:
        if (lua_rawlen(L, -1) >= VALUE_TEXT || strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1))
            luaL_error(L, "%s'%s' is too long or not text", q->where, name);
        (void)snprintf(out, VALUE_TEXT, "%s", lua_tostring(L, -1));
        return;
    case LUA_TTABLE:
        break;
    default:
        luaL_error(L, "%s'%s' cannot be a %s", q->where, name, luaL_typename(L, -1));
    }
    size_t at = (size_t)snprintf(out, VALUE_TEXT, "[");
    const lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= n; i++) {
        char item[VALUE_TEXT];
        if (lua_rawgeti(L, -1, i) != LUA_TNUMBER)
            luaL_error(L, "%s'%s' has to be a list of numbers", q->where, name);
        number_text(L, item, q, name);
        lua_pop(L, 1);
        at += (size_t)snprintf(out + at, VALUE_TEXT - at, "%s%s", i > 1 ? ", " : "", item);
        if (at + 2 >= VALUE_TEXT) luaL_error(L, "%s'%s' is too long a list", q->where, name);
    }
    (void)snprintf(out + at, VALUE_TEXT - at, "]");
}

static void set(lua_State *L, bl_planner *p, bl_trial *trial, const question *q, const char *name) {
    char text[VALUE_TEXT];
    const char *of_layer;
    const char *path =
        bl_config_layers_is_path(name, &of_layer) ? name : bl_planner_setting(L, name, q->where);
    if (!bl_config_key_is_identity(path))
        luaL_error(L, "%s'%s' belongs to the experiment, a single run cannot set it", q->where,
                   path);
    value_text(L, text, q, name);
    bl_err fault = {0};
    bl_sandbox_enter(&p->box);
    const bl_status status = bl_config_set(&trial->config, path, text, &fault);
    bl_sandbox_leave(&p->box);
    if (status != BL_OK) luaL_error(L, "%s%s", q->where, fault.text);
}

/* ---- one trial --------------------------------------------------------------------------------
 */

static double positive(lua_State *L, const char *where, const char *name) {
    const double value = lua_tonumber(L, -1);
    if (lua_type(L, -1) != LUA_TNUMBER || !isfinite(value) || value <= 0)
        luaL_error(L, "%s'%s' has to be a finite number above 0", where, name);
    return value;
}

static void copy_text(lua_State *L, char *out, size_t size, const char *where, const char *name) {
    if (lua_type(L, -1) != LUA_TSTRING) luaL_error(L, "%s'%s' has to be text", where, name);
    const char *text = lua_tostring(L, -1);
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ') luaL_error(L, "%s'%s' has to be one line", where, name);
    if (strlen(text) >= size)
        luaL_error(L, "%s'%s' is longer than %d bytes", where, name, (int)size - 1);
    memcpy(out, text, strlen(text) + 1);
}

/* The value of field `name` is on top. */
static void field(lua_State *L, bl_planner *p, bl_trial *trial, question *q, const char *name) {
    if (strcmp(name, "max_steps") == 0) {
        char what[64];
        (void)snprintf(what, sizeof what, "%s'max_steps'", q->where);
        q->max_steps = bl_planner_steps(L, -1, what);
        q->has_steps = true;
    } else if (strcmp(name, "max_epochs") == 0) {
        q->max_epochs = positive(L, q->where, name);
        q->has_epochs = true;
    } else if (strcmp(name, "target") == 0) {
        trial->target = lua_tonumber(L, -1);
        if (lua_type(L, -1) != LUA_TNUMBER || !isfinite(trial->target))
            luaL_error(L, "%s'target' has to be a finite number", q->where);
    } else if (strcmp(name, "reason") == 0) {
        copy_text(L, trial->reason, sizeof trial->reason, q->where, name);
    } else {
        set(L, p, trial, q, name);
    }
}

/* The smallest of the budgets that are given; the configuration's epochs count only when the trial
 * gives none. Ends where an evaluation stands anyway, so that the log is a pure prefix. */
static void set_budget(lua_State *L, const bl_planner *p, bl_trial *trial, const question *q) {
    const bl_config *config = p->config;
    int64_t steps = INT64_MAX;
    if (config->sweep.max_steps > 0) steps = config->sweep.max_steps;
    if (q->has_steps && q->max_steps < steps) steps = q->max_steps;
    const double epochs = q->has_epochs   ? q->max_epochs
                          : !q->has_steps ? config->sweep.max_epochs
                                          : 0;
    if (epochs > 0) {
        const double most =
            ceil(epochs * (double)p->facts->epoch_rows / (double)trial->config.train.batch_size);
        if (most < (double)steps) steps = most < 1 ? 1 : (int64_t)most;
    }
    if (steps == INT64_MAX) luaL_error(L, "%sno budget: give max_steps or max_epochs", q->where);
    trial->max_steps = bl_planner_grid_floor(&trial->config, p->facts->epoch_rows, steps);
}

/* The trial's table is on top. */
static void read_trial(lua_State *L, bl_planner *p, bl_trial *trial, lua_Integer number) {
    question q = {0};
    (void)snprintf(q.where, sizeof q.where, "trial %lld: ", (long long)number);
    if (!lua_istable(L, -1))
        luaL_error(L, "%sa trial is a table of settings, not a %s", q.where, luaL_typename(L, -1));
    trial->config = *p->config;
    trial->target = (double)NAN;
    const int table = lua_gettop(L);
    const lua_Integer n = bl_sandbox_keys(L, table);
    for (lua_Integer i = 1; i <= n; i++) {
        if (lua_rawgeti(L, table + 1, i) != LUA_TSTRING)
            luaL_error(L, "%ssettings have names", q.where);
        const char *name = lua_tostring(L, -1);
        lua_pushvalue(L, -1);
        (void)lua_rawget(L, table);
        field(L, p, trial, &q, name);
        lua_pop(L, 2);
    }
    lua_settop(L, table);
    bl_err fault = {0};
    if (bl_config_check(&trial->config, &fault) != BL_OK)
        luaL_error(L, "%s%s", q.where, fault.text);
    if (trial->config.train.batch_size > p->facts->epoch_rows)
        luaL_error(L, "%sbatch size %I is larger than the data set (%I training rows)", q.where,
                   (LUAI_UACINT)trial->config.train.batch_size, (LUAI_UACINT)p->facts->epoch_rows);
    set_budget(L, p, trial, &q);
}

/* ---- a round ----------------------------------------------------------------------------------
 */

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

static void take_memory(lua_State *L, bl_planner *p, size_t count) {
    size_t trial_bytes, result_bytes;
    const bool fits = bl_mul_size(&trial_bytes, count, sizeof *p->trials) &&
                      bl_mul_size(&result_bytes, count, sizeof *p->results);
    bl_sandbox_enter(&p->box);
    bl_planner_drop_round(p);
    /* A round is part of what its script may take. */
    p->trials = fits ? bl_heap_resize(p->box.heap, NULL, trial_bytes) : NULL;
    if (p->trials != NULL) memset(p->trials, 0, trial_bytes);
    p->results = fits ? bl_alloc(result_bytes) : NULL;
    p->count = p->results != NULL ? count : 0;
    bl_sandbox_leave(&p->box);
    if (p->trials == NULL || p->results == NULL)
        luaL_error(L, "no memory for a round of %d trials", (int)count);
}

static void set_integer(lua_State *L, const char *name, int64_t value) {
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

static void push_result(lua_State *L, const bl_trial *trial, const bl_trial_result *result) {
    lua_newtable(L);
    (void)lua_pushstring(L, result->run);
    lua_setfield(L, -2, "run");
    (void)lua_pushstring(L, bl_outcome_name(result->outcome));
    lua_setfield(L, -2, "outcome");
    set_integer(L, "steps", result->steps);
    if (result->target_step > 0) set_integer(L, "target_step", result->target_step);
    set_integer(L, "previous_eval_step", result->previous_eval_step);
    set_integer(L, "max_steps", trial->max_steps);
    set_integer(L, "batch_size", trial->config.train.batch_size);
    set_integer(L, "seed", trial->config.train.seed);
    lua_pushnumber(L, trial->config.train.learning_rate);
    lua_setfield(L, -2, "learning_rate");
    lua_newtable(L);
    for (size_t i = 0; i < result->evals; i++) {
        lua_createtable(L, 0, 2);
        set_integer(L, "step", result->eval[i].step);
        if (isfinite(result->eval[i].value)) {
            lua_pushnumber(L, result->eval[i].value);
            lua_setfield(L, -2, "value");
        }
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "evals");
}

typedef struct numbered_id {
    char digest[BL_SHA256_HEX];
    size_t number;
} numbered_id;

static int by_digest(const void *a, const void *b) {
    const numbered_id *x = a, *y = b;
    const int order = strcmp(x->digest, y->digest);
    return order != 0 ? order : (x->number > y->number) - (x->number < y->number);
}

/* Numbers of two trials that are one run, from 1; false when there are none. */
static bool find_twins(const bl_trial *trials, size_t n, size_t *first, size_t *second) {
    numbered_id *ids = bl_xalloc(n * sizeof *ids);
    bl_buf text = {0};
    for (size_t i = 0; i < n; i++) {
        bl_buf_clear(&text);
        bl_config_identity(&trials[i].config, &text);
        bl_sha256_of(text.data, text.len, ids[i].digest);
        ids[i].number = i + 1;
    }
    bl_buf_free(&text);
    qsort(ids, n, sizeof *ids, by_digest);
    size_t i = 1;
    while (i < n && strcmp(ids[i - 1].digest, ids[i].digest) != 0) i++;
    if (i < n) {
        *first = ids[i - 1].number;
        *second = ids[i].number;
    }
    free(ids);
    return i < n;
}

/* A key in which the two trials differ although it means nothing to either; NULL: they are equal.
 */
static const char *idle_difference(const bl_config *a, const bl_config *b) {
    const char *path;
    bl_config_value left, right;
    for (size_t i = 0; bl_config_at(a, i, &path, &left) && bl_config_at(b, i, &path, &right); i++)
        if ((left.type == BL_VALUE_F64 && left.f64 != right.f64) ||
            (left.type == BL_VALUE_I64 && left.i64 != right.i64))
            return path;
    return NULL;
}

/* One run twice in a round would be cut by two questions at once. */
static void refuse_twins(lua_State *L, bl_planner *p) {
    size_t a = 0, b = 0;
    bl_sandbox_pause(&p->box);
    const bool found = find_twins(p->trials, p->count, &a, &b);
    bl_sandbox_resume(&p->box);
    if (!found) return;
    const char *idle = idle_difference(&p->trials[a - 1].config, &p->trials[b - 1].config);
    if (idle != NULL)
        luaL_error(
            L, "trials %d and %d are the same run: '%s' means nothing under their other settings",
            (int)a, (int)b, idle);
    luaL_error(L, "trials %d and %d are the same run: leave one out", (int)a, (int)b);
}

int bl_planner_call_run(lua_State *L) {
    bl_planner *p = bl_planner_of(L);
    if (!lua_istable(L, 2)) return luaL_error(L, "exp:run takes a table: exp:run{ {...}, ... }");
    lua_settop(L, 2);
    bl_round round = {.slack = p->config->sweep.slack};
    const size_t count = (size_t)round_header(L, &round);
    if (count > p->trials_left)
        return luaL_error(L, "the plan has more trials than a sweep may have");
    p->trials_left -= count;
    take_memory(L, p, count);
    for (size_t i = 0; i < count; i++) {
        (void)lua_rawgeti(L, 2, (lua_Integer)i + 1);
        read_trial(L, p, &p->trials[i], (lua_Integer)i + 1);
        lua_pop(L, 1);
    }
    refuse_twins(L, p);
    round.trial = p->trials;
    round.count = count;
    bl_sandbox_pause(&p->box);
    const bl_status status = p->host->run(p->host->ctx, &round, p->results, p->box.err);
    if (status != BL_OK) bl_sandbox_abandon(&p->box, status);
    bl_sandbox_resume(&p->box);
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        push_result(L, &p->trials[i], &p->results[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* exp:step_times{64, 128}: seconds of a step by batch size; nil where it does not fit in memory. */
int bl_planner_call_times(lua_State *L) {
    bl_planner *p = bl_planner_of(L);
    int64_t sizes[BL_LIST];
    double seconds[BL_LIST];
    luaL_checktype(L, 2, LUA_TTABLE);
    const lua_Integer n = (lua_Integer)lua_rawlen(L, 2);
    if (n < 1 || n > BL_LIST)
        return luaL_error(L, "step_times takes a list of 1 to %d batch sizes", (int)BL_LIST);
    for (lua_Integer i = 1; i <= n; i++) {
        (void)lua_rawgeti(L, 2, i);
        sizes[i - 1] = lua_tointeger(L, -1);
        if (!lua_isinteger(L, -1) || sizes[i - 1] < 1 || sizes[i - 1] > p->facts->epoch_rows)
            return luaL_error(L, "step_times: batch sizes are whole numbers from 1 to %I",
                              (LUAI_UACINT)p->facts->epoch_rows);
        lua_pop(L, 1);
    }
    bl_sandbox_pause(&p->box);
    const bl_status status =
        p->host->step_times(p->host->ctx, sizes, (size_t)n, seconds, p->box.err);
    if (status != BL_OK) bl_sandbox_abandon(&p->box, status);
    bl_sandbox_resume(&p->box);
    lua_createtable(L, 0, (int)n);
    for (lua_Integer i = 0; i < n; i++) {
        if (!isfinite(seconds[i])) continue;
        lua_pushnumber(L, seconds[i]);
        lua_rawseti(L, -2, (lua_Integer)sizes[i]);
    }
    return 1;
}
