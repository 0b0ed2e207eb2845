/* A product of matrices in contract order. Each output is one thread's, which walks the sum in
 * order, so the order costs nothing: what a thread multiplies lies in shared memory, EM x EN
 * outputs in its registers, and the next tile is on its way meanwhile.
 *
 * A tile is read in quads of four neighbours in memory, which are neighbours in k or in the row
 * (column). A thread keeps the same quads from tile to tile, so that what is needed to find one is
 * made once and then stepped: there is no division among the terms. A quad is one read of 16 bytes
 * where the Problem says so (wide_a, wide_b), else four reads.
 *
 * What is multiplied says a Problem:
 *     A_K, B_K     whether neighbours in memory are neighbours in k
 *     TREE         blocks are combined by rule B's tree instead of rule F's chain
 *     LARGE        tiles of 128 x 128 are worth it: what its functions need fits the registers that
 *                  64 outputs a thread leave
 *     TALL         tiles of 128 x 32 and 128 x 16 are worth it without quads, too
 *     GAPS         a term may be left out: its a() is +0, which changes no sum but a -0, and
 *                  put() takes both for +0; unless its b() is no finite number: then again(i, j)
 *                  is the sum
 *     wide_a, wide_b   quads are aligned, and lie within the matrix or outside as a whole
 *     m, n         rows and columns of the result
 *     first, last  the terms of the sum, in blocks of `block`
 *     enter(z, depth)           sets the above for layer z of the grid, in tiles of `depth` terms
 *     row(i), column(j)         what a row of A, a column of B needs to be found again
 *     a_term(k), b_term(k)      what a term needs
 *     row_up or a_up, column_up or b_up   step one of these by one, along what is fast in memory
 *     a_jump, b_jump            step a term by `depth`
 *     a(row, term), b(term, column)   where the factor lies; NULL for a's +0 of a gap
 *     put(i, j, sum)            what becomes of the sum */
#ifndef BL_KERNELS_CUDA_PRODUCT_H
#define BL_KERNELS_CUDA_PRODUCT_H
#include "kernels/cuda/launch.h"

enum { BL_PRODUCT_LEVELS = 13 }; /* of the tree within a layer: up to 2^20 examples */
#define BL_LARGEST_FLOAT 0x1.fffffep+127f

/* V neighbouring floats, read at once. The address is a multiple of their size. */
template <int V> struct alignas(V * sizeof(float)) bl_floats { float v[V]; };
template <int V> static inline __device__ bl_floats<V> bl_load(const float *from) {
    BL_CHECK_ALIGNED(from, sizeof(bl_floats<V>));
    return *(const bl_floats<V> *)from;
}

/* TM x TN outputs a block, EM x EN a thread, DEPTH terms at a time. WIDE: the Problem's wide_a and
 * wide_b are true. */
