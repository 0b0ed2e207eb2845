/* Critical batch sizes: how far does a larger batch still pay?
 *
 * Runs become one mean of log steps for each batch size with its variance (groups.h). The curve
 * S = s_min (1 + (b_crit / B)^p)^(1 / p) is fitted to the means (fit.h), and an F test asks whether
 * they lie further from it than their variances explain. Every definition of a critical size is a
 * closed form of the curve, every interval a profile of the loss (profile.h). A number that leaves
 * the measured range becomes a bound at the range's end.
 *
 * Three straight segments stand in where they explain far more than the curve does, or where they
 * were asked for.
 *
 * No net scales exactly by a formula, and the choice of a learning rate leaves each size off by
 * another amount. Where means lie further from what answers than seeds explain, the rest is a
 * variance of its own, estimated, in every interval (DerSimonian and Laird 1986 for the estimate).
 *
 * Where all that misses by more than a reader can use, the smallest batch sizes may be at fault.
 * The curve trades steps against examples, and a size that takes more of both than a larger one is
 * no trade. Such sizes are left out, one after another, as long as that is certain. Where the rest
 * fits no curve either, nothing that rests on a curve is said. */
#include "engine/stats/critical.h"
#include "engine/base/mem.h"
#include "engine/stats/distributions.h"
#include "engine/stats/groups.h"
#include "engine/stats/resample.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Below this p-value a curve is refused: a report has many curves, and one that is refused for no
 * reason takes its answer away. */
#define REFUSE 0.01

enum {
    /* Deviations from a curve tell its scatter from this many batch sizes on. */
    RESIDUALS_MIN = 6,
    /* A test of lack of fit needs this many degrees of freedom of its pure error; with fewer than
       the second number the deviations from the curve are pooled with it for the intervals. */
    TEST_FREEDOM = 3,
    POOL_FREEDOM = 6,
};
/* Segments replace the curve where they explain more of what it leaves than chance does in one of
 * two hundred tables; with one run at each size where it misses by more than `far_off`, too, and
 * chance does in one of a hundred. */
static const double far_better = 0.005, far_off = 0.15, far_better_alone = 0.01;
/* A misfit beyond this leaves no answer. */
static const double useless = 0.12;
/* Rounding errors alone: less is no scatter. */
static const double least_variance = 1e-12;
/* No net scales exactly by a formula: means may lie off the curve by about this much, and it still
 * describes them. Where seeds leave less uncertainty than that, it decides. */
static const double tolerated = 0.01;

static const double near = 0.09531017980432486; /* log 1.1: "within 10 %" */

/* The measured range in logs; `second` and `last_but_one` are where two cells lie inside. */
typedef struct range {
    double low, second, last_but_one, high;
    size_t count;
    double fall; /* how far the means fall from a smaller to a larger batch size, in logs */
} range;

/* Over the measured cells only; a censored median says nothing about where the curve is. */
static range measured_range(const bl_stats_cell *cells, size_t n) {
    range r = {0};
    double highest = -HUGE_VAL;
    for (size_t i = 0; i < n; i++) {
        if (cells[i].censored) continue;
        const double x = cells[i].log_b;
        if (r.count == 0) r.low = x;
        if (r.count == 1) r.second = x;
        r.last_but_one = r.count == 0 ? x : r.high;
        r.high = x;
        r.count++;
        highest = fmax(highest, cells[i].log_s);
        r.fall = fmax(r.fall, highest - cells[i].log_s);
    }
    return r;
}

static bl_stats_value number(double value, int bound) {
    bl_stats_value v = bl_stats_exact(value);
    v.bound = bound;
    return v;
}

/* A batch size given by its log: outside the measured range it is a bound at the range's end. */
static bl_stats_value batch_in_range(double x, int bound, const range *r) {
    const int beyond = x > r->high ? 1 : x < r->low ? -1 : 0;
    if (beyond == 0) return number(exp(x), bound);
    /* Known only from one side, and beyond the range on the other: nothing is known. */
    if (bound == -beyond) return bl_stats_unknown();
    return number(exp(beyond > 0 ? r->high : r->low), beyond);
}

/* ---- weights and tests ---- */

