/* Everything under reports/NAME/. */
#ifndef BL_ENGINE_REPORT_WRITE_H
#define BL_ENGINE_REPORT_WRITE_H
#include "engine/report/report_model.h"

/* Writes tables, recommendation, figures and report.html into report_dir. Figures need gnuplot:
 * without it everything but the drawings is written and BL_EUNSUPPORTED returned. What there are
 * no data for is left out, and an older file of that name removed. */
bl_status bl_report_write(const bl_report_model *model, const char *report_dir,
                          const char *template_dir, bl_err *err) BL_CHECKED;
#endif
