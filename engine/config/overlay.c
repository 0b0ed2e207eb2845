/* How an experiment's settings come together (overlay.h), with the place where each was set:
 *
 *     defaults of the schema           place NULL
 *     the file's top level, groups     place: the line in the file
 *     presets.NAME                     place: the line in the preset
 *     --set, in order                  no place: messages name the set
 *
 * A fault between two keys is found last and points at the line of the key that should change.
 * Every preset is applied and checked, not only the wanted one, so that a slip in `paper` shows
 * while `quick` is used. */
#include "engine/config/overlay.h"
#include "engine/base/mem.h"
#include "engine/base/nearest.h"
#include "engine/config/key.h"
#include "engine/config/layers.h"
#include "engine/config/open_values.h"
#include "engine/config/renamed.h"
#include "engine/config/validate.h"
#include <stdio.h>
#include <string.h>

/* A configuration while a file's groups are applied to it, and where each key was set. */
typedef struct overlay {
    bl_config config;
    const bl_node *place[BL_KEYS_MAX]; /* by row; NULL: a default */
} overlay;

static const bl_node **place_of(overlay *over, const char *path) {
    return &over->place[bl_key_find(path, strlen(path)) - bl_schema];
}

/* ---- one group of a file ---- */

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

/* The hint is the nearest name of this group, or else the group where that very name belongs. */
static bl_status fail_unknown(const bl_doc *doc, const bl_node *node, const char *group,
                              bl_err *err) {
    char hint[256], in_group[96] = "", word[2 * BL_NAME], question[BL_NEAREST_HINT];
    const char *near = nearest_in(group, node->name);
    const bl_key *elsewhere;
    size_t n = near != NULL ? strcspn(near, ".") : 0;
    if (near == NULL && bl_key_resolve(&elsewhere, node->name, NULL) == BL_OK) {
        near = elsewhere->path;
        n = strlen(near);
    }
    (void)snprintf(word, sizeof word, "%.*s", (int)n, near != NULL ? near : "");
    (void)snprintf(hint, sizeof hint, "%s%s(batchlab check --list-keys %s)",
                   bl_nearest_hint(question, "", near != NULL ? word : NULL),
                   near != NULL ? "   " : "", group[0] != '\0' ? group : "all");
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

/* Applies a group's keys to the configuration. `group` is "" for the file itself and for a preset.
 */
static bl_status apply_group(overlay *over, const bl_doc *doc, const bl_node *node,
                             const char *group, bl_err *err) {
    for (const bl_node *child = node->first; child != NULL; child = child->next) {
        char path[2 * BL_NAME];
        bl_fault fault;
        if (group[0] == '\0' && is_group(child->name)) {
            if (child->type != BL_NODE_GROUP)
                return bl_node_fail(doc, child, NULL, err, "'%s' is a group: %s: { ... };",
                                    child->name, child->name);
            BL_TRY(apply_group(over, doc, child, child->name, err));
            continue;
        }
        if (node == doc->root && strcmp(child->name, "presets") == 0) continue;
        const int n =
            snprintf(path, sizeof path, "%s%s%s", group, group[0] ? "." : "", child->name);
        const bl_key *key = bl_key_find(path, (size_t)n);
        if (key == NULL) key = bl_renamed_key(path, (size_t)n, &over->config);
        if (key == NULL) return fail_unknown(doc, child, group, err);
        if (!bl_key_read(key, child, &over->config, &fault))
            return bl_node_fail(doc, fault.node, fault.hint[0] ? fault.hint : NULL, err, "%s",
                                fault.message);
        bl_renamed_settle(key, &over->config);
        over->place[key - bl_schema] = child;
    }
    return BL_OK;
}

static bl_status check_overlay(overlay *over, const bl_doc *doc, bl_err *err) {
    bl_config_fault fault;
    const bl_node *list = *place_of(over, "model.layers");
    if (list != NULL && *place_of(over, "model.kind") == NULL)
        return bl_node_fail(doc, list, NULL, err,
                            "'layers' is read under kind = \"layers\" alone: write that beside it");
    if (bl_config_validate(&over->config, &fault)) return BL_OK;
    const bl_key *key = bl_key_find(fault.path, strlen(fault.path));
    const bl_node *place = over->place[key - bl_schema];
    return bl_node_fail(doc, place != NULL ? place : doc->root, fault.hint[0] ? fault.hint : NULL,
                        err, "%s", fault.message);
}

/* ---- presets ---- */

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
    char hint[BL_NEAREST_HINT];
    const char *near = bl_nearest(name, names, count);
    BL_FAIL(err, BL_EINVAL, "%s: error: no preset '%.64s'; %s%s%s", doc->file, name,
            n ? "there are: " : "the file has none", list, bl_nearest_hint(hint, "; ", near));
}

