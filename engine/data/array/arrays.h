/* A pair of arrays, inputs X and target y, as what the rest of the program reads: pictures where
 * the shape and the values allow that, else a table with a column for each number of a row. */
#ifndef BL_ENGINE_DATA_ARRAY_ARRAYS_H
#define BL_ENGINE_DATA_ARRAY_ARRAYS_H
#include "engine/data/array/npy.h"
#include "engine/data/image/pack.h"

typedef struct bl_arrays {
    bl_npy x, y;
    const char *x_name, *y_name; /* for messages */
} bl_arrays;

/* X has a row for each value of y, and y one value for each, or an indicator for each class. */
bl_status bl_arrays_check(const bl_arrays *arrays, bl_err *err) BL_CHECKED;
/* Does y have an indicator for each class? */
bool bl_arrays_indicate(const bl_arrays *arrays);
/* False: they are no pictures with classes, and *out stays empty. Pictures are X of (n, height,
 * width), (n, height, width, channels) or (n, channels, height, width) with values that are all
 * whole numbers from 0 to 255, or all from 0 to 1, and y of at most BL_PACK_CLASSES classes. */
bool bl_arrays_pictures(bl_pack *out, const bl_arrays *arrays);
/* The text of a table: columns x0, x1, ... and y, numbers with all their digits. */
void bl_arrays_table(bl_buf *out, const bl_arrays *arrays);
#endif
