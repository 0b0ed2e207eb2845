/* What the kernels of images share: sizes in 32 bits, as divisions of 64 bits are slow there, and
 * rule B over the examples of what was summed for each of them. */
#ifndef BL_KERNELS_CUDA_IMAGE_H
#define BL_KERNELS_CUDA_IMAGE_H
#include "kernels/cuda/columns.h"

typedef struct bl_grid {
    unsigned batch, height, width, channels, out_height, out_width, filters, kernel, stride, pad;
    unsigned group_channels, group_filters;
} bl_grid;

static inline bl_grid bl_grid_of(const bl_conv *v) {
    const bl_grid g = {(unsigned)v->batch,
                       (unsigned)v->height,
                       (unsigned)v->width,
                       (unsigned)v->channels,
                       (unsigned)v->out_height,
                       (unsigned)v->out_width,
                       (unsigned)v->filters,
                       (unsigned)v->kernel,
                       (unsigned)v->stride,
                       (unsigned)v->pad,
                       (unsigned)(v->channels / v->groups),
                       (unsigned)(v->filters / v->groups)};
    return g;
}

/* The terms of a convolution's sum in order: its taps row by row, in each the channels. */
typedef struct bl_tap {
    unsigned y, x, c;
} bl_tap;

/* Steps from term to term without divisions. */
typedef struct bl_tap_walk {
    unsigned channels, width; /* taps of a row */
    bl_tap far;               /* how far a jump is */

    /* `jump`: how many terms a jump skips, the depth of a tile. 0 channels or taps count as 1,
     * so that a sum without terms does not divide by 0. */
    __device__ void set(unsigned channels_, unsigned width_, unsigned jump) {
        channels = channels_ > 0 ? channels_ : 1;
        width = width_ > 0 ? width_ : 1;
        far = at(jump);
    }
    __device__ bl_tap at(unsigned k) const {
        return {k / channels / width, k / channels % width, k % channels};
    }
    __device__ void up(bl_tap *t) const {
        if (++t->c < channels) return;
        t->c = 0;
        if (++t->x < width) return;
        t->x = 0;
        t->y++;
    }
    /* As `jump` times up(). Each digit overflows at most once, since far.c < channels and far.x
     * < width. */
    __device__ void jump(bl_tap *t) const {
        t->c += far.c;
        const bool next = t->c >= channels;
        t->c -= next ? channels : 0;
        t->x += far.x + next;
        const bool row = t->x >= width;
        t->x -= row ? width : 0;
        t->y += far.y + row;
    }
} bl_tap_walk;

/* The two sums over the positions of one channel of an example that a norm's gradient needs. */
typedef struct bl_norm_sums {
    float dy, dy_xhat;
} bl_norm_sums;

/* Both in one pass, `n` floats from position to position. */
static inline __device__ bl_norm_sums bl_norm_chains(const float *x, const float *dy, size_t n,
                                                     size_t positions, float mean, float rstd) {
    struct term {
        float dy, xhat;
    };
    return bl_chain(
        bl_norm_sums{0.0f, 0.0f}, 0, positions,
        [=](size_t p) {
            return term{dy[p * n], (x[p * n] - mean) * rstd};
        },
        [](bl_norm_sums acc, const term &t) {
            return bl_norm_sums{acc.dy + t.dy, fmaf(t.dy, t.xhat, acc.dy_xhat)};
        });
}

/* reference.cu: the reference's text, for calls that are too large for the workspace. */
#ifdef __cplusplus
extern "C" {
#endif
void bl_conv2d_backward_weight_reference(const bl_conv2d_backward_weight *, const bl_part *);
void bl_batchnorm2d_forward_reference(const bl_batchnorm2d_forward *, const bl_part *);
void bl_batchnorm2d_backward_reference(const bl_batchnorm2d_backward *, const bl_part *);
void bl_groupnorm_forward_reference(const bl_groupnorm_forward *, const bl_part *);
void bl_groupnorm_backward_input_reference(const bl_groupnorm_backward_input *, const bl_part *);
void bl_groupnorm_backward_weight_reference(const bl_groupnorm_backward_weight *, const bl_part *);
#ifdef __cplusplus
}
#endif
#endif
