/* Pooling of images: vectors run over the channels of a position.
 *
 * Backward has two ways. In general a position of dx gathers from the windows that contain it, in
 * raster order. Windows that lie side by side and cover the image share no position, so each
 * scatters its dy to its own.
 *
 * There is no comparison for equality among the vector operations. "index == tap" is therefore two
 * selections by >, one for each side; both leave the sum only where neither is greater. */
#include "engine/base/mem.h"
#include "kernels/cpu/cpu.h"

/* The position of a window's first element, and the window's own. */
typedef struct window {
    const float *x;
    float *y, *index;
    size_t line, channels, size; /* floats from line to line of x */
} window;

/* The first of equal values wins, as only a greater one replaces it. A NaN replaces everything,
 * also an earlier NaN. */
BL_INLINE void largest_of(const window *w, size_t c, bl_lanes m, const size_t size) {
    bl_v best = bl_v_get(w->x + c, m), index = bl_v_zero();
    for (size_t t = 1; t < size * size; t++) {
        const float *from = w->x + t / size * w->line + t % size * w->channels;
        const bl_v x = bl_v_get(from + c, m), number = bl_v_set1((float)t);
        index = bl_v_if_number(x, bl_v_if_greater(x, best, number, index), number);
        best = bl_v_if_number(x, bl_v_if_greater(x, best, x, best), x);
    }
    bl_v_put(w->y + c, best, m);
    bl_v_put(w->index + c, index, m);
}
BL_INLINE void largest(const void *ctx, size_t c, bl_lanes m) {
    const window *w = ctx;
    largest_of(w, c, m, w->size);
}
/* The usual size, without its divisions. */
BL_INLINE void largest_2(const void *ctx, size_t c, bl_lanes m) {
    largest_of(ctx, c, m, 2);
}

/* The window's mean by rule F. */
BL_INLINE void mean(const void *ctx, size_t c, bl_lanes m) {
    const window *w = ctx;
    const size_t terms = w->size * w->size;
    bl_v sum = bl_v_zero();
    for (size_t begin = 0; begin < terms; begin += BL_BLOCK) {
        bl_v acc = bl_v_zero();
        for (size_t t = begin; t < bl_size_min(begin + BL_BLOCK, terms); t++)
            acc = acc + bl_v_get(w->x + t / w->size * w->line + t % w->size * w->channels + c, m);
        if (begin > 0) acc = sum + acc;
        sum = acc;
    }
    bl_v_put(w->y + c, sum / bl_v_set1((float)terms), m);
}

/* step(window, c, lanes) for every window of the part's rows of y. */
BL_INLINE void forward(const bl_pool2d *p, float *y, float *index, const float *x,
                       const bl_part *part, bl_vector_step *step) {
    const bl_range rows = bl_part_range(part, p->batch * p->out_height, 1);
    for (size_t row = rows.begin; row < rows.end; row++) {
        const size_t b = row / p->out_height, top = row % p->out_height * p->stride;
        for (size_t ox = 0; ox < p->out_width; ox++) {
            const size_t at = ((b * p->height + top) * p->width + ox * p->stride) * p->channels;
            const size_t to = (row * p->out_width + ox) * p->channels;
            const window w = {.x = x + at,
                              .y = y + to,
                              .index = index != NULL ? index + to : NULL,
                              .line = p->width * p->channels,
                              .channels = p->channels,
                              .size = p->size};
            bl_for_vectors((bl_range){0, p->channels}, step, &w);
        }
    }
}

void BL_CPU(max_pool_forward)(const bl_max_pool_forward *a, const bl_part *part) {
    if (a->pool.size == 2)
        forward(&a->pool, a->y, a->index, a->x, part, largest_2);
    else
        forward(&a->pool, a->y, a->index, a->x, part, largest);
}
void BL_CPU(avg_pool_forward)(const bl_avg_pool_forward *a, const bl_part *part) {
    forward(&a->pool, a->y, NULL, a->x, part, mean);
}

/* A position of dx and the windows that contain it. */
typedef struct gather {
    const bl_pool2d *p;
    float *dx;
    const float *dy, *index; /* of the image */
    size_t iy, ix;
    bl_range rows, columns;
    bl_v count;
} gather;

/* The windows that contain position i along a dimension with `windows` of them. */
static bl_range containing(const bl_pool2d *p, size_t i, size_t windows) {
    const size_t begin = i < p->size ? 0 : (i - p->size) / p->stride + 1;
    const size_t end = bl_size_min(i / p->stride + 1, windows);
    return (bl_range){bl_size_min(begin, end), end};
}

