/* One picture as a net sees it: standardised, and in training shifted and mirrored at random. */
#ifndef BL_ENGINE_DATA_IMAGE_AUGMENT_H
#define BL_ENGINE_DATA_IMAGE_AUGMENT_H
#include "engine/data/dataset.h"
#include "kernels/shared/shift.h"

/* values (height, width, channels) of `row`. `augment` (NULL: none) is a function of its seed and
 * the example's `position` in the stream; what comes from outside the picture is 0, the mean. */
void bl_picture_values(float *values, const bl_dataset *data, size_t row, const bl_augment *augment,
                       uint64_t position);
#endif
