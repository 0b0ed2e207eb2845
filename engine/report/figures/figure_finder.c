/* The learning-rate finder: smoothed loss against rate, one curve for each batch size, and the
 * three rates that it suggests. */
#include "engine/report/figures/figures.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* In the order of scripts/lua/finder.lua. */
static const char *const k_names[BL_REPORT_SUGGESTIONS] = {"steepest", "valley", "minimum/10"};

static bool has_data(const bl_report_model *m) {
    return m->finder_count > 0;
}

/* The curve's loss at the rate that is nearest to `rate`. */
static double loss_at(const bl_report_finder *f, double rate) {
    size_t best = 0;
    for (size_t i = 1; i < f->points; i++)
        if (fabs(log(f->point[i].learning_rate / rate)) <
            fabs(log(f->point[best].learning_rate / rate)))
            best = i;
    return f->point[best].loss;
}

/* Where finder f's suggestion of that name stands. */
static bool suggested(const bl_report_finder *f, const char *name, double *rate) {
    for (size_t i = 0; i < f->suggestions; i++)
        if (strcmp(f->suggestion[i].name, name) == 0 && f->suggestion[i].learning_rate > 0.0) {
            *rate = f->suggestion[i].learning_rate;
            return true;
        }
    return false;
}

/* A curve for each finder that is drawn, and a block of points for each kind of suggestion. */
static void data(bl_buf *dat, const bl_report_model *m) {
    size_t index[BL_FIGURE_LINES];
    const size_t lines = bl_figure_choose(m->finder_count, index);
    char name[32];
    for (size_t i = 0; i < lines; i++) {
        const bl_report_finder *f = &m->finders[index[i]];
        (void)snprintf(name, sizeof name, "curve_%zu", i + 1);
        bl_dat_block(dat, name, "learning_rate loss");
        for (size_t k = 0; k < f->points; k++)
            BL_DAT_ROW(dat, f->point[k].learning_rate, f->point[k].loss);
    }
    for (size_t s = 0; s < BL_REPORT_SUGGESTIONS; s++) {
        size_t rows = 0;
        (void)snprintf(name, sizeof name, "suggestion_%zu", s + 1);
        bl_dat_block(dat, name, "learning_rate loss batch_size");
        for (size_t i = 0; i < lines; i++) {
            const bl_report_finder *f = &m->finders[index[i]];
            double rate;
            if (!suggested(f, k_names[s], &rate)) continue;
            BL_DAT_ROW(dat, rate, loss_at(f, rate), f->batch_size);
            rows++;
        }
        if (rows == 0) bl_dat_nothing(dat, 3);
    }
}

/* The loss climbs steeply once the rate is too large. The axis takes of that wall only what lies
 * within 4 times the lowest loss, but always the first half of the curve. */
static void settings(bl_buf *gp, const bl_report_model *m) {
    size_t index[BL_FIGURE_LINES];
    const size_t lines = bl_figure_choose(m->finder_count, index);
    double batch_sizes[BL_FIGURE_LINES];
    bl_axis x = {0}, y = {0};
    for (size_t i = 0; i < lines; i++) {
        const bl_report_finder *f = &m->finders[index[i]];
        double lowest = HUGE_VAL;
        batch_sizes[i] = f->batch_size;
        for (size_t k = 0; k < f->points; k++) {
            lowest = fmin(lowest, f->point[k].loss);
            bl_axis_add(&x, f->point[k].learning_rate);
        }
        for (size_t k = 0; k < f->points; k++) /* the wall behind is of no interest */
            if (f->point[k].loss <= 4.0 * lowest || k < f->points / 2)
                bl_axis_add(&y, f->point[k].loss);
    }
    bl_gp_lines(gp, batch_sizes, lines);
    bl_buf_printf(gp, "array suggestion_text[%d]\n", BL_REPORT_SUGGESTIONS);
    for (size_t s = 0; s < BL_REPORT_SUGGESTIONS; s++)
        bl_buf_printf(gp, "suggestion_text[%zu] = '%s'\n", s + 1, k_names[s]);
    bl_gp_axis(gp, "x", &x, 0.4, 0.4, BL_TICKS_POWERS);
    bl_gp_axis(gp, "y", &y, 0.2, 0.2, BL_TICKS_DECIMAL);
    bl_gp_text(gp, "y_text", "training loss, smoothed");
}

const bl_figure bl_figure_finder = {
    .name = "finder",
    .title = "Loss while the learning rate grows",
    .all_series = true,
    .caption = "The learning-rate finder: smoothed training loss while the rate grows, and the "
               "rates it suggests.",
    .has_data = has_data,
    .data = data,
    .settings = settings};
