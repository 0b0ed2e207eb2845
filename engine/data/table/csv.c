/* Reading CSV (RFC 4180, with any one-character separator) without copying.
 *
 * A field is a pointer and a length into the caller's text. Only a quoted field with doubled quotes
 * needs a copy: it goes to csv->unquoted, which is reused by the next row. Lines end in LF or CRLF;
 * empty lines are skipped; a byte order mark at the beginning is skipped. Quoted fields may hold
 * line ends, so csv->line is counted, not derived from the row. */
#include "engine/data/table/csv.h"
#include "engine/base/mem.h"
#include <math.h>
#include <stdint.h>
#include <string.h>

void bl_csv_init(bl_csv *csv, const char *text, size_t n, const char *name, char separator) {
    *csv = (bl_csv){.at = text,
                    .end = text + n,
                    .name = name,
                    .separator = separator,
                    .line_end = '\n',
                    .next_line = 1};
    if (n > 0 && memchr(text, '\n', n) == NULL && memchr(text, '\r', n) != NULL)
        csv->line_end = '\r';
    csv->ends_field[(unsigned char)separator] = true;
    if (separator == BL_CSV_BLANKS) csv->ends_field[' '] = csv->ends_field['\t'] = true;
    csv->ends_field[(unsigned char)csv->line_end] = true;
    csv->ends_field[0] = true; /* to be refused */
    if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) csv->at += 3;
}

void bl_csv_free(bl_csv *csv) {
    free(csv->field);
    bl_buf_free(&csv->unquoted);
    *csv = (bl_csv){0};
}

static bl_status add_field(bl_csv *csv, const char *text, size_t n, bl_err *err) {
    if (csv->count == csv->capacity) {
        const size_t most = csv->most > 0 ? csv->most : BL_CSV_FIELDS;
        if (csv->capacity >= most)
            BL_FAIL(err, BL_EFORMAT, "%s:%zu: error: more than %zu fields", csv->name, csv->line,
                    most);
        csv->capacity = csv->capacity ? csv->capacity * 2 : 32;
        csv->field = bl_xrealloc(csv->field, csv->capacity * sizeof *csv->field);
    }
    csv->field[csv->count++] = (bl_csv_field){text, n};
    return BL_OK;
}

static bl_status fail_zero_byte(const bl_csv *csv, bl_err *err) {
    BL_FAIL(err, BL_EFORMAT, "%s:%zu: error: a zero byte: this is no text", csv->name, csv->line);
}

/* A quoted field: `at` is behind its opening quote. Doubled quotes are undone in csv->unquoted, as
 * an offset first (text == NULL), because the buffer may still move; bl_csv_row makes it a pointer.
 */
static bl_status read_quoted_field(bl_csv *csv, bl_err *err) {
    const char *start = csv->at;
    const size_t offset = csv->unquoted.len;
    bool copied = false;
    for (;;) {
        const char *quote = memchr(csv->at, '"', (size_t)(csv->end - csv->at));
        if (quote == NULL)
            BL_FAIL(err, BL_EFORMAT, "%s:%zu: error: a quoted field does not end", csv->name,
                    csv->line);
        for (const char *p = csv->at; p < quote; p++) {
            if (*p == '\0') return fail_zero_byte(csv, err);
            csv->next_line += *p == csv->line_end;
        }
        csv->at = quote + 1;
        if (csv->at == csv->end || *csv->at != '"') {
            if (!copied) return add_field(csv, start, (size_t)(quote - start), err);
            bl_buf_add(&csv->unquoted, start, (size_t)(quote - start));
            return add_field(csv, NULL, csv->unquoted.len - offset, err);
        }
        bl_buf_add(&csv->unquoted, start, (size_t)(csv->at - start));
        copied = true;
        start = ++csv->at;
    }
}

/* A blank that is no separator. */
static bool is_blank(const bl_csv *csv, char c) {
    return (c == ' ' || c == '\t') && c != csv->separator && csv->separator != BL_CSV_BLANKS;
}

/* With BL_CSV_BLANKS: passes over what stands between fields, and round them. */
static void skip_separators(bl_csv *csv) {
    if (csv->separator != BL_CSV_BLANKS) return;
    while (csv->at < csv->end && (*csv->at == ' ' || *csv->at == '\t')) csv->at++;
}

/* With csv->trim: passes over blanks in front of a field, and behind its closing quote. */
static void skip_blanks(bl_csv *csv) {
    const char *p = csv->at;
    if (!csv->trim) return;
    while (p < csv->end && is_blank(csv, *p)) p++;
    csv->trimmed = csv->trimmed || p > csv->at;
    csv->at = p;
}

