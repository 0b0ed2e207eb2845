/* The register tile of the dense kernels: BL_ROWS x (vecs * BL_W) chains at once,
 *
 *   acc[r][j] = chain over i < len of fmaf(a[r * a_row + i * a_step], b[i * b_step + j], acc),
 *
 * from +0, one accumulator register per vector:
 *
 *                       b: one row of a panel for each term, vecs vectors
 *                       +--------+--------+--------+
 *     a: one number     |   b0   |   b1   |   b2   |
 *     a row and term    +--------+--------+--------+
 *          a0[i]   ---> |  c0_0  |  c0_1  |  c0_2  |
 *          a1[i]   ---> |  c1_0  |  c1_1  |  c1_2  |    every term: 3 loads of b, a broadcast for
 *            ...        |   ...                    |    each row, rows * vecs multiply-adds
 *                       +--------+--------+--------+
 *
 * What becomes of a chain is done before it leaves its register: the results of other chains are
 * added, left[0] + acc, left[1] + that, ..., then the bias, then comes the epilogue
 * (kernels/epilogue.h). The accumulators are named one by one, by macros over the rows, because
 * compilers keep arrays of them in memory; a column of tiles is a function that is not inlined, so
 * that the compiler spends all registers on its loop. BL_TILE_COLUMNS makes the functions of one
 * kind: for 1 to 3 vectors, the last of them whole or in part. */
#ifndef BL_KERNELS_CPU_TILE_H
#define BL_KERNELS_CPU_TILE_H
#include "kernels/cpu/cpu.h"

#define BL_ONE(r) +1 /* NOLINT(bugprone-macro-parentheses): a term of the sum below */
enum {
    BL_ROWS = 0 BL_TILE_ROWS(BL_ONE),
    BL_TALL = 0 BL_TALL_ROWS(BL_ONE), /* rows of a tile one vector wide, unless x is packed */
    BL_VECS = 3,
    BL_PANEL = BL_VECS * BL_W, /* columns of a packed panel, at most */
    BL_FAR_AHEAD = 24,         /* terms that a stream from memory is fetched ahead */
    BL_LAST = BL_W - 1,        /* a vector's lane: lines are asked for where vectors end, as rows
                                * begin anywhere and the panel before had what is in front */
};
#undef BL_ONE
_Static_assert(BL_TALL % BL_ROWS == 0, "tall tiles are whole tiles");

/* A column of tiles: any number of rows. */
typedef struct bl_tile {
    const float *a;
    size_t a_row, a_step; /* bl_a says which of them count */
    const float *b;
    size_t b_step, len;
    float *packed;     /* BL_B_PACK: where the b that is read goes as a packed panel */
    size_t rows, cols; /* of c; at most BL_PANEL columns */
    float *c;
    size_t c_stride;
    const float *const *left; /* (lefts): like c, but rows left_stride apart */
    size_t lefts, left_stride;
    const float *bias;    /* (cols) or NULL */
    bl_epilogue epilogue; /* its arrays are as c */
    /* Every tile asks the second cache for soon_rows rows of BL_PANEL columns, soon_stride apart,
     * of what is to be packed next. */
    const float *soon;
    size_t soon_rows, soon_stride;
} bl_tile;

/* How the terms of a row of a lie. */
typedef enum bl_a {
    BL_A_ROWS,    /* side by side: a_step is 1 */
    BL_A_STRIDED, /* rows side by side: a_row is 1, and cache lines are asked for in time */
    BL_A_PACKED,  /* tile by tile, BL_ROWS rows side by side: whole tiles only */
} bl_a;

/* Where b is. */
typedef enum bl_b {
    BL_B_PANEL, /* packed, bl_tile_width(cols) floats a term, zero behind the columns */
    BL_B_PACK,  /* read where it lies, and packed */
    BL_B_LIES,  /* read where it lies */
} bl_b;

/* What the compiler is to see as constants. */
typedef struct bl_tile_kind {
    int rows, vecs;
    bool all;  /* rows are there, */
    bool full; /* and all columns of the last vector */
    bl_b b;
    bl_a a;
} bl_tile_kind;

/* Rows that c does not have repeat its last one and are dropped. */
#define TILE_DECLARE(r)                                                                            \
    const float *a##r = a + (kind.all || (r) < rows ? (r) : rows - 1) * a_row;                     \
    bl_v c##r##_0 = bl_v_zero(), c##r##_1 = bl_v_zero(), c##r##_2 = bl_v_zero();
