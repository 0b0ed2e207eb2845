/* What a kernel does to each value of its result before it stores it: one struct and one formula
 * for every family that has an epilogue, forward and backward alike.
 *
 *     value = value + residual      where there is one
 *     value = value <= 0 ? +0 : value        if relu
 *     value = relu_gate <= 0 ? +0 : value    where there is one
 *
 * in this order. Forward, `residual` is the other input of an add that follows and `relu` the relu
 * after it; a forward family never has a gate. Backward, `residual` is the gradient that a second
 * reader of x sent back through a fork, and `relu_gate` the output of the relu before the layer,
 * whose backward this is; a backward family never has `relu`. A NaN stays one, so that a run that
 * diverged cannot go on unseen.
 *
 * The fusion pass of a net (engine/model/net_fuse.c) fills it in. */
#ifndef BL_KERNELS_EPILOGUE_H
#define BL_KERNELS_EPILOGUE_H
#include "engine/base/numerics.h"
#include <stdbool.h>
#include <stddef.h>

typedef struct bl_epilogue {
    const float *residual;  /* like the result; NULL: none */
    const float *relu_gate; /* like the result; NULL: none */
    bool relu;
} bl_epilogue;

/* Whether there is anything to do. */
static inline BL_HD bool bl_epilogue_is_empty(const bl_epilogue *e) {
    return !e->relu && e->residual == NULL && e->relu_gate == NULL;
}

/* What becomes of `value`, number i of the result. */
static inline BL_HD float bl_epilogue_apply(const bl_epilogue *e, size_t i, float value) {
    if (e->residual != NULL) value = value + e->residual[i];
    if (e->relu) value = value <= 0.0f ? 0.0f : value;
    if (e->relu_gate != NULL) value = e->relu_gate[i] <= 0.0f ? 0.0f : value;
    return value;
}
#endif
