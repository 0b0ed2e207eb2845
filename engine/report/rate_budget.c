/* The best rate over the budget, from a script's own decisions (kind "custom"), for instance
 *
 *     {"rate_over_budget":"constant","choice":"fixed","slope":-0.49,"half":0.11,
 *      "points":[{"epochs":1,"log2_rate":-3.2,"half":0.4,"batch_size":64},...]}
 */
#include "engine/report/rate_budget.h"
#include "engine/base/json.h"
#include "engine/base/vec.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static double number(const bl_json *object, const char *key) {
    return bl_json_number(object, key, (double)NAN);
}

/* Rates are written as logarithms to base 2, with half the width of an interval. */
static void read_point(bl_report_rate_point *out, const bl_json *p) {
    const double at = number(p, "log2_rate"), half = number(p, "half");
    *out = (bl_report_rate_point){number(p, "epochs"), exp2(at), exp2(at - half), exp2(at + half),
                                  number(p, "batch_size")};
}

static void read_line(bl_report_model *m, const bl_json *data) {
    const bl_json *points = bl_json_get(data, "points");
    bl_report_rate_budget *line = BL_PUSH(m->rate_budgets, m->rate_budget_count, "rates");
    *line = (bl_report_rate_budget){0};
    (void)snprintf(line->words, sizeof line->words, "%s, %s size",
                   bl_json_text(data, "rate_over_budget", ""), bl_json_text(data, "choice", ""));
    line->slope = number(data, "slope");
    line->half = number(data, "half");
    for (const bl_json *p = points != NULL ? points->first : NULL;
         p != NULL && line->points < BL_REPORT_RATE_POINTS; p = p->next)
        read_point(&line->point[line->points++], p);
}

bl_status bl_report_rate_budget_read(bl_report_model *m, bl_err *err) {
    for (size_t i = 0; i < m->plan.decision_count; i++) {
        const bl_plan_decision *d = &m->plan.decisions[i];
        bl_json_doc doc;
        if (d->kind != BL_PLAN_CUSTOM || d->data == NULL) continue;
        BL_TRY(bl_json_parse(&doc, d->data, strlen(d->data), "data", 1, err));
        if (bl_json_text(doc.root, "rate_over_budget", "")[0] != '\0') read_line(m, doc.root);
        bl_json_free(&doc);
    }
    return BL_OK;
}
