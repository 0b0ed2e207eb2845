/* Values of the scalar types and of lists of numbers (value.h): from a document's node or from the
 * text of --set into a field, and back to text.
 *
 * Text takes the same way as a file: it becomes nodes, which bl_value_read checks and stores. So
 * "--set sweep.batch_sizes=32,64" and "batch_sizes = [32, 64];" have the same checks and messages.
 * The checks, in this order: the type, the number of a list's values, range, choices or form, and
 * the order of a list's values. A refusal goes into a bl_fault, and the field keeps what it had. */
#include "engine/config/value.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/base/nearest.h"
#include "engine/base/text.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* What stands there, for "is a number, not ...". */
static const char *describe(const bl_node *node, char out[64]) {
    switch (node->type) {
    case BL_NODE_INT:
        (void)snprintf(out, 64, "%" PRId64, node->integer);
        break;
    case BL_NODE_FLOAT:
        bl_json_f64_text(out, node->number);
        break;
    case BL_NODE_BOOL:
        return node->boolean ? "true" : "false";
    case BL_NODE_STRING:
        (void)snprintf(out, 64, "\"%.40s\"", node->string);
        break;
    case BL_NODE_LIST:
        return "a list";
    default:
        return "a group";
    }
    return out;
}

static bool refuse_type(bl_fault *fault, const bl_key *key, const bl_node *node, bool element) {
    static const char *const wanted[] = {
        [BL_VALUE_BOOL] = "is a boolean: true or false",
        [BL_VALUE_I64] = "is a whole number",
        [BL_VALUE_F64] = "is a number",
        [BL_VALUE_STR] = "is text in quotes",
        [BL_VALUE_I64S] = "is a list of whole numbers like [64, 32]",
        [BL_VALUE_F64S] = "is a list of numbers like [0.5, 0.25]",
        [BL_VALUE_PAIRS] = "is a list of pairs like ( [64, 512] )",
        [BL_VALUE_LAYERS] =
            "is a list of layers like ( \"relu\", { type = \"dense\"; units = 10; } )",
        [BL_VALUE_TEXTS] = "is a list of texts like [\"python3\", \"train.py\"]",
        [BL_VALUE_OPEN] = "is a group of names and values like { width = 64; }",
    };
    char text[64];
    const char *is = wanted[key->type];
    if (element) is = key->type == BL_VALUE_F64S ? "holds numbers" : "holds whole numbers";
    return bl_fault_refuse(fault, node, NULL, "'%s' %s, not %s", bl_key_leaf(key), is,
                           describe(node, text));
}

static bool refuse_range(bl_fault *fault, const bl_key *key, const bl_node *node, bool element) {
    char text[64], range[96];
    bl_key_range(key, range);
    return bl_fault_refuse(fault, node, NULL, "'%s' %s %s; allowed: %s%s%s%s", bl_key_leaf(key),
                           element ? "holds" : "is", describe(node, text), range,
                           key->unit ? " (" : "", key->unit ? key->unit : "", key->unit ? ")" : "");
}

/* ---- nodes ---- */

/* `element`: of a list, for the message. The limits of the schema are doubles, exact up to 2^53. */
static bool read_i64(const bl_key *key, const bl_node *node, bool element, int64_t *out,
                     bl_fault *fault) {
    if (node->type != BL_NODE_INT) return refuse_type(fault, key, node, element);
    if (node->integer < (int64_t)key->min || node->integer > (int64_t)key->max)
        return refuse_range(fault, key, node, element);
    *out = node->integer;
    return true;
}

static bool read_f64(const bl_key *key, const bl_node *node, bool element, double *out,
                     bl_fault *fault) {
    if (node->type != BL_NODE_INT && node->type != BL_NODE_FLOAT)
        return refuse_type(fault, key, node, element);
    const double v = node->number;
    const bool low = key->min_open ? v > key->min : v >= key->min;
    const bool high = key->max_open ? v < key->max : v <= key->max;
    if (!low || !high) return refuse_range(fault, key, node, element);
    *out = v + 0.0; /* -0.0 and 0 are one value with one identity */
    return true;
}

