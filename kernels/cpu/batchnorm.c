#include "kernels/cpu/column.h"
#include "kernels/cpu/dropout.h"

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

/* One row of forward and inference: y = fmaf((x - mean) * rstd, gamma, beta). */
typedef struct normalise {
    float *y;
    const float *x, *mean, *rstd, *gamma, *beta;
} normalise;

BL_INLINE void normalise_step(const void *ctx, size_t j, bl_lanes m) {
    const normalise *r = ctx;
    const bl_v xhat = (bl_v_get(r->x + j, m) - bl_v_get(r->mean + j, m)) * bl_v_get(r->rstd + j, m);
    bl_v_put(r->y + j, bl_v_fma(xhat, bl_v_get(r->gamma + j, m), bl_v_get(r->beta + j, m)), m);
}

void BL_CPU(batchnorm_forward)(const bl_batchnorm_forward *a, const bl_part *part) {
    if (a->batch == 0) return;
    const bl_range columns = bl_part_range(part, a->n, BL_KEEP_UNIT);
    bl_drop_keys keys;
    if (a->dropout.keep) bl_drop_keys_of(&keys, a->dropout.seed);
    bl_column_sums(a->mean, NULL, a->batch, columns, part->scratch, add_x, a);
    for (size_t j = columns.begin; j < columns.end; j++) a->mean[j] = a->mean[j] / (float)a->batch;
    /* rstd holds the sums of squares for a moment */
    bl_column_sums(a->rstd, NULL, a->batch, columns, part->scratch, add_square, a);
    const float unbias = a->batch > 1 ? (float)a->batch / (float)(a->batch - 1) : 1.0f;
    for (size_t j = columns.begin; j < columns.end; j++) {
        const float mean = a->mean[j], var = a->rstd[j] / (float)a->batch;
        a->rstd[j] = 1.0f / sqrtf(var + a->eps);
        a->sum_mean[j] = mean;
        a->sum_var[j] = var * unbias;
    }
    for (size_t b = 0; b < a->batch; b++) {
        const normalise row = {a->y + b * a->n, a->x + b * a->n, a->mean,
                               a->rstd,         a->gamma,        a->beta};
        bl_for_vectors(columns, normalise_step, &row);
        if (a->dropout.keep) bl_drop_row(&a->dropout, &keys, b, columns); /* in the first cache */
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

void BL_CPU(batchnorm_inference)(const bl_batchnorm_inference *a, const bl_part *part) {
    const bl_range rows = bl_part_range(part, a->batch, 1);
    float *rstd = part->scratch;
    for (size_t j = 0; j < a->n; j += BL_STRIP) {
        const bl_range strip = {0, bl_min_size(a->n - j, BL_STRIP)};
        for (size_t i = 0; i < strip.end; i++)
            rstd[i] = 1.0f / sqrtf(a->running_var[j + i] + a->eps);
        for (size_t b = rows.begin; b < rows.end; b++) {
            const size_t at = b * a->n + j;
            const normalise row = {a->y + at, a->x + at,    a->running_mean + j,
                                   rstd,      a->gamma + j, a->beta + j};
            bl_for_vectors(strip, normalise_step, &row);
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
    return a->keep ? bl_kept(a->keep + b * bl_keep_bytes(a->n) + j / 4, a->keep_scale, dy) : dy;
}

BL_INLINE bl_v2 add_gradients(const void *ctx, bl_v2 acc, size_t b, size_t j, bl_lanes m) {
    const bl_batchnorm_backward *a = ctx;
    const bl_v dy = dy_of(a, b, j, m);
    acc.s = acc.s + dy;
    acc.t = bl_v_fma(dy, xhat_of(a, b, j, m), acc.t);
    return acc;
}

/* A strip of columns of an example's dx. */
typedef struct dx_row {
    float *dx;
    const float *dy, *x, *mean, *rstd, *scale, *mean_dy, *mean_dg;
    const float *plus, *relu;
    const unsigned char *keep;
    float keep_scale;
} dx_row;

BL_INLINE void dx_step(const void *ctx, size_t j, bl_lanes m) {
    const dx_row *r = ctx;
    bl_v dy = bl_v_get(r->dy + j, m);
    if (r->keep) dy = bl_kept(r->keep + j / 4, r->keep_scale, dy);
    const bl_v xhat = (bl_v_get(r->x + j, m) - bl_v_get(r->mean + j, m)) * bl_v_get(r->rstd + j, m);
    const bl_v mean_dy = bl_v_get(r->mean_dy + j, m), mean_dg = bl_v_get(r->mean_dg + j, m);
    bl_v dx = bl_v_get(r->scale + j, m) * ((dy - mean_dy) - xhat * mean_dg);
    if (r->plus) dx = dx + bl_v_get(r->plus + j, m);
    if (r->relu) dx = bl_v_if_positive(bl_v_get(r->relu + j, m), dx);
    bl_v_put(r->dx + j, dx, m);
}

static void dx_strip(const bl_batchnorm_backward *a, size_t j, size_t count, float *scratch) {
    float *const scale = scratch, *const mean_dy = scale + BL_STRIP;
    float *const mean_dg = mean_dy + BL_STRIP;
    for (size_t i = 0; i < count; i++) {
        scale[i] = a->gamma[j + i] * a->rstd[j + i];
        mean_dy[i] = a->dbeta[j + i] / (float)a->batch;
        mean_dg[i] = a->dgamma[j + i] / (float)a->batch;
    }
    for (size_t b = 0; b < a->batch; b++) {
        const size_t at = b * a->n + j;
        const dx_row row = {
            .dx = a->dx + at,
            .dy = a->dy + at,
            .x = a->x + at,
            .mean = a->mean + j,
            .rstd = a->rstd + j,
            .scale = scale,
            .mean_dy = mean_dy,
            .mean_dg = mean_dg,
            .plus = a->plus ? a->plus + at : NULL,
            .relu = a->relu ? a->relu + at : NULL,
            .keep = a->keep ? a->keep + b * bl_keep_bytes(a->n) + j / 4 : NULL,
            .keep_scale = a->keep_scale,
        };
        bl_for_vectors((bl_range){0, count}, dx_step, &row);
    }
}

void BL_CPU(batchnorm_backward)(const bl_batchnorm_backward *args, const bl_part *part) {
    const bl_batchnorm_backward a = *args; /* no store can change it, so it stays in registers */
    const bl_range columns = bl_part_range(part, a.n, BL_W);
    bl_column_sums(a.dbeta, a.dgamma, a.batch, columns, part->scratch, add_gradients, &a);
    for (size_t j = columns.begin; j < columns.end; j += BL_STRIP)
        dx_strip(&a, j, bl_min_size(columns.end - j, BL_STRIP), part->scratch);
}
