/* Numbers as people read them: few digits, thousands grouped, the unit that fits. Each appends to a
 * buffer. What is not finite is "-" (not a number) or "unbounded". */
#ifndef BL_ENGINE_BASE_FORMAT_H
#define BL_ENGINE_BASE_FORMAT_H
#include "engine/base/buf.h"

void bl_format_count(bl_buf *out, double n);    /* "117,760" */
void bl_format_3_digits(bl_buf *out, double x); /* "0.0123", "12.3", "1,234" from 999.5 on */
/* "212 (190 to 240)", each of 3 digits */
void bl_format_interval(bl_buf *out, double value, double low, double high);
void bl_format_duration(bl_buf *out, double seconds); /* "4.42 s", "32.0 min" */
void bl_format_bytes(bl_buf *out, double bytes);      /* "45.3 MiB" */
enum { BL_FORMAT_SIZE = 32 };
/* The same, or "9.31e+98 GiB" where that has too many digits; returns `out`. */
const char *bl_format_size(char out[BL_FORMAT_SIZE], double bytes);
void bl_format_rate(bl_buf *out, double rate); /* "0.003906": four digits */

/* The lines of `text`; one of more than `columns` goes on behind `indent` blanks, cut at a blank. A
 * word that is wider than a line stays whole. Texts with measured numbers go through this: how wide
 * they are is known on no other machine. */
enum { BL_FORMAT_COLUMNS = 80 };
void bl_format_folded(bl_buf *out, const char *text, size_t columns, size_t indent);
#endif
