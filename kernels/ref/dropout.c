#include "kernels/ref/dropout_ref.h"

/* y = kept ? x / (1 - p) : +0, for each feature with its own random word (kernels/kernel.h). */
BL_REF void bl_dropout_ref(const bl_dropout *a, const bl_part *part) {
    const bl_range rows = bl_part_range(part, a->batch, 1);
    for (size_t b = rows.begin; b < rows.end; b++) bl_ref_drop(a, b, (bl_range){0, a->n});
}

/* dx = kept ? dy / (1 - p) : +0, by forward's mask. */
BL_REF void bl_dropout_backward_ref(const bl_dropout_backward *a, const bl_part *part) {
    const bl_range rows = bl_part_range(part, a->batch, 1);
    for (size_t b = rows.begin; b < rows.end; b++)
        for (size_t j = 0; j < a->n; j++)
            a->dx[b * a->n + j] = bl_ref_kept(a->mask, a->scale, a->dy[b * a->n + j], a->n, b, j);
}
