/* dense_forward and dense_backward_input: y = x m with rule F, m being w or its transpose.
 *
 * The first block of ROW_BLOCK examples packs m into panels of BL_PANEL columns on its way through
 * them; the others follow, so that x stays in the first caches and the panels in the second. The
 * results of the 256-term chains are added into y, which is in cache too. */
#include "engine/base/mem.h"
#include "kernels/cpu/tile.h"

enum {
    ROW_BLOCK = 32,
    FEW_ROWS = 128,        /* are one block: a panel is used once, while it is in the first cache */
    DEPTH = 16 * BL_BLOCK, /* terms packed at once */
    SLAB_FLOATS = 1 << 18, /* packed at once, unless a panel is more: half of the second cache */
    FEW_EXAMPLES = 256,    /* up to here w is better left as it is */
};
_Static_assert(ROW_BLOCK % BL_ROWS == 0, "a row block is whole tiles");
_Static_assert(sizeof(float) * DEPTH * BL_PANEL <= BL_KERNEL_SCRATCH, "the scratch holds a panel");

typedef struct product {
    float *y;       /* (rows, n) */
    const float *x; /* (rows, k) */
    const float *m; /* (k, n), or (n, k) if transposed */
    const float *bias;
    bool transposed, relu;
    size_t rows, k, n;
} product;

typedef float v4 __attribute__((vector_size(16)));

/* dst[i][j] = src[j][i] for a 4 x 4 block. */
BL_INLINE void transpose4(float *dst, const float *src, size_t stride) {
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
    for (size_t i = 0; i < 4; i++) memcpy(dst + i * BL_PANEL, &r[i], sizeof r[i]);
}

/* A panel of the transpose: dst[i][j] = m[j][i] for `len` terms i and `cols` columns j; the rest is
 * zero. */
static void pack_columns(float *dst, const float *m, size_t stride, size_t len, size_t cols) {
    if (cols < BL_PANEL) memset(dst, 0, len * BL_PANEL * sizeof *dst);
    const size_t len4 = len & ~(size_t)3, cols4 = cols & ~(size_t)3;
    for (size_t i = 0; i < len4; i += 4)
        for (size_t j = 0; j < cols4; j += 4)
            transpose4(dst + i * BL_PANEL + j, m + j * stride + i, stride);
    for (size_t i = 0; i < len; i++)
        for (size_t j = i < len4 ? cols4 : 0; j < cols; j++)
            dst[i * BL_PANEL + j] = m[j * stride + i];
}

/* One panel's piece of `len` terms from k0 on, times the examples [begin, end). The first examples
 * fill the panel: w goes there on its way through the tile, its transpose beforehand. */
static void panel_piece(const product *p, float *panel, size_t k0, size_t len, size_t j0,
                        size_t begin, size_t end) {
    const size_t cols = bl_min_size(p->n - j0, BL_PANEL);
    const bool first = k0 == 0, last = k0 + len == p->k;
    if (begin == 0 && p->transposed) pack_columns(panel, p->m + j0 * p->k + k0, p->k, len, cols);
    for (size_t row = begin; row < end; row += BL_ROWS) {
        float *const y = p->y + row * p->n + j0;
        const float *const left[] = {y};
        bl_tile t = {
            .a = p->x + row * p->k + k0,
            .a_row = p->k,
            .b = panel,
            .len = len,
            .rows = bl_min_size(end - row, BL_ROWS),
            .cols = cols,
            .c = y,
            .c_stride = p->n,
            .left = left,
            .lefts = first ? 0 : 1,
            .left_stride = p->n,
            .bias = last && p->bias ? p->bias + j0 : NULL,
            .relu = last && p->relu,
        };
        if (row > 0 || p->transposed) {
            bl_tile_run(&t, false, false);
            continue;
        }
        t.b = p->m + k0 * p->n + j0;
        t.b_step = p->n;
        t.packed = panel;
        bl_tile_run(&t, true, false);
    }
}

/* Terms [k0, k0 + depth) of columns [j0, j1) for all rows, through `packed`. */
static void slab(const product *p, float *packed, size_t k0, size_t depth, size_t j0, size_t j1) {
    const size_t block = p->rows <= FEW_ROWS ? p->rows : ROW_BLOCK;
    for (size_t begin = 0; begin < p->rows; begin += block) {
        const size_t end = bl_min_size(begin + block, p->rows);
        for (size_t j = j0; j < j1; j += BL_PANEL) {
            float *panel = packed + (j - j0) * depth;
            for (size_t k = 0; k < depth; k += BL_BLOCK)
                panel_piece(p, panel + k * BL_PANEL, k0 + k, bl_min_size(depth - k, BL_BLOCK), j,
                            begin, end);
        }
    }
}

