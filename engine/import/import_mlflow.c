/* MLflow keeps a run as a folder, below a folder for each of its experiments:
 *
 *     mlruns/328625802567470762/88f769a0c4e547c29b944f8b49f954e8/
 *         meta.yaml             run_name: 'big', lifecycle_stage: active
 *         params/batch_size     64
 *         metrics/val_loss      1796059537935 0.52 10      milliseconds since 1970, value, step
 *         metrics/train/loss    a slash in a name is a folder
 *         artifacts/            whatever the run stored: never read
 */
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include "engine/import/import_p.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 8, SMALL_FILE = 1 << 20, LARGE_FILE = 1 << 30 };

/* The names of all files below a folder, "train/loss". */
typedef struct keys {
    const char **name; /* (count) in the import's memory */
    size_t count;
} keys;

static bl_status list_keys(bl_import_gathering *g, keys *out, const char *dir, const char *below,
                           int depth, bl_err *err) {
    char path[BL_PATH], name[BL_PATH];
    bl_names names;
    BL_TRY(bl_path(path, err, "%s/%s", dir, below));
    if (!bl_dir_exists(path) || depth > DEEPEST) return BL_OK;
    BL_TRY(bl_dir_list(&names, path, err));
    bl_status status = BL_OK;
    for (size_t i = 0; i < names.count && status == BL_OK; i++) {
        const char *slash = below[0] != '\0' ? "/" : "";
        status = bl_path(name, err, "%s%s%s", below, slash, names.name[i]);
        if (status == BL_OK) status = bl_path(path, err, "%s/%s", dir, name);
        if (status == BL_OK && bl_dir_exists(path))
            status = list_keys(g, out, dir, name, depth + 1, err);
        else if (status == BL_OK)
            *BL_PUSH(out->name, out->count, "names") = bl_import_text(g, name, strlen(name));
    }
    bl_names_free(&names);
    return status;
}

/* ---- meta.yaml ---- */

/* The value behind "key: " of a line of its own, without quotes. False: there is none. */
static bool meta_value(const bl_buf *meta, const char *key, char *out, size_t size) {
    const size_t n = strlen(key);
    for (const char *line = bl_buf_text(meta); line != NULL; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        if (strncmp(line, key, n) != 0 || line[n] != ':') continue;
        const char *at = line + n + 1;
        at += strspn(at, " '\"");
        (void)snprintf(out, size, "%.*s", (int)strcspn(at, "'\"\r\n"), at);
        return out[0] != '\0';
    }
    return false;
}

/* The run's own name, or its folder's where another has that name, too. */
static bl_import_run *named_run(bl_import_gathering *g, const char *own, const char *dir,
                                const char *path) {
    const char *slash = strrchr(dir, '/');
    const char *folder = slash != NULL ? slash + 1 : dir;
    for (size_t i = 0; i < g->out->runs && own[0] != '\0'; i++)
        if (strcmp(g->out->run[i].name, own) == 0) own = "";
    return bl_import_run_of(g, own[0] != '\0' ? own : folder, path);
}

/* ---- params ---- */

/* The file's text without the end of its line. */
static bl_status take_param(bl_import_gathering *g, bl_import_run *run, size_t p, const char *dir,
                            const char *name, bl_err *err) {
    char path[BL_PATH];
    bl_buf text = {0};
    BL_TRY(bl_path(path, err, "%s/%s", dir, name));
    bl_status status = bl_file_read(&text, path, SMALL_FILE, err);
    while (text.len > 0 && strchr(" \r\n", text.data[text.len - 1]) != NULL)
        bl_buf_truncate(&text, text.len - 1);
    if (status == BL_OK) status = bl_import_set(g, run, p, bl_buf_text(&text), text.len, err);
    bl_buf_free(&text);
    return status;
}

static bl_status read_params(bl_import_gathering *g, bl_import_run *run, const char *path,
                             bl_err *err) {
    char dir[BL_PATH];
    keys params = {0};
    BL_TRY(bl_path(dir, err, "%s/params", path));
    bl_status status = list_keys(g, &params, dir, "", 0, err);
    for (size_t p = 0; p < g->out->params && status == BL_OK; p++) {
        const char *map = bl_import_mapped(g->wish, g->out->param[p]);
        size_t i = p < BL_IMPORT_FIXED
                       ? bl_import_find((bl_import_field)p, map, params.name, params.count)
                       : SIZE_MAX;
        for (size_t k = 0; p >= BL_IMPORT_FIXED && map != NULL && k < params.count; k++)
            if (strcmp(params.name[k], map) == 0) i = k;
        if (i != SIZE_MAX) status = take_param(g, run, p, dir, params.name[i], err);
    }
    free(params.name);
    return status;
}

/* ---- metrics ---- */

/* The time is one since 1970: only differences of such times are used. */
static bl_status add_line(bl_import_run *run, const char *line, const char *path, size_t number,
                          bl_err *err) {
    char *end;
    const double milliseconds = strtod(line, &end);
    const double value = end != line ? strtod(end, &end) : 0.0;
    char *after;
    const long long step = strtoll(end, &after, 10);
    if (after == end || end == line)
        BL_FAIL(err, BL_EFORMAT, "%s:%zu: expected a time, a value and a step", path, number);
    *BL_PUSH(run->row, run->rows, "evaluations") = (bl_recorded_row){
        step, isfinite(value) ? value : (double)NAN, (double)NAN, milliseconds / 1000.0};
    return BL_OK;
}

