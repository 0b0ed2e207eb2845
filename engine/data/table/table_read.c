/* From the text of a CSV file to the columns that its declaration asks for. Other columns of the
 * file are passed over. An interval "YYYY-MM-DD - YYYY-MM-DD" becomes two date columns, NAME.from
 * and NAME.to. */
#include "engine/data/table/table_read.h"
#include "engine/base/mem.h"
#include "engine/data/table/calendar.h"
#include "engine/data/table/csv.h"
#include "engine/data/table/encoding.h"
#include <stdio.h>
#include <string.h>

/* What to do with the fields of one declared column. */
typedef struct reader {
    const char *name; /* in the file */
    enum { NUMBER, DATE, TIME, TEXT, INTERVAL } as;
    bl_column *column, *to; /* `to`: of an interval */
    size_t field;
} reader;

/* The column NAME.from or NAME.to: made, or the one that is there. */
static bl_column *interval_end(bl_table *table, const char *name, const char *end, bool make) {
    char full[256];
    snprintf(full, sizeof full, "%s.%s", name, end);
    return make ? bl_table_add(table, full, BL_COLUMN_DATE) : bl_table_find(table, full);
}

void bl_table_declare(bl_table *table, const bl_table_decl *d) {
    *table = (bl_table){.name = d->name};
    for (size_t i = 0; i < d->number.n; i++)
        bl_table_add(table, bl_table_renamed(d, d->number.v[i]), BL_COLUMN_NUMBER);
    for (size_t i = 0; i < d->date.n; i++)
        bl_table_add(table, bl_table_renamed(d, d->date.v[i]), BL_COLUMN_DATE);
    for (size_t i = 0; i < d->time.n; i++)
        bl_table_add(table, bl_table_renamed(d, d->time.v[i]), BL_COLUMN_DATE);
    for (size_t i = 0; i < d->text.n; i++)
        bl_table_add(table, bl_table_renamed(d, d->text.v[i]), BL_COLUMN_TEXT);
    for (size_t i = 0; i < d->interval.n; i++) {
        interval_end(table, d->interval.v[i], "from", true);
        interval_end(table, d->interval.v[i], "to", true);
    }
    if (d->file_column != NULL) bl_table_add(table, d->file_column, BL_COLUMN_TEXT);
}

/* One reader for each declared column, in the order of the lists. */
static size_t make_readers(reader *readers, bl_table *table, const bl_table_decl *d) {
    const bl_string_list *lists[] = {&d->number, &d->date, &d->time, &d->text, &d->interval};
    size_t n = 0;
    for (int as = NUMBER; as <= INTERVAL; as++)
        for (size_t i = 0; i < lists[as]->n; i++) {
            const char *name = lists[as]->v[i];
            reader *r = &readers[n++];
            *r = (reader){.name = name, .as = as};
            r->column = as == INTERVAL ? interval_end(table, name, "from", false)
                                       : bl_table_find(table, bl_table_renamed(d, name));
            if (as == INTERVAL) r->to = interval_end(table, name, "to", false);
        }
    return n;
}

/* Where each column lies in this file, by its header. */
static bl_status find_fields(reader *readers, size_t n, const bl_csv *csv, bl_err *err) {
    for (size_t i = 0; i < n; i++) {
        const size_t length = strlen(readers[i].name);
        size_t f = 0;
        while (f < csv->count && (csv->field[f].n != length ||
                                  memcmp(csv->field[f].text, readers[i].name, length) != 0))
            f++;
        if (f == csv->count)
            BL_FAIL(err, BL_EFORMAT, "%s:%zu: error: no column '%s' in the header", csv->name,
                    csv->line, readers[i].name);
        readers[i].field = f;
    }
    return BL_OK;
}

/* Both ends belong to it. */
static bool parse_interval(bl_csv_field f, double *from, double *to) {
    int32_t a, b;
    if (f.n != 23 || memcmp(f.text + 10, " - ", 3) != 0) return false;
    if (!bl_parse_date(f.text, 10, &a) || !bl_parse_date(f.text + 13, 10, &b) || a > b)
        return false;
    *from = a;
    *to = b;
    return true;
}

static bool read_value(const reader *r, const bl_field_format *format, bl_csv_field f,
                       double *value) {
    if (r->as == NUMBER) return bl_field_number(format, f, value);
    return r->as == DATE ? bl_field_date(format, f, value) : bl_parse_time(f.text, f.n, value);
}

