#include "engine/train/run.h"
#include "kernels/exact_math.h"
#include "kernels/part.h"

/* Parts of the parameter block begin on cache lines. */
enum { OPTIM_UNIT = 16 };

typedef struct loss_job {
    bl_train *train;
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
                               .count = t->batch,
                               .width = out->width,
                               .total = t->batch,
                               .label_smoothing = t->config.label_smoothing};
    t->loss->run(t->kernels, &args, &part);
}

typedef struct optim_job {
    const bl_optim *optim;
    const bl_optim_step *args;
    size_t count;
} optim_job;

static void optim_part(void *ctx, size_t p, size_t parts) {
    const optim_job *job = ctx;
    const bl_part part = {.part = p, .parts = parts};
    const bl_range range = bl_part_range(&part, job->count, OPTIM_UNIT);
    job->optim->step(job->args, range.begin, range.end);
}

static void update(bl_train *t) {
    const bl_config *config = &t->config;
    const bl_pace pace = bl_schedule_at(&t->schedule, t->progress.made);
    const double fixed = t->optim->adam ? config->optimizer.beta1 : config->optimizer.momentum;
    bl_optim_step args = {
        .param = t->net.weight,
        .grad = t->net.gradient,
        .state = {t->state[0], t->state[1]},
        .rate = pace.rate,
        .momentum = pace.momentum > 0.0 ? pace.momentum : fixed,
        .beta2 = config->optimizer.beta2,
        .eps = config->optimizer.eps,
        .weight_decay = config->optimizer.weight_decay
    };
    t->progress.product1 *= args.momentum;
    t->progress.product2 *= args.beta2;
    args.weight1 = 1.0 - t->progress.product1;
    args.weight2 = 1.0 - t->progress.product2;
    optim_job job = {t->optim, &args, t->net.weights};
    bl_pool_run(t->pool, optim_part, &job);
}

/* FNV-1a over the loss's eight bytes, lowest first; every NaN counts as one. */
static uint64_t roll(uint64_t hash, double loss) {
    uint64_t bits = loss == loss ? bl_bits64(loss) : 0x7ff8000000000000u;
    for (int i = 0; i < 8; i++, bits >>= 8) hash = (hash ^ (bits & 0xff)) * 0x100000001b3u;
    return hash;
}

bool bl_step(bl_train *train) {
    const uint64_t position = (uint64_t)train->progress.made * train->batch;
    const bl_pass pass = {.kernels = train->kernels,
                          .pool = train->pool,
                          .scratch = train->scratch,
                          .batch = train->batch,
                          .seed = train->sampler.seed,
                          .position = position};
    double sum = 0.0;
    loss_job job = {train, &sum};
    bl_gather(train, BL_GATHER_STREAM, position, train->batch);
    bl_net_forward(&train->net, &pass);
    bl_pool_run(train->pool, loss_part, &job);
    const double loss = sum / (double)train->batch;
    train->progress.loss = loss;
    train->progress.loss_sum += loss;
    train->progress.loss_count++;
    train->progress.hash = roll(train->progress.hash, loss);
    const bool finite = isfinite(loss);
    if (finite) {
        bl_net_backward(&train->net, &pass);
        update(train);
    }
    train->progress.made++;
    return finite;
}
