/* conv2d_forward and conv2d_backward_input: products of what positions see of an image with packed
 * weights, by rule F.
 *
 * Both are the same walk. Forward, an output position sees `taps` x `taps` positions of x.
 * Backward, a position of dx sees positions of dy: those with its remainder modulo the stride see
 * one dense window of dy, so dx is computed remainder by remainder (a phase), each like a forward
 * convolution of stride 1. A few images, or a band of the lines of a large one, are copied with
 * their borders of zeros; where nothing lies outside they are read in place. */
#include "kernels/cpu/conv_tile.h"
#include "kernels/cpu/depthwise.h"

enum {
    PACKED_FLOATS = 1 << 19,
    IMAGE_FLOATS = BL_KERNEL_SCRATCH / sizeof(float) - PACKED_FLOATS,
    CACHED_FLOATS = 1 << 15, /* images at once: so many stay in the second cache */
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
    bl_conv_end end;
    const float *w;      /* the weights as forward has them */
    const bl_conv *conv; /* for packing */
    bool backward;       /* weights are packed transposed, taps in reverse ... */
    size_t tap_y, tap_x; /* ... from these on, in steps of the conv's stride */
} walk;

/* The lines that are in reach: images [b0, b0 + images), rows [row, row + rows) of positions. */
typedef struct piece {
    const float *base;  /* what position (row, 0) of image b0 sees first */
    size_t image, line; /* floats from one image, line to the next */
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

static void pack(float *dst, const walk *w, const bl_conv_panels *panels, size_t group, size_t p,
                 size_t k0, size_t len) {
    const size_t cols = bl_conv_panel_columns(panels, p);
    const size_t width = bl_conv_panel_vecs(panels, p) * BL_W;
    for (size_t k = 0; k < len; k++, dst += width) {
        if (cols < width) memset(dst, 0, width * sizeof *dst);
        pack_term(dst, w, group, k0 + k, p * panels->vecs * BL_W, cols);
    }
}

/* The runs of terms [k0, k0 + len) of a group. */
static size_t runs_of(bl_conv_run *run, const walk *w, size_t line, size_t k0, size_t len) {
    const size_t whole = w->groups == 1 ? w->taps_x * w->seen : w->seen;
    size_t count = 0;
    for (size_t k = k0; k < k0 + len; count++) {
        const size_t tap = k / w->seen, c = k % whole;
        run[count].at = tap / w->taps_x * line;
        run[count].at += w->groups == 1 ? c : tap % w->taps_x * w->channels + c;
        run[count].len = bl_min_size(whole - c, k0 + len - k);
        k += run[count].len;
    }
    return count;
}

/* One block of at most 256 terms, one panel, all positions of a piece. */
typedef struct block {
    const walk *w;
    const piece *p;
    const float *packed;
    bl_conv_run run[BL_BLOCK];
    size_t runs, group, j0, cols;
    bool first, last;
} block;

/* The next position: its number, and the floats before what it sees and before its y. */
typedef struct cursor {
    size_t column, row, a, y;
} cursor;

/* Not inlined, so that the compiler spends all registers on the chains. */
#define TILE(NAME, VECS)                                                                           \
    __attribute__((noinline)) static void tile_##NAME(const bl_conv_tile *t) {                     \
        const int rows = (int)bl_conv_rows(VECS);                                                  \
        bl_conv_tile_body(t, (bl_conv_kind){.vecs = VECS, .rows = rows, .adjacent = true});        \
    }
TILE(1, 1)
TILE(2, 2)
TILE(most, BL_CONV_VECS)
#undef TILE

typedef void tile_kind(const bl_conv_tile *t);

static void run_tiles(const block *k, const size_t vecs, tile_kind *tile) {
    const walk *w = k->w;
    const piece *p = k->p;
    const size_t at = k->group * w->n + k->j0, total = p->images * p->rows * w->columns;
    const size_t a_step = w->stride * w->channels, y_step = w->y_step * w->y_channels;
    /* from behind a line to the next one, and from behind an image */
    const size_t a_line = w->stride * p->line - w->columns * a_step;
    const size_t a_image = p->image - p->rows * w->stride * p->line;
    const size_t y_line = (w->y_step * w->y_width - w->columns * w->y_step) * w->y_channels;
    const size_t y_image = (w->y_height - p->rows * w->y_step) * w->y_width * w->y_channels;
    const size_t y_first = (p->b0 * w->y_height + w->y_top + p->row * w->y_step) * w->y_width;
    const float *a = p->base + k->group * w->seen;
    float *y = w->y + (y_first + w->y_left) * w->y_channels + at;
    cursor c = {0};
    const size_t most = bl_conv_rows(vecs);
    bl_conv_tile t = {.run = k->run,
                      .runs = k->runs,
                      .b = k->packed,
                      .cols = k->cols,
                      .add = !k->first,
                      .bias = k->last && w->bias ? w->bias + at : NULL};
    if (k->last) t.end = w->end;
    for (size_t begin = 0; begin < total; begin += most) {
        t.rows = bl_min_size(total - begin, most);
        for (size_t r = 0; r < t.rows; r++) {
            t.a[r] = a + c.a;
            t.c[r] = y + c.y;
            c.a += a_step, c.y += y_step;
            if (++c.column < w->columns) continue;
            c.a += a_line, c.y += y_line;
            c.column = 0;
            if (++c.row < p->rows) continue;
            c.a += a_image, c.y += y_image;
            c.row = 0;
        }
        for (size_t r = t.rows; r < most; r++) t.a[r] = t.a[0], t.c[r] = t.c[0];
        tile(&t);
    }
}

