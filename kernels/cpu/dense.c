/* dense_forward and dense_backward_input: y = x m with rule F, m being w or its transpose.
 *
 *                m (k, n), panels of BL_PANEL columns
 *               +-------+-------+-------+
 *     terms     | panel | panel |  ...  |
 *     of 256    +-------+-------+-------+
 *               |       |       |       |
 *               +-------+-------+-------+
 *                y (rows, n), ROW_BLOCK rows at once
 *     +-----+   +-------+-------+-------+
 *     |  x  |   | tiles | tiles |  ...  |
 *     +-----+   +-------+-------+-------+
 *
 * The first block of ROW_BLOCK examples packs m into panels on its way through them; the others
 * follow. A block meets all panels that fit before the next one comes, so that x and y pass the
 * memory once, and the panels come again and again from the second cache or the third. The results
 * of the 256-term chains are added into y, which is in cache, too; the epilogue belongs to the last
 * block of terms. Three ways, by shape:
 *
 *     many examples            as drawn; threads share the columns, or the rows if those are few
 *     as many as one tile      m is read where it lies: nobody would read a packed panel again
 *     few examples, backward   dx^T = w dy^T: rows of w go through the tiles as they lie, and dy,
 *                              which has fewer numbers, is packed instead (few_examples)
 *
 * All have the same chains, so the same bits. */
#include "engine/base/mem.h"
#include "kernels/cpu/epilogue_vectors.h"
#include "kernels/cpu/tile.h"

enum {
    ROW_BLOCK = 64,
    FEW_ROWS = 128,                   /* are one block: a panel is used once, in the first cache */
    DEPTH = BL_SLAB_DEPTH * BL_BLOCK, /* terms packed at once */
    FEW_EXAMPLES = 256,               /* the most whose dy and block of dx ... */
    FEW_GRADIENTS = 1 << 18,          /* ... the scratch has room for */
    FEATURES = 32,                    /* of dx at once */
    ROWS_AHEAD = 4,                   /* that are fetched */
    FEW_PANELS = 3,                   /* use of a row below which it is not worth a copy */
    SCRATCH_FLOATS = BL_KERNEL_SCRATCH / sizeof(float),
};
_Static_assert(ROW_BLOCK % BL_TALL == 0 && FEATURES % BL_TALL == 0, "blocks are whole tiles");
_Static_assert(DEPTH *BL_PANEL + FEW_ROWS * BL_BLOCK <= SCRATCH_FLOATS &&
                   BL_SLAB_FLOATS + FEW_ROWS * BL_BLOCK <= SCRATCH_FLOATS,
               "the scratch holds the panels and close rows");
_Static_assert(sizeof(float) * (2 * FEW_GRADIENTS + 2 * FEW_EXAMPLES * FEATURES) <=
                   BL_KERNEL_SCRATCH,
               "the scratch holds dy and a block of dx");

typedef struct product {
    float *y;             /* (rows, n) */
    const float *x;       /* (rows, k) */
    const float *m;       /* (k, n), or (n, k) if transposed */
    const float *bias;    /* (n), NULL: none */
    bl_epilogue epilogue; /* its arrays are like y */
    bool transposed;
    size_t rows, k, n;
} product;

typedef float v4 __attribute__((vector_size(16)));

/* dst[i][j] = src[j][i] for a 4 x 4 block. */
BL_INLINE void transpose4(float *dst, size_t dst_stride, const float *src, size_t stride) {
    v4 r[4], t[4];
    for (int j = 0; j < 4; j++) memcpy(&r[j], src + (size_t)j * stride, sizeof r[j]);
    t[0] = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5);
    t[1] = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5);
    t[2] = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7);
    t[3] = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
    r[0] = __builtin_shufflevector(t[0], t[1], 0, 1, 4, 5);
    r[1] = __builtin_shufflevector(t[0], t[1], 2, 3, 6, 7);
    r[2] = __builtin_shufflevector(t[2], t[3], 0, 1, 4, 5);
    r[3] = __builtin_shufflevector(t[2], t[3], 2, 3, 6, 7);
    for (size_t i = 0; i < 4; i++) memcpy(dst + i * dst_stride, &r[i], sizeof r[i]);
}

