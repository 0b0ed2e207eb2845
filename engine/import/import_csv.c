/* Three forms of tables hold evaluations:
 *
 *     a row for each evaluation      step,val_loss,...       a file is a run, or a column names it
 *     a row for each number          run,key,value,step      MLflow's histories
 *     a column for each run          Step,"a - val_loss",... a chart of Weights & Biases
 *
 * A download of TensorBoard, Wall time,Step,Value, is the first of these: a run's numbers of one
 * tag, which only the file's name has. and one holds runs: a row for each, with its parameters. */
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include "engine/data/table/csv.h"
#include "engine/import/import_p.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A chart has three columns for each run. */
enum { MOST_COLUMNS = 1 << 20 };

/* An open table. */
typedef struct table {
    bl_import_gathering *g;
    const char *path;
    bl_map map;
    bl_csv csv;
    const char **name; /* (count) of its columns */
    size_t count;
    size_t column[BL_IMPORT_FIELDS]; /* SIZE_MAX: there is none */
    size_t setting[BL_IMPORT_PARAMS];
    bool more;
    char own[BL_PATH]; /* what a run is called that has no column to say so */
} table;

static bl_status next_row(table *t, bl_err *err) {
    BL_TRY(bl_csv_row(&t->csv, &t->more, err));
    if (t->more && t->csv.count != t->count)
        BL_FAIL(err, BL_EFORMAT, "%s:%zu: %zu fields under %zu columns", t->path, t->csv.line,
                t->csv.count, t->count);
    return BL_OK;
}

/* A column that --map names has to be in some file, not in all of them. */
static void find_columns(table *t) {
    const bl_import *in = t->g->out;
    for (size_t f = 0; f < BL_IMPORT_FIELDS; f++)
        t->column[f] = bl_import_find((bl_import_field)f, t->g->map[f], t->name, t->count);
    for (size_t p = 0; p < in->params; p++) {
        const char *map = bl_import_mapped(t->g->wish, in->param[p]);
        t->setting[p] = p < BL_IMPORT_FIXED ? t->column[p] : SIZE_MAX;
        for (size_t i = 0; p >= BL_IMPORT_FIXED && map != NULL && i < t->count; i++)
            if (strcmp(t->name[i], map) == 0) t->setting[p] = i;
    }
}

/* Opens it and reads its header. After a failure, too, close_table is due. */
static bl_status open_table(table *t, bl_import_gathering *g, const char *path, bl_err *err) {
    *t = (table){.g = g, .path = path};
    BL_TRY(bl_file_map(&t->map, path, err));
    const char *text = (const char *)t->map.data;
    bl_csv_init(&t->csv, text, t->map.size, path, bl_csv_separator(text, t->map.size));
    t->csv.trim = true;
    t->csv.most = MOST_COLUMNS;
    BL_TRY(bl_csv_row(&t->csv, &t->more, err));
    if (!t->more) BL_FAIL(err, BL_EFORMAT, "%s is empty", path);
    t->count = t->csv.count;
    t->name = bl_xalloc(t->count * sizeof *t->name);
    for (size_t i = 0; i < t->count; i++)
        t->name[i] = bl_import_text(g, t->csv.field[i].text, t->csv.field[i].n);
    find_columns(t);
    return BL_OK;
}

static void close_table(table *t) {
    free(t->name);
    bl_csv_free(&t->csv);
    bl_file_unmap(&t->map);
}

/* ---- one row ---- */

/* Empty where the table has no such column. */
static bl_csv_field cell(const table *t, size_t column) {
    return column == SIZE_MAX ? (bl_csv_field){"", 0} : t->csv.field[column];
}

static bool is_one_of(bl_csv_field f, const char *const *words, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strlen(words[i]) == f.n && strncasecmp(words[i], f.text, f.n) == 0) return true;
    return false;
}

/* *out NAN: not finite. False: no number stands there. */
static bool number_in(bl_csv_field f, double *out) {
    static const char *const not_finite[] = {"nan",      "inf",       "-inf",     "+inf",
                                             "infinity", "-infinity", "+infinity"};
    if (bl_csv_number(f, out)) return true;
    *out = (double)NAN;
    return is_one_of(f, not_finite, BL_COUNT(not_finite));
}

static bl_status take_params(table *t, bl_import_run *run, bl_err *err) {
    for (size_t p = 0; p < t->g->out->params; p++) {
        const bl_csv_field f = cell(t, t->setting[p]);
        BL_TRY(bl_import_set(t->g, run, p, f.text, f.n, err));
    }
    return BL_OK;
}

static bl_status refuse_number(const table *t, bl_csv_field f, const char *what, bl_err *err) {
    const bool comma = f.n > 0 && memchr(f.text, ',', f.n) != NULL;
    BL_FAIL(err, BL_EFORMAT, "%s:%zu: %s '%.*s' is no number%s", t->path, t->csv.line, what,
            (int)bl_size_min(f.n, 40), f.text, comma ? ": a point is needed, not a comma" : "");
}

