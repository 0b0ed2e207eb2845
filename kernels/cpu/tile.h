/* The register tile of the dense kernels: BL_ROWS x (vecs * BL_W) chains at once,
 *
 *   c[r][j] = chain over i < len of fmaf(a[r][i * a_step], b[i * BL_PANEL + j], acc), from +0,
 *
 * one accumulator register per vector. `b` is a packed panel: BL_PANEL floats per i, zeros where
 * the matrix has no column. The accumulators are named one by one because compilers keep arrays of
 * them in memory. */
#ifndef BL_KERNELS_CPU_TILE_H
#define BL_KERNELS_CPU_TILE_H
#include "kernels/cpu/cpu.h"

#define BL_ONE(r) +1 /* NOLINT(bugprone-macro-parentheses): a term of the sum below */
enum {
    BL_ROWS = 0 BL_TILE_ROWS(BL_ONE),
    BL_VECS = 3,
    BL_PANEL = BL_VECS * BL_W, /* columns of a packed panel */
};
#undef BL_ONE

typedef struct bl_tile {
    const float *a[BL_ROWS]; /* rows beyond the matrix point at a row inside it */
    size_t a_step;
    const float *b;
    size_t len;
    float *c;
    size_t c_stride;
} bl_tile;

#define TILE_DECLARE(r)                                                                            \
    const float *a##r = t->a[r];                                                                   \
    bl_v c##r##_0 = bl_v_zero(), c##r##_1 = bl_v_zero(), c##r##_2 = bl_v_zero();
#define TILE_STEP(r)                                                                               \
    {                                                                                              \
        const bl_v x = bl_v_set1(*a##r);                                                           \
        a##r += step;                                                                              \
        c##r##_0 = bl_v_fma(x, b0, c##r##_0);                                                      \
        if (vecs > 1) c##r##_1 = bl_v_fma(x, b1, c##r##_1);                                        \
        if (vecs > 2) c##r##_2 = bl_v_fma(x, b2, c##r##_2);                                        \
    }
#define TILE_STORE(r)                                                                              \
    bl_v_store(c + (r)*stride, c##r##_0);                                                          \
    if (vecs > 1) bl_v_store(c + (r)*stride + BL_W, c##r##_1);                                     \
    if (vecs > 2) bl_v_store(c + (r)*stride + (size_t)2 * BL_W, c##r##_2);

BL_INLINE void bl_tile_body(const bl_tile *t, const int vecs, const size_t step) {
    BL_TILE_ROWS(TILE_DECLARE)
    const float *b = t->b;
    for (size_t i = t->len; i > 0; i--) {
        const bl_v b0 = bl_v_load(b);
        const bl_v b1 = vecs > 1 ? bl_v_load(b + BL_W) : b0;
        const bl_v b2 = vecs > 2 ? bl_v_load(b + (size_t)2 * BL_W) : b0;
        b += BL_PANEL;
        BL_TILE_ROWS(TILE_STEP)
    }
    float *const c = t->c;
    const size_t stride = t->c_stride;
    BL_TILE_ROWS(TILE_STORE)
}
#undef TILE_DECLARE
#undef TILE_STEP
#undef TILE_STORE

/* `vecs` = 1 to 3 vectors per row. */
static inline void bl_tile_run(const bl_tile *t, int vecs) {
    if (vecs == 3)
        bl_tile_body(t, 3, t->a_step);
    else if (vecs == 2)
        bl_tile_body(t, 2, t->a_step);
    else
        bl_tile_body(t, 1, t->a_step);
}

/* dst[i][j] = m[i][j] for `len` terms i and `cols` columns j; the rest of the panel is zero. */
static inline void bl_pack_rows(float *dst, const float *m, size_t stride, size_t len,
                                size_t cols) {
    if (cols == BL_PANEL) {
        for (size_t i = 0; i < len; i++, dst += BL_PANEL, m += stride)
            for (size_t v = 0; v < BL_PANEL; v += BL_W) bl_v_store(dst + v, bl_v_load(m + v));
        return;
    }
    for (size_t i = 0; i < len; i++, dst += BL_PANEL, m += stride) {
        memset(dst, 0, BL_PANEL * sizeof *dst);
        memcpy(dst, m, cols * sizeof *dst);
    }
}
#endif
