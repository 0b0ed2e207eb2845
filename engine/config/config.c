#include "engine/config/config.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/config/layers.h"
#include "engine/config/schema.h"
#include "engine/config/validate.h"
#include "engine/config/value.h"
#include <stdio.h>
#include <string.h>

/* A configuration while a file's layers are laid over it, and where each key was set. */
typedef struct layer {
    bl_config config;
    const bl_node *place[BL_KEYS_MAX]; /* by row; NULL: a default */
} layer;

static const bl_node **place_of(layer *lay, const char *path) {
    return &lay->place[bl_key_find(path, strlen(path)) - bl_schema];
}

/* ---- one group of a file ----------------------------------------------------------------- */

/* The names that may stand in a group ("" is the top level) and the nearest of them. */
static const char *nearest_in(const char *group, const char *name) {
    const char *names[BL_KEYS_MAX + 16];
    char groups[16][BL_NAME];
    size_t count = 0;
    const size_t n = strlen(group);
    for (size_t i = 0; i < bl_schema_count; i++) {
        const char *path = bl_schema[i].path;
        const char *leaf = bl_key_leaf(&bl_schema[i]);
        const size_t len = leaf > path ? (size_t)(leaf - path) - 1 : 0;
        if (len == n && memcmp(path, group, n) == 0) names[count++] = leaf;
    }
    const char *part;
    size_t len;
    for (size_t i = 0; n == 0 && i < BL_COUNT(groups) && bl_schema_group(i, &part, &len); i++) {
        (void)snprintf(groups[i], sizeof groups[i], "%.*s", (int)len, part);
        names[count++] = groups[i];
    }
    const char *near = bl_nearest(name, names, count);
    for (size_t i = 0; i < BL_COUNT(groups) && near != NULL; i++)
        if (near == groups[i]) return bl_schema_group(i, &part, &len) ? part : NULL;
    return near;
}

static bl_status fail_unknown(const bl_doc *doc, const bl_node *node, const char *group,
                              bl_err *err) {
    char hint[256] = "", in_group[96] = "";
    const char *near = nearest_in(group, node->name);
    const bl_key *elsewhere;
    size_t n = near != NULL ? strcspn(near, ".") : 0;
    if (near == NULL && bl_key_resolve(&elsewhere, node->name, NULL) == BL_OK) {
        near = elsewhere->path;
        n = strlen(near);
    }
    if (near != NULL) (void)snprintf(hint, sizeof hint, "did you mean '%.*s'?   ", (int)n, near);
    const size_t used = strlen(hint);
    (void)snprintf(hint + used, sizeof hint - used, "(batchlab check --list-keys%s%s)",
                   group[0] ? " " : "", group);
    if (group[0] != '\0') (void)snprintf(in_group, sizeof in_group, " in group '%s'", group);
    return bl_node_fail(doc, node, hint, err, "unknown key '%.64s'%s", node->name, in_group);
}

static bool is_group(const char *name) {
    const char *part;
    size_t n;
    for (size_t i = 0; bl_schema_group(i, &part, &n); i++)
        if (strlen(name) == n && memcmp(part, name, n) == 0) return true;
    return false;
}

/* Lays a group's keys over the configuration. `group` is "" for the file itself and for a preset.
 */
static bl_status lay_group(layer *lay, const bl_doc *doc, const bl_node *node, const char *group,
                           bl_err *err) {
    for (const bl_node *child = node->first; child != NULL; child = child->next) {
        char path[2 * BL_NAME];
        bl_value_fault fault;
        if (group[0] == '\0' && is_group(child->name)) {
            if (child->type != BL_NODE_GROUP)
                return bl_node_fail(doc, child, NULL, err, "'%s' is a group: %s: { ... };",
                                    child->name, child->name);
            BL_TRY(lay_group(lay, doc, child, child->name, err));
            continue;
        }
        if (node == doc->root && strcmp(child->name, "presets") == 0) continue;
        const int n =
            snprintf(path, sizeof path, "%s%s%s", group, group[0] ? "." : "", child->name);
        const bl_key *key = bl_key_find(path, (size_t)n);
        if (key == NULL) return fail_unknown(doc, child, group, err);
        if (!bl_value_take(key, child, &lay->config, &fault))
            return bl_node_fail(doc, fault.node, fault.hint[0] ? fault.hint : NULL, err, "%s",
                                fault.message);
        lay->place[key - bl_schema] = child;
    }
    return BL_OK;
}

