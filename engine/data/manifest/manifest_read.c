/* Reading a declaration, datasets/NAME.cfg, into a bl_manifest.
 *
 * The file is a tree of groups and lists (engine/config/doc.h). Each group of it has a table here,
 * one row a key: the key's name, its type, where its value goes, and whether it may be missing.
 * read_group() walks a group by its table and refuses every other key; read_list() does so for each
 * group of a list and makes an array of structures of it. For example
 *
 *     filters = ( { column = "sales"; above = 0; } );
 *
 * is one bl_row_filter_decl, read by filter_fields. A new key is a member of the structure, a row
 * here, its rule in manifest_check.c and a line of docs/data.md.
 *
 * Order: parse the text, read the root's keys, read the lists that it names (`root` keeps their
 * nodes until then), complete what has a default, check. bl_manifest_check sees only a manifest
 * whose keys and types are right. A failure frees everything that was read. */
#include "engine/base/mem.h"
#include "engine/base/nearest.h"
#include "engine/data/manifest/manifest.h"
#include "engine/data/manifest/manifest_check.h"
#include "engine/data/table/encoding.h"
#include <math.h>
#include <string.h>

/* ---- the keys of each group ---- */

/* What a key holds and which member it fills: const char *, bl_string_list, int64_t, double, bool,
 * const bl_node * (a part that is read later). */
typedef enum field_type { F_TEXT, F_TEXTS, F_INT, F_NUMBER, F_BOOL, F_NODE } field_type;

typedef struct field {
    const char *key;
    field_type type;
    size_t offset; /* of the member in the group's structure */
    bool required;
} field;

/* The root's keys, and the nodes of its parts until they are read. */
typedef struct root {
    bl_manifest manifest;
    const bl_node *tables, *joins, *derived, *filters, *variants, *split, *synthetic, *image,
        *random_labels;
} root;

#define MANIFEST(member) offsetof(root, manifest.member)
#define NODE(member)     offsetof(root, member)

