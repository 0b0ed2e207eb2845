/* From the plan's decisions to the batch sizes of a target, their costs and the critical batch
 * sizes.
 *
 * A decision of kind "best" names the runs of all seeds at the best learning rate of one batch
 * size. Each run becomes one point: the steps at which it reached the target, or the steps it ran
 * without. From the points come the fits of critical batch sizes and, with the timing pass, what a
 * training costs; from the costs the three optima. A target that the sweep did not search for is
 * answered from the same runs (recut.h): their logs say when they passed it. */
#include "engine/report/targets.h"
#include "engine/base/mem.h"
#include "engine/report/history.h"
#include "engine/report/machine_read.h"
#include "engine/report/recut.h"
#include <math.h>
#include <string.h>

enum { BOOTSTRAP_SEED = 1 };

/* A run that diverged or did not fit would not have arrived within its budget either. One whose
 * program failed says nothing: it is no point. */
static bool point_of_trial(bl_stats_point *p, const bl_report_trial *t) {
    const bool lost = t->outcome == BL_OUTCOME_DIVERGED || t->outcome == BL_OUTCOME_MEMORY;
    *p = (bl_stats_point){.batch_size = t->batch_size,
                          .steps = (double)(t->target_step > 0 ? t->target_step
                                            : lost             ? t->max_steps
                                                               : t->steps),
                          .steps_prev = t->target_step > 0 ? (double)t->previous_eval_step : 0,
                          .censored = t->target_step == 0,
                          .seed = t->seed};
    return p->steps > 0 && t->outcome != BL_OUTCOME_FAILED;
}

/* For a target that no trial asked for the run's log says when it was passed. */
static bool point_of(bl_stats_point *p, const bl_report_model *m, const char *id, double target) {
    const bl_report_trial *t = target == m->main.target ? bl_report_trial_of(m, id) : NULL;
    const bl_report_run *run = bl_report_run_of(m, id);
    if (t != NULL) return point_of_trial(p, t);
    if (run == NULL) return false;
    const size_t hit = bl_history_hit(run, target);
    *p = (bl_stats_point){.batch_size = run->batch_size,
                          .steps = run->eval[hit < run->evals ? hit : run->evals - 1].step,
                          .steps_prev = hit > 0 && hit < run->evals ? run->eval[hit - 1].step : 0,
                          .censored = hit == run->evals,
                          .seed = run->seed};
    return true;
}

/* What the timing pass measured at this batch size; nothing where it did not look. */
static void find_timing(bl_report_size *s, const bl_report_model *m) {
    for (size_t i = 0; i < m->timing_count; i++) {
        const bl_report_timing *t = &m->timing[i];
        if (t->batch_size != s->batch_size) continue;
        s->step_seconds = t->step_seconds;
        s->memory_bytes = t->memory_bytes;
        s->joules_per_step = t->joules_per_step;
    }
}

/* One, until a step or its memory is more than one device takes. Memory that was not measured
 * limits nothing. Without a declaration the largest batch that ran (machine.json) is what one
 * takes. */
static int64_t devices_of(const bl_report_size *s, const bl_report_model *m) {
    const double mebibytes = s->memory_bytes / (1 << 20);
    double n = 1;
    if (m->plan.head.cost.device_batch_size > 0)
        n = fmax(n, ceil(s->batch_size / (double)m->plan.head.cost.device_batch_size));
    if (m->plan.head.cost.device_memory > 0)
        n = fmax(n, ceil(mebibytes / m->plan.head.cost.device_memory));
    if (m->plan.head.cost.device_batch_size <= 0 && !(m->plan.head.cost.device_memory > 0) &&
        bl_report_is_too_large(m, s->batch_size) && m->machine.largest > 0)
        n = fmax(n, ceil(s->batch_size / m->machine.largest));
    return (int64_t)n;
}

/* One batch size from its decision. Without any run of it, the decision's own step count is its
 * only point. */
static void fill_size(bl_report_size *s, const bl_report_model *m, const bl_report_best *b) {
    *s = (bl_report_size){.batch_size = b->batch_size,
                          .learning_rate = b->learning_rate,
                          .bracketed = b->bracketed,
                          .fresh_seeds = b->fresh_seeds > 0 ? (size_t)b->fresh_seeds : 0,
                          .points = bl_xalloc((b->runs + 1) * sizeof *s->points),
                          .run = bl_xalloc((b->runs + 1) * sizeof *s->run),
                          .step_seconds = bl_stats_unknown(),
                          .memory_bytes = (double)NAN,
                          .joules_per_step = (double)NAN};
    find_timing(s, m);
    s->devices = devices_of(s, m);
    for (size_t i = 0; i < b->runs; i++) {
        if (!point_of(&s->points[s->count], m, b->run[i], b->target)) continue;
        memcpy(s->run[s->count++], b->run[i], sizeof *s->run);
    }
    if (s->count > 0 || !(b->steps > 0)) return;
    s->points[s->count++] =
        (bl_stats_point){.batch_size = b->batch_size, .steps = b->steps, .censored = b->censored};
}

static int by_batch_size(const void *a, const void *b) {
    const double x = ((const bl_report_size *)a)->batch_size;
    const double y = ((const bl_report_size *)b)->batch_size;
    return (x > y) - (x < y);
}

/* A later decision on the same batch size replaces an earlier one. */
static void collect_sizes(bl_report_target *t, const bl_report_model *m,
                          const bl_report_bests *bests, int series) {
    t->sizes = bl_xalloc((bests->count + 1) * sizeof *t->sizes);
    for (size_t i = 0; i < bests->count; i++) {
        const bl_report_best *b = &bests->best[i];
        if (b->target != t->target || b->series != series) continue;
        size_t at = 0;
        while (at < t->size_count && t->sizes[at].batch_size != b->batch_size) at++;
        if (at == t->size_count)
            t->size_count++;
        else
            bl_report_size_free(&t->sizes[at]);
        fill_size(&t->sizes[at], m, b);
    }
    qsort(t->sizes, t->size_count, sizeof *t->sizes, by_batch_size);
}

