/* The answer in sentences, one function for each thing that can be said. */
#include "engine/report/text/sentences.h"
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include "engine/report/compare.h"
#include "engine/report/lr_regret.h"
#include "engine/report/lr_sensitivity.h"
#include "engine/report/machine_read.h"
#include "engine/report/text/advice.h"
#include "engine/report/text/labels.h"
#include "engine/report/text/quality_text.h"
#include "engine/stats/critical.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- the best batch sizes ---- */

typedef void write_number(bl_buf *out, double x);

/* The number with its interval, no more digits than the interval allows. */
static void with_uncertainty(bl_buf *out, const bl_stats_value *v, write_number *write,
                             const char *unit) {
    const double half = bl_stats_half_width(v);
    bl_label_uncertain(out, v->value, half, write);
    bl_buf_str(out, v->value == 1 && strcmp(unit, " steps") == 0 ? " step" : unit);
    if (!bl_stats_has_interval(v)) return;
    bl_buf_str(out, " (");
    bl_label_uncertain(out, v->low, half, write);
    bl_buf_str(out, " to ");
    bl_label_uncertain(out, v->high, half, write);
    bl_buf_str(out, ")");
}

/* Where every contender has an interval: do the data leave it open which is better? Else only equal
 * numbers count. */
static bool is_tied(const bl_report_target *t, size_t i, bl_stats_goal goal) {
    const bl_stats_optimum *best = &t->best[goal];
    const bl_stats_cost_row *row = &t->sizes[i].costs;
    if (best->judged) return row->tied[goal];
    return i != best->index && row->cost[goal].known && row->cost[goal].bound == 0 &&
           row->cost[goal].value == t->sizes[best->index].costs.cost[goal].value;
}

/* Batch sizes that the data cannot tell from the best. */
static void ties(bl_buf *out, const bl_report_target *t, bl_stats_goal goal) {
    const bl_stats_optimum *best = &t->best[goal];
    const bool judged = best->judged;
    size_t count = 0, said = 0;
    for (size_t i = 0; i < t->size_count; i++) count += is_tied(t, i, goal);
    if (count == 0) return;
    bl_buf_str(out, count == 1 ? " Batch size" : " Batch sizes");
    for (size_t i = 0; i < t->size_count; i++) {
        if (!is_tied(t, i, goal)) continue;
        bl_buf_str(out, said == 0 ? " " : said + 1 == count ? " and " : ", ");
        bl_format_count(out, t->sizes[i].batch_size);
        said++;
    }
    if (judged)
        bl_buf_str(out, " cannot be told apart from it.");
    else
        bl_buf_str(out, count == 1 ? " takes the same." : " take the same.");
}

/* The best of a target's sizes that are not known to be too large for the memory; NULL: none. */
static const bl_report_size *best_that_fits(const bl_report_model *m, const bl_report_target *t,
                                            bl_stats_goal goal) {
    const bl_report_size *best = NULL;
    for (size_t i = 0; i < t->size_count; i++) {
        const bl_stats_value *v = &t->sizes[i].costs.cost[goal];
        if (!v->known || v->bound > 0 || bl_report_is_too_large(m, t->sizes[i].batch_size))
            continue;
        if (best == NULL || v->value < best->costs.cost[goal].value) best = &t->sizes[i];
    }
    return best;
}

/* A best batch size that does not fit into this machine's memory is no use here. */
static void too_large_here(bl_buf *out, const bl_report_model *m, const bl_report_target *t,
                           bl_stats_goal goal, write_number *write, const char *unit) {
    if (!bl_report_is_too_large(m, t->sizes[t->best[goal].index].batch_size)) return;
    const bl_report_size *fits = best_that_fits(m, t, goal);
    bl_buf_str(out, " It does not fit into ");
    bl_format_bytes(out, m->machine.limit);
    bl_buf_printf(out, " (%s)", m->machine.source);
    if (fits != NULL) {
        bl_buf_str(out, "; of those that fit, batch size ");
        bl_format_count(out, fits->batch_size);
        bl_buf_str(out, " is the best, ");
        with_uncertainty(out, &fits->costs.cost[goal], write, unit);
    }
    bl_buf_str(out, ".");
}

