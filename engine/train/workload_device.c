/* A net on a device: the same walk as workload_net.c, enqueued. Steps are recorded once, one and
 * eight of them, and made again as often as is asked for, a chunk of steps at a time. While the
 * device is at one chunk, the host enqueues the next and only then waits for the losses of the
 * first. The bits are those of the processor. */
#include "engine/model/model.h"
#include "engine/train/device_dataset.h"
#include "engine/train/workload.h"
#include "kernels/device.h"
#include <math.h>
#include <stddef.h>
#include <string.h>

enum { CHUNKS = BL_QUEUE_MARKS, REPLAYED = 8, EVAL_BYTES = 256 << 20 };

/* The host's side of a chunk of steps; the device reads and writes it by itself. Behind chunk c is
 * mark c. */
typedef struct chunk {
    bl_device_progress begin; /* all but `stopped`, which stays from chunk to chunk */
    bl_update_step step[BL_TRAIN_DEVICE_STEPS];
    double loss[BL_TRAIN_DEVICE_STEPS];
    size_t count;
} chunk;

struct bl_train_device {
    const bl_train_device_data *device_data;
    const bl_device *device;
    bl_queue *queue;
    void *memory;                 /* all of the run's, below the arena */
    bl_recording *step, *several; /* of one step, of REPLAYED */
    float loss_scale;             /* a power of two; of gradients, from the loss to the update */
    bool warm; /* a step was made without a recording: what loads late is loaded */
    /* on the device */
    bl_device_progress *progress;
    bl_update_step *steps;   /* (BL_TRAIN_DEVICE_STEPS) */
    double *losses;          /* (BL_TRAIN_DEVICE_STEPS) */
    double *sum, *level_sum; /* (1), (levels) */
    float *snapshot;         /* (runnings): the running statistics after the last good forward */
    /* here */
    bl_arena here;   /* of probes (probe.c) */
    float *gradient; /* (weights) one is measured here */
    float *weight, *running, *state[BL_UPDATE_STATES], *average, *average_running;
    void *pinned; /* what follows, where there is pinned memory; else `ordinary` */
    void *ordinary;
    chunk *chunk;               /* (CHUNKS) */
    float *prediction, *target; /* of all evaluated rows */
    /* Chunks that are on their way, the oldest first, and where training is behind them. */
    size_t oldest, on_their_way;
    bl_train_progress ahead;
    bl_err fault; /* the first; the run ends with it */
};

/* Keeps the first fault. */
static void note(bl_train_device *d, bl_status status, const bl_err *err) {
    if (status != BL_OK && d->fault.code == BL_OK) d->fault = *err;
}

/* Waits for all that was enqueued. */
static void wait(bl_train_device *d) {
    bl_err err = {0};
    note(d, d->device->wait(d->queue, &err), &err);
}

/* ---- memory ---- */

/* An array of the run's state: there, and the copy of it here. */
typedef struct mirror {
    float *there, **here;
    size_t count;
} mirror;

/* All of them, in the order of bl_workload_net's blocks: how many. The first two and the last two
 * are what is evaluated. */
static size_t mirrors(const bl_train *t, mirror out[BL_STATE_BLOCKS]) {
    bl_train_device *d = t->on_device;
    size_t n = 0;
    out[n++] = (mirror){t->net.weight, &d->weight, t->net.weights};
    out[n++] = (mirror){t->net.running, &d->running, t->net.runnings};
    for (size_t i = 0; i < t->optim->states; i++)
        out[n++] = (mirror){t->state[i], &d->state[i], t->net.weights};
    if (t->average == NULL) return n;
    out[n++] = (mirror){t->average, &d->average, t->net.weights};
    out[n++] = (mirror){t->average_running, &d->average_running, t->net.runnings};
    return n;
}

/* Memory here for the copies; the arrays there need no address yet. */
static bl_status alloc_mirrors(bl_train *t, bl_err *err) {
    mirror all[BL_STATE_BLOCKS];
    const size_t n = mirrors(t, all);
    for (size_t i = 0; i < n; i++) {
        *all[i].here = bl_alloc(bl_size_max(all[i].count, 1) * sizeof(float));
        if (*all[i].here == NULL)
            BL_FAIL(err, BL_ENOMEM, "no memory for %zu parameters", t->net.weights);
    }
    return BL_OK;
}

