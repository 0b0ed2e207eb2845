/* From a key's name and text to its field in bl_config, and back to text (key.h).
 *
 *     bl_key_resolve     a name of any form -> its row of the schema; a wrong one gets a suggestion
 *     bl_key_read        a value of a document (doc.h) -> the field
 *     bl_key_read_text   a value of --set -> the same, by way of a node
 *     bl_key_write       the field -> JSON for identities, or libconfig text
 *
 * Three things are known here and nowhere below. A value may be a former one (renamed.c). "unset"
 * takes an optional value away. A list of layers is stored as its canonical JSON, so that equal
 * lists are equal bytes: with optimizer.beta2 the field is a double, with model.layers it is a
 * text. */
#include "engine/config/key.h"
#include "engine/base/mem.h"
#include "engine/base/nearest.h"
#include "engine/config/layers.h"
#include "engine/config/open_values.h"
#include "engine/config/renamed.h"
#include "engine/config/value.h"
#include <string.h>

/* ---- names ---- */

/* What `name` may have been meant for: a path, or the path of the nearest last part. */
static const char *nearest_path(const char *name) {
    const char *paths[BL_KEYS_MAX], *leaves[BL_KEYS_MAX];
    for (size_t i = 0; i < bl_schema_count; i++) {
        paths[i] = bl_schema[i].path;
        leaves[i] = bl_key_leaf(&bl_schema[i]);
    }
    const char *path = bl_nearest(name, paths, bl_schema_count);
    if (path != NULL) return path;
    const char *leaf = bl_nearest(name, leaves, bl_schema_count);
    for (size_t i = 0; i < bl_schema_count && leaf != NULL; i++)
        if (leaves[i] == leaf) return paths[i];
    return NULL;
}

/* In this order: the full path, a last part that one row has, a former name. A last part that two
 * rows have is an error that names both. */
bl_status bl_key_resolve(const bl_key **out, const char *name, bl_err *err) {
    const bl_key *other = NULL;
    *out = bl_key_find(name, strlen(name));
    if (*out != NULL) return BL_OK;
    for (size_t i = 0; i < bl_schema_count; i++) {
        if (strcmp(bl_key_leaf(&bl_schema[i]), name) != 0) continue;
        if (*out != NULL) other = &bl_schema[i];
        if (*out == NULL) *out = &bl_schema[i];
    }
    if (*out == NULL) *out = bl_renamed_key(name, strlen(name), NULL);
    if (other != NULL)
        BL_FAIL(err, BL_EINVAL, "'%s' may be '%s' or '%s'; write which", name, (*out)->path,
                other->path);
    if (*out != NULL) return BL_OK;
    char hint[BL_NEAREST_HINT];
    BL_FAIL(err, BL_EINVAL, "unknown key '%.64s'%s   (batchlab check --list-keys all)", name,
            bl_nearest_hint(hint, "; ", nearest_path(name)));
}

/* ---- values ---- */

/* Stores the canonical text of a list of layers in its field. */
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

static bool read_layers(const bl_key *key, const bl_node *node, void *fields, bl_fault *fault) {
    bl_buf text = {0};
    if (node->type != BL_NODE_LIST) return bl_value_refuse_type(fault, key, node);
    const bool read =
        bl_config_layers_read(node, &text, fault) && keep_layers(key, node, &text, fields, fault);
    bl_buf_free(&text);
    return read;
}

static bool read_layers_text(const bl_key *key, const char *source, void *fields, bl_fault *fault) {
    bl_buf text = {0};
    const bool read = bl_config_layers_read_text(source, &text, fault) &&
                      keep_layers(key, NULL, &text, fields, fault);
    bl_buf_free(&text);
    return read;
}

/* On failure the field keeps what it had. */
bool bl_key_read_layer(const bl_key *key, const char *rest, const char *value, void *fields,
                       bl_fault *fault) {
    bl_buf text = {0};
    const bool read = bl_config_layers_set(bl_key_cfield(key, fields), rest, value, &text, fault) &&
                      keep_layers(key, NULL, &text, fields, fault);
    bl_buf_free(&text);
    return read;
}

