/* A growing byte string, always followed by a 0. {0} is an empty one. */
#ifndef BL_ENGINE_BASE_BUF_H
#define BL_ENGINE_BASE_BUF_H
#include "engine/base/status.h"
#include <stddef.h>

typedef struct bl_buf {
    char *data; /* never NULL after the first write */
    size_t len, cap;
} bl_buf;

void bl_buf_free(bl_buf *buf);
void bl_buf_clear(bl_buf *buf); /* keeps the memory */
void bl_buf_truncate(bl_buf *buf, size_t len);
void bl_buf_add(bl_buf *buf, const void *bytes, size_t n);
void bl_buf_str(bl_buf *buf, const char *text);
BL_PRINTF(2, 3)
void bl_buf_printf(bl_buf *buf, const char *fmt, ...);
void bl_buf_grouped(bl_buf *buf, const char *digits); /* "-1234567" as "-1,234,567" */
const char *bl_buf_text(const bl_buf *buf);           /* "" when empty */
#endif
