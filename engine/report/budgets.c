/* The best batch size within each budget. */
#include "engine/report/budgets.h"
#include <stdlib.h>

/* Those of one budget and series lie together, by batch size; of one batch size the lowest value
 * comes first. */
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

/* Sorts the budgets, keeps the best rate of each batch size, and marks the best batch size of
 * each budget. Of equal values the smaller batch size wins. */
void bl_report_judge_budgets(bl_report_model *m) {
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
