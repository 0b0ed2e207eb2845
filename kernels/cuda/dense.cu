/* The three products of a dense layer, in contract order (product.h), as one struct of three
 * kinds:
 *
 *                 c (m, n)          A: k fast?           B: k fast?         sum over k
 *     forward     y (batch, n)      x (batch, k)  yes    w (k, n)   no      features: rule F
 *     input       dx (batch, k)     dy (batch, n) yes    w (k, n)   yes     features: rule F
 *     weights     dw (k, n)         x (batch, k)  no     dy         no      examples: rule B
 *
 * Where a result is too small to fill a device, the blocks of its sum are layers of the grid, side
 * by side. They are then added in contract order by a kernel of their own. */
#include "kernels/cuda/columns.h"
#include "kernels/cuda/product.h"

namespace {

/* c (layers, m, n) = sum over k of A(i, k) B(k, j). A_KF: A(i, k) = a[i * lda + k], else
 * a[k * lda + i]; B_KF: B(k, j) = b[j * ldb + k], else b[k * ldb + j]. Layer z has the terms from
 * z * span on. */
template <bool A_KF, bool B_KF, bool WITH_TREE> struct plain {
    enum { A_K = A_KF, B_K = B_KF, TREE = WITH_TREE, LARGE = true, TALL = true, GAPS = false };
    typedef unsigned row_of, column_of;
    typedef const float *a_term_of, *b_term_of; /* the factor's first line at that term */
    float *c;
    const float *x, *w;
    const float *bias;
    bl_epilogue epilogue;
    unsigned m, n, k;
    unsigned lda, ldb; /* floats from line to line, or from term to term */
    bool wide_a, wide_b;
    unsigned span; /* a multiple of BL_BLOCK, or all */
    unsigned first, last, block;
    unsigned a_far, b_far; /* floats from tile to tile */

    __device__ void enter(unsigned z, unsigned depth) {
        first = z * span;
        last = k - first < span ? k : first + span;
        block = BL_BLOCK;
        c += (size_t)z * m * n;
        a_far = A_KF ? depth : depth * lda;
        b_far = B_KF ? depth : depth * ldb;
    }
    __device__ unsigned row(unsigned i) const { return i; }
    __device__ unsigned column(unsigned j) const { return j; }
    __device__ const float *a_term(unsigned kk) const { return x + (A_KF ? kk : (size_t)kk * lda); }
    __device__ const float *b_term(unsigned kk) const { return w + (B_KF ? kk : (size_t)kk * ldb); }
    __device__ void row_up(unsigned *i) const { ++*i; }
    __device__ void column_up(unsigned *j) const { ++*j; }
    __device__ void a_up(const float **t) const { *t += A_KF ? 1 : lda; }
    __device__ void b_up(const float **t) const { *t += B_KF ? 1 : ldb; }
    __device__ void a_jump(const float **t) const { *t += a_far; }
    __device__ void b_jump(const float **t) const { *t += b_far; }
    __device__ const float *a(unsigned i, const float *t) const {
        return t + (A_KF ? (size_t)i * lda : i);
    }
    __device__ const float *b(const float *t, unsigned j) const {
        return t + (B_KF ? (size_t)j * ldb : j);
    }
    __device__ void put(unsigned i, unsigned j, float sum) const {
        const size_t at = (size_t)i * n + j;
        if (bias) sum = sum + bias[j];
        c[at] = bl_epilogue_apply(&epilogue, at, sum);
    }
};

template <class Problem> void with_strides(Problem *p, size_t lda, size_t ldb) {
    p->lda = (unsigned)lda;
    p->ldb = (unsigned)ldb;
    p->wide_a = bl_is_wide(p->x, lda);
    p->wide_b = bl_is_wide(p->w, ldb);
}

/* Rule F's blocks, which layers made side by side, one after the other. */
template <class Problem>
BL_CHAIN_KERNEL add_blocks(Problem p, const float *partial, unsigned blocks) {
    const size_t i = bl_thread(), count = (size_t)p.m * p.n;
    if (i >= count) return;
    const float sum = bl_chain_sum(partial[i], partial + i, count, 1, blocks);
    p.put((unsigned)(i / p.n), (unsigned)(i % p.n), sum);
}

/* Few outputs do not fill a device: then the blocks of the sum are made side by side. */
template <class Problem> void multiply_features(Problem p, bl_queue *queue) {
    const size_t count = (size_t)p.m * p.n, blocks = (p.k + BL_BLOCK - 1) / BL_BLOCK;
    const bool fits = blocks * count <= bl_workspace_floats();
    p.span = p.k > 0 ? p.k : 1;
    if (count == 0) return;
    if (blocks < 2 || count > (size_t)128 * 1024 || !fits) {
        bl_multiply(p, p.m, p.n, 1, queue);
        return;
    }
    Problem each = p;
    each.c = (float *)queue->workspace;
    each.bias = nullptr;
    each.epilogue = {};
    each.span = BL_BLOCK;
    bl_multiply(each, p.m, p.n, blocks, queue);
    BL_LAUNCH(add_blocks<Problem>, bl_blocks(count), BL_CUDA_THREADS, queue, p, each.c,
              (unsigned)blocks);
}

/* The layers' sums, combined by the tree. */
__global__ void combine(float *c, const float *partial, size_t groups, size_t count) {
    const size_t i = bl_thread();
    if (i < count) c[i] = bl_colsum_tree(partial, groups, count, i);
}

} // namespace

