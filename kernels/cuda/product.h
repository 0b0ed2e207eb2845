/* A product of matrices in contract order. Each output is one thread's, which walks the sum in
 * order, so the order costs nothing: what a thread multiplies lies in shared memory, EM x EN
 * outputs in its registers, and the next tile is on its way meanwhile.
 *
 * What is multiplied says a Problem:
 *     A_K, B_K     whether neighbours in memory are neighbours in k
 *     TREE         blocks are combined by rule B's tree instead of rule F's chain
 *     LARGE        tiles of 128 x 128 are worth it: what a() and b() need fits the registers that
 *                  64 outputs a thread leave
 *     GAPS         a term may be left out: its a() is +0, which changes no sum but a -0, and
 *                  put() takes both for +0; unless its b() is no finite number: then again(i, j)
 *                  is the sum
 *     m, n         rows and columns of the result
 *     first, last  the terms of the sum, in blocks of `block`
 *     enter(z)     sets the above for layer z of the grid
 *     row(i), column(j)         what a row of A, a column of B needs to be found again
 *     a(row, k), b(k, column)   the factors
 *     put(i, j, sum)            what becomes of the sum */
#ifndef BL_KERNELS_CUDA_PRODUCT_H
#define BL_KERNELS_CUDA_PRODUCT_H
#include "kernels/cuda/launch.h"

enum { BL_PRODUCT_LEVELS = 13 }; /* of the tree within a layer: up to 2^20 examples */

/* V neighbouring floats, read at once. The address is a multiple of their size. */
template <int V> struct alignas(V * sizeof(float)) bl_floats { float v[V]; };
template <int V> static inline __device__ bl_floats<V> bl_load(const float *from) {
    BL_CHECK_ALIGNED(from, sizeof(bl_floats<V>));
    return *(const bl_floats<V> *)from;
}

