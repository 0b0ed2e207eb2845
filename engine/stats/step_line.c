/* Weighted least squares of a line with weights 1 / t^2, t the median of a size's repeats. With
 * S_w = sum w, S_b = sum w B, S_t = sum w t, S_bb = sum w B^2 and S_bt = sum w B t:
 *
 *     det   = S_w S_bb - S_b^2                each  = (S_w S_bt - S_b S_t) / det
 *     fixed = (S_t - each S_b) / S_w          s^2   = sum ((t - line) / t)^2 / (n - 2)
 *     interval of fixed: t_q sqrt(s^2 S_bb / det)
 *     interval of each:  t_q sqrt(s^2 S_w / det)      t_q: Student's t, n - 2 degrees of freedom
 *
 * A time below nothing and a step that gets faster with more work are no answers. A line that falls
 * becomes a constant, S_t / S_w; one that begins below 0 goes through it, each = S_bt / S_bb. Both
 * carry no interval, since they are no longer the free line that the formulas speak of. */
#include "engine/stats/step_line.h"
#include "engine/base/mem.h"
#include "engine/stats/distributions.h"
#include "engine/stats/pairs.h"
#include "engine/stats/point.h"
#include <math.h>

/* Sums over sizes, each weighed by 1 / t^2. */
typedef struct sums {
    double w, b, t, bb, bt;
} sums;

static double median(const bl_stats_step_size *size) {
    return bl_stats_median(size->seconds, size->repeats);
}

static sums add_up(const bl_stats_step_size *size, size_t n) {
    sums s = {0};
    for (size_t i = 0; i < n; i++) {
        const double t = median(&size[i]), b = size[i].batch_size, w = 1 / (t * t);
        s.w += w;
        s.b += w * b;
        s.t += w * t;
        s.bb += w * b * b;
        s.bt += w * b * t;
    }
    return s;
}

double bl_stats_step_line_at(const bl_stats_step_line *line, double batch_size) {
    return line->fixed.value + line->each.value * batch_size;
}

double bl_stats_step_line_miss(const bl_stats_step_line *line, const bl_stats_step_size *size) {
    return median(size) / bl_stats_step_line_at(line, size->batch_size) - 1;
}

/* The deviations that least squares made small, ((t - line) / t)^2. */
static double squares(const bl_stats_step_line *line, const bl_stats_step_size *size, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const double t = median(&size[i]);
        const double miss = 1 - bl_stats_step_line_at(line, size[i].batch_size) / t;
        sum += miss * miss;
    }
    return sum;
}

/* The interval value +- half_width, cut off at 0: neither number can be negative. */
static bl_stats_value around(double value, double half_width) {
    return (bl_stats_value){.value = value,
                            .low = fmax(0.0, value - half_width),
                            .high = value + half_width,
                            .known = true};
}

/* A free line: intervals with n - 2 degrees of freedom, from what is left over. */
static void intervals(bl_stats_step_line *line, const sums *s, double det,
                      const bl_stats_step_size *size, size_t n) {
    if (n < 3) return;
    const double freedom = (double)n - 2;
    const double t = bl_stats_t_quantile(1 - (1 - BL_STATS_LEVEL) / 2, freedom);
    const double variance = squares(line, size, n) / freedom;
    line->fixed = around(line->fixed.value, t * sqrt(variance * s->bb / det));
    line->each = around(line->each.value, t * sqrt(variance * s->w / det));
}

bl_stats_step_line bl_stats_fit_step_line(const bl_stats_step_size *size, size_t n) {
    bl_stats_step_line line = {.fixed = bl_stats_unknown(), .each = bl_stats_unknown()};
    if (n < 2) return line;
    const sums s = add_up(size, n);
    const double det = s.w * s.bb - s.b * s.b;
    const double each = (s.w * s.bt - s.b * s.t) / det, fixed = (s.t - each * s.b) / s.w;
    line.known = true;
    line.flat = each <= 0;
    line.through_zero = !line.flat && fixed < 0;
    line.fixed = bl_stats_exact(line.flat ? s.t / s.w : fmax(0.0, fixed));
    line.each = bl_stats_exact(line.flat ? 0 : line.through_zero ? s.bt / s.bb : each);
    if (!line.flat && !line.through_zero) intervals(&line, &s, det, size, n);
    for (size_t i = 0; i < n; i++) {
        const double miss = bl_stats_step_line_miss(&line, &size[i]);
        if (fabs(miss) <= fabs(line.worst)) continue;
        line.worst = miss;
        line.worst_index = i;
    }
    return line;
}

