/* Steps to the target as a table for `batchlab fit`: what a sweep's answer is fitted to. */
#ifndef BL_ENGINE_EXPORT_FIT_ROWS_H
#define BL_ENGINE_EXPORT_FIT_ROWS_H
#include "engine/plan/plan.h"

/* A header and, for each batch size, the seeds at its best learning rate: batch_size, steps, seed,
 * censored, steps_prev, target. The plan's hardest target counts, and runs outside of named series.
 * BL_EMISSING: the plan has no such answer. */
bl_status bl_export_fit_rows(bl_buf *out, const bl_plan_doc *plan, bl_err *err) BL_CHECKED;
#endif