/* dst[i][j] = src[j][i] for i < rows, j < cols. */
static void transpose(float *dst, size_t dst_stride, size_t rows, size_t cols, const float *src,
                      size_t stride) {
    const size_t rows4 = rows & ~(size_t)3, cols4 = cols & ~(size_t)3;
    for (size_t i = 0; i < rows4; i += 4)
        for (size_t j = 0; j < cols4; j += 4)
            transpose4(dst + i * dst_stride + j, dst_stride, src + j * stride + i, stride);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = i < rows4 ? cols4 : 0; j < cols; j++)
            dst[i * dst_stride + j] = src[j * stride + i];
}

/* A panel of the transpose: dst[i][j] = m[j][i] for `len` terms i and `cols` columns j; the rest is
 * zero. */
static void pack_columns(float *dst, const float *m, size_t stride, size_t len, size_t cols) {
    const size_t width = bl_tile_width(cols);
    if (cols < width) memset(dst, 0, len * width * sizeof *dst);
    transpose(dst, width, len, cols, m, stride);
}

BL_TILE_COLUMNS(tiles, BL_B_PANEL, BL_A_ROWS)
BL_TILE_COLUMNS(packing_tiles, BL_B_PACK, BL_A_ROWS)
BL_TILE_COLUMNS(lying_tiles, BL_B_LIES, BL_A_ROWS)

/* A piece of a matrix whose rows are stride floats apart. */
typedef struct piece {
    const float *at;
    size_t stride;
} piece;

/* Rows that are about 4096 bytes apart share the few sets of the first cache that a register tile
 * would read together. So what several panels will read is copied to rows BL_BLOCK apart. The
 * processor itself asks for no line beyond a page, so the next rows are asked for here. */
static piece close_rows(float *copy, piece from, size_t rows, size_t len) {
    if (from.stride <= BL_BLOCK) return from;
    const float *row = from.at;
    for (size_t r = 0; r < rows; r++, row += from.stride) {
        float *const to = copy + r * BL_BLOCK;
        size_t i = 0;
        for (; i + BL_W <= len; i += BL_W) {
            __builtin_prefetch(row + ROWS_AHEAD * from.stride + i);
            bl_v_store(to + i, bl_v_load(row + i));
        }
        for (; i < len; i++) to[i] = row[i];
    }
    return (piece){copy, BL_BLOCK};
}

/* One panel's piece of `len` terms from k0 on, times the examples [begin, end), whose terms are in
 * x. The first examples fill the panel: w goes there on its way through the tile, its transpose
 * beforehand. */
static void panel_piece(const product *p, float *panel, piece x, size_t k0, size_t len, size_t j0,
                        size_t begin, size_t end) {
    const size_t cols = bl_size_min(p->n - j0, BL_PANEL);
    const bool last = k0 + len == p->k;
    const size_t at = begin * p->n + j0;
    const float *left[1];
    bl_tile t = {
        .a = x.at,
        .a_row = x.stride,
        .b = panel,
        .len = len,
        .rows = end - begin,
        .cols = cols,
        .c = p->y + at,
        .c_stride = p->n,
        .left = left,
        .left_stride = p->n,
        .bias = last && p->bias != NULL ? p->bias + j0 : NULL,
    };
    if (k0 > 0) left[t.lefts++] = p->y + at;
    if (last) t.epilogue = bl_epilogue_at(&p->epilogue, at);
    if (begin > 0) {
        tiles(&t);
        return;
    }
    if (p->transposed) {
        pack_columns(panel, p->m + j0 * p->k + k0, p->k, len, cols);
        tiles(&t);
        return;
    }
    const size_t first = bl_size_min(bl_tile_height(cols), end);
    bl_tile filling = t;
    filling.rows = first;
    filling.b = p->m + k0 * p->n + j0;
    filling.b_step = p->n;
    filling.packed = panel;
    if (first == p->rows) { /* nobody will read the panel */
        lying_tiles(&filling);
        return;
    }
    packing_tiles(&filling);
    t.rows -= first;
    t.a += first * x.stride;
    t.c += first * p->n;
    t.epilogue = bl_epilogue_at(&t.epilogue, first * p->n);
    for (size_t i = 0; i < t.lefts; i++) left[i] += first * p->n;
    tiles(&t);
}

