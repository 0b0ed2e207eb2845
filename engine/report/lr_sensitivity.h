/* Sensitivity to the learning rate: the rates that a sweep tried at each batch size, and what
 * another rate would have cost. */
#ifndef BL_ENGINE_REPORT_LR_SENSITIVITY_H
#define BL_ENGINE_REPORT_LR_SENSITIVITY_H
#include "engine/report/report_model.h"
#include "engine/stats/lr_rules.h"

/* Fills model->rates: once the main target is solved. */
void bl_sensitivity_measure(bl_report_model *model);

/* S(rate)/S(retuned) at main.sizes[size], read from the rates that were tried there
 * (bl_lr_regret). */
bl_stats_value bl_sensitivity_regret(const bl_report_model *model, size_t size, double rate);

/* Rates tried at main.sizes[size] that the data cannot tell from its best, ascending, at most
 * `most`; 0 where the scatter of runs is not known. Differences are held against Tukey's range over
 * the rates of which a run arrived: the best was chosen by the data. */
size_t bl_sensitivity_tied(const bl_report_model *model, size_t size, double *out, size_t most);
#endif
