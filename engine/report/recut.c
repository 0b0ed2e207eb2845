#include "engine/report/recut.h"
#include "engine/base/mem.h"
#include "engine/report/history.h"
#include <math.h>
#include <string.h>

/* All seeds of one rate and one set of other settings at one batch size. */
typedef struct arm {
    const bl_report_trial *like;
    const bl_report_run **run; /* (runs) */
    size_t runs;
    double steps; /* median over the seeds; infinite when that did not arrive */
} arm;

typedef struct arms {
    arm *arm;
    size_t count;
} arms;

static bool alike(const bl_report_trial *a, const bl_report_trial *b) {
    return a->batch_size == b->batch_size && a->learning_rate == b->learning_rate &&
           strcmp(a->settings, b->settings) == 0;
}

static void add_run(arms *all, const bl_report_model *m, const bl_report_trial *t) {
    const bl_report_run *run = bl_history_run(m, t->run);
    if (run == NULL) return;
    size_t i = 0;
    while (i < all->count && !alike(all->arm[i].like, t)) i++;
    arm *to = &all->arm[i];
    if (i == all->count) {
        *to = (arm){.like = t, .run = bl_xalloc(m->trial_count * sizeof(bl_report_run *))};
        all->count++;
    }
    for (size_t r = 0; r < to->runs; r++)
        if (to->run[r] == run) return;
    to->run[to->runs++] = run;
}

static double steps_to(const bl_report_run *run, double target) {
    const size_t hit = bl_history_hit(run, target);
    return hit < run->evals ? run->eval[hit].step : HUGE_VAL;
}

static void rate_arm(arm *x, double target) {
    double *steps = bl_xalloc(x->runs * sizeof *steps);
    for (size_t i = 0; i < x->runs; i++) steps[i] = steps_to(x->run[i], target);
    bl_stats_sort(steps, x->runs);
    x->steps = steps[(x->runs - 1) / 2];
    free(steps);
}

static bool better(const arm *x, const arm *than) {
    if (x->runs != than->runs) return x->runs > than->runs;
    if (x->steps != than->steps) return x->steps < than->steps;
    return x->like->learning_rate < than->like->learning_rate;
}

static bl_report_best best_of(const arms *all, double batch_size, double target) {
    const arm *best = NULL;
    for (size_t i = 0; i < all->count; i++) {
        const arm *x = &all->arm[i];
        if (x->like->batch_size == batch_size && (best == NULL || better(x, best))) best = x;
    }
    bl_report_best out = {.batch_size = batch_size,
                          .learning_rate = best->like->learning_rate,
                          .target = target,
                          .series = BL_NO_SERIES,
                          .run = bl_xalloc(best->runs * sizeof *out.run)};
    for (; out.runs < best->runs; out.runs++)
        memcpy(out.run[out.runs], best->run[out.runs]->run, sizeof *out.run);
    bool lower = false, higher = false;
    for (size_t i = 0; i < all->count; i++) {
        const bl_report_trial *t = all->arm[i].like;
        lower |= t->batch_size == batch_size && t->learning_rate < out.learning_rate;
        higher |= t->batch_size == batch_size && t->learning_rate > out.learning_rate;
    }
    out.bracketed = lower && higher;
    return out;
}

void bl_recut_bests(bl_report_bests *out, const bl_report_model *m, double target) {
    *out = (bl_report_bests){.best = bl_xalloc((m->main.size_count + 1) * sizeof *out->best)};
    arms all = {.arm = bl_xalloc((m->trial_count + 1) * sizeof *all.arm)};
    for (size_t i = 0; i < m->trial_count; i++)
        if (m->trials[i].target == m->main.target && !m->trials[i].is_comparison)
            add_run(&all, m, &m->trials[i]);
    for (size_t i = 0; i < all.count; i++) rate_arm(&all.arm[i], target);
    for (size_t i = 0; i < m->main.size_count; i++) {
        bool any = false;
        for (size_t k = 0; k < all.count; k++)
            any |= all.arm[k].like->batch_size == m->main.sizes[i].batch_size;
        if (any) out->best[out->count++] = best_of(&all, m->main.sizes[i].batch_size, target);
    }
    for (size_t i = 0; i < all.count; i++) free(all.arm[i].run);
    free(all.arm);
}
