/* What this processor can do at most, measured on one core: multiply-adds in registers, and bytes
 * to and from arrays of a given size, which lie in a cache or in memory. */
#ifndef BL_ENGINE_MACHINE_BOUND_H
#define BL_ENGINE_MACHINE_BOUND_H
#include "kernels/kernel.h"

/* A second, with the instructions that the kernels use: the best of several tries by processor
 * time, a tenth of a second in all. */
double bl_machine_multiply_adds(const bl_kernels *kernels);

/* A second, over three arrays of `working_set` bytes together (64 KiB to 96 MiB of it): a = b + c
 * in the STREAM benchmark's way of counting, 12 bytes an element. */
double bl_machine_bandwidth(double working_set);

/* What holds a step back, judged by its share of either peak. */
typedef enum bl_machine_bound {
    BL_MACHINE_BY_DATA,    /* half or more of the step goes into fresh data */
    BL_MACHINE_BY_COMPUTE, /* half or more of the multiply-adds, and more than of the bytes */
    BL_MACHINE_BY_MEMORY,  /* half or more of the bytes */
    BL_MACHINE_BY_FIXED,   /* half or more of the step does not depend on the batch */
    BL_MACHINE_BY_NEITHER, /* work that is neither: small layers, random numbers, look-ups */
    BL_MACHINE_BOUND_COUNT
} bl_machine_bound;
/* Shares of the peaks and of the step; `data` or `fixed` NAN: not known. */
bl_machine_bound bl_machine_bound_of(double multiply_adds, double bytes, double fixed, double data);
const char *bl_machine_bound_words(bl_machine_bound bound); /* "bound by compute" */
#endif
