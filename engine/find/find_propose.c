/* From the noise scale and the line of step times to a batch size (find.h has the formulas). */
#include "engine/config/value.h"
#include "engine/find/find.h"
#include "engine/stats/critical.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The power of two nearest to x on a logarithmic scale, within 1 and `most`. */
static int64_t power_near(double x, int64_t most) {
    int64_t size = 1;
    while (size <= most / 2 && (double)size * sqrt(2.0) < x) size *= 2;
    return size;
}

/* The rate at k times the batch size. Rules that only a sweep can fit count as the square root. */
static double moved(double rate, const char *rule, double k) {
    return strcmp(rule, "keep") == 0     ? rate
           : strcmp(rule, "linear") == 0 ? rate * k
                                         : rate * sqrt(k);
}

/* Within the rates that a sweep may train: a grid of one rate keeps it. */
static double bounded(double rate, const bl_find *f) {
    return f->lr_max > 0.0 ? fmin(fmax(rate, f->lr_min), f->lr_max) : rate;
}

/* The fastest size for a noise scale, not below what was timed. Where no fixed cost of a step
 * shows, or its time does not grow with the batch, the line says nothing of the size: disturbed
 * times look like that, too. Then it is the noise scale itself, at which steps and examples are
 * both twice their least. */
static int64_t fastest(const bl_find *f, double scale, int64_t most) {
    const double fixed = f->line.fixed.value, each = f->line.each.value;
    const bool timed = f->line.known && each > 0 && fixed > 1e-9;
    const double least = f->size_count > 0 ? (double)f->size[0] : 1.0;
    return power_near(timed ? fmax(least, sqrt(scale * fixed / each)) : scale, most);
}

/* Powers of two from 1/8 to 32 times the noise scale, with the proposal among them. Of few rows up
 * to 64 and a quarter of them, else a sixteenth; tiny batches are left out where there are larger
 * ones. Fewer than four sizes show no curve: smaller ones are added, and then larger ones up to a
 * quarter of the rows; where there are none, the list is empty. */
enum { LEAST_SPAN = 8 }; /* of the last size over the first: four powers of two */
static void list_sizes(bl_find_proposal *p, double scale, int64_t rows) {
    const int64_t few = rows / 4 < 64 ? rows / 4 : 64, most = rows / 16 > few ? rows / 16 : few;
    int64_t high = power_near(32.0 * scale, most > 1 ? most : 1);
    int64_t size = power_near(scale / 8.0, rows);
    const int64_t least = high >= 64 ? 8 : high >= 16 ? 4 : 1;
    if (size < least) size = least;
    if (high < p->batch_size) high = p->batch_size;
    if (size > p->batch_size) size = p->batch_size;
    while (size > 1 && high < LEAST_SPAN * size) size /= 2;
    while (high < LEAST_SPAN * size && high <= rows / 8) high *= 2;
    if (high < LEAST_SPAN * size) return;
    for (; size <= high && p->size_count < BL_LIST; size *= 2) p->sizes[p->size_count++] = size;
}

/* The noise scale with its interval, widened to what would be the critical batch size if the scale
 * is off as it was in the audit. */
static bl_noise_value widened(const bl_find *f) {
    bl_noise_value scale = f->noise[f->measure].way;
    if (!(f->audit_low > 0.0)) return scale;
    scale.low = fmin(scale.low, scale.value / f->audit_high);
    scale.high = fmax(scale.high, scale.value / f->audit_low);
    return scale;
}

/* Steps of batches of `size` over those of the pilot's. */
static double step_ratio(const bl_find *f, double scale, double size) {
    return (1.0 + scale / size) / (1.0 + scale / (double)f->batch_size);
}

/* The pilot's span, moved to the new size. How the noise scale may be off adds to that; where the
 * size stays that of the pilot, it plays no part. */
static void add_interval(bl_find_proposal *p, const bl_find *f, const bl_noise_value *scale) {
    const double size = (double)p->batch_size, steps = f->target[BL_FIND_TARGETS - 1].steps;
    const double ratio = log(step_ratio(f, scale->value, size));
    const double a = log(step_ratio(f, scale->low, size)) - ratio;
    const double b = log(step_ratio(f, scale->high, size)) - ratio;
    const double down = hypot(fmin(0.0, log(f->span.low / steps)), fmin(0.0, fmin(a, b)));
    const double up = hypot(fmax(0.0, log(f->span.high / steps)), fmax(0.0, fmax(a, b)));
    p->steps_low = isnan(f->span.low) ? f->span.low : fmax(1.0, round(p->steps * exp(-down)));
    p->steps_high = isfinite(f->span.high) ? round(p->steps * exp(up)) : (double)NAN;
}

