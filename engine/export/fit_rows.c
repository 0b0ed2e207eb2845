#include "engine/export/fit_rows.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Is decision i the last "best" of its batch size, at this target and outside of named series?
 * Searches may decide on a size twice, and fresh seeds then replace those that chose the rate. */
static bool counts(const bl_plan_doc *plan, size_t i, double target) {
    const bl_plan_decision *d = &plan->decisions[i];
    if (d->kind != BL_PLAN_BEST || d->series != NULL || d->target != target || d->points == NULL)
        return false;
    for (size_t k = i + 1; k < plan->decision_count; k++) {
        const bl_plan_decision *later = &plan->decisions[k];
        if (later->kind == BL_PLAN_BEST && later->series == NULL && later->target == target &&
            later->batch_size == d->batch_size)
            return false;
    }
    return true;
}

/* One row for each seed: "points" of the decision is
 * [{"seed":1,"steps":1792,"before":1706,"censored":false},...]. */
static bl_status add_rows(bl_buf *out, const bl_plan_decision *d, bl_err *err) {
    bl_json_doc doc;
    BL_TRY(bl_json_parse(&doc, d->points, strlen(d->points), "points", 1, err));
    for (const bl_json *p = doc.root->first; p != NULL; p = p->next) {
        bl_buf_printf(out, "%.0f,%" PRId64 ",%" PRId64 ",%d,%" PRId64 ",", d->batch_size,
                      bl_json_int(p, "steps", 0), bl_json_int(p, "seed", 0),
                      bl_json_bool(p, "censored", false), bl_json_int(p, "before", 0));
        bl_json_f64(out, d->target);
        bl_buf_str(out, "\n");
    }
    bl_json_free(&doc);
    return BL_OK;
}

bl_status bl_export_fit_rows(bl_buf *out, const bl_plan_doc *plan, bl_err *err) {
    const bl_plan_numbers *targets = &plan->head.targets;
    const double target = targets->count > 0 ? targets->v[targets->count - 1] : (double)NAN;
    bl_buf_str(out, "batch_size,steps,seed,censored,steps_prev,target\n");
    const size_t empty = out->len;
    for (size_t i = 0; i < plan->decision_count; i++)
        if (counts(plan, i, target)) BL_TRY(add_rows(out, &plan->decisions[i], err));
    if (out->len == empty)
        BL_FAIL(err, BL_EMISSING,
                "%s: the plan has no steps to target %g outside of named series; `batchlab run` "
                "asks for them",
                plan->head.experiment, target);
    return BL_OK;
}
