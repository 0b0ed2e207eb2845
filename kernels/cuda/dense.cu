/* The three products of a dense layer, in contract order. Each output is one thread's: it walks the
 * sum in order, tile by tile through shared memory, so the order costs nothing. Rule B's tree is
 * kept per thread within a group of blocks; groups are combined by the same tree. */
#include "kernels/cuda/columns.h"
#include "kernels/cuda/launch.h"

namespace {

/* c (m, n) = sum over k of A(i, k) B(k, j). */
struct product {
    float *c; /* (groups, m, n) */
    const float *a, *b;
    const float *bias;
    size_t m, n, k, lda, ldb;
    size_t group; /* terms of one group: 256 x a power of two, or all */
    bool relu;
};

enum { LEVELS = 13 }; /* of the tree within a group: up to 2^20 examples */

/* A_K: A(i, k) = a[i * lda + k], else a[k * lda + i]; B_K: B(k, j) = b[j * ldb + k], else
 * b[k * ldb + j]. TILE x TILE outputs a block, EACH x EACH a thread, DEPTH terms at a time. */
template <int TILE, int EACH, int DEPTH, bool A_K, bool B_K, bool TREE> struct multiply {
    enum { SIDE = TILE / EACH, THREADS = SIDE * SIDE, LOADS = TILE * DEPTH / THREADS };

    /* Element e of a tile: along the memory's fast direction for neighbouring threads. */
    static inline __device__ void place(bool k_fast, int e, int *at, int *k) {
        *at = k_fast ? e / DEPTH : e % TILE;
        *k = k_fast ? e % DEPTH : e / TILE;
    }

    static inline __device__ void fetch(const product &p, size_t i0, size_t j0, size_t k0,
                                        size_t end, float fa[LOADS], float fb[LOADS]) {
        for (int l = 0; l < LOADS; l++) {
            const int e = (int)threadIdx.x + l * THREADS;
            int at, k;
            place(A_K, e, &at, &k);
            fa[l] = i0 + at < p.m && k0 + k < end
                        ? p.a[A_K ? (i0 + at) * p.lda + k0 + k : (k0 + k) * p.lda + i0 + at]
                        : 0.0f;
            place(B_K, e, &at, &k);
            fb[l] = j0 + at < p.n && k0 + k < end
                        ? p.b[B_K ? (j0 + at) * p.ldb + k0 + k : (k0 + k) * p.ldb + j0 + at]
                        : 0.0f;
        }
    }

    static inline __device__ void store(float (*as)[TILE + 4], float (*bs)[TILE + 4],
                                        const float fa[LOADS], const float fb[LOADS]) {
        for (int l = 0; l < LOADS; l++) {
            const int e = (int)threadIdx.x + l * THREADS;
            int at, k;
            place(A_K, e, &at, &k);
            as[k][at] = fa[l];
            place(B_K, e, &at, &k);
            bs[k][at] = fb[l];
        }
    }

    /* Terms past the end are +0 times +0: a chain that began at +0 is never -0, so they change no
     * bit. */
    static inline __device__ void chain(float acc[EACH][EACH], float (*as)[TILE + 4],
                                        float (*bs)[TILE + 4], int row, int column) {
        BL_UNROLL
        for (int k = 0; k < DEPTH; k++) {
            float a[EACH], b[EACH];
            BL_UNROLL
            for (int i = 0; i < EACH; i++) a[i] = as[k][row + i * SIDE];
            BL_UNROLL
            for (int j = 0; j < EACH; j++) b[j] = bs[k][column + j * SIDE];
            BL_UNROLL
            for (int i = 0; i < EACH; i++) BL_UNROLL
            for (int j = 0; j < EACH; j++) acc[i][j] = fmaf(a[i], b[j], acc[i][j]);
        }
    }

    static inline __device__ float finish(const product &p, float sum, size_t j) {
        if (p.bias) sum = sum + p.bias[j];
        return p.relu && sum <= 0.0f ? 0.0f : sum;
    }

    static __device__ void run(const product &p) {
        __shared__ float as[DEPTH][TILE + 4], bs[DEPTH][TILE + 4];
        const int row = (int)threadIdx.x / SIDE, column = (int)threadIdx.x % SIDE;
        const size_t i0 = (size_t)blockIdx.y * TILE, j0 = (size_t)blockIdx.x * TILE;
        const size_t first = (size_t)blockIdx.z * p.group;
        const size_t last = p.k - first < p.group ? p.k : first + p.group;
        float sum[EACH][EACH] = {}, level[TREE ? LEVELS : 1][EACH][EACH];
        float fa[LOADS], fb[LOADS];
        unsigned blocks = 0;
        fetch(p, i0, j0, first, last < first + BL_BLOCK ? last : first + BL_BLOCK, fa, fb);
        for (size_t begin = first; begin < last; begin += BL_BLOCK, blocks++) {
            const size_t end = last - begin < BL_BLOCK ? last : begin + BL_BLOCK;
            float acc[EACH][EACH] = {};
            for (size_t k = begin; k < end; k += DEPTH) {
                __syncthreads();
                store(as, bs, fa, fb);
                __syncthreads();
                /* The next tile is on its way while this one is worked on. */
                const size_t next = k + DEPTH < end ? k + DEPTH : end;
                const size_t limit = next < end              ? end
                                     : last - end < BL_BLOCK ? last
                                                             : end + BL_BLOCK;
                if (next < last) fetch(p, i0, j0, next, limit, fa, fb);
                chain(acc, as, bs, row, column);
            }
            for (int i = 0; i < EACH; i++)
                for (int j = 0; j < EACH; j++) {
                    if (!TREE) {
                        sum[i][j] = blocks == 0 ? acc[i][j] : sum[i][j] + acc[i][j];
                        continue;
                    }
                    float block = acc[i][j];
                    int l = 0;
                    for (; l < LEVELS - 1 && (blocks >> l & 1); l++) block = level[l][i][j] + block;
                    level[l][i][j] = block;
                }
        }
        for (int i = 0; i < EACH; i++)
            for (int j = 0; j < EACH; j++) {
                const size_t r = i0 + row + i * SIDE, c = j0 + column + j * SIDE;
                if (TREE) {
                    bool seen = false;
                    for (int l = 0; l < LEVELS; l++) {
                        if (!(blocks >> l & 1)) continue;
                        sum[i][j] = seen ? level[l][i][j] + sum[i][j] : level[l][i][j];
                        seen = true;
                    }
                }
                if (r < p.m && c < p.n)
                    p.c[((size_t)blockIdx.z * p.m + r) * p.n + c] = finish(p, sum[i][j], c);
            }
    }
};

template <int TILE, int EACH, int DEPTH, bool A_K, bool B_K, bool TREE>
__global__ void __launch_bounds__((TILE / EACH) * (TILE / EACH)) product_kernel(product p) {
    multiply<TILE, EACH, DEPTH, A_K, B_K, TREE>::run(p);
}

template <int TILE, int EACH, int DEPTH, bool A_K, bool B_K, bool TREE>
void launch(const product &p, size_t groups, bl_queue *queue) {
    const dim3 grid((unsigned)((p.n + TILE - 1) / TILE), (unsigned)((p.m + TILE - 1) / TILE),
                    (unsigned)groups);
    BL_LAUNCH_TOGETHER((product_kernel<TILE, EACH, DEPTH, A_K, B_K, TREE>), grid,
                       (TILE / EACH) * (TILE / EACH), queue, p);
}

/* Small products get small tiles, so that they spread over the device. */
template <bool A_K, bool B_K, bool TREE>
void multiply_by_shape(const product &p, size_t groups, bl_queue *queue) {
    if (p.m == 0 || p.n == 0) return;
    const size_t outputs = p.m * p.n * groups;
    if (outputs >= (size_t)128 * 128 * 128 && p.m >= 96 && p.n >= 96)
        launch<128, 8, 8, A_K, B_K, TREE>(p, groups, queue);
    else if (outputs >= (size_t)64 * 64 * 96 && p.m >= 48 && p.n >= 48)
        launch<64, 4, 16, A_K, B_K, TREE>(p, groups, queue);
    else
        launch<32, 2, 16, A_K, B_K, TREE>(p, groups, queue);
}

/* The groups' sums, combined by the tree. */
__global__ void combine(float *c, const float *partial, size_t groups, size_t count) {
    const size_t i = bl_thread();
    if (i >= count) return;
    bl_ref_tree tree;
    tree.blocks = 0;
    for (size_t g = 0; g < groups; g++) bl_ref_tree_push(&tree, partial[g * count + i]);
    c[i] = bl_ref_tree_sum(&tree);
}

} // namespace

