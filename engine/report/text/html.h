/* report.html: one file that needs no other. Used inside this room only. */
#ifndef BL_ENGINE_REPORT_TEXT_HTML_H
#define BL_ENGINE_REPORT_TEXT_HTML_H
#include "engine/report/report_model.h"

/* Figures are taken from report_dir's SVG files; those that do not exist are left out. */
bl_status bl_report_html(bl_buf *out, const bl_report_model *answer, const char *report_dir,
                         bl_err *err) BL_CHECKED;
#endif
