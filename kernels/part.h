/* Which outputs a part of a call computes. Shared by all backends. */
#ifndef BL_KERNELS_PART_H
#define BL_KERNELS_PART_H
#include "engine/base/numerics.h"
#include "kernels/kernel.h"

typedef struct bl_range {
    size_t begin, end;
} bl_range;

/* The part's share of `count` outputs, cut at multiples of `unit`. */
static inline BL_HD bl_range bl_part_range(const bl_part *part, size_t count, size_t unit) {
    const size_t units = (count + unit - 1) / unit;
    const size_t each = units / part->parts, extra = units % part->parts, p = part->part;
    const size_t begin = (each * p + (p < extra ? p : extra)) * unit;
    const size_t end = begin + (each + (p < extra ? 1 : 0)) * unit;
    return (bl_range){begin < count ? begin : count, end < count ? end : count};
}
#endif
