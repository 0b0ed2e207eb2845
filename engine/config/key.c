#include "engine/config/key.h"
#include "engine/base/mem.h"
#include "engine/config/layers.h"
#include "engine/config/value.h"
#include <string.h>

/* Canonical text into its field. */
static bool keep_layers(const bl_key *key, const bl_node *node, const bl_buf *text, void *fields,
                        bl_fault *fault) {
    if (text->len >= key->size)
        return bl_fault_refuse(
            fault, node, NULL,
            "'%s' is too long: %zu characters without blanks and defaults, at most %zu",
            bl_key_leaf(key), text->len, key->size - 1);
    char *field = bl_key_field(key, fields);
    memset(field, 0, key->size);
    if (text->len > 0) memcpy(field, text->data, text->len);
    return true;
}

static bool take_layers(const bl_key *key, const bl_node *node, void *fields, bl_fault *fault) {
    bl_buf text = {0};
    if (node->type != BL_NODE_LIST) return bl_value_refuse_type(fault, key, node);
    const bool taken =
        bl_config_layers_read(node, &text, fault) && keep_layers(key, node, &text, fields, fault);
    bl_buf_free(&text);
    return taken;
}

static bool take_layers_text(const bl_key *key, const char *source, void *fields, bl_fault *fault) {
    bl_buf text = {0};
    const bool taken = bl_config_layers_read_text(source, &text, fault) &&
                       keep_layers(key, NULL, &text, fields, fault);
    bl_buf_free(&text);
    return taken;
}

bool bl_key_read_layer(const bl_key *key, const char *rest, const char *value, void *fields,
                       bl_fault *fault) {
    bl_buf text = {0};
    const bool taken =
        bl_config_layers_set(bl_key_cfield(key, fields), rest, value, &text, fault) &&
        keep_layers(key, NULL, &text, fields, fault);
    bl_buf_free(&text);
    return taken;
}

bool bl_key_read(const bl_key *key, const bl_node *node, void *fields, bl_fault *fault) {
    return key->type == BL_VALUE_LAYERS ? take_layers(key, node, fields, fault)
                                        : bl_value_read(key, node, fields, fault);
}

bool bl_key_read_text(const bl_key *key, const char *text, void *fields, bl_fault *fault) {
    return key->type == BL_VALUE_LAYERS ? take_layers_text(key, text, fields, fault)
                                        : bl_value_read_text(key, text, fields, fault);
}

static bool is_text_type(int type) {
    return type == BL_VALUE_STR || type == BL_VALUE_LAYERS;
}

void bl_config_defaults(bl_config *config) {
    BL_ASSERT(bl_schema_count <= BL_KEYS_MAX);
    memset(config, 0, sizeof *config);
    for (size_t i = 0; i < bl_schema_count; i++) {
        const bl_key *key = &bl_schema[i];
        bl_fault fault;
        const bool empty = is_text_type(key->type) && key->def[0] == '\0';
        if (!empty) BL_ASSERT(bl_key_read_text(key, key->def, config, &fault));
    }
}

static void write_layers(const char *text, bl_value_form form, bl_buf *out) {
    bl_config_layer *first = bl_config_layers_open(text);
    bl_config_layers_write(first, form, out);
    bl_config_layers_free(first);
}

void bl_key_write(const bl_config_value *value, bl_value_form form, bl_buf *out) {
    if (value->type != BL_VALUE_LAYERS)
        bl_value_write(value, form, out);
    else if (form == BL_FORM_JSON && value->str[0] != '\0')
        bl_buf_str(out, value->str);
    else
        write_layers(value->str, form, out);
}
