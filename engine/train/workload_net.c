/* A net on a data set, on the processor: what a run resolves before it has memory, its memory, its
 * evaluation, and what a checkpoint holds. The step itself is batch.c (loss and gradient) and
 * step.c (update).
 *
 *     split    which rows evaluations read: all of the validation or test rows, all that are
 *              trained on, or eval_rows of them, evenly spaced
 *     pieces   examples of one pass of training: the batch, or train.micro_batch of them
 *     chunk    rows of one pass of an evaluation: as many as EVAL_BYTES allow; shows in no result
 *
 * The net's memory is for the larger of piece and chunk. */
#include "engine/model/model.h"
#include "engine/train/workload.h"
#include <string.h>

enum { EVAL_BYTES = 64 << 20 };

/* Backends sort a batch's examples beside an embedding's rows in scratch (kernels/kernel.h). */
static const size_t k_most_examples = 1 << 20;

static bool takes(const bl_config *config) {
    (void)config;
    return true;
}

/* ---- resolving ---- */

/* Which rows evaluations look at. */
static bl_status choose_split(bl_train *t, bl_err *err) {
    const bl_dataset *data = t->data;
    const bool test = strcmp(t->config.data.split, "test") == 0;
    const bool train = strcmp(t->config.data.split, "train") == 0;
    const uint64_t wanted = (uint64_t)t->config.data.eval_rows;
    t->eval_first = train ? 0 : data->train_rows + (test ? data->valid_rows : 0);
    t->eval_available = train ? t->epoch_rows : test ? data->test_rows : data->valid_rows;
    if (data->train_rows == 0 || t->eval_available == 0)
        BL_FAIL(err, BL_EINVAL, "data set %s has %zu training and %zu %s rows", data->name,
                data->train_rows, (size_t)t->eval_available, test ? "test" : "validation");
    t->eval_rows = wanted > 0 && wanted < t->eval_available ? wanted : t->eval_available;
    return BL_OK;
}

/* How training pictures are shifted and mirrored; refused where there are none. */
static bl_status choose_augment(bl_train *t, bl_err *err) {
    const bl_config *config = &t->config;
    t->augment = (bl_augment){.seed = (uint64_t)config->train.seed,
                              .crop = (size_t)config->data.crop,
                              .flip = config->data.flip};
    if (!t->data->pixels && (t->augment.crop > 0 || t->augment.flip))
        BL_FAIL(err, BL_EINVAL, "data.crop and data.flip are for pictures; data set %s has none",
                t->data->name);
    return BL_OK;
}

