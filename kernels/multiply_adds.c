#include "kernels/multiply_adds.h"
#include <string.h>

bl_peak bl_peak_scalar;
#ifdef __x86_64__
bl_peak bl_peak_avx512, bl_peak_avx2;
#endif

bl_peak *bl_peak_of(const bl_kernels *kernels) {
#ifdef __x86_64__
    if (strcmp(kernels->name, "avx512") == 0) return bl_peak_avx512;
    if (strcmp(kernels->name, "avx2") == 0) return bl_peak_avx2;
#endif
    (void)kernels;
    return bl_peak_scalar;
}
