#include "engine/stats/equivalence.h"

static const double k_level = 0.90;

bl_stats_equal bl_stats_equivalent(bl_stats_value *median, const double *ratio, size_t n,
                                   double margin) {
    double coverage;
    *median = bl_stats_median_interval(ratio, n, k_level, &coverage);
    if (coverage < k_level) {
        *median = n > 0 ? bl_stats_exact(median->value) : bl_stats_unknown();
        return BL_STATS_EQUAL_UNJUDGED;
    }
    const double low = 1 / (1 + margin), high = 1 + margin;
    if (median->low >= low && median->high <= high) return BL_STATS_EQUAL_SHOWN;
    return median->high < low || median->low > high ? BL_STATS_EQUAL_REFUTED
                                                    : BL_STATS_EQUAL_UNDECIDED;
}

const char *bl_stats_equal_word(bl_stats_equal verdict) {
    static const char *const words[] = {[BL_STATS_EQUAL_UNJUDGED] = "not judged",
                                        [BL_STATS_EQUAL_SHOWN] = "equal",
                                        [BL_STATS_EQUAL_REFUTED] = "different",
                                        [BL_STATS_EQUAL_UNDECIDED] = "undecided"};
    _Static_assert(sizeof words / sizeof *words == BL_STATS_EQUAL_COUNT, "a word for each");
    return words[verdict];
}