/* How many of the first sizes agree to 1 %, largest over smallest of them together, or to `noise`.
 * One size agrees with itself and is no floor: 0. */
static size_t on_the_floor(const bl_stats_step_size *size, size_t n, double noise) {
    static const double agree = 1.01;
    size_t on = 0;
    double low = (double)INFINITY, high = 0;
    for (; on < n; on++) {
        low = fmin(low, median(&size[on]));
        high = fmax(high, median(&size[on]));
        if (high > fmax(agree * low, low + noise)) break;
    }
    return on > 1 ? on : 0;
}

double bl_stats_floor_line_at(const bl_stats_floor_line *fit, double batch_size) {
    return fit->line.known ? fmax(fit->least, bl_stats_step_line_at(&fit->line, batch_size))
                           : (double)NAN;
}

/*     M |              x        first = on:      two sizes or more above, the line is theirs
 *       |          x                on - 1:      one above; it needs a second point
 *       | x  x  x                 none above:    the line is flat, at the height of the floor
 *       +---------------- B
 */
bl_stats_floor_line bl_stats_fit_floor_line(const bl_stats_step_size *size, size_t n,
                                            double noise) {
    bl_stats_floor_line fit = {0};
    const size_t on = on_the_floor(size, n, noise), above = n - on;
    /* One size above: the line begins at the last one below. */
    const size_t first = on > 0 && above == 1 ? on - 1 : on;
    for (size_t i = 0; i < on; i++) fit.least = fmax(fit.least, median(&size[i]));
    fit.line = above > 0 ? bl_stats_fit_step_line(size + first, n - first)
                         : (bl_stats_step_line){.known = on > 0,
                                                .fixed = bl_stats_exact(fit.least),
                                                .each = bl_stats_exact(0),
                                                .flat = true};
    for (size_t i = 0; i < n && fit.line.known; i++) {
        const double at = bl_stats_floor_line_at(&fit, size[i].batch_size),
                     miss = median(&size[i]) / at - 1;
        if (fabs(miss) <= fabs(fit.worst) || fabs(miss) * at <= noise) continue;
        fit.worst = miss;
        fit.worst_size = size[i].batch_size;
    }
    return fit;
}

/* Solves q = each B / (fixed + each B) for B. */
double bl_stats_step_line_share(const bl_stats_step_line *line, double share) {
    if (!line->known || line->flat) return (double)NAN;
    return line->fixed.value / line->each.value * share / (1 - share);
}

bool bl_stats_step_judged(const bl_stats_step_size *size) {
    double coverage;
    (void)bl_stats_median_interval(size->seconds, size->repeats, BL_STATS_LEVEL, &coverage);
    return coverage >= BL_STATS_LEVEL;
}

bl_stats_value bl_stats_step_speed(const bl_stats_step_size *size) {
    const bl_stats_value t =
        bl_stats_median_interval(size->seconds, size->repeats, BL_STATS_LEVEL, NULL);
    bl_stats_value speed = bl_stats_exact(size->batch_size / t.value);
    if (!bl_stats_step_judged(size)) return speed;
    speed.low = size->batch_size / t.high;
    speed.high = size->batch_size / t.low;
    return speed;
}

/* Which size is fastest is decided by medians; who is tied with it by the ratios of matched
 * repeats, which a slow minute of the machine cannot bend. The ratio of two times becomes one of
 * times per example by the ratio of the batch sizes. */
