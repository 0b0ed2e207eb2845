/* Where further seeds help: what a sweep asks between two rounds of seeds. */
#ifndef BL_ENGINE_STATS_SEED_PLAN_H
#define BL_ENGINE_STATS_SEED_PLAN_H
#include "engine/base/status.h"
#include "engine/stats/critical.h"

enum { BL_STATS_SEED_SIZES = 256 };

/* One batch size, ascending. */
typedef struct bl_stats_seed_size {
    double batch_size;
    bl_stats_value steps; /* with its interval; a bound where too few arrived */
    bool tied;            /* its steps cannot be told from the fewest */
    double share; /* of the variance of log b_crit that its seeds add; 0 where nothing is known */
} bl_stats_seed_size;

typedef struct bl_stats_seed_plan {
    bl_stats_value b_crit; /* of the curve, whether or not it was refused */
    bl_stats_seed_size size[BL_STATS_SEED_SIZES];
    size_t count, fewest; /* fewest: the place of the fewest steps; SIZE_MAX: none arrived */
} bl_stats_seed_plan;

/* BL_EINVAL as in bl_stats_critical_fit, and for more than 256 batch sizes. */
bl_status bl_stats_plan_seeds(bl_stats_seed_plan *out, const bl_stats_point *points, size_t n,
                              bl_err *err) BL_CHECKED;
#endif
