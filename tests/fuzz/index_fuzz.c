/* Any rows as index.csv: as they come, and sealed as if they had been written, so that the rows
 * themselves are read. */
#include "engine/base/mem.h"
#include "engine/base/seal.h"
#include "engine/store/index.h"
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    bl_buf text = {0};
    char digest[BL_SHA256_HEX];
    char *bytes = bl_xalloc(n);
    if (n > 0) memcpy(bytes, data, n);
    (void)bl_index_check(bytes, n);
    BL_ASSERT(n == 0 || !bl_seal_holds(bytes, n) || bytes[n - 1] == '\n');
    bl_buf_str(&text, "# batchlab index, format 1\n");
    bl_buf_add(&text, bytes, n);
    bl_sha256_of(text.data, text.len, digest);
    bl_buf_printf(&text, "# %s\n", digest);
    BL_ASSERT(bl_index_check(text.data, text.len) >= -1);
    bl_buf_free(&text);
    free(bytes);
    return 0;
}
