/* From the plan's decisions to three optima and the critical batch sizes, for each target. */
#include "engine/base/mem.h"
#include "engine/report/history.h"
#include "engine/report/compare.h"
#include "engine/report/plan_read.h"
#include "engine/report/recut.h"
#include "engine/report/lr_regret.h"
#include <math.h>
#include <string.h>

enum { BOOTSTRAP_SEED = 1 };

const bl_report_trial *bl_answer_trial(const bl_answer *a, const char *run) {
    const bl_report_trial *found = NULL;
    for (size_t i = 0; i < a->trial_count; i++) {
        const bl_report_trial *t = &a->trials[i];
        if (strcmp(t->run, run) != 0 || t->target != a->target) continue;
        if (found == NULL || (found->hit == 0 && (t->hit > 0 || t->steps > found->steps)))
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
                          .steps = (double)(t->hit > 0 ? t->hit
                                            : lost     ? t->max_steps
                                                       : t->steps),
                          .steps_prev = t->hit > 0 ? (double)t->before : 0,
                          .censored = t->hit == 0,
                          .seed = t->seed};
    return p->steps > 0;
}

/* For a target that no trial asked for the run's log says when it was passed. */
static bool point_of(bl_stats_point *p, const bl_answer *a, const char *id, double target) {
    const bl_report_trial *t = target == a->target ? bl_answer_trial(a, id) : NULL;
    const bl_report_run *run = bl_history_run(a, id);
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

static void take_timing(bl_report_size *s, const bl_answer *a) {
    for (size_t i = 0; i < a->timing_count; i++) {
        const bl_report_timing *t = &a->timing[i];
        if (t->batch_size != s->batch_size) continue;
        s->step_seconds = t->step_seconds;
        s->memory_bytes = t->memory_bytes;
        s->joules_per_step = t->joules_per_step;
    }
}

/* One, until a step or its memory is more than one device takes. Memory that was not measured
 * limits nothing. */
static int64_t devices_of(const bl_report_size *s, const bl_answer *a) {
    const double mebibytes = s->memory_bytes / (1 << 20);
    double n = 1;
    if (a->device_batch_size > 0) n = fmax(n, ceil(s->batch_size / a->device_batch_size));
    if (a->device_memory_mib > 0) n = fmax(n, ceil(mebibytes / a->device_memory_mib));
    return (int64_t)n;
}

static void fill_size(bl_report_size *s, const bl_answer *a, const bl_plan_best *b) {
    *s = (bl_report_size){.batch_size = b->batch_size,
                          .learning_rate = b->learning_rate,
                          .bracketed = b->bracketed,
                          .points = bl_xalloc((b->runs + 1) * sizeof *s->points),
                          .run = bl_xalloc((b->runs + 1) * sizeof *s->run),
                          .step_seconds = bl_stats_unknown(),
                          .memory_bytes = (double)NAN,
                          .joules_per_step = (double)NAN};
    take_timing(s, a);
    s->devices = devices_of(s, a);
    for (size_t i = 0; i < b->runs; i++) {
        if (!point_of(&s->points[s->count], a, b->run[i], b->target)) continue;
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
static void collect_sizes(bl_report_target *t, const bl_answer *a, const bl_plan_bests *bests,
                          int series) {
    t->sizes = bl_xalloc((bests->count + 1) * sizeof *t->sizes);
    for (size_t i = 0; i < bests->count; i++) {
        const bl_plan_best *b = &bests->best[i];
        if (b->target != t->target || b->series != series) continue;
        size_t at = 0;
        while (at < t->size_count && t->sizes[at].batch_size != b->batch_size) at++;
        if (at == t->size_count)
            t->size_count++;
        else
            free_size(&t->sizes[at]);
        fill_size(&t->sizes[at], a, b);
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
static bl_status join(bl_report_target *t, const bl_answer *a, const bl_stats_options *options,
                      bl_err *err) {
    const size_t n = t->size_count;
    bl_stats_join_in *in = bl_xalloc((n + 1) * sizeof *in);
    bl_stats_join_row *rows = bl_xalloc((n + 1) * sizeof *rows);
    bl_stats_point **seen = bl_xalloc((n + 1) * sizeof *seen);
    for (size_t i = 0; i < n; i++) {
        const bl_report_size *s = &t->sizes[i];
        seen[i] = bl_xalloc((s->count + 1) * sizeof *seen[i]);
        for (size_t r = 0; r < s->count; r++) {
            seen[i][r] = s->points[r];
            seen[i][r].steps_prev = 0;
        }
        const double more = (double)(s->devices - 1);
        in[i] = (bl_stats_join_in){.batch_size = s->batch_size,
                                   .runs = seen[i],
                                   .run_count = s->count,
                                   .step_seconds = s->step_seconds,
                                   .step_resource =
                                       bl_stats_scaled(s->step_seconds, (double)a->threads),
                                   .upfront_seconds = more * a->upfront_seconds,
                                   .upfront_resource = more * a->upfront_core_hours * 3600,
                                   .feasible = true};
    }
    const bl_status status = bl_stats_join(rows, t->best, in, n, options, err);
    for (size_t i = 0; i < n; i++) {
        if (status == BL_OK) t->sizes[i].join = rows[i];
        free(seen[i]);
    }
    free(seen);
    free(rows);
    free(in);
    return status;
}

static bool decided(const bl_plan_bests *bests, double target) {
    for (size_t i = 0; i < bests->count; i++)
        if (bests->best[i].target == target) return true;
    return false;
}

/* The series that answers: what was asked under no name, else the last. */
static int main_series(const bl_answer *a, const bl_plan_bests *bests) {
    for (size_t i = 0; i < bests->count; i++)
        if (bests->best[i].series == BL_NO_SERIES) return BL_NO_SERIES;
    return (int)a->series_count - 1;
}

/* A target that the sweep did not retune for is answered from the same runs (bl_recut_bests). */
static bl_status solve(bl_report_target *t, double target, const bl_answer *a,
                       const bl_plan_bests *bests, int series, bl_err *err) {
    const bl_stats_options options = {.seed = BOOTSTRAP_SEED, .replicates = BL_STATS_REPLICATES};
    *t = (bl_report_target){.target = target};
    bl_plan_bests recut = {0};
    const bool again = target != a->target && !decided(bests, target);
    if (again) bl_recut_bests(&recut, a, target);
    collect_sizes(t, a, again ? &recut : bests, again ? BL_NO_SERIES : series);
    bl_plan_bests_free(&recut);
    BL_TRY(fit(t, &options, err));
    return join(t, a, &options, err);
}

static bl_status solve_main(bl_answer *a, const bl_plan_bests *bests, bl_err *err) {
    bl_report_target t;
    const bl_status status = solve(&t, a->target, a, bests, main_series(a, bests), err);
    a->sizes = t.sizes;
    a->size_count = t.size_count;
    a->critical = t.critical;
    memcpy(a->best, t.best, sizeof a->best);
    for (size_t i = 0; i < t.size_count; i++) a->timed = a->timed || t.sizes[i].step_seconds.known;
    return status;
}

/* Those that some batch size reached. */
static bl_status solve_easier(bl_answer *a, const bl_plan_bests *bests, bl_err *err) {
    a->easier = bl_xalloc((a->target_count + 1) * sizeof *a->easier);
    for (size_t i = 0; i + 1 < a->target_count; i++) {
        bl_report_target *t = &a->easier[a->easier_count++];
        BL_TRY(solve(t, a->targets[i], a, bests, main_series(a, bests), err));
        if (t->best[BL_STATS_FEWEST_STEPS].known) continue;
        free_target(t);
        a->easier_count--;
    }
    return BL_OK;
}

static bl_status solve_series(bl_answer *a, const bl_plan_bests *bests, bl_err *err) {
    for (size_t i = 0; i < a->series_count; i++)
        BL_TRY(solve(&a->series[i].main, a->target, a, bests, (int)i, err));
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
static void sort_budgets(bl_answer *a) {
    if (a->budget_count == 0) return;
    qsort(a->budgets, a->budget_count, sizeof *a->budgets, by_budget);
    size_t kept = 1;
    for (size_t i = 1; i < a->budget_count; i++) {
        const bl_report_budget *last = &a->budgets[kept - 1], *b = &a->budgets[i];
        if (!same_budget(last, b) || last->batch_size != b->batch_size) a->budgets[kept++] = *b;
    }
    a->budget_count = kept;
    for (size_t i = 0, first; i < kept; i = first) {
        size_t best = i;
        for (first = i; first < kept && same_budget(&a->budgets[first], &a->budgets[i]); first++)
            if (a->budgets[first].value < a->budgets[best].value) best = first;
        a->budgets[best].best = true;
    }
}

/* A sweep may have targets in its configuration and use none of them. */
static bool asked_for_target(const bl_answer *a, const bl_plan_bests *bests) {
    bool asked = bests->count > 0 || a->trial_count == 0;
    for (size_t i = 0; i < a->trial_count && !asked; i++) asked = !isnan(a->trials[i].target);
    return asked;
}

/* From the same range of batch sizes as the measured ones: the estimators depend on it. */
static bl_status fit_known(bl_answer *a, bl_err *err) {
    bl_stats_point *in = bl_xalloc((a->known_count + 1) * sizeof *in);
    size_t n = 0;
    for (size_t i = 0; i < a->known_count && a->size_count > 0; i++)
        if (a->known[i].batch_size >= a->sizes[0].batch_size &&
            a->known[i].batch_size <= a->sizes[a->size_count - 1].batch_size)
            in[n++] = a->known[i];
    const bl_status status =
        bl_stats_critical_fit(&a->known_critical, in, n, &(bl_stats_options){0}, err);
    free(in);
    return status;
}

bl_status bl_report_answer(bl_answer *out, const char *run_dir, bl_err *err) {
    *out = (bl_answer){.target = (double)NAN, .per_core_hour = (double)NAN, .threads = 1};
    bl_plan_bests bests = {0};
    bl_status status = BL_OK;
    BL_GOTO(bl_plan_read(out, &bests, run_dir, err));
    if (!asked_for_target(out, &bests)) {
        out->target = (double)NAN;
        out->target_count = 0;
    }
    BL_GOTO(bl_history_read(out, run_dir, err));
    BL_GOTO(bl_timing_read(out, run_dir, err));
    sort_budgets(out);
    bl_pairs_mark(out);
    bl_pairs_judge(out);
    BL_GOTO(solve_main(out, &bests, err));
    BL_GOTO(solve_easier(out, &bests, err));
    BL_GOTO(solve_series(out, &bests, err));
    bl_rules_judge(out);
    BL_GOTO(fit_known(out, err));
    out->answered = out->best[BL_STATS_FEWEST_STEPS].known || isnan(out->target);
done:
    bl_plan_bests_free(&bests);
    if (status != BL_OK) bl_answer_free(out);
    return status;
}

void bl_answer_free(bl_answer *answer) {
    for (size_t i = 0; i < answer->trial_count; i++) {
        free(answer->trials[i].reason);
        free(answer->trials[i].settings);
    }
    for (size_t i = 0; i < answer->size_count; i++) free_size(&answer->sizes[i]);
    for (size_t i = 0; i < answer->easier_count; i++) free_target(&answer->easier[i]);
    for (size_t i = 0; i < answer->series_count; i++) free_target(&answer->series[i].main);
    for (size_t i = 0; i < answer->test_count; i++) free(answer->tests[i].text);
    for (size_t i = 0; i < answer->timing_count; i++) free(answer->timing[i].seconds);
    for (size_t i = 0; i < answer->note_count; i++) free(answer->notes[i]);
    bl_history_free(answer);
    bl_pairs_free(answer);
    free(answer->notes);
    free(answer->trials);
    free(answer->targets);
    free(answer->timing);
    free(answer->sizes);
    free(answer->easier);
    free(answer->series);
    free(answer->tests);
    free(answer->regrets);
    free(answer->known);
    free(answer->budgets);
    *answer = (bl_answer){0};
}

double bl_answer_known(const bl_answer *answer, double batch_size) {
    for (size_t i = 0; i < answer->known_count; i++)
        if (answer->known[i].batch_size == batch_size) return answer->known[i].steps;
    return (double)NAN;
}

double bl_answer_money(const bl_answer *answer, double core_seconds) {
    return core_seconds / 3600 * answer->per_core_hour;
}

double bl_answer_examples(const bl_report_size *size) {
    const bl_stats_value *steps = &size->join.cost[BL_STATS_FEWEST_STEPS];
    return steps->known ? steps->value * size->batch_size : (double)NAN;
}

double bl_answer_joules(const bl_report_size *size) {
    const bl_stats_value *steps = &size->join.cost[BL_STATS_FEWEST_STEPS];
    return steps->known ? steps->value * size->joules_per_step : (double)NAN;
}

bl_report_target bl_answer_target(const bl_answer *answer, size_t i) {
    if (i < answer->easier_count) return answer->easier[i];
    bl_report_target main = {.target = answer->target,
                             .sizes = answer->sizes,
                             .size_count = answer->size_count,
                             .critical = answer->critical};
    memcpy(main.best, answer->best, sizeof main.best);
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

const bl_report_run *bl_answer_typical_run(const bl_answer *answer, const bl_report_size *size) {
    if (size->count == 0) return NULL;
    ranked *order = bl_xalloc(size->count * sizeof *order);
    for (size_t i = 0; i < size->count; i++) {
        const bl_stats_point *p = &size->points[i];
        order[i] = (ranked){p->censored ? HUGE_VAL : p->steps, size->run[i]};
    }
    qsort(order, size->count, sizeof *order, by_steps);
    const bl_report_run *run = bl_history_run(answer, order[(size->count - 1) / 2].run);
    free(order);
    return run;
}
