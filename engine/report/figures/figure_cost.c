/* What the target costs at each batch size: training time, and resources relative to the least. */
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include "engine/report/figures/figures.h"
#include "engine/report/text/labels.h"
#include "engine/report/text/sentences.h"
#include <math.h>

static bool timed(const bl_report_model *m) {
    return m->timed;
}

/* ---- time ---- */

static bl_time_unit time_unit(const bl_report_model *m) {
    bl_axis y = {0};
    for (size_t i = 0; i < m->main.size_count; i++)
        bl_axis_add(&y, m->main.sizes[i].costs.cost[BL_STATS_FASTEST].value);
    return bl_time_unit_of(y.low);
}

/* Batch sizes whose time is known, or only bounded (`censored`). */
static void times(bl_buf *dat, const bl_report_model *m, bool censored) {
    const double unit_seconds = time_unit(m).seconds;
    size_t rows = 0;
    for (size_t i = 0; i < m->main.size_count; i++) {
        const bl_report_size *s = &m->main.sizes[i];
        const bl_stats_value *v = &s->costs.cost[BL_STATS_FASTEST];
        if (!v->known || (v->bound > 0) != censored) continue;
        const bool bars = !censored && bl_stats_has_interval(v);
        BL_DAT_ROW(dat, s->batch_size, v->value / unit_seconds,
                   bars ? v->low / unit_seconds : (double)NAN,
                   bars ? v->high / unit_seconds : (double)NAN, s->step_seconds.value,
                   s->step_seconds.low, s->step_seconds.high);
        rows++;
    }
    if (rows == 0) bl_dat_nothing(dat, 7);
}

static void time_data(bl_buf *dat, const bl_report_model *m) {
    static const char *const columns =
        "batch_size time low high seconds_per_step seconds_low seconds_high";
    bl_buf_printf(dat, "# time in %s\n", time_unit(m).name);
    bl_dat_block(dat, "reached", columns);
    times(dat, m, false);
    bl_dat_block(dat, "censored", columns);
    times(dat, m, true);
}

/* A unit in which the shortest time is readable, and the mark of the fastest. */
static void time_settings(bl_buf *gp, const bl_report_model *m) {
    const bl_time_unit u = time_unit(m);
    bl_axis y = {0};
    size_t censored = 0;
    for (size_t i = 0; i < m->main.size_count; i++) {
        const bl_stats_value *v = &m->main.sizes[i].costs.cost[BL_STATS_FASTEST];
        bl_axis_add(&y, v->value / u.seconds);
        if (v->bound == 0) bl_axis_add(&y, v->low / u.seconds);
        if (v->bound == 0) bl_axis_add(&y, v->high / u.seconds);
        censored += v->known && v->bound > 0;
    }
    bl_gp_batch_axis(gp, m);
    bl_gp_axis(gp, "y", &y, 1, 0.5, BL_TICKS_PLAIN);
    bl_buf_printf(gp, "has_censored = %d\n", censored > 0);
    bl_buf label = {0};
    bl_buf_printf(&label, "training time (%s)", u.name);
    bl_gp_text(gp, "y_text", bl_buf_text(&label));
    const bl_stats_optimum *best = &m->main.best[BL_STATS_FASTEST];
    bl_gp_number(gp, "fastest_known", best->known);
    if (best->known) {
        const bl_report_size *s = &m->main.sizes[best->index];
        const double seconds = s->costs.cost[BL_STATS_FASTEST].value;
        bl_gp_number(gp, "fastest", s->batch_size);
        bl_buf_clear(&label);
        bl_format_count(&label, s->batch_size);
        bl_buf_str(&label, ", ");
        bl_format_duration(&label, seconds);
        bl_gp_text(gp, "fastest_label", bl_buf_text(&label));
    }
    bl_buf_free(&label);
}

static void found_fastest(bl_buf *out, const bl_report_model *m) {
    bl_sentences_optimum(out, m, BL_STATS_FASTEST);
}

const bl_figure bl_figure_time = {
    .name = "time",
    .title = "Training time to {target}",
    .caption = "Training time to the target: steps times the time per step of the timing pass.",
    .has_data = timed,
    .data = time_data,
    .settings = time_settings,
    .found = found_fastest,
};

/* ---- resources ---- */

typedef enum resource { CORE_SECONDS, EXAMPLES, MEMORY, JOULES, RESOURCE_COUNT } resource;

/* NAN: not measured, or only bounded. Core-seconds count what further devices cost upfront. */
static double amount(const bl_report_size *s, resource r) {
    const bl_stats_value *steps = &s->costs.cost[BL_STATS_FEWEST_STEPS];
    if (r == MEMORY) return s->memory_bytes;
    if (!steps->known || steps->bound > 0) return (double)NAN;
    return r == CORE_SECONDS ? s->costs.cost[BL_STATS_CHEAPEST].value
           : r == EXAMPLES   ? bl_report_examples(s)
                             : bl_report_joules(s);
}

/* NAN: not known at any batch size. */
static double least(const bl_report_model *m, resource r) {
    bl_axis range = {0};
    for (size_t i = 0; i < m->main.size_count; i++)
        bl_axis_add(&range, amount(&m->main.sizes[i], r));
    return range.low > 0 ? range.low : (double)NAN;
}

