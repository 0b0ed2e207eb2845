/* Steps to the target against batch size: means with their intervals, the one curve with its band,
 * perfect scaling, and under the axis a scale of what the curve defines. */
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include "engine/report/figures/figures.h"
#include "engine/report/text/sentences.h"
#include <math.h>

enum { PER_OCTAVE = 16, HEIGHT = 470 /* style.gp's unit: 520 is the width */ };

static const bl_stats_value *steps_of(const bl_report_size *s) {
    return &s->costs.cost[BL_STATS_FEWEST_STEPS];
}

static bool has_data(const bl_report_model *m) {
    return m->main.size_count > 0;
}

static bl_axis batch_range(const bl_report_model *m) {
    bl_axis x = {0};
    for (size_t i = 0; i < m->main.size_count; i++) bl_axis_add(&x, m->main.sizes[i].batch_size);
    return x;
}

/* Examples of the perfect-scaling line: where the curve ends for small batches, else those of the
 * smallest batch size. */
static double line_examples(const bl_report_model *m) {
    const bl_stats_critical *c = &m->main.critical;
    if (c->source == BL_STATS_BY_CURVE) return c->curve.curve.s_min * c->curve.curve.b_crit;
    if (c->source == BL_STATS_BY_SEGMENTS) return c->segments.curve.examples;
    for (size_t i = 0; i < m->main.size_count; i++)
        if (steps_of(&m->main.sizes[i])->bound == 0) return bl_report_examples(&m->main.sizes[i]);
    return (double)NAN;
}

/* Means that are known, or only bounded (`censored`), with their intervals. */
static void means(bl_buf *dat, const bl_report_model *m, bool censored) {
    size_t rows = 0;
    for (size_t i = 0; i < m->main.size_count; i++) {
        const bl_report_size *s = &m->main.sizes[i];
        const bl_stats_value *v = steps_of(s);
        if (!v->known || (v->bound > 0) != censored) continue;
        BL_DAT_ROW(dat, s->batch_size, v->value, censored ? (double)NAN : v->low,
                   censored ? (double)NAN : v->high, (double)s->count, s->learning_rate,
                   s->bracketed);
        rows++;
    }
    if (rows == 0) bl_dat_nothing(dat, 7);
}

static void seeds(bl_buf *dat, const bl_report_model *m) {
    for (size_t i = 0; i < m->main.size_count; i++)
        for (size_t r = 0; r < m->main.sizes[i].count; r++) {
            const bl_stats_point *p = &m->main.sizes[i].points[r];
            BL_DAT_ROW(dat, p->batch_size, p->steps, p->steps_prev, (double)p->seed, p->censored);
        }
    if (m->main.size_count == 0) bl_dat_nothing(dat, 5);
}

/* The curve with its 95 % band, sampled evenly in the logarithm of the batch size. */
static void curves(bl_buf *dat, const bl_report_model *m) {
    const bl_axis x = batch_range(m);
    const bl_stats_critical *c = &m->main.critical;
    const double examples = line_examples(m);
    const int last = (int)ceil(log2(x.high / x.low) * PER_OCTAVE);
    for (int k = 0; k <= last; k++) {
        const double b = fmin(x.low * exp2((double)k / PER_OCTAVE), x.high),
                     at = bl_stats_critical_at(c, b);
        const double band = c->source == BL_STATS_BY_CURVE ? bl_stats_curve_band(&c->curve, b) : 1;
        BL_DAT_ROW(dat, b, examples / b, at, band > 1 ? at / band : (double)NAN,
                   band > 1 ? at * band : (double)NAN);
    }
}

static void critical_row(bl_buf *dat, const char *name, const bl_stats_value *v) {
    bl_buf_printf(dat, "# %s\n", name);
    BL_DAT_ROW(dat, v->value, v->low, v->high, v->bound);
}

static void data(bl_buf *dat, const bl_report_model *m) {
    const bl_stats_critical *c = &m->main.critical;
    bl_dat_block(dat, "reached", "batch_size steps low high seeds learning_rate bracketed");
    means(dat, m, false);
    bl_dat_block(dat, "censored", "batch_size steps low high seeds learning_rate bracketed");
    means(dat, m, true);
    bl_dat_block(dat, "seeds", "batch_size steps steps_before seed censored");
    seeds(dat, m);
    bl_dat_block(dat, "curves", "batch_size perfect_scaling curve low high");
    curves(dat, m);
    bl_dat_block(dat, "critical", "value low high bound");
    for (int i = 0; i < BL_STATS_DEFINITION_COUNT; i++)
        critical_row(dat, bl_stats_definition_name((bl_stats_definition)i), &c->of[i]);
}

/* Under the axis a row for each definition: its name in the left margin, its interval as a bar, its
 * value as a dot, open ends and bounds as arrows, and its numbers on the side that has more room.
 */
enum { MARKS = 5 };
/* As shares of the axis' width (scaling.gp): a character of the numbers, what lies between them and
 * the bar, and what is free to the right of the axis. */
