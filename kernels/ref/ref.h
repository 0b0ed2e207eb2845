/* The reference backend: naive loops in contract order. Tests hold every other backend to it. */
#ifndef BL_KERNELS_REF_REF_H
#define BL_KERNELS_REF_REF_H
#include "engine/base/numerics.h"
#include "kernels/kernel.h"
#include "kernels/part.h"

/* The same text is a device's specification, compiled into its kernels: there every thread is a
 * part of the call (kernels/cuda/launch.h). */
#ifndef BL_REF
#define BL_REF
#define BL_REF_DECLARE(family) void bl_##family##_ref(const bl_##family *args, const bl_part *part);
BL_FAMILIES(BL_REF_DECLARE)
#undef BL_REF_DECLARE
#endif

/* Rule B's binary-counter tree: level[i] holds the sum of 2^i blocks when bit i of `blocks` is set.
 */
/* NOLINTBEGIN(bugprone-macro-parentheses): the arguments are types */
#define BL_REF_TREE(NAME, TYPE)                                                                    \
    typedef struct NAME {                                                                          \
        TYPE level[64];                                                                            \
        uint64_t blocks;                                                                           \
    } NAME;                                                                                        \
    static inline BL_HD void NAME##_push(NAME *tree, TYPE block) {                                 \
        int i = 0;                                                                                 \
        for (; tree->blocks >> i & 1; i++) block = tree->level[i] + block;                         \
        tree->level[i] = block;                                                                    \
        tree->blocks++;                                                                            \
    }                                                                                              \
    static inline BL_HD TYPE NAME##_sum(const NAME *tree) {                                        \
        TYPE sum = 0;                                                                              \
        int seen = 0;                                                                              \
        for (int i = 0; i < 64; i++) {                                                             \
            if (!(tree->blocks >> i & 1)) continue;                                                \
            sum = seen ? tree->level[i] + sum : tree->level[i];                                    \
            seen = 1;                                                                              \
        }                                                                                          \
        return sum;                                                                                \
    }
/* NOLINTEND(bugprone-macro-parentheses) */
BL_REF_TREE(bl_ref_tree, float)
BL_REF_TREE(bl_ref_tree64, double)
#undef BL_REF_TREE

/* The end of the block of `size` terms that begins at `begin`. */
static inline BL_HD size_t bl_ref_block_end(size_t begin, size_t size) {
    return begin + BL_BLOCK < size ? begin + BL_BLOCK : size;
}
#endif