static bool check_order(const bl_key *key, const bl_node *node, double before, double now,
                        bl_fault *fault) {
    if (key->rule == BL_RULE_INCREASING && now <= before)
        return bl_fault_refuse(fault, node, NULL, "'%s' has to increase from value to value",
                               bl_key_leaf(key));
    if (key->rule == BL_RULE_DECREASING && now >= before)
        return bl_fault_refuse(fault, node, NULL, "'%s' has to decrease from value to value",
                               bl_key_leaf(key));
    return true;
}

/* The field is written only when the whole list is good. */
static bool read_list(const bl_key *key, const bl_node *node, void *fields, bl_fault *fault) {
    if (node->type != BL_NODE_LIST) return refuse_type(fault, key, node, false);
    if (node->count < key->min_count || node->count > key->max_count)
        return bl_fault_refuse(fault, node, NULL,
                               "'%s' has too %s values; allowed: from %zu to %zu of them",
                               bl_key_leaf(key), node->count < key->min_count ? "few" : "many",
                               key->min_count, key->max_count);
    bl_i64_list i64s = {.n = node->count};
    bl_f64_list f64s = {.n = node->count};
    const bl_node *before = NULL;
    size_t i = 0;
    for (const bl_node *child = node->first; child != NULL; before = child, child = child->next) {
        const bool taken = key->type == BL_VALUE_I64S
                               ? read_i64(key, child, true, &i64s.v[i], fault)
                               : read_f64(key, child, true, &f64s.v[i], fault);
        if (!taken) return false;
        if (before != NULL && !check_order(key, child, before->number, child->number, fault))
            return false;
        i++;
    }
    if (key->type == BL_VALUE_I64S)
        memcpy(bl_key_field(key, fields), &i64s, sizeof i64s);
    else
        memcpy(bl_key_field(key, fields), &f64s, sizeof f64s);
    return true;
}

bool bl_value_refuse_type(bl_fault *fault, const bl_key *key, const bl_node *node) {
    return refuse_type(fault, key, node, false);
}

