/* A convolution's gradient of weights and bias: every example's sums side by side, as a product;
 * then the chain over the examples of each block, an output a thread; then the tree. The
 * workspace holds
 *
 *     block   (blocks, count)      the chains of rule B's blocks; one block's lie in the result
 *     each    (examples, count)    the sums of as many examples as there is room for
 *
 * where count is the number of weights. Examples come in groups of that many, and chain_examples
 * goes on with a block's chain where the group before it stopped. So the room decides how long it
 * takes, and never the bits. */
#include "kernels/cuda/image.h"
#include "kernels/cuda/product.h"
#include "kernels/ref/conv2d.c"

namespace {

/* Rows: taps and channels of a group. Columns: its filters. Terms: positions of y. Layers: groups
 * and examples. */
struct weight_product {
    enum { A_K = false, B_K = false, TREE = false, LARGE = false, TALL = false, GAPS = true };
    typedef bl_tap row_of;
    typedef unsigned column_of;
    /* The first tap's position in x, but for the padding. */
    typedef struct a_term_of {
        unsigned y, x;
    } a_term_of;
    typedef const float *b_term_of; /* dy at that position */
    bl_conv2d_backward_weight c;    /* x and dy: of the first example */
    const float *x, *dy;
    float *out; /* (examples, rows of w, filters) */
    bl_grid g;
    bool wide_a, wide_b;
    unsigned groups;
    unsigned m, n, first, last, block, group, example;
    bl_tap_walk walk;
    a_term_of far; /* from tile to tile */
    unsigned b_far, row_end;

    __device__ void enter(unsigned z, unsigned depth) {
        example = z / groups;
        group = z % groups;
        m = g.kernel * g.kernel * g.group_channels;
        n = g.group_filters;
        first = 0;
        last = block = g.out_height * g.out_width; /* one chain */
        x = c.x + (size_t)example * g.height * g.width * g.channels + group * g.group_channels;
        dy = c.dy + (size_t)example * last * g.filters + group * g.group_filters;
        out += (size_t)example * m * g.filters + group * g.group_filters;
        walk.set(g.group_channels, g.kernel, 1);
        row_end = g.out_width * g.stride;
        far = a_term(depth);
        b_far = depth * g.filters;
    }
    __device__ bl_tap row(unsigned i) const { return walk.at(i); }
    __device__ void row_up(bl_tap *r) const { walk.up(r); }
    __device__ unsigned column(unsigned j) const { return j; }
    __device__ void column_up(unsigned *j) const { ++*j; }
    __device__ a_term_of a_term(unsigned k) const {
        const unsigned width = g.out_width > 0 ? g.out_width : 1;
        return {k / width * g.stride, k % width * g.stride};
    }
    __device__ void a_jump(a_term_of *t) const {
        t->x += far.x;
        const bool next = t->x >= row_end;
        t->x -= next ? row_end : 0;
        t->y += far.y + (next ? g.stride : 0);
    }
    __device__ const float *b_term(unsigned k) const { return dy + (size_t)k * g.filters; }
    __device__ void b_jump(const float **t) const { *t += b_far; }
    __device__ const float *a(const bl_tap &r, const a_term_of &t) const {
        const unsigned iy = t.y + (r.y - g.pad), ix = t.x + (r.x - g.pad);
        return iy < g.height && ix < g.width ? x + ((iy * g.width + ix) * g.channels + r.c)
                                             : nullptr;
    }
    __device__ const float *b(const float *t, unsigned j) const { return t + j; }
    __device__ void put(unsigned i, unsigned j, float sum) const {
        out[(size_t)i * g.filters + j] = sum;
    }
    __device__ float again(unsigned i, unsigned j) const {
        const unsigned tap = i / g.group_channels, channel = i % g.group_channels;
        return weight_of(&c, example, tap / g.kernel, tap % g.kernel,
                         group * g.group_channels + channel, group * g.group_filters + j);
    }
};

/* out (examples, n): an example's chain over its positions. */
BL_CHAIN_KERNEL bias_chains(float *__restrict__ out, const float *__restrict__ dy, size_t examples,
                            size_t positions, size_t n) {
    const size_t i = bl_thread(), b = i / n;
    if (b < examples) out[i] = bl_chain_sum(0, dy + b * positions * n + i % n, n, 0, positions);
}

/* Goes on with the chains of the blocks that the examples [from, from + examples) belong to. */
BL_CHAIN_KERNEL chain_examples(float *__restrict__ block, const float *__restrict__ each,
                               size_t from, size_t examples, size_t count) {
    const size_t i = bl_thread();
    if (i >= count) return;
    float acc = from % BL_BLOCK ? block[from / BL_BLOCK * count + i] : 0.0f;
    for (size_t e = 0; e < examples;) {
        const size_t room = BL_BLOCK - (from + e) % BL_BLOCK, left = examples - e;
        const size_t end = e + (room < left ? room : left);
        block[(from + e) / BL_BLOCK * count + i] = bl_chain_sum(acc, each + i, count, e, end);
        acc = 0;
        e = end;
    }
}

__global__ void combine(float *out, const float *block, size_t blocks, size_t count) {
    const size_t i = bl_thread();
    if (i < count) out[i] = bl_colsum_tree(block, blocks, count, i);
}

/* Where the sums of blocks go (into the result itself, where there is one block), and in the
 * workspace those of as many examples as there is room for. */
struct room {
    float *block, *each;
    size_t examples; /* at once; 0: it is too small */
};

enum { MOST_LAYERS = 65535 }; /* of a grid */

room divide(bl_queue *queue, float *out, size_t batch, size_t count, size_t groups) {
    const size_t floats = bl_workspace_floats(), blocks = bl_batch_blocks(batch);
    const size_t sums = blocks > 1 ? blocks * count : 0;
    float *workspace = (float *)queue->workspace;
    const size_t left = sums < floats && count > 0 ? (floats - sums) / count : 0;
    const size_t most = MOST_LAYERS / groups < batch ? MOST_LAYERS / groups : batch;
    return {blocks == 1 ? out : workspace, workspace + sums, left < most ? left : most};
}

/* The tree over the blocks, where there is not just one. */
void combine_blocks(bl_queue *queue, float *out, const room &r, size_t batch, size_t count) {
    const size_t blocks = bl_batch_blocks(batch);
    if (blocks != 1)
        BL_LAUNCH(combine, bl_blocks(count), BL_CUDA_THREADS, queue, out, r.block, blocks, count);
}

} // namespace

