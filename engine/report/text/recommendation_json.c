/* recommendation.json: the answer as one object, for programs. Its main members:
 *
 *     steps, time, resource    the best size for each goal:
 *                              {"batch_size":256,"learning_rate":1.414,"value":41,...}
 *     critical, curve          the definitions of a critical batch size, and the fit behind them
 *     batch_sizes              a row of the table each
 *     easier_targets, series   the same of other targets and series
 *     compare, rules, quality, machine, budgets      what else was asked
 *
 * What is not known is null, or is not there. Numbers of a fit are rounded, so that any compiler's
 * program writes the same bytes. */
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/report/compare.h"
#include "engine/report/lr_regret.h"
#include "engine/report/lr_sensitivity.h"
#include "engine/report/machine_read.h"
#include "engine/report/text/labels.h"
#include "engine/report/text/machine_text.h"
#include "engine/report/text/quality_text.h"
#include "engine/report/text/recommendation.h"
#include <math.h>

static void series_name(bl_jw *w, const bl_report_model *m, int series) {
    if (series != BL_NO_SERIES) bl_jw_str(w, "series", m->series[series].name);
}

/* The least ratio to the best that can be told apart now, and with more seeds. */
static void power_json(bl_jw *w, const bl_stats_power *p) {
    bl_jw_object(w, "power");
    bl_jw_i64(w, "seeds", (int64_t)p->runs);
    bl_jw_f64_rounded(w, "ratio", p->factor);
    bl_jw_i64(w, "more_seeds", (int64_t)p->more);
    bl_jw_f64_rounded(w, "more_ratio", p->factor_more);
    bl_jw_end(w);
}

enum { RATES_LISTED = 16 };

/* Rates of the size with the fewest steps that cannot be told from its best. */
static void tied_rates_json(bl_jw *w, const bl_report_model *m) {
    double rates[RATES_LISTED];
    const bl_stats_optimum *best = &m->main.best[BL_STATS_FEWEST_STEPS];
    const size_t n = best->known ? bl_sensitivity_tied(m, best->index, rates, RATES_LISTED) : 0;
    bl_jw_array(w, "tied_learning_rates");
    for (size_t i = 0; i < n; i++) bl_jw_f64(w, NULL, rates[i]);
    bl_jw_end(w);
}

/* The best batch size of the winner's target; null without one. */
static void optimum_json(bl_jw *w, const char *key, const bl_report_model *m,
                         bl_report_winner winner, bl_stats_goal goal) {
    const bl_report_target *t = winner.target;
    const bl_stats_optimum *best = &t->best[goal];
    if (!best->known) {
        bl_jw_null(w, key);
        return;
    }
    const bl_report_size *s = &t->sizes[best->index];
    const bl_stats_value *v = &s->costs.cost[goal];
    bl_jw_object(w, key);
    series_name(w, m, winner.series);
    bl_jw_f64(w, "batch_size", s->batch_size);
    bl_jw_f64(w, "learning_rate", s->learning_rate);
    bl_jw_f64_rounded(w, "value", v->value);
    bl_jw_f64_rounded(w, "low", v->low);
    bl_jw_f64_rounded(w, "high", v->high);
    bl_jw_f64_rounded(w, "confidence", best->confidence);
    if (best->power.runs > 0) power_json(w, &best->power);
    bl_jw_array(w, "tied");
    for (size_t i = 0; i < t->size_count; i++)
        if (t->sizes[i].costs.tied[goal]) bl_jw_f64(w, NULL, t->sizes[i].batch_size);
    bl_jw_end(w);
    bl_jw_end(w);
}

