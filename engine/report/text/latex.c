/* The tables as LaTeX, in the style of booktabs; they need no other package. */
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include "engine/report/lr_regret.h"
#include "engine/report/text/cells.h"
#include "engine/report/text/labels.h"
#include "engine/report/text/tables.h"
#include <math.h>
#include <string.h>

/* Text as LaTeX prints it. What is beyond ASCII is left to the document's input encoding. */
static void escaped(bl_buf *out, const char *text) {
    static const struct {
        char c;
        const char *as;
    } special[] = {
        {'\\', "\\textbackslash{}"  },
        {'~',  "\\textasciitilde{}" },
        {'^',  "\\textasciicircum{}"},
        {'<',  "$<$"                },
        {'>',  "$>$"                },
        {'|',  "$|$"                },
        {'"',  "''"                 },
        {'&',  "\\&"                },
        {'%',  "\\%"                },
        {'$',  "\\$"                },
        {'#',  "\\#"                },
        {'_',  "\\_"                },
        {'{',  "\\{"                },
        {'}',  "\\}"                }
    };
    for (const char *p = text; *p != '\0'; p++) {
        size_t i = 0;
        while (i < BL_COUNT(special) && special[i].c != *p) i++;
        if (i < BL_COUNT(special))
            bl_buf_str(out, special[i].as);
        else
            bl_buf_add(out, (unsigned char)*p < 0x20 ? " " : p, 1);
    }
}

/* Text of 8 points fits the 345 points of an article's line with so many columns, else 7. */
enum { WIDE = 7 };

/* What a table is of, for its reader and for whoever finds the file. */
static void head(bl_buf *out, const bl_report_model *m, const char *columns) {
    bl_buf_str(out, "% experiment ");
    escaped(out, m->plan.head.experiment);
    if (m->plan.head.preset[0] != '\0') bl_buf_str(out, ", preset ");
    escaped(out, m->plan.head.preset);
    bl_buf data = {0};
    bl_label_data(&data, m);
    bl_buf_str(out, ", ");
    escaped(out, bl_buf_text(&data));
    bl_buf_str(out, "\n");
    bl_buf_free(&data);
    bl_buf_printf(out,
                  "%% \\usepackage{booktabs}\n{%s\\setlength{\\tabcolsep}{3pt}%%\n"
                  "\\begin{tabular}{%s}\n\\toprule\n",
                  strlen(columns) > WIDE ? "\\scriptsize" : "\\footnotesize", columns);
}

static void foot(bl_buf *out, const bl_report_model *m, size_t columns) {
    bl_buf_str(out, "\\bottomrule\n");
    if (m->plan.head.dataset.synthetic)
        bl_buf_printf(out, "\\multicolumn{%zu}{l}{\\footnotesize " BL_SYNTHETIC_LABEL "}\\\\\n",
                      columns);
    bl_buf_str(out, "\\end{tabular}}\n");
}

/* ">= 400" of the plain tables becomes a sign. */
static void cell(bl_buf *out, const char *text) {
    if (strncmp(text, ">= ", 3) == 0) {
        bl_buf_str(out, "$\\geq$\\,");
        text += 3;
    } else if (strncmp(text, "<= ", 3) == 0) {
        bl_buf_str(out, "$\\leq$\\,");
        text += 3;
    }
    escaped(out, text);
}

/* Money is core-seconds times the price: the price says as much as a column of it. */
void bl_latex_sizes(bl_buf *out, const bl_report_model *m) {
    int columns[BL_CELL_COLUMNS];
    const size_t n = bl_cell_columns(m, false, columns);
    bl_buf text = {0};
    for (size_t c = 0; c < n; c++) bl_buf_str(&text, "r");
    head(out, m, bl_buf_text(&text));
    for (size_t row = 0; row <= m->main.size_count; row++) {
        for (size_t c = 0; c < n; c++) {
            bl_buf_clear(&text);
            bl_cell_text(&text, m, row, columns[c]);
            bl_buf_str(out, c > 0 ? " & " : "");
            cell(out, bl_buf_text(&text));
        }
        bl_buf_str(out, row == 0 ? " \\\\\n\\midrule\n" : " \\\\\n");
    }
    if (m->timed && !isnan(m->plan.head.cost.per_core_hour)) {
        bl_buf_printf(out, "\\midrule\n\\multicolumn{%zu}{l}{a core-hour costs %.4g ", n,
                      m->plan.head.cost.per_core_hour);
        escaped(out, m->plan.head.cost.currency);
        bl_buf_str(out, "}\\\\\n");
    }
    foot(out, m, n);
    bl_buf_free(&text);
}

