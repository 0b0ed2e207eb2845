/* Values whose form is the user's: a list of texts, and a group of names and values that no row of
 * the schema lists. Both are held as canonical JSON, so that equal ones are equal bytes: no blanks,
 * names ascending, numbers as their shortest text. None is "".
 *
 *     command = ["python3", "train.py"];              ["python3","train.py"]
 *     settings: { width = 64; weight_decay = 0.1; };  {"weight_decay":0.1,"width":64}
 */
#ifndef BL_ENGINE_CONFIG_OPEN_VALUES_H
#define BL_ENGINE_CONFIG_OPEN_VALUES_H
#include "engine/config/value.h"

enum { BL_OPEN_PATH = 2 * BL_NAME };

/* Of BL_VALUE_TEXTS and BL_VALUE_OPEN: a document's node, or the text of --set, into the field. */
bool bl_value_read_open(const bl_key *key, const bl_node *node, void *fields, bl_fault *fault);
bool bl_value_read_open_text(const bl_key *key, const char *source, void *fields, bl_fault *fault);
/* The field as libconfig text. */
void bl_value_write_open(const char *text, bool group, bl_buf *out);

/* Is `name` one of external.settings, by its own name or as "external.settings.NAME"? *path is the
 * latter. */
bool bl_config_setting_find(const bl_config *config, const char *name, char path[BL_OPEN_PATH]);
/* Replaces the value of one that is there, by a path that bl_config_setting_find gave. */
bool bl_config_setting_set(bl_config *config, const char *path, const char *value, bl_fault *fault);
#endif
