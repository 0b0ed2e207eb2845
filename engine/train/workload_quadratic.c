/* The noisy quadratic model (Zhang et al. 2019, arXiv 1907.04164): d independent coordinates,
 * h_i = 1/i, loss 1/2 sum h_i theta_i^2, gradient over B examples h_i theta_i + noise of variance
 * c_i / B, c_i = noise * h_i, theta_i^2 = start at first. The metric is the expected loss. All in
 * fp64, where the terms are numbers of the model, in index order.
 *
 *     exact     carries E[theta^2], E[theta v] and E[v^2] of each coordinate from step to step, and
 *               with eval.average those of the average with itself, theta and v: nothing is random.
 *               For optimizers that are linear in the gradient
 *     sampled   carries `replicas` independent thetas under any optimizer, with normal noise that
 * is a function of (seed, step, element); expectations are means over the replicas */
#include "engine/train/workload.h"
#include "kernels/part.h"
#include "kernels/shared/exact_math.h"
#include <string.h>

static bool takes(const bl_config *config) {
    return strcmp(config->model.kind, "quadratic") == 0;
}

static bool is_exact(const bl_train *t) {
    return strcmp(t->config.quadratic.expectation, "exact") == 0;
}

/* How many moments an exact run carries. */
static size_t moments(const bl_train *t) {
    return t->average_power > 0.0 ? BL_QUADRATIC_MOMENTS : BL_QUADRATIC_RAW;
}

static double curvature(size_t i) {
    return 1.0 / (double)(i + 1);
}

static bl_status resolve(bl_train *t, bl_err *err) {
    const bl_config *config = &t->config;
    const char *name = config->optimizer.name;
    bl_quadratic *q = &t->quadratic;
    q->dimensions = (size_t)config->quadratic.dimensions;
    q->replicas = is_exact(t) ? 1 : (size_t)config->quadratic.replicas;
    q->gradient_noise = config->quadratic.noise / (double)t->batch;
    q->nesterov = strcmp(name, "nesterov") == 0;
    const bool linear = q->nesterov || strcmp(name, "sgd") == 0 || strcmp(name, "momentum") == 0;
    if (is_exact(t) && !linear)
        BL_FAIL(
            err, BL_EINVAL,
            "quadratic.expectation exact has a recursion for sgd, momentum and nesterov, none for "
            "%s; version sampled takes any optimizer",
            name);
    t->net.weights = is_exact(t) ? 0 : q->replicas * q->dimensions;
    return bl_train_probe_resolve(t, 0, err);
}

static void lay_out(bl_train *t, bl_net_layout *layout, size_t threads) {
    bl_quadratic *q = &t->quadratic;
    (void)threads;
    bl_net_lay_out(&t->net, layout, 0);
    for (size_t i = 0; i < t->optim->states; i++)
        t->state[i] = bl_net_layout_take(layout, t->net.weights, sizeof(float));
    bl_train_probe_lay_out(t, layout);
    if (!is_exact(t)) bl_train_average_memory(t, layout);
    for (size_t i = 0; is_exact(t) && i < moments(t); i++)
        q->moment[i] = bl_net_layout_take(layout, q->dimensions, sizeof(double));
}

static void begin(bl_train *t) {
    const bl_quadratic *q = &t->quadratic;
    const double start = t->config.quadratic.start;
    for (size_t m = 0; is_exact(t) && m < moments(t); m++)
        for (size_t i = 0; i < q->dimensions; i++)
            q->moment[m][i] =
                m == BL_THETA_THETA || m == BL_BAR_BAR || m == BL_BAR_THETA ? start : 0.0;
    for (size_t j = 0; j < t->net.weights; j++) t->net.weight[j] = (float)bl_sqrt64(start);
    for (size_t j = 0; t->average != NULL && j < t->net.weights; j++)
        t->average[j] = t->net.weight[j];
}

/* ---- exact ---- */

/* The expected loss at thetas whose E[theta^2] are `squares`. */
static double exact_loss(const bl_train *t, const double *squares) {
    double loss = 0.0;
    for (size_t i = 0; i < t->quadratic.dimensions; i++)
        loss = loss + 0.5 * curvature(i) * squares[i];
    return loss;
}

/* Of exact_update's numbers those that an average needs. */
typedef struct recursion {
    double k, mu, x, y;
} recursion;

/* The average of one coordinate, bar' = r bar + w theta' with r = 1 - w, from the numbers of
 * exact_update. bar_theta and bar_v are of bar before the step and of theta and v after it: n is
 * independent of bar, too. The products of theta and v with each other are those after the step. */
