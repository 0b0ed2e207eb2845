/* The answer as one JSON object. */
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/report/compare.h"
#include "engine/report/lr_regret.h"
#include <stdio.h>

static void key(bl_buf *out, const char *name) {
    const char last = out->len > 0 ? out->data[out->len - 1] : '{';
    bl_buf_str(out, last == '{' || last == '[' ? "" : ",");
    bl_json_string(out, name);
    bl_buf_str(out, ":");
}

static void number(bl_buf *out, const char *name, double value) {
    key(out, name);
    bl_json_f64(out, value);
}

/* What went through the libm: nine digits, as in bl_stats_value_json. */
static void rounded(bl_buf *out, const char *name, double value) {
    char text[32];
    (void)snprintf(text, sizeof text, "%.9g", value);
    number(out, name, strtod(text, NULL));
}

static void string(bl_buf *out, const char *name, const char *value) {
    key(out, name);
    bl_json_string(out, value);
}

static void value(bl_buf *out, const char *name, const bl_stats_value *v) {
    key(out, name);
    bl_stats_value_json(out, v);
}

static void optimum_json(bl_buf *out, const char *name, const bl_report_target *t,
                         bl_stats_goal goal) {
    key(out, name);
    const bl_stats_optimum *best = &t->best[goal];
    if (!best->known) {
        bl_buf_str(out, "null");
        return;
    }
    const bl_report_size *s = &t->sizes[best->index];
    const bl_stats_value *v = &s->join.cost[goal];
    bl_buf_str(out, "{");
    number(out, "batch_size", s->batch_size);
    number(out, "learning_rate", s->learning_rate);
    rounded(out, "value", v->value);
    rounded(out, "low", v->low);
    rounded(out, "high", v->high);
    rounded(out, "confidence", best->confidence);
    key(out, "tied");
    bl_buf_str(out, "[");
    bool first = true;
    for (size_t i = 0; i < t->size_count; i++) {
        if (!t->sizes[i].join.tied[goal]) continue;
        bl_buf_str(out, first ? "" : ",");
        bl_json_f64(out, t->sizes[i].batch_size);
        first = false;
    }
    bl_buf_str(out, "]}");
}

static void size_json(bl_buf *out, const bl_answer *a, const bl_report_size *s) {
    const bl_stats_value *cost = s->join.cost;
    bl_buf_str(out, "{");
    number(out, "batch_size", s->batch_size);
    number(out, "learning_rate", s->learning_rate);
    key(out, "bracketed");
    bl_buf_str(out, s->bracketed ? "true" : "false");
    number(out, "runs", (double)s->count);
    value(out, "steps", &cost[BL_STATS_FEWEST_STEPS]);
    rounded(out, "examples", bl_answer_examples(s));
    value(out, "seconds", &cost[BL_STATS_FASTEST]);
    value(out, "core_seconds", &cost[BL_STATS_CHEAPEST]);
    rounded(out, "money", bl_answer_money(a, cost[BL_STATS_CHEAPEST].value));
    number(out, "memory_bytes", s->memory_bytes);
    rounded(out, "joules", bl_answer_joules(s));
    number(out, "devices", (double)s->devices);
    bl_buf_str(out, "}");
}

static void series_name(bl_buf *out, const bl_answer *a, int series) {
    if (series != BL_NO_SERIES) string(out, "series", a->series[series].name);
}

static void budget_json(bl_buf *out, const bl_answer *a, const bl_report_budget *b) {
    bl_buf_str(out, "{");
    series_name(out, a, b->series);
    string(out, "budget", bl_budget_name(b->kind));
    number(out, "amount", b->amount);
    number(out, "batch_size", b->batch_size);
    number(out, "learning_rate", b->learning_rate);
    number(out, "value", b->value);
    number(out, "low", b->low);
    number(out, "high", b->high);
    number(out, "steps", (double)b->steps);
    key(out, "best");
    bl_buf_str(out, b->best ? "true}" : "false}");
}

