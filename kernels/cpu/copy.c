#include "kernels/cpu/cpu.h"
#include <string.h>

void BL_CPU(copy_columns)(const bl_copy_columns *a, const bl_part *part) {
    const bl_range rows = bl_part_range(part, a->batch, 1);
    for (size_t b = rows.begin; b < rows.end; b++)
        memcpy(a->y + b * a->y_stride, a->x + b * a->x_stride, a->n * sizeof *a->y);
}
