/* What each budget would have chosen. */
#ifndef BL_ENGINE_REPORT_BUDGETS_H
#define BL_ENGINE_REPORT_BUDGETS_H
#include "engine/report/report_model.h"

/* Sorts model->budgets by kind, amount, series and batch size, keeps the lowest value of each batch
 * size, and marks the best of each budget and series. */
void bl_report_judge_budgets(bl_report_model *model);
#endif
