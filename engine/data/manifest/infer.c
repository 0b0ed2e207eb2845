/* Looking at a user's table and writing its declaration, datasets/NAME.cfg.
 *
 * One pass over the text counts, for each column: values, distinct values, whether all are numbers,
 * integers or dates, range and sums. Then each column gets a kind by the first rule that fits
 * (decide_kind), the target and the split are chosen, and the declaration is written as text that
 * the user may change. The rules are meant to be right for most columns and to say why where they
 * leave one out; the thresholds are the enum below. */
#include "engine/data/manifest/infer.h"
#include "engine/base/mem.h"
#include "engine/base/sha256.h"
#include "engine/data/table/calendar.h"
#include "engine/data/table/csv.h"
#include <string.h>

enum {
    MOST_VALUES = 65535, /* of a categorical column */
    FEW_INTEGERS = 20,   /* integers with more values are quantities */
    ROWS_PER_CODE = 10,  /* unless they count up from 0 or 1 and each is there so often */
    ROWS_PER_TEXT = 3    /* texts that repeat less often name single rows */
};
/* A target whose skewness is above this is learnt as its logarithm: 1 is half that of an
 * exponential. */
static const double SKEWED = 1.0;

/* ---- looking ---- */

/* Names of the columns from the first row: one line each, no two alike. Empty ones may repeat. */
static bl_status read_header(bl_inferred *out, const bl_csv *csv, bl_err *err) {
    out->column = bl_xalloc((csv->count + 1) * sizeof *out->column);
    for (size_t i = 0; i < csv->count; i++) {
        const bl_csv_field f = csv->field[i];
        bl_inferred_column *c = &out->column[out->columns++];
        *c = (bl_inferred_column){
            .numbers = true, .integers = true, .dates = true, .low = INFINITY, .high = -INFINITY};
        bl_dict_init(&c->values);
        c->name = bl_xalloc(f.n + 1);
        memcpy(c->name, f.text, f.n);
        for (size_t k = 0; k < f.n; k++)
            if ((unsigned char)f.text[k] < 32)
                BL_FAIL(err, BL_EFORMAT, "%s:1: error: the name of column %zu is no single line",
                        csv->name, i + 1);
        for (size_t k = 0; k < i && f.n > 0; k++)
            if (strcmp(out->column[k].name, c->name) == 0)
                BL_FAIL(err, BL_EFORMAT, "%s:1: error: there are two columns '%s'", csv->name,
                        c->name);
    }
    return BL_OK;
}

/* Adds one value to what is known of its column. */
static void observe_value(bl_inferred_column *c, bl_csv_field f) {
    double x;
    int32_t days;
    if (bl_csv_missing(f)) return;
    c->present++;
    if (c->values.count <= MOST_VALUES + 1) (void)bl_dict_add(&c->values, f.text, f.n);
    c->dates = c->dates && bl_parse_date(f.text, f.n, &days);
    c->numbers = c->numbers && bl_csv_number(f, &x);
    if (!c->numbers) return;
    c->integers = c->integers && fabs(x) < 0x1p53 && x == (double)(int64_t)x;
    c->low = x < c->low ? x : c->low;
    c->high = x > c->high ? x : c->high;
    c->sum += x;
    c->squares += x * x;
    c->cubes += x * x * x;
    if (x <= 0) return;
    c->log_sum += log(x);
    c->log_squares += log(x) * log(x);
}

/* The header and every row; the number of fields must not change. */
static bl_status read_rows(bl_inferred *out, bl_csv *csv, bl_err *err) {
    bool more;
    BL_TRY(bl_csv_row(csv, &more, err));
    if (!more) BL_FAIL(err, BL_EFORMAT, "%s:1: error: the file is empty", csv->name);
    BL_TRY(read_header(out, csv, err));
    for (;;) {
        BL_TRY(bl_csv_row(csv, &more, err));
        if (!more) return BL_OK;
        if (csv->count != out->columns)
            BL_FAIL(err, BL_EFORMAT, "%s:%zu: error: %zu fields, the header has %zu", csv->name,
                    csv->line, csv->count, out->columns);
        for (size_t i = 0; i < out->columns; i++) observe_value(&out->column[i], csv->field[i]);
        out->rows++;
    }
}

