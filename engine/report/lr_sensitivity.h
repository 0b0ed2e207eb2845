/* The learning rates a sweep tried at each batch size, and what a rule of thumb would have cost
 * instead of retuning. Used inside this room only. */
#ifndef BL_ENGINE_REPORT_LR_SENSITIVITY_H
#define BL_ENGINE_REPORT_LR_SENSITIVITY_H
#include "engine/report/report.h"
#include "engine/stats/lr_rules.h"

/* All seeds of one rate at one batch size. */
typedef struct bl_sensitivity_rate {
    double batch_size, learning_rate;
    double steps; /* median over the seeds, infinite when too few arrived */
    double ran;   /* median of the steps that were run: a bound where `steps` is infinite */
    size_t trials, arrived;
} bl_sensitivity_rate;

/* Every rate tried for the answer's target, once, in the plan's order. A run that was asked for
 * again counts once, by the trial that says most. `out` has room for answer->trial_count. */
size_t bl_sensitivity_rates(const bl_report_model *answer, bl_sensitivity_rate *out);

/* S(rate)/S(retuned) at answer->sizes[size], read from the rates that were tried there
 * (bl_lr_regret). */
bl_stats_value bl_sensitivity_regret(const bl_report_model *answer, size_t size, double rate);
#endif
