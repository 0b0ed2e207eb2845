/* How one example's picture is moved in training: up, down, left, right by at most `crop` pixels,
 * and half of them mirrored. A function of the run's seed and the example's position in the stream.
 */
#ifndef BL_KERNELS_SHARED_SHIFT_H
#define BL_KERNELS_SHARED_SHIFT_H
#include "engine/base/philox.h"
#include <stdbool.h>
#include <stddef.h>

typedef struct bl_augment {
    uint64_t seed;
    size_t crop; /* at most this many pixels up, down, left or right; 0: none */
    bool flip;   /* left to right, half of them */
} bl_augment;

typedef struct bl_shift {
    int64_t dy, dx; /* pixel (y, x) of the result is pixel (y + dy, x + dx) of the picture, */
    bool mirrored;  /* or, mirrored, (y + dy, width - 1 - x - dx); outside of it: 0, the mean */
} bl_shift;

static inline BL_HD bl_shift bl_shift_of(const bl_augment *augment, uint64_t position) {
    const bl_u32x4 r = bl_random4(augment->seed, BL_STREAM_AUGMENT, 0, position);
    const uint32_t choices = 2 * (uint32_t)augment->crop + 1;
    bl_shift shift;
    shift.dy = (int64_t)(r.v[0] % choices) - (int64_t)augment->crop;
    shift.dx = (int64_t)(r.v[1] % choices) - (int64_t)augment->crop;
    shift.mirrored = augment->flip && (r.v[2] & 1) != 0;
    return shift;
}
#endif
