#include "engine/base/gzip.h"
#include "engine/base/mem.h"
#include <stdint.h>
#include <stdio.h>
#include <zlib.h>

enum { GZIP_WINDOW = 15 + 16, PIECE = 1 << 18, MOST_AT_ONCE = 1 << 30 };

/* Both directions go through one block of PIECE bytes, so that the output grows as it is needed and
 * nobody has to guess its size. zlib counts in 32 bits: more input is handed over in turns. */
bl_status bl_gzip(bl_buf *out, const void *bytes, size_t n, bl_err *err) {
    BL_ASSERT(n <= MOST_AT_ONCE);
    z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)n};
    int code = deflateInit2(&z, 6, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY);
    if (code != Z_OK) BL_FAIL(err, BL_ENOMEM, "no memory to compress");
    unsigned char *piece = bl_xalloc(PIECE);
    do {
        z.next_out = piece;
        z.avail_out = PIECE;
        code = deflate(&z, Z_FINISH);
        bl_buf_add(out, piece, PIECE - z.avail_out);
    } while (code == Z_OK);
    free(piece);
    (void)deflateEnd(&z);
    BL_ASSERT(code == Z_STREAM_END);
    return BL_OK;
}

/* Inflates up to `members` members or `limit` bytes; *used says how many bytes of input they took.
 */
static bl_status unpack(bl_buf *out, const void *bytes, size_t n, size_t members, size_t limit,
                        size_t *used, const char *name, bl_err *err) {
    z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes};
    size_t left = n;
    const size_t begin = out->len;
    int code = inflateInit2(&z, GZIP_WINDOW);
    if (code != Z_OK) BL_FAIL(err, BL_ENOMEM, "%s: no memory to uncompress it", name);
    unsigned char *piece = bl_xalloc(PIECE);
    for (size_t member = 0; out->len - begin <= limit;) {
        if (code == Z_STREAM_END) {
            if (++member == members || left + z.avail_in == 0) break;
            (void)inflateReset(&z);
        }
        if (z.avail_in == 0) {
            z.avail_in = (uInt)bl_size_min(left, MOST_AT_ONCE);
            left -= z.avail_in;
        }
        z.next_out = piece;
        z.avail_out = PIECE;
        code = inflate(&z, Z_NO_FLUSH);
        bl_buf_add(out, piece, PIECE - z.avail_out);
        if (code != Z_OK && code != Z_STREAM_END) break;
    }
    *used = n - left - z.avail_in;
    char reason[80];
    (void)snprintf(reason, sizeof reason, "%s",
                   code == Z_BUF_ERROR ? "it is cut short"
                   : z.msg != NULL     ? z.msg
                                       : "it is no gzip file");
    (void)inflateEnd(&z);
    free(piece);
    if (out->len - begin > limit)
        BL_FAIL(err, BL_EFORMAT, "%s: unpacks to more than %zu bytes", name, limit);
    if (code != Z_STREAM_END)
        BL_FAIL(err, BL_EFORMAT, "%s: damaged after %zu uncompressed bytes: %s", name,
                out->len - begin, reason);
    return BL_OK;
}

bl_status bl_gunzip(bl_buf *out, const void *bytes, size_t n, const char *name, bl_err *err) {
    size_t used;
    return unpack(out, bytes, n, SIZE_MAX, SIZE_MAX, &used, name, err);
}

bl_status bl_gunzip_one(bl_buf *out, const void *bytes, size_t n, size_t limit, const char *name,
                        bl_err *err) {
    size_t used;
    BL_TRY(unpack(out, bytes, n, 1, limit, &used, name, err));
    if (used < n) BL_FAIL(err, BL_EFORMAT, "%s: %zu bytes after the gzip data", name, n - used);
    return BL_OK;
}
