/* Families without a kernel of their own run the reference's text on the device, every thread a
 * part of the call: exact, and complete from the day a family exists. A new family is a row here
 * and its reference file among the includes; its functions there are marked BL_REF and BL_HD. */
#include "kernels/cuda/image.h"
#include "kernels/ref/batchnorm2d.c"
#include "kernels/ref/conv2d.c"
#include "kernels/ref/groupnorm.c"

/* X(family, how it is called): families without a kernel, and those that stand behind one for calls
 * that are too large for it. */
#define BL_BY_REFERENCE(X)                                                                         \
    X(conv2d_backward_weight, bl_conv2d_backward_weight_reference)                                 \
    X(batchnorm2d_forward, bl_batchnorm2d_forward_reference)                                       \
    X(batchnorm2d_backward, bl_batchnorm2d_backward_reference)                                     \
    X(groupnorm_forward, bl_groupnorm_forward_reference)                                           \
    X(groupnorm_backward_input, bl_groupnorm_backward_input_reference)                             \
    X(groupnorm_backward_weight, bl_groupnorm_backward_weight_reference)

namespace {
enum { PARTS = 1 << 16 };
}

#define DEFINE(family, name)                                                                       \
    static __global__ void family##_parts(bl_##family args) {                                      \
        const bl_part part = {bl_thread(), PARTS, nullptr, nullptr};                               \
        bl_##family##_ref(&args, &part);                                                           \
    }                                                                                              \
    void name(const bl_##family *a, const bl_part *part) {                                         \
        const bl_##family args = *a;                                                               \
        BL_LAUNCH(family##_parts, bl_blocks(PARTS), BL_CUDA_THREADS, bl_queue_of(part), args);     \
    }
BL_BY_REFERENCE(DEFINE)
