/* A libconfig file as a tree of checked values with positions: what experiment and data set files
 * are read through. The tree is the project's own, so libconfig stays inside this room. Beyond
 * libconfig it refuses what libconfig lets pass: integers that do not fit, numbers that are not
 * finite, files above 1 MiB, includes from outside the file's own tree of experiments. */
#ifndef BL_ENGINE_CONFIG_DOC_H
#define BL_ENGINE_CONFIG_DOC_H
#include "engine/base/buf.h"
#include "engine/base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum bl_node_type {
    BL_NODE_GROUP,
    BL_NODE_LIST, /* ( ... ) or [ ... ] */
    BL_NODE_STRING,
    BL_NODE_INT,
    BL_NODE_FLOAT,
    BL_NODE_BOOL
} bl_node_type;

typedef struct bl_node {
    bl_node_type type;
    const char *name; /* key inside a group, else "" */
    const char *file; /* where it is written */
    int line;         /* from 1 */
    int column;       /* of the key (of the value in a list), from 1 */
    const char *string;
    int64_t integer;
    double number; /* of INT too */
    bool boolean;
    struct bl_node *first, *next; /* children in file order */
    size_t count;
} bl_node;

typedef struct bl_doc {
    bl_node *root; /* a group */
    void *blocks;  /* owner of all nodes and strings */
    bl_buf source; /* the file's text, for excerpts in messages */
    const char *file;
} bl_doc;

/* `include_root`: folder below which @include may reach (NULL: no includes). */
bl_status bl_doc_read(bl_doc *doc, const char *path, const char *include_root,
                      bl_err *err) BL_CHECKED;
/* The same from memory; `name` stands for the file in messages. No includes. */
bl_status bl_doc_parse(bl_doc *doc, const char *text, size_t n, const char *name,
                       bl_err *err) BL_CHECKED;
void bl_doc_free(bl_doc *doc);

const bl_node *bl_node_get(const bl_node *group, const char *name); /* NULL: absent */

/* Fails with FILE:LINE:COL: error: MESSAGE, the source line with its number, and a line of carets.
 * `hint` (may be NULL) follows the carets: one word as "did you mean 'WORD'?", others as is. */
BL_PRINTF(5, 6)
bl_status bl_node_fail(const bl_doc *doc, const bl_node *node, const char *hint, bl_err *err,
                       const char *fmt, ...);
/* `text` as a string of the grammar, in quotes, appended. */
void bl_doc_quote(bl_buf *out, const char *text);
#endif
