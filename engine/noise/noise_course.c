/* The noise scale over a part of a training whose weights move. To first order a step of B examples
 * does 1 / (1 + B_n / B) of what a step without noise does. So the steps of a training are
 *
 *     S(B) = sum over steps without noise of (1 + B_n / B) = S_min (1 + mean B_n / B)
 *
 * and what takes the place of B_n is its mean over steps without noise: the mean over the steps
 * that were made, each weighted with 1 / (1 + B_n / B). Within a window numerator and denominator
 * are averaged apart, since there the scale hardly moves; over windows the ratios are averaged. */
#include "engine/noise/noise.h"
#include <math.h>
#include <stdlib.h>

static int by_step(const void *a, const void *b) {
    const int64_t x = ((const bl_noise_probe *)a)->step, y = ((const bl_noise_probe *)b)->step;
    return (x > y) - (x < y);
}

void bl_noise_sort(bl_noise_probe *probe, size_t count) {
    if (count > 0) qsort(probe, count, sizeof *probe, by_step);
}

/* Sums over the windows so far. */
typedef struct course {
    double weight, scale, variance;
} course;

/* A window of `steps` steps. The interval is one on a log scale. */
static void add_window(course *c, const bl_noise_value *scale, double steps, double batch) {
    const double w = steps / (1.0 + scale->value / batch);
    const double sd = scale->value * log(scale->high / scale->low) / (2.0 * 1.959963984540054);
    c->weight += w;
    c->scale += w * scale->value;
    c->variance += w * sd * (w * sd);
}

static bl_noise_value mean_of(const course *c) {
    if (!(c->weight > 0)) return (bl_noise_value){(double)NAN, (double)NAN, (double)NAN, false};
    const double mean = c->scale / c->weight, sd = sqrt(c->variance) / c->weight;
    const double factor = exp(1.959963984540054 * sd / mean);
    return (bl_noise_value){mean, mean / factor, mean * factor, true};
}

bl_noise_value bl_noise_course(const bl_noise_probe *probe, size_t count, double steps,
                               double batch, bl_noise_measure measure) {
    enum { WINDOWS = 9 }; /* each twice as many steps in the logarithm's half: a factor of root 2 */
    course c = {0};
    size_t begin = 0;
    double from = 0.0;
    for (int w = WINDOWS - 1; w >= 0; w--) {
        const double to = steps * exp2(-0.5 * w);
        size_t end = begin;
        while (end < count && (double)probe[end].step <= to) end++;
        const bl_noise_estimate e = bl_noise_estimate_of(probe + begin, end - begin, measure);
        if (!e.scale.known) continue; /* none, or too few: the next window takes them, too */
        add_window(&c, &e.scale, to - from, batch);
        begin = end;
        from = to;
    }
    return mean_of(&c);
}