static bl_status check_layer(layer *lay, const bl_doc *doc, bl_err *err) {
    bl_config_fault fault;
    const bl_node *list = *place_of(lay, "model.layers");
    if (list != NULL && *place_of(lay, "model.kind") == NULL)
        return bl_node_fail(doc, list, NULL, err,
                            "'layers' is read under kind = \"layers\" alone: write that beside it");
    if (bl_config_validate(&lay->config, &fault)) return BL_OK;
    const bl_key *key = bl_key_find(fault.path, strlen(fault.path));
    const bl_node *place = lay->place[key - bl_schema];
    return bl_node_fail(doc, place != NULL ? place : doc->root, NULL, err, "%s", fault.message);
}

/* ---- presets ----------------------------------------------------------------------------- */

static bl_status fail_preset(const bl_doc *doc, const bl_node *presets, const char *name,
                             bl_err *err) {
    char list[512] = "";
    const char *names[32];
    size_t n = 0, count = 0;
    for (const bl_node *p = presets ? presets->first : NULL; p != NULL; p = p->next) {
        if (n < sizeof list)
            n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n ? ", " : "", p->name);
        if (count < BL_COUNT(names)) names[count++] = p->name;
    }
    const char *near = bl_nearest(name, names, count);
    BL_FAIL(err, BL_EINVAL, "%s: error: no preset '%.64s'; %s%s%s%s%s", doc->file, name,
            n ? "there are: " : "the file has none", list, near ? "; did you mean '" : "",
            near ? near : "", near ? "'?" : "");
}

/* Every preset is checked, so that a fault shows before the day it is wanted; `wanted`'s result is
 * what remains in `lay`. */
static bl_status lay_presets(layer *lay, const bl_doc *doc, const char *wanted, bl_err *err) {
    const bl_node *presets = bl_node_get(doc->root, "presets");
    const bool by_default = wanted == NULL || wanted[0] == '\0';
    const layer base = *lay;
    bool found = false;
    if (by_default) wanted = "quick";
    if (presets != NULL && presets->type != BL_NODE_GROUP)
        return bl_node_fail(doc, presets, NULL, err, "'presets' is a group: presets: { ... };");
    for (const bl_node *p = presets ? presets->first : NULL; p != NULL; p = p->next) {
        layer one = base;
        if (!bl_value_is_name(p->name))
            return bl_node_fail(doc, p, NULL, err, "a preset's name is of a-z, 0-9 and _");
        if (p->type != BL_NODE_GROUP)
            return bl_node_fail(doc, p, NULL, err, "preset '%s' is a group: %s: { ... };", p->name,
                                p->name);
        BL_TRY(lay_group(&one, doc, p, "", err));
        BL_TRY(check_layer(&one, doc, err));
        if (strcmp(p->name, wanted) != 0) continue;
        found = true;
        *lay = one;
        memcpy(lay->config.preset, p->name, strlen(p->name));
    }
    if (found) return BL_OK;
    if (!by_default) return fail_preset(doc, presets, wanted, err);
    return check_layer(lay, doc, err);
}

/* ---- sets -------------------------------------------------------------------------------- */