bool bl_value_is_name(const char *text) {
    const size_t n = strlen(text);
    return n > 0 && n < BL_NAME && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

/* One pair: [64, 512]. */
static bool read_pair(const bl_key *key, const bl_node *node, int64_t pair[2], bl_fault *fault) {
    if (node->type != BL_NODE_LIST || node->count != 2)
        return bl_fault_refuse(fault, node, NULL, "'%s' holds pairs like [64, 512]",
                               bl_key_leaf(key));
    return read_i64(key, node->first, true, &pair[0], fault) &&
           read_i64(key, node->first->next, true, &pair[1], fault);
}

/* Pairs, or as many numbers that follow each other in pairs. */
static bool read_pairs(const bl_key *key, const bl_node *node, void *fields, bl_fault *fault) {
    if (node->type != BL_NODE_LIST) return refuse_type(fault, key, node, false);
    const bool flat = node->first != NULL && node->first->type == BL_NODE_INT;
    bl_i64_pairs pairs = {.n = flat ? node->count / 2 : node->count};
    if (flat && node->count % 2 != 0)
        return bl_fault_refuse(fault, node, NULL,
                               "'%s' is a list of pairs, and the last one lacks its second number",
                               bl_key_leaf(key));
    if (pairs.n > key->max_count)
        return bl_fault_refuse(fault, node, NULL, "'%s' has too many pairs; allowed: up to %zu",
                               bl_key_leaf(key), key->max_count);
    size_t i = 0;
    for (const bl_node *child = node->first; child != NULL; child = child->next, i++) {
        const bool read = flat ? read_i64(key, child, true, &pairs.v[i / 2][i % 2], fault)
                               : read_pair(key, child, pairs.v[i], fault);
        if (!read) return false;
    }
    memcpy(bl_key_field(key, fields), &pairs, sizeof pairs);
    return true;
}

static bool is_choice(const bl_key *key, const char *text) {
    bool found = key->choices == NULL;
    for (size_t i = 0; i < key->choice_count; i++)
        found = found || strcmp(key->choices[i], text) == 0;
    return found;
}

bool bl_value_check_choice(const bl_key *key, const char *text, bl_fault *fault) {
    char list[256] = "";
    size_t n = 0;
    if (is_choice(key, text)) return true;
    for (size_t i = 0; i < key->choice_count && n < sizeof list; i++)
        n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", i ? ", " : "", key->choices[i]);
    return bl_fault_refuse(fault, NULL, bl_nearest(text, key->choices, key->choice_count),
                           "'%s' is \"%.40s\"; allowed: %s", bl_key_leaf(key), text, list);
}

/* Choices first, then the length, then the rule of the key. Bytes behind the text are 0, so that
 * configurations can be compared as memory. */
static bool read_string(const bl_key *key, const bl_node *node, void *fields, bl_fault *fault) {
    if (node->type != BL_NODE_STRING) return refuse_type(fault, key, node, false);
    if (!key->any_choice && !bl_value_check_choice(key, node->string, fault)) {
        fault->node = node;
        return false;
    }
    if (strlen(node->string) >= key->size)
        return bl_fault_refuse(fault, node, NULL, "'%s' is longer than %zu bytes", bl_key_leaf(key),
                               key->size - 1);
    if (key->rule == BL_RULE_NAME && !bl_value_is_name(node->string))
        return bl_fault_refuse(fault, node, NULL, "'%s' is a name of a-z, 0-9 and _, not \"%.40s\"",
                               bl_key_leaf(key), node->string);
    if (key->rule == BL_RULE_TEXT && !bl_text_is_plain(node->string))
        return bl_fault_refuse(fault, node, NULL, "'%s' is one line of plain text",
                               bl_key_leaf(key));
    char *field = bl_key_field(key, fields);
    memset(field, 0, key->size);
    memcpy(field, node->string, strlen(node->string));
    return true;
}

bool bl_value_read(const bl_key *key, const bl_node *node, void *fields, bl_fault *fault) {
    switch (key->type) {
    case BL_VALUE_BOOL:
        if (node->type != BL_NODE_BOOL) return refuse_type(fault, key, node, false);
        *(bool *)bl_key_field(key, fields) = node->boolean;
        return true;
    case BL_VALUE_I64:
        return read_i64(key, node, false, bl_key_field(key, fields), fault);
    case BL_VALUE_F64:
        return read_f64(key, node, false, bl_key_field(key, fields), fault);
    case BL_VALUE_STR:
        return read_string(key, node, fields, fault);
    case BL_VALUE_PAIRS:
        return read_pairs(key, node, fields, fault);
    default:
        return read_list(key, node, fields, fault);
    }
}

/* ---- text ---- */

/* A scalar as libconfig would have read it; what is neither number nor boolean is a string. */
static bl_node scalar_of(const char *text) {
    char *end;
    bl_node node = {.type = BL_NODE_STRING, .name = "", .string = text};
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        node.type = BL_NODE_BOOL;
        node.boolean = text[0] == 't';
        return node;
    }
    if (text[0] == '\0' || text[strspn(text, "0123456789+-.eE")] != '\0') return node;
    errno = 0;
    const int64_t integer = strtoll(text, &end, 10);
    if (*end == '\0' && errno == 0) {
        node.type = BL_NODE_INT;
        node.integer = integer;
        node.number = (double)integer;
        return node;
    }
    const double number = strtod(text, &end);
    if (*end != '\0' || !isfinite(number)) return node;
    node.type = BL_NODE_FLOAT;
    node.number = number;
    return node;
}

/* Without blanks at both ends; changes the text. */
static char *trim(char *text) {
    text += strspn(text, " \t");
    size_t n = strlen(text);
    while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t')) n--;
    text[n] = '\0';
    return text;
}

/* "[64, 512], [64, 1024]", with or without ( ) around. */
static bool read_pairs_text(const bl_key *key, const char *text, void *fields, bl_fault *fault) {
    bl_doc doc;
    bl_buf whole = {0};
    const bool open = text[strspn(text, " \t")] == '(';
    bl_buf_printf(&whole, open ? "pairs = %s;" : "pairs = (%s);", text);
    const bl_status status = bl_doc_parse(&doc, bl_buf_text(&whole), whole.len, "--set", NULL);
    bl_buf_free(&whole);
    const bl_node *list = status == BL_OK ? doc.root->first : NULL;
    bool read = list != NULL && doc.root->count == 1 && list->type == BL_NODE_LIST;
    if (!read)
        (void)bl_fault_refuse(fault, NULL, NULL, "'%s' is a list of pairs like ( [64, 512] )",
                              bl_key_leaf(key));
    /* [64, 512] alone is one pair, not a list of two. */
    read = read && read_pairs(key, list, fields, fault);
    fault->node = NULL; /* it goes with the document */
    if (status == BL_OK) bl_doc_free(&doc);
    return read;
}

