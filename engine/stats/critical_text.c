/* Critical batch sizes as JSON and as text. */
#include "engine/base/mem.h"
#include "engine/stats/critical.h"
#include <math.h>
#include <stdio.h>

const char *bl_stats_noise_name(bl_stats_noise noise) {
    static const char *const names[] = {[BL_STATS_NOISE_NONE] = "none",
                                        [BL_STATS_NOISE_SEEDS] = "seeds",
                                        [BL_STATS_NOISE_BORROWED] = "borrowed",
                                        [BL_STATS_NOISE_RESIDUALS] = "residuals"};
    _Static_assert(BL_COUNT(names) == BL_STATS_NOISE_COUNT, "a name for each");
    return names[noise];
}

void bl_stats_value_json(bl_jw *w, const char *key, const bl_stats_value *v) {
    bl_jw_object(w, key);
    bl_jw_f64_rounded(w, "value", v->value);
    bl_jw_f64_rounded(w, "low", v->low);
    bl_jw_f64_rounded(w, "high", v->high);
    bl_jw_i64(w, "bound", v->bound);
    bl_jw_end(w);
}

void bl_stats_critical_json(bl_jw *w, const char *key, const bl_stats_critical *c) {
    bl_jw_object(w, key);
    bl_stats_value_json(w, "efficiency_50", &c->efficiency_50);
    bl_stats_value_json(w, "overhead_20", &c->overhead_20);
    bl_stats_value_json(w, "perfect_scaling_end", &c->perfect_scaling_end);
    bl_stats_value_json(w, "max_useful", &c->max_useful);
    bl_jw_end(w);
}

static void deviation_and_fit(bl_jw *w, double deviation, bool fits) {
    /* A perfect fit is off by rounding errors alone: those are no number to print. */
    const bl_stats_value v = bl_stats_exact(deviation < 1e-9 ? 0 : deviation);
    bl_stats_value_json(w, "worst_deviation", &v);
    bl_jw_bool(w, "fits", fits);
}

static void hyperbola_json(bl_jw *w, const bl_stats_critical *c) {
    bl_jw_object(w, "hyperbola");
    bl_stats_value_json(w, "s_min", &c->hyperbola.s_min);
    bl_stats_value_json(w, "b_crit", &c->hyperbola.b_crit);
    deviation_and_fit(w, c->hyperbola.worst_deviation, c->hyperbola.fits);
    bl_jw_end(w);
}

static void segments_json(bl_jw *w, const bl_stats_critical *c) {
    bl_jw_object(w, "segments");
    bl_stats_value_json(w, "examples", &c->segments.examples);
    bl_stats_value_json(w, "s_min", &c->segments.s_min);
    bl_stats_value_json(w, "slope", &c->segments.slope);
    bl_stats_value_json(w, "knee_low", &c->segments.knee_low);
    bl_stats_value_json(w, "knee_high", &c->segments.knee_high);
    deviation_and_fit(w, c->segments.worst_deviation, c->segments.fits);
    bl_jw_end(w);
}

void bl_stats_fit_json(bl_jw *w, const char *key, const bl_stats_critical *c) {
    bl_jw_object(w, key);
    bl_jw_i64(w, "points", (int64_t)c->points);
    bl_jw_i64(w, "batch_sizes", (int64_t)c->batch_sizes);
    bl_jw_i64(w, "censored", (int64_t)c->censored);
    bl_jw_str(w, "noise", bl_stats_noise_name(c->noise));
    bl_jw_f64(w, "level", BL_STATS_LEVEL);
    bl_jw_str(w, "verdict", c->verdict);
    hyperbola_json(w, c);
    segments_json(w, c);
    bl_stats_critical_json(w, "critical", c);
    bl_jw_end(w);
}

static void number_text(bl_buf *out, double value) {
    if (fabs(value) >= 1e7)
        bl_buf_printf(out, "%.4g", value);
    else if (fabs(value) >= 100)
        bl_buf_printf(out, "%.0f", value);
    else
        bl_buf_printf(out, "%.3g", value);
}

void bl_stats_value_text(bl_buf *out, const bl_stats_value *v) {
    if (!v->known) {
        bl_buf_str(out, "unknown");
        return;
    }
    if (v->bound != 0) bl_buf_str(out, v->bound > 0 ? ">= " : "<= ");
    number_text(out, v->value);
    if (!bl_stats_has_interval(v)) return;
    const bool low = v->low != 0, high = isfinite(v->high);
    if (!low && !high) {
        if (v->bound == 0) bl_buf_str(out, " (0 and up)");
        return;
    }
    /* A bound with the interval's end on it says nothing new. */
    if (v->bound > 0 && !high && v->low == v->value) return;
    if (v->bound < 0 && !low && v->high == v->value) return;
    bl_buf_str(out, " (");
    if (low) number_text(out, v->low);
    bl_buf_str(out, low && high ? " to " : low ? " and up" : "up to ");
    if (high) number_text(out, v->high);
    bl_buf_str(out, ")");
}
