/* Writing JSON: the only code in the tree that prints braces, commas and quoted keys (`make layers`
 * fails on JSON escaped by hand in engine/).
 *
 * A writer appends one value to a buffer. It keeps a stack of the objects and arrays that are open,
 * so it knows where a comma belongs; texts and keys are escaped; numbers are the shortest text that
 * reads back to the same bits, null when they are not finite. A writer owns nothing: the buffer is
 * the caller's, and a writer that is given up half way needs no clean-up.
 *
 *     bl_buf line = {0};
 *     bl_jw w = bl_jw_open(&line);
 *     bl_jw_object(&w, NULL);
 *     bl_jw_str(&w, "run", id);
 *     bl_jw_array(&w, "seeds");
 *     for (size_t i = 0; i < n; i++) bl_jw_i64(&w, NULL, seed[i]);
 *     bl_jw_end(&w);
 *     bl_jw_end(&w);
 *     bl_jw_line(&w);                       {"run":"r0a1b...","seeds":[1,2]} and a newline
 *
 * The key is the member's name inside an object and NULL inside an array and for the outermost
 * value. A key in the wrong place, an end without a beginning, a second outermost value or a value
 * that is left open is an error of the program, and an assertion says so. */
#ifndef BL_ENGINE_BASE_JSON_WRITER_H
#define BL_ENGINE_BASE_JSON_WRITER_H
#include "engine/base/buf.h"
#include "engine/base/json.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BL_JW_DEPTH = 64 }; /* objects and arrays inside one another; the reader's limit, too */

typedef struct bl_jw {
    bl_buf *out;
    uint64_t objects; /* bit d: what is open at depth d is an object, else an array */
    int depth;        /* how many are open */
    bool comma;       /* a value stands before the next one in the innermost that is open */
    bool whole;       /* the outermost value has been begun */
    int indent;       /* blanks of the line that the next value begins; -1: on the same line */
} bl_jw;

bl_jw bl_jw_open(bl_buf *out);
/* Goes on inside an object that `out` ends in: its brace and some members are there already. */
bl_jw bl_jw_resume(bl_buf *out);

void bl_jw_object(bl_jw *w, const char *key);
void bl_jw_array(bl_jw *w, const char *key);
/* Closes the innermost object or array. */
void bl_jw_end(bl_jw *w);

void bl_jw_null(bl_jw *w, const char *key);
void bl_jw_bool(bl_jw *w, const char *key, bool value);
void bl_jw_i64(bl_jw *w, const char *key, int64_t value);
void bl_jw_f64(bl_jw *w, const char *key, double value);
/* Nine significant digits, for what went through the libm: they are the same on every machine. */
void bl_jw_f64_rounded(bl_jw *w, const char *key, double value);
/* `places` digits behind the point, zeros included: clock times. */
void bl_jw_fixed(bl_jw *w, const char *key, double value, int places);
/* Each byte that is not UTF-8 becomes U+FFFD. */
void bl_jw_str(bl_jw *w, const char *key, const char *value);
/* Writes comma and key; the caller then appends exactly one JSON value to the buffer returned. */
bl_buf *bl_jw_slot(bl_jw *w, const char *key);
/* `json` is one JSON value already, or inside an object, with `key` NULL, some members of it. */
void bl_jw_raw(bl_jw *w, const char *key, const char *json);

/* A value that was read, numbers with the text they had. */
void bl_jw_value(bl_jw *w, const char *key, const bl_json *value);

/* The next value begins a new line, `indent` blanks from its edge. */
void bl_jw_newline(bl_jw *w, int indent);
/* Asserts that one whole value was written. */
void bl_jw_done(const bl_jw *w);
/* The same, and ends the line. */
void bl_jw_line(bl_jw *w);
#endif
