/* From text to a tree of checked values with places, by two readers of the same text:
 *
 *     doc_scan.c    every key and value as a mark: line, column, exact number       positions
 *     libconfig     the tree, or a syntax error                                     grammar
 *
 * The tree is built from libconfig's, and each of its settings takes the next mark. So a node has
 * the place and the exact number of the scan and the structure of the library. The two agree by
 * construction, and an assertion says so: marks and settings are met in the same order, and none is
 * left.
 *
 *     a = 1;                marks  KEY a, INT 1
 *     g: { b = [2, 3]; };          KEY g, OPEN, KEY b, OPEN, INT 2, INT 3
 */
#include "engine/config/doc.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/nearest.h"
#include "engine/config/doc_scan.h"
#include <libconfig.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What a document's nodes point into: libconfig's tree holds names and strings, the scan the rest.
 */
typedef struct owner {
    config_t config;
    bl_scan scan;
    bl_node *nodes;
    size_t node_count, node_cap;
    size_t mark; /* the next one to be taken */
} owner;

/* Index of the node's line in the whole text, includes in place. */
static size_t line_of(const owner *own, const bl_node *node) {
    for (size_t i = 0; i < own->scan.line_count; i++)
        if (own->scan.lines[i].file == node->file && own->scan.lines[i].number == node->line)
            return i;
    return 0;
}

bl_status bl_node_fail(const bl_doc *doc, const bl_node *node, const char *hint, bl_err *err,
                       const char *fmt, ...) {
    const owner *own = doc->blocks;
    char message[1024], tail[256];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    if (hint != NULL && strpbrk(hint, " \t") == NULL)
        (void)bl_nearest_hint(tail, "", hint);
    else if (hint != NULL)
        (void)snprintf(tail, sizeof tail, "%s", hint);
    return bl_scan_fail(&own->scan, line_of(own, node), node->column, hint != NULL ? tail : NULL,
                        err, message);
}

/* ---- libconfig's word on a text it refuses ---- */

static bool same_key(const bl_scan *scan, const bl_mark *a, const bl_mark *b) {
    const char *text = bl_buf_text(&scan->text);
    return a->kind == BL_MARK_KEY && b->kind == BL_MARK_KEY && a->scope == b->scope &&
           a->bytes == b->bytes && memcmp(text + a->at, text + b->at, a->bytes) == 0;
}

/* libconfig says that a key is set twice, and not which. Quadratic in the marks, in a message
 * that ends the program. */
static bl_status fail_duplicate(const bl_scan *scan, bl_err *err) {
    for (size_t i = 1; i < scan->mark_count; i++)
        for (size_t j = 0; j < i; j++) {
            const bl_mark *now = &scan->marks[i], *before = &scan->marks[j];
            if (!same_key(scan, now, before)) continue;
            const bl_scan_line *first = &scan->lines[before->line];
            char message[256];
            (void)snprintf(message, sizeof message, "'%.*s' is set twice; first at %s:%d",
                           (int)bl_size_min(now->bytes, 64), bl_buf_text(&scan->text) + now->at,
                           first->file, first->number);
            return bl_scan_fail(scan, now->line, now->column, NULL, err, message);
        }
    return bl_scan_fail(scan, 0, 0, NULL, err, "a key is set twice");
}

static bl_status fail_parse(const owner *own, bl_err *err) {
    const char *text = config_error_text(&own->config);
    const int line = config_error_line(&own->config);
    if (text != NULL && strstr(text, "duplicate") != NULL) return fail_duplicate(&own->scan, err);
    const bool mixed = text != NULL && strstr(text, "mismatched element") != NULL;
    return bl_scan_fail(
        &own->scan, line > 0 ? (size_t)line - 1 : 0, 1, NULL, err,
        mixed ? "the values in [ ] are not of one type; beside 0.25 write 1.0, not 1"
              : "syntax error here or in the line before; settings are written key = value;");
}

/* ---- the tree ---- */

/* The next mark, which has to be of this kind: libconfig's tree and the marks tell of the same
 * settings in the same order. */
static const bl_mark *take(owner *own, bl_mark_kind kind) {
    BL_ASSERT(own->mark < own->scan.mark_count);
    const bl_mark *mark = &own->scan.marks[own->mark++];
    BL_ASSERT(mark->kind == kind);
    return mark;
}

static void place(const owner *own, bl_node *node, const bl_mark *mark) {
    node->file = own->scan.lines[mark->line].file;
    node->line = own->scan.lines[mark->line].number;
    node->column = mark->column;
}

static bl_node *build(owner *own, config_setting_t *setting);

static void build_children(owner *own, bl_node *node, config_setting_t *setting) {
    bl_node **next = &node->first;
    node->count = (size_t)config_setting_length(setting);
    for (size_t i = 0; i < node->count; i++) {
        *next = build(own, config_setting_get_elem(setting, (unsigned)i));
        next = &(*next)->next;
    }
}

