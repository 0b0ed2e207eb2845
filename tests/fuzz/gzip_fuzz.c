/* Any bytes as gzip: refused by name, or unpacked within the limit; what is packed unpacks to the
 * same bytes and packs to the same bytes again. */
#include "engine/base/gzip.h"
#include "engine/base/mem.h"
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void unpack_any(const char *bytes, size_t n) {
    enum { LIMIT = 1 << 16 };
    bl_buf one = {0}, all = {0};
    bl_err err = {0};
    const bl_status whole = bl_gunzip(&all, bytes, n, "file", &err);
    BL_ASSERT(whole == BL_OK || (whole == BL_EFORMAT && strncmp(err.text, "file:", 5) == 0));
    const bl_status status = bl_gunzip_one(&one, bytes, n, LIMIT, "file", &err);
    if (status == BL_OK) {
        /* One member within the limit is all there is. */
        BL_ASSERT(one.len <= LIMIT && whole == BL_OK && one.len == all.len);
        BL_ASSERT(one.len == 0 || memcmp(one.data, all.data, one.len) == 0);
    } else {
        BL_ASSERT(status == BL_EFORMAT && strncmp(err.text, "file:", 5) == 0);
    }
    bl_buf_free(&one);
    bl_buf_free(&all);
}

static void round_trip(const char *bytes, size_t n) {
    bl_buf once = {0}, twice = {0}, text = {0};
    bl_err err = {0};
    BL_ASSERT(bl_gzip(&once, bytes, n, &err) == BL_OK);
    BL_ASSERT(bl_gunzip_one(&text, once.data, once.len, n, "file", &err) == BL_OK);
    BL_ASSERT(text.len == n && (n == 0 || memcmp(text.data, bytes, n) == 0));
    BL_ASSERT(bl_gzip(&twice, bl_buf_text(&text), text.len, &err) == BL_OK);
    BL_ASSERT(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
    bl_buf_free(&once);
    bl_buf_free(&twice);
    bl_buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    char *bytes = bl_xalloc(n);
    if (n > 0) memcpy(bytes, data, n);
    unpack_any(bytes, n);
    round_trip(bytes, n);
    free(bytes);
    return 0;
}
