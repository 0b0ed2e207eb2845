/* Is a report still what its inputs give? Then a sweep that finds everything done need not draw it
 * again. */
#ifndef BL_ENGINE_REPORT_REPORT_STAMP_H
#define BL_ENGINE_REPORT_REPORT_STAMP_H
#include "engine/base/buf.h"
#include "engine/base/status.h"
#include <stdbool.h>

/* The file beside a report's other files that says what it was drawn from. */
#define BL_REPORT_NOTE ".drawn-from"

/* What a report in `report_dir` is drawn from: the plan, the timing pass, the templates and this
 * program. The logs are functions of the plan's run ids and steps. */
bl_status bl_report_stamp_make(bl_buf *out, const char *run_dir, const char *templates_dir,
                               bl_err *err) BL_CHECKED;
/* The closing words of the report that was last drawn whole, if it was drawn from these inputs,
 * none of its files is gone, and the words are byte for byte those that were drawn. */
bool bl_report_stamp_text(bl_buf *words, const char *report_dir, const bl_buf *inputs,
                          bool *answered);
/* To be called once everything is drawn, in a folder that nobody else changes. */
bl_status bl_report_stamp_write(const char *report_dir, const bl_buf *inputs, bool answered,
                                bl_err *err) BL_CHECKED;
#endif