/* Fills the node's type and value. Strings and booleans come from libconfig, numbers from the scan,
 * which has them exactly. Returns the mark where the value begins. */
static const bl_mark *build_value(owner *own, bl_node *node, config_setting_t *setting) {
    const bl_mark *mark;
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_STRING:
        node->type = BL_NODE_STRING;
        node->string = config_setting_get_string(setting);
        return take(own, BL_MARK_STRING);
    case CONFIG_TYPE_BOOL:
        node->type = BL_NODE_BOOL;
        node->boolean = config_setting_get_bool(setting) != 0;
        return take(own, BL_MARK_BOOL);
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        node->type = BL_NODE_INT;
        mark = take(own, BL_MARK_INT);
        node->integer = mark->integer;
        node->number = mark->number;
        return mark;
    case CONFIG_TYPE_FLOAT:
        node->type = BL_NODE_FLOAT;
        mark = take(own, BL_MARK_FLOAT);
        node->number = mark->number;
        return mark;
    default:
        node->type = config_setting_is_group(setting) ? BL_NODE_GROUP : BL_NODE_LIST;
        mark = take(own, BL_MARK_OPEN);
        build_children(own, node, setting);
        return mark;
    }
}

/* A node and all below it. A setting in a list has no name, and so no mark of a key. */
static bl_node *build(owner *own, config_setting_t *setting) {
    BL_ASSERT(own->node_count < own->node_cap);
    bl_node *node = &own->nodes[own->node_count++];
    const char *name = config_setting_name(setting);
    const bl_mark *key = name != NULL ? take(own, BL_MARK_KEY) : NULL;
    node->name = name != NULL ? name : "";
    const bl_mark *value = build_value(own, node, setting);
    place(own, node, key != NULL ? key : value);
    return node;
}

/* The scan comes first: it has places and exact numbers, and refuses what libconfig would accept by
 * mistake. Then libconfig reads the text with all includes in place. Both walk the same text, so
 * the marks of the scan are met in the order of the nodes. */
static bl_status parse(bl_doc *doc, const char *text, size_t n, const char *name,
                       const char *include_root, bl_err *err) {
    owner *own = bl_xalloc(sizeof *own);
    *doc = (bl_doc){.blocks = own};
    config_init(&own->config);
    bl_status status = bl_scan_text(&own->scan, text, n, name, include_root, err);
    if (status == BL_OK &&
        config_read_string(&own->config, bl_buf_text(&own->scan.text)) != CONFIG_TRUE)
        status = fail_parse(own, err);
    if (status != BL_OK) {
        bl_doc_free(doc);
        return status;
    }
    own->node_cap = own->scan.mark_count + 1;
    own->nodes = bl_xalloc(own->node_cap * sizeof *own->nodes);
    bl_node *root = &own->nodes[own->node_count++];
    *root = (bl_node){.type = BL_NODE_GROUP, .name = "", .line = 1, .column = 1};
    root->file = own->scan.lines[0].file;
    build_children(own, root, config_root_setting(&own->config));
    BL_ASSERT(own->mark == own->scan.mark_count);
    doc->root = root;
    doc->file = own->scan.files[0];
    bl_buf_add(&doc->source, own->scan.text.data, own->scan.text.len);
    return BL_OK;
}

bl_status bl_doc_parse(bl_doc *doc, const char *text, size_t n, const char *name, bl_err *err) {
    return parse(doc, text, n, name, NULL, err);
}

bl_status bl_doc_read(bl_doc *doc, const char *path, const char *include_root, bl_err *err) {
    bl_buf text = {0};
    *doc = (bl_doc){0};
    /* A pipe or a folder is not opened: reading it might never end. */
    if (!bl_file_exists(path)) BL_FAIL(err, BL_EMISSING, "%s: error: there is no such file", path);
    bl_status status = bl_file_read(&text, path, BL_DOC_BYTES, err);
    if (status == BL_OK) status = parse(doc, bl_buf_text(&text), text.len, path, include_root, err);
    bl_buf_free(&text);
    return status;
}

void bl_doc_free(bl_doc *doc) {
    owner *own = doc->blocks;
    if (own != NULL) {
        config_destroy(&own->config);
        bl_scan_free(&own->scan);
        free(own->nodes);
        free(own);
    }
    bl_buf_free(&doc->source);
    *doc = (bl_doc){0};
}

const bl_node *bl_node_get(const bl_node *group, const char *name) {
    for (const bl_node *node = group->first; node != NULL; node = node->next)
        if (strcmp(node->name, name) == 0) return node;
    return NULL;
}

void bl_doc_quote(bl_buf *out, const char *text) {
    bl_buf_str(out, "\"");
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') bl_buf_str(out, "\\");
        bl_buf_add(out, text, 1);
    }
    bl_buf_str(out, "\"");
}
