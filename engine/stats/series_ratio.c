/* The ratio of one number in two series, with an interval (critical.h). */
#include "engine/stats/critical.h"
#include "engine/stats/distributions.h"
#include <math.h>

/* How much wider than for two series, so that all pairs of more hold together: Tukey's range. */
static double wider(size_t series) {
    if (series <= 2) return 1;
    const double q = (1 + BL_STATS_LEVEL) / 2;
    return bl_stats_range_quantile(BL_STATS_LEVEL, (int)series, HUGE_VAL) /
           (sqrt(2) * bl_stats_normal_quantile(q));
}

/* How far the interval reaches to a side, in logs; infinite where it is open. */
static double below(const bl_stats_value *v) {
    return v->low > 0 ? fmax(0, log(v->value / v->low)) : HUGE_VAL;
}

static double above(const bl_stats_value *v) {
    return fmax(0, log(v->high / v->value));
}

bl_stats_value bl_stats_ratio_of(const bl_stats_value *first, const bl_stats_value *second,
                                 size_t series) {
    const int up = (second->bound > 0) + (first->bound < 0);
    const int down = (second->bound < 0) + (first->bound > 0);
    if (!first->known || !second->known || (up > 0 && down > 0)) return bl_stats_unknown();
    bl_stats_value v = bl_stats_exact(second->value / first->value);
    v.bound = (up > 0) - (down > 0);
    if (!bl_stats_has_interval(first) || !bl_stats_has_interval(second)) return v;
    const double factor = wider(series);
    v.low = v.value * exp(-factor * hypot(below(second), above(first)));
    v.high = v.value * exp(factor * hypot(above(second), below(first)));
    return v;
}