/* dw of as many examples at once as the workspace holds: each example's sums by a product of
 * matrices, added to its block's chain, and at the end rule B's tree over the blocks. False: the
 * workspace holds not one example. */
static bool weights(const bl_conv2d_backward_weight &a, bl_queue *queue) {
    const bl_conv *v = &a.conv;
    const size_t rows = v->kernel * v->kernel * (v->channels / v->groups),
                 count = rows * v->filters, positions = v->out_height * v->out_width;
    const room r = divide(queue, a.dw, v->batch, count, v->groups);
    weight_product p = {};
    if (count == 0) return true;
    if (r.examples == 0 && v->batch > 0) return false;
    p.c = a;
    p.g = bl_grid_of(v);
    p.groups = (unsigned)v->groups;
    p.wide_a = bl_is_wide(a.x, v->channels) && p.g.group_channels % 4 == 0;
    p.wide_b = bl_is_wide(a.dy, v->filters) && p.g.group_filters % 4 == 0;
    p.out = r.each;
    for (size_t from = 0; from < v->batch; from += r.examples) {
        const size_t n = v->batch - from < r.examples ? v->batch - from : r.examples;
        p.c.x = a.x + from * v->height * v->width * v->channels;
        p.c.dy = a.dy + from * positions * v->filters;
        bl_multiply(p, rows, p.g.group_filters, n * v->groups, queue);
        BL_LAUNCH(chain_examples, bl_blocks(count), BL_CUDA_THREADS, queue, r.block, r.each, from,
                  n, count);
    }
    combine_blocks(queue, a.dw, r, v->batch, count);
    return true;
}

/* The sums of as many examples at once as the workspace holds. */
void bl_conv_bias_sums(float *dbias, const float *dy, const bl_conv *v, bl_queue *queue) {
    const size_t positions = v->out_height * v->out_width, n = v->filters;
    const room r = divide(queue, dbias, v->batch, n, 1);
    if (n == 0) return;
    for (size_t from = 0; from < v->batch; from += r.examples) {
        const size_t examples = v->batch - from < r.examples ? v->batch - from : r.examples;
        BL_LAUNCH(bias_chains, bl_blocks(examples * n), BL_CUDA_THREADS, queue, r.each,
                  dy + from * positions * n, examples, positions, n);
        BL_LAUNCH(chain_examples, bl_blocks(n), BL_CUDA_THREADS, queue, r.block, r.each, from,
                  examples, n);
    }
    combine_blocks(queue, dbias, r, v->batch, n);
}

/* More weights than the workspace has room for: the reference's text does them. */
void bl_conv2d_backward_weight_cuda(const bl_conv2d_backward_weight *args, const bl_part *part) {
    const bl_conv2d_backward_weight a = *args;
    bl_queue *queue = bl_queue_of(part);
    if (!weights(a, queue))
        bl_conv2d_backward_weight_reference(args, part);
    else if (a.dbias)
        bl_conv_bias_sums(a.dbias, a.dy, &a.conv, queue);
}
