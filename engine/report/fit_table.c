/* Reading the tables of `batchlab fit`: CSV with a header, columns found by name, one run a row.
 * For instance
 *
 *     Batch Size;steps;seed;censored
 *     # from the second machine
 *     32;1792;1;0
 *     32;1650;2;
 *     64;2000;1;yes
 *
 * The separator is guessed, names are compared without case, blanks, '-' or '_', and unknown
 * columns are passed over. A value that cannot be meant is an error with FILE:LINE, since a table
 * that is read half gives a wrong answer.
 *
 * Steps, seconds and the like have to lie in the domain of the statistics, whose formulas then
 * cannot overflow. */
#include "engine/report/fit_table.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include "engine/data/table/csv.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

typedef enum column {
    BATCH_SIZE,
    STEPS,
    STEPS_PREV,
    SEED,
    CENSORED,
    TARGET,
    SECONDS,
    COST,
    VALUE,
    EXAMPLES,
    REPEAT,
    COLUMN_COUNT
} column;
static const char *const columns[] = {[BATCH_SIZE] = "batch_size", [STEPS] = "steps",
                                      [STEPS_PREV] = "steps_prev", [SEED] = "seed",
                                      [CENSORED] = "censored",     [TARGET] = "target",
                                      [SECONDS] = "seconds",       [COST] = "cost",
                                      [VALUE] = "value",           [EXAMPLES] = "examples",
                                      [REPEAT] = "repeat"};
_Static_assert(BL_COUNT(columns) == COLUMN_COUNT, "a name for each");

/* Which columns a table of a kind has; other ones are passed over. */
typedef struct kind_of_table {
    column needed[2];
    unsigned read; /* a bit for each */
    const char *allowed;
    const char *identity; /* two rows that agree in it are one measurement, twice */
} kind_of_table;
static const kind_of_table k_kinds[] = {
    [BL_FIT_STEPS] = {{BATCH_SIZE, STEPS},
                      (1U << EXAMPLES) - 1,
                      "needed: batch_size, steps; read when present: steps_prev, seed, censored, "
                      "target, seconds, cost, value",                                     "seed"  },
    [BL_FIT_TIMES] = {{BATCH_SIZE, SECONDS},
                      1U << BATCH_SIZE | 1U << SECONDS | 1U << EXAMPLES | 1U << REPEAT,
                      "needed: batch_size, seconds; read when present: examples, repeat", "repeat"}
};

enum { FIELD = 64 };

typedef struct reader {
    const kind_of_table *kind;
    bl_csv csv;
    int field_of[COLUMN_COUNT]; /* -1: not in the header */
    size_t fields;              /* of the header */
    char target[FIELD];         /* of the rows so far; empty: none has one */
    size_t *line;               /* (count of the table): where each row stands */
    bl_err *err;
} reader;

static bool blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The field without blanks around it. */
static bl_csv_field trimmed(bl_csv_field f) {
    while (f.n > 0 && blank(f.text[0])) f.text++, f.n--;
    while (f.n > 0 && blank(f.text[f.n - 1])) f.n--;
    return f;
}

/* Is `name` the column's? In any case; blanks, '-' and '_' are alike. */
static bool is_named(bl_csv_field name, const char *wanted) {
    if (name.n != strlen(wanted)) return false;
    for (size_t i = 0; i < name.n; i++) {
        const char c = name.text[i] == ' ' || name.text[i] == '-' ? '_' : name.text[i];
        if (tolower((unsigned char)c) != wanted[i]) return false;
    }
    return true;
}

static void list_names(bl_buf *out, const bl_csv *csv) {
    for (size_t i = 0; i < csv->count; i++) {
        const bl_csv_field f = trimmed(csv->field[i]);
        bl_buf_printf(out, "%s%.*s", i > 0 ? ", " : "", (int)bl_size_min(f.n, FIELD - 1), f.text);
    }
}

/* The header lacks a column: the message says what it has. */
static bl_status miss_column(reader *r, const char *wanted) {
    bl_buf names = {0};
    list_names(&names, &r->csv);
    const bl_status status =
        BL_ERR(r->err, BL_EFORMAT, "%s:%zu: the header has no column '%s'; it has: %s (%s)",
               r->csv.name, r->csv.line, wanted, bl_buf_text(&names), r->kind->allowed);
    bl_buf_free(&names);
    return status;
}

