/* Another target from runs that were made for the main one.
 *
 * An arm is all runs of one batch size, one rate and one set of other settings. Trials are sorted
 * so that those of an arm lie together, and the arms of a batch size; each arm's median is read
 * from its runs' logs. Nothing is allocated for an arm: it is a range of the sorted trials. */
#include "engine/report/recut.h"
#include "engine/base/mem.h"
#include "engine/report/history.h"
#include <math.h>
#include <string.h>

/* A trial whose log is there, and where in the plan it stands. */
typedef struct entry {
    const bl_report_trial *trial;
    const bl_report_run *run;
    size_t at;
} entry;

/* entry[0 .. runs) of one arm, each run once, in the plan's order. */
typedef struct arm {
    const entry *entry;
    size_t runs;
    double steps; /* median over the seeds; infinite when that did not arrive */
} arm;

static int by_arm(const entry *x, const entry *y) {
    const bl_report_trial *a = x->trial, *b = y->trial;
    if (a->batch_size != b->batch_size) return a->batch_size < b->batch_size ? -1 : 1;
    if (a->learning_rate != b->learning_rate) return a->learning_rate < b->learning_rate ? -1 : 1;
    return strcmp(a->settings, b->settings);
}

static int by_arm_and_run(const void *x, const void *y) {
    const entry *a = x, *b = y;
    const int order = by_arm(a, b);
    if (order != 0) return order;
    if (a->run != b->run) return a->run < b->run ? -1 : 1;
    return (a->at > b->at) - (a->at < b->at);
}

static int by_place(const void *x, const void *y) {
    const entry *a = x, *b = y;
    return (a->at > b->at) - (a->at < b->at);
}

/* Takes the arm that begins at all[*at], moves *at behind it, and leaves each of its runs once: by
 * its first trial. */
static arm next_arm(entry *all, size_t n, size_t *at) {
    entry *first = &all[*at];
    size_t end = *at, runs = 0;
    for (; end < n && by_arm(first, &all[end]) == 0; end++)
        if (runs == 0 || first[runs - 1].run != all[end].run) first[runs++] = all[end];
    *at = end;
    qsort(first, runs, sizeof *first, by_place);
    return (arm){.entry = first, .runs = runs};
}

/* Steps until the run passed the target; infinite when it did not. */
static double steps_to(const bl_report_run *run, double target) {
    const size_t hit = bl_history_hit(run, target);
    return hit < run->evals ? run->eval[hit].step : HUGE_VAL;
}

static double median_steps(const arm *x, double target) {
    double *steps = bl_xalloc(x->runs * sizeof *steps);
    for (size_t i = 0; i < x->runs; i++) steps[i] = steps_to(x->entry[i].run, target);
    bl_stats_sort(steps, x->runs);
    const double median = steps[(x->runs - 1) / 2];
    free(steps);
    return median;
}

/* More seeds, then fewer steps, then the lower rate, then what the plan tried first. */
static bool better(const arm *x, const arm *than) {
    const bl_report_trial *a = x->entry->trial, *b = than->entry->trial;
    if (x->runs != than->runs) return x->runs > than->runs;
    if (x->steps != than->steps) return x->steps < than->steps;
    if (a->learning_rate != b->learning_rate) return a->learning_rate < b->learning_rate;
    return x->entry->at < than->entry->at;
}

/* The best arm of the batch size at all[*at], which *at is moved behind. */
static bl_report_best best_of(entry *all, size_t n, size_t *at, double target) {
    const double batch_size = all[*at].trial->batch_size;
    double lowest = HUGE_VAL, highest = 0;
    arm best = {0};
    while (*at < n && all[*at].trial->batch_size == batch_size) {
        arm x = next_arm(all, n, at);
        x.steps = median_steps(&x, target);
        lowest = fmin(lowest, x.entry->trial->learning_rate);
        highest = fmax(highest, x.entry->trial->learning_rate);
        if (best.runs == 0 || better(&x, &best)) best = x;
    }
    const double rate = best.entry->trial->learning_rate;
    bl_report_best out = {.batch_size = batch_size,
                          .learning_rate = rate,
                          .target = target,
                          .bracketed = lowest < rate && highest > rate,
                          .series = BL_NO_SERIES,
                          .run = bl_xalloc(best.runs * sizeof *out.run)};
    for (; out.runs < best.runs; out.runs++)
        memcpy(out.run[out.runs], best.entry[out.runs].run->run, sizeof *out.run);
    return out;
}

/* Whether the main target has this batch size; sizes ascend, and so do the calls: *at remembers. */
static bool is_asked(const bl_report_target *main, double batch_size, size_t *at) {
    while (*at < main->size_count && main->sizes[*at].batch_size < batch_size) ++*at;
    return *at < main->size_count && main->sizes[*at].batch_size == batch_size;
}

/* Asks each trial's log when it passed `target`, though the trial was asked for the main one. Batch
 * sizes without an answer for the main target are left out. */
void bl_recut_bests(bl_report_bests *out, const bl_report_model *m, double target) {
    *out = (bl_report_bests){.best = bl_xalloc((m->main.size_count + 1) * sizeof *out->best)};
    entry *all = bl_xalloc((m->trial_count + 1) * sizeof *all);
    size_t n = 0, size = 0;
    for (size_t i = 0; i < m->trial_count; i++) {
        const bl_report_trial *t = &m->trials[i];
        if (t->target != m->main.target || t->is_comparison) continue;
        const bl_report_run *run = bl_report_run_of(m, t->run);
        if (run != NULL) all[n++] = (entry){t, run, i};
    }
    qsort(all, n, sizeof *all, by_arm_and_run);
    for (size_t i = 0; i < n;) {
        bl_report_best best = best_of(all, n, &i, target);
        if (is_asked(&m->main, best.batch_size, &size))
            out->best[out->count++] = best;
        else
            free(best.run);
    }
    free(all);
}
