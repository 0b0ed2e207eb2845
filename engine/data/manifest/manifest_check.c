/* Whether a declaration makes sense by itself, before any file is opened.
 *
 * The check follows the columns a frame will have. For each variant it starts with the first
 * table's columns, adds those of each join and of each derived column in the declared order, and
 * checks every name that the declaration uses against the set at that point: it must exist and have
 * the right type. The first variant must be able to give everything; in later ones a derived column
 * or an input may be missing, and is left out when the data are read.
 *
 * Messages point at the key that is wrong, not at the group around it, and offer the nearest name.
 */
#include "engine/data/manifest/manifest_check.h"
#include "engine/base/mem.h"
#include "engine/base/nearest.h"
#include "engine/config/value.h"
#include "engine/data/image/picture.h"
#include "engine/data/table/calendar.h"
#include "engine/data/table/column.h"
#include "engine/data/table/derive.h"
#include <string.h>

/* The columns a frame will have, as far as the declaration tells. */
typedef struct column_set {
    const char *name[8192];
    bl_column_type type[8192];
    size_t n;
} column_set;

/* Index of the column, -1: there is none. */
static int find_column(const column_set *set, const char *name) {
    for (size_t i = 0; i < set->n; i++)
        if (strcmp(set->name[i], name) == 0) return (int)i;
    return -1;
}

/* `node` is what is blamed for a second column of that name. */
static bl_status add_column(const bl_manifest *m, column_set *set, const char *name,
                            bl_column_type type, const bl_node *node, bl_err *err) {
    if (find_column(set, name) >= 0)
        return bl_node_fail(&m->doc, node, NULL, err, "there are two columns '%s'", name);
    if (set->n == BL_COUNT(set->name))
        return bl_node_fail(&m->doc, node, NULL, err, "more than %zu columns", BL_COUNT(set->name));
    set->name[set->n] = name;
    set->type[set->n++] = type;
    return BL_OK;
}

/* Fails at `node`, with the nearest name of the set. */
static bl_status unknown_column(const bl_manifest *m, const column_set *set, const char *name,
                                const bl_node *node, bl_err *err) {
    return bl_node_fail(&m->doc, node, bl_nearest(name, set->name, set->n), err, "no column '%s'",
                        name);
}

/* Node of the item `text` in a list, or the list. */
static const bl_node *item_node(const bl_string_list *list, const char *text) {
    for (const bl_node *item = list->node != NULL ? list->node->first : NULL; item != NULL;
         item = item->next)
        if (item->type == BL_NODE_STRING && strcmp(item->string, text) == 0) return item;
    return list->node;
}

/* The columns of one table as it will be in memory, renamed. */
static bl_status table_columns(const bl_manifest *m, const bl_table_decl *t, column_set *set,
                               bl_err *err) {
    const struct {
        const bl_string_list *list;
        bl_column_type type;
    } lists[] = {
        {&t->number,   BL_COLUMN_NUMBER},
        {&t->date,     BL_COLUMN_DATE  },
        {&t->time,     BL_COLUMN_DATE  },
        {&t->text,     BL_COLUMN_TEXT  },
        {&t->interval, BL_COLUMN_DATE  }
    };
    for (size_t i = 0; i < BL_COUNT(lists); i++)
        for (size_t j = 0; j < lists[i].list->n; j++) {
            const char *name = lists[i].list->v[j];
            const bool interval = lists[i].list == &t->interval; /* keeps its name */
            BL_TRY(add_column(m, set, interval ? name : bl_table_renamed(t, name), lists[i].type,
                              item_node(lists[i].list, name), err));
        }
    if (t->file_column != NULL)
        BL_TRY(add_column(m, set, t->file_column, BL_COLUMN_TEXT, t->node, err));
    for (size_t i = 0; i + 1 < t->rename.n; i += 2)
        if (find_column(set, t->rename.v[i + 1]) < 0)
            return bl_node_fail(&m->doc, t->rename_node, NULL, err,
                                "'%s' is no column that table '%s' reads", t->rename.v[i], t->name);
    return BL_OK;
}

