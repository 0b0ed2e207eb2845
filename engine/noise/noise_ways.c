#include "engine/noise/noise_ways.h"
#include "engine/base/mem.h"
#include <math.h>

static bl_noise_pair none(void) {
    return (bl_noise_pair){(double)NAN, (double)NAN};
}

/* The variance is that of a batch: S is B times as much. */
static bl_noise_pair averages(const bl_noise_ways *run, const bl_noise_ways *twice) {
    (void)twice;
    return (bl_noise_pair){run->average_sq, run->average_variance * (double)run->batch};
}

static bool has_window(const bl_noise_ways *run) {
    return run->small_sq > 0.0;
}

/* The variance among n stored gradients is n / (n - 1) (mean |g|^2 - |mean g|^2), so the sums
 * stand for the store. */
static bl_noise_pair stored(const bl_noise_ways *run, const bl_noise_ways *twice) {
    const double n = (double)run->window;
    (void)twice;
    if (!has_window(run)) return none();
    const double variance = n / (n - 1.0) * (run->small_sq - run->big_sq);
    return (bl_noise_pair){run->big_sq, variance * (double)run->batch};
}

static bl_noise_pair two_runs(const bl_noise_ways *run, const bl_noise_ways *twice) {
    if (twice == NULL || !has_window(run) || !has_window(twice)) return none();
    return bl_noise_pair_of(run->small_sq, twice->small_sq, (double)run->batch,
                            (double)twice->batch);
}

static bl_noise_pair consecutive(const bl_noise_ways *run, const bl_noise_ways *twice) {
    (void)twice;
    if (!has_window(run)) return none();
    return bl_noise_pair_of(run->small_sq, run->big_sq, (double)run->batch,
                            (double)(run->batch * run->window));
}

const bl_noise_way bl_noise_way_table[] = {
    {.name = "A",
     .does = "exponential averages of g and of (g - average)^2",
     .wrong = "the average lags behind, and keeps noise of its own: |G|^2 comes out too large",
     .pair = averages                                                        },
    {.name = "B",
     .does = "the variance among n stored gradients over the square of their mean",
     .wrong = "n times the memory; the weights move; the mean's own noise counts as gradient",
     .pair = stored                                                          },
    {.name = "C",
     .does = "two trainings, of batch B and 2 B, compared at the same examples",
     .wrong = "the two have other weights and other rates: their difference is not noise",
     .needs_twice = true,
     .pair = two_runs},
    {.name = "D",
     .does = "n batches one after another: small is one, big is their mean",
     .wrong = "the weights move between them: biased, and it can be negative",
     .pair = consecutive},
};
const size_t bl_noise_way_count = BL_COUNT(bl_noise_way_table);

double bl_noise_way_scale(const bl_noise_way *way, const bl_noise_ways *run,
                          const bl_noise_ways *twice, size_t count) {
    double grad_sq = 0.0, trace = 0.0;
    for (size_t i = 0; i < count; i++) {
        const bl_noise_pair pair = way->pair(&run[i], twice != NULL ? &twice[i] : NULL);
        if (!isfinite(pair.grad_sq) || !isfinite(pair.trace)) continue;
        grad_sq += pair.grad_sq;
        trace += pair.trace;
    }
    return grad_sq > 0.0 ? trace / grad_sq : (double)NAN;
}
