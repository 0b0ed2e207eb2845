#include "engine/runlog/runlog.h"
#include <zlib.h>

enum { GZIP_WINDOW = 15 + 16, CHUNK = 1 << 16 };

static bl_status zlib_failed(const char *what, int code, bl_err *err) {
    BL_FAIL(err, code == Z_MEM_ERROR ? BL_ENOMEM : BL_EFORMAT, "%s: zlib error %d", what, code);
}

bl_status bl_gzip(bl_buf *out, const void *bytes, size_t n, bl_err *err) {
    BL_ASSERT(n <= BL_RUNLOG_LIMIT);
    z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)n};
    int rc = deflateInit2(&z, 6, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY);
    if (rc != Z_OK) return zlib_failed("packing", rc, err);
    unsigned char chunk[CHUNK];
    do {
        z.next_out = chunk;
        z.avail_out = sizeof chunk;
        rc = deflate(&z, Z_FINISH);
        bl_buf_add(out, chunk, sizeof chunk - z.avail_out);
    } while (rc == Z_OK);
    (void)deflateEnd(&z);
    return rc == Z_STREAM_END ? BL_OK : zlib_failed("packing", rc, err);
}

bl_status bl_gunzip(bl_buf *out, const void *bytes, size_t n, const char *name, bl_err *err) {
    if (n > BL_RUNLOG_LIMIT) BL_FAIL(err, BL_EFORMAT, "%s: too large", name);
    z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)n};
    int rc = inflateInit2(&z, GZIP_WINDOW);
    if (rc != Z_OK) return zlib_failed(name, rc, err);
    unsigned char chunk[CHUNK];
    do {
        z.next_out = chunk;
        z.avail_out = sizeof chunk;
        rc = inflate(&z, Z_NO_FLUSH);
        bl_buf_add(out, chunk, sizeof chunk - z.avail_out);
    } while (rc == Z_OK && out->len <= BL_RUNLOG_LIMIT && (z.avail_in > 0 || z.avail_out == 0));
    const size_t left = z.avail_in;
    (void)inflateEnd(&z);
    if (out->len > BL_RUNLOG_LIMIT) BL_FAIL(err, BL_EFORMAT, "%s: unpacks to too much", name);
    if (rc != Z_STREAM_END) BL_FAIL(err, BL_EFORMAT, "%s: truncated or damaged gzip file", name);
    if (left > 0) BL_FAIL(err, BL_EFORMAT, "%s: %zu bytes after the gzip data", name, left);
    return BL_OK;
}
