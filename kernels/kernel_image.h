/* The kernel families of convolutional nets; part of kernel.h, which has the rules F and B.
 *
 * An image is stored row by row, the channels of a position side by side (NHWC): a batch of them is
 * (batch, height, width, channels). A position is one (row, column); raster order is row by row.
 * Sums over a batch's examples and their positions obey rule B in this form: per example one chain
 * over its own positions in raster order, starting at +0; inside a block of 256 examples one chain
 * acc = acc + example's result in order, starting at +0; then the tree. */
#ifndef BL_KERNELS_KERNEL_IMAGE_H
#define BL_KERNELS_KERNEL_IMAGE_H
#include "kernels/epilogue.h"
#include <stdbool.h>
#include <stddef.h>

/* What a convolution connects. Position (oy, ox) of y sees, through tap (ky, kx), position
 * (oy * stride + ky - pad, ox * stride + kx - pad) of x. Outside of the image there is nothing to
 * see: such a term keeps its place, so that blocks of terms begin where they would, and is left
 * out. Filter n belongs to group n / (filters / groups) and sees that group's channels only. The
 * weights are (kernel * kernel * channels / groups, filters), the rows in order of (ky, kx, channel
 * in the group). groups divides channels and filters; kernel, stride and groups are at least 1; pad
 * < kernel. kernel * (width + 2 pad + stride) * the larger of channels and filters is at most 2^18:
 * backends keep the lines that a position sees in scratch. */
typedef struct bl_conv {
    size_t batch;
    size_t height, width, channels;        /* of x */
    size_t out_height, out_width, filters; /* of y: (height + 2 pad - kernel) / stride + 1, ... */
    size_t kernel, stride, pad, groups;
} bl_conv;

/* conv2d_forward: +0, then the blocks' sums by rule F over the rows of w, then the bias, then
 * the epilogue. Batch-invariant. */
typedef struct bl_conv2d_forward {
    float *y; /* (batch, out_height, out_width, filters) */
    const float *x, *w;
    const float *bias; /* (filters), NULL: none */
    bl_conv conv;
    bl_epilogue epilogue;
} bl_conv2d_forward;

/* conv2d_backward_input: dx of a position is +0, then the blocks' sums, by rule F, over the
 * positions of y that see it, in raster order, and over their group's filters in order;
 * fmaf(dy, w, acc). The positions are those of the taps with (iy + pad - ky) and (ix + pad - kx)
 * divisible by the stride; outside of y their terms keep their places and are left out. Then
 * the epilogue. Batch-invariant. */
typedef struct bl_conv2d_backward_input {
    float *dx; /* (batch, height, width, channels) */
    const float *dy, *w;
    bl_conv conv;
    bl_epilogue epilogue;
} bl_conv2d_backward_input;

/* conv2d_backward_weight: dw and dbias are sums over examples and the positions of y; the chains
 * are fmaf(x, dy, acc) and acc + dy. Overwrites. */
typedef struct bl_conv2d_backward_weight {
    float *dw, *dbias; /* dbias: (filters), NULL: not wanted */
    const float *x, *dy;
    bl_conv conv;
} bl_conv2d_backward_weight;

/* Windows of size * size positions, `stride` apart, all inside the image:
 * out_height = (height - size) / stride + 1 (0 if height < size). */
typedef struct bl_pool2d {
    size_t batch, height, width, channels, out_height, out_width, size, stride;
} bl_pool2d;

/* max_pool_forward: y = the largest x of the window, the first of equal ones; a NaN is larger than
 * everything, so that it is not hidden. index = its number in the window, in raster order.
 * max_pool_backward: dx = a chain from +0, over the windows that contain the position in raster
 * order, of acc + dy where their index names it. Batch-invariant. */
typedef struct bl_max_pool_forward {
    float *y, *index; /* (batch, out_height, out_width, channels) */
    const float *x;
    bl_pool2d pool;
} bl_max_pool_forward;
typedef struct bl_max_pool_backward {
    float *dx;
    const float *dy, *index;
    bl_pool2d pool;
} bl_max_pool_backward;

/* avg_pool_forward: y = (sum of the window by rule F, chain acc + x) / (size * size).
 * avg_pool_backward: dx = (a chain from +0, over the windows that contain the position in raster
 * order, of acc + dy) / (size * size). Batch-invariant. */
typedef struct bl_avg_pool_forward {
    float *y;
    const float *x;
    bl_pool2d pool;
} bl_avg_pool_forward;
typedef struct bl_avg_pool_backward {
    float *dx;
    const float *dy;
    bl_pool2d pool;
} bl_avg_pool_backward;

