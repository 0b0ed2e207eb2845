/* conv2d_forward and conv2d_backward_input. Each result is a sum of products of weights with the
 * window of the image that its position sees, by rule F.
 *
 * Both are the same walk. Forward, an output position sees `taps` x `taps` positions of x.
 * Backward, a position of dx gets its value from positions of dy. The positions of dx with equal
 * remainders modulo the stride are a residue class (conv_ranges.h). Within one class the windows
 * in dy have no gaps, so each class is computed like a forward convolution of stride 1.
 *
 * The loops, from the outermost to the innermost:
 *
 *     walk    the batch, one group of channels after the other; weights are packed for as many
 *             terms and panels of output channels as the scratch holds
 *     piece   a few images, or a band of the lines of a large one: they stay in the second cache
 *     slab    the panels and terms that are packed at the time
 *     block   one panel of output channels, 256 terms (rule F): results are added into y
 *     span    a rectangle of positions whose windows have the same taps inside the image
 *     tile    up to 8 positions times up to 3 vectors of channels, all in registers (conv_tile.h)
 *
 * Spans of a 5 x 5 "same" convolution on 14 x 14 positions (pad 2). The window of rows 2 to 11 and
 * columns 2 to 11 lies inside, so those 100 positions multiply the same 25 taps; row 0 lacks the
 * upper two rows of taps, row 1 one, and so on:
 *
 *            column  0   1   2 ... 11   12   13       rows   columns   taps of a position
 *     row  0         a   b   c          b    a        1      1         a: 3 x 3   corner
 *          1         d   e   f          e    d        1      1         e: 4 x 4
 *      2..11         g   h   i          h    g        1      10        c: 3 x 5   border row
 *         12         d   e   f          e    d        10     1         g: 5 x 3   border column
 *         13         a   b   c          b    a        10     10        i: 5 x 5   inside
 *
 * That is 25 spans. With 64 output channels in vectors of 16 a panel is two vectors wide. A tile is
 * then at most 8 positions high, and 5 are enough to keep the multipliers busy. So conv_select.c
 * chooses:
 *     1. inside and in a border row, two tiles of 5 positions for each line of 10;
 *     2. in a border column, where a line has one position, two tiles of 5 lines;
 *     3. in a corner, which has one position an image, tiles of several images of the piece.
 *
 * Why the bits are right: a tile computes each chain by itself, in the order of the terms. Terms
 * outside the image are left out of the span's runs, but they count where blocks are cut. So the
 * result of a position does not depend on its tile. */
#include "kernels/conv_select.h"
#include "kernels/cpu/conv_ranges.h"
#include "kernels/cpu/conv_tile.h"
#include "kernels/cpu/depthwise.h"

enum {
    PACKED_FLOATS = BL_KERNEL_SCRATCH / sizeof(float),
    CACHED_FLOATS = 1 << 16, /* of a piece of images, which stays in the second cache */
};

typedef struct walk {
    const float *x; /* (batch, height, width, channels): what is seen */
    size_t batch, height, width, channels;
    ptrdiff_t top, left; /* of the window of position (0, 0) */
    size_t taps_y, taps_x, stride;
    float *y; /* (batch, y_height, y_width, y_channels), of which the positions ... */
    size_t y_height, y_width, y_channels;
    size_t rows, columns;         /* ... (y_top + i * y_step, y_left + j * y_step) */
    size_t y_top, y_left, y_step; /* ... for i < rows, j < columns are written */
    size_t groups, seen, n;       /* a group's channels of x and of y */
    const float *bias;            /* (y_channels) or NULL */
    const float *result;          /* where the epilogue's result begins */
    bl_epilogue epilogue;
    const float *w;      /* the weights as forward has them */
    const bl_conv *conv; /* for packing */
    bool backward;       /* weights are packed transposed, taps in reverse ... */
    size_t tap_y, tap_x; /* ... from these on, in steps of the conv's stride */
} walk;

/* What is worked on at once: images [b0, b0 + images), rows [row, row + rows) of positions. */
typedef struct piece {
    size_t b0, images, row, rows;
} piece;

/* Term k of a group: the weight's row (forward) or column (backward) that it multiplies. */
static void pack_term(float *dst, const walk *w, size_t group, size_t k, size_t j0, size_t cols) {
    const bl_conv *v = w->conv;
    const size_t ty = k / w->seen / w->taps_x, tx = k / w->seen % w->taps_x, c = k % w->seen;
    if (!w->backward) {
        memcpy(dst, w->w + k * v->filters + group * w->n + j0, cols * sizeof *dst);
        return;
    }
    const size_t ky = w->tap_y - ty * v->stride, kx = w->tap_x - tx * v->stride;
    const float *from =
        w->w + ((ky * v->kernel + kx) * w->n + j0) * v->filters + group * w->seen + c;
    for (size_t j = 0; j < cols; j++) dst[j] = from[j * v->filters];
}

