/* Lists of layers (layers.h), in three forms:
 *
 *     document     nodes of a file or of --set; places are in messages
 *     structures   bl_config_layer, one a layer, with lists inside where the kind has them
 *     text         canonical JSON, which the configuration stores: no blanks, no defaults
 *
 * bl_config_layers_read goes from the first to the last, bl_config_layers_open from the text to the
 * structures. A single key, as in --set model.layers[2].units=64, opens the text, sets the key, and
 * writes the text anew. Two lists that mean the same have equal texts, so they have equal ids. */
#include "engine/config/layers.h"
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/base/nearest.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char k_example[] = "{ type = \"dense\"; units = 10; } or \"relu\"";

/* ---- a document's list ---- */

static const bl_config_layer_kind *find_kind(const char *name) {
    for (size_t i = 0; i < bl_config_layer_kind_count; i++)
        if (strcmp(bl_config_layer_kinds[i].name, name) == 0) return &bl_config_layer_kinds[i];
    return NULL;
}

static bool refuse_kind(bl_fault *fault, const bl_node *node, const char *name) {
    const char **names = bl_xalloc(bl_config_layer_kind_count * sizeof *names);
    for (size_t i = 0; i < bl_config_layer_kind_count; i++)
        names[i] = bl_config_layer_kinds[i].name;
    const char *near = bl_nearest(name, names, bl_config_layer_kind_count);
    free(names);
    return bl_fault_refuse(fault, node, near,
                           "there is no layer '%.40s' (batchlab check --list-keys layers)", name);
}

static const bl_key *find_key(const bl_config_layer_kind *kind, const char *name) {
    for (size_t i = 0; i < kind->key_count; i++)
        if (strcmp(bl_key_leaf(&kind->keys[i]), name) == 0) return &kind->keys[i];
    return NULL;
}

/* BL_CONFIG_LAYER_LISTS: the kind has no list of that name. */
static size_t find_list(const bl_config_layer_kind *kind, const char *name) {
    size_t i = 0;
    while (i < BL_CONFIG_LAYER_LISTS && (kind->list[i] == NULL || strcmp(kind->list[i], name) != 0))
        i++;
    return i;
}

/* The message lists what the layer has. */
static bool refuse_key(bl_fault *fault, const bl_node *node, const bl_config_layer_kind *kind,
                       const char *name) {
    const char *names[16];
    char text[256] = "";
    size_t n = 0, used = 0;
    for (size_t i = 0; i < kind->key_count; i++) names[n++] = bl_key_leaf(&kind->keys[i]);
    for (size_t i = 0; i < BL_CONFIG_LAYER_LISTS; i++)
        if (kind->list[i] != NULL) names[n++] = kind->list[i];
    for (size_t i = 0; i < n && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? ", " : "", names[i]);
    return bl_fault_refuse(fault, node, bl_nearest(name, names, n),
                           "layer '%s' has no '%.40s'; it has: %s", kind->name, name,
                           n > 0 ? text : "no settings");
}

/* The layer with its kind's defaults. */
static bl_config_layer *new_entry(const bl_config_layer_kind *kind) {
    bl_config_layer *e = bl_xalloc(sizeof *e);
    bl_fault fault;
    *e = (bl_config_layer){.kind = kind};
    for (size_t i = 0; i < kind->key_count; i++)
        if (kind->keys[i].def != NULL && !kind->keys[i].optional)
            BL_ASSERT(bl_value_read_text(&kind->keys[i], kind->keys[i].def, e, &fault));
    return e;
}

static bool take_list(const bl_node *list, size_t depth, bl_config_layer **first, bl_fault *fault);

/* Is the value what takes an optional one away: "unset", or the 0 of the release before? */
static bool is_absent(const bl_key *key, const bl_node *node) {
    if (!key->optional) return false;
    if (node->type == BL_NODE_STRING) return strcmp(node->string, "unset") == 0;
    return node->type == BL_NODE_INT && node->number == 0.0;
}

static bool take_absent(const bl_key *key, bl_config_layer *e) {
    memset(bl_key_field(key, e), 0, key->size);
    return true;
}

