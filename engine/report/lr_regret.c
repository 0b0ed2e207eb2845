#include "engine/report/lr_regret.h"
#include "engine/base/mem.h"
#include "engine/report/lr_sensitivity.h"
#include "engine/report/text/words.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

const bl_report_rule_name bl_report_rule_names[BL_REPORT_RULE_COUNT] = {
    [BL_REPORT_RULE_KEEP] = {"keep",       "keep",        "kept"       },
    [BL_REPORT_RULE_SQRT] = {"sqrt",       "square_root", "square root"},
    [BL_REPORT_RULE_LINEAR] = {"linear",     "linear",      "linear"     },
    [BL_REPORT_RULE_SATURATING] = {"saturating", "saturating",  "saturating" },
    [BL_REPORT_RULE_MALLADI] = {"malladi",    "malladi",     "Malladi"    },
};

static void add(bl_report_model *m, const bl_report_regret *regret) {
    m->regrets = bl_xrealloc(m->regrets, (m->regret_count + 1) * sizeof *m->regrets);
    m->regrets[m->regret_count++] = *regret;
}

void bl_report_read_rule(bl_report_model *m, const bl_json *line) {
    const char *name = bl_json_text(line, "rule", "");
    for (int r = 0; r < BL_REPORT_RULE_COUNT; r++) {
        if (strcmp(name, bl_report_rule_names[r].plan) != 0) continue;
        bl_report_regret x = {.rule = (bl_report_rule)r,
                              .batch_size = bl_json_number(line, "batch_size", (double)NAN),
                              .learning_rate = bl_json_number(line, "learning_rate", (double)NAN),
                              .target = bl_json_number(line, "target", (double)NAN),
                              .regret = bl_stats_exact(bl_json_number(line, "regret", (double)NAN)),
                              .run = true};
        x.regret.bound = bl_json_bool(line, "at_least", false);
        add(m, &x);
    }
}

/* The exponent of the saturating rule: Adam's steps do not grow with the gradient. */
static double saturating_alpha(const bl_report_model *m) {
    return strncmp(m->optimizer, "adam", 4) == 0 ? 0.5 : 1;
}

double bl_regret_rate(const bl_report_model *m, bl_report_rule rule, double batch_size) {
    static const bl_lr_rule stats[] = {[BL_REPORT_RULE_KEEP] = BL_LR_KEEP,
                                       [BL_REPORT_RULE_SQRT] = BL_LR_SQRT,
                                       [BL_REPORT_RULE_LINEAR] = BL_LR_LINEAR,
                                       [BL_REPORT_RULE_SATURATING] = BL_LR_SATURATING,
                                       [BL_REPORT_RULE_MALLADI] = BL_LR_SQRT};
    _Static_assert(BL_COUNT(stats) == BL_REPORT_RULE_COUNT, "a formula for each");
    const bl_stats_value *critical = &m->main.critical.efficiency_50;
    const bool known = critical->known && critical->bound == 0;
    if (m->main.size_count == 0 || (rule == BL_REPORT_RULE_SATURATING && !known))
        return (double)NAN;
    return bl_lr_rule_predict(stats[rule], m->main.sizes[0].learning_rate,
                              m->main.sizes[0].batch_size, batch_size, known ? critical->value : 1,
                              saturating_alpha(m));
}

static bool judged_by_runs(const bl_report_model *m) {
    for (size_t i = 0; i < m->regret_count; i++)
        if (m->regrets[i].target == m->main.target) return true;
    return false;
}

/* Malladi's rule moves Adam's decays, too: no basin of rates alone knows it. */
void bl_regret_judge(bl_report_model *m) {
    if (judged_by_runs(m)) return;
    for (int r = 0; r < BL_REPORT_RULE_MALLADI; r++)
        for (size_t i = 1; i < m->main.size_count; i++) {
            const double b = m->main.sizes[i].batch_size;
            bl_report_regret x = {.rule = (bl_report_rule)r,
                                  .batch_size = b,
                                  .learning_rate = bl_regret_rate(m, (bl_report_rule)r, b),
                                  .target = m->main.target};
            if (isnan(x.learning_rate)) continue;
            x.regret = bl_sensitivity_regret(m, i, x.learning_rate);
            if (x.regret.known) add(m, &x);
        }
}

bl_regret_summary bl_regret_sum(const bl_report_model *m, bl_report_rule rule) {
    bl_regret_summary out = {0};
    double logs = 0;
    for (size_t i = 0; i < m->regret_count; i++) {
        const bl_report_regret *x = &m->regrets[i];
        if (x->rule != rule || x->target != m->main.target) continue;
        out.sizes++;
        logs += log(x->regret.value);
        out.mean_is_bound = out.mean_is_bound || x->regret.bound > 0;
        if (x->regret.value <= out.worst) continue;
        out.worst = x->regret.value;
        out.worst_is_bound = x->regret.bound > 0;
        out.worst_batch_size = x->batch_size;
    }
    if (out.sizes > 0) out.mean = exp(logs / (double)out.sizes);
    return out;
}

void bl_rules_words(bl_buf *out, const bl_report_model *m) {
    bool any = false;
    for (int r = 0; r < BL_REPORT_RULE_COUNT; r++) {
        const bl_regret_summary sum = bl_regret_sum(m, (bl_report_rule)r);
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

static void rule_json(bl_jw *w, const bl_report_model *m, bl_report_rule rule) {
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

void bl_rules_json(bl_jw *w, const char *key, const bl_report_model *m) {
    bl_jw_array(w, key);
    for (int r = 0; r < BL_REPORT_RULE_COUNT; r++)
        if (bl_regret_sum(m, (bl_report_rule)r).sizes > 0) rule_json(w, m, (bl_report_rule)r);
    bl_jw_end(w);
}

void bl_rules_csv(bl_buf *out, const bl_report_model *m) {
    bl_buf_str(out, "rule,batch_size,learning_rate,regret,at_least,from\n");
    for (size_t i = 0; i < m->regret_count; i++) {
        const bl_report_regret *x = &m->regrets[i];
        if (x->target != m->main.target) continue;
        bl_buf_printf(out, "%s,%.9g,%.9g,%.9g,%d,%s\n", bl_report_rule_names[x->rule].file,
                      x->batch_size, x->learning_rate, x->regret.value, x->regret.bound > 0,
                      x->run ? "runs" : "basin");
    }
}
