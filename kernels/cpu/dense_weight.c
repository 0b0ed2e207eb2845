/* dense_backward_weight: dw = x^T dy and dbias, with rule B.
 *
 * The outputs are cut into macro tiles of MACRO_ROWS rows and as many columns as the scratch has
 * room for their tree. A macro tile walks the batch block by block: every register tile runs its
 * chain of 256 examples and climbs the binary-counter tree before it leaves its registers; the
 * tree's levels lie in scratch. A block's dy is packed panel by panel, and summed on the way, once,
 * for dbias; its x once, unless few columns make it not worth while: read where it lies, a column
 * of x is a cache line per example, all in one set if k is a power of two. */
#include "engine/base/mem.h"
#include "kernels/cpu/colsum.h"
#include "kernels/cpu/tile.h"
#include "kernels/cpu/tree.h"

enum {
    MACRO_ROWS = 256,
    FEW_COLS = 24, /* up to here x is read where it lies */
    PANEL_FLOATS = BL_BLOCK * BL_PANEL,
    X_FLOATS = BL_BLOCK * MACRO_ROWS,
    TREE_FLOATS = BL_KERNEL_SCRATCH / sizeof(float) - PANEL_FLOATS - X_FLOATS,
    LEVELS_MOST = 32,
};
_Static_assert(MACRO_ROWS % BL_ROWS == 0, "whole tiles");
_Static_assert(LEVELS_MOST *(MACRO_ROWS + 1) * BL_PANEL <= TREE_FLOATS,
               "the scratch holds the tree");

typedef struct weights {
    float *dw, *dbias;
    const float *x, *dy;
    size_t batch, k, n, x_stride;
    float *panel;  /* of dy: (BL_BLOCK, BL_PANEL) at most */
    float *packed; /* of x: tiles of (BL_BLOCK, BL_ROWS); NULL: x is read where it lies */
    float *levels; /* rows level_floats apart */
    size_t level_floats,
        bias_node; /* where those of dbias begin, behind wide * MACRO_ROWS others */
} weights;

BL_TILE_COLUMNS(tiles, BL_B_PANEL, BL_A_PACKED)
BL_TILE_COLUMNS(strided_tiles, BL_B_PANEL, BL_A_STRIDED)

/* dst[tile][b][r] = x[b][tile * BL_ROWS + r] for `tiles` tiles side by side. */
BL_INLINE void pack_tiles(float *dst, const float *x, size_t stride, size_t len, size_t tiles) {
    for (size_t b = 0; b < len; b++, x += stride, dst += BL_ROWS) {
        __builtin_prefetch(x + BL_FAR_AHEAD * stride + tiles * BL_ROWS - 1);
        for (size_t i = 0; i < tiles; i++)
            memcpy(dst + i * len * BL_ROWS, x + i * BL_ROWS, BL_ROWS * sizeof *dst);
    }
}

/* The whole tiles of x's next `rows` features; those behind them are read where they lie. */
static void pack_x(float *dst, const float *x, size_t stride, size_t len, size_t rows) {
    enum { TILES = 16 / BL_ROWS }; /* a cache line of x */
    size_t r = 0;
    for (; r + (size_t)TILES * BL_ROWS <= rows; r += (size_t)TILES * BL_ROWS)
        pack_tiles(dst + r * len, x + r, stride, len, TILES);
    for (; r + BL_ROWS <= rows; r += BL_ROWS) pack_tiles(dst + r * len, x + r, stride, len, 1);
}

/* A panel of dy; the columns behind `cols` are zero. Its rows' chains of additions, if wanted. */
BL_INLINE void pack_dy(float *dst, const float *dy, size_t stride, size_t len, size_t cols,
                       bl_v sums[BL_VECS]) {
    bl_lanes m[BL_VECS];
    for (size_t v = 0; sums && v < BL_VECS; v++) sums[v] = bl_v_zero();
    for (size_t v = 0; v < BL_VECS; v++) {
        const size_t before = bl_size_min(v * BL_W, cols);
        m[v].full = cols - before >= BL_W;
        m[v].first = bl_vm_first(bl_size_min(cols - before, BL_W - 1));
    }
    const size_t vecs = bl_tile_width(cols) / BL_W;
    for (size_t b = 0; b < len; b++, dst += vecs * BL_W, dy += stride)
        for (size_t v = 0; v < vecs; v++) {
            __builtin_prefetch(dy + BL_FAR_AHEAD * stride + v * BL_W + BL_LAST);
            const bl_v row = bl_v_get(dy + v * BL_W, m[v]);
            bl_v_store(dst + v * BL_W, row);
            if (sums) sums[v] = sums[v] + row;
        }
}