/* ---- deciding ---- */

static void ignore_column(bl_inferred_column *c, const char *why) {
    c->kind = BL_KIND_IGNORED;
    c->why = why;
}

/* Integers that are names rather than amounts. */
static bool are_codes(const bl_inferred_column *c) {
    if (!c->integers || c->distinct * ROWS_PER_CODE > c->present) return false;
    const bool counts_up = (c->low == 0 || c->low == 1) && c->distinct <= MOST_VALUES &&
                           c->high - c->low + 1 == (double)c->distinct;
    return c->distinct <= FEW_INTEGERS || counts_up;
}

/* The first rule that fits decides. */
static void decide_kind(bl_inferred_column *c, size_t rows) {
    c->distinct = c->values.count - 1;
    c->type = c->numbers ? BL_COLUMN_NUMBER : c->dates ? BL_COLUMN_DATE : BL_COLUMN_TEXT;
    if (c->name[0] == '\0') { /* such as the row numbers that pandas writes */
        ignore_column(c, "it has no name");
    } else if (c->distinct <= 1) {
        ignore_column(c, c->distinct == 0 ? "it is empty" : "it has one value");
    } else if (c->dates) {
        c->kind = BL_KIND_DATE;
    } else if (c->numbers && c->integers && c->distinct == rows && rows > FEW_INTEGERS) {
        ignore_column(c, "it numbers the rows");
    } else if (c->numbers) {
        c->kind = are_codes(c) ? BL_KIND_CATEGORICAL : BL_KIND_CONTINUOUS;
    } else if (c->distinct > MOST_VALUES || c->distinct * ROWS_PER_TEXT > c->present) {
        ignore_column(c, "its texts hardly ever repeat");
    } else {
        c->kind = BL_KIND_CATEGORICAL;
    }
}

static bl_inferred_column *find_column(const bl_inferred *in, const char *name) {
    for (size_t i = 0; i < in->columns; i++)
        if (name[0] != '\0' && strcmp(in->column[i].name, name) == 0) return &in->column[i];
    return NULL;
}

static bl_status fail_no_column(const bl_inferred *in, const char *name, const char *file,
                                bl_err *err) {
    bl_buf names = {0};
    for (size_t i = 0; i < in->columns; i++)
        bl_buf_printf(&names, "%s%s", i > 0 ? ", " : "", in->column[i].name);
    (void)BL_ERR(err, BL_EINVAL, "%s:1: error: no column '%s'; the columns are %.1000s", file, name,
                 bl_buf_text(&names));
    bl_buf_free(&names);
    return BL_EINVAL;
}

/* From sums over n values, which cancel where the mean is large against the deviation. */
static double deviation(double sum, double squares, double n) {
    const double variance = squares / n - sum / n * (sum / n);
    return variance > 0 ? sqrt(variance) : 0;
}

/* The third central moment over the cube of the deviation. */
static double skewness(const bl_inferred_column *c) {
    const double n = (double)c->present, mean = c->sum / n, d = deviation(c->sum, c->squares, n);
    const double third = c->cubes / n - 3 * mean * c->squares / n + 2 * mean * mean * mean;
    return d > 0 ? third / (d * d * d) : 0;
}

/* The target must be a number that varies. Also decides whether it is learnt as its logarithm, what
 * error its mean makes, and how many rows are held out. */
static bl_status decide_target(bl_inferred *in, const char *target, const char *file, bl_err *err) {
    bl_inferred_column *c = find_column(in, target);
    if (c == NULL) return fail_no_column(in, target, file, err);
    if (c->numbers && c->present < 20)
        BL_FAIL(err, BL_EINVAL, "%s: %zu rows have a target; at least 20 are needed", file,
                c->present);
    if (!c->numbers || c->distinct < 2)
        BL_FAIL(err, BL_EINVAL, "%s: the target '%s' %s", file, target,
                c->numbers ? "has the same value in every row" : "holds more than numbers");
    c->kind = BL_KIND_TARGET;
    c->why = NULL;
    in->target = (size_t)(c - in->column);
    const double n = (double)c->present;
    in->log = c->low > 0 && skewness(c) > SKEWED;
    in->spread =
        in->log ? deviation(c->log_sum, c->log_squares, n) : deviation(c->sum, c->squares, n);
    in->valid_rows = c->present / 10 > 0 ? c->present / 10 : 1;
    return BL_OK;
}

