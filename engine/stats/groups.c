/* Runs grouped by batch size, and how sure their means are.
 *
 * Log steps of one batch size scatter over seeds with a variance that is pooled over all sizes. On
 * top of it lies the gap: a target is crossed somewhere between two evaluations, whose log ratio is
 * g, and the middle is off by up to g / 2. Where seeds scatter by more than g, each run is off by
 * another amount, which is part of the scatter that is seen. Where they scatter by less, all runs
 * of a size stop at the same evaluation and are off by the same amount, which no number of seeds
 * averages away. The variance of that common part, over all places of the evaluations, is
 *
 *     sum over k of g^2 / (2 pi^2 k^2) exp(-4 pi^2 k^2 sigma^2 / g^2),
 *
 * the Fourier series of the rounding error of a normal number (Sheppard's correction in full). It
 * is g^2 / 12 at sigma = 0 and nothing from sigma = g / 2 on. */
#include "engine/stats/groups.h"
#include "engine/base/mem.h"
#include "engine/stats/summary.h"
#include <math.h>

static const double pi = 3.14159265358979323846;

/* Ascending in batch size, then in steps, a censored run after one that arrived at the same step.
 */
static int by_batch_and_steps(const void *pa, const void *pb) {
    const bl_stats_run *a = pa, *b = pb;
    if (a->log_b != b->log_b) return a->log_b < b->log_b ? -1 : 1;
    if (a->log_s != b->log_s) return a->log_s < b->log_s ? -1 : 1;
    return (int)a->censored - (int)b->censored;
}

static bool any_censored(const bl_stats_run *runs, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (runs[i].censored) return true;
    return false;
}

/* The median of `n` values of which some are lower bounds. It lies between the median with the
 * bounds taken as values and the median with them at infinity; where the two differ, only the lower
 * one is certain. */
static bl_stats_cell median_cell(const bl_stats_run *runs, size_t n) {
    double *low = bl_xalloc(2 * n * sizeof *low), *high = low + n;
    for (size_t i = 0; i < n; i++) {
        low[i] = runs[i].log_s;
        high[i] = runs[i].censored ? HUGE_VAL : runs[i].log_s;
    }
    bl_stats_sort(low, n);
    bl_stats_sort(high, n);
    const double at_least = bl_stats_quantile_sorted(low, n, 0.5);
    const double at_most = bl_stats_quantile_sorted(high, n, 0.5);
    free(low);
    return (bl_stats_cell){
        .log_b = runs[0].log_b, .log_s = at_least, .weight = 1, .censored = at_least < at_most};
}

/* The mean of the logs; with runs that did not arrive, the median. */
static bl_stats_cell cell_of(const bl_stats_run *runs, size_t n) {
    if (any_censored(runs, n)) return median_cell(runs, n);
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += runs[i].log_s - runs[0].log_s;
    return (bl_stats_cell){
        .log_b = runs[0].log_b, .log_s = runs[0].log_s + sum / (double)n, .weight = 1};
}

/* `index` is the place in the caller's array, for the message. */
static bl_status check_point(const bl_stats_point *p, size_t index, bl_err *err) {
    if (!bl_stats_in_domain(p->batch_size))
        BL_FAIL(err, BL_EINVAL, "point %zu: the batch size is %g, allowed are %g to %g", index + 1,
                p->batch_size, BL_STATS_LEAST, BL_STATS_MOST);
    if (!bl_stats_in_domain(p->steps))
        BL_FAIL(err, BL_EINVAL, "point %zu: the steps are %g, allowed are %g to %g", index + 1,
                p->steps, BL_STATS_LEAST, BL_STATS_MOST);
    if (!(p->steps_prev >= 0 && p->steps_prev < p->steps))
        BL_FAIL(err, BL_EINVAL, "point %zu: the evaluation before step %g is said to be at %g",
                index + 1, p->steps, p->steps_prev);
    return BL_OK;
}

static bl_stats_run run_of(const bl_stats_point *p, bl_stats_count count) {
    const bool gap = !p->censored && p->steps_prev > 0;
    const double steps = count == BL_STATS_COUNT_SEEN ? p->steps : bl_stats_point_steps(p);
    return (bl_stats_run){.log_b = log(p->batch_size),
                          .log_s = log(steps),
                          .gap = gap ? fmax(0, log(p->steps / (p->steps_prev + 1))) : 0,
                          .censored = p->censored};
}

/* ---- scatter ---- */

