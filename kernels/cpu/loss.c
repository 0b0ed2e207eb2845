/* mse and softmax_cross_entropy (kernels/kernel.h). Part 0 computes the sum over all examples, and
 * every part the dy of its own examples.
 *
 * The sums are chains in fp64, so one after another; what can run at once is the rest. The softmax
 * therefore takes ROWS examples through five passes without branches, which the compiler
 * vectorises: differences to the largest y, their sums, their exponentials, the sums of these, the
 * logarithms. exp_all and log_all give the bits of bl_exp64 and bl_log64
 * (kernels/shared/exact_math.h). */
#include "engine/base/mem.h"
#include "kernels/cpu/cpu.h"
#include "kernels/shared/exact_math.h"

/* A rule-B sum. The tree has one number a level, so it lies on the stack. */
typedef struct tree {
    double level[64];
    size_t blocks;
} tree;

/* Adds a block's sum; after the last block, level[0] is the sum of all. */
static void tree_add(tree *t, double block, bool last) {
    int l = 0;
    for (; t->blocks >> l; l++)
        if (t->blocks >> l & 1)
            block = t->level[l] + block;
        else if (!last)
            break;
    t->level[last ? 0 : l] = block;
    t->blocks++;
}

static double squared_error(const bl_mse *a) {
    tree t = {.blocks = 0};
    t.level[0] = 0.0;
    for (size_t begin = 0; begin < a->count; begin += BL_BLOCK) {
        const size_t end = bl_size_min(begin + BL_BLOCK, a->count);
        double acc = 0;
        for (size_t i = begin; i < end; i++) {
            const double e = (double)a->y[i] - (double)a->target[i];
            acc = acc + e * e;
        }
        tree_add(&t, acc, end == a->count);
    }
    return t.level[0];
}

void BL_CPU(mse)(const bl_mse *a, const bl_part *part) {
    if (part->part == 0) *a->sum = squared_error(a);
    if (a->dy == NULL) return;
    const float scale = 2.0f / (float)a->total;
    const bl_range range = bl_part_range(part, a->count, BL_W);
    for (size_t i = range.begin; i < range.end; i++) a->dy[i] = scale * (a->y[i] - a->target[i]);
}

/* ---- softmax cross-entropy ----
 *
 * ROWS examples at a time, in passes that the compiler vectorises: the passes have no branches. */

enum { ROWS = 64, CHAINS = 4, ROWS_FLOATS = 4096 };

typedef struct softmax {
    double *exps; /* (count, classes): d_j, then e_j */
    size_t count;
    double largest[ROWS], sum[ROWS], log[ROWS], differences[ROWS];
} softmax;

/* exact_math.h's bl_exp64 of d <= 0 or NaN, operation by operation. What would underflow is 0; a
 * NaN passes through. floor(n / 2) instead of n / 2: both factors stay normal numbers. */
static void exp_all(double *d, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const double x = d[i] < -746.0 ? -746.0 : d[i];
        const double shifted = fma(x, 0x1.71547652b82fep+0, 0x1.8p+52);
        const double k = shifted - 0x1.8p+52;
        const uint64_t n = bl_bits64(shifted) - bl_bits64(0x1.8p+52);
        const double y = bl_exp64_reduced(x, k);
        const uint64_t half = (n + 4096) / 2 - 2048;
        const double e = y * bl_float64((half + 1023) << 52) * bl_float64((n - half + 1023) << 52);
        d[i] = d[i] < -746.0 ? 0.0 : e;
    }
}

/* bl_log64 of sums of e_j: at least 1, or NaN. */
static void log_all(double *log, const double *sum, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const uint64_t u = bl_bits64(sum[i]) - 0x3fe6a09e667f3bcdu;
        const double k = (double)(int32_t)(u >> 52);
        const double f = bl_float64((u & 0x000fffffffffffffu) + 0x3fe6a09e667f3bcdu) - 1.0;
        const double y = bl_log64_reduced(f, k);
        log[i] = sum[i] == sum[i] ? y : sum[i];
    }
}

