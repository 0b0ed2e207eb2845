/* Depthwise convolutions: each channel has a filter of its own (groups = channels = filters), so
 * there is no sum over channels, and what limits the speed is loading, not multiplying.
 *
 * Vectors run over the channels of a position, and arrays are read where they lie. TOGETHER
 * neighbours of a line are computed together, so that a weight, and what several of them see, is
 * loaded once for all of them: with a 3 x 3 filter of stride 1, four neighbours see six columns,
 * not twelve. Positions at an image's border, which see less of it, are computed one by one.
 *
 *     forward          one line of y at a time, from the lines of x that it sees
 *     backward_input   the same walk over the residue classes of the stride (conv_ranges.h)
 *     backward_weight  a strip of channels at a time: the taps' sums of one example are chains over
 *                      its positions (kernels/kernel_image.h), then rule B over examples */
#include "kernels/cpu/depthwise.h"
#include "kernels/cpu/epilogue_vectors.h"
#include "kernels/cpu/tree.h"

enum {
    VECS = 2,      /* of channels at once */
    TOGETHER = 4,  /* positions of a line */
    MOST_TAPS = 5, /* of a line, whose weight gradients are computed at once */
    SCRATCH_FLOATS = BL_KERNEL_SCRATCH / sizeof(float)
};

/* Calls step for all channels of a range, VECS vectors at once or one. */
typedef void channel_step(const void *ctx, size_t j, const int vecs, bl_lanes m);
BL_INLINE void for_channels(bl_range range, channel_step *step, const void *ctx) {
    const bl_lanes all = {.full = true};
    size_t j = range.begin;
    for (; j + (size_t)VECS * BL_W <= range.end; j += (size_t)VECS * BL_W) step(ctx, j, VECS, all);
    for (; j + BL_W <= range.end; j += BL_W) step(ctx, j, 1, all);
    if (j < range.end) step(ctx, j, 1, (bl_lanes){.first = bl_vm_first(range.end - j)});
}

/* One line of results; forward and backward are the same, as in conv2d.c. */
typedef struct walk {
    const float *x; /* (height, width, channels): what is seen */
    size_t height, width, channels;
    ptrdiff_t top, left;           /* of the window of the line's position 0 */
    size_t taps_y, taps_x, stride; /* the window, and from one position's to the next one's */
    const float *w;                /* of tap (0, 0) */
    ptrdiff_t w_tap, w_line;       /* floats from a tap to the next one, and to that below */
    float *y;                      /* of position 0 */
    size_t y_step, columns;        /* floats from a position to the next one; positions */
    const float *bias;             /* (channels) or NULL */
    const float *result;           /* where the epilogue's result begins */
    bl_epilogue epilogue;
} walk;

/* One line of a window of `taps` taps, for neighbours a position apart: what several of them see is
 * loaded once, and each meets its taps in order. */
BL_INLINE void neighbours(bl_v (*acc)[VECS], const float *x, size_t channels, const float *k,
                          ptrdiff_t w_tap, const int taps, const int count, const int v,
                          bl_lanes m) {
    bl_v weight[MOST_TAPS];
    for (int t = 0; t < taps; t++) weight[t] = bl_v_get(k + t * w_tap, m);
    for (int c = 0; c < count + taps - 1; c++, x += channels) {
        bl_v seen = bl_v_get(x, m);
        BL_IN_REGISTER(seen); /* not loaded again for each of them */
        for (int p = 0; p < count; p++)
            if (c >= p && c < p + taps) acc[p][v] = bl_v_fma(seen, weight[c - p], acc[p][v]);
    }
}

/* Positions from `column` on of the channels from j on, all of which have taps (rows, columns).
 * known: 0, or how many columns, of neighbours a position apart. */
