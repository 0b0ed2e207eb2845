/* A resolved configuration as text: what is hashed, what is kept, and the table of keys.
 *
 *     bl_config_identity    {"data.rows":41088,...,"train.seed":1}: what run ids are hashes of
 *     bl_config_dump        libconfig text of every key that has a value; a later run reads it
 *     bl_config_list_keys   for people: key, type, range, default, unit, meaning
 *
 * The identity is the most delicate text of the project. Its bytes decide whether a finished run is
 * found again, so keys are ordered by path, numbers are their shortest exact text, and a new key at
 * its default is left out. */
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/config/applies.h"
#include "engine/config/config.h"
#include "engine/config/key.h"
#include "engine/config/layers.h"
#include "engine/config/schema.h"
#include "engine/config/value.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* A layer's key and a setting of the user's program decide results as well, although no row of
 * the schema names them. */
bool bl_config_key_is_identity(const char *key) {
    const bl_key *row;
    const char *rest;
    if (bl_config_layers_is_path(key, &rest)) return true;
    if (strncmp(key, "external.settings.", 18) == 0) return true;
    return bl_key_resolve(&row, key, NULL) == BL_OK && row->identity;
}

bool bl_config_at(const bl_config *config, size_t i, const char **path, bl_config_value *value) {
    if (i >= bl_schema_count) return false;
    *path = bl_schema[i].path;
    *value = bl_value_of(&bl_schema[i], config);
    return true;
}

static int by_path(const void *a, const void *b) {
    return strcmp((*(const bl_key *const *)a)->path, (*(const bl_key *const *)b)->path);
}

/* What is the same for every configuration, made once: ids are asked for by the ten thousand. */
static const bl_key *g_order[BL_KEYS_MAX]; /* by path */
static bl_config g_defaults;

static void prepare(void) {
    bl_config_defaults(&g_defaults);
    for (size_t i = 0; i < bl_schema_count; i++) g_order[i] = &bl_schema[i];
    qsort(g_order, bl_schema_count, sizeof *g_order, by_path);
}

static bool at_default(const bl_key *key, const bl_config *config) {
    const bl_config_value value = bl_value_of(key, config), def = bl_value_of(key, &g_defaults);
    return bl_value_equal(&value, &def);
}

void bl_config_identity(const bl_config *config, bl_buf *out) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    bl_jw w = bl_jw_open(out);
    (void)pthread_once(&once, prepare);
    bl_jw_object(&w, NULL);
    for (size_t i = 0; i < bl_schema_count; i++) {
        const bl_key *key = g_order[i];
        if (!key->identity || !bl_key_applies(config, key)) continue;
        if (key->omit_default_from_id && at_default(key, config)) continue;
        const bl_config_value value = bl_value_of(key, config);
        if (value.absent) continue;
        bl_key_write(&value, BL_FORM_JSON, bl_jw_slot(&w, key->path));
    }
    bl_jw_end(&w);
    bl_jw_done(&w);
}

/* Length of the group's name in a path; 0 at the top level. */
static size_t group_of(const bl_key *key) {
    const char *leaf = bl_key_leaf(key);
    return leaf > key->path ? (size_t)(leaf - key->path) - 1 : 0;
}

/* Rows of one group follow one another in the schema, so a group opens at its first key and closes
 * after its last one. */
void bl_config_dump(const bl_config *config, bl_buf *out) {
    size_t open = 0; /* length of the open group's name */
    const char *group = "";
    for (size_t i = 0; i < bl_schema_count; i++) {
        const bl_key *key = &bl_schema[i];
        const size_t n = group_of(key);
        const bool same = n == open && memcmp(key->path, group, n) == 0;
        if (!same && open > 0) bl_buf_str(out, "};\n");
        if (!same && n > 0) bl_buf_printf(out, "%.*s: {\n", (int)n, key->path);
        open = n;
        group = key->path;
        const bl_config_value value = bl_value_of(key, config);
        const bool text = value.type == BL_VALUE_STR || value.type == BL_VALUE_LAYERS ||
                          value.type == BL_VALUE_TEXTS || value.type == BL_VALUE_OPEN;
        const bool unset = value.absent || (text && value.str[0] == '\0');
        if (unset)
            continue; /* an empty string is the default, and may not be one that can be set */
        bl_buf_printf(out, "%s%s = ", n > 0 ? "    " : "", bl_key_leaf(key));
        bl_key_write(&value, BL_FORM_LIBCONFIG, out);
        bl_buf_str(out, ";\n");
    }
    if (open > 0) bl_buf_str(out, "};\n");
}

/* ---- the table of keys ---- */

static void type_text(const bl_key *key, bl_buf *out) {
    if (key->type < 0) return; /* no key, but the name of a layer */
    static const char *const names[] = {
        [BL_VALUE_BOOL] = "boolean", [BL_VALUE_I64] = "integer",   [BL_VALUE_F64] = "number",
        [BL_VALUE_STR] = "text",     [BL_VALUE_I64S] = "integers", [BL_VALUE_F64S] = "numbers",
        [BL_VALUE_PAIRS] = "pairs",  [BL_VALUE_LAYERS] = "layers", [BL_VALUE_TEXTS] = "texts",
        [BL_VALUE_OPEN] = "group",
    };
    bl_buf_str(out, names[key->type]);
}

