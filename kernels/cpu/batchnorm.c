/* Batch normalisation of features (formulas: kernels/ref/batchnorm.c). Vectors run over the
 * columns, so that every column keeps its chain over the examples, and all columns of a strip
 * are summed in one pass over the rows.
 *
 *     forward     1. mean    sums of x down the columns, / batch
 *                 2. rstd    sums of (x - mean)^2, in the array rstd until they are turned
 *                 3. y       row by row; a dropout follows while the row is in the first cache
 *     inference   one pass, with 1 / sqrt(var + eps) of a strip in scratch
 *     backward    1. dbeta, dgamma   both sums in one pass
 *                 2. dx              row by row, with the three factors of a column in scratch
 *
 * A part has whole columns, as the sums run down them; inference, where no example depends on
 * another, has whole rows. */
#include "kernels/cpu/colsum.h"
#include "kernels/cpu/dropout.h"
#include "kernels/cpu/epilogue_vectors.h"

/* The terms of the two sums, for bl_colsum_run: x, then the square of x - mean. */
BL_INLINE bl_v2 add_x(const void *ctx, bl_v2 acc, size_t b, size_t j, bl_lanes m) {
    const bl_batchnorm_forward *a = ctx;
    acc.s = acc.s + bl_v_get(a->x + b * a->n + j, m);
    return acc;
}

BL_INLINE bl_v2 add_square(const void *ctx, bl_v2 acc, size_t b, size_t j, bl_lanes m) {
    const bl_batchnorm_forward *a = ctx;
    const bl_v d = bl_v_get(a->x + b * a->n + j, m) - bl_v_get(a->mean + j, m);
    acc.s = bl_v_fma(d, d, acc.s);
    return acc;
}

/* A matrix that is in the caches is walked ROWS rows at a time, so that what belongs to columns is
 * read once for all; a larger one row by row, as memory gives one stream twice as fast as four. */
enum { ROWS = 4, CACHED_FLOATS = 1 << 19 };

static size_t rows_at_once(size_t left, size_t batch, size_t n) {
    return left >= ROWS && batch * n <= CACHED_FLOATS ? ROWS : 1;
}

/* Rows of forward and inference, n floats apart: y = fmaf((x - mean) * rstd, gamma, beta), then
 * the epilogue. */
typedef struct normalise {
    float *y;
    const float *x, *mean, *rstd, *gamma, *beta;
    bl_epilogue epilogue;
    size_t n;
} normalise;

/* `rows` is a constant after inlining: 1 or ROWS. */
BL_INLINE void normalise_rows(const normalise *a, int rows, size_t j, bl_lanes m) {
    const bl_v mean = bl_v_get(a->mean + j, m), rstd = bl_v_get(a->rstd + j, m);
    const bl_v gamma = bl_v_get(a->gamma + j, m), beta = bl_v_get(a->beta + j, m);
    for (int r = 0; r < rows; r++) {
        const size_t at = (size_t)r * a->n + j;
        const bl_v y = bl_v_fma((bl_v_get(a->x + at, m) - mean) * rstd, gamma, beta);
        bl_v_put(a->y + at, bl_epilogue_vector(&a->epilogue, y, at, m), m);
    }
}
BL_INLINE void normalise_one(const void *ctx, size_t j, bl_lanes m) {
    normalise_rows(ctx, 1, j, m);
}
BL_INLINE void normalise_all(const void *ctx, size_t j, bl_lanes m) {
    normalise_rows(ctx, ROWS, j, m);
}

static void normalise_range(bl_range columns, size_t rows, const normalise *a) {
    if (rows == ROWS)
        bl_for_vectors(columns, normalise_all, a);
    else
        bl_for_vectors(columns, normalise_one, a);
}

BL_INLINE bl_v rstd_of(bl_v var, float eps) {
    return bl_v_set1(1.0f) / bl_v_sqrt(var + bl_v_set1(eps));
}

/* The columns' numbers, of which rstd holds sums of squares. */
BL_INLINE void finish_statistics(const void *ctx, size_t j, bl_lanes m) {
    const bl_batchnorm_forward *a = ctx;
    const bl_v unbias = bl_v_set1(a->batch > 1 ? (float)a->batch / (float)(a->batch - 1) : 1.0f);
    const bl_v var = bl_v_get(a->rstd + j, m) / bl_v_set1((float)a->batch);
    bl_v_put(a->rstd + j, rstd_of(var, a->eps), m);
    bl_v_put(a->sum_mean + j, bl_v_get(a->mean + j, m), m);
    bl_v_put(a->sum_var + j, var * unbias, m);
}

BL_INLINE void divide_mean(const void *ctx, size_t j, bl_lanes m) {
    const bl_batchnorm_forward *a = ctx;
    bl_v_put(a->mean + j, bl_v_get(a->mean + j, m) / bl_v_set1((float)a->batch), m);
}

