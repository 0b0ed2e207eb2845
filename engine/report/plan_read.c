/* From the records of a plan (engine/plan) to the arrays of a model. Nothing is judged here; texts
 * and lists stay the plan's, which the model owns. */
#include "engine/report/plan_read.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include "engine/plan/settings.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The head's lists, as the estimators take them. */
static void add_lists(bl_report_model *m) {
    const bl_plan_head *h = &m->plan.head;
    for (size_t i = 0; i < h->references.count; i++)
        *BL_PUSH(m->reference_steps, m->reference_count, "reference steps") = (bl_stats_point){
            .batch_size = h->references.v[i].batch_size, .steps = h->references.v[i].steps};
    for (size_t i = 0; i < h->targets.count; i++)
        *BL_PUSH(m->targets, m->target_count, "targets") = m->main.target = h->targets.v[i];
}

/* In the plan's order: trial i here is trial i there. */
static void add_trial(bl_report_model *m, const bl_plan_trial *from) {
    bl_report_trial *t = BL_PUSH(m->trials, m->trial_count, "trials");
    *t = (bl_report_trial){.outcome = from->outcome,
                           .reason = from->reason,
                           .error = from->error,
                           .settings = bl_plan_settings_others(from->set, &m->plan.memory),
                           .batch_size = (double)from->batch_size,
                           .learning_rate = from->learning_rate,
                           .target = from->target,
                           .round = from->round,
                           .seed = from->seed,
                           .max_steps = from->max_steps,
                           .steps = from->steps,
                           .target_step = from->target_step,
                           .previous_eval_step = from->previous_eval_step};
    memcpy(t->run, from->run, sizeof t->run);
}

/* The decision's series, added where it is new. */
static int series_of(bl_report_model *m, const bl_plan_decision *d) {
    if (d->series == NULL || d->series[0] == '\0') return BL_NO_SERIES;
    for (size_t i = 0; i < m->series_count; i++)
        if (strcmp(m->series[i].name, d->series) == 0) return (int)i;
    *BL_PUSH(m->series, m->series_count, "series") = (bl_report_series){.name = d->series};
    return (int)m->series_count - 1;
}

static void add_test(bl_report_model *m, const bl_plan_decision *d) {
    *BL_PUSH(m->tests, m->test_count, "looks at the test rows") =
        (bl_report_test){.text = d->text,
                         .batch_size = d->batch_size,
                         .learning_rate = d->learning_rate,
                         .value = d->value,
                         .series = series_of(m, d)};
}

/* The best rate of one batch size, with the runs of all its seeds. */
static void add_best(bl_report_model *m, bl_report_bests *bests, const bl_plan_decision *d) {
    bl_report_best *b = BL_PUSH(bests->best, bests->count, "best rates");
    *b = (bl_report_best){.batch_size = d->batch_size,
                          .learning_rate = d->learning_rate,
                          .target = d->target,
                          .steps = d->steps,
                          .fresh_seeds = d->fresh_seeds,
                          .censored = d->censored == BL_PLAN_YES,
                          .bracketed = d->bracketed == BL_PLAN_YES,
                          .series = series_of(m, d),
                          .run = bl_xalloc((d->runs.count + 1) * sizeof *b->run),
                          .runs = d->runs.count};
    memcpy(b->run, d->runs.v, d->runs.count * sizeof *b->run);
}

/* The range over the seeds; a run that diverged is infinitely bad. */
static void add_value_range(bl_report_budget *b, const bl_plan_numbers *values) {
    b->low = b->high = (double)NAN;
    if (values->count < 2) return;
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (size_t i = 0; i < values->count; i++) {
        low = fmin(low, values->v[i]);
        high = fmax(high, isnan(values->v[i]) ? HUGE_VAL : values->v[i]);
    }
    b->low = low;
    b->high = high;
}