static void range_text(const bl_key *key, bl_buf *out) {
    char range[96] = "";
    if (key->type < 0) return;
    for (size_t i = 0; i < key->choice_count; i++)
        bl_buf_printf(out, "%s%s", i ? " " : "", key->choices[i]);
    if (key->type == BL_VALUE_BOOL)
        bl_buf_str(out, "true false");
    else if (key->type == BL_VALUE_STR || key->type == BL_VALUE_LAYERS ||
             key->type == BL_VALUE_TEXTS || key->type == BL_VALUE_OPEN)
        bl_buf_str(out, key->rule == BL_RULE_NAME ? "a-z 0-9 _" : "");
    else
        bl_key_range(key, range);
    bl_buf_str(out, range);
    if (key->max_count > 0) bl_buf_printf(out, "; %zu-%zu of them", key->min_count, key->max_count);
}

static void default_text(const bl_key *key, bl_buf *out) {
    const bool list = key->type == BL_VALUE_I64S || key->type == BL_VALUE_F64S;
    if (key->def == NULL && key->type >= 0) bl_buf_str(out, "(give it)");
    if (key->def == NULL) return;
    bl_buf_printf(out, "%s%s%s", list ? "[" : "", key->def, list ? "]" : "");
}

enum { COLUMNS = 6 };

static void row_text(const bl_key *key, bl_buf cell[COLUMNS]) {
    for (size_t c = 0; c < COLUMNS; c++) bl_buf_clear(&cell[c]);
    bl_buf_str(&cell[0], key->path);
    type_text(key, &cell[1]);
    range_text(key, &cell[2]);
    default_text(key, &cell[3]);
    bl_buf_str(&cell[4], key->unit ? key->unit : "");
    bl_buf_str(&cell[5], key->help);
}

static bool in_group(const bl_key *key, const char *group) {
    return group[0] == '\0' ||
           (group_of(key) == strlen(group) && memcmp(key->path, group, strlen(group)) == 0);
}

/* No group of the file: what model.layers may list. */
static const char k_layers[] = "layers";

/* "" is every group. BL_EINVAL names those that there are. */
static bl_status check_group(const char *group, bl_err *err) {
    char list[256] = "";
    size_t used = 0, n;
    const char *name;
    if (group[0] == '\0') return BL_OK;
    for (size_t i = 0; bl_schema_group(i, &name, &n); i++) {
        if (strlen(group) == n && memcmp(name, group, n) == 0) return BL_OK;
        if (used < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%.*s", i ? ", " : "",
                                     (int)n, name);
    }
    BL_FAIL(err, BL_EINVAL, "no group '%.64s' of keys; there are: all, %s, %s", group, list,
            k_layers);
}

/* A table whose columns are as wide as their widest cell: rows are entered twice. */
typedef struct key_table {
    bl_buf cell[COLUMNS];
    size_t width[COLUMNS];
    bl_buf *out; /* NULL: only the widths are wanted */
} key_table;

static void table_row(void *ctx, const bl_key *key) {
    key_table *t = ctx;
    row_text(key, t->cell);
    for (size_t c = 0; c < COLUMNS; c++) {
        if (t->out == NULL)
            t->width[c] = bl_size_max(t->width[c], t->cell[c].len);
        else
            bl_buf_printf(t->out, "%-*s%s", (int)(c + 1 < COLUMNS ? t->width[c] : 0),
                          bl_buf_text(&t->cell[c]), c + 1 < COLUMNS ? "  " : "\n");
    }
}

static void table_rows(key_table *t, const char *group) {
    if (strcmp(group, k_layers) == 0) {
        bl_config_layers_each_key(table_row, t);
        return;
    }
    for (size_t i = 0; i < bl_schema_count; i++)
        if (in_group(&bl_schema[i], group)) table_row(t, &bl_schema[i]);
}

bl_status bl_config_list_keys(const char *group, bl_buf *out, bl_err *err) {
    static const char *const head[COLUMNS] = {"key", "type", "range", "default", "unit", "meaning"};
    key_table t = {.out = NULL};
    if (group == NULL || strcmp(group, "all") == 0) group = "";
    if (strcmp(group, k_layers) != 0) BL_TRY(check_group(group, err));
    for (size_t c = 0; c < COLUMNS; c++) t.width[c] = strlen(head[c]);
    table_rows(&t, group);
    t.out = out;
    for (size_t c = 0; c < COLUMNS; c++)
        bl_buf_printf(out, "%-*s%s", (int)(c + 1 < COLUMNS ? t.width[c] : 0), head[c],
                      c + 1 < COLUMNS ? "  " : "\n");
    table_rows(&t, group);
    for (size_t c = 0; c < COLUMNS; c++) bl_buf_free(&t.cell[c]);
    return BL_OK;
}