static void exact_average(bl_quadratic *q, size_t i, const recursion *c, double w) {
    double *bb = q->moment[BL_BAR_BAR], *bt = q->moment[BL_BAR_THETA], *bv = q->moment[BL_BAR_V];
    const double r = 1.0 - w, bar_v = c->mu * bv[i] + c->k * bt[i];
    const double bar_theta = c->x * bt[i] + c->y * bar_v;
    bb[i] = r * r * bb[i] + 2.0 * r * w * bar_theta + w * w * q->moment[BL_THETA_THETA][i];
    bt[i] = r * bar_theta + w * q->moment[BL_THETA_THETA][i];
    bv[i] = r * bar_v + w * q->moment[BL_THETA_V][i];
}

/* With g = k theta + n, k = h + weight decay, E[n^2] = s: the velocity is v' = mu v + g, and the
 * parameter theta' = x theta + y v' + z n; momentum (and SGD, mu = 0): x = 1, y = -rate, z = 0;
 * Nesterov: x = 1 - rate k, y = -rate mu, z = -rate. n is independent of theta and v. */
static void exact_update(bl_train *t, const bl_update_step *args) {
    bl_quadratic *q = &t->quadratic;
    double *tt = q->moment[BL_THETA_THETA], *tv = q->moment[BL_THETA_V], *vv = q->moment[BL_V_V];
    const double rate = args->rate, mu = t->optim->states > 0 ? args->momentum : 0.0;
    for (size_t i = 0; i < q->dimensions; i++) {
        const double k = curvature(i) + args->weight_decay, s = q->gradient_noise * curvature(i);
        const double x = q->nesterov ? 1.0 - rate * k : 1.0, z = q->nesterov ? -rate : 0.0;
        const double y = q->nesterov ? -rate * mu : -rate;
        const recursion c = {k, mu, x, y};
        const double new_vv = mu * mu * vv[i] + 2.0 * mu * k * tv[i] + k * k * tt[i] + s;
        const double theta_v = mu * tv[i] + k * tt[i]; /* theta before, v after */
        tt[i] =
            x * x * tt[i] + y * y * new_vv + z * z * s + 2.0 * x * y * theta_v + 2.0 * y * z * s;
        tv[i] = x * theta_v + y * new_vv + z * s;
        vv[i] = new_vv;
        if (t->average_power > 0.0) exact_average(q, i, &c, args->average);
    }
}

/* ---- sampled ---- */

/* The mean loss of the replicas' thetas, (dimensions, replicas). */
static double sampled_loss(const bl_train *t, const float *thetas) {
    const bl_quadratic *q = &t->quadratic;
    double sum = 0.0;
    for (size_t i = 0; i < q->dimensions; i++) {
        double squares = 0.0;
        for (size_t r = 0; r < q->replicas; r++) {
            const double theta = (double)thetas[i * q->replicas + r];
            squares = squares + theta * theta;
        }
        sum = sum + 0.5 * curvature(i) * squares;
    }
    return sum / (double)q->replicas;
}

static void gradient_part(void *ctx, size_t p, size_t parts) {
    bl_train *t = ctx;
    const bl_quadratic *q = &t->quadratic;
    const bl_part part = {.part = p, .parts = parts};
    const bl_range range = bl_part_range(&part, t->net.weights, 16);
    const uint64_t first = (uint64_t)t->progress.made * ((t->net.weights + 1) / 2);
    bl_u32x4 words = {{0}};
    for (size_t j = range.begin; j < range.end; j++) {
        const double h = curvature(j / q->replicas);
        const float deviation = (float)bl_sqrt64(q->gradient_noise * h);
        if (j % 2 == 0)
            words = bl_random4((uint64_t)t->config.train.seed, BL_STREAM_NOISE, 0, first + j / 2);
        const float noise = bl_normal(words.v[j % 2 * 2], words.v[j % 2 * 2 + 1]);
        t->net.gradient[j] = (float)h * t->net.weight[j] + deviation * noise;
    }
}

static double loss(bl_train *t) {
    if (is_exact(t)) return exact_loss(t, t->quadratic.moment[BL_THETA_THETA]);
    bl_pool_run(t->pool, gradient_part, t);
    return sampled_loss(t, t->net.weight);
}

static void update(bl_train *t, const bl_update_step *args) {
    if (is_exact(t))
        exact_update(t, args);
    else
        bl_train_update_weights(t, args);
}

static double evaluate(bl_train *t) {
    const bool averaged = t->average_power > 0.0;
    if (is_exact(t))
        return exact_loss(t, t->quadratic.moment[averaged ? BL_BAR_BAR : BL_THETA_THETA]);
    return sampled_loss(t, averaged ? t->average : t->net.weight);
}

/* ---- probes ---- */

/* What a probe has of |G|^2 and S without a sample, at every level and among the quarters. */
static void fill_exact(bl_noise_norms *n, const bl_noise_probe *probe, double grad_sq,
                       double trace) {
    const double b = (double)probe->batch, quarter = b * (double)probe->batches / BL_NOISE_QUARTERS;
    for (size_t l = 0; l < bl_noise_levels(probe->batches); l++)
        n->level[l] = grad_sq + trace / (b * (double)((size_t)1 << l));
    for (size_t i = 0; i < BL_NOISE_QUARTERS; i++) {
        n->quarter[i] = n->level[0];
        for (size_t j = 0; j < BL_NOISE_QUARTERS; j++)
            n->product[i][j] = grad_sq + (i == j ? trace / quarter : 0.0);
    }
}