bl_status bl_config_set(bl_config *config, const char *key, const char *value, bl_err *err) {
    const bl_key *row;
    const char *rest;
    bl_err why;
    bl_value_fault fault;
    if (bl_layers_is_path(key, &rest)) {
        row = bl_key_find("model.layers", strlen("model.layers"));
        if (bl_value_take_layer(row, rest, value, config, &fault)) return BL_OK;
    } else if (bl_key_resolve(&row, key, &why) != BL_OK) {
        BL_FAIL(err, BL_EINVAL, "%.64s=%.64s: %s", key, value, why.text);
    } else if (bl_value_take_text(row, value, config, &fault)) {
        return BL_OK;
    }
    BL_FAIL(err, BL_EINVAL, "%.64s=%.64s: %s%s%s", key, value, fault.message,
            fault.hint[0] ? "; " : "", fault.hint);
}

static bl_status lay_sets(bl_config *config, const char *const *sets, size_t n_sets, bl_err *err) {
    for (size_t i = 0; i < n_sets; i++) {
        const char *equals = strchr(sets[i], '=');
        char key[2 * BL_NAME];
        bl_err why;
        if (equals == NULL || equals == sets[i])
            BL_FAIL(err, BL_EINVAL, "--set %.64s: write KEY=VALUE", sets[i]);
        (void)snprintf(key, sizeof key, "%.*s", (int)bl_min_size((size_t)(equals - sets[i]), 99),
                       sets[i]);
        if (bl_config_set(config, key, equals + 1, &why) != BL_OK)
            BL_FAIL(err, BL_EINVAL, "--set %s", why.text);
    }
    bl_config_fault fault;
    if (n_sets > 0 && !bl_config_validate(config, &fault))
        BL_FAIL(err, BL_EINVAL, "--set %.64s%s: %s", sets[n_sets - 1],
                n_sets > 1 ? " (the last of several)" : "", fault.message);
    return BL_OK;
}

bl_status bl_config_check(const bl_config *config, bl_err *err) {
    bl_config_fault fault;
    if (!bl_config_validate(config, &fault))
        BL_FAIL(err, BL_EINVAL, "%s: %s", fault.path, fault.message);
    return BL_OK;
}

/* ---- reading ----------------------------------------------------------------------------- */

static bl_status resolve(bl_config *out, const bl_doc *doc, const char *preset,
                         const char *const *sets, size_t n_sets, bl_err *err) {
    layer lay = {0};
    bl_config_defaults(&lay.config);
    BL_TRY(lay_group(&lay, doc, doc->root, "", err));
    BL_TRY(lay_presets(&lay, doc, preset, err));
    BL_TRY(lay_sets(&lay.config, sets, n_sets, err));
    memcpy(out, &lay.config, sizeof *out);
    return BL_OK;
}

bl_status bl_config_parse(bl_config *out, const char *text, size_t n, const char *file,
                          const char *preset, const char *const *sets, size_t n_sets, bl_err *err) {
    bl_doc doc;
    BL_TRY(bl_doc_parse(&doc, text, n, file, err));
    const bl_status status = resolve(out, &doc, preset, sets, n_sets, err);
    bl_doc_free(&doc);
    return status;
}

