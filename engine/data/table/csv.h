/* Comma separated text by RFC 4180: fields may be quoted, a quoted field may hold the separator,
 * line ends and doubled quotes; lines end in LF or CRLF, the last one may end with the text. A text
 * without any LF has lines that end in CR. Empty lines are skipped, a zero byte is refused. Works
 * on a text in memory and copies only fields with doubled quotes. */
#ifndef BL_ENGINE_DATA_TABLE_CSV_H
#define BL_ENGINE_DATA_TABLE_CSV_H
#include "engine/base/buf.h"
#include "engine/base/status.h"
#include <stdbool.h>
#include <stddef.h>

/* The most columns a table may have, unless its reader allows more. */
enum { BL_CSV_FIELDS = 4096 };

/* A separator that stands for one blank or tab or more, as in columns that are lined up. Blanks at
 * the beginning and the end of a line are none. A declaration calls it "blanks". */
enum { BL_CSV_BLANKS = '\v' };

typedef struct bl_csv_field {
    const char *text; /* not terminated; valid until the next row */
    size_t n;
} bl_csv_field;

typedef struct bl_csv {
    const char *at, *end;
    const char *name; /* of the file, for messages */
    char separator;
    char line_end; /* LF, or CR in a text that has no LF */
    bool trim;     /* blanks round a field that is not quoted, or round its quotes, do not count */
    bool trimmed;  /* trim has taken blanks away somewhere */
    size_t line;   /* of the row last read, from 1 */
    size_t next_line; /* of the row to come */
    bl_csv_field *field;
    size_t count, capacity;
    size_t most;          /* columns; 0: BL_CSV_FIELDS */
    bl_buf unquoted;      /* fields with doubled quotes, undone */
    bool ends_field[256]; /* characters at which a field without quotes ends */
} bl_csv;

/* `text` stays the caller's and must outlive the reader. A byte order mark is skipped. */
void bl_csv_init(bl_csv *csv, const char *text, size_t n, const char *name, char separator);
void bl_csv_free(bl_csv *csv);
/* Reads one row into field[0, count); *more is false at the end. Errors are NAME:LINE: ... */
bl_status bl_csv_row(bl_csv *csv, bool *more, bl_err *err) BL_CHECKED;

/* Which of , ; tab and | separates: the one that gives the first lines of a text the same number of
 * fields, the most if several do; else the most frequent one of the first line. Quoted ones do not
 * count. */
char bl_csv_separator(const char *text, size_t n);
/* The same, or a blank where there is none of the others and every line has as many blanks; or
 * BL_CSV_BLANKS where there are several in a row, and every line has as many fields. */
char bl_csv_separator_or_blank(const char *text, size_t n);

/* Empty or NA. */
bool bl_csv_missing(bl_csv_field field);
/* A finite decimal number, correctly rounded, whatever the locale. */
bool bl_csv_number(bl_csv_field field, double *value);
/* An order of texts: numbers by their value ("1" and "1.0" are one), then all others. */
int bl_csv_compare(const char *a, const char *b);
#endif
