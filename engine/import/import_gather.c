/* Walks the folder: every .csv, every event file and every run of MLflow below it is read, in the
 * order of their names. What the files say of a run comes together under its name. */
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include "engine/config/value.h"
#include "engine/import/event_file.h"
#include "engine/import/import_p.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEEPEST = 16 };
static const char k_exported[] = "b{batch_size}-lr{learning_rate}-s{seed}-"; /* engine/export */

/* ---- runs and their parameters ---- */

char *bl_import_text(bl_import_gathering *g, const char *text, size_t n) {
    char *out = bl_chunks_take(&g->out->memory, n + 1);
    memcpy(out, text, n);
    return out;
}

/* A sentence that was said is not said again. */
void bl_import_say(bl_import_gathering *g, const char *fmt, ...) {
    bl_buf line = {0};
    va_list ap;
    va_start(ap, fmt);
    bl_buf_vprintf(&line, fmt, ap);
    va_end(ap);
    bl_buf_str(&line, "\n");
    if (strstr(bl_buf_text(&g->out->words), line.data) == NULL)
        bl_buf_str(&g->out->words, line.data);
    bl_buf_free(&line);
}

/* Files come in order, so the run that was asked for last is looked at first. */
bl_import_run *bl_import_run_of(bl_import_gathering *g, const char *name, const char *source) {
    bl_import *in = g->out;
    for (size_t k = 0; k < in->runs; k++) {
        const size_t i = (g->last + k) % in->runs;
        if (strcmp(in->run[i].name, name) != 0) continue;
        g->last = i;
        return &in->run[i];
    }
    g->last = in->runs;
    bl_import_run *run = BL_PUSH(in->run, in->runs, "runs");
    run->name = bl_import_text(g, name, strlen(name));
    run->source = bl_import_text(g, source, strlen(source));
    return run;
}

/* "0.10" and "1e-1" are one. */
static bool same_number(const char *a, const char *b) {
    char *end_a, *end_b;
    const double x = strtod(a, &end_a), y = strtod(b, &end_b);
    return end_a != a && end_b != b && *end_a == '\0' && *end_b == '\0' && x == y;
}

bl_status bl_import_set(bl_import_gathering *g, bl_import_run *run, size_t param, const char *text,
                        size_t n, bl_err *err) {
    const char *was = run->param[param];
    if (n == 0) return BL_OK;
    char *value = bl_import_text(g, text, n);
    if (was == NULL) {
        run->param[param] = value;
        return BL_OK;
    }
    if (strcmp(was, value) == 0 || same_number(was, value)) return BL_OK;
    if (param == BL_IMPORT_RATE) {
        bl_import_say(g, "the learning rate changes within a run: its largest value counts");
        if (strtod(value, NULL) > strtod(was, NULL)) run->param[param] = value;
        return BL_OK;
    }
    BL_FAIL(err, BL_EINVAL,
            "%s: run %s has two values of %s, %.40s and %.40s: --map run=COLUMN says which rows "
            "are one run",
            run->source, run->name, g->out->param[param], was, value);
}

typedef struct naming {
    bl_import_gathering *g;
    bl_import_run *run;
    bl_status status;
    bl_err *err;
} naming;

/* The parameter of this name; SIZE_MAX: there is none. What --map calls a setting is one, however
 * usual its name is. */
static size_t find_param(const bl_import *in, const char *name, size_t n) {
    for (size_t i = 0; i < in->params; i++)
        if (strlen(in->param[i]) == n && memcmp(in->param[i], name, n) == 0) return i;
    return bl_import_fixed(name, n);
}

/* A field of the pattern: one of the parameters, whatever else it is called. */
static void take_part(void *ctx, const char *field, size_t field_n, const char *text, size_t n) {
    naming *t = ctx;
    const size_t i = find_param(t->g->out, field, field_n);
    if (i != SIZE_MAX && t->status == BL_OK)
        t->status = bl_import_set(t->g, t->run, i, text, n, t->err);
}

bl_status bl_import_set_by_name(bl_import_gathering *g, bl_import_run *run, bl_err *err) {
    naming t = {g, run, BL_OK, err};
    const char *pattern = g->wish->pattern != NULL ? g->wish->pattern : k_exported;
    if (bl_import_match(pattern, run->name, take_part, &t)) {
        g->named++;
        g->named_last = run->name;
    }
    return t.status;
}