/* A run that diverged has no value within a budget. */
static void add_budget(bl_report_model *m, const bl_plan_decision *d) {
    if (isnan(d->value)) return;
    bl_report_budget *b = BL_PUSH(m->budgets, m->budget_count, "budgets");
    *b = (bl_report_budget){.kind = (bl_plan_budget)d->budget,
                            .amount = d->amount,
                            .batch_size = d->batch_size,
                            .learning_rate = d->learning_rate,
                            .value = d->value,
                            .steps = (int64_t)d->steps,
                            .series = series_of(m, d)};
    add_value_range(b, &d->values);
    (void)snprintf(b->run, sizeof b->run, "%s", d->run);
}

/* The sweep has run the rule's rate. */
static void add_rule(bl_report_model *m, const bl_plan_decision *d) {
    bl_report_regret *r = BL_PUSH(m->regrets, m->regret_count, "rules");
    *r = (bl_report_regret){.rule = (bl_plan_rule)d->rule,
                            .batch_size = d->batch_size,
                            .learning_rate = d->learning_rate,
                            .target = d->target,
                            .regret = bl_stats_exact(d->regret),
                            .run = true};
    r->regret.bound = d->at_least == BL_PLAN_YES;
}

static double nth(const bl_plan_numbers *list, size_t i) {
    return i < list->count ? list->v[i] : (double)NAN;
}

/* Both lists of runs are as long as the shorter one. */
static size_t seeds_of(const bl_plan_runs both[2]) {
    return bl_size_min(both[0].count, both[1].count);
}

/* Two batch sizes on the same seeds; what was measured is filled in by bl_compare_judge. */
static void add_pair(bl_report_model *m, const bl_plan_decision *d) {
    bl_report_pair *p = BL_PUSH(m->pairs, m->pair_count, "comparisons");
    p->seeds = seeds_of(d->both);
    if (d->budget_epochs > 0 && seeds_of(d->within) == p->seeds)
        p->budget_epochs = d->budget_epochs;
    for (size_t i = 0; i < 2; i++) {
        p->run[i] = d->both[i].v;
        p->budget_run[i] = d->within[i].v;
        p->batch_size[i] = nth(&d->batch_sizes, i);
        p->learning_rate[i] = nth(&d->learning_rates, i);
        p->budget_steps[i] = nth(&d->budget_steps, i);
        p->budget_learning_rate[i] = nth(&d->budget_learning_rates, i);
    }
}

/* Every kind of decision, so that a new one is a warning of the compiler here. */
static void add_decision(bl_report_model *m, bl_report_bests *bests, const bl_plan_decision *d) {
    switch (d->kind) {
    case BL_PLAN_BEST:
        add_best(m, bests, d);
        break;
    case BL_PLAN_BUDGET:
        add_budget(m, d);
        break;
    case BL_PLAN_COMPARE:
        add_pair(m, d);
        break;
    case BL_PLAN_RULE:
        add_rule(m, d);
        break;
    case BL_PLAN_TEST:
        add_test(m, d);
        break;
    case BL_PLAN_NOTE:
        *BL_PUSH(m->notes, m->note_count, "notes") = d->text;
        break;
    case BL_PLAN_CRITICAL: /* the report fits it itself */
    case BL_PLAN_CUSTOM:
    case BL_PLAN_KIND_COUNT:
        break;
    }
}

bl_status bl_report_plan_read(bl_report_model *model, bl_report_bests *bests, const char *run_dir,
                              bl_err *err) {
    BL_TRY(bl_plan_read(&model->plan, run_dir, err));
    add_lists(model);
    for (size_t i = 0; i < model->plan.trial_count; i++) add_trial(model, &model->plan.trials[i]);
    for (size_t i = 0; i < model->plan.decision_count; i++)
        add_decision(model, bests, &model->plan.decisions[i]);
    return BL_OK;
}

void bl_report_bests_free(bl_report_bests *bests) {
    for (size_t i = 0; i < bests->count; i++) free(bests->best[i].run);
    free(bests->best);
    *bests = (bl_report_bests){0};
}
