/* Several targets, or series, at once: steps against batch size; and examples against steps, the
 * trade-off behind every choice of a batch size. */
#include "engine/base/mem.h"
#include "engine/report/figures/figures.h"
#include "engine/report/text/sentences.h"
#include <math.h>
#include <stdio.h>

enum { PER_OCTAVE = 16, MOST_LINES = 6 };

static const bl_stats_value *steps_of(const bl_report_size *s) {
    return &s->costs.cost[BL_STATS_FEWEST_STEPS];
}

/* The hardest ones, when there are many. */
static size_t first_target(const bl_report_model *m) {
    return m->easier_count + 1 > MOST_LINES ? m->easier_count + 1 - MOST_LINES : 0;
}

/* Means of one target. */
static void points(bl_buf *dat, const bl_report_target *t) {
    size_t rows = 0;
    for (size_t i = 0; i < t->size_count; i++) {
        const bl_report_size *s = &t->sizes[i];
        const bl_stats_value *v = steps_of(s);
        if (!v->known || v->bound > 0) continue;
        BL_DAT_ROW(dat, s->batch_size, v->value, v->low, v->high, v->value * s->batch_size,
                   v->low * s->batch_size, v->high * s->batch_size, s->learning_rate);
        rows++;
    }
    if (rows == 0) bl_dat_nothing(dat, 8);
}

/* The curve that the answer for one target rests on. */
static void curve(bl_buf *dat, const bl_report_target *t) {
    const bl_stats_critical *c = &t->critical;
    const bool known = c->batch_high > c->batch_low;
    const int last = known ? (int)ceil(log2(c->batch_high / c->batch_low) * PER_OCTAVE) : 0;
    for (int k = 0; k <= last && known; k++) {
        const double b = fmin(c->batch_low * exp2((double)k / PER_OCTAVE), c->batch_high);
        const double s = bl_stats_critical_at(c, b);
        const double h =
            c->hyperbola.known ? bl_stats_curve_at(&c->hyperbola.curve, b) : (double)NAN;
        BL_DAT_ROW(dat, b, s, s * b, h, h * b);
    }
    if (!known) bl_dat_nothing(dat, 5);
}

/* One curve of the figure with its legend; the cross stands at `critical`. */
typedef struct line {
    bl_report_target target;
    bl_buf text;
    bl_stats_value critical;
} line;

typedef struct lines {
    line line[MOST_LINES];
    size_t count;
} lines;

/* A line for each target, the hardest last. */
static lines of_targets(const bl_report_model *m) {
    lines out = {0};
    for (size_t i = first_target(m); i <= m->easier_count; i++) {
        line *l = &out.line[out.count++];
        l->target = bl_report_target_at(m, i);
        l->critical = l->target.critical.of[BL_STATS_B_CRIT];
        bl_buf_printf(&l->text, "≤ %.4g", l->target.target);
    }
    return out;
}

/* Series that reached the target. */
static lines of_series(const bl_report_model *m) {
    lines out = {0};
    for (size_t i = 0; i < m->series_count && out.count < MOST_LINES; i++) {
        if (!m->series[i].main.best[BL_STATS_FEWEST_STEPS].known) continue;
        line *l = &out.line[out.count++];
        l->target = m->series[i].main;
        l->critical = l->target.critical.of[BL_STATS_B_CRIT];
        bl_buf_str(&l->text, m->series[i].name);
    }
    return out;
}

/* The texts alone: a line's target borrows the model's arrays. */
static void lines_free(lines *all) {
    for (size_t i = 0; i < all->count; i++) bl_buf_free(&all->line[i].text);
}

/* Points and curve of each line, in blocks that gnuplot finds by number. Takes the lines and
 * frees them. */
static void lines_data(bl_buf *dat, lines all) {
    char name[32];
    for (size_t i = 0; i < all.count; i++) {
        const line *l = &all.line[i];
        (void)snprintf(name, sizeof name, "target_%zu", i + 1);
        bl_dat_block(dat, name,
                     "batch_size steps low high examples examples_low examples_high rate");
        bl_buf_printf(dat, "# target %.9g\n", l->target.target);
        points(dat, &l->target);
        (void)snprintf(name, sizeof name, "curve_%zu", i + 1);
        bl_dat_block(dat, name, "batch_size steps examples hyperbola_steps hyperbola_examples");
        curve(dat, &l->target);
        (void)snprintf(name, sizeof name, "critical_%zu", i + 1);
        bl_dat_block(dat, name, "batch_size low high bound steps");
        BL_DAT_ROW(dat, l->critical.value, l->critical.low, l->critical.high, l->critical.bound,
                   l->critical.known ? bl_stats_critical_at(&l->target.critical, l->critical.value)
                                     : (double)NAN);
    }
    lines_free(&all);
}

