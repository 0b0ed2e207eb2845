/* What following a rule for the learning rate would have cost, against batch size. */
#include "engine/report/figures/figures.h"
#include "engine/report/lr_regret.h"
#include "engine/report/text/sentences.h"

static bool has_data(const bl_report_model *m) {
    for (int r = 0; r < BL_PLAN_RULE_COUNT; r++)
        if (bl_regret_sum(m, (bl_plan_rule)r).sizes > 0) return true;
    return false;
}

/* One rule's regrets, one row for each batch size; with `bound` only those that are lower
 * bounds, for their arrows. */
static void block(bl_buf *dat, const bl_report_model *m, bl_plan_rule rule, bool bound) {
    size_t rows = 0;
    for (size_t i = 0; i < m->regret_count; i++) {
        const bl_report_regret *x = &m->regrets[i];
        if (x->rule != rule || x->target != m->main.target || (bound && x->regret.bound == 0))
            continue;
        BL_DAT_ROW(dat, x->batch_size, x->regret.value, x->learning_rate, x->regret.bound);
        rows++;
    }
    if (rows == 0) bl_dat_nothing(dat, 4);
}

static void data(bl_buf *dat, const bl_report_model *m) {
    bl_buf name = {0};
    for (int r = 0; r < BL_PLAN_RULE_COUNT; r++) {
        bl_dat_block(dat, bl_report_rule_names[r].file, "batch_size regret learning_rate bound");
        block(dat, m, (bl_plan_rule)r, false);
        bl_buf_clear(&name);
        bl_buf_printf(&name, "%s_at_least", bl_report_rule_names[r].file);
        bl_dat_block(dat, bl_buf_text(&name), "batch_size regret learning_rate bound");
        block(dat, m, (bl_plan_rule)r, true);
    }
    bl_buf_free(&name);
}

/* The axis begins at 1, a rule that costs nothing; gnuplot's arrays count from 1. */
static void settings(bl_buf *gp, const bl_report_model *m) {
    bl_axis y = {1, 1.2};
    bool bound = false;
    for (size_t i = 0; i < m->regret_count; i++) {
        if (m->regrets[i].target != m->main.target) continue;
        bl_axis_add(&y, m->regrets[i].regret.value);
        bound = bound || m->regrets[i].regret.bound > 0;
    }
    bl_buf_printf(gp, "has_bound = %d\nrules = %d\narray rule_text[%d]\narray rule_name[%d]\n",
                  bound, BL_PLAN_RULE_COUNT, BL_PLAN_RULE_COUNT, BL_PLAN_RULE_COUNT);
    int named = 0;
    for (int r = 0; r < BL_PLAN_RULE_COUNT; r++) {
        const bool known = bl_regret_sum(m, (bl_plan_rule)r).sizes > 0;
        bl_buf_printf(gp, "rule_text[%d] = '%s'\nrule_name[%d] = '%s'\n", r + 1,
                      known ? bl_report_rule_names[r].words : "", r + 1,
                      bl_report_rule_names[r].file);
        named += known;
    }
    bl_gp_number(gp, "named", named);
    bl_gp_batch_axis(gp, m);
    bl_gp_axis(gp, "y", &y, 0.08, 0.15, BL_TICKS_DECIMAL);
    bl_gp_text(gp, "y_text", "steps / steps with the rate retuned");
}

const bl_figure bl_figure_lr_rules = {
    .name = "rules",
    .title = "Steps when the learning rate follows a rule",
    .caption = "What carrying the smallest batch size's rate on by a rule costs in steps, against "
               "retuning.",
    .has_data = has_data,
    .data = data,
    .settings = settings,
    .found = bl_sentences_rules,
};
