/* The cache of encoded data sets: one file per data set and variant, a block (block.h) and the
 * SHA-256 of it. Valid for exactly one identity: whatever changes the data changes that. */
#ifndef BL_ENGINE_DATA_CACHE_H
#define BL_ENGINE_DATA_CACHE_H
#include "engine/base/file.h"
#include "engine/base/status.h"
#include "engine/data/dataset.h"

/* Maps the file and points `out` into `map`. BL_EMISSING: no file, or one of another identity;
 * BL_EFORMAT: damaged, the message says how. */
bl_status bl_cache_read(bl_dataset *out, bl_map *map, const char *path, const char *sha256,
                        bl_err *err) BL_CHECKED;
bl_status bl_cache_write(const char *path, const unsigned char *block, size_t n,
                         bl_err *err) BL_CHECKED;
/* The part of bl_cache_read that looks at bytes: any bytes are taken or refused. */
bl_status bl_cache_parse(bl_dataset *out, const unsigned char *bytes, size_t n, const char *sha256,
                         bl_err *err) BL_CHECKED;
#endif
