/* What is said of a column, and to the user, while a table is looked at. */
#ifndef BL_ENGINE_DATA_MANIFEST_INFER_WORDS_H
#define BL_ENGINE_DATA_MANIFEST_INFER_WORDS_H
#include "engine/data/manifest/infer.h"

/* Leaves a column out, and says why. */
BL_PRINTF(2, 3)
void bl_infer_ignore(bl_inferred_column *c, const char *fmt, ...);
/* Adds a line "warning: ..." for the user. */
BL_PRINTF(2, 3)
void bl_infer_warn(bl_inferred *in, const char *fmt, ...);
#endif