static void no_terms(const product *p, size_t j0, size_t j1) {
    for (size_t r = 0; r < p->rows; r++)
        for (size_t j = j0; j < j1; j++) {
            const float y = p->bias ? 0.0f + p->bias[j] : 0.0f;
            p->y[r * p->n + j] = p->relu && y <= 0.0f ? 0.0f : y;
        }
}

static void run_product(product p, const bl_part *part) {
    /* Columns are the cheaper cut: then nothing is packed twice. */
    bl_range columns = {0, p.n};
    if (p.n >= 2 * part->parts * BL_PANEL)
        columns = bl_part_range(part, p.n, BL_PANEL);
    else {
        const bl_range rows = bl_part_range(part, p.rows, BL_ROWS);
        p.x += rows.begin * p.k;
        p.y += rows.begin * p.n;
        p.rows = rows.end - rows.begin;
    }
    if (p.rows == 0) return;
    if (p.k == 0) {
        no_terms(&p, columns.begin, columns.end);
        return;
    }
    const size_t depth = bl_min_size(p.k, DEPTH);
    const size_t most = p.rows <= FEW_ROWS ? 1 : SLAB_FLOATS / (depth * BL_PANEL);
    const size_t panels = bl_max_size(1, most);
    for (size_t j = columns.begin; j < columns.end; j += panels * BL_PANEL)
        for (size_t k = 0; k < p.k; k += depth)
            slab(&p, part->scratch, k, bl_min_size(p.k - k, depth), j,
                 bl_min_size(j + panels * BL_PANEL, columns.end));
}

void BL_CPU(dense_forward)(const bl_dense_forward *a, const bl_part *part) {
    run_product((product){.y = a->y,
                          .x = a->x,
                          .m = a->w,
                          .bias = a->bias,
                          .relu = a->relu,
                          .rows = a->batch,
                          .k = a->k,
                          .n = a->n},
                part);
}

/* dx^T = w dy^T for few examples, whose gradients fit the second cache: rows of w go through the
 * tile as they lie, and nothing but dy is packed. */
static void few_examples(const bl_dense_backward_input *a, bl_range features, float *packed) {
    const size_t panels = (a->batch + BL_PANEL - 1) / BL_PANEL;
    const size_t each = ((a->batch + panels - 1) / panels + BL_W - 1) / BL_W * BL_W;
    for (size_t p = 0, b = 0; b < a->batch; p++, b += each)
        pack_columns(packed + p * a->n * BL_PANEL, a->dy + b * a->n, a->n, a->n,
                     bl_min_size(each, a->batch - b));
    for (size_t i = features.begin; i < features.end; i += BL_ROWS)
        for (size_t p = 0, b = 0; b < a->batch; p++, b += each) {
            float dx[BL_ROWS * BL_PANEL] __attribute__((aligned(64)));
            const float *const left[] = {dx};
            bl_tile t = {.a_row = a->n,
                         .rows = bl_min_size(features.end - i, BL_ROWS),
                         .cols = bl_min_size(each, a->batch - b),
                         .c = dx,
                         .c_stride = BL_PANEL,
                         .left = left,
                         .left_stride = BL_PANEL};
            for (size_t k = 0; k < a->n; k += BL_BLOCK, t.lefts = 1) {
                t.a = a->w + i * a->n + k;
                t.b = packed + (p * a->n + k) * BL_PANEL;
                t.len = bl_min_size(a->n - k, BL_BLOCK);
                bl_tile_run(&t, false, false);
            }
            for (size_t j = 0; j < t.cols; j++)
                for (size_t r = 0; r < t.rows; r++)
                    a->dx[(b + j) * a->k + i + r] = dx[r * BL_PANEL + j];
        }
}

void BL_CPU(dense_backward_input)(const bl_dense_backward_input *a, const bl_part *part) {
    if (a->n > 0 && a->batch > 0 && a->batch <= FEW_EXAMPLES && a->batch * a->n <= SLAB_FLOATS) {
        few_examples(a, bl_part_range(part, a->k, BL_ROWS), part->scratch);
        return;
    }
    run_product((product){.y = a->dx,
                          .x = a->dy,
                          .m = a->w,
                          .transposed = true,
                          .rows = a->batch,
                          .k = a->n,
                          .n = a->k},
                part);
}
