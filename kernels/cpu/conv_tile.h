/* The register tile of the convolutions: rows x (vecs * BL_W) chains at once, whose terms lie in
 * runs, because what a position sees of an image is contiguous only line by line:
 *
 *   acc[r][j] = chain, over the runs and i < run.len, of
 *               fmaf(a[r][run.at + i * a_step], b[run.b + i * b_step + j], acc), from +0
 *
 * What becomes of a chain is done before it leaves its register: c[r][j], or +0, is added, c + acc,
 * then the bias, then the epilogue. The accumulators are named one by one because compilers
 * keep arrays of them in memory. */
#ifndef BL_KERNELS_CPU_CONV_TILE_H
#define BL_KERNELS_CPU_CONV_TILE_H
#include "engine/base/mem.h"
#include "kernels/cpu/epilogue_vectors.h"

#define BL_CONV_EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
enum { BL_CONV_MOST = 8 }; /* rows */

typedef struct bl_conv_run {
    size_t at, len; /* floats; terms */
    size_t b;       /* floats */
} bl_conv_run;

typedef struct bl_conv_tile {
    const float *a[BL_CONV_MOST]; /* rows beyond `rows` point at a row inside the matrix */
    size_t a_step;
    const bl_conv_run *run;
    size_t runs;
    const float *b;
    size_t b_step;
    float *c[BL_CONV_MOST]; /* beyond `rows`: of a row that is there */
    size_t rows, cols;      /* of c */
    size_t a_row, c_row;    /* BL_CONV_EVEN: from row to row, */
    size_t a_line, c_line;  /* and from line to line */
    bool add;               /* c holds what chains are added to, not +0 */
    const float *bias;      /* (cols) or NULL */
    const float *result;    /* c points into it, and the epilogue counts from its begin */
    bl_epilogue epilogue;
    size_t
        wait; /* floats behind c: of chains that pause, (rows, vecs * BL_W), what they are so far */
} bl_conv_tile;

/* Where the rows of a tile are. */
typedef enum bl_conv_layout {
    BL_CONV_APART, /* where a and c say */
    BL_CONV_NEAR,  /* a[r] is a[0] + r, and c[r] is c[0] + r * vecs * BL_W; all are there */
    /* a[r] is a[0] + r * a_row, and c[r] is c[0] + r * c_row. If there are two lines, the second
     * half of the rows begins at a[0] + a_line and c[0] + c_line. a_step is 1, and b is packed
     * without gaps (b_step is vecs * BL_W). All rows are there. */
    BL_CONV_EVEN,
} bl_conv_layout;

/* What the compiler is to see as constants. */
typedef struct bl_conv_kind {
    int vecs, rows, lines;
    bl_conv_layout layout;
    bool pauses; /* the chains come from `wait` and go there, not to c */
} bl_conv_kind;

BL_INLINE size_t bl_conv_rows(size_t vecs) {
    return vecs == 1 ? BL_CONV_ROWS_1 : BL_CONV_ROWS;
}

/* Asks for what the end of a tile will read. */
BL_INLINE void bl_conv_fetch(const bl_epilogue *e, ptrdiff_t i) {
    if (e->residual != NULL) __builtin_prefetch(e->residual + i);
    if (e->relu_gate != NULL) __builtin_prefetch(e->relu_gate + i);
}

#define TILE_AT(r, row, line) ((r) < per ? (r)*row : ((r)-per) * row + line)
#define TILE_C(r)             (kind.layout == BL_CONV_APART ? t->c[r] : c + TILE_AT(r, c_row, t->c_line))
/* The lines that the results will lie in are asked for when a tile begins. */
#define TILE_OWN(r)                                                                                \
    if ((r) < kind.rows) __builtin_prefetch(TILE_C(r), 1);
