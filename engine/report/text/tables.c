/* The tables as CSV: exact numbers where they were measured, nine digits where they were
 * computed.
 *
 *     runs.csv       round,run,batch_size,...             1,r0f3a5...,64,...
 *                    ..., series, metric, settings in which trials differ
 *     sizes.csv      target,batch_size,learning_rate,...  0.1,4,0.1767766952966369,1,1,474,,,0,...
 *     critical.csv   target,definition,value,low,high,bound       0.1,b_crit,45.799392,,,0
 *
 * An empty field is not known. `bound` is 1 where the true number lies at or above the value, -1 at
 * or below it, else 0. */
#include "engine/report/text/tables.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/base/text.h"
#include "engine/plan/differing.h"
#include "engine/plan/series.h"
#include "engine/report/audit.h"
#include "engine/report/lr_regret.h"
#include "engine/report/text/labels.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The shortest text that reads back to the same number; empty for none. */
static void exact(bl_buf *out, double value) {
    char text[32];
    if (isnan(value)) return;
    bl_json_f64_text(text, value);
    bl_buf_str(out, text);
}

/* The trial's settings as an object, to be freed. */
static bl_json_doc settings_of(const bl_report_trial *t) {
    bl_buf text = {0};
    bl_json_doc doc;
    bl_buf_printf(&text, "{%s}", t->settings);
    BL_ASSERT(bl_json_parse(&doc, bl_buf_text(&text), text.len, "set", 1, NULL) == BL_OK);
    bl_buf_free(&text);
    return doc;
}

/* A cell for each of them; empty where the trial has what the experiment says. */
static void settings_cells(bl_buf *out, const bl_report_trial *t, const bl_plan_differing *keys) {
    bl_json_doc doc = settings_of(t);
    bl_buf shown = {0};
    for (size_t k = 0; k < keys->count; k++) {
        const bl_json *value = bl_json_get(doc.root, keys->v[k].key);
        bl_buf_str(out, ",");
        if (value == NULL) continue;
        bl_buf_clear(&shown);
        bl_json_show(&shown, value);
        const char *text = value->type == BL_JSON_STRING ? value->string : bl_buf_text(&shown);
        if (value->type == BL_JSON_NUMBER)
            exact(out, value->number);
        else
            bl_text_csv_cell(out, text);
    }
    bl_buf_free(&shown);
    bl_json_free(&doc);
}

/* In which settings do the trials differ? */
static bl_plan_differing differing(const bl_report_model *m) {
    bl_plan_differing all = {0};
    for (size_t i = 0; i < m->trial_count; i++) {
        bl_json_doc doc = settings_of(&m->trials[i]);
        bl_plan_differing_add(&all, doc.root);
        bl_json_free(&doc);
    }
    bl_plan_differing_choose(&all);
    return all;
}

/* One row for each trial of the plan, in its order. */
static void runs_csv(bl_buf *out, const bl_report_model *m) {
    bl_plan_differing keys = differing(m);
    const char **series = bl_xalloc((m->plan.trial_count + 1) * sizeof *series);
    bl_plan_series(series, &m->plan);
    bl_buf_str(out, "round,run,batch_size,learning_rate,seed,target,max_steps,outcome,steps,"
                    "examples,hit,before,reason,data,series,metric");
    for (size_t k = 0; k < keys.count; k++) bl_buf_printf(out, ",%s", keys.v[k].key);
    bl_buf_str(out, "\n");
    for (size_t i = 0; i < m->trial_count; i++) {
        const bl_report_trial *t = &m->trials[i];
        bl_buf_printf(out, "%" PRId64 ",%s,", t->round, t->run);
        exact(out, t->batch_size);
        bl_buf_str(out, ",");
        exact(out, t->learning_rate);
        bl_buf_printf(out, ",%" PRId64 ",", t->seed);
        exact(out, t->target);
        bl_buf_printf(out, ",%" PRId64 ",%s,%" PRId64 ",", t->max_steps,
                      bl_outcome_name(t->outcome), t->steps);
        exact(out, (double)t->steps * t->batch_size);
        bl_buf_printf(out, ",%" PRId64 ",%" PRId64 ",", t->target_step, t->previous_eval_step);
        bl_text_csv_cell(out, t->reason);
        bl_buf_str(out, ",");
        bl_label_data(out, m);
        bl_buf_str(out, ",");
        if (series[i][0] != '\0') bl_text_csv_cell(out, series[i]);
        bl_buf_printf(out, ",%s", m->plan.head.metric);
        settings_cells(out, t, &keys);
        bl_buf_str(out, "\n");
    }
    bl_plan_differing_free(&keys);
    free(series);
}

/* What went through the libm: nine digits; empty where nothing is known. */
static void rounded(bl_buf *out, double value) {
    bl_buf_str(out, ",");
    if (isfinite(value)) bl_buf_printf(out, "%.9g", value);
}

/* "value,low,high,bound", each behind a comma. */
static void interval(bl_buf *out, const bl_stats_value *v) {
    rounded(out, v->value);
    rounded(out, v->low);
    rounded(out, v->high);
    bl_buf_printf(out, ",%d", v->bound);
}

