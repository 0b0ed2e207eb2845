/* One picture as a net sees it: standardised, and in training shifted and mirrored at random. */
#ifndef BL_ENGINE_DATA_IMAGE_AUGMENT_H
#define BL_ENGINE_DATA_IMAGE_AUGMENT_H
#include "engine/base/philox.h"
#include "engine/data/dataset.h"

typedef struct bl_augment {
    uint64_t seed;
    size_t crop; /* at most this many pixels up, down, left or right; 0: none */
    bool flip;   /* left to right, half of them */
} bl_augment;

/* How one example is moved. */
typedef struct bl_shift {
    int64_t dy, dx;
    bool mirrored;
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

/* values (height, width, channels) of `row`. `augment` (NULL: none) is a function of its seed and
 * the example's `position` in the stream; what comes from outside the picture is 0, the mean. */
void bl_picture_values(float *values, const bl_dataset *data, size_t row, const bl_augment *augment,
                       uint64_t position);
#endif