/* Terms [k0, k0 + depth) of columns [j0, j1) for all rows, through `packed`. */
static void slab(const product *p, float *packed, size_t k0, size_t depth, size_t j0, size_t j1) {
    const size_t block = p->rows <= FEW_ROWS ? p->rows : ROW_BLOCK;
    float *const copy = packed + SCRATCH_FLOATS - FEW_ROWS * BL_BLOCK;
    for (size_t begin = 0; begin < p->rows; begin += block) {
        const size_t end = bl_size_min(begin + block, p->rows);
        for (size_t k = 0; k < depth; k += BL_BLOCK) {
            const size_t len = bl_size_min(depth - k, BL_BLOCK);
            piece x = {p->x + begin * p->k + k0 + k, p->k};
            if (j1 - j0 >= (size_t)FEW_PANELS * BL_PANEL) x = close_rows(copy, x, end - begin, len);
            for (size_t j = j0; j < j1; j += BL_PANEL)
                panel_piece(p, packed + (j - j0) * depth + k * BL_PANEL, x, k0 + k, len, j, begin,
                            end);
        }
    }
}

/* k = 0: sums of no term. */
static void no_terms(const product *p, size_t j0, size_t j1) {
    for (size_t r = 0; r < p->rows; r++)
        for (size_t j = j0; j < j1; j++) {
            const size_t at = r * p->n + j;
            const float y = p->bias != NULL ? 0.0f + p->bias[j] : 0.0f;
            p->y[at] = bl_epilogue_apply(&p->epilogue, at, y);
        }
}

/* A part's share: whole panels of columns, or whole tiles of rows. */
static void run_product(product p, const bl_part *part) {
    /* Columns are the cheaper cut: then nothing is packed twice. */
    bl_range columns = {0, p.n};
    if (p.n >= 2 * part->parts * BL_PANEL)
        columns = bl_part_range(part, p.n, BL_PANEL);
    else {
        const bl_range rows = bl_part_range(part, p.rows, BL_ROWS);
        p.x += rows.begin * p.k;
        p.y += rows.begin * p.n;
        p.epilogue = bl_epilogue_at(&p.epilogue, rows.begin * p.n);
        p.rows = rows.end - rows.begin;
    }
    if (p.rows == 0) return;
    if (p.k == 0) {
        no_terms(&p, columns.begin, columns.end);
        return;
    }
    const size_t depth = bl_size_min(p.k, DEPTH);
    const size_t floats = p.rows <= FEW_ROWS ? 1 << 18 : BL_SLAB_FLOATS;
    const size_t panels = bl_size_max(1, floats / (depth * BL_PANEL));
    for (size_t j = columns.begin; j < columns.end; j += panels * BL_PANEL)
        for (size_t k = 0; k < p.k; k += depth)
            slab(&p, part->scratch, k, bl_size_min(p.k - k, depth), j,
                 bl_size_min(j + panels * BL_PANEL, columns.end));
}

void BL_CPU(dense_forward)(const bl_dense_forward *a, const bl_part *part) {
    run_product((product){.y = a->y,
                          .x = a->x,
                          .m = a->w,
                          .bias = a->bias,
                          .epilogue = a->epilogue,
                          .rows = a->batch,
                          .k = a->k,
                          .n = a->n},
                part);
}

