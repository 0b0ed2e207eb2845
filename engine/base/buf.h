/* A growing byte string, always followed by a 0, so that it can be read as text. {0} is an empty
 * one; who declares it frees it. Growth doubles, and ends the program where memory is refused
 * (engine/base/mem.h): a buffer that was appended to holds what was appended.
 *
 *     bl_buf out = {0};
 *     bl_buf_printf(&out, "%s: %zu runs\n", name, n);
 *     bl_buf_free(&out); */
#ifndef BL_ENGINE_BASE_BUF_H
#define BL_ENGINE_BASE_BUF_H
#include "engine/base/status.h"
#include <stdarg.h>
#include <stddef.h>

typedef struct bl_buf {
    char *data; /* never NULL after the first write */
    size_t len, cap;
} bl_buf;

void bl_buf_free(bl_buf *buf);                 /* leaves an empty one */
void bl_buf_clear(bl_buf *buf);                /* keeps the memory */
void bl_buf_truncate(bl_buf *buf, size_t len); /* to at most what it has */
void bl_buf_add(bl_buf *buf, const void *bytes, size_t n);
void bl_buf_str(bl_buf *buf, const char *text);
BL_PRINTF(2, 3)
void bl_buf_printf(bl_buf *buf, const char *fmt, ...);
BL_PRINTF(2, 0)
void bl_buf_vprintf(bl_buf *buf, const char *fmt, va_list ap);
void bl_buf_grouped(bl_buf *buf, const char *digits); /* "-1234567" as "-1,234,567" */
const char *bl_buf_text(const bl_buf *buf);           /* "" when empty */
#endif