static void lay_out(bl_train *t, bl_net_layout *layout, size_t threads) {
    bl_train_device *d = t->on_device;
    (void)threads;
    bl_train_net_memory(t, layout);
    d->progress = bl_net_layout_take(layout, 1, sizeof *d->progress);
    d->steps = bl_net_layout_take(layout, BL_TRAIN_DEVICE_STEPS, sizeof *d->steps);
    d->losses = bl_net_layout_take(layout, BL_TRAIN_DEVICE_STEPS, sizeof *d->losses);
    d->sum = bl_net_layout_take(layout, 1, sizeof *d->sum);
    d->level_sum = bl_net_layout_take(layout, t->levels, sizeof *d->level_sum);
    d->snapshot = bl_net_layout_take(layout, t->net.runnings, sizeof *d->snapshot);
}

bl_status bl_train_device_open(bl_train *t, const bl_train_device_data *device_data) {
    bl_train_device *d = bl_xalloc(sizeof *d);
    d->device_data = device_data;
    d->device = device_data->device;
    t->on_device = d;
    t->kernels = d->device->kernels;
    return BL_OK;
}

/* Memory for what is read back. Without pinned memory every copy waits for the device. */
static bl_status alloc_read_back(bl_train *t, bl_err *err) {
    bl_train_device *d = t->on_device;
    const size_t width = bl_net_output(&t->net)->width;
    const size_t bytes =
        CHUNKS * sizeof *d->chunk + t->eval_rows * (width + 1) * sizeof *d->prediction;
    bl_err none;
    if (d->device->alloc_pinned(d->device, &d->pinned, bytes, &none) != BL_OK)
        d->ordinary = bl_alloc(bytes);
    d->chunk = d->pinned != NULL ? d->pinned : d->ordinary;
    if (d->chunk == NULL) BL_FAIL(err, BL_ENOMEM, "no memory to read %zu bytes back", bytes);
    memset(d->chunk, 0, CHUNKS * sizeof *d->chunk);
    d->prediction = (float *)(d->chunk + CHUNKS);
    d->target = d->prediction + t->eval_rows * width;
    return BL_OK;
}

/* What probes keep: the processor measures gradients, so that the bits are its own. */
static bl_status alloc_probe(bl_train *t, bl_err *err) {
    bl_train_device *d = t->on_device;
    for (int dry = 1; dry >= 0; dry--) {
        bl_arena counted = {0};
        bl_net_layout layout = {.arena = dry ? &counted : &d->here};
        bl_train_probe_lay_out(t, &layout);
        d->gradient = bl_net_layout_take(&layout, t->net.weights, sizeof(float));
        if (layout.too_large) BL_FAIL(err, BL_ENOMEM, "probes do not fit memory");
        if (dry) BL_TRY(bl_arena_init(&d->here, counted.peak, err));
    }
    return BL_OK;
}

/* The planned memory, there and here. */
bl_status bl_train_device_memory(bl_train *t, size_t bytes, bl_err *err) {
    bl_train_device *d = t->on_device;
    BL_TRY(d->device->queue_open(d->device, &d->queue, err));
    if (strcmp(t->config.numerics, "device") == 0)
        BL_TRY(d->device->queue_level(d->queue, t->config.precision,
                                      bl_model_takes_pictures(&t->config), &t->kernels, err));
    BL_TRY(d->device->alloc(d->device, &d->memory, bytes, err));
    d->device->clear(d->queue, d->memory, bytes);
    t->arena = (bl_arena){.base = d->memory, .capacity = bytes};
    BL_TRY(alloc_mirrors(t, err));
    if (t->probe.on) BL_TRY(alloc_probe(t, err));
    return alloc_read_back(t, err);
}

void bl_train_device_close(bl_train *t) {
    bl_train_device *d = t->on_device;
    if (d == NULL) return;
    d->device->queue_close(d->queue);
    d->device->recording_free(d->step);
    d->device->recording_free(d->several);
    d->device->release(d->device, d->memory);
    d->device->release_pinned(d->device, d->pinned);
    t->arena = (bl_arena){0}; /* it was the device's */
    free(d->weight);
    free(d->running);
    for (size_t i = 0; i < BL_UPDATE_STATES; i++) free(d->state[i]);
    free(d->average);
    free(d->average_running);
    free(d->ordinary);
    bl_arena_free(&d->here);
    free(d);
}

