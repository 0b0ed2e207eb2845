/* The timing pass: the only file of this room that reads a clock, and nothing it reads is logged.
 */
#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include "engine/train/run.h"
#include "engine/train/workload.h"
#include <stdio.h>
#include <stdlib.h>

enum { LEAST_STEPS = 3 };

bl_status bl_train_time(bl_train *train, double seconds, double *seconds_per_step, bl_err *err) {
    const double start = bl_clock_seconds();
    double now = start;
    int64_t steps = 0;
    while (steps < LEAST_STEPS || now - start < seconds) {
        const int64_t before = train->progress.made;
        BL_TRY(bl_train_steps(train, INT64_MAX, err));
        if (train->progress.diverged)
            BL_FAIL(err, BL_EDIVERGED, "the run diverged while it was timed: batch %zu, rate %g",
                    train->batch, train->config.train.learning_rate);
        steps += train->progress.made - before;
        now = bl_clock_seconds();
    }
    BL_TRY(bl_train_steps_finish(train, err)); /* of the next measurement's time */
    *seconds_per_step = (now - start) / (double)steps;
    return BL_OK;
}

bl_status bl_train_time_inference(bl_train *train, double seconds, double *seconds_per_batch,
                                  bl_err *err) {
    if (train->workload != &bl_workload_net)
        BL_FAIL(err, BL_EUNSUPPORTED, "inference is measured for nets on the processor");
    const double start = bl_clock_seconds();
    double now = start;
    size_t batches = 0;
    for (; batches < LEAST_STEPS || now - start < seconds; batches++) {
        for (size_t at = 0; at < train->batch; at += train->micro) {
            const bl_pass pass = {.kernels = train->kernels,
                                  .pool = train->pool,
                                  .scratch = train->scratch,
                                  .batch = bl_size_min(train->micro, train->batch - at)};
            bl_train_gather(train, BL_TRAIN_GATHER_STREAM, batches * train->batch + at, pass.batch);
            bl_net_infer(&train->net, &pass);
        }
        now = bl_clock_seconds();
    }
    *seconds_per_batch = (now - start) / (double)batches;
    return BL_OK;
}

/* ---- three loops ---- */

const char *const bl_train_loop_names[] = {[BL_TRAIN_LOOP_WHOLE] = "whole",
                                           [BL_TRAIN_LOOP_SAME_BATCH] = "same_batch",
                                           [BL_TRAIN_LOOP_GATHER] = "gather"};
_Static_assert(BL_COUNT(bl_train_loop_names) == BL_TRAIN_LOOP_COUNT, "a name for each");

/* The batch of step number `step`, piece by piece, and nothing else. */
static void gather_batch(bl_train *t, uint64_t step) {
    for (size_t at = 0; at < t->batch; at += t->micro)
        bl_train_gather(t, BL_TRAIN_GATHER_STREAM, step * t->batch + at,
                        bl_size_min(t->micro, t->batch - at));
}

static bl_status turn_of(bl_train *t, bl_train_loop loop, uint64_t turn, bl_err *err) {
    if (loop == BL_TRAIN_LOOP_GATHER) {
        gather_batch(t, (uint64_t)t->progress.made + turn);
        return BL_OK;
    }
    t->held = loop == BL_TRAIN_LOOP_SAME_BATCH;
    const bl_status status = bl_train_steps(t, 1, err);
    t->held = false;
    BL_TRY(status);
    if (t->progress.diverged) BL_FAIL(err, BL_EDIVERGED, "the run diverged while it was timed");
    return BL_OK;
}

bl_status bl_train_time_loop(bl_train *train, bl_train_loop loop, double seconds,
                             double *processor_seconds, bl_err *err) {
    if (train->workload != &bl_workload_net)
        BL_FAIL(err, BL_EUNSUPPORTED, "loops are measured for nets on the processor");
    BL_TRY(turn_of(train, BL_TRAIN_LOOP_WHOLE, 0, err)); /* warms up, and leaves a batch to hold */
    const double start = bl_clock_seconds(), cpu = bl_clock_cpu_seconds();
    uint64_t turns = 0;
    for (; turns < LEAST_STEPS || bl_clock_seconds() - start < seconds; turns++)
        BL_TRY(turn_of(train, loop, turns, err));
    *processor_seconds = (bl_clock_cpu_seconds() - cpu) / (double)turns;
    return BL_OK;
}

/* ---- phases ---- */

const char *const bl_train_phase_names[] = {[BL_TRAIN_GATHER] = "gather",
                                            [BL_TRAIN_FORWARD] = "forward",
                                            [BL_TRAIN_BACKWARD] = "backward",
                                            [BL_TRAIN_OPTIMIZER] = "optimizer"};
_Static_assert(BL_COUNT(bl_train_phase_names) == BL_TRAIN_PHASE_COUNT, "a name for each");

