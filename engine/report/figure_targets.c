/* Several targets at once: steps against batch size, and examples against steps, the trade-off
 * behind every choice of a batch size. */
#include "engine/base/mem.h"
#include "engine/report/figures.h"
#include <math.h>
#include <stdio.h>

enum { PER_OCTAVE = 16, MOST_TARGETS = 6 };

static const bl_stats_value *steps_of(const bl_report_size *s) {
    return &s->join.cost[BL_STATS_FEWEST_STEPS];
}

/* The hardest ones, when there are many. */
static size_t first_target(const bl_answer *a) {
    return a->easier_count + 1 > MOST_TARGETS ? a->easier_count + 1 - MOST_TARGETS : 0;
}

/* The curve the answer rests on. */
static double fitted(const bl_stats_critical *c, double batch_size) {
    if (c->hyperbola.known && (c->hyperbola.fits || !c->segments.known))
        return bl_stats_hyperbola_at(&c->hyperbola.curve, batch_size);
    return c->segments.known ? bl_stats_segments_at(&c->segments.curve, batch_size) : (double)NAN;
}

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

static void curve(bl_buf *dat, const bl_report_target *t) {
    const bl_stats_critical *c = &t->critical;
    const bool known = c->batch_high > c->batch_low;
    const int last = known ? (int)ceil(log2(c->batch_high / c->batch_low) * PER_OCTAVE) : 0;
    for (int k = 0; k <= last && known; k++) {
        const double b = fmin(c->batch_low * exp2((double)k / PER_OCTAVE), c->batch_high);
        const double s = fitted(c, b);
        const double h =
            c->hyperbola.known ? bl_stats_hyperbola_at(&c->hyperbola.curve, b) : (double)NAN;
        BL_DAT_ROW(dat, b, s, s * b, h, h * b);
    }
    if (!known) bl_dat_nothing(dat, 5);
}

static void data(bl_buf *dat, const bl_answer *a) {
    const size_t first = first_target(a);
    char name[32];
    for (size_t i = first; i <= a->easier_count; i++) {
        const bl_report_target t = bl_answer_target(a, i);
        const bl_stats_value *critical = &t.critical.efficiency_50;
        (void)snprintf(name, sizeof name, "target_%zu", i - first + 1);
        bl_dat_block(dat, name,
                     "batch_size steps low high examples examples_low examples_high rate");
        bl_buf_printf(dat, "# target %.9g\n", t.target);
        points(dat, &t);
        (void)snprintf(name, sizeof name, "curve_%zu", i - first + 1);
        bl_dat_block(dat, name, "batch_size steps examples hyperbola_steps hyperbola_examples");
        curve(dat, &t);
        (void)snprintf(name, sizeof name, "critical_%zu", i - first + 1);
        bl_dat_block(dat, name, "batch_size low high bound steps");
        BL_DAT_ROW(dat, critical->value, critical->low, critical->high, critical->bound,
                   critical->known ? fitted(&t.critical, critical->value) : (double)NAN);
    }
}

/* The range of steps and examples over all targets. */
static void ranges(const bl_answer *a, bl_axis *steps, bl_axis *examples) {
    for (size_t k = first_target(a); k <= a->easier_count; k++) {
        const bl_report_target t = bl_answer_target(a, k);
        for (size_t i = 0; i < t.size_count; i++) {
            const bl_stats_value *v = steps_of(&t.sizes[i]);
            if (v->bound > 0) continue;
            const double each[] = {v->value, v->low, v->high};
            for (size_t j = 0; j < BL_COUNT(each); j++) {
                bl_axis_add(steps, each[j]);
                bl_axis_add(examples, each[j] * t.sizes[i].batch_size);
            }
        }
    }
}

static void names(bl_buf *gp, const bl_answer *a) {
    const size_t first = first_target(a), n = a->easier_count + 1 - first;
    bl_buf_printf(gp, "targets = %zu\narray target_text[%zu]\n", n, n);
    for (size_t i = 0; i < n; i++) {
        bl_buf text = {0};
        bl_buf_printf(&text, "≤ %.4g", bl_answer_target(a, first + i).target);
        bl_buf_printf(gp, "target_text[%zu] = '%s'\n", i + 1, bl_buf_text(&text));
        bl_buf_free(&text);
    }
}

static bool reached(const bl_answer *a) {
    return a->best[BL_STATS_FEWEST_STEPS].known;
}

static bool several(const bl_answer *a) {
    return reached(a) && a->easier_count > 0;
}

static void targets_settings(bl_buf *gp, const bl_answer *a) {
    bl_axis steps = {0}, examples = {0};
    ranges(a, &steps, &examples);
    names(gp, a);
    bl_gp_batch_axis(gp, a);
    bl_gp_axis(gp, "y", &steps, 0.5, 0.5, BL_TICKS_PLAIN);
    bl_buf text = {0};
    bl_buf_printf(&text, "steps to %s", a->metric);
    bl_gp_text(gp, "y_text", bl_buf_text(&text));
    bl_buf_free(&text);
}

/* At most this many points carry their batch size. */
enum { MOST_LABELS = 10 };

static void pareto_settings(bl_buf *gp, const bl_answer *a) {
    bl_axis steps = {0}, examples = {0};
    ranges(a, &steps, &examples);
    names(gp, a);
    bl_gp_axis(gp, "x", &steps, 0.4, 0.6, BL_TICKS_PLAIN);
    bl_gp_axis(gp, "y", &examples, 0.4, 0.6, BL_TICKS_SHORT);
    bl_buf text = {0};
    bl_buf_printf(&text, "steps to %s", a->metric);
    bl_gp_text(gp, "x_text", bl_buf_text(&text));
    bl_gp_text(gp, "y_text", "examples");
    bl_buf_free(&text);
    bl_buf_printf(gp, "label_every = %zu\n", a->size_count / (MOST_LABELS + 1) + 1);
}

const bl_figure bl_figure_targets = {
    .name = "targets",
    .caption = "Steps against batch size for each target; a cross is the critical batch size.",
    .has_data = several,
    .data = data,
    .settings = targets_settings};

const bl_figure bl_figure_pareto = {
    .name = "pareto",
    .caption = "Examples against steps, one point for each batch size: fewer of the one cost more "
               "of the other.",
    .has_data = reached,
    .data = data,
    .settings = pareto_settings};
