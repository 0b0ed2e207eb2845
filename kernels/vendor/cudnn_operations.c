/* Convolutions and pools as cuDNN's operations. Each function adds one operation, with the tensors
 * it reads and writes, to a graph; the numbers of tensors are those of cudnn_operations.h, by which
 * a run hands over its arrays. Shapes are (n, c, h, w) in the library's order of names, stored with
 * a position's channels side by side, as everywhere in this project. */
#include "kernels/vendor/cudnn_operations.h"

/* A tensor of fp32 by its four sizes; the graph owns it, as all descriptors here. */
static cudnnBackendDescriptor_t floats(bl_graph *g, int64_t id, size_t n, size_t c, size_t h,
                                       size_t w) {
    const bl_tensor t = {.id = id,
                         .n = (int64_t)n,
                         .c = (int64_t)c,
                         .h = (int64_t)h,
                         .w = (int64_t)w,
                         .type = CUDNN_DATA_FLOAT};
    return bl_graph_tensor(g, &t);
}

static cudnnBackendDescriptor_t x_of(bl_graph *g, int64_t id, const bl_conv *v) {
    return floats(g, id, v->batch, v->channels, v->height, v->width);
}
static cudnnBackendDescriptor_t y_of(bl_graph *g, int64_t id, const bl_conv *v) {
    return floats(g, id, v->batch, v->filters, v->out_height, v->out_width);
}

/* ---- convolutions ---- */

/* x, y or w of a convolution, in its precision. */
static cudnnBackendDescriptor_t array(bl_graph *g, const bl_cudnn_shape *s, int64_t id) {
    const bl_conv *v = &s->conv;
    bl_tensor t = {.id = id, .n = (int64_t)v->batch, .type = s->type};
    if (id == BL_ID_X) {
        t.c = (int64_t)v->channels, t.h = (int64_t)v->height, t.w = (int64_t)v->width;
    } else if (id == BL_ID_Y) {
        t.c = (int64_t)v->filters, t.h = (int64_t)v->out_height, t.w = (int64_t)v->out_width;
    } else {
        t.n = (int64_t)v->filters, t.c = (int64_t)(v->channels / v->groups);
        t.h = t.w = (int64_t)v->kernel;
    }
    return bl_graph_tensor(g, &t);
}

/* How the window moves: stride and padding on both axes, no dilation, sums in fp32 whatever the
 * type of the factors. CROSS_CORRELATION does not mirror w, as the layers' formula has it:
 *
 *     y[n, i, j, f] = sum over a, b, c of x[n, i s + a - p, j s + b - p, c] w[a, b, c, f]
 */