/* Block `block` has chains in a column of tiles, whose nodes of the tree begin at `node` of each
 * level. Then equal-sized neighbours to the left are added; after the last block all that is left
 * is added, smallest first. Both are "the set bits of `block`, from the lowest": up to the first
 * clear bit, or all. */
static void climb(const weights *w, bl_tile *t, const float **left, size_t node, size_t block,
                  bool last) {
    size_t level = 0;
    t->left = left;
    t->left_stride = BL_PANEL;
    for (; block >> level; level++)
        if (block >> level & 1)
            left[t->lefts++] = w->levels + level * w->level_floats + node;
        else if (!last)
            break;
    if (last) return;
    t->c = w->levels + level * w->level_floats + node;
    t->c_stride = BL_PANEL;
}

/* Examples [b0, b0 + len) for the panel of columns j0, j0 + 1, ... and some rows, in two columns of
 * tiles: those whose x is packed, and the rest. */
static void panel_block(const weights *w, size_t node, size_t b0, size_t len, bl_range rows,
                        size_t j0, size_t cols) {
    const float *left[LEVELS_MOST];
    const size_t count = rows.end - rows.begin;
    const size_t packed = w->packed != NULL ? count - count % BL_ROWS : 0;
    const bool last = b0 + len == w->batch;
    bl_tile t = {.a = w->packed,
                 .b = w->panel,
                 .len = len,
                 .rows = packed,
                 .cols = cols,
                 .c = w->dw + rows.begin * w->n + j0,
                 .c_stride = w->n};
    climb(w, &t, left, node, b0 / BL_BLOCK, last);
    if (packed > 0) {
        const size_t number = packed / BL_ROWS;
        bl_tile asking = t; /* for the next panel */
        asking.soon = w->dy + b0 * w->n + j0 + BL_PANEL;
        asking.soon_rows = j0 + BL_PANEL < w->n ? (len + number - 1) / number : 0;
        asking.soon_stride = w->n;
        tiles(&asking);
    }
    if (packed == count) return;
    t.a = w->x + b0 * w->x_stride + rows.begin + packed;
    t.a_step = w->x_stride;
    t.rows = count - packed;
    t.c += packed * t.c_stride;
    for (size_t i = 0; i < t.lefts; i++) left[i] += packed * BL_PANEL;
    strided_tiles(&t);
}

/* The same for a panel's part of dbias. */
static void bias_block(const weights *w, size_t node, size_t b0, size_t len, size_t j0, size_t cols,
                       const bl_v sums[BL_VECS]) {
    const float *left[LEVELS_MOST];
    bl_tile t = {.c = w->dbias + j0};
    climb(w, &t, left, w->bias_node + node, b0 / BL_BLOCK, b0 + len == w->batch);
    for (size_t v = 0; v * BL_W < cols; v++) {
        const bl_vm m = bl_vm_first(bl_size_min(cols - v * BL_W, BL_W));
        bl_v acc = sums[v];
        for (size_t i = 0; i < t.lefts; i++) acc = bl_v_load_part(left[i] + v * BL_W, m) + acc;
        bl_v_store_part(t.c + v * BL_W, acc, m);
    }
}

/* dw of a block of rows and columns over the whole batch, BL_BLOCK examples at a time, each a leaf
 * of the tree. The bias goes with the first rows. */
