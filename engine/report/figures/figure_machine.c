/* What this machine makes of the batch sizes: examples per second, time per step, memory.
 *
 * The first two rest on a line through the timing pass, t(B) = a + c B: a is what a step costs
 * whatever its size, c what an example adds. Throughput is B / t(B), its ceiling 1 / c, and half of
 * that is reached at the knee B = a / c. */
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include "engine/report/figures/figures.h"
#include "engine/report/text/machine_text.h"
#include "engine/report/text/times_text.h"
#include "engine/report/timing_read.h"
#include <math.h>

enum { CURVE = 64 }; /* points of a drawn line */

/* The sizes that were timed; to be freed. */
static bl_stats_step_size *timed_sizes(const bl_report_model *m, size_t *n) {
    bl_stats_step_size *size = bl_xalloc((m->timing_count + 1) * sizeof *size);
    *n = bl_report_step_sizes(m, size);
    return size;
}

static bool has_times(const bl_report_model *m) {
    return m->timing_count > 1;
}

static bl_axis sizes_axis(const bl_report_model *m) {
    bl_axis axis = {0};
    for (size_t i = 0; i < m->timing_count; i++) bl_axis_add(&axis, m->timing[i].batch_size);
    return axis;
}

/* Batch size number i of CURVE between the ends of an axis. */
static double between(const bl_axis *x, size_t i) {
    return x->low * pow(x->high / x->low, (double)i / (CURVE - 1));
}

static void batch_axis(bl_buf *gp, const bl_report_model *m, const bl_axis *x) {
    bl_gp_axis(gp, "x", x, 0.5, 0.5, BL_TICKS_PLAIN);
    bl_gp_too_large(gp, m, x);
}

static bl_stats_step_line line_of(const bl_report_model *m) {
    size_t n;
    bl_stats_step_size *size = timed_sizes(m, &n);
    const bl_stats_step_line line = bl_stats_fit_step_line(size, n);
    free(size);
    return line;
}

/* ---- throughput ---- */

/* The third column is proportion to the batch: what steps as short as the smallest size's would
 * give. */
static void throughput_data(bl_buf *dat, const bl_report_model *m) {
    size_t n;
    bl_stats_step_size *size = timed_sizes(m, &n);
    const bl_stats_step_line line = bl_stats_fit_step_line(size, n);
    const bl_axis x = sizes_axis(m);
    bl_dat_block(dat, "sizes", "batch_size examples_per_second low high");
    for (size_t i = 0; i < n; i++) {
        const bl_stats_value v = bl_stats_step_speed(&size[i]);
        BL_DAT_ROW(dat, size[i].batch_size, v.value, v.low, v.high);
    }
    bl_dat_block(dat, "line", "batch_size examples_per_second proportion");
    for (size_t i = 0; i < CURVE; i++) {
        const double b = between(&x, i), t = bl_stats_step_line_at(&line, b);
        BL_DAT_ROW(dat, b, b / t, b / bl_stats_step_line_at(&line, x.low));
    }
    free(size);
}

/* The ceiling 1 / each is drawn as a line of its own, so it does not stretch the axis: y goes by
 * what was measured. The knee is marked only where it lies within the sizes. */
static void throughput_settings(bl_buf *gp, const bl_report_model *m) {
    size_t n;
    bl_stats_step_size *size = timed_sizes(m, &n);
    const bl_axis x = sizes_axis(m);
    bl_axis y = {0};
    for (size_t i = 0; i < n; i++) {
        const bl_stats_value v = bl_stats_step_speed(&size[i]);
        bl_axis_add(&y, v.value);
        bl_axis_add(&y, v.low);
        bl_axis_add(&y, v.high);
    }
    free(size);
    const bl_stats_step_line line = line_of(m);
    const double knee = bl_stats_step_line_share(&line, 0.5);
    batch_axis(gp, m, &x);
    bl_gp_axis(gp, "y", &y, 1.5, 0.7, BL_TICKS_SHORT);
    bl_gp_text(gp, "y_text", "examples per second");
    bl_gp_number(gp, "ceiling", line.flat ? (double)NAN : 1 / line.each.value);
    bl_gp_number(gp, "knee", knee);
    bl_gp_number(gp, "knee_seen", knee >= x.low && knee <= x.high);
    bl_buf label = {0};
    if (isfinite(knee)) {
        bl_buf_str(&label, "half speed at ");
        bl_format_count(&label, floor(knee + 0.5));
    }
    bl_gp_text(gp, "knee_text", bl_buf_text(&label));
    bl_buf_free(&label);
}

const bl_figure bl_figure_throughput = {
    .name = "throughput",
    .title = "Examples per second",
    .caption = "Examples per second against batch size: measured, the line t(B) = a + c B, "
               "and what it would be in proportion to the batch.",
    .has_data = has_times,
    .data = throughput_data,
    .settings = throughput_settings};

/* ---- time per step ---- */

/* The unit by the shortest step, so that no label begins with 0.00. */
static bl_time_unit unit_of_steps(const bl_report_model *m) {
    bl_axis y = {0};
    for (size_t i = 0; i < m->timing_count; i++) bl_axis_add(&y, m->timing[i].step_seconds.value);
    return bl_time_unit_of(y.low);
}

