#include "engine/plan/series.h"
#include "engine/base/mem.h"
#include "engine/plan/settings.h"
#include <stdlib.h>
#include <string.h>

/* All trials of the run, as far as they have no name. */
static void name_run(const char **names, const bl_plan_doc *plan, const char *run,
                     const char *series) {
    for (size_t t = bl_plan_first_trial(plan, run); t != SIZE_MAX; t = plan->trials[t].next)
        if (names[t] == NULL) names[t] = series;
}

/* The runs that the decision rests on. */
static void name_by(const char **names, const bl_plan_doc *plan, const bl_plan_decision *d) {
    const bl_plan_runs *const lists[] = {&d->runs, &d->both[0], &d->both[1], &d->within[0],
                                         &d->within[1]};
    if (d->run != NULL && d->run[0] != '\0') name_run(names, plan, d->run, d->series);
    for (size_t i = 0; i < BL_COUNT(lists); i++)
        for (size_t k = 0; k < lists[i]->count; k++)
            name_run(names, plan, lists[i]->v[k], d->series);
}

/* Settings and the series that has them; "": several have. */
typedef struct owner {
    const char *settings, *series;
} owner;

static int by_settings(const void *a, const void *b) {
    const owner *x = a, *y = b;
    return strcmp(x->settings, y->settings);
}

/* Sorts, and keeps each settings once. The number that stays. */
static size_t settle(owner *owners, size_t n) {
    size_t kept = 0;
    if (n > 1) qsort(owners, n, sizeof *owners, by_settings);
    for (size_t i = 0; i < n; i++) {
        owner *last = kept > 0 ? &owners[kept - 1] : NULL;
        if (last == NULL || strcmp(last->settings, owners[i].settings) != 0)
            owners[kept++] = owners[i];
        else if (strcmp(last->series, owners[i].series) != 0)
            last->series = "";
    }
    return kept;
}

void bl_plan_series(const char **names, const bl_plan_doc *plan) {
    bl_chunks memory = {0};
    owner *all = bl_xalloc((plan->trial_count + 1) * sizeof *all);
    owner *owners = bl_xalloc((plan->trial_count + 1) * sizeof *owners);
    size_t count = 0;
    for (size_t t = 0; t < plan->trial_count; t++) names[t] = NULL;
    for (size_t i = 0; i < plan->decision_count; i++)
        if (plan->decisions[i].series != NULL && plan->decisions[i].series[0] != '\0')
            name_by(names, plan, &plan->decisions[i]);
    for (size_t t = 0; t < plan->trial_count; t++) {
        all[t] = (owner){bl_plan_settings_others(plan->trials[t].set, &memory), names[t]};
        if (names[t] != NULL) owners[count++] = all[t];
    }
    count = settle(owners, count);
    for (size_t t = 0; t < plan->trial_count; t++) {
        if (names[t] != NULL) continue;
        const owner *o = count > 0 ? bsearch(&all[t], owners, count, sizeof *o, by_settings) : NULL;
        names[t] = o != NULL ? o->series : "";
    }
    free(owners);
    free(all);
    bl_chunks_free(&memory);
}