void bl_train_watch_mark(bl_train *train, bl_train_phase phase) {
    bl_train_watch *w = train->watch;
    const double now = bl_clock_cpu_seconds();
    w->phase[phase] += now - w->phase_began;
    w->phase_began = w->node_began = now;
}

static void node_done(void *ctx, size_t node, bool backward) {
    bl_train_watch *w = ctx;
    const double now = bl_clock_cpu_seconds();
    (backward ? w->backward : w->forward)[node] += now - w->node_began;
    w->node_began = now;
}

/* Forward once, backward twice: by the input, unless nobody wants that, and by the weights. */
static double multiply_adds(const bl_train *t) {
    double sum = 0;
    for (size_t i = 0; i < t->net.nodes; i++) {
        const bl_net_node *node = &t->net.node[i];
        sum += (double)node->multiplies * (node->dx[0] != NULL ? 3 : 2);
    }
    return sum * (double)t->batch;
}

/* Forward reads x and writes y; backward reads x and dy and writes dx. Weights are read twice,
 * their gradient is written; the optimizer reads both and its states, and writes weights and
 * states. */
static double least_bytes(const bl_train *t) {
    double floats = 0;
    for (size_t i = 0; i < t->net.nodes; i++) {
        const bl_net_node *node = &t->net.node[i];
        if (node->fused.forward_by != BL_NET_NONE) continue;
        for (size_t k = 0; k < node->layer->inputs; k++)
            floats += (double)node->in_width[k] * (node->dx[k] != NULL ? 3 : 2);
        floats += 2 * (double)node->width;
    }
    floats *= (double)t->batch;
    floats += (double)t->net.weights * (3 + 3 + 2 * (double)t->optim->states);
    return floats * (double)sizeof(float);
}

static int by_time(const void *pa, const void *pb) {
    const bl_train_layer_time *a = pa, *b = pb;
    const double x = a->forward + a->backward, y = b->forward + b->backward;
    return (x < y) - (x > y);
}

/* Sums over `steps` to means, and the layers by what they took. */
static void fill_times(bl_train_times *out, const bl_train *t, double steps) {
    const bl_train_watch *w = t->watch;
    out->layer = bl_xalloc((t->net.nodes + 1) * sizeof *out->layer);
    for (size_t i = 0; i < BL_TRAIN_PHASE_COUNT; i++) {
        out->phase[i] = w->phase[i] / steps;
        out->step += out->phase[i];
    }
    for (size_t i = 0; i < t->net.nodes; i++) {
        if (t->net.node[i].fused.forward_by != BL_NET_NONE && w->backward[i] <= 0) continue;
        bl_train_layer_time *layer = &out->layer[out->layers++];
        layer->forward = w->forward[i] / steps;
        layer->backward = w->backward[i] / steps;
        (void)snprintf(layer->name, sizeof layer->name, "%zu %s", i, t->net.node[i].layer->name);
    }
    qsort(out->layer, out->layers, sizeof *out->layer, by_time);
    out->multiply_adds = multiply_adds(t);
    out->bytes = least_bytes(t);
}

/* Steps with the clock on, then an evaluation without. */
static bl_status watched_steps(bl_train *t, double seconds, double *steps, bl_err *err) {
    const double start = bl_clock_seconds();
    t->watch->phase_began = t->watch->node_began = bl_clock_cpu_seconds();
    for (*steps = 0; *steps < LEAST_STEPS || bl_clock_seconds() - start < seconds; ++*steps) {
        BL_TRY(bl_train_steps(t, 1, err));
        if (t->progress.diverged) BL_FAIL(err, BL_EDIVERGED, "the run diverged while it was timed");
    }
    return BL_OK;
}

/* The first step is not timed: it is the one that meets memory for the first time. The clock is
 * off in the evaluation, whose time is measured as a whole, by processor time like the rest. */
bl_status bl_train_time_phases(bl_train *train, double seconds, bl_train_times *out, bl_err *err) {
    *out = (bl_train_times){0};
    if (train->workload != &bl_workload_net)
        BL_FAIL(err, BL_EUNSUPPORTED, "phases are measured for nets on the processor");
    BL_TRY(bl_train_steps(train, 1, err));
    bl_train_watch watch = {
        .pass = {node_done, &watch},
        .forward = bl_xalloc((train->net.nodes + 1) * sizeof(double)),
        .backward = bl_xalloc((train->net.nodes + 1) * sizeof(double))
    };
    double steps = 0;
    train->watch = &watch;
    const bl_status status = watched_steps(train, seconds, &steps, err);
    if (status == BL_OK) fill_times(out, train, steps);
    train->watch = NULL;
    free(watch.forward);
    free(watch.backward);
    return status;
}

double bl_train_time_evaluation(bl_train *train) {
    const double start = bl_clock_cpu_seconds();
    (void)train->workload->evaluate(train);
    return bl_clock_cpu_seconds() - start;
}

void bl_train_times_free(bl_train_times *times) {
    free(times->layer);
    *times = (bl_train_times){0};
}
