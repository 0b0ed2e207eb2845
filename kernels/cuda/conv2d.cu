/* Convolutions as products whose factors are found where they lie (product.h), in contract order;
 * with few channels a group, as in depthwise ones, a thread walks an output's sum alone. */
#include "kernels/cuda/image.h"
#include "kernels/cuda/product.h"
#include "kernels/ref/conv2d.c"

namespace {

enum { NARROW = 4 }; /* channels or filters of a group, too few for a tile */

/* y as a product of three indices, by which product.h walks (group g of G):
 *
 *     i    (b, oy, ox)        batch * out_height * out_width rows
 *     j    filter             filters / G columns
 *     k    (ky, kx, channel)  kernel^2 * channels / G terms, in contract order
 *
 * a(i, k) = x[b, oy s + ky - p, ox s + kx - p, c]; outside the picture there is none: nullptr, a
 * gap, as product.h calls it. Layers: groups. */
struct forward_product {
    enum { A_K = true, B_K = false, TREE = false, LARGE = true, TALL = true, GAPS = true };
    struct row_of {
        const float *image;
        unsigned y, x; /* of the first tap; unsigned wrap-around is outside */
    };
    typedef unsigned column_of;
    typedef bl_tap a_term_of;
    typedef const float *b_term_of; /* the first filter's weight */
    bl_conv2d_forward c;
    bl_grid g; /* the same sizes, in 32 bits */
    bool wide_a, wide_b;
    unsigned m, n, first, last, block, group;
    bl_tap_walk walk;
    unsigned b_far;

    __device__ void enter(unsigned z, unsigned depth) {
        m = g.batch * g.out_height * g.out_width;
        n = g.group_filters;
        first = 0;
        last = g.kernel * g.kernel * g.group_channels;
        block = BL_BLOCK;
        group = z;
        walk.set(g.group_channels, g.kernel, depth);
        b_far = depth * g.filters;
    }
    __device__ row_of row(unsigned i) const {
        const unsigned oy = i / g.out_width % g.out_height, b = i / g.out_width / g.out_height;
        return {c.x + ((size_t)b * g.height * g.width * g.channels + group * g.group_channels),
                oy * g.stride - g.pad, i % g.out_width * g.stride - g.pad};
    }
    __device__ unsigned column(unsigned j) const { return group * g.group_filters + j; }
    __device__ void column_up(unsigned *filter) const { ++*filter; }
    __device__ bl_tap a_term(unsigned k) const { return walk.at(k); }
    __device__ void a_up(bl_tap *t) const { walk.up(t); }
    __device__ void a_jump(bl_tap *t) const { walk.jump(t); }
    __device__ const float *b_term(unsigned k) const { return c.w + (size_t)k * g.filters; }
    __device__ void b_jump(const float **t) const { *t += b_far; }
    __device__ const float *a(const row_of &r, const bl_tap &t) const {
        const unsigned y = r.y + t.y, x = r.x + t.x;
        return y < g.height && x < g.width ? r.image + ((y * g.width + x) * g.channels + t.c)
                                           : nullptr;
    }
    __device__ const float *b(const float *t, unsigned filter) const { return t + filter; }
    __device__ void put(unsigned i, unsigned j, float sum) const {
        const size_t at = (size_t)i * g.filters + group * g.group_filters + j;
        c.y[at] = forward_end(&c, at, 0.0f + sum);
    }
    __device__ float again(unsigned i, unsigned j) const {
        const unsigned ox = i % g.out_width, oy = i / g.out_width % g.out_height;
        const size_t b = i / g.out_width / g.out_height;
        return forward_at(&c, c.x + b * g.height * g.width * g.channels, oy, ox, column(j));
    }
};

/* Positions whose rows and columns leave the same rest by the stride see the same taps: a phase.
 * Rows: a phase's positions of x. Columns: a group's channels. Terms: the taps, last first, and
 * the group's filters. Layers: phases and groups.
 *
 *     stride 2, kernel 3, no padding, one axis: y o reads x 2o, 2o + 1, 2o + 2
 *
 *         phase 0    x 0, 2, 4, ...     taps 2 and 0, from y i/2 - 1 and y i/2
 *         phase 1    x 1, 3, 5, ...     tap 1 alone, from y (i - 1)/2
 *
 * Without phases most taps would be tried in vain: three of four at a stride of 2. */
struct input_product {
    enum { A_K = true, B_K = true, TREE = false, LARGE = true, TALL = false, GAPS = true };
    struct row_of {
        const float *image;
        unsigned y, x; /* of dy at the first term's tap */
    };
    typedef unsigned column_of;
    typedef bl_tap a_term_of, b_term_of; /* taps counted from the phase's last one */
    bl_conv2d_backward_input c;
    bl_grid g;
    bool wide_a, wide_b;
    bl_tap_walk walk;
    unsigned m, n, first, last, block, group;
    unsigned row0, column0;  /* the phase's first position */
    unsigned rows, columns;  /* its positions */
    unsigned tap_y, tap_x;   /* its last tap */
    unsigned taps_y, taps_x; /* how many */

