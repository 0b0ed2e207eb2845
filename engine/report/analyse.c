/* From the plan's decisions to three optima and the critical batch sizes, for each target. */
#include "engine/base/mem.h"
#include "engine/report/compare.h"
#include "engine/report/history.h"
#include "engine/report/lr_regret.h"
#include "engine/report/plan_read.h"
#include "engine/report/recut.h"
#include <math.h>
#include <string.h>

enum { BOOTSTRAP_SEED = 1 };

const bl_report_trial *bl_report_trial_of(const bl_report_model *m, const char *run) {
    const bl_report_trial *found = NULL;
    for (size_t i = 0; i < m->trial_count; i++) {
        const bl_report_trial *t = &m->trials[i];
        if (strcmp(t->run, run) != 0 || t->target != m->main.target) continue;
        if (found == NULL ||
            (found->target_step == 0 && (t->target_step > 0 || t->steps > found->steps)))
            found = t;
    }
    return found;
}

static bool is(const bl_report_trial *t, const char *outcome) {
    return strcmp(t->outcome, outcome) == 0;
}

/* A run that diverged or did not fit would not have arrived within its budget either. */
static bool point_of_trial(bl_stats_point *p, const bl_report_trial *t) {
    const bool lost = is(t, "diverged") || is(t, "memory");
    *p = (bl_stats_point){.batch_size = t->batch_size,
                          .steps = (double)(t->target_step > 0 ? t->target_step
                                            : lost             ? t->max_steps
                                                               : t->steps),
                          .steps_prev = t->target_step > 0 ? (double)t->previous_eval_step : 0,
                          .censored = t->target_step == 0,
                          .seed = t->seed};
    return p->steps > 0;
}

/* For a target that no trial asked for the run's log says when it was passed. */
static bool point_of(bl_stats_point *p, const bl_report_model *m, const char *id, double target) {
    const bl_report_trial *t = target == m->main.target ? bl_report_trial_of(m, id) : NULL;
    const bl_report_run *run = bl_history_run(m, id);
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

static void take_timing(bl_report_size *s, const bl_report_model *m) {
    for (size_t i = 0; i < m->timing_count; i++) {
        const bl_report_timing *t = &m->timing[i];
        if (t->batch_size != s->batch_size) continue;
        s->step_seconds = t->step_seconds;
        s->memory_bytes = t->memory_bytes;
        s->joules_per_step = t->joules_per_step;
    }
}

/* One, until a step or its memory is more than one device takes. Memory that was not measured
 * limits nothing. */
static int64_t devices_of(const bl_report_size *s, const bl_report_model *m) {
    const double mebibytes = s->memory_bytes / (1 << 20);
    double n = 1;
    if (m->device_batch_size > 0) n = fmax(n, ceil(s->batch_size / m->device_batch_size));
    if (m->device_memory_mib > 0) n = fmax(n, ceil(mebibytes / m->device_memory_mib));
    return (int64_t)n;
}

static void fill_size(bl_report_size *s, const bl_report_model *m, const bl_report_best *b) {
    *s = (bl_report_size){.batch_size = b->batch_size,
                          .learning_rate = b->learning_rate,
                          .bracketed = b->bracketed,
                          .points = bl_xalloc((b->runs + 1) * sizeof *s->points),
                          .run = bl_xalloc((b->runs + 1) * sizeof *s->run),
                          .step_seconds = bl_stats_unknown(),
                          .memory_bytes = (double)NAN,
                          .joules_per_step = (double)NAN};
    take_timing(s, m);
    s->devices = devices_of(s, m);
    for (size_t i = 0; i < b->runs; i++) {
        if (!point_of(&s->points[s->count], m, b->run[i], b->target)) continue;
        memcpy(s->run[s->count++], b->run[i], sizeof *s->run);
    }
    if (s->count > 0 || !(b->steps > 0)) return;
    s->points[s->count++] =
        (bl_stats_point){.batch_size = b->batch_size, .steps = b->steps, .censored = b->censored};
}

static void free_size(bl_report_size *s) {
    free(s->points);
    free(s->run);
}

static void free_target(bl_report_target *t) {
    for (size_t i = 0; i < t->size_count; i++) free_size(&t->sizes[i]);
    free(t->sizes);
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
            free_size(&t->sizes[at]);
        fill_size(&t->sizes[at], m, b);
    }
    qsort(t->sizes, t->size_count, sizeof *t->sizes, by_batch_size);
}

