/* Learning-rate rules judged (P9): what following one from the smallest batch size would have cost
 * instead of retuning. Used inside this room only. */
#ifndef BL_ENGINE_REPORT_LR_REGRET_H
#define BL_ENGINE_REPORT_LR_REGRET_H
#include "engine/base/json.h"
#include "engine/report/report.h"

/* What a rule is called in the plan, in files and in sentences. */
typedef struct bl_report_rule_name {
    const char *plan, *file, *words;
} bl_report_rule_name;
extern const bl_report_rule_name bl_report_rule_names[BL_REPORT_RULE_COUNT];

/* Adds one decision of kind "rule": the sweep has run the rule's rate. */
void bl_report_read_rule(bl_report_model *answer, const bl_json *line);
/* Without such decisions: regrets out of the basins, once the answer is fitted. */
void bl_regret_judge(bl_report_model *answer);
/* The rate of a rule that only moves the rate; NAN where it is not defined. The saturating rule
 * needs B_crit, and so can be drawn only in hindsight; its exponent is 1/2 for Adam, else 1. */
double bl_regret_rate(const bl_report_model *answer, bl_report_rule rule, double batch_size);

/* Over the batch sizes of which something is known. */
typedef struct bl_regret_summary {
    size_t sizes;                       /* 0: nothing is known */
    double mean, worst;                 /* geometric mean and maximum of the regrets */
    bool mean_is_bound, worst_is_bound; /* at least this */
    double worst_batch_size;
} bl_regret_summary;
bl_regret_summary bl_regret_sum(const bl_report_model *answer, bl_report_rule rule);

void bl_rules_words(bl_buf *out, const bl_report_model *answer); /* one sentence, or nothing */
void bl_rules_json(bl_jw *w, const char *key,
                   const bl_report_model *answer); /* an array of objects */
void bl_rules_csv(bl_buf *out, const bl_report_model *answer);
#endif
