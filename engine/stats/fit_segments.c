/* In logs, with knees p <= q:  y = a - min(x, p) - s (clamp(x, p, q) - p),  0 <= s <= 1.
 * For given knees a and s are a straight-line fit, so the search is over the two knees: a grid over
 * the measured range, then a pattern search. Where the data leave a choice (every bend between two
 * neighbouring cells fits as well) the sharpest bend is taken: `narrow` times the squared width of
 * the middle segment is added to the loss, too little to move a fit that the data decide. */
#include "engine/base/status.h"
#include "engine/stats/fit.h"
#include <math.h>

enum { GRID = 24, REFINEMENTS = 200 };
static const double narrow = 1e-9;

typedef struct knees {
    double p, q;
} knees;

typedef struct line {
    double level, s; /* a and s above */
} line;

/* Distance travelled along the middle segment, and the part before it. */
static double along(knees k, double x) {
    return fmin(fmax(x, k.p), k.q) - k.p;
}

static double curve_at(knees k, line l, double x) {
    return l.level - fmin(x, k.p) - l.s * along(k, x);
}

/* Least squares over the cells that take part: all measured ones, and censored ones above `prior`
 * (none when prior is NULL). */
static line solve(knees k, const line *prior, const bl_stats_cell *cells, size_t n) {
    double count = 0, sz = 0, sh = 0, shh = 0, shz = 0;
    for (size_t i = 0; i < n; i++) {
        const double x = cells[i].log_b;
        if (cells[i].censored && (prior == NULL || cells[i].log_s <= curve_at(k, *prior, x)))
            continue;
        const double z = cells[i].log_s + fmin(x, k.p), h = along(k, x), w = cells[i].weight;
        count += w, sz += w * z, sh += w * h, shh += w * h * h, shz += w * h * z;
    }
    const double var = shh - sh * sh / count, cov = shz - sh * sz / count;
    const double s = var > 1e-12 * count ? fmin(fmax(-cov / var, 0.0), 1.0) : 0.5;
    return (line){.level = (sz + s * sh) / count, .s = s};
}

/* What the knees cost, and the line that goes with them. Cells without a whole answer pull
 * upwards only, so which of them take part depends on the line: it is fitted until that set no
 * longer changes, n times at most. */
static double loss(knees k, line *fitted, const bl_stats_cell *cells, size_t n, bool any_censored) {
    line l = solve(k, NULL, cells, n);
    for (size_t pass = 0; any_censored && pass < n; pass++) {
        const line next = solve(k, &l, cells, n);
        if (next.level == l.level && next.s == l.s) break;
        l = next;
    }
    double sum = narrow * cells[0].weight * (k.q - k.p) * (k.q - k.p);
    for (size_t i = 0; i < n; i++) {
        const double r = cells[i].log_s - curve_at(k, l, cells[i].log_b);
        if (!cells[i].censored || r > 0) sum += cells[i].weight * r * r;
    }
    *fitted = l;
    return sum;
}

/* Moves the knees to the best of their eight neighbours at distance `step`, halved when there is no
 * better one. */
static knees refine(knees k, double best, double step, double lo, double hi,
                    const bl_stats_cell *cells, size_t n, bool any_censored) {
    for (int round = 0; round < REFINEMENTS && step > 1e-12; round++) {
        const knees from = k;
        for (int dp = -1; dp <= 1; dp++) {
            for (int dq = -1; dq <= 1; dq++) {
                const knees to = {fmin(fmax(from.p + dp * step, lo), hi),
                                  fmin(fmax(from.q + dq * step, lo), hi)};
                if (to.p > to.q) continue;
                line l;
                const double here = loss(to, &l, cells, n, any_censored);
                if (here < best) best = here, k = to;
            }
        }
        if (k.p == from.p && k.q == from.q) step /= 2;
    }
    return k;
}

/* Knees lie within the measured sizes: the grid has 25 x 26 / 2 pairs, then each step goes to
 * the best of eight neighbours. Values in logs become sizes and examples at the end. */
bool bl_stats_fit_segments(bl_stats_segments *out, const bl_stats_cell *cells, size_t n) {
    size_t measured = 0;
    double lo = HUGE_VAL, hi = -HUGE_VAL;
    for (size_t i = 0; i < n; i++) {
        if (cells[i].censored) continue;
        measured++;
        lo = fmin(lo, cells[i].log_b), hi = fmax(hi, cells[i].log_b);
    }
    if (measured < BL_STATS_SEGMENTS_MIN) return false;
    const bool any_censored = measured < n;
    const double step = (hi - lo) / GRID;
    knees k = {lo, lo};
    line l;
    double best = HUGE_VAL;
    for (int i = 0; i <= GRID; i++) {
        for (int j = i; j <= GRID; j++) {
            const knees here = {lo + step * i, lo + step * j};
            const double value = loss(here, &l, cells, n, any_censored);
            if (value < best) best = value, k = here;
        }
    }
    k = refine(k, best, step / 2, lo, hi, cells, n, any_censored);
    (void)loss(k, &l, cells, n, any_censored);
    *out = (bl_stats_segments){
        .examples = exp(l.level), .slope = 0 - l.s, .knee_low = exp(k.p), .knee_high = exp(k.q)};
    return true;
}

double bl_stats_segments_at(const bl_stats_segments *g, double batch_size) {
    const double low = fmin(batch_size, g->knee_low);
    const double mid = fmin(fmax(batch_size, g->knee_low), g->knee_high) / g->knee_low;
    return g->examples / low * pow(mid, g->slope);
}

double bl_stats_segments_floor(const bl_stats_segments *g) {
    return bl_stats_segments_at(g, g->knee_high);
}

double bl_stats_segments_loss(const bl_stats_segments *g, const bl_stats_cell *cells, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const double r = cells[i].log_s - log(bl_stats_segments_at(g, exp(cells[i].log_b)));
        if (!cells[i].censored || r > 0) sum += cells[i].weight * r * r;
    }
    return sum;
}

double bl_stats_segments_deviation(const bl_stats_segments *g, const bl_stats_cell *cells,
                                   size_t n) {
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        const double r = cells[i].log_s - log(bl_stats_segments_at(g, exp(cells[i].log_b)));
        worst = fmax(worst, cells[i].censored ? r : fabs(r));
    }
    return expm1(worst);
}