const bl_node *bl_value_scalar_of(const bl_key *key, const char *text, bl_value_scalar *out,
                                  bl_fault *fault) {
    out->node = (bl_node){.type = BL_NODE_STRING, .name = "", .string = text};
    if (strlen(text) >= sizeof out->text) {
        (void)bl_fault_refuse(fault, NULL, NULL, "'%s' is longer than %zu bytes", bl_key_leaf(key),
                              sizeof out->text - 1);
        return NULL;
    }
    if (key->type == BL_VALUE_STR) return &out->node;
    memcpy(out->text, text, strlen(text) + 1);
    out->node = scalar_of(trim(out->text));
    return &out->node;
}

/* A list is taken apart at its commas, with or without brackets, and read like one of a file. */
bool bl_value_read_text(const bl_key *key, const char *text, void *fields, bl_fault *fault) {
    bl_node nodes[BL_LIST + 2];
    bl_value_scalar scalar;
    const bool list = key->type == BL_VALUE_I64S || key->type == BL_VALUE_F64S;
    if (key->type == BL_VALUE_PAIRS) return read_pairs_text(key, text, fields, fault);
    const bl_node *only = bl_value_scalar_of(key, text, &scalar, fault);
    if (only == NULL) return false;
    if (!list) return bl_value_read(key, only, fields, fault);
    char *rest = trim(scalar.text);
    const size_t n = strlen(rest);
    if (n >= 2 && rest[0] == '[' && rest[n - 1] == ']') {
        rest[n - 1] = '\0';
        rest = trim(rest + 1);
    }
    nodes[0] = (bl_node){.type = BL_NODE_LIST, .name = ""};
    bl_node **next = &nodes[0].first;
    for (char *item; *rest != '\0' || nodes[0].count > 0;) {
        item = strsep(&rest, ",");
        bl_node *node = &nodes[1 + nodes[0].count++];
        *node = scalar_of(trim(item));
        *next = node;
        next = &node->next;
        if (rest == NULL || nodes[0].count == BL_LIST + 1) break;
    }
    return bl_value_read(key, nodes, fields, fault);
}

/* ---- writing ---- */

/* Texts and lists point into `fields`. An optional number that is absent is stored as 0. */
bl_config_value bl_value_of(const bl_key *key, const void *fields) {
    const void *field = bl_key_cfield(key, fields);
    bl_config_value value = {.type = key->type};
    switch (key->type) {
    case BL_VALUE_BOOL:
        value.boolean = *(const bool *)field;
        break;
    case BL_VALUE_I64:
        value.i64 = *(const int64_t *)field;
        break;
    case BL_VALUE_F64:
        value.f64 = *(const double *)field;
        break;
    case BL_VALUE_STR:
    case BL_VALUE_LAYERS:
    case BL_VALUE_TEXTS:
    case BL_VALUE_OPEN:
        value.str = field;
        break;
    case BL_VALUE_I64S:
        value.i64s = field;
        break;
    case BL_VALUE_PAIRS:
        value.pairs = field;
        break;
    case BL_VALUE_F64S:
        value.f64s = field;
        break;
    }
    value.absent = key->optional && (value.type == BL_VALUE_I64 ? value.i64 == 0 : value.f64 == 0);
    return value;
}

