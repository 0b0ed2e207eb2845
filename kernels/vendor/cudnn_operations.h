/* The operations of convolutional nets as graphs of cuDNN (cudnn_engine.h): descriptors only. */
#ifndef BL_KERNELS_VENDOR_CUDNN_OPERATIONS_H
#define BL_KERNELS_VENDOR_CUDNN_OPERATIONS_H
#include "kernels/kernel_image.h"
#include "kernels/vendor/cudnn_engine.h"

/* X(operation, its name in a log) */
#define BL_CUDNN_OPERATIONS(X)                                                                     \
    X(CONV_FORWARD, "conv2d_forward")                                                              \
    X(CONV_INPUT, "conv2d_backward_input")                                                         \
    X(CONV_WEIGHT, "conv2d_backward_weight")                                                       \
    X(MAX_FORWARD, "max_pool_forward")                                                             \
    X(MAX_BACKWARD, "max_pool_backward")                                                           \
    X(AVG_FORWARD, "avg_pool_forward")                                                             \
    X(AVG_BACKWARD, "avg_pool_backward")
typedef enum bl_cudnn_operation {
#define BL_CUDNN_ROW(operation, name) BL_##operation,
    BL_CUDNN_OPERATIONS(BL_CUDNN_ROW)
#undef BL_CUDNN_ROW
        BL_CUDNN_OPERATION_COUNT
} bl_cudnn_operation;

/* Pools: kernel is the window's side, filters are channels, no padding, one group. */
typedef struct bl_cudnn_shape {
    bl_cudnn_operation operation;
    bl_conv conv;
    bool bias;            /* of CONV_FORWARD, in the same graph */
    cudnnDataType_t type; /* of x, y and w of a convolution; sums and all else are fp32 */
} bl_cudnn_shape;

/* Tensors' numbers. w and dw lie as (filters, kernel, kernel, channels / groups). */
enum {
    BL_ID_X = 1, /* also dx */
    BL_ID_Y,     /* also dy */
    BL_ID_W,     /* also dw */
    BL_ID_BIAS,
    BL_ID_BETWEEN,
    BL_ID_INDEX /* of the largest in a window: a byte each */
};

/* Describes the operation in a graph that was begun; g->ok says whether the library took it. */
void bl_cudnn_describe(bl_graph *g, const bl_cudnn_shape *shape);
#endif
