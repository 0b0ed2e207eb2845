/* What this processor can do at most, measured on one core: multiply-adds in registers, and bytes
 * between memory and registers. */
#ifndef BL_ENGINE_MACHINE_PEAK_H
#define BL_ENGINE_MACHINE_PEAK_H
#include "kernels/kernel.h"

typedef struct bl_machine_peak {
    double multiply_adds; /* a second, with the instructions that the kernels use */
    double bytes;         /* a second: a[i] = b[i] + c[i] over arrays that no cache holds, the
                             STREAM benchmark's way of counting: 12 bytes an element */
} bl_machine_peak;

/* The best of several tries, by processor time: half a second. */
bl_machine_peak bl_machine_measure_peak(const bl_kernels *kernels);

/* What holds a step back, judged by its share of either peak. */
typedef enum bl_machine_bound {
    BL_MACHINE_BY_COMPUTE, /* half or more of the multiply-adds, and more than of the bytes */
    BL_MACHINE_BY_MEMORY,  /* half or more of the bytes */
    BL_MACHINE_BY_FIXED,   /* half or more of the step does not depend on the batch */
    BL_MACHINE_BY_NEITHER, /* work that is neither: small layers, random numbers, look-ups */
    BL_MACHINE_BOUND_COUNT
} bl_machine_bound;
/* Shares from 0 to 1; `fixed` NAN: not known. */
bl_machine_bound bl_machine_bound_of(double multiply_adds, double bytes, double fixed);
const char *bl_machine_bound_words(bl_machine_bound bound); /* "bound by compute" */
#endif
