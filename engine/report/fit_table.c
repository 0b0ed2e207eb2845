/* Reading the table of `batchlab fit`: CSV with a header, columns found by name, one run a row. */
#include "engine/report/fit_table.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

typedef enum column { BATCH_SIZE, STEPS, STEPS_PREV, SEED, CENSORED, TARGET, COLUMN_COUNT } column;
static const char *const columns[] = {
    [BATCH_SIZE] = "batch_size", [STEPS] = "steps",  [STEPS_PREV] = "steps_prev", [SEED] = "seed",
    [CENSORED] = "censored",     [TARGET] = "target"};
_Static_assert(BL_COUNT(columns) == COLUMN_COUNT, "a name for each");

enum { FIELD = 64, FIELDS_MAX = 4096 };

typedef struct reader {
    const char *at, *end; /* of the current line */
    const char *name;
    size_t line;
    int field_of[COLUMN_COUNT]; /* -1: not in the header */
    size_t fields;              /* of the header */
    bool cut;                   /* the last field was longer than FIELD */
    char target[FIELD];         /* of the rows so far; empty: none has one */
    bl_err *err;
} reader;

static bool blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

/* The next field without blanks and quotes around it, cut to what a number can need: other columns
 * may hold anything. False at the end of the line. */
static bool next_field(reader *r, char out[FIELD]) {
    if (r->at > r->end) return false;
    size_t n = 0;
    r->cut = false;
    while (r->at < r->end && blank(*r->at)) r->at++;
    bool quoted = false;
    for (; r->at < r->end && (quoted || *r->at != ','); r->at++) {
        if (*r->at == '"')
            quoted = !quoted;
        else if (n < FIELD - 1)
            out[n++] = *r->at;
        else
            r->cut = true;
    }
    r->at++; /* the comma, or past the end of the line */
    while (n > 0 && blank(out[n - 1])) n--;
    out[n] = '\0';
    return true;
}

/* Which field holds which column; unknown columns are passed over. */
static bl_status parse_header(reader *r) {
    char field[FIELD];
    for (int c = 0; c < COLUMN_COUNT; c++) r->field_of[c] = -1;
    while (next_field(r, field)) {
        if (r->fields == FIELDS_MAX)
            BL_FAIL(r->err, BL_EFORMAT, "%s:%zu: more than %d columns", r->name, r->line,
                    FIELDS_MAX);
        for (int c = 0; c < COLUMN_COUNT; c++) {
            if (strcmp(field, columns[c]) != 0) continue;
            if (r->field_of[c] >= 0)
                BL_FAIL(r->err, BL_EFORMAT, "%s:%zu: column '%s' appears twice", r->name, r->line,
                        field);
            r->field_of[c] = (int)r->fields;
        }
        r->fields++;
    }
    for (int c = BATCH_SIZE; c <= STEPS; c++)
        if (r->field_of[c] < 0)
            BL_FAIL(r->err, BL_EFORMAT,
                    "%s:%zu: the header has no column '%s' (needed: batch_size, steps; read when "
                    "present: steps_prev, seed, censored, target)",
                    r->name, r->line, columns[c]);
    return BL_OK;
}

static bl_status parse_number(const reader *r, const char *text, column c, double *out) {
    char *end;
    *out = strtod(text, &end);
    if (end == text || *end != '\0')
        BL_FAIL(r->err, BL_EFORMAT, "%s:%zu: %s is '%s', which is no number", r->name, r->line,
                columns[c], text);
    const bool zero = c == STEPS_PREV && *out == 0;
    if (!zero && !bl_stats_in_domain(*out))
        BL_FAIL(r->err, BL_EFORMAT, "%s:%zu: %s is %s, allowed are %g to %g", r->name, r->line,
                columns[c], text, BL_STATS_LEAST, BL_STATS_MOST);
    return BL_OK;
}

static bl_status parse_seed(const reader *r, const char *text, int64_t *out) {
    char *end;
    errno = 0;
    const long long value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0)
        BL_FAIL(r->err, BL_EFORMAT, "%s:%zu: seed is '%s', which is no whole number", r->name,
                r->line, text);
    *out = value;
    return BL_OK;
}

