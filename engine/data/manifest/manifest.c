#include "engine/data/manifest/manifest.h"
#include "engine/base/mem.h"
#include "engine/data/manifest/manifest_check.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- reading a group into a structure by a table of its keys ---- */

typedef enum field_type { F_TEXT, F_TEXTS, F_INT, F_NUMBER, F_NODE } field_type;

typedef struct field {
    const char *key;
    field_type type;
    size_t offset;
    bool required;
} field;

#define MANIFEST(member) offsetof(bl_manifest, member)
enum {
    N_TABLES,
    N_JOINS,
    N_DERIVED,
    N_FILTERS,
    N_VARIANTS,
    N_SPLIT,
    N_SYNTHETIC,
    N_IMAGE,
    N_POINTS
};
#define NODE(i) (offsetof(bl_manifest, nodes) + (i) * sizeof(const bl_node *))

static const field root_fields[] = {
    {"title",       F_TEXT,  MANIFEST(title),       false},
    {"terms",       F_TEXT,  MANIFEST(terms),       false},
    {"origin",      F_TEXT,  MANIFEST(origin),      true },
    {"folder",      F_TEXT,  MANIFEST(folder),      true },
    {"tables",      F_NODE,  NODE(N_TABLES),        true },
    {"joins",       F_NODE,  NODE(N_JOINS),         false},
    {"derived",     F_NODE,  NODE(N_DERIVED),       false},
    {"filters",     F_NODE,  NODE(N_FILTERS),       false},
    {"variants",    F_NODE,  NODE(N_VARIANTS),      false},
    {"split",       F_NODE,  NODE(N_SPLIT),         true },
    {"synthetic",   F_NODE,  NODE(N_SYNTHETIC),     false},
    {"categorical", F_TEXTS, MANIFEST(categorical), false},
    {"continuous",  F_TEXTS, MANIFEST(continuous),  false},
    {"ignored",     F_TEXTS, MANIFEST(ignored),     false},
    {"target",      F_TEXT,  MANIFEST(target),      false},
    {"transform",   F_TEXT,  MANIFEST(transform),   false},
    {"image",       F_NODE,  NODE(N_IMAGE),         false},
};
static const field points_root_fields[] = {
    {"title",  F_TEXT, MANIFEST(title),  false},
    {"terms",  F_TEXT, MANIFEST(terms),  false},
    {"origin", F_TEXT, MANIFEST(origin), true },
    {"points", F_NODE, NODE(N_POINTS),   true },
};
static const field points_fields[] = {
    {"seed",    F_INT, offsetof(bl_random_labels_decl, seed),    true},
    {"rows",    F_INT, offsetof(bl_random_labels_decl, rows),    true},
    {"inputs",  F_INT, offsetof(bl_random_labels_decl, inputs),  true},
    {"classes", F_INT, offsetof(bl_random_labels_decl, classes), true},
};
static const field table_fields[] = {
    {"name",        F_TEXT,  offsetof(bl_table_decl, name),        true },
    {"separator",   F_TEXT,  offsetof(bl_table_decl, separator),   false},
    {"file_column", F_TEXT,  offsetof(bl_table_decl, file_column), false},
    {"number",      F_TEXTS, offsetof(bl_table_decl, number),      false},
    {"date",        F_TEXTS, offsetof(bl_table_decl, date),        false},
    {"text",        F_TEXTS, offsetof(bl_table_decl, text),        false},
    {"interval",    F_TEXTS, offsetof(bl_table_decl, interval),    false},
    {"rename",      F_NODE,  offsetof(bl_table_decl, rename_node), false},
    {"files",       F_NODE,  offsetof(bl_table_decl, files_node),  true },
};
static const field file_fields[] = {
    {"file",          F_TEXT, offsetof(bl_file_decl, file),          true },
    {"sha256",        F_TEXT, offsetof(bl_file_decl, sha256),        false},
    {"stored_sha256", F_TEXT, offsetof(bl_file_decl, stored_sha256), false},
    {"value",         F_TEXT, offsetof(bl_file_decl, value),         false},
};
static const field join_fields[] = {
    {"table",    F_TEXT,  offsetof(bl_join_decl, table),    true },
    {"key",      F_TEXTS, offsetof(bl_join_decl, key),      false},
    {"interval", F_TEXT,  offsetof(bl_join_decl, interval), false},
    {"date",     F_TEXT,  offsetof(bl_join_decl, date),     false},
};
static const field derive_fields[] = {
    {"op",         F_TEXT, offsetof(bl_derive_decl, op),         true },
    {"name",       F_TEXT, offsetof(bl_derive_decl, name),       true },
    {"of",         F_TEXT, offsetof(bl_derive_decl, of),         false},
    {"group",      F_TEXT, offsetof(bl_derive_decl, group),      false},
    {"date",       F_TEXT, offsetof(bl_derive_decl, date),       false},
    {"part",       F_TEXT, offsetof(bl_derive_decl, part),       false},
    {"year",       F_TEXT, offsetof(bl_derive_decl, year),       false},
    {"month",      F_TEXT, offsetof(bl_derive_decl, month),      false},
    {"week",       F_TEXT, offsetof(bl_derive_decl, week),       false},
    {"max",        F_INT,  offsetof(bl_derive_decl, max),        false},
    {"window",     F_INT,  offsetof(bl_derive_decl, window),     false},
    {"first_year", F_INT,  offsetof(bl_derive_decl, first_year), false},
};
static const field filter_fields[] = {
    {"column", F_TEXT,   offsetof(bl_filter_decl, column), true },
    {"equals", F_TEXT,   offsetof(bl_filter_decl, equals), false},
    {"above",  F_NUMBER, offsetof(bl_filter_decl, above),  false},
    {"below",  F_NUMBER, offsetof(bl_filter_decl, below),  false},
};
static const field variant_fields[] = {
    {"name",   F_TEXT,  offsetof(bl_variant_decl, name),   true},
    {"tables", F_TEXTS, offsetof(bl_variant_decl, tables), true},
};
static const field split_fields[] = {
    {"by",    F_TEXT,   offsetof(bl_split_decl, by),    false},
    {"valid", F_INT,    offsetof(bl_split_decl, valid), false},
    {"share", F_NUMBER, offsetof(bl_split_decl, share), false},
    {"test",  F_TEXTS,  offsetof(bl_split_decl, test),  false},
};
static const field image_fields[] = {
    {"format",   F_TEXT, offsetof(bl_image_decl, format),   true},
    {"height",   F_INT,  offsetof(bl_image_decl, height),   true},
    {"width",    F_INT,  offsetof(bl_image_decl, width),    true},
    {"channels", F_INT,  offsetof(bl_image_decl, channels), true},
    {"classes",  F_INT,  offsetof(bl_image_decl, classes),  true},
};
static const field image_synthetic_fields[] = {
    {"seed",      F_INT,    offsetof(bl_image_synth_decl, seed),      true},
    {"rows",      F_INT,    offsetof(bl_image_synth_decl, rows),      true},
    {"test_rows", F_INT,    offsetof(bl_image_synth_decl, test_rows), true},
    {"noise",     F_NUMBER, offsetof(bl_image_synth_decl, noise),     true},
};
static const field synthetic_fields[] = {
    {"seed",           F_INT,    offsetof(bl_synthetic_decl, seed),           true },
    {"group",          F_TEXT,   offsetof(bl_synthetic_decl, group),          true },
    {"groups",         F_INT,    offsetof(bl_synthetic_decl, groups),         true },
    {"date",           F_TEXT,   offsetof(bl_synthetic_decl, date),           true },
    {"first",          F_TEXT,   offsetof(bl_synthetic_decl, first),          true },
    {"last",           F_TEXT,   offsetof(bl_synthetic_decl, last),           true },
    {"level",          F_NUMBER, offsetof(bl_synthetic_decl, level),          true },
    {"noise",          F_NUMBER, offsetof(bl_synthetic_decl, noise),          true },
    {"group_effect",   F_NUMBER, offsetof(bl_synthetic_decl, group_effect),   false},
    {"weekday_effect", F_NUMBER, offsetof(bl_synthetic_decl, weekday_effect), false},
    {"season_effect",  F_NUMBER, offsetof(bl_synthetic_decl, season_effect),  false},
    {"closed",         F_NUMBER, offsetof(bl_synthetic_decl, closed),         false},
    {"columns",        F_NODE,   offsetof(bl_synthetic_decl, columns_node),   true },
};
static const field synth_fields[] = {
    {"name",    F_TEXT,   offsetof(bl_synth_decl, name),         true },
    {"per",     F_TEXTS,  offsetof(bl_synth_decl, per),          true },
    {"values",  F_NODE,   offsetof(bl_synth_decl, values_node),  false},
    {"weights", F_NODE,   offsetof(bl_synth_decl, weights_node), false},
    {"count",   F_INT,    offsetof(bl_synth_decl, count),        false},
    {"low",     F_NUMBER, offsetof(bl_synth_decl, low),          false},
    {"high",    F_NUMBER, offsetof(bl_synth_decl, high),         false},
    {"step",    F_NUMBER, offsetof(bl_synth_decl, step),         false},
    {"missing", F_NUMBER, offsetof(bl_synth_decl, missing),      false},
    {"effect",  F_NUMBER, offsetof(bl_synth_decl, effect),       false},
};

