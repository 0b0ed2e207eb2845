/* dense_backward_weight: dw = x^T dy and dbias, with rule B.
 *
 * The outputs are cut into macro tiles of at most MACRO_ROWS rows and MACRO_PANELS panels. A macro
 * tile walks the batch block by block: every register tile runs its chain of 256 examples and
 * climbs the binary-counter tree before it leaves its registers; the tree's levels lie in scratch.
 * The block's columns of dy are packed by the first tile that reads them, x is read where it lies.
 */
#include "engine/base/mem.h"
#include "kernels/cpu/column.h"
#include "kernels/cpu/tile.h"

enum {
    MACRO_ROWS = 512,
    MACRO_PANELS = 4, /* half as many for more than MANY_BLOCKS, whose tree is higher */
    MANY_LOG = 9,     /* log2 of MANY_BLOCKS */
    MANY_BLOCKS = 1 << MANY_LOG,
    NODE_FLOATS = BL_ROWS * BL_PANEL,
    LEVEL_FLOATS = MACRO_ROWS * MACRO_PANELS * BL_PANEL,
    PANEL_FLOATS = BL_BLOCK * BL_PANEL,
    LEVELS = (BL_KERNEL_SCRATCH / sizeof(float) - PANEL_FLOATS) / LEVEL_FLOATS,
    LEVELS_MOST = 2 * LEVELS,
};
_Static_assert(MACRO_ROWS % BL_ROWS == 0, "a macro tile is whole tiles");
_Static_assert(LEVELS > MANY_LOG && LEVELS_MOST > 16, "the scratch holds the tree");

typedef struct weights {
    float *dw;
    const float *x, *dy;
    size_t batch, k, n;
    float *panel;  /* of dy: (BL_BLOCK, BL_PANEL) */
    float *levels; /* rows level_floats apart */
    size_t level_floats;
} weights;

/* Block `block` has a chain in a register tile, whose nodes of the tree are in slot `slot` of each
 * level. Then equal-sized neighbours to the left are added; after the last block all that is left
 * is added, smallest first. Both are "the set bits of `block`, from the lowest": up to the first
 * clear bit, or all. */
static void climb(const weights *w, bl_tile *t, const float **left, size_t slot, size_t block,
                  bool last) {
    size_t level = 0;
    t->left = left;
    t->left_stride = BL_PANEL;
    for (; block >> level; level++)
        if (block >> level & 1)
            left[t->lefts++] = w->levels + level * w->level_floats + slot * NODE_FLOATS;
        else if (!last)
            break;
    if (last) return;
    t->c = w->levels + level * w->level_floats + slot * NODE_FLOATS;
    t->c_stride = BL_PANEL;
}

/* Examples [b0, b0 + len) for one panel of columns and the rows of the macro tile; the first tile
 * packs the panel. */
static void panel_block(const weights *w, size_t slot, size_t b0, size_t len, bl_range rows,
                        size_t j0, size_t cols) {
    const float *left[LEVELS_MOST];
    for (size_t row = rows.begin; row < rows.end; row += BL_ROWS, slot++) {
        bl_tile t = {
            .a = w->x + b0 * w->k + row,
            .a_row = 1,
            .a_step = w->k,
            .b = w->panel,
            .len = len,
            .rows = bl_min_size(rows.end - row, BL_ROWS),
            .cols = cols,
            .c = w->dw + row * w->n + j0,
            .c_stride = w->n,
        };
        climb(w, &t, left, slot, b0 / BL_BLOCK, b0 + len == w->batch);
        if (row > rows.begin) {
            bl_tile_run(&t, false, true);
            continue;
        }
        t.b = w->dy + b0 * w->n + j0;
        t.b_step = w->n;
        t.packed = w->panel;
        bl_tile_run(&t, true, true);
    }
}

static void macro_tile(const weights *w, bl_range rows, bl_range columns) {
    const size_t slots = (rows.end - rows.begin + BL_ROWS - 1) / BL_ROWS;
    for (size_t b0 = 0; b0 < w->batch; b0 += BL_BLOCK) {
        const size_t len = bl_min_size(w->batch - b0, BL_BLOCK);
        for (size_t j = columns.begin, p = 0; j < columns.end; j += BL_PANEL, p++)
            panel_block(w, p * slots, b0, len, rows, j, bl_min_size(columns.end - j, BL_PANEL));
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
    acc.s = bl_v_fma(bl_v_get(a->x + b * a->k + j, m), bl_v_set1(a->dy[b]), acc.s);
    return acc;
}

void BL_CPU(dense_backward_weight)(const bl_dense_backward_weight *a, const bl_part *part) {
    if (a->dbias)
        bl_column_sums(a->dbias, NULL, a->batch, bl_part_range(part, a->n, BL_W), part->scratch,
                       add_dy, a);
    if (a->n == 1) {
        bl_column_sums(a->dw, NULL, a->batch, bl_part_range(part, a->k, BL_W), part->scratch,
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
    const bool many = a->batch > (size_t)MANY_BLOCKS * BL_BLOCK;
    const size_t wide = (many ? MACRO_PANELS / 2 : MACRO_PANELS) * (size_t)BL_PANEL;
    const weights w = {.dw = a->dw,
                       .x = a->x,
                       .dy = a->dy,
                       .batch = a->batch,
                       .k = a->k,
                       .n = a->n,
                       .panel = part->scratch,
                       .levels = (float *)part->scratch + PANEL_FLOATS,
                       .level_floats = MACRO_ROWS * wide};
    for (size_t j = columns.begin; j < columns.end; j += wide)
        for (size_t i = rows.begin; i < rows.end; i += MACRO_ROWS)
            macro_tile(&w, (bl_range){i, bl_min_size(i + MACRO_ROWS, rows.end)},
                       (bl_range){j, bl_min_size(j + wide, columns.end)});
}
