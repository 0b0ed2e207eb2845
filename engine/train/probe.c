/* Probes of the gradient noise: at evaluations of its own choice a run stops, takes K micro-batches
 * of b examples at the weights as they stand, and keeps the squared lengths of their mean gradients
 * (engine/noise/noise.h says what follows from these).
 *
 *     when     the first evaluation; then each at which all probes, this one too, took at most
 *              noise.share of the examples trained. A function of the step alone
 *     what     examples 0 .. K b - 1 of a stream of the probe's own: a permutation of the training
 *              rows, dropout and shifted pictures by a seed that is drawn from the run's seed and
 *              the step. Overlap with what is trained on is by chance
 *     where    in bl_train.probe.log, text beside the run's log. Neither log, id, weights nor
 *              running statistics know that there was a probe
 *
 * The loss is the one trained, dropout and label smoothing included, without weight decay. Batch
 * norm normalises a micro-batch by itself.
 *
 * Memory. A quarter of the micro-batches is added by a binary-counter tree as in batch.c, whose
 * nodes of 2^l micro-batches give level l. The sums of three quarters wait for the fourth; products
 * of the four give the two levels above and what the jackknife leaves out. That is log2(K / 4) + 3
 * buffers of the size of a gradient, log2(K) + 1, and one for Adam's scale. With noise.hessian,
 * probe_hessian.c goes on from the quarters.
 *
 * Sums of squares are fp64: products of two floats are exact in it. They are taken over blocks of
 * 4,096 elements in eight chains each, and blocks are added in order, so neither threads nor vector
 * units nor a device can change a bit. A device's gradients come here to be measured. */
#include "engine/config/applies.h"
#include "engine/noise/noise_record.h"
#include "engine/train/workload.h"
#include "kernels/part.h"
#include "kernels/shared/exact_math.h"
#include <string.h>

enum { BLOCK = 4096, LANES = 8, QUARTERS = BL_NOISE_QUARTERS };
enum { PRODUCTS = QUARTERS * (QUARTERS + 1) / 2 };
/* The measures that are lengths of a gradient, by its components. */
enum { LENGTHS = BL_NOISE_PRECONDITIONED + 1 };

/* ---- before the run ---- */

/* Turns noise.* into what the run will do; without noise.share it does nothing. BL_EINVAL where
 * there are fewer rows than a probe has examples, since these are distinct. */
bl_status bl_train_probe_resolve(bl_train *t, uint64_t rows, bl_err *err) {
    const bl_config *c = &t->config;
    bl_train_probes *p = &t->probe;
    if (!(c->noise.share > 0.0)) return BL_OK;
    if (c->noise.window > 0 && t->on_device != NULL)
        BL_FAIL(err, BL_EUNSUPPORTED, "noise.window needs a run on the processor");
    p->settings = (bl_noise_settings){.share = c->noise.share,
                                      .batch = c->noise.micro_batch,
                                      .batches = (size_t)c->noise.batches,
                                      .rows = (int64_t)rows,
                                      .hessian = c->noise.hessian};
    p->examples = c->noise.micro_batch * c->noise.batches;
    if (rows > 0 && (uint64_t)p->examples > rows)
        BL_FAIL(err, BL_EINVAL,
                "a probe takes noise.micro_batch x noise.batches = %lld examples; there are %llu "
                "training rows",
                (long long)p->examples, (unsigned long long)rows);
    if (c->noise.hessian) p->examples += bl_train_probe_hessian_cost(p->examples);
    p->levels = bl_noise_levels(p->settings.batches / QUARTERS) - 1;
    p->on = true;
    /* A row that names beta2 keeps the mean squared gradient in its second state. */
    p->preconditioned =
        bl_config_reads(c, "optimizer.beta2") && t->optim->states == BL_UPDATE_STATES;
    return BL_OK;
}

void bl_train_probe_lay_out(bl_train *t, bl_net_layout *layout) {
    bl_train_probes *p = &t->probe;
    if (!p->on) return;
    const size_t n = t->net.weights;
    for (size_t i = 0; i < p->levels; i++)
        p->level[i] = bl_net_layout_take(layout, n, sizeof(float));
    for (size_t i = 0; i + 1 < QUARTERS; i++)
        p->quarter[i] = bl_net_layout_take(layout, n, sizeof(float));
    if (p->preconditioned) p->scale = bl_net_layout_take(layout, n, sizeof(float));
    p->sums =
        bl_net_layout_take(layout, (n + BLOCK - 1) / BLOCK, LENGTHS * PRODUCTS * sizeof(double));
    if (p->settings.hessian) bl_train_probe_hessian_lay_out(t, layout);
}

