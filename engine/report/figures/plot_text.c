/* The texts gnuplot reads: data blocks, settings, axes. A data file is a list of blocks, found
 * by their number,
 *
 *     # reached
 *     # batch_size steps low high
 *     32 1792 1650 1934
 *     64 950 NaN NaN
 *     (two empty lines)
 *     # censored
 *     ...
 *
 * in which NaN stands for what is not known, since gnuplot then draws nothing. A block without rows
 * would shift the numbers of those behind it, so it gets one row of NaN (bl_dat_nothing). */
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include "engine/report/figures/figures.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- data ---- */

void bl_dat_block(bl_buf *dat, const char *name, const char *columns) {
    bl_buf_printf(dat, "%s# %s\n# %s\n", dat->len > 0 ? "\n\n" : "", name, columns);
}

/* Nine digits: none of them depends on the libm. */
static void dat_number(bl_buf *dat, double value) {
    if (isfinite(value))
        bl_buf_printf(dat, "%.9g", value);
    else
        bl_buf_str(dat, "NaN");
}

void bl_dat_row(bl_buf *dat, const double *values, size_t n) {
    for (size_t i = 0; i < n; i++) {
        bl_buf_str(dat, i > 0 ? " " : "");
        dat_number(dat, values[i]);
    }
    bl_buf_str(dat, "\n");
}

void bl_dat_nothing(bl_buf *dat, size_t columns) {
    for (size_t i = 0; i < columns; i++) bl_buf_str(dat, i > 0 ? " NaN" : "NaN");
    bl_buf_str(dat, "\n");
}

/* ---- settings ---- */

/* In gnuplot's single quotes nothing is special but the quote itself, which is doubled. At the very
 * beginning gnuplot takes two of them for an empty text: those stand in double quotes before it. */
void bl_gp_text(bl_buf *gp, const char *name, const char *text) {
    const size_t quotes = strspn(text, "'");
    bl_buf_printf(gp, "%s = ", name);
    if (quotes > 0) bl_buf_printf(gp, "\"%.*s\".", (int)quotes, text);
    bl_buf_str(gp, "'");
    for (const char *p = text + quotes; *p != '\0'; p++) {
        if (*p == '\'')
            bl_buf_str(gp, "''");
        else
            bl_buf_add(gp, (unsigned char)*p < 0x20 ? " " : p, 1);
    }
    bl_buf_str(gp, "'\n");
}

/* Colours from dark violet over green to yellow, evenly spaced, that stay apart in grey and for
 * colour-blind eyes. */
void bl_gp_palette(bl_buf *gp, const char *name, size_t n) {
    static const double stops[][3] = {
        {68,  1,   84 },
        {59,  82,  139},
        {33,  145, 140},
        {94,  190, 98 },
        {222, 180, 30 }
    };
    bl_buf_printf(gp, "array %s[%zu]\n", name, n > 0 ? n : 1);
    for (size_t i = 0; i < n; i++) {
        const double at = n > 1 ? 4.0 * (double)i / (double)(n - 1) : 0.0;
        const size_t k = bl_size_min((size_t)at, BL_COUNT(stops) - 2);
        int rgb[3];
        for (int c = 0; c < 3; c++)
            rgb[c] = (int)lround(stops[k][c] + (at - (double)k) * (stops[k + 1][c] - stops[k][c]));
        bl_buf_printf(gp, "%s[%zu] = '#%02x%02x%02x'\n", name, i + 1, rgb[0], rgb[1], rgb[2]);
    }
}

/* The largest unit of which the shortest time is at least a quarter. */
bl_time_unit bl_time_unit_of(double shortest) {
    static const bl_time_unit units[] = {
        {1e-3, "ms" },
        {1,    "s"  },
        {60,   "min"},
        {3600, "h"  }
    };
    size_t best = 0;
    for (size_t i = 1; i < BL_COUNT(units); i++)
        if (shortest >= units[i].seconds / 4) best = i;
    return units[best];
}

/* Evenly spread over all, the first and the last among them. */
size_t bl_figure_choose(size_t count, size_t index[BL_FIGURE_LINES]) {
    const size_t n = bl_size_min(count, BL_FIGURE_LINES);
    for (size_t i = 0; i < n; i++) index[i] = n > 1 ? i * (count - 1) / (n - 1) : 0;
    return n;
}

