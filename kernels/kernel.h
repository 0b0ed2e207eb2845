/* The kernel families: argument structs, and in words the contract that every implementation keeps.
 * The families of convolutional nets are in kernel_image.h; what a kernel does to each result
 * before it stores it is in epilogue.h.
 *
 * One batch has one bit pattern, so each sum's order is part of the contract.
 *
 * Rule F (features). A sum over features cuts its index k into blocks of BL_BLOCK = 256. Inside a
 * block there is one chain per output, starting at +0: acc = fmaf(x_k, w_k, acc), k increasing.
 * Block results are added in increasing order (the first block's + the second's + ...), then the
 * bias.
 *
 * Rule B (batch). A sum over the examples of a batch cuts the batch into blocks of 256 consecutive
 * examples. Inside a block there is one chain over the examples in order, starting at +0. Block
 * results are combined by a binary-counter tree: neighbours of equal size are added as soon as both
 * exist (left + right). At the end the leftovers are added from the smallest to the largest
 * (larger = larger + smaller). Five blocks: ((s0 + s1) + (s2 + s3)) + s4.
 *
 * Tiles, vector widths, threads and devices are free. No term is skipped because it is zero unless
 * the result is the same bit for bit. `ref` is the specification: naive, in contract order.
 *
 * Parallelism. A call computes part `part` of `parts` of its *outputs*; the parts of one call may
 * run at once on different threads, each with a scratch block of its own, and the bits do not
 * depend on how many there are. Sizes may be 0. Outputs never alias inputs unless a family says so.
 * All arrays are row-major; pointers are at least 4-byte aligned, scratch is 64-byte aligned. */
#ifndef BL_KERNELS_KERNEL_H
#define BL_KERNELS_KERNEL_H
#include "engine/base/status.h"
#include "kernels/kernel_image.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

enum { BL_KERNEL_SCRATCH = 4 << 20 }; /* bytes a part may use */

typedef struct bl_part {
    size_t part, parts; /* part < parts */
    void *scratch;      /* BL_KERNEL_SCRATCH bytes, contents undefined */
    void *queue;        /* a device's queue: then parts is 1; NULL on a processor */
} bl_part;

/* dense_forward: y = x w + bias (rule F over k), then the epilogue. Batch-invariant. */
typedef struct bl_dense_forward {
    float *y;          /* (batch, n) */
    const float *x;    /* (batch, k) */
    const float *w;    /* (k, n) */
    const float *bias; /* (n), NULL: none */
    size_t batch, k, n;
    bl_epilogue epilogue;
} bl_dense_forward;

/* dense_backward_input: dx = dy w^T (rule F over n), then the epilogue. Batch-invariant. */
typedef struct bl_dense_backward_input {
    float *dx;       /* (batch, k) */
    const float *dy; /* (batch, n) */
    const float *w;  /* (k, n) */
    size_t batch, k, n;
    bl_epilogue epilogue;
} bl_dense_backward_input;

/* dense_backward_weight: dw = x^T dy, dbias = column sums of dy (rule B; a chain of dbias is
 * acc = acc + dy, a chain of dw is acc = fmaf(x, dy, acc)). Overwrites. With x_stride some features
 * of wider rows are x: rows of dw can be had one strip after the other, with the same bits. */
typedef struct bl_dense_backward_weight {
    float *dw;       /* (k, n) */
    float *dbias;    /* (n), NULL: not wanted */
    const float *x;  /* (batch, k), rows x_stride floats apart */
    const float *dy; /* (batch, n) */
    size_t batch, k, n;
    size_t x_stride; /* 0: k */
} bl_dense_backward_weight;
static inline BL_HD size_t bl_dense_x_stride(const bl_dense_backward_weight *a) {
    return a->x_stride > 0 ? a->x_stride : a->k;
}

/* relu_forward: y = x <= 0 ? +0 : x. relu_backward: dx = y <= 0 ? +0 : dy. A NaN stays one, so
 * that a run that diverged cannot go on unseen. In place is allowed. */
