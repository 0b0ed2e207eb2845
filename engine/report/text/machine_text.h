/* What batchlab machine found out, in words of at most 80 columns and as data. */
#ifndef BL_ENGINE_REPORT_TEXT_MACHINE_TEXT_H
#define BL_ENGINE_REPORT_TEXT_MACHINE_TEXT_H
#include "engine/base/buf.h"
#include "engine/base/json_writer.h"
#include "engine/report/report_model.h"
#include "engine/stats/step_line.h"

/* Throughput of model->timing, where the time goes, memory: each as far as it is known. */
void bl_report_machine_words(bl_buf *out, const bl_report_model *model);
/* A member "times" and, where machine.json is there, "machine". */
void bl_report_machine_json(bl_jw *w, const bl_report_model *model);
/* Memory against batch size, in bytes, from the sizes that ran (or were planned); *n receives how
 * many. */
bl_stats_floor_line bl_report_memory_line(const bl_report_model *model, size_t *n);
#endif
