/* dense_backward_weight: dw = x^T dy and dbias, with rule B.
 *
 * The outputs are cut into macro tiles of at most MACRO_ROWS x MACRO_COLS. A macro tile walks the
 * batch block by block: the block's columns of x and dy are packed, every register tile runs its
 * chain of 256 examples, and the binary-counter tree is climbed at once, its levels lying in
 * scratch. So the tree costs cache traffic only, and x and dy are read few times. */
#include "engine/base/mem.h"
#include "kernels/cpu/column.h"
#include "kernels/cpu/tile.h"

enum {
    MACRO_ROWS = 256,
    MACRO_PANELS = 4,
    MACRO_COLS = MACRO_PANELS * BL_PANEL,
    TILE_VECTORS = BL_ROWS * BL_VECS,
    TILE_FLOATS = TILE_VECTORS * BL_W,
    STRIP_FLOATS = BL_BLOCK * BL_ROWS + 16, /* 16: strips begin in different cache sets */
    PACKED_FLOATS = BL_BLOCK * MACRO_COLS + MACRO_ROWS / BL_ROWS * STRIP_FLOATS,
    LEVEL_FLOATS = MACRO_ROWS * MACRO_COLS,
    LEVELS = (BL_KERNEL_SCRATCH / sizeof(float) - PACKED_FLOATS) / LEVEL_FLOATS,
};
_Static_assert(MACRO_ROWS % BL_ROWS == 0, "a macro tile is whole tiles");
_Static_assert(LEVELS >= 16, "2^16 blocks of 256 examples fit the scratch");

typedef struct weights {
    float *dw;
    const float *x, *dy;
    size_t batch, k, n;
    float *panels; /* of dy: (MACRO_PANELS, BL_BLOCK, BL_PANEL) */
    float *strips; /* of x: (MACRO_ROWS / BL_ROWS, BL_BLOCK, BL_ROWS) */
    float *levels; /* (LEVELS, LEVEL_FLOATS) */
} weights;

/* After block `block` (of `blocks`), climb: equal-sized neighbours to the left are added; after the
 * last block all that is left is added, smallest first. Both are "the set bits of `block`, from the
 * lowest": up to the first clear bit, or all. */
static void climb(const weights *w, const float *acc, size_t slot, size_t block, bool last,
                  size_t row, size_t rows, size_t j0, size_t cols) {
    int level = 0;
    bl_v v[TILE_VECTORS];
    for (size_t i = 0; i < TILE_VECTORS; i++) v[i] = bl_v_load(acc + i * BL_W);
    for (; block >> level; level++) {
        if (!(block >> level & 1)) {
            if (last) continue;
            break;
        }
        const float *left = w->levels + (size_t)level * LEVEL_FLOATS + slot * TILE_FLOATS;
        for (size_t i = 0; i < TILE_VECTORS; i++) v[i] = bl_v_load(left + i * BL_W) + v[i];
    }
    if (!last) {
        float *node = w->levels + (size_t)level * LEVEL_FLOATS + slot * TILE_FLOATS;
        for (size_t i = 0; i < TILE_VECTORS; i++) bl_v_store(node + i * BL_W, v[i]);
        return;
    }
    for (size_t j = 0; j < cols; j += BL_W) {
        const bl_vm m = bl_vm_first(bl_min_size(cols - j, BL_W));
        for (size_t r = 0; r < rows; r++)
            bl_v_store_part(w->dw + (row + r) * w->n + j0 + j, v[r * BL_VECS + j / BL_W], m);
    }
}

/* strips[s][b][r] = x[b][s * BL_ROWS + r] for `cols` columns of x; the last strip's rest is zero.
 */
static void pack_strips(float *strips, const float *x, size_t stride, size_t len, size_t cols) {
    const size_t rest = cols % BL_ROWS;
    for (size_t b = 0; b < len; b++, x += stride) {
        float *dst = strips + b * BL_ROWS;
        size_t i = 0;
        for (; i + BL_ROWS <= cols; i += BL_ROWS, dst += STRIP_FLOATS)
            memcpy(dst, x + i, BL_ROWS * sizeof *dst);
        if (rest == 0) continue;
        memset(dst, 0, BL_ROWS * sizeof *dst);
        memcpy(dst, x + i, rest * sizeof *dst);
    }
}

/* Examples [b0, b0 + len) for one packed panel of columns and all rows of the macro tile. */
static void panel_block(const weights *w, const float *panel, size_t slot, size_t b0, size_t len,
                        bl_range rows, size_t j0, size_t cols) {
    float acc[TILE_FLOATS] __attribute__((aligned(64)));
    const bool only = w->batch <= BL_BLOCK, last = b0 + len == w->batch;
    for (size_t row = rows.begin; row < rows.end; row += BL_ROWS, slot++) {
        const size_t count = bl_min_size(rows.end - row, BL_ROWS);
        const bool direct = only && count == BL_ROWS && cols == BL_PANEL;
        const float *strip = w->strips + (row - rows.begin) / BL_ROWS * STRIP_FLOATS;
        bl_tile t = {.a_step = BL_ROWS, .b = panel, .len = len};
        t.c = direct ? w->dw + row * w->n + j0 : acc;
        t.c_stride = direct ? w->n : BL_PANEL;
        for (size_t r = 0; r < BL_ROWS; r++) t.a[r] = strip + r;
        bl_tile_run(&t, (int)((cols + BL_W - 1) / BL_W));
        if (!direct) climb(w, acc, slot, b0 / BL_BLOCK, last, row, count, j0, cols);
    }
}

static void macro_tile(const weights *w, bl_range rows, bl_range columns) {
    const size_t slots = (rows.end - rows.begin + BL_ROWS - 1) / BL_ROWS;
    for (size_t b0 = 0; b0 < w->batch; b0 += BL_BLOCK) {
        const size_t len = bl_min_size(w->batch - b0, BL_BLOCK);
        pack_strips(w->strips, w->x + b0 * w->k + rows.begin, w->k, len, rows.end - rows.begin);
        for (size_t j = columns.begin, p = 0; j < columns.end; j += BL_PANEL, p++) {
            const size_t cols = bl_min_size(columns.end - j, BL_PANEL);
            float *panel = w->panels + p * BL_BLOCK * BL_PANEL;
            bl_pack_rows(panel, w->dy + b0 * w->n + j, w->n, len, cols);
            panel_block(w, panel, p * slots, b0, len, rows, j, cols);
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
    const weights w = {.dw = a->dw,
                       .x = a->x,
                       .dy = a->dy,
                       .batch = a->batch,
                       .k = a->k,
                       .n = a->n,
                       .panels = part->scratch,
                       .strips = (float *)part->scratch + (size_t)BL_BLOCK * MACRO_COLS,
                       .levels = (float *)part->scratch + PACKED_FLOATS};
    for (size_t j = columns.begin; j < columns.end; j += MACRO_COLS)
        for (size_t i = rows.begin; i < rows.end; i += MACRO_ROWS)
            macro_tile(&w, (bl_range){i, bl_min_size(i + MACRO_ROWS, rows.end)},
                       (bl_range){j, bl_min_size(j + MACRO_COLS, columns.end)});
}