/* Everything one fit needs to know of the runs. */
typedef struct data {
    bl_stats_groups groups;
    range range;
    bl_stats_options options;
    double freedom; /* of the weights that the cells carry */
} data;

/* Weights are inverse variances, `variance` that of one run; a cell's common gap comes on top, and
 * `misfit`, the variance with which the true means may lie off the curve. */
static void weigh(data *d, double variance, double freedom, double misfit) {
    double all = 0, seeds = 0;
    for (size_t c = 0; c < d->groups.count; c++) {
        const double part = variance * bl_stats_cell_share(&d->groups, c);
        const double gap = bl_stats_cell_common_gap(&d->groups, c);
        const double whole = fmax(part + gap + misfit, least_variance);
        d->groups.cells[c].weight = 1 / whole;
        all += whole;
        seeds += part;
    }
    /* Satterthwaite: the gap and the misfit are known, only the seeds' variance is estimated. */
    d->freedom = seeds > 0 ? freedom * (all / seeds) * (all / seeds) : HUGE_VAL;
}

/* Equal weights for equal numbers of runs, of an unknown scatter. */
static void weigh_by_runs(data *d) {
    for (size_t c = 0; c < d->groups.count; c++)
        d->groups.cells[c].weight = 1 / bl_stats_cell_share(&d->groups, c);
}

/* The variance with which true means lie off what was fitted, beyond `misfit`, with which they are
 * weighed: what the loss has more than its degrees of freedom, over what one unit of variance adds
 * to it. 0 where seeds explain all. */
static double excess_of(const data *d, double loss, double left) {
    double sum = 0, squares = 0;
    for (size_t c = 0; c < d->groups.count; c++) {
        const bl_stats_cell *cell = &d->groups.cells[c];
        if (cell->censored) continue;
        sum += cell->weight;
        squares += cell->weight * cell->weight;
    }
    if (left < 1 || loss <= left) return 0;
    return (loss - left) / ((sum - squares / sum) * left / ((double)d->range.count - 1));
}

/* Weighs anew with `excess` on top of what is tolerated. Student's degrees of freedom move from
 * those of the seeds' variance to those of the fit, as the excess grows to as much as is expected
 * without it. */
static void weigh_excess(data *d, double excess, double loss, double left) {
    const double seeds = d->freedom, part = fmin(1, loss / left - 1);
    weigh(d, d->groups.variance, d->groups.freedom, tolerated * tolerated + excess);
    if (excess > 0) d->freedom = 1 / (part / left + (1 - part) / seeds);
}

static bl_stats_test lack_of_fit(double loss, size_t cells, int parameters, double freedom) {
    bl_stats_test t = {.df1 = (double)cells - parameters, .df2 = freedom};
    if (t.df1 < 1) return t;
    t.known = true;
    t.f = loss / t.df1;
    t.p_value = bl_stats_f_tail(t.f, t.df1, t.df2);
    return t;
}

/* The scatter of residuals with its interval: sqrt(sum / df), chi squared. */
static bl_stats_value rms_of(double squares, double df, bool interval) {
    if (df < 1) return bl_stats_unknown();
    /* A perfect fit is off by rounding errors alone: those are no number to print. */
    bl_stats_value v = bl_stats_exact(squares < least_variance * df ? 0 : sqrt(squares / df));
    if (!interval) return v;
    v.low = v.value / sqrt(bl_stats_f_quantile(0.975, df, HUGE_VAL));
    v.high = v.value / sqrt(bl_stats_f_quantile(0.025, df, HUGE_VAL));
    return v;
}

static double squares_of(const data *d, const bl_stats_curve *c) {
    double sum = 0;
    for (size_t i = 0; i < d->groups.count; i++) {
        const bl_stats_cell *cell = &d->groups.cells[i];
        const double r = cell->log_s - log(bl_stats_curve_at(c, exp(cell->log_b)));
        if (!cell->censored || r > 0) sum += r * r;
    }
    return sum;
}

/* ---- the curve ---- */

/* Weights for the intervals of a curve that was fitted: the seeds' own where they say enough, else
 * pooled with the deviations from the curve; those alone with one run at each batch size. False
 * where neither says enough. */
