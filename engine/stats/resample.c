/* Percentile intervals: a replicate is itself an interval, [value, value] or open on the side of
 * its bound, or everything where it found no answer; low and high are the outer order statistics.
 * Draws are Philox numbers of (seed, cell, replicate): a replicate does not depend on the others.
 */
#include "engine/stats/resample.h"
#include "engine/base/mem.h"
#include "engine/base/philox.h"
#include "engine/stats/distributions.h"
#include <math.h>
#include <string.h>

static const double two_pi = 6.283185307179586;

double bl_stats_normal(uint64_t seed, uint32_t sub, uint64_t replicate) {
    const bl_u32x4 w = bl_random4(seed, BL_STREAM_BOOTSTRAP, sub, replicate);
    const double radius = sqrt(-2 * log(1 - bl_unit_f64(w.v[0], w.v[1])));
    return radius * cos(two_pi * bl_unit_f64(w.v[2], w.v[3]));
}

/* Normal draws stretched so that their 95 % are Student's. */
static double stretch(double freedom) {
    const double q = (1 + BL_STATS_LEVEL) / 2;
    return bl_stats_t_quantile(q, freedom) / bl_stats_normal_quantile(q);
}

static void set_interval(bl_stats_value *v, double *low, double *high, size_t n) {
    const size_t tail = (size_t)floor((1 - BL_STATS_LEVEL) / 2 * (double)(n - 1));
    bl_stats_sort(low, n);
    bl_stats_sort(high, n);
    v->low = low[tail];
    v->high = high[n - 1 - tail];
}

void bl_stats_resample(bl_stats_value *values, size_t count, bl_stats_estimator *estimate,
                       const void *context, const bl_stats_cell *cells, size_t n, double freedom,
                       const bl_stats_options *options) {
    const size_t draws = (size_t)options->replicates;
    const double factor = stretch(freedom);
    double *low = bl_xalloc(count * draws * sizeof *low);
    double *high = bl_xalloc(count * draws * sizeof *high);
    bl_stats_value *drawn = bl_xalloc(count * sizeof *drawn);
    bl_stats_cell *moved = bl_xalloc((n + 1) * sizeof *moved);
    for (size_t r = 0; r < draws; r++) {
        if (n > 0) memcpy(moved, cells, n * sizeof *moved);
        for (size_t i = 0; i < n; i++)
            if (!cells[i].censored)
                moved[i].log_s +=
                    factor * bl_stats_normal(options->seed, (uint32_t)i, r) / sqrt(cells[i].weight);
        estimate(drawn, moved, n, context);
        for (size_t i = 0; i < count; i++) {
            const bl_stats_value *v = &drawn[i];
            const bool negative = values[i].value < 0; /* a slope, between -1 and 0 */
            low[i * draws + r] = v->known && v->bound >= 0 ? v->value : negative ? -1 : 0;
            high[i * draws + r] = v->known && v->bound <= 0 ? v->value : negative ? 0 : HUGE_VAL;
        }
    }
    for (size_t i = 0; i < count; i++)
        if (values[i].known) set_interval(&values[i], low + i * draws, high + i * draws, draws);
    free(moved);
    free(drawn);
    free(low);
    free(high);
}