/* mean_positions_forward: y[b][j] = (sum over x's positions by rule F, chain acc + x) / positions.
 * mean_positions_backward: dx = dy / positions. Batch-invariant. */
typedef struct bl_mean_positions_forward {
    float *y;       /* (batch, n) */
    const float *x; /* (batch, positions, n) */
    size_t batch, positions, n;
} bl_mean_positions_forward;
typedef struct bl_mean_positions_backward {
    float *dx;       /* (batch, positions, n) */
    const float *dy; /* (batch, n) */
    size_t batch, positions, n;
} bl_mean_positions_backward;

/* add: y = a + b. y may be a. */
typedef struct bl_add {
    float *y;
    const float *a, *b;
    size_t count;
} bl_add;

/* scale_forward: y[b][p][j] = x[b][p][j] * s[b][j].
 * scale_backward: dx = dy * s; ds[b][j] = the sum over the positions of fmaf(dy, x, acc), rule F.
 * Batch-invariant. dx may be dy. */
typedef struct bl_scale_forward {
    float *y;       /* (batch, positions, n) */
    const float *x; /* (batch, positions, n) */
    const float *s; /* (batch, n) */
    size_t batch, positions, n;
} bl_scale_forward;
typedef struct bl_scale_backward {
    float *dx, *ds;
    const float *dy, *x, *s;
    size_t batch, positions, n;
} bl_scale_backward;

/* hard_sigmoid: y = x <= -3 ? +0 : x > 3 ? 1 : (x + 3) / 6.
 *               dx = x <= -3 ? +0 : x > 3 ? +0 : dy / 6.
 * hard_swish (Howard et al. 2019): y = x <= -3 ? +0 : x > 3 ? x : x * ((x + 3) / 6).
 *               dx = x <= -3 ? +0 : x > 3 ? dy : dy * (((x + x) + 3) / 6).
 * A NaN stays one in y. In place is allowed: y may be x, dx may be dy. */
typedef struct bl_hard_sigmoid_forward {
    float *y;
    const float *x;
    size_t count;
} bl_hard_sigmoid_forward;
typedef struct bl_hard_sigmoid_backward {
    float *dx;
    const float *dy, *x;
    size_t count;
} bl_hard_sigmoid_backward;
typedef struct bl_hard_swish_forward {
    float *y;
    const float *x;
    size_t count;
} bl_hard_swish_forward;
typedef struct bl_hard_swish_backward {
    float *dx;
    const float *dy, *x;
    size_t count;
} bl_hard_swish_backward;

/* Chunk c of a batch is the examples [bl_chunk_begin(.., c), bl_chunk_begin(.., c + 1)): sizes
 * differ by at most one, larger ones first. */
static inline BL_HD size_t bl_chunk_begin(size_t batch, size_t chunks, size_t c) {
    const size_t more = batch % chunks;
    return c * (batch / chunks) + (c < more ? c : more);
}

/* batchnorm2d_forward (training): batch norm of images, with statistics of each chunk (Hoffer,
 * Hubara, Soudry 2017); one chunk is plain batch norm. Per chunk and channel, with count = its
 * examples * positions and sums over its examples and positions,
 *     mean = (sum, chain acc + x) / count
 *     var  = (sum, chain fmaf(d, d, acc), d = x - mean) / count
 *     rstd = 1 / sqrt(var + eps)
 *     y    = fmaf(xhat, gamma, beta), xhat = (x - mean) * rstd
 *     unbiased = count > 1 ? var * (count / (count - 1)) : var
 * y then goes through the epilogue.
 * sum_mean, sum_var = the sums of mean and unbiased over the chunks (rule B's tree, one chunk a
 * block), for running_average. 1 <= chunks <= batch. A batch of 0 writes nothing. Inference is
 * batchnorm_inference. */
typedef struct bl_batchnorm2d_forward {
    float *y;                  /* (batch, positions, n) */
    float *mean, *rstd;        /* (chunks, n) */
    float *sum_mean, *sum_var; /* (n), overwritten */
    const float *x;            /* (batch, positions, n) */
    const float *gamma, *beta; /* (n) */
    size_t batch, positions, n, chunks;
    float eps;
    bl_epilogue epilogue;
} bl_batchnorm2d_forward;

/* batchnorm2d_backward. Per chunk, sums over its examples and positions
 *   s = sum dy (chain acc + dy),  t = sum dy * xhat (chain fmaf(dy, xhat, acc))
 *   dx = (gamma * rstd) * ((dy - s / count) - xhat * (t / count))
 * dbeta, dgamma = the sums of s, t over the chunks: rule B's tree, one chunk a block. dx may be dy.
 * A batch of 0 makes both +0. */