/* A setting of a layer: a key of its kind, or one of its lists of layers. */
static bool take_member(bl_config_layer *e, const bl_node *node, size_t depth, bl_fault *fault) {
    const bl_key *key = find_key(e->kind, node->name);
    const size_t list = find_list(e->kind, node->name);
    if (key != NULL && is_absent(key, node)) return take_absent(key, e);
    if (key != NULL) return bl_value_read(key, node, e, fault);
    if (list == BL_CONFIG_LAYER_LISTS) return refuse_key(fault, node, e->kind, node->name);
    if (node->type != BL_NODE_LIST)
        return bl_fault_refuse(fault, node, NULL, "'%s' is a list of layers: %s = ( %s );",
                               node->name, node->name, k_example);
    return take_list(node, depth + 1, &e->list[list], fault);
}

/* Has all that has to be given been given? */
static bool check_given(const bl_config_layer *e, const bl_node *node, bl_fault *fault) {
    for (size_t i = 0; i < e->kind->key_count; i++) {
        const bl_key *key = &e->kind->keys[i];
        const bool given = node->type == BL_NODE_GROUP && bl_node_get(node, bl_key_leaf(key));
        char range[96];
        bl_key_range(key, range);
        if (key->def == NULL && !given)
            return bl_fault_refuse(fault, node, NULL, "layer '%s' lacks '%s': %s, a number %s",
                                   e->kind->name, bl_key_leaf(key), key->help, range);
    }
    if (e->kind->list[0] != NULL && e->list[0] == NULL)
        return bl_fault_refuse(fault, node, NULL,
                               "layer '%s' lacks '%s', a list of layers: %s = ( %s );",
                               e->kind->name, e->kind->list[0], e->kind->list[0], k_example);
    return true;
}

/* All of a layer's settings. A stride that is the window's size is stored as absent, so that
 * both ways of writing it have one identity. */
static bool take_members(bl_config_layer *e, const bl_node *node, size_t depth, bl_fault *fault) {
    for (const bl_node *c = node->first; node->type == BL_NODE_GROUP && c != NULL; c = c->next)
        if (strcmp(c->name, "type") != 0 && !take_member(e, c, depth, fault)) return false;
    if (!check_given(e, node, fault)) return false;
    if (e->kind->stride_is_size && e->stride == e->size) e->stride = 0;
    return true;
}

/* { type = "dense"; units = 10; }, or "relu" alone. *out is the caller's to free, also on
 * failure. */
static bool take_layer(const bl_node *node, size_t depth, bl_config_layer **out, bl_fault *fault) {
    const bl_node *type = node->type == BL_NODE_GROUP ? bl_node_get(node, "type") : node;
    if (type == NULL || type->type != BL_NODE_STRING)
        return bl_fault_refuse(fault, type != NULL ? type : node, NULL,
                               "a layer is a group with a type, or a name alone: %s", k_example);
    const bl_config_layer_kind *kind = find_kind(type->string);
    if (kind == NULL) return refuse_kind(fault, type, type->string);
    *out = new_entry(kind);
    return take_members(*out, node, depth, fault);
}

/* Appends the layers of a list to *first. On failure those before the fault are there, too: the
 * caller frees them. */
static bool take_list(const bl_node *list, size_t depth, bl_config_layer **first, bl_fault *fault) {
    if (depth > BL_CONFIG_LAYER_DEPTH)
        return bl_fault_refuse(fault, list, NULL,
                               "lists of layers lie in each other more than %d deep",
                               BL_CONFIG_LAYER_DEPTH);
    for (const bl_node *node = list->first; node != NULL; node = node->next) {
        if (!take_layer(node, depth, first, fault)) return false;
        first = &(*first)->next;
    }
    return true;
}

void bl_config_layers_free(bl_config_layer *first) {
    while (first != NULL) {
        bl_config_layer *next = first->next;
        for (size_t i = 0; i < BL_CONFIG_LAYER_LISTS; i++) bl_config_layers_free(first->list[i]);
        free(first);
        first = next;
    }
}

bool bl_config_layers_read(const bl_node *list, bl_buf *text, bl_fault *fault) {
    bl_config_layer *first = NULL;
    const bool taken = take_list(list, 1, &first, fault);
    if (taken && first != NULL) bl_config_layers_write(first, BL_FORM_JSON, text);
    bl_config_layers_free(first);
    return taken;
}