void BL_CPU(batchnorm_forward)(const bl_batchnorm_forward *a, const bl_part *part) {
    if (a->batch == 0) return;
    const bl_range columns = bl_part_range(part, a->n, BL_DROPOUT_MASK_UNIT);
    bl_drop_keys keys;
    if (a->dropout.mask != NULL) bl_drop_keys_of(&keys, a->dropout.seed);
    bl_colsum_run(a->mean, NULL, a->batch, columns, part->scratch, add_x, a);
    bl_for_vectors(columns, divide_mean, a);
    /* rstd holds the sums of squares for a moment */
    bl_colsum_run(a->rstd, NULL, a->batch, columns, part->scratch, add_square, a);
    bl_for_vectors(columns, finish_statistics, a);
    for (size_t b = 0, rows; b < a->batch; b += rows) {
        rows = rows_at_once(a->batch - b, a->batch, a->n);
        const normalise all = {.y = a->y + b * a->n,
                               .x = a->x + b * a->n,
                               .mean = a->mean,
                               .rstd = a->rstd,
                               .gamma = a->gamma,
                               .beta = a->beta,
                               .n = a->n};
        normalise_range(columns, rows, &all);
        for (size_t r = 0; r < rows && a->dropout.mask != NULL; r++) /* in the first cache */
            bl_drop_row(&a->dropout, &keys, b + r, columns);
    }
}

typedef struct average {
    const bl_running_average *a;
    bl_v chunks, momentum;
} average;

BL_INLINE void average_step(const void *ctx, size_t i, bl_lanes m) {
    const average *r = ctx;
    const bl_v running = bl_v_get(r->a->running + i, m);
    const bl_v away = bl_v_get(r->a->sum + i, m) / r->chunks - running;
    bl_v_put(r->a->running + i, bl_v_fma(r->momentum, away, running), m);
}

void BL_CPU(running_average)(const bl_running_average *a, const bl_part *part) {
    const average r = {a, bl_v_set1((float)a->chunks), bl_v_set1(a->momentum)};
    bl_for_vectors(bl_part_range(part, a->count, BL_W), average_step, &r);
}

typedef struct deviation {
    float *rstd;
    const float *var;
    float eps;
} deviation;

BL_INLINE void invert_deviation(const void *ctx, size_t j, bl_lanes m) {
    const deviation *a = ctx;
    bl_v_put(a->rstd + j, rstd_of(bl_v_get(a->var + j, m), a->eps), m);
}

/* Strip by strip, so that a strip's factors stay in the first cache while all rows pass. */
void BL_CPU(batchnorm_inference)(const bl_batchnorm_inference *a, const bl_part *part) {
    const bl_range range = bl_part_range(part, a->batch, 1);
    float *rstd = part->scratch;
    for (size_t j = 0; j < a->n; j += BL_STRIP) {
        const bl_range strip = {0, bl_size_min(a->n - j, BL_STRIP)};
        const deviation of = {rstd, a->running_var + j, a->eps};
        bl_for_vectors(strip, invert_deviation, &of);
        for (size_t b = range.begin, rows; b < range.end; b += rows) {
            rows = rows_at_once(range.end - b, a->batch, a->n);
            const size_t at = b * a->n + j;
            const normalise all = {.y = a->y + at,
                                   .x = a->x + at,
                                   .mean = a->running_mean + j,
                                   .rstd = rstd,
                                   .gamma = a->gamma + j,
                                   .beta = a->beta + j,
                                   .epilogue = bl_epilogue_at(&a->epilogue, at),
                                   .n = a->n};
            normalise_range(strip, rows, &all);
        }
    }
}

BL_INLINE bl_v xhat_of(const bl_batchnorm_backward *a, size_t b, size_t j, bl_lanes m) {
    const bl_v d = bl_v_get(a->x + b * a->n + j, m) - bl_v_get(a->mean + j, m);
    return d * bl_v_get(a->rstd + j, m);
}

/* dy, or what a dropout leaves of it. */
BL_INLINE bl_v dy_of(const bl_batchnorm_backward *a, size_t b, size_t j, bl_lanes m) {
    const bl_v dy = bl_v_get(a->dy + b * a->n + j, m);
    return a->mask != NULL
               ? bl_kept(a->mask + b * bl_dropout_mask_bytes(a->n) + j / 4, a->mask_scale, dy)
               : dy;
}

/* The terms of dbeta (s) and dgamma (t). */
BL_INLINE bl_v2 add_gradients(const void *ctx, bl_v2 acc, size_t b, size_t j, bl_lanes m) {
    const bl_batchnorm_backward *a = ctx;
    const bl_v dy = dy_of(a, b, j, m);
    acc.s = acc.s + dy;
    acc.t = bl_v_fma(dy, xhat_of(a, b, j, m), acc.t);
    return acc;
}