static void size_json(bl_jw *w, const bl_report_model *m, const bl_report_size *s) {
    const bl_stats_value *cost = s->costs.cost;
    bl_jw_object(w, NULL);
    bl_jw_f64(w, "batch_size", s->batch_size);
    bl_jw_f64(w, "learning_rate", s->learning_rate);
    bl_jw_bool(w, "bracketed", s->bracketed);
    bl_jw_f64(w, "runs", (double)s->count);
    if (s->fresh_seeds > 0) bl_jw_i64(w, "fresh_seeds", (int64_t)s->fresh_seeds);
    bl_stats_value_json(w, "steps", &cost[BL_STATS_FEWEST_STEPS]);
    bl_jw_f64_rounded(w, "examples", bl_report_examples(s));
    bl_stats_value_json(w, "seconds", &cost[BL_STATS_FASTEST]);
    bl_stats_value_json(w, "core_seconds", &cost[BL_STATS_CHEAPEST]);
    bl_jw_f64_rounded(w, "money", bl_report_money(m, cost[BL_STATS_CHEAPEST].value));
    bl_jw_f64(w, "memory_bytes", s->memory_bytes);
    bl_jw_f64_rounded(w, "joules", bl_report_joules(s));
    bl_jw_f64(w, "devices", (double)s->devices);
    if (m->machine.known) bl_jw_bool(w, "fits", !bl_report_is_too_large(m, s->batch_size));
    bl_jw_end(w);
}

static void budget_json(bl_jw *w, const bl_report_model *m, const bl_report_budget *b) {
    bl_jw_object(w, NULL);
    series_name(w, m, b->series);
    bl_jw_str(w, "budget", bl_plan_budget_name(b->kind));
    bl_jw_f64(w, "amount", b->amount);
    bl_jw_f64(w, "batch_size", b->batch_size);
    bl_jw_f64(w, "learning_rate", b->learning_rate);
    bl_jw_f64(w, "value", b->value);
    bl_jw_f64(w, "low", b->low);
    bl_jw_f64(w, "high", b->high);
    bl_jw_f64(w, "steps", (double)b->steps);
    bl_jw_bool(w, "best", b->best);
    bl_jw_end(w);
}

/* Three optima, the critical batch sizes and the rows they rest on. With `headline` the optima are
 * those of all series. */
static void target_json(bl_jw *w, const bl_report_model *m, const bl_report_target *t,
                        bool headline) {
    static const char *const keys[] = {[BL_STATS_FEWEST_STEPS] = "steps",
                                       [BL_STATS_FASTEST] = "time",
                                       [BL_STATS_CHEAPEST] = "resource"};
    _Static_assert(BL_COUNT(keys) == BL_STATS_GOAL_COUNT, "a key for each");
    for (int goal = 0; goal < BL_STATS_GOAL_COUNT; goal++) {
        const bl_report_winner own = {t, BL_NO_SERIES};
        const bl_stats_goal g = (bl_stats_goal)goal;
        optimum_json(w, keys[g], m, headline ? bl_report_winner_of(m, g) : own, g);
    }
    bl_stats_critical_json(w, "critical", &t->critical);
    bl_stats_curve_json(w, "curve", &t->critical.curve);
    bl_jw_str(w, "verdict", t->critical.verdict);
    bl_jw_array(w, "batch_sizes");
    for (size_t i = 0; i < t->size_count; i++) size_json(w, m, &t->sizes[i]);
    bl_jw_end(w);
}

/* What was declared of devices and their price beforehand. */
static void upfront_json(bl_jw *w, const bl_report_model *m) {
    bl_jw_object(w, "upfront");
    bl_jw_f64(w, "device_batch_size", (double)m->plan.head.cost.device_batch_size);
    bl_jw_f64(w, "device_memory_mib", m->plan.head.cost.device_memory);
    bl_jw_f64(w, "core_hours", m->plan.head.cost.upfront_core_hours);
    bl_jw_f64(w, "seconds", m->plan.head.cost.upfront_seconds);
    bl_jw_end(w);
}

static void easier_json(bl_jw *w, const bl_report_model *m) {
    bl_jw_array(w, "easier_targets");
    for (size_t i = 0; i < m->easier_count; i++) {
        bl_jw_object(w, NULL);
        bl_jw_f64(w, "target", m->easier[i].target);
        target_json(w, m, &m->easier[i], false);
        bl_jw_end(w);
    }
    bl_jw_end(w);
}

static void series_json(bl_jw *w, const bl_report_model *m) {
    bl_jw_array(w, "series");
    for (size_t i = 0; i < m->series_count; i++) {
        bl_jw_object(w, NULL);
        bl_jw_str(w, "name", m->series[i].name);
        target_json(w, m, &m->series[i].main, false);
        bl_jw_end(w);
    }
    bl_jw_end(w);
}