static void run_block(const block *k, size_t vecs) {
    static tile_kind *const kinds[] = {tile_1, tile_2, tile_most};
    run_tiles(k, vecs, kinds[vecs - 1]);
}

/* Panels [p0, p1) packed for the terms [k0, k1), all positions of a piece. */
static void run_slab(const walk *w, const piece *p, const bl_conv_panels *panels,
                     const float *packed, size_t group, bl_range panel, bl_range terms) {
    const size_t depth = w->taps_y * w->taps_x * w->seen;
    block k = {.w = w, .p = p, .group = group};
    for (size_t i = panel.begin; i < panel.end; i++) {
        const size_t vecs = bl_conv_panel_vecs(panels, i);
        k.j0 = i * panels->vecs * BL_W;
        k.cols = bl_conv_panel_columns(panels, i);
        for (size_t k0 = terms.begin; k0 < terms.end; k0 += BL_BLOCK) {
            const size_t len = bl_min_size(terms.end - k0, BL_BLOCK);
            k.packed = packed;
            k.runs = runs_of(k.run, w, p->line, k0, len);
            k.first = k0 == 0;
            k.last = k0 + len == depth;
            run_block(&k, vecs);
            packed += len * vecs * BL_W;
        }
    }
}

/* dst = `lines` lines of an image from line `top` on, `columns` positions from `left` on, zeros
 * where the image has none. */
static void copy_lines(float *dst, const walk *w, size_t b, ptrdiff_t top, size_t lines,
                       size_t columns) {
    const size_t c = w->channels, all = columns * c;
    const size_t before = w->left < 0 ? bl_min_size((size_t)-w->left, columns) : 0;
    const size_t from = w->left > 0 ? (size_t)w->left : 0;
    const size_t count = bl_min_size(columns - before, from < w->width ? w->width - from : 0);
    for (size_t l = 0; l < lines; l++, dst += all) {
        const ptrdiff_t line = top + (ptrdiff_t)l;
        const bool inside = line >= 0 && (size_t)line < w->height;
        const size_t used = inside ? count : 0;
        memset(dst, 0, before * c * sizeof *dst);
        if (used > 0)
            memcpy(dst + before * c, w->x + ((b * w->height + (size_t)line) * w->width + from) * c,
                   used * c * sizeof *dst);
        memset(dst + (before + used) * c, 0, (columns - before - used) * c * sizeof *dst);
    }
}

/* Calls run_slab for all images, piece by piece. */
static void run_pieces(const walk *w, const bl_conv_panels *panels, const float *packed,
                       float *copy, size_t group, bl_range panel, bl_range terms) {
    const size_t lines = (w->rows - 1) * w->stride + w->taps_y;
    const size_t columns = (w->columns - 1) * w->stride + w->taps_x;
    const bool inside = w->top >= 0 && w->left >= 0 && (size_t)w->top + lines <= w->height &&
                        (size_t)w->left + columns <= w->width;
    const size_t line = (inside ? w->width : columns) * w->channels;
    const size_t image = inside ? w->height * line : lines * line;
    size_t images = bl_max_size(CACHED_FLOATS / image, 1), rows = w->rows;
    if (!inside && image > IMAGE_FLOATS) rows = (IMAGE_FLOATS / line - w->taps_y) / w->stride + 1;
    for (size_t b = 0; b < w->batch; b += images)
        for (size_t row = 0; row < w->rows; row += rows) {
            piece p = {.image = image,
                       .line = line,
                       .b0 = b,
                       .images = bl_min_size(images, w->batch - b),
                       .row = row,
                       .rows = bl_min_size(rows, w->rows - row)};
            if (inside)
                p.base =
                    w->x + b * image + ((size_t)w->top * w->width + (size_t)w->left) * w->channels;
            else
                p.base = copy;
            for (size_t i = 0; !inside && i < p.images; i++)
                copy_lines(copy + i * image, w, b + i, w->top + (ptrdiff_t)(row * w->stride),
                           (p.rows - 1) * w->stride + w->taps_y, columns);
            run_slab(w, &p, panels, packed, group, panel, terms);
        }
}

