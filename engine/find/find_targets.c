/* Targets for a sweep out of a pilot's courses. A run's steps to a value v scatter by
 *
 *     sd(log steps) = sd(v) / |dv / d log t|
 *
 * sd(v) around a line through the values near step t, against log t, of all seeds together; its
 * slope is the derivative. On a plateau the slope is small and the scatter large: a target there is
 * a lucky one. */
#include "engine/find/find.h"
#include "engine/stats/distributions.h"
#include <math.h>

/* Of the whole way: a target's place at the latest and at the earliest, and where all scatter. */
static const double k_latest = 0.8, k_earliest = 1.0 / 64, k_earliest_steps = 4, k_beside = 1.0 / 8;
/* Steps below which a target says little: a batch size cannot save many of them. */
static const double k_few = 30.0;
/* Of the harder target's place: the easier one's; and a window's ends. */
static const double k_easier = 0.625, k_least_share = 0.1, k_most_share = 0.95, k_window = 1.5;

static double last_step(const bl_find_course *c) {
    return (double)c->eval[c->evals - 1].step;
}

/* A line through the values within a factor k_window of step t. NAN: too few values; of the
 * scatter also, that they do not fall. */
typedef struct local {
    double value, slope; /* at t, and by log t */
    double deviation;    /* of the values around the line */
    double scatter;      /* of log steps */
} local;

/* Sums of a regression of values on log step, both from a point near their means. */
typedef struct sums {
    double n, x, y, xx, xy, yy;
} sums;

/* The values of one course near step t, less `around`: differences of large values would cancel. */
static void add_values(sums *s, const bl_find_course *c, double t, double around) {
    for (size_t i = 0; i < c->evals; i++) {
        const double step = (double)c->eval[i].step;
        if (step < t / k_window || step > t * k_window || !isfinite(c->eval[i].value)) continue;
        const double x = log(step / t), y = c->eval[i].value - around;
        s->n++;
        s->x += x, s->y += y, s->xx += x * x, s->xy += x * y, s->yy += y * y;
    }
}

/* Least squares of the value on log(step / t), so that the line's constant is its value at t. */
static local fit_at(const bl_find_course *course, size_t courses, double t, double around) {
    enum { FEWEST = 5 };
    local out = {(double)NAN, (double)NAN, (double)NAN, (double)NAN};
    sums s = {0};
    for (size_t i = 0; i < courses; i++) add_values(&s, &course[i], t, around);
    const double xx = s.xx - s.x * s.x / s.n, xy = s.xy - s.x * s.y / s.n;
    if (s.n < FEWEST || !(xx > 0)) return out;
    const double slope = xy / xx;
    const double rest = fmax(0.0, s.yy - s.y * s.y / s.n - slope * xy);
    out.value = around + (s.y - slope * s.x) / s.n;
    out.slope = slope;
    out.deviation = sqrt(rest / (s.n - 2));
    if (slope < 0) out.scatter = out.deviation / -slope;
    return out;
}

/* To three digits, towards the easier side. */
static double rounded(double v) {
    const double unit = pow(10.0, floor(log10(v)) - 2.0);
    const double up = ceil(v / unit - 1e-6);
    return unit < 1.0 ? up / round(1.0 / unit) : up * round(unit);
}

double bl_find_steps_to(const bl_find_course *course, size_t courses, double value) {
    double sum = 0.0;
    size_t reached = 0;
    for (size_t i = 0; i < courses; i++)
        for (size_t k = 0; k < course[i].evals; k++) {
            if (!(course[i].eval[k].value <= value)) continue;
            sum += log((double)course[i].eval[k].step);
            reached++;
            break;
        }
    return reached > 0 && 2 * reached >= courses ? exp(sum / (double)reached) : (double)NAN;
}

static bl_find_target target_at(const bl_find_course *course, size_t courses, double t,
                                double around) {
    const local at = fit_at(course, courses, t, around);
    const double value = at.value > 0 ? rounded(at.value) : at.value;
    const double steps = bl_find_steps_to(course, courses, value);
    return (bl_find_target){value, isfinite(steps) ? steps : t, at.scatter};
}