void bl_gp_lines(bl_buf *gp, const double *batch_sizes, size_t n) {
    bl_buf_printf(gp, "lines = %zu\narray size_text[%zu]\n", n, bl_size_max(n, 1));
    bl_gp_palette(gp, "colours", n);
    bl_buf text = {0};
    for (size_t i = 0; i < n; i++) {
        char variable[32];
        (void)snprintf(variable, sizeof variable, "size_text[%zu]", i + 1);
        bl_buf_clear(&text);
        bl_format_count(&text, batch_sizes[i]);
        bl_gp_text(gp, variable, bl_buf_text(&text));
    }
    bl_buf_free(&text);
}

void bl_gp_target(bl_buf *out, const bl_report_model *model) {
    bl_buf_printf(out, "%s ≤ %.4g", model->plan.head.metric, model->main.target);
}

void bl_gp_number(bl_buf *gp, const char *name, double value) {
    bl_buf_printf(gp, "%s = ", name);
    dat_number(gp, value);
    bl_buf_str(gp, "\n");
}

/* Values that are not above 0, or not finite, have no place on a logarithmic axis. */
void bl_axis_add(bl_axis *axis, double value) {
    if (!(value > 0) || !isfinite(value)) return;
    if (axis->high == 0 || value < axis->low) axis->low = value;
    if (value > axis->high) axis->high = value;
}

enum { MOST_TICKS = 8, LINEAR_TICKS = 6, GROUPED = 1000 };

static void tick(bl_buf *gp, bool first, double at, bl_ticks style) {
    bl_buf_str(gp, first ? "" : ", ");
    if (style == BL_TICKS_POWERS)
        bl_buf_printf(gp, "'2^{%.0f}' %.9g", log2(at), at);
    else if (at >= GROUPED) {
        bl_buf_str(gp, "'");
        bl_format_count(gp, at);
        bl_buf_printf(gp, "' %.9g", at);
    } else
        bl_buf_printf(gp, "'%.10g' %.9g", at, at);
}

/* At powers of two, as many as there is room for: of "131,072" and more beside each other, fewer.
 */
static void power_ticks(bl_buf *gp, bool beside, double low, double high, bl_ticks style) {
    const int from = (int)ceil(log2(low)), to = (int)floor(log2(high));
    const bool wide = beside && style == BL_TICKS_PLAIN && to >= 17;
    const int step = (to - from) / (wide ? MOST_TICKS - 3 : MOST_TICKS) + 1;
    bool first = true;
    for (int k = from; k <= to; k++) {
        if (k % step != 0) continue;
        tick(gp, first, ldexp(1, k), style);
        first = false;
    }
}

/* Decades, and of each what keeps the number of ticks readable. */
static void short_ticks(bl_buf *gp, double low, double high) {
    static const char *const suffixes[] = {"", "k", "M", "G", "T"};
    static const int digits[] = {1, 2, 5};
    const double decades = log10(high / low);
    const size_t each = decades < 2.7 ? BL_COUNT(digits) : 1;
    bool first = true;
    for (int k = (int)floor(log10(low)); k < 15; k++)
        for (size_t i = 0; i < each; i++) {
            char text[32];
            (void)snprintf(text, sizeof text, "%de%d", digits[i], k);
            const double at = strtod(text, NULL);
            if (at < low || at > high) continue;
            const int thousands = k > 0 ? k / 3 : 0;
            (void)snprintf(text, sizeof text, "%de%d", digits[i], k - 3 * thousands);
            bl_buf_printf(gp, "%s'%.10g%s' %.9g", first ? "" : ", ", strtod(text, NULL),
                          suffixes[thousands], at);
            first = false;
        }
}

/* At round digits of each decade; more of them where the range is below a factor of 1.6. */
static void decimal_ticks(bl_buf *gp, double low, double high) {
    static const double fine[] = {1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8};
    static const double finer[] = {1,   1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2, 2.2, 2.5,
                                   2.8, 3,   3.5, 4,   4.5, 5,   5.5, 6,   7, 8,   9};
    const bool narrow = high < 1.6 * low;
    const double *digits = narrow ? finer : fine;
    const size_t n = narrow ? BL_COUNT(finer) : BL_COUNT(fine);
    bool first = true;
    for (int k = (int)floor(log10(low)); k <= (int)floor(log10(high)); k++)
        for (size_t i = 0; i < n; i++) {
            char text[32];
            (void)snprintf(text, sizeof text, "%.2ge%d", digits[i], k);
            const double at = strtod(text, NULL);
            if (at < low || at > high) continue;
            tick(gp, first, at, BL_TICKS_DECIMAL);
            first = false;
        }
}