/* The step of a row; 0: the row has none. A column of examples stands in for it. */
static bl_status step_of(const table *t, const bl_import_run *run, double *step, bl_err *err) {
    const bool examples = t->column[BL_IMPORT_FIELD_STEP] == SIZE_MAX;
    const bl_csv_field f =
        cell(t, t->column[examples ? BL_IMPORT_FIELD_EXAMPLES : BL_IMPORT_FIELD_STEP]);
    double size;
    *step = (double)NAN;
    if (f.n == 0) return BL_OK;
    if (!number_in(f, step) || isnan(*step))
        return refuse_number(t, f, examples ? "examples" : "step", err);
    if (fabs(*step) >= 0x1p53 || (!examples && *step != floor(*step)))
        BL_FAIL(err, BL_EFORMAT, "%s:%zu: %s %.*s is no whole number below 2^53%s", t->path,
                t->csv.line, examples ? "examples" : "step", (int)bl_size_min(f.n, 40), f.text,
                examples ? "" : ": --map step=COLUMN names the column of steps");
    if (!examples) return BL_OK;
    const char *text = run->param[BL_IMPORT_SIZE];
    if (text == NULL || !bl_csv_number((bl_csv_field){text, strlen(text)}, &size) || size < 1)
        BL_FAIL(err, BL_EINVAL, "%s:%zu: examples say a step only beside a batch size", t->path,
                t->csv.line);
    *step = nearbyint(*step / size);
    return BL_OK;
}

/* A row without a value or a step is no evaluation. A loss or a time that is no number is not
 * known. */
static bl_status take_eval(table *t, bl_import_run *run, bl_csv_field value, bl_csv_field loss,
                           bl_err *err) {
    bl_recorded_row row = {.seconds = (double)NAN};
    double step;
    if (value.n == 0) return BL_OK; /* a row of something else */
    BL_TRY(step_of(t, run, &step, err));
    if (isnan(step)) return BL_OK;
    if (!number_in(value, &row.value)) return refuse_number(t, value, "value", err);
    if (!number_in(loss, &row.loss)) row.loss = (double)NAN;
    if (!number_in(cell(t, t->column[BL_IMPORT_FIELD_SECONDS]), &row.seconds))
        row.seconds = (double)NAN;
    row.step = (int64_t)step;
    *BL_PUSH(run->row, run->rows, "evaluations") = row;
    return BL_OK;
}

/* The run that the row is of. */
static bl_import_run *run_of(table *t) {
    char name[BL_PATH];
    const bl_csv_field f = cell(t, t->column[BL_IMPORT_FIELD_RUN]);
    if (f.n == 0) return bl_import_run_of(t->g, t->own, t->path);
    (void)snprintf(name, sizeof name, "%.*s", (int)f.n, f.text);
    return bl_import_run_of(t->g, name, t->path);
}

/* ---- the three forms ---- */

static bool is_text(bl_csv_field f, const char *text) {
    return text != NULL && strlen(text) == f.n && memcmp(text, f.text, f.n) == 0;
}

/* A row for each number: those whose key is the metric. */
static bl_status read_numbers(table *t, bl_err *err) {
    const size_t key = t->column[BL_IMPORT_FIELD_KEY];
    const char *const names[] = {"value"};
    size_t value = SIZE_MAX;
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->name[i], names[0]) == 0) value = i;
    bl_import_say(t->g, "values: the rows of %s whose %s is %s", t->path, t->name[key],
                  t->g->wish->metric);
    for (;;) {
        BL_TRY(next_row(t, err));
        if (!t->more) return BL_OK;
        if (!is_text(cell(t, key), t->g->wish->metric)) continue;
        bl_import_run *run = run_of(t);
        BL_TRY(take_params(t, run, err));
        BL_TRY(take_eval(t, run, cell(t, value), (bl_csv_field){"", 0}, err));
    }
}

/* A row for each evaluation. */
static bl_status read_rows(table *t, bl_err *err) {
    const size_t value = t->column[BL_IMPORT_FIELD_VALUE];
    const size_t loss = t->column[BL_IMPORT_FIELD_LOSS];
    bl_import_say(t->g, "values: the column '%s'", t->name[value]);
    const size_t step = t->column[BL_IMPORT_FIELD_STEP];
    if (step != SIZE_MAX && strcmp(t->name[step], "_step") == 0)
        bl_import_say(t->g, "steps: the column '_step', which counts calls of wandb.log; "
                            "--map step=COLUMN names another");
    if (loss != SIZE_MAX && loss != value)
        bl_import_say(t->g, "training losses: the column '%s'", t->name[loss]);
    if (t->column[BL_IMPORT_FIELD_RUN] != SIZE_MAX)
        bl_import_say(t->g, "runs: the column '%s'", t->name[t->column[BL_IMPORT_FIELD_RUN]]);
    for (;;) {
        BL_TRY(next_row(t, err));
        if (!t->more) return BL_OK;
        bl_import_run *run = run_of(t);
        BL_TRY(take_params(t, run, err));
        BL_TRY(take_eval(t, run, cell(t, value), cell(t, loss), err));
    }
}

