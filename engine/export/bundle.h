/* Everything that an experiment's answer rests on, as one tar file: the runs that are done, the
 * plan, the experiment, the sweep library, the templates, the data set's declaration, the report,
 * and SHA256SUMS. It is laid out like a project, so that the commands work inside it:
 *
 *     NAME/experiments/NAME/...    the experiment's files
 *     NAME/runs/NAME/plan.jsonl    what the sweep asked for
 *     NAME/runs/NAME/ID/...        run.json, log.jsonl.gz and result.json of each run
 *     NAME/scripts/lua/...         the sweep library
 *     NAME/reports/NAME/...        the report
 *     NAME/reports/templates/...   the figures' templates
 *     NAME/datasets/DATASET.cfg    the declaration of the data set
 *     NAME/SHA256SUMS              of all of these
 *
 * Two bundles of equal stores have equal bytes, unless timings and environments are asked for. */
#ifndef BL_ENGINE_EXPORT_BUNDLE_H
#define BL_ENGINE_EXPORT_BUNDLE_H
#include "engine/base/status.h"
#include <stdbool.h>
#include <stddef.h>

typedef struct bl_bundle_source {
    const char *name; /* of the experiment */
    const char *runs_dir, *experiments_dir, *library_dir, *templates_dir, *manifest_dir;
    const char *more_manifests; /* NULL: there are none */
    bool with_timing;           /* also what differs from machine to machine */
} bl_bundle_source;

/* What was written. */
typedef struct bl_bundle {
    size_t runs, files, bytes;
    bool damaged;   /* it failed because a run is damaged: *err names it */
    bl_err undrawn; /* code BL_OK: the report has its figures; else why there are none */
} bl_bundle;

/* Writes `file`, packed unless its name ends in .tar. BL_EMISSING: no run is done. */
bl_status bl_bundle_write(bl_bundle *out, const bl_bundle_source *source, const char *file,
                          bl_err *err) BL_CHECKED;
#endif
