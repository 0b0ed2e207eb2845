/* Losses, as specification. Sums are fp64 by rule B over examples, and part 0 writes them; every
 * part writes its share of dy, the gradient of the mean over `total` examples. */
#include "kernels/ref/ref.h"
#include "kernels/shared/exact_math.h"

/* sum = sum over i of (y[i] - target[i])^2; dy[i] = 2 / total (y[i] - target[i]). */
BL_REF void bl_mse_ref(const bl_mse *a, const bl_part *part) {
    if (part->part == 0) {
        bl_ref_tree64 tree = {.blocks = 0};
        for (size_t begin = 0; begin < a->count; begin += BL_BLOCK) {
            double acc = 0;
            for (size_t i = begin; i < bl_ref_block_end(begin, a->count); i++) {
                const double e = (double)a->y[i] - (double)a->target[i];
                acc = acc + e * e;
            }
            bl_ref_tree64_push(&tree, acc);
        }
        *a->sum = bl_ref_tree64_sum(&tree);
    }
    if (a->dy == NULL) return;
    const float scale = 2.0f / (float)a->total;
    const bl_range range = bl_part_range(part, a->count, 1);
    for (size_t i = range.begin; i < range.end; i++) a->dy[i] = scale * (a->y[i] - a->target[i]);
}

/* Of one example: the largest output, and the rule-F sums of e_j and d_j. */
typedef struct softmax_row {
    double largest, exps, differences;
} softmax_row;

/* The largest output is taken off first, so that no power overflows. */
static BL_HD softmax_row softmax_sums(const float *y, size_t classes) {
    softmax_row row = {.largest = (double)y[0]};
    for (size_t j = 1; j < classes; j++)
        if ((double)y[j] > row.largest) row.largest = (double)y[j];
    for (size_t begin = 0; begin < classes; begin += BL_BLOCK) {
        double exps = 0, differences = 0;
        for (size_t j = begin; j < bl_ref_block_end(begin, classes); j++) {
            const double d = (double)y[j] - row.largest;
            exps = exps + bl_exp64(d);
            differences = differences + d;
        }
        row.exps = begin ? row.exps + exps : exps;
        row.differences = begin ? row.differences + differences : differences;
    }
    return row;
}

/* -sum over classes of q_j log softmax(y)_j, which is log(sum e) - sum of q_j d_j. */
static BL_HD double softmax_term(const bl_softmax_cross_entropy *a, size_t b) {
    const size_t c = a->classes;
    const softmax_row row = softmax_sums(a->y + b * c, c);
    const double others = a->smoothing / (double)c;
    const double d = (double)a->y[b * c + (size_t)a->target[b]] - row.largest;
    return bl_log64(row.exps) - ((1.0 - a->smoothing) * d + others * row.differences);
}

/* dy_j = (softmax(y)_j - q_j) / total. */
static BL_HD void softmax_gradient(const bl_softmax_cross_entropy *a, size_t b) {
    const size_t c = a->classes;
    const softmax_row row = softmax_sums(a->y + b * c, c);
    const double others = a->smoothing / (double)c;
    for (size_t j = 0; j < c; j++) {
        const double e = bl_exp64((double)a->y[b * c + j] - row.largest);
        const double q = (j == (size_t)a->target[b] ? 1.0 - a->smoothing : 0.0) + others;
        a->dy[b * c + j] = (float)((e / row.exps - q) / (double)a->total);
    }
}

BL_REF void bl_softmax_cross_entropy_ref(const bl_softmax_cross_entropy *a, const bl_part *part) {
    if (part->part == 0) {
        bl_ref_tree64 tree = {.blocks = 0};
        for (size_t begin = 0; begin < a->batch; begin += BL_BLOCK) {
            double acc = 0;
            for (size_t b = begin; b < bl_ref_block_end(begin, a->batch); b++)
                acc = acc + softmax_term(a, b);
            bl_ref_tree64_push(&tree, acc);
        }
        *a->sum = bl_ref_tree64_sum(&tree);
    }
    if (a->dy == NULL) return;
    const bl_range range = bl_part_range(part, a->batch, 1);
    for (size_t b = range.begin; b < range.end; b++) softmax_gradient(a, b);
}
