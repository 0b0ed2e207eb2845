/* Any bytes as a checkpoint's file, as they come and with the trailer that belongs to them: only
 * what begins as one and is sealed by its own digest is whole. */
#include "engine/base/mem.h"
#include "engine/base/sha256.h"
#include "engine/store/store.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bl_status check(const void *bytes, size_t n) {
    char path[64];
    bl_err err = {0};
    const int fd = memfd_create("checkpoint", MFD_CLOEXEC);
    BL_ASSERT(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const bl_status status = bl_store_check_checkpoint(path, &err);
    BL_ASSERT(status == BL_OK || (status == BL_EFORMAT && strstr(err.text, "damaged") != NULL));
    (void)close(fd);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static const char magic[] = "blckpt1\n";
    enum { HEAD = 16 };
    bl_buf file = {0};
    char digest[BL_SHA256_HEX];
    (void)check(data, n);
    bl_buf_add(&file, data, n);
    bl_sha256_of(bl_buf_text(&file), n, digest);
    bl_buf_str(&file, digest);
    const bool whole = n >= HEAD && memcmp(data, magic, sizeof magic - 1) == 0;
    BL_ASSERT((check(file.data, file.len) == BL_OK) == whole);
    if (whole) {
        file.data[n / 2] = (char)(file.data[n / 2] ^ 1);
        BL_ASSERT(check(file.data, file.len) == BL_EFORMAT);
    }
    bl_buf_free(&file);
    return 0;
}