/* The field at csv->at, up to its separator or line end, which is left there. */
static bl_status read_field(bl_csv *csv, bl_err *err) {
    skip_blanks(csv);
    if (csv->at < csv->end && *csv->at == '"') {
        csv->at++;
        BL_TRY(read_quoted_field(csv, err));
        skip_blanks(csv);
        const char c = csv->at < csv->end ? *csv->at : csv->line_end;
        if (!csv->ends_field[(unsigned char)c] && c != '\r')
            BL_FAIL(err, BL_EFORMAT, "%s:%zu: error: text after a closing quote", csv->name,
                    csv->line);
        return BL_OK;
    }
    const char *start = csv->at, *p = start, end = csv->line_end;
    while (p < csv->end && !csv->ends_field[(unsigned char)*p]) p++;
    if (p < csv->end && *p == '\0') return fail_zero_byte(csv, err);
    csv->at = p;
    if ((p == csv->end || *p == end) && p > start && p[-1] == '\r') p--;
    if (csv->trim && p > start && is_blank(csv, p[-1])) {
        csv->trimmed = true;
        while (p > start && is_blank(csv, p[-1])) p--;
    }
    return add_field(csv, start, (size_t)(p - start), err);
}

/* Turns the offsets into csv->unquoted into pointers, once it no longer moves. Copies lie there in
 * the order of their fields. */
static void resolve_unquoted(bl_csv *csv) {
    if (csv->unquoted.len == 0) return;
    const char *text = bl_buf_text(&csv->unquoted);
    for (size_t i = 0; i < csv->count; i++) {
        if (csv->field[i].text != NULL) continue;
        csv->field[i].text = text;
        text += csv->field[i].n;
    }
}

/* Empty lines are passed over, and csv->line is that of the row's first field. Fields point into
 * the file's text, those with doubled quotes into csv->unquoted: until the next row. */
bl_status bl_csv_row(bl_csv *csv, bool *more, bl_err *err) {
    csv->count = 0;
    bl_buf_clear(&csv->unquoted);
    skip_separators(csv);
    while (csv->at < csv->end &&
           (*csv->at == csv->line_end ||
            (*csv->at == '\r' && csv->at + 1 < csv->end && csv->at[1] == '\n'))) {
        csv->next_line += *csv->at == csv->line_end;
        csv->at++;
        skip_separators(csv);
    }
    *more = csv->at < csv->end;
    csv->line = csv->next_line;
    while (*more) {
        BL_TRY(read_field(csv, err));
        skip_separators(csv);
        if (csv->at < csv->end && *csv->at == '\r' && csv->line_end != '\r') {
            csv->at++;
            if (csv->at < csv->end && *csv->at != '\n')
                BL_FAIL(err, BL_EFORMAT, "%s:%zu: error: text after a closing quote", csv->name,
                        csv->line);
        }
        if (csv->at == csv->end) break;
        const bool ends = *csv->at == csv->line_end;
        csv->next_line += ends;
        csv->at += ends || csv->separator != BL_CSV_BLANKS;
        if (ends) break;
    }
    resolve_unquoted(csv);
    return BL_OK;
}

/* The blank is for bl_csv_separator_or_blank alone. */
static const char k_separators[] = ",;\t| ";
enum { SEPARATORS = sizeof k_separators - 1, BLANK = SEPARATORS - 1, LOOKED_AT = 20 /* lines */ };

/* How often each separator stands outside quotes in the line at *at, which moves behind it. */
static void count_separators(size_t count[SEPARATORS], const char **at, const char *end) {
    bool quoted = false;
    memset(count, 0, SEPARATORS * sizeof *count);
    for (const char *p = *at; p < end; p++) {
        if (*p == '"') quoted = !quoted;
        if (quoted) continue;
        if (*p == '\n' || *p == '\r') {
            *at = p + 1;
            return;
        }
        const char *which = *p != '\0' ? strchr(k_separators, *p) : NULL;
        if (which != NULL) count[which - k_separators]++;
    }
    *at = end;
}

/* Two blanks or tabs in a row, or one in front of a line. */
static bool has_wide_gap(const char *p, const char *end) {
    for (char before = '\n'; p < end; before = *p++)
        if ((*p == ' ' || *p == '\t') && strchr(" \t\r\n", before) != NULL) return true;
    return false;
}

