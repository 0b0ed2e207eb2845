/* The forecast audit: what was said of the critical batch size before the sweep, against what the
 * sweep measured. Forecasts are the gradient noise scale, as `batchlab find` left it in the store's
 * find.json, and two rules of thumb: to fill the memory, and an article's 512. */
#ifndef BL_ENGINE_REPORT_AUDIT_H
#define BL_ENGINE_REPORT_AUDIT_H
#include "engine/report/report_model.h"

/* Fills model->forecasts, once the targets are solved. A find.json that is not there, or is of
 * another preset, leaves none; one whose seal does not hold is BL_EDAMAGED. */
bl_status bl_report_audit_read(bl_report_model *model, const char *run_dir, bl_err *err) BL_CHECKED;

/* What the sweep measured for the forecast's target and settings. */
const bl_stats_critical *bl_report_audit_measured(const bl_report_model *model,
                                                  const bl_report_forecast *forecast);
/* Forecast over measured, with the intervals of both; not known where either is not. */
bl_stats_value bl_report_audit_factor(const bl_report_model *model,
                                      const bl_report_forecast *forecast,
                                      bl_stats_definition definition);
#endif
