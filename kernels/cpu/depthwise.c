/* Vectors run over the channels of a position, and arrays are read where they lie. */
#include "kernels/cpu/depthwise.h"
#include "engine/base/mem.h"
#include "kernels/cpu/conv_end.h"
#include "kernels/cpu/tree.h"

enum { VECS = 4, SCRATCH_FLOATS = BL_KERNEL_SCRATCH / sizeof(float) };

/* acc = the chains of n terms x * w, for vecs * BL_W channels. */
BL_INLINE void chains(bl_v *acc, const int vecs, bl_lanes m, const float *x, size_t x_step,
                      const float *w, ptrdiff_t w_step, size_t n) {
    for (size_t i = 0; i < n; i++)
        for (int v = 0; v < vecs; v++)
            acc[v] = bl_v_fma(bl_v_get(x + i * x_step + v * BL_W, m),
                              bl_v_get(w + (ptrdiff_t)i * w_step + v * BL_W, m), acc[v]);
}

/* A line of positions; NULL: outside of the image. */
typedef struct line {
    const float *x;
    size_t width, channels;
} line;

/* n terms: those of positions `column`, column + step, ... that the line has. */
BL_INLINE void run(bl_v *acc, const int vecs, bl_lanes m, const line l, ptrdiff_t column,
                   const size_t step, const float *w, ptrdiff_t w_step, size_t n) {
    const size_t outside = column < 0 ? ((size_t)-column + step - 1) / step : 0;
    const size_t before = l.x == NULL ? n : bl_min_size(outside, n);
    const size_t first = (size_t)(column + (ptrdiff_t)(before * step));
    const size_t there = first < l.width ? (l.width - first + step - 1) / step : 0;
    const size_t inside = bl_min_size(there, n - before);
    if (inside > 0)
        chains(acc, vecs, m, l.x + first * l.channels, step * l.channels,
               w + (ptrdiff_t)before * w_step, w_step, inside);
}

/* Calls step for all channels of a range, VECS vectors at once or one. */
typedef void channel_step(const void *ctx, size_t j, const int vecs, bl_lanes m);
BL_INLINE void for_channels(bl_range range, channel_step *step, const void *ctx) {
    const bl_lanes all = {.full = true};
    size_t j = range.begin;
    for (; j + (size_t)VECS * BL_W <= range.end; j += (size_t)VECS * BL_W) step(ctx, j, VECS, all);
    for (; j + BL_W <= range.end; j += BL_W) step(ctx, j, 1, all);
    if (j < range.end) step(ctx, j, 1, (bl_lanes){.first = bl_vm_first(range.end - j)});
}

typedef struct forward_at {
    const bl_conv2d_forward *a;
    const float *image;
    float *y;
    size_t oy, ox;
} forward_at;

BL_INLINE void forward_step(const void *ctx, size_t j, const int vecs, bl_lanes m) {
    const forward_at *at = ctx;
    const bl_conv *v = &at->a->conv;
    bl_v acc[VECS];
    for (int i = 0; i < vecs; i++) acc[i] = bl_v_zero();
    for (size_t ky = 0; ky < v->kernel; ky++) {
        const size_t row = at->oy * v->stride + ky - v->pad; /* wraps above the image */
        const line l = {row < v->height ? at->image + row * v->width * v->channels + j : NULL,
                        v->width, v->channels};
        run(acc, vecs, m, l, (ptrdiff_t)(at->ox * v->stride) - (ptrdiff_t)v->pad, 1,
            at->a->w + ky * v->kernel * v->filters + j, (ptrdiff_t)v->filters, v->kernel);
    }
    const bl_conv_end end = {.base = at->a->y, .plus = at->a->plus, .relu = at->a->relu};
    for (int i = 0; i < vecs; i++) {
        float *y = at->y + j + i * BL_W;
        acc[i] = bl_v_zero() + acc[i];
        if (at->a->bias) acc[i] = acc[i] + bl_v_get(at->a->bias + j + i * BL_W, m);
        bl_v_put(y, bl_conv_finish(&end, acc[i], y, m), m);
    }
}

void BL_CPU(depthwise_forward)(const bl_conv2d_forward *a, const bl_part *part) {
    const bl_conv *v = &a->conv;
    const bl_range rows = bl_part_range(part, v->batch * v->out_height, 1);
    for (size_t row = rows.begin; row < rows.end; row++) {
        forward_at at = {.a = a,
                         .image = a->x + row / v->out_height * v->height * v->width * v->channels,
                         .y = a->y + row * v->out_width * v->filters,
                         .oy = row % v->out_height};
        for (; at.ox < v->out_width; at.ox++, at.y += v->filters)
            for_channels((bl_range){0, v->filters}, forward_step, &at);
    }
}

typedef struct input_at {
    const bl_conv2d_backward_input *a;
    const float *dy; /* of the image */
    float *dx;
    bl_phase y, x; /* .first: the first position of dy that sees this one */
} input_at;

BL_INLINE void input_step(const void *ctx, size_t j, const int vecs, bl_lanes m) {
    const input_at *at = ctx;
    const bl_conv *v = &at->a->conv;
    bl_v acc[VECS];
    for (int i = 0; i < vecs; i++) acc[i] = bl_v_zero();
    for (size_t t = 0; at->x.taps > 0 && t < at->y.taps; t++) {
        const size_t row = (size_t)at->y.first + t; /* wraps above the image */
        const size_t tap = (at->y.last - t * v->stride) * v->kernel + at->x.last;
        const line l = {row < v->out_height ? at->dy + row * v->out_width * v->filters + j : NULL,
                        v->out_width, v->filters};
        run(acc, vecs, m, l, at->x.first, 1, at->a->w + tap * v->filters + j,
            -(ptrdiff_t)(v->stride * v->filters), at->x.taps);
    }
    const bl_conv_end end = {.base = at->a->dx, .plus = at->a->plus, .mask = at->a->relu};
    for (int i = 0; i < vecs; i++) {
        float *dx = at->dx + j + i * BL_W;
        acc[i] = bl_v_zero() + acc[i];
        bl_v_put(dx, bl_conv_finish(&end, acc[i], dx, m), m);
    }
}