static bl_status check_hash(const bl_manifest *m, const bl_source_decl *file, const char *key,
                            const char *text, bl_err *err) {
    if (text == NULL || (strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64))
        return BL_OK;
    return bl_node_fail(&m->doc, bl_node_get(file->node, key), NULL, err,
                        "a SHA-256 has 64 digits 0-9a-f");
}

/* Names are unique, and each table has files. A digest that is given is one; paths stay in the data
 * set's folder. */
static bl_status check_tables(const bl_manifest *m, bl_err *err) {
    if (m->tables == 0)
        return bl_node_fail(&m->doc, bl_node_get(m->doc.root, "tables"), NULL, err,
                            "at least one table is needed");
    for (size_t i = 0; i < m->tables; i++) {
        const bl_table_decl *t = &m->table[i];
        if (bl_manifest_table(m, t->name) != t)
            return bl_node_fail(&m->doc, t->node, NULL, err, "there are two tables '%s'", t->name);
        if (t->files == 0)
            return bl_node_fail(&m->doc, t->files_node, NULL, err, "at least one file is needed");
        for (size_t f = 0; f < t->files; f++) {
            const bl_source_decl *file = &t->file[f];
            BL_TRY(check_hash(m, file, "sha256", file->sha256, err));
            BL_TRY(check_hash(m, file, "stored_sha256", file->stored_sha256, err));
            if ((t->file_column != NULL) != (file->value != NULL))
                return bl_node_fail(&m->doc, file->node, NULL, err,
                                    "'value' of a file goes with 'file_column' of its table");
            if (file->file[0] == '/' || strstr(file->file, "..") != NULL)
                return bl_node_fail(&m->doc, file->node, NULL, err,
                                    "'file' is a path below the data set's folder");
        }
    }
    return BL_OK;
}

/* Keys exist on both sides with one type; what the join adds is in `set` afterwards. */
static bl_status check_join(const bl_manifest *m, const bl_join_decl *j, column_set *set,
                            bl_err *err) {
    column_set right = {.n = 0};
    BL_TRY(table_columns(m, bl_manifest_table(m, j->table), &right, err));
    if (j->key.n == 0 && j->interval == NULL)
        return bl_node_fail(&m->doc, j->node, NULL, err, "a join needs 'key', 'interval' or both");
    if ((j->interval != NULL) != (j->date != NULL))
        return bl_node_fail(&m->doc, j->node, NULL, err, "'interval' goes with 'date'");
    if (j->interval != NULL &&
        !bl_string_list_contains(&bl_manifest_table(m, j->table)->interval, j->interval))
        return bl_node_fail(&m->doc, bl_node_get(j->node, "interval"), NULL, err,
                            "'%s' is no interval of table '%s'", j->interval, j->table);
    for (size_t i = 0; i < j->key.n; i++) {
        const char *key = j->key.v[i];
        const int a = find_column(set, key), b = find_column(&right, key);
        if (a < 0) return unknown_column(m, set, key, item_node(&j->key, key), err);
        if (b < 0) return unknown_column(m, &right, key, item_node(&j->key, key), err);
        if (set->type[a] != right.type[b])
            return bl_node_fail(&m->doc, item_node(&j->key, key), NULL, err,
                                "'%s' has another type in table '%s'", key, j->table);
    }
    if (j->date != NULL &&
        (find_column(set, j->date) < 0 || set->type[find_column(set, j->date)] != BL_COLUMN_DATE))
        return bl_node_fail(&m->doc, bl_node_get(j->node, "date"), NULL, err,
                            "'%s' is no date column", j->date);
    for (size_t i = 0; i < right.n; i++) {
        const char *name = right.name[i];
        if (bl_string_list_contains(&j->key, name)) continue;
        if (bl_string_list_contains(&bl_manifest_table(m, j->table)->interval, name)) continue;
        BL_TRY(add_column(m, set, name, right.type[i], j->node, err));
    }
    return BL_OK;
}

