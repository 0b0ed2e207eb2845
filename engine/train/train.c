#include "engine/train/train.h"
#include "engine/model/model.h"
#include "engine/train/run.h"
#include <string.h>

static const uint64_t k_hash_start = 0xcbf29ce484222325u; /* of FNV-1a */
/* Backends sort a batch's examples beside an embedding's rows in scratch (kernels/kernel.h). */
static const size_t k_most_examples = 1 << 20;

int64_t bl_train_epoch_rows(const bl_config *config, const bl_dataset *data) {
    const int64_t all = (int64_t)data->train_rows, wanted = config->data.rows;
    return wanted > 0 && wanted < all ? wanted : all;
}

/* Which rows evaluations look at. */
static bl_status choose_split(bl_train *t, const bl_config *config, const bl_dataset *data,
                              bl_err *err) {
    const bool test = strcmp(config->data.split, "test") == 0;
    const uint64_t wanted = (uint64_t)config->data.eval_rows;
    t->eval_first = data->train_rows + (test ? data->valid_rows : 0);
    t->eval_available = test ? data->test_rows : data->valid_rows;
    if (data->train_rows == 0 || t->eval_available == 0)
        BL_FAIL(err, BL_EINVAL, "data set %s has %zu training and %zu %s rows", data->name,
                data->train_rows, (size_t)t->eval_available, test ? "test" : "validation");
    t->eval_rows = wanted > 0 && wanted < t->eval_available ? wanted : t->eval_available;
    return BL_OK;
}

static bl_status choose_augment(bl_train *t, const bl_config *config, const bl_dataset *data,
                                bl_err *err) {
    t->augment = (bl_augment){.seed = (uint64_t)config->train.seed,
                              .crop = (size_t)config->data.crop,
                              .flip = config->data.flip};
    if (!data->pixels && (t->augment.crop > 0 || t->augment.flip))
        BL_FAIL(err, BL_EINVAL, "data.crop and data.flip are for pictures; data set %s has none",
                data->name);
    return BL_OK;
}

