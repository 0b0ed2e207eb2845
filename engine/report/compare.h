/* Comparisons of two batch sizes, from the plan's decisions of kind "compare" and their runs' logs.
 * Used inside this room only. */
#ifndef BL_ENGINE_REPORT_COMPARE_H
#define BL_ENGINE_REPORT_COMPARE_H
#include "engine/base/json_writer.h"
#include "engine/report/report.h"

/* Adds the comparison of one plan line. */
void bl_report_read_pair(bl_report_model *answer, const bl_json *line);
/* Marks their trials as fresh: once all trials are read. */
void bl_compare_mark(bl_report_model *answer);
/* Fills what was measured: once history and timing are there. */
void bl_compare_judge(bl_report_model *answer);
void bl_pairs_free(bl_report_model *answer);

/* One or two sentences on each, one a line. */
void bl_pairs_words(bl_buf *out, const bl_report_model *answer);
/* An array of objects. */
void bl_pairs_json(bl_jw *w, const char *key, const bl_report_model *answer);
#endif
