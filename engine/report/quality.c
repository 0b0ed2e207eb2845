/* The best validation value of each batch size, as sweep.quality found it: who retunes what, and
 * what that is worth.
 *
 *     all    everything retuned for this batch size
 *     rate   only the learning rate, the rest from the smallest size
 *     none   nothing retuned
 *     half   as all, with half of the steps
 *
 * A run's value is the lowest on its way, so that a run which overfits later loses nothing. Batch
 * sizes are compared by pairs of one seed: the median of the ratios, with the interval of order
 * statistics, against a declared margin. */
#include "engine/report/quality.h"
#include "engine/base/json.h"
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include "engine/report/history.h"
#include <math.h>
#include <string.h>

const char *const bl_report_part_names[BL_REPORT_PART_COUNT] = {[BL_REPORT_PART_ALL] = "all",
                                                                [BL_REPORT_PART_RATE] = "rate",
                                                                [BL_REPORT_PART_NONE] = "none",
                                                                [BL_REPORT_PART_HALF] = "half"};
static const double k_level = 0.95; /* of the medians' intervals */

/* The lowest value of the metric on the run's way. */
static double lowest_value(const bl_report_model *m, const char *run) {
    const bl_report_run *found = bl_report_run_of(m, run);
    double lowest = HUGE_VAL;
    if (found == NULL || found->evals == 0) return (double)NAN;
    for (size_t i = 0; i < found->evals; i++) {
        if (isnan(found->eval[i].value)) return HUGE_VAL; /* it diverged */
        lowest = fmin(lowest, found->eval[i].value);
    }
    return lowest;
}

/* COUNT when the data are not a decision of sweep.quality. */
static bl_report_part part_of(const bl_json *data) {
    const char *name = bl_json_text(data, "quality", "");
    int part = 0;
    while (part < BL_REPORT_PART_COUNT && strcmp(name, bl_report_part_names[part]) != 0) part++;
    return (bl_report_part)part;
}

/* The settings as JSON; the caller frees them. */
static char *settings_of(const bl_json *data) {
    const bl_json *settings = bl_json_get(data, "settings");
    bl_buf text = {0};
    bl_jw w = bl_jw_open(&text);
    if (settings == NULL || settings->type != BL_JSON_OBJECT) return bl_xstrdup("{}");
    bl_jw_value(&w, NULL, settings);
    char *copy = bl_xstrdup(bl_buf_text(&text));
    bl_buf_free(&text);
    return copy;
}

/* Every seed's lowest value, and their median. */
static void read_values(bl_report_quality *q, const bl_report_model *m, const bl_json *runs) {
    double *known = bl_xalloc((runs->count + 1) * sizeof *known);
    q->lowest = bl_xalloc((runs->count + 1) * sizeof *q->lowest);
    for (const bl_json *run = runs->first; run != NULL; run = run->next) {
        const double lowest =
            run->type == BL_JSON_STRING ? lowest_value(m, run->string) : (double)NAN;
        q->lowest[q->seeds++] = lowest;
        if (!isnan(lowest)) known[q->valued++] = lowest;
    }
    double coverage = 0;
    if (q->valued > 0) q->median = bl_stats_median_interval(known, q->valued, k_level, &coverage);
    if (coverage < k_level)
        q->median = q->valued > 0 ? bl_stats_exact(q->median.value) : bl_stats_unknown();
    free(known);
}

static void read_decision(bl_report_model *m, const bl_json *data) {
    const bl_json *runs = bl_json_get(data, "runs");
    const bl_report_part part = part_of(data);
    if (part == BL_REPORT_PART_COUNT || runs == NULL) return;
    bl_report_quality *q = BL_PUSH(m->quality, m->quality_count, "quality");
    *q = (bl_report_quality){.part = part,
                             .batch_size = bl_json_number(data, "batch_size", (double)NAN),
                             .learning_rate = bl_json_number(data, "learning_rate", (double)NAN),
                             .steps = bl_json_number(data, "steps", (double)NAN),
                             .margin = bl_json_number(data, "margin", (double)NAN),
                             .bracketed = bl_json_bool(data, "bracketed", false),
                             .settings = settings_of(data),
                             .ratio = bl_stats_unknown()};
    read_values(q, m, runs);
}

/* What decision i is compared with: the first one of its part, or for `half` the `all` of the
 * same batch size. NULL: there is none, or it is the first itself. */
const bl_report_quality *bl_report_quality_base(const bl_report_model *m, size_t i) {
    const bl_report_quality *q = &m->quality[i];
    const bool half = q->part == BL_REPORT_PART_HALF;
    for (size_t k = 0; k < m->quality_count; k++) {
        const bl_report_quality *other = &m->quality[k];
        if (half && other->part == BL_REPORT_PART_ALL && other->batch_size == q->batch_size)
            return other;
        if (!half && other->part == q->part) return k == i ? NULL : other;
    }
    return NULL;
}

/* Ratios of the seeds of which both runs have a log and a value above 0. */
static void judge(bl_report_model *m, size_t i) {
    bl_report_quality *q = &m->quality[i];
    const bl_report_quality *base = bl_report_quality_base(m, i);
    if (base == NULL || base->seeds != q->seeds) return;
    double *ratio = bl_xalloc((q->seeds + 1) * sizeof *ratio);
    size_t n = 0;
    for (size_t s = 0; s < q->seeds; s++)
        if (isfinite(base->lowest[s]) && base->lowest[s] > 0 && q->lowest[s] > 0)
            ratio[n++] = q->lowest[s] / base->lowest[s];
    q->verdict = bl_stats_equivalent(&q->ratio, ratio, n, q->margin);
    free(ratio);
}

bl_status bl_report_quality_read(bl_report_model *m, bl_err *err) {
    for (size_t i = 0; i < m->plan.decision_count; i++) {
        const bl_plan_decision *d = &m->plan.decisions[i];
        bl_json_doc doc;
        if (d->kind != BL_PLAN_CUSTOM || d->data == NULL) continue;
        BL_TRY(bl_json_parse(&doc, d->data, strlen(d->data), "data", 1, err));
        read_decision(m, doc.root);
        bl_json_free(&doc);
    }
    for (size_t i = 0; i < m->quality_count; i++) judge(m, i);
    return BL_OK;
}
