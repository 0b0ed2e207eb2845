/* The best learning rate against batch size, the rates tried, and rules of thumb. */
#include "engine/base/mem.h"
#include "engine/report/figures/figures.h"
#include "engine/report/lr_regret.h"
#include <math.h>

static bool has_data(const bl_report_model *m) {
    return m->main.size_count > 0;
}

static double best_steps(const bl_report_model *m, double batch_size) {
    for (size_t i = 0; i < m->main.size_count; i++)
        if (m->main.sizes[i].batch_size == batch_size)
            return m->main.sizes[i].costs.cost[BL_STATS_FEWEST_STEPS].value;
    return (double)NAN;
}

/* Rates that arrived, with their steps relative to the best's, or those that did not. */
static void tried_rates(bl_buf *dat, const bl_report_model *m, bool arrived) {
    size_t rows = 0;
    for (size_t i = 0; i < m->rate_count; i++) {
        const bl_sensitivity_rate *r = &m->rates[i];
        if (isfinite(r->steps) != arrived) continue;
        BL_DAT_ROW(dat, r->batch_size, r->learning_rate, r->steps,
                   r->steps / best_steps(m, r->batch_size), (double)r->trials, (double)r->arrived);
        rows++;
    }
    if (rows == 0) bl_dat_nothing(dat, 6);
}

static void best_rates(bl_buf *dat, const bl_report_model *m) {
    for (size_t i = 0; i < m->main.size_count; i++)
        BL_DAT_ROW(dat, m->main.sizes[i].batch_size, m->main.sizes[i].learning_rate,
                   m->main.sizes[i].bracketed);
}

/* The rules start from the smallest batch size's best rate. */
static void rules(bl_buf *dat, const bl_report_model *m) {
    for (size_t i = 0; i < m->main.size_count; i++) {
        const double b = m->main.sizes[i].batch_size;
        BL_DAT_ROW(dat, b, bl_regret_rate(m, BL_PLAN_SQRT, b), bl_regret_rate(m, BL_PLAN_LINEAR, b),
                   bl_regret_rate(m, BL_PLAN_SATURATING, b));
    }
}

static void data(bl_buf *dat, const bl_report_model *m) {
    static const char *const columns =
        "batch_size learning_rate steps steps/best_steps trials arrived";
    bl_dat_block(dat, "arrived", columns);
    tried_rates(dat, m, true);
    bl_dat_block(dat, "lost", columns);
    tried_rates(dat, m, false);
    bl_dat_block(dat, "best", "batch_size learning_rate bracketed");
    best_rates(dat, m);
    bl_dat_block(dat, "rules", "batch_size square_root linear saturating");
    rules(dat, m);
}

/* The axis covers every rate tried for the main target, arrived or not. */
static void settings(bl_buf *gp, const bl_report_model *m) {
    bl_axis y = {0};
    bool lost = false, edge = false;
    for (size_t i = 0; i < m->trial_count; i++) {
        if (m->trials[i].target != m->main.target) continue;
        bl_axis_add(&y, m->trials[i].learning_rate);
        lost = lost || m->trials[i].target_step == 0;
    }
    for (size_t i = 0; i < m->main.size_count; i++) {
        bl_axis_add(&y, m->main.sizes[i].learning_rate);
        edge = edge || !m->main.sizes[i].bracketed;
    }
    bl_gp_batch_axis(gp, m);
    bl_gp_axis(gp, "y", &y, 0.5, 0.5, BL_TICKS_POWERS);
    bl_gp_text(gp, "y_text", "learning rate");
    bl_buf_printf(gp, "has_lost = %d\nhas_edge = %d\n", lost, edge);
    const bool saturating =
        m->main.size_count > 0 &&
        !isnan(bl_regret_rate(m, BL_PLAN_SATURATING, m->main.sizes[0].batch_size));
    bl_buf_printf(gp, "has_saturating = %d\n", saturating);
}

const bl_figure bl_figure_learning_rate = {
    .name = "learning_rate",
    .title = "Best learning rate of each batch size",
    .caption = "Best learning rate against batch size, with all rates tried.",
    .has_data = has_data,
    .data = data,
    .settings = settings};
