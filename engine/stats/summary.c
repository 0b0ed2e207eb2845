/* Medians, quantiles and the distribution-free interval of a median. */
#include "engine/stats/summary.h"
#include "engine/base/mem.h"
#include <math.h>
#include <string.h>

bl_stats_value bl_stats_unknown(void) {
    return (bl_stats_value){.value = (double)NAN, .low = (double)NAN, .high = (double)NAN};
}

bl_stats_value bl_stats_exact(double value) {
    return (bl_stats_value){.value = value, .low = (double)NAN, .high = (double)NAN, .known = true};
}

bl_stats_value bl_stats_scaled(bl_stats_value v, double factor) {
    v.value *= factor;
    v.low *= factor;
    v.high *= factor;
    return v;
}

bool bl_stats_has_interval(const bl_stats_value *v) {
    return v->known && !isnan(v->low) && !isnan(v->high);
}

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void bl_stats_sort(double *x, size_t n) {
    if (n > 1) qsort(x, n, sizeof *x, ascending);
}

double bl_stats_quantile_sorted(const double *sorted, size_t n, double q) {
    BL_ASSERT(n >= 1 && q >= 0 && q <= 1);
    const double at = q * (double)(n - 1);
    const size_t i = bl_size_min((size_t)at, n - 1);
    const double part = at - (double)i;
    /* No arithmetic between equal neighbours: two infinities would make a NaN. */
    if (part <= 0 || sorted[i] == sorted[i + 1]) return sorted[i];
    return sorted[i] + part * (sorted[i + 1] - sorted[i]);
}

static double *sorted_copy(const double *x, size_t n) {
    double *copy = bl_xalloc(n * sizeof *copy);
    if (n > 0) memcpy(copy, x, n * sizeof *copy);
    bl_stats_sort(copy, n);
    return copy;
}

double bl_stats_median(const double *x, size_t n) {
    if (n == 0) return (double)NAN;
    double *sorted = sorted_copy(x, n);
    const double median = bl_stats_quantile_sorted(sorted, n, 0.5);
    free(sorted);
    return median;
}

bl_stats_value bl_stats_range(const double *x, size_t n) {
    if (n == 0) return bl_stats_unknown();
    double *sorted = sorted_copy(x, n);
    const bl_stats_value v = {.value = bl_stats_quantile_sorted(sorted, n, 0.5),
                              .low = sorted[0],
                              .high = sorted[n - 1],
                              .known = true};
    free(sorted);
    return v;
}

/* P(Binomial(n, 1/2) == k), by logarithms so that large n do not underflow on the way. */
static double coin(size_t n, size_t k) {
    const double dn = (double)n, dk = (double)k;
    return exp(lgamma(dn + 1) - lgamma(dk + 1) - lgamma(dn - dk + 1) - dn * log(2.0));
}

/* Order statistics: the median lies below x_(k) when fewer than k values lie below it, each of
 * them with chance 1/2. Of n = 6 the range covers it with 1 - 2/64 = 96.9 %, of n = 5 with
 * 93.8 %. That is below 95 %, and `coverage` says so. */
bl_stats_value bl_stats_median_interval(const double *x, size_t n, double level, double *coverage) {
    if (coverage != NULL) *coverage = 0;
    if (n == 0) return bl_stats_unknown();
    /* `tail` = P(Binomial < k): the chance that the median lies beyond x_(k) on one side. k starts
     * at 1, the range, whatever its coverage. */
    size_t k = 1;
    double tail = coin(n, 0);
    while (2 * (k + 1) <= n && tail + coin(n, k) <= (1 - level) / 2) {
        tail += coin(n, k);
        k++;
    }
    double *sorted = sorted_copy(x, n);
    const bl_stats_value v = {.value = bl_stats_quantile_sorted(sorted, n, 0.5),
                              .low = sorted[k - 1],
                              .high = sorted[n - k],
                              .known = true};
    free(sorted);
    if (coverage != NULL) *coverage = fmax(0.0, 1 - 2 * tail);
    return v;
}
