/* The metric within fixed budgets, against batch size. */
#include "engine/report/figures/figures.h"
#include "engine/report/text/labels.h"
#include <math.h>
#include <stdio.h>

enum { MOST_CURVES = 6 };
static const double margin = 0.15; /* octaves around the values */

static bool has_data(const bl_report_model *m) {
    return m->budget_count > 0;
}

/* Budgets are sorted by kind, amount and series (bl_report_judge_budgets): a change of one
 * begins a curve. */
static bool starts_curve(const bl_report_model *m, size_t i) {
    return i == 0 || m->budgets[i].kind != m->budgets[i - 1].kind ||
           m->budgets[i].amount != m->budgets[i - 1].amount ||
           m->budgets[i].series != m->budgets[i - 1].series;
}

/* Series within one budget: the axis tells the budget, and the curves only which series they are.
 */
static bool shares_budget(const bl_report_model *m) {
    for (size_t i = 0; i < m->budget_count; i++)
        if (m->budgets[i].series == BL_NO_SERIES || m->budgets[i].kind != m->budgets[0].kind ||
            m->budgets[i].amount != m->budgets[0].amount)
            return false;
    return true;
}

static const char columns[] = "batch_size value low high learning_rate steps curve";

static void row(bl_buf *dat, const bl_report_budget *b, int curve) {
    BL_DAT_ROW(dat, b->batch_size, b->value, b->low, b->high, b->learning_rate, (double)b->steps,
               (double)curve);
}

/* A value of 0 (nothing is wrong any more) lies below any logarithmic axis: it is drawn on the
 * axis, as a triangle that points down. */
static void zeros(bl_buf *dat, const bl_report_model *m) {
    size_t rows = 0;
    int curve = 0;
    bl_dat_block(dat, "zero", columns);
    for (size_t i = 0; i < m->budget_count; i++) {
        curve += starts_curve(m, i);
        if (m->budgets[i].value != 0) continue;
        row(dat, &m->budgets[i], curve);
        rows++;
    }
    if (rows == 0) bl_dat_nothing(dat, 7);
}

/* A curve for each budget and series, the winners, and what lies at zero. */
static void data(bl_buf *dat, const bl_report_model *m) {
    int curve = 0;
    for (size_t i = 0; i < m->budget_count; i++) {
        if (starts_curve(m, i)) {
            char name[32];
            (void)snprintf(name, sizeof name, "budget_%d", ++curve);
            bl_dat_block(dat, name, columns);
        }
        row(dat, &m->budgets[i], curve);
    }
    bl_dat_block(dat, "best", columns);
    curve = 0;
    for (size_t i = 0; i < m->budget_count; i++) {
        curve += starts_curve(m, i);
        if (m->budgets[i].best) row(dat, &m->budgets[i], curve);
    }
    zeros(dat, m);
}

/* Axes over all values, and the name of each curve: the budget, the series, or both. */
static void settings(bl_buf *gp, const bl_report_model *m) {
    bl_axis y = {0};
    int curves = 0;
    bool zero = false;
    const bool shared = shares_budget(m);
    bl_buf name = {0};
    bl_buf_printf(gp, "array budget_text[%d]\n", MOST_CURVES);
    for (size_t i = 0; i < m->budget_count; i++) {
        zero = zero || m->budgets[i].value == 0;
        bl_axis_add(&y, m->budgets[i].value);
        bl_axis_add(&y, m->budgets[i].low);
        bl_axis_add(&y, m->budgets[i].high);
        if (!starts_curve(m, i) || curves == MOST_CURVES) continue;
        char variable[32];
        (void)snprintf(variable, sizeof variable, "budget_text[%d]", ++curves);
        bl_buf_clear(&name);
        if (shared)
            bl_buf_str(&name, m->series[m->budgets[i].series].name);
        else
            bl_label_budget(&name, m, &m->budgets[i]);
        bl_gp_text(gp, variable, bl_buf_text(&name));
    }
    bl_buf_printf(gp, "budgets = %d\nhas_zero = %d\n", curves, zero);
    bl_gp_batch_axis(gp, m);
    bl_gp_axis(gp, "y", &y, margin, margin, BL_TICKS_DECIMAL);
    bl_gp_number(gp, "y_low", y.high > 0 ? y.low / exp2(margin) : 1);
    bl_buf_clear(&name);
    bl_buf_str(&name, m->plan.head.metric);
    if (shared) bl_buf_str(&name, " within ");
    if (shared) bl_label_amount(&name, m, &m->budgets[0]);
    bl_gp_text(gp, "y_text", bl_buf_text(&name));
    bl_buf_free(&name);
}

const bl_figure bl_figure_budgets = {
    .name = "budgets",
    .title = "{metric} within a budget",
    .all_series = true,
    .caption = "Validation value within fixed budgets, with its range over seeds; each budget's "
               "winner is ringed.",
    .has_data = has_data,
    .data = data,
    .settings = settings};
