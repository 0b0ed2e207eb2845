/* NumPy's array files, .npy of versions 1 to 3: numbers and texts, of any shape. */
#ifndef BL_ENGINE_DATA_ARRAY_NPY_H
#define BL_ENGINE_DATA_ARRAY_NPY_H
#include "engine/base/buf.h"
#include "engine/base/status.h"
#include <stdbool.h>
#include <stddef.h>

enum { BL_NPY_DIMENSIONS = 8 };

typedef struct bl_npy {
    char kind;             /* as NumPy's: b boolean, i, u integers, f floats, U, S texts */
    size_t size;           /* bytes of one value */
    bool swapped, fortran; /* of the other byte order; the first dimension is the fastest */
    size_t dimensions, shape[BL_NPY_DIMENSIONS];
    size_t count; /* of values: the product of the shape */
    const unsigned char *values;
} bl_npy;

/* `out` points into `bytes`, which have to stay. */
bl_status bl_npy_read(bl_npy *out, const void *bytes, size_t n, const char *name,
                      bl_err *err) BL_CHECKED;
/* Value i, counted with the last dimension fastest, whatever the order in the file. Of texts NAN.
 */
double bl_npy_number(const bl_npy *array, size_t i);
/* The value as a field of a table, appended: a text as UTF-8, a number with all its digits, nothing
 * for what is no number. */
void bl_npy_text(bl_buf *out, const bl_npy *array, size_t i);
bool bl_npy_is_text(const bl_npy *array);
/* "(60000, 28, 28) of uint8", appended. */
void bl_npy_describe(bl_buf *out, const bl_npy *array);
#endif
