/* The best learning rate against the budget, as experiments/rate_over_budget decides it: a decision
 * of kind "custom" for each schedule and choice of batch size. */
#ifndef BL_ENGINE_REPORT_RATE_BUDGET_H
#define BL_ENGINE_REPORT_RATE_BUDGET_H
#include "engine/report/report_model.h"

/* Fills model->rate_budgets. Another script's own decision is none of them. */
bl_status bl_report_rate_budget_read(bl_report_model *model, bl_err *err) BL_CHECKED;
#endif