BL_INLINE void positions(const walk *w, const bl_tap_span *rows, const bl_tap_span *columns,
                         size_t column, size_t j, const int known, const int count, const int vecs,
                         bl_lanes m) {
    const ptrdiff_t line = w->top + (ptrdiff_t)rows->first;
    const ptrdiff_t at = w->left + (ptrdiff_t)(column * w->stride + columns->first);
    const size_t taps = columns->last - columns->first, channels = w->channels;
    const float *x_line = w->x + ((size_t)line * w->width + (size_t)at) * channels + j;
    const float *k_line =
        w->w + (ptrdiff_t)rows->first * w->w_line + (ptrdiff_t)columns->first * w->w_tap + j;
    const ptrdiff_t w_tap = w->w_tap, w_line = w->w_line;
    const size_t x_step = w->stride * channels, x_down = w->width * channels;
    bl_v acc[TOGETHER][VECS];
    for (int p = 0; p < count; p++)
        for (int v = 0; v < vecs; v++) acc[p][v] = bl_v_zero();
    for (size_t ty = taps > 0 ? rows->last - rows->first : 0; ty > 0; ty--) {
        for (int v = 0; v < vecs && known > 0; v++)
            neighbours(acc, x_line + v * BL_W, channels, k_line + v * BL_W, w_tap, known, count, v,
                       m);
        const float *x = x_line, *k = k_line;
        for (size_t tx = 0; tx < taps && known == 0; tx++, x += channels, k += w_tap)
            for (int v = 0; v < vecs; v++) {
                const bl_v weight = bl_v_get(k + v * BL_W, m);
                for (int p = 0; p < count; p++)
                    acc[p][v] =
                        bl_v_fma(bl_v_get(x + (size_t)p * x_step + v * BL_W, m), weight, acc[p][v]);
            }
        x_line += x_down;
        k_line += w_line;
    }
    float *y = w->y + column * w->y_step + j;
    for (int p = 0; p < count; p++, y += w->y_step)
        for (int v = 0; v < vecs; v++) {
            bl_v sum = bl_v_zero() + acc[p][v];
            if (w->bias != NULL) sum = sum + bl_v_get(w->bias + j + v * BL_W, m);
            bl_v_put(y + v * BL_W,
                     bl_epilogue_vector(&w->epilogue, sum, (size_t)(y - w->result) + v * BL_W, m),
                     m);
        }
}

/* Positions of a line that have the same taps, for one step of the channels. */
typedef struct place {
    const walk *w;
    const bl_tap_span *rows, *columns;
    size_t column;
} place;

#define POSITIONS_STEP(NAME, KNOWN, COUNT)                                                         \
    BL_INLINE void NAME(const void *ctx, size_t j, const int vecs, bl_lanes m) {                   \
        const place *p = ctx;                                                                      \
        positions(p->w, p->rows, p->columns, p->column, j, KNOWN, COUNT, vecs, m);                 \
    }
POSITIONS_STEP(alone, 0, 1)
POSITIONS_STEP(together, 0, TOGETHER)
POSITIONS_STEP(together_3, 3, TOGETHER)
POSITIONS_STEP(together_5, 5, TOGETHER)
POSITIONS_STEP(two_3, 3, 2)
POSITIONS_STEP(two_5, 5, 2)
#undef POSITIONS_STEP

/* Some positions from p->column on, of at most `left` that have the same taps; says how many. */
static size_t run_positions(const place *p, size_t left) {
    const bl_range channels = {0, p->w->channels};
    const size_t taps = p->w->stride == 1 ? p->columns->last - p->columns->first : 0;
    if (left >= TOGETHER) {
        if (taps == 3)
            for_channels(channels, together_3, p);
        else if (taps == 5)
            for_channels(channels, together_5, p);
        else
            for_channels(channels, together, p);
        return TOGETHER;
    }
    if (left >= 2 && (taps == 3 || taps == 5)) {
        if (taps == 3)
            for_channels(channels, two_3, p);
        else
            for_channels(channels, two_5, p);
        return 2;
    }
    for_channels(channels, alone, p);
    return 1;
}

/* All channels of a few positions before the next ones: arrays are read in the order of memory. */
static void run_line(const walk *w) {
    const bl_tap_span rows = bl_tap_span_at(0, 1, w->top, 1, w->taps_y, w->height);
    place p = {.w = w, .rows = &rows};
    while (p.column < w->columns) {
        const bl_tap_span s =
            bl_tap_span_at(p.column, w->columns, w->left, w->stride, w->taps_x, w->width);
        p.columns = &s;
        while (p.column < s.at + s.count) p.column += run_positions(&p, s.at + s.count - p.column);
    }
}

