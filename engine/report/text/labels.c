/* Labels: one place for the words that name data, targets and budgets. */
#include "engine/report/text/labels.h"
#include "engine/base/format.h"
#include <string.h>

void bl_label_amount(bl_buf *out, const bl_report_model *model, const bl_report_budget *b) {
    switch (b->kind) {
    case BL_PLAN_EPOCHS:
        bl_buf_printf(out, "%.4g epoch%s", b->amount, b->amount == 1 ? "" : "s");
        break;
    case BL_PLAN_STEPS:
        bl_format_count(out, b->amount);
        bl_buf_str(out, " steps");
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

void bl_label_data(bl_buf *out, const bl_report_model *model) {
    bl_label_dataset(out, model->plan.head.dataset.name, model->plan.head.dataset.variant,
                     model->plan.head.dataset.synthetic);
}

void bl_label_target(bl_buf *out, const bl_report_model *model) {
    bl_buf_printf(out, "%s <= ", model->plan.head.metric);
    bl_format_rate(out, model->main.target);
}