void bl_train_probe_begin(bl_train *t, const char *run_id) {
    t->probe.step = t->probe.made = 0;
    bl_buf_clear(&t->probe.log);
    if (t->probe.on)
        bl_noise_write_header(&t->probe.log, run_id != NULL ? run_id : "", &t->probe.settings);
}

/* ---- when ---- */

bool bl_train_probe_due(bl_train *t, int64_t step) {
    bl_train_probes *p = &t->probe;
    bool due = false;
    if (!p->on) return false;
    while (p->step < step) {
        const double made = (double)(p->made + 1) * (double)p->examples;
        p->step = bl_train_next_eval(&t->config, (int64_t)t->epoch_rows, p->step, INT64_MAX);
        due = p->made == 0 || made <= p->settings.share * (double)p->step * (double)t->batch;
        p->made += due;
    }
    return due && p->step == step;
}

/* ---- sums of squares and products ---- */

/* sum of a[i] b[i], each times scale[i] (may be NULL), in LANES chains. */
BL_CLONES static double product_of(const float *restrict a, const float *restrict b,
                                   const float *restrict scale, size_t n) {
    double lane[LANES] = {0};
    size_t i = 0;
    for (; scale == NULL && i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++) lane[l] += (double)a[i + l] * (double)b[i + l];
    for (; scale != NULL && i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++) {
            const double w = (double)scale[i + l];
            lane[l] += ((double)a[i + l] * w) * ((double)b[i + l] * w);
        }
    for (size_t l = 0; i < n; i++, l++) {
        const double w = scale != NULL ? (double)scale[i] : 1.0;
        lane[l] += ((double)a[i] * w) * ((double)b[i] * w);
    }
    double sum = 0.0;
    for (size_t l = 0; l < LANES; l++) sum += lane[l];
    return sum;
}

/* The squares of a[i] and of a[i] scale[i] (may be NULL) in one pass; the chains of product_of. */
BL_CLONES static void squares_of(const float *restrict a, const float *restrict scale, size_t n,
                                 double out[LENGTHS]) {
    double plain[LANES] = {0}, scaled[LANES] = {0};
    size_t i = 0;
    for (; scale != NULL && i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++) {
            const double x = (double)a[i + l], y = x * (double)scale[i + l];
            plain[l] += x * x;
            scaled[l] += y * y;
        }
    for (; scale == NULL && i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++) plain[l] += (double)a[i + l] * (double)a[i + l];
    for (size_t l = 0; i < n; i++, l++) {
        const double x = (double)a[i], y = x * (double)(scale != NULL ? scale[i] : 0.0f);
        plain[l] += x * x;
        scaled[l] += y * y;
    }
    out[BL_NOISE_PLAIN] = out[BL_NOISE_PRECONDITIONED] = 0.0;
    for (size_t l = 0; l < LANES; l++) {
        out[BL_NOISE_PLAIN] += plain[l];
        out[BL_NOISE_PRECONDITIONED] += scaled[l];
    }
}

/* Products of `vectors` vectors among one another; with one, its square. Before that, `left` (may
 * be NULL) is added to the first, as left + first. */
typedef struct product_job {
    const bl_train_probes *probe;
    float *vector[QUARTERS];
    size_t vectors, count, products;
    const float *left;
} product_job;

/* Part p of the products of all pairs of vectors, for each measure, in doubles over blocks of BLOCK
 * weights. Each block has its sums to itself, so the result does not depend on `parts`. */
static void product_part(void *ctx, size_t p, size_t parts) {
    const product_job *job = ctx;
    const bl_part part = {.part = p, .parts = parts};
    const bl_range blocks = bl_part_range(&part, (job->count + BLOCK - 1) / BLOCK, 1);
    for (size_t block = blocks.begin; block < blocks.end; block++) {
        const size_t begin = block * BLOCK, n = bl_size_min(BLOCK, job->count - begin);
        double *sum = job->probe->sums + block * LENGTHS * job->products;
        float *first = job->vector[0] + begin;
        for (size_t i = 0; job->left != NULL && i < n; i++)
            first[i] = job->left[begin + i] + first[i];
        if (job->vectors == 1) {
            const float *scale = job->probe->scale;
            squares_of(first, scale != NULL ? scale + begin : NULL, n, sum);
            continue;
        }
        for (size_t m = 0; m < LENGTHS; m++) {
            const float *scale = m == BL_NOISE_PLAIN ? NULL : job->probe->scale;
            if (m != BL_NOISE_PLAIN && scale == NULL) continue;
            for (size_t i = 0; i < job->vectors; i++)
                for (size_t j = i; j < job->vectors; j++)
                    *sum++ = product_of(job->vector[i] + begin, job->vector[j] + begin,
                                        scale != NULL ? scale + begin : NULL, n);
        }
    }
}

