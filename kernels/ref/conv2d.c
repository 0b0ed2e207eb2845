/* Convolutions, as specification. Shapes (NHWC): x (batch, height, width, channels), y and dy
 * (batch, out_height, out_width, filters), w (kernel, kernel, channels / groups, filters).
 *
 *   y[b][oy][ox][n] = sum over ky, kx, c of x[b][oy s + ky - p][ox s + kx - p][c] w[ky][kx][c][n]
 *
 * with stride s and padding p; c runs over the channels of n's group. A term outside of the image
 * is left out but keeps its number, so that blocks of 256 terms begin where they do inside. */
#include "kernels/ref/ref.h"
#include <math.h>

/* A sum by rule F whose terms come one at a time; those outside of the image are counted only. */
typedef struct blocks {
    float sum, acc;
    size_t terms;
} blocks;

/* x NULL: the term is outside. */
static BL_HD void add_term(blocks *s, const float *x, float w) {
    if (s->terms > 0 && s->terms % BL_BLOCK == 0) {
        s->sum = s->sum + s->acc;
        s->acc = 0;
    }
    if (x) s->acc = fmaf(*x, w, s->acc);
    s->terms++;
}

/* Also of no term: +0. */
static BL_HD float total(const blocks *s) {
    return s->sum + s->acc;
}

/* Channel c at a row and column of an image; NULL outside of it, where unsigned wrap-around ends
 * too. */
static BL_HD const float *at(const float *image, size_t height, size_t width, size_t channels,
                             size_t row, size_t column, size_t c) {
    return row < height && column < width ? &image[(row * width + column) * channels + c] : NULL;
}

/* The sum of y[oy][ox][n] of one image x, without bias. */
static BL_HD float forward_at(const bl_conv2d_forward *a, const float *x, size_t oy, size_t ox,
                              size_t n) {
    const bl_conv *v = &a->conv;
    const size_t channels = v->channels / v->groups,
                 first = n / (v->filters / v->groups) * channels;
    blocks sum = {0};
    const float *w = a->w + n;
    for (size_t ky = 0; ky < v->kernel; ky++)
        for (size_t kx = 0; kx < v->kernel; kx++)
            for (size_t c = 0; c < channels; c++, w += v->filters)
                add_term(&sum,
                         at(x, v->height, v->width, v->channels, oy * v->stride + ky - v->pad,
                            ox * v->stride + kx - v->pad, first + c),
                         *w);
    return total(&sum);
}

/* Element i of y, whose sum is y so far. */
static BL_HD float forward_end(const bl_conv2d_forward *a, size_t i, float y) {
    if (a->bias != NULL) y = y + a->bias[i % a->conv.filters];
    return bl_epilogue_apply(&a->epilogue, i, y);
}

/* A part has whole rows of y. */
BL_REF void bl_conv2d_forward_ref(const bl_conv2d_forward *a, const bl_part *part) {
    const bl_conv *v = &a->conv;
    const bl_range rows = bl_part_range(part, v->batch * v->out_height, 1);
    for (size_t row = rows.begin; row < rows.end; row++) {
        const float *x = a->x + row / v->out_height * v->height * v->width * v->channels;
        for (size_t ox = 0; ox < v->out_width; ox++)
            for (size_t n = 0; n < v->filters; n++) {
                const size_t i = (row * v->out_width + ox) * v->filters + n;
                a->y[i] = forward_end(a, i, forward_at(a, x, row % v->out_height, ox, n));
            }
    }
}

/* The sum of dx[iy][ix][c] of one image:
 *
 *   dx[iy][ix][c] = sum over the (ky, kx, n) with oy s + ky - p = iy, ox s + kx - p = ix of
 *                   dy[oy][ox][n] w[ky][kx][c][n]
 *
 * Taps run backward, so that the positions of dy come in raster order. */