/* Is the key one of bl_config, not of a layer? */
static bool is_of_config(const bl_key *key) {
    return key >= bl_schema && key < bl_schema + bl_schema_count;
}

/* Texts and groups whose form is the user's: open_values.h. */
static bool is_open(int type) {
    return type == BL_VALUE_TEXTS || type == BL_VALUE_OPEN;
}

static bool is_unset(const bl_key *key, const bl_node *node) {
    return key->optional && node->type == BL_NODE_STRING && strcmp(node->string, "unset") == 0;
}

bool bl_key_read(const bl_key *key, const bl_node *node, void *fields, bl_fault *fault) {
    bl_node now = *node;
    if (is_unset(key, node)) {
        memset(bl_key_field(key, fields), 0, key->size);
        return true;
    }
    if (is_of_config(key) && bl_renamed_value(key, node, fields, &now)) return true;
    if (key->type == BL_VALUE_LAYERS) return read_layers(key, node, fields, fault);
    if (is_open(key->type)) return bl_value_read_open(key, node, fields, fault);
    if (bl_value_read(key, &now, fields, fault)) return true;
    if (fault->node == &now) fault->node = node;
    return false;
}

/* The text of one scalar may be an old value, or "unset"; a list's is read as it is. */
static bool is_scalar(const bl_key *key) {
    return key->type == BL_VALUE_BOOL || key->type == BL_VALUE_I64 || key->type == BL_VALUE_F64 ||
           key->type == BL_VALUE_STR;
}

bool bl_key_read_text(const bl_key *key, const char *text, void *fields, bl_fault *fault) {
    if (key->type == BL_VALUE_LAYERS) return read_layers_text(key, text, fields, fault);
    if (is_open(key->type)) return bl_value_read_open_text(key, text, fields, fault);
    if (!is_scalar(key)) {
        if (is_of_config(key)) bl_renamed_list(key, text, fields);
        return bl_value_read_text(key, text, fields, fault);
    }
    bl_value_scalar scalar;
    const bl_node *node = bl_value_scalar_of(key, text, &scalar, fault);
    return node != NULL && bl_key_read(key, node, fields, fault);
}

/* Of these types, no text is a value in a configuration of zeros already. */
static bool may_be_empty(const bl_key *key) {
    return key->type == BL_VALUE_STR || key->type == BL_VALUE_LAYERS ||
           key->type == BL_VALUE_PAIRS || key->type == BL_VALUE_TEXTS ||
           key->type == BL_VALUE_OPEN || key->optional;
}

void bl_config_defaults(bl_config *config) {
    BL_ASSERT(bl_schema_count <= BL_KEYS_MAX);
    memset(config, 0, sizeof *config);
    for (size_t i = 0; i < bl_schema_count; i++) {
        const bl_key *key = &bl_schema[i];
        bl_fault fault;
        if (key->def[0] != '\0' || !may_be_empty(key))
            BL_ASSERT(bl_key_read_text(key, key->def, config, &fault));
    }
}

static void write_layers(const char *text, bl_value_form form, bl_buf *out) {
    bl_config_layer *first = bl_config_layers_open(text);
    bl_config_layers_write(first, form, out);
    bl_config_layers_free(first);
}

void bl_key_write(const bl_config_value *value, bl_value_form form, bl_buf *out) {
    if (is_open(value->type) && form == BL_FORM_LIBCONFIG)
        bl_value_write_open(value->str, value->type == BL_VALUE_OPEN, out);
    else if (value->type != BL_VALUE_LAYERS)
        bl_value_write(value, form, out);
    else if (form == BL_FORM_JSON && value->str[0] != '\0')
        bl_buf_str(out, value->str);
    else
        write_layers(value->str, form, out);
}
