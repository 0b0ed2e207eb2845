/* One picture as a net sees it: standardised, and in training shifted and mirrored at random. */
#ifndef BL_ENGINE_DATA_PICTURE_H
#define BL_ENGINE_DATA_PICTURE_H
#include "engine/data/dataset.h"

typedef struct bl_augment {
    uint64_t seed;
    size_t crop; /* at most this many pixels up, down, left or right; 0: none */
    bool flip;   /* left to right, half of them */
} bl_augment;

/* values (height, width, channels) of `row`. `augment` (NULL: none) is a function of its seed and
 * the example's `position` in the stream; what comes from outside the picture is 0, the mean. */
void bl_picture(float *values, const bl_dataset *data, size_t row, const bl_augment *augment,
                uint64_t position);
#endif