/* False: the field is not of the declared type. Missing is NaN or code 0. */
static bool store_cell(const reader *r, const bl_field_format *format, bl_csv_field f, size_t row) {
    const bool missing = bl_csv_missing(f);
    double value = (double)NAN;
    switch (r->as) {
    case TEXT:
        r->column->code[row] = missing ? 0 : bl_dict_add(&r->column->dict, f.text, f.n);
        return true;
    case NUMBER:
    case DATE:
    case TIME:
        r->column->number[row] = (double)NAN;
        if (missing) return true;
        if (read_value(r, format, f, &value))
            r->column->number[row] = value;
        else if (!bl_field_missing(format, f))
            return false;
        return true;
    case INTERVAL:
        break;
    }
    r->column->number[row] = r->to->number[row] = (double)NAN;
    return missing || parse_interval(f, &r->column->number[row], &r->to->number[row]);
}

/* NAME:LINE, the column, and at most 40 bytes of the field. */
static bl_status fail_bad_field(const bl_csv *csv, const reader *r, const bl_field_format *format,
                                bl_csv_field f, bl_err *err) {
    const char *const what[] = {"no number", format->any_date ? "no date" : "no date YYYY-MM-DD",
                                "no time HH:MM", "no text", "no interval YYYY-MM-DD - YYYY-MM-DD"};
    BL_FAIL(err, BL_EFORMAT, "%s:%zu: error: column '%s': '%.*s' is %s", csv->name, csv->line,
            r->name, (int)bl_size_min(f.n, 40), f.text, what[r->as]);
}

/* All rows after the header. `constant` (may be NULL) gets constant_code in each. */
static bl_status read_rows(bl_table *table, const bl_field_format *format, const reader *readers,
                           size_t n, bl_csv *csv, bl_column *constant, uint32_t constant_code,
                           bl_err *err) {
    const size_t fields = csv->count;
    for (;;) {
        bool more;
        if (table->most_rows > 0 && table->rows >= table->most_rows) return BL_OK;
        BL_TRY(bl_csv_row(csv, &more, err));
        if (!more) return BL_OK;
        if (csv->count != fields)
            BL_FAIL(err, BL_EFORMAT, "%s:%zu: error: %zu fields, the header has %zu", csv->name,
                    csv->line, csv->count, fields);
        if (table->rows == table->capacity)
            BL_TRY(bl_table_reserve(table, table->capacity ? table->capacity * 2 : 1024, err));
        for (size_t i = 0; i < n; i++) {
            const bl_csv_field f = csv->field[readers[i].field];
            if (!store_cell(&readers[i], format, f, table->rows))
                return fail_bad_field(csv, &readers[i], format, f, err);
        }
        if (constant != NULL) constant->code[table->rows] = constant_code;
        table->rows++;
    }
}

/* The text of one file, which is UTF-8. */
static bl_status append_text(bl_table *table, const bl_table_decl *decl, const char *text, size_t n,
                             const char *name, const char *value, bl_err *err) {
    bl_csv csv;
    bool more;
    const bl_field_format *format = decl->format.decimal != '\0' ? &decl->format : &bl_field_plain;
    reader *readers = bl_xalloc((table->columns + 1) * sizeof *readers);
    const size_t count = make_readers(readers, table, decl);
    bl_column *constant =
        decl->file_column != NULL ? bl_table_find(table, decl->file_column) : NULL;
    const uint32_t code = constant != NULL ? bl_dict_add(&constant->dict, value, strlen(value)) : 0;
    const bool lined_up = strcmp(decl->separator, "blanks") == 0;
    bl_csv_init(&csv, text, n, name, lined_up ? (char)BL_CSV_BLANKS : decl->separator[0]);
    csv.trim = decl->trim;
    bl_status status = bl_csv_row(&csv, &more, err);
    if (status == BL_OK && !more)
        status = BL_ERR(err, BL_EFORMAT, "%s:1: error: the file is empty", name);
    if (status == BL_OK) status = find_fields(readers, count, &csv, err);
    if (status == BL_OK)
        status = read_rows(table, format, readers, count, &csv, constant, code, err);
    bl_csv_free(&csv);
    free(readers);
    return status;
}

bl_status bl_table_append(bl_table *table, const bl_table_decl *decl, const char *text, size_t n,
                          const char *name, const char *value, bl_err *err) {
    bl_buf utf8 = {0};
    if (decl->encoding == NULL) return append_text(table, decl, text, n, name, value, err);
    bl_status status = bl_csv_decode(&utf8, decl->encoding, text, n, name, err);
    if (status == BL_OK)
        status = append_text(table, decl, bl_buf_text(&utf8), utf8.len, name, value, err);
    bl_buf_free(&utf8);
    return status;
}
