/* conv2d_backward_weight: dw and dbias, with rule B.
 *
 * The outputs are cut into macro tiles. A macro tile walks the batch: an example's lines of x are
 * copied with their borders of zeros, its dy is packed into panels, and every register tile runs
 * one chain over the positions, a run being a line of dy. The example's sums are added to the
 * block's; after 256 examples the binary-counter tree is climbed. A large image passes in bands of
 * lines: then its chains wait in memory between them. */
#include "kernels/cpu/conv_tile.h"
#include "kernels/cpu/image_sums.h"

enum {
    SCRATCH_FLOATS = BL_KERNEL_SCRATCH / sizeof(float),
    SUM_FLOATS = SCRATCH_FLOATS / 2, /* accumulators, chains that wait, levels of the tree */
    IMAGE_FLOATS = SCRATCH_FLOATS / 4,
    PACKED_FLOATS = SCRATCH_FLOATS / 4,
    MACRO_PANELS = 4,
};

typedef struct weights {
    const bl_conv2d_backward_weight *a;
    const bl_conv *v;
    size_t rows, channels, filters; /* of dw; of a group */
    size_t group;
    bl_conv_panels panels; /* of a group's filters */
    bl_range row, panel;   /* the macro tile */
    size_t band;           /* lines of dy at once */
    size_t columns, line;  /* of x in reach of a line; floats of such a line */
    bool in_place;         /* nothing lies outside of x: it is not copied */
    size_t slot, sums;     /* floats of a register tile; of the macro tile */
    float *acc, *wait, *levels, *image, *packed;
} weights;

/* Lines of x that lines [oy, oy + lines) of dy reach, with zeros where x has none. */
static void copy_image(const weights *w, size_t b, size_t oy, size_t lines) {
    const bl_conv *v = w->v;
    const size_t c = v->channels, count = (lines - 1) * v->stride + v->kernel;
    const size_t used = bl_min_size(w->columns - bl_min_size(v->pad, w->columns), v->width);
    for (size_t l = 0; l < count; l++) {
        float *dst = w->image + l * w->line;
        const size_t y = oy * v->stride + l - v->pad; /* wraps above the image */
        const size_t n = y < v->height ? used * c : 0;
        const size_t before = bl_min_size(v->pad, w->columns) * c;
        memset(dst, 0, before * sizeof *dst);
        if (n > 0)
            memcpy(dst + before, w->a->x + (b * v->height + y) * v->width * c, n * sizeof *dst);
        memset(dst + before + n, 0, (w->line - before - n) * sizeof *dst);
    }
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
        const size_t width = bl_conv_panel_vecs(&w->panels, p) * BL_W;
        const float *from = dy + p * w->panels.vecs * BL_W;
        for (size_t i = 0; i < positions; i++, dst += width, from += v->filters) {
            if (cols < width) memset(dst, 0, width * sizeof *dst);
            memcpy(dst, from, cols * sizeof *dst);
        }
    }
}

/* Where row `row` of dw finds its first x. */
static const float *row_at(const weights *w, const float *base, size_t row) {
    const size_t tap = row / w->channels, ky = tap / w->v->kernel, kx = tap % w->v->kernel;
    return base + ky * w->line + kx * w->v->channels + w->group * w->channels + row % w->channels;
}

/* The chains of one register tile over a band; the sums they make join acc at the end of an image.
 */
BL_INLINE void run_tile(const weights *w, bl_conv_tile *t, const int vecs, bool adjacent,
                        float *acc, bool first, bool last) {
    float chain[BL_CONV_ROWS * BL_CONV_VECS * BL_W] __attribute__((aligned(64)));
    const size_t floats = (size_t)BL_CONV_ROWS * (size_t)vecs * BL_W;
    const bool whole = first && last;
    t->c = whole ? chain : acc + (w->wait - w->acc);
    if (whole)
        bl_conv_tile_body(t, vecs, adjacent, false, t->a_step);
    else {
        if (first) memset(t->c, 0, floats * sizeof *t->c);
        bl_conv_tile_body(t, vecs, adjacent, true, t->a_step);
    }
    if (!last) return;
    for (size_t i = 0; i < floats; i += BL_W)
        bl_v_store(acc + i, bl_v_load(acc + i) + bl_v_load(t->c + i));
}

BL_INLINE void run_tiles(const weights *w, bl_conv_tile *t, const float *base, const int vecs,
                         size_t panel, bool first, bool last) {
    const size_t panels = w->panel.end - w->panel.begin;
    float *acc = w->acc + panel * w->slot;
    for (size_t row = w->row.begin; row < w->row.end; row += BL_CONV_ROWS) {
        const size_t rows = bl_min_size(w->row.end - row, BL_CONV_ROWS);
        for (size_t r = 0; r < BL_CONV_ROWS; r++)
            t->a[r] = row_at(w, base, row + (r < rows ? r : 0));
        if (w->channels % BL_CONV_ROWS == 0)
            run_tile(w, t, vecs, true, acc, first, last);
        else
            run_tile(w, t, vecs, false, acc, first, last);
        acc += panels * w->slot;
    }
}

