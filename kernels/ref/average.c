#include "kernels/shared/average.h"
#include "kernels/ref/ref.h"

/* average[i] += weight (value[i] - average[i]), each operation rounded. */
BL_REF void bl_power_average_ref(const bl_power_average *a, const bl_part *part) {
    const bl_range range = bl_part_range(part, a->count, 1);
    for (size_t i = range.begin; i < range.end; i++)
        a->average[i] = bl_power_average_of(a->average[i], a->value[i], a->weight);
}