/* Which field holds which column; unknown columns are passed over. */
static bl_status parse_header(reader *r, bl_buf *found) {
    for (int c = 0; c < COLUMN_COUNT; c++) r->field_of[c] = -1;
    r->fields = r->csv.count;
    for (size_t i = 0; i < r->csv.count; i++) {
        const bl_csv_field f = trimmed(r->csv.field[i]);
        for (int c = 0; c < COLUMN_COUNT; c++) {
            if ((r->kind->read >> c & 1) == 0 || !is_named(f, columns[c])) continue;
            if (r->field_of[c] >= 0)
                BL_FAIL(r->err, BL_EFORMAT, "%s:%zu: column '%s' appears twice", r->csv.name,
                        r->csv.line, columns[c]);
            r->field_of[c] = (int)i;
            bl_buf_printf(found, "%s%.*s", found->len > 0 ? ", " : "", (int)f.n, f.text);
        }
    }
    for (size_t i = 0; i < BL_COUNT(r->kind->needed); i++)
        if (r->field_of[r->kind->needed[i]] < 0) return miss_column(r, columns[r->kind->needed[i]]);
    return BL_OK;
}

/* "inf", "nan" and hexadecimal numbers are refused: the first two by the domain, which is
 * finite. */
static bl_status parse_number(const reader *r, const char *text, column c, double *out) {
    if (text[0] == '\0' && c == STEPS)
        BL_FAIL(r->err, BL_EFORMAT,
                "%s:%zu: steps is empty; a run that did not arrive has its steps so far, and "
                "censored = 1",
                r->csv.name, r->csv.line);
    char *end;
    *out = strtod(text, &end);
    if (end == text || *end != '\0' || strpbrk(text, "xX") != NULL) /* strtod takes 0x20 */
        BL_FAIL(r->err, BL_EFORMAT, "%s:%zu: %s is '%s', which is no number", r->csv.name,
                r->csv.line, columns[c], text);
    const bool any = (c == STEPS_PREV && *out == 0) || (c == VALUE && isfinite(*out));
    if (!any && !bl_stats_in_domain(*out))
        BL_FAIL(r->err, BL_EFORMAT, "%s:%zu: %s is %s, allowed are %g to %g", r->csv.name,
                r->csv.line, columns[c], text, BL_STATS_LEAST, BL_STATS_MOST);
    return BL_OK;
}

/* A whole number, also as a spreadsheet writes it: 1.0. */
static bl_status parse_seed(const reader *r, const char *text, column c, int64_t *out) {
    char *end;
    errno = 0;
    const long long value = strtoll(text, &end, 10);
    const bool read = end != text && errno == 0;
    if (*end == '.') end += 1 + strspn(end + 1, "0");
    if (!read || *end != '\0')
        BL_FAIL(r->err, BL_EFORMAT, "%s:%zu: %s is '%s', which is no whole number", r->csv.name,
                r->csv.line, columns[c], text);
    *out = value;
    return BL_OK;
}

/* An empty field is a run that arrived. */
static bl_status parse_censored(const reader *r, const char *text, bool *out) {
    static const char *const no[] = {"", "0", "0.0", "false", "no"};
    static const char *const yes[] = {"1", "1.0", "true", "yes"};
    for (size_t i = 0; i < BL_COUNT(no); i++)
        if (strcasecmp(text, no[i]) == 0) {
            *out = false;
            return BL_OK;
        }
    for (size_t i = 0; i < BL_COUNT(yes); i++)
        if (strcasecmp(text, yes[i]) == 0) {
            *out = true;
            return BL_OK;
        }
    BL_FAIL(r->err, BL_EFORMAT, "%s:%zu: censored is '%s'; write 0 or 1", r->csv.name, r->csv.line,
            text);
}

/* Curves to two targets are two tables. */
static bl_status check_target(reader *r, const char *text) {
    if (r->target[0] == '\0') (void)snprintf(r->target, sizeof r->target, "%s", text);
    if (strcmp(r->target, text) == 0) return BL_OK;
    BL_FAIL(r->err, BL_EFORMAT,
            "%s:%zu: target is '%s', but '%s' above: one curve at a time, leave out the other rows",
            r->csv.name, r->csv.line, text, r->target);
}

/* A row while it is read. */
typedef struct row {
    bl_stats_point point;
    double seconds, cost, value, examples;
} row;