/* ---- downloads of TensorBoard ---- */

static bool is_download(const table *t) {
    static const char *const header[] = {"Wall time", "Step", "Value"};
    if (t->count != BL_COUNT(header)) return false;
    for (size_t i = 0; i < BL_COUNT(header); i++)
        if (strcmp(t->name[i], header[i]) != 0) return false;
    return true;
}

/* "DIR/run-RUN-tag-TAG": *run becomes "DIR/RUN". The tag; NULL: the file is called otherwise. */
static const char *download_tag(const char *own, char run[BL_PATH]) {
    const char *slash = strrchr(own, '/'), *base = slash != NULL ? slash + 1 : own;
    const char *tag = strstr(base, "-tag-");
    if (strncmp(base, "run-", 4) != 0 || tag == NULL || tag < base + 4) return NULL;
    const int n =
        snprintf(run, BL_PATH, "%.*s%.*s", (int)(base - own), own, (int)(tag - base - 4), base + 4);
    return n >= 0 && n < BL_PATH && tag[5] != '\0' ? tag + 5 : NULL;
}

/* What stands for a tag in a file's name: a browser writes other signs as "_". */
static bool is_tag(const char *in_name, const char *tag) {
    for (; *in_name != '\0' && *tag != '\0'; in_name++, tag++)
        if (*in_name != *tag && (*in_name != '_' || isalnum((unsigned char)*tag))) return false;
    return *in_name == *tag;
}

/* The rows of one tag. Another tag's are no evaluations of the run. */
static bl_status read_download(table *t, const char *tag, bl_err *err) {
    const char *metric = t->g->wish->metric;
    double begin = (double)NAN, wall;
    if (metric != NULL ? !is_tag(tag, metric)
                       : bl_import_find(BL_IMPORT_FIELD_VALUE, NULL, &tag, 1) == SIZE_MAX) {
        bl_import_say(t->g, "passed over: the tag '%s' of downloads; --metric names a tag", tag);
        return BL_OK;
    }
    bl_import_say(t->g, "values: the tag '%s' of TensorBoard's downloads", tag);
    if (t->g->out->metric == NULL)
        t->g->out->metric = bl_import_text(t->g, metric != NULL ? metric : tag,
                                           strlen(metric != NULL ? metric : tag));
    if (metric == NULL && strcmp(t->g->out->metric, tag) != 0)
        BL_FAIL(err, BL_EINVAL, "%s: both '%s' and '%s' may be the values: --metric TAG names one",
                t->path, t->g->out->metric, tag);
    for (;;) {
        BL_TRY(next_row(t, err));
        if (!t->more) return BL_OK;
        bl_import_run *run = bl_import_run_of(t->g, t->own, t->path);
        const size_t rows = run->rows;
        BL_TRY(take_eval(t, run, cell(t, 2), (bl_csv_field){"", 0}, err));
        if (!number_in(cell(t, 0), &wall) || run->rows == rows) continue;
        if (isnan(begin)) begin = wall;
        if (wall > begin) run->row[rows].seconds = wall - begin;
    }
}

/* ---- charts ---- */

/* "RUN - METRIC": the run's part; 0: it is no such column. */
static size_t run_part(const char *column, const char *metric) {
    static const char between[] = " - ";
    const size_t n = strlen(column), m = strlen(metric), k = sizeof between - 1;
    if (n <= m + k || strcmp(column + n - m, metric) != 0) return 0;
    return strncmp(column + n - m - k, between, k) == 0 ? n - m - k : 0;
}

/* The metric of the first such column, unless it is said. */
static const char *charted(const table *t) {
    if (t->g->wish->metric != NULL) return t->g->wish->metric;
    for (size_t i = 0; i < t->count; i++) {
        const char *at = strstr(t->name[i], " - ");
        for (const char *next = at; next != NULL; next = strstr(next + 3, " - ")) at = next;
        if (at != NULL && strstr(at, "__M") == NULL && at[3] != '_') return at + 3;
    }
    return NULL;
}

/* A column for each run. Columns of the least and the largest value over seeds, "... -
 * loss__MIN", do not end as the metric does. */