/* Shapes of a pass over `all` examples, `most` at once. */
static void select_for_passes(bl_train *t, const bl_kernels *kernels, size_t all, size_t most,
                              bool training) {
    const size_t counts[] = {bl_size_min(most, all), all % most};
    for (size_t i = 0; i < BL_COUNT(counts); i++) {
        const bl_pass pass = {
            .kernels = kernels, .pool = t->pool, .batch = counts[i], .queue = t->on_device->queue};
        if (counts[i] == 0) continue;
        if (!training) bl_net_infer(&t->net, &pass);
        if (training) bl_net_forward(&t->net, &pass);
        if (training) bl_net_backward(&t->net, &pass);
    }
}

/* Level `device`: every algorithm is chosen before the log begins, which names them. */
static void select_algorithms(bl_train *t) {
    bl_train_device *d = t->on_device;
    const bl_kernels *kernels = d->device->select_algorithms(d->queue, true);
    select_for_passes(t, kernels, t->batch, t->micro, true);
    select_for_passes(t, kernels, (size_t)t->eval_rows, t->eval_chunk, false);
    (void)d->device->select_algorithms(d->queue, false);
}

const char *bl_train_device_algorithm(const bl_train *t, size_t i) {
    const bl_train_device *d = t->on_device;
    return d != NULL ? d->device->algorithm_text(d->queue, i) : NULL;
}

static void begin(bl_train *t) {
    bl_train_device *d = t->on_device;
    if (strcmp(t->config.numerics, "device") == 0) select_algorithms(t);
    bl_net here = t->net;
    here.weight = d->weight;
    here.running = d->running;
    bl_net_reset(&here, (uint64_t)t->config.train.seed);
    if (t->average != NULL) {
        memcpy(d->average, d->weight, t->net.weights * sizeof(float));
        memcpy(d->average_running, d->running, t->net.runnings * sizeof(float));
    }
    bl_sampler_init(&t->sampler, (uint64_t)t->config.train.seed, t->epoch_rows);
    t->workload->put(t);
}

/* ---- a step ---- */

/* What a gather of `count` examples takes from the data set that lies on the device. */
static bl_device_gather gathering(const bl_train *t, size_t count) {
    const bl_train_device *d = t->on_device;
    const bl_dataset *data = t->data;
    bl_device_gather g = {.codes = t->net.codes,
                          .values = t->net.values,
                          .target = t->net.target,
                          .all_codes = d->device_data->codes,
                          .all_values = d->device_data->values,
                          .all_pixels = d->device_data->pixels,
                          .all_target = d->device_data->target,
                          .categorical = data->categorical,
                          .continuous = data->continuous,
                          .height = data->height,
                          .width = data->width,
                          .channels = data->channels,
                          .crop = t->augment.crop,
                          .flip = t->augment.flip,
                          .seed = t->sampler.of.seed,
                          .train_rows = t->epoch_rows,
                          .count = count};
    memcpy(g.pixel_mean, data->pixel_mean, sizeof g.pixel_mean);
    memcpy(g.pixel_scale, data->pixel_scale, sizeof g.pixel_scale);
    return g;
}

/* Enqueues one piece: gather, forward, loss and its gradient, backward. The loss is the mean of
 * `total` examples; the piece's begin at position `at` of the sampler's stream, counted from *from
 * (NULL: from its beginning). */
static void piece_loss(bl_train *t, size_t at, size_t count, size_t total, const uint64_t *from) {
    bl_train_device *d = t->on_device;
    const bl_net_node *out = bl_net_output(&t->net);
    const bl_part part = {.part = 0, .parts = 1, .queue = d->queue};
    bl_device_gather g = gathering(t, count);
    const bl_pass pass = {.kernels = t->kernels,
                          .pool = t->pool,
                          .batch = count,
                          .seed = t->sampler.of.seed,
                          .position = at,
                          .from = from,
                          .queue = d->queue};
    const bl_loss_args args = {.y = out->y,
                               .target = t->net.target,
                               .dy = out->dy,
                               .sum = d->sum,
                               .count = count,
                               .width = out->width,
                               .total = total,
                               .label_smoothing = t->config.label_smoothing};
    g.position = at;
    g.from = from;
    d->device->gather(d->queue, &g);
    bl_net_forward(&t->net, &pass);
    t->loss->run(t->kernels, &args, &part);
    if (d->loss_scale != 1.0f)
        d->device->scale(d->queue, out->dy, d->loss_scale, count * out->width);
    bl_net_backward(&t->net, &pass);
}

