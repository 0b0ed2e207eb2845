/* Any bytes as an experiment: refused with a place, or read, dumped and read again to the same. */
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/config/config.h"
#include "tests/fuzz/libconfig_leak.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_json(const bl_buf *text) {
    bl_json_doc doc;
    bl_err err = {0};
    BL_ASSERT(bl_json_parse(&doc, text->data, text->len, "identity", 1, &err) == BL_OK);
    bl_json_free(&doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    bl_config config, again;
    bl_err err = {0};
    bl_buf dump = {0}, id = {0}, id_again = {0};
    char *text = bl_xalloc(n);
    if (n > 0) memcpy(text, data, n);
    if (bl_config_parse(&config, text, n, "a.cfg", NULL, NULL, 0, &err) == BL_OK) {
        bl_config_dump(&config, &dump);
        BL_ASSERT(bl_config_parse(&again, dump.data, dump.len, "b.cfg", NULL, NULL, 0, &err) ==
                  BL_OK);
        memcpy(again.preset, config.preset, sizeof again.preset);
        config.renamed = 0; /* the dump has today's names */
        config.renamed_end_div = 0.0;
        BL_ASSERT(memcmp(&config, &again, sizeof config) == 0);
        bl_config_identity(&config, &id);
        bl_config_identity(&again, &id_again);
        BL_ASSERT(strcmp(id.data, id_again.data) == 0);
        check_json(&id);
    } else {
        BL_ASSERT(strncmp(err.text, "a.cfg:", 6) == 0);
    }
    bl_buf_free(&dump);
    bl_buf_free(&id);
    bl_buf_free(&id_again);
    free(text);
    return 0;
}