/* ---- event files ---- */

typedef struct scalars {
    bl_import_gathering *g;
    bl_import_run *run;
    char tag[BL_NAME]; /* of the values, once it is known */
    double begin;      /* the first wall time */
    size_t values;
} scalars;

static bool is_tag(const bl_event_scalar *s, const char *tag) {
    return strlen(tag) == s->tag_n && memcmp(tag, s->tag, s->tag_n) == 0;
}

static bool is_field(const bl_import_gathering *g, bl_import_field field,
                     const bl_event_scalar *s) {
    char tag[BL_TITLE];
    if (s->tag_n >= sizeof tag) return false;
    memcpy(tag, s->tag, s->tag_n);
    tag[s->tag_n] = '\0';
    const char *const names[] = {tag};
    return bl_import_find(field, g->map[field], names, 1) == 0;
}

/* The loss of the same step may come before the value or after it. */
static void take_scalar(void *ctx, const bl_event_scalar *s) {
    scalars *t = ctx;
    bl_import_run *run = t->run;
    if (t->tag[0] == '\0' && s->tag_n < sizeof t->tag && is_field(t->g, BL_IMPORT_FIELD_VALUE, s)) {
        memcpy(t->tag, s->tag, s->tag_n);
        t->tag[s->tag_n] = '\0';
    }
    const bool value = t->tag[0] != '\0' && is_tag(s, t->tag);
    if (!value && !is_field(t->g, BL_IMPORT_FIELD_LOSS, s)) return;
    if (t->begin == 0) t->begin = s->wall_time;
    bl_recorded_row *row = run->rows > 0 ? &run->row[run->rows - 1] : NULL;
    if (row == NULL || row->step != s->step) {
        row = BL_PUSH(run->row, run->rows, "evaluations");
        *row = (bl_recorded_row){s->step, (double)INFINITY, (double)NAN, (double)NAN};
    }
    if (value) {
        row->value = isfinite(s->value) ? s->value : (double)NAN;
        t->values++;
        if (s->wall_time > t->begin) row->seconds = s->wall_time - t->begin;
    }
    if (!value || is_field(t->g, BL_IMPORT_FIELD_LOSS, s)) row->loss = s->value;
}

/* Rows of a loss alone hold an infinite value, and go. */
static void keep_values(bl_import_run *run, size_t from) {
    size_t kept = from;
    for (size_t i = from; i < run->rows; i++)
        if (!isinf(run->row[i].value)) run->row[kept++] = run->row[i];
    run->rows = kept;
}

/* A hyperparameter is a parameter of the run: batch size, rate and seed by their names, another
 * where --map names it. */
static void take_setting(void *ctx, const bl_event_setting *s) {
    naming *t = ctx;
    char key[BL_TITLE];
    if (s->key_n >= sizeof key || memchr(s->key, '\0', s->key_n) != NULL) return;
    memcpy(key, s->key, s->key_n);
    key[s->key_n] = '\0';
    const char *const names[] = {key};
    for (size_t p = 0; p < t->g->out->params && t->status == BL_OK; p++) {
        const char *map = bl_import_mapped(t->g->wish, t->g->out->param[p]);
        const bool is = p < BL_IMPORT_FIXED ? bl_import_find((bl_import_field)p, map, names, 1) == 0
                                            : map != NULL && strcmp(map, key) == 0;
        if (!is) continue;
        t->status = bl_import_set(t->g, t->run, p, s->text, s->text_n, t->err);
        bl_import_say(t->g, "parameters: from the hyperparameters of event files");
    }
}

/* The run is called as TensorBoard calls it, by its folder. */
static bl_status read_events(bl_import_gathering *g, const char *path, const char *name,
                             bl_err *err) {
    char run[BL_PATH];
    bl_map map;
    bool torn;
    const char *slash = strrchr(name, '/');
    BL_TRY(bl_path(run, err, "%.*s", slash != NULL ? (int)(slash - name) : 1,
                   slash != NULL ? name : "."));
    BL_TRY(bl_file_map(&map, path, err));
    scalars t = {.g = g, .run = bl_import_run_of(g, run, path)};
    const size_t from = t.run->rows;
    naming named = {g, t.run, BL_OK, err};
    bl_status status = bl_event_each(map.data, map.size, path, take_scalar, &t, &torn, err);
    if (status == BL_OK)
        status = bl_event_each_setting(map.data, map.size, path, take_setting, &named, err);
    bl_file_unmap(&map);
    BL_TRY(status);
    BL_TRY(named.status);
    keep_values(t.run, from);
    g->out->torn += torn;
    g->out->files++;
    if (t.values > 0) bl_import_say(g, "values: the tag '%s' of event files", t.tag);
    if (t.values > 0 && g->out->metric == NULL)
        g->out->metric = bl_import_text(g, t.tag, strlen(t.tag));
    return BL_OK;
}