/* Climbs the tree of pieces as batch.c does. */
static void climb(bl_train *t, size_t piece, bool last) {
    bl_train_device *d = t->on_device;
    const size_t count = bl_net_gradients(&t->net);
    size_t l = 0;
    for (; piece >> l; l++) {
        if (!(piece >> l & 1)) {
            if (last) continue;
            break;
        }
        d->device->merge(d->queue, t->net.gradient, t->level[l], count, d->sum, &d->level_sum[l]);
    }
    if (last) return;
    d->device->copy(d->queue, t->level[l], t->net.gradient, count * sizeof(float));
    d->device->copy(d->queue, &d->level_sum[l], d->sum, sizeof *d->sum);
}

/* Enqueues one whole step. Numbers that change from step to step are read on the device, from
 * `steps` and `progress`, so that a recording of it can be made again. */
static void enqueue_step(bl_train *t) {
    bl_train_device *d = t->on_device;
    for (size_t at = 0, piece = 0; at < t->batch; at += t->micro, piece++) {
        const size_t count = bl_size_min(t->micro, t->batch - at);
        piece_loss(t, at, count, t->batch, &d->progress->position);
        if (t->levels > 0) climb(t, piece, at + count == t->batch);
    }
    const bl_pass pass = {.kernels = t->kernels, .pool = t->pool, .queue = d->queue};
    bl_net_update_running_stats(&t->net, &pass, t->batch, t->micro);
    const bl_device_check check = {.progress = d->progress,
                                   .losses = d->losses,
                                   .sum = d->sum,
                                   .total = t->batch,
                                   .snapshot = d->snapshot,
                                   .running = t->net.running,
                                   .count = t->net.runnings};
    d->device->check_loss(d->queue, &check);
    if (d->loss_scale != 1.0f)
        d->device->scale(d->queue, t->net.gradient, 1.0f / d->loss_scale, t->net.weights);
    const bl_device_update update = {
        .optimizer = t->optim->name,
        .steps = d->steps,
        .progress = d->progress,
        .param = t->net.weight,
        .grad = t->net.gradient,
        .state = {t->state[0], t->state[1]},
        .count = t->net.weights,
        .average = t->average,
        .average_running = t->average_running,
        .running = t->net.running,
        .runnings = t->net.runnings
    };
    d->device->update(d->queue, &update);
}

/* How many of `left` steps the next replay makes: several where they are left, as every replay
 * costs the host and the device a few microseconds. Steps in pieces are long without that. */
static size_t steps_of_replay(const bl_train *t, size_t left) {
    return left >= REPLAYED && t->micro >= t->batch ? REPLAYED : 1;
}

/* Enqueues one step or more; *made are how many, at most `left`. The first step is made as it is,
 * so that nothing is loaded while the second is recorded. */
static bl_status make_steps(bl_train *t, size_t left, size_t *made, bl_err *err) {
    bl_train_device *d = t->on_device;
    *made = d->warm ? steps_of_replay(t, left) : 1;
    if (!d->warm) {
        enqueue_step(t);
        d->warm = true;
        return BL_OK;
    }
    bl_recording **steps = *made == 1 ? &d->step : &d->several;
    if (*steps == NULL) {
        BL_TRY(d->device->record_begin(d->queue, err));
        for (size_t i = 0; i < *made; i++) enqueue_step(t);
        BL_TRY(d->device->record_end(d->queue, steps, err));
    }
    d->device->replay(d->queue, *steps);
    return BL_OK;
}

/* Sends `count` steps' numbers to the device, enqueues the steps, and asks for their losses. */
static bl_status enqueue_chunk(bl_train *t, size_t count, bl_err *err) {
    bl_train_device *d = t->on_device;
    const size_t c = (d->oldest + d->on_their_way) % CHUNKS;
    chunk *h = &d->chunk[c];
    h->count = count;
    h->begin.position = (uint64_t)d->ahead.made * t->batch;
    for (size_t i = 0; i < count; i++, d->ahead.made++)
        h->step[i] = bl_train_step_numbers(t, &d->ahead);
    d->device->put(d->queue, d->steps, h->step, count * sizeof *h->step);
    d->device->put(d->queue, d->progress, &h->begin, offsetof(bl_device_progress, stopped));
    for (size_t made, at = 0; at < count; at += made) BL_TRY(make_steps(t, count - at, &made, err));
    d->device->get(d->queue, h->loss, d->losses, count * sizeof *h->loss);
    d->device->mark(d->queue, c);
    d->on_their_way++;
    return BL_OK;
}

