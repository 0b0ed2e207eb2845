/* The learning rates a sweep tried at each batch size, and what a rule of thumb would have cost
 * instead of retuning. Used inside this room only. */
#ifndef BL_ENGINE_REPORT_BASIN_H
#define BL_ENGINE_REPORT_BASIN_H
#include "engine/report/report.h"
#include "engine/stats/lr_rules.h"

/* All seeds of one rate at one batch size. */
typedef struct bl_basin_rate {
    double batch_size, learning_rate;
    double steps; /* median over the seeds, infinite when too few arrived */
    double ran;   /* median of the steps that were run: a bound where `steps` is infinite */
    size_t trials, arrived;
} bl_basin_rate;

/* Every rate tried for the answer's target, once, in the plan's order. A run that was asked for
 * again counts once, by the trial that says most. `out` has room for answer->trial_count. */
size_t bl_basin_rates(const bl_answer *answer, bl_basin_rate *out);

/* Regret of a rule that starts from the smallest batch size's best rate, over the larger sizes
 * whose basin says something (bl_lr_regret). */
typedef struct bl_basin_regret {
    size_t sizes;                       /* judged; 0: nothing is known */
    double mean, worst;                 /* geometric mean and maximum of S(rule)/S(retuned) */
    bool mean_is_bound, worst_is_bound; /* at least this */
    double worst_batch_size;
} bl_basin_regret;
bl_basin_regret bl_basin_judge(const bl_answer *answer, bl_lr_rule rule);
#endif
