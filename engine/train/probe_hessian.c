/* Of a probe with noise.hessian: products of the quarters' mean gradients with the Hessian between
 * them, <g_i, H g_j>, for
 *
 *     B_noise = tr(H Sigma) / (G^T H G)
 *
 * (McCandlish et al. 2018, arXiv 1812.06162, section 2.2), which takes the place of B_simple where
 * curvature differs between directions. No Hessian is built. For a short step e along v
 *
 *     H v = (gradient(theta + e v) - gradient(theta - e v)) / (2 e)
 *
 * up to a term of e^2. Both gradients are of the same examples under the same dropout, so that
 * their noise cancels. The examples come from a draw of their own, so H is independent of the g_i.
 * Its quarter j is H_j, which multiplies g_j. So the jackknife leaves out a sample of H with the
 * gradient, and its interval knows of both. Four products at two gradients of a quarter cost twice
 * the examples of the probe.
 *
 * |e v| is 2^-10 of the weights' length, to a power of two: long enough for rounding (a float has
 * 24 bits), short beside the distance at which curvature changes. e is a power of two, so scaling
 * by it rounds nothing. In the end the weights are the bytes they were.
 *
 * Memory: the weights as they were, the last quarter's sum, and a product: three gradients. */
#include "engine/train/workload.h"
#include "kernels/part.h"
#include "kernels/shared/exact_math.h"
#include <math.h>
#include <string.h>

enum { QUARTERS = BL_NOISE_QUARTERS, SHORT = 10 };

int64_t bl_train_probe_hessian_cost(int64_t examples) {
    return 2 * examples;
}

void bl_train_probe_hessian_lay_out(bl_train *t, bl_net_layout *layout) {
    float **const array[] = {&t->probe.last, &t->probe.weight, &t->probe.product};
    for (size_t i = 0; i < BL_COUNT(array); i++)
        *array[i] = bl_net_layout_take(layout, t->net.weights, sizeof(float));
}

/* ---- moving the weights ---- */

typedef struct move_job {
    float *out;
    const float *weight, *along;
    float step;
    size_t count;
} move_job;

static void move_part(void *ctx, size_t p, size_t parts) {
    const move_job *job = ctx;
    const bl_part part = {.part = p, .parts = parts};
    const bl_range range = bl_part_range(&part, job->count, 16);
    for (size_t i = range.begin; i < range.end; i++)
        job->out[i] =
            job->along != NULL ? job->weight[i] + job->step * job->along[i] : job->weight[i];
}

void bl_train_move_weights(bl_train *t, float *out, const float *weight, float step,
                           const float *along) {
    move_job job = {
        .out = out, .weight = weight, .along = along, .step = step, .count = t->net.weights};
    bl_pool_run(t->pool, move_part, &job);
}

const float *bl_train_weights_here(bl_train *t) {
    return t->net.weight;
}

void bl_train_move_here(bl_train *t, const float *weight, float step, const float *along) {
    bl_train_move_weights(t, t->net.weight, weight, step, along);
}

/* ---- products ---- */

/* The power of two e for which |e v| is nearest to 2^-SHORT max(1, |theta|) from below. 0: v is. */
static float step_along(bl_train *t, const float *v) {
    const double length = bl_sqrt64(bl_train_probe_dot(t, v, v));
    const double weights = bl_sqrt64(bl_train_probe_dot(t, t->probe.weight, t->probe.weight));
    int exponent;
    if (!(length > 0.0) || !isfinite(length)) return 0.0f;
    (void)frexp(ldexp(fmax(1.0, weights), -SHORT) / length, &exponent);
    return (float)ldexp(1.0, exponent - 1);
}

/* probe.product becomes 2 e H v times the number of micro-batches, which are quarter j's. */
static bool multiply(bl_train *t, const bl_noise_probe *probe, uint64_t seed, size_t j,
                     const float *v, float e) {
    const size_t count = probe->batches / QUARTERS;
    memset(t->probe.product, 0, t->net.weights * sizeof(float));
    for (size_t k = 0; k < 2 * count; k++) {
        const float sign = k % 2 == 0 ? 1.0f : -1.0f;
        float *gradient = NULL;
        t->workload->probe_move(t, t->probe.weight, sign * e, v);
        const uint64_t position = (uint64_t)(j * count + k / 2) * (uint64_t)probe->batch;
        if (!t->workload->probe(t, seed, position, (size_t)probe->batch, &gradient)) return false;
        bl_train_move_weights(t, t->probe.product, t->probe.product, sign, gradient);
    }
    return true;
}

/* <g_i, H_j g_j> for every i, from the quarters' sums. */
static bool measure_row(bl_train *t, const bl_noise_probe *probe, uint64_t seed,
                        const float *const quarter[QUARTERS], size_t j, double row[QUARTERS]) {
    const double each = (double)(probe->batches / QUARTERS);
    const float e = step_along(t, quarter[j]);
    if (e == 0.0f) return true; /* no gradient, no product */
    if (!multiply(t, probe, seed, j, quarter[j], e)) return false;
    for (size_t i = 0; i < QUARTERS; i++)
        row[i] = bl_train_probe_dot(t, quarter[i], t->probe.product) /
                 (2.0 * (double)e * each * each * each);
    return true;
}

void bl_train_probe_hessian(bl_train *t, bl_noise_probe *probe, uint64_t seed,
                            const float *const quarter[QUARTERS]) {
    bl_noise_norms *n = &probe->norms[BL_NOISE_HESSIAN];
    double row[QUARTERS][QUARTERS] = {{0}};
    bool finite = true;
    memcpy(t->probe.weight, t->workload->probe_weights(t), t->net.weights * sizeof(float));
    for (size_t j = 0; finite && j < QUARTERS; j++)
        finite = measure_row(t, probe, seed, quarter, j, row[j]);
    t->workload->probe_move(t, t->probe.weight, 0.0f, NULL);
    for (size_t i = 0; i < QUARTERS; i++)
        for (size_t j = 0; j < QUARTERS; j++)
            n->product[i][j] = finite ? (row[i][j] + row[j][i]) / 2.0 : (double)NAN;
    bl_noise_fill_quarters(n, bl_noise_levels(probe->batches) - 1);
}