typedef struct bl_batchnorm2d_backward {
    float *dx;             /* (batch, positions, n) */
    float *dgamma, *dbeta; /* (n), overwritten */
    const float *dy, *x;
    const float *mean, *rstd; /* (chunks, n) */
    const float *gamma;
    size_t batch, positions, n, chunks;
} bl_batchnorm2d_backward;

/* Group norm (Wu, He 2018): the n channels in groups of size = n / groups, each example's group
 * normalised over its channels and positions; one group is layer norm. count = positions * size. A
 * sum over a group is rule F over its channels in order, whose terms are chains over the channel's
 * positions in raster order, from +0.
 * groupnorm_forward: mean = (sum, chains acc + x and acc + term) / count
 *     var  = (sum, chains fmaf(d, d, acc) with d = x - mean, and acc + term) / count
 *     rstd = 1 / sqrt(var + eps)
 *     y    = fmaf(xhat, gamma, beta), xhat = (x - mean) * rstd
 * groupnorm_backward_input: per channel the chains S = acc + dy and T = fmaf(dy, xhat, acc);
 *   s = (sum, chain fmaf(gamma, S, acc)) / count,  t = (sum, chain fmaf(gamma, T, acc)) / count
 *   dx = rstd * ((dy * gamma - s) - xhat * t)
 * groupnorm_backward_weight: dbeta, dgamma = the rule-B sums of S and T over the examples.
 * groups divides n, which is at most BL_GROUPNORM_CHANNELS. All but the last are batch-invariant.
 */
enum { BL_GROUPNORM_CHANNELS = 1 << 16 };
typedef struct bl_groupnorm_forward {
    float *y;                  /* (batch, positions, n) */
    float *mean, *rstd;        /* (batch, groups) */
    const float *x;            /* (batch, positions, n) */
    const float *gamma, *beta; /* (n) */
    size_t batch, positions, n, groups;
    float eps;
} bl_groupnorm_forward;
typedef struct bl_groupnorm_backward_input {
    float *dx; /* (batch, positions, n) */
    const float *dy, *x;
    const float *mean, *rstd; /* (batch, groups) */
    const float *gamma;
    size_t batch, positions, n, groups;
} bl_groupnorm_backward_input;
typedef struct bl_groupnorm_backward_weight {
    float *dgamma, *dbeta; /* (n), overwritten */
    const float *dy, *x;
    const float *mean, *rstd; /* (batch, groups) */
    size_t batch, positions, n, groups;
} bl_groupnorm_backward_weight;

/* Every stride-th position, and channels of 0 up to out_channels: out_height = (height - 1) /
 * stride
 * + 1, ...; out_channels >= channels. Batch-invariant.
 * pad_channels_forward: y at (oy, ox), c = c < channels ? x at (oy * stride, ox * stride), c : +0.
 * pad_channels_backward: dx = dy of the position that saw it; +0 where none did. */
typedef struct bl_pad_channels {
    size_t batch, height, width, channels, out_height, out_width, out_channels, stride;
} bl_pad_channels;
typedef struct bl_pad_channels_forward {
    float *y;
    const float *x;
    bl_pad_channels pad;
} bl_pad_channels_forward;
typedef struct bl_pad_channels_backward {
    float *dx;
    const float *dy;
    bl_pad_channels pad;
} bl_pad_channels_backward;

#define BL_FAMILIES_IMAGE(X)                                                                       \
    X(conv2d_forward)                                                                              \
    X(conv2d_backward_input)                                                                       \
    X(conv2d_backward_weight)                                                                      \
    X(max_pool_forward)                                                                            \
    X(max_pool_backward)                                                                           \
    X(avg_pool_forward)                                                                            \
    X(avg_pool_backward)                                                                           \
    X(mean_positions_forward)                                                                      \
    X(mean_positions_backward)                                                                     \
    X(add)                                                                                         \
    X(scale_forward)                                                                               \
    X(scale_backward)                                                                              \
    X(hard_sigmoid_forward)                                                                        \
    X(hard_sigmoid_backward)                                                                       \
    X(hard_swish_forward)                                                                          \
    X(hard_swish_backward)                                                                         \
    X(batchnorm2d_forward)                                                                         \
    X(batchnorm2d_backward)                                                                        \
    X(groupnorm_forward)                                                                           \
    X(groupnorm_backward_input)                                                                    \
    X(groupnorm_backward_weight)                                                                   \
    X(pad_channels_forward)                                                                        \
    X(pad_channels_backward)
#endif
