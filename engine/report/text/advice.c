#include "engine/report/text/advice.h"
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include "engine/stats/summary.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Fewer steps than this at every batch size measure the first evaluations, not the batch size. */
enum { AT_ONCE = 20 };

double bl_advice_round_up(double x) {
    const double room = 1.01;
    if (!(x > 0) || !isfinite(x)) return (double)NAN;
    const double unit = pow(10, floor(log10(x)) - 1);
    return ceil(x * room / unit) * unit;
}

/* The lowest value that the run had; INFINITY: none. */
static double lowest(const bl_report_run *run) {
    double value = INFINITY;
    for (size_t k = 0; k < run->evals; k++)
        if (run->eval[k].value < value) value = run->eval[k].value;
    return value;
}

/* Orders pointers to runs such that those which differ in nothing but the seed are neighbours. */
static int by_settings(const void *x, const void *y) {
    const bl_report_run *a = *(const bl_report_run *const *)x,
                        *b = *(const bl_report_run *const *)y;
    if (a->batch_size != b->batch_size) return a->batch_size < b->batch_size ? -1 : 1;
    if (a->learning_rate != b->learning_rate) return a->learning_rate < b->learning_rate ? -1 : 1;
    return a->trial == NULL || b->trial == NULL ? 0
                                                : strcmp(a->trial->settings, b->trial->settings);
}

/* What n seeds of the same settings came to: their median, or the worst of them where half of them
 * had the target. */
static double come_to(const bl_report_model *m, const bl_report_run *const *run, size_t n) {
    double *values = bl_xalloc(n * sizeof *values), worst = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        values[i] = lowest(run[i]);
        if (values[i] > worst) worst = values[i];
    }
    const double median = bl_stats_median(values, n);
    free(values);
    return m->answered || median > m->main.target ? median : worst;
}

/* The size and rate whose seeds came lowest, as one of their runs, and that value. One lucky seed
 * is no reason for a target: settings with fewer seeds than others count only where there are no
 * others. NULL without any. */
static const bl_report_run *closest_run(const bl_report_model *m, double *value) {
    const bl_report_run *closest = NULL;
    const bl_report_run **run = bl_xalloc((m->run_count + 1) * sizeof *run);
    size_t n = 0, most = 0;
    for (size_t i = 0; i < m->run_count; i++)
        if (m->runs[i].evals > 0) run[n++] = &m->runs[i];
    qsort(run, n, sizeof *run, by_settings);
    *value = INFINITY;
    for (size_t first = 0, end; first < n; first = end) {
        for (end = first + 1; end < n && by_settings(&run[first], &run[end]) == 0;) end++;
        const double reached = come_to(m, &run[first], end - first);
        if (end - first < most || !isfinite(reached)) continue;
        if (end - first == most && !(reached < *value)) continue;
        most = end - first;
        *value = reached;
        closest = run[first];
    }
    free(run);
    return closest;
}

/* " Try 0.62: batchlab run NAME --preset quick --set sweep.targets=0.62" */
static void command(bl_buf *out, const bl_report_model *m, double target) {
    const bl_plan_head *h = &m->plan.head;
    bl_buf_printf(out, " Try %.6g: batchlab run %s%s%s --set sweep.targets=%.6g\n", target,
                  h->experiment, h->preset[0] != '\0' ? " --preset " : "", h->preset, target);
}

/* What needs no net, where that is known: a target at or above it says nothing about batch sizes.
 */
static bool beats_baseline(const bl_report_model *m, double value) {
    return isnan(m->plan.head.baseline) || value < m->plan.head.baseline;
}

static void no_better(bl_buf *out, const bl_report_model *m, const char *subject) {
    bl_buf_printf(out,
                  "%s %.4g, which needs no net (sweep.baseline).\nFirst raise sweep.max_epochs, or "
                  "change the model.\n",
                  subject, m->plan.head.baseline);
}

/* A little above the value that a run had, and below what needs no net. NAN: there is no room. */
static double within_reach(const bl_report_model *m, double value) {
    const double target = bl_advice_round_up(value),
                 between = (value + m->plan.head.baseline) / 2.0;
    if (isnan(target) || beats_baseline(m, target)) return target;
    const double unit = pow(10, floor(log10(between)) - 3);
    const double down = floor(between / unit) * unit;
    return down > value ? down : (double)NAN;
}

static void too_hard(bl_buf *out, const bl_report_model *m) {
    double value;
    const bl_report_run *run = closest_run(m, &value);
    if (run == NULL) return;
    bl_buf_printf(out, "The closest was %s %.3g, at batch size ", m->plan.head.metric, value);
    bl_format_count(out, run->batch_size);
    bl_buf_str(out, " and learning rate ");
    bl_format_rate(out, run->learning_rate);
    if (!beats_baseline(m, value)) {
        no_better(out, m, ".\nThat is no better than");
        return;
    }
    const double target = within_reach(m, value);
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

/* Nothing is said where no harder target is within reach. */
static void too_easy(bl_buf *out, const bl_report_model *m) {
    double value;
    if (!reached_at_once(m) || closest_run(m, &value) == NULL) return;
    const bool known = beats_baseline(m, value); /* that a target below the baseline is in reach */
    double target = within_reach(m, value);
    if (!(target < 0.97 * m->main.target)) target = bl_advice_round_up(0.75 * m->main.target);
    if (known && (isnan(target) || !(target < m->main.target))) return;
    bl_buf_printf(out, "Too easy: the target was reached within %d steps at every batch size.",
                  AT_ONCE);
    if (known)
        command(out, m, target);
    else
        no_better(out, m, "\nNo run was better than");
}

void bl_advice_target(bl_buf *out, const bl_report_model *m) {
    if (isnan(m->main.target) || m->main.size_count == 0) return;
    if (m->answered)
        too_easy(out, m);
    else
        too_hard(out, m);
}
