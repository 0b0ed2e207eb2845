/* Rule-B sums over the examples and positions of images, one or two per channel. A chain is as slow
 * as an addition's latency, so four of different channels or examples run at once. What a term is,
 * a kernel says with a step function:
 *
 *     acc = step(ctx, acc, i, b, j, m)   adds the terms of the floats i, i + 1, ..., which are the
 *                                        channels j, j + 1, ... of a position of example b */
#ifndef BL_KERNELS_CPU_CHANNEL_SUMS_H
#define BL_KERNELS_CPU_CHANNEL_SUMS_H
#include "engine/base/mem.h"
#include "kernels/cpu/tree.h"

enum { BL_CHANNEL_STRIP = 1024 }; /* channels at once */
_Static_assert(BL_CHANNEL_STRIP % BL_W == 0, "a strip is whole vectors");
_Static_assert((size_t)BL_CHANNEL_STRIP * 2 * 33 * sizeof(float) <= BL_KERNEL_SCRATCH,
               "accumulators and the levels of 2^32 blocks fit the scratch");

typedef struct bl_channel_sum {
    bl_v s, t;
} bl_channel_sum;
typedef bl_channel_sum bl_channel_step(const void *ctx, bl_channel_sum acc, size_t i, size_t b,
                                       size_t j, bl_lanes m);

/* `count` (1 or 4) chains: numbers q, q + 1, ... of (example from b0, vector of the columns), the
 * vectors of an example following one another. acc: BL_CHANNEL_STRIP floats, twice if `two`. */
BL_INLINE void bl_channel_chains(float *acc, bool two, const int count, bool full, size_t q,
                                 size_t b0, size_t positions, size_t n, bl_range columns,
                                 bl_channel_step *step, const void *ctx) {
    const size_t vectors = (columns.end - columns.begin + BL_W - 1) / BL_W;
    size_t b[4], j[4], i[4];
    bl_lanes m[4];
    bl_channel_sum e[4];
    for (int r = 0; r < count; r++) {
        b[r] = b0 + (q + (size_t)r) / vectors;
        j[r] = columns.begin + (q + (size_t)r) % vectors * BL_W;
        i[r] = b[r] * positions * n + j[r];
        m[r].full = full;
        if (!full) m[r].first = bl_vm_first(bl_size_min(columns.end - j[r], BL_W));
        e[r] = (bl_channel_sum){bl_v_zero(), bl_v_zero()};
    }
    for (size_t p = 0; p < positions; p++)
        for (int r = 0; r < count; r++) e[r] = step(ctx, e[r], i[r] + p * n, b[r], j[r], m[r]);
    for (int r = 0; r < count; r++) {
        float *to = acc + (j[r] - columns.begin);
        bl_v_store(to, bl_v_load(to) + e[r].s);
        if (two) bl_v_store(to + BL_CHANNEL_STRIP, bl_v_load(to + BL_CHANNEL_STRIP) + e[r].t);
    }
}

/* The sums of one block of at most 256 examples into acc. Chains are numbered example by
 * example; four that follow each other run at once, and each adds its end to acc in the order of
 * examples, as rule B says. */
BL_INLINE void bl_channel_block(float *acc, bool two, bl_range examples, size_t positions, size_t n,
                                bl_range columns, bl_channel_step *step, const void *ctx) {
    const size_t count = columns.end - columns.begin;
    const size_t chains = (examples.end - examples.begin) * ((count + BL_W - 1) / BL_W);
    const bool full = count % BL_W == 0;
    size_t q = 0;
    memset(acc, 0, sizeof *acc * BL_CHANNEL_STRIP * (two ? 2 : 1));
    for (; q + 4 <= chains; q += 4) {
        if (full)
            bl_channel_chains(acc, two, 4, true, q, examples.begin, positions, n, columns, step,
                              ctx);
        else
            bl_channel_chains(acc, two, 4, false, q, examples.begin, positions, n, columns, step,
                              ctx);
    }
    for (; q < chains; q++)
        bl_channel_chains(acc, two, 1, false, q, examples.begin, positions, n, columns, step, ctx);
}

/* sum0[j] (and sum1[j] unless NULL) over the examples of a range, for at most BL_CHANNEL_STRIP
 * columns. */
BL_INLINE void bl_channel_sums(float *sum0, float *sum1, bl_range examples, size_t positions,
                               size_t n, bl_range columns, float *scratch, bl_channel_step *step,
                               const void *ctx) {
    const bool two = sum1 != NULL;
    const size_t count = columns.end - columns.begin;
    const size_t floats = two ? BL_CHANNEL_STRIP + count : count;
    float *acc = scratch, *levels = scratch + (size_t)2 * BL_CHANNEL_STRIP;
    memset(acc, 0, sizeof *acc * BL_CHANNEL_STRIP * 2);
    for (size_t b = examples.begin; b < examples.end; b += BL_BLOCK) {
        const bl_range block = {b, bl_size_min(b + BL_BLOCK, examples.end)};
        bl_channel_block(acc, two, block, positions, n, columns, step, ctx);
        bl_tree_climb(acc, levels, floats, (b - examples.begin) / BL_BLOCK,
                      block.end == examples.end);
    }
    memcpy(sum0 + columns.begin, acc, count * sizeof *acc);
    if (two) memcpy(sum1 + columns.begin, acc + BL_CHANNEL_STRIP, count * sizeof *acc);
}
#endif