static bl_status fit(bl_report_target *t, const bl_stats_options *options, bl_err *err) {
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

/* The table counts steps up to the evaluation that saw the target, the fits to the middle of the
 * interval before it: hence points without steps_prev here. */
static bl_status join(bl_report_target *t, const bl_report_model *m,
                      const bl_stats_options *options, bl_err *err) {
    const size_t n = t->size_count;
    bl_stats_cost_input *in = bl_xalloc((n + 1) * sizeof *in);
    bl_stats_cost_row *rows = bl_xalloc((n + 1) * sizeof *rows);
    bl_stats_point **seen = bl_xalloc((n + 1) * sizeof *seen);
    for (size_t i = 0; i < n; i++) {
        const bl_report_size *s = &t->sizes[i];
        seen[i] = bl_xalloc((s->count + 1) * sizeof *seen[i]);
        for (size_t r = 0; r < s->count; r++) {
            seen[i][r] = s->points[r];
            seen[i][r].steps_prev = 0;
        }
        const double more = (double)(s->devices - 1);
        in[i] = (bl_stats_cost_input){.batch_size = s->batch_size,
                                      .runs = seen[i],
                                      .run_count = s->count,
                                      .step_seconds = s->step_seconds,
                                      .step_resource =
                                          bl_stats_scaled(s->step_seconds, (double)m->threads),
                                      .upfront_seconds = more * m->upfront_seconds,
                                      .upfront_resource = more * m->upfront_core_hours * 3600,
                                      .feasible = true};
    }
    const bl_status status = bl_stats_costs(rows, t->best, in, n, options, err);
    for (size_t i = 0; i < n; i++) {
        if (status == BL_OK) t->sizes[i].costs = rows[i];
        free(seen[i]);
    }
    free(seen);
    free(rows);
    free(in);
    return status;
}

static bool decided(const bl_report_bests *bests, double target) {
    for (size_t i = 0; i < bests->count; i++)
        if (bests->best[i].target == target) return true;
    return false;
}

/* The series that answers: what was asked under no name, else the last. */
static int main_series(const bl_report_model *m, const bl_report_bests *bests) {
    for (size_t i = 0; i < bests->count; i++)
        if (bests->best[i].series == BL_NO_SERIES) return BL_NO_SERIES;
    return (int)m->series_count - 1;
}

/* A target that the sweep did not retune for is answered from the same runs (bl_recut_bests). */
static bl_status solve(bl_report_target *t, double target, const bl_report_model *m,
                       const bl_report_bests *bests, int series, bl_err *err) {
    const bl_stats_options options = {.seed = BOOTSTRAP_SEED, .replicates = BL_STATS_REPLICATES};
    *t = (bl_report_target){.target = target};
    bl_report_bests recut = {0};
    const bool again = target != m->main.target && !decided(bests, target);
    if (again) bl_recut_bests(&recut, m, target);
    collect_sizes(t, m, again ? &recut : bests, again ? BL_NO_SERIES : series);
    bl_report_bests_free(&recut);
    BL_TRY(fit(t, &options, err));
    return join(t, m, &options, err);
}

static bl_status solve_main(bl_report_model *m, const bl_report_bests *bests, bl_err *err) {
    bl_report_target t;
    const bl_status status = solve(&t, m->main.target, m, bests, main_series(m, bests), err);
    m->main.sizes = t.sizes;
    m->main.size_count = t.size_count;
    m->main.critical = t.critical;
    memcpy(m->main.best, t.best, sizeof m->main.best);
    for (size_t i = 0; i < t.size_count; i++) m->timed = m->timed || t.sizes[i].step_seconds.known;
    return status;
}

/* Those that some batch size reached. */
static bl_status solve_easier(bl_report_model *m, const bl_report_bests *bests, bl_err *err) {
    m->easier = bl_xalloc((m->target_count + 1) * sizeof *m->easier);
    for (size_t i = 0; i + 1 < m->target_count; i++) {
        bl_report_target *t = &m->easier[m->easier_count++];
        BL_TRY(solve(t, m->targets[i], m, bests, main_series(m, bests), err));
        if (t->best[BL_STATS_FEWEST_STEPS].known) continue;
        free_target(t);
        m->easier_count--;
    }
    return BL_OK;
}

static bl_status solve_series(bl_report_model *m, const bl_report_bests *bests, bl_err *err) {
    for (size_t i = 0; i < m->series_count; i++)
        BL_TRY(solve(&m->series[i].main, m->main.target, m, bests, (int)i, err));
    return BL_OK;
}

const char *bl_budget_name(bl_budget_kind kind) {
    static const char *const names[] = {[BL_BUDGET_EPOCHS] = "epochs",
                                        [BL_BUDGET_STEPS] = "steps",
                                        [BL_BUDGET_SECONDS] = "seconds",
                                        [BL_BUDGET_COST] = "cost"};
    _Static_assert(BL_COUNT(names) == BL_BUDGET_KIND_COUNT, "a name for each");
    return names[kind];
}

static int by_budget(const void *a, const void *b) {
    const bl_report_budget *x = a, *y = b;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    if (x->amount != y->amount) return x->amount < y->amount ? -1 : 1;
    if (x->series != y->series) return x->series < y->series ? -1 : 1;
    if (x->batch_size != y->batch_size) return x->batch_size < y->batch_size ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value);
}

