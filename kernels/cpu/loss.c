#include "engine/base/mem.h"
#include "kernels/cpu/cpu.h"
#include "kernels/exact_math.h"

/* A rule-B sum: the tree's levels are few numbers and stay on the stack. */
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
        const size_t end = bl_min_size(begin + BL_BLOCK, a->count);
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
    if (!a->dy) return;
    const float scale = 2.0f / (float)a->total;
    const bl_range range = bl_part_range(part, a->count, BL_W);
    for (size_t i = range.begin; i < range.end; i++) a->dy[i] = scale * (a->y[i] - a->target[i]);
}

/* ---- softmax cross-entropy ---- */

/* e_j of one example to `exps`; the sums of e_j and d_j, and the largest output. */
typedef struct softmax {
    double *exps;
    double largest, sum, differences;
} softmax;

static void softmax_row(softmax *s, const float *y, size_t classes) {
    s->largest = (double)y[0];
    for (size_t j = 1; j < classes; j++)
        if ((double)y[j] > s->largest) s->largest = (double)y[j];
    for (size_t j = 0; j < classes; j++) s->exps[j] = bl_exp64((double)y[j] - s->largest);
    for (size_t begin = 0; begin < classes; begin += BL_BLOCK) {
        const size_t end = bl_min_size(begin + BL_BLOCK, classes);
        double sum = 0, differences = 0;
        for (size_t j = begin; j < end; j++) {
            sum = sum + s->exps[j];
            differences = differences + ((double)y[j] - s->largest);
        }
        s->sum = begin ? s->sum + sum : sum;
        s->differences = begin ? s->differences + differences : differences;
    }
}

static double softmax_term(const bl_softmax_cross_entropy *a, const softmax *s, size_t b) {
    const double d = (double)a->y[b * a->classes + (size_t)a->target[b]] - s->largest;
    return bl_log64(s->sum) -
           ((1.0 - a->smoothing) * d + a->smoothing / (double)a->classes * s->differences);
}

static void softmax_gradient(const bl_softmax_cross_entropy *a, const softmax *s, size_t b) {
    float *dy = a->dy + b * a->classes;
    const size_t target = (size_t)a->target[b];
    const double others = a->smoothing / (double)a->classes, total = (double)a->total;
    const double own = (1.0 - a->smoothing) + others;
    for (size_t j = 0; j < a->classes; j++)
        dy[j] = (float)((s->exps[j] / s->sum - (j == target ? own : others)) / total);
}

/* Part 0 takes every example's term, and each part the gradients of its own examples. */
void BL_CPU(softmax_cross_entropy)(const bl_softmax_cross_entropy *a, const bl_part *part) {
    const bl_range mine = bl_part_range(part, a->batch, 1);
    const bl_range range = part->part == 0 ? (bl_range){0, a->batch} : mine;
    softmax s = {.exps = part->scratch};
    tree t = {.blocks = 0};
    double acc = 0;
    t.level[0] = 0.0;
    for (size_t b = range.begin; b < range.end; b++) {
        softmax_row(&s, a->y + b * a->classes, a->classes);
        if (a->dy && b >= mine.begin && b < mine.end) softmax_gradient(a, &s, b);
        if (part->part != 0) continue;
        acc = acc + softmax_term(a, &s, b);
        if ((b + 1) % BL_BLOCK != 0 && b + 1 != a->batch) continue;
        tree_add(&t, acc, b + 1 == a->batch);
        acc = 0;
    }
    if (part->part == 0) *a->sum = t.level[0];
}