/* The text of --set: wrapped as "layers = (...);" it is read like a file's list. */
bool bl_config_layers_read_text(const char *source, bl_buf *text, bl_fault *fault) {
    bl_doc doc;
    bl_err err;
    bl_buf whole = {0};
    const size_t blanks = strspn(source, " \t");
    const bool bracket = source[blanks] == '(' || source[blanks] == '[';
    bl_buf_printf(&whole, bracket ? "layers = %s;" : "layers = (%s);", source);
    const bl_status status = bl_doc_parse(&doc, bl_buf_text(&whole), whole.len, "--set", &err);
    bl_buf_free(&whole);
    if (status != BL_OK)
        return bl_fault_refuse(fault, NULL, NULL, "no list of layers, which is written ( %s, ... )",
                               k_example);
    const bl_node *list = doc.root->first;
    bool taken = doc.root->count == 1 && list->type == BL_NODE_LIST;
    if (!taken)
        (void)bl_fault_refuse(fault, NULL, NULL, "no list of layers, which is written ( %s, ... )",
                              k_example);
    taken = taken && bl_config_layers_read(list, text, fault);
    fault->node = NULL; /* it goes with the document */
    bl_doc_free(&doc);
    return taken;
}

/* ---- canonical text ---- */

/* Nodes as a document has them, of canonical JSON. */
static bl_node *node_of(const bl_json *json) {
    bl_node *node = bl_xalloc(sizeof *node);
    *node = (bl_node){.type = BL_NODE_GROUP, .name = json->key != NULL ? json->key : ""};
    if (json->type == BL_JSON_ARRAY) node->type = BL_NODE_LIST;
    if (json->type == BL_JSON_STRING) node->type = BL_NODE_STRING;
    if (json->type == BL_JSON_BOOL) node->type = BL_NODE_BOOL;
    if (json->type == BL_JSON_NUMBER)
        node->type = strpbrk(json->string, ".eE") ? BL_NODE_FLOAT : BL_NODE_INT;
    node->string = json->string;
    node->boolean = json->boolean;
    node->number = json->number;
    if (node->type == BL_NODE_INT) node->integer = (int64_t)json->number;
    bl_node **next = &node->first;
    for (const bl_json *child = json->first; child != NULL; child = child->next) {
        *next = node_of(child);
        next = &(*next)->next;
    }
    return node;
}

static void free_node(bl_node *node) {
    while (node != NULL) {
        bl_node *next = node->next;
        free_node(node->first);
        free(node);
        node = next;
    }
}

/* The text is one that this file wrote: it is read without a check. NULL is an empty list. */
bl_config_layer *bl_config_layers_open(const char *text) {
    bl_json_doc doc;
    bl_fault fault;
    bl_config_layer *first = NULL;
    if (text[0] == '\0') return NULL;
    BL_ASSERT(bl_json_parse(&doc, text, strlen(text), "layers", 1, NULL) == BL_OK);
    bl_node *list = node_of(doc.root);
    BL_ASSERT(take_list(list, 1, &first, &fault));
    free_node(list);
    bl_json_free(&doc);
    return first;
}

/* Is the key other than its default? */
static bool is_given(const bl_config_layer *e, const bl_config_layer *plain, const bl_key *key) {
    const bl_config_value value = bl_value_of(key, e), def = bl_value_of(key, plain);
    return key->def == NULL || !bl_value_equal(&value, &def);
}

/* Does the layer say more than its name? */
static bool has_members(const bl_config_layer *e, const bl_config_layer *plain) {
    for (size_t i = 0; i < e->kind->key_count; i++)
        if (is_given(e, plain, &e->kind->keys[i])) return true;
    for (size_t i = 0; i < BL_CONFIG_LAYER_LISTS; i++)
        if (e->list[i] != NULL) return true;
    return false;
}

static void write_list_json(bl_jw *w, const char *key, const bl_config_layer *first);

