/* Texts and groups of the user's own (open_values.h), between a document and canonical JSON:
 *
 *     settings: { width = 64; decay = 0.1; };   <->   {"decay":0.1,"width":64}
 *     command = ["python3", "train.py"];        <->   ["python3","train.py"]
 *
 * They are part of run ids, so equal settings in another order have to be equal bytes: names are
 * sorted. */
#include "engine/config/open_values.h"
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/base/text.h"
#include "engine/base/vec.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char k_prefix[] = "external.settings.";

/* ---- a document's value as canonical text ---- */

/* The text into the key's field, bytes behind it 0; refused when it is too long. */
static bool keep(const bl_key *key, const bl_node *node, const bl_buf *text, void *fields,
                 bl_fault *fault) {
    if (text->len >= key->size)
        return bl_fault_refuse(fault, node, NULL, "'%s' is too long: %zu bytes, at most %zu",
                               bl_key_leaf(key), text->len, key->size - 1);
    char *field = bl_key_field(key, fields);
    memset(field, 0, key->size);
    if (text->len > 0) memcpy(field, text->data, text->len);
    return true;
}

static bool add_text(const bl_key *key, const bl_node *node, bl_jw *w, const char *name,
                     bl_fault *fault) {
    if (!bl_text_is_plain(node->string))
        return bl_fault_refuse(fault, node, NULL, "'%s' holds plain text", bl_key_leaf(key));
    bl_jw_str(w, name, node->string);
    return true;
}

static bool write_texts(const bl_key *key, const bl_node *list, bl_jw *w, bl_fault *fault) {
    bl_jw_array(w, NULL);
    for (const bl_node *n = list->first; n != NULL; n = n->next) {
        if (n->type != BL_NODE_STRING)
            return bl_fault_refuse(fault, n, NULL, "'%s' holds texts in quotes", bl_key_leaf(key));
        if (!add_text(key, n, w, NULL, fault)) return false;
    }
    bl_jw_end(w);
    return true;
}

static int by_name(const void *a, const void *b) {
    return strcmp((*(const bl_node *const *)a)->name, (*(const bl_node *const *)b)->name);
}

/* Names that a program is given anyway: members of params.json, and {run} of the command. */
static bool is_taken(const char *name) {
    static const char *const taken[] = {"batch_size", "learning_rate", "seed", "run", "batchlab"};
    for (size_t i = 0; i < BL_COUNT(taken); i++)
        if (strcmp(taken[i], name) == 0) return true;
    return false;
}

/* A scalar as JSON. + 0.0 makes 0 of -0: equal settings have equal texts, and so equal ids. */
static bool write_member(const bl_key *key, const bl_node *n, bl_jw *w, bl_fault *fault) {
    if (is_taken(n->name))
        return bl_fault_refuse(fault, n, NULL, "'%s' is given to each run: leave it out here",
                               n->name);
    if (strlen(n->name) >= BL_NAME)
        return bl_fault_refuse(fault, n, NULL, "the name '%.40s' is too long", n->name);
    switch (n->type) {
    case BL_NODE_BOOL:
        bl_jw_bool(w, n->name, n->boolean);
        return true;
    case BL_NODE_INT:
        bl_jw_i64(w, n->name, n->integer);
        return true;
    case BL_NODE_FLOAT:
        bl_jw_f64(w, n->name, n->number + 0.0);
        return true;
    case BL_NODE_STRING:
        return add_text(key, n, w, n->name, fault);
    case BL_NODE_LIST:
    case BL_NODE_GROUP:
        break;
    }
    return bl_fault_refuse(fault, n, NULL, "'%s' is a number, a text, true or false", n->name);
}

static bool write_group(const bl_key *key, const bl_node *group, bl_jw *w, bl_fault *fault) {
    const bl_node **member = NULL;
    size_t count = 0;
    bool good = true;
    for (const bl_node *n = group->first; n != NULL; n = n->next)
        *BL_PUSH(member, count, "settings") = n;
    if (count > 1) qsort(member, count, sizeof *member, by_name);
    bl_jw_object(w, NULL);
    for (size_t i = 0; i < count && good; i++) good = write_member(key, member[i], w, fault);
    if (good) bl_jw_end(w);
    free(member);
    return good;
}

bool bl_value_read_open(const bl_key *key, const bl_node *node, void *fields, bl_fault *fault) {
    const bool group = key->type == BL_VALUE_OPEN;
    bl_buf text = {0};
    bl_jw w = bl_jw_open(&text);
    if (node->type != (group ? BL_NODE_GROUP : BL_NODE_LIST))
        return bl_value_refuse_type(fault, key, node);
    if (!group && (node->count < key->min_count || node->count > key->max_count))
        return bl_fault_refuse(fault, node, NULL, "'%s' has more than %zu texts", bl_key_leaf(key),
                               key->max_count);
    bool read = group ? write_group(key, node, &w, fault) : write_texts(key, node, &w, fault);
    if (node->count == 0) bl_buf_clear(&text);
    read = read && keep(key, node, &text, fields, fault);
    bl_buf_free(&text);
    return read;
}

