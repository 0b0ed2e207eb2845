/* Does the batch size change the best validation value? The decisions of scripts/lua/quality.lua
 * name the settings and the runs of each batch size; the values come from the runs' logs.
 *
 * Sizes are compared by the ratio of the lowest values of two runs of the same seed, and "equal" is
 * shown by two one-sided tests with the declared margin (engine/stats/equivalence.h).
 * docs/statistics.md, Validation quality, explains it. */
#ifndef BL_ENGINE_REPORT_QUALITY_H
#define BL_ENGINE_REPORT_QUALITY_H
#include "engine/report/report_model.h"

/* "all", "rate", "none", "half": in files. */
extern const char *const bl_report_part_names[BL_REPORT_PART_COUNT];

/* Fills model->quality, once the histories are there. */
bl_status bl_report_quality_read(bl_report_model *model, bl_err *err) BL_CHECKED;

/* What entry i is compared with: the smallest size of its part, or of PART_HALF the same size with
 * all the steps. NULL: nothing, or it is that itself. */
const bl_report_quality *bl_report_quality_base(const bl_report_model *model, size_t i);
#endif
