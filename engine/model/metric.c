/* Sums in the order of rule B, however many examples come at a time. Blocks of BL_BLOCK examples
 * are chains; their sums meet like the digits of a binary counter, so that log2 of the blocks
 * are kept and no list of all. After seven blocks b0 to b6 (blocks = 111b):
 *
 *     level[2] = (b0 + b1) + (b2 + b3)     level[1] = b4 + b5     level[0] = b6
 *     value    = level[2] + (level[1] + level[0])
 *
 * A block that is not full counts as one, at the end only: bl_metric_value closes it in a copy, so
 * that more examples may follow. A metric with of_all keeps every output instead, since a rank
 * needs them all: at least 4 (width + 1) bytes an example. */
#include "engine/model/metric.h"
#include "engine/base/mem.h"
#include "engine/base/numerics.h"
#include <math.h>
#include <string.h>

void bl_metric_begin(bl_metric_sum *sum, const bl_metric *metric) {
    *sum = (bl_metric_sum){.metric = metric};
}

/* The carry of the counter: each level that is taken joins the new block, the older sum on the
 * left. */
static void close_block(bl_metric_sum *sum) {
    double block = sum->open;
    int i = 0;
    for (; sum->blocks >> i & 1; i++) block = sum->level[i] + block;
    sum->level[i] = block;
    sum->blocks++;
    sum->open = 0.0;
}

/* The value of the batch that is open, times its examples: its part in the weighted mean. */
static double of_open_batch(const bl_metric_sum *sum) {
    const double examples = (double)sum->in_batch;
    return sum->metric->finish(sum->batch_terms, examples) * examples;
}

static void add_to_batch(bl_metric_sum *sum, double term) {
    sum->batch_terms = sum->batch_terms + term;
    if (++sum->in_batch < sum->batch) return;
    sum->batches_sum = sum->batches_sum + of_open_batch(sum);
    sum->batch_terms = 0.0;
    sum->in_batch = 0;
}

double bl_metric_batch_mean(const bl_metric_sum *sum) {
    if (sum->batch == 0 || sum->count == 0 || sum->metric->of_all != NULL) return (double)NAN;
    const double last = sum->in_batch > 0 ? of_open_batch(sum) : 0.0;
    return (sum->batches_sum + last) / (double)sum->count;
}

/* The term of one example: y (width). A standardised number is turned back into the data's own
 * unit first, forecast and target alike. */
static double term_of(const bl_metric_sum *sum, const float *y, size_t width, double target) {
    const bl_metric *m = sum->metric;
    if (m->classes) return m->of_class(y, width, target);
    if (!(sum->deviation > 0)) return m->of_number((double)y[0], target);
    return m->of_number((double)y[0] * sum->deviation + sum->mean,
                        target * sum->deviation + sum->mean);
}

/* Examples lie as y and target side by side, (count, width + 1), so that one array has to grow. */
static void keep(bl_metric_sum *sum, const float *y, size_t width, const float *target,
                 size_t count) {
    sum->width = width;
    if (sum->count + count > sum->room) {
        sum->room = 2 * (sum->count + count);
        sum->kept = bl_xrealloc(sum->kept, sum->room * (width + 1) * sizeof *sum->kept);
    }
    for (size_t i = 0; i < count; i++) {
        float *at = sum->kept + sum->count++ * (width + 1);
        memcpy(at, y + i * width, width * sizeof *at);
        at[width] = target[i];
    }
}

/* The rows of `kept` as two arrays, as of_all takes them. */
static double value_of_all(const bl_metric_sum *sum) {
    float *y = bl_xalloc(sum->count * sum->width * sizeof *y);
    float *target = bl_xalloc(sum->count * sizeof *target);
    for (size_t i = 0; i < sum->count; i++) {
        const float *at = sum->kept + i * (sum->width + 1);
        memcpy(y + i * sum->width, at, sum->width * sizeof *y);
        target[i] = at[sum->width];
    }
    const double value = sum->metric->of_all(y, target, sum->count, sum->width);
    free(y);
    free(target);
    return value;
}

void bl_metric_end(bl_metric_sum *sum) {
    free(sum->kept);
    sum->kept = NULL;
}

void bl_metric_add(bl_metric_sum *sum, const float *y, size_t width, const float *target,
                   size_t count) {
    if (sum->metric->of_all != NULL) {
        keep(sum, y, width, target, count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const double term = term_of(sum, y + i * width, width, (double)target[i]);
        if (sum->batch > 0) add_to_batch(sum, term);
        sum->open = sum->open + term;
        if (++sum->count % BL_BLOCK == 0) close_block(sum);
    }
}

double bl_metric_value(const bl_metric_sum *sum) {
    bl_metric_sum all = *sum;
    double total = 0.0;
    bool any = false;
    if (all.count == 0) return (double)NAN;
    if (all.metric->of_all != NULL) return value_of_all(sum);
    if (all.count % BL_BLOCK != 0) close_block(&all);
    for (int i = 0; i < 64; i++) {
        if (!(all.blocks >> i & 1)) continue;
        total = any ? all.level[i] + total : all.level[i];
        any = true;
    }
    return all.metric->finish(total, (double)all.count);
}
