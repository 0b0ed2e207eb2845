/* Group norm, as specification: batchnorm.c's formulas for each example and group of channels by
 * itself, N = positions * channels of the group. Shapes: x, y, dy (batch, positions, n); mean and
 * rstd (batch, groups); gamma, beta and their gradients (n). With S_j and T_j the sums of dy and
 * dy xhat over the positions of channel j, and the sums below over the channels of the group:
 *
 *   dx = rstd (dy gamma - sum(gamma S) / N - xhat sum(gamma T) / N)
 *   dbeta_j = sum over examples of S_j,  dgamma_j = sum over examples of T_j */
#include "kernels/ref/ref.h"
#include <math.h>

/* One example's features: positions * n of them, channels side by side. */
typedef struct example {
    const float *x, *dy;
    size_t positions, n;
} example;

/* Rule F over the channels of a group of each one's chain over its positions. */
typedef float channel_chain(const example *e, size_t j, float mean);

/* The two chains over the positions of channel j: of x, and of (x - mean)^2. */
static BL_HD float channel_sum(const example *e, size_t j, float mean) {
    float acc = 0;
    (void)mean;
    for (size_t p = 0; p < e->positions; p++) acc = acc + e->x[p * e->n + j];
    return acc;
}

static BL_HD float channel_squares(const example *e, size_t j, float mean) {
    float acc = 0;
    for (size_t p = 0; p < e->positions; p++) {
        const float d = e->x[p * e->n + j] - mean;
        acc = fmaf(d, d, acc);
    }
    return acc;
}

/* Rule F over `size` channels from `first` on. */
static BL_HD float group_sum(const example *e, size_t first, size_t size, channel_chain *chain,
                             float mean) {
    float sum = 0;
    for (size_t begin = 0; begin < size; begin += BL_BLOCK) {
        float acc = 0;
        for (size_t k = begin; k < bl_ref_block_end(begin, size); k++)
            acc = acc + chain(e, first + k, mean);
        sum = sum + acc;
    }
    return sum;
}

/* Group g of example b. */
static BL_HD void group_forward(const bl_groupnorm_forward *a, size_t b, size_t g) {
    const size_t size = a->n / a->groups, first = g * size, each = a->positions * a->n;
    const float count = (float)(a->positions * size);
    const example e = {.x = a->x + b * each, .positions = a->positions, .n = a->n};
    const float mean = group_sum(&e, first, size, channel_sum, 0) / count;
    const float var = group_sum(&e, first, size, channel_squares, mean) / count;
    const float rstd = 1.0f / sqrtf(var + a->eps);
    a->mean[b * a->groups + g] = mean;
    a->rstd[b * a->groups + g] = rstd;
    for (size_t p = 0; p < a->positions; p++)
        for (size_t j = first; j < first + size; j++) {
            const size_t i = b * each + p * a->n + j;
            a->y[i] = fmaf((a->x[i] - mean) * rstd, a->gamma[j], a->beta[j]);
        }
}

/* A part has whole groups of examples. */
BL_REF void bl_groupnorm_forward_ref(const bl_groupnorm_forward *a, const bl_part *part) {
    const bl_range groups = bl_part_range(part, a->n > 0 ? a->batch * a->groups : 0, 1);
    for (size_t i = groups.begin; i < groups.end; i++)
        group_forward(a, i / a->groups, i % a->groups);
}

/* One channel of one example: the chains of dy and of dy * xhat over the positions. */
static BL_HD void gradient_sums(const example *e, size_t j, float mean, float rstd, float *s,
                                float *t) {
    float acc_s = 0, acc_t = 0;
    for (size_t p = 0; p < e->positions; p++) {
        const size_t i = p * e->n + j;
        const float xhat = (e->x[i] - mean) * rstd;
        acc_s = acc_s + e->dy[i];
        acc_t = fmaf(e->dy[i], xhat, acc_t);
    }
    *s = acc_s;
    *t = acc_t;
}

/* dx of group g of example b. */
static BL_HD void group_backward(const bl_groupnorm_backward_input *a, size_t b, size_t g) {
    const size_t size = a->n / a->groups, first = g * size, each = a->positions * a->n;
    const float count = (float)(a->positions * size);
    const float mean = a->mean[b * a->groups + g], rstd = a->rstd[b * a->groups + g];
    const example e = {a->x + b * each, a->dy + b * each, a->positions, a->n};
    float sum_s = 0, sum_t = 0;
    for (size_t begin = 0; begin < size; begin += BL_BLOCK) {
        float acc_s = 0, acc_t = 0;
        for (size_t k = begin; k < bl_ref_block_end(begin, size); k++) {
            float s, t;
            gradient_sums(&e, first + k, mean, rstd, &s, &t);
            acc_s = fmaf(a->gamma[first + k], s, acc_s);
            acc_t = fmaf(a->gamma[first + k], t, acc_t);
        }
        sum_s = sum_s + acc_s;
        sum_t = sum_t + acc_t;
    }
    const float mean_s = sum_s / count, mean_t = sum_t / count;
    for (size_t p = 0; p < a->positions; p++)
        for (size_t j = first; j < first + size; j++) {
            const size_t i = p * a->n + j;
            const float xhat = (e.x[i] - mean) * rstd;
            a->dx[b * each + i] = rstd * ((e.dy[i] * a->gamma[j] - mean_s) - xhat * mean_t);
        }
}

/* A part has whole groups of examples, ... */
BL_REF void bl_groupnorm_backward_input_ref(const bl_groupnorm_backward_input *a,
                                            const bl_part *part) {
    const bl_range groups = bl_part_range(part, a->n > 0 ? a->batch * a->groups : 0, 1);
    for (size_t i = groups.begin; i < groups.end; i++)
        group_backward(a, i / a->groups, i % a->groups);
}

/* ... and of these sums over examples whole channels. */
BL_REF void bl_groupnorm_backward_weight_ref(const bl_groupnorm_backward_weight *a,
                                             const bl_part *part) {
    const bl_range columns = bl_part_range(part, a->n, 1);
    const size_t each = a->positions * a->n;
    for (size_t j = columns.begin; j < columns.end; j++) {
        const size_t g = j / (a->n / a->groups);
        bl_ref_tree betas = {.blocks = 0}, gammas = {.blocks = 0};
        for (size_t begin = 0; begin < a->batch; begin += BL_BLOCK) {
            float acc_s = 0, acc_t = 0;
            for (size_t b = begin; b < bl_ref_block_end(begin, a->batch); b++) {
                const example e = {a->x + b * each, a->dy + b * each, a->positions, a->n};
                float s, t;
                gradient_sums(&e, j, a->mean[b * a->groups + g], a->rstd[b * a->groups + g], &s,
                              &t);
                acc_s = acc_s + s;
                acc_t = acc_t + t;
            }
            bl_ref_tree_push(&betas, acc_s);
            bl_ref_tree_push(&gammas, acc_t);
        }
        a->dbeta[j] = bl_ref_tree_sum(&betas);
        a->dgamma[j] = bl_ref_tree_sum(&gammas);
    }
}