/* Every pair of series: the second's number over the first's, by two definitions. */
static void series_ratios_json(bl_jw *w, const bl_report_model *m) {
    size_t known = 0;
    for (size_t i = 0; i < m->series_count; i++)
        known += m->series[i].main.critical.of[BL_STATS_B_CRIT].known;
    bl_jw_array(w, "series_ratios");
    for (size_t i = 0; i < m->series_count; i++)
        for (size_t k = i + 1; k < m->series_count; k++) {
            const bl_stats_value *a = m->series[i].main.critical.of;
            const bl_stats_value *b = m->series[k].main.critical.of;
            const bl_stats_value crit =
                bl_stats_ratio_of(&a[BL_STATS_B_CRIT], &b[BL_STATS_B_CRIT], known);
            const bl_stats_value overhead =
                bl_stats_ratio_of(&a[BL_STATS_OVERHEAD_20], &b[BL_STATS_OVERHEAD_20], known);
            bl_jw_object(w, NULL);
            bl_jw_str(w, "of", m->series[k].name);
            bl_jw_str(w, "to", m->series[i].name);
            bl_stats_value_json(w, "b_crit", &crit);
            bl_stats_value_json(w, "overhead_20", &overhead);
            bl_jw_end(w);
        }
    bl_jw_end(w);
}

static void tests_json(bl_jw *w, const bl_report_model *m) {
    bl_jw_array(w, "test");
    for (size_t i = 0; i < m->test_count; i++) {
        const bl_report_test *t = &m->tests[i];
        bl_jw_object(w, NULL);
        series_name(w, m, t->series);
        bl_jw_f64(w, "batch_size", t->batch_size);
        bl_jw_f64(w, "learning_rate", t->learning_rate);
        bl_jw_f64(w, "value", t->value);
        bl_jw_end(w);
    }
    bl_jw_end(w);
}

/* null without steps that are known beforehand. */
static void known_json(bl_jw *w, const bl_report_model *m) {
    if (m->reference_count == 0) {
        bl_jw_null(w, "known");
        return;
    }
    bl_jw_object(w, "known");
    bl_jw_array(w, "batch_sizes");
    for (size_t i = 0; i < m->reference_count; i++) {
        bl_jw_object(w, NULL);
        bl_jw_f64(w, "batch_size", m->reference_steps[i].batch_size);
        bl_jw_f64(w, "steps", m->reference_steps[i].steps);
        bl_jw_end(w);
    }
    bl_jw_end(w);
    bl_stats_critical_json(w, "critical", &m->reference_critical);
    bl_jw_end(w);
}

/* A rule's regrets: their geometric mean, the worst, and each batch size. */
static void rule_json(bl_jw *w, const bl_report_model *m, bl_plan_rule rule) {
    const bl_regret_summary sum = bl_regret_sum(m, rule);
    const bl_stats_value mean = {sum.mean, (double)NAN, (double)NAN, true, sum.mean_is_bound};
    const bl_stats_value worst = {sum.worst, (double)NAN, (double)NAN, true, sum.worst_is_bound};
    bl_jw_object(w, NULL);
    bl_jw_str(w, "rule", bl_report_rule_names[rule].file);
    bl_stats_value_json(w, "mean", &mean);
    bl_stats_value_json(w, "worst", &worst);
    bl_jw_array(w, "batch_sizes");
    for (size_t i = 0; i < m->regret_count; i++) {
        const bl_report_regret *x = &m->regrets[i];
        if (x->rule != rule || x->target != m->main.target) continue;
        bl_jw_object(w, NULL);
        bl_jw_f64(w, "batch_size", x->batch_size);
        bl_jw_f64_rounded(w, "learning_rate", x->learning_rate);
        bl_stats_value_json(w, "regret", &x->regret);
        bl_jw_bool(w, "run", x->run);
        bl_jw_end(w);
    }
    bl_jw_end(w);
    bl_jw_end(w);
}

