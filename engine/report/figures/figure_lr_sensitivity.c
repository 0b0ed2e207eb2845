/* Steps to the target against learning rate, one curve for each batch size. */
#include "engine/base/mem.h"
#include "engine/report/figures/figures.h"
#include "engine/report/text/sentences.h"
#include <math.h>
#include <stdio.h>

static bool has_data(const bl_report_model *m) {
    return m->main.size_count > 0 && m->trial_count > 0;
}

/* Is it drawn? Of the rates that were stopped those next to the ones that arrived: further ones say
 * nothing more, and a search of the whole grid has many. Where none arrived all are drawn. */
static bool is_shown(const bl_report_model *m, const bl_sensitivity_rate *rate) {
    double low = HUGE_VAL, high = 0, next_low = 0, next_high = HUGE_VAL;
    for (size_t i = 0; i < m->rate_count; i++) {
        const bl_sensitivity_rate *r = &m->rates[i];
        if (r->batch_size != rate->batch_size || !isfinite(r->steps)) continue;
        low = fmin(low, r->learning_rate);
        high = fmax(high, r->learning_rate);
    }
    for (size_t i = 0; i < m->rate_count; i++) {
        const bl_sensitivity_rate *r = &m->rates[i];
        if (r->batch_size != rate->batch_size || isfinite(r->steps)) continue;
        if (r->learning_rate < low) next_low = fmax(next_low, r->learning_rate);
        if (r->learning_rate > high) next_high = fmin(next_high, r->learning_rate);
    }
    return high == 0 || (rate->learning_rate >= next_low && rate->learning_rate <= next_high);
}

/* The rates of one batch size: those that arrived, or those that were stopped. */
static void block(bl_buf *dat, const bl_report_model *m, double batch_size, bool arrived) {
    size_t rows = 0;
    for (size_t i = 0; i < m->rate_count; i++) {
        const bl_sensitivity_rate *r = &m->rates[i];
        if (r->batch_size != batch_size || isfinite(r->steps) != arrived) continue;
        BL_DAT_ROW(dat, r->learning_rate, arrived ? r->steps : r->ran, (double)r->trials,
                   (double)r->arrived, (double)is_shown(m, r));
        rows++;
    }
    if (rows == 0) bl_dat_nothing(dat, 5);
}

/* The steps of the best rate as its curve has them: a median over seeds, where the answer has
 * a mean. */
static double best_steps(const bl_report_model *m, const bl_report_size *s) {
    for (size_t i = 0; i < m->rate_count; i++)
        if (m->rates[i].batch_size == s->batch_size &&
            m->rates[i].learning_rate == s->learning_rate && isfinite(m->rates[i].steps))
            return m->rates[i].steps;
    return (double)NAN;
}

/* Two blocks for each batch size that is drawn, arrived_N and lost_N, and the best rate of each. */
static void data(bl_buf *dat, const bl_report_model *m) {
    size_t index[BL_FIGURE_LINES];
    const size_t lines = bl_figure_choose(m->main.size_count, index);
    for (size_t i = 0; i < lines; i++) {
        const double batch_size = m->main.sizes[index[i]].batch_size;
        char name[32];
        (void)snprintf(name, sizeof name, "arrived_%zu", i + 1);
        bl_dat_block(dat, name, "learning_rate steps trials arrived shown");
        bl_buf_printf(dat, "# batch size %.9g\n", batch_size);
        block(dat, m, batch_size, true);
        (void)snprintf(name, sizeof name, "lost_%zu", i + 1);
        bl_dat_block(dat, name, "learning_rate at_least trials arrived shown");
        bl_buf_printf(dat, "# batch size %.9g\n", batch_size);
        block(dat, m, batch_size, false);
    }
    bl_dat_block(dat, "best", "learning_rate steps");
    for (size_t i = 0; i < lines; i++) {
        const bl_report_size *s = &m->main.sizes[index[i]];
        BL_DAT_ROW(dat, s->learning_rate, best_steps(m, s));
    }
}

/* A rate that never arrived stands at the steps it ran. */
static void settings(bl_buf *gp, const bl_report_model *m) {
    size_t index[BL_FIGURE_LINES];
    const size_t lines = bl_figure_choose(m->main.size_count, index);
    bl_axis x = {0}, y = {0};
    bool lost = false;
    for (size_t i = 0; i < m->rate_count; i++) {
        if (!is_shown(m, &m->rates[i])) continue;
        bl_axis_add(&x, m->rates[i].learning_rate);
        bl_axis_add(&y, isfinite(m->rates[i].steps) ? m->rates[i].steps : m->rates[i].ran);
        lost = lost || isinf(m->rates[i].steps);
    }
    double batch_sizes[BL_FIGURE_LINES];
    for (size_t i = 0; i < lines; i++) batch_sizes[i] = m->main.sizes[index[i]].batch_size;
    bl_gp_lines(gp, batch_sizes, lines);
    bl_buf_printf(gp, "has_lost = %d\n", lost);
    bl_gp_axis(gp, "x", &x, 0.4, 0.4, BL_TICKS_POWERS);
    bl_gp_axis(gp, "y", &y, 0.4, 0.4, BL_TICKS_PLAIN);
    bl_gp_text(gp, "y_text", "steps");
}

const bl_figure bl_figure_lr_sensitivity = {
    .name = "lr_sensitivity",
    .title = "Steps to {target} at each rate",
    .caption = "Steps to the target against learning rate; triangles are the nearest rates that "
               "were stopped there, without having arrived.",
    .has_data = has_data,
    .data = data,
    .settings = settings,
    .found = bl_sentences_rate_ties,
};