static bl_status unknown_key(const bl_doc *doc, const bl_node *node, const field *fields,
                             size_t count, bl_err *err) {
    const char *names[32];
    BL_ASSERT(count <= BL_COUNT(names));
    for (size_t i = 0; i < count; i++) names[i] = fields[i].key;
    return bl_node_fail(doc, node, bl_nearest(node->name, names, count), err, "unknown key '%s'",
                        node->name);
}

static bl_status read_texts(const bl_doc *doc, const bl_node *node, bl_string_list *out,
                            bl_err *err) {
    if (node->type != BL_NODE_LIST)
        return bl_node_fail(doc, node, NULL, err, "'%s' must be a list of strings", node->name);
    *out = (bl_string_list){bl_xalloc((node->count + 1) * sizeof(char *)), 0, node};
    for (const bl_node *item = node->first; item; item = item->next) {
        if (item->type != BL_NODE_STRING || item->string[0] == '\0')
            return bl_node_fail(doc, item, NULL, err, "'%s' holds strings, none of them empty",
                                node->name);
        if (bl_string_list_contains(out, item->string))
            return bl_node_fail(doc, item, NULL, err, "'%s' is named twice", item->string);
        out->v[out->n++] = item->string;
    }
    return BL_OK;
}

static bl_status read_field(const bl_doc *doc, const bl_node *node, const field *f, void *out,
                            bl_err *err) {
    void *at = (char *)out + f->offset;
    switch (f->type) {
    case F_NODE:
        *(const bl_node **)at = node;
        return BL_OK;
    case F_TEXTS:
        return read_texts(doc, node, at, err);
    case F_TEXT:
        if (node->type != BL_NODE_STRING)
            return bl_node_fail(doc, node, NULL, err, "'%s' must be a string", node->name);
        *(const char **)at = node->string;
        return BL_OK;
    case F_INT:
        if (node->type != BL_NODE_INT)
            return bl_node_fail(doc, node, NULL, err, "'%s' must be an integer", node->name);
        *(int64_t *)at = node->integer;
        return BL_OK;
    case F_NUMBER:
        break;
    }
    if (node->type != BL_NODE_INT && node->type != BL_NODE_FLOAT)
        return bl_node_fail(doc, node, NULL, err, "'%s' must be a number", node->name);
    *(double *)at = node->number;
    return BL_OK;
}