/* Waits for the oldest chunk. Behind a loss that is not finite the device has changed nothing. */
static bl_status take_chunk(bl_train *t, bl_err *err) {
    bl_train_device *d = t->on_device;
    const chunk *h = &d->chunk[d->oldest];
    BL_TRY(d->device->wait_for(d->queue, d->oldest, err));
    d->oldest = (d->oldest + 1) % CHUNKS;
    d->on_their_way--;
    for (size_t i = 0; i < h->count && !t->progress.diverged; i++) {
        bl_train_enter_loss(t, h->loss[i]);
        if (isfinite(h->loss[i]))
            (void)bl_train_step_numbers(t, &t->progress);
        else
            t->progress.diverged = true;
        t->progress.made++;
    }
    return BL_OK;
}

/* Waits for all chunks that are on their way. */
static bl_status take_chunks(bl_train *t, bl_err *err) {
    while (t->on_device->on_their_way > 0) BL_TRY(take_chunk(t, err));
    return BL_OK;
}

/* Whatever is on its way was asked for by the same caller: it ends at made + most at the latest. */
static bl_status move_on(bl_train *t, int64_t most, bl_err *err) {
    bl_train_device *d = t->on_device;
    const size_t together = d->pinned != NULL ? CHUNKS : 1;
    if (d->on_their_way == 0) d->ahead = t->progress;
    int64_t left = most - (d->ahead.made - t->progress.made);
    while (left > 0 && d->on_their_way < together) {
        const int64_t count = left < BL_TRAIN_DEVICE_STEPS ? left : BL_TRAIN_DEVICE_STEPS;
        BL_TRY(enqueue_chunk(t, (size_t)count, err));
        left -= count;
    }
    BL_TRY(take_chunk(t, err));
    if (!t->progress.diverged) return BL_OK;
    d->device->copy(d->queue, t->net.running, d->snapshot, t->net.runnings * sizeof(float));
    return take_chunks(t, err);
}

static bl_status fault(const bl_train *t, bl_err *err) {
    if (t->on_device->fault.code == BL_OK) return BL_OK;
    if (err != NULL) *err = t->on_device->fault;
    return t->on_device->fault.code;
}

static bl_status steps(bl_train *t, int64_t most, bl_err *err) {
    bl_err first = {0};
    note(t->on_device, move_on(t, most, &first), &first);
    return fault(t, err);
}

static bl_status finish(bl_train *t, bl_err *err) {
    bl_err first = {0};
    note(t->on_device, take_chunks(t, &first), &first);
    return fault(t, err);
}

/* ---- measuring and keeping ---- */

/* All chunks are put in the queue, each with the copies of its predictions and targets to the host.
 * Then one wait, and the metric is computed here, in the order of a processor. */
static double evaluate(bl_train *t) {
    bl_train_device *d = t->on_device;
    const bl_net_node *out = bl_net_output(&t->net);
    bl_metric_sum sum;
    bl_pass pass = {.kernels = t->kernels, .pool = t->pool, .queue = d->queue};
    bl_train_average_aim(t);
    for (uint64_t at = 0; at < t->eval_rows; at += pass.batch) {
        const uint64_t left = t->eval_rows - at;
        pass.batch = left < t->eval_chunk ? (size_t)left : t->eval_chunk;
        bl_device_gather g = gathering(t, pass.batch);
        g.position = at;
        g.eval_first = t->eval_first;
        g.eval_available = t->eval_available;
        g.eval_rows = t->eval_rows;
        d->device->gather(d->queue, &g);
        bl_net_infer(&t->net, &pass);
        d->device->get(d->queue, d->prediction + at * out->width, out->y,
                       pass.batch * out->width * sizeof(float));
        d->device->get(d->queue, d->target + at, t->net.target, pass.batch * sizeof(float));
    }
    bl_train_average_aim_back(t);
    wait(d);
    bl_train_metric_begin(t, &sum);
    bl_metric_add(&sum, d->prediction, out->width, d->target, t->eval_rows);
    return bl_train_metric_end(t, &sum);
}

