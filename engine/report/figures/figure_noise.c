/* The gradient noise scale over training: the frozen probe with its interval, and the other ways.
 */
#include "engine/noise/noise.h"
#include "engine/noise/noise_ways.h"
#include "engine/report/figures/figures.h"
#include <math.h>
#include <stdio.h>

/* noise.gp has as many points and colours. */
enum { MOST_LINES = 7 };
_Static_assert(MOST_LINES == BL_NOISE_MEASURES + BL_NOISE_WAYS, "a line for each measure and way");

/* Is any of its scales known, and above 0? */
static bool is_drawn(const bl_report_noise_line *line) {
    for (size_t k = 0; k < line->points; k++)
        if (line->point[k].scale > 0.0) return true;
    return false;
}

static bool has_data(const bl_report_model *m) {
    for (size_t i = 0; i < m->noise_count; i++)
        if (is_drawn(&m->noise[i])) return true;
    return false;
}

/* One block for each line, empty ones too: gnuplot finds blocks by their number. */
static void data(bl_buf *dat, const bl_report_model *m) {
    for (size_t i = 0; i < m->noise_count; i++) {
        const bl_report_noise_line *line = &m->noise[i];
        char name[32];
        (void)snprintf(name, sizeof name, "line_%zu", i + 1);
        bl_dat_block(dat, name, "examples scale low high records");
        bl_buf_printf(dat, "# %s: %s; NaN: undetermined\n", line->name, line->words);
        for (size_t k = 0; k < line->points; k++) {
            const bl_report_noise_point *p = &line->point[k];
            BL_DAT_ROW(dat, p->examples, p->scale, p->low, p->high, p->records);
        }
        if (line->points == 0) bl_dat_nothing(dat, 5);
    }
}

/* A line without a point above 0 keeps its place in the legend, with the reason: it was asked
 * for. */
static void settings(bl_buf *gp, const bl_report_model *m) {
    bl_axis x = {0}, y = {0};
    bl_buf text = {0};
    bl_buf_printf(gp, "lines = %zu\narray line_text[%d]\n", m->noise_count, MOST_LINES);
    for (size_t i = 0; i < m->noise_count; i++) {
        const bl_report_noise_line *line = &m->noise[i];
        bl_buf_printf(gp, "line_text[%zu] = '%s%s'\n", i + 1, line->name,
                      is_drawn(line) ? "" : " (none above 0)");
        for (size_t k = 0; k < line->points; k++) {
            bl_axis_add(&x, line->point[k].examples);
            bl_axis_add(&y, line->point[k].scale);
            bl_axis_add(&y, line->point[k].low);
            bl_axis_add(&y, line->point[k].high);
        }
    }
    bl_gp_axis(gp, "x", &x, 0.4, 0.4, BL_TICKS_SHORT);
    bl_gp_axis(gp, "y", &y, 0.4, 0.4, BL_TICKS_SHORT);
    bl_buf_printf(&text, "examples trained, batch size %.9g", m->noise_batch_size);
    bl_gp_text(gp, "x_text", bl_buf_text(&text));
    bl_gp_text(gp, "y_text", "noise scale (examples)");
    bl_buf_free(&text);
}

const bl_figure bl_figure_noise = {
    .name = "noise",
    .title = "Gradient noise scale over training",
    .all_series = true,
    .caption = "The gradient noise scale over training: probes at frozen weights with 95 % "
               "intervals, and ways that do not stop.",
    .has_data = has_data,
    .data = data,
    .settings = settings};