int64_t bl_train_next_eval(const bl_config *config, int64_t epoch_rows, int64_t step,
                           int64_t limit) {
    bl_schedule_plan plan;
    bl_err ignored; /* what cannot be resolved is refused when the run is opened */
    if (bl_schedule_resolve(&plan, config, epoch_rows, &ignored) != BL_OK) plan.horizon = 0;
    const double grown = ceil((double)step * config->eval.ratio);
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

static bl_status check_batch(const bl_config *config, const bl_dataset *data, bl_err *err) {
    size_t most = k_most_examples;
    for (size_t c = 0; c < data->categorical; c++)
        most = bl_min_size(most, k_most_examples - data->cardinality[c]);
    if (config->train.batch_size < 1 || (uint64_t)config->train.batch_size > most)
        BL_FAIL(err, BL_EINVAL,
                "train.batch_size is %lld; with data set %s it can be from 1 to %zu",
                (long long)config->train.batch_size, data->name, most);
    return BL_OK;
}

/* Losses and metrics of classes take a target of classes, and the others do not. */
static bl_status check_classes(const bl_train *t, bl_err *err) {
    const bool classes = t->data->classes > 0;
    const bool loss = t->loss->classes == classes, metric = t->metric->classes == classes;
    if (loss && metric) return BL_OK;
    BL_FAIL(err, BL_EINVAL, "%s %s is for %s, but the target of data set %s is %s",
            loss ? "metric" : "loss", loss ? t->metric->name : t->loss->name,
            classes ? "numbers" : "classes", t->data->name, classes ? "a class" : "a number");
}

/* Names to table rows, and everything that a run needs to know before it has memory. */
static bl_status resolve(bl_train *t, const bl_config *config, const bl_dataset *data,
                         bl_err *err) {
    t->config = *config;
    t->data = data;
    BL_TRY(choose_split(t, config, data, err));
    BL_TRY(choose_augment(t, config, data, err));
    BL_TRY(check_batch(config, data, err));
    t->batch = (size_t)config->train.batch_size;
    t->epoch_rows = (uint64_t)bl_train_epoch_rows(config, data);
    t->loss = bl_loss_find(config->loss);
    if (t->loss == NULL) BL_FAIL(err, BL_EINVAL, "loss: there is no loss \"%s\"", config->loss);
    t->metric = bl_metric_find(config->metric);
    if (t->metric == NULL)
        BL_FAIL(err, BL_EINVAL, "metric: there is no metric \"%s\"", config->metric);
    const bool is_log = strcmp(data->target_transform, "log") == 0;
    if (t->metric->needs_log_target && !is_log)
        BL_FAIL(err, BL_EINVAL,
                "metric %s compares numbers by their logarithms, but the target of data set %s "
                "has the transform \"%s\"",
                config->metric, data->name, data->target_transform);
    BL_TRY(check_classes(t, err));
    t->optim = bl_optim_find(config->optimizer.name);
    if (t->optim == NULL)
        BL_FAIL(err, BL_EINVAL, "optimizer.name: there is no optimizer \"%s\"",
                config->optimizer.name);
    BL_TRY(bl_schedule_resolve(&t->schedule, config, (int64_t)t->epoch_rows, err));
    return bl_model_build(&t->net, config,
                          &(bl_model_input){.categorical = data->categorical,
                                            .continuous = data->continuous,
                                            .cardinality = data->cardinality,
                                            .categorical_name = data->categorical_name,
                                            .classes = data->classes,
                                            .target_is_log = is_log,
                                            .target_max = data->target_max},
                          err);
}

/* All memory of a run that grows with its configuration, from `arena` (dry: only counted). */
static bl_status plan(bl_train *t, bl_arena *arena, size_t threads, bl_err *err) {
    bl_plan p = {.arena = arena};
    bl_net_plan(&t->net, &p, bl_max_size(t->batch, BL_EVAL_CHUNK));
    for (size_t i = 0; i < t->optim->states; i++)
        t->state[i] = bl_plan_take(&p, t->net.weights, sizeof(float));
    t->rows = bl_plan_take(&p, t->net.capacity, sizeof *t->rows);
    t->scratch = bl_plan_take(&p, threads, BL_KERNEL_SCRATCH);
    if (p.too_large)
        BL_FAIL(err, BL_ENOMEM, "a net of %zu parameters with batches of %zu does not fit memory",
                t->net.weights, t->batch);
    return BL_OK;
}

static void begin(bl_train *t, const char *run_id) {
    const uint64_t seed = (uint64_t)t->config.train.seed;
    bl_net_reset(&t->net, seed);
    bl_sampler_init(&t->sampler, seed, t->epoch_rows);
    t->progress = (bl_train_progress){.hash = k_hash_start, .product1 = 1.0, .product2 = 1.0};
    bl_params_digest(t, t->now.params_sha256);
    bl_sha256_init(&t->log_digest);
    bl_log_header(t, run_id);
    bl_sha256_hex(&t->log_digest, t->identity);
}

bl_status bl_train_open(bl_train **out, const bl_config *config, const bl_dataset *data,
                        const bl_train_options *options, bl_err *err) {
    const size_t threads = bl_max_size(options->threads, 1);
    bl_train *t = bl_xalloc(sizeof *t);
    bl_arena dry = {0};
    bl_status status = BL_OK;
    *out = NULL;
    t->kernels = options->kernels;
    BL_GOTO(resolve(t, config, data, err));
    BL_GOTO(plan(t, &dry, threads, err));
    BL_GOTO(bl_arena_init(&t->arena, dry.peak, err));
    BL_GOTO(plan(t, &t->arena, threads, err));
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
    bl_net_free(&train->net);
    bl_arena_free(&train->arena);
    bl_buf_free(&train->log);
    free(train);
}

bl_status bl_train_memory(const bl_config *config, const bl_dataset *data, size_t *bytes,
                          bl_err *err) {
    bl_train *t = bl_xalloc(sizeof *t);
    bl_arena dry = {0};
    bl_status status = BL_OK;
    BL_GOTO(resolve(t, config, data, err));
    BL_GOTO(plan(t, &dry, 1, err));
    *bytes = dry.peak;
done:
    bl_train_close(t);
    return status;
}

/* Evaluates where training stands, logs it, and begins the next interval. */
static void record(bl_train *t) {
    t->now.step = t->progress.made;
    t->now.train_loss = t->progress.loss_sum / (double)t->progress.loss_count;
    t->now.value = t->progress.diverged ? (double)NAN : bl_evaluate(t);
    if (!isfinite(t->now.value)) t->progress.diverged = true;
    if (t->progress.diverged) t->now.value = (double)NAN;
    t->now.diverged = t->progress.diverged;
    bl_params_digest(t, t->now.params_sha256);
    bl_log_records(t);
    t->progress.loss_sum = 0.0;
    t->progress.loss_count = 0;
}

/* Another thread may set it, or a signal. */
static bool is_set(const volatile int *stop) {
    return stop != NULL && __atomic_load_n(stop, __ATOMIC_RELAXED) != 0;
}

bl_status bl_train_advance(bl_train *train, int64_t limit, const volatile int *stop, bl_err *err) {
    const int64_t next =
        bl_train_next_eval(&train->config, (int64_t)train->epoch_rows, train->now.step, limit);
    if (train->now.diverged) return BL_OK;
    if (limit <= train->now.step || next < train->progress.made)
        BL_FAIL(err, BL_EINVAL, "a run at step %lld cannot go back to step %lld",
                (long long)train->progress.made, (long long)limit);
    while (train->progress.made < next && !train->progress.diverged) {
        if (!bl_step(train)) train->progress.diverged = true;
        if (is_set(stop) && train->progress.made < next && !train->progress.diverged)
            BL_FAIL(err, BL_EINTERRUPTED, "stopped at step %lld", (long long)train->progress.made);
    }
    record(train);
    return BL_OK;
}

const bl_train_state *bl_train_now(const bl_train *train) {
    return &train->now;
}

const bl_buf *bl_train_log(const bl_train *train) {
    return &train->log;
}
