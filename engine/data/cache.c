/* The cache of encoded data sets: a block (block.h) followed by its SHA-256 as 64 hex digits.
 *
 * Reading distinguishes three cases: no file or another identity (BL_EMISSING, the caller builds it
 * and says nothing), damage (BL_EFORMAT, the caller says so and builds it), and success. The hash
 * is checked before anything in the block is believed. */
#include "engine/data/cache.h"
#include "engine/base/mem.h"
#include "engine/base/sha256.h"
#include "engine/data/block.h"
#include <string.h>

enum { TRAILER = 64 };

bl_status bl_cache_parse(bl_dataset *out, const unsigned char *bytes, size_t n, const char *sha256,
                         bl_err *err) {
    bl_block_header h;
    char found[65];
    *out = (bl_dataset){0};
    if (n < sizeof h + TRAILER) BL_FAIL(err, BL_EFORMAT, "cut short");
    memcpy(&h, bytes, sizeof h);
    if (memcmp(h.magic, BL_BLOCK_MAGIC, sizeof h.magic) != 0)
        BL_FAIL(err, BL_EMISSING, "another format");
    if (memcmp(h.sha256, sha256, strlen(sha256)) != 0) BL_FAIL(err, BL_EMISSING, "other data");
    bl_sha256_of(bytes, n - TRAILER, found);
    if (memcmp(found, bytes + n - TRAILER, TRAILER) != 0)
        BL_FAIL(err, BL_EFORMAT, "its bytes do not match its SHA-256");
    return bl_block_open(out, bytes, n - TRAILER, err);
}

bl_status bl_cache_read(bl_dataset *out, bl_map *map, const char *path, const char *sha256,
                        bl_err *err) {
    *out = (bl_dataset){0};
    if (!bl_file_exists(path)) return BL_EMISSING;
    BL_TRY(bl_file_map(map, path, err));
    const bl_status status = bl_cache_parse(out, map->data, map->size, sha256, err);
    if (status != BL_OK) bl_file_unmap(map);
    return status;
}

/* In one piece and under its final name at the end (bl_file_write), so that no process reads
 * half a cache. */
bl_status bl_cache_write(const char *path, const unsigned char *block, size_t n, bl_err *err) {
    char trailer[65];
    bl_sha256_of(block, n, trailer);
    unsigned char *bytes = bl_alloc(n + TRAILER);
    if (bytes == NULL) BL_FAIL(err, BL_ENOMEM, "no memory to write %s", path);
    memcpy(bytes, block, n);
    memcpy(bytes + n, trailer, TRAILER);
    const bl_status status = bl_file_write(path, bytes, n + TRAILER, err);
    free(bytes);
    return status;
}
