/* Index ranges of a convolution along one dimension: which taps of an output lie inside the
 * image, and which outputs a tap is valid for.
 *
 * Residue classes, for kernel 3, stride 2, pad 1. Position ix of x is seen by oy through tap k when
 * ix = 2 oy + k - 1:
 *
 *     x         0      1        2      3        4
 *     through   k = 1  k = 2,0  k = 1  k = 2,0  k = 1
 *     from y    0      0,1      1      1,2      2
 *
 * Even positions see tap 1 only, odd ones taps 2 and 0. So within a class the windows in y move by
 * one from position to position, and backward is a forward convolution of stride 1 with that
 * class's taps. */
#ifndef BL_KERNELS_CPU_CONV_RANGES_H
#define BL_KERNELS_CPU_CONV_RANGES_H
#include "engine/base/mem.h"
#include "kernels/kernel.h"
#include "kernels/part.h"

/* The residue class of positions of x modulo the stride: the taps that see one with remainder
 * `remainder` modulo the stride, the last of them, and the position of y it is seen by from
 * position `remainder`. */
typedef struct bl_residue_class {
    size_t taps, last;
    ptrdiff_t first;
} bl_residue_class;
static inline bl_residue_class bl_residue_class_of(const bl_conv *v, size_t remainder) {
    const size_t least = (remainder + v->pad) % v->stride; /* the smallest such tap */
    if (least >= v->kernel) return (bl_residue_class){0};
    const size_t taps = (v->kernel - 1 - least) / v->stride + 1,
                 last = least + (taps - 1) * v->stride;
    const ptrdiff_t above = (ptrdiff_t)(remainder + v->pad) - (ptrdiff_t)last;
    return (bl_residue_class){.taps = taps, .last = last, .first = above / (ptrdiff_t)v->stride};
}

/* Positions [at, at + count), of whose taps [first, last) lie inside. */
typedef struct bl_tap_span {
    size_t at, count, first, last;
} bl_tap_span;
/* The span that begins at position `at` of `end`; tap 0 of position 0 is at `origin` of `size`.
 */
static inline bl_tap_span bl_tap_span_at(size_t at, size_t end, ptrdiff_t origin, size_t stride,
                                         size_t taps, size_t size) {
    const ptrdiff_t from = origin + (ptrdiff_t)(at * stride), rest = (ptrdiff_t)size - from;
    bl_tap_span s = {.at = at, .count = 1};
    s.first = from < 0 ? bl_size_min((size_t)-from, taps) : 0;
    s.last = rest > 0 ? bl_size_min((size_t)rest, taps) : 0;
    if (s.first == 0 && s.last == taps && taps > 0)
        s.count = bl_size_min(((size_t)rest - taps) / stride + 1, end - at);
    if (s.last < s.first) s.last = s.first;
    return s;
}

/* The positions of y, of `out`, that tap k sees inside of `size`. */
static inline bl_range bl_valid_outputs(const bl_conv *v, size_t k, size_t out, size_t size) {
    const size_t begin = k < v->pad ? (v->pad - k + v->stride - 1) / v->stride : 0;
    const size_t end = size + v->pad > k ? (size - 1 + v->pad - k) / v->stride + 1 : 0;
    return (bl_range){bl_size_min(begin, out), bl_size_min(end, out)};
}
#endif
