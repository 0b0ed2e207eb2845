/* Batch normalisation of images over chunks of the batch: batchnorm.c's way, for each chunk by
 * itself.
 *
 *     for each strip of channels (BL_CHANNEL_STRIP)
 *         for each chunk
 *             sums over its examples and positions      rule B, from zero (channel_sums.h)
 *             y or dx of its positions
 *             its averages, or its sums, climb a tree    one chunk is one block of that tree
 *
 * Scratch of a part, in floats, with c channels in the strip:
 *
 *     0            the sums of channel_sums.h, with their levels; in backward then the factors
 *     SUM_FLOATS   (2, c) what the chunks add up so far
 *     + 2 c        (levels, 2, c) of the tree over chunks
 */
#include "kernels/cpu/channel_sums.h"
#include "kernels/cpu/epilogue_vectors.h"

/* Scratch beside the sums: two per channel of a strip, and their trees over the chunks. */
typedef struct averages {
    float *acc, *levels; /* (2, count); (levels, 2, count) */
    size_t count;
} averages;
enum { SUM_FLOATS = BL_CHANNEL_STRIP * 2 * 33 };
_Static_assert(SUM_FLOATS + BL_CHANNEL_STRIP * 2 * 65 <= BL_KERNEL_SCRATCH / 4,
               "both trees fit the scratch, for 2^64 chunks");

static averages averages_of(float *scratch, size_t count) {
    return (averages){scratch + SUM_FLOATS, scratch + SUM_FLOATS + 2 * count, count};
}

/* Goes down all positions: so many at once (*at) that what belongs to a channel is read once for
 * several of them, and so few that memory is still walked line after line. */
enum { FLOATS_AT_ONCE = 256 };
BL_INLINE void for_positions(bl_range *at, bl_range all, bl_range columns, bl_vector_step *step,
                             const void *ctx) {
    const size_t most =
        bl_size_max(FLOATS_AT_ONCE / bl_size_max(columns.end - columns.begin, 1), 1);
    for (at->begin = all.begin; at->begin < all.end; at->begin = at->end) {
        at->end = bl_size_min(at->begin + most, all.end);
        bl_for_vectors(columns, step, ctx);
    }
}

typedef struct forward_chunk {
    const bl_batchnorm2d_forward *a;
    const float *mean, *rstd; /* of the chunk */
    bl_range at;              /* positions */
} forward_chunk;

/* The terms of the sums, as channel_sums.h asks for them: i is the feature, b the example, j the
 * channel. */
BL_INLINE bl_channel_sum add_x(const void *ctx, bl_channel_sum acc, size_t i, size_t b, size_t j,
                               bl_lanes m) {
    const forward_chunk *c = ctx;
    (void)b, (void)j;
    acc.s = acc.s + bl_v_get(c->a->x + i, m);
    return acc;
}
BL_INLINE bl_channel_sum add_square(const void *ctx, bl_channel_sum acc, size_t i, size_t b,
                                    size_t j, bl_lanes m) {
    const forward_chunk *c = ctx;
    const bl_v d = bl_v_get(c->a->x + i, m) - bl_v_get(c->mean + j, m);
    (void)b;
    acc.s = bl_v_fma(d, d, acc.s);
    return acc;
}
/* All positions of c->at, for one vector of channels whose factors stay in registers. */
BL_INLINE void normalise(const void *ctx, size_t j, bl_lanes m) {
    const forward_chunk *c = ctx;
    const bl_v mean = bl_v_get(c->mean + j, m), rstd = bl_v_get(c->rstd + j, m);
    const bl_v gamma = bl_v_get(c->a->gamma + j, m), beta = bl_v_get(c->a->beta + j, m);
    const size_t n = c->a->n, end = c->at.end * n + j;
    const bl_epilogue epilogue = c->a->epilogue;
    const float *x = c->a->x;
    float *y = c->a->y;
    for (size_t i = c->at.begin * n + j; i < end; i += n) {
        const bl_v v = bl_v_fma((bl_v_get(x + i, m) - mean) * rstd, gamma, beta);
        bl_v_put(y + i, bl_epilogue_vector(&epilogue, v, i, m), m);
    }
}