/* Rate, steps, seconds and sizes of its batch size. */
static void fill(bl_find_proposal *p, const bl_find *f, const char *lr_rule, int64_t rows,
                 const bl_noise_value *scale) {
    const double base = (double)f->batch_size, size = (double)p->batch_size;
    p->learning_rate = bounded(moved(f->learning_rate, lr_rule, size / base), f);
    p->steps =
        fmax(1.0, round(f->target[BL_FIND_TARGETS - 1].steps * step_ratio(f, scale->value, size)));
    add_interval(p, f, scale);
    p->seconds = f->line.known ? p->steps * bl_stats_step_line_at(&f->line, size) : (double)NAN;
    p->size_count = 0;
    list_sizes(p, scale->value, rows);
}

bl_find_proposal bl_find_propose(const bl_find *f, const char *lr_rule, int64_t rows) {
    bl_find_proposal p = {0};
    const bl_noise_value scale = widened(f);
    if (!scale.known || !(scale.value > 0)) return p;
    p.known = true;
    p.batch_size = fastest(f, scale.value, rows);
    p.low = fastest(f, scale.low, rows);
    p.high = fastest(f, scale.high, rows);
    fill(&p, f, lr_rule, rows, &scale);
    return p;
}

void bl_find_move(bl_find_proposal *p, const bl_find *f, const char *lr_rule, int64_t rows) {
    const bl_noise_value scale = widened(f);
    const int64_t size = power_near(sqrt((double)p->batch_size * (double)f->batch_size), rows);
    p->batch_size = size != p->batch_size ? size : f->batch_size;
    if ((double)llabs(p->batch_size - f->batch_size) < 0.5 * (double)f->batch_size)
        p->batch_size = f->batch_size; /* which need not be a power of two */
    if (p->low > p->batch_size) p->low = p->batch_size;
    if (p->high > p->batch_size && p->batch_size > f->batch_size) p->high = p->batch_size;
    fill(p, f, lr_rule, rows, &scale);
}

void bl_find_measured(bl_find_proposal *p, const bl_find *f, double steps, size_t arrived) {
    const double pilot = f->target[BL_FIND_TARGETS - 1].steps;
    const double line = bl_stats_step_line_at(&f->line, (double)p->batch_size);
    p->arrived = arrived;
    p->steps = round(steps);
    p->steps_low = fmax(1.0, round(steps * f->span.low / pilot));
    p->steps_high = arrived == f->seeds && isfinite(f->span.high)
                        ? round(steps * f->span.high / pilot)
                        : (double)NAN;
    p->seconds = f->line.known ? p->steps * line : (double)NAN;
}

bool bl_find_is_answer(const bl_find *f) {
    const bool useful = !(f->baseline > 0.0) || f->target[BL_FIND_TARGETS - 1].value < f->baseline;
    return f->best.known && useful;
}

/* ---- as settings ---- */

static void set(bl_find_settings *out, const char *path, const char *value) {
    char *text = out->text[out->count];
    (void)snprintf(text, sizeof out->text[0], "%s", value);
    out->change[out->count++] = (bl_config_change){path, text};
}

/* The power of two nearest to the rate, within the limits of the sweep's grid. */
static double grid_rate(double rate, const bl_config *c) {
    const double power = exp2(round(log2(rate)));
    return power < c->sweep.lr_min   ? c->sweep.lr_min
           : power > c->sweep.lr_max ? c->sweep.lr_max
                                     : power;
}

void bl_find_settings_of(bl_find_settings *out, const bl_find *f, const bl_config *config) {
    bl_buf text = {0};
    const bl_find_proposal *p = &f->best;
    const bool sized = p->known && p->size_count > 0;
    const double first =
        (double)(sized ? p->sizes[0] : config->sweep.batch_sizes.v[0]) / (double)f->batch_size;
    out->count = 0;
    bl_buf_str(&text, "[");
    if (!(f->baseline > 0.0) || f->target[0].value < f->baseline) {
        bl_value_write_number(&text, f->target[0].value, 4);
        bl_buf_str(&text, ", ");
    }
    bl_value_write_number(&text, f->target[1].value, 4);
    bl_buf_str(&text, "]");
    set(out, "sweep.targets", bl_buf_text(&text));
    bl_buf_clear(&text);
    for (size_t i = 0; i < p->size_count; i++)
        bl_buf_printf(&text, "%s%" PRId64, i > 0 ? ", " : "[", p->sizes[i]);
    bl_buf_str(&text, "]");
    if (sized) set(out, "sweep.batch_sizes", bl_buf_text(&text));
    bl_buf_clear(&text);
    bl_value_write_number(
        &text, grid_rate(moved(f->learning_rate, config->sweep.lr_rule, first), config), 0);
    set(out, "sweep.lr_start", bl_buf_text(&text));
    bl_buf_clear(&text);
    const double scale = f->noise[f->measure].way.value;
    bl_value_write_number(&text, scale < 100.0 ? scale : bl_stats_digits(scale, 0),
                          scale < 100.0 ? 3 : 0);
    if (sized) set(out, "sweep.noise_scale", bl_buf_text(&text));
    bl_buf_free(&text);
}
