/* Training curves: the metric on the way to the target, one line for each batch size at its best
 * learning rate, against steps, examples and time. */
#include "engine/base/mem.h"
#include "engine/report/figures/figures.h"
#include "engine/report/history.h"
#include <math.h>
#include <stdio.h>

/* The metric falls by orders of magnitude at first; what matters is near the target. */
static const double above_target = 3;

typedef enum abscissa { STEPS, EXAMPLES, TIME } abscissa;

typedef struct lines {
    const bl_report_run *run[BL_FIGURE_LINES]; /* the median seed's */
    const bl_report_size *size[BL_FIGURE_LINES];
    size_t count;
} lines;

/* The typical run of each batch size, for at most so many batch sizes. */
static lines choose(const bl_report_model *m, abscissa by) {
    lines out = {0};
    const bl_report_size **known = bl_xalloc((m->main.size_count + 1) * sizeof *known);
    size_t n = 0, index[BL_FIGURE_LINES];
    for (size_t i = 0; i < m->main.size_count; i++) {
        const bl_report_size *s = &m->main.sizes[i];
        if (bl_report_typical_run(m, s) == NULL) continue;
        if (by != TIME || s->step_seconds.known) known[n++] = s;
    }
    out.count = bl_figure_choose(n, index);
    for (size_t i = 0; i < out.count; i++) {
        out.size[i] = known[index[i]];
        out.run[i] = bl_report_typical_run(m, out.size[i]);
    }
    free(known);
    return out;
}

/* Time in seconds, as the optima count it: what further devices cost upfront comes first. */
static double position(const bl_report_model *m, const bl_report_size *s, abscissa by,
                       double step) {
    if (by == STEPS) return step;
    if (by == EXAMPLES) return step * s->batch_size;
    return (double)(s->devices - 1) * m->plan.head.cost.upfront_seconds +
           step * s->step_seconds.value;
}

/* By the run that ends first: in its unit every run is long enough to be read. */
static bl_time_unit unit_of(const bl_report_model *m, const lines *l) {
    bl_axis x = {0};
    for (size_t i = 0; i < l->count; i++)
        bl_axis_add(&x, position(m, l->size[i], TIME, l->run[i]->eval[l->run[i]->evals - 1].step));
    return bl_time_unit_of(x.low);
}

/* The best value so far and the value itself at each evaluation. */
static void data(bl_buf *dat, const bl_report_model *m, abscissa by) {
    const lines l = choose(m, by);
    const double unit = by == TIME ? unit_of(m, &l).seconds : 1;
    if (by == TIME) bl_buf_printf(dat, "# time in %s\n", unit_of(m, &l).name);
    for (size_t i = 0; i < l.count; i++) {
        static const char *const columns[] = {[STEPS] = "steps best_so_far value",
                                              [EXAMPLES] = "examples best_so_far value",
                                              [TIME] = "time best_so_far value"};
        char name[32];
        (void)snprintf(name, sizeof name, "size_%zu", i + 1);
        bl_dat_block(dat, name, columns[by]);
        bl_buf_printf(dat, "# batch size %.9g, learning rate %.9g, run %s\n", l.size[i]->batch_size,
                      l.size[i]->learning_rate, l.run[i]->run);
        double best = HUGE_VAL;
        for (size_t e = 0; e < l.run[i]->evals; e++) {
            const bl_report_eval *v = &l.run[i]->eval[e];
            best = fmin(best, v->value);
            BL_DAT_ROW(dat, position(m, l.size[i], by, v->step) / unit, best, v->value);
        }
    }
}

/* The x axis in steps, examples or a unit of time; the y axis over what the lines show. */
static void settings(bl_buf *gp, const bl_report_model *m, abscissa by) {
    const lines l = choose(m, by);
    const bl_time_unit unit = unit_of(m, &l);
    const double top = m->main.target > 0 ? above_target * m->main.target : HUGE_VAL;
    double batch_sizes[BL_FIGURE_LINES];
    bl_axis x = {0}, y = {0};
    for (size_t i = 0; i < l.count; i++) {
        batch_sizes[i] = l.size[i]->batch_size;
        const double one = by == TIME ? unit.seconds : 1;
        for (size_t e = 0; e < l.run[i]->evals; e++) {
            const bl_report_eval *v = &l.run[i]->eval[e];
            if (v->value <= top) bl_axis_add(&x, position(m, l.size[i], by, v->step) / one);
            bl_axis_add(&y, fmin(v->value, top));
        }
    }
    bl_gp_lines(gp, batch_sizes, l.count);
    bl_gp_axis(gp, "x", &x, 0.2, 0.2, by == STEPS ? BL_TICKS_PLAIN : BL_TICKS_SHORT);
    bl_gp_axis(gp, "y", &y, 0.1, 0, BL_TICKS_DECIMAL);
    bl_gp_text(gp, "y_text", m->plan.head.metric);
    char text[64];
    (void)snprintf(text, sizeof text, by == TIME ? "training time (%s)" : "%s",
                   by == TIME    ? unit.name
                   : by == STEPS ? "steps"
                                 : "examples");
    bl_gp_text(gp, "x_text", text);
    bl_gp_number(gp, "target", m->main.target > 0 ? m->main.target : (double)NAN);
}

static bool has_curves(const bl_report_model *m) {
    return choose(m, STEPS).count > 0;
}
static bool has_times(const bl_report_model *m) {
    return choose(m, TIME).count > 0;
}
static void steps_data(bl_buf *dat, const bl_report_model *m) {
    data(dat, m, STEPS);
}
static void steps_settings(bl_buf *gp, const bl_report_model *m) {
    settings(gp, m, STEPS);
}
static void examples_data(bl_buf *dat, const bl_report_model *m) {
    data(dat, m, EXAMPLES);
}
static void examples_settings(bl_buf *gp, const bl_report_model *m) {
    settings(gp, m, EXAMPLES);
}
static void time_data(bl_buf *dat, const bl_report_model *m) {
    data(dat, m, TIME);
}
static void time_settings(bl_buf *gp, const bl_report_model *m) {
    settings(gp, m, TIME);
}

const bl_figure bl_figure_curves_steps = {
    .name = "curves_steps",
    .title = "Lowest {metric} against steps",
    .template = "curves",
    .caption = "Lowest validation metric so far against steps, each batch size at its best rate.",
    .has_data = has_curves,
    .data = steps_data,
    .settings = steps_settings};
const bl_figure bl_figure_curves_examples = {
    .name = "curves_examples",
    .title = "Lowest {metric} against examples",
    .template = "curves",
    .caption = "The same against examples seen: where lines coincide, scaling is perfect.",
    .has_data = has_curves,
    .data = examples_data,
    .settings = examples_settings};
const bl_figure bl_figure_curves_time = {
    .name = "curves_time",
    .title = "Lowest {metric} against training time",
    .template = "curves",
    .caption = "The same against training time: upfront costs and the timing pass's time per step.",
    .has_data = has_times,
    .data = time_data,
    .settings = time_settings};
