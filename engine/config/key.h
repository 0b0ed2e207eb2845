/* The value of any key, a list of layers among them: from a document or from text into the
 * structure, and back to text. Scalars and lists of numbers are value.c's, layers are layers.c's;
 * this is the one place that knows both, so that neither needs the other's callers. */
#ifndef BL_ENGINE_CONFIG_KEY_H
#define BL_ENGINE_CONFIG_KEY_H
#include "engine/config/value.h"

/* The row by full path or by a last part that only one row has; by a name of the release before,
 * too. */
bl_status bl_key_resolve(const bl_key **out, const char *name, bl_err *err) BL_CHECKED;

/* Stores the node's value in its field when it has the key's type, range and form. `fields` is what
 * the key's offset is in: a bl_config, or one layer of a list (layers.h). */
bool bl_key_read(const bl_key *key, const bl_node *node, void *fields, bl_fault *fault);
/* The same from text, as --set takes it: 64, 0.5, true, adam, "32, 64" or "[32, 64]". */
bool bl_key_read_text(const bl_key *key, const char *text, void *fields, bl_fault *fault);
/* One key of one layer of a list: `rest` is what follows the list's path, "[2].units". */
bool bl_key_read_layer(const bl_key *key, const char *rest, const char *value, void *fields,
                       bl_fault *fault);
/* JSON for identities and records, or libconfig text that reads back to the same value. */
void bl_key_write(const bl_config_value *value, bl_value_form form, bl_buf *out);

/* Every key at its default. */
void bl_config_defaults(bl_config *config);
#endif
