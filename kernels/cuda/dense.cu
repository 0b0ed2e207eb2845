/* The three products of a dense layer, in contract order (product.h). */
#include "kernels/cuda/columns.h"
#include "kernels/cuda/product.h"

namespace {

/* c (layers, m, n) = sum over k of A(i, k) B(k, j). A_KF: A(i, k) = a[i * lda + k], else
 * a[k * lda + i]; B_KF: B(k, j) = b[j * ldb + k], else b[k * ldb + j]. Layer z has the terms from
 * z * span on. */
template <bool A_KF, bool B_KF, bool WITH_TREE> struct plain {
    enum { A_K = A_KF, B_K = B_KF, TREE = WITH_TREE, LARGE = true, GAPS = false };
    typedef size_t row_of, column_of;
    float *c;
    const float *x, *w;
    const float *bias;
    bl_epilogue epilogue;
    unsigned m, n, k;
    size_t lda, ldb;
    unsigned span; /* a multiple of BL_BLOCK, or all */
    unsigned first, last, block;

    __device__ void enter(unsigned z) {
        first = z * span;
        last = k - first < span ? k : first + span;
        block = BL_BLOCK;
        c += (size_t)z * m * n;
    }
    __device__ size_t row(unsigned i) const { return A_KF ? i * lda : i; }
    __device__ size_t column(unsigned j) const { return B_KF ? j * ldb : j; }
    __device__ float a(size_t r, unsigned kk) const { return x[A_KF ? r + kk : kk * lda + r]; }
    __device__ float b(unsigned kk, size_t s) const { return w[B_KF ? s + kk : kk * ldb + s]; }
    __device__ void put(unsigned i, unsigned j, float sum) const {
        const size_t at = (size_t)i * n + j;
        if (bias) sum = sum + bias[j];
        c[at] = bl_epilogue_apply(&epilogue, at, sum);
    }
};

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
    p.m = (unsigned)a->batch, p.n = (unsigned)a->n, p.k = (unsigned)a->k, p.lda = a->k,
    p.ldb = a->n;
    multiply_features(p, bl_queue_of(part));
}

void bl_dense_backward_input_cuda(const bl_dense_backward_input *a, const bl_part *part) {
    plain<true, true, false> p = {};
    p.c = a->dx, p.x = a->dy, p.w = a->w, p.epilogue = a->epilogue;
    p.m = (unsigned)a->batch, p.n = (unsigned)a->k, p.k = (unsigned)a->n, p.lda = a->n,
    p.ldb = a->n;
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
    p.m = (unsigned)a->k, p.n = (unsigned)a->n, p.k = (unsigned)a->batch, p.lda = a->k,
    p.ldb = a->n;
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