/* Each operation gets the keys it needs and no other. */
static bl_status check_derive_keys(const bl_manifest *m, const bl_derive_decl *d,
                                   const bl_derive_op *op, bl_err *err) {
    static const struct {
        const char *key;
        unsigned bit;
    } keys[] = {
        {"of",         BL_NEEDS_OF        },
        {"group",      BL_NEEDS_GROUP     },
        {"date",       BL_NEEDS_DATE      },
        {"part",       BL_NEEDS_PART      },
        {"year",       BL_NEEDS_YEAR      },
        {"month",      BL_NEEDS_MONTH     },
        {"week",       BL_NEEDS_WEEK      },
        {"max",        BL_NEEDS_MAX       },
        {"window",     BL_NEEDS_WINDOW    },
        {"first_year", BL_NEEDS_FIRST_YEAR}
    };
    for (size_t i = 0; i < BL_COUNT(keys); i++) {
        const bl_node *node = bl_node_get(d->node, keys[i].key);
        if ((op->needs & keys[i].bit) && node == NULL)
            return bl_node_fail(&m->doc, d->node, NULL, err, "operation '%s' needs key '%s'", d->op,
                                keys[i].key);
        if (!(op->needs & keys[i].bit) && node != NULL)
            return bl_node_fail(&m->doc, node, NULL, err, "operation '%s' has no key '%s'", d->op,
                                keys[i].key);
    }
    if (d->part != NULL) {
        size_t i = 0;
        while (i < bl_date_part_count && strcmp(bl_date_parts[i], d->part) != 0) i++;
        if (i == bl_date_part_count)
            return bl_node_fail(&m->doc, bl_node_get(d->node, "part"),
                                bl_nearest(d->part, bl_date_parts, bl_date_part_count), err,
                                "no date part '%s'", d->part);
    }
    if ((op->needs & BL_NEEDS_WINDOW) && (d->window < 1 || d->window > 1000000))
        return bl_node_fail(&m->doc, bl_node_get(d->node, "window"), NULL, err,
                            "'window' must be 1 .. 1000000 rows");
    if ((op->needs & BL_NEEDS_MAX) && (d->max < 1 || d->max > 1000000))
        return bl_node_fail(&m->doc, bl_node_get(d->node, "max"), NULL, err,
                            "'max' must be 1 .. 1000000");
    return BL_OK;
}

/* The operation exists, has the keys it needs and no others, and its inputs have the right type.
 * Without `strict` an input that is not there is passed over: a variant may lack its table. The new
 * column is in `set` afterwards. */
static bl_status check_derive(const bl_manifest *m, const bl_derive_decl *d, column_set *set,
                              bool strict, bl_err *err) {
    const bl_derive_op *op = bl_derive_find(d->op);
    if (op == NULL) {
        const char *names[32];
        BL_ASSERT(bl_derive_op_count <= BL_COUNT(names));
        for (size_t i = 0; i < bl_derive_op_count; i++) names[i] = bl_derive_ops[i].name;
        return bl_node_fail(&m->doc, bl_node_get(d->node, "op"),
                            bl_nearest(d->op, names, bl_derive_op_count), err, "no operation '%s'",
                            d->op);
    }
    BL_TRY(check_derive_keys(m, d, op, err));
    const struct {
        const char *key, *column;
        int type; /* -1: any */
    } inputs[] = {
        {"of",    d->of,    op->of_date ? BL_COLUMN_DATE : -1},
        {"group", d->group, -1                               },
        {"date",  d->date,  BL_COLUMN_DATE                   },
        {"year",  d->year,  BL_COLUMN_NUMBER                 },
        {"month", d->month, BL_COLUMN_NUMBER                 },
        {"week",  d->week,  BL_COLUMN_NUMBER                 }
    };
    for (size_t i = 0; i < BL_COUNT(inputs); i++) {
        if (inputs[i].column == NULL) continue;
        const int at = find_column(set, inputs[i].column);
        const bl_node *node = bl_node_get(d->node, inputs[i].key);
        if (at < 0 && !strict) return BL_OK;
        if (at < 0) return unknown_column(m, set, inputs[i].column, node, err);
        if (inputs[i].type >= 0 && (int)set->type[at] != inputs[i].type)
            return bl_node_fail(&m->doc, node, NULL, err, "column '%s' must hold %s",
                                inputs[i].column,
                                inputs[i].type == BL_COLUMN_DATE ? "dates" : "numbers");
    }
    return add_column(m, set, d->name, BL_COLUMN_NUMBER, d->node, err);
}