static void run_band(const weights *w, size_t b, size_t oy, size_t lines) {
    const bl_conv *v = w->v;
    const bool first = oy == 0, last = oy + lines == v->out_height;
    const float *base = w->image;
    bl_conv_run run[BL_BLOCK];
    if (w->in_place)
        base = w->a->x + (b * v->height + oy * v->stride) * v->width * v->channels;
    else
        copy_image(w, b, oy, lines);
    pack_dy(w, b, oy, lines);
    for (size_t l = 0; l < lines; l++)
        run[l] = (bl_conv_run){.at = l * v->stride * w->line, .len = v->out_width};
    bl_conv_tile t = {.a_step = v->stride * v->channels, .run = run, .runs = lines, .b = w->packed};
    for (size_t p = w->panel.begin; p < w->panel.end; p++) {
        const size_t vecs = bl_conv_panel_vecs(&w->panels, p), i = p - w->panel.begin;
        if (vecs == 3)
            run_tiles(w, &t, base, 3, i, first, last);
        else if (vecs == 2)
            run_tiles(w, &t, base, 2, i, first, last);
        else
            run_tiles(w, &t, base, 1, i, first, last);
        t.b += lines * v->out_width * vecs * BL_W;
    }
}

static void store(const weights *w) {
    const float *acc = w->acc;
    for (size_t row = w->row.begin; row < w->row.end; row += BL_CONV_ROWS)
        for (size_t p = w->panel.begin; p < w->panel.end; p++, acc += w->slot) {
            const size_t rows = bl_min_size(w->row.end - row, BL_CONV_ROWS);
            const size_t cols = bl_conv_panel_columns(&w->panels, p);
            const size_t width = bl_conv_panel_vecs(&w->panels, p) * BL_W;
            const size_t j0 = w->group * w->filters + p * w->panels.vecs * BL_W;
            for (size_t r = 0; r < rows; r++)
                memcpy(w->a->dw + (row + r) * w->v->filters + j0, acc + r * width,
                       cols * sizeof *acc);
        }
}

static void macro_tile(const weights *w) {
    const bl_conv *v = w->v;
    for (size_t begin = 0; begin < v->batch; begin += BL_BLOCK) {
        const size_t end = bl_min_size(begin + BL_BLOCK, v->batch);
        memset(w->acc, 0, w->sums * sizeof *w->acc);
        for (size_t b = begin; b < end; b++)
            for (size_t oy = 0; oy < v->out_height; oy += w->band)
                run_band(w, b, oy, bl_min_size(w->band, v->out_height - oy));
        bl_tree_climb(w->acc, w->levels, w->sums, begin / BL_BLOCK, end == v->batch);
    }
    store(w);
}

/* Cuts the rows [rows.begin, rows.end) of a group into macro tiles and computes them. */
static void run_group(weights *w, bl_range rows) {
    const bl_conv *v = w->v;
    const size_t levels = bl_tree_levels((v->batch + BL_BLOCK - 1) / BL_BLOCK);
    w->slot = (size_t)BL_CONV_ROWS * w->panels.vecs * BL_W;
    for (size_t p = 0; p < w->panels.count; p += MACRO_PANELS) {
        w->panel = (bl_range){p, bl_min_size(p + MACRO_PANELS, w->panels.count)};
        const size_t panels = w->panel.end - w->panel.begin;
        const size_t packed = v->out_width * panels * w->panels.vecs * BL_W; /* a line of dy */
        const size_t lines = IMAGE_FLOATS / w->line;
        w->band = bl_min_size(bl_min_size(v->out_height, BL_BLOCK), PACKED_FLOATS / packed);
        if (!w->in_place) w->band = bl_min_size(w->band, (lines - v->kernel) / v->stride + 1);
        const size_t copies = levels + (w->band < v->out_height ? 2 : 1);
        const size_t most = SUM_FLOATS / (panels * w->slot * copies) * BL_CONV_ROWS;
        for (size_t row = rows.begin; row < rows.end; row += most) {
            w->row = (bl_range){row, bl_min_size(row + most, rows.end)};
            const size_t tiles = (w->row.end - row + BL_CONV_ROWS - 1) / BL_CONV_ROWS;
            w->sums = tiles * panels * w->slot;
            w->wait = w->acc + w->sums;
            w->levels = w->acc + w->sums * (copies - levels);
            macro_tile(w);
        }
    }
}

BL_INLINE bl_image_sum add_dy(const void *ctx, bl_image_sum acc, size_t i, size_t b, size_t j,
                              bl_lanes m) {
    (void)b, (void)j;
    acc.s = acc.s + bl_v_get((const float *)ctx + i, m);
    return acc;
}

static void bias(const bl_conv2d_backward_weight *a, const bl_part *part) {
    const bl_conv *v = &a->conv;
    const bl_range columns = bl_part_range(part, v->filters, BL_W);
    for (size_t j = columns.begin; j < columns.end; j += BL_IMAGE_STRIP)
        bl_image_sums(a->dbias, NULL, (bl_range){0, v->batch}, v->out_height * v->out_width,
                      v->filters, (bl_range){j, bl_min_size(j + BL_IMAGE_STRIP, columns.end)},
                      part->scratch, add_dy, a->dy);
}

void BL_CPU(conv2d_backward_weight)(const bl_conv2d_backward_weight *a, const bl_part *part) {
    const bl_conv *v = &a->conv;
    if (a->dbias) bias(a, part);
    if (v->channels == 0 || v->filters == 0) return;
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
    if (v->batch == 0 || v->out_height == 0 || v->out_width == 0) {
        memset(a->dw + rows.begin * v->filters, 0,
               (rows.end - rows.begin) * v->filters * sizeof *a->dw);
        return;
    }
    if (w.rows == 0 || rows.begin == rows.end) return;
    w.in_place = v->pad == 0;
    w.columns = w.in_place ? v->width : (v->out_width - 1) * v->stride + v->kernel;
    w.line = w.columns * v->channels;
    for (w.group = 0; w.group < v->groups; w.group++) run_group(&w, rows);
}
