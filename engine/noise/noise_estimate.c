/* From probes to numbers with 95 % intervals.
 *
 * A probe's quarters are four samples of equal size. Leaving out quarter j gives the pair
 * (G_j, S_j) of the other three, without bias like the whole one. The jackknife's variance of a
 * number x is 3/4 sum (x_j - mean x_j)^2 (Efron and Stein 1981); it is rather too large than too
 * small. Over n probes of a window, whose examples are drawn anew each time,
 *
 *     var(mean x) = sum of the probes' variances / n^2            3 n degrees of freedom
 *
 * The interval of |G|^2 and of S is symmetric. That of R = S / |G|^2 is on the scale of log R: the
 * variance of S - R |G|^2 with R fixed, over |G|^2, is the first order of the ratio's. The ratio
 * means nothing where |G|^2 may be 0: if its interval reaches 0, R is not known. */
#include "engine/noise/noise.h"
#include <math.h>

/* Student's t at 97.5 % for 3 n degrees of freedom: a table, then the expansion of Cornish and
 * Fisher (Abramowitz and Stegun 26.7.5), whose error beyond 30 is below 1e-5. */
static double t975(size_t n) {
    static const double table[] = {3.182446, 2.446912, 2.262157, 2.178813, 2.131450,
                                   2.100922, 2.079614, 2.063899, 2.051831, 2.042272};
    if (n <= sizeof table / sizeof *table) return table[n - 1];
    const double z = 1.959963984540054, f = 3.0 * (double)n;
    const double z3 = z * z * z, z5 = z3 * z * z;
    return z + (z3 + z) / (4.0 * f) + (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * f * f);
}

/* The jackknife's variance of a G + c S over one probe's quarters. */
static double variance_of(const bl_noise_probe *probe, bl_noise_measure measure, double of_grad,
                          double of_trace) {
    double x[BL_NOISE_QUARTERS], mean = 0.0, sum = 0.0;
    for (size_t j = 0; j < BL_NOISE_QUARTERS; j++) {
        const bl_noise_pair pair = bl_noise_probe_pair_without(probe, measure, j);
        x[j] = of_grad * pair.grad_sq + of_trace * pair.trace;
        mean += x[j] / BL_NOISE_QUARTERS;
    }
    for (size_t j = 0; j < BL_NOISE_QUARTERS; j++) sum += (x[j] - mean) * (x[j] - mean);
    return sum * (BL_NOISE_QUARTERS - 1) / BL_NOISE_QUARTERS;
}

typedef struct window {
    const bl_noise_probe *probe;
    size_t count, used; /* used: those that have the measure */
    bl_noise_measure measure;
} window;

/* Half the width of the interval of the mean of a G + c S. */
static double half_width(const window *w, double of_grad, double of_trace) {
    double sum = 0.0;
    for (size_t i = 0; i < w->count; i++)
        if (w->probe[i].norms[w->measure].known)
            sum += variance_of(&w->probe[i], w->measure, of_grad, of_trace);
    return t975(w->used) * sqrt(sum) / (double)w->used;
}

static bl_noise_value not_known(void) {
    return (bl_noise_value){(double)NAN, (double)NAN, (double)NAN, false};
}

static bl_noise_value around(double value, double half) {
    return (bl_noise_value){value, value - half, value + half, isfinite(value) && isfinite(half)};
}

static bl_noise_value ratio(const window *w, const bl_noise_value *grad_sq,
                            const bl_noise_value *trace) {
    if (!grad_sq->known || !trace->known || !(grad_sq->low > 0.0) || !(trace->value > 0.0))
        return not_known();
    const double r = trace->value / grad_sq->value;
    const double half = half_width(w, -r, 1.0) / trace->value; /* of log R */
    return (bl_noise_value){r, r * exp(-half), r * exp(half), isfinite(half)};
}

bl_noise_estimate bl_noise_estimate_of(const bl_noise_probe *probe, size_t count,
                                       bl_noise_measure measure) {
    window w = {.probe = probe, .count = count, .measure = measure};
    bl_noise_pair sum = {0.0, 0.0};
    for (size_t i = 0; i < count; i++) {
        if (!probe[i].norms[measure].known) continue;
        const bl_noise_pair pair = bl_noise_probe_pair(&probe[i], measure);
        sum.grad_sq += pair.grad_sq;
        sum.trace += pair.trace;
        w.used++;
    }
    bl_noise_estimate e = {not_known(), not_known(), not_known(), w.used};
    if (w.used == 0) return e;
    e.grad_sq = around(sum.grad_sq / (double)w.used, half_width(&w, 1.0, 0.0));
    e.trace = around(sum.trace / (double)w.used, half_width(&w, 0.0, 1.0));
    e.scale = ratio(&w, &e.grad_sq, &e.trace);
    return e;
}
