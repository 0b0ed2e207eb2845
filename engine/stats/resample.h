/* Percentile intervals from resampled cells, private to the room: for numbers that no closed form
 * and no profile gives. */
#ifndef BL_ENGINE_STATS_RESAMPLE_H
#define BL_ENGINE_STATS_RESAMPLE_H
#include "engine/stats/fit.h"
#include "engine/stats/point.h"
#include "engine/stats/summary.h"

/* out[]: what one set of cells says; a bound is the open interval that it is. */
typedef void bl_stats_estimator(bl_stats_value out[], const bl_stats_cell *cells, size_t n,
                                const void *context);

/* Sets low and high of the known ones of values[count] from options->replicates draws, in which
 * every measured cell moves by Student's t of `freedom` times its standard deviation
 * (1 / sqrt(weight), evaluation gaps included). */
void bl_stats_resample(bl_stats_value *values, size_t count, bl_stats_estimator *estimate,
                       const void *context, const bl_stats_cell *cells, size_t n, double freedom,
                       const bl_stats_options *options);

/* A standard normal number, a function of its four arguments (Box and Muller). */
double bl_stats_normal(uint64_t seed, uint32_t sub, uint64_t replicate);
#endif
