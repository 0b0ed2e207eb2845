/* How much the learning rate matters: steps to the target at every rate that was tried.
 *
 * Only trials that searched for a rate count: for the main target, not of a comparison, and with
 * the other settings of the batch size's best (a search over more than rates has many runs at one
 * rate). They are sorted by batch size and rate, so that the seeds of one rate lie together. */
#include "engine/report/lr_sensitivity.h"
#include "engine/base/mem.h"
#include "engine/stats/distributions.h"
#include <math.h>
#include <string.h>

/* For bsearch: a batch size against a size of the main target. */
static int size_by_batch(const void *key, const void *size) {
    const double b = *(const double *)key, at = ((const bl_report_size *)size)->batch_size;
    return (b > at) - (b < at);
}

/* What the best of this batch size changes beside batch size, rate and seed. */
static const char *settings_of_best(const bl_report_model *m, double batch_size) {
    const bl_report_size *s =
        m->main.size_count == 0
            ? NULL
            : bsearch(&batch_size, m->main.sizes, m->main.size_count, sizeof *s, size_by_batch);
    const bl_report_trial *t = s != NULL ? bl_report_trial_of(m, s->run[0]) : NULL;
    return t != NULL ? t->settings : "";
}

/* A run that was asked for several times counts once, by the trial that speaks for it. */
static bool counts(const bl_report_model *m, const bl_report_trial *t) {
    return t->target == m->main.target && !t->is_comparison && bl_report_trial_of(m, t->run) == t &&
           strcmp(t->settings, settings_of_best(m, t->batch_size)) == 0;
}

static int by_size_and_rate(const void *a, const void *b) {
    const bl_report_trial *x = *(const bl_report_trial *const *)a;
    const bl_report_trial *y = *(const bl_report_trial *const *)b;
    if (x->batch_size != y->batch_size) return x->batch_size < y->batch_size ? -1 : 1;
    return (x->learning_rate > y->learning_rate) - (x->learning_rate < y->learning_rate);
}

/* n trials of one rate: medians, of an even number the lower. */
static bl_sensitivity_rate measure_rate(const bl_report_trial *const *trial, size_t n,
                                        double *steps, double *ran) {
    bl_sensitivity_rate out = {
        .batch_size = trial[0]->batch_size, .learning_rate = trial[0]->learning_rate, .trials = n};
    for (size_t i = 0; i < n; i++) {
        const bl_report_trial *t = trial[i];
        ran[i] = (double)(t->target_step > 0 ? t->target_step : t->steps);
        steps[i] = t->target_step > 0 ? (double)t->target_step : HUGE_VAL;
        out.arrived += t->target_step > 0;
    }
    bl_stats_sort(steps, n);
    bl_stats_sort(ran, n);
    out.steps = steps[(n - 1) / 2];
    out.ran = ran[(n - 1) / 2];
    return out;
}

void bl_sensitivity_measure(bl_report_model *m) {
    const size_t room = m->trial_count + 1;
    const bl_report_trial **trial = bl_xalloc(room * sizeof *trial);
    double *steps = bl_xalloc(2 * room * sizeof *steps);
    size_t n = 0;
    for (size_t i = 0; i < m->trial_count; i++)
        if (counts(m, &m->trials[i])) trial[n++] = &m->trials[i];
    qsort(trial, n, sizeof *trial, by_size_and_rate);
    m->rates = bl_xalloc(room * sizeof *m->rates);
    for (size_t i = 0, end; i < n; i = end) {
        end = i + 1;
        while (end < n && by_size_and_rate(&trial[i], &trial[end]) == 0) end++;
        m->rates[m->rate_count++] = measure_rate(&trial[i], end - i, steps, steps + room);
    }
    free(steps);
    free(trial);
}

/* The rates of one batch size: *first gets where they begin, the count is returned. */
static size_t rates_of(const bl_report_model *m, double batch_size, size_t *first) {
    size_t low = 0, high = m->rate_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (m->rates[middle].batch_size < batch_size)
            low = middle + 1;
        else
            high = middle;
    }
    *first = low;
    while (high < m->rate_count && m->rates[high].batch_size == batch_size) high++;
    return high - low;
}

/* A rate that was cut without arriving needs more than it ran, and so does every rate beyond it:
 * steps grow away from the best rate. The most that is known that way of `rate`; 0: nothing. */
static double steps_at_least(const bl_sensitivity_rate *rates, size_t n, double best, double rate) {
    double most = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double lr = rates[i].learning_rate;
        const bool between = rate > best ? lr > best && lr <= rate : lr < best && lr >= rate;
        if (between && isinf(rates[i].steps)) most = fmax(most, rates[i].ran);
    }
    return most;
}

/* A bound from interpolation is raised to what the rates that were cut say: both hold, so the
 * larger one does. */
bl_stats_value bl_sensitivity_regret(const bl_report_model *m, size_t size, double rate) {
    const bl_report_size *s = &m->main.sizes[size];
    size_t first;
    const size_t n = rates_of(m, s->batch_size, &first);
    const bl_sensitivity_rate *rates = &m->rates[first];
    bl_lr_trial *tried = bl_xalloc((n + 1) * sizeof *tried);
    for (size_t i = 0; i < n; i++) tried[i] = (bl_lr_trial){rates[i].learning_rate, rates[i].steps};
    bl_stats_value regret = bl_lr_regret(tried, n, rate);
    const double best = s->costs.cost[BL_STATS_FEWEST_STEPS].value;
    if (regret.known && regret.bound > 0)
        regret.value = fmax(regret.value, steps_at_least(rates, n, s->learning_rate, rate) / best);
    free(tried);
    return regret;
}

/* Rates whose difference from the best is within the noise of the seeds. Tukey and Kramer's test
 * over all k rates that arrived: two means of log steps differ by chance by at most
 *
 *     q(k, df) s sqrt((1 / n_1 + 1 / n_2) / 2)
 *
 * with s the scatter pooled over batch sizes and df its degrees of freedom. */
size_t bl_sensitivity_tied(const bl_report_model *m, size_t size, double *out, size_t most) {
    const bl_stats_critical *c = &m->main.critical;
    const bl_report_size *s = &m->main.sizes[size];
    const bl_stats_value *best = &s->costs.cost[BL_STATS_FEWEST_STEPS];
    size_t first, arrived = 0, tied = 0;
    const size_t n = rates_of(m, s->batch_size, &first);
    const bl_sensitivity_rate *rates = &m->rates[first];
    for (size_t i = 0; i < n; i++) arrived += isfinite(rates[i].steps);
    if (!(c->scatter_freedom >= 1) || arrived < 2 || best->bound != 0) return 0;
    const double d = bl_stats_range_quantile(BL_STATS_LEVEL, (int)arrived, c->scatter_freedom);
    for (size_t i = 0; i < n && tied < most; i++) {
        if (!isfinite(rates[i].steps) || rates[i].learning_rate == s->learning_rate) continue;
        const double runs = 1 / (double)rates[i].arrived + 1 / (double)s->count;
        if (log(rates[i].steps / best->value) <= d * c->scatter * sqrt(runs / 2))
            out[tied++] = rates[i].learning_rate;
    }
    return tied;
}