/* Puts one field into the row. An empty seed is 0, an empty steps_prev as well. */
static bl_status parse_field(reader *r, const char *text, column c, row *out) {
    bl_stats_point *point = &out->point;
    switch (c) {
    case BATCH_SIZE:
        return parse_number(r, text, c, &point->batch_size);
    case STEPS:
        return parse_number(r, text, c, &point->steps);
    case STEPS_PREV:
        return text[0] == '\0' ? BL_OK : parse_number(r, text, c, &point->steps_prev);
    case SEED:
    case REPEAT:
        return text[0] == '\0' ? BL_OK : parse_seed(r, text, c, &point->seed);
    case TARGET:
        return check_target(r, text);
    case SECONDS:
        return parse_number(r, text, c, &out->seconds);
    case COST:
        return parse_number(r, text, c, &out->cost);
    case VALUE:
        return parse_number(r, text, c, &out->value);
    case EXAMPLES:
        return parse_number(r, text, c, &out->examples);
    default:
        return parse_censored(r, text, &point->censored);
    }
}

static bl_status parse_fields(reader *r, row *out) {
    for (int c = 0; c < COLUMN_COUNT; c++) {
        if (r->field_of[c] < 0) continue;
        const bl_csv_field f = trimmed(r->csv.field[r->field_of[c]]);
        if (f.n >= FIELD)
            BL_FAIL(r->err, BL_EFORMAT, "%s:%zu: %s is longer than %d characters", r->csv.name,
                    r->csv.line, columns[c], FIELD - 1);
        char text[FIELD];
        memcpy(text, f.text, f.n);
        text[f.n] = '\0';
        BL_TRY(parse_field(r, text, (column)c, out));
    }
    return BL_OK;
}

/* One run more in the table. Optional columns have an array of their own, and only if the header
 * has them: so each array has as many elements as there are rows. */
static bl_status parse_row(reader *r, bl_fit_table *table) {
    row out = {.point.steps = 1};
    if (r->csv.count != r->fields)
        BL_FAIL(r->err, BL_EFORMAT, "%s:%zu: %zu field%s where the header has %zu", r->csv.name,
                r->csv.line, r->csv.count, r->csv.count == 1 ? "" : "s", r->fields);
    BL_TRY(parse_fields(r, &out));
    if (out.point.steps_prev >= out.point.steps)
        BL_FAIL(r->err, BL_EFORMAT, "%s:%zu: steps_prev is %g, but steps is %g", r->csv.name,
                r->csv.line, out.point.steps_prev, out.point.steps);
    size_t lines = table->count, seconds = lines, costs = lines, values = lines, examples = lines;
    *BL_PUSH(r->line, lines, "rows of a table") = r->csv.line;
    if (r->field_of[SECONDS] >= 0)
        *BL_PUSH(table->seconds, seconds, "rows of a table") = out.seconds;
    if (r->field_of[COST] >= 0) *BL_PUSH(table->cost, costs, "rows of a table") = out.cost;
    if (r->field_of[VALUE] >= 0) *BL_PUSH(table->value, values, "rows of a table") = out.value;
    if (r->field_of[EXAMPLES] >= 0)
        *BL_PUSH(table->examples, examples, "rows of a table") = out.examples;
    *BL_PUSH(table->points, table->count, "rows of a table") = out.point;
    return BL_OK;
}

/* A place in the table, for sorting. */
typedef struct place {
    const bl_stats_point *point;
    size_t line;
} place;

static int by_run(const void *pa, const void *pb) {
    const place *x = pa, *y = pb;
    const bl_stats_point *a = x->point, *b = y->point;
    if (a->batch_size != b->batch_size) return a->batch_size < b->batch_size ? -1 : 1;
    if (a->seed != b->seed) return a->seed < b->seed ? -1 : 1;
    if (a->steps != b->steps) return a->steps < b->steps ? -1 : 1;
    return (x->line > y->line) - (x->line < y->line);
}