/* One panel's weights for the terms [k0, k0 + len): a row of whole vectors for each term, zeros
 * behind the columns. */
static void pack(float *dst, const walk *w, const bl_conv_panels *panels, size_t group, size_t p,
                 size_t k0, size_t len) {
    const size_t cols = bl_conv_panel_columns(panels, p);
    const size_t width = bl_conv_panel_vecs(panels, p) * BL_W;
    for (size_t k = 0; k < len; k++, dst += width) {
        if (cols < width) memset(dst, 0, width * sizeof *dst);
        pack_term(dst, w, group, k0 + k, p * panels->vecs * BL_W, cols);
    }
}

/* Writes the runs of a block: of the terms [k0, k0 + len) of a group, those that belong to the taps
 * of the span (y, x). Neighbouring terms that lie side by side in the image are one run. Weights
 * are packed `width` floats a term. Returns the number of runs. */
static size_t runs_of(bl_conv_run *run, const walk *w, const bl_tap_span *y, const bl_tap_span *x,
                      size_t k0, size_t len, size_t width) {
    const size_t line = w->width * w->channels, taps = w->groups == 1 ? x->last - x->first : 1;
    size_t count = 0;
    for (size_t ty = y->first; ty < y->last; ty++)
        for (size_t tx = x->first; tx < x->last; tx += taps) {
            const size_t term = (ty * w->taps_x + tx) * w->seen, end = term + taps * w->seen;
            const size_t from = bl_size_max(term, k0), to = bl_size_min(end, k0 + len);
            if (from >= to) continue;
            run[count++] = (bl_conv_run){.at = (ty - y->first) * line +
                                               (tx - x->first) * w->channels + from - term,
                                         .len = to - from,
                                         .b = (from - k0) * width};
        }
    return count;
}

/* One block of at most 256 terms, one panel, all positions of a piece. */
typedef struct block {
    const walk *w;
    const piece *p;
    const float *packed;
    size_t group, j0, cols, vecs, k0, len;
    bool first, last;
} block;

/* What a tile prefetches when it is the first to read a place: the lines of the image that lie
 * `below` floats further, which later tiles will read. */
typedef struct ahead {
    size_t below;       /* floats from what the tile reads to what it prefetches */
    size_t lines, line; /* how many lines, and the floats of one; lines 0: prefetch nothing */
    size_t each;        /* floats of a line for each row of the tile */
} ahead;
BL_INLINE void ask(const ahead *f, const float *a, size_t rows) {
    for (size_t l = 0; l < f->lines; l++)
        for (size_t i = 0; i < rows * f->each; i += 16)
            __builtin_prefetch(a + f->below + l * f->line + i);
}

/* Goes along `tiles` tiles of one height, through one line or two. Not inlined, so that the
 * compiler spends all registers on the chains. */
typedef void tile_kind(const bl_conv_tile *t, const ahead *f, const float *a, float *c,
                       size_t tiles);
#define MOST(VECS) ((VECS) == 1 ? BL_CONV_ROWS_1 : BL_CONV_ROWS)
#define TILE(VECS, LINES, EACH)                                                                    \
    __attribute__((noinline)) static void tile_##VECS##_##LINES##_##EACH(                          \
        const bl_conv_tile *t, const ahead *f, const float *a, float *c, size_t tiles) {           \
        enum { ROWS = (LINES) * (EACH), HERE = (VECS) <= BL_CONV_VECS && ROWS <= MOST(VECS) };     \
        const bl_conv_kind kind = {.vecs = HERE ? (VECS) : 1,                                      \
                                   .rows = HERE ? ROWS : 1,                                        \
                                   .lines = (LINES),                                               \
                                   .layout = BL_CONV_EVEN};                                        \
        for (; tiles > 0; tiles--, a += (EACH)*t->a_row, c += (EACH)*t->c_row) {                   \
            ask(f, a, EACH);                                                                       \
            bl_conv_tile_body(t, a, c, kind);                                                      \
        }                                                                                          \
    }