static bl_status read_group(const bl_doc *doc, const bl_node *group, const field *fields,
                            size_t count, void *out, bl_err *err) {
    if (group->type != BL_NODE_GROUP)
        return bl_node_fail(doc, group, NULL, err, "a group { ... } is needed here");
    for (const bl_node *node = group->first; node; node = node->next) {
        size_t i = 0;
        while (i < count && strcmp(fields[i].key, node->name) != 0) i++;
        if (i == count) return unknown_key(doc, node, fields, count, err);
        BL_TRY(read_field(doc, node, &fields[i], out, err));
    }
    for (size_t i = 0; i < count; i++)
        if (fields[i].required && !bl_node_get(group, fields[i].key))
            return bl_node_fail(doc, group, NULL, err, "key '%s' is missing", fields[i].key);
    return BL_OK;
}

/* A list of groups into an array of structures, whose address goes to *array. */
static bl_status read_list(const bl_doc *doc, const bl_node *list, const field *fields,
                           size_t count, size_t size, size_t node_offset, void *array, size_t *n,
                           bl_err *err) {
    if (!list) return BL_OK;
    if (list->type != BL_NODE_LIST)
        return bl_node_fail(doc, list, NULL, err, "'%s' must be a list ( { ... }, ... )",
                            list->name);
    char *items = bl_xalloc((list->count + 1) * size);
    memcpy(array, &items, sizeof items);
    for (const bl_node *node = list->first; node; node = node->next) {
        char *item = items + (*n)++ * size;
        memcpy(item + node_offset, &node, sizeof node);
        BL_TRY(read_group(doc, node, fields, count, item, err));
    }
    return BL_OK;
}
#define READ_LIST(list, fields, type, array, n)                                                    \
    read_list(&m->doc, list, fields, BL_COUNT(fields), sizeof(type), offsetof(type, node),         \
              &(array), &(n), err)

