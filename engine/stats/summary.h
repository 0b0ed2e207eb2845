/* Order statistics and the number with an interval that every answer is made of. Nothing here
 * assumes a distribution. Inputs are not changed unless said; all functions are pure. */
#ifndef BL_ENGINE_STATS_SUMMARY_H
#define BL_ENGINE_STATS_SUMMARY_H
#include <stdbool.h>
#include <stddef.h>

/* A number with its interval. What a reader must check, in this order:
 *   known == false: there is no answer; value, low and high are NaN.
 *   bound == +1: the true number lies at or above `value` (it left the measured range upwards);
 *   bound == -1: at or below `value`;  bound == 0: `value` is the estimate.
 *   low, high: the interval; NaN when the data allow none (one seed), low = 0 and high = INFINITY
 *   when the data do not bound that side. */
typedef struct bl_stats_value {
    double value, low, high;
    bool known;
    int bound;
} bl_stats_value;

bl_stats_value bl_stats_unknown(void);
/* Known, without an interval. */
bl_stats_value bl_stats_exact(double value);
/* In another unit. */
bl_stats_value bl_stats_scaled(bl_stats_value v, double factor);
bool bl_stats_has_interval(const bl_stats_value *v);

void bl_stats_sort(double *x, size_t n); /* ascending, in place; no NaN */

/* Type 7 of Hyndman and Fan (1996), the default of R and NumPy: linear between order statistics at
 * position q (n - 1). `sorted` ascending, n >= 1, q in [0, 1]. */
double bl_stats_quantile_sorted(const double *sorted, size_t n, double q);
/* NaN when n == 0. */
double bl_stats_median(const double *x, size_t n);
/* Median with its range as low and high. */
bl_stats_value bl_stats_range(const double *x, size_t n);

/* Median with the distribution-free interval [x_(k), x_(n+1-k)], k the largest with
 * P(Binomial(n, 1/2) < k) <= (1 - level) / 2. Too few values for the level (fewer than 6 at 0.95):
 * the range. `coverage` (may be NULL) receives the probability the interval really has. */
bl_stats_value bl_stats_median_interval(const double *x, size_t n, double level, double *coverage);
#endif