/* Three optima, the critical batch sizes and the rows they rest on. */
static void target_json(bl_buf *out, const bl_answer *a, const bl_report_target *t) {
    optimum_json(out, "steps", t, BL_STATS_FEWEST_STEPS);
    optimum_json(out, "time", t, BL_STATS_FASTEST);
    optimum_json(out, "resource", t, BL_STATS_CHEAPEST);
    key(out, "critical");
    bl_stats_critical_json(out, &t->critical);
    string(out, "verdict", t->critical.verdict);
    key(out, "batch_sizes");
    bl_buf_str(out, "[");
    for (size_t i = 0; i < t->size_count; i++) {
        bl_buf_str(out, i > 0 ? "," : "");
        size_json(out, a, &t->sizes[i]);
    }
    bl_buf_str(out, "]");
}

static void upfront_json(bl_buf *out, const bl_answer *a) {
    key(out, "upfront");
    bl_buf_str(out, "{");
    number(out, "device_batch_size", a->device_batch_size);
    number(out, "device_memory_mib", a->device_memory_mib);
    number(out, "core_hours", a->upfront_core_hours);
    number(out, "seconds", a->upfront_seconds);
    bl_buf_str(out, "}");
}

static void easier_json(bl_buf *out, const bl_answer *a) {
    key(out, "easier_targets");
    bl_buf_str(out, "[");
    for (size_t i = 0; i < a->easier_count; i++) {
        bl_buf_str(out, i > 0 ? ",{" : "{");
        number(out, "target", a->easier[i].target);
        target_json(out, a, &a->easier[i]);
        bl_buf_str(out, "}");
    }
    bl_buf_str(out, "]");
}

static void series_json(bl_buf *out, const bl_answer *a) {
    key(out, "series");
    bl_buf_str(out, "[");
    for (size_t i = 0; i < a->series_count; i++) {
        bl_buf_str(out, i > 0 ? ",{" : "{");
        string(out, "name", a->series[i].name);
        target_json(out, a, &a->series[i].main);
        bl_buf_str(out, "}");
    }
    bl_buf_str(out, "]");
}

static void tests_json(bl_buf *out, const bl_answer *a) {
    key(out, "test");
    bl_buf_str(out, "[");
    for (size_t i = 0; i < a->test_count; i++) {
        const bl_report_test *t = &a->tests[i];
        bl_buf_str(out, i > 0 ? ",{" : "{");
        series_name(out, a, t->series);
        number(out, "batch_size", t->batch_size);
        number(out, "learning_rate", t->learning_rate);
        number(out, "value", t->value);
        bl_buf_str(out, "}");
    }
    bl_buf_str(out, "]");
}

static void known_json(bl_buf *out, const bl_answer *a) {
    if (a->known_count == 0) {
        bl_buf_str(out, "null");
        return;
    }
    bl_buf_str(out, "{\"batch_sizes\":[");
    for (size_t i = 0; i < a->known_count; i++) {
        bl_buf_str(out, i > 0 ? ",{" : "{");
        number(out, "batch_size", a->known[i].batch_size);
        number(out, "steps", a->known[i].steps);
        bl_buf_str(out, "}");
    }
    bl_buf_str(out, "],\"critical\":");
    bl_stats_critical_json(out, &a->known_critical);
    bl_buf_str(out, "}");
}

void bl_report_recommendation_json(const bl_answer *answer, bl_buf *out) {
    const bl_report_target main = bl_answer_target(answer, answer->easier_count);
    bl_buf_str(out, "{");
    string(out, "experiment", answer->experiment);
    string(out, "preset", answer->preset);
    string(out, "dataset", answer->dataset);
    string(out, "variant", answer->variant);
    key(out, "synthetic");
    bl_buf_str(out, answer->synthetic ? "true" : "false");
    string(out, "metric", answer->metric);
    number(out, "target", answer->target);
    string(out, "resource_unit", "core-seconds");
    number(out, "price_per_core_hour", answer->per_core_hour);
    string(out, "currency", answer->currency);
    upfront_json(out, answer);
    target_json(out, answer, &main);
    easier_json(out, answer);
    series_json(out, answer);
    tests_json(out, answer);
    key(out, "known");
    known_json(out, answer);
    key(out, "rules");
    bl_rules_json(out, answer);
    key(out, "compare");
    bl_pairs_json(out, answer);
    key(out, "budgets");
    bl_buf_str(out, "[");
    for (size_t i = 0; i < answer->budget_count; i++) {
        bl_buf_str(out, i > 0 ? "," : "");
        budget_json(out, answer, &answer->budgets[i]);
    }
    bl_buf_str(out, "]}");
}
