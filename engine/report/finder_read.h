/* The learning-rate finder's runs (scripts/lua/finder.lua): smoothed loss against rate, and the
 * rates that were suggested. */
#ifndef BL_ENGINE_REPORT_FINDER_READ_H
#define BL_ENGINE_REPORT_FINDER_READ_H
#include "engine/report/report_model.h"

/* Fills model->finders from the plan's decisions of the finder and the logs of their runs. A log
 * that is not there leaves a finder out; a damaged one is BL_EFORMAT. */
bl_status bl_report_finder_read(bl_report_model *model, const char *run_dir,
                                bl_err *err) BL_CHECKED;
#endif