static bool weigh_for_intervals(data *d, const bl_stats_curve *c, double p_most) {
    const bl_stats_groups *g = &d->groups;
    const double left = (double)d->range.count - bl_stats_curve_free(c, p_most);
    if (g->freedom >= POOL_FREEDOM) {
        weigh(d, g->variance, g->freedom, tolerated * tolerated);
        const double loss = bl_stats_curve_loss(log(c->b_crit), c->p, g->cells, g->count);
        weigh_excess(d, excess_of(d, loss, left), loss, left);
        return true;
    }
    if (g->freedom == 0 && d->range.count < RESIDUALS_MIN) return false;
    weigh_by_runs(d);
    const double off = bl_stats_curve_loss(log(c->b_crit), c->p, g->cells, g->count);
    const double seeds = g->freedom > 0 ? g->variance * g->freedom : 0;
    if (g->freedom + left < 2) return false;
    double variance = (off + seeds) / (g->freedom + left);
    /* With single runs the gaps are part of what is seen: no less than they alone would make. */
    double gaps = 0;
    for (size_t i = 0; i < g->count && g->freedom == 0; i++)
        gaps += g->gap[i] * g->gap[i] / 12 / (double)g->count;
    weigh(d, fmax(variance, gaps), g->freedom + left, 0);
    return true;
}

/* The fit of one member of the family (p_most = 1: the hyperbola), its test and its intervals. */
static void fit_curve(bl_stats_curve_fit *out, data *d, double p_most) {
    const bl_stats_groups *g = &d->groups;
    *out = (bl_stats_curve_fit){.s_min = bl_stats_unknown(),
                                .b_crit = bl_stats_unknown(),
                                .p = bl_stats_unknown(),
                                .rms = bl_stats_unknown(),
                                .worst_deviation = (double)NAN};
    if (g->freedom > 0)
        weigh(d, g->variance, g->freedom, tolerated * tolerated);
    else
        weigh_by_runs(d);
    if (!bl_stats_fit_curve(&out->curve, g->cells, g->count, p_most)) return;
    const bl_stats_curve *c = &out->curve;
    const int used = bl_stats_curve_free(c, p_most);
    out->known = true;
    out->worst_deviation = bl_stats_curve_deviation(c, g->cells, g->count);
    out->rms = rms_of(squares_of(d, c), (double)d->range.count - used, g->repeated == 0);
    if (g->freedom >= TEST_FREEDOM)
        out->lack = lack_of_fit(bl_stats_curve_loss(log(c->b_crit), c->p, g->cells, g->count),
                                d->range.count, used, d->freedom);
    out->refused = out->lack.known && out->lack.p_value < REFUSE;
    if (out->lack.known)
        out->misfit = sqrt(excess_of(d, out->lack.f * out->lack.df1, out->lack.df1));
    const double u = log(c->b_crit);
    out->b_crit = batch_in_range(u, 0, &d->range);
    /* While the curve still falls at the largest batch size, its end is all that is seen. */
    out->s_min = u > d->range.high ? number(bl_stats_curve_at(c, exp(d->range.high)), -1)
                                   : number(c->s_min, 0);
    if (p_most > 1 && c->p < p_most && d->range.count >= BL_STATS_SHAPE_MIN)
        out->p = number(c->p, 0);
}

static bl_stats_profile profile_of(const data *d, const bl_stats_curve_fit *fit, double p_most) {
    const double t = bl_stats_t_quantile((1 + BL_STATS_LEVEL) / 2, d->freedom);
    return (bl_stats_profile){.cells = d->groups.cells,
                              .n = d->groups.count,
                              .curve = fit->curve,
                              .p_most = d->range.count >= BL_STATS_SHAPE_MIN ? p_most : 1,
                              .rise = t * t,
                              .low = d->range.low,
                              .high = d->range.high};
}

