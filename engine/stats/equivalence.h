/* Two one-sided tests: are matched ratios equal within a margin? "Not told apart" says only that
 * the noise was too large; "equal" has to be shown. */
#ifndef BL_ENGINE_STATS_EQUIVALENCE_H
#define BL_ENGINE_STATS_EQUIVALENCE_H
#include "engine/stats/summary.h"

typedef enum bl_stats_equal {
    BL_STATS_EQUAL_UNJUDGED,  /* too few pairs for the interval: 5 are needed */
    BL_STATS_EQUAL_SHOWN,     /* the median ratio lies within the margin */
    BL_STATS_EQUAL_REFUTED,   /* it lies beyond the margin */
    BL_STATS_EQUAL_UNDECIDED, /* the interval reaches beyond one end of the margin */
    BL_STATS_EQUAL_COUNT
} bl_stats_equal;

/* Of the median of ratio[n], all above 0, against 1 / (1 + margin) to 1 + margin, at 5 % for either
 * side: by the 90 % interval of order statistics, which assumes no distribution. *median receives
 * that interval, none when the verdict is UNJUDGED. */
bl_stats_equal bl_stats_equivalent(bl_stats_value *median, const double *ratio, size_t n,
                                   double margin);
const char *bl_stats_equal_word(bl_stats_equal verdict); /* "equal", "different", ... */
#endif