/* The best batch size of all series for one goal, what it costs, and its ties. */
void bl_sentences_optimum(bl_buf *out, const bl_report_model *m, bl_stats_goal goal) {
    static const char *const name[] = {[BL_STATS_FEWEST_STEPS] = "Fewest steps",
                                       [BL_STATS_FASTEST] = "Fastest",
                                       [BL_STATS_CHEAPEST] = "Cheapest"};
    static write_number *const write[] = {[BL_STATS_FEWEST_STEPS] = bl_format_count,
                                          [BL_STATS_FASTEST] = bl_format_duration,
                                          [BL_STATS_CHEAPEST] = bl_format_3_digits};
    static const char *const unit[] = {[BL_STATS_FEWEST_STEPS] = " steps",
                                       [BL_STATS_FASTEST] = "",
                                       [BL_STATS_CHEAPEST] = " core-seconds"};
    _Static_assert(BL_COUNT(name) == BL_STATS_GOAL_COUNT, "a name for each");
    _Static_assert(BL_COUNT(write) == BL_STATS_GOAL_COUNT, "a format for each");
    _Static_assert(BL_COUNT(unit) == BL_STATS_GOAL_COUNT, "a unit for each");
    const bl_report_winner winner = bl_report_winner_of(m, goal);
    const bl_stats_optimum *best = &winner.target->best[goal];
    if (!best->known) return;
    const bl_report_size *s = &winner.target->sizes[best->index];
    const bl_stats_value *v = &s->costs.cost[goal];
    bl_buf_printf(out, "%s: ", name[goal]);
    if (winner.series != BL_NO_SERIES) bl_buf_printf(out, "%s, ", m->series[winner.series].name);
    bl_buf_str(out, "batch size ");
    bl_format_count(out, s->batch_size);
    bl_buf_str(out, " at learning rate ");
    bl_format_rate(out, s->learning_rate);
    bl_buf_str(out, ", ");
    with_uncertainty(out, v, write[goal], unit[goal]);
    if (s->fresh_seeds > 0) bl_buf_printf(out, ", confirmed on %zu fresh seeds", s->fresh_seeds);
    if (goal == BL_STATS_CHEAPEST && !isnan(m->plan.head.cost.per_core_hour)) {
        bl_buf_str(out, ", ");
        bl_label_uncertain(out, bl_report_money(m, v->value),
                           bl_report_money(m, bl_stats_half_width(v)), bl_format_3_digits);
        bl_buf_printf(out, " %s", m->plan.head.cost.currency);
    }
    bl_buf_str(out, ".");
    ties(out, winner.target, goal);
    too_large_here(out, m, winner.target, goal, write[goal], unit[goal]);
    bl_buf_str(out, "\n");
}

void bl_sentences_no_intervals(bl_buf *out, const bl_report_model *m) {
    if (!m->main.best[BL_STATS_FEWEST_STEPS].judged)
        bl_buf_str(out, "Without repeated seeds there are no intervals: small differences may be "
                        "chance.\n");
}

/* What the number of seeds allows to say. */
void bl_sentences_certainty(bl_buf *out, const bl_report_model *m) {
    const bl_report_winner winner = bl_report_winner_of(m, BL_STATS_FEWEST_STEPS);
    const bl_stats_power *p = &winner.target->best[BL_STATS_FEWEST_STEPS].power;
    if (p->runs == 0) return;
    bl_buf_printf(
        out,
        "Certainty: intervals hold in 95 of 100 cases. With %zu seed%s a difference below %.3g "
        "times cannot be seen here; %zu would show %.3g.\n",
        p->runs, p->runs == 1 ? "" : "s", p->factor, p->more, p->factor_more);
}

enum { RATES_SAID = 8 };

