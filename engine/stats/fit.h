/* Two curves for steps-to-target S against batch size B, fitted by least squares in log space to
 * one median per batch size. A censored median (only ">=" is known) pulls the curve up when it lies
 * below, and never down. Both fits are deterministic and start from a grid: no initial guess. */
#ifndef BL_ENGINE_STATS_FIT_H
#define BL_ENGINE_STATS_FIT_H
#include <stdbool.h>
#include <stddef.h>

/* One batch size, in natural logs. */
typedef struct bl_stats_cell {
    double log_b, log_s;
    bool censored; /* log_s is only a lower bound */
} bl_stats_cell;

/* S = s_min (1 + b_crit / B) (McCandlish 2018). */
typedef struct bl_stats_hyperbola {
    double s_min, b_crit;
} bl_stats_hyperbola;

/* Monotone, three segments on log-log axes (the regimes of Shallue 2018):
 *     S = examples / B                       B <= knee_low     perfect scaling
 *     slope `slope` in [-1, 0]               in between
 *     constant                               B >= knee_high    maximal data parallelism */
typedef struct bl_stats_segments {
    double examples, slope, knee_low, knee_high;
} bl_stats_segments;

/* Smallest numbers of uncensored batch sizes with which a fit says anything. */
enum { BL_STATS_HYPERBOLA_MIN = 3, BL_STATS_SEGMENTS_MIN = 4 };

double bl_stats_hyperbola_at(const bl_stats_hyperbola *h, double batch_size);
double bl_stats_segments_at(const bl_stats_segments *g, double batch_size);
double bl_stats_segments_floor(const bl_stats_segments *g); /* S on the flat part */

/* Cells ascending in log_b, each batch size once. False, with *out untouched, when there are too
 * few uncensored cells. b_crit is searched within a factor of 1000 around the measured range, the
 * knees within it. */
bool bl_stats_fit_hyperbola(bl_stats_hyperbola *out, const bl_stats_cell *cells, size_t n);
bool bl_stats_fit_segments(bl_stats_segments *out, const bl_stats_cell *cells, size_t n);

/* Largest factor between a median and the curve, minus 1 (0.15 = 15 %), in either direction; a
 * censored median counts only where the curve lies below it. */
double bl_stats_hyperbola_deviation(const bl_stats_hyperbola *h, const bl_stats_cell *cells,
                                    size_t n);
double bl_stats_segments_deviation(const bl_stats_segments *g, const bl_stats_cell *cells,
                                   size_t n);
#endif
