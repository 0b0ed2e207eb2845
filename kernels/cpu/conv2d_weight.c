/* conv2d_backward_weight: dw and dbias, with rule B.
 *
 * The outputs are cut into macro tiles: some rows of dw times some panels of filters. The loops of
 * one macro tile, from the outermost to the innermost:
 *
 *     example         dy is packed into panels, because the positions of one of several panels lie
 *                     far apart and share sets of the first cache
 *     band            some lines of dy; a large image passes in bands, and between two of them the
 *                     chains wait in memory
 *     register tile   some rows times one panel; each sum is one chain over the band's positions,
 *                     in runs: a run is the part of a line of dy whose x lies inside the image
 *
 * After an example its sums are added to those of the block. After 256 examples the block's sums go
 * into the binary-counter tree. dbias is one more row, in the macro tiles that have the first row
 * of dw.
 *
 * A tap with few channels does not fill a register tile. Then tiles hold several taps, and lines of
 * x are copied with zeros around them. A product with such a zero changes no sum, unless dy is not
 * finite there. So a macro tile with a NaN in its result is computed again, tap by tap. */
#include "kernels/cpu/conv_ranges.h"
#include "kernels/cpu/conv_tile.h"
#include "kernels/cpu/depthwise.h"
#include "kernels/cpu/tree.h"
#include <math.h>

enum {
    SCRATCH_FLOATS = BL_KERNEL_SCRATCH / sizeof(float),
    SUM_FLOATS = SCRATCH_FLOATS / 2, /* accumulators, chains that wait, levels of the tree */
    IMAGE_FLOATS = SCRATCH_FLOATS / 4,
    PACKED_FLOATS = SCRATCH_FLOATS / 4,
    MACRO_FLOATS = 96,     /* columns of a macro tile */
    BAND_FLOATS = 1 << 14, /* of a panel of dy */
    PACKED_ROWS = 64,      /* below it dy is not packed if it can be read as it lies */
    FEW_CHANNELS = 4,      /* below it tiles cross taps */
};

typedef struct weights {
    const bl_conv2d_backward_weight *a;
    const bl_conv *v;
    size_t rows, channels, filters; /* of dw; of a group */
    size_t group;
    bl_conv_panels panels; /* of a group's filters */
    bl_range row, panel;   /* the macro tile */
    bool bias;             /* it has a row of dbias behind its rows of dw */
    size_t band;           /* lines of dy at once */
    size_t columns, line;  /* of x in reach of a line; floats of such a line */
    bool by_tap;           /* tiles keep to a tap, and x is read where it lies */
    bool in_place;         /* nothing lies outside of x: it is not copied */
    bool dy_in_place;      /* dy is one panel of whole vectors, or its rows are few */
    size_t sums;           /* floats of the macro tile: panel after panel, (rows, its width) */
    float *acc, *wait, *levels, *image, *packed;
} weights;

/* Lines of x that lines [oy, oy + lines) of dy reach, with zeros where x has none. */
static void copy_image(const weights *w, size_t b, size_t oy, size_t lines) {
    const bl_conv *v = w->v;
    const size_t c = v->channels, count = (lines - 1) * v->stride + v->kernel;
    const size_t used = bl_size_min(w->columns - bl_size_min(v->pad, w->columns), v->width);
    for (size_t l = 0; l < count; l++) {
        float *dst = w->image + l * w->line;
        const size_t y = oy * v->stride + l - v->pad; /* wraps above the image */
        const size_t n = y < v->height ? used * c : 0;
        const size_t before = bl_size_min(v->pad, w->columns) * c;
        memset(dst, 0, before * sizeof *dst);
        if (n > 0)
            memcpy(dst + before, w->a->x + (b * v->height + y) * v->width * c, n * sizeof *dst);
        memset(dst + before + n, 0, (w->line - before - n) * sizeof *dst);
    }
}