static bl_status read_table(bl_manifest *m, bl_table_decl *table, bl_err *err) {
    const bl_node *rename = table->rename_node;
    if (!table->separator) table->separator = ",";
    if (strlen(table->separator) != 1 || strchr("\"\r\n", table->separator[0]))
        return bl_node_fail(&m->doc, bl_node_get(table->node, "separator"), NULL, err,
                            "'separator' must be one character");
    if (rename) {
        if (rename->type != BL_NODE_LIST)
            return bl_node_fail(&m->doc, rename, NULL, err,
                                "'rename' must be a list ( [\"old\", \"new\"], ... )");
        table->rename.v = bl_xalloc((2 * rename->count + 1) * sizeof(char *));
        for (const bl_node *pair = rename->first; pair; pair = pair->next) {
            if (pair->type != BL_NODE_LIST || pair->count != 2 ||
                pair->first->type != BL_NODE_STRING || pair->first->next->type != BL_NODE_STRING)
                return bl_node_fail(&m->doc, pair, NULL, err, "[\"old\", \"new\"] is needed here");
            table->rename.v[table->rename.n++] = pair->first->string;
            table->rename.v[table->rename.n++] = pair->first->next->string;
        }
    }
    return READ_LIST(table->files_node, file_fields, bl_file_decl, table->file, table->files);
}

static bl_status read_image(bl_manifest *m, bl_err *err) {
    m->image.node = m->nodes[N_IMAGE];
    BL_TRY(
        read_group(&m->doc, m->image.node, image_fields, BL_COUNT(image_fields), &m->image, err));
    m->image_synthetic.node = m->nodes[N_SYNTHETIC];
    if (!m->image_synthetic.node) return BL_OK;
    return read_group(&m->doc, m->image_synthetic.node, image_synthetic_fields,
                      BL_COUNT(image_synthetic_fields), &m->image_synthetic, err);
}

static bl_status read_synthetic(bl_manifest *m, bl_err *err) {
    m->synthetic.node = m->nodes[N_SYNTHETIC];
    if (!m->synthetic.node) return BL_OK;
    BL_TRY(read_group(&m->doc, m->synthetic.node, synthetic_fields, BL_COUNT(synthetic_fields),
                      &m->synthetic, err));
    return READ_LIST(m->synthetic.columns_node, synth_fields, bl_synth_decl, m->synthetic.column,
                     m->synthetic.columns);
}

static bl_status read_lists(bl_manifest *m, bl_err *err) {
    BL_TRY(READ_LIST(m->nodes[N_TABLES], table_fields, bl_table_decl, m->table, m->tables));
    for (size_t i = 0; i < m->tables; i++) BL_TRY(read_table(m, &m->table[i], err));
    BL_TRY(READ_LIST(m->nodes[N_JOINS], join_fields, bl_join_decl, m->join, m->joins));
    BL_TRY(READ_LIST(m->nodes[N_DERIVED], derive_fields, bl_derive_decl, m->derive, m->derives));
    BL_TRY(READ_LIST(m->nodes[N_FILTERS], filter_fields, bl_filter_decl, m->filter, m->filters));
    for (size_t i = 0; i < m->filters; i++) {
        const bl_node *node = m->filter[i].node;
        if (!bl_node_get(node, "above")) m->filter[i].above = -INFINITY;
        if (!bl_node_get(node, "below")) m->filter[i].below = INFINITY;
    }
    BL_TRY(
        READ_LIST(m->nodes[N_VARIANTS], variant_fields, bl_variant_decl, m->variant, m->variants));
    m->split.node = m->nodes[N_SPLIT];
    BL_TRY(
        read_group(&m->doc, m->split.node, split_fields, BL_COUNT(split_fields), &m->split, err));
    return m->nodes[N_IMAGE] ? read_image(m, err) : read_synthetic(m, err);
}

/* The one variant is the definition, so that outputs name it. */
static bl_status read_points(bl_manifest *m, bl_err *err) {
    BL_TRY(
        read_group(&m->doc, m->doc.root, points_root_fields, BL_COUNT(points_root_fields), m, err));
    m->points.node = m->nodes[N_POINTS];
    m->variant = bl_xalloc(sizeof *m->variant);
    m->variants = 1;
    *m->variant = (bl_variant_decl){.name = "definition", .node = m->doc.root};
    return read_group(&m->doc, m->points.node, points_fields, BL_COUNT(points_fields), &m->points,
                      err);
}