BL_INLINE void end_input(const void *ctx, size_t i, bl_lanes m) {
    const bl_dense_backward_input *a = ctx;
    bl_v_put(a->dx + i, bl_epilogue_vector(&a->epilogue, bl_v_get(a->dx + i, m), i, m), m);
}

/* dx^T = w dy^T for few examples: rows of w go through the tiles as they lie, and nothing but dy is
 * packed. FEATURES rows at a time, so that a panel of dy is used several times while it is in the
 * first cache. */
static void few_examples(const bl_dense_backward_input *a, bl_range features, float *packed) {
    const size_t panels = (a->batch + BL_PANEL - 1) / BL_PANEL;
    const size_t each = ((a->batch + panels - 1) / panels + BL_W - 1) / BL_W * BL_W;
    float *const dx = packed + panels * a->n * BL_PANEL; /* (panels, FEATURES, BL_PANEL) */
    float *const copy = packed + SCRATCH_FLOATS - FEATURES * BL_BLOCK;
    for (size_t p = 0, b = 0; b < a->batch; p++, b += each)
        pack_columns(packed + p * a->n * BL_PANEL, a->dy + b * a->n, a->n, a->n,
                     bl_size_min(each, a->batch - b));
    for (size_t i = features.begin; i < features.end; i += FEATURES) {
        const size_t rows = bl_size_min(features.end - i, FEATURES);
        for (size_t k = 0; k < a->n; k += BL_BLOCK) {
            const size_t len = bl_size_min(a->n - k, BL_BLOCK);
            piece w = {a->w + i * a->n + k, a->n};
            if (panels >= FEW_PANELS) w = close_rows(copy, w, rows, len);
            for (size_t p = 0, b = 0; b < a->batch; p++, b += each) {
                float *const c = dx + p * FEATURES * BL_PANEL;
                const float *const left[] = {c};
                const size_t cols = bl_size_min(each, a->batch - b);
                const bl_tile t = {.a = w.at,
                                   .a_row = w.stride,
                                   .b = packed + p * a->n * BL_PANEL + k * bl_tile_width(cols),
                                   .len = len,
                                   .rows = rows,
                                   .cols = cols,
                                   .c = c,
                                   .c_stride = BL_PANEL,
                                   .left = left,
                                   .lefts = k == 0 ? 0 : 1,
                                   .left_stride = BL_PANEL};
                tiles(&t);
            }
        }
        for (size_t p = 0, b = 0; b < a->batch; p++, b += each)
            transpose(a->dx + b * a->k + i, a->k, bl_size_min(each, a->batch - b), rows,
                      dx + p * FEATURES * BL_PANEL, BL_PANEL);
        for (size_t b = 0; b < a->batch && !bl_epilogue_is_empty(&a->epilogue); b++)
            bl_for_vectors((bl_range){b * a->k + i, b * a->k + i + rows}, end_input, a);
    }
}

/* Either w is transposed, or dy and dx are: what has fewer numbers. */
static bool are_few_examples(const bl_dense_backward_input *a) {
    return a->n > 0 && a->batch > 0 && a->batch <= FEW_EXAMPLES &&
           a->batch * a->n <= FEW_GRADIENTS && a->batch * (a->n + a->k) <= a->n * a->k;
}

void BL_CPU(dense_backward_input)(const bl_dense_backward_input *a, const bl_part *part) {
    if (are_few_examples(a)) {
#ifdef BL_NARROW
        /* Half of the last vector would be empty; narrow ones are full. */
        const size_t in_last = a->batch % BL_W;
        if (a->batch < 2 * BL_W && in_last > 0 && in_last <= BL_W / 2) {
            BL_PASTE(dense_backward_input, BL_NARROW)(a, part);
            return;
        }
#endif
        few_examples(a, bl_part_range(part, a->k, BL_ROWS), part->scratch);
        return;
    }
    run_product((product){.y = a->dx,
                          .x = a->dy,
                          .m = a->w,
                          .epilogue = a->epilogue,
                          .transposed = true,
                          .rows = a->batch,
                          .k = a->n,
                          .n = a->k},
                part);
}
