/* In logs the hyperbola is  y = a + log(1 + exp(u - x))  with a = log s_min, u = log b_crit. For a
 * given u the best a is a mean, so the search is over u alone: a grid finds the valley, golden
 * section its bottom. */
#include "engine/base/status.h"
#include "engine/stats/fit.h"
#include <math.h>

enum { GRID = 64, GOLDEN_STEPS = 60 };

static double bend(double u, double x) {
    const double d = u - x;
    return d > 0 ? d + log1p(exp(-d)) : log1p(exp(d));
}

/* The best level for given u. A censored cell takes part only while the curve lies below it. The
 * slope of the loss is concave and rising in a, so Newton steps from the left never overshoot and
 * end after at most one step per censored cell. */
static double best_level(double u, const bl_stats_cell *cells, size_t n) {
    double level = -HUGE_VAL;
    for (size_t pass = 0; pass <= n + 1; pass++) {
        double sum = 0;
        size_t count = 0;
        for (size_t i = 0; i < n; i++) {
            const double gap = cells[i].log_s - bend(u, cells[i].log_b);
            if (cells[i].censored && (pass == 0 || gap <= level)) continue;
            sum += gap;
            count++;
        }
        const double next = sum / (double)count;
        if (pass > 0 && next <= level) break;
        level = next;
    }
    return level;
}

static double loss(double u, const bl_stats_cell *cells, size_t n) {
    const double level = best_level(u, cells, n);
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const double r = cells[i].log_s - level - bend(u, cells[i].log_b);
        if (!cells[i].censored || r > 0) sum += r * r;
    }
    return sum;
}

static double golden(double lo, double hi, const bl_stats_cell *cells, size_t n) {
    const double ratio = 0.6180339887498949;
    double a = hi - ratio * (hi - lo), b = lo + ratio * (hi - lo);
    double fa = loss(a, cells, n), fb = loss(b, cells, n);
    for (int i = 0; i < GOLDEN_STEPS; i++) {
        if (fa <= fb) {
            hi = b;
            b = a, fb = fa;
            a = hi - ratio * (hi - lo), fa = loss(a, cells, n);
        } else {
            lo = a;
            a = b, fa = fb;
            b = lo + ratio * (hi - lo), fb = loss(b, cells, n);
        }
    }
    return (lo + hi) / 2;
}

bool bl_stats_fit_hyperbola(bl_stats_hyperbola *out, const bl_stats_cell *cells, size_t n) {
    size_t measured = 0;
    for (size_t i = 0; i < n; i++) measured += !cells[i].censored;
    if (measured < BL_STATS_HYPERBOLA_MIN) return false;
    const double lo = cells[0].log_b - log(1000.0), hi = cells[n - 1].log_b + log(1000.0);
    const double step = (hi - lo) / GRID;
    int best = 0;
    double best_loss = HUGE_VAL;
    for (int i = 0; i <= GRID; i++) {
        const double here = loss(lo + step * i, cells, n);
        if (here < best_loss) best = i, best_loss = here;
    }
    const double u = golden(lo + step * (best - 1), lo + step * (best + 1), cells, n);
    out->b_crit = exp(u);
    out->s_min = exp(best_level(u, cells, n));
    return true;
}

double bl_stats_hyperbola_at(const bl_stats_hyperbola *h, double batch_size) {
    return h->s_min * (1 + h->b_crit / batch_size);
}

double bl_stats_hyperbola_deviation(const bl_stats_hyperbola *h, const bl_stats_cell *cells,
                                    size_t n) {
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        const double r = cells[i].log_s - log(bl_stats_hyperbola_at(h, exp(cells[i].log_b)));
        worst = fmax(worst, cells[i].censored ? r : fabs(r));
    }
    return expm1(worst);
}