/* Every preset is checked, so that a fault shows before the day it is wanted; `wanted`'s result is
 * what remains in `over`. */
static bl_status apply_preset(overlay *over, const bl_doc *doc, const char *wanted, bl_err *err) {
    const bl_node *presets = bl_node_get(doc->root, "presets");
    const bool by_default = wanted == NULL || wanted[0] == '\0';
    const overlay base = *over;
    bool found = false;
    if (by_default) wanted = "quick";
    if (presets != NULL && presets->type != BL_NODE_GROUP)
        return bl_node_fail(doc, presets, NULL, err, "'presets' is a group: presets: { ... };");
    for (const bl_node *p = presets ? presets->first : NULL; p != NULL; p = p->next) {
        overlay one = base;
        if (!bl_value_is_name(p->name))
            return bl_node_fail(doc, p, NULL, err, "a preset's name is of a-z, 0-9 and _");
        if (p->type != BL_NODE_GROUP)
            return bl_node_fail(doc, p, NULL, err, "preset '%s' is a group: %s: { ... };", p->name,
                                p->name);
        BL_TRY(apply_group(&one, doc, p, "", err));
        BL_TRY(check_overlay(&one, doc, err));
        if (strcmp(p->name, wanted) != 0) continue;
        found = true;
        *over = one;
        memcpy(over->config.preset, p->name, strlen(p->name));
    }
    if (found) return BL_OK;
    if (!by_default) return fail_preset(doc, presets, wanted, err);
    return check_overlay(over, doc, err);
}

/* ---- sets ---- */

/* `key` is a path, a last part, a former name, a place in the list of layers such as
 * "model.layers[2].units", or the name of an open setting. */
bl_status bl_config_set(bl_config *config, const char *key, const char *value, bl_err *err) {
    const bl_key *row;
    const char *rest;
    char path[BL_OPEN_PATH];
    bl_err why;
    bl_fault fault;
    if (bl_config_layers_is_path(key, &rest)) {
        row = bl_key_find("model.layers", strlen("model.layers"));
        if (bl_key_read_layer(row, rest, value, config, &fault)) return BL_OK;
    } else if (bl_config_setting_find(config, key, path)) {
        if (bl_config_setting_set(config, path, value, &fault)) return BL_OK;
    } else if (bl_key_resolve(&row, key, &why) != BL_OK) {
        BL_FAIL(err, BL_EINVAL, "%.64s=%.64s: %s", key, value, why.text);
    } else {
        if (strcmp(key, row->path) != 0 && strcmp(key, bl_key_leaf(row)) != 0)
            (void)bl_renamed_key(key, strlen(key), config);
        if (bl_key_read_text(row, value, config, &fault)) {
            bl_renamed_settle(row, config);
            return BL_OK;
        }
    }
    BL_FAIL(err, BL_EINVAL, "%.64s=%.64s: %s%s%s", key, value, fault.message,
            fault.hint[0] ? "; " : "", fault.hint);
}

/* What has to hold between keys is checked after the last set: two sets may only be right
 * together. */
static bl_status apply_sets(bl_config *config, const char *const *sets, size_t n_sets,
                            bl_err *err) {
    for (size_t i = 0; i < n_sets; i++) {
        const char *equals = strchr(sets[i], '=');
        char key[2 * BL_NAME];
        bl_err why;
        if (equals == NULL || equals == sets[i])
            BL_FAIL(err, BL_EINVAL, "--set %.64s: write KEY=VALUE", sets[i]);
        (void)snprintf(key, sizeof key, "%.*s", (int)bl_size_min((size_t)(equals - sets[i]), 99),
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

/* ---- all of them ---- */

/* What an external run does not say: it reads its data itself. One that is read from a file gives
 * the same values again. */
static void settle_external(bl_config *config) {
    if (bl_config_is_imported(config)) memcpy(config->external.repeats, "exact", sizeof "exact");
    if (bl_config_is_external(config) && config->dataset[0] == '\0')
        memcpy(config->dataset, "none", sizeof "none");
}

bl_status bl_overlay_resolve(bl_config *out, const bl_doc *doc, const char *preset,
                             const char *const *sets, size_t n_sets, bl_err *err) {
    overlay over = {0};
    bl_config_defaults(&over.config);
    BL_TRY(apply_group(&over, doc, doc->root, "", err));
    settle_external(&over.config);
    BL_TRY(apply_preset(&over, doc, preset, err));
    BL_TRY(apply_sets(&over.config, sets, n_sets, err));
    memcpy(out, &over.config, sizeof *out);
    return BL_OK;
}