/* Appends a metric's rows to the run. */
static bl_status read_metric(bl_import_run *run, const char *dir, const char *name, bl_err *err) {
    char path[BL_PATH];
    bl_buf text = {0};
    size_t number = 0;
    BL_TRY(bl_path(path, err, "%s/%s", dir, name));
    bl_status status = bl_file_read(&text, path, LARGE_FILE, err);
    for (char *line = text.data; line != NULL && *line != '\0' && status == BL_OK;) {
        char *stop = strchr(line, '\n');
        if (stop != NULL) *stop = '\0';
        number++;
        if (line[strspn(line, " \r")] != '\0') status = add_line(run, line, path, number, err);
        line = stop != NULL ? stop + 1 : NULL;
    }
    bl_buf_free(&text);
    return status;
}

/* Training losses beside the values of the same steps; both are in the order of their steps. */
static bl_status add_losses(bl_import_run *run, const char *dir, const char *name, bl_err *err) {
    bl_import_run loss = {0};
    const bl_status status = read_metric(&loss, dir, name, err);
    for (size_t i = 0, k = 0; i < run->rows && status == BL_OK; i++) {
        while (k < loss.rows && loss.row[k].step < run->row[i].step) k++;
        if (k < loss.rows && loss.row[k].step == run->row[i].step)
            run->row[i].loss = loss.row[k].value;
    }
    free(loss.row);
    return status;
}

static bl_status refuse(const char *path, const keys *metrics, bl_err *err) {
    bl_buf names = {0};
    for (size_t i = 0; i < metrics->count; i++)
        bl_buf_printf(&names, "%s'%s'", i > 0 ? ", " : "", metrics->name[i]);
    const bl_status status = BL_ERR(
        err, BL_EINVAL, "%s: which metric has the values? --metric NAME names it, of %.1000s", path,
        bl_buf_text(&names));
    bl_buf_free(&names);
    return status;
}

/* A run without the metric stays without evaluations and is counted as empty. */
static bl_status read_metrics(bl_import_gathering *g, bl_import_run *run, const char *path,
                              bl_err *err) {
    char dir[BL_PATH];
    keys metrics = {0};
    BL_TRY(bl_path(dir, err, "%s/metrics", path));
    bl_status status = list_keys(g, &metrics, dir, "", 0, err);
    const size_t value = bl_import_find(BL_IMPORT_FIELD_VALUE, g->map[BL_IMPORT_FIELD_VALUE],
                                        metrics.name, metrics.count);
    const size_t loss = bl_import_find(BL_IMPORT_FIELD_LOSS, g->map[BL_IMPORT_FIELD_LOSS],
                                       metrics.name, metrics.count);
    if (status == BL_OK && value == SIZE_MAX && metrics.count > 0 && g->wish->metric == NULL)
        status = refuse(path, &metrics, err);
    if (status == BL_OK && value != SIZE_MAX) {
        const char *name = metrics.name[value];
        bl_import_say(g, "values: the metric '%s' of MLflow", name);
        if (g->out->metric == NULL) g->out->metric = name;
        status = read_metric(run, dir, name, err);
        if (status == BL_OK && loss != SIZE_MAX && loss != value)
            status = add_losses(run, dir, metrics.name[loss], err);
    }
    free(metrics.name);
    return status;
}

/* ---- a run ---- */

bool bl_import_is_mlflow(const char *path) {
    char meta[BL_PATH], metrics[BL_PATH];
    return bl_path(meta, NULL, "%s/meta.yaml", path) == BL_OK && bl_file_exists(meta) &&
           bl_path(metrics, NULL, "%s/metrics", path) == BL_OK && bl_dir_exists(metrics);
}

/* A run's folder: meta.yaml, params/NAME and metrics/NAME. Deleted runs are said and left out. */
bl_status bl_import_read_mlflow(bl_import_gathering *g, const char *path, bl_err *err) {
    char meta[BL_PATH], own[BL_TITLE] = "", stage[32] = "";
    bl_buf text = {0};
    BL_TRY(bl_path(meta, err, "%s/meta.yaml", path));
    const bl_status status = bl_file_read(&text, meta, SMALL_FILE, err);
    if (status == BL_OK && !meta_value(&text, "run_name", own, sizeof own)) own[0] = '\0';
    const bool deleted = status == BL_OK &&
                         meta_value(&text, "lifecycle_stage", stage, sizeof stage) &&
                         strcmp(stage, "deleted") == 0;
    bl_buf_free(&text);
    BL_TRY(status);
    if (deleted) {
        bl_import_say(g, "runs that were deleted in MLflow are left out");
        return BL_OK;
    }
    bl_import_run *run = named_run(g, own, path, path);
    BL_TRY(read_params(g, run, path, err));
    BL_TRY(read_metrics(g, run, path, err));
    g->out->files++;
    return BL_OK;
}
