/* A known answer beside the measured one: experiments/NAME/FILE.csv, as sweep.known names it. */
#ifndef BL_ENGINE_REPORT_REFERENCE_H
#define BL_ENGINE_REPORT_REFERENCE_H
#include "engine/base/buf.h"
#include "engine/base/status.h"

/* A table as `batchlab fit` reads it, to the main target, turned into the plan's "known": an array
 * of {"batch_size", "steps"}. */
bl_status bl_reference_read(bl_buf *json, const char *path, bl_err *err) BL_CHECKED;
#endif