/* One row for each target and batch size. */
static void sizes_csv(bl_buf *out, const bl_report_model *m) {
    bl_buf_str(out, "target,batch_size,learning_rate,bracketed,runs,steps,steps_low,steps_high,"
                    "steps_bound,examples,seconds,seconds_low,seconds_high,seconds_bound,"
                    "core_seconds,core_seconds_low,core_seconds_high,core_seconds_bound,money,"
                    "memory_bytes,joules,devices\n");
    for (size_t k = 0; k <= m->easier_count; k++) {
        const bl_report_target t = bl_report_target_at(m, k);
        for (size_t i = 0; i < t.size_count; i++) {
            const bl_report_size *s = &t.sizes[i];
            const bl_stats_value *cost = s->costs.cost;
            exact(out, t.target);
            bl_buf_str(out, ",");
            exact(out, s->batch_size);
            bl_buf_str(out, ",");
            exact(out, s->learning_rate);
            bl_buf_printf(out, ",%d,%zu", s->bracketed, s->count);
            interval(out, &cost[BL_STATS_FEWEST_STEPS]);
            rounded(out, bl_report_examples(s));
            interval(out, &cost[BL_STATS_FASTEST]);
            interval(out, &cost[BL_STATS_CHEAPEST]);
            rounded(out, bl_report_money(m, cost[BL_STATS_CHEAPEST].value));
            rounded(out, s->memory_bytes);
            rounded(out, bl_report_joules(s));
            bl_buf_printf(out, ",%" PRId64 "\n", s->devices);
        }
    }
}

/* One row for each target and definition. */
static void critical_csv(bl_buf *out, const bl_report_model *m) {
    bl_buf_str(out, "target,definition,value,low,high,bound\n");
    for (size_t k = 0; k <= m->easier_count; k++) {
        const bl_report_target t = bl_report_target_at(m, k);
        const bl_stats_critical *c = &t.critical;
        for (int i = 0; i < BL_STATS_DEFINITION_COUNT && t.size_count > 0; i++) {
            exact(out, t.target);
            bl_buf_printf(out, ",%s", bl_stats_definition_name((bl_stats_definition)i));
            interval(out, &c->of[i]);
            bl_buf_str(out, "\n");
        }
    }
}

/* One row for each budget and batch size; best: of its budget. */
static void budgets_csv(bl_buf *out, const bl_report_model *m) {
    bl_buf_str(out, "budget,amount,batch_size,learning_rate,steps,value,low,high,best,series\n");
    for (size_t i = 0; i < m->budget_count; i++) {
        const bl_report_budget *b = &m->budgets[i];
        bl_buf_printf(out, "%s,", bl_plan_budget_name(b->kind));
        exact(out, b->amount);
        bl_buf_str(out, ",");
        exact(out, b->batch_size);
        bl_buf_str(out, ",");
        exact(out, b->learning_rate);
        bl_buf_printf(out, ",%" PRId64, b->steps);
        rounded(out, b->value);
        rounded(out, b->low);
        rounded(out, b->high);
        bl_buf_printf(out, ",%d,", b->best);
        bl_text_csv_cell(out, b->series != BL_NO_SERIES ? m->series[b->series].name : "");
        bl_buf_str(out, "\n");
    }
}

/* One row for each rule and batch size; `from`: the rule's rate was run, or read from the rates
 * tried. */
static void rules_csv(bl_buf *out, const bl_report_model *m) {
    bl_buf_str(out, "rule,batch_size,learning_rate,regret,at_least,from\n");
    for (size_t i = 0; i < m->regret_count; i++) {
        const bl_report_regret *x = &m->regrets[i];
        if (x->target != m->main.target) continue;
        bl_buf_printf(out, "%s,%.9g,%.9g,%.9g,%d,%s\n", bl_report_rule_names[x->rule].file,
                      x->batch_size, x->learning_rate, x->regret.value, x->regret.bound > 0,
                      x->run ? "runs" : "rates");
    }
}

/* One row for each forecast and definition; factor: forecast over measured. */
static void audit_csv(bl_buf *out, const bl_report_model *m) {
    bl_buf_str(out, "experiment,preset,series,target,forecast,value,low,high,definition,measured,"
                    "measured_low,measured_high,measured_bound,factor,factor_low,factor_high,"
                    "factor_bound\n");
    for (size_t i = 0; i < m->forecast_count; i++) {
        const bl_report_forecast *f = &m->forecasts[i];
        for (int d = 0; d < BL_STATS_DEFINITION_COUNT; d++) {
            const bl_stats_definition definition = (bl_stats_definition)d;
            const bl_stats_value factor = bl_report_audit_factor(m, f, definition);
            bl_buf_printf(out, "%s,%s,%s,", m->plan.head.experiment, m->plan.head.preset,
                          f->series != BL_NO_SERIES ? m->series[f->series].name : "");
            exact(out, f->target);
            bl_buf_printf(out, ",%s", f->name);
            rounded(out, f->value.value);
            rounded(out, f->value.low);
            rounded(out, f->value.high);
            bl_buf_printf(out, ",%s", bl_stats_definition_name(definition));
            interval(out, &bl_report_audit_measured(m, f)->of[d]);
            interval(out, &factor);
            bl_buf_str(out, "\n");
        }
    }
}

const bl_report_table bl_report_tables[] = {
    {"runs",     "csv", runs_csv         },
    {"sizes",    "csv", sizes_csv        },
    {"critical", "csv", critical_csv     },
    {"budgets",  "csv", budgets_csv      },
    {"rules",    "csv", rules_csv        },
    {"audit",    "csv", audit_csv        },
    {"sizes",    "tex", bl_latex_sizes   },
    {"critical", "tex", bl_latex_critical},
    {"rules",    "tex", bl_latex_rules   },
};
const size_t bl_report_table_count = BL_COUNT(bl_report_tables);
