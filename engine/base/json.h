/* JSON: the writing half of every log and table, and a strict reader for the project's own files.
 * Numbers are written as the shortest text that reads back to the same bits. */
#ifndef BL_ENGINE_BASE_JSON_H
#define BL_ENGINE_BASE_JSON_H
#include "engine/base/buf.h"
#include "engine/base/chunks.h"
#include "engine/base/status.h"
#include <stdbool.h>
#include <stdint.h>

/* ---- writing ---- */
/* Quoted and escaped. What acts on a terminal (text.h) is an escape, too: U+009B is \u009b. A
 * reader gets the same text. Each byte that is not UTF-8 becomes U+FFFD. */
void bl_json_string(bl_buf *out, const char *text);
void bl_json_f32(bl_buf *out, float value);  /* null when not finite */
void bl_json_f64(bl_buf *out, double value); /* null when not finite */
void bl_json_i64(bl_buf *out, int64_t value);
/* The shortest text of a double, for tables and figures. */
void bl_json_f64_text(char out[32], double value);

/* ---- reading ---- */
typedef enum bl_json_type {
    BL_JSON_NULL,
    BL_JSON_BOOL,
    BL_JSON_NUMBER,
    BL_JSON_STRING,
    BL_JSON_ARRAY,
    BL_JSON_OBJECT
} bl_json_type;

/* One value. Children of arrays and objects are a chain: first, then next. */
typedef struct bl_json {
    bl_json_type type;
    bool boolean;
    double number;
    const char *key;    /* inside an object, else NULL */
    const char *string; /* of a string; of a number its text, which keeps 64-bit integers exact */
    struct bl_json *first, *next;
    size_t count; /* of children */
} bl_json;

/* The parsed document owns its nodes and strings. */
typedef struct bl_json_doc {
    bl_json *root;
    bl_chunks memory;
} bl_json_doc;

/* Parses exactly one value. Rejects duplicate keys, trailing text, non-finite numbers, texts that
 * are not UTF-8 and nesting deeper than 64; `name` and `line` (the text's first line) go into
 * messages as NAME:LINE. */
bl_status bl_json_parse(bl_json_doc *doc, const char *text, size_t n, const char *name, size_t line,
                        bl_err *err) BL_CHECKED;
void bl_json_free(bl_json_doc *doc);

/* NULL when `object` is NULL, no object, or lacks the key. */
const bl_json *bl_json_get(const bl_json *object, const char *key);
/* The value, or `otherwise` when it is absent, null or of another type. */
double bl_json_number(const bl_json *object, const char *key, double otherwise);
int64_t bl_json_int(const bl_json *object, const char *key, int64_t otherwise);
const char *bl_json_text(const bl_json *object, const char *key, const char *otherwise);
bool bl_json_bool(const bl_json *object, const char *key, bool otherwise);

/* One line of a text that holds one JSON value on each. */
typedef struct bl_jsonl_line {
    const bl_json *value; /* freed when the function returns */
    const char *name;     /* the text's, for messages as NAME:LINE */
    size_t number;        /* from 1 */
    size_t begin, end;    /* its bytes in the text, the newline included */
} bl_jsonl_line;
typedef bl_status (*bl_jsonl_fn)(void *ctx, const bl_jsonl_line *line, bl_err *err);

/* Calls `each` for the lines in order until one fails. BL_EFORMAT with NAME:LINE for a line that is
 * not JSON, for a last line without its newline and for an empty text. */
bl_status bl_jsonl_each(const char *text, size_t n, const char *name, bl_jsonl_fn each, void *ctx,
                        bl_err *err) BL_CHECKED;

/* A value as short text for people, keys without quotes: {a:1,b:[2,3]}; "-" where it is NULL. */
void bl_json_show(bl_buf *out, const bl_json *value);
#endif