static void write_layer_json(bl_jw *w, const bl_config_layer *e) {
    bl_config_layer *plain = new_entry(e->kind);
    if (has_members(e, plain)) {
        bl_jw_object(w, NULL);
        bl_jw_str(w, "type", e->kind->name);
        for (size_t i = 0; i < e->kind->key_count; i++) {
            const bl_key *key = &e->kind->keys[i];
            const bl_config_value value = bl_value_of(key, e);
            if (is_given(e, plain, key))
                bl_value_write(&value, BL_FORM_JSON, bl_jw_slot(w, bl_key_leaf(key)));
        }
        for (size_t i = 0; i < BL_CONFIG_LAYER_LISTS; i++)
            if (e->list[i] != NULL) write_list_json(w, e->kind->list[i], e->list[i]);
        bl_jw_end(w);
    } else {
        bl_jw_str(w, NULL, e->kind->name);
    }
    free(plain);
}

static void write_list_json(bl_jw *w, const char *key, const bl_config_layer *first) {
    bl_jw_array(w, key);
    for (const bl_config_layer *e = first; e != NULL; e = e->next) write_layer_json(w, e);
    bl_jw_end(w);
}

static void write_list_config(bl_buf *out, const bl_config_layer *first);

/* A layer with all keys at their defaults is its name alone; else it is a group that has the keys
 * that differ, then its lists. */
static void write_layer_config(bl_buf *out, const bl_config_layer *e) {
    bl_config_layer *plain = new_entry(e->kind);
    const bool group = has_members(e, plain);
    bl_buf_printf(out, group ? "{ type = \"%s\";" : "\"%s\"", e->kind->name);
    for (size_t i = 0; i < e->kind->key_count; i++) {
        const bl_key *key = &e->kind->keys[i];
        const bl_config_value value = bl_value_of(key, e);
        if (!is_given(e, plain, key)) continue;
        bl_buf_printf(out, " %s = ", bl_key_leaf(key));
        bl_value_write(&value, BL_FORM_LIBCONFIG, out);
        bl_buf_str(out, ";");
    }
    for (size_t i = 0; i < BL_CONFIG_LAYER_LISTS; i++) {
        if (e->list[i] == NULL) continue;
        bl_buf_printf(out, " %s = ", e->kind->list[i]);
        write_list_config(out, e->list[i]);
        bl_buf_str(out, ";");
    }
    if (group) bl_buf_str(out, " }");
    free(plain);
}

static void write_list_config(bl_buf *out, const bl_config_layer *first) {
    bl_buf_str(out, "( ");
    for (const bl_config_layer *e = first; e != NULL; e = e->next) {
        if (e != first) bl_buf_str(out, ", ");
        write_layer_config(out, e);
    }
    bl_buf_str(out, " )");
}

void bl_config_layers_write(const bl_config_layer *first, bl_value_form form, bl_buf *out) {
    if (form == BL_FORM_LIBCONFIG) {
        write_list_config(out, first);
        return;
    }
    bl_jw w = bl_jw_open(out);
    write_list_json(&w, NULL, first);
    bl_jw_done(&w);
}

/* ---- one layer of a list ---- */

static const char k_path[] = "model.layers";

bool bl_config_layers_is_path(const char *path, const char **rest) {
    const size_t n = sizeof k_path - 1, leaf = strlen("layers");
    *rest = NULL;
    if (strncmp(path, k_path, n) == 0 && path[n] == '[') *rest = path + n;
    if (strncmp(path, "layers[", leaf + 1) == 0) *rest = path + leaf;
    return *rest != NULL;
}

/* "[12]" at *rest, which is moved behind it; false if there is none. */
static bool take_index(const char **rest, size_t *index) {
    size_t n = strspn(*rest + 1, "0123456789");
    if (**rest != '[' || n < 1 || n > 4 || (*rest)[n + 1] != ']') return false;
    *index = (size_t)strtoul(*rest + 1, NULL, 10);
    *rest += n + 2;
    return true;
}

/* ".name" at *rest, which is moved behind it. */
static bool take_name(const char **rest, char name[BL_NAME]) {
    if (**rest != '.') return false;
    const size_t n = strcspn(*rest + 1, ".[");
    if (n < 1 || n >= BL_NAME) return false;
    memcpy(name, *rest + 1, n);
    name[n] = '\0';
    *rest += n + 1;
    return true;
}

static bool refuse_path(bl_fault *fault) {
    return bl_fault_refuse(fault, NULL, NULL,
                           "a key of a layer is written model.layers[2].units, counted from 0, or "
                           "model.layers[2].layers[0].units");
}

