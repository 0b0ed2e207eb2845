/* The best learning rate against batch size, the rates tried, and rules of thumb. */
#include "engine/base/mem.h"
#include "engine/report/lr_sensitivity.h"
#include "engine/report/figures/figures.h"
#include "engine/report/lr_regret.h"
#include <math.h>

static bool has_data(const bl_answer *a) {
    return a->size_count > 0;
}

static double best_steps(const bl_answer *a, double batch_size) {
    for (size_t i = 0; i < a->size_count; i++)
        if (a->sizes[i].batch_size == batch_size)
            return a->sizes[i].join.cost[BL_STATS_FEWEST_STEPS].value;
    return (double)NAN;
}

static void tried_rates(bl_buf *dat, const bl_answer *a, bool arrived) {
    bl_basin_rate *rates = bl_xalloc(a->trial_count * sizeof *rates);
    const size_t n = bl_basin_rates(a, rates);
    size_t rows = 0;
    for (size_t i = 0; i < n; i++) {
        const bl_basin_rate *r = &rates[i];
        if (isfinite(r->steps) != arrived) continue;
        BL_DAT_ROW(dat, r->batch_size, r->learning_rate, r->steps,
                   r->steps / best_steps(a, r->batch_size), (double)r->trials, (double)r->arrived);
        rows++;
    }
    free(rates);
    if (rows == 0) bl_dat_nothing(dat, 6);
}

static void best_rates(bl_buf *dat, const bl_answer *a) {
    for (size_t i = 0; i < a->size_count; i++)
        BL_DAT_ROW(dat, a->sizes[i].batch_size, a->sizes[i].learning_rate, a->sizes[i].bracketed);
}

/* The rules start from the smallest batch size's best rate. */
static void rules(bl_buf *dat, const bl_answer *a) {
    for (size_t i = 0; i < a->size_count; i++) {
        const double b = a->sizes[i].batch_size;
        BL_DAT_ROW(dat, b, bl_rules_rate(a, BL_REPORT_RULE_SQRT, b), bl_rules_rate(a, BL_REPORT_RULE_LINEAR, b),
                   bl_rules_rate(a, BL_REPORT_RULE_SATURATING, b));
    }
}

static void data(bl_buf *dat, const bl_answer *a) {
    static const char *const columns =
        "batch_size learning_rate steps steps/best_steps trials arrived";
    bl_dat_block(dat, "arrived", columns);
    tried_rates(dat, a, true);
    bl_dat_block(dat, "lost", columns);
    tried_rates(dat, a, false);
    bl_dat_block(dat, "best", "batch_size learning_rate bracketed");
    best_rates(dat, a);
    bl_dat_block(dat, "rules", "batch_size square_root linear saturating");
    rules(dat, a);
}

static void settings(bl_buf *gp, const bl_answer *a) {
    bl_axis y = {0};
    bool lost = false, edge = false;
    for (size_t i = 0; i < a->trial_count; i++) {
        if (a->trials[i].target != a->target) continue;
        bl_axis_add(&y, a->trials[i].learning_rate);
        lost = lost || a->trials[i].hit == 0;
    }
    for (size_t i = 0; i < a->size_count; i++) {
        bl_axis_add(&y, a->sizes[i].learning_rate);
        edge = edge || !a->sizes[i].bracketed;
    }
    bl_gp_batch_axis(gp, a);
    bl_gp_axis(gp, "y", &y, 0.5, 0.5, BL_TICKS_POWERS);
    bl_gp_text(gp, "y_text", "learning rate");
    bl_buf_printf(gp, "has_lost = %d\nhas_edge = %d\n", lost, edge);
    const bool saturating =
        a->size_count > 0 && !isnan(bl_rules_rate(a, BL_REPORT_RULE_SATURATING, a->sizes[0].batch_size));
    bl_buf_printf(gp, "has_saturating = %d\n", saturating);
}

const bl_figure bl_figure_learning_rate = {
    .name = "learning_rate",
    .caption = "Best learning rate against batch size, with all rates tried.",
    .has_data = has_data,
    .data = data,
    .settings = settings};
