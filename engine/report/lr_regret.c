#include "engine/report/lr_regret.h"
#include "engine/base/mem.h"
#include "engine/report/lr_sensitivity.h"
#include "engine/report/text/words.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

const bl_rule_name bl_rule_names[BL_REPORT_RULE_COUNT] = {
    [BL_REPORT_RULE_KEEP] = {"keep",       "keep",        "kept"       },
    [BL_REPORT_RULE_SQRT] = {"sqrt",       "square_root", "square root"},
    [BL_REPORT_RULE_LINEAR] = {"linear",     "linear",      "linear"     },
    [BL_REPORT_RULE_SATURATING] = {"saturating", "saturating",  "saturating" },
    [BL_REPORT_RULE_MALLADI] = {"malladi",    "malladi",     "Malladi"    },
};

static void add(bl_answer *a, const bl_report_regret *regret) {
    a->regrets = bl_xrealloc(a->regrets, (a->regret_count + 1) * sizeof *a->regrets);
    a->regrets[a->regret_count++] = *regret;
}

void bl_rules_read(bl_answer *a, const bl_json *line) {
    const char *name = bl_json_text(line, "rule", "");
    for (int r = 0; r < BL_REPORT_RULE_COUNT; r++) {
        if (strcmp(name, bl_rule_names[r].plan) != 0) continue;
        bl_report_regret x = {.rule = (bl_report_rule)r,
                              .batch_size = bl_json_number(line, "batch_size", (double)NAN),
                              .learning_rate = bl_json_number(line, "learning_rate", (double)NAN),
                              .target = bl_json_number(line, "target", (double)NAN),
                              .regret = bl_stats_exact(bl_json_number(line, "regret", (double)NAN)),
                              .run = true};
        x.regret.bound = bl_json_bool(line, "at_least", false);
        add(a, &x);
    }
}

/* The exponent of the saturating rule: Adam's steps do not grow with the gradient. */
static double saturating_alpha(const bl_answer *a) {
    return strncmp(a->optimizer, "adam", 4) == 0 ? 0.5 : 1;
}

double bl_rules_rate(const bl_answer *a, bl_report_rule rule, double batch_size) {
    static const bl_lr_rule stats[] = {[BL_REPORT_RULE_KEEP] = BL_LR_KEEP,
                                       [BL_REPORT_RULE_SQRT] = BL_LR_SQRT,
                                       [BL_REPORT_RULE_LINEAR] = BL_LR_LINEAR,
                                       [BL_REPORT_RULE_SATURATING] = BL_LR_SATURATING,
                                       [BL_REPORT_RULE_MALLADI] = BL_LR_SQRT};
    _Static_assert(BL_COUNT(stats) == BL_REPORT_RULE_COUNT, "a formula for each");
    const bl_stats_value *critical = &a->critical.efficiency_50;
    const bool known = critical->known && critical->bound == 0;
    if (a->size_count == 0 || (rule == BL_REPORT_RULE_SATURATING && !known)) return (double)NAN;
    return bl_lr_rule_predict(stats[rule], a->sizes[0].learning_rate, a->sizes[0].batch_size,
                              batch_size, known ? critical->value : 1, saturating_alpha(a));
}

static bool judged_by_runs(const bl_answer *a) {
    for (size_t i = 0; i < a->regret_count; i++)
        if (a->regrets[i].target == a->target) return true;
    return false;
}

/* Malladi's rule moves Adam's decays, too: no basin of rates alone knows it. */
void bl_rules_judge(bl_answer *a) {
    if (judged_by_runs(a)) return;
    for (int r = 0; r < BL_REPORT_RULE_MALLADI; r++)
        for (size_t i = 1; i < a->size_count; i++) {
            const double b = a->sizes[i].batch_size;
            bl_report_regret x = {.rule = (bl_report_rule)r,
                                  .batch_size = b,
                                  .learning_rate = bl_rules_rate(a, (bl_report_rule)r, b),
                                  .target = a->target};
            if (isnan(x.learning_rate)) continue;
            x.regret = bl_basin_regret(a, i, x.learning_rate);
            if (x.regret.known) add(a, &x);
        }
}

bl_rule_summary bl_rules_sum(const bl_answer *a, bl_report_rule rule) {
    bl_rule_summary out = {0};
    double logs = 0;
    for (size_t i = 0; i < a->regret_count; i++) {
        const bl_report_regret *x = &a->regrets[i];
        if (x->rule != rule || x->target != a->target) continue;
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

void bl_rules_words(bl_buf *out, const bl_answer *a) {
    bool any = false;
    for (int r = 0; r < BL_REPORT_RULE_COUNT; r++) {
        const bl_rule_summary sum = bl_rules_sum(a, (bl_report_rule)r);
        if (sum.sizes == 0) continue;
        if (!any) {
            bl_buf_str(out, "Steps with the rate of batch size ");
            bl_words_count(out, a->sizes[0].batch_size);
            bl_buf_str(out, " carried on by a rule, against retuning:");
        }
        bl_buf_printf(out, "%s %s %s%.2f times (worst %s%.2f, at ", any ? ";" : "",
                      bl_rule_names[r].words, sum.mean_is_bound ? ">= " : "", sum.mean,
                      sum.worst_is_bound ? ">= " : "", sum.worst);
        bl_words_count(out, sum.worst_batch_size);
        bl_buf_str(out, ")");
        any = true;
    }
    if (any) bl_buf_str(out, ".\n");
}

static void rule_json(bl_jw *w, const bl_answer *a, bl_report_rule rule) {
    const bl_rule_summary sum = bl_rules_sum(a, rule);
    const bl_stats_value mean = {sum.mean, (double)NAN, (double)NAN, true, sum.mean_is_bound};
    const bl_stats_value worst = {sum.worst, (double)NAN, (double)NAN, true, sum.worst_is_bound};
    bl_jw_object(w, NULL);
    bl_jw_str(w, "rule", bl_rule_names[rule].file);
    bl_stats_value_json(w, "mean", &mean);
    bl_stats_value_json(w, "worst", &worst);
    bl_jw_array(w, "batch_sizes");
    for (size_t i = 0; i < a->regret_count; i++) {
        const bl_report_regret *x = &a->regrets[i];
        if (x->rule != rule || x->target != a->target) continue;
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

void bl_rules_json(bl_jw *w, const char *key, const bl_answer *a) {
    bl_jw_array(w, key);
    for (int r = 0; r < BL_REPORT_RULE_COUNT; r++)
        if (bl_rules_sum(a, (bl_report_rule)r).sizes > 0) rule_json(w, a, (bl_report_rule)r);
    bl_jw_end(w);
}

void bl_rules_csv(bl_buf *out, const bl_answer *a) {
    bl_buf_str(out, "rule,batch_size,learning_rate,regret,at_least,from\n");
    for (size_t i = 0; i < a->regret_count; i++) {
        const bl_report_regret *x = &a->regrets[i];
        if (x->target != a->target) continue;
        bl_buf_printf(out, "%s,%.9g,%.9g,%.9g,%d,%s\n", bl_rule_names[x->rule].file, x->batch_size,
                      x->learning_rate, x->regret.value, x->regret.bound > 0,
                      x->run ? "runs" : "basin");
    }
}
