/* Learning-rate rules judged: what following one from the smallest batch size would have cost
 * instead of retuning. */
#ifndef BL_ENGINE_REPORT_LR_REGRET_H
#define BL_ENGINE_REPORT_LR_REGRET_H
#include "engine/report/report_model.h"

/* Where the sweep ran no rule's rate: regrets read from the rates that it tried, once the main
 * target is solved. */
void bl_regret_judge(bl_report_model *model);
/* The rate of a rule that only moves the rate; NAN where it is not defined. The saturating rule
 * needs B_crit, and so can be drawn only in hindsight; its exponent is 1/2 for Adam, else 1.
 * NAN for Malladi's and the rules after it. */
double bl_regret_rate(const bl_report_model *model, bl_plan_rule rule, double batch_size);

/* Over the batch sizes of which something is known. */
typedef struct bl_regret_summary {
    size_t sizes;                       /* 0: nothing is known */
    double mean, worst;                 /* geometric mean and maximum of the regrets */
    bool mean_is_bound, worst_is_bound; /* at least this */
    double worst_batch_size;
} bl_regret_summary;
bl_regret_summary bl_regret_sum(const bl_report_model *model, bl_plan_rule rule);
#endif
