#include "engine/noise/noise.h"
#include <math.h>

size_t bl_noise_levels(size_t batches) {
    size_t levels = 1;
    while (batches >> levels) levels++;
    return levels;
}

void bl_noise_fill_upper(bl_noise_norms *norms, size_t top) {
    double half[2] = {0.0, 0.0}, all = 0.0;
    for (size_t i = 0; i < BL_NOISE_QUARTERS; i++)
        for (size_t j = 0; j < BL_NOISE_QUARTERS; j++) {
            all += norms->product[i][j];
            if (i / 2 == j / 2) half[i / 2] += norms->product[i][j];
        }
    norms->level[top - 1] = (half[0] + half[1]) / 8.0;
    norms->level[top] = all / 16.0;
}

void bl_noise_fill_quarters(bl_noise_norms *norms, size_t top) {
    double sum = 0.0;
    for (size_t i = 0; i < BL_NOISE_QUARTERS; i++) {
        norms->quarter[i] = norms->product[i][i];
        sum += norms->quarter[i];
    }
    norms->first = top - 2;
    norms->level[norms->first] = sum / BL_NOISE_QUARTERS;
    bl_noise_fill_upper(norms, top);
}

/* The smallest batch that was measured. */
static double smallest(const bl_noise_probe *probe, const bl_noise_norms *n) {
    return ldexp((double)probe->batch, (int)n->first);
}

bl_noise_pair bl_noise_pair_of(double small_sq, double big_sq, double small, double big) {
    return (bl_noise_pair){.grad_sq = (big * big_sq - small * small_sq) / (big - small),
                           .trace = (small_sq - big_sq) / (1.0 / small - 1.0 / big)};
}

bl_noise_pair bl_noise_pair_corrected(bl_noise_pair pair, int64_t rows) {
    if (rows <= 0) return pair;
    const double d = (double)rows;
    return (bl_noise_pair){.grad_sq = pair.grad_sq + pair.trace / d,
                           .trace = pair.trace * (d - 1.0) / d};
}

bl_noise_pair bl_noise_probe_pair(const bl_noise_probe *probe, bl_noise_measure measure) {
    const bl_noise_norms *n = &probe->norms[measure];
    const double small = smallest(probe, n);
    const double big = (double)probe->batch * (double)probe->batches;
    const double small_sq = n->level[n->first];
    const double big_sq = n->level[bl_noise_levels(probe->batches) - 1];
    return bl_noise_pair_corrected(bl_noise_pair_of(small_sq, big_sq, small, big), probe->rows);
}

bl_noise_pair bl_noise_probe_pair_without(const bl_noise_probe *probe, bl_noise_measure measure,
                                          size_t quarter) {
    enum { LEFT = BL_NOISE_QUARTERS - 1 };
    const bl_noise_norms *n = &probe->norms[measure];
    const double small = smallest(probe, n);
    const double big = (double)probe->batch * (double)(probe->batches / BL_NOISE_QUARTERS) * LEFT;
    double small_sq = 0.0, big_sq = 0.0;
    for (size_t i = 0; i < BL_NOISE_QUARTERS; i++) {
        if (i == quarter) continue;
        small_sq += n->quarter[i];
        for (size_t j = 0; j < BL_NOISE_QUARTERS; j++)
            if (j != quarter) big_sq += n->product[i][j];
    }
    const bl_noise_pair pair =
        bl_noise_pair_of(small_sq / LEFT, big_sq / (LEFT * LEFT), small, big);
    return bl_noise_pair_corrected(pair, probe->rows);
}

double bl_noise_probe_deviation(const bl_noise_probe *probe, bl_noise_measure measure) {
    const bl_noise_norms *n = &probe->norms[measure];
    const size_t last = bl_noise_levels(probe->batches) - 1;
    const double small = smallest(probe, n);
    const double big = (double)probe->batch * (double)probe->batches;
    const bl_noise_pair pair = bl_noise_pair_of(n->level[n->first], n->level[last], small, big);
    double worst = 0.0;
    for (size_t l = n->first + 1; l < last; l++) {
        const double expected = pair.grad_sq + pair.trace / ldexp((double)probe->batch, (int)l);
        worst = fmax(worst, fabs(n->level[l] / expected - 1.0));
    }
    return worst;
}