/* No column is of two kinds, inputs exist and have a type that suits their kind. */
static bl_status check_kinds(const bl_manifest *m, const column_set *set, bl_err *err) {
    for (size_t i = 0; i < m->categorical.n; i++)
        if (find_column(set, m->categorical.v[i]) < 0)
            return unknown_column(m, set, m->categorical.v[i],
                                  item_node(&m->categorical, m->categorical.v[i]), err);
    for (size_t i = 0; i < m->continuous.n; i++) {
        const char *name = m->continuous.v[i];
        const bl_node *node = item_node(&m->continuous, name);
        const int at = find_column(set, name);
        if (at < 0) return unknown_column(m, set, name, node, err);
        if (set->type[at] == BL_COLUMN_TEXT)
            return bl_node_fail(&m->doc, node, NULL, err,
                                "column '%s' holds text and cannot be continuous", name);
        if (bl_string_list_contains(&m->categorical, name))
            return bl_node_fail(&m->doc, node, NULL, err,
                                "column '%s' is categorical and continuous", name);
    }
    if (m->categorical.n + m->continuous.n == 0)
        return bl_node_fail(&m->doc, m->doc.root, NULL, err,
                            "no column is 'categorical' or 'continuous'");
    for (size_t i = 0; i < m->ignored.n; i++)
        if (bl_string_list_contains(&m->categorical, m->ignored.v[i]) ||
            bl_string_list_contains(&m->continuous, m->ignored.v[i]))
            return bl_node_fail(&m->doc, item_node(&m->ignored, m->ignored.v[i]), NULL, err,
                                "column '%s' is ignored and used", m->ignored.v[i]);
    if (bl_string_list_contains(&m->categorical, m->target) ||
        bl_string_list_contains(&m->continuous, m->target) ||
        bl_string_list_contains(&m->ignored, m->target))
        return bl_node_fail(&m->doc, bl_node_get(m->doc.root, "target"), NULL, err,
                            "the target '%s' has another kind, too", m->target);
    return BL_OK;
}

/* What every variant needs: target, filters and the split. */
static bl_status check_rows(const bl_manifest *m, const column_set *set, bl_err *err) {
    const bl_node *target = bl_node_get(m->doc.root, "target");
    const int at = find_column(set, m->target);
    if (at < 0) return unknown_column(m, set, m->target, target, err);
    const bool labels = m->classes.n > 0;
    if (set->type[at] != (labels ? BL_COLUMN_TEXT : BL_COLUMN_NUMBER))
        return bl_node_fail(&m->doc, target, NULL, err, "the target '%s' must hold %s", m->target,
                            labels ? "texts, as 'classes' names its labels" : "numbers");
    for (size_t i = 0; i < m->filters; i++) {
        const bl_row_filter_decl *f = &m->filter[i];
        const bl_node *node = bl_node_get(f->node, "column");
        const int column = find_column(set, f->column);
        if (column < 0) return unknown_column(m, set, f->column, node, err);
        if ((f->equals != NULL) != (set->type[column] == BL_COLUMN_TEXT))
            return bl_node_fail(&m->doc, node, NULL, err,
                                "texts are filtered by 'equals', numbers by 'above' and 'below'");
    }
    const int by = m->split.by != NULL ? find_column(set, m->split.by) : -1;
    if (m->split.by != NULL && (by < 0 || set->type[by] != BL_COLUMN_DATE))
        return bl_node_fail(&m->doc, bl_node_get(m->split.node, "by"), NULL, err,
                            "'%s' is no date column", m->split.by);
    const int group = m->split.group != NULL ? find_column(set, m->split.group) : 0;
    if (group < 0)
        return unknown_column(m, set, m->split.group, bl_node_get(m->split.node, "group"), err);
    if (m->split.seed < 0 || (m->split.by != NULL && m->split.seed > 0) ||
        (m->split.group != NULL && m->split.seed < 1))
        return bl_node_fail(&m->doc, m->split.node, NULL, err,
                            "'seed' is 1 or more; it does not go with 'by', and 'group' needs it");
    if (m->split.stratify && (m->classes.n == 0 || m->split.seed < 1 || m->split.group != NULL))
        return bl_node_fail(&m->doc, bl_node_get(m->split.node, "stratify"), NULL, err,
                            "'stratify' goes with 'classes' and 'seed', and not with 'group'");
    if ((m->split.valid > 0) == (m->split.share > 0))
        return bl_node_fail(&m->doc, m->split.node, NULL, err,
                            "the split needs 'valid' (rows) or 'share' (of the rows)");
    if (m->split.share >= 1 || m->split.share < 0 || m->split.valid < 0)
        return bl_node_fail(&m->doc, m->split.node, NULL, err, "the split leaves no training rows");
    return BL_OK;
}

