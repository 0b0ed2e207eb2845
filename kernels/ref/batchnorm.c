/* Batch normalisation of features, as specification. Shapes: x, y, dy (batch, n); everything of a
 * channel (n). With N = batch:
 *
 *     mean[j] = 1/N sum x[b][j]              rstd[j] = 1 / sqrt(var[j] + eps)
 *     var[j]  = 1/N sum (x[b][j] - mean[j])^2
 *     y[b][j] = gamma[j] xhat[b][j] + beta[j],  xhat = (x - mean) rstd
 *
 * and backward, by the chain rule through mean and var (Ioffe, Szegedy 2015, section 3):
 *
 *   dbeta = sum dy,  dgamma = sum dy xhat
 *   dx = gamma rstd (dy - dbeta / N - xhat dgamma / N) */
#include "kernels/ref/dropout_ref.h"
#include <math.h>

/* The mean of channel j over the batch, by rule B. */
static BL_HD float column_mean(const bl_batchnorm_forward *a, size_t j) {
    bl_ref_tree tree = {.blocks = 0};
    for (size_t begin = 0; begin < a->batch; begin += BL_BLOCK) {
        float acc = 0;
        for (size_t b = begin; b < bl_ref_block_end(begin, a->batch); b++)
            acc = acc + a->x[b * a->n + j];
        bl_ref_tree_push(&tree, acc);
    }
    return bl_ref_tree_sum(&tree) / (float)a->batch;
}

/* Its variance about `mean`, divided by the batch size. The deviations are taken first, so that a
 * large mean costs no digits. */
static BL_HD float column_variance(const bl_batchnorm_forward *a, size_t j, float mean) {
    bl_ref_tree tree = {.blocks = 0};
    for (size_t begin = 0; begin < a->batch; begin += BL_BLOCK) {
        float acc = 0;
        for (size_t b = begin; b < bl_ref_block_end(begin, a->batch); b++) {
            const float d = a->x[b * a->n + j] - mean;
            acc = fmaf(d, d, acc);
        }
        bl_ref_tree_push(&tree, acc);
    }
    return bl_ref_tree_sum(&tree) / (float)a->batch;
}

/* Statistics and y, channel by channel, then the dropout row by row: a part has whole units of a
 * mask, so that it writes whole bytes. */
BL_REF void bl_batchnorm_forward_ref(const bl_batchnorm_forward *a, const bl_part *part) {
    if (a->batch == 0) return;
    const bl_range columns = bl_part_range(part, a->n, BL_DROPOUT_MASK_UNIT);
    for (size_t j = columns.begin; j < columns.end; j++) {
        const float mean = column_mean(a, j);
        const float var = column_variance(a, j, mean);
        const float rstd = 1.0f / sqrtf(var + a->eps);
        a->mean[j] = mean;
        a->rstd[j] = rstd;
        for (size_t b = 0; b < a->batch; b++) {
            const float xhat = (a->x[b * a->n + j] - mean) * rstd;
            a->y[b * a->n + j] = fmaf(xhat, a->gamma[j], a->beta[j]);
        }
        const float unbiased = a->batch > 1 ? var * ((float)a->batch / (float)(a->batch - 1)) : var;
        a->sum_mean[j] = mean;
        a->sum_var[j] = unbiased;
    }
    if (a->dropout.mask == NULL) return;
    for (size_t b = 0; b < a->batch; b++) bl_ref_drop(&a->dropout, b, columns);
}

/* running[i] += momentum (sum[i] / chunks - running[i]), rounded once by the fma. */
BL_REF void bl_running_average_ref(const bl_running_average *a, const bl_part *part) {
    const bl_range range = bl_part_range(part, a->count, 1);
    for (size_t i = range.begin; i < range.end; i++)
        a->running[i] =
            fmaf(a->momentum, a->sum[i] / (float)a->chunks - a->running[i], a->running[i]);
}

/* The same normalisation by running statistics, in which no example depends on another. */
BL_REF void bl_batchnorm_inference_ref(const bl_batchnorm_inference *a, const bl_part *part) {
    const bl_range rows = bl_part_range(part, a->batch, 1);
    for (size_t b = rows.begin; b < rows.end; b++)
        for (size_t j = 0; j < a->n; j++) {
            const float rstd = 1.0f / sqrtf(a->running_var[j] + a->eps);
            const float xhat = (a->x[b * a->n + j] - a->running_mean[j]) * rstd;
            float y = fmaf(xhat, a->gamma[j], a->beta[j]);
            a->y[b * a->n + j] = bl_epilogue_apply(&a->epilogue, b * a->n + j, y);
        }
}

/* The gradient by y, through the dropout that followed, if one did. */
static BL_HD float dy_of(const bl_batchnorm_backward *a, size_t b, size_t j) {
    const float dy = a->dy[b * a->n + j];
    return a->mask != NULL ? bl_ref_kept(a->mask, a->mask_scale, dy, a->n, b, j) : dy;
}

/* Sums first, dx second; dx may lie where dy does. */
BL_REF void bl_batchnorm_backward_ref(const bl_batchnorm_backward *a, const bl_part *part) {
    const bl_range columns = bl_part_range(part, a->n, 1);
    for (size_t j = columns.begin; j < columns.end; j++) {
        const float mean = a->mean[j], rstd = a->rstd[j];
        bl_ref_tree beta = {.blocks = 0}, gamma = {.blocks = 0};
        for (size_t begin = 0; begin < a->batch; begin += BL_BLOCK) {
            float acc_beta = 0, acc_gamma = 0;
            for (size_t b = begin; b < bl_ref_block_end(begin, a->batch); b++) {
                const float dy = dy_of(a, b, j);
                const float xhat = (a->x[b * a->n + j] - mean) * rstd;
                acc_beta = acc_beta + dy;
                acc_gamma = fmaf(dy, xhat, acc_gamma);
            }
            bl_ref_tree_push(&beta, acc_beta);
            bl_ref_tree_push(&gamma, acc_gamma);
        }
        const float dbeta = bl_ref_tree_sum(&beta), dgamma = bl_ref_tree_sum(&gamma);
        a->dbeta[j] = dbeta;
        a->dgamma[j] = dgamma;
        const float scale = a->gamma[j] * rstd;
        const float mean_dy = dbeta / (float)a->batch, mean_dg = dgamma / (float)a->batch;
        for (size_t b = 0; b < a->batch; b++) {
            const size_t at = b * a->n + j;
            const float xhat = (a->x[at] - mean) * rstd;
            float dx = scale * ((dy_of(a, b, j) - mean_dy) - xhat * mean_dg);
            dx = bl_epilogue_apply(&a->epilogue, at, dx);
            a->dx[at] = dx;
        }
    }
}