static void macro_tile(const weights *w, bl_range rows, bl_range columns) {
    const size_t node_rows = bl_size_min(rows.end - rows.begin, MACRO_ROWS);
    const bool bias = w->dbias != NULL && rows.begin == 0;
    for (size_t b0 = 0; b0 < w->batch; b0 += BL_BLOCK) {
        const size_t len = bl_size_min(w->batch - b0, BL_BLOCK);
        if (w->packed != NULL)
            pack_x(w->packed, w->x + b0 * w->x_stride + rows.begin, w->x_stride, len,
                   rows.end - rows.begin);
        for (size_t j = columns.begin; j < columns.end; j += BL_PANEL) {
            const size_t cols = bl_size_min(columns.end - j, BL_PANEL);
            bl_v sums[BL_VECS];
            if (bias) {
                pack_dy(w->panel, w->dy + b0 * w->n + j, w->n, len, cols, sums);
                bias_block(w, j - columns.begin, b0, len, j, cols, sums);
            } else {
                pack_dy(w->panel, w->dy + b0 * w->n + j, w->n, len, cols, NULL);
            }
            panel_block(w, (j - columns.begin) * node_rows, b0, len, rows, j, cols);
        }
    }
}

BL_INLINE bl_v2 add_dy(const void *ctx, bl_v2 acc, size_t b, size_t j, bl_lanes m) {
    const bl_dense_backward_weight *a = ctx;
    acc.s = acc.s + bl_v_get(a->dy + b * a->n + j, m);
    return acc;
}

/* With n = 1: column j of x times the one column of dy. */
BL_INLINE bl_v2 add_x_dy(const void *ctx, bl_v2 acc, size_t b, size_t j, bl_lanes m) {
    const bl_dense_backward_weight *a = ctx;
    acc.s = bl_v_fma(bl_v_get(a->x + b * bl_dense_x_stride(a) + j, m), bl_v_set1(a->dy[b]), acc.s);
    return acc;
}

void BL_CPU(dense_backward_weight)(const bl_dense_backward_weight *a, const bl_part *part) {
    if (a->dbias != NULL && (a->batch == 0 || a->k == 0 || a->n == 1))
        bl_colsum_run(a->dbias, NULL, a->batch, bl_part_range(part, a->n, BL_W), part->scratch,
                      add_dy, a);
    if (a->n == 1) {
        bl_colsum_run(a->dw, NULL, a->batch, bl_part_range(part, a->k, BL_W), part->scratch,
                      add_x_dy, a);
        return;
    }
    bl_range rows = {0, a->k}, columns = {0, a->n};
    if (a->n >= 2 * part->parts * BL_PANEL)
        columns = bl_part_range(part, a->n, BL_PANEL);
    else
        rows = bl_part_range(part, a->k, BL_ROWS);
    if (a->batch == 0) {
        for (size_t i = rows.begin; i < rows.end; i++)
            memset(a->dw + i * a->n + columns.begin, 0,
                   (columns.end - columns.begin) * sizeof *a->dw);
        return;
    }
    const size_t levels = bl_tree_levels((a->batch + BL_BLOCK - 1) / BL_BLOCK);
    const size_t level_floats = TREE_FLOATS / bl_size_max(1, levels);
    const size_t wide = level_floats / (MACRO_ROWS + 1) / BL_PANEL * BL_PANEL;
    float *const scratch = part->scratch;
    const weights w = {.dw = a->dw,
                       .dbias = a->dbias,
                       .x = a->x,
                       .dy = a->dy,
                       .batch = a->batch,
                       .k = a->k,
                       .n = a->n,
                       .x_stride = bl_dense_x_stride(a),
                       .panel = scratch,
                       .packed = a->n <= FEW_COLS ? NULL : scratch + PANEL_FLOATS,
                       .levels = scratch + PANEL_FLOATS + X_FLOATS,
                       .level_floats = level_floats,
                       .bias_node = wide * MACRO_ROWS};
    for (size_t j = columns.begin; j < columns.end; j += wide)
        for (size_t i = rows.begin; i < rows.end; i += MACRO_ROWS)
            macro_tile(&w, (bl_range){i, bl_size_min(i + MACRO_ROWS, rows.end)},
                       (bl_range){j, bl_size_min(j + wide, columns.end)});
}
