/* Critical batch sizes as JSON and as text. */
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include "engine/stats/critical.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

const char *bl_stats_noise_name(bl_stats_noise noise) {
    static const char *const names[] = {[BL_STATS_NOISE_NONE] = "none",
                                        [BL_STATS_NOISE_SEEDS] = "seeds",
                                        [BL_STATS_NOISE_BORROWED] = "borrowed",
                                        [BL_STATS_NOISE_RESIDUALS] = "residuals"};
    _Static_assert(BL_COUNT(names) == BL_STATS_NOISE_COUNT, "a name for each");
    return names[noise];
}

bl_stats_scaling bl_stats_scaling_named(const char *name) {
    static const char *const names[] = {[BL_STATS_SCALING_AUTO] = "auto",
                                        [BL_STATS_SCALING_CURVE] = "curve",
                                        [BL_STATS_SCALING_SEGMENTS] = "segments"};
    _Static_assert(BL_COUNT(names) == BL_STATS_SCALING_COUNT, "a name for each");
    for (int i = 0; i < BL_STATS_SCALING_COUNT && name != NULL; i++)
        if (strcmp(name, names[i]) == 0) return (bl_stats_scaling)i;
    return BL_STATS_SCALING_AUTO;
}

void bl_stats_value_json(bl_jw *w, const char *key, const bl_stats_value *v) {
    bl_jw_object(w, key);
    bl_jw_f64_rounded(w, "value", v->value);
    bl_jw_f64_rounded(w, "low", v->low);
    bl_jw_f64_rounded(w, "high", v->high);
    bl_jw_i64(w, "bound", v->bound);
    bl_jw_end(w);
}

const char *bl_stats_definition_name(bl_stats_definition definition) {
    static const char *const names[] = {[BL_STATS_B_CRIT] = "b_crit",
                                        [BL_STATS_EFFICIENCY_50] = "efficiency_50",
                                        [BL_STATS_OVERHEAD_20] = "overhead_20",
                                        [BL_STATS_PERFECT_END] = "perfect_scaling_end",
                                        [BL_STATS_MAX_USEFUL] = "max_useful",
                                        [BL_STATS_OVERHEAD_20_FROM] = "overhead_20_from_smallest"};
    _Static_assert(BL_COUNT(names) == BL_STATS_DEFINITION_COUNT, "a name for each");
    return names[definition];
}

void bl_stats_critical_json(bl_jw *w, const char *key, const bl_stats_critical *c) {
    bl_jw_object(w, key);
    for (int i = 0; i < BL_STATS_DEFINITION_COUNT; i++)
        bl_stats_value_json(w, bl_stats_definition_name((bl_stats_definition)i), &c->of[i]);
    bl_jw_end(w);
}

static void deviation_json(bl_jw *w, double deviation) {
    /* A perfect fit is off by rounding errors alone: those are no number to print. */
    const bl_stats_value v = bl_stats_exact(deviation < 1e-7 ? 0 : deviation);
    bl_stats_value_json(w, "worst_deviation", &v);
}

static void test_json(bl_jw *w, const bl_stats_test *t) {
    if (!t->known) {
        bl_jw_null(w, "f_test");
        return;
    }
    bl_jw_object(w, "f_test");
    bl_jw_f64_rounded(w, "f", t->f);
    bl_jw_f64_rounded(w, "df1", t->df1);
    bl_jw_f64_rounded(w, "df2", t->df2);
    bl_jw_f64_rounded(w, "p_value", t->p_value);
    bl_jw_end(w);
}

/* Without a test there is no verdict. */
static void fits_json(bl_jw *w, const bl_stats_test *t, bool refused) {
    if (t->known)
        bl_jw_bool(w, "fits", !refused);
    else
        bl_jw_null(w, "fits");
}

void bl_stats_curve_json(bl_jw *w, const char *key, const bl_stats_curve_fit *c) {
    bl_jw_object(w, key);
    bl_stats_value_json(w, "s_min", &c->s_min);
    bl_stats_value_json(w, "b_crit", &c->b_crit);
    bl_stats_value_json(w, "p", &c->p);
    deviation_json(w, c->worst_deviation);
    bl_stats_value_json(w, "rms", &c->rms);
    test_json(w, &c->lack);
    bl_jw_end(w);
}

static void hyperbola_json(bl_jw *w, const bl_stats_curve_fit *c) {
    bl_jw_object(w, "hyperbola");
    bl_stats_value_json(w, "s_min", &c->s_min);
    bl_stats_value_json(w, "b_crit", &c->b_crit);
    deviation_json(w, c->worst_deviation);
    fits_json(w, &c->lack, c->refused);
    test_json(w, &c->lack);
    bl_jw_end(w);
}