/* TM x TN outputs a block, EM x EN a thread, DEPTH terms at a time. */
template <class Problem, int TM, int TN, int EM, int EN, int DEPTH> struct bl_product {
    enum {
        ROWS = TM / EM,
        COLUMNS = TN / EN,
        THREADS = ROWS * COLUMNS,
        LOADS_A = TM * DEPTH / THREADS,
        LOADS_B = TN * DEPTH / THREADS,
        VM = EM < 4 ? EM : 4,
        VN = EN < 4 ? EN : 4,
        LEVELS = Problem::TREE ? BL_PRODUCT_LEVELS : 1
    };
    typedef float tile_a[DEPTH][TM + 4];
    typedef float tile_b[DEPTH][TN + 4];

    /* Where a thread's output e lies among those of the block: in runs of V. */
    template <int V, int THREADS_ACROSS>
    static inline __device__ unsigned spread(unsigned thread, unsigned e) {
        return (e / V * THREADS_ACROSS + thread) * V + e % V;
    }

    /* Element e of a tile: along the memory's fast direction for neighbouring threads. */
    template <int TILE>
    static inline __device__ void place(bool k_fast, unsigned e, unsigned *at, unsigned *k) {
        *at = k_fast ? e / DEPTH : e % TILE;
        *k = k_fast ? e % DEPTH : e / TILE;
    }

    struct loader {
        typename Problem::row_of row[LOADS_A];
        typename Problem::column_of column[LOADS_B];
        float a[LOADS_A], b[LOADS_B];
        bool strange; /* GAPS: a b that was no finite number was among them */

        __device__ void begin(const Problem &p, unsigned i0, unsigned j0) {
            unsigned at, k;
            strange = false;
            BL_UNROLL
            for (int l = 0; l < LOADS_A; l++) {
                place<TM>(Problem::A_K, threadIdx.x + l * THREADS, &at, &k);
                row[l] = p.row(i0 + at < p.m ? i0 + at : 0);
            }
            BL_UNROLL
            for (int l = 0; l < LOADS_B; l++) {
                place<TN>(Problem::B_K, threadIdx.x + l * THREADS, &at, &k);
                column[l] = p.column(j0 + at < p.n ? j0 + at : 0);
            }
        }
        /* Terms past the end are -0 times +0, which changes no sum, not even the -0 that a product
         * too small for a float leaves. Rows and columns past the end are somebody's, and go
         * nowhere. */
        __device__ void fetch(const Problem &p, unsigned k0, unsigned end) {
            unsigned at, k;
            BL_UNROLL
            for (int l = 0; l < LOADS_A; l++) {
                place<TM>(Problem::A_K, threadIdx.x + l * THREADS, &at, &k);
                a[l] = k0 + k < end ? p.a(row[l], k0 + k) : -0.0f;
            }
            BL_UNROLL
            for (int l = 0; l < LOADS_B; l++) {
                place<TN>(Problem::B_K, threadIdx.x + l * THREADS, &at, &k);
                b[l] = k0 + k < end ? p.b(k0 + k, column[l]) : 0.0f;
                if (Problem::GAPS) strange |= !isfinite(b[l]);
            }
        }
        __device__ void store(tile_a &as, tile_b &bs) const {
            unsigned at, k;
            BL_UNROLL
            for (int l = 0; l < LOADS_A; l++) {
                place<TM>(Problem::A_K, threadIdx.x + l * THREADS, &at, &k);
                as[k][at] = a[l];
            }
            BL_UNROLL
            for (int l = 0; l < LOADS_B; l++) {
                place<TN>(Problem::B_K, threadIdx.x + l * THREADS, &at, &k);
                bs[k][at] = b[l];
            }
        }
    };

    static inline __device__ void chain(float acc[EM][EN], const tile_a &as, const tile_b &bs,
                                        unsigned row, unsigned column) {
        BL_UNROLL
        for (int k = 0; k < DEPTH; k++) {
            bl_floats<VM> a[EM / VM];
            bl_floats<VN> b[EN / VN];
            BL_UNROLL
            for (int i = 0; i < EM / VM; i++)
                a[i] = bl_load<VM>(&as[k][spread<VM, ROWS>(row, i * VM)]);
            BL_UNROLL
            for (int j = 0; j < EN / VN; j++)
                b[j] = bl_load<VN>(&bs[k][spread<VN, COLUMNS>(column, j * VN)]);
            BL_UNROLL
            for (int i = 0; i < EM; i++) BL_UNROLL
            for (int j = 0; j < EN; j++)
                acc[i][j] = fmaf(a[i / VM].v[i % VM], b[j / VN].v[j % VN], acc[i][j]);
        }
    }

    /* A block's sums join those before it. */
    static inline __device__ void join(float sum[EM][EN], float level[LEVELS][EM][EN],
                                       const float acc[EM][EN], unsigned blocks) {
        BL_UNROLL
        for (int i = 0; i < EM; i++) BL_UNROLL
        for (int j = 0; j < EN; j++) {
            if (!Problem::TREE) {
                sum[i][j] = blocks == 0 ? acc[i][j] : sum[i][j] + acc[i][j];
                continue;
            }
            float block = acc[i][j];
            int l = 0;
            for (; l < LEVELS - 1 && (blocks >> l & 1); l++) block = level[l][i][j] + block;
            level[l][i][j] = block;
        }
    }

    static inline __device__ void leftovers(float sum[EM][EN], float level[LEVELS][EM][EN],
                                            unsigned blocks) {
        bool seen = false;
        for (int l = 0; l < LEVELS; l++) {
            if (!(blocks >> l & 1)) continue;
            BL_UNROLL
            for (int i = 0; i < EM; i++) BL_UNROLL
            for (int j = 0; j < EN; j++)
                sum[i][j] = seen ? level[l][i][j] + sum[i][j] : level[l][i][j];
            seen = true;
        }
    }

    static __device__ void run(Problem p) {
        alignas(16) __shared__ tile_a as[2];
        alignas(16) __shared__ tile_b bs[2];
        __shared__ bool strange; /* the same, for the block */
        const unsigned row = threadIdx.x / COLUMNS, column = threadIdx.x % COLUMNS;
        const unsigned i0 = blockIdx.x * TM, j0 = blockIdx.y * TN;
        float sum[EM][EN] = {}, level[LEVELS][EM][EN];
        unsigned blocks = 0, now = 0;
        loader next;
        p.enter(blockIdx.z);
        if (i0 >= p.m || j0 >= p.n) return; /* layers may differ in size */
        next.begin(p, i0, j0);
        if (threadIdx.x == 0) strange = false;
        __syncthreads();
        if (p.first < p.last) {
            next.fetch(p, p.first, p.last - p.first < p.block ? p.last : p.first + p.block);
            next.store(as[0], bs[0]);
        }
        for (unsigned begin = p.first; begin < p.last; blocks++) {
            const unsigned end = p.last - begin < p.block ? p.last : begin + p.block;
            float acc[EM][EN] = {};
            for (unsigned k = begin; k < end; k += DEPTH, now ^= 1) {
                __syncthreads();
                /* The next tile is fetched while this one is worked on. */
                const unsigned from = end - k > DEPTH ? k + DEPTH : end;
                const unsigned limit = from < end               ? end
                                       : p.last - end < p.block ? p.last
                                                                : end + p.block;
                if (from < p.last) next.fetch(p, from, limit);
                chain(acc, as[now], bs[now], row, column);
                if (from < p.last) next.store(as[now ^ 1], bs[now ^ 1]);
            }
            join(sum, level, acc, blocks);
            begin = end;
        }
        if (Problem::TREE) leftovers(sum, level, blocks);
        if (Problem::GAPS) {
            if (next.strange) strange = true;
            __syncthreads();
        }
        BL_UNROLL
        for (int i = 0; i < EM; i++) BL_UNROLL
        for (int j = 0; j < EN; j++) {
            const unsigned r = i0 + spread<VM, ROWS>(row, i);
            const unsigned c = j0 + spread<VN, COLUMNS>(column, j);
            if (r >= p.m || c >= p.n) continue;
            if constexpr (Problem::GAPS)
                if (strange) sum[i][j] = p.again(r, c);
            p.put(r, c, sum[i][j]);
        }
    }
};