/* The largest of a row: y[0] unless something is greater, so a NaN there stays. */
static float largest_of(const float *y, size_t classes) {
    enum { LANES = 16 };
    float most[LANES], largest = y[0];
    size_t j = 0;
    if (classes >= 2 * (size_t)LANES) {
        for (size_t i = 0; i < LANES; i++) most[i] = y[0];
        for (; j + LANES <= classes; j += LANES)
            for (size_t i = 0; i < LANES; i++) most[i] = y[j + i] > most[i] ? y[j + i] : most[i];
        for (size_t i = 0; i < LANES; i++) largest = most[i] > largest ? most[i] : largest;
    }
    for (; j < classes; j++) largest = y[j] > largest ? y[j] : largest;
    return largest;
}

/* Rule-F sums of the rows of v, CHAINS at a time: one chain leaves the adder idle. */
static void row_sums(double *sums, const double *v, size_t rows, size_t classes) {
    for (size_t row = 0; row < rows; row += CHAINS) {
        const double *p[CHAINS];
        double sum[CHAINS] = {0};
        for (size_t c = 0; c < CHAINS; c++) p[c] = v + bl_size_min(row + c, rows - 1) * classes;
        for (size_t begin = 0; begin < classes; begin += BL_BLOCK) {
            double acc[CHAINS] = {0};
            for (size_t j = begin; j < bl_size_min(begin + BL_BLOCK, classes); j++)
                for (size_t c = 0; c < CHAINS; c++) acc[c] = acc[c] + p[c][j];
            for (size_t c = 0; c < CHAINS; c++) sum[c] = begin ? sum[c] + acc[c] : acc[c];
        }
        for (size_t c = 0; c < bl_size_min(CHAINS, rows - row); c++) sums[row + c] = sum[c];
    }
}

static void softmax_rows(softmax *s, const float *y, size_t classes) {
    for (size_t i = 0; i < s->count; i++) {
        const double largest = (double)largest_of(y + i * classes, classes);
        for (size_t j = 0; j < classes; j++)
            s->exps[i * classes + j] = (double)y[i * classes + j] - largest;
        s->largest[i] = largest;
    }
    row_sums(s->differences, s->exps, s->count, classes);
    exp_all(s->exps, s->count * classes);
    row_sums(s->sum, s->exps, s->count, classes);
    log_all(s->log, s->sum, s->count);
}

/* Example b, which is row i of the softmax. */
static double softmax_term(const bl_softmax_cross_entropy *a, const softmax *s, size_t i,
                           size_t b) {
    const double d = (double)a->y[b * a->classes + (size_t)a->target[b]] - s->largest[i];
    return s->log[i] -
           ((1.0 - a->smoothing) * d + a->smoothing / (double)a->classes * s->differences[i]);
}

static void softmax_gradient(const bl_softmax_cross_entropy *a, const softmax *s, size_t i,
                             size_t b) {
    float *restrict dy = a->dy + b * a->classes;
    const double *restrict exps = s->exps + i * a->classes;
    const size_t target = (size_t)a->target[b];
    const double others = a->smoothing / (double)a->classes, total = (double)a->total;
    const double own = (1.0 - a->smoothing) + others, sum = s->sum[i];
    for (size_t j = 0; j < a->classes; j++) dy[j] = (float)((exps[j] / sum - others) / total);
    dy[target] = (float)((exps[target] / sum - own) / total);
}

/* Part 0 takes every example's term, and each part the gradients of its own examples. */
void BL_CPU(softmax_cross_entropy)(const bl_softmax_cross_entropy *a, const bl_part *part) {
    const bl_range mine = bl_part_range(part, a->batch, 1);
    const bl_range range = part->part == 0 ? (bl_range){0, a->batch} : mine;
    const size_t rows = bl_size_max(1, bl_size_min(ROWS, ROWS_FLOATS / bl_size_max(1, a->classes)));
    softmax s;
    tree t = {.blocks = 0};
    double acc = 0;
    s.exps = part->scratch;
    t.level[0] = 0.0;
    for (size_t begin = range.begin; begin < range.end; begin += rows) {
        s.count = bl_size_min(rows, range.end - begin);
        softmax_rows(&s, a->y + begin * a->classes, a->classes);
        for (size_t i = 0, b = begin; i < s.count; i++, b++) {
            if (a->dy != NULL && b >= mine.begin && b < mine.end) softmax_gradient(a, &s, i, b);
            if (part->part != 0) continue;
            acc = acc + softmax_term(a, &s, i, b);
            if ((b + 1) % BL_BLOCK != 0 && b + 1 != a->batch) continue;
            tree_add(&t, acc, b + 1 == a->batch);
            acc = 0;
        }
    }
    if (part->part == 0) *a->sum = t.level[0];
}
