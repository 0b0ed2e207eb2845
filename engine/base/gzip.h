/* Gzip in memory, by zlib at its level 6. The header's time is 0 and it names no file, so equal
 * bytes pack to equal bytes with one version of zlib. Another version may pack otherwise, which is
 * why logs are compared as text, and why result.json holds the digests of both. */
#ifndef BL_ENGINE_BASE_GZIP_H
#define BL_ENGINE_BASE_GZIP_H
#include "engine/base/buf.h"
#include "engine/base/status.h"
#include <stddef.h>

/* Gzip of `n` bytes (at most 1 GiB) appended to `out`. */
bl_status bl_gzip(bl_buf *out, const void *bytes, size_t n, bl_err *err) BL_CHECKED;
/* Uncompresses a whole gzip file, all of its members: what others pack. */
bl_status bl_gunzip(bl_buf *out, const void *bytes, size_t n, const char *name,
                    bl_err *err) BL_CHECKED;
/* Exactly one member of at most `limit` bytes: what bl_gzip packs. */
bl_status bl_gunzip_one(bl_buf *out, const void *bytes, size_t n, size_t limit, const char *name,
                        bl_err *err) BL_CHECKED;
#endif