static void rules_json(bl_jw *w, const bl_report_model *m) {
    bl_jw_array(w, "rules");
    for (int r = 0; r < BL_PLAN_RULE_COUNT; r++)
        if (bl_regret_sum(m, (bl_plan_rule)r).sizes > 0) rule_json(w, m, (bl_plan_rule)r);
    bl_jw_end(w);
}

static void two(bl_jw *w, const char *key, const double values[2]) {
    bl_jw_array(w, key);
    bl_jw_f64(w, NULL, values[0]);
    bl_jw_f64(w, NULL, values[1]);
    bl_jw_end(w);
}

/* null where the pair was not compared within a budget. */
static void pair_budget_json(bl_jw *w, const char *key, const bl_report_pair *p) {
    if (p->valued == 0) {
        bl_jw_null(w, key);
        return;
    }
    bl_jw_object(w, key);
    bl_jw_f64(w, "epochs", p->budget_epochs);
    bl_jw_i64(w, "pairs", (int64_t)p->valued);
    two(w, "learning_rates", p->budget_learning_rate);
    two(w, "steps", p->budget_steps);
    two(w, "values", p->budget_value);
    bl_stats_value_json(w, "difference", &p->difference);
    bl_jw_str(w, "verdict", bl_compare_budget_verdict(p));
    bl_jw_end(w);
}

/* One comparison; ratios are second / first. */
static void pair_json(bl_jw *w, const bl_report_pair *p) {
    bl_jw_object(w, NULL);
    two(w, "batch_sizes", p->batch_size);
    two(w, "learning_rates", p->learning_rate);
    bl_jw_i64(w, "pairs", (int64_t)p->reached);
    bl_stats_value_json(w, "steps", &p->steps);
    bl_stats_value_json(w, "examples", &p->examples);
    bl_stats_value_json(w, "time", &p->time);
    bl_jw_str(w, "verdict", bl_compare_verdict(p));
    pair_budget_json(w, "budget", p);
    bl_jw_end(w);
}

static void pairs_json(bl_jw *w, const bl_report_model *m) {
    bl_jw_array(w, "compare");
    for (size_t i = 0; i < m->pair_count; i++) pair_json(w, &m->pairs[i]);
    bl_jw_end(w);
}

void bl_recommendation_json(const bl_report_model *model, bl_buf *out) {
    bl_jw w = bl_jw_open(out);
    bl_jw_object(&w, NULL);
    bl_jw_str(&w, "experiment", model->plan.head.experiment);
    bl_jw_str(&w, "preset", model->plan.head.preset);
    bl_jw_str(&w, "dataset", model->plan.head.dataset.name);
    bl_jw_str(&w, "variant", model->plan.head.dataset.variant);
    bl_jw_bool(&w, "synthetic", model->plan.head.dataset.synthetic);
    if (bl_label_is_imported(model)) bl_jw_bool(&w, "imported", true);
    bl_jw_str(&w, "metric", model->plan.head.metric);
    bl_jw_f64(&w, "target", model->main.target);
    bl_jw_bool(&w, "answered", model->answered);
    bl_jw_str(&w, "resource_unit", "core-seconds");
    bl_jw_f64(&w, "price_per_core_hour", model->plan.head.cost.per_core_hour);
    bl_jw_str(&w, "currency", model->plan.head.cost.currency);
    upfront_json(&w, model);
    if (model->main_series != BL_NO_SERIES)
        bl_jw_str(&w, "main_series", model->series[model->main_series].name);
    target_json(&w, model, &model->main, true);
    tied_rates_json(&w, model);
    easier_json(&w, model);
    series_json(&w, model);
    series_ratios_json(&w, model);
    tests_json(&w, model);
    known_json(&w, model);
    rules_json(&w, model);
    pairs_json(&w, model);
    bl_quality_json(&w, model);
    bl_report_machine_json(&w, model);
    bl_jw_array(&w, "budgets");
    for (size_t i = 0; i < model->budget_count; i++) budget_json(&w, model, &model->budgets[i]);
    bl_jw_end(&w);
    bl_jw_end(&w);
    bl_jw_done(&w);
}
