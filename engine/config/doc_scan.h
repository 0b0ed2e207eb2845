/* The text of a libconfig file as it is written: its includes put in place, and every key and value
 * with its position and, for numbers, its exact value. libconfig itself gives lines only, cuts long
 * integers and takes 1e999 for infinity, so the tree (doc.c) takes positions and numbers from here.
 */
#ifndef BL_ENGINE_CONFIG_DOC_SCAN_H
#define BL_ENGINE_CONFIG_DOC_SCAN_H
#include "engine/base/buf.h"
#include "engine/base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BL_DOC_BYTES = 1 << 20, /* of text, includes and all */
    BL_DOC_MARKS = 20000,   /* keys and values together: 10,000 settings */
    BL_DOC_DEPTH = 64,      /* of brackets */
    BL_DOC_INCLUDES = 4     /* files within files */
};

typedef enum bl_mark_kind {
    BL_MARK_KEY,
    BL_MARK_OPEN, /* of a group, a list or an array */
    BL_MARK_INT,
    BL_MARK_FLOAT,
    BL_MARK_STRING, /* strings side by side are one, as for libconfig */
    BL_MARK_BOOL
} bl_mark_kind;

typedef struct bl_mark {
    bl_mark_kind kind;
    size_t line;      /* of the whole text, from 0: an index of bl_scan.lines */
    int column;       /* from 1 */
    size_t at, bytes; /* the token in the text */
    size_t scope;     /* of a key: a number for its group */
    int64_t integer;
    double number; /* of an integer too */
} bl_mark;

/* Where a line of the whole text comes from. */
typedef struct bl_scan_line {
    const char *file;
    int number;   /* from 1 */
    size_t begin; /* in the text */
} bl_scan_line;

typedef struct bl_scan {
    bl_buf text; /* with includes in place, ends with a newline */
    bl_scan_line *lines;
    size_t line_count;
    bl_mark *marks; /* in the order of the text */
    size_t mark_count;
    char **files; /* names that lines point to */
    size_t file_count;
    const char *include_root; /* NULL: no includes */
    bool after_string;        /* only blanks since the last one */
    size_t scopes[BL_DOC_DEPTH + 1], depth, next_scope;
    bl_err *err;
} bl_scan;

/* Reads `n` bytes of `text`, called `name`. Free with bl_scan_free, whatever is returned. */
bl_status bl_scan_text(bl_scan *scan, const char *text, size_t n, const char *name,
                       const char *include_root, bl_err *err) BL_CHECKED;
void bl_scan_free(bl_scan *scan);

/* FILE:LINE:COLUMN: error: MESSAGE, the line with its number, carets below `column` (0: none) and
 * `hint` (may be NULL) after them. `line` counts as in bl_mark. */
bl_status bl_scan_fail(const bl_scan *scan, size_t line, int column, const char *hint, bl_err *err,
                       const char *message) BL_CHECKED;
#endif
