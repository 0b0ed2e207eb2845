/* Global average pooling (mean_positions), and one factor for each channel of an example (scale):
 * what treats all positions of an image alike. */
#include "engine/base/mem.h"
#include "kernels/cpu/cpu.h"

/* Rule F over an example's positions, of channels j, j + 1, ...: the sum of x, or of x * z. */
BL_INLINE bl_v sum_of(const float *x, const float *z, size_t positions, size_t n, bl_lanes m) {
    bl_v sum = bl_v_zero();
    for (size_t begin = 0; begin < positions; begin += BL_BLOCK) {
        bl_v acc = bl_v_zero();
        for (size_t p = begin; p < bl_size_min(begin + BL_BLOCK, positions); p++) {
            const bl_v v = bl_v_get(x + p * n, m);
            if (z == NULL)
                acc = acc + v;
            else
                acc = bl_v_fma(v, bl_v_get(z + p * n, m), acc);
        }
        if (begin > 0) acc = sum + acc;
        sum = acc;
    }
    return sum;
}

/* The arrays of one example. */
typedef struct example {
    float *y, *sum;
    const float *x, *z, *s;
    size_t positions, n;
} example;

BL_INLINE void mean_forward(const void *ctx, size_t j, bl_lanes m) {
    const example *e = ctx;
    const bl_v sum = sum_of(e->x + j, NULL, e->positions, e->n, m);
    bl_v_put(e->y + j, sum / bl_v_set1((float)e->positions), m);
}
BL_INLINE void mean_backward(const void *ctx, size_t j, bl_lanes m) {
    const example *e = ctx;
    const bl_v dx = bl_v_get(e->x + j, m) / bl_v_set1((float)e->positions);
    for (size_t p = 0; p < e->positions; p++) bl_v_put(e->y + p * e->n + j, dx, m);
}
BL_INLINE void multiply(const void *ctx, size_t j, bl_lanes m) {
    const example *e = ctx;
    const bl_v s = bl_v_get(e->s + j, m);
    for (size_t i = j; i < e->positions * e->n; i += e->n)
        bl_v_put(e->y + i, bl_v_get(e->x + i, m) * s, m);
}
BL_INLINE void sum_products(const void *ctx, size_t j, bl_lanes m) {
    const example *e = ctx;
    bl_v_put(e->sum + j, sum_of(e->x + j, e->z + j, e->positions, e->n, m), m);
}

void BL_CPU(mean_positions_forward)(const bl_mean_positions_forward *a, const bl_part *part) {
    const bl_range range = bl_part_range(part, a->batch, 1);
    for (size_t b = range.begin; b < range.end; b++) {
        const example e = {.y = a->y + b * a->n,
                           .x = a->x + b * a->positions * a->n,
                           .positions = a->positions,
                           .n = a->n};
        bl_for_vectors((bl_range){0, a->n}, mean_forward, &e);
    }
}

void BL_CPU(mean_positions_backward)(const bl_mean_positions_backward *a, const bl_part *part) {
    const bl_range range = bl_part_range(part, a->batch, 1);
    for (size_t b = range.begin; b < range.end; b++) {
        const example e = {.y = a->dx + b * a->positions * a->n,
                           .x = a->dy + b * a->n,
                           .positions = a->positions,
                           .n = a->n};
        bl_for_vectors((bl_range){0, a->n}, mean_backward, &e);
    }
}

BL_INLINE void add_step(const void *ctx, size_t i, bl_lanes m) {
    const bl_add *a = ctx;
    bl_v_put(a->y + i, bl_v_get(a->a + i, m) + bl_v_get(a->b + i, m), m);
}
void BL_CPU(add)(const bl_add *a, const bl_part *part) {
    bl_for_vectors(bl_part_range(part, a->count, BL_W), add_step, a);
}

void BL_CPU(scale_forward)(const bl_scale_forward *a, const bl_part *part) {
    const bl_range range = bl_part_range(part, a->batch, 1);
    for (size_t b = range.begin; b < range.end; b++) {
        const size_t at = b * a->positions * a->n;
        const example e = {.y = a->y + at,
                           .x = a->x + at,
                           .s = a->s + b * a->n,
                           .positions = a->positions,
                           .n = a->n};
        bl_for_vectors((bl_range){0, a->n}, multiply, &e);
    }
}

void BL_CPU(scale_backward)(const bl_scale_backward *a, const bl_part *part) {
    const bl_range range = bl_part_range(part, a->batch, 1);
    for (size_t b = range.begin; b < range.end; b++) {
        const size_t at = b * a->positions * a->n;
        const example e = {.y = a->dx + at,
                           .sum = a->ds + b * a->n,
                           .x = a->dy + at,
                           .z = a->x + at,
                           .s = a->s + b * a->n,
                           .positions = a->positions,
                           .n = a->n};
        bl_for_vectors((bl_range){0, a->n}, sum_products, &e);
        bl_for_vectors((bl_range){0, a->n}, multiply, &e);
    }
}