static void step_time_data(bl_buf *dat, const bl_report_model *m) {
    const double unit = unit_of_steps(m).seconds;
    const bl_stats_step_line line = line_of(m);
    const bl_axis x = sizes_axis(m);
    bl_dat_block(dat, "sizes", "batch_size time low high");
    for (size_t i = 0; i < m->timing_count; i++) {
        const bl_stats_value *v = &m->timing[i].step_seconds;
        BL_DAT_ROW(dat, m->timing[i].batch_size, v->value / unit, v->low / unit, v->high / unit);
    }
    bl_dat_block(dat, "line", "batch_size time");
    for (size_t i = 0; i < CURVE; i++) {
        const double b = between(&x, i);
        BL_DAT_ROW(dat, b, bl_stats_step_line_at(&line, b) / unit);
    }
}

static void step_time_settings(bl_buf *gp, const bl_report_model *m) {
    const bl_time_unit unit = unit_of_steps(m);
    const bl_axis x = sizes_axis(m);
    const bl_stats_step_line line = line_of(m);
    bl_axis y = {0};
    for (size_t i = 0; i < m->timing_count; i++) {
        bl_axis_add(&y, m->timing[i].step_seconds.low / unit.seconds);
        bl_axis_add(&y, m->timing[i].step_seconds.high / unit.seconds);
    }
    bl_axis_add(&y, line.fixed.value / unit.seconds);
    batch_axis(gp, m, &x);
    bl_gp_axis(gp, "y", &y, 0.5, 1, BL_TICKS_SHORT);
    bl_buf label = {0};
    bl_buf_printf(&label, "time per step (%s)", unit.name);
    bl_gp_text(gp, "y_text", bl_buf_text(&label));
    bl_buf_clear(&label);
    bl_times_line(&label, &line);
    bl_gp_text(gp, "line_text", bl_buf_text(&label));
    bl_gp_number(gp, "fixed", line.fixed.value / unit.seconds);
    bl_buf_free(&label);
}

const bl_figure bl_figure_step_time = {
    .name = "step_time",
    .title = "Time per step",
    .caption = "Time per step against batch size: median with interval, and the line through it.",
    .has_data = has_times,
    .data = step_time_data,
    .settings = step_time_settings};

/* ---- memory ---- */

/* Every size whose memory is known: tried, or else planned. */
static void memory_rows(bl_buf *dat, bl_axis *x, bl_axis *y, const bl_report_model *m) {
    const double unit = 1 << 20;
    const size_t n = m->machine.known ? m->machine.probes : m->timing_count;
    for (size_t i = 0; i < n; i++) {
        const double b =
            m->machine.known ? m->machine.probe[i].batch_size : m->timing[i].batch_size;
        const double bytes = !m->machine.known         ? m->timing[i].memory_bytes
                             : m->machine.probe[i].ran ? m->machine.probe[i].bytes
                                                       : (double)NAN;
        bl_axis_add(x, b);
        bl_axis_add(y, bytes / unit);
        if (dat != NULL && bytes > 0) BL_DAT_ROW(dat, b, bytes / unit);
    }
}

/* What is planned may be the same at every size, where examples are computed a few at a time: no
 * picture. */
static bool has_memory(const bl_report_model *m) {
    bl_axis x = {0}, y = {0};
    size_t n;
    memory_rows(NULL, &x, &y, m);
    return bl_report_memory_line(m, &n).line.known && (m->machine.known || y.high > 1.01 * y.low);
}

static void memory_data(bl_buf *dat, const bl_report_model *m) {
    const double unit = 1 << 20;
    bl_axis x = {0}, y = {0};
    size_t n;
    const bl_stats_floor_line fit = bl_report_memory_line(m, &n);
    bl_dat_block(dat, "sizes", "batch_size MiB");
    memory_rows(dat, &x, &y, m);
    bl_dat_block(dat, "line", "batch_size MiB");
    for (size_t i = 0; i < CURVE; i++) {
        const double b = between(&x, i);
        BL_DAT_ROW(dat, b, bl_stats_floor_line_at(&fit, b) / unit);
    }
}

static void memory_settings(bl_buf *gp, const bl_report_model *m) {
    const double unit = 1 << 20, limit = m->machine.known ? m->machine.limit / unit : (double)NAN;
    bl_axis x = {0}, y = {0};
    memory_rows(NULL, &x, &y, m);
    const double top = y.high;
    /* A limit far above everything measured would press the points together. */
    const bool shown = limit < 256 * top;
    if (shown) bl_axis_add(&y, limit);
    const double formula = 4 * m->machine.parameters * x.high / unit; /* its end, if near enough */
    if (formula > y.low / 16 && formula < 16 * top) bl_axis_add(&y, formula);
    batch_axis(gp, m, &x);
    bl_gp_axis(gp, "y", &y, 1, 1.2, BL_TICKS_SHORT);
    bl_gp_text(gp, "y_text", "memory (MiB)");
    bl_gp_number(gp, "limit", shown ? limit : (double)NAN);
    bl_gp_number(gp, "parameters_mib",
                 m->machine.parameters > 0 ? 4 * m->machine.parameters / unit : (double)NAN);
    bl_buf label = {0};
    if (m->machine.known) {
        bl_buf_str(&label, "limit: ");
        bl_format_bytes(&label, m->machine.limit);
    }
    bl_gp_text(gp, "limit_text", bl_buf_text(&label));
    bl_gp_text(gp, "sizes_text", m->machine.known ? "measured" : "planned");
    bl_buf_free(&label);
}

const bl_figure bl_figure_memory = {
    .name = "memory",
    .title = "Memory of a run",
    .caption = "Memory of a run against batch size, the limit, and what the formula "
               "parameters times batch size says.",
    .has_data = has_memory,
    .data = memory_data,
    .settings = memory_settings};