/* Rates at the size with the fewest steps that these data cannot tell from its best. */
void bl_sentences_rate_ties(bl_buf *out, const bl_report_model *m) {
    double rates[RATES_SAID];
    const bl_report_target *t = &m->main;
    const size_t size = t->best[BL_STATS_FEWEST_STEPS].index;
    const size_t n = bl_sensitivity_tied(m, size, rates, RATES_SAID);
    if (n == 0) return;
    bl_buf_str(out, "At batch size ");
    bl_format_count(out, t->sizes[size].batch_size);
    bl_buf_str(out, n == 1 ? ", learning rate" : ", learning rates");
    for (size_t i = 0; i < n; i++) {
        bl_buf_str(out, i == 0 ? " " : i + 1 == n ? " and " : ", ");
        bl_format_rate(out, rates[i]);
    }
    bl_buf_str(out, " cannot be told apart from the best.\n");
}

/* Nothing where the value is not known. */
static void critical_line(bl_buf *out, const char *what, const bl_stats_value *v) {
    if (!v->known) return;
    bl_buf_printf(out, "%s: batch size ", what);
    bl_stats_value_text(out, v);
    bl_buf_str(out, ".\n");
}

/* The definitions of a critical batch size that are known, and what the fit says of itself. */
static void critical(bl_buf *out, const bl_report_model *m) {
    const bl_stats_critical *c = &m->main.critical;
    if (c->corner) {
        critical_line(out, "A corner: fewer steps in proportion up to it, none saved beyond",
                      &c->of[BL_STATS_B_CRIT]);
    } else {
        critical_line(out, "Critical batch size (fewest examples over fewest steps)",
                      &c->of[BL_STATS_B_CRIT]);
        critical_line(out, "Half the efficiency of small batches", &c->of[BL_STATS_EFFICIENCY_50]);
        critical_line(out, "Perfect scaling ends (10 % more steps than it promises)",
                      &c->of[BL_STATS_PERFECT_END]);
        critical_line(out, "A fifth more steps than perfect scaling", &c->of[BL_STATS_OVERHEAD_20]);
        critical_line(out, "Larger batches save no more steps (within 10 % of the fewest)",
                      &c->of[BL_STATS_MAX_USEFUL]);
    }
    if (c->verdict[0] != '\0') bl_buf_printf(out, "Fit: %s.\n", c->verdict);
}

void bl_sentences_critical(bl_buf *out, const bl_report_model *m) {
    const bl_stats_critical *c = &m->main.critical;
    critical_line(out, c->corner ? "A corner" : "Critical", &c->of[BL_STATS_B_CRIT]);
    if (c->verdict[0] != '\0') bl_buf_printf(out, "Fit: %s.\n", c->verdict);
}

/* The best of each budget. */
static void budgets(bl_buf *out, const bl_report_model *m) {
    for (size_t i = 0; i < m->budget_count; i++) {
        const bl_report_budget *b = &m->budgets[i];
        if (!b->best) continue;
        bl_buf_str(out, "Best after ");
        bl_label_amount(out, m, b);
        if (b->series != BL_NO_SERIES) bl_buf_printf(out, ", %s", m->series[b->series].name);
        bl_buf_str(out, ": batch size ");
        bl_format_count(out, b->batch_size);
        bl_buf_printf(out, " at learning rate ");
        bl_format_rate(out, b->learning_rate);
        bl_buf_printf(out, ", %s %.4g.\n", m->plan.head.metric, b->value);
    }
}

static bool is_memory(const bl_report_trial *t) {
    return t->outcome == BL_OUTCOME_MEMORY;
}

/* Each batch size once, in the plan's order. */
static void too_large(bl_buf *out, const bl_report_model *m) {
    double *said = NULL;
    size_t count = 0;
    for (size_t i = 0; i < m->trial_count; i++) {
        const bl_report_trial *t = &m->trials[i];
        size_t k = 0;
        if (!is_memory(t)) continue;
        while (k < count && said[k] != t->batch_size) k++;
        if (k < count) continue;
        *BL_PUSH(said, count, "batch sizes") = t->batch_size;
        bl_buf_str(out, "Batch size ");
        bl_format_count(out, t->batch_size);
        bl_buf_str(out, " does not fit in memory.\n");
    }
    free(said);
}