/* As bl_train_net_probe, and brings the gradient here. */
static bool probe(bl_train *t, uint64_t seed, uint64_t position, size_t count, float **gradient) {
    bl_train_device *d = t->on_device;
    const bl_sampler sampler = t->sampler;
    double sum = 0.0;
    bl_sampler_init(&t->sampler, seed, t->epoch_rows);
    piece_loss(t, position, count, count, NULL);
    t->sampler = sampler;
    d->device->get(d->queue, d->gradient, t->net.gradient, t->net.weights * sizeof(float));
    d->device->get(d->queue, &sum, d->sum, sizeof sum);
    wait(d);
    *gradient = d->gradient;
    return isfinite(sum);
}

static const float *probe_state(bl_train *t) {
    bl_train_device *d = t->on_device;
    d->device->get(d->queue, d->state[1], t->state[1], t->net.weights * sizeof(float));
    wait(d);
    return d->state[1];
}

static const float *probe_weights(bl_train *t) {
    bl_train_device *d = t->on_device;
    d->device->get(d->queue, d->weight, t->net.weight, t->net.weights * sizeof(float));
    wait(d);
    return d->weight;
}

/* Nothing reads the copy of the weights here before it is fetched again. A probe that reads the
 * device's waits for it before this is called once more. */
static void probe_move(bl_train *t, const float *weight, float step, const float *along) {
    bl_train_device *d = t->on_device;
    bl_train_move_weights(t, d->weight, weight, step, along);
    d->device->put(d->queue, t->net.weight, d->weight, t->net.weights * sizeof(float));
    wait(d);
}

/* Copies the state here: all of it. */
static void fetch(const bl_train *t) {
    bl_train_device *d = t->on_device;
    mirror all[BL_STATE_BLOCKS];
    const size_t n = mirrors(t, all);
    BL_ASSERT(d->on_their_way == 0);
    for (size_t i = 0; i < n; i++)
        d->device->get(d->queue, *all[i].here, all[i].there, all[i].count * sizeof(float));
    wait(d);
}

static void put(bl_train *t) {
    bl_train_device *d = t->on_device;
    mirror all[BL_STATE_BLOCKS];
    const size_t n = mirrors(t, all);
    d->device->clear(d->queue, d->progress, sizeof *d->progress);
    for (size_t i = 0; i < n; i++)
        d->device->put(d->queue, all[i].there, *all[i].here, all[i].count * sizeof(float));
}

/* What is evaluated. */
static void fetch_net(const bl_train *t) {
    bl_train_device *d = t->on_device;
    mirror all[BL_STATE_BLOCKS];
    const size_t n = mirrors(t, all);
    BL_ASSERT(d->on_their_way == 0);
    for (size_t i = 0; i < n; i++)
        if (i < 2 || i >= 2 + t->optim->states)
            d->device->get(d->queue, *all[i].here, all[i].there, all[i].count * sizeof(float));
    wait(d);
}

static void digest(const bl_train *t, bl_sha256 *out) {
    const bl_train_device *d = t->on_device;
    fetch_net(t);
    bl_train_net_digest(&t->net, d->weight, d->running, out);
    if (t->average != NULL) bl_train_net_digest(&t->net, d->average, d->average_running, out);
}

static size_t blocks(const bl_train *t, bl_state_block out[BL_STATE_BLOCKS]) {
    mirror all[BL_STATE_BLOCKS];
    const size_t n = mirrors(t, all);
    for (size_t i = 0; i < n; i++)
        out[i] = (bl_state_block){*all[i].here, all[i].count * sizeof(float)};
    return n;
}

static bl_status resolve(bl_train *t, bl_err *err) {
    const double scale = t->config.loss_scale;
    int exponent;
    BL_TRY(bl_workload_net.resolve(t, err));
    t->eval_chunk = bl_train_eval_rows(t, EVAL_BYTES);
    t->on_device->loss_scale = 1.0f;
    if (strcmp(t->config.precision, "fp16") != 0) return BL_OK;
    if (frexp(scale, &exponent) != 0.5)
        BL_FAIL(err, BL_EINVAL, "loss_scale is %g; it has to be a power of two", scale);
    t->on_device->loss_scale = (float)scale;
    return BL_OK;
}

const bl_workload bl_workload_device = {.name = "net on a device",
                                        .resolve = resolve,
                                        .lay_out = lay_out,
                                        .begin = begin,
                                        .steps = steps,
                                        .finish = finish,
                                        .evaluate = evaluate,
                                        .digest = digest,
                                        .blocks = blocks,
                                        .probe = probe,
                                        .probe_state = probe_state,
                                        .probe_weights = probe_weights,
                                        .probe_move = probe_move,
                                        .fetch = fetch,
                                        .put = put,
                                        .fault = fault};
