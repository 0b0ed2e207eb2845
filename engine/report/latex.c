#include "engine/base/mem.h"
#include "engine/report/rules.h"
#include "engine/report/tables.h"
#include "engine/report/words.h"
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

/* What a table is of, for its reader and for whoever finds the file. */
static void head(bl_buf *out, const bl_answer *a, const char *columns) {
    bl_buf_str(out, "% experiment ");
    escaped(out, a->experiment);
    if (a->preset[0] != '\0') bl_buf_str(out, ", preset ");
    escaped(out, a->preset);
    bl_buf data = {0};
    bl_words_data(&data, a);
    bl_buf_str(out, ", ");
    escaped(out, bl_buf_text(&data));
    bl_buf_str(out, "\n");
    bl_buf_free(&data);
    bl_buf_printf(out, "%% \\usepackage{booktabs}\n\\begin{tabular}{%s}\n\\toprule\n", columns);
}

static void foot(bl_buf *out, const bl_answer *a, size_t columns) {
    bl_buf_str(out, "\\bottomrule\n");
    if (a->synthetic)
        bl_buf_printf(out, "\\multicolumn{%zu}{l}{\\footnotesize " BL_SYNTHETIC_LABEL "}\\\\\n",
                      columns);
    bl_buf_str(out, "\\end{tabular}\n");
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

void bl_latex_sizes(bl_buf *out, const bl_answer *a) {
    int columns[BL_WORDS_COLUMNS];
    const size_t n = bl_words_columns(a, columns);
    bl_buf text = {0};
    for (size_t c = 0; c < n; c++) bl_buf_str(&text, "r");
    head(out, a, bl_buf_text(&text));
    for (size_t row = 0; row <= a->size_count; row++) {
        for (size_t c = 0; c < n; c++) {
            bl_buf_clear(&text);
            bl_words_cell(&text, a, row, columns[c]);
            bl_buf_str(out, c > 0 ? " & " : "");
            cell(out, bl_buf_text(&text));
        }
        bl_buf_str(out, row == 0 ? " \\\\\n\\midrule\n" : " \\\\\n");
    }
    foot(out, a, n);
    bl_buf_free(&text);
}

static void value(bl_buf *out, const bl_stats_value *v) {
    bl_buf text = {0};
    bl_stats_value_text(&text, v);
    bl_buf_str(out, " & ");
    cell(out, bl_buf_text(&text));
    bl_buf_free(&text);
}

enum { CRITICAL_ROWS = 4 };

static const bl_stats_value *critical_of(const bl_stats_critical *c, int row) {
    const bl_stats_value *const values[CRITICAL_ROWS] = {&c->perfect_scaling_end, &c->overhead_20,
                                                         &c->efficiency_50, &c->max_useful};
    return values[row];
}

/* A column for each target, a row for each definition. */
void bl_latex_critical(bl_buf *out, const bl_answer *a) {
    static const char *const names[CRITICAL_ROWS] = {
        "10\\,\\% over perfect scaling", "20\\,\\% over perfect scaling",
        "half the examples' efficiency", "steps within 10\\,\\% of the fewest"};
    bl_buf columns = {0};
    bl_buf_str(&columns, "l");
    for (size_t k = 0; k <= a->easier_count; k++) bl_buf_str(&columns, "r");
    head(out, a, bl_buf_text(&columns));
    bl_buf_free(&columns);
    escaped(out, a->metric);
    for (size_t k = 0; k <= a->easier_count; k++)
        bl_buf_printf(out, " & $\\leq$\\,%.4g", bl_answer_target(a, k).target);
    bl_buf_str(out, " \\\\\n\\midrule\n");
    for (int row = 0; row < CRITICAL_ROWS; row++) {
        bl_buf_str(out, names[row]);
        for (size_t k = 0; k <= a->easier_count; k++) {
            const bl_report_target t = bl_answer_target(a, k);
            value(out, critical_of(&t.critical, row));
        }
        bl_buf_str(out, " \\\\\n");
    }
    bl_buf_str(out, "\\midrule\nhyperbola, worst deviation");
    for (size_t k = 0; k <= a->easier_count; k++) {
        const bl_report_target t = bl_answer_target(a, k);
        if (t.critical.hyperbola.known)
            bl_buf_printf(out, " & %.0f\\,\\%%", 100 * t.critical.hyperbola.worst_deviation);
        else
            bl_buf_str(out, " & --");
    }
    bl_buf_str(out, " \\\\\n");
    foot(out, a, a->easier_count + 2);
}

static const bl_report_regret *regret_of(const bl_answer *a, bl_report_rule rule, double size) {
    for (size_t i = 0; i < a->regret_count; i++) {
        const bl_report_regret *x = &a->regrets[i];
        if (x->rule == rule && x->batch_size == size && x->target == a->target) return x;
    }
    return NULL;
}

/* A column for each rule of which something is known. */
void bl_latex_rules(bl_buf *out, const bl_answer *a) {
    bl_report_rule known[BL_RULE_COUNT];
    size_t n = 0;
    for (int r = 0; r < BL_RULE_COUNT; r++)
        if (bl_rules_sum(a, (bl_report_rule)r).sizes > 0) known[n++] = (bl_report_rule)r;
    bl_buf columns = {0};
    for (size_t c = 0; c <= n; c++) bl_buf_str(&columns, "r");
    head(out, a, bl_buf_text(&columns));
    bl_buf_free(&columns);
    bl_buf_str(out, "batch");
    for (size_t c = 0; c < n; c++) bl_buf_printf(out, " & %s", bl_rule_names[known[c]].words);
    bl_buf_str(out, " \\\\\n\\midrule\n");
    for (size_t i = 1; i < a->size_count && n > 0; i++) {
        bl_words_count(out, a->sizes[i].batch_size);
        for (size_t c = 0; c < n; c++) {
            const bl_report_regret *x = regret_of(a, known[c], a->sizes[i].batch_size);
            bl_buf_str(out, " & ");
            if (x == NULL)
                bl_buf_str(out, "--");
            else
                bl_buf_printf(out, "%s%.2f", x->regret.bound > 0 ? "$\\geq$\\," : "",
                              x->regret.value);
        }
        bl_buf_str(out, " \\\\\n");
    }
    foot(out, a, n + 1);
}