/* Nothing is known of such runs, so the answer has fewer seeds or rates than were asked for. */
static void failures(bl_buf *out, const bl_report_model *m) {
    const bl_report_trial *first = NULL;
    size_t count = 0;
    for (size_t i = 0; i < m->trial_count; i++) {
        if (m->trials[i].outcome != BL_OUTCOME_FAILED) continue;
        if (first == NULL) first = &m->trials[i];
        count++;
    }
    if (first == NULL) return;
    bl_buf_printf(out, "%zu run%s failed and count%s for nothing here; %s: %s.\n", count,
                  count == 1 ? "" : "s", count == 1 ? "s" : "", first->run,
                  first->error != NULL ? first->error : "?");
}

bool bl_notes_are_the_answer(const bl_report_model *m) {
    return m->main.size_count == 0 && m->budget_count == 0 && m->test_count == 0 &&
           m->quality_count == 0;
}

static void notes(bl_buf *out, const bl_report_model *m) {
    if (!bl_notes_are_the_answer(m)) return;
    for (size_t i = 0; i < m->note_count; i++) bl_buf_printf(out, "%s\n", m->notes[i]);
}

/* What a larger batch costs before it starts, where that was declared and plays a part. */
static void upfront(bl_buf *out, const bl_report_model *m) {
    const bl_report_size *first = NULL;
    for (size_t i = 0; i < m->main.size_count && first == NULL; i++)
        if (m->main.sizes[i].devices > 1) first = &m->main.sizes[i];
    if (first == NULL ||
        !(m->plan.head.cost.upfront_seconds > 0 || m->plan.head.cost.upfront_core_hours > 0))
        return;
    bl_buf_str(out, "Every device beyond the first costs ");
    if (m->plan.head.cost.upfront_core_hours > 0)
        bl_buf_printf(out, "%.4g core-hours", m->plan.head.cost.upfront_core_hours);
    if (m->plan.head.cost.upfront_core_hours > 0 && m->plan.head.cost.upfront_seconds > 0)
        bl_buf_str(out, " and ");
    if (m->plan.head.cost.upfront_seconds > 0)
        bl_format_duration(out, m->plan.head.cost.upfront_seconds);
    bl_buf_str(out, " upfront, as declared; batch size ");
    bl_format_count(out, first->batch_size);
    bl_buf_str(out, " is the first to need one.\n");
}

/* The definitions in one line, then the verdict. */
static void critical_words(bl_buf *out, const bl_stats_critical *c) {
    static const struct {
        bl_stats_definition definition;
        const char *name;
    } parts[] = {
        {BL_STATS_B_CRIT,      "critical "            },
        {BL_STATS_PERFECT_END, "perfect scaling ends "},
        {BL_STATS_OVERHEAD_20, "a fifth more "        },
        {BL_STATS_MAX_USEFUL,  "no more steps saved " }
    };
    const size_t count = c->source == BL_STATS_BY_NOTHING ? 0 : c->corner ? 1 : BL_COUNT(parts);
    const char *between = "";
    for (size_t i = 0; i < count; i++) {
        const bl_stats_value *v = &c->of[parts[i].definition];
        if (!v->known) continue;
        bl_buf_printf(out, "%s%s", between, c->corner ? "a corner at " : parts[i].name);
        if (!c->corner && v->bound == 0) bl_buf_str(out, i == 3 ? "from " : "at ");
        bl_stats_value_text(out, v);
        between = ", ";
    }
    bl_buf_printf(out, "%s%s.\n", between[0] != '\0' ? "; " : "", c->verdict);
}

/* How far the measured steps and critical batch sizes lie from what is known. */
static void known(bl_buf *out, const bl_report_model *m) {
    if (m->reference_count == 0) return;
    double worst = 0;
    for (size_t i = 0; i < m->main.size_count; i++) {
        const bl_stats_value *v = &m->main.sizes[i].costs.cost[BL_STATS_FEWEST_STEPS];
        const double should = bl_report_reference_steps(m, m->main.sizes[i].batch_size);
        if (v->known && v->bound == 0 && !isnan(should))
            worst = fmax(worst, fabs(log(v->value / should)));
    }
    bl_buf_printf(out, "Known answer: the steps measured are off by up to %.1f %%; known are: ",
                  100 * expm1(worst));
    critical_words(out, &m->reference_critical);
}

