/* Two batch sizes against each other on the same fresh seeds: ratios of pairs, and what they allow
 * to be said. */
#include "engine/report/compare.h"
#include "engine/base/mem.h"
#include "engine/report/history.h"
#include "engine/stats/pairs.h"
#include <math.h>
#include <string.h>

typedef char run_id[sizeof((bl_report_trial){0}.run)];

static int by_id(const void *a, const void *b) {
    return strcmp(a, b);
}

/* A trial whose run belongs to a pair took no part in the search. The ids of all pairs are
 * sorted once, so that marking takes n log n. Those within a budget ask for no target: nothing
 * about rates rests on them. */
void bl_compare_mark(bl_report_model *m) {
    size_t n = 0, room = 0;
    for (size_t i = 0; i < m->pair_count; i++) room += 2 * m->pairs[i].seeds;
    run_id *id = bl_xalloc((room + 1) * sizeof *id);
    for (size_t i = 0; i < m->pair_count; i++)
        for (size_t s = 0; s < 2 * m->pairs[i].seeds; s++)
            memcpy(id[n++], m->pairs[i].run[s % 2][s / 2], sizeof *id);
    qsort(id, n, sizeof *id, by_id);
    for (size_t t = 0; t < m->trial_count && n > 0; t++)
        if (bsearch(m->trials[t].run, id, n, sizeof *id, by_id) != NULL)
            m->trials[t].is_comparison = true;
    free(id);
}

/* Steps to the target; infinite when the run did not get there. */
static double steps_of(const bl_report_model *m, const char *run) {
    const bl_report_trial *t = bl_report_trial_of(m, run);
    return t != NULL && t->target_step > 0 ? (double)t->target_step : HUGE_VAL;
}

/* The metric at the last evaluation up to `steps`; NAN: diverged, or there is no log. */
static double value_of(const bl_report_model *m, const char *run, double steps) {
    const bl_report_run *found = bl_report_run_of(m, run);
    return found != NULL ? bl_history_value(found, steps) : (double)NAN;
}

static const bl_report_timing *timing_of(const bl_report_model *m, double batch_size) {
    for (size_t i = 0; i < m->timing_count; i++)
        if (m->timing[i].batch_size == batch_size) return &m->timing[i];
    return NULL;
}

/* Ratios of steps, examples and time over the pairs of which at least one run reached the target.
 */
static void judge_target(bl_report_pair *p, const bl_report_model *m) {
    double *first = bl_xalloc(p->seeds * sizeof *first);
    double *second = bl_xalloc(p->seeds * sizeof *second);
    for (size_t s = 0; s < p->seeds; s++) {
        first[p->reached] = steps_of(m, p->run[0][s]);
        second[p->reached] = steps_of(m, p->run[1][s]);
        p->reached += isfinite(first[p->reached]) || isfinite(second[p->reached]);
    }
    const bl_report_timing *t0 = timing_of(m, p->batch_size[0]);
    const bl_report_timing *t1 = timing_of(m, p->batch_size[1]);
    const bool timed = t0 != NULL && t1 != NULL && t0->repeats == t1->repeats;
    p->steps = bl_stats_pair_ratio(first, second, p->reached);
    p->examples = bl_stats_scaled(p->steps, p->batch_size[1] / p->batch_size[0]);
    p->time =
        timed ? bl_stats_pair_cost(first, second, p->reached, t0->seconds, t1->seconds, t0->repeats)
              : bl_stats_unknown();
    free(first);
    free(second);
}

/* The metric within the budget, over the pairs in which both runs have a value. */
static void judge_budget(bl_report_pair *p, const bl_report_model *m) {
    double *first = bl_xalloc(p->seeds * sizeof *first);
    double *second = bl_xalloc(p->seeds * sizeof *second);
    for (size_t s = 0; s < p->seeds && p->budget_epochs > 0; s++) {
        first[p->valued] = value_of(m, p->budget_run[0][s], p->budget_steps[0]);
        second[p->valued] = value_of(m, p->budget_run[1][s], p->budget_steps[1]);
        p->valued += isfinite(first[p->valued]) && isfinite(second[p->valued]);
    }
    p->difference = bl_stats_pair_difference(first, second, p->valued);
    p->budget_value[0] = bl_stats_median(first, p->valued);
    p->budget_value[1] = bl_stats_median(second, p->valued);
    free(first);
    free(second);
}

void bl_compare_judge(bl_report_model *m) {
    for (size_t i = 0; i < m->pair_count; i++) {
        judge_target(&m->pairs[i], m);
        judge_budget(&m->pairs[i], m);
    }
}

/* -1: below `even`, 1: above, 0: the interval contains it, 2: there is no interval. */
static int side(const bl_stats_value *v, double even) {
    if (!bl_stats_has_interval(v)) return 2;
    return v->high < even ? -1 : v->low > even ? 1 : 0;
}

/* By time where the timing pass knows it, else by steps. All intervals are of the second batch
 * size over the first. */
const char *bl_compare_verdict(const bl_report_pair *p) {
    static const char *const by_time[] = {"is faster", "cannot be told apart in time", "is slower"};
    static const char *const by_steps[] = {"needs fewer steps", "cannot be told apart in steps",
                                           "needs more steps"};
    const bool timed = bl_stats_has_interval(&p->time);
    const int s = side(timed ? &p->time : &p->steps, 1);
    if (s == 2) return "has too few pairs for an interval";
    return (timed ? by_time : by_steps)[s + 1];
}

const char *bl_compare_budget_verdict(const bl_report_pair *p) {
    static const char *const words[] = {"is better", "cannot be told apart", "is worse"};
    const int s = side(&p->difference, 0);
    return s == 2 ? "has too few pairs for an interval" : words[s + 1];
}