/* Do the first lines have as many fields each between blanks, and somewhere a wide gap? */
static bool is_lined_up(const char *text, size_t n) {
    bl_csv csv;
    bool more = true, same = true;
    size_t fields = 0;
    bl_csv_init(&csv, text, n, "", BL_CSV_BLANKS);
    for (size_t row = 0; row < LOOKED_AT && same && more; row++) {
        same = bl_csv_row(&csv, &more, NULL) == BL_OK;
        if (!same || !more) break;
        if (row == 0) fields = csv.count;
        same = csv.count == fields;
    }
    const bool wide = has_wide_gap(text, csv.at);
    bl_csv_free(&csv);
    return same && fields > 1 && wide;
}

/* Most separators a line wins among those that all lines have as often; without any, the most
 * frequent in line one. */
static char find_separator(const char *text, size_t n, bool blanks) {
    size_t first[SEPARATORS], count[SEPARATORS], best = 0;
    bool same[SEPARATORS];
    const char *at = text, *end = text + n;
    count_separators(first, &at, end);
    for (size_t k = 0; k < SEPARATORS; k++) same[k] = first[k] > 0;
    for (size_t line = 1; line < LOOKED_AT && at < end; line++) {
        const char *start = at;
        count_separators(count, &at, end);
        if (at - start < 2) continue; /* an empty line, or the LF behind a CR */
        for (size_t k = 0; k < SEPARATORS; k++) same[k] = same[k] && count[k] == first[k];
    }
    for (size_t k = 1; k < BLANK; k++)
        if (same[k] != same[best] ? same[k] : first[k] > first[best]) best = k;
    if (!blanks || first[best] > 0) return k_separators[best];
    if (is_lined_up(text, n)) return BL_CSV_BLANKS;
    return k_separators[same[BLANK] ? BLANK : best];
}

char bl_csv_separator(const char *text, size_t n) {
    return find_separator(text, n, false);
}

char bl_csv_separator_or_blank(const char *text, size_t n) {
    return find_separator(text, n, true);
}

bool bl_csv_missing(bl_csv_field f) {
    return f.n == 0 || (f.n == 2 && f.text[0] == 'N' && f.text[1] == 'A');
}

/* What the short form below cannot hold exactly. The program never calls setlocale. */
static bool parse_long_number(bl_csv_field f, double *value) {
    char copy[512], *end;
    if (f.n >= sizeof copy) return false;
    memcpy(copy, f.text, f.n);
    copy[f.n] = '\0';
    *value = strtod(copy, &end);
    return *end == '\0' && isfinite(*value);
}

/* [sign] digits [. digits] [e exponent]; strtod alone would also take hex, nan and spaces. */
static bool is_number(bl_csv_field f) {
    size_t i = 0, digits = 0;
    if (i < f.n && (f.text[i] == '-' || f.text[i] == '+')) i++;
    for (; i < f.n && f.text[i] >= '0' && f.text[i] <= '9'; i++) digits++;
    if (i < f.n && f.text[i] == '.')
        for (i++; i < f.n && f.text[i] >= '0' && f.text[i] <= '9'; i++) digits++;
    if (digits == 0) return false;
    if (i < f.n && (f.text[i] == 'e' || f.text[i] == 'E')) {
        i++;
        if (i < f.n && (f.text[i] == '-' || f.text[i] == '+')) i++;
        if (i == f.n) return false;
        while (i < f.n && f.text[i] >= '0' && f.text[i] <= '9') i++;
    }
    return i == f.n;
}

/* At most 16 characters without an exponent are read here, exactly. All others go to strtod. */
bool bl_csv_number(bl_csv_field f, double *value) {
    static const double power[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    if (f.n == 0 || f.n > 16) return is_number(f) && parse_long_number(f, value);
    const bool negative = f.text[0] == '-';
    uint64_t digits = 0;
    size_t decimals = 0, count = 0, i = negative;
    bool point = false;
    for (; i < f.n; i++) {
        const char c = f.text[i];
        if (c == '.' && !point) {
            point = true;
        } else if (c >= '0' && c <= '9') {
            digits = digits * 10 + (uint64_t)(c - '0');
            decimals += point;
            count++;
        } else {
            return is_number(f) && parse_long_number(f, value);
        }
    }
    if (count == 0) return false;
    /* One rounding: with a point there are at most 15 digits, exact as is the power of ten; without
     * one there is nothing to divide by. */
    const double magnitude = (double)digits / power[decimals];
    *value = negative ? -magnitude : magnitude;
    return true;
}

int bl_csv_compare(const char *a, const char *b) {
    double x, y;
    const bool number_a = bl_csv_number((bl_csv_field){a, strlen(a)}, &x);
    const bool number_b = bl_csv_number((bl_csv_field){b, strlen(b)}, &y);
    if (number_a != number_b) return number_a ? -1 : 1;
    return number_a ? (x > y) - (x < y) : strcmp(a, b);
}