void BL_CPU(depthwise_forward)(const bl_conv2d_forward *a, const bl_part *part) {
    const bl_conv *v = &a->conv;
    const bl_range lines = bl_part_range(part, v->batch * v->out_height, 1);
    for (size_t i = lines.begin; i < lines.end; i++) {
        const size_t oy = i % v->out_height;
        const walk w = {.x = a->x + i / v->out_height * v->height * v->width * v->channels,
                        .height = v->height,
                        .width = v->width,
                        .channels = v->channels,
                        .top = (ptrdiff_t)(oy * v->stride) - (ptrdiff_t)v->pad,
                        .left = -(ptrdiff_t)v->pad,
                        .taps_y = v->kernel,
                        .taps_x = v->kernel,
                        .stride = v->stride,
                        .w = a->w,
                        .w_tap = (ptrdiff_t)v->filters,
                        .w_line = (ptrdiff_t)(v->kernel * v->filters),
                        .y = a->y + i * v->out_width * v->filters,
                        .y_step = v->filters,
                        .columns = v->out_width,
                        .bias = a->bias,
                        .result = a->y,
                        .epilogue = a->epilogue};
        run_line(&w);
    }
}

/* A line's positions are seen from one dense window of dy each, if they leave the same rest by the
 * stride. */
void BL_CPU(depthwise_backward_input)(const bl_conv2d_backward_input *a, const bl_part *part) {
    const bl_conv *v = &a->conv;
    const bl_range lines = bl_part_range(part, v->batch * v->height, 1);
    for (size_t i = lines.begin; i < lines.end; i++) {
        const size_t iy = i % v->height;
        const bl_residue_class y = bl_residue_class_of(v, iy % v->stride);
        walk w = {.x = a->dy + i / v->height * v->out_height * v->out_width * v->filters,
                  .height = v->out_height,
                  .width = v->out_width,
                  .channels = v->filters,
                  .top = y.first + (ptrdiff_t)(iy / v->stride),
                  .taps_y = y.taps,
                  .stride = 1,
                  .w_tap = -(ptrdiff_t)(v->stride * v->filters),
                  .w_line = -(ptrdiff_t)(v->stride * v->kernel * v->filters),
                  .y_step = v->stride * v->channels,
                  .result = a->dx,
                  .epilogue = a->epilogue};
        for (size_t left = 0; left < bl_size_min(v->stride, v->width); left++) {
            const bl_residue_class x = bl_residue_class_of(v, left);
            w.left = x.first, w.taps_x = x.taps;
            w.w = a->w + (y.last * v->kernel + x.last) * v->filters;
            w.y = a->dx + (i * v->width + left) * v->channels;
            w.columns = (v->width - left + v->stride - 1) / v->stride;
            run_line(&w);
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

/* Positions [ox.begin, ox.end) of a line of dy, all of which see `taps` neighbours of a line of x
 * from tap kx on. */
BL_INLINE void line_of_taps(bl_v (*acc)[VECS], const bl_conv *v, const float *x, const float *dy,
                            bl_range ox, size_t kx, const int taps, const int vecs, bl_lanes m) {
    if (ox.begin >= ox.end) return;
    const float *see = x + (ox.begin * v->stride + kx - v->pad) * v->channels;
    dy += ox.begin * v->filters;
    for (size_t i = ox.begin; i < ox.end; i++, dy += v->filters, see += v->stride * v->channels)
        for (int d = 0; d < vecs; d++) {
            const bl_v g = bl_v_get(dy + d * BL_W, m);
            for (int t = 0; t < taps; t++)
                acc[t][d] =
                    bl_v_fma(bl_v_get(see + (size_t)t * v->channels + d * BL_W, m), g, acc[t][d]);
        }
}

/* Taps (ky, kx) up to (ky, kx + taps): their chains over the example's positions. */
BL_INLINE void taps_step(const weight_at *at, size_t ky, size_t kx, size_t j, const int taps,
                         const int vecs, bl_lanes m) {
    const bl_conv *v = &at->a->conv;
    const bl_range rows = bl_valid_outputs(v, ky, v->out_height, v->height);
    bl_range seen[MOST_TAPS], inner = {0, v->out_width};
    bl_v acc[MOST_TAPS][VECS];
    for (int t = 0; t < taps; t++) {
        seen[t] = bl_valid_outputs(v, kx + (size_t)t, v->out_width, v->width);
        inner.begin = bl_size_max(inner.begin, seen[t].begin);
        inner.end = bl_size_min(inner.end, seen[t].end);
        for (int d = 0; d < vecs; d++) acc[t][d] = bl_v_zero();
    }
    inner.end = bl_size_max(inner.begin, inner.end);
    for (size_t oy = rows.begin; oy < rows.end; oy++) {
        const float *x = at->x + (oy * v->stride + ky - v->pad) * v->width * v->channels + j;
        const float *dy = at->dy + oy * v->out_width * v->filters + j;
        for (int t = 0; t < taps; t++) {
            const bl_range before = {seen[t].begin, bl_size_min(inner.begin, seen[t].end)};
            line_of_taps(acc + t, v, x, dy, before, kx + (size_t)t, 1, vecs, m);
        }
        line_of_taps(acc, v, x, dy, inner, kx, taps, vecs, m);
        for (int t = 0; t < taps; t++) {
            const bl_range after = {bl_size_max(inner.end, seen[t].begin), seen[t].end};
            line_of_taps(acc + t, v, x, dy, after, kx + (size_t)t, 1, vecs, m);
        }
    }
    for (int t = 0; t < taps; t++) join(at, ky * v->kernel + kx + (size_t)t, j, vecs, m, acc[t]);
}

BL_INLINE void weight_step(const void *ctx, size_t j, const int vecs, bl_lanes m) {
    const weight_at *at = ctx;
    const bl_conv *v = &at->a->conv;
    const size_t taps = v->kernel * v->kernel, positions = v->out_height * v->out_width;
    for (size_t tap = 0; tap < taps;) {
        const size_t ky = tap / v->kernel, kx = tap % v->kernel;
        if (v->kernel == 3)
            taps_step(at, ky, kx, j, 3, vecs, m);
        else if (v->kernel == 5)
            taps_step(at, ky, kx, j, 5, vecs, m);
        else
            taps_step(at, ky, kx, j, 1, vecs, m);
        tap += v->kernel == 3 || v->kernel == 5 ? v->kernel : 1;
    }
    if (at->a->dbias == NULL) return;
    bl_v acc[VECS];
    for (int i = 0; i < vecs; i++) acc[i] = bl_v_zero();
    for (size_t p = 0; p < positions; p++)
        for (int i = 0; i < vecs; i++)
            acc[i] = acc[i] + bl_v_get(at->dy + p * v->filters + j + i * BL_W, m);
    join(at, taps, j, vecs, m, acc);
}

/* dw, and dbias where wanted, of one strip of channels: chains of BL_BLOCK examples, then the tree
 * over them. */
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
    if (at->a->dbias != NULL)
        memcpy(at->a->dbias + at->strip.begin, at->sums + taps * count, count * sizeof *at->sums);
}

void BL_CPU(depthwise_backward_weight)(const bl_conv2d_backward_weight *a, const bl_part *part) {
    const bl_conv *v = &a->conv;
    const bl_range channels = bl_part_range(part, v->filters, BL_W);
    const size_t levels = bl_tree_levels((v->batch + BL_BLOCK - 1) / BL_BLOCK);
    const size_t most = SCRATCH_FLOATS / ((v->kernel * v->kernel + 1) * (levels + 1)) / BL_W * BL_W;
    for (size_t j = channels.begin; j < channels.end; j += most) {
        weight_at at = {
            .a = a, .sums = part->scratch, .strip = {j, bl_size_min(j + most, channels.end)}
        };
        const size_t floats = (v->kernel * v->kernel + 1) * (at.strip.end - j);
        weight_strip(&at, at.sums + floats);
    }
}