/* All points of all batch sizes into one fit. */
static bl_status fit_critical(bl_report_target *t, const bl_stats_options *options, bl_err *err) {
    size_t n = 0;
    for (size_t i = 0; i < t->size_count; i++) n += t->sizes[i].count;
    bl_stats_point *points = bl_xalloc((n + 1) * sizeof *points);
    n = 0;
    for (size_t i = 0; i < t->size_count; i++)
        for (size_t r = 0; r < t->sizes[i].count; r++) points[n++] = t->sizes[i].points[r];
    const bl_status status = bl_stats_critical_fit(&t->critical, points, n, options, err);
    free(points);
    return status;
}

/* What each batch size costs, and the three optima. */
static bl_status count_costs(bl_report_target *t, const bl_report_model *m,
                             const bl_stats_options *options, bl_err *err) {
    const size_t n = t->size_count;
    bl_stats_cost_input *in = bl_xalloc((n + 1) * sizeof *in);
    bl_stats_cost_row *rows = bl_xalloc((n + 1) * sizeof *rows);
    for (size_t i = 0; i < n; i++) {
        const bl_report_size *s = &t->sizes[i];
        const double more = (double)(s->devices - 1);
        in[i] = (bl_stats_cost_input){
            .batch_size = s->batch_size,
            .runs = s->points,
            .run_count = s->count,
            .step_seconds = s->step_seconds,
            .step_resource = bl_stats_scaled(s->step_seconds, (double)m->threads),
            .upfront_seconds = more * m->plan.head.cost.upfront_seconds,
            .upfront_resource = more * m->plan.head.cost.upfront_core_hours * 3600,
            .feasible = true};
    }
    const bl_status status = bl_stats_costs(rows, t->best, in, n, options, err);
    for (size_t i = 0; i < n && status == BL_OK; i++) t->sizes[i].costs = rows[i];
    free(rows);
    free(in);
    return status;
}

static bool decided(const bl_report_bests *bests, double target) {
    for (size_t i = 0; i < bests->count; i++)
        if (bests->best[i].target == target) return true;
    return false;
}

/* A target that the sweep did not retune for is answered from the same runs (bl_recut_bests). */
static bl_status solve(bl_report_target *t, double target, const bl_report_model *m,
                       const bl_report_bests *bests, int series, bl_err *err) {
    const bl_stats_options options = {.seed = BOOTSTRAP_SEED,
                                      .replicates = BL_STATS_REPLICATES,
                                      .scaling = bl_stats_scaling_named(m->plan.head.scaling)};
    *t = (bl_report_target){.target = target};
    bl_report_bests recut = {0};
    const bool again = target != m->main.target && !decided(bests, target);
    if (again) bl_recut_bests(&recut, m, target);
    collect_sizes(t, m, again ? &recut : bests, again ? BL_NO_SERIES : series);
    bl_report_bests_free(&recut);
    BL_TRY(fit_critical(t, &options, err));
    return count_costs(t, m, &options, err);
}

/* The series that answers: what was asked under no name, else the one with the fewest steps; where
 * none reached the target, the last. */
static int choose_series(const bl_report_model *m, const bl_report_bests *bests) {
    for (size_t i = 0; i < bests->count; i++)
        if (bests->best[i].series == BL_NO_SERIES) return BL_NO_SERIES;
    int best = (int)m->series_count - 1;
    double least = HUGE_VAL;
    for (size_t i = 0; i < m->series_count; i++) {
        const bl_report_target *t = &m->series[i].main;
        const bl_stats_optimum *o = &t->best[BL_STATS_FEWEST_STEPS];
        const double steps =
            o->known ? t->sizes[o->index].costs.cost[BL_STATS_FEWEST_STEPS].value : HUGE_VAL;
        if (steps >= least) continue;
        least = steps;
        best = (int)i;
    }
    return best;
}

static bl_status solve_main(bl_report_model *m, const bl_report_bests *bests, bl_err *err) {
    m->main_series = choose_series(m, bests);
    BL_TRY(solve(&m->main, m->main.target, m, bests, m->main_series, err));
    for (size_t i = 0; i < m->main.size_count; i++)
        m->timed = m->timed || m->main.sizes[i].step_seconds.known;
    return BL_OK;
}

/* Those that some batch size reached. */
static bl_status solve_easier(bl_report_model *m, const bl_report_bests *bests, bl_err *err) {
    m->easier = bl_xalloc((m->target_count + 1) * sizeof *m->easier);
    for (size_t i = 0; i + 1 < m->target_count; i++) {
        bl_report_target *t = &m->easier[m->easier_count++];
        BL_TRY(solve(t, m->targets[i], m, bests, m->main_series, err));
        if (t->best[BL_STATS_FEWEST_STEPS].known) continue;
        bl_report_target_free(t);
        m->easier_count--;
    }
    return BL_OK;
}

/* Before the main target, which takes the best series' answer. */
static bl_status solve_series(bl_report_model *m, const bl_report_bests *bests, bl_err *err) {
    for (size_t i = 0; i < m->series_count; i++)
        BL_TRY(solve(&m->series[i].main, m->main.target, m, bests, (int)i, err));
    return BL_OK;
}

bl_status bl_report_solve_targets(bl_report_model *m, const bl_report_bests *bests, bl_err *err) {
    BL_TRY(solve_series(m, bests, err));
    BL_TRY(solve_main(m, bests, err));
    return solve_easier(m, bests, err);
}