static bool same_budget(const bl_report_budget *x, const bl_report_budget *y) {
    return x->kind == y->kind && x->amount == y->amount && x->series == y->series;
}

/* Keeps the lowest value of each batch size and marks each budget's winner. */
static void sort_budgets(bl_report_model *m) {
    if (m->budget_count == 0) return;
    qsort(m->budgets, m->budget_count, sizeof *m->budgets, by_budget);
    size_t kept = 1;
    for (size_t i = 1; i < m->budget_count; i++) {
        const bl_report_budget *last = &m->budgets[kept - 1], *b = &m->budgets[i];
        if (!same_budget(last, b) || last->batch_size != b->batch_size) m->budgets[kept++] = *b;
    }
    m->budget_count = kept;
    for (size_t i = 0, first; i < kept; i = first) {
        size_t best = i;
        for (first = i; first < kept && same_budget(&m->budgets[first], &m->budgets[i]); first++)
            if (m->budgets[first].value < m->budgets[best].value) best = first;
        m->budgets[best].best = true;
    }
}

/* A sweep may have targets in its configuration and use none of them. */
static bool asked_for_target(const bl_report_model *m, const bl_report_bests *bests) {
    bool asked = bests->count > 0 || m->trial_count == 0;
    for (size_t i = 0; i < m->trial_count && !asked; i++) asked = !isnan(m->trials[i].target);
    return asked;
}

/* From the same range of batch sizes as the measured ones: the estimators depend on it. */
static bl_status fit_known(bl_report_model *m, bl_err *err) {
    bl_stats_point *in = bl_xalloc((m->reference_count + 1) * sizeof *in);
    size_t n = 0;
    for (size_t i = 0; i < m->reference_count && m->main.size_count > 0; i++)
        if (m->reference_steps[i].batch_size >= m->main.sizes[0].batch_size &&
            m->reference_steps[i].batch_size <= m->main.sizes[m->main.size_count - 1].batch_size)
            in[n++] = m->reference_steps[i];
    const bl_status status =
        bl_stats_critical_fit(&m->reference_critical, in, n, &(bl_stats_options){0}, err);
    free(in);
    return status;
}