static cudnnBackendDescriptor_t convolution(bl_graph *g, const bl_conv *v) {
    const cudnnDataType_t compute = CUDNN_DATA_FLOAT;
    const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    const int64_t two = 2, dilation[] = {1, 1};
    const int64_t stride[] = {(int64_t)v->stride, (int64_t)v->stride};
    const int64_t pad[] = {(int64_t)v->pad, (int64_t)v->pad};
    cudnnBackendDescriptor_t d = bl_graph_part(g, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    bl_graph_set(g, d, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &compute);
    bl_graph_set(g, d, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode);
    bl_graph_set(g, d, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, &two);
    bl_graph_set(g, d, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, dilation);
    bl_graph_set(g, d, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2, stride);
    bl_graph_set(g, d, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2, pad);
    bl_graph_set(g, d, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2, pad);
    bl_graph_finish(g, d);
    return d;
}

/* What the three operations have alike: alpha = 1, beta = 0, so what is in the result counts for
 * nothing, and how the window moves. */
#define SCALES(g, d, KIND, conv)                                                                   \
    do {                                                                                           \
        const float one = 1.0f, zero = 0.0f;                                                       \
        bl_graph_set(g, d, CUDNN_ATTR_OPERATION_CONVOLUTION_##KIND##_ALPHA, CUDNN_TYPE_FLOAT, 1,   \
                     &one);                                                                        \
        bl_graph_set(g, d, CUDNN_ATTR_OPERATION_CONVOLUTION_##KIND##_BETA, CUDNN_TYPE_FLOAT, 1,    \
                     &zero);                                                                       \
        bl_graph_set_part(g, d, CUDNN_ATTR_OPERATION_CONVOLUTION_##KIND##_CONV_DESC, conv);        \
    } while (0)

/* y = between + bias, a pointwise operation that repeats the (1, filters, 1, 1) of the bias over
 * all positions. `between` is in no memory: the engine fuses both or is not taken. */
static void add_bias(bl_graph *g, const bl_cudnn_shape *s, cudnnBackendDescriptor_t between) {
    const cudnnPointwiseMode_t mode = CUDNN_POINTWISE_ADD;
    const cudnnDataType_t compute = CUDNN_DATA_FLOAT;
    cudnnBackendDescriptor_t add = bl_graph_part(g, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    bl_graph_set(g, add, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode);
    bl_graph_set(g, add, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &compute);
    bl_graph_finish(g, add);
    const cudnnBackendDescriptor_t bias = floats(g, BL_ID_BIAS, 1, s->conv.filters, 1, 1);
    const cudnnBackendDescriptor_t y = array(g, s, BL_ID_Y);
    cudnnBackendDescriptor_t d = bl_graph_part(g, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    bl_graph_set_part(g, d, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, add);
    bl_graph_set_part(g, d, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, between);
    bl_graph_set_part(g, d, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, bias);
    bl_graph_set_part(g, d, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
    bl_graph_operation(g, d);
}

/* y = conv(x, w), and the bias added to it. Then y is only a value between two operations. */
static void conv_forward(bl_graph *g, const bl_cudnn_shape *s) {
    const bl_conv *v = &s->conv;
    const bl_tensor virtual_y = {.id = BL_ID_BETWEEN,
                                 .n = (int64_t)v->batch,
                                 .c = (int64_t)v->filters,
                                 .h = (int64_t)v->out_height,
                                 .w = (int64_t)v->out_width,
                                 .type = CUDNN_DATA_FLOAT,
                                 .is_virtual = true};
    const cudnnBackendDescriptor_t conv = convolution(g, v), x = array(g, s, BL_ID_X);
    const cudnnBackendDescriptor_t w = array(g, s, BL_ID_W);
    const cudnnBackendDescriptor_t y =
        s->bias ? bl_graph_tensor(g, &virtual_y) : array(g, s, BL_ID_Y);
    cudnnBackendDescriptor_t d =
        bl_graph_part(g, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    SCALES(g, d, FORWARD, conv);
    bl_graph_set_part(g, d, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x);
    bl_graph_set_part(g, d, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, w);
    bl_graph_set_part(g, d, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, y);
    bl_graph_operation(g, d);
    if (s->bias) add_bias(g, s, y);
}

/* dx = conv transposed (dy, w); x and dx share a number. */
static void conv_input(bl_graph *g, const bl_cudnn_shape *s) {
    const cudnnBackendDescriptor_t conv = convolution(g, &s->conv);
    const cudnnBackendDescriptor_t dy = array(g, s, BL_ID_Y), w = array(g, s, BL_ID_W);
    const cudnnBackendDescriptor_t dx = array(g, s, BL_ID_X);
    cudnnBackendDescriptor_t d =
        bl_graph_part(g, CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR);
    SCALES(g, d, BWD_DATA, conv);
    bl_graph_set_part(g, d, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, dx);
    bl_graph_set_part(g, d, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, w);
    bl_graph_set_part(g, d, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, dy);
    bl_graph_operation(g, d);
}

/* dw = correlation of x and dy, summed over examples and positions; w and dw share a number. */
static void conv_weight(bl_graph *g, const bl_cudnn_shape *s) {
    const cudnnBackendDescriptor_t conv = convolution(g, &s->conv);
    const cudnnBackendDescriptor_t x = array(g, s, BL_ID_X), dy = array(g, s, BL_ID_Y);
    const cudnnBackendDescriptor_t dw = array(g, s, BL_ID_W);
    cudnnBackendDescriptor_t d =
        bl_graph_part(g, CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR);
    SCALES(g, d, BWD_FILTER, conv);
    bl_graph_set_part(g, d, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, x);
    bl_graph_set_part(g, d, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, dw);
    bl_graph_set_part(g, d, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, dy);
    bl_graph_operation(g, d);
}

/* ---- pools ---- */

/* The window of a pool, without padding. NaN goes through, as the contract of the kernels has it.
 */
static cudnnBackendDescriptor_t window(bl_graph *g, const bl_conv *v, cudnnResampleMode_t mode) {
    const cudnnDataType_t compute = CUDNN_DATA_FLOAT;
    const cudnnNanPropagation_t nan = CUDNN_PROPAGATE_NAN;
    const cudnnPaddingMode_t padding =
        mode == CUDNN_RESAMPLE_MAXPOOL ? CUDNN_NEG_INF_PAD : CUDNN_ZERO_PAD;
    const int64_t two = 2;
    const cudnnFraction_t none[] = {
        {0, 1},
        {0, 1}
    };
    const cudnnFraction_t side[] = {
        {(int64_t)v->kernel, 1},
        {(int64_t)v->kernel, 1}
    };
    const cudnnFraction_t stride[] = {
        {(int64_t)v->stride, 1},
        {(int64_t)v->stride, 1}
    };
    cudnnBackendDescriptor_t d = bl_graph_part(g, CUDNN_BACKEND_RESAMPLE_DESCRIPTOR);
    bl_graph_set(g, d, CUDNN_ATTR_RESAMPLE_MODE, CUDNN_TYPE_RESAMPLE_MODE, 1, &mode);
    bl_graph_set(g, d, CUDNN_ATTR_RESAMPLE_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &compute);
    bl_graph_set(g, d, CUDNN_ATTR_RESAMPLE_NAN_PROPAGATION, CUDNN_TYPE_NAN_PROPOGATION, 1, &nan);
    bl_graph_set(g, d, CUDNN_ATTR_RESAMPLE_PADDING_MODE, CUDNN_TYPE_PADDING_MODE, 1, &padding);
    bl_graph_set(g, d, CUDNN_ATTR_RESAMPLE_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, &two);
    bl_graph_set(g, d, CUDNN_ATTR_RESAMPLE_WINDOW_DIMS, CUDNN_TYPE_FRACTION, 2, side);
    bl_graph_set(g, d, CUDNN_ATTR_RESAMPLE_STRIDES, CUDNN_TYPE_FRACTION, 2, stride);
    bl_graph_set(g, d, CUDNN_ATTR_RESAMPLE_PRE_PADDINGS, CUDNN_TYPE_FRACTION, 2, none);
    bl_graph_set(g, d, CUDNN_ATTR_RESAMPLE_POST_PADDINGS, CUDNN_TYPE_FRACTION, 2, none);
    bl_graph_finish(g, d);
    return d;
}

/* Of each output, the place of the largest within its window, a byte. Only the library's own
 * backward operation can read it. */
static cudnnBackendDescriptor_t index_of(bl_graph *g, const bl_conv *v) {
    const bl_tensor t = {.id = BL_ID_INDEX,
                         .n = (int64_t)v->batch,
                         .c = (int64_t)v->filters,
                         .h = (int64_t)v->out_height,
                         .w = (int64_t)v->out_width,
                         .type = CUDNN_DATA_INT8};
    return bl_graph_tensor(g, &t);
}

static void pool_forward(bl_graph *g, const bl_conv *v, cudnnResampleMode_t mode) {
    const cudnnBackendDescriptor_t how = window(g, v, mode), x = x_of(g, BL_ID_X, v);
    const cudnnBackendDescriptor_t y = y_of(g, BL_ID_Y, v);
    const cudnnBackendDescriptor_t index = mode == CUDNN_RESAMPLE_MAXPOOL ? index_of(g, v) : NULL;
    cudnnBackendDescriptor_t d = bl_graph_part(g, CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR);
    bl_graph_set_part(g, d, CUDNN_ATTR_OPERATION_RESAMPLE_FWD_DESC, how);
    bl_graph_set_part(g, d, CUDNN_ATTR_OPERATION_RESAMPLE_FWD_XDESC, x);
    bl_graph_set_part(g, d, CUDNN_ATTR_OPERATION_RESAMPLE_FWD_YDESC, y);
    if (index != NULL) bl_graph_set_part(g, d, CUDNN_ATTR_OPERATION_RESAMPLE_FWD_IDXDESC, index);
    bl_graph_operation(g, d);
}

/* The mode has to be the forward one's; of a maximum the index says where dy goes. */
static void pool_backward(bl_graph *g, const bl_conv *v, cudnnResampleMode_t mode) {
    const cudnnBackendDescriptor_t how = window(g, v, mode), dx = x_of(g, BL_ID_X, v);
    const cudnnBackendDescriptor_t dy = y_of(g, BL_ID_Y, v);
    const cudnnBackendDescriptor_t index = mode == CUDNN_RESAMPLE_MAXPOOL ? index_of(g, v) : NULL;
    cudnnBackendDescriptor_t d = bl_graph_part(g, CUDNN_BACKEND_OPERATION_RESAMPLE_BWD_DESCRIPTOR);
    bl_graph_set_part(g, d, CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DESC, how);
    bl_graph_set_part(g, d, CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DXDESC, dx);
    bl_graph_set_part(g, d, CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DYDESC, dy);
    if (index != NULL) bl_graph_set_part(g, d, CUDNN_ATTR_OPERATION_RESAMPLE_BWD_IDXDESC, index);
    bl_graph_operation(g, d);
}

/* INCLUDE_PADDING: pools have no padding here, so each mean is over kernel^2 values either way. */
void bl_cudnn_describe(bl_graph *g, const bl_cudnn_shape *s) {
    switch (s->operation) {
    case BL_CONV_FORWARD:
        conv_forward(g, s);
        break;
    case BL_CONV_INPUT:
        conv_input(g, s);
        break;
    case BL_CONV_WEIGHT:
        conv_weight(g, s);
        break;
    case BL_MAX_FORWARD:
        pool_forward(g, &s->conv, CUDNN_RESAMPLE_MAXPOOL);
        break;
    case BL_MAX_BACKWARD:
        pool_backward(g, &s->conv, CUDNN_RESAMPLE_MAXPOOL);
        break;
    case BL_AVG_FORWARD:
        pool_forward(g, &s->conv, CUDNN_RESAMPLE_AVGPOOL_INCLUDE_PADDING);
        break;
    case BL_AVG_BACKWARD:
        pool_backward(g, &s->conv, CUDNN_RESAMPLE_AVGPOOL_INCLUDE_PADDING);
        break;
    case BL_CUDNN_OPERATION_COUNT:
        g->ok = false;
        break;
    }
}
