/* The other ways to the noise scale (engine/noise/noise_ways.h): sums over the gradients of the
 * run's own batches, kept beside training when noise.window is above 0. Three arrays of the size of
 * a gradient, all part of the saved state:
 *
 *     mean       exponential average m <- (1 - 1/n) m + g / n
 *     variance   exponential average of (g - m)^2, with the m of before
 *     sum        of the gradients of the window of n steps that is on its way
 *
 * The averages begin at 0 and are divided by 1 - (1 - 1/n)^t. A window begins every n steps. Sums
 * of squares as in probe.c: blocks in order, in fp64. */
#include "engine/train/workload.h"
#include "kernels/part.h"
#include <math.h>
#include <string.h>

enum { BLOCK = 4096, SUMS = 4 };
/* What a block's part of the four sums is of. */
enum { OF_GRADIENT, OF_SUM, OF_MEAN, OF_VARIANCE };

void bl_train_ways_lay_out(bl_train *t, bl_net_layout *layout) {
    bl_train_ways *w = &t->ways;
    const size_t n = t->net.weights;
    if (t->config.noise.window == 0 || !t->probe.on) return;
    w->array = bl_net_layout_take(layout, n, 3 * sizeof(float));
    w->sums = bl_net_layout_take(layout, (n + BLOCK - 1) / BLOCK, SUMS * sizeof(double));
}

void bl_train_ways_begin(bl_train *t) {
    t->ways.kept = (bl_train_ways_kept){0};
    if (t->ways.array != NULL) memset(t->ways.array, 0, 3 * t->net.weights * sizeof(float));
}

static double square(double x) {
    return x * x;
}

/* Blocks of one thread: the step's gradient enters the arrays, and their squares the sums. */
static void enter_part(void *ctx, size_t p, size_t parts) {
    bl_train *t = ctx;
    const size_t n = t->net.weights;
    const float *g = t->net.gradient;
    float *mean = t->ways.array, *variance = mean + n, *sum = variance + n;
    const float share = 1.0f / (float)t->config.noise.window;
    const bl_part part = {.part = p, .parts = parts};
    const bl_range blocks = bl_part_range(&part, (n + BLOCK - 1) / BLOCK, 1);
    const bool first = t->ways.kept.in_window == 0;
    for (size_t b = blocks.begin; b < blocks.end; b++) {
        double *out = t->ways.sums + b * SUMS;
        memset(out, 0, SUMS * sizeof *out);
        for (size_t i = b * BLOCK; i < bl_size_min((b + 1) * BLOCK, n); i++) {
            const float off = g[i] - mean[i];
            variance[i] = variance[i] + share * (off * off - variance[i]);
            mean[i] = mean[i] + share * off;
            sum[i] = first ? g[i] : sum[i] + g[i];
            out[OF_GRADIENT] += square((double)g[i]);
            out[OF_SUM] += square((double)sum[i]);
            out[OF_MEAN] += square((double)mean[i]);
            out[OF_VARIANCE] += (double)variance[i];
        }
    }
}

/* After each step; averages with weight 1/n, n = noise.window, begun at 0. What they lack is
 * divided out, as in Adam (Kingma and Ba, 2015, algorithm 1): with `missing` = (1 - 1/n)^t after
 * t steps
 *
 *     |mean|^2 / (1 - missing)^2          variance / (1 - missing)
 *
 * Windows of n steps are the second way: small_sq is the mean of |g|^2, big_sq the square of the
 * mean gradient, both of the last window that was whole. */
void bl_train_ways_enter(bl_train *t) {
    bl_train_ways_kept *k = &t->ways.kept;
    const int64_t n = t->config.noise.window;
    double sum[SUMS] = {0};
    if (t->ways.array == NULL) return;
    bl_pool_run(t->pool, enter_part, t);
    for (size_t b = 0; b < (t->net.weights + BLOCK - 1) / BLOCK; b++)
        for (size_t i = 0; i < SUMS; i++) sum[i] += t->ways.sums[b * SUMS + i];
    /* What is missing of the averages' weights: (1 - 1/n)^t. */
    k->missing = k->steps == 0 ? 1.0 : k->missing;
    k->missing *= 1.0 - 1.0 / (double)n;
    k->steps++;
    k->average_sq = sum[OF_MEAN] / square(1.0 - k->missing);
    k->average_variance = sum[OF_VARIANCE] / (1.0 - k->missing);
    k->squares = (k->in_window == 0 ? 0.0 : k->squares) + sum[OF_GRADIENT];
    if (++k->in_window < n) return;
    k->small_sq = k->squares / (double)n;
    k->big_sq = sum[OF_SUM] / square((double)n);
    k->in_window = 0;
}

void bl_train_ways_record(bl_train *t) {
    const bl_train_ways_kept *k = &t->ways.kept;
    if (t->ways.array == NULL) return;
    bl_noise_write_ways(&t->probe.log, &(bl_noise_ways){.step = t->progress.made,
                                                        .batch = (int64_t)t->batch,
                                                        .window = t->config.noise.window,
                                                        .average_sq = k->average_sq,
                                                        .average_variance = k->average_variance,
                                                        .small_sq = k->small_sq,
                                                        .big_sq = k->big_sq});
}

size_t bl_train_ways_blocks(const bl_train *t, bl_state_block *out) {
    if (t->ways.array == NULL) return 0;
    out[0] = (bl_state_block){t->ways.array, 3 * t->net.weights * sizeof(float)};
    out[1] = (bl_state_block){(void *)(uintptr_t)&t->ways.kept, sizeof t->ways.kept};
    return 2;
}
