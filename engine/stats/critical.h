/* Critical batch size, all definitions side by side, from steps-to-target at several batch sizes:
 * fits, bounds instead of silent extrapolation, bootstrap intervals, and a verdict in words.
 * docs/statistics.md derives the formulas. Pure: equal input gives equal bits. */
#ifndef BL_ENGINE_STATS_CRITICAL_H
#define BL_ENGINE_STATS_CRITICAL_H
#include "engine/base/buf.h"
#include "engine/base/json_writer.h"
#include "engine/base/status.h"
#include "engine/stats/fit.h"
#include "engine/stats/point.h"
#include "engine/stats/summary.h"
#include <stdint.h>

typedef struct bl_stats_hyperbola_fit {
    bool known, fits;         /* fits: worst_deviation <= BL_STATS_TOLERANCE */
    bl_stats_hyperbola curve; /* for drawing; may lie outside the measured range */
    bl_stats_value s_min, b_crit;
    double worst_deviation;
} bl_stats_hyperbola_fit;

typedef struct bl_stats_segments_fit {
    bool known, fits;
    bl_stats_segments curve;
    bl_stats_value examples; /* E_min: the perfect-scaling line is S = examples / B */
    bl_stats_value s_min;    /* the floor */
    bl_stats_value slope, knee_low, knee_high;
    double worst_deviation;
} bl_stats_segments_fit;

typedef struct bl_stats_critical {
    size_t points, batch_sizes, censored; /* censored: batch sizes whose median is */
    double batch_low, batch_high; /* measured range: batch sizes with an uncensored median */
    bl_stats_hyperbola_fit hyperbola;
    bl_stats_segments_fit segments;
    /* E_min / S_min, half the efficiency of small batches: the hyperbola's B_crit when that fits,
     * else where the segments' line and floor meet. */
    bl_stats_value efficiency_50;
    bl_stats_value overhead_20;         /* 20 % more steps than the fitted perfect-scaling line */
    bl_stats_value perfect_scaling_end; /* 10 % more */
    bl_stats_value max_useful;          /* steps within 10 % of the fitted floor */
    bool efficiency_by_segments;
    bl_stats_noise noise;
    char verdict[BL_STATS_VERDICT]; /* one sentence, no newline */
} bl_stats_critical;

/* Points in any order, several per batch size allowed. BL_EINVAL names a point whose numbers are
 * out of range; too little data is not an error but known == false everywhere. */
bl_status bl_stats_critical_fit(bl_stats_critical *out, const bl_stats_point *points, size_t n,
                                const bl_stats_options *options, bl_err *err) BL_CHECKED;

/* "seeds", "borrowed", "residuals", "none". */
const char *bl_stats_noise_name(bl_stats_noise noise);

/* {"value":1000,"low":950,"high":1060,"bound":0}; what is unknown or unbounded is null. */
void bl_stats_value_json(bl_jw *w, const char *key, const bl_stats_value *v);
/* {efficiency_50, overhead_20, perfect_scaling_end, max_useful} */
void bl_stats_critical_json(bl_jw *w, const char *key, const bl_stats_critical *c);
/* The whole object of `batchlab fit --json`. */
void bl_stats_fit_json(bl_jw *w, const char *key, const bl_stats_critical *c);
/* For people, three significant digits: "1020 (960 to 1100)", ">= 4096", "unknown". */
void bl_stats_value_text(bl_buf *out, const bl_stats_value *v);
#endif