#define TILES(VECS)                                                                                \
    TILE(VECS, 1, 1)                                                                               \
    TILE(VECS, 1, 2)                                                                               \
    TILE(VECS, 1, 3)                                                                               \
    TILE(VECS, 1, 4)                                                                               \
    TILE(VECS, 1, 5)                                                                               \
    TILE(VECS, 1, 6)                                                                               \
    TILE(VECS, 1, 7)                                                                               \
    TILE(VECS, 1, 8)                                                                               \
    TILE(VECS, 2, 1)                                                                               \
    TILE(VECS, 2, 2)                                                                               \
    TILE(VECS, 2, 3)                                                                               \
    TILE(VECS, 2, 4)
TILES(1)
TILES(2)
TILES(3)
#undef TILES
#undef TILE
#undef MOST
#define TILES(VECS)                                                                                \
    {                                                                                              \
        {tile_##VECS##_1_1, tile_##VECS##_1_2, tile_##VECS##_1_3, tile_##VECS##_1_4,               \
         tile_##VECS##_1_5, tile_##VECS##_1_6, tile_##VECS##_1_7, tile_##VECS##_1_8},              \
            {tile_##VECS##_2_1, tile_##VECS##_2_2, tile_##VECS##_2_3, tile_##VECS##_2_4},          \
    }
/* [vecs - 1][lines - 1][positions of a line - 1] */
static tile_kind *const k_tiles[3][2][BL_CONV_MOST] = {TILES(1), TILES(2), TILES(3)};
#undef TILES

/* The positions of one line, or of two, in tiles as `c` says. */
static void run_lines(const bl_conv_tile *t, const ahead *f, const float *a, float *y,
                      const bl_conv_line_cut *c) {
    tile_kind *const *tile = k_tiles[c->vecs - 1][c->lines - 1];
    const size_t before = c->higher * (c->each + 1);
    if (c->higher > 0) tile[c->each](t, f, a, y, c->higher);
    tile[c->each - 1](t, f, a + before * t->a_row, y + before * t->c_row, c->tiles - c->higher);
}

/* Positions side by side, or lines, or images: how many, and the floats from one to the next. */
typedef struct dimension {
    size_t count, a_step, y_step;
} dimension;

/* All positions of the three dimensions, in the tiles that conv_select.c chooses. */
static void run_along(bl_conv_tile *t, ahead f, dimension along[BL_CONV_DIMENSIONS], size_t vecs,
                      const float *a, float *y) {
    const size_t count[] = {along[0].count, along[1].count, along[2].count};
    const bl_conv_tiling tiling = bl_conv_select(bl_conv_rows(vecs), vecs, count);
    const dimension first = along[tiling.along];
    along[tiling.along] = along[0];
    along[0] = first;
    if (tiling.along != BL_CONV_COLUMNS) f.lines = 0;
    t->a_row = first.a_step, t->c_row = first.y_step;
    t->a_line = along[1].a_step, t->c_line = along[1].y_step;
    for (size_t i = 0; i < along[2].count; i++)
        for (size_t j = 0; j < along[1].count;) {
            const bl_conv_line_cut *c =
                tiling.pairs && j + 1 < along[1].count ? &tiling.two : &tiling.one;
            run_lines(t, &f, a + i * along[2].a_step + j * along[1].a_step,
                      y + i * along[2].y_step + j * along[1].y_step, c);
            j += c->lines;
        }
}

/* Positions (rows, columns) of a piece. */
static void run_tiles(const block *k, const bl_tap_span *rows, const bl_tap_span *columns) {
    const walk *w = k->w;
    const piece *p = k->p;
    const size_t at = k->group * w->n + k->j0;
    const size_t x_line = w->width * w->channels, y_line = w->y_width * w->y_channels;
    bl_conv_run run[BL_BLOCK];
    bl_conv_tile t = {.run = run, .b = k->packed, .cols = k->cols, .add = !k->first};
    t.runs = runs_of(run, w, rows, columns, k->k0, k->len, k->vecs * BL_W);
    if (k->last && w->bias != NULL) t.bias = w->bias + at;
    t.result = w->result;
    if (k->last) t.epilogue = w->epilogue;
    const float *a = w->x;
    if (t.runs > 0) {
        const size_t top = (size_t)(w->top + (ptrdiff_t)(rows->at * w->stride + rows->first));
        const size_t left =
            (size_t)(w->left + (ptrdiff_t)(columns->at * w->stride + columns->first));
        a += (p->b0 * w->height + top) * x_line + left * w->channels + k->group * w->seen;
    }
    float *y = w->y + (p->b0 * w->y_height + w->y_top + rows->at * w->y_step) * y_line +
               (w->y_left + columns->at * w->y_step) * w->y_channels + at;
    dimension along[] = {
        {columns->count, w->stride * w->channels, w->y_step * w->y_channels},
        {rows->count,    w->stride * x_line,      w->y_step * y_line       },
        {p->images,      w->height * x_line,      w->y_height * y_line     },
    };
    const bool fresh = k->first && k->j0 == 0; /* nothing of the piece is in cache */
    const ahead f = {.below = w->taps_y * x_line,
                     .lines = fresh ? w->stride : 0,
                     .line = x_line,
                     .each = w->stride * w->channels};
    run_along(&t, f, along, k->vecs, a, y);
}

/* All positions of a piece, span by span, with one panel and one block of terms. */
static void run_block(const block *k) {
    const walk *w = k->w;
    const size_t end = k->p->row + k->p->rows;
    for (size_t row = k->p->row; row < end;) {
        const bl_tap_span rows = bl_tap_span_at(row, end, w->top, w->stride, w->taps_y, w->height);
        for (size_t column = 0; column < w->columns;) {
            const bl_tap_span columns =
                bl_tap_span_at(column, w->columns, w->left, w->stride, w->taps_x, w->width);
            run_tiles(k, &rows, &columns);
            column += columns.count;
        }
        row += rows.count;
    }
}

/* All positions of a piece, with the panels and terms that are packed: block by block. */
static void run_slab(const walk *w, const piece *p, const bl_conv_panels *panels,
                     const float *packed, size_t group, bl_range panel, bl_range terms) {
    const size_t depth = w->taps_y * w->taps_x * w->seen;
    block k = {.w = w, .p = p, .group = group};
    for (size_t i = panel.begin; i < panel.end; i++) {
        k.vecs = bl_conv_panel_vecs(panels, i);
        k.j0 = i * panels->vecs * BL_W;
        k.cols = bl_conv_panel_columns(panels, i);
        k.k0 = terms.begin;
        do { /* once if there is no term: the sum is then +0 */
            k.len = bl_size_min(terms.end - k.k0, BL_BLOCK);
            k.packed = packed;
            k.first = k.k0 == 0;
            k.last = k.k0 + k.len == depth;
            run_block(&k);
            packed += k.len * k.vecs * BL_W;
            k.k0 += k.len;
        } while (k.k0 < terms.end);
    }
}

/* Calls run_slab for all images, piece by piece. */
static void run_pieces(const walk *w, const bl_conv_panels *panels, const float *packed,
                       size_t group, bl_range panel, bl_range terms) {
    const size_t line = w->width * w->channels, image = bl_size_max(w->height * line, 1);
    const size_t images = bl_size_max(CACHED_FLOATS / image, 1);
    const size_t band = bl_size_max(CACHED_FLOATS / bl_size_max(w->stride * line, 1), 1);
    const size_t rows = image <= CACHED_FLOATS ? w->rows : band;
    for (size_t b = 0; b < w->batch; b += images)
        for (size_t row = 0; row < w->rows; row += rows) {
            const piece p = {.b0 = b,
                             .images = bl_size_min(images, w->batch - b),
                             .row = row,
                             .rows = bl_size_min(rows, w->rows - row)};
            run_slab(w, &p, panels, packed, group, panel, terms);
        }
}

BL_INLINE void end_zero(const void *ctx, size_t i, bl_lanes m) {
    const walk *w = ctx;
    bl_v_put(w->y + i,
             bl_epilogue_vector(&w->epilogue, bl_v_zero(), (size_t)(w->y - w->result) + i, m), m);
}

/* Positions without any tap inside the image: a sum without terms is +0, then the epilogue. */
static void fill_untouched(const walk *w) {
    enum { AHEAD = 8 };
    for (size_t b = 0; b < w->batch; b++)
        for (size_t i = 0; i < w->rows; i++) {
            const size_t line = (b * w->y_height + w->y_top + i * w->y_step) * w->y_width;
            for (size_t j = 0; j < w->columns; j++) {
                const size_t at = (line + w->y_left + j * w->y_step) * w->y_channels;
                __builtin_prefetch(w->y + at + AHEAD * w->y_step * w->y_channels, 1);
                bl_for_vectors((bl_range){at, at + w->y_channels}, end_zero, w);
            }
        }
}

/* One group after the other, as many terms and panels at once as are packed in the scratch. */
static void run_walk(const walk *w, const bl_part *part) {
    const size_t depth = w->taps_y * w->taps_x * w->seen;
    const bl_conv_panels panels = bl_conv_cut(w->n);
    float *packed = part->scratch;
    if (w->batch == 0 || w->rows == 0 || w->columns == 0 || w->n == 0) return;
    if (depth == 0 && w->bias == NULL) {
        fill_untouched(w);
        return;
    }
    const size_t most = PACKED_FLOATS / (panels.vecs * BL_W) / BL_BLOCK * BL_BLOCK;
    const size_t terms = bl_size_max(bl_size_min(depth, most), 1);
    const size_t together = PACKED_FLOATS / (terms * panels.vecs * BL_W);
    for (size_t g = 0; g < w->groups; g++)
        for (size_t p = 0; p < panels.count; p += together) {
            const bl_range panel = {p, bl_size_min(p + together, panels.count)};
            bl_range range = {0, 0};
            do {
                range.end = bl_size_min(range.begin + terms, depth);
                float *to = packed;
                for (size_t i = panel.begin; i < panel.end; i++) {
                    pack(to, w, &panels, g, i, range.begin, range.end - range.begin);
                    to += (range.end - range.begin) * bl_conv_panel_vecs(&panels, i) * BL_W;
                }
                run_pieces(w, &panels, packed, g, panel, range);
                range.begin = range.end;
            } while (range.begin < depth);
        }
}

/* A part has whole images. */
void BL_CPU(conv2d_forward)(const bl_conv2d_forward *a, const bl_part *part) {
    const bl_conv *v = &a->conv;
    if (bl_is_depthwise(v)) {
        BL_CPU(depthwise_forward)(a, part);
        return;
    }
    const bl_range images = bl_part_range(part, v->batch, 1);
    const walk w = {.x = a->x + images.begin * v->height * v->width * v->channels,
                    .batch = images.end - images.begin,
                    .height = v->height,
                    .width = v->width,
                    .channels = v->channels,
                    .top = -(ptrdiff_t)v->pad,
                    .left = -(ptrdiff_t)v->pad,
                    .taps_y = v->kernel,
                    .taps_x = v->kernel,
                    .stride = v->stride,
                    .y = a->y + images.begin * v->out_height * v->out_width * v->filters,
                    .y_height = v->out_height,
                    .y_width = v->out_width,
                    .y_channels = v->filters,
                    .rows = v->out_height,
                    .columns = v->out_width,
                    .y_step = 1,
                    .groups = v->groups,
                    .seen = v->channels / v->groups,
                    .n = v->filters / v->groups,
                    .bias = a->bias,
                    .result = a->y,
                    .epilogue = a->epilogue,
                    .w = a->w,
                    .conv = v};
    run_walk(&w, part);
}

/* A part has whole images; one walk for each remainder of row and column. */
void BL_CPU(conv2d_backward_input)(const bl_conv2d_backward_input *a, const bl_part *part) {
    const bl_conv *v = &a->conv;
    if (bl_is_depthwise(v)) {
        BL_CPU(depthwise_backward_input)(a, part);
        return;
    }
    const bl_range images = bl_part_range(part, v->batch, 1);
    walk w = {.x = a->dy + images.begin * v->out_height * v->out_width * v->filters,
              .batch = images.end - images.begin,
              .height = v->out_height,
              .width = v->out_width,
              .channels = v->filters,
              .stride = 1,
              .y = a->dx + images.begin * v->height * v->width * v->channels,
              .y_height = v->height,
              .y_width = v->width,
              .y_channels = v->channels,
              .y_step = v->stride,
              .groups = v->groups,
              .seen = v->filters / v->groups,
              .n = v->channels / v->groups,
              .result = a->dx,
              .epilogue = a->epilogue,
              .w = a->w,
              .conv = v,
              .backward = true};
    for (w.y_top = 0; w.y_top < bl_size_min(v->stride, v->height); w.y_top++)
        for (w.y_left = 0; w.y_left < bl_size_min(v->stride, v->width); w.y_left++) {
            const bl_residue_class y = bl_residue_class_of(v, w.y_top),
                                   x = bl_residue_class_of(v, w.y_left);
            w.taps_y = y.taps, w.tap_y = y.last, w.top = y.first;
            w.taps_x = x.taps, w.tap_x = x.last, w.left = x.first;
            w.rows = (v->height - w.y_top + v->stride - 1) / v->stride;
            w.columns = (v->width - w.y_left + v->stride - 1) / v->stride;
            run_walk(&w, part);
        }
}