/* A strip of columns of some rows of dx, n floats and mask_row bytes apart. */
typedef struct dx_rows {
    float *dx;
    const float *dy, *x, *mean, *rstd, *scale, *mean_dy, *mean_dg;
    bl_epilogue epilogue;
    const unsigned char *mask;
    float mask_scale;
    size_t n, mask_row;
} dx_rows;

BL_INLINE void dx_step(const dx_rows *a, int rows, size_t j, bl_lanes m) {
    const bl_v mean = bl_v_get(a->mean + j, m), rstd = bl_v_get(a->rstd + j, m);
    const bl_v mean_dy = bl_v_get(a->mean_dy + j, m), mean_dg = bl_v_get(a->mean_dg + j, m);
    const bl_v scale = bl_v_get(a->scale + j, m);
    for (int r = 0; r < rows; r++) {
        const size_t row = (size_t)r, at = row * a->n + j;
        bl_v dy = bl_v_get(a->dy + at, m);
        if (a->mask != NULL) dy = bl_kept(a->mask + row * a->mask_row + j / 4, a->mask_scale, dy);
        const bl_v xhat = (bl_v_get(a->x + at, m) - mean) * rstd;
        bl_v dx = scale * ((dy - mean_dy) - xhat * mean_dg);
        dx = bl_epilogue_vector(&a->epilogue, dx, at, m);
        bl_v_put(a->dx + at, dx, m);
    }
}
BL_INLINE void dx_one(const void *ctx, size_t j, bl_lanes m) {
    dx_step(ctx, 1, j, m);
}
BL_INLINE void dx_all(const void *ctx, size_t j, bl_lanes m) {
    dx_step(ctx, ROWS, j, m);
}

/* What dx_rows calls scale, mean_dy and mean_dg. */
typedef struct coefficients {
    float *scale, *mean_dy, *mean_dg;
    const float *gamma, *rstd, *dbeta, *dgamma;
    bl_v batch;
} coefficients;

BL_INLINE void coefficients_step(const void *ctx, size_t j, bl_lanes m) {
    const coefficients *a = ctx;
    bl_v_put(a->scale + j, bl_v_get(a->gamma + j, m) * bl_v_get(a->rstd + j, m), m);
    bl_v_put(a->mean_dy + j, bl_v_get(a->dbeta + j, m) / a->batch, m);
    bl_v_put(a->mean_dg + j, bl_v_get(a->dgamma + j, m) / a->batch, m);
}

/* dx of `count` columns from j on. The three factors of a column are computed once, into scratch,
 * for all examples. */
static void dx_strip(const bl_batchnorm_backward *a, size_t j, size_t count, float *scratch) {
    const bl_range strip = {0, count};
    const coefficients of = {.scale = scratch,
                             .mean_dy = scratch + BL_STRIP,
                             .mean_dg = scratch + (size_t)2 * BL_STRIP,
                             .gamma = a->gamma + j,
                             .rstd = a->rstd + j,
                             .dbeta = a->dbeta + j,
                             .dgamma = a->dgamma + j,
                             .batch = bl_v_set1((float)a->batch)};
    bl_for_vectors(strip, coefficients_step, &of);
    for (size_t b = 0, rows; b < a->batch; b += rows) {
        rows = rows_at_once(a->batch - b, a->batch, a->n);
        const size_t at = b * a->n + j, mask_row = bl_dropout_mask_bytes(a->n);
        const dx_rows all = {
            .dx = a->dx + at,
            .dy = a->dy + at,
            .x = a->x + at,
            .mean = a->mean + j,
            .rstd = a->rstd + j,
            .scale = of.scale,
            .mean_dy = of.mean_dy,
            .mean_dg = of.mean_dg,
            .epilogue = bl_epilogue_at(&a->epilogue, at),
            .mask = a->mask != NULL ? a->mask + b * mask_row + j / 4 : NULL,
            .mask_scale = a->mask_scale,
            .n = a->n,
            .mask_row = mask_row,
        };
        if (rows == ROWS)
            bl_for_vectors(strip, dx_all, &all);
        else
            bl_for_vectors(strip, dx_one, &all);
    }
}

void BL_CPU(batchnorm_backward)(const bl_batchnorm_backward *args, const bl_part *part) {
    const bl_batchnorm_backward a = *args; /* no store can change it, so it stays in registers */
    const bl_range columns = bl_part_range(part, a.n, BL_W);
    bl_colsum_run(a.dbeta, a.dgamma, a.batch, columns, part->scratch, add_gradients, &a);
    for (size_t j = columns.begin; j < columns.end; j += BL_STRIP)
        dx_strip(&a, j, bl_size_min(columns.end - j, BL_STRIP), part->scratch);
}
