#include "engine/report/lr_sensitivity.h"
#include "engine/base/mem.h"
#include <math.h>
#include <string.h>

/* A search over more than rates has many runs at one rate: the basin is that of the best's other
 * settings. */
static const char *settings_of_best(const bl_report_model *m, double batch_size) {
    for (size_t i = 0; i < m->main.size_count; i++) {
        const bl_report_size *s = &m->main.sizes[i];
        const bl_report_trial *t =
            s->batch_size == batch_size ? bl_report_trial_of(m, s->run[0]) : NULL;
        if (t != NULL) return t->settings;
    }
    return "";
}

static bool in_basin(const bl_report_trial *t, const bl_report_model *m) {
    return t->target == m->main.target && !t->is_comparison &&
           strcmp(t->settings, settings_of_best(m, t->batch_size)) == 0;
}

static bool is_at(const bl_report_trial *t, const bl_report_model *m, const bl_report_trial *like) {
    return t->batch_size == like->batch_size && t->learning_rate == like->learning_rate &&
           in_basin(t, m);
}

/* No trials: a plan from elsewhere may give one run several settings, and then only the trial that
 * speaks for it counts. */
static bl_sensitivity_rate gather(const bl_report_model *m, const bl_report_trial *like) {
    bl_sensitivity_rate out = {.batch_size = like->batch_size,
                               .learning_rate = like->learning_rate};
    double *steps = bl_xalloc(m->trial_count * sizeof *steps);
    double *ran = bl_xalloc(m->trial_count * sizeof *ran);
    for (size_t i = 0; i < m->trial_count; i++) {
        const bl_report_trial *t = &m->trials[i];
        if (!is_at(t, m, like) || bl_report_trial_of(m, t->run) != t) continue;
        ran[out.trials] = (double)(t->target_step > 0 ? t->target_step : t->steps);
        steps[out.trials++] = t->target_step > 0 ? (double)t->target_step : HUGE_VAL;
        out.arrived += t->target_step > 0;
    }
    bl_stats_sort(steps, out.trials);
    bl_stats_sort(ran, out.trials);
    if (out.trials > 0) {
        out.steps = steps[(out.trials - 1) / 2];
        out.ran = ran[(out.trials - 1) / 2];
    }
    free(ran);
    free(steps);
    return out;
}

static bool is_first(const bl_report_model *m, size_t index) {
    for (size_t i = 0; i < index; i++)
        if (is_at(&m->trials[i], m, &m->trials[index])) return false;
    return true;
}

size_t bl_sensitivity_rates(const bl_report_model *m, bl_sensitivity_rate *out) {
    size_t n = 0;
    for (size_t i = 0; i < m->trial_count; i++) {
        if (!in_basin(&m->trials[i], m) || !is_first(m, i)) continue;
        out[n] = gather(m, &m->trials[i]);
        n += out[n].trials > 0;
    }
    return n;
}

static int by_rate(const void *x, const void *y) {
    const double a = ((const bl_lr_trial *)x)->lr, b = ((const bl_lr_trial *)y)->lr;
    return (a > b) - (a < b);
}

/* Those of one batch size, ascending. */
static size_t basin_of(const bl_sensitivity_rate *rates, size_t n, double batch_size,
                       bl_lr_trial *out) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (rates[i].batch_size == batch_size)
            out[count++] = (bl_lr_trial){rates[i].learning_rate, rates[i].steps};
    if (count > 0) qsort(out, count, sizeof *out, by_rate);
    return count;
}

/* A rate that was cut without arriving needs more than it ran, and so does every rate beyond it:
 * steps grow away from the best rate. The most that is known that way of `rate`; 0: nothing. */
static double outrun(const bl_sensitivity_rate *rates, size_t n, const bl_report_size *size,
                     double rate) {
    const double best = size->learning_rate;
    double most = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double lr = rates[i].learning_rate;
        const bool between = rate > best ? lr > best && lr <= rate : lr < best && lr >= rate;
        if (rates[i].batch_size == size->batch_size && between && isinf(rates[i].steps))
            most = fmax(most, rates[i].ran);
    }
    return most;
}

bl_stats_value bl_sensitivity_regret(const bl_report_model *m, size_t size, double rate) {
    const bl_report_size *s = &m->main.sizes[size];
    bl_sensitivity_rate *rates = bl_xalloc((m->trial_count + 1) * sizeof *rates);
    bl_lr_trial *basin = bl_xalloc((m->trial_count + 1) * sizeof *basin);
    const size_t n = bl_sensitivity_rates(m, rates);
    bl_stats_value regret = bl_lr_regret(basin, basin_of(rates, n, s->batch_size, basin), rate);
    const double best = s->costs.cost[BL_STATS_FEWEST_STEPS].value;
    if (regret.known && regret.bound > 0)
        regret.value = fmax(regret.value, outrun(rates, n, s, rate) / best);
    free(basin);
    free(rates);
    return regret;
}
