/* The metric within fixed budgets of epochs and of steps, against batch size. */
#include "engine/report/figures.h"
#include "engine/report/words.h"
#include <stdio.h>

enum { MOST_CURVES = 6 };

static bool has_data(const bl_answer *a) {
    return a->budget_count > 0;
}

static bool starts_curve(const bl_answer *a, size_t i) {
    return i == 0 || a->budgets[i].epochs != a->budgets[i - 1].epochs ||
           a->budgets[i].amount != a->budgets[i - 1].amount;
}

static void budget_name(bl_buf *out, const bl_report_budget *b) {
    if (b->epochs)
        bl_buf_printf(out, "%.4g epoch%s", b->amount, b->amount == 1 ? "" : "s");
    else
        bl_words_count(out, b->amount);
    if (!b->epochs) bl_buf_str(out, " steps");
}

static void data(bl_buf *dat, const bl_answer *a) {
    int curve = 0;
    for (size_t i = 0; i < a->budget_count; i++) {
        const bl_report_budget *b = &a->budgets[i];
        if (starts_curve(a, i)) {
            char name[32];
            (void)snprintf(name, sizeof name, "budget_%d", ++curve);
            bl_dat_block(dat, name, "batch_size value learning_rate steps");
        }
        BL_DAT_ROW(dat, b->batch_size, b->value, b->learning_rate, (double)b->steps);
    }
    bl_dat_block(dat, "best", "batch_size value learning_rate steps");
    for (size_t i = 0; i < a->budget_count; i++) {
        const bl_report_budget *b = &a->budgets[i];
        if (b->best) BL_DAT_ROW(dat, b->batch_size, b->value, b->learning_rate, (double)b->steps);
    }
}

static void settings(bl_buf *gp, const bl_answer *a) {
    bl_axis y = {0};
    int curves = 0;
    bl_buf name = {0};
    bl_buf_printf(gp, "array budget_text[%d]\n", MOST_CURVES);
    for (size_t i = 0; i < a->budget_count; i++) {
        bl_axis_add(&y, a->budgets[i].value);
        if (!starts_curve(a, i) || curves == MOST_CURVES) continue;
        char variable[32];
        (void)snprintf(variable, sizeof variable, "budget_text[%d]", ++curves);
        bl_buf_clear(&name);
        budget_name(&name, &a->budgets[i]);
        bl_gp_text(gp, variable, bl_buf_text(&name));
    }
    bl_buf_free(&name);
    bl_buf_printf(gp, "budgets = %d\n", curves);
    bl_gp_batch_axis(gp, a);
    bl_gp_axis(gp, "y", &y, 0.15, 0.15, BL_TICKS_DECIMAL);
    bl_gp_text(gp, "y_text", a->metric);
}

const bl_figure bl_figure_budgets = {
    .name = "budgets",
    .caption = "Best validation value within fixed budgets; each budget's winner is ringed.",
    .has_data = has_data,
    .data = data,
    .settings = settings};
