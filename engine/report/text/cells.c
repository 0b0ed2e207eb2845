/* The cells of the table of batch sizes. A column that no row has data for is left out. A run that
 * did not reach the target makes its row's costs lower bounds, marked ">=". */
#include "engine/report/text/cells.h"
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include "engine/report/text/labels.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

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
_Static_assert((int)COLUMN_COUNT == (int)BL_CELL_COLUMNS, "the header's number of columns");

/* Whether some row has something to say in this column. */
static bool has_column(const bl_report_model *m, column c) {
    if (c == COLUMN_KNOWN) return m->reference_count > 0;
    if (c < COLUMN_TIME) return true;
    if (c == COLUMN_TIME || c == COLUMN_CORE_SECONDS) return m->timed;
    if (c == COLUMN_DEVICES) {
        for (size_t i = 0; i < m->main.size_count; i++)
            if (m->main.sizes[i].devices > 1) return true;
        return false;
    }
    if (c == COLUMN_MONEY) return m->timed && !isnan(m->plan.head.cost.per_core_hour);
    for (size_t i = 0; i < m->main.size_count; i++)
        if (!isnan(c == COLUMN_MEMORY ? m->main.sizes[i].memory_bytes
                                      : m->main.sizes[i].joules_per_step))
            return true;
    return false;
}

size_t bl_cell_columns(const bl_report_model *model, bool money, int columns[BL_CELL_COLUMNS]) {
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
    bl_buf_str(out, c == COLUMN_MONEY ? m->plan.head.cost.currency : text[c]);
}

static bool is_censored(const bl_report_size *s) {
    return s->costs.cost[BL_STATS_FEWEST_STEPS].bound > 0;
}

/* Half the width of a cost's interval; 0 without one, or where it is a bound. */
static double half_of(const bl_report_size *s, bl_stats_goal goal) {
    const bl_stats_value *v = &s->costs.cost[goal];
    return v->bound == 0 ? bl_stats_half_width(v) : 0;
}

/* "1,840 [1,752..1,900]", ">= 60,000". */
static void cell_steps(bl_buf *out, const bl_report_size *s) {
    const bl_stats_value *v = &s->costs.cost[BL_STATS_FEWEST_STEPS];
    const bool interval = bl_stats_has_interval(v) && v->bound == 0;
    const double half = interval ? bl_stats_half_width(v) : 0;
    bl_buf_str(out, v->bound > 0 ? ">= " : "");
    bl_format_count(out, half > 0 ? bl_stats_digits(v->value, half) : v->value);
    if (!interval) return;
    bl_buf_str(out, " [");
    bl_format_count(out, bl_stats_digits(v->low, half));
    bl_buf_str(out, "..");
    bl_format_count(out, bl_stats_digits(v->high, half));
    bl_buf_str(out, "]");
}

/* Row 0 is the heading, row r the size r - 1. A size whose steps are not known has a rate and
 * what was known before, and "-" for all that rests on steps. */
void bl_cell_text(bl_buf *out, const bl_report_model *model, size_t row, int column_number) {
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
        bl_label_uncertain(out, bl_report_examples(s),
                           half_of(s, BL_STATS_FEWEST_STEPS) * s->batch_size, bl_format_count);
        break;
    case COLUMN_TIME:
        bl_label_uncertain(out, seconds->value, half_of(s, BL_STATS_FASTEST), bl_format_duration);
        break;
    case COLUMN_CORE_SECONDS:
        bl_label_uncertain(out, cores, half_of(s, BL_STATS_CHEAPEST), bl_format_3_digits);
        break;
    case COLUMN_MONEY:
        bl_label_uncertain(out, bl_report_money(model, cores),
                           bl_report_money(model, half_of(s, BL_STATS_CHEAPEST)),
                           bl_format_3_digits);
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