typedef struct bl_relu_forward {
    float *y;
    const float *x;
    size_t count;
} bl_relu_forward;
typedef struct bl_relu_backward {
    float *dx;
    const float *dy, *y; /* y: the forward output */
    size_t count;
} bl_relu_backward;

/* dropout: y = keep ? x * scale : +0, scale = 1/(1 - p) rounded once in float. keep of example b,
 * feature j is a function of the example's position in the stream of examples, never of batch or
 * step:
 *   word = bl_random4(seed, BL_STREAM_DROPOUT, layer, (position + b) * stride4 + j / 4).v[j % 4]
 *   with stride4 = ceil(n / 4);  keep = word >= threshold,  threshold = (uint32_t)(p * 2^32).
 * The mask keeps it for backward: bit j % 4 of byte j / 4 of the example's row; the other bits of a
 * row are 0. In place is allowed. */
/* A row of the mask is padded to whole units of four bytes, the size of a float, so that masks can
 * lie among floats. A byte of the mask holds four features, so a unit holds 16. */
enum { BL_DROPOUT_MASK_UNIT = 16 };
static inline BL_HD size_t bl_dropout_mask_bytes(size_t n) {
    return (n + BL_DROPOUT_MASK_UNIT - 1) / BL_DROPOUT_MASK_UNIT * sizeof(float);
}
typedef struct bl_dropout {
    float *y;            /* (batch, n) */
    unsigned char *mask; /* (batch, bl_dropout_mask_bytes(n)) */
    const float *x;      /* (batch, n) */
    size_t batch, n;
    uint64_t seed;
    uint32_t layer;       /* the sub-stream */
    uint64_t position;    /* of the batch's first example in the stream of examples */
    const uint64_t *from; /* a device's: added to position when the call is made; else NULL */
    uint32_t threshold;   /* floor(p * 2^32); 0 keeps everything */
    float scale;
} bl_dropout;

/* dropout_backward: dx = keep ? dy * scale : +0. In place is allowed. */
typedef struct bl_dropout_backward {
    float *dx;                 /* (batch, n) */
    const float *dy;           /* (batch, n) */
    const unsigned char *mask; /* (batch, bl_dropout_mask_bytes(n)), forward's */
    size_t batch, n;
    float scale;
} bl_dropout_backward;

/* batchnorm_forward (training). Per channel j over the batch, all fp32 except where said:
 *     mean = (rule-B sum of x, chain acc + x) / batch
 *     var  = (rule-B sum of d * d with d = x - mean, chain fmaf(d, d, acc)) / batch
 *     rstd = 1 / sqrt(var + eps)
 *     y    = fmaf(xhat, gamma, beta), xhat = (x - mean) * rstd
 *     unbiased = batch > 1 ? var * ((float)batch / (float)(batch - 1)) : var
 * mean and rstd are kept for backward; sum_mean = mean and sum_var = unbiased are what a batch that
 * comes in pieces adds up for running_average. Then the dropout, where it is asked for, on y in
 * place. In place (y == x) is not allowed: backward needs x. A batch of 0 writes nothing. */
typedef struct bl_batchnorm_forward {
    float *y;                  /* (batch, n) */
    float *mean, *rstd;        /* (n) */
    float *sum_mean, *sum_var; /* (n), overwritten */
    const float *x;            /* (batch, n) */
    const float *gamma, *beta; /* (n) */
    size_t batch, n;
    float eps;
    bl_dropout dropout; /* of y, the same batch and n; mask NULL: none */
} bl_batchnorm_forward;

/* running_average: running = fmaf(momentum, sum / chunks - running, running): once an optimizer
 * step, from the sums over all chunks of examples that were normalised together. */
typedef struct bl_running_average {
    float *running;   /* (count), updated */
    const float *sum; /* (count) */
    size_t count, chunks;
    float momentum;
} bl_running_average;