/* Without declared variants there is one, of all tables and without a name. */
static void default_variant(bl_manifest *m) {
    if (m->variants > 0) return;
    free(m->variant);
    m->variant = bl_xalloc(sizeof *m->variant);
    m->variants = 1;
    *m->variant = (bl_variant_decl){.name = "", .node = m->doc.root};
    m->variant->tables.v = bl_xalloc((m->tables + 1) * sizeof(char *));
    for (size_t i = 0; i < m->tables; i++) m->variant->tables.v[i] = m->table[i].name;
    m->variant->tables.n = m->tables;
}

static bl_status interpret(bl_manifest *m, const char *name, bl_err *err) {
    if (strlen(name) >= sizeof m->name)
        BL_FAIL(err, BL_EINVAL, "%s: the name of a data set has at most %zu characters", name,
                sizeof m->name - 1);
    memcpy(m->name, name, strlen(name) + 1);
    if (bl_node_get(m->doc.root, "points")) {
        BL_TRY(read_points(m, err));
        return bl_manifest_check(m, err);
    }
    BL_TRY(read_group(&m->doc, m->doc.root, root_fields, BL_COUNT(root_fields), m, err));
    BL_TRY(read_lists(m, err));
    default_variant(m);
    return bl_manifest_check(m, err);
}

bl_status bl_manifest_parse(bl_manifest *out, const char *text, size_t n, const char *path,
                            const char *name, bl_err *err) {
    *out = (bl_manifest){0};
    bl_status status = bl_doc_parse(&out->doc, text, n, path, err);
    if (status != BL_OK) {
        *out = (bl_manifest){0};
        return status;
    }
    status = interpret(out, name, err);
    if (status != BL_OK) bl_manifest_free(out);
    return status;
}

bl_status bl_manifest_read(bl_manifest *out, const char *path, const char *name, bl_err *err) {
    *out = (bl_manifest){0};
    bl_status status = bl_doc_read(&out->doc, path, NULL, err);
    if (status != BL_OK) {
        *out = (bl_manifest){0};
        return status;
    }
    status = interpret(out, name, err);
    if (status != BL_OK) bl_manifest_free(out);
    return status;
}

void bl_manifest_free(bl_manifest *m) {
    for (size_t i = 0; i < m->tables; i++) {
        bl_table_decl *t = &m->table[i];
        free(t->number.v);
        free(t->date.v);
        free(t->text.v);
        free(t->interval.v);
        free(t->rename.v);
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
    free(m->split.test.v);
    bl_doc_free(&m->doc);
    *m = (bl_manifest){0};
}

/* ---- canonical text ---- */

static int by_name(const void *a, const void *b) {
    return strcmp((*(const bl_node *const *)a)->name, (*(const bl_node *const *)b)->name);
}

static void canonical(const bl_node *node, bool synthetic, bl_buf *out) {
    static const char *const prose[] = {"title", "terms", "origin", "folder", "stored_sha256"};
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
        break;
    }
    const bl_node **child = bl_xalloc((node->count + 1) * sizeof *child);
    size_t n = 0;
    for (const bl_node *c = node->first; c; c = c->next) child[n++] = c;
    if (node->type == BL_NODE_GROUP) qsort(child, n, sizeof *child, by_name);
    bl_buf_str(out, node->type == BL_NODE_GROUP ? "{" : "(");
    for (size_t i = 0; i < n; i++) {
        bool skip = !synthetic && strcmp(child[i]->name, "synthetic") == 0;
        for (size_t k = 0; k < BL_COUNT(prose); k++)
            skip = skip || strcmp(child[i]->name, prose[k]) == 0;
        if (skip) continue;
        bl_buf_printf(out, "%s=", child[i]->name);
        canonical(child[i], synthetic, out);
        bl_buf_str(out, ";");
    }
    bl_buf_str(out, node->type == BL_NODE_GROUP ? "}" : ")");
    free(child);
}

void bl_manifest_canonical(const bl_manifest *manifest, bool synthetic, bl_buf *out) {
    canonical(manifest->doc.root, synthetic, out);
}

/* ---- look-ups ---- */

bool bl_manifest_has_generator(const bl_manifest *m) {
    return m->synthetic.node || m->image_synthetic.node;
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
