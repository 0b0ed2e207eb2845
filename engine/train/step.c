#include "engine/train/workload.h"
#include "kernels/exact_math.h"
#include "kernels/part.h"

/* Parts of the parameter block begin on cache lines. */
enum { OPTIM_UNIT = 16 };

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

void bl_update_weights(bl_train *train, const bl_optim_step *args) {
    bl_optim_step step = *args;
    step.param = train->net.weight;
    step.grad = train->net.gradient;
    for (size_t i = 0; i < BL_OPTIM_STATES; i++) step.state[i] = train->state[i];
    optim_job job = {train->optim, &step, train->net.weights};
    bl_pool_run(train->pool, optim_part, &job);
}

/* This step's numbers. */
static bl_optim_step pace_of(bl_train *t) {
    const bl_config *config = &t->config;
    const bl_pace pace = bl_schedule_at(&t->schedule, t->progress.made);
    const double fixed = t->optim->adam ? config->optimizer.beta1 : config->optimizer.momentum;
    bl_optim_step args = {.rate = pace.rate,
                          .momentum = pace.momentum > 0.0 ? pace.momentum : fixed,
                          .beta2 = config->optimizer.beta2,
                          .eps = config->optimizer.eps,
                          .weight_decay = config->optimizer.weight_decay};
    t->progress.product1 *= args.momentum;
    t->progress.product2 *= args.beta2;
    args.weight1 = 1.0 - t->progress.product1;
    args.weight2 = 1.0 - t->progress.product2;
    return args;
}

/* FNV-1a over the loss's eight bytes, lowest first; every NaN counts as one. */
static uint64_t roll(uint64_t hash, double loss) {
    uint64_t bits = loss == loss ? bl_bits64(loss) : 0x7ff8000000000000u;
    for (int i = 0; i < 8; i++, bits >>= 8) hash = (hash ^ (bits & 0xff)) * 0x100000001b3u;
    return hash;
}

bool bl_step(bl_train *train) {
    const double loss = train->workload->loss(train);
    train->progress.loss = loss;
    train->progress.loss_sum += loss;
    train->progress.loss_count++;
    train->progress.hash = roll(train->progress.hash, loss);
    const bool finite = isfinite(loss);
    if (finite) {
        const bl_optim_step args = pace_of(train);
        train->workload->update(train, &args);
    }
    train->progress.made++;
    return finite;
}
