/* Which rows of a frame stay, and which of them are for training. */
#ifndef BL_ENGINE_DATA_TABLE_SPLIT_H
#define BL_ENGINE_DATA_TABLE_SPLIT_H
#include "engine/data/manifest/manifest.h"
#include "engine/data/table/column.h"

typedef struct bl_split_rows {
    uint32_t *row;           /* rows of the frame that stay, training first; the caller frees it */
    size_t rows, train_rows; /* of `row` */
} bl_split_rows;

/* Filters, then the split as the declaration says. Never leaves a side empty: that is BL_EINVAL. */
bl_status bl_split_frame(bl_split_rows *out, const bl_frame *frame, const bl_manifest *manifest,
                         bl_err *err) BL_CHECKED;
/* The label's place among the declared classes; -1: it is missing or none of them. */
int bl_split_class(const bl_manifest *manifest, const bl_view *target, size_t row);
/* How many of `valid` rows each class gives, by the method of Sainte-Lague: the next one is of the
 * class for which rows / (2 given + 1) is largest, of equal ones the first. One row of each stays
 * for training, so there may be fewer in the end: *valid becomes what they are. `given` comes
 * zeroed. */
void bl_split_shares(size_t *given, const size_t *rows, size_t classes, size_t *valid);
#endif