/* The critical batch sizes of the easier targets; the main one's are above. */
static void easier(bl_buf *out, const bl_report_model *m) {
    for (size_t i = 0; i < m->easier_count; i++) {
        const char *metric = m->plan.head.metric;
        const bool words = strchr(metric, ' ') != NULL; /* "1 - accuracy" */
        bl_buf_printf(out, words ? "For (%s) <= %.4g: " : "For %s <= %.4g: ", metric,
                      m->easier[i].target);
        critical_words(out, &m->easier[i].critical);
    }
}

/* The furthest of the series' critical sizes against the nearest. */
void bl_sentences_ratios(bl_buf *out, const bl_report_model *m) {
    const bl_report_series *least = NULL, *most = NULL;
    size_t known = 0;
    for (size_t i = 0; i < m->series_count; i++) {
        const bl_report_series *s = &m->series[i];
        const bl_stats_value *v = &s->main.critical.of[BL_STATS_B_CRIT];
        if (!v->known) continue;
        known++;
        if (least == NULL || v->value < least->main.critical.of[BL_STATS_B_CRIT].value) least = s;
        if (most == NULL || v->value > most->main.critical.of[BL_STATS_B_CRIT].value) most = s;
    }
    if (least == most) return;
    const bl_stats_value v = bl_stats_ratio_of(&least->main.critical.of[BL_STATS_B_CRIT],
                                               &most->main.critical.of[BL_STATS_B_CRIT], known);
    if (!v.known) return; /* two bounds: their ratio may be anything */
    bl_buf_printf(out, "The critical batch size of series %s is ", most->name);
    bl_stats_value_text(out, &v);
    bl_buf_printf(out, " times that of %s", least->name);
    if (!bl_stats_has_interval(&v))
        bl_buf_str(out, "; no interval, so it may be chance.\n");
    else if (v.low <= 1 && v.high >= 1)
        bl_buf_str(out, ": they cannot be told apart.\n");
    else
        bl_buf_str(out, ".\n");
}

/* Each series: its critical size and its fewest steps. */
static void series(bl_buf *out, const bl_report_model *m) {
    for (size_t i = 0; i < m->series_count; i++) {
        const bl_report_series *s = &m->series[i];
        const bl_stats_optimum *best = &s->main.best[BL_STATS_FEWEST_STEPS];
        if (!best->known) continue;
        const bl_report_size *size = &s->main.sizes[best->index];
        bl_buf_printf(out, "Series %s: fewest steps ", s->name);
        with_uncertainty(out, &size->costs.cost[BL_STATS_FEWEST_STEPS], bl_format_count, "");
        bl_buf_str(out, ", at batch size ");
        bl_format_count(out, size->batch_size);
        bl_buf_str(out, "; ");
        critical_words(out, &s->main.critical);
    }
    bl_sentences_ratios(out, m);
}

/* ---- rules and comparisons ---- */

/* All rules of which something is known, in one sentence. */
void bl_sentences_rules(bl_buf *out, const bl_report_model *m) {
    bool any = false;
    for (int r = 0; r < BL_PLAN_RULE_COUNT; r++) {
        const bl_regret_summary sum = bl_regret_sum(m, (bl_plan_rule)r);
        if (sum.sizes == 0) continue;
        if (!any) {
            bl_buf_str(out, "Steps with the rate of batch size ");
            bl_format_count(out, m->main.sizes[0].batch_size);
            bl_buf_str(out, " carried on by a rule, against retuning:");
        }
        bl_buf_printf(out, "%s %s %s%.2f times (worst %s%.2f, at ", any ? ";" : "",
                      bl_report_rule_names[r].words, sum.mean_is_bound ? ">= " : "", sum.mean,
                      sum.worst_is_bound ? ">= " : "", sum.worst);
        bl_format_count(out, sum.worst_batch_size);
        bl_buf_str(out, ")");
        any = true;
    }
    if (any) bl_buf_str(out, ".\n");
}

static void with_interval(bl_buf *out, const bl_stats_value *v) {
    if (bl_stats_has_interval(v))
        bl_format_interval(out, v->value, v->low, v->high);
    else
        bl_format_3_digits(out, v->value);
}