/* Names the experiments that exist: folders with an experiment.cfg. */
static bl_status fail_experiment(const char *dir, const char *name, bl_err *err) {
    bl_names all = {0};
    bl_buf list = {0};
    char path[BL_PATH];
    const char *near = NULL;
    size_t count = 0;
    if (bl_dir_list(&all, dir, NULL) == BL_OK) {
        const char **found = bl_xalloc((all.count + 1) * sizeof *found);
        for (size_t i = 0; i < all.count; i++) {
            if (bl_path(path, NULL, "%s/%s/experiment.cfg", dir, all.name[i]) != BL_OK) continue;
            if (!bl_value_is_name(all.name[i]) || !bl_file_exists(path)) continue;
            bl_buf_printf(&list, "%s%s", count ? ", " : "", all.name[i]);
            found[count++] = all.name[i];
        }
        near = bl_nearest(name, found, count);
        free(found);
    }
    const bl_status status =
        BL_ERR(err, BL_EMISSING, "no experiment '%.64s' in %s; %s%.1024s%s%s%s", name, dir,
               count ? "there are: " : "it has none", bl_buf_text(&list),
               near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    bl_buf_free(&list);
    bl_names_free(&all);
    return status;
}

static bl_status read_doc(bl_doc *doc, const char *experiments_dir, const char *name, bl_err *err) {
    char path[BL_PATH];
    if (!bl_value_is_name(name))
        BL_FAIL(err, BL_EINVAL, "an experiment's name is of a-z, 0-9 and _, not '%.64s'", name);
    BL_TRY(bl_path(path, err, "%s/%s/experiment.cfg", experiments_dir, name));
    if (!bl_file_exists(path)) return fail_experiment(experiments_dir, name, err);
    return bl_doc_read(doc, path, experiments_dir, err);
}

bl_status bl_config_presets(bl_names *out, const char *experiments_dir, const char *name,
                            bl_err *err) {
    bl_doc doc;
    *out = (bl_names){0};
    BL_TRY(read_doc(&doc, experiments_dir, name, err));
    const bl_node *presets = bl_node_get(doc.root, "presets");
    const bl_node *first = presets != NULL ? presets->first : NULL;
    size_t n = 0;
    for (const bl_node *p = first; p != NULL; p = p->next) n++;
    out->name = bl_xalloc((n + 1) * sizeof *out->name);
    for (const bl_node *p = first; p != NULL; p = p->next)
        out->name[out->count++] = bl_xstrdup(p->name != NULL ? p->name : "");
    if (n == 0) out->name[out->count++] = bl_xstrdup("");
    bl_doc_free(&doc);
    return BL_OK;
}

bl_status bl_config_read(bl_config *out, const char *experiments_dir, const char *name,
                         const char *preset, const char *const *sets, size_t n_sets, bl_err *err) {
    bl_doc doc;
    BL_TRY(read_doc(&doc, experiments_dir, name, err));
    const bl_status status = resolve(out, &doc, preset, sets, n_sets, err);
    bl_doc_free(&doc);
    if (status == BL_OK) memcpy(out->name, name, strlen(name));
    return status;
}

void bl_config_locate(const char *experiments_dir, const char *name, const char *key,
                      const char *value, bl_err *err) {
    bl_doc doc;
    bl_err ignored;
    const bl_err fault = *err;
    if (read_doc(&doc, experiments_dir, name, &ignored) != BL_OK) return;
    const bl_node *node = bl_node_get(doc.root, key);
    if (node != NULL && node->type == BL_NODE_STRING && strcmp(node->string, value) == 0)
        (void)bl_node_fail(&doc, node, NULL, err, "%s", fault.text);
    bl_doc_free(&doc);
}

/* model: { layers = ...; } of the preset, else of the file; NULL: neither has it. */
static const bl_node *list_of(const bl_doc *doc, const char *preset) {
    const bl_node *presets = bl_node_get(doc->root, "presets");
    const bl_node *group = presets != NULL ? bl_node_get(presets, preset) : NULL;
    const bl_node *model = group != NULL ? bl_node_get(group, "model") : NULL;
    const bl_node *list = model != NULL ? bl_node_get(model, "layers") : NULL;
    if (list != NULL) return list;
    model = bl_node_get(doc->root, "model");
    return model != NULL ? bl_node_get(model, "layers") : NULL;
}

void bl_config_locate_layer(const char *experiments_dir, const bl_config *config, bl_err *err) {
    bl_doc doc;
    bl_err ignored;
    bl_buf text = {0};
    bl_value_fault unsaid;
    const char *rest;
    const bl_err fault = *err;
    if (!bl_layers_is_path(fault.text, &rest)) return;
    if (read_doc(&doc, experiments_dir, config->name, &ignored) != BL_OK) return;
    const bl_node *list = list_of(&doc, config->preset);
    if (list != NULL && bl_layers_take(list, &text, &unsaid) &&
        strcmp(bl_buf_text(&text), config->model.layers) == 0)
        (void)bl_node_fail(&doc, bl_layers_node(list, rest), NULL, err, "%s", fault.text);
    bl_buf_free(&text);
    bl_doc_free(&doc);
}
