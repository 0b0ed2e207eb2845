/* The products of a dense layer, as specification: every sum term by term in contract order
 * (kernels/kernel.h), nothing else. Shapes: x (batch, k), w (k, n), y and dy (batch, n). */
#include "kernels/ref/ref.h"
#include <math.h>

/* Rule F: the sum of x[i * x_step] * w[i * w_step]. */
static BL_HD float dot(const float *x, size_t x_step, const float *w, size_t w_step, size_t n) {
    float sum = 0;
    for (size_t begin = 0; begin < n; begin += BL_BLOCK) {
        float acc = 0;
        for (size_t i = begin; i < bl_ref_block_end(begin, n); i++)
            acc = fmaf(x[i * x_step], w[i * w_step], acc);
        sum = begin == 0 ? acc : sum + acc;
    }
    return sum;
}

/* y[b][j] = epilogue(sum over i of x[b][i] w[i][j] by rule F + bias[j]). A part has whole rows. */
BL_REF void bl_dense_forward_ref(const bl_dense_forward *a, const bl_part *part) {
    const bl_range rows = bl_part_range(part, a->batch, 1);
    for (size_t b = rows.begin; b < rows.end; b++)
        for (size_t j = 0; j < a->n; j++) {
            float y = dot(a->x + b * a->k, 1, a->w + j, a->n, a->k);
            if (a->bias != NULL) y = y + a->bias[j];
            y = bl_epilogue_apply(&a->epilogue, b * a->n + j, y);
            a->y[b * a->n + j] = y;
        }
}

/* dx[b][i] = epilogue(sum over j of dy[b][j] w[i][j] by rule F): dy times the transpose of w. */
BL_REF void bl_dense_backward_input_ref(const bl_dense_backward_input *a, const bl_part *part) {
    const bl_range rows = bl_part_range(part, a->batch, 1);
    for (size_t b = rows.begin; b < rows.end; b++)
        for (size_t i = 0; i < a->k; i++) {
            const size_t at = b * a->k + i;
            float dx = dot(a->dy + b * a->n, 1, a->w + i * a->n, 1, a->n);
            dx = bl_epilogue_apply(&a->epilogue, at, dx);
            a->dx[at] = dx;
        }
}

/* dw[i][j] = sum over b of x[b][i] dy[b][j], dbias[j] = sum over b of dy[b][j], both by rule B: a
 * chain for each block of 256 examples, the chains combined by the tree. A part has whole columns,
 * as the sums run down them. */
BL_REF void bl_dense_backward_weight_ref(const bl_dense_backward_weight *a, const bl_part *part) {
    const bl_range columns = bl_part_range(part, a->n, 1);
    const size_t x_stride = bl_dense_x_stride(a);
    for (size_t j = columns.begin; j < columns.end; j++) {
        for (size_t i = 0; i < a->k; i++) {
            bl_ref_tree tree = {.blocks = 0};
            for (size_t begin = 0; begin < a->batch; begin += BL_BLOCK) {
                float acc = 0;
                for (size_t b = begin; b < bl_ref_block_end(begin, a->batch); b++)
                    acc = fmaf(a->x[b * x_stride + i], a->dy[b * a->n + j], acc);
                bl_ref_tree_push(&tree, acc);
            }
            a->dw[i * a->n + j] = bl_ref_tree_sum(&tree);
        }
        if (a->dbias == NULL) continue;
        bl_ref_tree tree = {.blocks = 0};
        for (size_t begin = 0; begin < a->batch; begin += BL_BLOCK) {
            float acc = 0;
            for (size_t b = begin; b < bl_ref_block_end(begin, a->batch); b++)
                acc = acc + a->dy[b * a->n + j];
            bl_ref_tree_push(&tree, acc);
        }
        a->dbias[j] = bl_ref_tree_sum(&tree);
    }
}