/* Mean over the courses of the lowest value up to step t. */
static double lowest_by(const bl_find_course *course, size_t courses, double t) {
    double sum = 0.0;
    for (size_t i = 0; i < courses; i++) {
        double least = (double)INFINITY;
        for (size_t k = 0; k < course[i].evals && (double)course[i].eval[k].step <= t; k++)
            least = fmin(least, course[i].eval[k].value);
        sum += least;
    }
    return sum / (double)courses;
}

/* Where no line falls anywhere: the lowest values by a half and by four fifths of the way. */
static void targets_of_lowest(bl_find_target out[BL_FIND_TARGETS], const bl_find_course *course,
                              size_t courses, double last) {
    const double at[BL_FIND_TARGETS] = {0.5 * last, k_latest * last};
    for (size_t i = 0; i < BL_FIND_TARGETS; i++) {
        const double value = lowest_by(course, courses, at[i]);
        out[i] = (bl_find_target){value > 0 && isfinite(value) ? rounded(value) : value, at[i],
                                  (double)NAN};
        const double steps = bl_find_steps_to(course, courses, out[i].value);
        if (isfinite(steps)) out[i].steps = steps;
    }
}

/* The earliest place of a target. */
static double earliest(double last) {
    return fmin(k_earliest * last, k_earliest_steps);
}

/* Where the harder target stands: the last place from `few` steps on whose scatter is small, else
 * the least scatter of the later places; its value is below `baseline`. 0: nowhere do values fall
 * so far. */
static double place(const bl_find_course *course, size_t courses, double few, double baseline,
                    bool *settled) {
    const bl_find_course *c = &course[0];
    const double last = last_step(c);
    double at = 0.0, least = (double)INFINITY, beside = k_beside * last;
    *settled = false;
    for (size_t i = 0; i < c->evals; i++) {
        const double t = (double)c->eval[i].step;
        const local fit = fit_at(course, courses, t, c->eval[i].value);
        if (t < earliest(last) || t > k_latest * last || isnan(fit.scatter)) continue;
        if (!(fit.value > 0 ? rounded(fit.value) < baseline : fit.value < baseline)) continue;
        const bool good = fit.scatter < BL_FIND_SCATTER && t >= few;
        if (fit.scatter < BL_FIND_SCATTER && !good) beside = fmin(beside, few);
        if (!good && (*settled || t < beside || fit.scatter >= least)) continue;
        at = t, least = fit.scatter, *settled = *settled || good;
    }
    return at;
}

/* The easier one stands at five eighths of the steps. Nearer to the harder one, where its value
 * would not be below `baseline`; earlier, where in one run both may come with the same evaluation.
 */
static void targets_around(bl_find_target out[BL_FIND_TARGETS], const bl_find_course *course,
                           size_t courses, double at, double baseline) {
    const double around = course[0].eval[0].value;
    out[1] = target_at(course, courses, at, around);
    for (double share = k_easier; share < k_most_share; share = (1.0 + share) / 2.0) {
        out[0] = target_at(course, courses, share * at, around);
        if (out[0].value < baseline && out[0].steps < out[1].steps) return;
    }
    for (double share = k_easier; share > k_least_share; share *= k_easier) {
        out[0] = target_at(course, courses, share * at, around);
        if (out[0].steps < out[1].steps) return;
    }
}

/* Does the second target lie below the first, above zero, and not at the very beginning? */
static bool is_pair(const bl_find_target t[BL_FIND_TARGETS], double last) {
    return t[0].value > t[1].value && t[1].value > 0 && t[1].steps >= earliest(last);
}