static const double character_width = 0.0152, number_gap = 0.02, right_margin = 0.035;

static double clamp(double x, double low, double high) {
    return fmin(fmax(x, low), high);
}

/* The part of the axis from `left` to `right` that lies between a and b. */
static double share(double a, double b, double left, double right) {
    return log2(b / a) / log2(right / left);
}

static void set_mark(bl_buf *gp, int row, const char *field, double value) {
    bl_buf_printf(gp, "mark_%s[%d] = %.9g\n", field, row, value);
}

/* A definition of the critical batch size: its bar and its numbers. */
static void mark(bl_buf *gp, int row, const bl_stats_value *v, const char *name, double left,
                 double right) {
    const bool interval = bl_stats_has_interval(v);
    /* A bound's open side is the axis' end. */
    double low = v->bound < 0 ? left : clamp(interval ? v->low : v->value, left, right);
    double high = v->bound > 0 ? right : clamp(interval ? v->high : v->value, left, right);
    bl_buf text = {0};
    bl_stats_value_text(&text, v);
    /* An interval that leaves no room for the numbers is not drawn: they say it. */
    const double width = number_gap + character_width * (double)text.len;
    if (width >
        fmax(share(left, low, left, right), share(high, right, left, right) + right_margin)) {
        low = v->bound < 0 ? left : v->value;
        high = v->bound > 0 ? right : v->value;
    }
    set_mark(gp, row, "value", v->value);
    set_mark(gp, row, "low", low);
    set_mark(gp, row, "high", high);
    set_mark(gp, row, "style", 1 + (low <= left) + 2 * (high >= right));
    set_mark(gp, row, "on_left",
             share(left, low, left, right) > share(high, right, left, right) + right_margin);
    bl_buf_printf(gp, "mark_name[%d] = '%s'\nmark_text[%d] = '%s'\n", row, name, row,
                  bl_buf_text(&text));
    bl_buf_free(&text);
}

/* The definitions in rows; of a corner one number says all. */
static void mark_critical(bl_buf *gp, const bl_report_model *m, const bl_axis *x) {
    const bl_stats_critical *c = &m->main.critical;
    const struct {
        bl_stats_definition definition;
        const char *name;
    } marks[MARKS] = {
        {BL_STATS_PERFECT_END,   "10 % overhead"  },
        {BL_STATS_OVERHEAD_20,   "20 % overhead"  },
        {BL_STATS_B_CRIT,        "critical"       },
        {BL_STATS_EFFICIENCY_50, "half efficiency"},
        {BL_STATS_MAX_USEFUL,    "useful up to"   }
    };
    static const char *const fields[] = {"value",   "low",  "high", "style",
                                         "on_left", "name", "text"};
    for (size_t i = 0; i < BL_COUNT(fields); i++)
        bl_buf_printf(gp, "array mark_%s[%d]\n", fields[i], MARKS);
    int rows = 0;
    for (int i = 0; i < MARKS; i++) {
        const bl_stats_value *v = &c->of[marks[i].definition];
        const bool said = c->corner && marks[i].definition != BL_STATS_B_CRIT;
        if (v->known && !said)
            mark(gp, ++rows, v, c->corner ? "corner" : marks[i].name, x->low / sqrt(2),
                 x->high * sqrt(2));
    }
    bl_buf_printf(gp, "marks = %d\n", rows);
}

/* The axis covers the intervals, too, but not those of bounds, which have none. */
static void settings(bl_buf *gp, const bl_report_model *m) {
    const bl_axis x = bl_gp_batch_axis(gp, m);
    bl_axis y = {0};
    size_t censored = 0;
    for (size_t i = 0; i < m->main.size_count; i++) {
        const bl_stats_value *v = steps_of(&m->main.sizes[i]);
        bl_axis_add(&y, v->value);
        if (v->bound == 0) bl_axis_add(&y, v->low);
        if (v->bound == 0) bl_axis_add(&y, v->high);
        censored += v->bound > 0;
    }
    bl_gp_number(gp, "height", HEIGHT);
    bl_gp_number(gp, "data_low", y.low / exp2(0.3));
    bl_gp_axis(gp, "y", &y, 0.3, 0.5, BL_TICKS_PLAIN);
    bl_buf_printf(gp, "has_censored = %d\nhas_reached = %d\n", censored > 0,
                  m->main.best[BL_STATS_FEWEST_STEPS].known);
    bl_gp_text(gp, "curve_text",
               m->main.critical.source == BL_STATS_BY_CURVE      ? "fitted curve"
               : m->main.critical.source == BL_STATS_BY_SEGMENTS ? "three segments"
                                                                 : "");
    bl_gp_text(gp, "y_text", "steps");
    mark_critical(gp, m, &x);
}

const bl_figure bl_figure_scaling = {
    .name = "scaling",
    .title = "Steps to {target}",
    .caption = "Steps to the target against batch size, learning rate retuned for each.",
    .has_data = has_data,
    .data = data,
    .settings = settings,
    .found = bl_sentences_critical,
};
