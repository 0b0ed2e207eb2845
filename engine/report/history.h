/* The runs' own evaluations, from their logs. */
#ifndef BL_ENGINE_REPORT_HISTORY_H
#define BL_ENGINE_REPORT_HISTORY_H
#include "engine/report/report_model.h"

/* Fills model->runs from run_dir/ID/log.jsonl.gz. A log may go further than this plan asked: what
 * lies beyond is left out, so that the report is the same whatever else the store was used for. A
 * missing log is a run without evaluations; a damaged one is BL_EFORMAT. */
bl_status bl_history_read(bl_report_model *model, const char *run_dir, bl_err *err) BL_CHECKED;

/* Index of the first evaluation at or below `target`; `evals` when there is none. */
size_t bl_history_hit(const bl_report_run *run, double target);
/* The metric at the last evaluation within so many steps; NAN when there is none. */
double bl_history_value(const bl_report_run *run, double steps);
#endif