/* |G|^2 = sum h_i^2 E[theta_i^2] and S = sum c_i; with the Hessian every term once more by h_i. */
static bool probe_exact(bl_train *t, bl_noise_probe *probe) {
    const bl_quadratic *q = &t->quadratic;
    double grad_sq = 0.0, trace = 0.0, along = 0.0, trace_along = 0.0;
    if (!is_exact(t)) return false;
    for (size_t i = 0; i < q->dimensions; i++) {
        const double h = curvature(i), theta_sq = q->moment[BL_THETA_THETA][i];
        grad_sq += h * h * theta_sq;
        trace += t->config.quadratic.noise * h;
        along += h * h * h * theta_sq;
        trace_along += t->config.quadratic.noise * h * h;
    }
    fill_exact(&probe->norms[BL_NOISE_PLAIN], probe, grad_sq, trace);
    fill_exact(&probe->norms[BL_NOISE_HESSIAN], probe, along, trace_along);
    bl_noise_fill_quarters(&probe->norms[BL_NOISE_HESSIAN], bl_noise_levels(probe->batches) - 1);
    return true;
}

typedef struct probe_job {
    bl_train *train;
    uint64_t seed;
    uint32_t number; /* of the micro-batch */
    double noise;    /* of its gradient, per curvature */
} probe_job;

static void probe_part(void *ctx, size_t p, size_t parts) {
    const probe_job *job = ctx;
    bl_train *t = job->train;
    const bl_quadratic *q = &t->quadratic;
    const bl_part part = {.part = p, .parts = parts};
    const bl_range range = bl_part_range(&part, t->net.weights, 16);
    const float root = (float)(1.0 / bl_sqrt64((double)q->replicas));
    for (size_t j = range.begin; j < range.end; j++) {
        const double h = curvature(j / q->replicas);
        const bl_u32x4 w = bl_random4(job->seed, BL_STREAM_PROBE, job->number + 1, j);
        const float noise = (float)bl_sqrt64(job->noise * h) * bl_normal(w.v[0], w.v[1]);
        t->net.gradient[j] = root * ((float)h * t->net.weight[j] + noise);
    }
}

/* All replicas as one vector, over the root of their number: its square is their mean. */
static bool probe(bl_train *t, uint64_t seed, uint64_t position, size_t count, float **gradient) {
    probe_job job = {t, seed, (uint32_t)(position / count),
                     t->config.quadratic.noise / (double)count};
    bl_pool_run(t->pool, probe_part, &job);
    *gradient = t->net.gradient;
    return true;
}

/* The vector is the gradient over that root; thetas move along the gradient itself. */
static void probe_move(bl_train *t, const float *weight, float step, const float *along) {
    const float root = (float)bl_sqrt64((double)t->quadratic.replicas);
    bl_train_move_weights(t, t->net.weight, weight, step * root, along);
}

static const float *probe_state(bl_train *t) {
    return t->state[1];
}

/* ---- keeping ---- */

static void digest(const bl_train *t, bl_sha256 *out) {
    bl_train_digest_f32(out, t->net.weight, t->net.weights);
    if (t->average != NULL) bl_train_digest_f32(out, t->average, t->net.weights);
    for (size_t i = 0; is_exact(t) && i < moments(t); i++)
        bl_train_digest_f64(out, t->quadratic.moment[i], t->quadratic.dimensions);
}

static size_t blocks(const bl_train *t, bl_state_block out[BL_STATE_BLOCKS]) {
    const size_t bytes = t->net.weights * sizeof(float);
    size_t n = 0;
    for (size_t i = 0; is_exact(t) && i < moments(t); i++)
        out[n++] =
            (bl_state_block){t->quadratic.moment[i], t->quadratic.dimensions * sizeof(double)};
    out[n++] = (bl_state_block){t->net.weight, bytes};
    for (size_t i = 0; i < t->optim->states; i++) out[n++] = (bl_state_block){t->state[i], bytes};
    if (t->average != NULL) out[n++] = (bl_state_block){t->average, bytes};
    return n;
}

const bl_workload bl_workload_quadratic = {.name = "quadratic",
                                           .takes = takes,
                                           .resolve = resolve,
                                           .lay_out = lay_out,
                                           .begin = begin,
                                           .loss = loss,
                                           .update = update,
                                           .evaluate = evaluate,
                                           .digest = digest,
                                           .blocks = blocks,
                                           .probe = probe,
                                           .probe_state = probe_state,
                                           .probe_weights = bl_train_weights_here,
                                           .probe_move = probe_move,
                                           .probe_exact = probe_exact};