/* The curve's own numbers. False where the scatter is not known. */
static bool curve_intervals(bl_stats_profile *profile, bl_stats_curve_fit *fit, data *d,
                            double p_most) {
    if (d->options.replicates == 0 || !fit->known) return false;
    if (!weigh_for_intervals(d, &fit->curve, p_most)) return false;
    *profile = profile_of(d, fit, p_most);
    /* Other weights move the best curve a little, and a profile starts at the least loss. */
    if (d->groups.freedom > 0 && (d->groups.freedom < POOL_FREEDOM || fit->misfit > 0))
        (void)bl_stats_fit_curve(&profile->curve, profile->cells, profile->n, profile->p_most);
    const int free = bl_stats_curve_free(&profile->curve, profile->p_most);
    if (bl_stats_curve_covariance(fit->spread, &profile->curve, free, profile->cells, profile->n))
        for (int k = 0; k < free; k++)
            for (int l = 0; l < free; l++) fit->spread[k][l] *= profile->rise;
    bl_stats_profile_definition(profile, BL_STATS_B_CRIT, &fit->b_crit);
    if (fit->s_min.bound == 0) bl_stats_profile_floor(profile, &fit->s_min);
    if (fit->p.known) bl_stats_profile_shape(profile, &fit->p);
    return true;
}

double bl_stats_curve_band(const bl_stats_curve_fit *fit, double batch_size) {
    double by[3], sum = 0;
    bl_stats_curve_slopes(by, log(fit->curve.b_crit / batch_size), fit->curve.p);
    for (int k = 0; k < 3; k++)
        for (int l = 0; l < 3; l++) sum += by[k] * fit->spread[k][l] * by[l];
    return exp(sqrt(fmax(0, sum)));
}

/* ---- segments ---- */

/* Where the curve lies `gap` above the perfect-scaling line; may lie beyond the range. */
static double departs(double gap, double p, double q, double s) {
    const double in_middle = s < 1 ? p + gap / (1 - s) : HUGE_VAL;
    return in_middle <= q ? in_middle : p + s * (q - p) + gap;
}

/* Where the curve has come down to `gap` above its floor. */
static double arrives(double gap, double p, double q, double s) {
    const double in_middle = s > 0 ? q - gap / s : -HUGE_VAL;
    return in_middle >= p ? in_middle : p + s * (q - p) - gap;
}

/* The numbers that the segments give, in the order of bl_stats_segments_fit, then definitions. */
typedef enum quantity { G_EXAMPLES, G_S_MIN, G_SLOPE, G_KNEE_LOW, G_KNEE_HIGH, G_COUNT } quantity;
enum { QUANTITY_COUNT = (int)G_COUNT + (int)BL_STATS_DEFINITION_COUNT };

/* In logs, x = log B: the line y = a - x up to the knee p, slope -s to the knee q, then the floor.
 * Line and floor would meet at x = p + s (q - p), that is E_min / S_min. */
static void from_segments(bl_stats_value q_of[QUANTITY_COUNT], const bl_stats_segments *g,
                          const range *r) {
    const double p = log(g->knee_low), q = log(g->knee_high), s = -g->slope;
    const double end = departs(near, p, q, s), useful = arrives(near, p, q, s);
    /* A segment counts as seen when two measured batch sizes lie on it, within 10 %. */
    const bool line = end >= r->second, floor_seen = useful <= r->last_but_one;
    /* An unseen line lies lower than fitted, so the curve leaves it earlier; an unseen floor lies
     * lower, so the curve arrives later. */
    const int early = line ? 0 : -1, late = floor_seen ? 0 : 1;
    for (int i = 0; i < QUANTITY_COUNT; i++) q_of[i] = bl_stats_unknown();
    q_of[G_EXAMPLES] = number(g->examples, early);
    q_of[G_S_MIN] = number(bl_stats_segments_floor(g), -late);
    q_of[G_SLOPE] = q - p > 1e-6 ? number(g->slope, 0) : bl_stats_unknown();
    q_of[G_KNEE_LOW] = number(g->knee_low, line ? end > r->high : -1);
    q_of[G_KNEE_HIGH] = number(g->knee_high, late);
    bl_stats_value *of = q_of + G_COUNT;
    of[BL_STATS_PERFECT_END] = batch_in_range(end, early, r);
    of[BL_STATS_OVERHEAD_20] = batch_in_range(departs(log(1.2), p, q, s), early, r);
    of[BL_STATS_OVERHEAD_20_FROM] = of[BL_STATS_OVERHEAD_20];
    of[BL_STATS_MAX_USEFUL] = batch_in_range(useful, late, r);
    of[BL_STATS_B_CRIT] = early != 0 && late != 0
                              ? bl_stats_unknown()
                              : batch_in_range(p + s * (q - p), early + late, r);
    of[BL_STATS_EFFICIENCY_50] = batch_in_range(departs(log(2.0), p, q, s), early, r);
}

