/* Comparisons of two batch sizes on fresh seeds, judged from their runs. */
#ifndef BL_ENGINE_REPORT_COMPARE_H
#define BL_ENGINE_REPORT_COMPARE_H
#include "engine/report/report_model.h"

/* Marks their trials, so that nothing else rests on them: once all trials are read. */
void bl_compare_mark(bl_report_model *model);
/* Fills what was measured: once history and timing are there. */
void bl_compare_judge(bl_report_model *model);

/* What the intervals allow to be said of the second batch size against the first: in time or, where
 * that is not known, in steps; and of the metric within a budget. */
const char *bl_compare_verdict(const bl_report_pair *pair);
const char *bl_compare_budget_verdict(const bl_report_pair *pair);
#endif
