#include "engine/export/tar.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK = 512 };

/* POSIX.1-2017, pax: the ustar header block; numbers are octal text. */
typedef struct ustar {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
    char magic[6], version[2], owner[32], group[32], major[8], minor[8], prefix[155], pad[12];
} ustar;
_Static_assert(sizeof(ustar) == BLOCK, "one block");

/* A long name is divided at a '/': what stands before it goes into the prefix. */
static bool put_name(ustar *head, const char *name) {
    const char *rest = name;
    while (strlen(rest) > sizeof head->name) {
        rest = strchr(rest, '/');
        if (rest == NULL) return false;
        rest++;
    }
    const size_t before = rest > name ? (size_t)(rest - name) - 1 : 0;
    if (before > sizeof head->prefix || *rest == '\0') return false;
    memcpy(head->prefix, name, before);
    memcpy(head->name, rest, strlen(rest));
    return true;
}

static void pad(bl_buf *tar, size_t n) {
    static const char zeros[BLOCK];
    bl_buf_add(tar, zeros, n);
}

/* A header block, the bytes, zeros up to a whole block. The checksum is the sum of the header's
 * bytes, with blanks in its own place; its six digits are followed by a NUL and a blank, as the
 * format asks. */
bl_status bl_tar_add(bl_buf *tar, const char *name, const void *bytes, size_t n, bl_err *err) {
    ustar head = {
        .type = '0', .magic = "ustar", .version = {'0', '0'}
    };
    if (!put_name(&head, name)) BL_FAIL(err, BL_EINVAL, "%s: too long a name for a tar file", name);
    (void)snprintf(head.mode, sizeof head.mode, "%07o", 0644U);
    (void)snprintf(head.uid, sizeof head.uid, "%07o", 0U);
    (void)snprintf(head.gid, sizeof head.gid, "%07o", 0U);
    const int digits = snprintf(head.size, sizeof head.size, "%011zo", n);
    if (digits < 0 || digits >= (int)sizeof head.size)
        BL_FAIL(err, BL_EINVAL, "%s: too large for a tar file", name);
    (void)snprintf(head.mtime, sizeof head.mtime, "%011o", 0U);
    memset(head.checksum, ' ', sizeof head.checksum);
    unsigned char block[BLOCK];
    unsigned sum = 0;
    memcpy(block, &head, BLOCK);
    for (size_t i = 0; i < BLOCK; i++) sum += block[i];
    (void)snprintf(head.checksum, sizeof head.checksum, "%06o", sum & 0777777);
    bl_buf_add(tar, &head, BLOCK);
    bl_buf_add(tar, bytes, n);
    pad(tar, (BLOCK - n % BLOCK) % BLOCK);
    return BL_OK;
}

void bl_tar_end(bl_buf *tar) {
    pad(tar, BLOCK);
    pad(tar, BLOCK);
}