BL_INLINE void gather_step(const void *ctx, size_t c, bl_lanes m, const bool named) {
    const gather *g = ctx;
    const bl_pool2d *p = g->p;
    bl_v acc = bl_v_zero();
    for (size_t oy = g->rows.begin; oy < g->rows.end; oy++)
        for (size_t ox = g->columns.begin; ox < g->columns.end; ox++) {
            const size_t at = (oy * p->out_width + ox) * p->channels + c;
            const size_t tap = (g->iy - oy * p->stride) * p->size + g->ix - ox * p->stride;
            const bl_v sum = acc + bl_v_get(g->dy + at, m);
            if (!named) {
                acc = sum;
                continue;
            }
            const bl_v index = bl_v_get(g->index + at, m), wanted = bl_v_set1((float)tap);
            const bl_v below = bl_v_if_greater(wanted, index, acc, sum);
            acc = bl_v_if_greater(index, wanted, acc, below);
        }
    if (!named) acc = acc / g->count;
    bl_v_put(g->dx + c, acc, m);
}
BL_INLINE void gather_named(const void *ctx, size_t c, bl_lanes m) {
    gather_step(ctx, c, m, true);
}
BL_INLINE void gather_all(const void *ctx, size_t c, bl_lanes m) {
    gather_step(ctx, c, m, false);
}

BL_INLINE void backward(const bl_pool2d *p, float *dx, const float *dy, const float *index,
                        const bl_part *part, bl_vector_step *step) {
    const bl_range rows = bl_part_range(part, p->batch * p->height, 1);
    for (size_t row = rows.begin; row < rows.end; row++) {
        const size_t image = row / p->height * p->out_height * p->out_width * p->channels;
        gather g = {.p = p,
                    .dy = dy + image,
                    .index = index != NULL ? index + image : NULL,
                    .iy = row % p->height,
                    .count = bl_v_set1((float)(p->size * p->size))};
        g.rows = containing(p, g.iy, p->out_height);
        for (g.ix = 0; g.ix < p->width; g.ix++) {
            g.dx = dx + (row * p->width + g.ix) * p->channels;
            g.columns = containing(p, g.ix, p->out_width);
            bl_for_vectors((bl_range){0, p->channels}, step, &g);
        }
    }
}

/* A window whose positions are in no other one. */
typedef struct scatter {
    float *dx; /* its first position */
    const float *dy, *index;
    size_t line, channels, size;
} scatter;

BL_INLINE void scatter_step(const void *ctx, size_t c, bl_lanes m) {
    const scatter *s = ctx;
    const bl_v zero = bl_v_zero(), index = bl_v_get(s->index + c, m);
    const bl_v sum = zero + bl_v_get(s->dy + c, m);
    bl_v tap = zero;
    for (size_t y = 0; y < s->size; y++)
        for (size_t x = 0; x < s->size; x++, tap = tap + bl_v_set1(1.0f)) {
            const bl_v below = bl_v_if_greater(tap, index, zero, sum);
            bl_v_put(s->dx + y * s->line + x * s->channels + c,
                     bl_v_if_greater(index, tap, zero, below), m);
        }
}

/* Windows that lie side by side and cover the image. */
static void scatter_windows(const bl_max_pool_backward *a, const bl_part *part) {
    const bl_pool2d *p = &a->pool;
    const bl_range rows = bl_part_range(part, p->batch * p->out_height, 1);
    for (size_t row = rows.begin; row < rows.end; row++)
        for (size_t ox = 0; ox < p->out_width; ox++) {
            const size_t from = (row * p->out_width + ox) * p->channels;
            const scatter s = {.dx = a->dx + (row * p->width + ox) * p->size * p->channels,
                               .dy = a->dy + from,
                               .index = a->index + from,
                               .line = p->width * p->channels,
                               .channels = p->channels,
                               .size = p->size};
            bl_for_vectors((bl_range){0, p->channels}, scatter_step, &s);
        }
}

void BL_CPU(max_pool_backward)(const bl_max_pool_backward *a, const bl_part *part) {
    const bl_pool2d *p = &a->pool;
    if (p->size == p->stride && p->out_height * p->size == p->height &&
        p->out_width * p->size == p->width) {
        scatter_windows(a, part);
        return;
    }
    backward(&a->pool, a->dx, a->dy, a->index, part, gather_named);
}
void BL_CPU(avg_pool_backward)(const bl_avg_pool_backward *a, const bl_part *part) {
    backward(&a->pool, a->dx, a->dy, NULL, part, gather_all);
}
