/* The evaluations of a run for other programs: a table (CSV, JSON lines) for pandas, R and DuckDB,
 * event files for TensorBoard. One row or event is one evaluation. A run's settings are columns, so
 * that a table of many runs needs no join. */
#ifndef BL_ENGINE_EXPORT_EVALS_H
#define BL_ENGINE_EXPORT_EVALS_H
#include "engine/base/buf.h"
#include "engine/store/run_files.h"

extern const char bl_export_columns[]; /* the header of the CSV, without a line's end */
/* Append the run's rows: the fields of bl_export_columns with commas between them, no number is
 * an empty field; or one object a line with the same names, where no number is null. For
 * instance
 *
 *     r0041271e59b6,0,65536,16,8,1,2,32,8.125,31.25,8,
 */
void bl_export_csv(bl_buf *out, const bl_run_files *run);
void bl_export_jsonl(bl_buf *out, const bl_run_files *run);
/* Writes DIR/b64-lr0.0625-s1-ID/events.out.tfevents.0.batchlab: TensorBoard shows the folder's
 * name. */
bl_status bl_export_tfevents(const bl_run_files *run, const char *dir, bl_err *err) BL_CHECKED;
#endif