    /* Positions begin, begin + stride, ... below `end`: how many there are. */
    static __device__ unsigned count(unsigned begin, unsigned end, unsigned stride) {
        return begin < end ? (end - begin + stride - 1) / stride : 0;
    }
    __device__ void enter(unsigned z, unsigned depth) {
        const unsigned s = g.stride, ry = z % s, rx = z / s % s;
        group = z / s / s;
        row0 = (ry + s - g.pad % s) % s;
        column0 = (rx + s - g.pad % s) % s;
        rows = count(row0, g.height, s);
        columns = count(column0, g.width, s);
        taps_y = count(ry, g.kernel, s);
        taps_x = count(rx, g.kernel, s);
        tap_y = ry + (taps_y - 1) * s;
        tap_x = rx + (taps_x - 1) * s;
        m = g.batch * rows * columns;
        n = g.group_channels;
        first = 0;
        last = taps_y * taps_x * g.group_filters;
        block = BL_BLOCK;
        walk.set(g.group_filters, taps_x, depth);
    }
    __device__ row_of row(unsigned i) const {
        if (last == 0) return {c.dy, 0, 0};
        const unsigned iy = row0 + i / columns % rows * g.stride, b = i / columns / rows;
        const unsigned ix = column0 + i % columns * g.stride;
        /* iy + pad - tap_y is a multiple of the stride, perhaps below 0. */
        const unsigned shift = g.kernel * g.stride;
        return {c.dy +
                    ((size_t)b * g.out_height * g.out_width * g.filters + group * g.group_filters),
                (iy + g.pad + shift - tap_y) / g.stride - g.kernel,
                (ix + g.pad + shift - tap_x) / g.stride - g.kernel};
    }
    __device__ unsigned column(unsigned j) const { return j; }
    __device__ bl_tap a_term(unsigned k) const { return walk.at(k); }
    __device__ bl_tap b_term(unsigned k) const { return walk.at(k); }
    __device__ void a_up(bl_tap *t) const { walk.up(t); }
    __device__ void b_up(bl_tap *t) const { walk.up(t); }
    __device__ void a_jump(bl_tap *t) const { walk.jump(t); }
    __device__ void b_jump(bl_tap *t) const { walk.jump(t); }
    __device__ const float *a(const row_of &r, const bl_tap &t) const {
        const unsigned y = r.y + t.y, x = r.x + t.x;
        return y < g.out_height && x < g.out_width
                   ? r.image + ((y * g.out_width + x) * g.filters + t.c)
                   : nullptr;
    }
    __device__ const float *b(const bl_tap &t, unsigned channel) const {
        const unsigned ky = tap_y - t.y * g.stride, kx = tap_x - t.x * g.stride;
        return c.w + (((size_t)(ky * g.kernel + kx) * g.group_channels + channel) * g.filters +
                      group * g.group_filters + t.c);
    }
    __device__ void put(unsigned i, unsigned j, float sum) const {
        const unsigned iy = row0 + i / columns % rows * g.stride, b = i / columns / rows;
        const unsigned ix = column0 + i % columns * g.stride;
        const size_t at = (((size_t)b * g.height + iy) * g.width + ix) * g.channels +
                          group * g.group_channels + j;
        c.dx[at] = input_end(&c, at, 0.0f + sum);
    }
    __device__ float again(unsigned i, unsigned j) const {
        const unsigned iy = row0 + i / columns % rows * g.stride, b = i / columns / rows;
        const unsigned ix = column0 + i % columns * g.stride;
        const float *dy = c.dy + (size_t)b * g.out_height * g.out_width * g.filters;
        return input_at(&c, dy, iy, ix, group * g.group_channels + j);
    }
};

/* One thread an output, which walks the reference's own sum: with fewer than NARROW channels a tile
 * of the product would be mostly empty. */
__global__ void forward_alone(bl_conv2d_forward a) {
    const bl_conv v = a.conv;
    const size_t i = bl_thread(), n = i % v.filters, p = i / v.filters;
    const size_t b = p / v.out_width / v.out_height;
    if (b >= v.batch) return;
    const float y = forward_at(&a, a.x + b * v.height * v.width * v.channels,
                               p / v.out_width % v.out_height, p % v.out_width, n);
    a.y[i] = forward_end(&a, i, y);
}

__global__ void input_alone(bl_conv2d_backward_input a) {
    const bl_conv v = a.conv;
    const size_t i = bl_thread(), p = i / v.channels, b = p / v.width / v.height;
    if (b >= v.batch) return;
    const float dx = input_at(&a, a.dy + b * v.out_height * v.out_width * v.filters,
                              p / v.width % v.height, p % v.width, i % v.channels);
    a.dx[i] = input_end(&a, i, dx);
}

} // namespace

