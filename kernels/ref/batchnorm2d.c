/* Batch normalisation of pictures, over chunks of the batch, as specification: the formulas of
 * batchnorm.c for each chunk by itself, with N = examples of the chunk * positions. One chunk is
 * plain batch norm. Shapes: x, y, dy (batch, positions, n); mean, rstd (chunks, n); gamma, beta and
 * their gradients (n). What all chunks share (sums for running statistics, gradients) is added over
 * the chunks by rule B's tree, a chunk a block. */
#include "kernels/ref/ref.h"
#include <math.h>

/* A chunk's column: channel j of the examples [begin, end). */
typedef struct column {
    const float *x, *dy;
    size_t begin, end, positions, n, j;
} column;

/* One example's chain over its positions, from +0. */
typedef float example_chain(const column *c, size_t b, float mean, float rstd);

/* The four sums over one example: of x; of (x - mean)^2; of dy; of dy xhat. */
static BL_HD float sum_x(const column *c, size_t b, float mean, float rstd) {
    (void)mean, (void)rstd;
    float acc = 0;
    for (size_t p = 0; p < c->positions; p++)
        acc = acc + c->x[(b * c->positions + p) * c->n + c->j];
    return acc;
}

static BL_HD float sum_squares(const column *c, size_t b, float mean, float rstd) {
    (void)rstd;
    float acc = 0;
    for (size_t p = 0; p < c->positions; p++) {
        const float d = c->x[(b * c->positions + p) * c->n + c->j] - mean;
        acc = fmaf(d, d, acc);
    }
    return acc;
}

static BL_HD float sum_dy(const column *c, size_t b, float mean, float rstd) {
    (void)mean, (void)rstd;
    float acc = 0;
    for (size_t p = 0; p < c->positions; p++)
        acc = acc + c->dy[(b * c->positions + p) * c->n + c->j];
    return acc;
}

static BL_HD float sum_dy_xhat(const column *c, size_t b, float mean, float rstd) {
    float acc = 0;
    for (size_t p = 0; p < c->positions; p++) {
        const size_t i = (b * c->positions + p) * c->n + c->j;
        const float xhat = (c->x[i] - mean) * rstd;
        acc = fmaf(c->dy[i], xhat, acc);
    }
    return acc;
}

/* A chain over the examples of each block, then the tree. */
static BL_HD float rule_b(const column *c, example_chain *chain, float mean, float rstd) {
    bl_ref_tree tree = {.blocks = 0};
    for (size_t begin = c->begin; begin < c->end; begin += BL_BLOCK) {
        float acc = 0;
        for (size_t b = begin; b < bl_ref_block_end(begin, c->end); b++)
            acc = acc + chain(c, b, mean, rstd);
        bl_ref_tree_push(&tree, acc);
    }
    return bl_ref_tree_sum(&tree);
}

/* Terms of a chunk's sums. */
static BL_HD float count_of(const column *c) {
    return (float)((c->end - c->begin) * c->positions);
}

/* Statistics and y of one chunk and channel; its share of the running statistics is pushed. */
static BL_HD void chunk_forward(const bl_batchnorm2d_forward *a, const column *c, size_t chunk,
                                bl_ref_tree *means, bl_ref_tree *vars) {
    const size_t j = c->j;
    const float count = count_of(c);
    const float mean = rule_b(c, sum_x, 0, 0) / count;
    const float var = rule_b(c, sum_squares, mean, 0) / count;
    const float rstd = 1.0f / sqrtf(var + a->eps);
    a->mean[chunk * a->n + j] = mean;
    a->rstd[chunk * a->n + j] = rstd;
    for (size_t i = c->begin * a->positions; i < c->end * a->positions; i++) {
        const float xhat = (a->x[i * a->n + j] - mean) * rstd;
        float y = fmaf(xhat, a->gamma[j], a->beta[j]);
        a->y[i * a->n + j] = bl_epilogue_apply(&a->epilogue, i * a->n + j, y);
    }
    bl_ref_tree_push(means, mean);
    bl_ref_tree_push(vars, count > 1.0f ? var * (count / (count - 1.0f)) : var);
}

/* A part has whole channels. */
BL_REF void bl_batchnorm2d_forward_ref(const bl_batchnorm2d_forward *a, const bl_part *part) {
    if (a->batch == 0) return;
    const bl_range columns = bl_part_range(part, a->n, 1);
    for (size_t j = columns.begin; j < columns.end; j++) {
        bl_ref_tree means = {.blocks = 0}, vars = {.blocks = 0};
        for (size_t c = 0; c < a->chunks; c++) {
            const column here = {.x = a->x,
                                 .begin = bl_chunk_begin(a->batch, a->chunks, c),
                                 .end = bl_chunk_begin(a->batch, a->chunks, c + 1),
                                 .positions = a->positions,
                                 .n = a->n,
                                 .j = j};
            chunk_forward(a, &here, c, &means, &vars);
        }
        a->sum_mean[j] = bl_ref_tree_sum(&means);
        a->sum_var[j] = bl_ref_tree_sum(&vars);
    }
}

/* dx of one chunk and channel; its share of dbeta and dgamma is pushed. */
static BL_HD void chunk_backward(const bl_batchnorm2d_backward *a, const column *c, size_t chunk,
                                 bl_ref_tree *betas, bl_ref_tree *gammas) {
    const size_t j = c->j;
    const float count = count_of(c);
    const float mean = a->mean[chunk * a->n + j], rstd = a->rstd[chunk * a->n + j];
    const float s = rule_b(c, sum_dy, mean, rstd), t = rule_b(c, sum_dy_xhat, mean, rstd);
    const float scale = a->gamma[j] * rstd, mean_dy = s / count, mean_dg = t / count;
    for (size_t i = c->begin * a->positions; i < c->end * a->positions; i++) {
        const float xhat = (a->x[i * a->n + j] - mean) * rstd;
        a->dx[i * a->n + j] = scale * ((a->dy[i * a->n + j] - mean_dy) - xhat * mean_dg);
    }
    bl_ref_tree_push(betas, s);
    bl_ref_tree_push(gammas, t);
}

/* A batch of 0 has no chunk: both gradients are +0. */
BL_REF void bl_batchnorm2d_backward_ref(const bl_batchnorm2d_backward *a, const bl_part *part) {
    const bl_range columns = bl_part_range(part, a->n, 1);
    for (size_t j = columns.begin; j < columns.end; j++) {
        bl_ref_tree betas = {.blocks = 0}, gammas = {.blocks = 0};
        for (size_t c = 0; a->batch > 0 && c < a->chunks; c++) {
            const column here = {.x = a->x,
                                 .dy = a->dy,
                                 .begin = bl_chunk_begin(a->batch, a->chunks, c),
                                 .end = bl_chunk_begin(a->batch, a->chunks, c + 1),
                                 .positions = a->positions,
                                 .n = a->n,
                                 .j = j};
            chunk_backward(a, &here, c, &betas, &gammas);
        }
        a->dbeta[j] = bl_ref_tree_sum(&betas);
        a->dgamma[j] = bl_ref_tree_sum(&gammas);
    }
}