#define TILE_STEP(r)                                                                               \
    if ((r) < kind.rows) {                                                                         \
        const bl_v x = bl_v_set1(a##r[at]);                                                        \
        c##r##_0 = bl_v_fma(x, b0, c##r##_0);                                                      \
        if (kind.vecs > 1) c##r##_1 = bl_v_fma(x, b1, c##r##_1);                                   \
        if (kind.vecs > 2) c##r##_2 = bl_v_fma(x, b2, c##r##_2);                                   \
    }
/* APPLY(vector's variable, its number, its lanes) for the vectors of a row. */
#define TILE_ROW(r, APPLY)                                                                         \
    if ((r) < kind.rows && (kind.all || (r) < rows)) {                                             \
        APPLY(c##r##_0, r, 0, kind.vecs == 1 ? last : whole)                                       \
        if (kind.vecs > 1) APPLY(c##r##_1, r, 1, kind.vecs == 2 ? last : whole)                    \
        if (kind.vecs > 2) APPLY(c##r##_2, r, 2, last)                                             \
    }
#define TILE_LEFT(acc, r, v, m)     acc = bl_v_get(left + (v)*BL_W, m) + acc;
#define TILE_BIAS(acc, r, v, m)     acc = acc + bl_v_get(t.bias + (v)*BL_W, m);
#define TILE_RESIDUAL(acc, r, v, m) acc = acc + bl_v_get(residual + (v)*BL_W, m);
#define TILE_RELU(acc, r, v, m)     acc = bl_v_if_positive(acc, acc);
#define TILE_GATE(acc, r, v, m)     acc = bl_v_if_positive(bl_v_get(gate + (v)*BL_W, m), acc);
#define TILE_STORE(acc, r, v, m)    bl_v_put(c + (v)*BL_W, acc, m);
#define TILE_ADD_LEFT(r)            TILE_ROW(r, TILE_LEFT) left += t.left_stride;
#define TILE_ADD_BIAS(r)            TILE_ROW(r, TILE_BIAS)
#define TILE_ADD_RESIDUAL(r)        TILE_ROW(r, TILE_RESIDUAL) residual += t.c_stride;
#define TILE_DO_RELU(r)             TILE_ROW(r, TILE_RELU)
#define TILE_DO_GATE(r)             TILE_ROW(r, TILE_GATE) gate += t.c_stride;
#define TILE_PUT(r)                 TILE_ROW(r, TILE_STORE) c += t.c_stride;

/* Asks for what the end of a tile will read and write. */
BL_INLINE void bl_tile_ask(const float *c, size_t stride, size_t rows, size_t vecs, bool write) {
    BL_FORGET(c);
    for (size_t r = 0; r < rows; r++, c += stride)
        for (size_t v = 0; v < vecs; v++)
            if (write)
                __builtin_prefetch(c + v * BL_W, 1);
            else
                __builtin_prefetch(c + v * BL_W);
}

/* The tile of the rows from `row` on. */
BL_INLINE void bl_tile_body(const bl_tile t, size_t row, const bl_tile_kind kind) {
    const bl_lanes whole = {.full = true};
    const bl_lanes last = {
        .full = kind.full,
        .first = kind.full ? bl_vm_first(0) : bl_vm_first(t.cols - (size_t)(kind.vecs - 1) * BL_W),
    };
    const bl_lanes read = kind.b == BL_B_PANEL ? whole : last;
    const size_t rows = kind.all ? (size_t)kind.rows : t.rows - row;
    const size_t a_row = kind.a == BL_A_ROWS ? t.a_row : 1;
    const size_t step = kind.a == BL_A_ROWS ? 1 : kind.a == BL_A_PACKED ? BL_ROWS : t.a_step;
    const size_t width = (size_t)kind.vecs * BL_W;
    const size_t b_step = kind.b == BL_B_PANEL ? width : t.b_step;
    const float *a = t.a + row * (kind.a == BL_A_PACKED ? t.len : a_row), *b = t.b;
    float *packed = t.packed;
    if (t.soon_rows > 0) {
        const float *soon = t.soon + row / BL_ROWS * t.soon_rows * t.soon_stride;
        for (size_t r = 0; r < t.soon_rows; r++, soon += t.soon_stride)
            for (size_t v = 0; v < BL_VECS; v++)
                __builtin_prefetch(soon + v * BL_W + BL_LAST, 0, 2);
    }
    BL_TALL_ROWS(TILE_DECLARE)
    float *c = t.c + row * t.c_stride;
    bl_tile_ask(c, t.c_stride, rows, (size_t)kind.vecs, true);
    for (size_t i = 0; i < t.lefts; i++)
        bl_tile_ask(t.left[i] + row * t.left_stride, t.left_stride, rows, (size_t)kind.vecs, false);
    if (t.epilogue.residual != NULL)
        bl_tile_ask(t.epilogue.residual + row * t.c_stride, t.c_stride, rows, (size_t)kind.vecs,
                    false);
/* Four terms a turn spare three of four counters and jumps: products were 1 to 3 % faster on a
 * quiet host, and 4 to 17 % where other guests' threads seem to share the core (Zen 3). */
#pragma GCC unroll 4
    for (size_t i = 0, at = 0; i < t.len; i++, at += step) {
        const bl_v b0 = bl_v_get(b, kind.vecs == 1 ? read : whole);
        const bl_v b1 = kind.vecs > 1 ? bl_v_get(b + BL_W, kind.vecs == 2 ? read : whole) : b0;
        const bl_v b2 = kind.vecs > 2 ? bl_v_get(b + (size_t)2 * BL_W, read) : b0;
        if (kind.a == BL_A_STRIDED) __builtin_prefetch(a0 + at + BL_FAR_AHEAD * step);
        if (kind.b != BL_B_PANEL)
            for (size_t v = 0; v < (size_t)kind.vecs; v++)
                __builtin_prefetch(b + BL_AHEAD * b_step + v * BL_W + BL_LAST);
        if (kind.b == BL_B_PACK) {
            bl_v_store(packed, b0);
            if (kind.vecs > 1) bl_v_store(packed + BL_W, b1);
            if (kind.vecs > 2) bl_v_store(packed + (size_t)2 * BL_W, b2);
            packed += width;
        }
        b += b_step;
        BL_TALL_ROWS(TILE_STEP)
    }
    BL_FORGET(c); /* its addresses took some 500 instructions a tile */
    for (size_t i = 0; i < t.lefts; i++) {
        const float *left = t.left[i] + row * t.left_stride;
        BL_FORGET(left);
        BL_TALL_ROWS(TILE_ADD_LEFT)
    }
    if (t.bias != NULL) {
        BL_TALL_ROWS(TILE_ADD_BIAS)
    }
    if (t.epilogue.residual != NULL) {
        const float *residual = t.epilogue.residual + row * t.c_stride;
        BL_FORGET(residual);
        BL_TALL_ROWS(TILE_ADD_RESIDUAL)
    }
    if (t.epilogue.relu) {
        BL_TALL_ROWS(TILE_DO_RELU)
    }
    if (t.epilogue.relu_gate != NULL) {
        const float *gate = t.epilogue.relu_gate + row * t.c_stride;
        BL_FORGET(gate);
        BL_TALL_ROWS(TILE_DO_GATE)
    }
    BL_TALL_ROWS(TILE_PUT)
}
#undef TILE_DECLARE
#undef TILE_STEP
#undef TILE_ROW
#undef TILE_LEFT
#undef TILE_BIAS
#undef TILE_RELU
#undef TILE_RESIDUAL
#undef TILE_GATE
#undef TILE_STORE
#undef TILE_ADD_LEFT
#undef TILE_ADD_BIAS
#undef TILE_ADD_RESIDUAL
#undef TILE_DO_RELU
#undef TILE_DO_GATE
#undef TILE_PUT

typedef void bl_tile_column(const bl_tile *t);

/* One function for every number of vectors, whole or with a last one in part. */
#define BL_TILE_COLUMN(NAME, VECS, FULL, B, A)                                                     \
    __attribute__((noinline)) static void NAME##_##VECS##_##FULL(const bl_tile *t) {               \
        enum { HEIGHT = (VECS) == 1 && (A) != BL_A_PACKED ? BL_TALL : BL_ROWS };                   \
        size_t row = 0;                                                                            \
        for (; row + HEIGHT <= t->rows; row += HEIGHT)                                             \
            bl_tile_body(*t, row, (bl_tile_kind){HEIGHT, VECS, true, FULL, B, A});                 \
        if ((A) != BL_A_PACKED && row < t->rows)                                                   \
            bl_tile_body(*t, row, (bl_tile_kind){HEIGHT, VECS, false, FULL, B, A});                \
    }
/* NAME(tile): the function for as many columns as the tile has. */
#define BL_TILE_COLUMNS(NAME, B, A)                                                                \
    BL_TILE_COLUMN(NAME, 1, 0, B, A)                                                               \
    BL_TILE_COLUMN(NAME, 2, 0, B, A)                                                               \
    BL_TILE_COLUMN(NAME, 2, 1, B, A)                                                               \
    BL_TILE_COLUMN(NAME, 3, 0, B, A)                                                               \
    BL_TILE_COLUMN(NAME, 3, 1, B, A)                                                               \
    static void NAME(const bl_tile *t) {                                                           \
        const bool full = t->cols % BL_W == 0;                                                     \
        if (t->cols <= BL_W)                                                                       \
            NAME##_1_0(t);                                                                         \
        else if (t->cols <= (size_t)2 * BL_W)                                                      \
            (full ? NAME##_2_1 : NAME##_2_0)(t);                                                   \
        else                                                                                       \
            (full ? NAME##_3_1 : NAME##_3_0)(t);                                                   \
    }

/* Floats per term of a panel of so many columns: whole vectors. */
BL_INLINE size_t bl_tile_width(size_t cols) {
    return (cols + BL_W - 1) / BL_W * BL_W;
}

/* Rows of the tiles of so many columns, x lying as it is. */
BL_INLINE size_t bl_tile_height(size_t cols) {
    return cols <= BL_W ? BL_TALL : BL_ROWS;
}
#endif