/* out[measure][...]: the products, upper triangle row by row. */
static void products(bl_train *t, product_job *job, double out[LENGTHS][PRODUCTS]) {
    const size_t blocks = (job->count + BLOCK - 1) / BLOCK;
    const size_t measures = t->probe.preconditioned ? LENGTHS : 1;
    job->products = job->vectors * (job->vectors + 1) / 2;
    bl_pool_run(t->pool, product_part, job);
    memset(out, 0, LENGTHS * sizeof *out);
    for (size_t b = 0; b < blocks; b++)
        for (size_t m = 0; m < measures; m++)
            for (size_t i = 0; i < job->products; i++)
                out[m][i] += t->probe.sums[(b * LENGTHS + m) * job->products + i];
}

typedef struct dot_job {
    const float *a, *b;
    double *sums; /* of blocks */
    size_t count;
} dot_job;

static void dot_part(void *ctx, size_t p, size_t parts) {
    const dot_job *job = ctx;
    const bl_part part = {.part = p, .parts = parts};
    const bl_range blocks = bl_part_range(&part, (job->count + BLOCK - 1) / BLOCK, 1);
    for (size_t block = blocks.begin; block < blocks.end; block++) {
        const size_t begin = block * BLOCK;
        job->sums[block] = product_of(job->a + begin, job->b + begin, NULL,
                                      bl_size_min(BLOCK, job->count - begin));
    }
}

double bl_train_probe_dot(bl_train *t, const float *a, const float *b) {
    dot_job job = {.a = a, .b = b, .sums = t->probe.sums, .count = t->net.weights};
    double sum = 0.0;
    bl_pool_run(t->pool, dot_part, &job);
    for (size_t block = 0; block < (job.count + BLOCK - 1) / BLOCK; block++) sum += job.sums[block];
    return sum;
}

/* The square of a sum of 2^level micro-batches' mean gradients enters its level, and `left` is
 * added to it before. */
static void measure(bl_train *t, bl_noise_probe *probe, float *sum, const float *left, size_t level,
                    size_t quarter) {
    double square[LENGTHS][PRODUCTS];
    product_job job = {
        .probe = &t->probe, .vector = {sum}, .vectors = 1, .count = t->net.weights, .left = left};
    const double each = (double)((size_t)1 << level);
    const double groups = (double)probe->batches / each;
    products(t, &job, square);
    for (size_t m = 0; m < LENGTHS; m++) {
        bl_noise_norms *n = &probe->norms[m];
        n->level[level] += square[m][0] / (each * each * groups);
        if (level == 0) n->quarter[quarter] += square[m][0] * QUARTERS / groups;
    }
}

/* The two upper levels and the quarters' products, from the quarters' sums. */
static void measure_quarters(bl_train *t, bl_noise_probe *probe, float *last) {
    double found[LENGTHS][PRODUCTS];
    float *const *q = t->probe.quarter;
    product_job job = {
        .probe = &t->probe,
        .vector = {q[0], q[1], q[2], last},
        .vectors = QUARTERS,
        .count = t->net.weights
    };
    const size_t top = bl_noise_levels(probe->batches) - 1;
    const double each = (double)(probe->batches / QUARTERS);
    products(t, &job, found);
    for (size_t m = 0; m < LENGTHS; m++) {
        bl_noise_norms *n = &probe->norms[m];
        size_t at = 0;
        for (size_t i = 0; i < QUARTERS; i++)
            for (size_t j = i; j < QUARTERS; j++)
                n->product[i][j] = n->product[j][i] = found[m][at++] / (each * each);
        bl_noise_fill_upper(n, top);
    }
}

/* ---- the probe ---- */

/* 1 / (sqrt(v / (1 - beta2^t)) + eps), rounded to fp32; v is in `second`. */
typedef struct scale_job {
    const float *second;
    float *scale;
    size_t count;
    double weight2, eps;
} scale_job;

static void scale_part(void *ctx, size_t p, size_t parts) {
    const scale_job *job = ctx;
    const bl_part part = {.part = p, .parts = parts};
    const bl_range range = bl_part_range(&part, job->count, 16);
    for (size_t i = range.begin; i < range.end; i++)
        job->scale[i] =
            (float)(1.0 / (bl_sqrt64((double)job->second[i] / job->weight2) + job->eps));
}