/* The date that the split goes by: the one asked for, else the first; none is no fault. */
static bl_status decide_date(bl_inferred *in, const char *date, const char *file, bl_err *err) {
    for (size_t i = 0; i < in->columns && date == NULL && in->by == NULL; i++)
        if (in->column[i].kind == BL_KIND_DATE) in->by = in->column[i].name;
    if (date == NULL) return BL_OK;
    const bl_inferred_column *c = find_column(in, date);
    if (c == NULL) return fail_no_column(in, date, file, err);
    if (c->kind != BL_KIND_DATE)
        BL_FAIL(err, BL_EINVAL, "%s: column '%s' holds more than dates YYYY-MM-DD", file, date);
    in->by = c->name;
    return BL_OK;
}

static bl_status decide_all(bl_inferred *in, const char *file, const char *target, const char *date,
                            bl_err *err) {
    size_t inputs = 0;
    for (size_t i = 0; i < in->columns; i++) decide_kind(&in->column[i], in->rows);
    BL_TRY(decide_target(in, target, file, err));
    BL_TRY(decide_date(in, date, file, err));
    for (size_t i = 0; i < in->columns; i++)
        inputs += in->column[i].kind != BL_KIND_IGNORED && in->column[i].kind != BL_KIND_TARGET;
    if (inputs == 0) BL_FAIL(err, BL_EINVAL, "%s: no column is left to learn from", file);
    return BL_OK;
}

bl_status bl_infer(bl_inferred *out, const char *text, size_t n, const char *name,
                   const char *target, const char *date, bl_err *err) {
    bl_csv csv;
    *out = (bl_inferred){.separator = bl_csv_separator(text, n)};
    bl_sha256_of(text, n, out->sha256);
    bl_csv_init(&csv, text, n, name, out->separator);
    bl_status status = read_rows(out, &csv, err);
    bl_csv_free(&csv);
    if (status == BL_OK) status = decide_all(out, name, target, date, err);
    if (status != BL_OK) bl_inferred_free(out);
    return status;
}

void bl_inferred_free(bl_inferred *inferred) {
    for (size_t i = 0; i < inferred->columns; i++) {
        free(inferred->column[i].name);
        bl_dict_free(&inferred->column[i].values);
    }
    free(inferred->column);
    *inferred = (bl_inferred){0};
}

/* ---- writing ---- */

/* A string of the configuration's grammar. */
static void write_quoted(bl_buf *out, const char *text) {
    bl_buf_str(out, "\"");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') bl_buf_str(out, "\\");
        bl_buf_add(out, text, 1);
    }
    bl_buf_str(out, "\"");
}

typedef bool wanted(const bl_inferred_column *column);
static bool is_number(const bl_inferred_column *c) {
    return c->kind != BL_KIND_IGNORED && c->type == BL_COLUMN_NUMBER;
}
static bool is_text(const bl_inferred_column *c) {
    return c->kind != BL_KIND_IGNORED && c->type == BL_COLUMN_TEXT;
}
static bool is_date(const bl_inferred_column *c) {
    return c->kind == BL_KIND_DATE;
}
static bool is_categorical(const bl_inferred_column *c) {
    return c->kind == BL_KIND_CATEGORICAL;
}
static bool is_continuous(const bl_inferred_column *c) {
    return c->kind == BL_KIND_CONTINUOUS;
}
static bool is_ignored(const bl_inferred_column *c) {
    return c->kind == BL_KIND_IGNORED && c->name[0] != '\0';
}

static const char *const parts[] = {"year", "month", "week", "day", "weekday"};