static bl_phase phase_at(const bl_conv *v, size_t position) {
    bl_phase p = bl_phase_of(v, position % v->stride);
    p.first += (ptrdiff_t)(position / v->stride);
    return p;
}

void BL_CPU(depthwise_backward_input)(const bl_conv2d_backward_input *a, const bl_part *part) {
    const bl_conv *v = &a->conv;
    const bl_range rows = bl_part_range(part, v->batch * v->height, 1);
    for (size_t row = rows.begin; row < rows.end; row++) {
        input_at at = {.a = a,
                       .dy = a->dy + row / v->height * v->out_height * v->out_width * v->filters,
                       .dx = a->dx + row * v->width * v->channels,
                       .y = phase_at(v, row % v->height)};
        for (size_t ix = 0; ix < v->width; ix++, at.dx += v->channels) {
            at.x = phase_at(v, ix);
            for_channels((bl_range){0, v->channels}, input_step, &at);
        }
    }
}

/* An example's sums join those of its block: (taps, then dbias; channels of the strip). */
typedef struct weight_at {
    const bl_conv2d_backward_weight *a;
    const float *x, *dy; /* of the example */
    float *sums;
    bl_range strip;
} weight_at;

BL_INLINE void join(const weight_at *at, size_t row, size_t j, const int vecs, bl_lanes m,
                    const bl_v *acc) {
    float *to = at->sums + row * (at->strip.end - at->strip.begin) + (j - at->strip.begin);
    for (int i = 0; i < vecs; i++) bl_v_put(to + i * BL_W, bl_v_get(to + i * BL_W, m) + acc[i], m);
}

BL_INLINE void weight_step(const void *ctx, size_t j, const int vecs, bl_lanes m) {
    const weight_at *at = ctx;
    const bl_conv *v = &at->a->conv;
    const size_t taps = v->kernel * v->kernel, positions = v->out_height * v->out_width;
    bl_v acc[VECS];
    for (size_t tap = 0; tap < taps; tap++) {
        for (int i = 0; i < vecs; i++) acc[i] = bl_v_zero();
        for (size_t oy = 0; oy < v->out_height; oy++) {
            const size_t row = oy * v->stride + tap / v->kernel - v->pad; /* wraps above */
            const line l = {row < v->height ? at->x + row * v->width * v->channels + j : NULL,
                            v->width, v->channels};
            run(acc, vecs, m, l, (ptrdiff_t)(tap % v->kernel) - (ptrdiff_t)v->pad, v->stride,
                at->dy + oy * v->out_width * v->filters + j, (ptrdiff_t)v->filters, v->out_width);
        }
        join(at, tap, j, vecs, m, acc);
    }
    if (at->a->dbias == NULL) return;
    for (int i = 0; i < vecs; i++) acc[i] = bl_v_zero();
    for (size_t p = 0; p < positions; p++)
        for (int i = 0; i < vecs; i++)
            acc[i] = acc[i] + bl_v_get(at->dy + p * v->filters + j + i * BL_W, m);
    join(at, taps, j, vecs, m, acc);
}

static void weight_strip(weight_at *at, float *levels) {
    const bl_conv *v = &at->a->conv;
    const size_t taps = v->kernel * v->kernel, count = at->strip.end - at->strip.begin;
    const size_t floats = (taps + (at->a->dbias != NULL)) * count;
    memset(at->sums, 0, floats * sizeof *at->sums);
    for (size_t b = 0; b < v->batch; b++) {
        const bool last = b + 1 == v->batch;
        at->x = at->a->x + b * v->height * v->width * v->channels;
        at->dy = at->a->dy + b * v->out_height * v->out_width * v->filters;
        for_channels(at->strip, weight_step, at);
        if (!last && (b + 1) % BL_BLOCK != 0) continue;
        bl_tree_climb(at->sums, levels, floats, b / BL_BLOCK, last);
        if (!last) memset(at->sums, 0, floats * sizeof *at->sums);
    }
    for (size_t tap = 0; tap < taps; tap++)
        memcpy(at->a->dw + tap * v->filters + at->strip.begin, at->sums + tap * count,
               count * sizeof *at->sums);
    if (at->a->dbias)
        memcpy(at->a->dbias + at->strip.begin, at->sums + taps * count, count * sizeof *at->sums);
}

void BL_CPU(depthwise_backward_weight)(const bl_conv2d_backward_weight *a, const bl_part *part) {
    const bl_conv *v = &a->conv;
    const bl_range channels = bl_part_range(part, v->filters, BL_W);
    const size_t levels = bl_tree_levels((v->batch + BL_BLOCK - 1) / BL_BLOCK);
    const size_t most = SCRATCH_FLOATS / ((v->kernel * v->kernel + 1) * (levels + 1)) / BL_W * BL_W;
    for (size_t j = channels.begin; j < channels.end; j += most) {
        weight_at at = {
            .a = a, .sums = part->scratch, .strip = {j, bl_min_size(j + most, channels.end)}
        };
        const size_t floats = (v->kernel * v->kernel + 1) * (at.strip.end - j);
        weight_strip(&at, at.sums + floats);
    }
}