template <class Problem, bool WIDE, int TM, int TN, int EM, int EN, int DEPTH> struct bl_product {
    enum {
        ROWS = TM / EM,
        COLUMNS = TN / EN,
        THREADS = ROWS * COLUMNS,
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

    /* The factors as the quads see them: `line` is a row of A or a column of B. */
    struct side_a {
        static constexpr bool K_FAST = Problem::A_K, GAPS = Problem::GAPS, LAST = false;
        static constexpr int TILE = TM;
        typedef typename Problem::row_of line_of;
        typedef typename Problem::a_term_of term_of;
        static __device__ unsigned lines(const Problem &p) { return p.m; }
        static __device__ line_of line(const Problem &p, unsigned i) { return p.row(i); }
        static __device__ term_of term(const Problem &p, unsigned k) { return p.a_term(k); }
        static __device__ void line_up(const Problem &p, line_of *l) { p.row_up(l); }
        static __device__ void term_up(const Problem &p, term_of *t) { p.a_up(t); }
        static __device__ void jump(const Problem &p, term_of *t) { p.a_jump(t); }
        static __device__ const float *at(const Problem &p, const line_of &l, const term_of &t) {
            return p.a(l, t);
        }
        static __device__ float none() { return -0.0f; }
    };
    struct side_b {
        static constexpr bool K_FAST = Problem::B_K, GAPS = false, LAST = true;
        static constexpr int TILE = TN;
        typedef typename Problem::column_of line_of;
        typedef typename Problem::b_term_of term_of;
        static __device__ unsigned lines(const Problem &p) { return p.n; }
        static __device__ line_of line(const Problem &p, unsigned j) { return p.column(j); }
        static __device__ term_of term(const Problem &p, unsigned k) { return p.b_term(k); }
        static __device__ void line_up(const Problem &p, line_of *l) { p.column_up(l); }
        static __device__ void term_up(const Problem &p, term_of *t) { p.b_up(t); }
        static __device__ void jump(const Problem &p, term_of *t) { p.b_jump(t); }
        static __device__ const float *at(const Problem &p, const line_of &l, const term_of &t) {
            return p.b(t, l);
        }
        static __device__ float none() { return 0.0f; }
    };

    /* The quads that a thread reads of one factor's tiles. With fewer quads than threads, A is read
     * by the first threads and B by the last. */
    template <class Side> struct quads {
        static constexpr int ACROSS = (Side::K_FAST ? DEPTH : Side::TILE) / 4; /* of a run */
        static constexpr int ALL = Side::TILE * DEPTH / 4;
        static constexpr int COUNT = (ALL + THREADS - 1) / THREADS;
        /* Quads of a thread share what is not as many as these. */
        static constexpr int LINES = Side::K_FAST ? COUNT : 1, TERMS = Side::K_FAST ? 1 : COUNT;
        static_assert(THREADS % ACROSS == 0 || ALL < THREADS, "quads share a line or a term");
        typename Side::line_of line[LINES];
        typename Side::term_of term[TERMS];
        float v[COUNT][4];

        static inline __device__ unsigned thread() {
            return ALL < THREADS && Side::LAST ? THREADS - 1 - threadIdx.x : threadIdx.x;
        }
        static inline __device__ bool has_none() { return ALL < THREADS && thread() >= ALL; }
        /* Quad q begins at this line and term of a tile. */
        static inline __device__ unsigned line_in_tile(unsigned q) {
            const unsigned e = thread() + q * THREADS;
            return Side::K_FAST ? e / ACROSS : e % ACROSS * 4;
        }
        static inline __device__ unsigned term_in_tile(unsigned q) {
            const unsigned e = thread() + q * THREADS;
            return Side::K_FAST ? e % ACROSS * 4 : e / ACROSS;
        }

        /* Lines past the end are somebody's, and go nowhere. */
        __device__ void begin(const Problem &p, unsigned line0) {
            BL_UNROLL
            for (unsigned q = 0; q < COUNT; q++) BL_UNROLL
            for (unsigned e = 0; e < 4; e++) v[q][e] = 0.0f;
            BL_UNROLL
            for (unsigned q = 0; q < LINES; q++) {
                const unsigned i = line0 + line_in_tile(q);
                line[q] = Side::line(p, i < Side::lines(p) ? i : 0);
            }
            BL_UNROLL
            for (unsigned q = 0; q < TERMS; q++) term[q] = Side::term(p, p.first + term_in_tile(q));
        }

        /* The tile of the terms from k0 on. Terms past the end are -0 times +0, which changes no
         * sum, not even the -0 that a product too small for a float leaves. */
        __device__ void fetch(const Problem &p, unsigned line0, unsigned k0, unsigned end) {
            if (has_none()) return;
            BL_UNROLL
            for (unsigned q = 0; q < COUNT; q++) {
                const unsigned k = k0 + term_in_tile(q);
                if constexpr (WIDE)
                    fetch_wide(p, q, k < end);
                else
                    fetch_each(p, q, line0 + line_in_tile(q), k, end);
            }
            BL_UNROLL
            for (unsigned q = 0; q < TERMS; q++) Side::jump(p, &term[q]);
        }
        __device__ void fetch_wide(const Problem &p, unsigned q, bool inside) {
            bl_floats<4> read;
            BL_UNROLL
            for (unsigned e = 0; e < 4; e++) read.v[e] = inside ? 0.0f : Side::none();
            if (inside) {
                const float *from =
                    Side::at(p, line[Side::K_FAST ? q : 0], term[Side::K_FAST ? 0 : q]);
                if (!Side::GAPS || from) read = bl_load<4>(from);
            }
            BL_UNROLL
            for (unsigned e = 0; e < 4; e++) v[q][e] = read.v[e];
        }
        __device__ void fetch_each(const Problem &p, unsigned q, unsigned i, unsigned k,
                                   unsigned end) {
            typename Side::line_of l = line[Side::K_FAST ? q : 0];
            typename Side::term_of t = term[Side::K_FAST ? 0 : q];
            for (unsigned e = 0; e < 4; e++) {
                const bool inside = Side::K_FAST ? k + e < end : k < end;
                const bool exists = Side::K_FAST || e == 0 || i + e < Side::lines(p);
                v[q][e] = inside ? 0.0f : Side::none();
                if (inside && exists) {
                    const float *from = Side::at(p, l, t);
                    if (!Side::GAPS || from) v[q][e] = *from;
                }
                if constexpr (Side::K_FAST)
                    Side::term_up(p, &t);
                else
                    Side::line_up(p, &l);
            }
        }

        template <class Tile> __device__ void store(Tile &tile) const {
            if (has_none()) return;
            BL_UNROLL
            for (unsigned q = 0; q < COUNT; q++) {
                const unsigned i = line_in_tile(q), k = term_in_tile(q);
                if (Side::K_FAST) {
                    BL_UNROLL
                    for (unsigned e = 0; e < 4; e++) tile[k + e][i] = v[q][e];
                } else {
                    *(bl_floats<4> *)&tile[k][i] = {v[q][0], v[q][1], v[q][2], v[q][3]};
                }
            }
        }
    };

    struct loader {
        quads<side_a> a;
        quads<side_b> b;
        bool strange; /* GAPS: a b that was no finite number was among them */

        __device__ void begin(const Problem &p, unsigned i0, unsigned j0) {
            strange = false;
            a.begin(p, i0);
            b.begin(p, j0);
        }
        __device__ void fetch(const Problem &p, unsigned i0, unsigned j0, unsigned k0,
                              unsigned end) {
            a.fetch(p, i0, k0, end);
            b.fetch(p, j0, k0, end);
            if constexpr (Problem::GAPS) look(b);
        }
        __device__ void look(const quads<side_b> &read) {
            BL_UNROLL
            for (unsigned q = 0; q < quads<side_b>::COUNT; q++) BL_UNROLL
            for (unsigned e = 0; e < 4; e++) strange |= !(fabsf(read.v[q][e]) <= BL_LARGEST_FLOAT);
        }
        __device__ void store(tile_a &as, tile_b &bs) const {
            a.store(as);
            b.store(bs);
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

    /* The thread's outputs once more, without gaps. One at a time: it is rare, and long. */
    static __device__ void put_again(const Problem &p, unsigned i0, unsigned j0, unsigned row,
                                     unsigned column) {
        BL_ROLLED
        for (unsigned e = 0; e < EM * EN; e++) {
            const unsigned r = i0 + spread<VM, ROWS>(row, e / EN);
            const unsigned c = j0 + spread<VN, COLUMNS>(column, e % EN);
            if (r < p.m && c < p.n) p.put(r, c, p.again(r, c));
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
        p.enter(blockIdx.z, DEPTH);
        if (i0 >= p.m || j0 >= p.n) return; /* layers may differ in size */
        next.begin(p, i0, j0);
        if (threadIdx.x == 0) strange = false;
        __syncthreads();
        if (p.first < p.last) {
            next.fetch(p, i0, j0, p.first, p.last - p.first < p.block ? p.last : p.first + p.block);
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
                if (from < p.last) next.fetch(p, i0, j0, from, limit);
                chain(acc, as[now], bs[now], row, column);
                if (from < p.last) next.store(as[now ^ 1], bs[now ^ 1]);
            }
            join(sum, level, acc, blocks);
            begin = end;
        }
        if (Problem::TREE) leftovers(sum, level, blocks);
        if constexpr (Problem::GAPS) {
            if (next.strange) strange = true;
            __syncthreads();
            if (strange) {
                put_again(p, i0, j0, row, column);
                return;
            }
        }
        BL_UNROLL
        for (int i = 0; i < EM; i++) BL_UNROLL
        for (int j = 0; j < EN; j++) {
            const unsigned r = i0 + spread<VM, ROWS>(row, i);
            const unsigned c = j0 + spread<VN, COLUMNS>(column, j);
            if (r < p.m && c < p.n) p.put(r, c, sum[i][j]);
        }
    }
};

template <class Problem, bool WIDE, int TM, int TN, int EM, int EN, int DEPTH>
__global__ void __launch_bounds__((TM / EM) * (TN / EN),
                                  (TN > 16 ? 512 : 384) * EM * EN / (TM * TN))
    bl_product_kernel(Problem p) {
    bl_product<Problem, WIDE, TM, TN, EM, EN, DEPTH>::run(p);
}

template <bool WIDE, int TM, int TN, int EM, int EN, int DEPTH, class Problem>
void bl_launch_product(const Problem &p, size_t m, size_t n, size_t layers, bl_queue *queue) {
    /* Only x reaches beyond 65,535 blocks. */
    const dim3 grid((unsigned)((m + TM - 1) / TM), (unsigned)((n + TN - 1) / TN), (unsigned)layers);
    BL_LAUNCH_TOGETHER((bl_product_kernel<Problem, WIDE, TM, TN, EM, EN, DEPTH>), grid,
                       (TM / EM) * (TN / EN), queue, p);
}

/* Can quads of a matrix with rows of `length` floats be read at once? */
static inline bool bl_is_wide(const float *matrix, size_t length) {
    return (uintptr_t)matrix % 16 == 0 && length % 4 == 0;
}

/* Few columns of many rows; false: they are not such, and nothing was done. */
template <bool WIDE, class Problem>
bool bl_launch_tall(const Problem &p, size_t m, size_t n, size_t layers, bl_queue *queue) {
    const size_t outputs = m * n * layers;
    if constexpr (WIDE || Problem::TALL) {
        const bool narrow = n <= 16 && outputs >= (size_t)128 * 16 * 96;
        if (m < 96 || (!narrow && outputs < (size_t)128 * 32 * 96)) return false;
        if (narrow)
            bl_launch_product<WIDE, 128, 16, 8, 4, 8>(p, m, n, layers, queue);
        else
            bl_launch_product<WIDE, 128, 32, 8, 4, 16>(p, m, n, layers, queue);
        return true;
    }
    return false;
}

/* `layers` layers of m x n outputs, at most. Small ones get small tiles, so that they spread over
 * the device; a tile is as narrow as the result. */
template <bool WIDE, class Problem>
void bl_multiply_by(const Problem &p, size_t m, size_t n, size_t layers, bl_queue *queue) {
    const size_t outputs = m * n * layers;
    /* Pictures whose channels are not read in quads are those of a first layer, with small sums. */
    if constexpr (Problem::LARGE && (WIDE || !Problem::GAPS))
        if (outputs >= (size_t)128 * 128 * 128 && m >= 96 && n >= 96) {
            bl_launch_product<WIDE, 128, 128, 8, 8, 8>(p, m, n, layers, queue);
            return;
        }
    if (outputs >= (size_t)64 * 64 * 96 && m >= 48 && n >= 48)
        bl_launch_product<WIDE, 64, 64, 4, 4, 16>(p, m, n, layers, queue);
    else if (!bl_launch_tall<WIDE>(p, m, n, layers, queue))
        bl_launch_product<WIDE, 32, 32, 2, 2, 16>(p, m, n, layers, queue);
}

template <class Problem>
void bl_multiply(const Problem &p, size_t m, size_t n, size_t layers, bl_queue *queue) {
    if (m * n * layers == 0) return;
    if (p.wide_a && p.wide_b)
        bl_multiply_by<true>(p, m, n, layers, queue);
    else
        bl_multiply_by<false>(p, m, n, layers, queue);
}
#endif
