/* What report.html needs besides its words. Used inside this room only. */
#ifndef BL_ENGINE_REPORT_TEXT_HTML_PAGE_H
#define BL_ENGINE_REPORT_TEXT_HTML_PAGE_H
#include "engine/base/buf.h"

void bl_report_html_style(bl_buf *out);
void bl_report_html_script(bl_buf *out);
#endif
