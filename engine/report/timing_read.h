/* timing.json, the timing pass, as part of a model. */
#ifndef BL_ENGINE_REPORT_TIMING_READ_H
#define BL_ENGINE_REPORT_TIMING_READ_H
#include "engine/report/report_model.h"
#include "engine/stats/step_line.h"

/* Fills model->timing, threads and processor from run_dir/file (timing.json, or what batchlab
 * machine timed); a missing file leaves them as they are. */
bl_status bl_report_timing_read(bl_report_model *model, const char *run_dir, const char *file,
                                bl_err *err) BL_CHECKED;
/* What was timed, ascending in batch size: views into the model. Room for timing_count is the
 * caller's; how many there are is returned. */
size_t bl_report_step_sizes(const bl_report_model *model, bl_stats_step_size *out);
/* The same of forward passes alone, where they were timed. */
size_t bl_report_inference_sizes(const bl_report_model *model, bl_stats_step_size *out);
#endif