static bl_status read_chart(table *t, const char *metric, bl_err *err) {
    char name[BL_PATH];
    bl_import_say(t->g, "values: columns such as 'RUN - %s'", metric);
    for (;;) {
        BL_TRY(next_row(t, err));
        if (!t->more) return BL_OK;
        for (size_t i = 0; i < t->count; i++) {
            const size_t n = run_part(t->name[i], metric);
            if (n == 0 || t->csv.field[i].n == 0) continue;
            (void)snprintf(name, sizeof name, "%.*s", (int)n, t->name[i]);
            BL_TRY(take_eval(t, bl_import_run_of(t->g, name, t->path), t->csv.field[i],
                             (bl_csv_field){"", 0}, err));
        }
    }
}

/* Names the table's columns, one of which the user has to say. */
static bl_status refuse_table(const table *t, bool step, bl_err *err) {
    bl_buf names = {0};
    for (size_t i = 0; i < t->count; i++)
        bl_buf_printf(&names, "%s'%s'", i > 0 ? ", " : "", t->name[i]);
    for (size_t i = 0; i < names.len; i++)
        if (names.data[i] == '\n' || names.data[i] == '\r') names.data[i] = ' ';
    const bl_status status =
        step ? BL_ERR(err, BL_EINVAL,
                      "%s has no column of steps: --map step=COLUMN names it, of %.1000s", t->path,
                      bl_buf_text(&names))
             : BL_ERR(err, BL_EINVAL,
                      "%s: which column has the values? --metric COLUMN names it, of %.1000s",
                      t->path, bl_buf_text(&names));
    bl_buf_free(&names);
    return status;
}

/* Which form it is: a key column makes it one row a number, unless the user names a column of
 * values. */
static bl_status read_table(table *t, bl_err *err) {
    const char *metric = t->g->wish->metric;
    const size_t *column = t->column;
    char run[BL_PATH];
    const char *tag = is_download(t) ? download_tag(t->own, run) : NULL;
    if (tag != NULL) {
        char *own_tag = bl_import_text(t->g, tag, strlen(tag)); /* `own` is replaced */
        memcpy(t->own, run, sizeof run);
        return read_download(t, own_tag, err);
    }
    if (column[BL_IMPORT_FIELD_STEP] == SIZE_MAX && column[BL_IMPORT_FIELD_EXAMPLES] == SIZE_MAX)
        return refuse_table(t, true, err);
    if (column[BL_IMPORT_FIELD_VALUE] != SIZE_MAX &&
        (metric != NULL || column[BL_IMPORT_FIELD_KEY] == SIZE_MAX)) {
        metric = t->name[column[BL_IMPORT_FIELD_VALUE]];
        BL_TRY(read_rows(t, err));
    } else if (metric != NULL && column[BL_IMPORT_FIELD_KEY] != SIZE_MAX) {
        BL_TRY(read_numbers(t, err));
    } else {
        metric = column[BL_IMPORT_FIELD_KEY] == SIZE_MAX ? charted(t) : NULL;
        if (metric == NULL) return refuse_table(t, false, err);
        BL_TRY(read_chart(t, metric, err));
    }
    if (t->g->out->metric == NULL) t->g->out->metric = bl_import_text(t->g, metric, strlen(metric));
    return BL_OK;
}

bl_status bl_import_read_log(bl_import_gathering *g, const char *path, const char *name,
                             bl_err *err) {
    table t;
    bl_status status = open_table(&t, g, path, err);
    if (status == BL_OK)
        status = bl_path(t.own, err, "%.*s", (int)(strlen(name) - strlen(".csv")), name);
    if (status == BL_OK) status = read_table(&t, err);
    if (status == BL_OK) g->out->files++;
    close_table(&t);
    return status;
}

/* ---- a table of runs ---- */

/* The run that a row speaks of: any of its cells may be the name. */
static bl_import_run *known_run(table *t) {
    bl_import *in = t->g->out;
    for (size_t k = 0; k < in->runs; k++)
        for (size_t i = 0; i < t->count; i++)
            if (is_text(t->csv.field[i], in->run[k].name)) return &in->run[k];
    return NULL;
}

bl_status bl_import_read_runs(bl_import_gathering *g, const char *path, bl_err *err) {
    table t;
    size_t found = 0;
    bl_status status = open_table(&t, g, path, err);
    while (status == BL_OK) {
        status = next_row(&t, err);
        if (status != BL_OK || !t.more) break;
        bl_import_run *run = known_run(&t);
        found += run != NULL;
        if (run != NULL) status = take_params(&t, run, err);
    }
    if (status == BL_OK && found == 0 && g->out->runs > 0)
        status = BL_ERR(err, BL_EINVAL, "%s names none of the runs; one of them is called '%s'",
                        path, g->out->run[0].name);
    if (status == BL_OK) bl_import_say(g, "parameters: from %zu rows of %s", found, path);
    close_table(&t);
    return status;
}
