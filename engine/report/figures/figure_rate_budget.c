/* The best learning rate against the budget: a line for each schedule and choice of batch size. */
#include "engine/report/figures/figures.h"
#include <math.h>
#include <stdio.h>

enum { MOST_LINES = 4 };

static bool has_data(const bl_report_model *m) {
    return m->rate_budget_count > 0;
}

static size_t lines_of(const bl_report_model *m) {
    return m->rate_budget_count < MOST_LINES ? m->rate_budget_count : MOST_LINES;
}

static void data(bl_buf *dat, const bl_report_model *m) {
    for (size_t i = 0; i < lines_of(m); i++) {
        const bl_report_rate_budget *line = &m->rate_budgets[i];
        char name[32];
        (void)snprintf(name, sizeof name, "line_%zu", i + 1);
        bl_dat_block(dat, name, "epochs learning_rate low high batch_size");
        for (size_t k = 0; k < line->points; k++) {
            const bl_report_rate_point *p = &line->point[k];
            BL_DAT_ROW(dat, p->epochs, p->learning_rate, p->low, p->high, p->batch_size);
        }
        if (line->points == 0) bl_dat_nothing(dat, 5);
    }
}

/* "constant, fixed size: -0.49"; the words are a script's. */
static void legend(bl_buf *gp, const bl_report_rate_budget *line, size_t i) {
    char name[32];
    bl_buf text = {0};
    (void)snprintf(name, sizeof name, "line_text[%zu]", i + 1);
    bl_buf_printf(&text, "%s: %+.2f", line->words, line->slope);
    if (isfinite(line->half))
        bl_buf_printf(&text, " (%+.2f to %+.2f)", line->slope - line->half,
                      line->slope + line->half);
    bl_gp_text(gp, name, bl_buf_text(&text));
    bl_buf_free(&text);
}

static void settings(bl_buf *gp, const bl_report_model *m) {
    bl_axis x = {0}, y = {0};
    bl_buf_printf(gp, "lines = %zu\narray line_text[%d]\n", lines_of(m), MOST_LINES);
    for (size_t i = 0; i < lines_of(m); i++) {
        const bl_report_rate_budget *line = &m->rate_budgets[i];
        legend(gp, line, i);
        for (size_t k = 0; k < line->points; k++) {
            bl_axis_add(&x, line->point[k].epochs);
            bl_axis_add(&y, line->point[k].learning_rate);
            bl_axis_add(&y, line->point[k].low);
            bl_axis_add(&y, line->point[k].high);
        }
    }
    bl_gp_axis(gp, "x", &x, 0.4, 0.4, BL_TICKS_PLAIN);
    bl_gp_axis(gp, "y", &y, 0.3, 0.3, BL_TICKS_POWERS);
    bl_gp_text(gp, "x_text", "epochs that may be trained");
    bl_gp_text(gp, "y_text", "best learning rate");
}

const bl_figure bl_figure_rate_budget = {
    .name = "rate_budget",
    .title = "Best learning rate for each budget",
    .all_series = true,
    .caption = "The best learning rate against the budget, with 95 % intervals over the seeds. The "
               "numbers are the slopes, d log rate / d log examples.",
    .has_data = has_data,
    .data = data,
    .settings = settings};
