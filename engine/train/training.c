/* The walk of a run: open it, advance it from evaluation to evaluation, close it.
 *
 *     bl_train_open      names become table rows, memory is counted and taken, weights get their
 *                        first values, the log its header
 *     bl_train_advance   steps until the next point of the grid of evaluations (eval.first, growing
 *                        by eval.growth, and the schedule's horizon), then evaluates and logs
 *     bl_train_save,     between two calls of advance (state_bytes.c)
 *     bl_train_restore
 *     bl_train_close     frees everything
 *
 * What a step and an evaluation are is the workload's (workload.h): a net on a processor
 * (workload_net.c), on a device (workload_device.c), or a problem whose answer is known
 * (workload_quadratic.c). This file never looks at weights.
 *
 * Invariants. A log is a function of configuration and data: no time, no thread count, no path
 * enters it. A run that is saved, restored and advanced writes the log of one that was not
 * interrupted, byte for byte. The limit that a caller gives never moves a later evaluation: the
 * grid is a function of the step alone. A run has diverged when the loss of a step or the metric of
 * an evaluation is not finite: it logs one record with a NaN and stays where it is.
 *
 * Callers: engine/sweep trains many of them in turns, engine/verify again, tests directly. */
#include "engine/train/train.h"
#include "engine/train/workload.h"
#include <string.h>

static const uint64_t k_hash_start = 0xcbf29ce484222325u; /* of FNV-1a */

/* Rows that the sampler shuffles: all training rows, or the first data.rows of them. */
int64_t bl_train_epoch_rows(const bl_config *config, const bl_dataset *data) {
    const int64_t all = (int64_t)data->train_rows, wanted = config->data.rows;
    if (bl_config_is_external(config)) return config->external.epoch_rows;
    return wanted > 0 && wanted < all ? wanted : all;
}

int64_t bl_train_next_eval(const bl_config *config, int64_t epoch_rows, int64_t step,
                           int64_t limit) {
    bl_schedule_plan plan;
    bl_err ignored; /* what cannot be resolved is refused when the run is opened */
    if (bl_schedule_resolve(&plan, config, epoch_rows, &ignored) != BL_OK) plan.horizon = 0;
    const double grown = ceil((double)step * config->eval.growth);
    int64_t next = step + 1;
    if (step <= 0)
        next = config->eval.first > 1 ? config->eval.first : 1;
    else if (grown >= 0x1p+62)
        next = INT64_MAX;
    else if ((int64_t)grown > next)
        next = (int64_t)grown;
    if (step < plan.horizon && next > plan.horizon) next = plan.horizon;
    return next < limit ? next : limit;
}

/* Names to table rows, and everything that a run needs to know before it has memory. */
static bl_status resolve(bl_train *t, const bl_config *config, const bl_dataset *data,
                         bl_err *err) {
    t->config = *config;
    t->data = data;
    t->workload = bl_workload_of(config);
    if (t->on_device != NULL) t->workload = &bl_workload_device;
    if (config->train.batch_size < 1)
        BL_FAIL(err, BL_EINVAL, "train.batch_size is %lld; it has to be at least 1",
                (long long)config->train.batch_size);
    t->batch = (size_t)config->train.batch_size;
    t->epoch_rows = (uint64_t)bl_train_epoch_rows(config, data);
    t->optim = bl_optim_find(config->optimizer.name);
    t->optim_numbers = bl_train_optim_numbers(config);
    if (strcmp(config->eval.average, "power") == 0)
        t->average_power = bl_train_average_power(config->eval.average_width);
    if (t->optim == NULL)
        BL_FAIL(err, BL_EINVAL, "optimizer.name: there is no optimizer \"%s\"",
                config->optimizer.name);
    BL_TRY(bl_schedule_resolve(&t->schedule, config, (int64_t)t->epoch_rows, err));
    return t->workload->resolve(t, err);
}

/* All memory of a run that grows with its configuration, from `arena` (dry: only counted). */
static bl_status lay_out(bl_train *t, bl_arena *arena, size_t threads, bl_err *err) {
    bl_net_layout layout = {.arena = arena};
    t->workload->lay_out(t, &layout, threads);
    if (layout.too_large)
        BL_FAIL(err, BL_ENOMEM, "%zu parameters with batches of %zu do not fit memory",
                t->net.weights, t->batch);
    return BL_OK;
}

/* The state before the first step, and the log's header, whose digest is the run's identity. */
static void begin(bl_train *t, const char *run_id) {
    t->workload->begin(t);
    bl_train_probe_begin(t, run_id);
    bl_train_ways_begin(t);
    t->progress = (bl_train_progress){.hash = k_hash_start, .product1 = 1.0, .product2 = 1.0};
    bl_train_params_digest(t, t->now.params_sha256);
    bl_sha256_init(&t->log_digest);
    bl_train_log_header(t, run_id);
    bl_sha256_hex(&t->log_digest, t->identity);
}

