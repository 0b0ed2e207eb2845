#include "engine/base/json.h"
#include "engine/config/validate.h"
#include "engine/store/store.h"
#include <string.h>

bool bl_is_run_id(const char *name) {
    return strlen(name) == BL_RUN_ID - 1 && strspn(name, "0123456789abcdef") == BL_RUN_ID - 1;
}

void bl_run_identity(const bl_config *config, const char *dataset_sha256, char id[BL_RUN_ID],
                     bl_buf *text) {
    bl_buf identity = {0};
    bl_buf_str(&identity, "{\"config\":");
    bl_config_identity(config, &identity);
    bl_buf_printf(&identity, ",\"dataset\":\"%s\",\"epoch\":%d,\"level\":\"%s\"", dataset_sha256,
                  bl_config_numerics_epoch(config), config->numerics);
    if (config->computed_by[0] != '\0') {
        bl_buf_str(&identity, ",\"device\":");
        bl_json_string(&identity, config->computed_by);
    }
    bl_buf_str(&identity, "}");
    char digest[BL_SHA256_HEX];
    bl_sha256_of(identity.data, identity.len, digest);
    memcpy(id, digest, BL_RUN_ID - 1);
    id[BL_RUN_ID - 1] = '\0';
    if (text != NULL) bl_buf_add(text, identity.data, identity.len);
    bl_buf_free(&identity);
}