/* power_average: average = average + weight * (value - average), three roundings: once an optimizer
 * step, with the share of the step's weights in the average of all steps'. */
typedef struct bl_power_average {
    float *average;     /* (count), updated */
    const float *value; /* (count) */
    size_t count;
    float weight;
} bl_power_average;

/* batchnorm_inference: y = fmaf((x - running_mean) * rstd, gamma, beta),
 * rstd = 1 / sqrt(running_var + eps), then the epilogue. Batch-invariant. y may be x. */
typedef struct bl_batchnorm_inference {
    float *y;       /* (batch, n) */
    const float *x; /* (batch, n) */
    const float *running_mean, *running_var, *gamma, *beta;
    size_t batch, n;
    float eps;
    bl_epilogue epilogue;
} bl_batchnorm_inference;

/* batchnorm_backward. Where forward had a dropout, dy is first what dropout_backward makes of it.
 * With xhat as above, rule-B sums
 *   dbeta = sum dy (chain acc + dy),  dgamma = sum dy * xhat (chain fmaf(dy, xhat, acc))
 *   dx = (gamma * rstd) * ((dy - dbeta / batch) - xhat * (dgamma / batch))
 * each operation rounded as written, then the epilogue. dx may be dy. */
typedef struct bl_batchnorm_backward {
    float *dx;             /* (batch, n) */
    float *dgamma, *dbeta; /* (n), overwritten */
    const float *dy, *x;   /* (batch, n) */
    const float *mean, *rstd, *gamma;
    const unsigned char *mask; /* of the dropout, NULL: there was none */
    float mask_scale;          /* its scale */
    size_t batch, n;
    bl_epilogue epilogue;
} bl_batchnorm_backward;

/* embedding_forward: copies, for each example and each column, one row of that column's table:
 *   y[b][offset_c + d] = table[base_c + codes[b][c] * width_c + d]
 * The columns' tables lie one after another in one parameter block. */
typedef struct bl_embedding_column {
    size_t base;   /* first float of this column's table in `table` */
    size_t rows;   /* codes are below this */
    size_t width;  /* floats per row */
    size_t offset; /* first feature of this column in y */
} bl_embedding_column;
typedef struct bl_embedding_forward {
    float *y; /* (batch, y_stride); only the columns' features are written */
    const float *table;
    const uint16_t *codes; /* (batch, columns) */
    const bl_embedding_column *column;
    size_t columns, batch, y_stride;
} bl_embedding_forward;

/* embedding_backward: dtable[row] = rule-B sum, over the examples whose code is that row, of their
 * dy (chain acc + dy). Rows that no example uses become +0. Overwrites all of every table. (A chain
 * starts at +0 and so never is -0: skipping an example that adds nothing changes no bit.) batch +
 * rows of a column is at most 2^20: backends sort the examples by row in scratch. */
typedef struct bl_embedding_backward {
    float *dtable;
    const float *dy;       /* (batch, dy_stride) */
    const uint16_t *codes; /* (batch, columns) */
    const bl_embedding_column *column;
    size_t columns, batch, dy_stride;
} bl_embedding_backward;

/* sigmoid_range: y = fmaf(high - low, s, low), s = bl_sigmoid(x) of exact_math.h; s is kept.
 * Backward: dx = dy * ((high - low) * (s * (1 - s))). */
typedef struct bl_sigmoid_range_forward {
    float *y, *s; /* (count) */
    const float *x;
    size_t count;
    float low, high;
} bl_sigmoid_range_forward;
typedef struct bl_sigmoid_range_backward {
    float *dx;
    const float *dy, *s;
    size_t count;
    float low, high;
} bl_sigmoid_range_backward;

/* copy_columns: y[b][j] = x[b][j] for j < n, rows y_stride and x_stride floats apart. */
typedef struct bl_copy_columns {
    float *y;       /* (batch, y_stride); n columns are written */
    const float *x; /* (batch, x_stride) */
    size_t batch, n, y_stride, x_stride;
} bl_copy_columns;