static void segments_of_cells(bl_stats_value out[], const bl_stats_cell *cells, size_t n,
                              const void *context) {
    (void)context;
    bl_stats_segments g;
    const range r = measured_range(cells, n);
    for (int i = 0; i < QUANTITY_COUNT; i++) out[i] = bl_stats_unknown();
    if (r.fall >= near && bl_stats_fit_segments(&g, cells, n)) from_segments(out, &g, &r);
}

/* Do the segments, which have one parameter more, explain more than the curve? The unit is what
 * means are off by, or what the segments leave where that is more. */
static bl_stats_test gain_of(const bl_stats_critical *c, const data *d, double left) {
    const bl_stats_curve *curve = &c->curve.curve;
    const double df = (double)d->range.count - 4, rest = left / df;
    const double more =
        bl_stats_curve_loss(log(curve->b_crit), curve->p, d->groups.cells, d->groups.count) - left;
    bl_stats_test t = {.known = true, .df1 = 1, .df2 = df, .f = fmax(0, more) / rest};
    if (d->groups.freedom >= TEST_FREEDOM && rest <= 1) t.f = fmax(0, more), t.df2 = d->freedom;
    t.p_value = more > 0 ? bl_stats_f_tail(t.f, t.df1, t.df2) : 1;
    return t;
}

/* Whether segments answer, from their test against the curve. */
static bool stands_in(const bl_stats_critical *c, const data *d, const bl_stats_test *gain) {
    if (d->options.scaling != BL_STATS_SCALING_AUTO)
        return d->options.scaling == BL_STATS_SCALING_SEGMENTS;
    if (d->groups.freedom >= TEST_FREEDOM) return gain->p_value < far_better;
    return c->curve.worst_deviation > far_off && d->range.count >= RESIDUALS_MIN &&
           gain->p_value < far_better_alone;
}

/* The segments' intervals, by resampling, with what they leave unexplained in them. */
static void segments_intervals(bl_stats_value q[QUANTITY_COUNT], data *d, double loss, double df) {
    const bl_stats_groups *g = &d->groups;
    if (g->freedom == 0)
        weigh(d, fmax(loss / df, least_variance), df, 0);
    else
        weigh_excess(d, excess_of(d, loss, df), loss, df);
    if (d->options.replicates > 0)
        bl_stats_resample(q, QUANTITY_COUNT, segments_of_cells, NULL, g->cells, g->count,
                          d->freedom, &d->options);
}

/* Segments that left nothing would not stand in: most tables end here, and cost no second fit. */
static bool hopeless(const bl_stats_critical *c, const data *d) {
    if (d->options.scaling != BL_STATS_SCALING_AUTO || d->groups.freedom < TEST_FREEDOM)
        return false;
    const bl_stats_test *t = &c->curve.lack;
    return t->known && bl_stats_f_tail(t->f * t->df1, 1, d->freedom) >= far_better;
}

/* The segments where they stand in for the curve. */
static void fit_segments(bl_stats_critical *c, data *d) {
    bl_stats_groups *g = &d->groups;
    bl_stats_segments_fit *s = &c->segments;
    if (g->freedom > 0)
        weigh(d, g->variance, g->freedom, tolerated * tolerated);
    else
        weigh_by_runs(d);
    if (d->range.count <= BL_STATS_SEGMENTS_MIN || hopeless(c, d) ||
        !bl_stats_fit_segments(&s->curve, g->cells, g->count))
        return;
    const double loss = bl_stats_segments_loss(&s->curve, g->cells, g->count);
    const double df = (double)d->range.count - 4;
    s->gain = gain_of(c, d, loss);
    if (g->freedom >= TEST_FREEDOM) {
        s->lack = lack_of_fit(loss, d->range.count, 4, d->freedom);
        s->misfit = sqrt(excess_of(d, loss, df));
        s->refused = s->lack.p_value < REFUSE;
    }
    s->known = stands_in(c, d, &s->gain);
    if (!s->known) return;
    s->worst_deviation = bl_stats_segments_deviation(&s->curve, g->cells, g->count);
    bl_stats_value q[QUANTITY_COUNT];
    from_segments(q, &s->curve, &d->range);
    const bool answers = !s->refused || s->misfit <= useless;
    if (answers) segments_intervals(q, d, loss, df);
    s->examples = q[G_EXAMPLES];
    s->s_min = q[G_S_MIN];
    s->slope = q[G_SLOPE];
    s->knee_low = q[G_KNEE_LOW];
    s->knee_high = q[G_KNEE_HIGH];
    if (!answers) return;
    c->source = BL_STATS_BY_SEGMENTS;
    for (int i = 0; i < BL_STATS_DEFINITION_COUNT; i++) c->of[i] = q[(int)G_COUNT + i];
}