/* `key = ["a", "b"];`, with `date_parts` the parts of every date column, too. */
static void write_names(const bl_inferred *in, const char *indent, const char *key, wanted *want,
                        bool date_parts, bl_buf *out) {
    size_t n = 0;
    bl_buf_printf(out, "%s%s = [", indent, key);
    for (size_t i = 0; i < in->columns; i++) {
        const bl_inferred_column *c = &in->column[i];
        for (size_t p = 0; date_parts && is_date(c) && p < BL_COUNT(parts); p++) {
            bl_buf name = {0};
            bl_buf_printf(&name, "%s %s", c->name, parts[p]);
            bl_buf_str(out, n++ ? ", " : "");
            write_quoted(out, bl_buf_text(&name));
            bl_buf_free(&name);
        }
        if (!want(c)) continue;
        bl_buf_str(out, n++ ? ", " : "");
        write_quoted(out, c->name);
    }
    bl_buf_str(out, "];\n");
}

/* The parts of each date as derived columns. */
static void write_derived(const bl_inferred *in, bl_buf *out) {
    size_t n = 0;
    for (size_t i = 0; i < in->columns; i++) {
        const bl_inferred_column *c = &in->column[i];
        for (size_t p = 0; is_date(c) && p < BL_COUNT(parts); p++) {
            bl_buf name = {0};
            bl_buf_printf(&name, "%s %s", c->name, parts[p]);
            bl_buf_str(out, n++ ? ",\n" : "\n# Parts of dates, as categories.\nderived = (\n");
            bl_buf_str(out, "  { op = \"date_part\"; name = ");
            write_quoted(out, bl_buf_text(&name));
            bl_buf_str(out, "; of = ");
            write_quoted(out, c->name);
            bl_buf_printf(out, "; part = \"%s\"; }", parts[p]);
            bl_buf_free(&name);
        }
    }
    if (n > 0) bl_buf_str(out, "\n);\n");
}

static void write_table(const bl_inferred *in, const char *file, bl_buf *out) {
    bl_buf_str(out, "\ntables = (\n  {\n    name = \"table\";\n");
    if (in->separator != ',')
        bl_buf_printf(out, "    separator = \"%s\";\n",
                      in->separator == '\t' ? "\\t" : (char[]){in->separator, '\0'});
    write_names(in, "    ", "number", is_number, false, out);
    write_names(in, "    ", "date", is_date, false, out);
    write_names(in, "    ", "text", is_text, false, out);
    bl_buf_str(out, "    files = ( { file = ");
    write_quoted(out, file);
    bl_buf_printf(out, "; sha256 = \"%s\"; } );\n  }\n);\n", in->sha256);
}

void bl_inferred_manifest(const bl_inferred *in, const char *folder, const char *file,
                          bl_buf *out) {
    const bl_inferred_column *target = &in->column[in->target];
    bl_buf_printf(
        out,
        "# %zu rows, declared by looking at them. Change what was guessed wrong, and "
        "ignore columns whose\n# values are not known in advance. docs/data.md explains each "
        "part.\norigin = ",
        in->rows);
    write_quoted(out, file);
    bl_buf_str(out, ";\nfolder = ");
    write_quoted(out, folder);
    bl_buf_str(out, ";\n");
    write_table(in, file, out);
    write_derived(in, out);
    if (target->present < in->rows) {
        bl_buf_str(out, "\n# Rows without a target are left out.\nfilters = ( { column = ");
        write_quoted(out, target->name);
        bl_buf_str(out, "; above = -1e300; } );\n");
    }
    bl_buf_printf(out, "\n# %s are for validation.\nsplit = { ",
                  in->by != NULL ? "The latest rows" : "The last rows");
    if (in->by != NULL) {
        bl_buf_str(out, "by = ");
        write_quoted(out, in->by);
        bl_buf_str(out, "; ");
    }
    bl_buf_printf(out, "valid = %zu; };\n\ntarget = ", in->valid_rows);
    write_quoted(out, target->name);
    bl_buf_printf(out, ";\ntransform = \"%s\";\n", in->log ? "log" : "none");
    write_names(in, "", "categorical", is_categorical, true, out);
    write_names(in, "", "continuous", is_continuous, false, out);
    write_names(in, "", "ignored", is_ignored, false, out);
    for (size_t i = 0; i < in->columns; i++)
        if (in->column[i].why != NULL)
            bl_buf_printf(out, "# '%s' is ignored: %s.\n", in->column[i].name, in->column[i].why);
}
