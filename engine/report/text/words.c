#include "engine/report/text/words.h"
#include "engine/base/mem.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- numbers ----------------------------------------------------------------------------------
 */

void bl_format_count(bl_buf *out, double n) {
    char digits[32];
    if (!isfinite(n)) {
        bl_buf_str(out, isnan(n) ? "-" : "unbounded");
        return;
    }
    (void)snprintf(digits, sizeof digits, "%.0f", n);
    bl_buf_grouped(out, digits);
}

void bl_format_3_digits(bl_buf *out, double x) {
    if (!isfinite(x) || fabs(x) >= 999.5) {
        bl_format_count(out, x);
        return;
    }
    char rounded[32];
    (void)snprintf(rounded, sizeof rounded, "%.2e", x); /* three digits, then the exponent */
    const int exponent = (int)strtol(strchr(rounded, 'e') + 1, NULL, 10);
    if (exponent < -4)
        bl_buf_printf(out, "%.3g", x);
    else
        bl_buf_printf(out, "%.*f", exponent < 2 ? 2 - exponent : 0, x);
}

typedef struct unit {
    double size;
    const char *name;
} unit;

static const unit durations[] = {
    {1e-3,  "ms" },
    {1,     "s"  },
    {60,    "min"},
    {3600,  "h"  },
    {86400, "d"  }
};
static const unit sizes_in_bytes[] = {
    {1024,    "KiB"},
    {1 << 20, "MiB"},
    {1 << 30, "GiB"}
};

static void with_unit(bl_buf *out, double x, unit u) {
    bl_format_3_digits(out, x / u.size);
    if (isfinite(x)) bl_buf_printf(out, " %s", u.name);
}

/* The largest unit of which there are at least two, of seconds one. */
static unit unit_of(const unit *units, size_t n, double x) {
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (x >= (units[i].size == 1 ? 1 : 2 * units[i].size)) best = i;
    return units[best];
}

void bl_format_duration(bl_buf *out, double seconds) {
    with_unit(out, seconds, unit_of(durations, BL_COUNT(durations), seconds));
}

void bl_format_bytes(bl_buf *out, double bytes) {
    with_unit(out, bytes, unit_of(sizes_in_bytes, BL_COUNT(sizes_in_bytes), bytes));
}

void bl_format_rate(bl_buf *out, double rate) {
    bl_buf_printf(out, "%.4g", rate);
}

void bl_label_amount(bl_buf *out, const bl_report_model *model, const bl_report_budget *b) {
    switch (b->kind) {
    case BL_BUDGET_EPOCHS:
        bl_buf_printf(out, "%.4g epoch%s", b->amount, b->amount == 1 ? "" : "s");
        break;
    case BL_BUDGET_STEPS:
        bl_format_count(out, b->amount);
        bl_buf_str(out, " steps");
        break;
    case BL_BUDGET_SECONDS:
        bl_format_duration(out, b->amount);
        break;
    case BL_BUDGET_COST:
        bl_buf_printf(out, "%.4g %s", b->amount, model->currency);
        break;
    case BL_BUDGET_KIND_COUNT:
        break;
    }
}

void bl_label_budget(bl_buf *out, const bl_report_model *model, const bl_report_budget *b) {
    if (b->series != BL_NO_SERIES) bl_buf_printf(out, "%s, ", model->series[b->series].name);
    bl_label_amount(out, model, b);
}

void bl_label_dataset(bl_buf *out, const char *dataset, const char *variant, bool synthetic) {
    if (dataset[0] == '\0' || strcmp(dataset, "none") == 0) {
        bl_buf_str(out, synthetic ? BL_SYNTHETIC_LABEL : "no data");
        return;
    }
    bl_buf_str(out, dataset);
    if (synthetic || variant[0] != '\0')
        bl_buf_printf(out, " (%s)", synthetic ? BL_SYNTHETIC_LABEL : variant);
}

void bl_label_data(bl_buf *out, const bl_report_model *model) {
    bl_label_dataset(out, model->dataset, model->variant, model->synthetic);
}

void bl_label_target(bl_buf *out, const bl_report_model *model) {
    bl_buf_printf(out, "%s <= ", model->metric);
    bl_format_rate(out, model->main.target);
}

/* ---- the table --------------------------------------------------------------------------------
 */

typedef enum column {
    COLUMN_BATCH,
    COLUMN_RATE,
    COLUMN_STEPS,
    COLUMN_KNOWN,
    COLUMN_EXAMPLES,
    COLUMN_TIME,
    COLUMN_CORE_SECONDS,
    COLUMN_MONEY,
    COLUMN_MEMORY,
    COLUMN_JOULES,
    COLUMN_DEVICES,
    COLUMN_COUNT
} column;
_Static_assert((int)COLUMN_COUNT == (int)BL_SIZE_TABLE_COLUMNS, "the header's number of columns");