/* Level `device` has no meaning on a processor. */
static bl_status check_level(const bl_config *config, const bl_train_device_data *device_data,
                             bl_err *err) {
    if (strcmp(config->numerics, "device") == 0 && device_data == NULL)
        BL_FAIL(err, BL_EUNSUPPORTED, "numerics = \"device\" is for a GPU: --device cuda");
    return BL_OK;
}

/* Lays everything out twice: in an arena without memory, to count it, then in one of that size. So
 * a run that does not fit fails before it begins. */
bl_status bl_train_open(bl_train **out, const bl_config *config, const bl_dataset *data,
                        const bl_train_options *options, bl_err *err) {
    const size_t threads = options->device_data != NULL ? 1 : bl_size_max(options->threads, 1);
    bl_train *t = bl_xalloc(sizeof *t);
    bl_arena dry = {0};
    bl_status status = BL_OK;
    *out = NULL;
    t->kernels = options->kernels;
    BL_GOTO(check_level(config, options->device_data, err));
    /* A problem without data is too small for a device; the bits are the same. */
    if (options->device_data != NULL && bl_workload_of(config) == &bl_workload_net)
        BL_GOTO(bl_train_device_open(t, options->device_data));
    BL_GOTO(resolve(t, config, data, err));
    BL_GOTO(lay_out(t, &dry, threads, err));
    BL_GOTO(t->on_device != NULL ? bl_train_device_memory(t, dry.peak, err)
                                 : bl_arena_init(&t->arena, dry.peak, err));
    BL_GOTO(lay_out(t, &t->arena, threads, err));
    BL_GOTO(bl_pool_open(&t->pool, threads, err));
    begin(t, options->run_id);
    *out = t;
    return BL_OK;
done:
    bl_train_close(t);
    return status;
}

void bl_train_close(bl_train *train) {
    if (train == NULL) return;
    bl_pool_close(train->pool);
    bl_train_device_close(train);
    bl_net_free(&train->net);
    bl_arena_free(&train->arena);
    bl_buf_free(&train->log);
    bl_buf_free(&train->probe.log);
    free(train);
}

bl_status bl_train_memory(const bl_config *config, const bl_dataset *data,
                          const bl_train_device_data *device_data, size_t *bytes, bl_err *err) {
    bl_train *t = bl_xalloc(sizeof *t);
    bl_arena dry = {0};
    bl_status status = BL_OK;
    if (device_data != NULL && bl_workload_of(config) == &bl_workload_net)
        BL_GOTO(bl_train_device_open(t, device_data));
    BL_GOTO(resolve(t, config, data, err));
    BL_GOTO(lay_out(t, &dry, 1, err));
    *bytes = dry.peak;
done:
    bl_train_close(t);
    return status;
}

/* Evaluates where training stands, logs it, and begins the next interval. */
static void record(bl_train *t) {
    t->now.step = t->progress.made;
    t->now.train_loss = t->progress.loss_sum / (double)t->progress.loss_count;
    t->now.batch_mean = (double)NAN; /* unless the workload has one */
    t->now.value = t->progress.diverged ? (double)NAN : t->workload->evaluate(t);
    if (!isfinite(t->now.value)) t->progress.diverged = true;
    if (t->progress.diverged) t->now.value = t->now.batch_mean = (double)NAN;
    t->now.diverged = t->progress.diverged;
    bl_train_params_digest(t, t->now.params_sha256);
    bl_train_log_records(t);
    if (!t->now.diverged && bl_train_probe_due(t, t->now.step)) bl_train_probe(t);
    if (!t->now.diverged) bl_train_ways_record(t);
    t->progress.loss_sum = 0.0;
    t->progress.loss_count = 0;
}

/* Whether steps are left to make before evaluation `next`. */
static bool between(const bl_train *t, int64_t next) {
    return t->progress.made < next && !t->progress.diverged;
}

bl_status bl_train_advance(bl_train *train, int64_t limit, const bl_train_pause *pause,
                           bl_err *err) {
    const int64_t next =
        bl_train_next_eval(&train->config, (int64_t)train->epoch_rows, train->now.step, limit);
    if (train->now.diverged) return BL_OK;
    if (limit <= train->now.step || next < train->progress.made)
        BL_FAIL(err, BL_EINVAL, "a run at step %lld cannot go back to step %lld",
                (long long)train->progress.made, (long long)limit);
    while (between(train, next)) {
        BL_TRY(bl_train_steps(train, next - train->progress.made, err));
        if (pause == NULL || !between(train, next) || !pause->due(pause->ctx)) continue;
        BL_TRY(bl_train_steps_finish(train, err));
        if (between(train, next))
            BL_FAIL(err, BL_EINTERRUPTED, "paused at step %lld", (long long)train->progress.made);
    }
    record(train);
    return train->workload->fault != NULL ? train->workload->fault(train, err) : BL_OK;
}

const bl_train_state *bl_train_now(const bl_train *train) {
    return &train->now;
}

const bl_buf *bl_train_log(const bl_train *train) {
    return &train->log;
}