/* Of the weights that no layer uses (padding between tensors) the gradient is 0, whatever this is.
 */
static void make_scale(bl_train *t) {
    scale_job job = {.second = t->workload->probe_state(t),
                     .scale = t->probe.scale,
                     .count = t->net.weights,
                     .weight2 = 1.0 - t->progress.product2,
                     .eps = t->optim_numbers.eps};
    bl_pool_run(t->pool, scale_part, &job);
}

/* One quarter: its sum stays in `sum`, which the workload filled last. */
static bool take_quarter(bl_train *t, bl_noise_probe *probe, size_t quarter, uint64_t seed,
                         float **sum) {
    const size_t each = probe->batches / QUARTERS;
    for (size_t k = 0; k < each; k++) {
        const uint64_t position = (uint64_t)((quarter * each + k) * (size_t)probe->batch);
        if (!t->workload->probe(t, seed, position, (size_t)probe->batch, sum)) return false;
        measure(t, probe, *sum, NULL, 0, quarter);
        size_t l = 0;
        for (; k >> l & 1; l++) measure(t, probe, *sum, t->probe.level[l], l + 1, quarter);
        if (k + 1 < each) memcpy(t->probe.level[l], *sum, t->net.weights * sizeof(float));
    }
    return true;
}

/* A micro-batch whose loss is not finite makes every number of the probe not known. */
static void spoil(bl_noise_probe *probe) {
    for (size_t m = 0; m < BL_NOISE_MEASURES; m++) {
        bl_noise_norms *n = &probe->norms[m];
        for (size_t l = 0; l < BL_NOISE_LEVELS; l++) n->level[l] = (double)NAN;
        for (size_t i = 0; m == BL_NOISE_HESSIAN && i < QUARTERS * QUARTERS; i++)
            n->product[i / QUARTERS][i % QUARTERS] = (double)NAN;
    }
}

/* All that is sampled; false: a loss was not finite. Micro-batches of the Hessian come from a
 * permutation of their own, so that it is independent of the gradients. */
static bool sample(bl_train *t, bl_noise_probe *probe) {
    bl_train_probes *p = &t->probe;
    const bl_u32x4 word =
        bl_random4((uint64_t)t->config.train.seed, BL_STREAM_PROBE, 0, (uint64_t)t->progress.made);
    const uint64_t seed = (uint64_t)word.v[0] << 32 | word.v[1];
    const uint64_t other = (uint64_t)word.v[2] << 32 | word.v[3];
    const size_t bytes = t->net.weights * sizeof(float);
    float *sum = NULL;
    if (p->preconditioned) make_scale(t);
    for (size_t q = 0; q < QUARTERS; q++) {
        if (!take_quarter(t, probe, q, seed, &sum)) return false;
        if (q + 1 < QUARTERS) memcpy(p->quarter[q], sum, bytes);
    }
    measure_quarters(t, probe, sum);
    if (!p->settings.hessian) return true;
    memcpy(p->last, sum, bytes);
    const float *const quarter[] = {p->quarter[0], p->quarter[1], p->quarter[2], p->last};
    bl_train_probe_hessian(t, probe, other, quarter);
    return true;
}

void bl_train_probe(bl_train *t) {
    const bl_noise_settings *s = &t->probe.settings;
    bl_noise_probe probe = {
        .step = t->progress.made, .batch = s->batch, .batches = s->batches, .rows = s->rows};
    probe.norms[BL_NOISE_PLAIN].known = true;
    probe.norms[BL_NOISE_PRECONDITIONED].known = t->probe.preconditioned;
    probe.norms[BL_NOISE_HESSIAN].known = s->hessian;
    if (t->workload->probe_exact == NULL || !t->workload->probe_exact(t, &probe))
        if (!sample(t, &probe)) spoil(&probe);
    bl_noise_write_probe(&t->probe.log, &probe);
}

const bl_buf *bl_train_noise(const bl_train *train) {
    return &train->probe.log;
}

/* ---- keeping ---- */

bool bl_train_probe_restore(bl_train *t, const char *text, size_t n) {
    bl_train_probes *p = &t->probe;
    const char *end = n > 0 ? memchr(text, '\n', n) : NULL;
    if (!p->on) return true;
    const size_t head = end != NULL ? (size_t)(end - text) + 1 : 0;
    if (head == 0 || head > p->log.len || memcmp(text, p->log.data, head) != 0 ||
        p->log.data[head - 1] != '\n')
        return false;
    bl_buf_clear(&p->log);
    bl_buf_add(&p->log, text, n);
    p->step = p->made = 0;
    return true;
}
