/* Rule B's binary-counter tree over arrays of sums. Block number `block` finds the blocks before
 * it in the levels whose bits are set in `block`: level l holds the sum of 2^l blocks. Five
 * blocks, s0 to s4:
 *
 *     block  binary   acc = s_block, then                        is kept at
 *     0      000      s0                                         level 0
 *     1      001      s0 + s1                                    level 1
 *     2      010      s2                                         level 0
 *     3      011      (s0 + s1) + (s2 + s3)                      level 2
 *     4      100      ((s0 + s1) + (s2 + s3)) + s4, the last     acc
 *
 * So the memory is one array for each doubling, and the order of additions depends on the number of
 * blocks alone. */
#ifndef BL_KERNELS_CPU_TREE_H
#define BL_KERNELS_CPU_TREE_H
#include "kernels/cpu/cpu.h"

/* Levels that `blocks` blocks need beside the accumulators. */
static inline size_t bl_tree_levels(size_t blocks) {
    size_t levels = 0;
    for (; blocks > 1; blocks = (blocks + 1) / 2) levels++;
    return levels;
}

/* After block number `block`, whose sums are in acc: equal-sized neighbours to the left are added;
 * after the last block all that is left is added, smallest first. Both are "the set bits of
 * `block`, from the lowest": up to the first clear bit, or all. levels: (levels, floats). */
static inline void bl_tree_climb(float *acc, float *levels, size_t floats, size_t block,
                                 bool last) {
    size_t level = 0;
    for (; block >> level; level++) {
        if (!(block >> level & 1)) {
            if (last) continue;
            break;
        }
        const float *left = levels + level * floats;
        for (size_t i = 0; i < floats; i++) acc[i] = left[i] + acc[i];
    }
    if (!last) memcpy(levels + level * floats, acc, floats * sizeof *acc);
}
#endif
