/* embedding_forward and embedding_backward (kernels/kernel.h). Forward copies rows of the tables.
 * Backward sums dy for each row of a table, by rule B. The parts share the columns.
 *
 *     up to 256 examples   one block: the chains run in dtable itself, example by example
 *     more                 a counting sort lists the examples of each row in their order. Then each
 *                          row walks its own list, with its chain and its tree in registers
 *
 * The sort makes the work proportional to the examples, not to rows times blocks. A row's tree
 * skips the blocks in which the row does not occur: their sum is +0, which changes no bit of the
 * others.
 *
 * Example: a row that examples 3, 7 and 600 use has the chain 3, 7 in block 0 and the chain 600 in
 * block 2. Its gradient is (dy_3 + dy_7) + dy_600. */
#include "engine/base/mem.h"
#include "kernels/cpu/cpu.h"

BL_INLINE void copy_row(float *y, const float *x, size_t n) {
    for (; n > BL_W; n -= BL_W, y += BL_W, x += BL_W) bl_v_store(y, bl_v_load(x));
    const bl_vm m = bl_vm_first(n);
    bl_v_store_part(y, bl_v_load_part(x, m), m);
}

void BL_CPU(embedding_forward)(const bl_embedding_forward *a, const bl_part *part) {
    const bl_range rows = bl_part_range(part, a->batch, 1);
    for (size_t b = rows.begin; b < rows.end; b++)
        for (size_t c = 0; c < a->columns; c++) {
            const bl_embedding_column *col = &a->column[c];
            const size_t code = a->codes[b * a->columns + c];
            copy_row(a->y + b * a->y_stride + col->offset, a->table + col->base + code * col->width,
                     col->width);
        }
}

/* sum += dy */
BL_INLINE void add_row(float *sum, const float *dy, size_t n) {
    for (; n > BL_W; n -= BL_W, sum += BL_W, dy += BL_W)
        bl_v_store(sum, bl_v_load(sum) + bl_v_load(dy));
    const bl_vm m = bl_vm_first(n);
    bl_v_store_part(sum, bl_v_load_part(sum, m) + bl_v_load_part(dy, m), m);
}

/* A batch of one block: its chains run in the table itself. */
static void one_block(const bl_embedding_backward *a, bl_range columns) {
    for (size_t b = 0; b < a->batch; b++)
        for (size_t c = columns.begin; c < columns.end; c++) {
            const bl_embedding_column *col = &a->column[c];
            const size_t code = a->codes[b * a->columns + c];
            add_row(a->dtable + col->base + code * col->width,
                    a->dy + b * a->dy_stride + col->offset, col->width);
        }
}

/* A table row's tree over the blocks of a batch, `vecs` vectors of features wide. Blocks in which
 * the row does not occur would add +0, which changes no bit: they are skipped, and the other sums
 * meet in the same order. node[l] is the sum over a left subtree of 2^l blocks, held while its
 * right sibling is under way; so the held levels are among the set bits of `block`, whose chain is
 * acc, which stays in registers. */
enum { TREE_VECS = 4, EXAMPLES_AHEAD = 4 /* that are fetched */ };
typedef struct row_tree {
    bl_v node[64][TREE_VECS];
    uint64_t held, block;
} row_tree;

/* Adds the held nodes below `level` to the chain, the smallest first. */
BL_INLINE void tree_join(row_tree *t, bl_v *acc, int vecs, int level) {
    uint64_t below = t->held & (((uint64_t)1 << level) - 1);
    t->held ^= below;
    for (; below; below &= below - 1)
        for (int v = 0; v < vecs; v++) acc[v] = t->node[__builtin_ctzll(below)][v] + acc[v];
}

/* Ends the chain of the current block and starts the one of `next`. Below the highest bit in which
 * their numbers differ everything is complete; there, it is the left sibling of what comes. */
BL_INLINE void tree_advance(row_tree *t, bl_v *acc, int vecs, uint64_t next) {
    const int level = 63 - __builtin_clzll(t->block ^ next);
    tree_join(t, acc, vecs, level);
    for (int v = 0; v < vecs; v++) {
        t->node[level][v] = acc[v];
        acc[v] = bl_v_zero();
    }
    t->held |= (uint64_t)1 << level;
    t->block = next;
}

