/* A tar archive (POSIX ustar) in memory, without clock, owner or host: equal files in equal order
 * give equal bytes. */
#ifndef BL_ENGINE_EXPORT_TAR_H
#define BL_ENGINE_EXPORT_TAR_H
#include "engine/base/buf.h"
#include "engine/base/status.h"

/* Appends a regular file of mode 0644. BL_EINVAL: the name has no ustar form (at most 100 bytes
 * after a '/', at most 155 before it). */
bl_status bl_tar_add(bl_buf *tar, const char *name, const void *bytes, size_t n,
                     bl_err *err) BL_CHECKED;
/* The two empty blocks at the end. */
void bl_tar_end(bl_buf *tar);
#endif
