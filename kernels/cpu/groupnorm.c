/* Group norm: vectors run over the channels of a position; the sums over a group's channels are
 * scalar chains, once an example. */
#include "engine/base/mem.h"
#include "kernels/cpu/tree.h"

enum { ARRAYS = 4, STRIP = 1024, LEVELS = 32 };
_Static_assert(sizeof(float) * ARRAYS * BL_GROUPNORM_CHANNELS <= BL_KERNEL_SCRATCH,
               "an example's channels fit the scratch");
_Static_assert((size_t)STRIP * 2 * (LEVELS + 3) * sizeof(float) <= BL_KERNEL_SCRATCH,
               "a strip's sums and the levels of 2^32 blocks fit the scratch");

/* One example's view: arrays by feature (p * n + j) and by channel (j). */
typedef struct view {
    const float *x, *dy, *gamma, *beta;
    float *out;               /* y or dx */
    float *s, *t;             /* by channel: sums, then what they turn into */
    const float *mean, *rstd; /* by channel */
    size_t at;                /* the position's first feature */
} view;

/* A group's number for each of `count` channels from `first` on; `size` channels are a group. */
static void fill(float *to, const float *per_group, size_t first, size_t count, size_t size) {
    for (size_t j = 0; j < count; j++) to[j] = per_group[(first + j) / size];
}

/* Rule F over a group's channels: chains of acc + s, or of fmaf(gamma, s, acc). */
static float group_sum(const float *s, const float *gamma, size_t size) {
    float sum = 0.0f;
    for (size_t begin = 0; begin < size; begin += BL_BLOCK) {
        const size_t end = bl_size_min(begin + BL_BLOCK, size);
        float acc = 0.0f;
        for (size_t k = begin; k < end; k++) acc = gamma ? fmaf(gamma[k], s[k], acc) : acc + s[k];
        sum = sum + acc;
    }
    return sum;
}

/* step over all positions of an example. */
BL_INLINE void for_positions(view *v, size_t positions, size_t n, bl_range columns,
                             bl_vector_step *step) {
    for (size_t p = 0; p < positions; p++) {
        v->at = p * n;
        bl_for_vectors(columns, step, v);
    }
}

BL_INLINE void add_x(const void *ctx, size_t j, bl_lanes m) {
    const view *v = ctx;
    bl_v_put(v->s + j, bl_v_get(v->s + j, m) + bl_v_get(v->x + v->at + j, m), m);
}
BL_INLINE void add_square(const void *ctx, size_t j, bl_lanes m) {
    const view *v = ctx;
    const bl_v d = bl_v_get(v->x + v->at + j, m) - bl_v_get(v->mean + j, m);
    bl_v_put(v->s + j, bl_v_fma(d, d, bl_v_get(v->s + j, m)), m);
}
BL_INLINE bl_v xhat_of(const view *v, size_t j, bl_lanes m) {
    const bl_v d = bl_v_get(v->x + v->at + j, m) - bl_v_get(v->mean + j, m);
    return d * bl_v_get(v->rstd + j, m);
}
BL_INLINE void normalise(const void *ctx, size_t j, bl_lanes m) {
    const view *v = ctx;
    const bl_v gamma = bl_v_get(v->gamma + j, m), beta = bl_v_get(v->beta + j, m);
    bl_v_put(v->out + v->at + j, bl_v_fma(xhat_of(v, j, m), gamma, beta), m);
}

/* One example. Channels are summed over positions first, then within each group. scratch: (3, n).
 */
static void forward_of(const bl_groupnorm_forward *a, size_t b, float *scratch) {
    const size_t n = a->n, size = n / a->groups, each = a->positions * n;
    const float count = (float)(a->positions * size);
    const bl_range all = {0, n};
    float *mean = a->mean + b * a->groups, *rstd = a->rstd + b * a->groups;
    float *s = scratch, *means = scratch + n, *rstds = scratch + 2 * n;
    view v = {.x = a->x + b * each, .gamma = a->gamma, .beta = a->beta, .out = a->y + b * each};
    v.s = s, v.mean = means, v.rstd = rstds;
    memset(s, 0, n * sizeof *s);
    for_positions(&v, a->positions, n, all, add_x);
    for (size_t g = 0; g < a->groups; g++) mean[g] = group_sum(s + g * size, NULL, size) / count;
    fill(means, mean, 0, n, size);
    memset(s, 0, n * sizeof *s);
    for_positions(&v, a->positions, n, all, add_square);
    for (size_t g = 0; g < a->groups; g++) {
        const float var = group_sum(s + g * size, NULL, size) / count;
        rstd[g] = 1.0f / sqrtf(var + a->eps);
    }
    fill(rstds, rstd, 0, n, size);
    for_positions(&v, a->positions, n, all, normalise);
}

void BL_CPU(groupnorm_forward)(const bl_groupnorm_forward *a, const bl_part *part) {
    const bl_range examples = bl_part_range(part, a->n > 0 ? a->batch : 0, 1);
    for (size_t b = examples.begin; b < examples.end; b++) forward_of(a, b, part->scratch);
}

