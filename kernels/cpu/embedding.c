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

/* One table row's tree over the blocks of a batch, BL_W features wide. Blocks in which the row does
 * not occur would add +0, which changes no bit: they are skipped, and the other sums meet in the
 * same order. node[l] is the sum over a left subtree of 2^l blocks, held while its right sibling
 * is under way; so the held levels are among the set bits of `block`, whose chain runs in acc. */
typedef struct row_tree {
    bl_v acc, node[64];
    uint64_t held, block;
} row_tree;

/* The chain and the held nodes below `level`, the smallest first. */
static bl_v tree_join(row_tree *t, int level) {
    bl_v v = t->acc;
    uint64_t below = t->held & (((uint64_t)1 << level) - 1);
    t->held ^= below;
    for (; below; below &= below - 1) v = t->node[__builtin_ctzll(below)] + v;
    return v;
}

/* Ends the chain of the current block and starts the one of `next`. Below the highest bit in which
 * their numbers differ everything is complete; there, it is the left sibling of what comes. */
static void tree_advance(row_tree *t, uint64_t next) {
    const int level = 63 - __builtin_clzll(t->block ^ next);
    t->node[level] = tree_join(t, level);
    t->held |= (uint64_t)1 << level;
    t->acc = bl_v_zero();
    t->block = next;
}

/* The gradient of a table row from the `count` examples that use it, in order. */
static void row_gradient(const bl_embedding_backward *a, const bl_embedding_column *col,
                         size_t code, const uint32_t *example, size_t count) {
    for (size_t d = 0; d < col->width; d += BL_W) {
        const bl_vm m = bl_vm_first(bl_min_size(col->width - d, BL_W));
        row_tree t; /* its nodes need no clearing: `held` says which count */
        t.acc = bl_v_zero();
        t.held = 0;
        t.block = example[0] / BL_BLOCK;
        for (size_t i = 0; i < count; i++) {
            const size_t b = example[i];
            if (b / BL_BLOCK != t.block) tree_advance(&t, b / BL_BLOCK);
            t.acc = t.acc + bl_v_load_part(a->dy + b * a->dy_stride + col->offset + d, m);
        }
        bl_v_store_part(a->dtable + col->base + code * col->width + d, tree_join(&t, 63), m);
    }
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