/* Rows of `cols` floats become whole vectors with zeros behind them. */
BL_INLINE void pack_panel(float *dst, const float *from, size_t stride, size_t positions,
                          const int vecs, size_t cols) {
    const size_t rest = cols - (size_t)(vecs - 1) * BL_W;
    const bl_lanes whole = {.full = true};
    const bl_lanes last = {.full = rest == BL_W, .first = bl_vm_first(rest % BL_W)};
    for (size_t i = 0; i < positions; i++, dst += vecs * BL_W, from += stride)
        for (int v = 0; v < vecs; v++)
            bl_v_store(dst + v * BL_W, bl_v_get(from + v * BL_W, v < vecs - 1 ? whole : last));
}

/* Panels of the macro tile, one after another: (positions, its width), zeros beyond the filters. */
static void pack_dy(const weights *w, size_t b, size_t oy, size_t lines) {
    const bl_conv *v = w->v;
    const size_t positions = lines * v->out_width;
    const float *dy =
        w->a->dy + (b * v->out_height + oy) * v->out_width * v->filters + w->group * w->filters;
    float *dst = w->packed;
    for (size_t p = w->panel.begin; p < w->panel.end; p++) {
        const size_t cols = bl_conv_panel_columns(&w->panels, p);
        const size_t vecs = bl_conv_panel_vecs(&w->panels, p);
        const float *from = dy + p * w->panels.vecs * BL_W;
        if (BL_CONV_VECS > 2 && vecs == 3)
            pack_panel(dst, from, v->filters, positions, BL_CONV_VECS, cols);
        else if (vecs == 2)
            pack_panel(dst, from, v->filters, positions, 2, cols);
        else
            pack_panel(dst, from, v->filters, positions, 1, cols);
        dst += positions * vecs * BL_W;
    }
}

/* A row of dw, and its first x. */
typedef struct cursor {
    const float *x;
    size_t channel, kx;
} cursor;

static cursor row_at(const weights *w, const float *base, size_t row) {
    const size_t tap = row / w->channels, ky = tap / w->v->kernel;
    cursor c = {.channel = row % w->channels, .kx = tap % w->v->kernel};
    c.x = base + ky * w->line + c.kx * w->v->channels + w->group * w->channels + c.channel;
    return c;
}
/* Without the divisions, which would take as long as a small image's chains. */
BL_INLINE void next_row(const weights *w, cursor *c) {
    c->x++;
    if (++c->channel < w->channels) return;
    c->x += w->v->channels - w->channels;
    c->channel = 0;
    if (++c->kx < w->v->kernel) return;
    c->x += (ptrdiff_t)w->line - (ptrdiff_t)(w->v->kernel * w->v->channels);
    c->kx = 0;
}

/* Rows of sums: those of dw, and that of dbias. */
static size_t rows_of(const weights *w) {
    return w->row.end - w->row.begin + (w->bias ? 1 : 0);
}
/* Where a panel's sums begin among the macro tile's. */
static size_t panel_at(const weights *w, size_t panel) {
    return (panel - w->panel.begin) * w->panels.vecs * BL_W * rows_of(w);
}

/* The row of dbias of one panel over a band of `positions`. */
BL_INLINE void run_bias(const weights *w, const float *dy, size_t b_step, size_t positions,
                        const int vecs, float *acc, bool pauses) {
    float *to = pauses ? acc + (w->wait - w->acc) : acc;
    bl_v chain[BL_CONV_VECS];
    for (int v = 0; v < vecs; v++) chain[v] = pauses ? bl_v_load(to + v * BL_W) : bl_v_zero();
    for (size_t i = 0; i < positions; i++, dy += b_step)
        for (int v = 0; v < vecs; v++) chain[v] = chain[v] + bl_v_load(dy + v * BL_W);
    for (int v = 0; v < vecs; v++) {
        if (!pauses) chain[v] = bl_v_load(to + v * BL_W) + chain[v];
        bl_v_store(to + v * BL_W, chain[v]);
    }
}

