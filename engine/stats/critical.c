/* Critical batch sizes: how far does a larger batch still pay?
 *
 * From one median of log steps for each batch size come two fits (fit.h): the hyperbola
 * S(B) = s_min (1 + b_crit / B) of McCandlish et al. 2018 (arXiv 1812.06162) and the three segments
 * that Shallue et al. 2019 (arXiv 1811.03600) saw. From the fits come the derived numbers of
 * `quantity`:
 *
 *     efficiency_50        E_min / S_min: twice the examples of small batches; the hyperbola's
 * b_crit perfect_scaling_end  10 % more steps than the perfect-scaling line S = E_min / B promises
 *     overhead_20          20 % more
 *     max_useful           steps within 10 % of the floor S_min
 *
 * Every derived number is computed by one function, estimate(), from the medians of one data set;
 * the bootstrap calls the same function on resampled medians. A number that leaves the measured
 * range becomes a bound at the range's end, in replicates too, so that intervals inherit the
 * honesty. */
#include "engine/stats/critical.h"
#include "engine/base/mem.h"
#include "engine/stats/groups.h"
#include <math.h>
#include <stdio.h>

/* The derived numbers, in the order of bl_stats_critical. */
typedef enum quantity {
    H_S_MIN,
    H_B_CRIT,
    G_EXAMPLES,
    G_S_MIN,
    G_SLOPE,
    G_KNEE_LOW,
    G_KNEE_HIGH,
    C_EFFICIENCY_50,
    C_OVERHEAD_20,
    C_PERFECT_END,
    C_MAX_USEFUL,
    QUANTITY_COUNT
} quantity;

#define NEAR     log(1.1) /* "within 10 %" */
#define OVERHEAD log(1.2)

typedef struct estimates {
    bl_stats_value q[QUANTITY_COUNT];
    bl_stats_hyperbola hyperbola;
    bl_stats_segments segments;
    bool hyperbola_known, segments_known;
} estimates;