/* Numbers are compared by value, so that -0 equals 0. */
bool bl_value_equal(const bl_config_value *a, const bl_config_value *b) {
    switch (a->type) {
    case BL_VALUE_BOOL:
        return a->boolean == b->boolean;
    case BL_VALUE_I64:
        return a->i64 == b->i64;
    case BL_VALUE_F64:
        return a->f64 == b->f64;
    case BL_VALUE_STR:
    case BL_VALUE_LAYERS:
    case BL_VALUE_TEXTS:
    case BL_VALUE_OPEN:
        return strcmp(a->str, b->str) == 0;
    case BL_VALUE_I64S:
        return a->i64s->n == b->i64s->n &&
               memcmp(a->i64s->v, b->i64s->v, a->i64s->n * sizeof *a->i64s->v) == 0;
    case BL_VALUE_PAIRS:
        return a->pairs->n == b->pairs->n &&
               memcmp(a->pairs->v, b->pairs->v, a->pairs->n * sizeof *a->pairs->v) == 0;
    case BL_VALUE_F64S:
        break;
    }
    size_t i = 0;
    while (i < a->f64s->n && i < b->f64s->n && a->f64s->v[i] == b->f64s->v[i]) i++;
    return i == a->f64s->n && i == b->f64s->n;
}

/* libconfig reads a number of more than 32 bits only with an L behind it. */
static void write_i64(int64_t value, bl_value_form form, bl_buf *out) {
    const bool wide = value < INT32_MIN || value > INT32_MAX;
    bl_json_i64(out, value);
    if (form == BL_FORM_LIBCONFIG && wide) bl_buf_str(out, "L");
}

void bl_value_write_number(bl_buf *out, double x, int digits) {
    char text[32];
    if (digits > 0)
        (void)snprintf(text, sizeof text, "%.*g", digits, x);
    else
        bl_json_f64_text(text, x);
    const size_t whole = strcspn(text, ".e");
    bl_buf_printf(out, "%.*s%s%s", (int)whole, text, text[whole] == '.' ? "" : ".0", text + whole);
}

static void write_f64(double value, bl_value_form form, bl_buf *out) {
    char text[32];
    bl_json_f64_text(text, value);
    if (form == BL_FORM_LIBCONFIG)
        bl_value_write_number(out, value, 0);
    else
        bl_buf_str(out, text);
}

static void write_string(const char *text, bl_buf *out) {
    bl_buf_str(out, "\"");
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') bl_buf_str(out, "\\");
        bl_buf_add(out, text, 1);
    }
    bl_buf_str(out, "\"");
}

/* Numbers read back to the same bits. In libconfig text a floating number has a point, so that it
 * is not read as an integer. */
void bl_value_write(const bl_config_value *value, bl_value_form form, bl_buf *out) {
    const char *comma = form == BL_FORM_JSON ? "," : ", ";
    if (value->absent) {
        bl_buf_str(out, form == BL_FORM_JSON ? "null" : "\"unset\"");
        return;
    }
    switch (value->type) {
    case BL_VALUE_BOOL:
        bl_buf_str(out, value->boolean ? "true" : "false");
        break;
    case BL_VALUE_I64:
        write_i64(value->i64, form, out);
        break;
    case BL_VALUE_F64:
        write_f64(value->f64, form, out);
        break;
    case BL_VALUE_STR:
    case BL_VALUE_LAYERS:
        write_string(value->str, out);
        break;
    case BL_VALUE_TEXTS:
    case BL_VALUE_OPEN:
        bl_buf_str(out, value->str[0] != '\0'          ? value->str
                        : value->type == BL_VALUE_OPEN ? "{}"
                                                       : "[]");
        break;
    case BL_VALUE_I64S:
        bl_buf_str(out, "[");
        for (size_t i = 0; i < value->i64s->n; i++) {
            bl_buf_str(out, i ? comma : "");
            write_i64(value->i64s->v[i], form, out);
        }
        bl_buf_str(out, "]");
        break;
    case BL_VALUE_PAIRS:
        bl_buf_str(out, form == BL_FORM_JSON ? "[" : "(");
        for (size_t i = 0; i < value->pairs->n; i++) {
            bl_buf_str(out, i ? comma : "");
            bl_buf_str(out, "[");
            write_i64(value->pairs->v[i][0], form, out);
            bl_buf_str(out, comma);
            write_i64(value->pairs->v[i][1], form, out);
            bl_buf_str(out, "]");
        }
        bl_buf_str(out, form == BL_FORM_JSON ? "]" : ")");
        break;
    case BL_VALUE_F64S:
        bl_buf_str(out, "[");
        for (size_t i = 0; i < value->f64s->n; i++) {
            bl_buf_str(out, i ? comma : "");
            write_f64(value->f64s->v[i], form, out);
        }
        bl_buf_str(out, "]");
        break;
    }
}
