/* One batch of a net: loss and gradient, whole or in pieces of train.micro_batch examples.
 *
 * Rule B (kernels/kernel.h) goes on across the pieces: each gives its own sum over examples, and
 * the same binary-counter tree that combines blocks of 256 examples inside a kernel combines the
 * pieces here, sums of batch statistics included. With pieces p0, p1, ... of a batch of six:
 *
 *     level 2                 ((p0 + p1) + (p2 + p3))
 *     level 1     (p0 + p1)              (p2 + p3)          (p4 + p5)
 *     level 0   p0        p1           p2        p3       p4        p5
 *
 * level[l] waits for its neighbour of equal size; after the last piece what waits is added from the
 * smallest to the largest: (level 2) + (p4 + p5). Pieces of 256 * 2^k examples are subtrees of the
 * whole batch's tree, so then the bits are those of the whole batch. Other sizes give other bits,
 * and so do nets with batch norm, whose statistics are a piece's: both are part of the run's
 * identity (engine/config/validate.c).
 *
 * A piece's loss that is not finite ends the backward pass, not the loop: the sum is then not
 * finite either, and the step is refused as a whole. */
#include "engine/train/workload.h"
#include "kernels/part.h"
#include <string.h>

enum { UNIT = 16 }; /* floats: parts begin on cache lines */

typedef struct loss_job {
    bl_train *train;
    size_t count, total; /* examples of this piece, and of all whose mean is the loss */
    double *sum;
} loss_job;

static void loss_part(void *ctx, size_t p, size_t parts) {
    const loss_job *job = ctx;
    bl_train *t = job->train;
    const bl_net_node *out = bl_net_output(&t->net);
    const bl_part part = {.part = p, .parts = parts, .scratch = t->scratch + p * BL_KERNEL_SCRATCH};
    const bl_loss_args args = {.y = out->y,
                               .target = t->net.target,
                               .dy = out->dy,
                               .sum = job->sum,
                               .count = job->count,
                               .width = out->width,
                               .total = job->total,
                               .label_smoothing = t->config.label_smoothing};
    t->loss->run(t->kernels, &args, &part);
}

/* The sum of the losses of one piece; its gradient too, unless the sum alone says that there is no
 * use for one. `update`, if not NULL, takes gradients as bl_pass does. */
static double piece_loss(bl_train *t, uint64_t position, size_t count, size_t total,
                         const bl_pass_update *update) {
    const bl_pass pass = {.kernels = t->kernels,
                          .pool = t->pool,
                          .scratch = t->scratch,
                          .batch = count,
                          .seed = t->sampler.of.seed,
                          .position = position,
                          .watch = t->watch != NULL ? &t->watch->pass : NULL,
                          .update = update};
    double sum = 0.0;
    loss_job job = {t, count, total, &sum};
    if (!t->held) bl_train_gather(t, BL_TRAIN_GATHER_STREAM, position, count);
    bl_train_mark(t, BL_TRAIN_GATHER);
    bl_net_forward(&t->net, &pass);
    bl_pool_run(t->pool, loss_part, &job);
    bl_train_mark(t, BL_TRAIN_FORWARD);
    t->updated = update != NULL && isfinite(sum);
    if (isfinite(sum)) bl_net_backward(&t->net, &pass);
    bl_train_mark(t, BL_TRAIN_BACKWARD);
    return sum;
}

/* gradient <- left + gradient, or into <- gradient. */
typedef struct merge_job {
    float *gradient, *into;
    const float *left;
    size_t count;
} merge_job;

static void merge_part(void *ctx, size_t p, size_t parts) {
    const merge_job *job = ctx;
    const bl_part part = {.part = p, .parts = parts};
    const bl_range range = bl_part_range(&part, job->count, UNIT);
    for (size_t i = range.begin; job->left && i < range.end; i++)
        job->gradient[i] = job->left[i] + job->gradient[i];
    if (job->into)
        memcpy(job->into + range.begin, job->gradient + range.begin,
               (range.end - range.begin) * sizeof *job->into);
}

static void merge(bl_train *t, const float *left, float *into) {
    merge_job job = {t->net.gradient, into, left, bl_net_gradients(&t->net)};
    bl_pool_run(t->pool, merge_part, &job);
}

/* Climbs the tree after piece number `piece`: sums of equal size are added, left + right; after the
 * last piece, whatever is left over. */
static double climb(bl_train *t, double sum, double level[64], size_t piece, bool last) {
    size_t l = 0;
    for (; piece >> l; l++) {
        if (!(piece >> l & 1)) {
            if (last) continue;
            break;
        }
        sum = level[l] + sum;
        merge(t, t->level[l], NULL);
    }
    if (last) return sum;
    level[l] = sum;
    merge(t, NULL, t->level[l]);
    return sum;
}

/* Of a step of few examples and large layers, passes over weights, gradients and states take most
 * of the time, so that such weights are updated in backward. Not where somebody else reads the
 * gradient, or measures backward and optimizer each by itself. */
static bool updates_on_the_way(const bl_train *t) {
    enum { FEW = 64 };
    bool any = false;
    if (t->batch > FEW || t->levels > 0 || t->ways.array != NULL || t->watch != NULL) return false;
    for (size_t i = 0; i < t->net.nodes; i++) any = any || bl_net_updates(&t->net.node[i]);
    return any;
}

double bl_train_batch_loss(bl_train *train) {
    const uint64_t position = (uint64_t)train->progress.made * train->batch;
    bl_train_update update = {.train = train};
    const bl_pass_update on_the_way = {bl_train_update_at, &update};
    const bool early = updates_on_the_way(train);
    if (early) {
        bl_train_progress next = train->progress; /* the step moves the run's own, likewise */
        update.step = bl_train_step_numbers(train, &next);
    }
    double level[64], sum = 0.0;
    for (size_t at = 0, piece = 0; at < train->batch; at += train->micro, piece++) {
        const size_t count = bl_size_min(train->micro, train->batch - at);
        sum = piece_loss(train, position + at, count, train->batch, early ? &on_the_way : NULL);
        if (train->levels > 0) sum = climb(train, sum, level, piece, at + count == train->batch);
        bl_train_mark(train, BL_TRAIN_BACKWARD);
    }
    const bl_pass pass = {.kernels = train->kernels, .pool = train->pool};
    bl_net_update_running_stats(&train->net, &pass, train->batch, train->micro);
    return sum / (double)train->batch;
}

/* The stream of the probe's seed takes the place of the run's for one pass. */
bool bl_train_net_probe(bl_train *train, uint64_t seed, uint64_t position, size_t count,
                        float **gradient) {
    const bl_sampler sampler = train->sampler;
    const uint64_t augment_seed = train->augment.seed;
    bl_sampler_init(&train->sampler, seed, train->epoch_rows);
    train->augment.seed = seed;
    const double sum = piece_loss(train, position, count, count, NULL);
    train->sampler = sampler;
    train->augment.seed = augment_seed;
    *gradient = train->net.gradient;
    return isfinite(sum);
}