/* The common part of rounding to evaluations whose log ratio is `gap`, at the variance `smooth`. */
static double shared(double gap, double smooth) {
    if (gap <= 0) return 0;
    if (smooth <= 0) return gap * gap / 12;
    double sum = 0;
    for (int k = 1; k < 1000; k++) {
        const double part =
            exp(-4 * pi * pi * k * k * smooth / (gap * gap)) * gap * gap / (2 * pi * pi * k * k);
        sum += part;
        if (part < 1e-12 * gap * gap) break;
    }
    return fmin(sum, gap * gap / 12);
}

/* The variance without rounding of which rounding makes `variance`, seen within one size: what
 * rounding adds, gap^2 / 12, less the part that the runs of a size have in common. */
static double without_gap(double variance, double gap) {
    double low = 0, high = variance;
    for (int i = 0; i < 60; i++) {
        const double middle = (low + high) / 2;
        if (middle + gap * gap / 12 - shared(gap, middle) < variance)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Over the batch sizes with repeats of which all arrived. */
static void pool_scatter(bl_stats_groups *g) {
    double squares = 0, gaps = 0;
    for (size_t c = 0; c < g->count; c++) {
        const size_t n = g->first[c + 1] - g->first[c];
        const bl_stats_run *runs = g->runs + g->first[c];
        g->repeated += n >= 2;
        if (n < 2 || any_censored(runs, n)) continue;
        for (size_t i = 0; i < n; i++) {
            const double r = runs[i].log_s - g->cells[c].log_s;
            squares += r * r;
        }
        g->freedom += (double)(n - 1);
        gaps += (double)(n - 1) * g->gap[c] * g->gap[c];
    }
    g->variance = squares / g->freedom; /* NAN without repeats */
    if (g->freedom > 0) g->smooth = without_gap(g->variance, sqrt(gaps / g->freedom));
}

/* Fills first[], cells[] and gap[] from the sorted runs. */
static void group_runs(bl_stats_groups *g) {
    for (size_t i = 0; i < g->run_count; i++) {
        if (i == 0 || g->runs[i].log_b != g->runs[i - 1].log_b) g->first[g->count++] = i;
        g->first[g->count] = i + 1;
    }
    for (size_t c = 0; c < g->count; c++) {
        const size_t n = g->first[c + 1] - g->first[c];
        const bl_stats_run *runs = g->runs + g->first[c];
        g->cells[c] = cell_of(runs, n);
        double sum = 0;
        for (size_t i = 0; i < n; i++) sum += runs[i].gap * runs[i].gap;
        g->gap[c] = sqrt(sum / (double)n);
    }
}

bl_status bl_stats_groups_init(bl_stats_groups *g, const bl_stats_point *points, size_t n,
                               bl_stats_count count, bl_err *err) {
    *g = (bl_stats_groups){0};
    for (size_t i = 0; i < n; i++) BL_TRY(check_point(&points[i], i, err));
    g->run_count = n;
    g->runs = bl_xalloc((n + 1) * sizeof *g->runs);
    g->cells = bl_xalloc((n + 1) * sizeof *g->cells);
    g->first = bl_xalloc((n + 1) * sizeof *g->first);
    g->gap = bl_xalloc((n + 1) * sizeof *g->gap);
    for (size_t i = 0; i < n; i++) g->runs[i] = run_of(&points[i], count);
    if (n > 1) qsort(g->runs, n, sizeof *g->runs, by_batch_and_steps);
    group_runs(g);
    pool_scatter(g);
    return BL_OK;
}

void bl_stats_groups_deinit(bl_stats_groups *g) {
    free(g->runs);
    free(g->cells);
    free(g->first);
    free(g->gap);
    *g = (bl_stats_groups){0};
}

double bl_stats_cell_share(const bl_stats_groups *g, size_t cell) {
    const size_t n = g->first[cell + 1] - g->first[cell];
    const bool median = any_censored(g->runs + g->first[cell], n);
    return (median ? pi / 2 : 1) / (double)n;
}

/* Sizes with the same steps, as on the floor of a curve, stop at the same evaluation and are off
 * together: all of them say no more than one. */
static size_t at_the_same_evaluation(const bl_stats_groups *g, size_t cell) {
    size_t n = 0;
    for (size_t c = 0; c < g->count; c++)
        n += fabs(g->cells[c].log_s - g->cells[cell].log_s) < g->gap[cell] / 2;
    return n > 0 ? n : 1;
}

double bl_stats_cell_shared_gap(const bl_stats_groups *g, size_t cell) {
    return shared(g->gap[cell], g->freedom > 0 ? g->smooth : HUGE_VAL);
}

double bl_stats_cell_common_gap(const bl_stats_groups *g, size_t cell) {
    return bl_stats_cell_shared_gap(g, cell) * (double)at_the_same_evaluation(g, cell);
}