BL_INLINE void add_gradients(const void *ctx, size_t j, bl_lanes m) {
    const view *v = ctx;
    const bl_v dy = bl_v_get(v->dy + v->at + j, m);
    bl_v_put(v->s + j, bl_v_get(v->s + j, m) + dy, m);
    bl_v_put(v->t + j, bl_v_fma(dy, xhat_of(v, j, m), bl_v_get(v->t + j, m)), m);
}
/* s and t hold the group's means of dy * gamma and of dy * gamma * xhat. */
BL_INLINE void dx_step(const void *ctx, size_t j, bl_lanes m) {
    const view *v = ctx;
    const bl_v h = bl_v_get(v->dy + v->at + j, m) * bl_v_get(v->gamma + j, m);
    const bl_v inner = (h - bl_v_get(v->s + j, m)) - xhat_of(v, j, m) * bl_v_get(v->t + j, m);
    bl_v_put(v->out + v->at + j, bl_v_get(v->rstd + j, m) * inner, m);
}

/* One example. Scratch: (4, n), sums and statistics by channel. */
static void backward_of(const bl_groupnorm_backward_input *a, size_t b, float *scratch) {
    const size_t n = a->n, size = n / a->groups, each = a->positions * n;
    const float count = (float)(a->positions * size);
    float *s = scratch, *t = scratch + n, *means = scratch + 2 * n, *rstds = scratch + 3 * n;
    view v = {.x = a->x + b * each, .dy = a->dy + b * each, .gamma = a->gamma};
    v.out = a->dx + b * each, v.s = s, v.t = t, v.mean = means, v.rstd = rstds;
    fill(means, a->mean + b * a->groups, 0, n, size);
    fill(rstds, a->rstd + b * a->groups, 0, n, size);
    memset(s, 0, 2 * n * sizeof *s);
    for_positions(&v, a->positions, n, (bl_range){0, n}, add_gradients);
    for (size_t first = 0; first < n; first += size) {
        const float mean_s = group_sum(s + first, a->gamma + first, size) / count;
        const float mean_t = group_sum(t + first, a->gamma + first, size) / count;
        for (size_t j = first; j < first + size; j++) s[j] = mean_s, t[j] = mean_t;
    }
    for_positions(&v, a->positions, n, (bl_range){0, n}, dx_step);
}

void BL_CPU(groupnorm_backward_input)(const bl_groupnorm_backward_input *a, const bl_part *part) {
    const bl_range examples = bl_part_range(part, a->n > 0 ? a->batch : 0, 1);
    for (size_t b = examples.begin; b < examples.end; b++) backward_of(a, b, part->scratch);
}

/* The sums of one example added to acc: (2, count), for the channels of a strip. */
static void add_example(const bl_groupnorm_backward_weight *a, size_t b, bl_range columns,
                        float *acc, float *scratch) {
    const size_t count = columns.end - columns.begin, each = a->positions * a->n;
    const size_t size = a->n / a->groups, from = b * each + columns.begin;
    float *sums = scratch, *means = scratch + 2 * count, *rstds = scratch + 3 * count;
    view v = {.x = a->x + from, .dy = a->dy + from, .s = sums, .t = sums + count};
    v.mean = means, v.rstd = rstds;
    fill(means, a->mean + b * a->groups, columns.begin, count, size);
    fill(rstds, a->rstd + b * a->groups, columns.begin, count, size);
    memset(sums, 0, 2 * count * sizeof *sums);
    for_positions(&v, a->positions, a->n, (bl_range){0, count}, add_gradients);
    for (size_t i = 0; i < 2 * count; i++) acc[i] = acc[i] + sums[i];
}

/* Scratch: (2, count) of the block, (4, count) for one example, then the levels of the tree, (2,
 * count) each. */
static void weight_strip(const bl_groupnorm_backward_weight *a, bl_range columns, float *scratch) {
    const size_t count = columns.end - columns.begin;
    float *acc = scratch, *example = scratch + 2 * count, *levels = scratch + 6 * count;
    memset(acc, 0, 2 * count * sizeof *acc);
    for (size_t begin = 0; begin < a->batch; begin += BL_BLOCK) {
        const size_t end = bl_size_min(begin + BL_BLOCK, a->batch);
        memset(acc, 0, 2 * count * sizeof *acc);
        for (size_t b = begin; b < end; b++) add_example(a, b, columns, acc, example);
        bl_tree_climb(acc, levels, 2 * count, begin / BL_BLOCK, end == a->batch);
    }
    memcpy(a->dbeta + columns.begin, acc, count * sizeof *acc);
    memcpy(a->dgamma + columns.begin, acc + count, count * sizeof *acc);
}

void BL_CPU(groupnorm_backward_weight)(const bl_groupnorm_backward_weight *a, const bl_part *part) {
    const bl_range all = bl_part_range(part, a->n, BL_W);
    for (size_t j = all.begin; j < all.end; j += STRIP)
        weight_strip(a, (bl_range){j, bl_size_min(j + STRIP, all.end)}, part->scratch);
}
