/* From the plan's decisions to three optima and the critical batch sizes. */
#include "engine/base/mem.h"
#include "engine/report/plan_read.h"
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
static bool point_of(bl_stats_point *p, const bl_report_trial *t) {
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

static void fill_size(bl_report_size *s, const bl_answer *a, const bl_plan_best *b) {
    *s = (bl_report_size){.batch_size = b->batch_size,
                          .learning_rate = b->learning_rate,
                          .bracketed = b->bracketed,
                          .points = bl_xalloc((b->runs + 1) * sizeof *s->points),
                          .step_seconds = bl_stats_unknown(),
                          .memory_bytes = (double)NAN,
                          .joules_per_step = (double)NAN};
    for (size_t i = 0; i < b->runs; i++) {
        const bl_report_trial *t = bl_answer_trial(a, b->run[i]);
        if (t != NULL && point_of(&s->points[s->count], t)) s->count++;
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
static void collect_sizes(bl_answer *a, const bl_plan_bests *bests) {
    a->sizes = bl_xalloc((bests->count + 1) * sizeof *a->sizes);
    for (size_t i = 0; i < bests->count; i++) {
        const bl_plan_best *b = &bests->best[i];
        if (b->target != a->target) continue;
        size_t at = 0;
        while (at < a->size_count && a->sizes[at].batch_size != b->batch_size) at++;
        if (at == a->size_count)
            a->size_count++;
        else
            free(a->sizes[at].points);
        fill_size(&a->sizes[at], a, b);
    }
    qsort(a->sizes, a->size_count, sizeof *a->sizes, by_batch_size);
}

static bl_stats_value scaled(bl_stats_value v, double factor) {
    v.value *= factor;
    v.low *= factor;
    v.high *= factor;
    return v;
}

static bl_status fit(bl_answer *a, const bl_stats_options *options, bl_err *err) {
    size_t n = 0;
    for (size_t i = 0; i < a->size_count; i++) n += a->sizes[i].count;
    bl_stats_point *points = bl_xalloc((n + 1) * sizeof *points);
    n = 0;
    for (size_t i = 0; i < a->size_count; i++)
        for (size_t r = 0; r < a->sizes[i].count; r++) points[n++] = a->sizes[i].points[r];
    const bl_status status = bl_stats_critical_fit(&a->critical, points, n, options, err);
    free(points);
    return status;
}

/* The table counts steps up to the evaluation that saw the target, the fits to the middle of the
 * interval before it: hence points without steps_prev here. */
static bl_status join(bl_answer *a, const bl_stats_options *options, bl_err *err) {
    const size_t n = a->size_count;
    bl_stats_join_in *in = bl_xalloc((n + 1) * sizeof *in);
    bl_stats_join_row *rows = bl_xalloc((n + 1) * sizeof *rows);
    bl_stats_point **seen = bl_xalloc((n + 1) * sizeof *seen);
    for (size_t i = 0; i < n; i++) {
        const bl_report_size *s = &a->sizes[i];
        seen[i] = bl_xalloc((s->count + 1) * sizeof *seen[i]);
        for (size_t r = 0; r < s->count; r++) {
            seen[i][r] = s->points[r];
            seen[i][r].steps_prev = 0;
        }
        in[i] = (bl_stats_join_in){.batch_size = s->batch_size,
                                   .runs = seen[i],
                                   .run_count = s->count,
                                   .step_seconds = s->step_seconds,
                                   .step_resource = scaled(s->step_seconds, (double)a->threads),
                                   .feasible = true};
    }
    const bl_status status = bl_stats_join(rows, a->best, in, n, options, err);
    for (size_t i = 0; i < n; i++) {
        if (status == BL_OK) a->sizes[i].join = rows[i];
        free(seen[i]);
    }
    free(seen);
    free(rows);
    free(in);
    return status;
}

static int by_budget(const void *a, const void *b) {
    const bl_report_budget *x = a, *y = b;
    if (x->epochs != y->epochs) return x->epochs ? -1 : 1;
    if (x->amount != y->amount) return x->amount < y->amount ? -1 : 1;
    if (x->batch_size != y->batch_size) return x->batch_size < y->batch_size ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value);
}

static bool same_budget(const bl_report_budget *x, const bl_report_budget *y) {
    return x->epochs == y->epochs && x->amount == y->amount;
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

bl_status bl_report_answer(bl_answer *out, const char *run_dir, bl_err *err) {
    *out = (bl_answer){.target = (double)NAN, .per_core_hour = (double)NAN, .threads = 1};
    const bl_stats_options options = {.seed = BOOTSTRAP_SEED, .replicates = BL_STATS_REPLICATES};
    bl_plan_bests bests = {0};
    bl_status status = BL_OK;
    BL_GOTO(bl_plan_read(out, &bests, run_dir, err));
    if (!asked_for_target(out, &bests)) out->target = (double)NAN;
    collect_sizes(out, &bests);
    sort_budgets(out);
    BL_GOTO(bl_timing_read(out, run_dir, err));
    BL_GOTO(fit(out, &options, err));
    BL_GOTO(join(out, &options, err));
    out->answered = out->best[BL_STATS_FEWEST_STEPS].known || isnan(out->target);
done:
    bl_plan_bests_free(&bests);
    if (status != BL_OK) bl_answer_free(out);
    return status;
}

void bl_answer_free(bl_answer *answer) {
    for (size_t i = 0; i < answer->trial_count; i++) free(answer->trials[i].reason);
    for (size_t i = 0; i < answer->size_count; i++) free(answer->sizes[i].points);
    for (size_t i = 0; i < answer->note_count; i++) free(answer->notes[i]);
    free(answer->notes);
    free(answer->trials);
    free(answer->sizes);
    free(answer->budgets);
    *answer = (bl_answer){0};
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
