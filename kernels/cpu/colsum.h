/* Rule-B sums down the columns of row-major matrices: one or two sums per column, BL_STRIP columns
 * at a time. Rows are streamed four at a time; a block's chains live in the first cache and the
 * binary-counter tree in scratch. What a term is, a kernel says with a step function:
 *
 *     acc = step(ctx, acc, b, j, m)    adds example b's terms for the columns j, j + 1, ... */
#ifndef BL_KERNELS_CPU_COLSUM_H
#define BL_KERNELS_CPU_COLSUM_H
#include "engine/base/mem.h"
#include "kernels/cpu/cpu.h"

enum {
    BL_STRIP = 2048,
    BL_COLUMN_LEVELS = BL_KERNEL_SCRATCH / (sizeof(float) * 2 * BL_STRIP) - 1,
};
_Static_assert(BL_COLUMN_LEVELS >= 32, "levels for 2^32 blocks");
_Static_assert(BL_STRIP % BL_W == 0, "a strip is whole vectors");

typedef struct bl_v2 {
    bl_v s, t;
} bl_v2;
typedef bl_v2 bl_colsum_step(const void *ctx, bl_v2 acc, size_t b, size_t j, bl_lanes m);

/* `rows` examples from b on, for one vector of columns; acc: BL_STRIP floats, twice if `two`. */
BL_INLINE void bl_colsum_rows(float *acc, bool two, size_t b, int rows, size_t j, bl_lanes m,
                              bl_colsum_step *step, const void *ctx) {
    bl_v2 v = {bl_v_load(acc), two ? bl_v_load(acc + BL_STRIP) : bl_v_zero()};
    for (int r = 0; r < rows; r++) v = step(ctx, v, b + (size_t)r, j, m);
    bl_v_store(acc, v.s);
    if (two) bl_v_store(acc + BL_STRIP, v.t);
}

BL_INLINE void bl_colsum_clear(float *acc, bool two, size_t count) {
    const size_t bytes = (count + BL_W - 1) / BL_W * BL_W * sizeof *acc;
    memset(acc, 0, bytes);
    if (two) memset(acc + BL_STRIP, 0, bytes);
}

/* Examples [b, b_end), one block, from +0: each column's chain goes through them in order. */
BL_INLINE void bl_colsum_block(float *acc, bool two, size_t b, size_t b_end, bl_range columns,
                               bl_colsum_step *step, const void *ctx) {
    const size_t count = columns.end - columns.begin, whole = count - count % BL_W;
    const bl_lanes full = {.full = true}, rest = {.first = bl_vm_first(count % BL_W)};
    bl_colsum_clear(acc, two, count);
    for (; b + 4 <= b_end; b += 4) {
        for (size_t i = 0; i < whole; i += BL_W)
            bl_colsum_rows(acc + i, two, b, 4, columns.begin + i, full, step, ctx);
        if (whole < count)
            bl_colsum_rows(acc + whole, two, b, 4, columns.begin + whole, rest, step, ctx);
    }
    for (; b < b_end; b++) {
        for (size_t i = 0; i < whole; i += BL_W)
            bl_colsum_rows(acc + i, two, b, 1, columns.begin + i, full, step, ctx);
        if (whole < count)
            bl_colsum_rows(acc + whole, two, b, 1, columns.begin + whole, rest, step, ctx);
    }
}

/* Climbs the tree after block number `block`: see climb() in dense_weight.c. */
static inline void bl_colsum_climb(float *acc, float *levels, size_t floats, size_t block,
                                   bool last) {
    size_t level = 0;
    for (; block >> level; level++) {
        if (!(block >> level & 1)) {
            if (last) continue;
            break;
        }
        const float *left = levels + level * 2 * BL_STRIP;
        for (size_t i = 0; i < floats; i++) acc[i] = left[i] + acc[i];
    }
    if (!last) memcpy(levels + level * 2 * BL_STRIP, acc, floats * sizeof *acc);
}

/* sum0[j] (and sum1[j] unless NULL) for the columns of the range. */
BL_INLINE void bl_colsum_run(float *sum0, float *sum1, size_t batch, bl_range columns,
                             float *scratch, bl_colsum_step *step, const void *ctx) {
    float *acc = scratch, *levels = scratch + (size_t)2 * BL_STRIP;
    const bool two = sum1 != NULL;
    for (size_t j = columns.begin; j < columns.end; j += BL_STRIP) {
        const bl_range strip = {j, bl_size_min(j + BL_STRIP, columns.end)};
        const size_t count = strip.end - j;
        bl_colsum_clear(acc, two, count);
        for (size_t b = 0; b < batch; b += BL_BLOCK) {
            const bool last = b + BL_BLOCK >= batch;
            bl_colsum_block(acc, two, b, last ? batch : b + BL_BLOCK, strip, step, ctx);
            bl_colsum_climb(acc, levels, two ? BL_STRIP + count : count, b / BL_BLOCK, last);
        }
        memcpy(sum0 + j, acc, count * sizeof *acc);
        if (two) memcpy(sum1 + j, acc + BL_STRIP, count * sizeof *acc);
    }
}
#endif