template <class Problem, int TM, int TN, int EM, int EN, int DEPTH>
__global__ void __launch_bounds__((TM / EM) * (TN / EN), 512 * EM * EN / (TM * TN))
    bl_product_kernel(Problem p) {
    bl_product<Problem, TM, TN, EM, EN, DEPTH>::run(p);
}

template <int TM, int TN, int EM, int EN, int DEPTH, class Problem>
void bl_launch_product(const Problem &p, size_t m, size_t n, size_t layers, bl_queue *queue) {
    /* Only x reaches beyond 65,535 blocks. */
    const dim3 grid((unsigned)((m + TM - 1) / TM), (unsigned)((n + TN - 1) / TN), (unsigned)layers);
    BL_LAUNCH_TOGETHER((bl_product_kernel<Problem, TM, TN, EM, EN, DEPTH>), grid,
                       (TM / EM) * (TN / EN), queue, p);
}

/* `layers` layers of m x n outputs, at most. Small ones get small tiles, so that they spread over
 * the device; a tile is as narrow as the result. */
template <class Problem>
void bl_multiply(const Problem &p, size_t m, size_t n, size_t layers, bl_queue *queue) {
    const size_t outputs = m * n * layers;
    if (outputs == 0) return;
    if constexpr (Problem::LARGE)
        if (outputs >= (size_t)128 * 128 * 128 && m >= 96 && n >= 96) {
            bl_launch_product<128, 128, 8, 8, 8>(p, m, n, layers, queue);
            return;
        }
    if (outputs >= (size_t)64 * 64 * 96 && m >= 48 && n >= 48)
        bl_launch_product<64, 64, 4, 4, 16>(p, m, n, layers, queue);
    else if (outputs >= (size_t)128 * 32 * 96 && m >= 96)
        bl_launch_product<128, 32, 8, 4, 8>(p, m, n, layers, queue);
    else
        bl_launch_product<32, 32, 2, 2, 16>(p, m, n, layers, queue);
}
#endif