void bl_dense_forward_cuda(const bl_dense_forward *a, const bl_part *part) {
    plain<true, false, false> p = {};
    p.c = a->y, p.x = a->x, p.w = a->w, p.bias = a->bias, p.epilogue = a->epilogue;
    p.m = (unsigned)a->batch, p.n = (unsigned)a->n, p.k = (unsigned)a->k;
    with_strides(&p, a->k, a->n);
    multiply_features(p, bl_queue_of(part));
}

void bl_dense_backward_input_cuda(const bl_dense_backward_input *a, const bl_part *part) {
    plain<true, true, false> p = {};
    p.c = a->dx, p.x = a->dy, p.w = a->w, p.epilogue = a->epilogue;
    p.m = (unsigned)a->batch, p.n = (unsigned)a->k, p.k = (unsigned)a->n;
    with_strides(&p, a->n, a->n);
    multiply_features(p, bl_queue_of(part));
}

/* Groups of blocks run side by side, as many as keep a device busy and the workspace holds. */
static size_t blocks_of_group(size_t batch, size_t count) {
    const size_t room = bl_workspace_floats(), tiles = count / 4096 + 1;
    size_t blocks = 1, groups = (batch + BL_BLOCK - 1) / BL_BLOCK;
    while (groups > 1 && (groups * count > room || groups * tiles > 1024)) {
        blocks *= 2;
        groups = (groups + 1) / 2;
    }
    return blocks;
}

/* In layers of `span` examples. Without the tree where a layer is one block, whose sum is the
 * chain: the tree's levels would lie in local memory. */
template <bool TREE>
static void multiply_examples(const bl_dense_backward_weight *a, size_t span, bl_queue *queue) {
    const size_t count = a->k * a->n, groups = a->batch > span ? (a->batch + span - 1) / span : 1;
    plain<false, false, TREE> p = {};
    p.c = groups > 1 ? (float *)queue->workspace : a->dw, p.x = a->x, p.w = a->dy;
    p.m = (unsigned)a->k, p.n = (unsigned)a->n, p.k = (unsigned)a->batch;
    with_strides(&p, bl_dense_x_stride(a), a->n);
    p.span = (unsigned)span;
    bl_multiply(p, p.m, p.n, groups, queue);
    if (groups > 1 && count > 0)
        BL_LAUNCH(combine, bl_blocks(count), BL_CUDA_THREADS, queue, a->dw, p.c, groups, count);
    if (a->dbias) bl_colsum_run(a->dbias, a->dy, a->batch, a->n, queue);
}

void bl_dense_backward_weight_cuda(const bl_dense_backward_weight *a, const bl_part *part) {
    const size_t span = blocks_of_group(a->batch, a->k * a->n) * BL_BLOCK;
    if (span == BL_BLOCK)
        multiply_examples<false>(a, span, bl_queue_of(part));
    else
        multiply_examples<true>(a, span, bl_queue_of(part));
}
