#include "engine/base/json.h"
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

/* Nine digits: more than any of these numbers deserves, and none that depends on the libm. */
static void json_number(bl_buf *out, double value) {
    char text[32];
    (void)snprintf(text, sizeof text, "%.9g", value);
    bl_json_f64(out, strtod(text, NULL));
}

void bl_stats_value_json(bl_buf *out, const bl_stats_value *v) {
    bl_buf_str(out, "{\"value\":");
    json_number(out, v->value);
    bl_buf_str(out, ",\"low\":");
    json_number(out, v->low);
    bl_buf_str(out, ",\"high\":");
    json_number(out, v->high);
    bl_buf_printf(out, ",\"bound\":%d}", v->bound);
}

static void member(bl_buf *out, const char *name, const bl_stats_value *v) {
    bl_buf_printf(out, "\"%s\":", name);
    bl_stats_value_json(out, v);
}

void bl_stats_critical_json(bl_buf *out, const bl_stats_critical *c) {
    bl_buf_str(out, "{");
    member(out, "efficiency_50", &c->efficiency_50);
    bl_buf_str(out, ",");
    member(out, "overhead_20", &c->overhead_20);
    bl_buf_str(out, ",");
    member(out, "perfect_scaling_end", &c->perfect_scaling_end);
    bl_buf_str(out, ",");
    member(out, "max_useful", &c->max_useful);
    bl_buf_str(out, "}");
}

static void deviation_and_fit(bl_buf *out, double deviation, bool fits) {
    /* A perfect fit is off by rounding errors alone: those are no number to print. */
    const bl_stats_value v = bl_stats_exact(deviation < 1e-9 ? 0 : deviation);
    bl_buf_str(out, ",");
    member(out, "worst_deviation", &v);
    bl_buf_printf(out, ",\"fits\":%s}", fits ? "true" : "false");
}

void bl_stats_fit_json(bl_buf *out, const bl_stats_critical *c) {
    bl_buf_printf(out, "{\"points\":%zu,\"batch_sizes\":%zu,\"censored\":%zu,", c->points,
                  c->batch_sizes, c->censored);
    bl_buf_printf(out, "\"noise\":\"%s\",\"level\":%g,\"verdict\":", bl_stats_noise_name(c->noise),
                  BL_STATS_LEVEL);
    bl_json_string(out, c->verdict);
    bl_buf_str(out, ",\"hyperbola\":{");
    member(out, "s_min", &c->hyperbola.s_min);
    bl_buf_str(out, ",");
    member(out, "b_crit", &c->hyperbola.b_crit);
    deviation_and_fit(out, c->hyperbola.worst_deviation, c->hyperbola.fits);
    bl_buf_str(out, ",\"segments\":{");
    member(out, "examples", &c->segments.examples);
    bl_buf_str(out, ",");
    member(out, "s_min", &c->segments.s_min);
    bl_buf_str(out, ",");
    member(out, "slope", &c->segments.slope);
    bl_buf_str(out, ",");
    member(out, "knee_low", &c->segments.knee_low);
    bl_buf_str(out, ",");
    member(out, "knee_high", &c->segments.knee_high);
    deviation_and_fit(out, c->segments.worst_deviation, c->segments.fits);
    bl_buf_str(out, ",\"critical\":");
    bl_stats_critical_json(out, c);
    bl_buf_str(out, "}");
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
