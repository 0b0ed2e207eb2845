#include "engine/external/follow.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Takes what the file has grown by, a block at a time. */
static bool read_more(bl_external_follow *f) {
    char block[1 << 14];
    const int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return false;
    const ssize_t n = pread(fd, block, sizeof block, (off_t)f->offset);
    (void)close(fd);
    if (n <= 0) return false;
    if (f->taken > 0) {
        memmove(f->rest.data, f->rest.data + f->taken, f->rest.len - f->taken);
        bl_buf_truncate(&f->rest, f->rest.len - f->taken);
        f->taken = 0;
    }
    bl_buf_add(&f->rest, block, (size_t)n);
    f->offset += n;
    return true;
}

/* The end of the first line in `at[0..n)`; NULL: it goes on. */
static const char *line_end(const bl_external_follow *f, const char *at, size_t n) {
    const char *end = memchr(at, '\n', n);
    const char *turn = f->turns ? memchr(at, '\r', n) : NULL;
    return turn != NULL && (end == NULL || turn < end) ? turn : end;
}

bl_status bl_external_follow_next(bl_external_follow *f, const char **line, size_t *n, bool *found,
                                  bl_err *err) {
    *found = false;
    for (;;) {
        const size_t left = f->rest.len - f->taken;
        const char *at = bl_buf_text(&f->rest) + f->taken;
        const char *end = left > 0 ? line_end(f, at, left) : NULL;
        if (end != NULL) {
            *line = at;
            *n = (size_t)(end - at);
            f->taken += *n + 1;
            f->number++;
            *found = true;
            return BL_OK;
        }
        if (left > BL_EXTERNAL_LINE)
            BL_FAIL(err, BL_EFORMAT, "%s:%zu: a line of more than %d bytes", f->path, f->number + 1,
                    BL_EXTERNAL_LINE);
        if (!read_more(f)) return BL_OK;
    }
}

void bl_external_follow_free(bl_external_follow *f) {
    bl_buf_free(&f->rest);
}

void bl_external_last_lines(bl_buf *out, const char *path, size_t lines, size_t bytes) {
    char block[1 << 13];
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return;
    const off_t size = lseek(fd, 0, SEEK_END);
    const size_t most = bytes < sizeof block ? bytes : sizeof block;
    const off_t from = size > (off_t)most ? size - (off_t)most : 0;
    const ssize_t n = pread(fd, block, most, from);
    (void)close(fd);
    if (n <= 0) return;
    size_t end = (size_t)n, at;
    while (end > 0 && (block[end - 1] == '\n' || block[end - 1] == '\0')) end--;
    for (at = end; at > 0; at--)
        if (block[at - 1] == '\n' && --lines == 0) break;
    if (at == 0 && from > 0) /* not in the midst of a line */
        while (at < end && block[at++] != '\n') continue;
    bl_buf_add(out, block + at, end - at);
}