/* mse: sum = rule-B sum in fp64 of e * e (chain acc + e * e), e = (double)y - (double)target;
 * dy = (2 / total) * (y - target) in fp32, 2/total rounded once; dy may be NULL. `total` counts the
 * examples that the mean is over: more than `count` where a batch comes in pieces. Part 0 writes
 * the sum (+0 when count is 0); every part writes its share of dy. */
typedef struct bl_mse {
    double *sum;
    float *dy;               /* (count) or NULL */
    const float *y, *target; /* (count) */
    size_t count, total;
} bl_mse;

/* softmax_cross_entropy, all in fp64 from y and target. Per example, with c classes, q_j =
 * (1 - smoothing) [j is the target] + smoothing / c, m = the largest y_j, d_j = y_j - m and
 * e_j = bl_exp64(d_j):
 *     s    = rule-F sum of e_j (chain acc + e_j),  D = rule-F sum of d_j (chain acc + d_j)
 *     term = bl_log64(s) - ((1 - smoothing) * d_target + (smoothing / c) * D)
 *     dy_j = (e_j / s - q_j) / total, rounded once to float; dy may be NULL
 * sum = rule-B sum of the terms (chain acc + term). `total` as for mse. An example with a NaN or
 * +infinity gives NaN, in its term and in all of its dy. Part 0 writes the sum (+0 when batch is
 * 0); every part writes the dy of its examples. Classes are at most BL_KERNEL_SCRATCH / 8. */
typedef struct bl_softmax_cross_entropy {
    double *sum;
    float *dy;           /* (batch, classes) or NULL */
    const float *y;      /* (batch, classes) */
    const float *target; /* (batch): whole numbers below classes */
    size_t batch, classes, total;
    double smoothing; /* in [0, 1) */
} bl_softmax_cross_entropy;

/* One backend: a function for every family. BL_FAMILIES is the table tests and benchmarks walk. */
#define BL_FAMILIES(X)                                                                             \
    X(dense_forward)                                                                               \
    X(dense_backward_input)                                                                        \
    X(dense_backward_weight)                                                                       \
    X(relu_forward)                                                                                \
    X(relu_backward)                                                                               \
    X(dropout)                                                                                     \
    X(dropout_backward)                                                                            \
    X(batchnorm_forward)                                                                           \
    X(batchnorm_inference)                                                                         \
    X(batchnorm_backward)                                                                          \
    X(running_average)                                                                             \
    X(power_average)                                                                               \
    X(embedding_forward)                                                                           \
    X(embedding_backward)                                                                          \
    X(sigmoid_range_forward)                                                                       \
    X(sigmoid_range_backward)                                                                      \
    X(copy_columns)                                                                                \
    X(mse)                                                                                         \
    X(softmax_cross_entropy)                                                                       \
    BL_FAMILIES_IMAGE(X)

typedef struct bl_kernels {
    const char *name;     /* "ref", "scalar", "avx2", "avx512": what BL_FORCE_IMPL names */
    bool (*usable)(void); /* does this processor have it? */
/* NOLINTNEXTLINE(bugprone-macro-parentheses): it names a member */
#define BL_FAMILY_MEMBER(family) void (*family)(const bl_##family *args, const bl_part *part);
    BL_FAMILIES(BL_FAMILY_MEMBER)
#undef BL_FAMILY_MEMBER
} bl_kernels;

/* Best first; `ref` last. */
extern const bl_kernels *const bl_kernels_table[];
extern const size_t bl_kernels_count;

/* The first usable backend, or the one the environment's BL_FORCE_IMPL names (empty: none): an
 * unknown or unusable name fails. */
bl_status bl_kernels_pick(const bl_kernels **out, bl_err *err) BL_CHECKED;

#ifdef __cplusplus
}
#endif
#endif
