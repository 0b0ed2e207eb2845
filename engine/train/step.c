/* One training step: the loss and gradient of the next batch, the schedule's numbers, the
 * optimizer's update.
 *
 *     loss = workload->loss(run)               gradient is there if the loss is finite, but for
 *                                              weights that had their update on the way (batch.c)
 *     hash, loss_sum <- loss                   what the log says of steps between evaluations
 *     args = rate, momentum, 1 - beta^t, ...   functions of progress.made and the configuration
 *     workload->update(run, &args)             all others; not if the loss is not finite: then the
 *                                              run diverged
 *     made++
 *
 * The products of all steps' betas are kept in fp64 and not computed as powers, because a one-cycle
 * schedule moves beta1 from step to step. A device makes many steps at once and comes back with
 * their losses (workload->steps); bl_train_enter_loss treats each like a loss made here, so the log
 * is the same. */
#include "engine/config/applies.h"
#include "engine/train/workload.h"
#include "kernels/part.h"
#include "kernels/shared/exact_math.h"

/* Parts of the parameter block begin on cache lines. Where an average is kept, it is moved a piece
 * at a time, while the new weights are in the first cache. */
enum { OPTIM_UNIT = 16, PIECE = 1024 };

/* Of `count` weights from number `at` on, with their gradient. */
static void update_range(bl_train *t, const bl_update_step *numbers, const float *gradient,
                         size_t at, size_t count) {
    const bl_part whole = {.part = 0, .parts = 1};
    const size_t piece = t->average != NULL ? PIECE : count;
    bl_update_step step = *numbers;
    step.param = t->net.weight + at;
    step.grad = gradient;
    for (size_t i = 0; i < t->optim->states; i++) step.state[i] = t->state[i] + at;
    for (size_t from = 0, to; from < count; from = to) {
        to = from + bl_size_min(piece, count - from);
        t->optim->step(&step, from, to);
        if (t->average == NULL) continue;
        const bl_power_average average = {t->average + at + from, step.param + from, to - from,
                                          (float)numbers->average};
        t->kernels->power_average(&average, &whole);
    }
}

void bl_train_update_at(const void *update, const float *gradient, const float *place,
                        size_t count) {
    const bl_train_update *u = update;
    update_range(u->train, &u->step, gradient, (size_t)(place - u->train->net.gradient), count);
}

/* A thread's share of the weights [begin, end). */
static void update_share(const bl_train_update *u, const bl_part *part, size_t begin, size_t end) {
    const bl_range share = bl_part_range(part, end - begin, OPTIM_UNIT);
    begin += share.begin;
    update_range(u->train, &u->step, u->train->net.gradient + begin, begin,
                 share.end - share.begin);
}

/* All weights, or those between the ones that were updated in backward. */
static void optim_part(void *ctx, size_t p, size_t parts) {
    const bl_train_update *u = ctx;
    const bl_net *net = &u->train->net;
    const bl_part part = {.part = p, .parts = parts};
    size_t begin = 0;
    for (size_t i = 0; u->train->updated && i < net->nodes; i++) {
        if (!bl_net_updates(&net->node[i])) continue;
        const bl_param *done = &net->param[net->node[i].first_param];
        update_share(u, &part, begin, done->offset);
        begin = done->offset + done->rows * done->cols;
        begin = (begin + OPTIM_UNIT - 1) / OPTIM_UNIT * OPTIM_UNIT; /* of the next parameter */
    }
    update_share(u, &part, begin, net->weights);
}

void bl_train_update_weights(bl_train *train, const bl_update_step *args) {
    bl_train_update job = {train, *args};
    bl_pool_run(train->pool, optim_part, &job);
    train->updated = false;
    bl_train_average_running(train, args->average);
}

/* A number that the optimizer's row of choices.h names. One that it does not name is no number, so
 * that an optimizer which uses it all the same diverges in its first step. */
static double declared(const bl_config *config, const char *path, double value) {
    return bl_config_reads(config, path) ? value : (double)NAN;
}

bl_update_step bl_train_optim_numbers(const bl_config *c) {
    /* Under a schedule that moves it neither counts, and each step sets its own. */
    const bool has_beta1 = bl_config_reads(c, "optimizer.beta1");
    return (bl_update_step){
        .momentum = has_beta1 ? c->optimizer.beta1
                              : declared(c, "optimizer.momentum", c->optimizer.momentum),
        .beta2 = declared(c, "optimizer.beta2", c->optimizer.beta2),
        .eps = declared(c, "optimizer.eps", c->optimizer.eps),
        .weight_decay = declared(c, "optimizer.weight_decay", c->optimizer.weight_decay)};
}

bl_update_step bl_train_step_numbers(const bl_train *t, bl_train_progress *progress) {
    const bl_schedule_value pace = bl_schedule_at(&t->schedule, progress->made);
    bl_update_step args = t->optim_numbers;
    args.rate = pace.rate;
    if (pace.momentum > 0.0) args.momentum = pace.momentum;
    progress->product1 *= args.momentum;
    progress->product2 *= args.beta2;
    args.weight1 = 1.0 - progress->product1;
    args.weight2 = 1.0 - progress->product2;
    if (t->average_power > 0.0)
        args.average = bl_train_average_share(t->average_power, progress->made + 1);
    return args;
}

/* FNV-1a over the loss's eight bytes, lowest first; every NaN counts as one. */
static uint64_t roll(uint64_t hash, double loss) {
    uint64_t bits = loss == loss ? bl_bits64(loss) : 0x7ff8000000000000u;
    for (int i = 0; i < 8; i++, bits >>= 8) hash = (hash ^ (bits & 0xff)) * 0x100000001b3u;
    return hash;
}

void bl_train_enter_loss(bl_train *train, double loss) {
    train->progress.loss = loss;
    train->progress.loss_sum += loss;
    train->progress.loss_count++;
    train->progress.hash = roll(train->progress.hash, loss);
}

bl_status bl_train_steps_finish(bl_train *train, bl_err *err) {
    return train->workload->finish != NULL ? train->workload->finish(train, err) : BL_OK;
}

bl_status bl_train_steps(bl_train *train, int64_t most, bl_err *err) {
    if (train->workload->steps != NULL) return train->workload->steps(train, most, err);
    const double loss = train->workload->loss(train);
    bl_train_enter_loss(train, loss);
    if (isfinite(loss)) {
        const bl_update_step args = bl_train_step_numbers(train, &train->progress);
        bl_train_ways_enter(train);
        train->workload->update(train, &args);
    } else {
        train->progress.diverged = true;
    }
    train->progress.made++;
    bl_train_mark(train, BL_TRAIN_OPTIMIZER);
    return BL_OK;
}