/* The pair to the target: ratios of steps, examples and time, then what they allow to be said. */
static void target_words(bl_buf *out, const bl_report_pair *p) {
    bl_buf_str(out, "Batch size ");
    bl_format_count(out, p->batch_size[1]);
    bl_buf_str(out, " against ");
    bl_format_count(out, p->batch_size[0]);
    bl_buf_printf(out, ", each at its own best rate, %zu fresh pairs of seeds: ", p->seeds);
    if (!p->steps.known) {
        bl_buf_str(out, "neither reached the target.\n");
        return;
    }
    with_interval(out, &p->steps);
    bl_buf_str(out, " times the steps, ");
    with_interval(out, &p->examples);
    bl_buf_str(out, " times the examples");
    if (p->time.known) {
        bl_buf_str(out, ", ");
        with_interval(out, &p->time);
        bl_buf_str(out, " times the time");
    }
    bl_buf_str(out, ". Batch size ");
    bl_format_count(out, p->batch_size[1]);
    bl_buf_printf(out, " %s.\n", bl_compare_verdict(p));
}

/* The pair within a budget, where it was compared there. */
static void budget_words(bl_buf *out, const bl_report_pair *p, const char *metric) {
    if (p->valued == 0) return;
    bl_buf_printf(out, "After %.4g epoch%s, each at its best rate for that: %s ", p->budget_epochs,
                  p->budget_epochs == 1 ? "" : "s", metric);
    bl_format_3_digits(out, p->budget_value[1]);
    bl_buf_str(out, " at batch size ");
    bl_format_count(out, p->batch_size[1]);
    bl_buf_str(out, " against ");
    bl_format_3_digits(out, p->budget_value[0]);
    bl_buf_str(out, " at ");
    bl_format_count(out, p->batch_size[0]);
    bl_buf_str(out, ", difference of the pairs ");
    with_interval(out, &p->difference);
    bl_buf_str(out, ". Batch size ");
    bl_format_count(out, p->batch_size[1]);
    bl_buf_printf(out, " %s.\n", bl_compare_budget_verdict(p));
}

static void compare_sentences(bl_buf *out, const bl_report_model *m) {
    for (size_t i = 0; i < m->pair_count; i++) {
        target_words(out, &m->pairs[i]);
        budget_words(out, &m->pairs[i], m->plan.head.metric);
    }
}

/* ---- what else there is to say ---- */

static void tests(bl_buf *out, const bl_report_model *m) {
    for (size_t i = 0; i < m->test_count; i++) bl_buf_printf(out, "%s.\n", m->tests[i].text);
}

/* What would make the answer better: times, repeated seeds. */
static void missing(bl_buf *out, const bl_report_model *m) {
    if (!m->main.best[BL_STATS_FEWEST_STEPS].known) return;
    if (!m->timed)
        bl_buf_str(out, bl_label_is_imported(m)
                            ? "The imported runs have no times: which batch size is fastest or "
                              "cheapest is open.\n"
                            : "No timing pass yet: which batch size is fastest or cheapest is "
                              "open.\n");
    bl_sentences_no_intervals(out, m);
}

/* The order is that of a reader's questions: which size, how sure, where does it end, by which
 * rule, then what else. */
void bl_sentences(bl_buf *out, const bl_report_model *model) {
    for (int goal = 0; goal < BL_STATS_GOAL_COUNT; goal++)
        bl_sentences_optimum(out, model, (bl_stats_goal)goal);
    if (!isnan(model->main.target) && !model->answered) {
        bl_buf_str(out, "No answer: ");
        bl_label_target(out, model);
        bl_buf_str(out, model->main.size_count > 0
                            ? " was not reached within the budget at any batch "
                              "size.\n"
                            : " has not been tried yet.\n");
    }
    bl_advice_target(out, model);
    if (model->main.best[BL_STATS_FEWEST_STEPS].known) {
        bl_sentences_certainty(out, model);
        bl_sentences_rate_ties(out, model);
        upfront(out, model);
        critical(out, model);
        known(out, model);
        easier(out, model);
        bl_sentences_rules(out, model);
    }
    series(out, model);
    compare_sentences(out, model);
    bl_quality_sentences(out, model);
    tests(out, model);
    too_large(out, model);
    failures(out, model);
    budgets(out, model);
    notes(out, model);
    missing(out, model);
}
