/* timing.json, the timing pass, as part of a model. */
#ifndef BL_ENGINE_REPORT_TIMING_READ_H
#define BL_ENGINE_REPORT_TIMING_READ_H
#include "engine/report/report_model.h"

/* Fills model->timing, threads and processor; a missing file leaves them as they are. */
bl_status bl_report_timing_read(bl_report_model *model, const char *run_dir,
                                bl_err *err) BL_CHECKED;
#endif
