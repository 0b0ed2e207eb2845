/* Zip archives in memory: the members that are stored or deflated, as numpy.savez writes them. */
#ifndef BL_ENGINE_BASE_ZIP_H
#define BL_ENGINE_BASE_ZIP_H
#include "engine/base/buf.h"
#include "engine/base/status.h"
#include <stddef.h>
#include <stdint.h>

typedef struct bl_zip_member {
    char *name;
    unsigned method;        /* 0: stored, 8: deflated */
    uint64_t packed, bytes; /* as stored, and unpacked */
    uint64_t offset;        /* of its header in the archive */
    uint32_t crc;           /* of the unpacked bytes */
} bl_zip_member;

typedef struct bl_zip {
    const char *name; /* for messages */
    const unsigned char *data;
    size_t n;
    bl_zip_member *member;
    size_t members;
} bl_zip;

/* Reads the list of members. `data` has to stay; free with bl_zip_close, also after a failure. */
bl_status bl_zip_open(bl_zip *out, const void *data, size_t n, const char *name,
                      bl_err *err) BL_CHECKED;
/* The member's bytes appended to `out`. What is damaged, encrypted or packed in another way is
 * refused. */
bl_status bl_zip_read(bl_buf *out, const bl_zip *zip, const bl_zip_member *member,
                      bl_err *err) BL_CHECKED;
void bl_zip_close(bl_zip *zip);
#endif