static bool has_column(const bl_report_model *m, column c) {
    if (c == COLUMN_KNOWN) return m->reference_count > 0;
    if (c < COLUMN_TIME) return true;
    if (c == COLUMN_TIME || c == COLUMN_CORE_SECONDS) return m->timed;
    if (c == COLUMN_DEVICES) {
        for (size_t i = 0; i < m->main.size_count; i++)
            if (m->main.sizes[i].devices > 1) return true;
        return false;
    }
    if (c == COLUMN_MONEY) return m->timed && !isnan(m->per_core_hour);
    for (size_t i = 0; i < m->main.size_count; i++)
        if (!isnan(c == COLUMN_MEMORY ? m->main.sizes[i].memory_bytes
                                      : m->main.sizes[i].joules_per_step))
            return true;
    return false;
}

size_t bl_size_table_columns(const bl_report_model *model, bool money,
                             int columns[BL_SIZE_TABLE_COLUMNS]) {
    size_t n = 0;
    for (int c = 0; c < COLUMN_COUNT; c++)
        if (has_column(model, (column)c) && (money || c != COLUMN_MONEY)) columns[n++] = c;
    return n;
}

static void heading(bl_buf *out, const bl_report_model *m, column c) {
    static const char *const text[] = {[COLUMN_BATCH] = "batch",         [COLUMN_RATE] = "best lr",
                                       [COLUMN_STEPS] = "steps",         [COLUMN_KNOWN] = "known",
                                       [COLUMN_EXAMPLES] = "examples",   [COLUMN_TIME] = "time",
                                       [COLUMN_CORE_SECONDS] = "core-s", [COLUMN_MONEY] = "",
                                       [COLUMN_MEMORY] = "memory",       [COLUMN_JOULES] = "joules",
                                       [COLUMN_DEVICES] = "devices"};
    bl_buf_str(out, c == COLUMN_MONEY ? m->currency : text[c]);
}

static bool is_censored(const bl_report_size *s) {
    return s->costs.cost[BL_STATS_FEWEST_STEPS].bound > 0;
}

/* "1,840 [1,752..1,900]", ">= 60,000". */
static void cell_steps(bl_buf *out, const bl_report_size *s) {
    const bl_stats_value *v = &s->costs.cost[BL_STATS_FEWEST_STEPS];
    bl_buf_str(out, v->bound > 0 ? ">= " : "");
    bl_format_count(out, v->value);
    if (!bl_stats_has_interval(v) || v->bound != 0) return;
    bl_buf_str(out, " [");
    bl_format_count(out, v->low);
    bl_buf_str(out, "..");
    if (isfinite(v->high)) bl_format_count(out, v->high);
    bl_buf_str(out, "]");
}

void bl_size_table_cell(bl_buf *out, const bl_report_model *model, size_t row, int column_number) {
    const column c = (column)column_number;
    if (row == 0) {
        heading(out, model, c);
        return;
    }
    const bl_report_size *s = &model->main.sizes[row - 1];
    const bl_stats_value *seconds = &s->costs.cost[BL_STATS_FASTEST];
    const double cores = s->costs.cost[BL_STATS_CHEAPEST].value;
    if (!s->costs.cost[BL_STATS_FEWEST_STEPS].known && c > COLUMN_RATE && c != COLUMN_KNOWN) {
        bl_buf_str(out, "-");
        return;
    }
    if (is_censored(s) && c >= COLUMN_EXAMPLES && c <= COLUMN_MONEY) bl_buf_str(out, ">= ");
    switch (c) {
    case COLUMN_BATCH:
        bl_format_count(out, s->batch_size);
        break;
    case COLUMN_RATE:
        if (!s->bracketed) bl_buf_str(out, "* ");
        bl_format_rate(out, s->learning_rate);
        break;
    case COLUMN_STEPS:
        cell_steps(out, s);
        break;
    case COLUMN_KNOWN:
        bl_format_count(out, bl_report_reference_steps(model, s->batch_size));
        break;
    case COLUMN_EXAMPLES:
        bl_format_count(out, bl_report_examples(s));
        break;
    case COLUMN_TIME:
        bl_format_duration(out, seconds->value);
        break;
    case COLUMN_CORE_SECONDS:
        bl_format_3_digits(out, cores);
        break;
    case COLUMN_MONEY:
        bl_format_3_digits(out, bl_report_money(model, cores));
        break;
    case COLUMN_MEMORY:
        bl_format_bytes(out, s->memory_bytes);
        break;
    case COLUMN_JOULES:
        bl_format_3_digits(out, bl_report_joules(s));
        break;
    case COLUMN_DEVICES:
        bl_buf_printf(out, "%" PRId64, s->devices);
        break;
    case COLUMN_COUNT:
        break;
    }
}