/* ---- all of it ---- */

/* The definitions of the curve, with intervals where the scatter is known. */
static void answer_by_curve(bl_stats_critical *c, data *d, const bl_stats_profile *profile) {
    c->source = BL_STATS_BY_CURVE;
    for (int i = 0; i < BL_STATS_DEFINITION_COUNT; i++) {
        const bl_stats_definition def = (bl_stats_definition)i;
        const double x = bl_stats_definition_at(def, &c->curve.curve, d->groups.cells[0].log_b);
        c->of[i] = batch_in_range(x, 0, &d->range);
        if (profile != NULL) bl_stats_profile_definition(profile, def, &c->of[i]);
    }
    const bl_stats_curve *curve = &c->curve.curve;
    c->corner = bl_stats_definition_at(BL_STATS_PERFECT_END, curve, 0) >
                bl_stats_definition_at(BL_STATS_MAX_USEFUL, curve, 0);
}

double bl_stats_critical_at(const bl_stats_critical *c, double batch_size) {
    switch (c->source) {
    case BL_STATS_BY_CURVE:
        return bl_stats_curve_at(&c->curve.curve, batch_size);
    case BL_STATS_BY_SEGMENTS:
        return bl_stats_segments_at(&c->segments.curve, batch_size);
    default:
        return (double)NAN;
    }
}

/* What intervals took their scatter from. */
static bl_stats_noise noise_of(const data *d, bool any) {
    size_t single = 0;
    for (size_t c = 0; c < d->groups.count; c++)
        single += d->groups.first[c + 1] - d->groups.first[c] == 1 && !d->groups.cells[c].censored;
    if (!any) return BL_STATS_NOISE_NONE;
    if (d->groups.freedom == 0) return BL_STATS_NOISE_RESIDUALS;
    return single > 0 ? BL_STATS_NOISE_BORROWED : BL_STATS_NOISE_SEEDS;
}

static int percent(double deviation) {
    return (int)lround(100 * fmin(deviation, 1e6));
}

/* " to within 4 %" of a fit that the test refuses and that is near enough to answer. */
static const char *within(char out[24], bool refused, double misfit) {
    out[0] = '\0';
    if (refused) (void)snprintf(out, 24, " to within %d %%", percent(misfit));
    return out;
}

static void describe_segments(const bl_stats_critical *c, char *out, size_t cap) {
    const bl_stats_segments_fit *s = &c->segments;
    char near_enough[24];
    within(near_enough, s->refused, s->misfit);
    if (c->scaling == BL_STATS_SCALING_SEGMENTS && s->lack.known)
        (void)snprintf(out, cap,
                       "three straight segments, as asked for, describe the data%s (F test, "
                       "p-value %.2g)",
                       near_enough, s->lack.p_value);
    else if (c->scaling == BL_STATS_SCALING_SEGMENTS)
        (void)snprintf(out, cap, "three straight segments, as asked for, miss by %d %% at most",
                       percent(s->worst_deviation));
    else if (s->lack.known)
        (void)snprintf(out, cap,
                       "no smooth curve describes the data as well as segments do (F test, p-value "
                       "%.2g): three straight segments stand in%s",
                       s->gain.p_value, near_enough);
    else
        (void)snprintf(out, cap,
                       "the curve misses by %d %%: three straight segments stand in (they miss by "
                       "%d %%)",
                       percent(c->curve.worst_deviation), percent(s->worst_deviation));
}

