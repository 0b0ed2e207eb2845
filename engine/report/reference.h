/* A known answer beside the measured one: experiments/NAME/FILE.csv, as sweep.reference names it.
 */
#ifndef BL_ENGINE_REPORT_REFERENCE_H
#define BL_ENGINE_REPORT_REFERENCE_H
#include "engine/plan/plan.h"

/* A table as `batchlab fit` reads it, to the main target. The caller frees out->v. */
bl_status bl_reference_read(bl_plan_references *out, const char *path, bl_err *err) BL_CHECKED;
#endif
