/* How many multiply-adds this processor can do: the bound that dense layers and convolutions are
 * held against (engine/machine). Nothing of a run uses it. */
#ifndef BL_KERNELS_MULTIPLY_ADDS_H
#define BL_KERNELS_MULTIPLY_ADDS_H
#include "kernels/kernel.h"
#include <stddef.h>

/* Does multiply-adds in registers, `rounds` times the same number, and returns how many. *sink
 * receives a result, so that no compiler leaves them out. */
typedef double bl_peak(float *sink, size_t rounds);

/* With the instructions of these kernels; of the scalar ones for those that have none of their own.
 */
bl_peak *bl_peak_of(const bl_kernels *kernels);
#endif
