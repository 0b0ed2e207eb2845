/* What following a rule for the learning rate would have cost, against retuning it.
 *
 * A rule starts from the best rate of the smallest batch size, eta_0 at B_0, and says for B
 *
 *     keep          eta_0
 *     square root   eta_0 (B / B_0)^(1/2)
 *     linear        eta_0 B / B_0
 *     saturating    as the gradient noise scale predicts: linear (for Adam: square root) far below
 *                   B_crit, constant far above (bl_lr_rule_predict)
 *
 * The regret is steps at the rule's rate over steps at the retuned one, so 1 costs nothing. Where
 * the sweep ran the rules, their runs count; else the rates that were tried tell, by interpolation.
 */
#include "engine/report/lr_regret.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include "engine/report/lr_sensitivity.h"
#include <math.h>
#include <string.h>

/* The exponent of the saturating rule: Adam's steps do not grow with the gradient. */
static double saturating_alpha(const bl_report_model *m) {
    return strncmp(m->plan.head.optimizer, "adam", 4) == 0 ? 0.5 : 1;
}

/* NAN: the rule needs more than a batch size, or the critical batch size is not known. */
double bl_regret_rate(const bl_report_model *m, bl_plan_rule rule, double batch_size) {
    static const bl_lr_rule stats[] = {[BL_PLAN_KEEP] = BL_LR_KEEP,
                                       [BL_PLAN_SQRT] = BL_LR_SQRT,
                                       [BL_PLAN_LINEAR] = BL_LR_LINEAR,
                                       [BL_PLAN_SATURATING] = BL_LR_SATURATING};
    const bl_stats_value *critical = &m->main.critical.of[BL_STATS_B_CRIT];
    const bool known = critical->known && critical->bound == 0;
    if (m->main.size_count == 0 || (size_t)rule >= BL_COUNT(stats)) return (double)NAN;
    if (rule == BL_PLAN_SATURATING && !known) return (double)NAN;
    return bl_lr_rule_predict(stats[rule], m->main.sizes[0].learning_rate,
                              m->main.sizes[0].batch_size, batch_size, known ? critical->value : 1,
                              saturating_alpha(m));
}

/* The sweep has run the rules' rates itself: nothing has to be read from between other rates. */
static bool judged_by_runs(const bl_report_model *m) {
    for (size_t i = 0; i < m->regret_count; i++)
        if (m->regrets[i].target == m->main.target) return true;
    return false;
}

/* Malladi's rule and the next ones move more than the rate, or need more than the sweep knows:
 * rates alone do not tell. */
void bl_regret_judge(bl_report_model *m) {
    if (judged_by_runs(m)) return;
    for (int r = 0; r < BL_PLAN_MALLADI; r++)
        for (size_t i = 1; i < m->main.size_count; i++) {
            const double b = m->main.sizes[i].batch_size;
            bl_report_regret x = {.rule = (bl_plan_rule)r,
                                  .batch_size = b,
                                  .learning_rate = bl_regret_rate(m, (bl_plan_rule)r, b),
                                  .target = m->main.target};
            if (isnan(x.learning_rate)) continue;
            x.regret = bl_sensitivity_regret(m, i, x.learning_rate);
            if (x.regret.known) *BL_PUSH(m->regrets, m->regret_count, "regrets") = x;
        }
}

/* The mean is geometric: half the steps at one size make up for twice as many at another. A mean
 * or a worst that contains a lower bound is one, too. */
bl_regret_summary bl_regret_sum(const bl_report_model *m, bl_plan_rule rule) {
    bl_regret_summary out = {0};
    double logs = 0;
    for (size_t i = 0; i < m->regret_count; i++) {
        const bl_report_regret *x = &m->regrets[i];
        if (x->rule != rule || x->target != m->main.target) continue;
        out.sizes++;
        logs += log(x->regret.value);
        out.mean_is_bound = out.mean_is_bound || x->regret.bound > 0;
        if (x->regret.value <= out.worst) continue;
        out.worst = x->regret.value;
        out.worst_is_bound = x->regret.bound > 0;
        out.worst_batch_size = x->batch_size;
    }
    if (out.sizes > 0) out.mean = exp(logs / (double)out.sizes);
    return out;
}
