#include "engine/starter/baseline.h"
#include "engine/base/mem.h"
#include "engine/stats/least_squares.h"
#include <math.h>
#include <string.h>

enum { MOST_COLUMNS = 400, MOST_OUTPUTS = 32 };
/* Multiplications that fitting may take: seconds. Beyond, evenly spaced training rows are used. */
static const double MOST_WORK = 4e9;

typedef struct line {
    const bl_dataset *data;
    size_t first[256]; /* of each categorical column that takes part, its first column of X */
    size_t categories; /* leading categorical columns that take part */
    size_t columns, outputs;
    double *x, *y; /* (columns), (outputs): of one row */
} line;

/* Columns of X: 1, the numbers, and one for each code of the categories that there is room for. */
static void lay_out(line *l) {
    const bl_dataset *d = l->data;
    l->columns = 1 + d->continuous;
    for (size_t c = 0; c < d->categorical && c < BL_COUNT(l->first); c++) {
        l->first[c] = SIZE_MAX;
        l->categories = c + 1;
        if (d->cardinality[c] > 64 || l->columns + d->cardinality[c] > MOST_COLUMNS) continue;
        l->first[c] = l->columns;
        l->columns += d->cardinality[c];
    }
}

/* x and y of one row. A code of a column that takes no part leaves no trace. */
static void fill_row(line *l, size_t row) {
    const bl_dataset *d = l->data;
    memset(l->x, 0, l->columns * sizeof *l->x);
    l->x[0] = 1;
    for (size_t c = 0; c < d->continuous; c++)
        l->x[1 + c] = (double)d->values[row * d->continuous + c];
    for (size_t c = 0; c < l->categories; c++)
        if (l->first[c] != SIZE_MAX) l->x[l->first[c] + d->codes[row * d->categorical + c]] = 1;
    for (size_t k = 0; k < l->outputs; k++)
        l->y[k] = l->outputs == 1 ? (double)d->target[row] : d->target[row] == (float)k;
}

/* The held-out row of the i-th place of `seen`, as evaluations choose them. */
static size_t held_out(const bl_dataset *d, size_t i, size_t seen) {
    return d->train_rows + (size_t)((uint64_t)i * d->valid_rows / seen);
}

/* The metric of `outputs` of the fitted line over the held-out rows. */
static double measure(line *l, const bl_stats_squares *s, const bl_metric *metric, size_t seen) {
    const bl_dataset *d = l->data;
    bl_metric_sum sum;
    float out[MOST_OUTPUTS];
    bl_metric_begin(&sum, metric);
    sum.mean = d->target_mean;
    sum.deviation = d->target_deviation;
    for (size_t i = 0; i < seen; i++) {
        const size_t row = held_out(d, i, seen);
        fill_row(l, row);
        for (size_t k = 0; k < l->outputs; k++) {
            double y = 0;
            for (size_t j = 0; j < l->columns; j++) y += l->x[j] * s->right[j * l->outputs + k];
            out[k] = (float)y;
        }
        bl_metric_add(&sum, out, l->outputs, &d->target[row], 1);
    }
    const double value = bl_metric_value(&sum);
    bl_metric_end(&sum);
    return value;
}

/* A line's outputs are no logarithms of probabilities: it has no cross-entropy. */
static double fit_line(const bl_dataset *data, const bl_metric *metric, size_t seen) {
    line l = {.data = data, .outputs = data->classes > 0 ? data->classes : 1};
    bl_stats_squares s = {0};
    double value = (double)NAN;
    if (l.outputs > MOST_OUTPUTS || data->values == NULL ||
        (data->classes > 0 && strcmp(metric->name, "cross_entropy") == 0))
        return value;
    lay_out(&l);
    if (l.columns > 2 * MOST_COLUMNS) return value;
    const double work = (double)l.columns * (double)l.columns / 2;
    const size_t most = (size_t)fmin(MOST_WORK / work, 1e15);
    const size_t used = bl_size_min(data->train_rows, bl_size_max(most, 1));
    l.x = bl_xalloc(l.columns * sizeof *l.x);
    l.y = bl_xalloc(l.outputs * sizeof *l.y);
    if (bl_stats_squares_init(&s, l.columns, l.outputs)) {
        for (size_t i = 0; i < used; i++) {
            fill_row(&l, (size_t)((uint64_t)i * data->train_rows / used));
            bl_stats_squares_add(&s, l.x, l.y);
        }
        if (bl_stats_squares_solve(&s, 1e-8)) value = measure(&l, &s, metric, seen);
    }
    bl_stats_squares_free(&s);
    free(l.x);
    free(l.y);
    return value;
}

/* Of a net that has learnt only how often each class is, or the mean of the target. */
static double fit_constant(const bl_dataset *d, const bl_metric *metric, size_t seen) {
    float out[1 + 4096] = {0};
    bl_metric_sum sum;
    const size_t width = d->classes > 0 ? d->classes : 1;
    if (width > BL_COUNT(out)) return (double)NAN;
    double mean = 0;
    size_t *count = bl_xalloc((width + 1) * sizeof *count);
    for (size_t i = 0; i < d->train_rows; i++) {
        mean += (double)d->target[i] / (double)d->train_rows;
        if (d->classes > 0) count[(size_t)d->target[i]]++;
    }
    for (size_t k = 0; k < width; k++)
        out[k] = d->classes > 0 ? (float)log(((double)count[k] + 0.5) / (double)d->train_rows)
                                : (float)mean;
    bl_metric_begin(&sum, metric);
    sum.mean = d->target_mean;
    sum.deviation = d->target_deviation;
    for (size_t i = 0; i < seen; i++)
        bl_metric_add(&sum, out, width, &d->target[held_out(d, i, seen)], 1);
    free(count);
    const double value = bl_metric_value(&sum);
    bl_metric_end(&sum);
    return value;
}

bl_starter_baseline bl_starter_baselines(const bl_dataset *data, const bl_metric *metric,
                                         size_t seen_rows) {
    const size_t seen = seen_rows > 0 ? bl_size_min(seen_rows, data->valid_rows) : data->valid_rows;
    return (bl_starter_baseline){.constant = fit_constant(data, metric, seen),
                                 .least_squares = fit_line(data, metric, seen)};
}
