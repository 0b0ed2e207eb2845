/* The register tile of the dense kernels: BL_ROWS x (vecs * BL_W) chains at once,
 *
 *   acc[r][j] = chain over i < len of fmaf(a[r * a_row + i * a_step], b[i * b_step + j], acc),
 *
 * from +0, one accumulator register per vector. What becomes of a chain is done before it leaves
 * its register: first the results of other chains are added, left[0] + acc, left[1] + that, ...,
 * then the bias, then the relu. The accumulators are named one by one because compilers keep arrays
 * of them in memory. */
#ifndef BL_KERNELS_CPU_TILE_H
#define BL_KERNELS_CPU_TILE_H
#include "kernels/cpu/cpu.h"

#define BL_ONE(r) +1 /* NOLINT(bugprone-macro-parentheses): a term of the sum below */
enum {
    BL_ROWS = 0 BL_TILE_ROWS(BL_ONE),
    BL_VECS = 3,
    BL_PANEL = BL_VECS * BL_W, /* columns of a packed panel: BL_PANEL floats per term */
    BL_AHEAD = 8,              /* terms that rows to be packed are fetched ahead, */
    BL_FAR_AHEAD = 24,         /* and a strided stream, which comes from memory */
};
#undef BL_ONE

typedef struct bl_tile {
    const float *a;
    size_t a_row, a_step;
    const float *b;
    size_t b_step, len;
    float *packed;     /* NULL, or where the b that is read goes as a packed panel */
    size_t rows, cols; /* of c; at most BL_ROWS and BL_PANEL */
    float *c;
    size_t c_stride;
    const float *const *left; /* (lefts): like c, but rows left_stride apart */
    size_t lefts, left_stride;
    const float *bias; /* (cols) or NULL */
    bool relu;
} bl_tile;

/* What the compiler is to see as constants. */
typedef struct bl_tile_kind {
    int vecs;
    bool full;    /* all columns of the last vector are there */
    bool pack;    /* b is read where it lies, and packed */
    bool strided; /* a_step is large: its cache lines are asked for in time */
} bl_tile_kind;

BL_INLINE void bl_tile_put(const bl_tile *t, size_t r, size_t v, bl_lanes m, bl_v acc) {
    const size_t j = v * BL_W;
    for (size_t i = 0; i < t->lefts; i++)
        acc = bl_v_get(t->left[i] + r * t->left_stride + j, m) + acc;
    if (t->bias) acc = acc + bl_v_get(t->bias + j, m);
    if (t->relu) acc = bl_v_if_positive(acc, acc);
    bl_v_put(t->c + r * t->c_stride + j, acc, m);
}

/* Rows that c does not have repeat its last one and are dropped. */
#define TILE_DECLARE(r)                                                                            \
    const float *a##r = t->a + ((r) < t->rows ? (r) : t->rows - 1) * t->a_row;                     \
    bl_v c##r##_0 = bl_v_zero(), c##r##_1 = bl_v_zero(), c##r##_2 = bl_v_zero();
#define TILE_STEP(r)                                                                               \
    {                                                                                              \
        const bl_v x = bl_v_set1(a##r[at]);                                                        \
        c##r##_0 = bl_v_fma(x, b0, c##r##_0);                                                      \
        if (kind.vecs > 1) c##r##_1 = bl_v_fma(x, b1, c##r##_1);                                   \
        if (kind.vecs > 2) c##r##_2 = bl_v_fma(x, b2, c##r##_2);                                   \
    }
#define TILE_PUT(r)                                                                                \
    if ((r) < t->rows) {                                                                           \
        bl_tile_put(t, r, 0, kind.vecs == 1 ? last : whole, c##r##_0);                             \
        if (kind.vecs > 1) bl_tile_put(t, r, 1, kind.vecs == 2 ? last : whole, c##r##_1);          \
        if (kind.vecs > 2) bl_tile_put(t, r, 2, last, c##r##_2);                                   \
    }

BL_INLINE void bl_tile_body(const bl_tile *t, const bl_tile_kind kind) {
    const bl_lanes whole = {.full = true};
    const bl_lanes last = {
        .full = kind.full,
        .first = kind.full ? bl_vm_first(0) : bl_vm_first(t->cols - (size_t)(kind.vecs - 1) * BL_W),
    };
    const bl_lanes read = kind.pack ? last : whole; /* a packed panel is zero behind its columns */
    const size_t step = kind.strided ? t->a_step : 1;
    const size_t b_step = kind.pack ? t->b_step : BL_PANEL;
    const float *b = t->b;
    float *packed = t->packed;
    BL_TILE_ROWS(TILE_DECLARE)
    for (size_t i = 0; i < t->lefts; i++)
        for (size_t r = 0; r < t->rows; r++)
            for (size_t v = 0; v < (size_t)kind.vecs; v++)
                __builtin_prefetch(t->left[i] + r * t->left_stride + v * BL_W);
    for (size_t i = 0, at = 0; i < t->len; i++, at += step) {
        const bl_v b0 = bl_v_get(b, kind.vecs == 1 ? read : whole);
        const bl_v b1 = kind.vecs > 1 ? bl_v_get(b + BL_W, kind.vecs == 2 ? read : whole) : b0;
        const bl_v b2 = kind.vecs > 2 ? bl_v_get(b + (size_t)2 * BL_W, read) : b0;
        if (kind.strided) __builtin_prefetch(a0 + at + BL_FAR_AHEAD * step);
        if (kind.pack) {
            for (size_t v = 0; v < (size_t)kind.vecs; v++)
                __builtin_prefetch(b + BL_AHEAD * b_step + v * BL_W);
            bl_v_store(packed, b0);
            if (kind.vecs > 1) bl_v_store(packed + BL_W, b1);
            if (kind.vecs > 2) bl_v_store(packed + (size_t)2 * BL_W, b2);
            packed += BL_PANEL;
        }
        b += b_step;
        BL_TILE_ROWS(TILE_STEP)
    }
    BL_TILE_ROWS(TILE_PUT)
}
#undef TILE_DECLARE
#undef TILE_STEP
#undef TILE_PUT

BL_INLINE void bl_tile_run(const bl_tile *t, const bool pack, const bool strided) {
    const bool full = t->cols % BL_W == 0;
    if (t->cols == BL_PANEL)
        bl_tile_body(t, (bl_tile_kind){3, true, pack, strided});
    else if (t->cols > (size_t)2 * BL_W)
        bl_tile_body(t, (bl_tile_kind){3, false, pack, strided});
    else if (full && t->cols == (size_t)2 * BL_W)
        bl_tile_body(t, (bl_tile_kind){2, true, pack, strided});
    else if (t->cols > BL_W)
        bl_tile_body(t, (bl_tile_kind){2, false, pack, strided});
    else
        bl_tile_body(t, (bl_tile_kind){1, false, pack, strided});
}

#endif