/* `strict`: the first variant, which has to give every column. */
static bl_status check_variant(const bl_manifest *m, const bl_variant_decl *v, bool strict,
                               bl_err *err) {
    for (size_t i = 0; i < v->tables.n; i++)
        if (bl_manifest_table(m, v->tables.v[i]) == NULL)
            return bl_node_fail(&m->doc, item_node(&v->tables, v->tables.v[i]), NULL, err,
                                "no table '%s'", v->tables.v[i]);
    if (!bl_string_list_contains(&v->tables, m->table[0].name))
        return bl_node_fail(&m->doc, v->node, NULL, err, "every variant needs table '%s'",
                            m->table[0].name);
    column_set set = {.n = 0};
    BL_TRY(table_columns(m, &m->table[0], &set, err));
    for (size_t i = 0; i < m->joins; i++) {
        const bl_join_decl *j = &m->join[i];
        if (bl_manifest_table(m, j->table) == NULL)
            return bl_node_fail(&m->doc, bl_node_get(j->node, "table"), NULL, err, "no table '%s'",
                                j->table);
        if (bl_string_list_contains(&v->tables, j->table)) BL_TRY(check_join(m, j, &set, err));
    }
    for (size_t i = 0; i < m->derives; i++)
        BL_TRY(check_derive(m, &m->derive[i], &set, strict, err));
    if (strict) BL_TRY(check_kinds(m, &set, err));
    return check_rows(m, &set, err);
}

/* A generated column has one source of values: a list, a count, or a range. Weights go with a list.
 */
static bl_status check_synth_column(const bl_manifest *m, const bl_synth_decl *c, column_set *set,
                                    bl_err *err) {
    for (size_t i = 0; i < c->per.n; i++)
        if (find_column(set, c->per.v[i]) < 0)
            return unknown_column(m, set, c->per.v[i], item_node(&c->per, c->per.v[i]), err);
    const bool range = bl_node_get(c->node, "low") != NULL;
    if ((c->values_node != NULL) + (c->count != 0) + range != 1 ||
        range != (bl_node_get(c->node, "high") != NULL))
        return bl_node_fail(&m->doc, c->node, NULL, err,
                            "one of 'values', 'count', or 'low' and 'high' is needed");
    if (range && !(c->low < c->high))
        return bl_node_fail(&m->doc, c->node, NULL, err, "'low' must be below 'high'");
    if (c->count < 0 || c->count > 1000000 || c->step < 0 || !(c->missing >= 0 && c->missing <= 1))
        return bl_node_fail(&m->doc, c->node, NULL, err,
                            "'count' is 1 .. 1000000, 'step' positive, 'missing' 0 .. 1");
    bl_column_type type = BL_COLUMN_NUMBER;
    if (c->values_node != NULL) {
        if (c->values_node->type != BL_NODE_LIST || c->values_node->count == 0)
            return bl_node_fail(&m->doc, c->values_node, NULL, err, "'values' must be a list");
        const bl_node_type first = c->values_node->first->type;
        if (first == BL_NODE_STRING) type = BL_COLUMN_TEXT;
        for (const bl_node *v = c->values_node->first; v != NULL; v = v->next)
            if ((v->type == BL_NODE_STRING) != (first == BL_NODE_STRING) ||
                (v->type != BL_NODE_STRING && v->type != BL_NODE_INT && v->type != BL_NODE_FLOAT))
                return bl_node_fail(&m->doc, v, NULL, err,
                                    "'values' are all strings or all numbers");
    }
    if (c->weights_node != NULL) {
        double sum = 0;
        if (c->values_node == NULL || c->weights_node->type != BL_NODE_LIST ||
            c->weights_node->count != c->values_node->count)
            return bl_node_fail(&m->doc, c->weights_node, NULL, err,
                                "'weights' has one number for each of 'values'");
        for (const bl_node *w = c->weights_node->first; w != NULL; w = w->next) {
            if ((w->type != BL_NODE_INT && w->type != BL_NODE_FLOAT) || w->number < 0)
                return bl_node_fail(&m->doc, w, NULL, err, "a weight is a number, not negative");
            sum += w->number;
        }
        if (!(sum > 0)) return bl_node_fail(&m->doc, c->weights_node, NULL, err, "no weight");
    }
    return add_column(m, set, c->name, type, c->node, err);
}

