#include "engine/report/compare.h"
#include "engine/base/mem.h"
#include "engine/report/history.h"
#include "engine/report/text/words.h"
#include "engine/stats/pairs.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- reading ----------------------------------------------------------------------------------
 */

static double nth_number(const bl_json *array, size_t n) {
    const bl_json *v = array != NULL ? array->first : NULL;
    while (v != NULL && n-- > 0) v = v->next;
    return v != NULL && v->type == BL_JSON_NUMBER ? v->number : (double)NAN;
}

static size_t read_runs(char (**out)[13], const bl_json *array) {
    if (array == NULL || array->count == 0) return 0;
    *out = bl_xalloc(array->count * sizeof **out);
    size_t n = 0;
    for (const bl_json *r = array->first; r != NULL; r = r->next)
        if (r->type == BL_JSON_STRING) (void)snprintf((*out)[n++], sizeof **out, "%s", r->string);
    return n;
}

/* Both lists of runs, as many as the shorter one has; 0 without them. */
static size_t read_both(char (*out[2])[13], const bl_json *runs) {
    if (runs == NULL || runs->count != 2) return 0;
    const size_t first = read_runs(&out[0], runs->first);
    return bl_min_size(first, read_runs(&out[1], runs->first->next));
}

void bl_report_read_pair(bl_report_model *m, const bl_json *line) {
    m->pairs = bl_xrealloc(m->pairs, (m->pair_count + 1) * sizeof *m->pairs);
    bl_report_pair *p = &m->pairs[m->pair_count++];
    *p = (bl_report_pair){.budget_epochs = bl_json_number(line, "budget_epochs", 0)};
    p->seeds = read_both(p->run, bl_json_get(line, "runs"));
    if (read_both(p->budget_run, bl_json_get(line, "budget_runs")) != p->seeds)
        p->budget_epochs = 0;
    for (size_t i = 0; i < 2; i++) {
        p->batch_size[i] = nth_number(bl_json_get(line, "batch_sizes"), i);
        p->learning_rate[i] = nth_number(bl_json_get(line, "learning_rates"), i);
        p->budget_steps[i] = nth_number(bl_json_get(line, "budget_steps"), i);
        p->budget_learning_rate[i] = nth_number(bl_json_get(line, "budget_learning_rates"), i);
    }
}

/* Those within a budget ask for no target: no basin sees them. */
void bl_compare_mark(bl_report_model *m) {
    for (size_t i = 0; i < m->pair_count; i++)
        for (size_t s = 0; s < 2 * m->pairs[i].seeds; s++)
            for (size_t t = 0; t < m->trial_count; t++)
                if (strcmp(m->trials[t].run, m->pairs[i].run[s % 2][s / 2]) == 0)
                    m->trials[t].is_comparison = true;
}

void bl_pairs_free(bl_report_model *m) {
    for (size_t i = 0; i < 2 * m->pair_count; i++) {
        free(m->pairs[i / 2].run[i % 2]);
        free(m->pairs[i / 2].budget_run[i % 2]);
    }
    free(m->pairs);
}

/* ---- judging ----------------------------------------------------------------------------------
 */

/* Steps to the target; infinite when the run did not get there. */
static double steps_of(const bl_report_model *m, const char *run) {
    const bl_report_trial *t = bl_report_trial_of(m, run);
    return t != NULL && t->target_step > 0 ? (double)t->target_step : HUGE_VAL;
}

static double value_of(const bl_report_model *m, const char *run, double steps) {
    const bl_report_run *found = bl_history_run(m, run);
    return found != NULL ? bl_history_value(found, steps) : (double)NAN;
}

static const bl_report_timing *timing_of(const bl_report_model *m, double batch_size) {
    for (size_t i = 0; i < m->timing_count; i++)
        if (m->timing[i].batch_size == batch_size) return &m->timing[i];
    return NULL;
}

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

/* ---- words ------------------------------------------------------------------------------------
 */

/* -1: below `even`, 1: above, 0: the interval contains it, 2: there is no interval. */
static int side(const bl_stats_value *v, double even) {
    if (!bl_stats_has_interval(v)) return 2;
    return v->high < even ? -1 : v->low > even ? 1 : 0;
}

static void with_interval(bl_buf *out, const bl_stats_value *v) {
    bl_format_3_digits(out, v->value);
    if (!bl_stats_has_interval(v)) return;
    bl_buf_str(out, " (");
    bl_format_3_digits(out, v->low);
    bl_buf_str(out, " to ");
    bl_format_3_digits(out, v->high);
    bl_buf_str(out, ")");
}

static const char *verdict(const bl_report_pair *p) {
    static const char *const by_time[] = {"is faster", "cannot be told apart in time", "is slower"};
    static const char *const by_steps[] = {"needs fewer steps", "cannot be told apart in steps",
                                           "needs more steps"};
    const bool timed = bl_stats_has_interval(&p->time);
    const int s = side(timed ? &p->time : &p->steps, 1);
    if (s == 2) return "has too few pairs for an interval";
    return (timed ? by_time : by_steps)[s + 1];
}

static const char *budget_verdict(const bl_report_pair *p) {
    static const char *const words[] = {"is better", "cannot be told apart", "is worse"};
    const int s = side(&p->difference, 0);
    return s == 2 ? "has too few pairs for an interval" : words[s + 1];
}

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
    bl_buf_printf(out, " %s.\n", verdict(p));
}

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
    bl_buf_printf(out, " %s.\n", budget_verdict(p));
}

void bl_pairs_words(bl_buf *out, const bl_report_model *m) {
    for (size_t i = 0; i < m->pair_count; i++) {
        target_words(out, &m->pairs[i]);
        budget_words(out, &m->pairs[i], m->metric);
    }
}

/* ---- JSON -------------------------------------------------------------------------------------
 */

static void two(bl_jw *w, const char *key, const double values[2]) {
    bl_jw_array(w, key);
    bl_jw_f64(w, NULL, values[0]);
    bl_jw_f64(w, NULL, values[1]);
    bl_jw_end(w);
}

static void budget_json(bl_jw *w, const char *key, const bl_report_pair *p) {
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
    bl_jw_str(w, "verdict", budget_verdict(p));
    bl_jw_end(w);
}

static void pair_json(bl_jw *w, const bl_report_pair *p) {
    bl_jw_object(w, NULL);
    two(w, "batch_sizes", p->batch_size);
    two(w, "learning_rates", p->learning_rate);
    bl_jw_i64(w, "pairs", (int64_t)p->reached);
    bl_stats_value_json(w, "steps", &p->steps);
    bl_stats_value_json(w, "examples", &p->examples);
    bl_stats_value_json(w, "time", &p->time);
    bl_jw_str(w, "verdict", verdict(p));
    budget_json(w, "budget", p);
    bl_jw_end(w);
}

void bl_pairs_json(bl_jw *w, const char *key, const bl_report_model *m) {
    bl_jw_array(w, key);
    for (size_t i = 0; i < m->pair_count; i++) pair_json(w, &m->pairs[i]);
    bl_jw_end(w);
}