/* Rows are cut into register tiles that are all as high as can be, or one row less. */
typedef struct heights {
    size_t most, tiles, lower; /* tiles of one row less, the first ones */
} heights;
static heights heights_of(size_t rows, size_t vecs) {
    const size_t most = bl_conv_rows(vecs), tiles = (rows + most - 1) / most;
    const size_t missing = tiles * most - rows;
    return (heights){.most = most, .tiles = tiles, .lower = missing <= tiles ? missing : 0};
}

/* Goes down `tiles` tiles, which are one unless rows are near. Not inlined: there are many. */
typedef void tile_kind(const bl_conv_tile *t, const float *a, float *c, size_t tiles);
#define TILE(NAME, VECS, LESS, LAYOUT, PAUSES)                                                     \
    __attribute__((noinline)) static void NAME(const bl_conv_tile *t, const float *a, float *c,    \
                                               size_t tiles) {                                     \
        const bl_conv_kind kind = {.vecs = VECS,                                                   \
                                   .rows = (int)bl_conv_rows(VECS) - (LESS),                       \
                                   .layout = LAYOUT,                                               \
                                   .pauses = PAUSES};                                              \
        for (; tiles > 0; tiles--, a += kind.rows, c += kind.rows * (VECS)*BL_W)                   \
            bl_conv_tile_body(t, a, c, kind);                                                      \
    }