/* The measured range in logs; `second` and `last_but_one` are where two cells lie inside. */
typedef struct range {
    double low, second, last_but_one, high;
    size_t count;
    double fall; /* how far the medians fall from a smaller to a larger batch size, in logs */
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

/* S = s_min (1 + b_crit / B): at B = b_crit the steps are twice the floor and the examples B S
 * twice their minimum s_min b_crit (McCandlish et al. 2018). */
static void from_hyperbola(estimates *e, const range *r) {
    const double u = log(e->hyperbola.b_crit);
    e->q[H_B_CRIT] = batch_in_range(u, 0, r);
    /* While the curve still falls at the largest batch size, its end is all that is seen. */
    e->q[H_S_MIN] = u > r->high ? number(bl_stats_hyperbola_at(&e->hyperbola, exp(r->high)), -1)
                                : number(e->hyperbola.s_min, 0);
    e->q[C_EFFICIENCY_50] = e->q[H_B_CRIT];
}

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

/* In logs, x = log B: the line y = a - x up to the knee p, slope -s to the knee q, then the floor.
 * With `efficiency` also where line and floor would meet: x = p + s (q - p), that is E_min / S_min.
 */
static void from_segments(estimates *e, const range *r, bool efficiency) {
    const double p = log(e->segments.knee_low), q = log(e->segments.knee_high);
    const double s = -e->segments.slope;
    const double end = departs(NEAR, p, q, s), useful = arrives(NEAR, p, q, s);
    /* A segment counts as seen when two measured batch sizes lie on it, within 10 %. */
    const bool line = end >= r->second, floor_seen = useful <= r->last_but_one;
    /* An unseen line lies lower than fitted, so the curve leaves it earlier; an unseen floor lies
     * lower, so the curve arrives later. */
    const int early = line ? 0 : -1, late = floor_seen ? 0 : 1;
    e->q[G_EXAMPLES] = number(e->segments.examples, early);
    e->q[G_S_MIN] = number(bl_stats_segments_floor(&e->segments), -late);
    e->q[G_SLOPE] = q - p > 1e-6 ? number(e->segments.slope, 0) : bl_stats_unknown();
    e->q[G_KNEE_LOW] = number(e->segments.knee_low, line ? end > r->high : -1);
    e->q[G_KNEE_HIGH] = number(e->segments.knee_high, late);
    e->q[C_PERFECT_END] = batch_in_range(end, early, r);
    e->q[C_OVERHEAD_20] = batch_in_range(departs(OVERHEAD, p, q, s), early, r);
    e->q[C_MAX_USEFUL] = batch_in_range(useful, late, r);
    if (!efficiency) return;
    const double meet = p + s * (q - p);
    e->q[C_EFFICIENCY_50] =
        early != 0 && late != 0 ? bl_stats_unknown() : batch_in_range(meet, early + late, r);
}

/* Everything that one set of medians says. Where the steps fall by less than 10 % over all batch
 * sizes there is no scaling to fit. `by_segments`: the half-efficiency point is the segments'. */
static void estimate(estimates *e, const bl_stats_cell *cells, size_t n, bool by_segments) {
    *e = (estimates){0};
    for (int i = 0; i < QUANTITY_COUNT; i++) e->q[i] = bl_stats_unknown();
    const range r = measured_range(cells, n);
    if (r.count == 0 || r.fall < NEAR) return;
    e->hyperbola_known = bl_stats_fit_hyperbola(&e->hyperbola, cells, n);
    e->segments_known = bl_stats_fit_segments(&e->segments, cells, n);
    if (e->hyperbola_known) from_hyperbola(e, &r);
    if (e->segments_known) from_segments(e, &r, by_segments);
}

/* Percentile intervals. A replicate is itself an interval, [value, value] or open on the side of
 * its bound, or everything when it found no answer; low and high are the outer order statistics. */
static void bootstrap(bl_stats_value q[QUANTITY_COUNT], const bl_stats_groups *g,
                      const bl_stats_options *options, bool by_segments) {
    const size_t n = (size_t)options->replicates;
    const double tail = (1 - BL_STATS_LEVEL) / 2;
    const size_t low_at = (size_t)floor(tail * (double)(n - 1));
    double *low = bl_xalloc(QUANTITY_COUNT * n * sizeof *low);
    double *high = bl_xalloc(QUANTITY_COUNT * n * sizeof *high);
    bl_stats_cell *cells = bl_xalloc(g->count * sizeof *cells);
    for (size_t r = 0; r < n; r++) {
        estimates e;
        bl_stats_groups_resample(g, cells, options->seed, r);
        estimate(&e, cells, g->count, by_segments);
        for (size_t i = 0; i < QUANTITY_COUNT; i++) {
            const bl_stats_value *v = &e.q[i];
            low[i * n + r] = v->known && v->bound >= 0 ? v->value : i == G_SLOPE ? -1 : 0;
            high[i * n + r] = v->known && v->bound <= 0 ? v->value : i == G_SLOPE ? 0 : HUGE_VAL;
        }
    }
    for (size_t i = 0; i < QUANTITY_COUNT; i++) {
        if (!q[i].known) continue;
        bl_stats_sort(low + i * n, n);
        bl_stats_sort(high + i * n, n);
        q[i].low = low[i * n + low_at];
        q[i].high = high[i * n + n - 1 - low_at];
    }
    free(low);
    free(high);
    free(cells);
}

static int percent(double deviation) {
    return (int)lround(100 * fmin(deviation, 1e6));
}

/* One sentence: which curve the answer rests on, or why there is none. */
static void write_verdict(bl_stats_critical *c, const range *r) {
    const bl_stats_hyperbola_fit *h = &c->hyperbola;
    const bl_stats_segments_fit *g = &c->segments;
    const int hp = percent(h->worst_deviation), gp = percent(g->worst_deviation);
    char *out = c->verdict;
    const size_t cap = sizeof c->verdict;
    if (r->count < BL_STATS_HYPERBOLA_MIN)
        (void)snprintf(out, cap,
                       "too little data: %zu batch size%s reached the target, a fit needs %d",
                       r->count, r->count == 1 ? "" : "s", BL_STATS_HYPERBOLA_MIN);
    else if (!h->known)
        (void)snprintf(out, cap,
                       "the steps do not fall as the batch size grows: there is no scaling to fit");
    else if (h->fits)
        (void)snprintf(out, cap, "the hyperbola describes the data (worst deviation %d %%)%s", hp,
                       h->b_crit.bound == 0 ? ""
                                            : "; its bend lies outside the measured batch sizes");
    else if (!g->known)
        (void)snprintf(
            out, cap, "the hyperbola misses by %d %%, and %zu batch sizes are too few for segments",
            hp, r->count);
    else if (g->fits)
        (void)snprintf(
            out, cap, "the hyperbola misses by %d %%: rest on the segments (worst deviation %d %%)",
            hp, gp);
    else
        (void)snprintf(out, cap,
                       "neither curve describes the data: the hyperbola misses by %d %%, "
                       "the segments by %d %%",
                       hp, gp);
}

/* The derived numbers in the order in which readers have them. */
static void fill(bl_stats_critical *c, const estimates *e) {
    const bl_stats_value *q = e->q;
    c->hyperbola.s_min = q[H_S_MIN];
    c->hyperbola.b_crit = q[H_B_CRIT];
    c->segments.examples = q[G_EXAMPLES];
    c->segments.s_min = q[G_S_MIN];
    c->segments.slope = q[G_SLOPE];
    c->segments.knee_low = q[G_KNEE_LOW];
    c->segments.knee_high = q[G_KNEE_HIGH];
    c->efficiency_50 = q[C_EFFICIENCY_50];
    c->overhead_20 = q[C_OVERHEAD_20];
    c->perfect_scaling_end = q[C_PERFECT_END];
    c->max_useful = q[C_MAX_USEFUL];
}

/* The curves of the data themselves, and which of them the answer rests on. */
static void judge_curves(bl_stats_critical *c, const estimates *e, const bl_stats_groups *g) {
    bl_stats_hyperbola_fit *h = &c->hyperbola;
    bl_stats_segments_fit *s = &c->segments;
    h->known = e->hyperbola_known;
    s->known = e->segments_known;
    h->worst_deviation = s->worst_deviation = (double)NAN;
    if (h->known) {
        h->curve = e->hyperbola;
        h->worst_deviation = bl_stats_hyperbola_deviation(&h->curve, g->cells, g->count);
        h->fits = h->worst_deviation <= BL_STATS_TOLERANCE;
    }
    if (s->known) {
        s->curve = e->segments;
        s->worst_deviation = bl_stats_segments_deviation(&s->curve, g->cells, g->count);
        s->fits = s->worst_deviation <= BL_STATS_TOLERANCE;
    }
    c->efficiency_by_segments = s->known && !h->fits;
}

/* One seed everywhere: what lies between the data and the curve that describes them better counts
 * as noise, lack of fit included. */
static void noise_from_residuals(bl_stats_groups *g, const bl_stats_critical *c) {
    const bool by_hyperbola = !(c->segments.worst_deviation < c->hyperbola.worst_deviation);
    double *fitted = bl_xalloc(g->count * sizeof *fitted);
    for (size_t i = 0; i < g->count; i++) {
        const double b = exp(g->cells[i].log_b);
        fitted[i] = log(by_hyperbola ? bl_stats_hyperbola_at(&c->hyperbola.curve, b)
                                     : bl_stats_segments_at(&c->segments.curve, b));
    }
    bl_stats_groups_use_residuals(g, fitted, by_hyperbola ? 2 : 4);
    free(fitted);
}

bl_status bl_stats_critical_fit(bl_stats_critical *out, const bl_stats_point *points, size_t n,
                                const bl_stats_options *options, bl_err *err) {
    bl_stats_groups g;
    BL_TRY(bl_stats_groups_init(&g, points, n, err));
    const range r = measured_range(g.cells, g.count);
    *out = (bl_stats_critical){.points = n,
                               .batch_sizes = g.count,
                               .censored = g.count - r.count,
                               .batch_low = r.count > 0 ? exp(r.low) : (double)NAN,
                               .batch_high = r.count > 0 ? exp(r.high) : (double)NAN};
    estimates e;
    estimate(&e, g.cells, g.count, false);
    judge_curves(out, &e, &g);
    if (out->efficiency_by_segments) estimate(&e, g.cells, g.count, true);
    if (g.noise == BL_STATS_NOISE_NONE && e.hyperbola_known) noise_from_residuals(&g, out);
    if (options->replicates > 0 && g.noise != BL_STATS_NOISE_NONE && e.hyperbola_known) {
        out->noise = g.noise;
        bootstrap(e.q, &g, options, out->efficiency_by_segments);
    }
    fill(out, &e);
    write_verdict(out, &r);
    bl_stats_groups_deinit(&g);
    return BL_OK;
}