/* Half the relative width of the least amount's interval; 0: it has none. */
static double uncertainty(const bl_report_model *m, resource r) {
    for (size_t i = 0; r != MEMORY && i < m->main.size_count; i++) {
        const bl_report_size *s = &m->main.sizes[i];
        if (!(amount(s, r) > least(m, r))) {
            const bl_stats_value *v =
                &s->costs.cost[r == EXAMPLES ? BL_STATS_FEWEST_STEPS : BL_STATS_CHEAPEST];
            return bl_stats_half_width(v) / v->value;
        }
    }
    return 0;
}

static bool has_resources(const bl_report_model *m) {
    return !isnan(least(m, EXAMPLES)) || !isnan(least(m, MEMORY));
}

/* Core-seconds, examples and joules, each relative to its least. */
static void resources_data(bl_buf *dat, const bl_report_model *m) {
    double smallest[RESOURCE_COUNT];
    for (int r = 0; r < RESOURCE_COUNT; r++) smallest[r] = least(m, (resource)r);
    bl_dat_block(dat, "relative",
                 "batch_size core_seconds low high examples memory joules, each / its least");
    for (size_t i = 0; i < m->main.size_count; i++) {
        const bl_report_size *s = &m->main.sizes[i];
        const bl_stats_value *v = &s->costs.cost[BL_STATS_CHEAPEST];
        const bool bars = v->bound == 0 && bl_stats_has_interval(v);
        BL_DAT_ROW(dat, s->batch_size, amount(s, CORE_SECONDS) / smallest[CORE_SECONDS],
                   bars ? v->low / smallest[CORE_SECONDS] : (double)NAN,
                   bars ? v->high / smallest[CORE_SECONDS] : (double)NAN,
                   amount(s, EXAMPLES) / smallest[EXAMPLES], amount(s, MEMORY) / smallest[MEMORY],
                   amount(s, JOULES) / smallest[JOULES]);
    }
    bl_dat_block(dat, "absolute", "batch_size core_seconds money examples memory_bytes joules");
    for (size_t i = 0; i < m->main.size_count; i++) {
        const bl_report_size *s = &m->main.sizes[i];
        const double cores = amount(s, CORE_SECONDS);
        BL_DAT_ROW(dat, s->batch_size, cores, bl_report_money(m, cores), amount(s, EXAMPLES),
                   amount(s, MEMORY), amount(s, JOULES));
    }
}

/* "core-seconds (least 12.3, 0.00014 EUR)", or "" for what was not measured. */
static void legend(bl_buf *gp, const bl_report_model *m, resource r, const char *variable) {
    static const char *const names[] = {[CORE_SECONDS] = "core-seconds",
                                        [EXAMPLES] = "examples",
                                        [MEMORY] = "peak memory",
                                        [JOULES] = "joules"};
    const double x = least(m, r), money = bl_report_money(m, x), off = uncertainty(m, r);
    bl_buf text = {0};
    if (!isnan(x)) {
        bl_buf_printf(&text, "%s (least ", names[r]);
        if (r == MEMORY)
            bl_format_bytes(&text, x);
        else
            bl_label_uncertain(&text, x, off * x,
                               r == EXAMPLES ? bl_format_count : bl_format_3_digits);
        if (r == CORE_SECONDS && !isnan(m->plan.head.cost.per_core_hour)) {
            bl_buf_str(&text, " = ");
            bl_label_uncertain(&text, money, off * money, bl_format_3_digits);
            bl_buf_printf(&text, " %s", m->plan.head.cost.currency);
        }
        bl_buf_str(&text, ")");
    }
    bl_gp_text(gp, variable, bl_buf_text(&text));
    bl_buf_free(&text);
}

/* The axis covers everything that is drawn, each relative to its own least: 1 is on it. */
static void resources_settings(bl_buf *gp, const bl_report_model *m) {
    bl_axis y = {0};
    const double cores = least(m, CORE_SECONDS);
    for (size_t i = 0; i < m->main.size_count; i++) {
        const bl_stats_value *v = &m->main.sizes[i].costs.cost[BL_STATS_CHEAPEST];
        if (v->bound == 0) bl_axis_add(&y, v->low / cores);
        if (v->bound == 0) bl_axis_add(&y, v->high / cores);
        for (int r = 0; r < RESOURCE_COUNT; r++)
            bl_axis_add(&y, amount(&m->main.sizes[i], (resource)r) / least(m, (resource)r));
    }
    bl_gp_batch_axis(gp, m);
    bl_gp_axis(gp, "y", &y, 0.4, 0.4, BL_TICKS_PLAIN);
    bl_gp_text(gp, "y_text", "relative to the least");
    legend(gp, m, CORE_SECONDS, "core_seconds_text");
    legend(gp, m, EXAMPLES, "examples_text");
    legend(gp, m, MEMORY, "memory_text");
    legend(gp, m, JOULES, "joules_text");
}

static void found_cheapest(bl_buf *out, const bl_report_model *m) {
    bl_sentences_optimum(out, m, BL_STATS_CHEAPEST);
}

const bl_figure bl_figure_resources = {
    .name = "resources",
    .title = "Resources to {target}",
    .caption = "Resources to the target, each relative to the batch size that needs least of it.",
    .has_data = has_resources,
    .data = resources_data,
    .settings = resources_settings,
    .found = found_cheapest,
};
