/* Lines of a file that grows. What was read and not yet given out lies in `rest`:
 *
 *     file    ................................|.............
 *             read so far: offset             ^  not read
 *     rest                |given out|next line
 *                         0         ^taken    ^len
 *
 * A line longer than the limit is given out cut, at once, and `passes` is on until its end was
 * read. So memory stays bounded whatever the program writes. The file is opened anew at each look:
 * it need not be there yet. */
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

/* Forgets what was read and not given out. */
static void drop(bl_external_follow *f) {
    bl_buf_clear(&f->rest);
    f->taken = 0;
}

static void note_cut(bl_external_follow *f) {
    if (f->cut++ == 0) f->first = f->number;
}

bool bl_external_follow_next(bl_external_follow *f, const char **line, size_t *n) {
    for (;;) {
        const size_t left = f->rest.len - f->taken;
        const char *at = bl_buf_text(&f->rest) + f->taken;
        const char *end = left > 0 ? line_end(f, at, left) : NULL;
        const size_t length = end != NULL ? (size_t)(end - at) : left;
        if (f->passes && end != NULL) {
            f->taken += length + 1;
            f->passes = false;
            continue;
        }
        if (!f->passes && (end != NULL || left > BL_EXTERNAL_LINE)) {
            const bool whole = length <= BL_EXTERNAL_LINE;
            *line = at;
            *n = whole ? length : BL_EXTERNAL_LINE + 1;
            f->taken += end != NULL ? length + 1 : length;
            f->passes = end == NULL;
            f->number++;
            if (!whole) note_cut(f);
            return true;
        }
        if (f->passes) drop(f);
        if (!read_more(f)) return false;
    }
}

void bl_external_follow_tell(bl_buf *out, const bl_external_follow *f) {
    const char *slash = strrchr(f->path, '/');
    if (f->cut == 0) return;
    bl_buf_printf(out, "\nLine %zu of %s", f->first, slash != NULL ? slash + 1 : f->path);
    if (f->cut > 1) bl_buf_printf(out, ", and %zu more,", f->cut - 1);
    bl_buf_printf(out, " ha%s more than %d bytes. The rest was passed over.",
                  f->cut > 1 ? "ve" : "s", BL_EXTERNAL_LINE);
}

void bl_external_follow_free(bl_external_follow *f) {
    bl_buf_free(&f->rest);
}

/* No more than a block of 8 KiB is looked at. */
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
    if (at == 0 && from > 0) { /* not in the midst of a line, or of what a bar shows */
        while (at < end && block[at] != '\n' && block[at] != '\r') at++;
        at = at < end ? at + 1 : 0;
    }
    bl_buf_add(out, block + at, end - at);
}