/* The generator's columns are drawn in order, so each may depend on those before it only. */
static bl_status check_synthetic(const bl_manifest *m, bl_err *err) {
    const bl_synthetic_decl *s = &m->synthetic;
    int32_t first, last;
    if (!bl_parse_date(s->first, strlen(s->first), &first) ||
        !bl_parse_date(s->last, strlen(s->last), &last) || first > last)
        return bl_node_fail(&m->doc, s->node, NULL, err,
                            "'first' and 'last' are dates YYYY-MM-DD in order");
    if (s->groups < 1 || s->groups > 1000000 || (last - first + 1) > 100000000 / s->groups)
        return bl_node_fail(&m->doc, s->node, NULL, err,
                            "'groups' times the days must be 1 .. 100 million rows");
    if (!(s->closed >= 0 && s->closed <= 1) || !(s->noise >= 0))
        return bl_node_fail(&m->doc, s->node, NULL, err,
                            "'closed' is 0 .. 1 and 'noise' not negative");
    column_set set = {.n = 0};
    BL_TRY(add_column(m, &set, s->group, BL_COLUMN_NUMBER, s->node, err));
    BL_TRY(add_column(m, &set, s->date, BL_COLUMN_DATE, s->node, err));
    for (size_t i = 0; i < s->columns; i++) BL_TRY(check_synth_column(m, &s->column[i], &set, err));
    BL_TRY(add_column(m, &set, m->target, BL_COLUMN_NUMBER, s->node, err));
    for (size_t i = 0; i < m->derives; i++) BL_TRY(check_derive(m, &m->derive[i], &set, true, err));
    BL_TRY(check_kinds(m, &set, err));
    return check_rows(m, &set, err);
}

/* The keys that make a table of columns have no meaning beside pictures. */
static bl_status check_image_keys(const bl_manifest *m, bl_err *err) {
    static const char *const of_tables[] = {"joins",      "derived", "filters",   "categorical",
                                            "continuous", "ignored", "transform", "target",
                                            "scale",      "classes"};
    static const char *const of_columns[] = {"separator", "file_column", "number",   "date",
                                             "time",      "text",        "interval", "rename",
                                             "encoding",  "trim",        "decimal",  "thousands",
                                             "units",     "missing",     "dates"};
    for (size_t i = 0; i < BL_COUNT(of_tables); i++) {
        const bl_node *node = bl_node_get(m->doc.root, of_tables[i]);
        if (node != NULL)
            return bl_node_fail(&m->doc, node, NULL, err, "'%s' does not go with 'image'",
                                of_tables[i]);
    }
    for (size_t t = 0; t < m->tables; t++)
        for (size_t i = 0; i < BL_COUNT(of_columns); i++) {
            const bl_node *node = bl_node_get(m->table[t].node, of_columns[i]);
            if (node != NULL)
                return bl_node_fail(&m->doc, node, NULL, err, "'%s' does not go with 'image'",
                                    of_columns[i]);
        }
    return BL_OK;
}

