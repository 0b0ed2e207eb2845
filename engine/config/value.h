/* One key's value: from a document's node or from --set's text into the structure, and back to
 * text. Knows the schema's rules, not where a value was written: the caller adds that to a fault.
 */
#ifndef BL_ENGINE_CONFIG_VALUE_H
#define BL_ENGINE_CONFIG_VALUE_H
#include "engine/base/buf.h"
#include "engine/config/doc.h"
#include "engine/config/fault.h"
#include "engine/config/schema.h"

/* Stores the node's value in its field when it has the key's type, range and form. `fields` is what
 * the key's offset is in: a bl_config, or one layer of a list (layers.h). */
bool bl_value_read(const bl_key *key, const bl_node *node, void *fields, bl_fault *fault);
/* The same from text: 64, 0.5, true, adam, "32, 64" or "[32, 64]", by the key's type. */
bool bl_value_read_text(const bl_key *key, const char *text, void *fields, bl_fault *fault);
/* A scalar's text as the node that a document would have had for it; NULL when it is too long. The
 * node points into *out and into the text. */
typedef struct bl_value_scalar {
    bl_node node;
    char text[2048];
} bl_value_scalar;
const bl_node *bl_value_scalar_of(const bl_key *key, const char *text, bl_value_scalar *out,
                                  bl_fault *fault);
/* "'rows' is a whole number, not ..."; returns false. */
bool bl_value_refuse_type(bl_fault *fault, const bl_key *key, const bl_node *node);
/* Is the text one of the key's choices? The fault has no place. */
bool bl_value_check_choice(const bl_key *key, const char *text, bl_fault *fault);
/* a-z, 0-9 and _, at least one and fewer than BL_NAME. */
bool bl_value_is_name(const char *text);

bl_config_value bl_value_of(const bl_key *key, const void *fields);
/* Of one key in two configurations: the same text. */
bool bl_value_equal(const bl_config_value *a, const bl_config_value *b);
typedef enum bl_value_form { BL_FORM_JSON, BL_FORM_LIBCONFIG } bl_value_form;
void bl_value_write(const bl_config_value *value, bl_value_form form, bl_buf *out);
/* A number as a list in libconfig needs it, which takes numbers of one type and knows a float by
 * its point: 89.0, 1.0e-05. With so many digits; 0: those that read back to the same bits. */
void bl_value_write_number(bl_buf *out, double x, int digits);
#endif
