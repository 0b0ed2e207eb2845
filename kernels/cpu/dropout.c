/* dropout and dropout_backward, row by row; dropout.h has the random words and the mask. A part
 * has whole rows. */
#include "kernels/cpu/dropout.h"

void BL_CPU(dropout)(const bl_dropout *a, const bl_part *part) {
    const bl_range rows = bl_part_range(part, a->batch, 1);
    bl_drop_keys k;
    bl_drop_keys_of(&k, a->seed);
    for (size_t b = rows.begin; b < rows.end; b++) bl_drop_row(a, &k, b, (bl_range){0, a->n});
}

typedef struct row {
    float *dx;
    const float *dy;
    const unsigned char *mask;
    float scale;
} row;

BL_INLINE void backward(const void *ctx, size_t j, bl_lanes m) {
    const row *r = ctx;
    bl_v_put(r->dx + j, bl_kept(r->mask + j / 4, r->scale, bl_v_get(r->dy + j, m)), m);
}

void BL_CPU(dropout_backward)(const bl_dropout_backward *a, const bl_part *part) {
    const bl_range rows = bl_part_range(part, a->batch, 1);
    for (size_t b = rows.begin; b < rows.end; b++) {
        const row r = {a->dx + b * a->n, a->dy + b * a->n,
                       a->mask + b * bl_dropout_mask_bytes(a->n), a->scale};
        bl_for_vectors((bl_range){0, a->n}, backward, &r);
    }
}