/* As in a file, without what stands around it: "a", "b" or width = 64; */
bool bl_value_read_open_text(const bl_key *key, const char *source, void *fields, bl_fault *fault) {
    bl_doc doc;
    bl_err ignored;
    bl_buf whole = {0};
    const bool group = key->type == BL_VALUE_OPEN;
    const char first = source[strspn(source, " \t")];
    if (group)
        bl_buf_printf(&whole, first == '{' ? "x: %s;" : "x: { %s };", source);
    else
        bl_buf_printf(&whole, first == '[' || first == '(' ? "x = %s;" : "x = (%s);", source);
    const bl_status status = bl_doc_parse(&doc, bl_buf_text(&whole), whole.len, "--set", &ignored);
    bl_buf_free(&whole);
    if (status != BL_OK)
        return bl_fault_refuse(fault, NULL, NULL, "'%s' is written %s", bl_key_leaf(key),
                               group ? "{ name = value; }" : "[\"one\", \"two\"]");
    const bool read =
        doc.root->count == 1 && bl_value_read_open(key, doc.root->first, fields, fault);
    fault->node = NULL; /* it goes with the document */
    bl_doc_free(&doc);
    return read;
}

/* ---- writing ---- */

static void write_libconfig_text(const char *text, bl_buf *out) {
    bl_buf_str(out, "\"");
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') bl_buf_str(out, "\\");
        bl_buf_add(out, text, 1);
    }
    bl_buf_str(out, "\"");
}

/* A whole number is one by its text: 64 stays 64, and 64.0 a float. */
static void write_value(const bl_json *v, bl_buf *out) {
    bl_config_value value = {.type = BL_VALUE_F64, .f64 = v->number};
    if (v->type == BL_JSON_STRING) {
        write_libconfig_text(v->string, out);
        return;
    }
    if (v->type == BL_JSON_BOOL) {
        bl_buf_str(out, v->boolean ? "true" : "false");
        return;
    }
    if (strspn(v->string, "-0123456789") == strlen(v->string)) {
        value.type = BL_VALUE_I64;
        value.i64 = strtoll(v->string, NULL, 10);
    }
    bl_value_write(&value, BL_FORM_LIBCONFIG, out);
}

void bl_value_write_open(const char *text, bool group, bl_buf *out) {
    bl_json_doc doc;
    if (text[0] == '\0') {
        bl_buf_str(out, group ? "{}" : "[]");
        return;
    }
    BL_ASSERT(bl_json_parse(&doc, text, strlen(text), "texts", 1, NULL) == BL_OK);
    bl_buf_str(out, group ? "{ " : "[");
    for (const bl_json *v = doc.root->first; v != NULL; v = v->next) {
        if (group) bl_buf_printf(out, "%s = ", v->key);
        if (!group && v != doc.root->first) bl_buf_str(out, ", ");
        write_value(v, out);
        if (group) bl_buf_str(out, "; ");
    }
    bl_buf_str(out, group ? "}" : "]");
    bl_json_free(&doc);
}

/* ---- one setting ---- */

static const char *leaf_of(const char *name) {
    const size_t n = sizeof k_prefix - 1;
    return strncmp(name, k_prefix, n) == 0 ? name + n : name;
}

bool bl_config_setting_find(const bl_config *config, const char *name, char path[BL_OPEN_PATH]) {
    bl_json_doc doc;
    const char *text = config->external.settings, *leaf = leaf_of(name);
    if (text[0] == '\0' || strchr(leaf, '.') != NULL) return false;
    BL_ASSERT(bl_json_parse(&doc, text, strlen(text), "settings", 1, NULL) == BL_OK);
    const bool found = bl_json_get(doc.root, leaf) != NULL;
    bl_json_free(&doc);
    if (found) (void)snprintf(path, BL_OPEN_PATH, "%s%s", k_prefix, leaf);
    return found;
}

/* The value as libconfig would read it: text in quotes, unless it is a number or a truth value. */
static void add_source(bl_buf *out, const char *name, const char *value) {
    char *end;
    (void)strtod(value, &end);
    const bool bare = (end != value && *end == '\0' && strpbrk(value, "xXnN") == NULL) ||
                      strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
    bl_buf_printf(out, "%s = ", name);
    if (bare)
        bl_buf_str(out, value);
    else
        write_libconfig_text(value, out);
    bl_buf_str(out, "; ");
}

/* The whole group is written as text with the one value replaced, and read again: so it has a
 * file's checks. */
bool bl_config_setting_set(bl_config *config, const char *path, const char *value,
                           bl_fault *fault) {
    const bl_key *key = bl_key_find(k_prefix, sizeof k_prefix - 2);
    const char *text = config->external.settings;
    bl_json_doc doc;
    bl_buf source = {0};
    BL_ASSERT(key != NULL && bl_json_parse(&doc, text, strlen(text), "set", 1, NULL) == BL_OK);
    for (const bl_json *v = doc.root->first; v != NULL; v = v->next) {
        if (strcmp(v->key, leaf_of(path)) == 0) {
            add_source(&source, v->key, value);
            continue;
        }
        bl_buf_printf(&source, "%s = ", v->key);
        write_value(v, &source);
        bl_buf_str(&source, "; ");
    }
    bl_json_free(&doc);
    const bool set = bl_value_read_open_text(key, bl_buf_text(&source), config, fault);
    bl_buf_free(&source);
    return set;
}