void bl_dense_forward_cuda(const bl_dense_forward *a, const bl_part *part) {
    const product p = {a->y, a->x, a->w, a->bias, a->batch, a->n, a->k, a->k, a->n, a->k, a->relu};
    multiply_by_shape<true, false, false>(p, 1, bl_queue_of(part));
}

void bl_dense_backward_input_cuda(const bl_dense_backward_input *a, const bl_part *part) {
    const product p = {a->dx, a->dy, a->w, nullptr, a->batch, a->k, a->n, a->n, a->n, a->n, false};
    multiply_by_shape<true, true, false>(p, 1, bl_queue_of(part));
}

/* Groups of blocks run side by side, as many as keep a device busy and the workspace holds. */
static size_t blocks_of_group(size_t batch, size_t count) {
    const size_t room = BL_CUDA_WORKSPACE / sizeof(float), tiles = count / 4096 + 1;
    size_t blocks = 1, groups = (batch + BL_BLOCK - 1) / BL_BLOCK;
    while (groups > 1 && (groups * count > room || groups * tiles > 1024)) {
        blocks *= 2;
        groups = (groups + 1) / 2;
    }
    return blocks;
}

void bl_dense_backward_weight_cuda(const bl_dense_backward_weight *a, const bl_part *part) {
    bl_queue *queue = bl_queue_of(part);
    const size_t count = a->k * a->n, group = blocks_of_group(a->batch, count) * BL_BLOCK;
    const size_t groups = a->batch > group ? (a->batch + group - 1) / group : 1;
    product p = {a->dw, a->x, a->dy, nullptr, a->k, a->n, a->batch, a->k, a->n, group, false};
    if (groups > 1) p.c = (float *)queue->workspace;
    multiply_by_shape<false, false, true>(p, groups, queue);
    if (groups > 1 && count > 0)
        BL_LAUNCH(combine, bl_blocks(count), BL_CUDA_THREADS, queue, a->dw, p.c, groups, count);
    if (a->dbias) bl_column_sums(a->dbias, a->dy, a->batch, a->n, queue);
}
