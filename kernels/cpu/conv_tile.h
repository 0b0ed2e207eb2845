/* The register tile of the convolutions: BL_ROWS x (vecs * BL_W) chains at once, whose terms lie in
 * runs, because what a position sees of an image is contiguous only line by line:
 *
 *   c[r][j] = chain, over the runs and i < run.len, of
 *             fmaf(a[r][run.at + i * a_step], b[term * vecs * BL_W + j], acc), from +0
 *
 * `b` is packed without gaps: panels are as wide as they need to be. */
#ifndef BL_KERNELS_CPU_CONV_TILE_H
#define BL_KERNELS_CPU_CONV_TILE_H
#include "engine/base/mem.h"
#include "kernels/cpu/cpu.h"

#define BL_ONE(r) +1 /* NOLINT(bugprone-macro-parentheses): a term of the sum below */
enum {
    BL_CONV_ROWS = 0 BL_TILE_ROWS(BL_ONE),
    BL_CONV_VECS = 3,
};
#undef BL_ONE

typedef struct bl_conv_run {
    size_t at, len;
} bl_conv_run;

typedef struct bl_conv_tile {
    const float *a[BL_CONV_ROWS]; /* rows beyond the matrix point at a row inside it */
    size_t a_step;
    const bl_conv_run *run;
    size_t runs;
    const float *b;
    float *c; /* (BL_CONV_ROWS, vecs * BL_W) */
} bl_conv_tile;

#define TILE_DECLARE(r)                                                                            \
    const float *const a##r = t->a[r];                                                             \
    bl_v c##r##_0 = resume ? bl_v_load(t->c + (r)*width) : bl_v_zero();                            \
    bl_v c##r##_1 = resume && vecs > 1 ? bl_v_load(t->c + (r)*width + BL_W) : bl_v_zero();         \
    bl_v c##r##_2 =                                                                                \
        resume && vecs > 2 ? bl_v_load(t->c + (r)*width + (size_t)2 * BL_W) : bl_v_zero();
#define TILE_STEP(r)                                                                               \
    {                                                                                              \
        const bl_v x = bl_v_set1(adjacent ? a0[at + (r)] : a##r[at]);                              \
        c##r##_0 = bl_v_fma(x, b0, c##r##_0);                                                      \
        if (vecs > 1) c##r##_1 = bl_v_fma(x, b1, c##r##_1);                                        \
        if (vecs > 2) c##r##_2 = bl_v_fma(x, b2, c##r##_2);                                        \
    }
#define TILE_STORE(r)                                                                              \
    bl_v_store(c + (r)*width, c##r##_0);                                                           \
    if (vecs > 1) bl_v_store(c + (r)*width + BL_W, c##r##_1);                                      \
    if (vecs > 2) bl_v_store(c + (r)*width + (size_t)2 * BL_W, c##r##_2);                          \
    (void)a##r;

/* `adjacent`: row r's terms lie r floats behind those of row 0. `resume`: the chains go on from
 * what c holds. */
BL_INLINE void bl_conv_tile_body(const bl_conv_tile *t, const int vecs, const bool adjacent,
                                 const bool resume, const size_t step) {
    const size_t width = (size_t)vecs * BL_W;
    BL_TILE_ROWS(TILE_DECLARE)
    const float *b = t->b;
    for (size_t s = 0; s < t->runs; s++) {
        size_t at = t->run[s].at;
        for (size_t i = t->run[s].len; i > 0; i--) {
            const bl_v b0 = bl_v_load(b);
            const bl_v b1 = vecs > 1 ? bl_v_load(b + BL_W) : b0;
            const bl_v b2 = vecs > 2 ? bl_v_load(b + (size_t)2 * BL_W) : b0;
            b += width;
            BL_TILE_ROWS(TILE_STEP)
            at += step;
        }
    }
    float *const c = t->c;
    BL_TILE_ROWS(TILE_STORE)
}
#undef TILE_DECLARE
#undef TILE_STEP
#undef TILE_STORE

/* How n columns are cut into panels of at most BL_CONV_VECS vectors, about equally wide. */
typedef struct bl_conv_panels {
    size_t n, vecs, count; /* all but the last are `vecs` wide */
} bl_conv_panels;
static inline bl_conv_panels bl_conv_cut(size_t n) {
    const size_t vectors = (n + BL_W - 1) / BL_W;
    const size_t least = (vectors + BL_CONV_VECS - 1) / BL_CONV_VECS;
    const size_t vecs = least > 0 ? (vectors + least - 1) / least : 1;
    return (bl_conv_panels){.n = n, .vecs = vecs, .count = (vectors + vecs - 1) / vecs};
}
static inline size_t bl_conv_panel_columns(const bl_conv_panels *p, size_t i) {
    return bl_min_size(p->vecs * BL_W, p->n - i * p->vecs * BL_W);
}
static inline size_t bl_conv_panel_vecs(const bl_conv_panels *p, size_t i) {
    return (bl_conv_panel_columns(p, i) + BL_W - 1) / BL_W;
}
#endif