/* The split and every variant name tables that exist, and each variant keeps one for training. */
static bl_status check_image_split(const bl_manifest *m, bl_err *err) {
    if (m->split.by != NULL || m->split.share != 0 || m->split.valid < 1 || m->split.seed != 0 ||
        m->split.group != NULL || m->split.stratify)
        return bl_node_fail(
            &m->doc, m->split.node, NULL, err,
            "pictures are split by 'valid': the last rows that are not for testing");
    for (size_t i = 0; i < m->split.test.n; i++)
        if (bl_manifest_table(m, m->split.test.v[i]) == NULL)
            return bl_node_fail(&m->doc, item_node(&m->split.test, m->split.test.v[i]), NULL, err,
                                "no table '%s'", m->split.test.v[i]);
    for (size_t v = 0; v < m->variants; v++) {
        size_t training = 0;
        for (size_t i = 0; i < m->variant[v].tables.n; i++) {
            const char *name = m->variant[v].tables.v[i];
            if (bl_manifest_table(m, name) == NULL)
                return bl_node_fail(&m->doc, item_node(&m->variant[v].tables, name), NULL, err,
                                    "no table '%s'", name);
            training += !bl_string_list_contains(&m->split.test, name);
        }
        if (training == 0)
            return bl_node_fail(&m->doc, m->variant[v].node, NULL, err,
                                "no table is left for training");
    }
    return BL_OK;
}

/* Both sides or none, and only larger: a smaller picture would need smoothing first. */
static bl_status check_resize(const bl_manifest *m, bl_err *err) {
    const bl_picture_decl *d = &m->image;
    if (bl_node_get(d->node, "resize_height") == NULL &&
        bl_node_get(d->node, "resize_width") == NULL)
        return BL_OK;
    if (d->resize_height >= d->height && d->resize_width >= d->width && d->resize_height <= 4096 &&
        d->resize_width <= 4096 &&
        d->resize_height * d->resize_width * d->channels <= BL_PICTURE_BYTES)
        return BL_OK;
    return bl_node_fail(&m->doc, d->node, NULL, err,
                        "'resize_height' and 'resize_width' go together, make a picture larger, "
                        "and give at most %d values",
                        BL_PICTURE_BYTES);
}

/* Format, size, classes and number of files fit each other, and no key of a table of columns is
 * there. */
static bl_status check_image(const bl_manifest *m, bl_err *err) {
    const bl_picture_decl *d = &m->image;
    const bl_picture_synth_decl *s = &m->image_synthetic;
    if (bl_picture_format_find(d->format) == NULL) {
        const char *names[8];
        for (size_t i = 0; i < bl_picture_format_count; i++)
            names[i] = bl_picture_format_table[i]->name;
        return bl_node_fail(&m->doc, bl_node_get(d->node, "format"),
                            bl_nearest(d->format, names, bl_picture_format_count), err,
                            "no image format '%s'", d->format);
    }
    if (d->height < 1 || d->height > 4096 || d->width < 1 || d->width > 4096 || d->channels < 1 ||
        d->channels > BL_PICTURE_CHANNELS || d->height * d->width * d->channels > BL_PICTURE_BYTES)
        return bl_node_fail(&m->doc, d->node, NULL, err,
                            "a picture has 1 .. %d channels and at most %d values",
                            BL_PICTURE_CHANNELS, BL_PICTURE_BYTES);
    BL_TRY(check_resize(m, err));
    if (d->classes < 2 || d->classes > 65536)
        return bl_node_fail(&m->doc, bl_node_get(d->node, "classes"), NULL, err,
                            "'classes' is 2 .. 65536");
    const size_t group = bl_picture_format_find(d->format)->files;
    for (size_t t = 0; t < m->tables; t++)
        if (m->table[t].files % group != 0)
            return bl_node_fail(&m->doc, m->table[t].files_node, NULL, err,
                                "format '%s' takes files by %zu: pictures, labels", d->format,
                                group);
    if (s->node != NULL && (s->rows <= m->split.valid || s->rows > 10000000 || s->test_rows < 0 ||
                            s->test_rows > 10000000 || !(s->noise >= 0)))
        return bl_node_fail(&m->doc, s->node, NULL, err,
                            "'rows' is more than the split's 'valid' and at most 10 million, "
                            "'test_rows' likewise but may be 0, 'noise' is not negative");
    BL_TRY(check_image_keys(m, err));
    return check_image_split(m, err);
}

