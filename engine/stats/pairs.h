/* Matched pairs: two alternatives measured with the same seeds, second against first. Medians with
 * distribution-free intervals: order statistics whose coverage is exact for any distribution and
 * any number of pairs, where a bootstrap of so few would promise more than it keeps
 * (docs/statistics.md). Too few pairs for the level give no interval. */
#ifndef BL_ENGINE_STATS_PAIRS_H
#define BL_ENGINE_STATS_PAIRS_H
#include "engine/stats/summary.h"

/* Median of second[i] / first[i]. Infinite entries are runs that did not arrive, at most one of a
 * pair; the ratio is then 0 or infinite, and bound tells when the median is. Positive otherwise. */
bl_stats_value bl_stats_pair_ratio(const double *first, const double *second, size_t n);

/* The same times the cost of a step: the median ratio of steps times that of the costs
 * second_cost[r] / first_cost[r] of matched repetitions. Each factor's interval is taken at half
 * the miss, so that both hold together as often as one alone should (Bonferroni). */
bl_stats_value bl_stats_pair_cost(const double *first, const double *second, size_t n,
                                  const double *first_cost, const double *second_cost,
                                  size_t repeats);

/* Median of second[i] - first[i], all finite. */
bl_stats_value bl_stats_pair_difference(const double *first, const double *second, size_t n);
#endif
