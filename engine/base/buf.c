#include "engine/base/buf.h"
#include "engine/base/mem.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void reserve(bl_buf *buf, size_t more) {
    BL_ASSERT(more < (size_t)1 << 40);
    if (buf->data != NULL && buf->len + more + 1 <= buf->cap) return;
    size_t cap = buf->cap ? buf->cap : 64;
    while (cap < buf->len + more + 1) cap *= 2;
    buf->data = bl_xrealloc(buf->data, cap);
    buf->cap = cap;
}

void bl_buf_free(bl_buf *buf) {
    free(buf->data);
    *buf = (bl_buf){0};
}

void bl_buf_clear(bl_buf *buf) {
    bl_buf_truncate(buf, 0);
}

void bl_buf_truncate(bl_buf *buf, size_t len) {
    BL_ASSERT(len <= buf->len);
    buf->len = len;
    if (buf->data != NULL) buf->data[len] = '\0';
}

void bl_buf_add(bl_buf *buf, const void *bytes, size_t n) {
    reserve(buf, n);
    if (n > 0) memcpy(buf->data + buf->len, bytes, n);
    buf->len += n;
    buf->data[buf->len] = '\0';
}

void bl_buf_str(bl_buf *buf, const char *text) {
    bl_buf_add(buf, text, strlen(text));
}

void bl_buf_vprintf(bl_buf *buf, const char *fmt, va_list ap) {
    va_list again;
    va_copy(again, ap);
    const int n = vsnprintf(NULL, 0, fmt, ap);
    BL_ASSERT(n >= 0);
    reserve(buf, (size_t)n);
    (void)vsnprintf(buf->data + buf->len, (size_t)n + 1, fmt, again);
    va_end(again);
    buf->len += (size_t)n;
}

void bl_buf_printf(bl_buf *buf, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    bl_buf_vprintf(buf, fmt, ap);
    va_end(ap);
}

void bl_buf_grouped(bl_buf *buf, const char *digits) {
    for (size_t left = strlen(digits); left-- > 0; digits++) {
        bl_buf_add(buf, digits, 1);
        if (left > 0 && left % 3 == 0 && *digits != '-') bl_buf_str(buf, ",");
    }
}

const char *bl_buf_text(const bl_buf *buf) {
    return buf->data != NULL ? buf->data : "";
}
