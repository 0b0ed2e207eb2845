/* Global average pooling (mean_positions), and one factor for each channel of an example (scale):
 * what treats all positions of an image alike. */
#include "kernels/ref/ref.h"
#include <math.h>

/* Rule F over the positions of channel j: the sum of x, or of x * z. */
static BL_HD float sum_of(const float *x, const float *z, size_t positions, size_t n) {
    float sum = 0;
    for (size_t begin = 0; begin < positions; begin += BL_BLOCK) {
        float acc = 0;
        for (size_t p = begin; p < bl_ref_block_end(begin, positions); p++)
            acc = z == NULL ? acc + x[p * n] : fmaf(x[p * n], z[p * n], acc);
        sum = begin == 0 ? acc : sum + acc;
    }
    return sum;
}

/* y[b][j] = 1/P sum over the positions p < P of x[b][p][j]. */
BL_REF void bl_mean_positions_forward_ref(const bl_mean_positions_forward *a, const bl_part *part) {
    const bl_range range = bl_part_range(part, a->batch, 1);
    for (size_t b = range.begin; b < range.end; b++)
        for (size_t j = 0; j < a->n; j++)
            a->y[b * a->n + j] =
                sum_of(a->x + b * a->positions * a->n + j, NULL, a->positions, a->n) /
                (float)a->positions;
}

/* dx[b][p][j] = dy[b][j] / P. */
BL_REF void bl_mean_positions_backward_ref(const bl_mean_positions_backward *a,
                                           const bl_part *part) {
    const bl_range range = bl_part_range(part, a->batch, 1);
    for (size_t b = range.begin; b < range.end; b++)
        for (size_t p = 0; p < a->positions; p++)
            for (size_t j = 0; j < a->n; j++)
                a->dx[(b * a->positions + p) * a->n + j] =
                    a->dy[b * a->n + j] / (float)a->positions;
}

/* y[i] = a[i] + b[i]. */
BL_REF void bl_add_ref(const bl_add *a, const bl_part *part) {
    const bl_range range = bl_part_range(part, a->count, 1);
    for (size_t i = range.begin; i < range.end; i++) a->y[i] = a->a[i] + a->b[i];
}

/* y[b][p][j] = x[b][p][j] s[b][j]. */
BL_REF void bl_scale_forward_ref(const bl_scale_forward *a, const bl_part *part) {
    const bl_range range = bl_part_range(part, a->batch, 1);
    for (size_t b = range.begin; b < range.end; b++)
        for (size_t p = 0; p < a->positions; p++)
            for (size_t j = 0; j < a->n; j++) {
                const size_t i = (b * a->positions + p) * a->n + j;
                a->y[i] = a->x[i] * a->s[b * a->n + j];
            }
}

/* ds[b][j] = sum over p of dy[b][p][j] x[b][p][j]; dx[b][p][j] = dy[b][p][j] s[b][j], which may lie
 * where dy does: the sum is made first. */
BL_REF void bl_scale_backward_ref(const bl_scale_backward *a, const bl_part *part) {
    const bl_range range = bl_part_range(part, a->batch, 1);
    for (size_t b = range.begin; b < range.end; b++)
        for (size_t j = 0; j < a->n; j++) {
            const size_t first = b * a->positions * a->n + j;
            a->ds[b * a->n + j] = sum_of(a->dy + first, a->x + first, a->positions, a->n);
            for (size_t i = first; i < first + a->positions * a->n; i += a->n)
                a->dx[i] = a->dy[i] * a->s[b * a->n + j];
        }
}
