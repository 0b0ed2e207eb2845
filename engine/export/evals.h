/* The evaluations of a run for other programs: a table (CSV, JSON lines) for pandas, R and DuckDB,
 * event files for TensorBoard. One row or event is one evaluation. A run's settings are columns, so
 * that a table of many runs needs no join. */
#ifndef BL_ENGINE_EXPORT_EVALS_H
#define BL_ENGINE_EXPORT_EVALS_H
#include "engine/base/buf.h"
#include "engine/plan/differing.h"
#include "engine/store/run_files.h"

extern const char bl_export_columns[]; /* the columns of every table, with commas */
/* The header of the CSV: those, and a column for each of `settings`. */
void bl_export_header(bl_buf *out, const bl_plan_differing *settings);
/* Append the run's rows: the fields of the header with commas between them, no number is an empty
 * field; or one object a line with the same names, where no number is null. For instance, with
 * optimizer.name as the one setting that differs
 *
 *     r0041271e59b6,0,65536,16,8,1,2,32,8.125,31.25,8,,expected_loss,,sgd
 *
 * `series` is the run's in the last sweep's plan, "" without one. */
void bl_export_csv(bl_buf *out, const bl_run_files *run, const bl_plan_differing *settings,
                   const char *series);
void bl_export_jsonl(bl_buf *out, const bl_run_files *run, const bl_plan_differing *settings,
                     const char *series);
/* Writes DIR/b64-lr0.0625-s1-ID/events.out.tfevents.0.batchlab: TensorBoard shows the folder's
 * name. Batch size, rate, seed and `settings` are its hyperparameters. */
bl_status bl_export_tfevents(const bl_run_files *run, const bl_plan_differing *settings,
                             const char *dir, bl_err *err) BL_CHECKED;
#endif
