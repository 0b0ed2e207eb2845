/* Labels: one place for the words that name data, targets and budgets. */
#include "engine/report/text/labels.h"
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include "engine/stats/critical.h"
#include <ctype.h>
#include <math.h>
#include <string.h>

void bl_label_amount(bl_buf *out, const bl_report_model *model, const bl_report_budget *b) {
    switch (b->kind) {
    case BL_PLAN_EPOCHS:
        bl_buf_printf(out, "%.4g epoch%s", b->amount, b->amount == 1 ? "" : "s");
        break;
    case BL_PLAN_STEPS:
        bl_format_count(out, b->amount);
        bl_buf_str(out, b->amount == 1 ? " step" : " steps");
        break;
    case BL_PLAN_SECONDS:
        bl_format_duration(out, b->amount);
        break;
    case BL_PLAN_COST:
        bl_buf_printf(out, "%.4g %s", b->amount, model->plan.head.cost.currency);
        break;
    case BL_PLAN_BUDGET_COUNT:
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

bool bl_label_is_imported(const bl_report_model *model) {
    return strcmp(model->plan.head.dataset.name, BL_IMPORTED_LABEL) == 0;
}

void bl_label_data(bl_buf *out, const bl_report_model *model) {
    bl_label_dataset(out, model->plan.head.dataset.name, model->plan.head.dataset.variant,
                     model->plan.head.dataset.synthetic);
}

void bl_label_target(bl_buf *out, const bl_report_model *model) {
    bl_buf_printf(out, "%s <= ", model->plan.head.metric);
    bl_format_rate(out, model->main.target);
}

/* Writers give three digits: those that the uncertainty does not leave are zeros now. Appends
 * `text` without as many of them behind a decimal point. */
static void without_zeros(bl_buf *out, const char *text, int zeros) {
    const char *point = strchr(text, '.'), *end = point;
    if (point != NULL) do
            end++;
        while (isdigit((unsigned char)*end));
    if (point == NULL) {
        bl_buf_str(out, text);
        return;
    }
    const char *last = end;
    while (zeros-- > 0 && last[-1] == '0') last--;
    if (last[-1] == '.') last--;
    bl_buf_add(out, text, (size_t)(last - text));
    bl_buf_str(out, end);
}

void bl_label_uncertain(bl_buf *out, double x, double half, void (*write)(bl_buf *out, double x)) {
    if (!(half > 0) || !isfinite(half) || x == 0 || !isfinite(x)) {
        write(out, x);
        return;
    }
    const double rounded = bl_stats_digits(x, half);
    const double digits = floor(log10(fabs(x))) - floor(log10(half / 2.5)) + 1;
    bl_buf text = {0};
    write(&text, rounded);
    without_zeros(out, bl_buf_text(&text), (int)fmin(2, fmax(0, 3 - digits)));
    bl_buf_free(&text);
}
