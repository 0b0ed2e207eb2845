/* Any text as the declaration of a data set: read, or refused with a place. */
#include "engine/base/mem.h"
#include "engine/data/manifest/manifest.h"
#include "tests/fuzz/libconfig_leak.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    bl_manifest m;
    bl_err err = {0};
    bl_buf canonical = {0};
    char *text = bl_xalloc(n + 1);
    if (n > 0) memcpy(text, data, n);
    if (bl_manifest_parse(&m, text, n, "data.cfg", "data", &err) == BL_OK) {
        bl_manifest_canonical(&m, true, &canonical);
        BL_ASSERT(canonical.len > 0);
        bl_manifest_free(&m);
    } else {
        BL_ASSERT(strncmp(err.text, "data.cfg", 8) == 0);
    }
    bl_buf_free(&canonical);
    free(text);
    return 0;
}