size_t bl_stats_step_best(const bl_stats_step_size *size, size_t n, bool *tied) {
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (bl_stats_step_speed(&size[i]).value > bl_stats_step_speed(&size[best]).value) best = i;
    const double factor = size[best].batch_size;
    for (size_t i = 0; i < n; i++) {
        tied[i] = false;
        if (i == best || size[i].repeats != size[best].repeats) continue;
        bl_stats_value r =
            bl_stats_pair_ratio(size[best].seconds, size[i].seconds, size[i].repeats);
        r = bl_stats_scaled(r, factor / size[i].batch_size); /* times per example */
        tied[i] = bl_stats_has_interval(&r) && r.low <= 1;
    }
    return best;
}

enum { SPREAD_REPEATS = 3 }; /* fewer say nothing of the spread */

/* Of one size; NAN where nothing is known. `share` is, for each repeat, the part of the clock
 * that the processor was not at it. */
static bl_stats_disturbance disturbance(const bl_stats_step_size *size) {
    bl_stats_disturbance d = {(double)NAN, 0};
    const double *least_of = size->processor != NULL ? size->processor : size->seconds;
    if (size->processor == NULL && size->repeats < SPREAD_REPEATS) return d;
    double *share = bl_xalloc(size->repeats * sizeof *share), least = (double)INFINITY;
    for (size_t r = 0; r < size->repeats; r++) {
        least = fmin(least, least_of[r]);
        share[r] = 1 - least_of[r] / size->seconds[r];
    }
    d.off = median(size) / least - 1;
    if (size->processor != NULL) d.other = fmax(0.0, bl_stats_median(share, size->repeats));
    free(share);
    return d;
}

bl_stats_disturbance bl_stats_step_disturbance(const bl_stats_step_size *size, size_t n) {
    bl_stats_disturbance worst = {(double)NAN, 0};
    for (size_t i = 0; i < n; i++) {
        const bl_stats_disturbance d = disturbance(&size[i]);
        worst.other = fmax(worst.other, d.other); /* fmax passes over NAN */
        worst.off = fmax(worst.off, d.off);
    }
    return worst;
}

/* The sizes with their processor times in the place of those by the clock. */
bl_stats_step_line bl_stats_fit_processor_line(const bl_stats_step_size *size, size_t n) {
    bl_stats_step_size *by_processor = bl_xalloc((n + 1) * sizeof *by_processor);
    bool known = true;
    for (size_t i = 0; i < n; i++) {
        by_processor[i] = size[i];
        by_processor[i].seconds = size[i].processor;
        known = known && size[i].processor != NULL;
    }
    const bl_stats_step_line line = bl_stats_fit_step_line(by_processor, known ? n : 0);
    free(by_processor);
    return line;
}

/* ---- equality, once the line has been divided out ---- */

static bool all_have_processor(const bl_stats_step_size *size, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (size[i].processor == NULL) return false;
    return true;
}

static size_t fewest_repeats(const bl_stats_step_size *size, size_t n) {
    size_t fewest = size[0].repeats;
    for (size_t i = 1; i < n; i++) fewest = size[i].repeats < fewest ? size[i].repeats : fewest;
    return fewest;
}

/* One repeat of all sizes, and the groups that are compared: group[i] < 0 takes no part. */
typedef struct groups {
    bl_stats_step_size *scaled; /* (n): the times, those of group 1 over exp(gamma) */
    double *time, *scaled_time; /* (n): as measured, and what `scaled` points to */
    const int *group;
    size_t n;
} groups;

/* Fits a line to times of which group 1's are divided by exp(gamma). Returns by how much more than
 * gamma group 1 takes over group 0, as logarithms: 0 where exp(gamma) is its factor. */
static double beyond(groups *g, double gamma) {
    double sum[2] = {0}, count[2] = {0};
    for (size_t i = 0; i < g->n; i++)
        g->scaled_time[i] = g->group[i] == 1 ? g->time[i] / exp(gamma) : g->time[i];
    const bl_stats_step_line line = bl_stats_fit_step_line(g->scaled, g->n);
    for (size_t i = 0; i < g->n; i++) {
        if (g->group[i] < 0) continue;
        sum[g->group[i]] += log(g->time[i] / bl_stats_step_line_at(&line, g->scaled[i].batch_size));
        count[g->group[i]]++;
    }
    return sum[1] / count[1] - sum[0] / count[0] - gamma;
}