/* ---- the folder ---- */

static bool ends_with(const char *text, const char *end) {
    const size_t n = strlen(text), m = strlen(end);
    return n > m && strcmp(text + n - m, end) == 0;
}

static bl_status read_file(bl_import_gathering *g, const char *path, const char *name,
                           bl_err *err) {
    const char *slash = strrchr(name, '/');
    if (strstr(slash != NULL ? slash : name, "tfevents") != NULL)
        return read_events(g, path, name, err);
    return ends_with(name, ".csv") ? bl_import_read_log(g, path, name, err) : BL_OK;
}

static bool is_same_file(const char *a, const char *b) {
    bl_file_stamp x, y;
    return b != NULL && bl_file_stat(&x, a) && bl_file_stat(&y, b) && x.inode == y.inode &&
           x.size == y.size;
}

/* Was the file or folder reached before, by this name or through a link? Notes it. */
static bool was_reached(bl_import_gathering *g, const struct stat *st) {
    for (size_t i = 0; i < g->places; i++)
        if (g->place[i].device == st->st_dev && g->place[i].inode == st->st_ino) return true;
    *BL_PUSH(g->place, g->places, "files") = (bl_import_place){st->st_dev, st->st_ino};
    return false;
}

static bl_status walk(bl_import_gathering *g, const char *below, int depth, bl_err *err);

/* A folder is read once, whatever links lead to it. So is a file that only a link leads to again;
 * two plain names are two runs, even where they share their bytes. */
static bl_status visit(bl_import_gathering *g, const char *name, bool links, int depth,
                       bl_err *err) {
    char path[BL_PATH];
    struct stat st;
    BL_TRY(bl_path(path, err, "%s/%s", g->wish->dir, name));
    if (lstat(path, &st) != 0 || S_ISLNK(st.st_mode) != links) return BL_OK;
    if (links && stat(path, &st) != 0) return BL_OK;
    if (is_same_file(path, g->wish->runs)) return BL_OK; /* it is no log */
    const bool reached = was_reached(g, &st);
    if (S_ISDIR(st.st_mode) && !reached && bl_import_is_mlflow(path))
        return bl_import_read_mlflow(g, path, err);
    if (S_ISDIR(st.st_mode))
        return reached || depth >= DEEPEST ? BL_OK : walk(g, name, depth + 1, err);
    return reached && (links || st.st_nlink < 2) ? BL_OK : read_file(g, path, name, err);
}

/* Links come last: what has a name of its own is called by it. */
static bl_status walk(bl_import_gathering *g, const char *below, int depth, bl_err *err) {
    char folder[BL_PATH], name[BL_PATH];
    bl_names names;
    BL_TRY(bl_path(folder, err, "%s/%s", g->wish->dir, below));
    BL_TRY(bl_dir_list(&names, folder, err));
    bl_status status = BL_OK;
    for (size_t i = 0; i < 2 * names.count && status == BL_OK; i++) {
        const bool links = i >= names.count;
        status = bl_path(name, err, "%s%s%s", below, below[0] != '\0' ? "/" : "",
                         names.name[links ? i - names.count : i]);
        if (status == BL_OK) status = visit(g, name, links, depth, err);
    }
    bl_names_free(&names);
    return status;
}

/* The folder itself is reached already. */
static bl_status walk_all(bl_import_gathering *g, bl_err *err) {
    struct stat st;
    if (stat(g->wish->dir, &st) == 0) (void)was_reached(g, &st);
    const bl_status status = walk(g, "", 0, err);
    free(g->place);
    return status;
}

/* ---- the wish ---- */

