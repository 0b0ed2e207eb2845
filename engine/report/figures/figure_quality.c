/* The best validation value against batch size: everything retuned, the rate alone, nothing. */
#include "engine/report/figures/figures.h"
#include "engine/report/quality.h"
#include "engine/report/text/quality_text.h"
#include <math.h>

static bool has_data(const bl_report_model *m) {
    for (size_t i = 0; i < m->quality_count; i++)
        if (m->quality[i].median.known && isfinite(m->quality[i].median.value)) return true;
    return false;
}

/* A block for each part; "margin" is where a value counts as equal to the smallest size's. */
static void data(bl_buf *dat, const bl_report_model *m) {
    for (int part = 0; part < BL_REPORT_PART_COUNT; part++) {
        size_t rows = 0;
        bl_dat_block(dat, bl_report_part_names[part],
                     "batch_size value low high learning_rate steps");
        for (size_t i = 0; i < m->quality_count; i++) {
            const bl_report_quality *q = &m->quality[i];
            if ((int)q->part != part || !isfinite(q->median.value)) continue;
            BL_DAT_ROW(dat, q->batch_size, q->median.value, q->median.low, q->median.high,
                       q->learning_rate, q->steps);
            rows++;
        }
        if (rows == 0) bl_dat_nothing(dat, 6);
    }
    const double base = m->quality[0].median.value, factor = 1 + m->quality[0].margin;
    bl_dat_block(dat, "margin", "low high");
    BL_DAT_ROW(dat, base / factor, base * factor);
}

static void settings(bl_buf *gp, const bl_report_model *m) {
    bl_axis x = {0}, y = {0};
    const double base = m->quality[0].median.value, factor = 1 + m->quality[0].margin;
    for (size_t i = 0; i < m->quality_count; i++) {
        bl_axis_add(&x, m->quality[i].batch_size);
        bl_axis_add(&y, m->quality[i].median.value);
        bl_axis_add(&y, m->quality[i].median.low);
        bl_axis_add(&y, m->quality[i].median.high);
    }
    bl_axis_add(&y, base / factor);
    bl_axis_add(&y, base * factor);
    bl_gp_axis(gp, "x", &x, 0.5, 0.5, BL_TICKS_PLAIN);
    bl_gp_too_large(gp, m, &x);
    bl_gp_axis(gp, "y", &y, 0.1, 0.15, BL_TICKS_DECIMAL);
    bl_gp_number(gp, "equal_low", base / factor);
    bl_gp_number(gp, "equal_high", base * factor);
    bl_gp_text(gp, "y_text", m->plan.head.metric);
}

const bl_figure bl_figure_quality = {
    .name = "quality",
    .title = "Best {metric} of each batch size",
    .all_series = true,
    .caption = "The best validation value of each batch size on fresh seeds, with 95 % intervals: "
               "everything retuned, the rate alone, and nothing. Between the dashed lines it "
               "counts as equal to the smallest size's.",
    .has_data = has_data,
    .data = data,
    .settings = settings,
    .found = bl_quality_sentences};