#define TILE_DECLARE(r)                                                                            \
    const float *const a##r = kind.layout == BL_CONV_APART ? t->a[(r) < kind.rows ? (r) : 0]       \
                                                           : a + TILE_AT(r, a_row, t->a_line);     \
    bl_v c##r##_0 = bl_v_zero(), c##r##_1 = c##r##_0, c##r##_2 = c##r##_0;                         \
    if (kind.pauses && (r) < kind.rows) {                                                          \
        c##r##_0 = bl_v_load(wait + (r)*width);                                                    \
        if (kind.vecs > 1) c##r##_1 = bl_v_load(wait + (r)*width + BL_W);                          \
        if (kind.vecs > 2) c##r##_2 = bl_v_load(wait + (r)*width + (size_t)2 * BL_W);              \
    }
#define TILE_STEP(r)                                                                               \
    if ((r) < kind.rows) {                                                                         \
        const bl_v x = bl_v_set1(a##r[at]);                                                        \
        c##r##_0 = bl_v_fma(x, b0, c##r##_0);                                                      \
        if (kind.vecs > 1) c##r##_1 = bl_v_fma(x, b1, c##r##_1);                                   \
        if (kind.vecs > 2) c##r##_2 = bl_v_fma(x, b2, c##r##_2);                                   \
    }
#define TILE_TERM                                                                                  \
    const bl_v b0 = bl_v_load(b);                                                                  \
    const bl_v b1 = kind.vecs > 1 ? bl_v_load(b + BL_W) : b0;                                      \
    const bl_v b2 = kind.vecs > 2 ? bl_v_load(b + (size_t)2 * BL_W) : b0;                          \
    b += b_step;                                                                                   \
    BL_CONV_EACH(TILE_STEP)                                                                        \
    at += step;
#define TILE_PAUSE(r)                                                                              \
    if ((r) < kind.rows && (kind.layout != BL_CONV_APART || (r) < t->rows)) {                      \
        bl_v_store(wait + (r)*width, c##r##_0);                                                    \
        if (kind.vecs > 1) bl_v_store(wait + (r)*width + BL_W, c##r##_1);                          \
        if (kind.vecs > 2) bl_v_store(wait + (r)*width + (size_t)2 * BL_W, c##r##_2);              \
    }
/* APPLY(vector's variable, its row, its number, its lanes) for the vectors of a row. */
#define TILE_ROW(r, APPLY)                                                                         \
    if ((r) < kind.rows) {                                                                         \
        APPLY(c##r##_0, r, 0, kind.vecs == 1 ? last : whole)                                       \
        if (kind.vecs > 1) APPLY(c##r##_1, r, 1, kind.vecs == 2 ? last : whole)                    \
        if (kind.vecs > 2) APPLY(c##r##_2, r, 2, last)                                             \
    }
#define TILE_SUM(acc, r, v, m)      acc = bl_v_get(TILE_C(r) + (v)*BL_W, m) + acc;
#define TILE_ZERO(acc, r, v, m)     acc = bl_v_zero() + acc;
#define TILE_BIAS(acc, r, v, m)     acc = acc + bias##v;
#define TILE_PLACE(r, v)            (size_t)(TILE_C(r) - t->result + (v)*BL_W)
#define TILE_RESIDUAL(acc, r, v, m) acc = bl_epilogue_add(&t->epilogue, acc, TILE_PLACE(r, v), m);
#define TILE_RELU(acc, r, v, m)     acc = bl_v_if_positive(acc, acc);
#define TILE_GATE(acc, r, v, m)     acc = bl_epilogue_gate(&t->epilogue, acc, TILE_PLACE(r, v), m);
#define TILE_STORE(acc, r, v, m)    bl_v_put(TILE_C(r) + (v)*BL_W, acc, m);
#define TILE_ADD_SUM(r)             TILE_ROW(r, TILE_SUM)
#define TILE_ADD_ZERO(r)            TILE_ROW(r, TILE_ZERO)
#define TILE_ADD_BIAS(r)            TILE_ROW(r, TILE_BIAS)
#define TILE_ADD_RESIDUAL(r)        TILE_ROW(r, TILE_RESIDUAL)
#define TILE_DO_RELU(r)             TILE_ROW(r, TILE_RELU)
#define TILE_DO_GATE(r)             TILE_ROW(r, TILE_GATE)
#define TILE_PUT(r)                                                                                \
    if (kind.layout != BL_CONV_APART || (r) < t->rows) TILE_ROW(r, TILE_STORE)
#define TILE_FETCH(r)                                                                              \
    if ((r) < kind.rows) bl_conv_fetch(&t->epilogue, TILE_C(r) - t->result);

/* Rows that are not apart begin at a and c; in any case c is the first one's. */
BL_INLINE void bl_conv_tile_body(const bl_conv_tile *t, const float *a, float *c,
                                 const bl_conv_kind kind) {
    const bool even = kind.layout == BL_CONV_EVEN;
    const size_t per = even && kind.lines > 1 ? (size_t)kind.rows / 2 : BL_CONV_MOST;
    const size_t width = (size_t)kind.vecs * BL_W;
    const size_t a_row = even ? t->a_row : 1, c_row = even ? t->c_row : width;
    const size_t step = even ? 1 : t->a_step, b_step = even ? width : t->b_step;
    float *const wait = c + t->wait;
    BL_CONV_EACH(TILE_DECLARE)
    if (!kind.pauses) {
        BL_CONV_EACH(TILE_OWN)
    }
    if (!kind.pauses && (t->epilogue.residual != NULL || t->epilogue.relu_gate != NULL)) {
        BL_CONV_EACH(TILE_FETCH)
    }
    for (size_t s = 0; s < t->runs; s++) {
        const float *b = t->b + t->run[s].b;
        size_t at = t->run[s].at, i = t->run[s].len;
        if (even) {
#pragma GCC unroll 8 /* see tile.h; whole lines of channels are longer than lines of positions */
            for (; i > 0; i--) {
                TILE_TERM
            }
        } else {
#pragma GCC unroll 4
            for (; i > 0; i--) {
                TILE_TERM
            }
        }
    }
    if (kind.pauses) {
        BL_CONV_EACH(TILE_PAUSE)
        return;
    }
    const bl_lanes whole = {.full = true};
    const size_t rest = t->cols - (size_t)(kind.vecs - 1) * BL_W;
    const bl_lanes last = {.full = rest == BL_W, .first = bl_vm_first(rest % BL_W)};
    if (t->add) {
        BL_CONV_EACH(TILE_ADD_SUM)
    } else {
        BL_CONV_EACH(TILE_ADD_ZERO)
    }
    if (t->bias != NULL) {
        const bl_v bias0 = bl_v_get(t->bias, kind.vecs == 1 ? last : whole);
        const bl_v bias1 =
            kind.vecs > 1 ? bl_v_get(t->bias + BL_W, kind.vecs == 2 ? last : whole) : bias0;
        const bl_v bias2 = kind.vecs > 2 ? bl_v_get(t->bias + (size_t)2 * BL_W, last) : bias0;
        BL_CONV_EACH(TILE_ADD_BIAS)
    }
    if (t->epilogue.residual != NULL) {
        BL_CONV_EACH(TILE_ADD_RESIDUAL)
    }
    if (t->epilogue.relu) {
        BL_CONV_EACH(TILE_DO_RELU)
    }
    if (t->epilogue.relu_gate != NULL) {
        BL_CONV_EACH(TILE_DO_GATE)
    }
    BL_CONV_EACH(TILE_PUT)
}
#undef TILE_AT
#undef TILE_C
#undef TILE_OWN
#undef TILE_DECLARE
#undef TILE_STEP
#undef TILE_TERM
#undef TILE_PAUSE
#undef TILE_PUT
#undef TILE_ROW
#undef TILE_SUM
#undef TILE_ZERO
#undef TILE_BIAS
#undef TILE_PLACE
#undef TILE_RESIDUAL
#undef TILE_RELU
#undef TILE_GATE
#undef TILE_STORE
#undef TILE_ADD_SUM
#undef TILE_ADD_ZERO
#undef TILE_ADD_BIAS
#undef TILE_ADD_RESIDUAL
#undef TILE_DO_RELU
#undef TILE_DO_GATE
#undef TILE_FETCH

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
    return bl_size_min(p->vecs * BL_W, p->n - i * p->vecs * BL_W);
}
static inline size_t bl_conv_panel_vecs(const bl_conv_panels *p, size_t i) {
    return (bl_conv_panel_columns(p, i) + BL_W - 1) / BL_W;
}
#endif