/* One chunk of examples, normalised by its own statistics. The chunk's averages climb the tree of
 * `sums`, whose root moves the running statistics. */
static void forward_of(const bl_batchnorm2d_forward *a, size_t chunk, bl_range columns,
                       float *scratch, averages *sums) {
    const bl_range examples = {bl_chunk_begin(a->batch, a->chunks, chunk),
                               bl_chunk_begin(a->batch, a->chunks, chunk + 1)};
    const float count = (float)((examples.end - examples.begin) * a->positions);
    float *mean = a->mean + chunk * a->n, *rstd = a->rstd + chunk * a->n;
    forward_chunk c = {.a = a, .mean = mean, .rstd = rstd};
    bl_channel_sums(mean, NULL, examples, a->positions, a->n, columns, scratch, add_x, &c);
    for (size_t j = columns.begin; j < columns.end; j++) mean[j] = mean[j] / count;
    /* rstd holds the sums of squares for a moment */
    bl_channel_sums(rstd, NULL, examples, a->positions, a->n, columns, scratch, add_square, &c);
    for (size_t j = columns.begin; j < columns.end; j++) {
        const float var = rstd[j] / count;
        rstd[j] = 1.0f / sqrtf(var + a->eps);
        sums->acc[j - columns.begin] = mean[j];
        sums->acc[sums->count + j - columns.begin] =
            count > 1.0f ? var * (count / (count - 1.0f)) : var;
    }
    const bl_range all = {examples.begin * a->positions, examples.end * a->positions};
    for_positions(&c.at, all, columns, normalise, &c);
    bl_tree_climb(sums->acc, sums->levels, 2 * sums->count, chunk, chunk + 1 == a->chunks);
}

void BL_CPU(batchnorm2d_forward)(const bl_batchnorm2d_forward *a, const bl_part *part) {
    const bl_range all = bl_part_range(part, a->n, BL_W);
    if (a->batch == 0) return;
    for (size_t j0 = all.begin; j0 < all.end; j0 += BL_CHANNEL_STRIP) {
        const bl_range columns = {j0, bl_size_min(j0 + BL_CHANNEL_STRIP, all.end)};
        averages sums = averages_of(part->scratch, columns.end - j0);
        for (size_t c = 0; c < a->chunks; c++) forward_of(a, c, columns, part->scratch, &sums);
        memcpy(a->sum_mean + j0, sums.acc, sums.count * sizeof *sums.acc);
        memcpy(a->sum_var + j0, sums.acc + sums.count, sums.count * sizeof *sums.acc);
    }
}

typedef struct backward_chunk {
    const bl_batchnorm2d_backward *a;
    const float *mean, *rstd; /* of the chunk */
    bl_range at;
    bl_v count;
    /* what all positions share, of column j at j - first */
    float *scale, *mean_dy, *mean_dg;
    size_t first;
} backward_chunk;