static void targets_data(bl_buf *dat, const bl_report_model *m) {
    lines_data(dat, of_targets(m));
}

static void series_data(bl_buf *dat, const bl_report_model *m) {
    lines_data(dat, of_series(m));
}

/* The range of steps and examples over all lines. */
static void ranges(const lines *all, bl_axis *steps, bl_axis *examples) {
    for (size_t k = 0; k < all->count; k++) {
        const bl_report_target *t = &all->line[k].target;
        for (size_t i = 0; i < t->size_count; i++) {
            const bl_stats_value *v = steps_of(&t->sizes[i]);
            if (v->bound > 0) continue;
            const double each[] = {v->value, v->low, v->high};
            for (size_t j = 0; j < BL_COUNT(each); j++) {
                bl_axis_add(steps, each[j]);
                bl_axis_add(examples, each[j] * t->sizes[i].batch_size);
            }
        }
    }
}

/* The legend of each line, and of the cross that marks a critical batch size. */
static void names(bl_buf *gp, const lines *all, const char *cross) {
    bl_buf_printf(gp, "targets = %zu\narray target_text[%zu]\n", all->count, all->count);
    for (size_t i = 0; i < all->count; i++) {
        char variable[40];
        (void)snprintf(variable, sizeof variable, "target_text[%zu]", i + 1);
        bl_gp_text(gp, variable, bl_buf_text(&all->line[i].text));
    }
    bl_gp_text(gp, "cross_text", cross);
}

/* Steps against batch size, a line for each. */
static void steps_settings(bl_buf *gp, const bl_report_model *m, lines all, const char *cross,
                           const char *y_text) {
    bl_axis steps = {0}, examples = {0};
    ranges(&all, &steps, &examples);
    names(gp, &all, cross);
    bl_gp_batch_axis(gp, m);
    bl_gp_axis(gp, "y", &steps, 0.5, 0.5, BL_TICKS_PLAIN);
    bl_gp_text(gp, "y_text", y_text);
    lines_free(&all);
}

static bool reached(const bl_report_model *m) {
    return m->main.best[BL_STATS_FEWEST_STEPS].known;
}

static bool several(const bl_report_model *m) {
    return reached(m) && m->easier_count > 0;
}

static bool several_series(const bl_report_model *m) {
    lines all = of_series(m);
    lines_free(&all);
    return all.count > 1;
}

static void targets_settings(bl_buf *gp, const bl_report_model *m) {
    bl_buf text = {0};
    bl_buf_printf(&text, "steps to %s", m->plan.head.metric);
    steps_settings(gp, m, of_targets(m), "critical", bl_buf_text(&text));
    bl_buf_free(&text);
}

static void series_settings(bl_buf *gp, const bl_report_model *m) {
    steps_settings(gp, m, of_series(m), "critical", "steps");
}

/* At most this many points carry their batch size. */
enum { MOST_LABELS = 10 };

static void pareto_settings(bl_buf *gp, const bl_report_model *m) {
    bl_axis steps = {0}, examples = {0};
    lines all = of_targets(m);
    ranges(&all, &steps, &examples);
    names(gp, &all, "critical");
    lines_free(&all);
    bl_gp_axis(gp, "x", &steps, 0.4, 0.6, BL_TICKS_PLAIN);
    bl_gp_axis(gp, "y", &examples, 0.4, 0.6, BL_TICKS_SHORT);
    bl_buf text = {0};
    bl_buf_printf(&text, "steps to %s", m->plan.head.metric);
    bl_gp_text(gp, "x_text", bl_buf_text(&text));
    bl_gp_text(gp, "y_text", "examples");
    bl_buf_free(&text);
    bl_buf_printf(gp, "label_every = %zu\n", m->main.size_count / (MOST_LABELS + 1) + 1);
}

const bl_figure bl_figure_targets = {
    .name = "targets",
    .title = "Steps to each target",
    .caption = "Steps against batch size for each target; a cross is the critical batch size.",
    .has_data = several,
    .data = targets_data,
    .settings = targets_settings};

const bl_figure bl_figure_pareto = {
    .name = "pareto",
    .title = "Examples and steps to each target",
    .caption = "Examples against steps, one point for each batch size: fewer of the one cost more "
               "of the other.",
    .has_data = reached,
    .data = targets_data,
    .settings = pareto_settings};

const bl_figure bl_figure_series = {
    .name = "series",
    .title = "Steps to {target}, each series",
    .all_series = true,
    .template = "targets",
    .caption = "Steps to the target against batch size for each "
               "series; a cross is its critical batch size.",
    .has_data = several_series,
    .data = series_data,
    .settings = series_settings,
    .found = bl_sentences_ratios,
};
