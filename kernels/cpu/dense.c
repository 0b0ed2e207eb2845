/* dense_forward and dense_backward_input: y = x m with rule F, m being w or its transpose.
 *
 * m is packed into panels of BL_PANEL columns, then each block of ROW_BLOCK examples goes through
 * the panels, so that x stays in the second cache and a panel's piece in the first. The results of
 * the 256-term chains are added into y, which is in cache too. */
#include "engine/base/mem.h"
#include "kernels/cpu/tile.h"

enum {
    ROW_BLOCK = 64,
    DEPTH = 16 * BL_BLOCK, /* terms packed at once */
    PACK_FLOATS = BL_KERNEL_SCRATCH / sizeof(float),
};
_Static_assert(ROW_BLOCK % BL_ROWS == 0, "a row block is whole tiles");
_Static_assert(DEPTH *BL_PANEL <= PACK_FLOATS, "the scratch holds a panel");

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

/* dst[i][j] = m[j][i]: as bl_pack_rows, of the transpose. */
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

static void pack(float *dst, const product *p, size_t k0, size_t len, size_t j0, size_t cols) {
    if (p->transposed)
        pack_columns(dst, p->m + j0 * p->k + k0, p->k, len, cols);
    else
        bl_pack_rows(dst, p->m + k0 * p->n + j0, p->n, len, cols);
}

/* y = acc or y + acc; after the last block + bias and the relu. `acc` is BL_PANEL wide. */
static void finish_tile(const product *p, const float *acc, size_t row, size_t rows, size_t j0,
                        size_t cols, bool first, bool last) {
    for (size_t j = 0; j < cols; j += BL_W) {
        const bl_vm m = bl_vm_first(bl_min_size(cols - j, BL_W));
        const bool biased = last && p->bias;
        const bl_v bias = biased ? bl_v_load_part(p->bias + j0 + j, m) : bl_v_zero();
        for (size_t r = 0; r < rows; r++) {
            float *y = p->y + (row + r) * p->n + j0 + j;
            bl_v v = bl_v_load(acc + r * BL_PANEL + j);
            if (!first) v = bl_v_load_part(y, m) + v;
            if (biased) v = v + bias;
            if (last && p->relu) v = bl_v_if_positive(v, v);
            bl_v_store_part(y, v, m);
        }
    }
}

/* One panel's piece of `len` terms from k0 on, times the examples [begin, end). */
static void panel_piece(const product *p, const float *panel, size_t k0, size_t len, size_t j0,
                        size_t begin, size_t end) {
    float acc[BL_ROWS * BL_PANEL] __attribute__((aligned(64)));
    const size_t cols = bl_min_size(p->n - j0, BL_PANEL);
    const bool first = k0 == 0, last = k0 + len == p->k;
    for (size_t row = begin; row < end; row += BL_ROWS) {
        const size_t rows = bl_min_size(end - row, BL_ROWS);
        const bool direct = first && !last && rows == BL_ROWS && cols == BL_PANEL;
        bl_tile t = {.a_step = 1, .b = panel, .len = len};
        t.c = direct ? p->y + row * p->n + j0 : acc;
        t.c_stride = direct ? p->n : BL_PANEL;
        for (size_t r = 0; r < BL_ROWS; r++)
            t.a[r] = p->x + (row + bl_min_size(r, rows - 1)) * p->k + k0;
        bl_tile_run(&t, (int)((cols + BL_W - 1) / BL_W));
        if (!direct) finish_tile(p, acc, row, rows, j0, cols, first, last);
    }
}

/* Terms [k0, k0 + depth) of columns [j0, j1) for all rows, through `packed`. */
static void slab(const product *p, float *packed, size_t k0, size_t depth, size_t j0, size_t j1) {
    for (size_t j = j0; j < j1; j += BL_PANEL)
        pack(packed + (j - j0) * depth, p, k0, depth, j, bl_min_size(j1 - j, BL_PANEL));
    for (size_t begin = 0; begin < p->rows; begin += ROW_BLOCK) {
        const size_t end = bl_min_size(begin + ROW_BLOCK, p->rows);
        for (size_t j = j0; j < j1; j += BL_PANEL) {
            const float *panel = packed + (j - j0) * depth;
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
    /* With few rows a panel is used right after it was packed, while it is in cache. */
    const size_t panels = p.rows <= ROW_BLOCK ? 1 : PACK_FLOATS / (depth * BL_PANEL);
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

void BL_CPU(dense_backward_input)(const bl_dense_backward_input *a, const bl_part *part) {
    run_product((product){.y = a->dx,
                          .x = a->dy,
                          .m = a->w,
                          .transposed = true,
                          .rows = a->batch,
                          .k = a->n,
                          .n = a->k},
                part);
}