static bl_status parse_censored(const reader *r, const char *text, bool *out) {
    static const char *const no[] = {"", "0", "false", "no"}, *const yes[] = {"1", "true", "yes"};
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
    BL_FAIL(r->err, BL_EFORMAT, "%s:%zu: censored is '%s'; write 0 or 1", r->name, r->line, text);
}

/* Curves to two targets are two tables. */
static bl_status check_target(reader *r, const char *text) {
    if (r->target[0] == '\0') (void)snprintf(r->target, sizeof r->target, "%s", text);
    if (strcmp(r->target, text) == 0) return BL_OK;
    BL_FAIL(r->err, BL_EFORMAT,
            "%s:%zu: target is '%s', but '%s' above: one curve at a time, leave out the other rows",
            r->name, r->line, text, r->target);
}

static bl_status parse_field(reader *r, const char *text, column c, bl_stats_point *point) {
    if (r->cut)
        BL_FAIL(r->err, BL_EFORMAT, "%s:%zu: %s is longer than %d characters", r->name, r->line,
                columns[c], FIELD - 1);
    switch (c) {
    case BATCH_SIZE:
        return parse_number(r, text, c, &point->batch_size);
    case STEPS:
        return parse_number(r, text, c, &point->steps);
    case STEPS_PREV:
        return text[0] == '\0' ? BL_OK : parse_number(r, text, c, &point->steps_prev);
    case SEED:
        return text[0] == '\0' ? BL_OK : parse_seed(r, text, &point->seed);
    case TARGET:
        return check_target(r, text);
    default:
        return parse_censored(r, text, &point->censored);
    }
}

/* One run more in the table. */
static bl_status parse_row(reader *r, bl_fit_table *table) {
    char field[FIELD];
    bl_stats_point point = {0};
    size_t n = 0;
    for (; next_field(r, field); n++)
        for (int c = 0; c < COLUMN_COUNT; c++)
            if (r->field_of[c] == (int)n) BL_TRY(parse_field(r, field, c, &point));
    if (n != r->fields)
        BL_FAIL(r->err, BL_EFORMAT, "%s:%zu: %zu field%s where the header has %zu", r->name,
                r->line, n, n == 1 ? "" : "s", r->fields);
    if (point.steps_prev >= point.steps)
        BL_FAIL(r->err, BL_EFORMAT, "%s:%zu: steps_prev is %g, but steps is %g", r->name, r->line,
                point.steps_prev, point.steps);
    *BL_PUSH(table->points, table->count, "rows of a table") = point;
    return BL_OK;
}

static bl_status parse_lines(bl_fit_table *table, reader *r, const char *text, size_t n) {
    const char *const end = text + n;
    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) text += 3; /* a byte order mark */
    bool header = true;
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        r->at = text;
        r->end = newline != NULL ? newline : end;
        r->line++;
        text = newline != NULL ? newline + 1 : end;
        const char *first = r->at;
        while (first < r->end && blank(*first)) first++;
        if (first == r->end) continue;
        if (memchr(r->at, '\0', (size_t)(r->end - r->at)) != NULL)
            BL_FAIL(r->err, BL_EFORMAT, "%s:%zu: a zero byte; this is no text", r->name, r->line);
        BL_TRY(header ? parse_header(r) : parse_row(r, table));
        header = false;
    }
    if (header) BL_FAIL(r->err, BL_EFORMAT, "%s:1: empty, a header is expected", r->name);
    if (table->count == 0)
        BL_FAIL(r->err, BL_EFORMAT, "%s:%zu: no row follows the header", r->name, r->line);
    return BL_OK;
}

bl_status bl_fit_table_parse(bl_fit_table *table, const char *text, size_t n, const char *name,
                             bl_err *err) {
    *table = (bl_fit_table){0};
    reader r = {.name = name, .err = err};
    const bl_status status = parse_lines(table, &r, text, n);
    if (status != BL_OK) bl_fit_table_free(table);
    return status;
}

void bl_fit_table_free(bl_fit_table *table) {
    free(table->points);
    *table = (bl_fit_table){0};
}