/* Bounds of what is drawn: 10 million rows, 65536 inputs and classes. */
static bl_status check_random_labels(const bl_manifest *m, bl_err *err) {
    const bl_synth_labels_decl *d = &m->random_labels;
    if (d->rule != NULL && strcmp(d->rule, "linear") != 0)
        return bl_node_fail(&m->doc, bl_node_get(d->node, "rule"), NULL, err,
                            "the rule of labels is \"linear\", or is left out");
    if (d->valid < 0 || d->valid > 10000000 || !(d->noise >= 0 && d->noise <= 1))
        return bl_node_fail(&m->doc, d->node, NULL, err,
                            "'valid' is 0 .. 10 million, 'noise' 0 .. 1");
    if (d->seed >= 0 && d->rows >= 1 && d->rows <= 10000000 && d->inputs >= 1 &&
        d->inputs <= 65536 && d->classes >= 2 && d->classes <= 65536)
        return BL_OK;
    return bl_node_fail(&m->doc, d->node, NULL, err,
                        "'seed' is not negative, 'rows' 1 .. 10 million, 'inputs' 1 .. 65536, "
                        "'classes' 2 .. 65536");
}

/* A variant's name goes into paths of caches, into logs and plans, as it is. The one of a data set
 * that declares none is not the user's. */
static bl_status check_variant_names(const bl_manifest *m, bl_err *err) {
    for (size_t i = 0; i < m->variants; i++) {
        const bl_variant_decl *v = &m->variant[i];
        if (v->node == m->doc.root) continue;
        if (!bl_value_is_name(v->name))
            return bl_node_fail(&m->doc, bl_node_get(v->node, "name"), NULL, err,
                                "the name of a variant is made of a-z, 0-9 and _, at most %d of "
                                "them",
                                BL_NAME - 1);
        for (size_t k = 0; k < i; k++)
            if (strcmp(m->variant[k].name, v->name) == 0)
                return bl_node_fail(&m->doc, bl_node_get(v->node, "name"), NULL, err,
                                    "there are two variants '%s'", v->name);
    }
    return BL_OK;
}

/* A definition has no tables to check; pictures have no columns. What remains is a table of
 * columns, checked once for each variant and once more for the generator, whose columns are its
 * own. */
bl_status bl_manifest_check(const bl_manifest *m, bl_err *err) {
    if (m->random_labels.node != NULL) return check_random_labels(m, err);
    BL_TRY(check_tables(m, err));
    BL_TRY(check_variant_names(m, err));
    if (m->image.node != NULL) return check_image(m, err);
    static const char *const needed[] = {"target", "transform"};
    for (size_t i = 0; i < BL_COUNT(needed); i++)
        if (bl_node_get(m->doc.root, needed[i]) == NULL)
            return bl_node_fail(&m->doc, m->doc.root, NULL, err, "key '%s' is missing", needed[i]);
    if (m->classes.n == 1)
        return bl_node_fail(&m->doc, m->classes.node, NULL, err,
                            "'classes' has two labels or more");
    const bool scaled = m->scale != NULL && strcmp(m->scale, "standard") == 0;
    if (m->scale != NULL && !scaled && strcmp(m->scale, "none") != 0)
        return bl_node_fail(&m->doc, bl_node_get(m->doc.root, "scale"), NULL, err,
                            "'scale' must be \"standard\" or \"none\"");
    if (m->classes.n > 0 && (scaled || strcmp(m->transform, "none") != 0))
        return bl_node_fail(&m->doc, m->classes.node, NULL, err,
                            "'classes' goes with transform = \"none\" and no 'scale'");
    if (m->split.test.n > 0)
        return bl_node_fail(&m->doc, m->split.test.node, NULL, err, "'test' goes with 'image'");
    if (strcmp(m->transform, "log") != 0 && strcmp(m->transform, "none") != 0)
        return bl_node_fail(&m->doc, bl_node_get(m->doc.root, "transform"), NULL, err,
                            "'transform' must be \"log\" or \"none\"");
    for (size_t i = 0; i < m->variants; i++) BL_TRY(check_variant(m, &m->variant[i], i == 0, err));
    return m->synthetic.node != NULL ? check_synthetic(m, err) : BL_OK;
}