/* Examples at once, and the levels of the tree that adds the pieces. */
static bl_status choose_pieces(bl_train *t, bl_err *err) {
    const bl_dataset *data = t->data;
    const size_t wanted = (size_t)t->config.train.micro_batch;
    size_t most = k_most_examples;
    for (size_t c = 0; c < data->categorical; c++)
        most = bl_size_min(most, k_most_examples - data->cardinality[c]);
    t->micro = wanted > 0 && wanted < t->batch ? wanted : t->batch;
    if (t->micro > most)
        BL_FAIL(err, BL_EINVAL,
                "train.batch_size is %zu; with data set %s it can be from 1 to %zu, or larger with "
                "a train.micro_batch up to that",
                t->batch, data->name, most);
    t->levels = 0;
    for (size_t last = (t->batch - 1) / t->micro; last > 0; last /= 2) t->levels++;
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

/* Loss and metric by name, and whether they fit the target. */
static bl_status choose_measures(bl_train *t, bl_err *err) {
    const bl_config *config = &t->config;
    t->loss = bl_loss_find(config->loss);
    if (t->loss == NULL) BL_FAIL(err, BL_EINVAL, "loss: there is no loss \"%s\"", config->loss);
    t->metric = bl_metric_find(config->metric);
    if (t->metric == NULL)
        BL_FAIL(err, BL_EINVAL, "metric: there is no metric \"%s\" of a net", config->metric);
    if (t->metric->needs_log_target && strcmp(t->data->target_transform, "log") != 0)
        BL_FAIL(err, BL_EINVAL,
                "metric %s compares numbers by their logarithms, but the target of data set %s "
                "has the transform \"%s\"",
                config->metric, t->data->name, t->data->target_transform);
    return check_classes(t, err);
}

bl_status bl_train_net(bl_net *net, const bl_config *config, const bl_dataset *data, bl_err *err) {
    const bl_model_input input = {
        .categorical = data->categorical,
        .continuous = data->continuous,
        .shape = {data->height, data->width, data->channels},
        .cardinality = data->cardinality,
        .categorical_name = data->categorical_name,
        .classes = data->classes,
        .target_is_log = strcmp(data->target_transform, "log") == 0,
        .target_min = data->target_min,
        .target_max = data->target_max,
        .target_mean = data->target_mean,
        .target_deviation = data->target_deviation
    };
    return bl_model_build(net, config, &input, err);
}

size_t bl_train_eval_rows(bl_train *t, size_t bytes) {
    enum { LEAST = 256, MOST = 4096 };
    size_t rows = LEAST;
    for (; rows < MOST && rows < t->eval_rows; rows *= 2) {
        bl_arena dry = {0};
        bl_net_layout layout = {.arena = &dry};
        bl_net_lay_out(&t->net, &layout, 2 * rows);
        if (layout.too_large || dry.peak > bytes) break;
    }
    return rows;
}

/* Also builds the net, whose memory decides how many rows are evaluated at once. */
static bl_status resolve(bl_train *t, bl_err *err) {
    BL_TRY(choose_split(t, err));
    BL_TRY(choose_augment(t, err));
    BL_TRY(choose_pieces(t, err));
    BL_TRY(choose_measures(t, err));
    BL_TRY(bl_train_net(&t->net, &t->config, t->data, err));
    BL_TRY(bl_train_probe_resolve(t, t->epoch_rows, err));
    t->eval_chunk = bl_train_eval_rows(t, EVAL_BYTES);
    return BL_OK;
}

/* ---- memory ---- */

void bl_train_net_memory(bl_train *t, bl_net_layout *layout) {
    bl_net_lay_out(
        &t->net, layout,
        bl_size_max(bl_size_max(t->micro, t->eval_chunk), (size_t)t->probe.settings.batch));
    for (size_t i = 0; i < t->optim->states; i++)
        t->state[i] = bl_net_layout_take(layout, t->net.weights, sizeof(float));
    bl_train_average_memory(t, layout);
    for (size_t i = 0; i < t->levels; i++)
        t->level[i] = bl_net_layout_take(layout, bl_net_gradients(&t->net), sizeof(float));
}

static void lay_out(bl_train *t, bl_net_layout *layout, size_t threads) {
    bl_train_net_memory(t, layout);
    bl_train_probe_lay_out(t, layout);
    bl_train_ways_lay_out(t, layout);
    t->rows = bl_net_layout_take(layout, t->net.capacity, sizeof *t->rows);
    t->scratch = bl_net_layout_take(layout, threads, BL_KERNEL_SCRATCH);
}

static void begin(bl_train *t) {
    const uint64_t seed = (uint64_t)t->config.train.seed;
    bl_net_reset(&t->net, seed);
    if (t->average != NULL) {
        memcpy(t->average, t->net.weight, t->net.weights * sizeof(float));
        memcpy(t->average_running, t->net.running, t->net.runnings * sizeof(float));
    }
    bl_sampler_init(&t->sampler, seed, t->epoch_rows);
}

/* ---- measuring and keeping ---- */

void bl_train_metric_begin(const bl_train *train, bl_metric_sum *sum) {
    bl_metric_begin(sum, train->metric);
    sum->mean = train->data->target_mean;
    sum->deviation = train->data->target_deviation;
    sum->batch = train->config.eval.batch_mean ? train->batch : 0;
}

double bl_train_metric_end(bl_train *train, bl_metric_sum *sum) {
    train->now.batch_mean = bl_metric_batch_mean(sum);
    const double value = bl_metric_value(sum);
    bl_metric_end(sum);
    return value;
}

/* The metric over the rows of the split, chunk by chunk, by running statistics and without dropout.
 */
static double evaluate(bl_train *t) {
    bl_metric_sum sum;
    const bl_net_node *out = bl_net_output(&t->net);
    bl_pass pass = {.kernels = t->kernels, .pool = t->pool, .scratch = t->scratch};
    bl_train_metric_begin(t, &sum);
    bl_train_average_aim(t);
    for (uint64_t at = 0; at < t->eval_rows; at += pass.batch) {
        const uint64_t left = t->eval_rows - at;
        pass.batch = left < t->eval_chunk ? (size_t)left : t->eval_chunk;
        bl_train_gather(t, BL_TRAIN_GATHER_EVAL, at, pass.batch);
        bl_net_infer(&t->net, &pass);
        bl_metric_add(&sum, out->y, out->width, t->net.target, pass.batch);
    }
    bl_train_average_aim_back(t);
    return bl_train_metric_end(t, &sum);
}

void bl_train_net_digest(const bl_net *net, const float *weight, const float *running,
                         bl_sha256 *digest) {
    for (size_t i = 0; i < net->params; i++) {
        const bl_param *p = &net->param[i];
        bl_train_digest_f32(digest, (p->running ? running : weight) + p->offset, p->rows * p->cols);
    }
}

static void digest(const bl_train *t, bl_sha256 *out) {
    bl_train_net_digest(&t->net, t->net.weight, t->net.running, out);
    if (t->average != NULL) bl_train_net_digest(&t->net, t->average, t->average_running, out);
}

/* Weights, running statistics, optimizer states and averages: all that training changes. */
static size_t blocks(const bl_train *t, bl_state_block out[BL_STATE_BLOCKS]) {
    const size_t bytes = t->net.weights * sizeof(float);
    size_t n = 0;
    out[n++] = (bl_state_block){t->net.weight, bytes};
    out[n++] = (bl_state_block){t->net.running, t->net.runnings * sizeof(float)};
    for (size_t i = 0; i < t->optim->states; i++) out[n++] = (bl_state_block){t->state[i], bytes};
    if (t->average != NULL) {
        out[n++] = (bl_state_block){t->average, bytes};
        out[n++] = (bl_state_block){t->average_running, t->net.runnings * sizeof(float)};
    }
    return n + bl_train_ways_blocks(t, out + n);
}

static const float *probe_state(bl_train *t) {
    return t->state[1];
}

const bl_workload bl_workload_net = {.name = "net",
                                     .takes = takes,
                                     .resolve = resolve,
                                     .lay_out = lay_out,
                                     .begin = begin,
                                     .loss = bl_train_batch_loss,
                                     .update = bl_train_update_weights,
                                     .evaluate = evaluate,
                                     .digest = digest,
                                     .blocks = blocks,
                                     .probe = bl_train_net_probe,
                                     .probe_state = probe_state,
                                     .probe_weights = bl_train_weights_here,
                                     .probe_move = bl_train_move_here};
