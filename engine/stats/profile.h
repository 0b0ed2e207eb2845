/* The numbers that a curve defines, in closed form, and their profile intervals. */
#ifndef BL_ENGINE_STATS_PROFILE_H
#define BL_ENGINE_STATS_PROFILE_H
#include "engine/stats/fit.h"
#include "engine/stats/summary.h"

/* A batch size that a curve defines. */
typedef enum bl_stats_definition {
    BL_STATS_B_CRIT,           /* E_min / S_min */
    BL_STATS_EFFICIENCY_50,    /* twice the examples of small batches */
    BL_STATS_OVERHEAD_20,      /* 20 % more steps than perfect scaling */
    BL_STATS_PERFECT_END,      /* 10 % more */
    BL_STATS_MAX_USEFUL,       /* steps within 10 % of s_min */
    BL_STATS_OVERHEAD_20_FROM, /* 20 % more than perfect scaling from the smallest size promises */
    BL_STATS_DEFINITION_COUNT
} bl_stats_definition;

/* Its logarithm; log_base is the smallest batch size, for the last definition alone. */
double bl_stats_definition_at(bl_stats_definition d, const bl_stats_curve *c, double log_base);

/* What profiles are taken of: cells whose weights are inverse variances, and the curve fitted to
 * them with p <= p_most. `rise` is how far the loss may lie above its least (the square of
 * Student's t). `low` and `high`: logs of the batch sizes within which an end of an interval is a
 * number; beyond them it is open. */
typedef struct bl_stats_profile {
    const bl_stats_cell *cells;
    size_t n;
    bl_stats_curve curve;
    double p_most, rise, low, high;
} bl_stats_profile;

/* All points where the loss, made least over the other parameters, rises by no more than `rise`. */
void bl_stats_profile_definition(const bl_stats_profile *p, bl_stats_definition d,
                                 bl_stats_value *v);
void bl_stats_profile_floor(const bl_stats_profile *p, bl_stats_value *s_min);
void bl_stats_profile_shape(const bl_stats_profile *p, bl_stats_value *shape);
#endif