BL_INLINE bl_v xhat_of(const backward_chunk *c, size_t i, size_t j, bl_lanes m) {
    const bl_v d = bl_v_get(c->a->x + i, m) - bl_v_get(c->mean + j, m);
    return d * bl_v_get(c->rstd + j, m);
}
BL_INLINE bl_channel_sum add_gradients(const void *ctx, bl_channel_sum acc, size_t i, size_t b,
                                       size_t j, bl_lanes m) {
    const backward_chunk *c = ctx;
    const bl_v dy = bl_v_get(c->a->dy + i, m);
    (void)b;
    acc.s = acc.s + dy;
    acc.t = bl_v_fma(dy, xhat_of(c, i, j, m), acc.t);
    return acc;
}
/* dbeta and dgamma hold the chunk's sums. */
BL_INLINE void share_step(const void *ctx, size_t j, bl_lanes m) {
    const backward_chunk *c = ctx;
    const bl_batchnorm2d_backward *a = c->a;
    const size_t i = j - c->first;
    bl_v_put(c->scale + i, bl_v_get(a->gamma + j, m) * bl_v_get(c->rstd + j, m), m);
    bl_v_put(c->mean_dy + i, bl_v_get(a->dbeta + j, m) / c->count, m);
    bl_v_put(c->mean_dg + i, bl_v_get(a->dgamma + j, m) / c->count, m);
}
BL_INLINE void dx_step(const void *ctx, size_t j, bl_lanes m) {
    const backward_chunk *c = ctx;
    const bl_v mean = bl_v_get(c->mean + j, m), rstd = bl_v_get(c->rstd + j, m);
    const bl_v mean_dy = bl_v_get(c->mean_dy + (j - c->first), m);
    const bl_v mean_dg = bl_v_get(c->mean_dg + (j - c->first), m);
    const bl_v scale = bl_v_get(c->scale + (j - c->first), m);
    const size_t n = c->a->n, end = c->at.end * n + j;
    const float *x = c->a->x, *dy = c->a->dy;
    float *dx = c->a->dx;
    for (size_t i = c->at.begin * n + j; i < end; i += n) {
        const bl_v xhat = (bl_v_get(x + i, m) - mean) * rstd;
        bl_v_put(dx + i, scale * ((bl_v_get(dy + i, m) - mean_dy) - xhat * mean_dg), m);
    }
}

/* One chunk's dx, and its share of dgamma and dbeta, which climbs the tree of `sums`. */
static void backward_of(const bl_batchnorm2d_backward *a, size_t chunk, bl_range columns,
                        float *scratch, averages *sums) {
    const bl_range examples = {bl_chunk_begin(a->batch, a->chunks, chunk),
                               bl_chunk_begin(a->batch, a->chunks, chunk + 1)};
    const bl_range all = {examples.begin * a->positions, examples.end * a->positions};
    backward_chunk c = {.a = a,
                        .mean = a->mean + chunk * a->n,
                        .rstd = a->rstd + chunk * a->n,
                        .count = bl_v_set1((float)(all.end - all.begin)),
                        .scale = scratch,
                        .mean_dy = scratch + BL_CHANNEL_STRIP,
                        .mean_dg = scratch + (size_t)2 * BL_CHANNEL_STRIP,
                        .first = columns.begin};
    bl_channel_sums(a->dbeta, a->dgamma, examples, a->positions, a->n, columns, scratch,
                    add_gradients, &c);
    bl_for_vectors(columns, share_step, &c); /* in the scratch of the sums */
    for_positions(&c.at, all, columns, dx_step, &c);
    memcpy(sums->acc, a->dbeta + columns.begin, sums->count * sizeof *sums->acc);
    memcpy(sums->acc + sums->count, a->dgamma + columns.begin, sums->count * sizeof *sums->acc);
    bl_tree_climb(sums->acc, sums->levels, 2 * sums->count, chunk, chunk + 1 == a->chunks);
}

/* A batch of 0 has no chunk: the sums are +0. */
void BL_CPU(batchnorm2d_backward)(const bl_batchnorm2d_backward *a, const bl_part *part) {
    const bl_range all = bl_part_range(part, a->n, BL_W);
    for (size_t j0 = all.begin; j0 < all.end; j0 += BL_CHANNEL_STRIP) {
        const bl_range columns = {j0, bl_size_min(j0 + BL_CHANNEL_STRIP, all.end)};
        averages sums = averages_of(part->scratch, columns.end - j0);
        memset(sums.acc, 0, 2 * sums.count * sizeof *sums.acc);
        for (size_t c = 0; a->batch > 0 && c < a->chunks; c++)
            backward_of(a, c, columns, part->scratch, &sums);
        memcpy(a->dbeta + j0, sums.acc, sums.count * sizeof *sums.acc);
        memcpy(a->dgamma + j0, sums.acc + sums.count, sums.count * sizeof *sums.acc);
    }
}