void bl_conv2d_forward_cuda(const bl_conv2d_forward *args, const bl_part *part) {
    const bl_conv2d_forward a = *args;
    const bl_conv *v = &a.conv;
    const size_t positions = v->batch * v->out_height * v->out_width;
    if (positions == 0) return;
    if (v->filters / v->groups < NARROW && v->groups > 1) {
        BL_LAUNCH(forward_alone, bl_blocks(positions * v->filters), BL_CUDA_THREADS,
                  bl_queue_of(part), a);
        return;
    }
    forward_product p = {};
    p.c = a;
    p.g = bl_grid_of(v);
    p.wide_a = bl_is_wide(a.x, v->channels) && p.g.group_channels % 4 == 0;
    p.wide_b = bl_is_wide(a.w, v->filters) && p.g.group_filters % 4 == 0;
    bl_multiply(p, positions, p.g.group_filters, v->groups, bl_queue_of(part));
}

void bl_conv2d_backward_input_cuda(const bl_conv2d_backward_input *args, const bl_part *part) {
    const bl_conv2d_backward_input a = *args;
    const bl_conv *v = &a.conv;
    const size_t positions = v->batch * v->height * v->width;
    if (positions == 0) return;
    if (v->channels / v->groups < NARROW && v->groups > 1) {
        BL_LAUNCH(input_alone, bl_blocks(positions * v->channels), BL_CUDA_THREADS,
                  bl_queue_of(part), a);
        return;
    }
    input_product p = {};
    p.c = a;
    p.g = bl_grid_of(v);
    p.wide_a = bl_is_wide(a.dy, v->filters) && p.g.group_filters % 4 == 0;
    p.wide_b = bl_is_wide(a.w, v->filters) && p.g.group_filters % 4 == 0;
    /* The largest phase; others leave blocks of the grid without work. */
    const size_t rows = (v->height + v->stride - 1) / v->stride,
                 columns = (v->width + v->stride - 1) / v->stride;
    bl_multiply(p, v->batch * rows * columns, p.g.group_channels, v->groups * v->stride * v->stride,
                bl_queue_of(part));
}