static BL_HD float input_at(const bl_conv2d_backward_input *a, const float *dy, size_t iy,
                            size_t ix, size_t c) {
    const bl_conv *v = &a->conv;
    const size_t channels = v->channels / v->groups, filters = v->filters / v->groups;
    const size_t first = c / channels * filters;
    blocks sum = {0};
    for (size_t ky = v->kernel; ky-- > 0;)
        for (size_t kx = v->kernel; kx-- > 0;) {
            /* Rows above the image by kernel * stride, so that the division rounds towards -inf. */
            const size_t shift = v->kernel * v->stride;
            const size_t y = iy + v->pad + shift - ky, x = ix + v->pad + shift - kx;
            if (y % v->stride != 0 || x % v->stride != 0) continue;
            const float *w =
                a->w + ((ky * v->kernel + kx) * channels + c % channels) * v->filters + first;
            for (size_t n = 0; n < filters; n++)
                add_term(&sum,
                         at(dy, v->out_height, v->out_width, v->filters, y / v->stride - v->kernel,
                            x / v->stride - v->kernel, first + n),
                         w[n]);
        }
    return total(&sum);
}

/* Element i of dx, whose sum is dx so far. */
static BL_HD float input_end(const bl_conv2d_backward_input *a, size_t i, float dx) {
    return bl_epilogue_apply(&a->epilogue, i, dx);
}

/* A part has whole rows of dx. */
BL_REF void bl_conv2d_backward_input_ref(const bl_conv2d_backward_input *a, const bl_part *part) {
    const bl_conv *v = &a->conv;
    const bl_range rows = bl_part_range(part, v->batch * v->height, 1);
    for (size_t row = rows.begin; row < rows.end; row++) {
        const float *dy = a->dy + row / v->height * v->out_height * v->out_width * v->filters;
        for (size_t ix = 0; ix < v->width; ix++)
            for (size_t c = 0; c < v->channels; c++) {
                const size_t i = (row * v->width + ix) * v->channels + c;
                a->dx[i] = input_end(a, i, input_at(a, dy, row % v->height, ix, c));
            }
    }
}

/* One example's share of dw: tap (ky, kx), channel c of x, filter n. */
static BL_HD float weight_of(const bl_conv2d_backward_weight *a, size_t b, size_t ky, size_t kx,
                             size_t c, size_t n) {
    const bl_conv *v = &a->conv;
    const float *x = a->x + b * v->height * v->width * v->channels;
    const float *dy = a->dy + b * v->out_height * v->out_width * v->filters + n;
    float acc = 0;
    for (size_t oy = 0; oy < v->out_height; oy++)
        for (size_t ox = 0; ox < v->out_width; ox++, dy += v->filters) {
            const float *seen = at(x, v->height, v->width, v->channels,
                                   oy * v->stride + ky - v->pad, ox * v->stride + kx - v->pad, c);
            if (seen) acc = fmaf(*seen, *dy, acc);
        }
    return acc;
}

/* One example's share of dbias: the sum of dy over its positions. */
static BL_HD float bias_of(const bl_conv2d_backward_weight *a, size_t b, size_t n) {
    const bl_conv *v = &a->conv;
    const size_t positions = v->out_height * v->out_width;
    float acc = 0;
    for (size_t p = 0; p < positions; p++) acc = acc + a->dy[(b * positions + p) * v->filters + n];
    return acc;
}

/* dw[ky][kx][c][n] = sum over b, oy, ox of x[b][oy s + ky - p][ox s + kx - p][c] dy[b][oy][ox][n],
 * dbias[n] = sum over b, oy, ox of dy: a chain of positions for each example, rule B over examples.
 * The bias is one more row of dw. A part has whole filters. */
BL_REF void bl_conv2d_backward_weight_ref(const bl_conv2d_backward_weight *a, const bl_part *part) {
    const bl_conv *v = &a->conv;
    const size_t channels = v->channels / v->groups, filters = v->filters / v->groups;
    const size_t rows = v->kernel * v->kernel * channels;
    const bl_range columns = bl_part_range(part, v->filters, 1);
    for (size_t n = columns.begin; n < columns.end; n++)
        for (size_t row = 0; row < rows + (a->dbias != NULL); row++) {
            const size_t ky = row / channels / v->kernel, kx = row / channels % v->kernel;
            const size_t c = n / filters * channels + row % channels;
            bl_ref_tree tree = {.blocks = 0};
            for (size_t begin = 0; begin < v->batch; begin += BL_BLOCK) {
                float acc = 0;
                for (size_t b = begin; b < bl_ref_block_end(begin, v->batch); b++)
                    acc = acc + (row < rows ? weight_of(a, b, ky, kx, c, n) : bias_of(a, b, n));
                bl_ref_tree_push(&tree, acc);
            }
            *(row < rows ? &a->dw[row * v->filters + n] : &a->dbias[n]) = bl_ref_tree_sum(&tree);
        }
}
