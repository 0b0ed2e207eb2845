/* Experiments as files: found, read through overlay.c, named when they are missing; and places in
 * them for faults that show later. */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/nearest.h"
#include "engine/config/config.h"
#include "engine/config/layers.h"
#include "engine/config/overlay.h"
#include "engine/config/value.h"
#include <stdio.h>
#include <string.h>

bl_status bl_config_parse(bl_config *out, const char *text, size_t n, const char *file,
                          const char *preset, const char *const *sets, size_t n_sets, bl_err *err) {
    bl_doc doc;
    BL_TRY(bl_doc_parse(&doc, text, n, file, err));
    const bl_status status = bl_overlay_resolve(out, &doc, preset, sets, n_sets, err);
    bl_doc_free(&doc);
    return status;
}

/* Names the experiments that exist: folders with an experiment.cfg. */
static bl_status fail_experiment(const char *dir, const char *name, bl_err *err) {
    bl_names all = {0};
    bl_buf list = {0};
    char path[BL_PATH], hint[BL_NEAREST_HINT];
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
    const bl_status status = BL_ERR(err, BL_EMISSING, "no experiment '%.64s' in %s; %s%.1024s%s",
                                    name, dir, count ? "there are: " : "it has none",
                                    bl_buf_text(&list), bl_nearest_hint(hint, "; ", near));
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
    const bl_status status = bl_overlay_resolve(out, &doc, preset, sets, n_sets, err);
    bl_doc_free(&doc);
    if (status == BL_OK) memcpy(out->name, name, strlen(name));
    return status;
}

/* The file is read again, since a resolved configuration does not hold places. Where anything
 * does not fit, the fault stays as it was. */
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
    bl_fault unsaid;
    const char *rest;
    const bl_err fault = *err;
    if (!bl_config_layers_is_path(fault.text, &rest)) return;
    if (read_doc(&doc, experiments_dir, config->name, &ignored) != BL_OK) return;
    const bl_node *list = list_of(&doc, config->preset);
    if (list != NULL && bl_config_layers_read(list, &text, &unsaid) &&
        strcmp(bl_buf_text(&text), config->model.layers) == 0)
        (void)bl_node_fail(&doc, bl_config_layers_node(list, rest), NULL, err, "%s", fault.text);
    bl_buf_free(&text);
    bl_doc_free(&doc);
}
