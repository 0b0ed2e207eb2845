/* The model of a report: look-ups, derived numbers, and freeing. A leaf of this room: what reads
 * files fills it, what analyses adds to it, what writes reads it.
 *
 * Trials are looked up by run id, thousands of times in a large sweep, so bl_report_index sorts the
 * runs once; every look-up is a bisection. */
#include "engine/report/report_model.h"
#include "engine/base/mem.h"
#include <math.h>
#include <string.h>

// clang-format off
const bl_report_rule_name bl_report_rule_names[BL_PLAN_RULE_COUNT] = {
    [BL_PLAN_KEEP]       = { "keep",        "kept" },
    [BL_PLAN_SQRT]       = { "square_root", "square root" },
    [BL_PLAN_LINEAR]     = { "linear",      "linear" },
    [BL_PLAN_SATURATING] = { "saturating",  "saturating" },
    [BL_PLAN_MALLADI]    = { "malladi",     "Malladi" },
    [BL_PLAN_HALF_LIFE]  = { "half_life",   "half-life" },
    [BL_PLAN_DECAY]      = { "decay",       "decay" },
    [BL_PLAN_SURGE]      = { "surge",       "Surge" },
};
// clang-format on

/* ---- runs by id ---- */

static int by_run(const void *a, const void *b) {
    return strcmp(((const bl_report_run *)a)->run, ((const bl_report_run *)b)->run);
}

bl_report_run *bl_report_find_run(const bl_report_model *m, const char *run) {
    bl_report_run key = {0};
    if (m->run_count == 0 || strlen(run) >= sizeof key.run) return NULL;
    memcpy(key.run, run, strlen(run));
    return bsearch(&key, m->runs, m->run_count, sizeof key, by_run);
}

const bl_report_run *bl_report_run_of(const bl_report_model *m, const char *run) {
    const bl_report_run *found = bl_report_find_run(m, run);
    return found != NULL && found->evals > 0 ? found : NULL;
}

/* Each run once, ascending in id, with the setting of the first trial that names it. */
static void list_runs(bl_report_model *m) {
    m->runs = bl_xalloc((m->trial_count + 1) * sizeof *m->runs);
    for (size_t i = 0; i < m->trial_count; i++) {
        bl_report_run *r = &m->runs[i];
        memcpy(r->run, m->trials[i].run, sizeof r->run);
        r->batch_size = m->trials[i].batch_size;
        r->learning_rate = m->trials[i].learning_rate;
        r->seed = m->trials[i].seed;
    }
    if (m->trial_count > 0) qsort(m->runs, m->trial_count, sizeof *m->runs, by_run);
    for (size_t i = 0; i < m->trial_count; i++)
        if (m->run_count == 0 || by_run(&m->runs[i], &m->runs[m->run_count - 1]) != 0)
            m->runs[m->run_count++] = m->runs[i];
}

/* Of several trials of one run for the main target: one that arrived, else the longest, else the
 * first. */
static bool says_more(const bl_report_trial *t, const bl_report_trial *than) {
    return than->target_step == 0 && (t->target_step > 0 || t->steps > than->steps);
}

void bl_report_index(bl_report_model *m) {
    list_runs(m);
    for (size_t i = 0; i < m->trial_count; i++) {
        const bl_report_trial *t = &m->trials[i];
        if (t->target != m->main.target) continue;
        bl_report_run *r = bl_report_find_run(m, t->run);
        if (r->trial == NULL || says_more(t, r->trial)) r->trial = t;
    }
}

const bl_report_trial *bl_report_trial_of(const bl_report_model *m, const char *run) {
    const bl_report_run *found = bl_report_find_run(m, run);
    return found != NULL ? found->trial : NULL;
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
    const bl_report_run *run = bl_report_run_of(model, order[(size->count - 1) / 2].run);
    free(order);
    return run;
}

/* ---- targets and what they cost ---- */

bl_report_target bl_report_target_at(const bl_report_model *model, size_t i) {
    return i < model->easier_count ? model->easier[i] : model->main;
}

double bl_report_reference_steps(const bl_report_model *model, double batch_size) {
    for (size_t i = 0; i < model->reference_count; i++)
        if (model->reference_steps[i].batch_size == batch_size)
            return model->reference_steps[i].steps;
    return (double)NAN;
}

double bl_report_money(const bl_report_model *model, double core_seconds) {
    return core_seconds / 3600 * model->plan.head.cost.per_core_hour;
}

double bl_report_examples(const bl_report_size *size) {
    const bl_stats_value *steps = &size->costs.cost[BL_STATS_FEWEST_STEPS];
    return steps->known ? steps->value * size->batch_size : (double)NAN;
}

double bl_report_joules(const bl_report_size *size) {
    const bl_stats_value *steps = &size->costs.cost[BL_STATS_FEWEST_STEPS];
    return steps->known ? steps->value * size->joules_per_step : (double)NAN;
}

/* Infinite where no batch size of the target has a known cost. */
static double best_cost(const bl_report_target *t, bl_stats_goal goal) {
    const bl_stats_optimum *best = &t->best[goal];
    return best->known ? t->sizes[best->index].costs.cost[goal].value : HUGE_VAL;
}

/* Of equal costs the main target's, then the first series'. */
bl_report_winner bl_report_winner_of(const bl_report_model *m, bl_stats_goal goal) {
    bl_report_winner out = {&m->main, m->main_series};
    for (size_t i = 0; i < m->series_count; i++)
        if (best_cost(&m->series[i].main, goal) < best_cost(out.target, goal))
            out = (bl_report_winner){&m->series[i].main, (int)i};
    return out;
}

/* ---- freeing ---- */

void bl_report_target_free(bl_report_target *t) {
    for (size_t i = 0; i < t->size_count; i++) bl_report_size_free(&t->sizes[i]);
    free(t->sizes);
    *t = (bl_report_target){0};
}

void bl_report_size_free(bl_report_size *s) {
    free(s->points);
    free(s->run);
    *s = (bl_report_size){0};
}

void bl_report_model_free(bl_report_model *m) {
    bl_report_target_free(&m->main);
    for (size_t i = 0; i < m->easier_count; i++) bl_report_target_free(&m->easier[i]);
    for (size_t i = 0; i < m->series_count; i++) bl_report_target_free(&m->series[i].main);
    for (size_t i = 0; i < m->timing_count; i++) {
        free(m->timing[i].seconds);
        free(m->timing[i].processor);
        free(m->timing[i].inference);
        free(m->timing[i].inference_processor);
    }
    free(m->machine.probe);
    for (size_t i = 0; i < m->run_count; i++) free(m->runs[i].eval);
    bl_plan_free(&m->plan);
    free(m->pairs);
    free(m->runs);
    free(m->rates);
    free(m->noise);
    for (size_t i = 0; i < m->finder_count; i++) free(m->finders[i].point);
    free(m->finders);
    for (size_t i = 0; i < m->quality_count; i++) {
        free(m->quality[i].lowest);
        free(m->quality[i].settings);
    }
    free(m->quality);
    free(m->forecasts);
    free(m->rate_budgets);
    free(m->notes);
    free(m->trials);
    free(m->targets);
    free(m->timing);
    free(m->easier);
    free(m->series);
    free(m->tests);
    free(m->regrets);
    free(m->reference_steps);
    free(m->budgets);
    *m = (bl_report_model){0};
}