static void describe_curve(const bl_stats_critical *c, char *out, size_t cap) {
    const bl_stats_curve_fit *f = &c->curve;
    const char *outside =
        f->b_crit.bound != 0 ? "; its bend lies outside the measured batch sizes" : "";
    char near_enough[24];
    within(near_enough, f->refused, f->misfit);
    if (c->fitted_from > 0)
        (void)snprintf(out, cap,
                       "one curve describes batch sizes from %.9g on (F test, p-value %.2g); "
                       "smaller ones cost more steps and more examples, and are left out",
                       c->fitted_from, f->lack.p_value);
    else if (f->lack.known)
        (void)snprintf(out, cap, "one curve describes the data%s (F test, p-value %.2g)%s",
                       near_enough, f->lack.p_value, outside);
    else
        (void)snprintf(out, cap,
                       "the curve misses by %d %% at most; too few runs are repeated to test it%s",
                       percent(f->worst_deviation), outside);
}

/* Of a curve that was fitted. */
static void describe(const bl_stats_critical *c, char *out, size_t cap) {
    if (c->source == BL_STATS_BY_CURVE)
        describe_curve(c, out, cap);
    else if (c->source == BL_STATS_BY_SEGMENTS)
        describe_segments(c, out, cap);
    else
        (void)snprintf(out, cap,
                       "no curve describes the data (F test, p-value %.2g): critical sizes "
                       "are left out",
                       c->segments.known ? c->segments.lack.p_value : c->curve.lack.p_value);
}

/* One sentence: what the answer rests on, or why there is none. */
static void write_verdict(bl_stats_critical *c, const range *r) {
    char *out = c->verdict;
    const size_t cap = sizeof c->verdict;
    if (r->count < BL_STATS_CURVE_MIN)
        (void)snprintf(out, cap,
                       "too little data: %zu batch size%s reached the target, a fit needs %d",
                       r->count, r->count == 1 ? "" : "s", BL_STATS_CURVE_MIN);
    else if (!c->curve.known)
        (void)snprintf(out, cap,
                       "the steps do not fall as the batch size grows: there is no scaling to fit");
    else
        describe(c, out, cap);
}

/* Everything unknown but the data's size and scatter. */
static void start(bl_stats_critical *out, size_t points, const data *d) {
    const bl_stats_groups *g = &d->groups;
    const range *r = &d->range;
    *out = (bl_stats_critical){.points = points,
                               .scaling = d->options.scaling,
                               .batch_sizes = g->count,
                               .censored = g->count - r->count,
                               .batch_low = r->count > 0 ? exp(r->low) : (double)NAN,
                               .batch_high = r->count > 0 ? exp(r->high) : (double)NAN,
                               .scatter = g->freedom > 0 ? sqrt(g->variance) : (double)NAN,
                               .scatter_freedom = g->freedom};
    bl_stats_value *const values[] = {
        &out->curve.s_min,       &out->curve.b_crit,    &out->curve.p,
        &out->curve.rms,         &out->hyperbola.s_min, &out->hyperbola.b_crit,
        &out->hyperbola.p,       &out->hyperbola.rms,   &out->segments.examples,
        &out->segments.s_min,    &out->segments.slope,  &out->segments.knee_low,
        &out->segments.knee_high};
    for (size_t i = 0; i < BL_COUNT(values); i++) *values[i] = bl_stats_unknown();
    for (int i = 0; i < BL_STATS_DEFINITION_COUNT; i++) out->of[i] = bl_stats_unknown();
    out->curve.worst_deviation = out->hyperbola.worst_deviation = out->segments.worst_deviation =
        (double)NAN;
}

/* Where the steps fall by less than 10 % over all batch sizes there is no scaling to fit. */
static void fit_all(bl_stats_critical *out, data *d) {
    if (d->range.count == 0 || d->range.fall < near) return;
    bl_stats_profile profile;
    fit_curve(&out->hyperbola, d, 1);
    (void)curve_intervals(&profile, &out->hyperbola, d, 1);
    fit_curve(&out->curve, d, BL_STATS_SHAPE_MOST);
    if (!out->curve.known) return;
    if (d->options.scaling != BL_STATS_SCALING_CURVE) fit_segments(out, d);
    const bool any = curve_intervals(&profile, &out->curve, d, BL_STATS_SHAPE_MOST);
    const bool answers = !out->curve.refused || out->curve.misfit <= useless;
    if (!out->segments.known && answers) answer_by_curve(out, d, any ? &profile : NULL);
    out->noise = noise_of(d, any);
}

