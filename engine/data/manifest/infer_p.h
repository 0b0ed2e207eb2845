/* Private to the room: what the files of infer.h share. */
#ifndef BL_ENGINE_DATA_MANIFEST_INFER_P_H
#define BL_ENGINE_DATA_MANIFEST_INFER_P_H
#include "engine/data/manifest/infer.h"
#include "engine/data/manifest/infer_words.h"

enum {
    BL_INFER_VALUES = 65535, /* of a categorical column, at most */
    BL_INFER_TEXT = 4 << 20  /* bytes of different texts that are kept of one column */
};

/* infer_value.c: adds one value to what is known of its column. */
void bl_infer_value(bl_inferred_column *c, bl_csv_field f, size_t line, const bl_infer_wish *wish);
/* Is it a word for "no value" that many programs write? */
bool bl_infer_means_missing(bl_csv_field f);
/* Is `text` an item of the user's list, names separated by commas? */
bool bl_infer_listed(const char *list, const char *text, size_t n);

/* infer_kind.c: what each column is, the target, the split. */
bl_status bl_infer_decide(bl_inferred *in, const bl_infer_wish *wish, const char *file,
                          bl_err *err) BL_CHECKED;
bl_inferred_column *bl_infer_find(const bl_inferred *in, const char *name);
#endif