/* Two targets where values fall; false: nowhere below `baseline`. */
static bool targets_of_places(bl_find_target out[BL_FIND_TARGETS], bool *settled,
                              const bl_find_course *course, size_t courses, double baseline) {
    const double last = last_step(&course[0]);
    targets_around(out, course, courses, place(course, courses, k_few, baseline, settled),
                   baseline);
    if (!is_pair(out, last) || !(out[0].steps < out[1].steps)) /* all was learnt in fewer steps */
        targets_around(out, course, courses, place(course, courses, 0.0, baseline, settled),
                       baseline);
    return out[0].value > out[1].value;
}

bool bl_find_targets(bl_find_target out[BL_FIND_TARGETS], bool *settled,
                     const bl_find_course *course, size_t courses, double baseline) {
    *settled = false;
    if (courses == 0 || course[0].evals == 0) return false;
    const double last = last_step(&course[0]);
    if (targets_of_places(out, settled, course, courses, baseline)) return is_pair(out, last);
    if (targets_of_places(out, settled, course, courses, (double)INFINITY))
        return is_pair(out, last);
    *settled = false;
    targets_of_lowest(out, course, courses, last);
    return is_pair(out, last);
}

/* ---- how soon another run is there ---- */

/* Standard deviation of the log steps to `value`, of the courses that come to it; `seen` of them.
 */
static double passage_scatter(const bl_find_course *course, size_t courses, double value,
                              size_t *seen) {
    double n = 0.0, sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < courses; i++) {
        const double steps = bl_find_steps_to(&course[i], 1, value);
        if (!isfinite(steps)) continue;
        n++;
        sum += log(steps), squares += log(steps) * log(steps);
    }
    *seen = (size_t)n;
    return n > 1.0 ? sqrt(fmax(0.0, squares - sum * sum / n) / (n - 1.0)) : (double)NAN;
}

/* Half the length of the interval of log steps, for one more seed: t sqrt(s^2 (1 + 1 / n)) with
 * n courses. s^2 is the mean of the seen and of the predicted variance by their degrees of
 * freedom. What the target's scatter predicts counts like four seeds more than those that were
 * seen. */
static double half_length(const bl_find_course *course, size_t courses,
                          const bl_find_target *target) {
    const double predicted = 4.0;
    size_t seen;
    const double own = passage_scatter(course, courses, target->value, &seen);
    const double a = isnan(own) ? 0.0 : (double)seen - 1.0;
    const double b = isnan(target->scatter) ? 0.0 : predicted;
    if (!(a + b > 0.0)) return (double)NAN;
    const double square = ((a > 0.0 ? a * own * own : 0.0) +
                           (b > 0.0 ? b * target->scatter * target->scatter : 0.0)) /
                          (a + b);
    return bl_stats_t_quantile(0.975, a + b) * sqrt(square * (1.0 + 1.0 / (double)courses));
}

/* Where the band around the courses' mean has its far edge at `value`, from the target's place on:
 * INFINITY where it does not within the pilot and a window behind it. */
static double band_end(const bl_find_course *course, size_t courses, const bl_find_target *target) {
    const double wide = 1.959963984540054 * sqrt(1.0 + 1.0 / (double)courses);
    const bl_find_course *c = &course[0];
    local at = {(double)NAN, (double)NAN, (double)NAN, (double)NAN};
    for (size_t i = 0; i < c->evals; i++) {
        const double t = (double)c->eval[i].step;
        if (t < target->steps) continue;
        const local here = fit_at(course, courses, t, c->eval[i].value);
        if (isnan(here.value)) continue;
        if (here.value + wide * here.deviation <= target->value) return t;
        at = here;
    }
    const double rest = at.value + wide * at.deviation - target->value;
    const double ahead = at.slope < 0 ? rest / -at.slope : (double)INFINITY;
    return ahead <= log(k_window) ? last_step(c) * exp(ahead) : (double)INFINITY;
}

bl_find_span bl_find_span_of(const bl_find_course *course, size_t courses,
                             const bl_find_target *target) {
    const double half = half_length(course, courses, target);
    const double end = band_end(course, courses, target);
    return (bl_find_span){target->steps * exp(-half),
                          isnan(half) ? (double)INFINITY : fmax(target->steps * exp(half), end)};
}
