/* Level `device`: convolutions and pools by cuDNN's graphs (cudnn_operations.h), where it has an
 * engine that the rules of cudnn_engine.h allow. The kernels of level `exact` do the rest.
 *
 * Batch norm of pictures is always left to them. The library's kernel for it keeps its data in
 * registers, and its blocks wait for one another: two runs on one card could wait for each other's
 * multiprocessors forever. No bit may depend on how many runs are at work, so it is not taken for
 * a run alone either. */
#ifndef BL_KERNELS_VENDOR_CUDNN_IMAGES_H
#define BL_KERNELS_VENDOR_CUDNN_IMAGES_H
#include "kernels/device.h"

#ifdef __cplusplus
extern "C" {
#endif
typedef struct bl_cudnn bl_cudnn; /* of a queue: a handle and what was chosen, by shape */

/* As bl_cublaslt_..., for cuDNN (BATCHLAB_CUDNN). */
bl_status bl_cudnn_library(size_t *version, bl_err *err);
bl_status bl_cudnn_open(bl_cudnn **out, bl_queue *queue, const char *precision, bl_err *err);
void bl_cudnn_close(bl_cudnn *images);                            /* NULL is fine */
void bl_cudnn_select(bl_cudnn *images);                           /* NULL is fine */
const char *bl_cudnn_algorithm(const bl_cudnn *images, size_t i); /* NULL: no more */

/* X(family): what a library may carry out. */
#define BL_CUDNN_FAMILIES(X)                                                                       \
    X(conv2d_forward)                                                                              \
    X(conv2d_backward_input)                                                                       \
    X(conv2d_backward_weight)                                                                      \
    X(max_pool_forward)                                                                            \
    X(max_pool_backward)                                                                           \
    X(avg_pool_forward)                                                                            \
    X(avg_pool_backward)
#define BL_DECLARE(family) void bl_##family##_library(const bl_##family *, const bl_part *);
BL_CUDNN_FAMILIES(BL_DECLARE)
#undef BL_DECLARE
#ifdef __cplusplus
}
#endif
#endif
