/* The distributions that intervals and tests need, from one special function and one quadrature.
 *
 *     I_x(a, b)     the continued fraction of Abramowitz and Stegun 26.5.8 by Lentz' method; of the
 *                   two ends of [0, 1] the one from which it converges quickly
 *     t, F          closed forms of I_x: A&S 26.7.1 and 26.6.2
 *     range         an integral over the pooled standard deviation s, whose density is that of
 *                   chi / sqrt(df), of an integral over a normal z. Both by the trapezoidal rule,
 *                   whose error falls exponentially for integrands that vanish smoothly at both
 *                   ends; s is integrated in log s, where its density has that shape
 *
 * Quantiles are found by bracketing and bisection mixed with secants (Illinois): each distribution
 * function is monotone and no derivative is needed. */
#include "engine/stats/distributions.h"
#include "engine/base/status.h"
#include <math.h>

static const double sqrt_half = 0.70710678118654752440, sqrt_2_pi = 2.50662827463100050242;
/* Beyond this many degrees of freedom t and the normal agree to all digits that are printed. */
static const double plenty = 1e8;
/* Precision of quantiles: each value of the range costs a double integral. */
static const double exact = 4e-14, quick = 1e-10;

/* ---- incomplete beta ---- */

/* The continued fraction of I_x(a, b), for x < (a + 1) / (a + b + 2). */
static double fraction(double x, double a, double b) {
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double value = d;
    for (int i = 1; i < 20000; i++) {
        const double m = i;
        const double steps[2] = {m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                                 -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))};
        double factor = 1;
        for (int k = 0; k < 2; k++) {
            d = 1 + steps[k] * d;
            c = 1 + steps[k] / c;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = fabs(c) < tiny ? tiny : c;
            factor = c * d;
            value *= factor;
        }
        if (fabs(factor - 1) < 1e-15) break;
    }
    return value;
}

double bl_stats_beta(double x, double a, double b) {
    BL_ASSERT(a > 0 && b > 0 && x >= 0 && x <= 1);
    if (x == 0 || x == 1) return x;
    const double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2)) return front * fraction(x, a, b) / a;
    return 1 - front * fraction(1 - x, b, a) / b;
}

/* ---- quantiles ---- */

typedef struct family {
    double (*cdf)(double x, const struct family *f);
    double df1, df2;
    int k;
    double precision; /* of a quantile, relative */
} family;

/* The x >= 0 with cdf(x) = p. The bracket doubles from 1; every third step halves it, so that a
 * secant that creeps along one end cannot go on for long. */
static double invert(double p, const family *f) {
    double lo = 0, hi = 1;
    double at_lo = f->cdf(lo, f) - p, at_hi = f->cdf(hi, f) - p;
    if (at_lo >= 0) return 0;
    for (int i = 0; at_hi < 0 && i < 1000; i++) {
        lo = hi, at_lo = at_hi;
        hi *= 2, at_hi = f->cdf(hi, f) - p;
    }
    for (int i = 0; i < 200 && hi - lo > f->precision * hi; i++) {
        double x = i % 3 == 2 ? (lo + hi) / 2 : lo - at_lo * (hi - lo) / (at_hi - at_lo);
        if (!(x > lo && x < hi)) x = (lo + hi) / 2;
        const double here = f->cdf(x, f) - p;
        if (here == 0) return x;
        if (here < 0) {
            lo = x, at_lo = here;
            at_hi *= i % 3 == 0 ? 1 : 0.5;
        } else {
            hi = x, at_hi = here;
            at_lo *= i % 3 == 0 ? 1 : 0.5;
        }
    }
    return (lo + hi) / 2;
}

/* ---- normal, Student's t, F ---- */

double bl_stats_normal_cdf(double z) {
    return 0.5 * erfc(-z * sqrt_half);
}

static double normal_of(double x, const family *f) {
    (void)f;
    return bl_stats_normal_cdf(x);
}

double bl_stats_normal_quantile(double p) {
    const family f = {.cdf = normal_of, .precision = exact};
    return p < 0.5 ? -invert(1 - p, &f) : invert(p, &f);
}

double bl_stats_t_tail(double t, double df) {
    if (df > plenty) return 2 * bl_stats_normal_cdf(-t);
    return isinf(t) ? 0 : bl_stats_beta(df / (df + t * t), df / 2, 0.5);
}

static double t_of(double x, const family *f) {
    return 1 - bl_stats_t_tail(x, f->df1) / 2;
}

double bl_stats_t_quantile(double p, double df) {
    const family f = {.cdf = t_of, .df1 = df, .precision = exact};
    return invert(p, &f);
}

double bl_stats_f_tail(double f, double df1, double df2) {
    if (f <= 0) return 1;
    if (isinf(f)) return 0;
    const double d2 = fmin(df2, plenty);
    return bl_stats_beta(d2 / (d2 + df1 * f), d2 / 2, df1 / 2);
}

static double f_of(double x, const family *f) {
    return 1 - bl_stats_f_tail(x, f->df1, f->df2);
}

double bl_stats_f_quantile(double p, double df1, double df2) {
    const family f = {.cdf = f_of, .df1 = df1, .df2 = df2, .precision = exact};
    return invert(p, &f);
}

/* ---- the studentized range ---- */

/* Logarithm of the density of w = log s, up to a constant: at its largest, 0, at w = 0. */
static double log_density(double w, double df) {
    return df * w - df / 2 * expm1(2 * w);
}

/* Where the density has fallen to exp(-40) on the side of `step`. */
static double reach(double df, double step) {
    double w = step;
    while (log_density(w, df) > -40) w += step;
    return w;
}

enum { NORMAL_POINTS = 64 };
static const double normal_reach = 8;

/* Given s: the smallest of k is z, the others within q s above it. */
static double range_given(double s, double q, const family *f) {
    const double step = 2 * normal_reach / NORMAL_POINTS;
    double sum = 0;
    for (int i = 0; i <= NORMAL_POINTS; i++) {
        const double z = -normal_reach + step * i;
        const double inside = bl_stats_normal_cdf(z + q * s) - bl_stats_normal_cdf(z);
        sum += exp(-z * z / 2) * pow(inside, f->k - 1);
    }
    return f->k * sum * step / sqrt_2_pi;
}

/* Its mean over s. The weights are normed by their own sum, so that no constant of the density is
 * needed. */
static double range_of(double q, const family *f) {
    if (f->df1 > plenty) return range_given(1, q, f);
    const double width = 1 / sqrt(2 * f->df1), step = fmin(width, 0.5) / 2.5;
    const double from = reach(f->df1, -step), to = reach(f->df1, step);
    double sum = 0, weights = 0;
    for (double w = from; w <= to; w += step) {
        const double weight = exp(log_density(w, f->df1));
        weights += weight;
        sum += weight * range_given(exp(w), q, f);
    }
    return sum / weights;
}

double bl_stats_range_cdf(double q, int k, double df) {
    return range_of(q, &(family){.df1 = df, .k = k});
}

double bl_stats_range_quantile(double p, int k, double df) {
    const family f = {.cdf = range_of, .df1 = df, .k = k, .precision = quick};
    return invert(p, &f);
}