/* The layer, and the name of its key or list behind it. */
static bool find_entry(bl_config_layer *first, const char **rest, bl_config_layer **out,
                       char name[BL_NAME], bl_fault *fault) {
    size_t index, count = 0;
    if (!take_index(rest, &index)) return refuse_path(fault);
    for (bl_config_layer *e = first; e != NULL; e = e->next)
        if (count++ == index) *out = e;
    if (index >= count)
        return bl_fault_refuse(fault, NULL, NULL,
                               "there is no layer [%zu]: the list has %zu, from [0]", index, count);
    return take_name(rest, name) || refuse_path(fault);
}

/* Sets the key that `rest` names, below the list that begins with `first`. */
static bool set_in(bl_config_layer *first, const char *rest, const char *value, bl_fault *fault) {
    char name[BL_NAME];
    bl_config_layer *e = NULL;
    if (!find_entry(first, &rest, &e, name, fault)) return false;
    const size_t list = find_list(e->kind, name);
    const bl_key *key = find_key(e->kind, name);
    if (list < BL_CONFIG_LAYER_LISTS && *rest == '[')
        return set_in(e->list[list], rest, value, fault);
    if (key == NULL) return refuse_key(fault, NULL, e->kind, name);
    if (*rest != '\0') return refuse_path(fault);
    if (key->optional && (strcmp(value, "unset") == 0 || strcmp(value, "0") == 0))
        return take_absent(key, e);
    if (!bl_value_read_text(key, value, e, fault)) return false;
    if (e->kind->stride_is_size && e->stride == e->size) e->stride = 0;
    return true;
}

bool bl_config_layers_set(const char *text, const char *rest, const char *value, bl_buf *out,
                          bl_fault *fault) {
    bl_config_layer *first = bl_config_layers_open(text);
    const bool taken = set_in(first, rest, value, fault);
    if (taken) bl_config_layers_write(first, BL_FORM_JSON, out);
    bl_config_layers_free(first);
    return taken;
}

const bl_node *bl_config_layers_node(const bl_node *list, const char *rest) {
    char name[BL_NAME];
    size_t index;
    if (!take_index(&rest, &index)) return list;
    const bl_node *node = list->first;
    for (size_t i = 0; i < index && node != NULL; i++) node = node->next;
    if (node == NULL) return list;
    const bl_node *inner = take_name(&rest, name) ? bl_node_get(node, name) : NULL;
    return inner != NULL ? bl_config_layers_node(inner, rest) : node;
}

/* ---- facts ---- */

/* Of a list and of all lists in it. */
static void add_facts(bl_config_layer_facts *facts, const bl_config_layer *first) {
    for (const bl_config_layer *e = first; e != NULL; e = e->next) {
        if (e->kind->normalises_batch) facts->batch_norm = true;
        if (e->kind->convolves) facts->convolutions = true;
        if (e->ghost > 0 && facts->ghosts < BL_COUNT(facts->ghost))
            facts->ghost[facts->ghosts++] = e->ghost;
        for (size_t i = 0; i < BL_CONFIG_LAYER_LISTS; i++) add_facts(facts, e->list[i]);
    }
}

void bl_config_layers_facts(bl_config_layer_facts *facts, const char *text) {
    bl_config_layer *first = bl_config_layers_open(text);
    *facts = (bl_config_layer_facts){0};
    add_facts(facts, first);
    bl_config_layers_free(first);
}

void bl_config_layers_each_key(void (*row)(void *ctx, const bl_key *key), void *ctx) {
    static const char *const help[] = {"list of layers", "list of layers; none: x itself"};
    for (size_t k = 0; k < bl_config_layer_kind_count; k++) {
        const bl_config_layer_kind *kind = &bl_config_layer_kinds[k];
        const bl_key head = {.path = kind->name, .type = -1, .help = kind->help};
        row(ctx, &head);
        for (size_t i = 0; i < kind->key_count; i++) row(ctx, &kind->keys[i]);
        for (size_t i = 0; i < BL_CONFIG_LAYER_LISTS && kind->list[i] != NULL; i++) {
            char path[2 * BL_NAME];
            (void)snprintf(path, sizeof path, "%s.%s", kind->name, kind->list[i]);
            const bl_key list = {
                .path = path, .type = BL_VALUE_LAYERS, .def = i > 0 ? "()" : NULL, .help = help[i]};
            row(ctx, &list);
        }
    }
}