enum { CRITICAL_COLUMNS = 4 };

/* A column for each definition: their values, then in the row below their intervals. */
static void critical_row(bl_buf *out, const bl_stats_critical *c, bool intervals) {
    const bl_stats_value *const values[CRITICAL_COLUMNS] = {
        &c->of[BL_STATS_PERFECT_END], &c->of[BL_STATS_OVERHEAD_20], &c->of[BL_STATS_EFFICIENCY_50],
        &c->of[BL_STATS_MAX_USEFUL]};
    for (int i = 0; i < CRITICAL_COLUMNS; i++) {
        bl_buf text = {0};
        bl_stats_value_text(&text, values[i]);
        const char *words = bl_buf_text(&text), *interval = strstr(words, " (");
        bl_buf_str(out, " & ");
        if (intervals && interval != NULL) escaped(out, interval + 1);
        if (!intervals && interval != NULL) bl_buf_truncate(&text, (size_t)(interval - words));
        if (!intervals) cell(out, bl_buf_text(&text));
        bl_buf_free(&text);
    }
}

/* Two rows for each target. */
void bl_latex_critical(bl_buf *out, const bl_report_model *m) {
    head(out, m, "rrrrrr");
    bl_buf_str(out, " & \\multicolumn{2}{c}{over perfect scaling} & half the & within 10\\,\\% & "
                    "lack of \\\\\n");
    escaped(out, m->plan.head.metric);
    bl_buf_str(out, " & 10\\,\\% & 20\\,\\% & efficiency & of the fewest & fit, $p$ \\\\\n");
    for (size_t k = 0; k <= m->easier_count; k++) {
        const bl_report_target t = bl_report_target_at(m, k);
        bl_buf_printf(out, "\\midrule\n$\\leq$\\,%.4g", t.target);
        critical_row(out, &t.critical, false);
        if (t.critical.curve.lack.known)
            bl_buf_printf(out, " & %.2g \\\\\n", t.critical.curve.lack.p_value);
        else
            bl_buf_str(out, " & -- \\\\\n");
        critical_row(out, &t.critical, true);
        bl_buf_str(out, " & \\\\\n");
    }
    foot(out, m, CRITICAL_COLUMNS + 2);
}

/* The rule's regret at a batch size for the main target; NULL: not known. */
static const bl_report_regret *regret_of(const bl_report_model *m, bl_plan_rule rule, double size) {
    for (size_t i = 0; i < m->regret_count; i++) {
        const bl_report_regret *x = &m->regrets[i];
        if (x->rule == rule && x->batch_size == size && x->target == m->main.target) return x;
    }
    return NULL;
}

/* A column for each rule of which something is known. */
void bl_latex_rules(bl_buf *out, const bl_report_model *m) {
    bl_plan_rule known[BL_PLAN_RULE_COUNT];
    size_t n = 0;
    for (int r = 0; r < BL_PLAN_RULE_COUNT; r++)
        if (bl_regret_sum(m, (bl_plan_rule)r).sizes > 0) known[n++] = (bl_plan_rule)r;
    bl_buf columns = {0};
    for (size_t c = 0; c <= n; c++) bl_buf_str(&columns, "r");
    head(out, m, bl_buf_text(&columns));
    bl_buf_free(&columns);
    bl_buf_str(out, "batch");
    for (size_t c = 0; c < n; c++)
        bl_buf_printf(out, " & %s", bl_report_rule_names[known[c]].words);
    bl_buf_str(out, " \\\\\n\\midrule\n");
    for (size_t i = 1; i < m->main.size_count && n > 0; i++) {
        bl_format_count(out, m->main.sizes[i].batch_size);
        for (size_t c = 0; c < n; c++) {
            const bl_report_regret *x = regret_of(m, known[c], m->main.sizes[i].batch_size);
            bl_buf_str(out, " & ");
            if (x == NULL)
                bl_buf_str(out, "--");
            else
                bl_buf_printf(out, "%s%.2f", x->regret.bound > 0 ? "$\\geq$\\," : "",
                              x->regret.value);
        }
        bl_buf_str(out, " \\\\\n");
    }
    foot(out, m, n + 1);
}