/* Two rows of one run are a mistake: they would count as two seeds that agree. */
static bl_status check_repeats(const reader *r, const bl_fit_table *table) {
    if (r->field_of[SEED] < 0 && r->field_of[REPEAT] < 0) return BL_OK;
    place *at = bl_xalloc(table->count * sizeof *at);
    for (size_t i = 0; i < table->count; i++) at[i] = (place){&table->points[i], r->line[i]};
    qsort(at, table->count, sizeof *at, by_run);
    size_t first = 0, second = 0;
    for (size_t i = 1; i < table->count && second == 0; i++) {
        const bl_stats_point *a = at[i - 1].point, *b = at[i].point;
        if (a->batch_size != b->batch_size || a->seed != b->seed) continue;
        if (table->value != NULL && a->steps != b->steps) continue;
        first = bl_size_min(at[i - 1].line, at[i].line);
        second = bl_size_max(at[i - 1].line, at[i].line);
    }
    free(at);
    if (second == 0) return BL_OK;
    BL_FAIL(r->err, BL_EFORMAT, "%s:%zu: batch size and %s are those of line %zu", r->csv.name,
            second, r->kind->identity, first);
}

/* A line without a word, or a remark. */
static bool is_no_row(const bl_csv *csv) {
    const bl_csv_field f = trimmed(csv->field[0]);
    return (csv->count == 1 && f.n == 0) || (f.n > 0 && f.text[0] == '#');
}

/* Remarks before the header hold no separator that counts. */
static char separator_of(const char *text, size_t n) {
    const char *end = text + n;
    while (text < end && (*text == '#' || *text == '\n' || *text == '\r')) {
        const char *line = memchr(text, '\n', (size_t)(end - text));
        if (line == NULL) break;
        text = line + 1;
    }
    return bl_csv_separator(text, (size_t)(end - text));
}

/* The first row that is no remark is the header. */
static bl_status parse_rows(bl_fit_table *table, reader *r) {
    bool more, header = true;
    size_t header_line = 1;
    for (;;) {
        BL_TRY(bl_csv_row(&r->csv, &more, r->err));
        if (!more) break;
        if (is_no_row(&r->csv)) continue;
        BL_TRY(header ? parse_header(r, &table->found) : parse_row(r, table));
        if (header) header_line = r->csv.line;
        header = false;
    }
    if (header) BL_FAIL(r->err, BL_EFORMAT, "%s:1: empty, a header is expected", r->csv.name);
    if (table->count == 0)
        BL_FAIL(r->err, BL_EFORMAT, "%s:%zu: no row follows the header", r->csv.name, header_line);
    return check_repeats(r, table);
}

bl_status bl_fit_table_parse(bl_fit_table *table, bl_fit_kind kind, const char *text, size_t n,
                             const char *name, bl_err *err) {
    *table = (bl_fit_table){0};
    reader r = {.kind = &k_kinds[kind], .err = err};
    bl_csv_init(&r.csv, text, n, name, separator_of(text, n));
    const bl_status status = parse_rows(table, &r);
    bl_csv_free(&r.csv);
    free(r.line);
    if (status != BL_OK) bl_fit_table_free(table);
    return status;
}

void bl_fit_table_free(bl_fit_table *table) {
    free(table->points);
    free(table->seconds);
    free(table->cost);
    free(table->value);
    free(table->examples);
    bl_buf_free(&table->found);
    *table = (bl_fit_table){0};
}

/* ---- a table of times, size by size ---- */

typedef struct step_time {
    double batch_size, seconds; /* of one step */
    int64_t repeat;
} step_time;

static int by_size(const void *pa, const void *pb) {
    const step_time *a = pa, *b = pb;
    if (a->batch_size != b->batch_size) return a->batch_size < b->batch_size ? -1 : 1;
    return (a->repeat > b->repeat) - (a->repeat < b->repeat);
}

/* Seconds may be of many steps: `examples` says how many examples they took, so that one step is
 * seconds x batch_size / examples. All sizes share the array `seconds`: each points into its own
 * stretch. */
size_t bl_fit_table_sizes(const bl_fit_table *table, bl_stats_step_size *size, double *seconds) {
    step_time *time = bl_xalloc(table->count * sizeof *time);
    for (size_t i = 0; i < table->count; i++) {
        const bl_stats_point *p = &table->points[i];
        const double examples = table->examples != NULL ? table->examples[i] : p->batch_size;
        time[i] = (step_time){p->batch_size, table->seconds[i] * p->batch_size / examples, p->seed};
    }
    qsort(time, table->count, sizeof *time, by_size);
    size_t n = 0;
    for (size_t i = 0; i < table->count; i++) {
        seconds[i] = time[i].seconds;
        if (i == 0 || time[i].batch_size != time[i - 1].batch_size)
            size[n++] =
                (bl_stats_step_size){.batch_size = time[i].batch_size, .seconds = seconds + i};
        size[n - 1].repeats++;
    }
    free(time);
    return n;
}