bl_status bl_report_analyse(bl_report_model *m, const char *run_dir, bl_err *err) {
    *m = (bl_report_model){.main.target = (double)NAN, .per_core_hour = (double)NAN, .threads = 1};
    bl_report_bests bests = {0};
    bl_status status = BL_OK;
    BL_GOTO(bl_report_plan_read(m, &bests, run_dir, err));
    if (!asked_for_target(m, &bests)) {
        m->main.target = (double)NAN;
        m->target_count = 0;
    }
    BL_GOTO(bl_history_read(m, run_dir, err));
    BL_GOTO(bl_report_timing_read(m, run_dir, err));
    sort_budgets(m);
    bl_compare_mark(m);
    bl_compare_judge(m);
    BL_GOTO(solve_main(m, &bests, err));
    BL_GOTO(solve_easier(m, &bests, err));
    BL_GOTO(solve_series(m, &bests, err));
    bl_regret_judge(m);
    BL_GOTO(fit_known(m, err));
    m->answered = m->main.best[BL_STATS_FEWEST_STEPS].known || isnan(m->main.target);
done:
    bl_report_bests_free(&bests);
    if (status != BL_OK) bl_report_model_free(m);
    return status;
}

void bl_report_model_free(bl_report_model *model) {
    for (size_t i = 0; i < model->trial_count; i++) {
        free(model->trials[i].reason);
        free(model->trials[i].settings);
    }
    for (size_t i = 0; i < model->main.size_count; i++) free_size(&model->main.sizes[i]);
    for (size_t i = 0; i < model->easier_count; i++) free_target(&model->easier[i]);
    for (size_t i = 0; i < model->series_count; i++) free_target(&model->series[i].main);
    for (size_t i = 0; i < model->test_count; i++) free(model->tests[i].text);
    for (size_t i = 0; i < model->timing_count; i++) free(model->timing[i].seconds);
    for (size_t i = 0; i < model->note_count; i++) free(model->notes[i]);
    bl_history_free(model);
    bl_pairs_free(model);
    free(model->notes);
    free(model->trials);
    free(model->targets);
    free(model->timing);
    free(model->main.sizes);
    free(model->easier);
    free(model->series);
    free(model->tests);
    free(model->regrets);
    free(model->reference_steps);
    free(model->budgets);
    *model = (bl_report_model){0};
}

double bl_report_reference_steps(const bl_report_model *model, double batch_size) {
    for (size_t i = 0; i < model->reference_count; i++)
        if (model->reference_steps[i].batch_size == batch_size)
            return model->reference_steps[i].steps;
    return (double)NAN;
}

double bl_report_money(const bl_report_model *model, double core_seconds) {
    return core_seconds / 3600 * model->per_core_hour;
}

double bl_report_examples(const bl_report_size *size) {
    const bl_stats_value *steps = &size->costs.cost[BL_STATS_FEWEST_STEPS];
    return steps->known ? steps->value * size->batch_size : (double)NAN;
}

double bl_report_joules(const bl_report_size *size) {
    const bl_stats_value *steps = &size->costs.cost[BL_STATS_FEWEST_STEPS];
    return steps->known ? steps->value * size->joules_per_step : (double)NAN;
}

bl_report_target bl_report_target_at(const bl_report_model *model, size_t i) {
    if (i < model->easier_count) return model->easier[i];
    bl_report_target main = {.target = model->main.target,
                             .sizes = model->main.sizes,
                             .size_count = model->main.size_count,
                             .critical = model->main.critical};
    memcpy(main.best, model->main.best, sizeof main.best);
    return main;
}

typedef struct ranked {
    double steps;
    const char *run;
} ranked;

static int by_steps(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->steps != y->steps) return x->steps < y->steps ? -1 : 1;
    return strcmp(x->run, y->run);
}

const bl_report_run *bl_report_typical_run(const bl_report_model *model,
                                           const bl_report_size *size) {
    if (size->count == 0) return NULL;
    ranked *order = bl_xalloc(size->count * sizeof *order);
    for (size_t i = 0; i < size->count; i++) {
        const bl_stats_point *p = &size->points[i];
        order[i] = (ranked){p->censored ? HUGE_VAL : p->steps, size->run[i]};
    }
    qsort(order, size->count, sizeof *order, by_steps);
    const bl_report_run *run = bl_history_run(model, order[(size->count - 1) / 2].run);
    free(order);
    return run;
}
