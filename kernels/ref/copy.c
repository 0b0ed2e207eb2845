#include "kernels/ref/ref.h"

/* n columns of each row, to and from wider rows. */
BL_REF void bl_copy_columns_ref(const bl_copy_columns *a, const bl_part *part) {
    const bl_range rows = bl_part_range(part, a->batch, 1);
    for (size_t b = rows.begin; b < rows.end; b++)
        for (size_t j = 0; j < a->n; j++) a->y[b * a->y_stride + j] = a->x[b * a->x_stride + j];
}