/* How many of the smallest batch sizes certainly take more examples, and so more of everything,
 * than some larger one. Which one that is the data chose: Tukey's range, as in optimum.c. */
static size_t count_dominated(data *d) {
    const bl_stats_groups *g = &d->groups;
    weigh(d, g->variance, g->freedom, 0);
    const double limit =
        bl_stats_range_quantile(BL_STATS_LEVEL, (int)g->count, d->freedom) / sqrt(2);
    const bl_stats_cell *best = NULL;
    for (size_t c = 0; c < g->count; c++) {
        const bl_stats_cell *cell = &g->cells[c];
        if (cell->censored) continue;
        if (best == NULL || cell->log_s + cell->log_b < best->log_s + best->log_b) best = cell;
    }
    size_t n = 0;
    for (; best != NULL && &g->cells[n] < best; n++) {
        const bl_stats_cell *cell = &g->cells[n];
        const double more = cell->log_s + cell->log_b - best->log_s - best->log_b;
        if (more <= limit * sqrt(1 / cell->weight + 1 / best->weight)) break;
    }
    return n;
}

/* Everything that the points say together, without the sentence. *dominated: smallest batch sizes
 * that may be left out. */
static bl_status fit_points(bl_stats_critical *out, size_t *dominated, const bl_stats_point *points,
                            size_t n, const bl_stats_options *options, bl_err *err) {
    data d = {.options = *options};
    BL_TRY(bl_stats_groups_init(&d.groups, points, n, BL_STATS_COUNT_MIDDLE, err));
    d.range = measured_range(d.groups.cells, d.groups.count);
    start(out, n, &d);
    fit_all(out, &d);
    *dominated = 0;
    if (out->source != BL_STATS_BY_SEGMENTS && out->curve.refused) *dominated = count_dominated(&d);
    write_verdict(out, &d.range);
    bl_stats_groups_deinit(&d.groups);
    return BL_OK;
}

/* The points of larger batch sizes than the smallest one of `points`; their number. */
static size_t drop_smallest(bl_stats_point *points, size_t n) {
    double smallest = HUGE_VAL;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) smallest = fmin(smallest, points[i].batch_size);
    for (size_t i = 0; i < n; i++)
        if (points[i].batch_size > smallest) points[kept++] = points[i];
    return kept;
}

/* Leaves out dominated batch sizes until the test refuses the curve of the rest no longer. */
static bl_status fit_without_smallest(bl_stats_critical *out, size_t dominated,
                                      const bl_stats_point *points, size_t n,
                                      const bl_stats_options *options, bl_err *err) {
    bl_stats_point *rest = bl_xalloc(n * sizeof *rest);
    memcpy(rest, points, n * sizeof *rest);
    bl_status status = BL_OK;
    for (size_t left = n, ignored; dominated > 0 && status == BL_OK; dominated--) {
        bl_stats_critical c;
        left = drop_smallest(rest, left);
        status = fit_points(&c, &ignored, rest, left, options, err);
        if (status != BL_OK || c.batch_sizes - c.censored < BL_STATS_SHAPE_MIN) break;
        if (c.source != BL_STATS_BY_CURVE || c.curve.refused) continue;
        c.fitted_from = c.batch_low;
        c.points = out->points;
        c.batch_sizes = out->batch_sizes;
        c.censored = out->censored;
        *out = c;
        describe(out, out->verdict, sizeof out->verdict);
        break;
    }
    free(rest);
    return status;
}

bl_status bl_stats_critical_fit(bl_stats_critical *out, const bl_stats_point *points, size_t n,
                                const bl_stats_options *options, bl_err *err) {
    size_t dominated;
    BL_TRY(fit_points(out, &dominated, points, n, options, err));
    return dominated > 0 ? fit_without_smallest(out, dominated, points, n, options, err) : BL_OK;
}
