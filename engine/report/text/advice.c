#include "engine/report/text/advice.h"
#include "engine/base/format.h"
#include <math.h>

/* Fewer steps than this at every batch size measure the first evaluations, not the batch size. */
enum { AT_ONCE = 20 };

double bl_advice_round_up(double x) {
    const double room = 1.01;
    if (!(x > 0) || !isfinite(x)) return (double)NAN;
    const double unit = pow(10, floor(log10(x)) - 1);
    return ceil(x * room / unit) * unit;
}

/* The lowest value that any run of the plan had, with its run; NULL without any. */
static const bl_report_run *closest_run(const bl_report_model *m, double *value) {
    const bl_report_run *closest = NULL;
    *value = INFINITY;
    for (size_t i = 0; i < m->run_count; i++)
        for (size_t k = 0; k < m->runs[i].evals; k++)
            if (m->runs[i].eval[k].value < *value) {
                *value = m->runs[i].eval[k].value;
                closest = &m->runs[i];
            }
    return closest;
}

static void command(bl_buf *out, const bl_report_model *m, double target) {
    const bl_plan_head *h = &m->plan.head;
    bl_buf_printf(out, " Try %.6g: batchlab run %s%s%s --set sweep.targets=%.6g\n", target,
                  h->experiment, h->preset[0] != '\0' ? " --preset " : "", h->preset, target);
}

static void too_hard(bl_buf *out, const bl_report_model *m) {
    double value;
    const bl_report_run *run = closest_run(m, &value);
    if (run == NULL) return;
    bl_buf_printf(out, "The closest was %s %.3g, at batch size ", m->plan.head.metric, value);
    bl_format_count(out, run->batch_size);
    bl_buf_str(out, " and learning rate ");
    bl_format_rate(out, run->learning_rate);
    const double target = bl_advice_round_up(value);
    bl_buf_str(out, isnan(target) ? ".\n" : ".");
    if (!isnan(target)) command(out, m, target);
}

/* Whether every batch size had the target within AT_ONCE steps, at every seed. */
static bool reached_at_once(const bl_report_model *m) {
    for (size_t i = 0; i < m->main.size_count; i++) {
        const bl_report_size *s = &m->main.sizes[i];
        for (size_t k = 0; k < s->count; k++)
            if (s->points[k].censored || s->points[k].steps > AT_ONCE) return false;
    }
    return m->main.size_count > 0;
}

static void too_easy(bl_buf *out, const bl_report_model *m) {
    double value;
    if (!reached_at_once(m) || closest_run(m, &value) == NULL) return;
    double target = bl_advice_round_up(value);
    if (!(target < 0.97 * m->main.target)) target = bl_advice_round_up(0.75 * m->main.target);
    if (isnan(target) || !(target < m->main.target)) return;
    bl_buf_printf(out, "Too easy: the target was reached within %d steps at every batch size.",
                  AT_ONCE);
    command(out, m, target);
}

void bl_advice_target(bl_buf *out, const bl_report_model *m) {
    if (isnan(m->main.target) || m->main.size_count == 0) return;
    if (m->answered)
        too_easy(out, m);
    else
        too_hard(out, m);
}