/* The gamma at which `beyond` is 0. It is nearly straight, so that a few secants find it. It is
 * level where the sizes are too few to tell a group from the line; then the line has it all. */
static double log_factor(groups *g) {
    enum { SECANTS = 30 };
    static const double small = 1e-12;
    double before = 0, h_before = beyond(g, before), gamma = h_before;
    for (int i = 0; i < SECANTS && fabs(h_before) > small; i++) {
        const double h = beyond(g, gamma), slope = (h - h_before) / (gamma - before);
        if (!(slope < -small)) break;
        before = gamma;
        h_before = h;
        gamma -= h / slope;
    }
    return gamma;
}

/* Group 1 over group 0 in each repeat: the factor by which group 1 lies off the line of the other
 * sizes. Line and factor are fitted together, as a line through all sizes would follow group 1 and
 * hide a part of its factor. A machine's slow minute has all sizes of a repeat slow, so that it
 * cancels. The spread over repeats then decides whether 1 lies within the margin. */
static bl_stats_equal compare_groups(bl_stats_value *ratio, const bl_stats_step_size *size,
                                     size_t n, const int *group) {
    const bool processor = all_have_processor(size, n);
    const size_t repeats = fewest_repeats(size, n);
    double *time = bl_xalloc((2 * n + repeats) * sizeof *time), *x = time + 2 * n;
    bl_stats_step_size *scaled = bl_xalloc(n * sizeof *scaled);
    groups g = {scaled, time, time + n, group, n};
    bool member[2] = {false, false};
    for (size_t i = 0; i < n; i++) {
        scaled[i] = (bl_stats_step_size){size[i].batch_size, &g.scaled_time[i], 1, NULL};
        if (group[i] >= 0) member[group[i]] = true;
    }
    const bool both = member[0] && member[1];
    for (size_t r = 0; r < repeats && both; r++) {
        for (size_t i = 0; i < n; i++)
            time[i] = processor ? size[i].processor[r] : size[i].seconds[r];
        x[r] = exp(log_factor(&g));
    }
    const bl_stats_equal verdict =
        bl_stats_equivalent(ratio, x, both ? repeats : 0, BL_STATS_EQUAL_MARGIN);
    free(scaled);
    free(time);
    return verdict;
}

bl_stats_equal bl_stats_step_equal(bl_stats_value *ratio, const bl_stats_step_size *size, size_t n,
                                   size_t a, size_t b) {
    int *group = bl_xalloc(n * sizeof *group);
    for (size_t i = 0; i < n; i++) group[i] = i == a ? 0 : i == b ? 1 : -1;
    const bl_stats_equal verdict = compare_groups(ratio, size, n, group);
    free(group);
    return verdict;
}

bl_stats_equal bl_stats_step_named(bl_stats_value *ratio, const bl_stats_step_size *size, size_t n,
                                   const bool *named) {
    int *group = bl_xalloc(n * sizeof *group);
    for (size_t i = 0; i < n; i++) group[i] = named[i] ? 1 : 0;
    const bl_stats_equal verdict = compare_groups(ratio, size, n, group);
    free(group);
    return verdict;
}

/* fmod of whole numbers is exact, so "not above 0" is "divides". */
bl_stats_equal bl_stats_step_multiples(bl_stats_value *ratio, const bl_stats_step_size *size,
                                       size_t n, double of) {
    bool *named = bl_xalloc(n * sizeof *named);
    for (size_t i = 0; i < n; i++) named[i] = !(fmod(size[i].batch_size, of) > 0);
    const bl_stats_equal verdict = bl_stats_step_named(ratio, size, n, named);
    free(named);
    return verdict;
}

bool bl_stats_step_falls(const bl_stats_step_size *size, const bl_stats_step_size *next) {
    const double times = median(next) / median(size), batch = next->batch_size / size->batch_size;
    return times > batch * (1 + BL_STATS_LINE_FINDING);
}