/* From 0 to `high`, at most six ticks at 1, 2 or 5 times a power of ten. */
static void linear_axis(bl_buf *gp, const char *name, double high) {
    static const double steps[] = {1, 2, 5, 10};
    const double least = high / LINEAR_TICKS, decade = pow(10, floor(log10(least)));
    size_t k = 0;
    while (k + 1 < BL_COUNT(steps) && steps[k] * decade < least) k++;
    bl_buf_printf(gp, "%s_linear = \"set %srange [0:%.9g]; set %stics (", name, name, high, name);
    const double unit = high >= 1e9 ? 1e9 : high >= 1e6 ? 1e6 : high >= 1e5 ? 1e3 : 1;
    const char *suffix = high >= 1e9 ? "G" : high >= 1e6 ? "M" : high >= 1e5 ? "k" : "";
    for (int i = 0; i * steps[k] * decade <= high; i++) {
        const double at = i * steps[k] * decade;
        bl_buf_str(gp, i > 0 ? ", '" : "'");
        if (at >= GROUPED && unit == 1)
            bl_format_count(gp, at);
        else
            bl_buf_printf(gp, "%.10g%s", at / unit, i > 0 ? suffix : "");
        bl_buf_printf(gp, "' %.9g", at);
    }
    bl_buf_str(gp, ")\"\n");
}

/* `below` and `above` are octaves of room around the values. Without any value nothing is set,
 * and gnuplot chooses. */
void bl_gp_axis(bl_buf *gp, const char *name, const bl_axis *axis, double below, double above,
                bl_ticks ticks) {
    if (!(axis->high > 0)) return;
    const double low = axis->low / exp2(below), high = axis->high * exp2(above);
    bl_buf_printf(gp, "set %srange [%.9g:%.9g]\nset %stics (", name, low, high, name);
    /* Fewer than three powers of two are no scale to read. */
    const bool few = ticks == BL_TICKS_PLAIN && floor(log2(high)) - ceil(log2(low)) < 2;
    const bool wide = high > 16 * low; /* more numbers than there is room for */
    if ((ticks == BL_TICKS_DECIMAL && !wide) || (few && name[0] == 'y'))
        decimal_ticks(gp, low, high);
    else if (ticks == BL_TICKS_SHORT || ticks == BL_TICKS_DECIMAL)
        short_ticks(gp, low, high);
    else
        power_ticks(gp, name[0] == 'x', low, high, ticks);
    bl_buf_str(gp, ")\n");
    linear_axis(gp, name, high);
}

/* From the smallest size that did not run to the right edge. */
void bl_gp_too_large(bl_buf *gp, const bl_report_model *model, const bl_axis *x) {
    const bl_report_machine *k = &model->machine;
    const double right = x->high * exp2(0.5);
    if (!k->known || !(k->failed > 0) || k->failed >= right) return;
    bl_buf_printf(gp,
                  "set object 90 rectangle from %.9g, graph 0 to %.9g, graph 1 behind "
                  "fillcolor rgb '#f3d9cc' fillstyle solid 0.6 noborder\n"
                  "set label 90 'does not fit' at graph 0.99, graph 0.04 right textcolor rgb "
                  "'#D55E00' noenhanced\n",
                  fmax(k->failed, x->low / exp2(0.5)), right);
}

bl_axis bl_gp_batch_axis(bl_buf *gp, const bl_report_model *model) {
    bl_axis axis = {0};
    for (size_t i = 0; i < model->main.size_count; i++)
        bl_axis_add(&axis, model->main.sizes[i].batch_size);
    for (size_t i = 0; i < model->budget_count; i++)
        bl_axis_add(&axis, model->budgets[i].batch_size);
    bl_gp_axis(gp, "x", &axis, 0.5, 0.5, BL_TICKS_PLAIN);
    bl_gp_too_large(gp, model, &axis);
    return axis;
}
