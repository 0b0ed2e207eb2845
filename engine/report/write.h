/* Everything under reports/NAME/. */
#ifndef BL_ENGINE_REPORT_WRITE_H
#define BL_ENGINE_REPORT_WRITE_H
#include "engine/report/report_model.h"

/* Draws tables, recommendation, figures and report.html beside report_dir and then puts them in its
 * place, whole: what there are no data for is no longer there. After a failure, a figure that was
 * not written whole (BL_EIO) among them, the older report stays. Figures need gnuplot: without it
 * everything but the drawings is written and BL_EUNSUPPORTED returned. With `inputs`
 * (bl_report_stamp_make) a whole report also has a note of what it was drawn from. */
bl_status bl_report_write(const bl_report_model *model, const char *report_dir,
                          const char *template_dir, const bl_buf *inputs, bl_err *err) BL_CHECKED;

/* The figures of batchlab machine alone: throughput, step_time and memory, into `dir`.
 * BL_EUNSUPPORTED: without gnuplot the drawings are missing. */
bl_status bl_report_write_machine(const bl_report_model *model, const char *dir,
                                  const char *template_dir, bl_err *err) BL_CHECKED;
#endif
