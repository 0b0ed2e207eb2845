/* Critical batch size, all definitions side by side, from steps-to-target at several batch sizes:
 * one curve, a test whether it describes them, intervals, bounds instead of silent extrapolation,
 * and a verdict in words. docs/statistics.md derives the formulas. Pure: equal input gives equal
 * bits. */
#ifndef BL_ENGINE_STATS_CRITICAL_H
#define BL_ENGINE_STATS_CRITICAL_H
#include "engine/base/buf.h"
#include "engine/base/json_writer.h"
#include "engine/base/status.h"
#include "engine/stats/fit.h"
#include "engine/stats/point.h"
#include "engine/stats/profile.h"
#include "engine/stats/summary.h"
#include <stdint.h>

/* Lack of fit: do the means lie further from the curve than seeds and evaluation gaps explain? */
typedef struct bl_stats_test {
    bool known; /* false: too few repeats, no verdict */
    double f, df1, df2, p_value;
} bl_stats_test;

typedef struct bl_stats_curve_fit {
    bool known;
    bool refused;  /* by the test, at 1 %; the curve still answers where it misses by little */
    double misfit; /* standard deviation of the true log steps around it, 0: none is seen */
    bl_stats_curve curve; /* for drawing; may lie outside the measured range */
    bl_stats_value s_min, b_crit;
    bl_stats_value p; /* not known above BL_STATS_SHAPE_MOST (the data cannot be told from a corner)
                       * and with three batch sizes, where it is 1 */
    /* Covariance of log s_min, log b_crit and log p, times the square of Student's t: what the
     * curve's 95 % band is drawn from (bl_stats_curve_band). All 0 where the scatter is unknown. */
    double spread[3][3];
    double worst_deviation;
    bl_stats_value rms; /* of the relative deviations; one run at each batch size: with interval */
    bl_stats_test lack;
} bl_stats_curve_fit;

typedef struct bl_stats_segments_fit {
    bool known, refused; /* as of the curve */
    double misfit;
    bl_stats_test gain; /* do they explain more than the curve? Not known with one run a size */
    bl_stats_segments curve;
    bl_stats_value examples; /* E_min: the perfect-scaling line is S = examples / B */
    bl_stats_value s_min;    /* the floor */
    bl_stats_value slope, knee_low, knee_high;
    double worst_deviation;
    bl_stats_test lack;
} bl_stats_segments_fit;

/* What the definitions rest on. */
typedef enum bl_stats_source {
    BL_STATS_BY_NOTHING,
    BL_STATS_BY_CURVE,
    BL_STATS_BY_SEGMENTS
} bl_stats_source;

typedef struct bl_stats_critical {
    size_t points, batch_sizes, censored; /* censored: batch sizes of which too few arrived */
    double batch_low, batch_high;         /* measured range: batch sizes with an uncensored mean */
    bl_stats_curve_fit curve;
    bl_stats_curve_fit hyperbola;   /* the same with p = 1 */
    bl_stats_segments_fit segments; /* known where they stand in for the curve */
    bl_stats_source source;
    bl_stats_scaling scaling;                     /* what was asked for */
    bl_stats_value of[BL_STATS_DEFINITION_COUNT]; /* by bl_stats_definition */
    /* p above 7: steps leave perfect scaling and end at one place, b_crit; one number says all. */
    bool corner;
    bl_stats_noise noise;
    double scatter; /* standard deviation of the log steps of one run; NAN: not known */
    double scatter_freedom;
    /* The fit rests on the batch sizes from this one on; smaller ones take more examples than it or
     * a larger one, and no curve has that. 0: it rests on all. */
    double fitted_from;
    char verdict[BL_STATS_VERDICT]; /* one sentence, no newline */
} bl_stats_critical;

/* Points in any order, several per batch size allowed. BL_EINVAL names a point whose numbers are
 * out of range; too little data is not an error but known == false everywhere. */
bl_status bl_stats_critical_fit(bl_stats_critical *out, const bl_stats_point *points, size_t n,
                                const bl_stats_options *options, bl_err *err) BL_CHECKED;

/* Steps of what the answer rests on, curve or segments; NAN where it rests on nothing. */
double bl_stats_critical_at(const bl_stats_critical *c, double batch_size);

/* The factor by which the curve may lie higher or lower at a batch size; 1 where nothing is known.
 */
double bl_stats_curve_band(const bl_stats_curve_fit *fit, double batch_size);

/* One number of `second` over that of `first`, two sets of runs that have nothing in common, of
 * `series` that are compared in pairs: for two at 95 %, for more so wide that all pairs hold
 * together. The intervals' sides are joined by squares (MOVER: Zou and Donner 2008). */
bl_stats_value bl_stats_ratio_of(const bl_stats_value *first, const bl_stats_value *second,
                                 size_t series);

/* As in sweep.scaling; BL_STATS_SCALING_AUTO for NULL and any other name. */
bl_stats_scaling bl_stats_scaling_named(const char *name);
/* "seeds", "borrowed", "residuals", "none". */
const char *bl_stats_noise_name(bl_stats_noise noise);
/* "efficiency_50", "overhead_20", ... as in JSON and CSV. */
const char *bl_stats_definition_name(bl_stats_definition definition);

/* {"value":1000,"low":950,"high":1060,"bound":0}; what is unknown or unbounded is null. */
void bl_stats_value_json(bl_jw *w, const char *key, const bl_stats_value *v);
/* {b_crit, efficiency_50, overhead_20, perfect_scaling_end, max_useful, ...} */
void bl_stats_critical_json(bl_jw *w, const char *key, const bl_stats_critical *c);
/* {s_min, b_crit, p, worst_deviation, f_test} */
void bl_stats_curve_json(bl_jw *w, const char *key, const bl_stats_curve_fit *c);
/* The members of the object of `batchlab fit --json`; and as an object of their own. */
void bl_stats_fit_members(bl_jw *w, const bl_stats_critical *c);
void bl_stats_fit_json(bl_jw *w, const char *key, const bl_stats_critical *c);
/* For people, no more digits than the interval allows: "1020 (960 to 1100)", ">= 4096", "unknown".
 */
void bl_stats_value_text(bl_buf *out, const bl_stats_value *v);
/* Half the width of the interval, its closed side where the other is open; 0 without one. */
double bl_stats_half_width(const bl_stats_value *v);
/* x to the digits that an uncertainty of `half` leaves it; to three where half is not positive. */
double bl_stats_digits(double x, double half);
#endif