/* A position of y that no tap sees anything from: +0, and what follows a sum. */
typedef struct unseen {
    const walk *w;
    float *y;
} unseen;

BL_INLINE void unseen_step(const void *ctx, size_t n, bl_lanes m) {
    const unseen *u = ctx;
    bl_v acc = bl_v_zero();
    if (u->w->bias) acc = acc + bl_v_get(u->w->bias + n, m);
    bl_v_put(u->y + n, bl_conv_finish(&u->w->end, acc, u->y + n, m), m);
}

static void no_terms(const walk *w) {
    for (size_t b = 0; b < w->batch; b++)
        for (size_t i = 0; i < w->rows; i++)
            for (size_t j = 0; j < w->columns; j++) {
                const size_t row = w->y_top + i * w->y_step, column = w->y_left + j * w->y_step;
                const size_t at = (b * w->y_height + row) * w->y_width + column;
                const unseen u = {w, w->y + at * w->y_channels};
                bl_for_vectors((bl_range){0, w->y_channels}, unseen_step, &u);
            }
}

static void run_walk(const walk *w, const bl_part *part) {
    const size_t depth = w->taps_y * w->taps_x * w->seen;
    const bl_conv_panels panels = bl_conv_cut(w->n);
    float *packed = part->scratch, *copy = packed + PACKED_FLOATS;
    if (w->batch == 0 || w->rows == 0 || w->columns == 0 || w->n == 0) return;
    if (depth == 0) {
        no_terms(w);
        return;
    }
    const size_t most = PACKED_FLOATS / (panels.vecs * BL_W) / BL_BLOCK * BL_BLOCK;
    const size_t terms = bl_min_size(depth, most);
    const size_t together = PACKED_FLOATS / (terms * panels.vecs * BL_W);
    for (size_t g = 0; g < w->groups; g++)
        for (size_t p = 0; p < panels.count; p += together)
            for (size_t k = 0; k < depth; k += terms) {
                const bl_range panel = {p, bl_min_size(p + together, panels.count)};
                const bl_range range = {k, bl_min_size(k + terms, depth)};
                float *to = packed;
                for (size_t i = panel.begin; i < panel.end; i++) {
                    pack(to, w, &panels, g, i, range.begin, range.end - range.begin);
                    to += (range.end - range.begin) * bl_conv_panel_vecs(&panels, i) * BL_W;
                }
                run_pieces(w, &panels, packed, copy, g, panel, range);
            }
}

void BL_CPU(conv2d_forward)(const bl_conv2d_forward *a, const bl_part *part) {
    const bl_conv *v = &a->conv;
    if (bl_is_depthwise(v)) {
        BL_CPU(depthwise_forward)(a, part);
        return;
    }
    const bl_range images = bl_part_range(part, v->batch, 1);
    const walk w = {
        .x = a->x + images.begin * v->height * v->width * v->channels,
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
        .end = {.base = a->y, .plus = a->plus, .relu = a->relu},
        .w = a->w,
        .conv = v
    };
    run_walk(&w, part);
}

void BL_CPU(conv2d_backward_input)(const bl_conv2d_backward_input *a, const bl_part *part) {
    const bl_conv *v = &a->conv;
    if (bl_is_depthwise(v)) {
        BL_CPU(depthwise_backward_input)(a, part);
        return;
    }
    const bl_range images = bl_part_range(part, v->batch, 1);
    walk w = {
        .x = a->dy + images.begin * v->out_height * v->out_width * v->filters,
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
        .end = {.base = a->dx, .plus = a->plus, .mask = a->relu},
        .w = a->w,
        .conv = v,
        .backward = true
    };
    for (w.y_top = 0; w.y_top < bl_min_size(v->stride, v->height); w.y_top++)
        for (w.y_left = 0; w.y_left < bl_min_size(v->stride, v->width); w.y_left++) {
            const bl_phase y = bl_phase_of(v, w.y_top), x = bl_phase_of(v, w.y_left);
            w.taps_y = y.taps, w.tap_y = y.last, w.top = y.first;
            w.taps_x = x.taps, w.tap_x = x.last, w.left = x.first;
            w.rows = (v->height - w.y_top + v->stride - 1) / v->stride;
            w.columns = (v->width - w.y_left + v->stride - 1) / v->stride;
            run_walk(&w, part);
        }
}