#define TILES(NAME, VECS, PAUSES)                                                                  \
    TILE(NAME##_high, VECS, 0, BL_CONV_APART, PAUSES)                                              \
    TILE(NAME##_low, VECS, 1, BL_CONV_APART, PAUSES)                                               \
    TILE(NAME##_high_near, VECS, 0, BL_CONV_NEAR, PAUSES)                                          \
    TILE(NAME##_low_near, VECS, 1, BL_CONV_NEAR, PAUSES)
TILES(tile_1, 1, false)
TILES(tile_2, 2, false)
TILES(tile_most, BL_CONV_VECS, false)
TILES(tile_1_pauses, 1, true)
TILES(tile_2_pauses, 2, true)
TILES(tile_most_pauses, BL_CONV_VECS, true)
#undef TILES
#undef TILE
#define TILES(NAME)                                                                                \
    {                                                                                              \
        {NAME##_high, NAME##_low}, {                                                               \
            NAME##_high_near, NAME##_low_near                                                      \
        }                                                                                          \
    }
/* [pauses][vecs - 1][near][low] */
static tile_kind *const k_tiles[2][3][2][2] = {
    {TILES(tile_1),        TILES(tile_2),        TILES(tile_most)       },
    {TILES(tile_1_pauses), TILES(tile_2_pauses), TILES(tile_most_pauses)}
};
#undef TILES

/* One panel over a band, whose lines of x have zeros around them. */
static void run_mixed(const weights *w, bl_conv_tile *t, const float *base, size_t vecs, float *acc,
                      bool pauses) {
    const heights h = heights_of(w->row.end - w->row.begin, vecs);
    cursor at = row_at(w, base, w->row.begin);
    for (size_t i = 0, row = w->row.begin; i < h.tiles; i++, row += t->rows) {
        t->rows = bl_size_min(w->row.end - row, i < h.lower ? h.most - 1 : h.most);
        for (size_t r = 0; r < h.most; r++) {
            t->a[r] = r < t->rows ? at.x : t->a[0];
            t->c[r] = r < t->rows ? acc + r * t->cols : acc;
            if (r < t->rows) next_row(w, &at);
        }
        k_tiles[pauses][vecs - 1][0][i < h.lower](t, NULL, acc, 1);
        acc += t->rows * t->cols;
    }
}

/* The tap of a row over lines [oy, oy + lines) of dy: its runs, and where in the image they begin.
 */
static size_t runs_of_tap(const weights *w, bl_conv_tile *t, bl_conv_run *run, size_t row,
                          size_t oy, size_t lines) {
    const bl_conv *v = w->v;
    const size_t tap = row / w->channels, ky = tap / v->kernel, kx = tap % v->kernel;
    const bl_range ys = bl_valid_outputs(v, ky, v->out_height, v->height);
    const bl_range xs = bl_valid_outputs(v, kx, v->out_width, v->width);
    const size_t begin = bl_size_max(ys.begin, oy), end = bl_size_min(ys.end, oy + lines);
    const size_t line = v->stride * v->width * v->channels, len = xs.end - xs.begin;
    t->runs = 0;
    if (begin >= end || xs.begin >= xs.end) return 0;
    for (size_t y = begin; y < end; y++)
        run[t->runs++] = (bl_conv_run){.at = (y - begin) * line,
                                       .len = len,
                                       .b = ((y - oy) * v->out_width + xs.begin) * t->b_step};
    if (v->stride == 1 && len == v->width && len == v->out_width) { /* one line after another */
        run[0].len *= t->runs;
        t->runs = 1;
    }
    const size_t y = begin * v->stride + ky - v->pad, x = xs.begin * v->stride + kx - v->pad;
    return (y * v->width + x) * v->channels + w->group * w->channels + row % w->channels;
}

/* One panel over a band of an example's image, tap by tap. */
static void run_taps(const weights *w, bl_conv_tile *t, bl_conv_run *run, const float *image,
                     size_t oy, size_t lines, size_t vecs, float *acc, bool pauses) {
    for (size_t row = w->row.begin, count; row < w->row.end; row += count) {
        count = bl_size_min(w->channels - row % w->channels, w->row.end - row);
        const heights h = heights_of(count, vecs);
        const float *a = image + runs_of_tap(w, t, run, row, oy, lines);
        float *c = acc;
        acc += count * t->cols;
        if (t->runs == 0) continue;
        tile_kind *const(*tile)[2] = k_tiles[pauses][vecs - 1];
        const size_t low = h.lower, high = (count - low * (h.most - 1)) / h.most;
        if (low > 0) tile[1][1](t, a, c, low);
        a += low * (h.most - 1), c += low * (h.most - 1) * t->cols;
        tile[1][0](t, a, c, high);
        a += high * h.most, c += high * h.most * t->cols;
        t->rows = count - low * (h.most - 1) - high * h.most;
        if (t->rows == 0) continue;
        for (size_t r = 0; r < h.most; r++) { /* not behind the array */
            t->a[r] = a + (r < t->rows ? r : 0);
            t->c[r] = c + (r < t->rows ? r * t->cols : 0);
        }
        tile[0][0](t, NULL, c, 1);
    }
}

/* A band of an example's lines. */
typedef struct slice {
    const float *image, *base; /* the example's x; its lines with zeros around them */
    size_t oy, lines;
    bl_conv_run run[BL_BLOCK];
} slice;

/* `vecs` becomes a constant of the inlined loop. */
static void run_bias_of(const weights *w, const bl_conv_tile *t, size_t vecs, size_t positions,
                        float *acc, bool pauses) {
    if (BL_CONV_VECS > 2 && vecs == 3)
        run_bias(w, t->b, t->b_step, positions, BL_CONV_VECS, acc, pauses);
    else if (vecs == 2)
        run_bias(w, t->b, t->b_step, positions, 2, acc, pauses);
    else
        run_bias(w, t->b, t->b_step, positions, 1, acc, pauses);
}

/* Adds a slice's products for one panel of filters to its sums in w->acc. t->b goes on to the next
 * panel's dy. */
static void run_panel(const weights *w, bl_conv_tile *t, slice *b, size_t panel, bool pauses) {
    const size_t vecs = bl_conv_panel_vecs(&w->panels, panel);
    const size_t positions = b->lines * w->v->out_width;
    float *acc = w->acc + panel_at(w, panel);
    t->cols = vecs * BL_W;
    t->b_step = w->dy_in_place ? w->v->filters : t->cols;
    if (w->by_tap) {
        run_taps(w, t, b->run, b->image, b->oy, b->lines, vecs, acc, pauses);
    } else {
        t->runs = b->lines;
        for (size_t l = 0; l < b->lines; l++)
            b->run[l] = (bl_conv_run){.at = l * w->v->stride * w->line,
                                      .len = w->v->out_width,
                                      .b = l * w->v->out_width * t->b_step};
        run_mixed(w, t, b->base, vecs, acc, pauses);
    }
    acc += (w->row.end - w->row.begin) * t->cols;
    if (w->bias) run_bias_of(w, t, vecs, positions, acc, pauses);
    t->b += w->dy_in_place ? t->cols : positions * t->cols;
}

/* `lines` output lines of one example, from oy on, for all panels. Unless the band is the whole
 * picture, an example's sum is closed only with its last line: until then it lies in w->wait. */
static void run_band(const weights *w, size_t example, size_t oy, size_t lines) {
    const bl_conv *v = w->v;
    const size_t line = v->width * v->channels;
    const bool whole = lines == v->out_height;
    slice b = {.image = w->a->x + example * v->height * line, .oy = oy, .lines = lines};
    bl_conv_tile t = {.a_step = v->stride * v->channels,
                      .run = b.run,
                      .b = w->packed,
                      .add = true,
                      .wait = (size_t)(w->wait - w->acc)};
    b.base = w->in_place ? b.image + oy * v->stride * line : w->image;
    if (!w->by_tap && !w->in_place) copy_image(w, example, oy, lines);
    if (w->dy_in_place)
        t.b = w->a->dy + (example * v->out_height + oy) * v->out_width * v->filters +
              w->panel.begin * w->panels.vecs * BL_W;
    else
        pack_dy(w, example, oy, lines);
    if (!whole && oy == 0) memset(w->wait, 0, w->sums * sizeof *w->wait);
    for (size_t p = w->panel.begin; p < w->panel.end; p++) run_panel(w, &t, &b, p, !whole);
    if (whole || oy + lines < v->out_height) return;
    for (size_t i = 0; i < w->sums; i += BL_W)
        bl_v_store(w->acc + i, bl_v_load(w->acc + i) + bl_v_load(w->wait + i));
}

/* From the macro tile's sums, which have whole vectors of columns, to the rows of dw and to
 * dbias. */
static void store(const weights *w) {
    const size_t rows = w->row.end - w->row.begin;
    for (size_t p = w->panel.begin; p < w->panel.end; p++) {
        const size_t cols = bl_conv_panel_columns(&w->panels, p);
        const size_t width = bl_conv_panel_vecs(&w->panels, p) * BL_W;
        const size_t j0 = w->group * w->filters + p * w->panels.vecs * BL_W;
        const float *acc = w->acc + panel_at(w, p);
        for (size_t r = 0; r < rows; r++, acc += width)
            memcpy(w->a->dw + (w->row.begin + r) * w->v->filters + j0, acc, cols * sizeof *acc);
        if (w->bias) memcpy(w->a->dbias + j0, acc, cols * sizeof *acc);
    }
}

/* The whole batch for one macro tile: block by block, each from zero, into the tree. */
static void sum_up(const weights *w) {
    const bl_conv *v = w->v;
    for (size_t begin = 0; begin < v->batch; begin += BL_BLOCK) {
        const size_t end = bl_size_min(begin + BL_BLOCK, v->batch);
        memset(w->acc, 0, w->sums * sizeof *w->acc);
        for (size_t b = begin; b < end; b++)
            for (size_t oy = 0; oy < v->out_height; oy += w->band)
                run_band(w, b, oy, bl_size_min(w->band, v->out_height - oy));
        bl_tree_climb(w->acc, w->levels, w->sums, begin / BL_BLOCK, end == v->batch);
    }
}

/* Computed twice where zeros around the image may have met a dy that is not finite: 0 * infinity
 * is a NaN that the contract, which leaves such terms out, does not have. */
static void macro_tile(weights *w) {
    const bool zeros = !w->by_tap && !w->in_place;
    bool strange = false;
    sum_up(w);
    for (size_t i = 0; zeros && i < w->sums; i++) strange |= isnan(w->acc[i]);
    if (strange) {
        w->by_tap = true;
        sum_up(w);
        w->by_tap = false;
    }
    store(w);
}

/* Lines of dy at once: as many as keep a panel of them in the first cache, and all that is packed
 * and copied in scratch. */
static size_t band_of(const weights *w, size_t panels) {
    const bl_conv *v = w->v;
    const size_t width = w->panels.vecs * BL_W;
    const size_t packed = v->out_width * panels * width, lines = IMAGE_FLOATS / w->line;
    const size_t bands = (v->out_height * v->out_width * width + BAND_FLOATS - 1) / BAND_FLOATS;
    size_t band = bl_size_min((v->out_height + bands - 1) / bands, BL_BLOCK);
    if (!w->dy_in_place) band = bl_size_min(band, PACKED_FLOATS / packed);
    if (!w->by_tap && !w->in_place) band = bl_size_min(band, (lines - v->kernel) / v->stride + 1);
    return band;
}

/* Cuts the rows [rows.begin, rows.end) of a group into macro tiles and computes them. */
static void run_group(weights *w, bl_range rows) {
    const bl_conv *v = w->v;
    const size_t levels = bl_tree_levels((v->batch + BL_BLOCK - 1) / BL_BLOCK);
    const size_t width = w->panels.vecs * BL_W, together = bl_size_max(MACRO_FLOATS / width, 1);
    for (size_t p = 0; p < w->panels.count; p += together) {
        w->panel = (bl_range){p, bl_size_min(p + together, w->panels.count)};
        const size_t panels = w->panel.end - w->panel.begin;
        w->band = band_of(w, panels);
        const size_t copies = levels + (w->band < v->out_height ? 2 : 1);
        const size_t most = SUM_FLOATS / (panels * width * copies) - 1;
        size_t row = rows.begin;
        do {
            w->row = (bl_range){row, bl_size_min(row + most, rows.end)};
            w->bias = w->a->dbias != NULL && row == 0;
            w->sums = rows_of(w) * panels * width;
            w->wait = w->acc + w->sums;
            w->levels = w->acc + w->sums * (copies - levels);
            macro_tile(w);
            row = w->row.end;
        } while (row < rows.end);
    }
}

void BL_CPU(conv2d_backward_weight)(const bl_conv2d_backward_weight *a, const bl_part *part) {
    const bl_conv *v = &a->conv;
    if (bl_is_depthwise(v)) {
        BL_CPU(depthwise_backward_weight)(a, part);
        return;
    }
    float *scratch = part->scratch;
    weights w = {.a = a,
                 .v = v,
                 .channels = v->channels / v->groups,
                 .filters = v->filters / v->groups,
                 .panels = bl_conv_cut(v->filters / v->groups),
                 .acc = scratch,
                 .image = scratch + SUM_FLOATS,
                 .packed = scratch + SUM_FLOATS + IMAGE_FLOATS};
    w.rows = v->kernel * v->kernel * w.channels;
    const bl_range rows = bl_part_range(part, w.rows, BL_CONV_ROWS);
    const bool bias = a->dbias != NULL && part->part == 0;
    if (v->batch == 0 || v->out_height == 0 || v->out_width == 0) {
        memset(a->dw + rows.begin * v->filters, 0,
               (rows.end - rows.begin) * v->filters * sizeof *a->dw);
        if (bias) memset(a->dbias, 0, v->filters * sizeof *a->dbias);
        return;
    }
    if (v->filters == 0 || (rows.begin == rows.end && !bias)) return;
    w.by_tap = w.channels >= FEW_CHANNELS;
    w.in_place = v->pad == 0;
    w.columns = w.in_place ? v->width : (v->out_width - 1) * v->stride + v->kernel;
    w.line = bl_size_max(w.columns * v->channels, 1);
    const bool few = w.panels.count == 1 || w.rows < PACKED_ROWS;
    w.dy_in_place = few && v->groups == 1 && v->filters % BL_W == 0;
    for (w.group = 0; w.group < v->groups; w.group++) run_group(&w, rows);
}