/* null unless they stand in for the curve. */
static void segments_json(bl_jw *w, const bl_stats_segments_fit *s) {
    if (!s->known) {
        bl_jw_null(w, "segments");
        return;
    }
    bl_jw_object(w, "segments");
    bl_stats_value_json(w, "examples", &s->examples);
    bl_stats_value_json(w, "s_min", &s->s_min);
    bl_stats_value_json(w, "slope", &s->slope);
    bl_stats_value_json(w, "knee_low", &s->knee_low);
    bl_stats_value_json(w, "knee_high", &s->knee_high);
    deviation_json(w, s->worst_deviation);
    fits_json(w, &s->lack, s->refused);
    test_json(w, &s->lack);
    bl_jw_end(w);
}

void bl_stats_fit_members(bl_jw *w, const bl_stats_critical *c) {
    bl_jw_i64(w, "points", (int64_t)c->points);
    bl_jw_i64(w, "batch_sizes", (int64_t)c->batch_sizes);
    bl_jw_i64(w, "censored", (int64_t)c->censored);
    bl_jw_str(w, "noise", bl_stats_noise_name(c->noise));
    bl_jw_f64(w, "level", BL_STATS_LEVEL);
    bl_jw_str(w, "verdict", c->verdict);
    bl_jw_f64_rounded(w, "scatter", c->scatter);
    if (c->fitted_from > 0) bl_jw_f64_rounded(w, "fitted_from", c->fitted_from);
    bl_stats_curve_json(w, "curve", &c->curve);
    hyperbola_json(w, &c->hyperbola);
    segments_json(w, &c->segments);
    bl_stats_critical_json(w, "critical", c);
}

void bl_stats_fit_json(bl_jw *w, const char *key, const bl_stats_critical *c) {
    bl_jw_object(w, key);
    bl_stats_fit_members(w, c);
    bl_jw_end(w);
}

double bl_stats_digits(double x, double half) {
    if (x == 0 || !isfinite(x)) return x;
    const double most = pow(10, floor(log10(fabs(x)))); /* at least one digit */
    /* The last digit is between a 25th and two fifths of the uncertainty. */
    double unit = pow(10, floor(log10(half / 2.5)));
    if (!(half > 0 && isfinite(half))) unit = most / 100;
    unit = fmin(unit, most);
    return round(x / unit) * unit;
}

/* `half` NAN: a measured batch size, exact. */
static void number_text(bl_buf *out, double x, double half) {
    const double value = isnan(half) ? x : bl_stats_digits(x, half);
    if (fabs(value) >= 1e7)
        bl_buf_printf(out, "%.3g", value);
    else if (fabs(value) >= 100)
        bl_format_count(out, value);
    else
        bl_buf_printf(out, "%.3g", value);
}

/* Half the interval, or of one that is open on one side the side that is known; 0 where there is
 * none. */
double bl_stats_half_width(const bl_stats_value *v) {
    if (!bl_stats_has_interval(v)) return 0;
    const double low = v->low != 0 ? v->value - v->low : 0;
    const double high = isfinite(v->high) ? v->high - v->value : 0;
    return low > 0 && high > 0 ? (low + high) / 2 : fmax(low, high);
}

/*     412 (371 to 455)      >= 2,048      310 (290 and up)      95 (open)      unknown
 *
 * All numbers of a value have the digits that its half width leaves. */
void bl_stats_value_text(bl_buf *out, const bl_stats_value *v) {
    if (!v->known) {
        bl_buf_str(out, "unknown");
        return;
    }
    if (v->bound != 0) bl_buf_str(out, v->bound > 0 ? ">= " : "<= ");
    const double half = bl_stats_half_width(v);
    number_text(out, v->value, v->bound == 0 ? half : (double)NAN);
    if (!bl_stats_has_interval(v)) return;
    const bool low = v->low != 0, high = isfinite(v->high);
    if (!low && !high) {
        if (v->bound == 0) bl_buf_str(out, " (open)");
        return;
    }
    /* A bound with the interval's end on it says nothing new. */
    if (v->bound > 0 && !high && v->low == v->value) return;
    if (v->bound < 0 && !low && v->high == v->value) return;
    bl_buf_str(out, " (");
    if (low) number_text(out, v->low, half);
    bl_buf_str(out, low && high ? " to " : low ? " and up" : "up to ");
    if (high) number_text(out, v->high, half);
    bl_buf_str(out, ")");
}
