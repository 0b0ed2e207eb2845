/* --only with any words: refused by name, or terms that hold for a run or do not. */
#include "engine/base/mem.h"
#include "engine/config/filter.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static const char experiment[] = "dataset = \"x\"; sweep: { targets = [0.5]; };";
    bl_config config;
    bl_filter filter;
    bl_err err = {0};
    BL_ASSERT(bl_config_parse(&config, experiment, sizeof experiment - 1, "a.cfg", NULL, NULL, 0,
                              &err) == BL_OK);
    char *text = bl_xalloc(n + 1);
    if (n > 0) memcpy(text, data, n);
    if (bl_filter_parse(&filter, text, &err) == BL_OK) {
        BL_ASSERT(filter.count > 0);
        (void)bl_filter_matches(&filter, &config);
        bl_filter_free(&filter);
    } else {
        BL_ASSERT(err.code == BL_EINVAL && strncmp(err.text, "--only", 6) == 0);
        BL_ASSERT(filter.term == NULL);
    }
    free(text);
    return 0;
}