static const field root_fields[] = {
    {"title",       F_TEXT,  MANIFEST(title),       false},
    {"terms",       F_TEXT,  MANIFEST(terms),       false},
    {"origin",      F_TEXT,  MANIFEST(origin),      true },
    {"folder",      F_TEXT,  MANIFEST(folder),      true },
    {"tables",      F_NODE,  NODE(tables),          true },
    {"joins",       F_NODE,  NODE(joins),           false},
    {"derived",     F_NODE,  NODE(derived),         false},
    {"filters",     F_NODE,  NODE(filters),         false},
    {"variants",    F_NODE,  NODE(variants),        false},
    {"split",       F_NODE,  NODE(split),           true },
    {"synthetic",   F_NODE,  NODE(synthetic),       false},
    {"categorical", F_TEXTS, MANIFEST(categorical), false},
    {"continuous",  F_TEXTS, MANIFEST(continuous),  false},
    {"ignored",     F_TEXTS, MANIFEST(ignored),     false},
    {"target",      F_TEXT,  MANIFEST(target),      false},
    {"transform",   F_TEXT,  MANIFEST(transform),   false},
    {"scale",       F_TEXT,  MANIFEST(scale),       false},
    {"classes",     F_TEXTS, MANIFEST(classes),     false},
    {"image",       F_NODE,  NODE(image),           false},
};
/* "points" is an older name of "random_labels". */
static const field random_labels_root_fields[] = {
    {"title",         F_TEXT, MANIFEST(title),     false},
    {"terms",         F_TEXT, MANIFEST(terms),     false},
    {"origin",        F_TEXT, MANIFEST(origin),    true },
    {"random_labels", F_NODE, NODE(random_labels), false},
    {"points",        F_NODE, NODE(random_labels), false},
};
static const field random_labels_fields[] = {
    {"seed",    F_INT,    offsetof(bl_synth_labels_decl, seed),    true },
    {"rows",    F_INT,    offsetof(bl_synth_labels_decl, rows),    true },
    {"inputs",  F_INT,    offsetof(bl_synth_labels_decl, inputs),  true },
    {"classes", F_INT,    offsetof(bl_synth_labels_decl, classes), true },
    {"valid",   F_INT,    offsetof(bl_synth_labels_decl, valid),   false},
    {"rule",    F_TEXT,   offsetof(bl_synth_labels_decl, rule),    false},
    {"noise",   F_NUMBER, offsetof(bl_synth_labels_decl, noise),   false},
};
static const field table_fields[] = {
    {"name",        F_TEXT,  offsetof(bl_table_decl, name),        true },
    {"separator",   F_TEXT,  offsetof(bl_table_decl, separator),   false},
    {"file_column", F_TEXT,  offsetof(bl_table_decl, file_column), false},
    {"encoding",    F_TEXT,  offsetof(bl_table_decl, encoding),    false},
    {"trim",        F_BOOL,  offsetof(bl_table_decl, trim),        false},
    {"decimal",     F_TEXT,  offsetof(bl_table_decl, decimal),     false},
    {"thousands",   F_TEXT,  offsetof(bl_table_decl, thousands),   false},
    {"units",       F_TEXTS, offsetof(bl_table_decl, units),       false},
    {"missing",     F_TEXTS, offsetof(bl_table_decl, missing),     false},
    {"dates",       F_TEXT,  offsetof(bl_table_decl, dates),       false},
    {"number",      F_TEXTS, offsetof(bl_table_decl, number),      false},
    {"date",        F_TEXTS, offsetof(bl_table_decl, date),        false},
    {"time",        F_TEXTS, offsetof(bl_table_decl, time),        false},
    {"text",        F_TEXTS, offsetof(bl_table_decl, text),        false},
    {"interval",    F_TEXTS, offsetof(bl_table_decl, interval),    false},
    {"rename",      F_NODE,  offsetof(bl_table_decl, rename_node), false},
    {"files",       F_NODE,  offsetof(bl_table_decl, files_node),  true },
};
static const field file_fields[] = {
    {"file",          F_TEXT, offsetof(bl_source_decl, file),          true },
    {"sha256",        F_TEXT, offsetof(bl_source_decl, sha256),        false},
    {"stored_sha256", F_TEXT, offsetof(bl_source_decl, stored_sha256), false},
    {"value",         F_TEXT, offsetof(bl_source_decl, value),         false},
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
    {"column", F_TEXT,   offsetof(bl_row_filter_decl, column), true },
    {"equals", F_TEXT,   offsetof(bl_row_filter_decl, equals), false},
    {"above",  F_NUMBER, offsetof(bl_row_filter_decl, above),  false},
    {"below",  F_NUMBER, offsetof(bl_row_filter_decl, below),  false},
};
static const field variant_fields[] = {
    {"name",   F_TEXT,  offsetof(bl_variant_decl, name),   true},
    {"tables", F_TEXTS, offsetof(bl_variant_decl, tables), true},
};
static const field split_fields[] = {
    {"by",       F_TEXT,   offsetof(bl_split_decl, by),       false},
    {"valid",    F_INT,    offsetof(bl_split_decl, valid),    false},
    {"share",    F_NUMBER, offsetof(bl_split_decl, share),    false},
    {"seed",     F_INT,    offsetof(bl_split_decl, seed),     false},
    {"group",    F_TEXT,   offsetof(bl_split_decl, group),    false},
    {"stratify", F_BOOL,   offsetof(bl_split_decl, stratify), false},
    {"test",     F_TEXTS,  offsetof(bl_split_decl, test),     false},
};
static const field image_fields[] = {
    {"format",        F_TEXT, offsetof(bl_picture_decl, format),        true },
    {"height",        F_INT,  offsetof(bl_picture_decl, height),        true },
    {"width",         F_INT,  offsetof(bl_picture_decl, width),         true },
    {"channels",      F_INT,  offsetof(bl_picture_decl, channels),      true },
    {"classes",       F_INT,  offsetof(bl_picture_decl, classes),       true },
    {"resize_height", F_INT,  offsetof(bl_picture_decl, resize_height), false},
    {"resize_width",  F_INT,  offsetof(bl_picture_decl, resize_width),  false},
};
static const field image_synthetic_fields[] = {
    {"seed",      F_INT,    offsetof(bl_picture_synth_decl, seed),      true},
    {"rows",      F_INT,    offsetof(bl_picture_synth_decl, rows),      true},
    {"test_rows", F_INT,    offsetof(bl_picture_synth_decl, test_rows), true},
    {"noise",     F_NUMBER, offsetof(bl_picture_synth_decl, noise),     true},
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

/* A kind of group: its keys, and the structure that each group of a list becomes. */
typedef struct group_type {
    const field *field;
    size_t fields;
    size_t size;        /* of the structure */
    size_t node_offset; /* of its member `node`, the group itself */
} group_type;
#define GROUP_TYPE(fields, type)                                                                   \
    { fields, BL_COUNT(fields), sizeof(type), offsetof(type, node) }

static const group_type root_group = {root_fields, BL_COUNT(root_fields), 0, 0};
static const group_type random_labels_root_group = {random_labels_root_fields,
                                                    BL_COUNT(random_labels_root_fields), 0, 0};
static const group_type random_labels_group =
    GROUP_TYPE(random_labels_fields, bl_synth_labels_decl);
static const group_type table_group = GROUP_TYPE(table_fields, bl_table_decl);
static const group_type file_group = GROUP_TYPE(file_fields, bl_source_decl);
static const group_type join_group = GROUP_TYPE(join_fields, bl_join_decl);
static const group_type derive_group = GROUP_TYPE(derive_fields, bl_derive_decl);
static const group_type filter_group = GROUP_TYPE(filter_fields, bl_row_filter_decl);
static const group_type variant_group = GROUP_TYPE(variant_fields, bl_variant_decl);
static const group_type split_group = GROUP_TYPE(split_fields, bl_split_decl);
static const group_type image_group = GROUP_TYPE(image_fields, bl_picture_decl);
static const group_type image_synthetic_group =
    GROUP_TYPE(image_synthetic_fields, bl_picture_synth_decl);
static const group_type synthetic_group = GROUP_TYPE(synthetic_fields, bl_synthetic_decl);
static const group_type synth_column_group = GROUP_TYPE(synth_fields, bl_synth_decl);

/* ---- groups and lists by their tables ---- */

static bl_status unknown_key(const bl_doc *doc, const bl_node *node, const group_type *type,
                             bl_err *err) {
    const char *names[32];
    BL_ASSERT(type->fields <= BL_COUNT(names));
    for (size_t i = 0; i < type->fields; i++) names[i] = type->field[i].key;
    return bl_node_fail(doc, node, bl_nearest(node->name, names, type->fields), err,
                        "unknown key '%s'", node->name);
}

/* A list of strings, none of them empty or there twice. The caller frees out->v, also after a
 * failure. */
static bl_status read_texts(const bl_doc *doc, const bl_node *node, bl_string_list *out,
                            bl_err *err) {
    if (node->type != BL_NODE_LIST)
        return bl_node_fail(doc, node, NULL, err, "'%s' must be a list of strings", node->name);
    *out = (bl_string_list){bl_xalloc((node->count + 1) * sizeof(char *)), 0, node};
    for (const bl_node *item = node->first; item != NULL; item = item->next) {
        if (item->type != BL_NODE_STRING || item->string[0] == '\0')
            return bl_node_fail(doc, item, NULL, err, "'%s' holds strings, none of them empty",
                                node->name);
        if (bl_string_list_contains(out, item->string))
            return bl_node_fail(doc, item, NULL, err, "'%s' is named twice", item->string);
        out->v[out->n++] = item->string;
    }
    return BL_OK;
}

/* One key's value into the member that its row names. */
static bl_status read_field(const bl_doc *doc, const bl_node *node, const field *f, void *group,
                            bl_err *err) {
    void *member = (char *)group + f->offset;
    switch (f->type) {
    case F_NODE:
        *(const bl_node **)member = node;
        return BL_OK;
    case F_TEXTS:
        return read_texts(doc, node, member, err);
    case F_TEXT:
        if (node->type != BL_NODE_STRING)
            return bl_node_fail(doc, node, NULL, err, "'%s' must be a string", node->name);
        *(const char **)member = node->string;
        return BL_OK;
    case F_BOOL:
        if (node->type != BL_NODE_BOOL)
            return bl_node_fail(doc, node, NULL, err, "'%s' must be true or false", node->name);
        *(bool *)member = node->boolean;
        return BL_OK;
    case F_INT:
        if (node->type != BL_NODE_INT)
            return bl_node_fail(doc, node, NULL, err, "'%s' must be an integer", node->name);
        *(int64_t *)member = node->integer;
        return BL_OK;
    case F_NUMBER:
        break;
    }
    if (node->type != BL_NODE_INT && node->type != BL_NODE_FLOAT)
        return bl_node_fail(doc, node, NULL, err, "'%s' must be a number", node->name);
    *(double *)member = node->number;
    return BL_OK;
}

/* Fills `out`, a structure of this type, from a group: every key must be in the table, every
 * required key must be there. */
static bl_status read_group(const bl_doc *doc, const bl_node *group, const group_type *type,
                            void *out, bl_err *err) {
    if (group->type != BL_NODE_GROUP)
        return bl_node_fail(doc, group, NULL, err, "a group { ... } is needed here");
    for (const bl_node *node = group->first; node != NULL; node = node->next) {
        size_t i = 0;
        while (i < type->fields && strcmp(type->field[i].key, node->name) != 0) i++;
        if (i == type->fields) return unknown_key(doc, node, type, err);
        BL_TRY(read_field(doc, node, &type->field[i], out, err));
    }
    for (size_t i = 0; i < type->fields; i++)
        if (type->field[i].required && bl_node_get(group, type->field[i].key) == NULL)
            return bl_node_fail(doc, group, NULL, err, "key '%s' is missing", type->field[i].key);
    return BL_OK;
}

/* A list of groups into an array of structures. `array` is the address of the array's pointer,
 * which is set at once, as *n is with each group: what was read before a failure is freed with the
 * manifest. An absent list (NULL) is an empty one. */
static bl_status read_list(const bl_doc *doc, const bl_node *list, const group_type *type,
                           void *array, size_t *n, bl_err *err) {
    if (list == NULL) return BL_OK;
    if (list->type != BL_NODE_LIST)
        return bl_node_fail(doc, list, NULL, err, "'%s' must be a list ( { ... }, ... )",
                            list->name);
    char *items = bl_xalloc((list->count + 1) * type->size);
    memcpy(array, &items, sizeof items);
    for (const bl_node *node = list->first; node != NULL; node = node->next) {
        char *item = items + (*n)++ * type->size;
        memcpy(item + type->node_offset, &node, sizeof node);
        BL_TRY(read_group(doc, node, type, item, err));
    }
    return BL_OK;
}

/* ---- the parts of a declaration ---- */

/* rename = ( ["old", "new"], ... ) as old, new, old, new, ... */
static bl_status read_rename(const bl_doc *doc, bl_table_decl *table, bl_err *err) {
    const bl_node *rename = table->rename_node;
    if (rename == NULL) return BL_OK;
    if (rename->type != BL_NODE_LIST)
        return bl_node_fail(doc, rename, NULL, err,
                            "'rename' must be a list ( [\"old\", \"new\"], ... )");
    table->rename.v = bl_xalloc((2 * rename->count + 1) * sizeof(char *));
    for (const bl_node *pair = rename->first; pair != NULL; pair = pair->next) {
        if (pair->type != BL_NODE_LIST || pair->count != 2 || pair->first->type != BL_NODE_STRING ||
            pair->first->next->type != BL_NODE_STRING)
            return bl_node_fail(doc, pair, NULL, err, "[\"old\", \"new\"] is needed here");
        table->rename.v[table->rename.n++] = pair->first->string;
        table->rename.v[table->rename.n++] = pair->first->next->string;
    }
    return BL_OK;
}

/* The value of `key`, one of the characters of `allowed`; *out stays where it is not declared. */
static bl_status read_mark(const bl_doc *doc, const bl_table_decl *table, const char *key,
                           const char *value, const char *allowed, char *out, bl_err *err) {
    if (value == NULL) return BL_OK;
    if (strlen(value) != 1 || strchr(allowed, value[0]) == NULL)
        return bl_node_fail(doc, bl_node_get(table->node, key), NULL, err,
                            "'%s' is one of these characters: %s", key, allowed);
    *out = value[0];
    return BL_OK;
}

/* How the table's fields are written. */
static bl_status read_format(const bl_doc *doc, bl_table_decl *table, bl_err *err) {
    bl_field_format *f = &table->format;
    *f = bl_field_plain;
    BL_TRY(read_mark(doc, table, "decimal", table->decimal, ".,", &f->decimal, err));
    BL_TRY(read_mark(doc, table, "thousands", table->thousands, ",. '", &f->thousands, err));
    if (f->thousands == f->decimal)
        return bl_node_fail(doc, bl_node_get(table->node, "thousands"), NULL, err,
                            "'thousands' is the decimal mark, too");
    f->unit = table->units.v;
    f->units = table->units.n;
    f->missing = table->missing.v;
    f->missings = table->missing.n;
    f->any_date = table->dates != NULL;
    for (size_t i = 0; i < BL_DATE_ORDERS && f->any_date; i++) {
        f->order = (bl_date_order)i;
        if (strcmp(table->dates, bl_date_order_name[i]) == 0) break;
        if (i + 1 == BL_DATE_ORDERS)
            return bl_node_fail(doc, bl_node_get(table->node, "dates"), NULL, err,
                                "'dates' is \"ymd\", \"dmy\" or \"mdy\"");
    }
    if (table->encoding != NULL && !bl_csv_encoding_known(table->encoding))
        return bl_node_fail(doc, bl_node_get(table->node, "encoding"), NULL, err,
                            "'encoding' is \"latin1\" or \"utf16\"");
    return BL_OK;
}

static bool is_separator(const char *text) {
    return strcmp(text, "blanks") == 0 || (strlen(text) == 1 && strchr("\"\r\n\v", *text) == NULL);
}

/* One table: how its fields are written, its separator, new names, files. */
static bl_status read_table(const bl_doc *doc, bl_table_decl *table, bl_err *err) {
    BL_TRY(read_format(doc, table, err));
    if (table->separator == NULL) table->separator = ",";
    if (!is_separator(table->separator))
        return bl_node_fail(doc, bl_node_get(table->node, "separator"), NULL, err,
                            "'separator' must be one character, or \"blanks\"");
    BL_TRY(read_rename(doc, table, err));
    return read_list(doc, table->files_node, &file_group, &table->file, &table->files, err);
}

/* The picture's shape and, with a generator, what it draws. */
static bl_status read_image(root *r, bl_err *err) {
    bl_manifest *m = &r->manifest;
    m->image.node = r->image;
    BL_TRY(read_group(&m->doc, r->image, &image_group, &m->image, err));
    m->image_synthetic.node = r->synthetic;
    if (r->synthetic == NULL) return BL_OK;
    return read_group(&m->doc, r->synthetic, &image_synthetic_group, &m->image_synthetic, err);
}

/* The generator of a table. */
static bl_status read_synthetic(root *r, bl_err *err) {
    bl_manifest *m = &r->manifest;
    bl_synthetic_decl *s = &m->synthetic;
    s->node = r->synthetic;
    if (s->node == NULL) return BL_OK;
    BL_TRY(read_group(&m->doc, s->node, &synthetic_group, s, err));
    return read_list(&m->doc, s->columns_node, &synth_column_group, &s->column, &s->columns, err);
}

/* A bound that is not given does not bind. */
static void complete_filters(bl_manifest *m) {
    for (size_t i = 0; i < m->filters; i++) {
        const bl_node *node = m->filter[i].node;
        if (bl_node_get(node, "above") == NULL) m->filter[i].above = -INFINITY;
        if (bl_node_get(node, "below") == NULL) m->filter[i].below = INFINITY;
    }
}

/* The parts in the order in which they depend on each other. A failure leaves what was read in
 * the manifest. */
static bl_status read_parts(root *r, bl_err *err) {
    bl_manifest *m = &r->manifest;
    const bl_doc *doc = &m->doc;
    BL_TRY(read_list(doc, r->tables, &table_group, &m->table, &m->tables, err));
    for (size_t i = 0; i < m->tables; i++) BL_TRY(read_table(doc, &m->table[i], err));
    BL_TRY(read_list(doc, r->joins, &join_group, &m->join, &m->joins, err));
    BL_TRY(read_list(doc, r->derived, &derive_group, &m->derive, &m->derives, err));
    BL_TRY(read_list(doc, r->filters, &filter_group, &m->filter, &m->filters, err));
    complete_filters(m);
    BL_TRY(read_list(doc, r->variants, &variant_group, &m->variant, &m->variants, err));
    m->split.node = r->split;
    BL_TRY(read_group(doc, r->split, &split_group, &m->split, err));
    return r->image != NULL ? read_image(r, err) : read_synthetic(r, err);
}

/* A data set that is a definition. Its one variant has a name, so that outputs say what it is. */
static bl_status read_random_labels(root *r, bl_err *err) {
    bl_manifest *m = &r->manifest;
    BL_TRY(read_group(&m->doc, m->doc.root, &random_labels_root_group, r, err));
    m->random_labels.node = r->random_labels;
    m->variant = bl_xalloc(sizeof *m->variant);
    m->variants = 1;
    *m->variant = (bl_variant_decl){.name = "definition", .node = m->doc.root};
    return read_group(&m->doc, r->random_labels, &random_labels_group, &m->random_labels, err);
}

/* Without declared variants there is one, of all tables and without a name. */
static void complete_variants(bl_manifest *m) {
    if (m->variants > 0) return;
    free(m->variant);
    m->variant = bl_xalloc(sizeof *m->variant);
    m->variants = 1;
    *m->variant = (bl_variant_decl){.name = "", .node = m->doc.root};
    m->variant->tables.v = bl_xalloc((m->tables + 1) * sizeof(char *));
    for (size_t i = 0; i < m->tables; i++) m->variant->tables.v[i] = m->table[i].name;
    m->variant->tables.n = m->tables;
}

/* ---- a whole declaration ---- */

/* Declarations are of two kinds: random labels, which are a definition, and everything that has
 * files. */
static bl_status interpret(root *r, const char *name, bl_err *err) {
    bl_manifest *m = &r->manifest;
    const bl_node *random = bl_node_get(m->doc.root, "random_labels");
    const bl_node *points = bl_node_get(m->doc.root, "points");
    if (strlen(name) >= sizeof m->name)
        BL_FAIL(err, BL_EINVAL, "%s: the name of a data set has at most %zu characters", name,
                sizeof m->name - 1);
    memcpy(m->name, name, strlen(name) + 1);
    if (random != NULL && points != NULL)
        return bl_node_fail(&m->doc, points, NULL, err,
                            "'points' is the older name of 'random_labels': one of them is enough");
    if (random != NULL || points != NULL) {
        BL_TRY(read_random_labels(r, err));
    } else {
        BL_TRY(read_group(&m->doc, m->doc.root, &root_group, r, err));
        BL_TRY(read_parts(r, err));
        complete_variants(m);
    }
    return bl_manifest_check(m, err);
}

/* Interprets the parsed document in r->manifest.doc; `parsed` says whether there is one. */
static bl_status finish(bl_manifest *out, root *r, bl_status parsed, const char *name,
                        bl_err *err) {
    *out = (bl_manifest){0};
    if (parsed != BL_OK) return parsed;
    const bl_status status = interpret(r, name, err);
    if (status == BL_OK)
        *out = r->manifest;
    else
        bl_manifest_free(&r->manifest);
    return status;
}

bl_status bl_manifest_parse(bl_manifest *out, const char *text, size_t n, const char *path,
                            const char *name, bl_err *err) {
    root r = {0};
    return finish(out, &r, bl_doc_parse(&r.manifest.doc, text, n, path, err), name, err);
}

bl_status bl_manifest_read(bl_manifest *out, const char *path, const char *name, bl_err *err) {
    root r = {0};
    return finish(out, &r, bl_doc_read(&r.manifest.doc, path, NULL, err), name, err);
}
