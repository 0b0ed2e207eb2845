/* Curves for steps-to-target S against batch size B, fitted by weighted least squares in log space
 * to one mean per batch size:
 *
 *     the curve      S = s_min (1 + (b_crit / B)^p)^(1 / p), 1 <= p <= 64. With p = 1 it is the
 *                    hyperbola of McCandlish et al. 2018 (arXiv 1812.06162); p without end is a
 *                    corner at b_crit
 *     the segments   three straight ones on log-log axes, the regimes that Shallue et al. 2019
 *                    (arXiv 1811.03600) saw: a last resort where the curve is refused
 *
 * A censored cell (only ">=" is known) pulls a curve up when it lies below, and never down. All
 * fits are deterministic and start from a grid: no initial guess. */
#ifndef BL_ENGINE_STATS_FIT_H
#define BL_ENGINE_STATS_FIT_H
#include <stdbool.h>
#include <stddef.h>

/* One batch size, in natural logs. */
typedef struct bl_stats_cell {
    double log_b, log_s;
    double weight; /* > 0: the inverse of log_s' variance, or equal numbers where that is unknown */
    bool censored; /* log_s is only a lower bound */
} bl_stats_cell;

typedef struct bl_stats_curve {
    double s_min, b_crit, p;
} bl_stats_curve;

#define BL_STATS_SHAPE_MOST 64.0 /* of p: beyond it the data cannot be told from a corner */

/* Monotone, three segments on log-log axes:
 *     S = examples / B                       B <= knee_low     perfect scaling
 *     slope `slope` in [-1, 0]               in between
 *     constant                               B >= knee_high    maximal data parallelism */
typedef struct bl_stats_segments {
    double examples, slope, knee_low, knee_high;
} bl_stats_segments;

/* Smallest numbers of uncensored batch sizes with which a fit says anything. With three of them p
 * is 1. */
enum { BL_STATS_CURVE_MIN = 3, BL_STATS_SHAPE_MIN = 4, BL_STATS_SEGMENTS_MIN = 4 };

double bl_stats_curve_at(const bl_stats_curve *c, double batch_size);
double bl_stats_segments_at(const bl_stats_segments *g, double batch_size);
double bl_stats_segments_floor(const bl_stats_segments *g); /* S on the flat part */

/* log(S / s_min) of the curve where log(b_crit / B) = d. */
double bl_stats_curve_bend(double d, double p);

/* Cells ascending in log_b, each batch size once. False, with *out untouched, when there are too
 * few uncensored cells. p is searched up to p_most: 1 fits the hyperbola. b_crit is searched within
 * a factor of 1000 around the measured range, the knees within it. */
bool bl_stats_fit_curve(bl_stats_curve *out, const bl_stats_cell *cells, size_t n, double p_most);
bool bl_stats_fit_segments(bl_stats_segments *out, const bl_stats_cell *cells, size_t n);

/* The number of parameters that took a value inside their range: with p at an end of 1 to p_most it
 * is 2. There the loss of the free fit would lie below by the square of one normal number, so p
 * counts as none. */
int bl_stats_curve_free(const bl_stats_curve *c, double p_most);

/* The weighted sum of squared deviations at the best level s_min for u = log b_crit and p. */
double bl_stats_curve_loss(double u, double p, const bl_stats_cell *cells, size_t n);
/* That level, a = log s_min. */
double bl_stats_curve_level(double u, double p, const bl_stats_cell *cells, size_t n);
/* The loss at a given level. */
double bl_stats_curve_loss_at(double a, double u, double p, const bl_stats_cell *cells, size_t n);
double bl_stats_segments_loss(const bl_stats_segments *g, const bl_stats_cell *cells, size_t n);

/* The curve's slope in log s_min, log b_crit and log p where log(b_crit / B) = d. */
void bl_stats_curve_slopes(double by[3], double d, double p);
/* Covariance of the first n of them at a fit, weights being inverse variances. False where the
 * cells do not determine them. */
bool bl_stats_curve_covariance(double out[3][3], const bl_stats_curve *c, int n,
                               const bl_stats_cell *cells, size_t count);

/* Where f is least in [lo, hi], by golden section: f has one valley there. */
typedef double bl_stats_function(double x, const void *context);
double bl_stats_golden(bl_stats_function *f, const void *context, double lo, double hi, int steps);

/* Largest factor between a mean and the curve, minus 1 (0.15 = 15 %), in either direction; a
 * censored one counts only where the curve lies below it. */
double bl_stats_curve_deviation(const bl_stats_curve *c, const bl_stats_cell *cells, size_t n);
double bl_stats_segments_deviation(const bl_stats_segments *g, const bl_stats_cell *cells,
                                   size_t n);
#endif