/* The sums over the `count` examples that use a row, in order, of `vecs` vectors of features, the
 * last of which has m's lanes; dy is example 0's. */
BL_INLINE void features_gradient(float *sum, const float *dy, size_t stride,
                                 const uint32_t *example, size_t count, int vecs, bl_vm m) {
    bl_v acc[TREE_VECS];
    row_tree t; /* its nodes need no clearing: `held` says which count */
    t.held = 0;
    t.block = example[0] / BL_BLOCK;
    for (int v = 0; v < vecs; v++) acc[v] = bl_v_zero();
    for (size_t i = 0; i < count; i++) {
        const float *row = dy + example[i] * stride;
        const float *later = dy + example[bl_size_min(i + EXAMPLES_AHEAD, count - 1)] * stride;
        if (example[i] / BL_BLOCK != t.block) tree_advance(&t, acc, vecs, example[i] / BL_BLOCK);
        for (int v = 0; v < vecs; v++) __builtin_prefetch(later + v * BL_W + BL_W - 1);
        for (int v = 0; v < vecs - 1; v++) acc[v] = acc[v] + bl_v_load(row + v * BL_W);
        acc[vecs - 1] = acc[vecs - 1] + bl_v_load_part(row + (vecs - 1) * BL_W, m);
    }
    tree_join(&t, acc, vecs, 63);
    for (int v = 0; v < vecs - 1; v++) bl_v_store(sum + v * BL_W, acc[v]);
    bl_v_store_part(sum + (vecs - 1) * BL_W, acc[vecs - 1], m);
}

/* The gradient of a table row: TREE_VECS vectors of features at once, then the rest one by one. */
static void row_gradient(const bl_embedding_backward *a, const bl_embedding_column *col,
                         size_t code, const uint32_t *example, size_t count) {
    float *const sum = a->dtable + col->base + code * col->width;
    const float *const dy = a->dy + col->offset;
    size_t d = 0;
    for (; d + TREE_VECS * BL_W <= col->width; d += TREE_VECS * BL_W)
        features_gradient(sum + d, dy + d, a->dy_stride, example, count, TREE_VECS,
                          bl_vm_first(BL_W));
    for (; d < col->width; d += BL_W)
        features_gradient(sum + d, dy + d, a->dy_stride, example, count, 1,
                          bl_vm_first(bl_size_min(col->width - d, BL_W)));
}

/* The examples of each row, by a stable counting sort, then row by row. */
static void many_blocks(const bl_embedding_backward *a, size_t c, uint32_t *scratch) {
    const bl_embedding_column *col = &a->column[c];
    uint32_t *const end = scratch, *const example =
                                       scratch + col->rows; /* end of each row's list */
    BL_ASSERT((a->batch + col->rows) * sizeof *scratch <= BL_KERNEL_SCRATCH);
    memset(end, 0, col->rows * sizeof *end);
    for (size_t b = 0; b < a->batch; b++) end[a->codes[b * a->columns + c]]++;
    for (size_t code = 0, sum = 0; code < col->rows; code++) {
        const uint32_t count = end[code];
        end[code] = (uint32_t)sum;
        sum += count;
    }
    for (size_t b = 0; b < a->batch; b++)
        example[end[a->codes[b * a->columns + c]]++] = (uint32_t)b;
    for (size_t code = 0, begin = 0; code < col->rows; begin = end[code++])
        if (end[code] > begin) row_gradient(a, col, code, example + begin, end[code] - begin);
}

void BL_CPU(embedding_backward)(const bl_embedding_backward *a, const bl_part *part) {
    const bl_range columns = bl_part_range(part, a->columns, 1);
    for (size_t c = columns.begin; c < columns.end; c++) {
        const bl_embedding_column *col = &a->column[c];
        memset(a->dtable + col->base, 0, col->rows * col->width * sizeof *a->dtable);
    }
    if (a->batch <= BL_BLOCK) {
        one_block(a, columns);
        return;
    }
    for (size_t c = columns.begin; c < columns.end; c++) many_blocks(a, c, part->scratch);
}
