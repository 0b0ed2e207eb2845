/* What each target costs at each batch size, and what is best for it. */
#ifndef BL_ENGINE_REPORT_TARGETS_H
#define BL_ENGINE_REPORT_TARGETS_H
#include "engine/report/plan_read.h"

/* Solves the main target, the easier ones that some batch size reached, and the main target of each
 * series: sizes, critical batch sizes, costs and optima. */
bl_status bl_report_solve_targets(bl_report_model *model, const bl_report_bests *bests,
                                  bl_err *err) BL_CHECKED;
#endif
