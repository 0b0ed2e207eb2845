/* A declaration as structures: look-ups, the canonical text, and freeing. A leaf: reading
 * (manifest_read.c) and checking (manifest_check.c) use it. */
#include "engine/data/manifest/manifest.h"
#include "engine/base/mem.h"
#include <inttypes.h>
#include <string.h>

/* ---- look-ups ---- */

bool bl_manifest_has_generator(const bl_manifest *m) {
    return m->synthetic.node != NULL || m->image_synthetic.node != NULL;
}

bool bl_string_list_contains(const bl_string_list *texts, const char *text) {
    for (size_t i = 0; i < texts->n; i++)
        if (strcmp(texts->v[i], text) == 0) return true;
    return false;
}

const bl_table_decl *bl_manifest_table(const bl_manifest *m, const char *name) {
    for (size_t i = 0; i < m->tables; i++)
        if (strcmp(m->table[i].name, name) == 0) return &m->table[i];
    return NULL;
}

const char *bl_table_renamed(const bl_table_decl *table, const char *name) {
    for (size_t i = 0; i + 1 < table->rename.n; i += 2)
        if (strcmp(table->rename.v[i], name) == 0) return table->rename.v[i + 1];
    return name;
}

void bl_manifest_free(bl_manifest *m) {
    for (size_t i = 0; i < m->tables; i++) {
        bl_table_decl *t = &m->table[i];
        free(t->number.v);
        free(t->date.v);
        free(t->time.v);
        free(t->text.v);
        free(t->interval.v);
        free(t->rename.v);
        free(t->missing.v);
        free(t->units.v);
        free(t->file);
    }
    for (size_t i = 0; i < m->joins; i++) free(m->join[i].key.v);
    for (size_t i = 0; i < m->variants; i++) free(m->variant[i].tables.v);
    for (size_t i = 0; i < m->synthetic.columns; i++) free(m->synthetic.column[i].per.v);
    free(m->table);
    free(m->join);
    free(m->derive);
    free(m->filter);
    free(m->variant);
    free(m->synthetic.column);
    free(m->categorical.v);
    free(m->continuous.v);
    free(m->ignored.v);
    free(m->classes.v);
    free(m->split.test.v);
    bl_doc_free(&m->doc);
    *m = (bl_manifest){0};
}

/* ---- canonical text ---- */

/* A key under the name that the canonical text knows it by: a new name of a key changes no
 * identity. */
static const char *canonical_name(const bl_node *node) {
    return strcmp(node->name, "random_labels") == 0 ? "points" : node->name;
}

static int by_name(const void *a, const void *b) {
    return strcmp(canonical_name(*(const bl_node *const *)a),
                  canonical_name(*(const bl_node *const *)b));
}

/* Whether the key says nothing about the rows: prose, places, the stored form of a file and,
 * without `synthetic`, the generator. */
static bool without_meaning(const bl_node *node, bool synthetic) {
    static const char *const prose[] = {"title", "terms", "origin", "folder", "stored_sha256"};
    for (size_t i = 0; i < BL_COUNT(prose); i++)
        if (strcmp(node->name, prose[i]) == 0) return true;
    return !synthetic && strcmp(node->name, "synthetic") == 0;
}

static void canonical(const bl_node *node, bool synthetic, bl_buf *out);

/* Groups as {key=value;...} in the order of keys, lists as (=value;...) in their own order. */
static void canonical_children(const bl_node *node, bool synthetic, bl_buf *out) {
    const bool group = node->type == BL_NODE_GROUP;
    const bl_node **child = bl_xalloc((node->count + 1) * sizeof *child);
    size_t n = 0;
    for (const bl_node *c = node->first; c != NULL; c = c->next) child[n++] = c;
    if (group) qsort(child, n, sizeof *child, by_name);
    bl_buf_str(out, group ? "{" : "(");
    for (size_t i = 0; i < n; i++) {
        if (without_meaning(child[i], synthetic)) continue;
        bl_buf_printf(out, "%s=", canonical_name(child[i]));
        canonical(child[i], synthetic, out);
        bl_buf_str(out, ";");
    }
    bl_buf_str(out, group ? "}" : ")");
    free(child);
}

/* Strings carry their length, so that no text can look like another structure. */
static void canonical(const bl_node *node, bool synthetic, bl_buf *out) {
    switch (node->type) {
    case BL_NODE_BOOL:
        bl_buf_str(out, node->boolean ? "true" : "false");
        return;
    case BL_NODE_INT:
        bl_buf_printf(out, "%" PRId64, node->integer);
        return;
    case BL_NODE_FLOAT:
        bl_buf_printf(out, "%.17g", node->number);
        return;
    case BL_NODE_STRING:
        bl_buf_printf(out, "%zu:%s", strlen(node->string), node->string);
        return;
    case BL_NODE_GROUP:
    case BL_NODE_LIST:
        canonical_children(node, synthetic, out);
        return;
    }
}

/* For example, of a declaration with one filter (line breaks are not in the text):
 *
 *     {categorical=(=4:shop;);
 *      filters=(={above=0;column=5:sales;};);
 *      ...
 *      target=5:sales;transform=4:none;}
 */
void bl_manifest_canonical(const bl_manifest *manifest, bool synthetic, bl_buf *out) {
    canonical(manifest->doc.root, synthetic, out);
}
