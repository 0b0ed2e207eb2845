/* Matched pairs: medians of ratios and differences with distribution-free intervals. */
#include "engine/stats/pairs.h"
#include "engine/base/mem.h"
#include "engine/stats/critical.h"
#include <math.h>

/* The median with its interval at `level`, without one when the range itself covers less. */
static bl_stats_value median_of(const double *x, size_t n, double level) {
    double coverage;
    bl_stats_value v = bl_stats_median_interval(x, n, level, &coverage);
    if (n > 0 && coverage < level) v = bl_stats_exact(v.value);
    if (v.known && isinf(v.value)) v.bound = 1;
    return v;
}

/* Median of second[i] / first[i] at `level`; 0 and infinity are bounds. */
static bl_stats_value ratio(const double *first, const double *second, size_t n, double level) {
    double *x = bl_xalloc(n * sizeof *x);
    for (size_t i = 0; i < n; i++) {
        BL_ASSERT(first[i] > 0 && second[i] > 0 && !(isinf(first[i]) && isinf(second[i])));
        x[i] = second[i] / first[i];
    }
    bl_stats_value v = median_of(x, n, level);
    if (v.known && v.value == 0) v.bound = -1;
    free(x);
    return v;
}

bl_stats_value bl_stats_pair_ratio(const double *first, const double *second, size_t n) {
    return ratio(first, second, n, BL_STATS_LEVEL);
}

/* Two factors that are measured apart: by Bonferroni each interval at level 1 - (1 - 0.95) / 2, so
 * that the product of the ends holds with at least 95 %. */
bl_stats_value bl_stats_pair_cost(const double *first, const double *second, size_t n,
                                  const double *first_cost, const double *second_cost,
                                  size_t repeats) {
    const double level = 1 - (1 - BL_STATS_LEVEL) / 2;
    const bl_stats_value steps = ratio(first, second, n, level);
    const bl_stats_value cost = ratio(first_cost, second_cost, repeats, level);
    if (!steps.known || !cost.known) return bl_stats_unknown();
    bl_stats_value v = bl_stats_exact(steps.value * cost.value);
    v.bound = steps.bound;
    if (!bl_stats_has_interval(&steps) || !bl_stats_has_interval(&cost)) return v;
    v.low = steps.low * cost.low;
    v.high = steps.high * cost.high;
    return v;
}

bl_stats_value bl_stats_pair_difference(const double *first, const double *second, size_t n) {
    double *x = bl_xalloc(n * sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = second[i] - first[i];
    const bl_stats_value v = median_of(x, n, BL_STATS_LEVEL);
    free(x);
    return v;
}
