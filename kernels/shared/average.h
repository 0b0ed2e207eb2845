/* One element of an average of weights over the steps of a run, as host and device move it: three
 * roundings, in this order. */
#ifndef BL_KERNELS_SHARED_AVERAGE_H
#define BL_KERNELS_SHARED_AVERAGE_H
#include "engine/base/numerics.h"

/* `weight`: the share that `value`, the newest, has in the average. */
static inline BL_HD float bl_power_average_of(float average, float value, float weight) {
    return average + weight * (value - average);
}
#endif
