/* The golden runs read no configuration text, and a machine whose libconfig is not here reads none:
 * what engine/config/doc.c does there. Never part of the program. */
#include "engine/config/doc.h"

bl_status bl_doc_parse(bl_doc *doc, const char *text, size_t n, const char *name, bl_err *err) {
    (void)doc, (void)text, (void)n;
    BL_FAIL(err, BL_EINVAL, "%s: there is no libconfig", name);
}
void bl_doc_free(bl_doc *doc) {
    (void)doc;
}
const bl_node *bl_node_get(const bl_node *group, const char *name) {
    (void)group, (void)name;
    return NULL;
}