/* Ours, or the name of a setting. */
static bl_status take_map(bl_import_gathering *g, const char *entry, bl_err *err) {
    char ours[BL_NAME];
    const char *equals = strchr(entry, '=');
    const size_t n = equals != NULL ? (size_t)(equals - entry) : 0;
    if (n == 0 || n >= sizeof ours)
        BL_FAIL(err, BL_EINVAL, "--map %.80s: expected OURS=THEIRS, as in batch_size=bs", entry);
    memcpy(ours, entry, n);
    ours[n] = '\0';
    for (size_t i = 0; i < BL_IMPORT_FIELDS; i++)
        if (strcmp(bl_import_field_name[i], ours) == 0) {
            g->map[i] = equals + 1;
            return BL_OK;
        }
    if (!bl_value_is_name(ours))
        BL_FAIL(err, BL_EINVAL, "--map %s: a setting is named with a-z, 0-9 and _", entry);
    if (g->out->params == BL_IMPORT_PARAMS) BL_FAIL(err, BL_EINVAL, "too many settings");
    g->out->param[g->out->params++] = bl_import_text(g, ours, n);
    return BL_OK;
}

/* Fields of the pattern that no --map speaks of are settings, too. */
static void add_setting(bl_import_gathering *g, const char *name, size_t n) {
    bl_import *in = g->out;
    if (find_param(in, name, n) != SIZE_MAX) return;
    if (in->params < BL_IMPORT_PARAMS) in->param[in->params++] = bl_import_text(g, name, n);
}

static bl_status take_pattern(bl_import_gathering *g, const char *pattern, bl_err *err) {
    for (const char *at = strchr(pattern, '{'); at != NULL; at = strchr(at + 1, '{')) {
        const char *end = strchr(at, '}');
        char name[BL_NAME];
        const size_t n = end != NULL ? (size_t)(end - at) - 1 : sizeof name;
        if (n >= sizeof name) BL_FAIL(err, BL_EINVAL, "--pattern %.200s: { without }", pattern);
        if (n == 0) continue;
        memcpy(name, at + 1, n);
        name[n] = '\0';
        if (!bl_value_is_name(name))
            BL_FAIL(err, BL_EINVAL, "--pattern: {%s} is named with a-z, 0-9 and _", name);
        add_setting(g, name, n);
    }
    return BL_OK;
}

static bl_status begin(bl_import_gathering *g, bl_err *err) {
    const bl_import_wish *wish = g->wish;
    for (size_t i = 0; i < BL_IMPORT_FIXED; i++) g->out->param[i] = bl_import_field_name[i];
    g->out->params = BL_IMPORT_FIXED;
    for (size_t i = 0; i < wish->maps; i++) BL_TRY(take_map(g, wish->map[i], err));
    if (wish->metric != NULL) g->map[BL_IMPORT_FIELD_VALUE] = wish->metric;
    if (wish->pattern != NULL) BL_TRY(take_pattern(g, wish->pattern, err));
    return BL_OK;
}

/* First what the user says, then the files, then names of runs, then the table of runs. A
 * parameter that two of them say differently is refused, but for rates. */
bl_status bl_import_gather(bl_import *out, const bl_import_wish *wish, bl_err *err) {
    bl_import_gathering g = {.out = out, .wish = wish};
    *out = (bl_import){0};
    BL_TRY(begin(&g, err));
    if (!bl_dir_exists(wish->dir))
        BL_FAIL(err, BL_EMISSING, "%s: there is no such folder", wish->dir);
    BL_TRY(walk_all(&g, err));
    if (out->files == 0)
        BL_FAIL(err, BL_EINVAL, "%s has no .csv, no event file of TensorBoard and no run of MLflow",
                wish->dir);
    for (size_t i = 0; i < out->runs; i++) BL_TRY(bl_import_set_by_name(&g, &out->run[i], err));
    if (g.named > 0)
        bl_import_say(&g, "parameters: from %zu names such as %s", g.named, g.named_last);
    if (wish->runs != NULL) BL_TRY(bl_import_read_runs(&g, wish->runs, err));
    out->found = bl_buf_text(&out->words);
    return BL_OK;
}

void bl_import_free(bl_import *in) {
    for (size_t i = 0; i < in->runs; i++) free(in->run[i].row);
    free(in->run);
    bl_chunks_free(&in->memory);
    bl_buf_free(&in->words);
    *in = (bl_import){0};
}
