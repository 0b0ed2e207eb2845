/* machine.json, what batchlab machine found out, as part of a model. */
#ifndef BL_ENGINE_REPORT_MACHINE_READ_H
#define BL_ENGINE_REPORT_MACHINE_READ_H
#include "engine/report/report_model.h"

/* Fills model->machine from run_dir/machine.json; a file that is missing, or of another preset,
 * leaves it unknown. BL_EDAMAGED: its seal does not hold. */
bl_status bl_report_machine_read(bl_report_model *model, const char *run_dir,
                                 bl_err *err) BL_CHECKED;

/* Is this batch size known to be too large for the memory limit? One that was tried and did not
 * run, or a larger one. */
bool bl_report_is_too_large(const bl_report_model *model, double batch_size);

/* A model of nothing but machine.json and the times beside it; `head` names the experiment and
 * lives as long. */
bl_status bl_report_machine_model(bl_report_model *model, const char *run_dir,
                                  const bl_plan_head *head, bl_err *err) BL_CHECKED;
#define BL_REPORT_MACHINE_TIMES "machine_times.json"
#endif
