#include "engine/config/validate.h"
#include "engine/base/mem.h"
#include "engine/base/numerics.h"
#include "engine/config/ghost.h"
#include "engine/config/layers.h"
#include "engine/config/renamed.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

BL_PRINTF(3, 4)
static bool refuse(bl_config_fault *fault, const char *path, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(fault->message, sizeof fault->message, fmt, ap);
    va_end(ap);
    fault->path = path;
    return false;
}

static bool is(const char *value, const char *name) {
    return strcmp(value, name) == 0;
}

static bool schedule_holds(const bl_config *c, bl_config_fault *fault) {
    if (is(c->schedule.name, "constant")) return true;
    if (c->schedule.horizon_epochs <= 0)
        return refuse(fault, "schedule.horizon_epochs",
                      "schedule '%s' needs its length: 'horizon_epochs' above 0", c->schedule.name);
    if (is(c->schedule.name, "one_cycle") && c->schedule.momentum_low > c->schedule.momentum_high)
        return refuse(fault, "schedule.momentum_low", "'momentum_low' is above 'momentum_high'");
    return true;
}

/* A problem brings its own measure and no data; a net needs both. */
static bool problem_holds(const bl_config *c, bl_config_fault *fault) {
    const bool quadratic = is(c->model.kind, "quadratic");
    if (quadratic != is(c->metric, "expected_loss"))
        return refuse(fault, "metric",
                      "the metric 'expected_loss' and the model 'quadratic' belong together");
    if (quadratic != is(c->dataset, "none"))
        return refuse(fault, "dataset",
                      "the dataset 'none' and the model 'quadratic' belong together");
    if (quadratic && c->data.rows == 0)
        return refuse(fault, "data.rows",
                      "there is no data set to count: 'rows' has to say how many examples an epoch "
                      "has");
    return true;
}

bool bl_config_validate(const bl_config *c, bl_config_fault *fault) {
    if (c->dataset[0] == '\0')
        return refuse(fault, "dataset", "'dataset' is missing: name a declaration in datasets/");
    if (is(c->model.kind, "layers") && c->model.layers[0] == '\0')
        return refuse(fault, "model.kind",
                      "kind is \"layers\", but 'layers' is missing or empty: layers = ( ... );");
    if (c->model.dropout.n > 1 && c->model.dropout.n != c->model.hidden.n)
        return refuse(fault, "model.dropout",
                      "'dropout' has %zu values for %zu hidden layers; write one for each, one for "
                      "all, or none",
                      c->model.dropout.n, c->model.hidden.n);
    if (c->sweep.lr_min > c->sweep.lr_max)
        return refuse(fault, "sweep.lr_min", "'lr_min' is above 'lr_max'");
    if (c->sweep.lr_start < c->sweep.lr_min || c->sweep.lr_start > c->sweep.lr_max)
        return refuse(fault, "sweep.lr_start", "'lr_start' is not between 'lr_min' and 'lr_max'");
    return problem_holds(c, fault) && schedule_holds(c, fault);
}

static bl_config_layer_facts facts_of(const bl_config *c) {
    bl_config_layer_facts facts;
    bl_config_layers_facts(&facts, c->model.layers);
    return facts;
}

/* Does the net normalise by the statistics of several examples? */
static bool has_norm(const bl_config *c) {
    if (is(c->model.kind, "tabular")) return c->model.batch_norm;
    if (is(c->model.kind, "resnet8")) return !is(c->model.norm, "none");
    if (is(c->model.kind, "layers")) {
        const bl_config_layer_facts facts = facts_of(c);
        return facts.batch_norm || facts.ghosts > 0;
    }
    return is(c->model.kind, "mobilenet_v3_large");
}

static bool same_chunks(const bl_config *c, int64_t size) {
    return bl_ghost_same_chunks((size_t)c->train.batch_size, (size_t)c->train.micro_batch,
                                (size_t)size);
}

static bool list_shows(const bl_config *c) {
    const bl_config_layer_facts facts = facts_of(c);
    bool shows = facts.batch_norm;
    for (size_t i = 0; i < facts.ghosts; i++) shows = shows || !same_chunks(c, facts.ghost[i]);
    return shows;
}

/* Does it normalise other examples together when the batch comes in pieces? */
static bool norm_shows(const bl_config *c) {
    if (!has_norm(c)) return false;
    if (is(c->model.kind, "layers")) return list_shows(c);
    return !is(c->model.kind, "resnet8") || is(c->model.norm, "batch") ||
           !same_chunks(c, c->model.ghost_size);
}

/* Micro-batches of 256 * 2^k examples give the bits of the whole batch (engine/train/batch.c),
 * unless the net normalises by the statistics of other examples. */
bool bl_config_pieces_show(const bl_config *c) {
    const int64_t micro = c->train.micro_batch;
    const bool whole = micro == 0 || micro >= c->train.batch_size;
    const bool aligned = micro % 256 == 0 && (micro & (micro - 1)) == 0;
    return !whole && (!aligned || norm_shows(c));
}

bool bl_key_applies(const bl_config *c, bl_key_condition when) {
    const char *optimizer = c->optimizer.name;
    const bool cycle = is(c->schedule.name, "one_cycle");
    const bool quadratic = is(c->model.kind, "quadratic");
    switch (when) {
    case BL_WHEN_TABULAR:
        return is(c->model.kind, "tabular");
    case BL_WHEN_HIDDEN:
        return !quadratic && !is(c->model.kind, "resnet8") && !is(c->model.kind, "layers") &&
               !is(c->model.kind, "mobilenet_v3_large");
    case BL_WHEN_LAYERS:
        return is(c->model.kind, "layers");
    case BL_WHEN_CONVOLUTIONS:
        return is(c->model.kind, "simple_cnn") || is(c->model.kind, "resnet8");
    case BL_WHEN_RESNET:
        return is(c->model.kind, "resnet8");
    case BL_WHEN_MOBILENET:
        return is(c->model.kind, "mobilenet_v3_large");
    case BL_WHEN_GHOST:
        return is(c->model.kind, "resnet8") && is(c->model.norm, "ghost");
    case BL_WHEN_NET:
        return !quadratic;
    case BL_WHEN_QUADRATIC:
        return quadratic;
    case BL_WHEN_SAMPLED:
        return quadratic && is(c->quadratic.expectation, "sampled");
    case BL_WHEN_PIECES:
        return !quadratic && bl_config_pieces_show(c);
    case BL_WHEN_CROSS_ENTROPY:
        return is(c->loss, "cross_entropy");
    case BL_WHEN_MOMENTUM:
        return is(optimizer, "momentum") || is(optimizer, "nesterov");
    case BL_WHEN_ADAM:
        return is(optimizer, "adam") || is(optimizer, "adamw");
    case BL_WHEN_SCHEDULE:
        return !is(c->schedule.name, "constant");
    case BL_WHEN_CYCLE:
        return cycle;
    case BL_WHEN_CYCLE_MOMENTUM:
        return cycle && !is(optimizer, "sgd");
    default:
        return true;
    }
}

static bool pieces_are_normalised(const bl_config *c) {
    const int64_t micro = c->train.micro_batch;
    return micro > 0 && micro < c->train.batch_size && norm_shows(c);
}

static bool has_convolutions(const bl_config *c) {
    if (is(c->model.kind, "layers")) return facts_of(c).convolutions;
    return is(c->model.kind, "mobilenet_v3_large") || bl_key_applies(c, BL_WHEN_CONVOLUTIONS);
}

/* Data sets so small that their order is drawn by a shuffle (engine/data/sampler.h). */
enum { SMALL_ROWS = 64 };

int bl_config_numerics_epoch(const bl_config *c) {
    const bool small = c->data.rows > 0 && c->data.rows <= SMALL_ROWS;
    if (is(c->model.kind, "mobilenet_v3_large") || (small && bl_key_applies(c, BL_WHEN_NET)))
        return BL_NUMERICS_EPOCH_STARTS;
    if (has_convolutions(c)) return BL_NUMERICS_EPOCH_GAPS;
    return has_norm(c) && bl_key_applies(c, BL_WHEN_PIECES) ? BL_NUMERICS_EPOCH_PIECES
                                                            : BL_NUMERICS_EPOCH;
}

/* ---- notes ------------------------------------------------------------------------------- */

static bool chunk_is_the_batch(const bl_config *c) {
    return is(c->model.kind, "resnet8") && is(c->model.norm, "ghost") &&
           c->train.batch_size < c->model.ghost_size;
}

static bool chunk_of_list_is_the_batch(const bl_config *c) {
    bool found = false;
    if (!is(c->model.kind, "layers")) return false;
    const bl_config_layer_facts facts = facts_of(c);
    for (size_t i = 0; i < facts.ghosts; i++) found = found || facts.ghost[i] > c->train.batch_size;
    return found;
}

/* What a note is about, whom it is said to. */
typedef struct note {
    const bl_config *config;
    void (*say)(void *ctx, const char *line);
    void *ctx;
} note;

/* "note: TEXT at batch size 16, 32", if any of the sweep's sizes is one of those. */
BL_PRINTF(3, 4)
static void note_sizes(const note *n, bool (*applies)(const bl_config *c), const char *fmt, ...) {
    bl_config *at = bl_xalloc(sizeof *at);
    bl_buf line = {0};
    char text[192];
    const char *before = " at batch size ";
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    *at = *n->config;
    for (size_t i = 0; i < at->sweep.batch_sizes.n; i++) {
        at->train.batch_size = at->sweep.batch_sizes.v[i];
        if (!applies(at)) continue;
        if (line.len == 0) bl_buf_printf(&line, "note: %s", text);
        bl_buf_printf(&line, "%s%lld", before, (long long)at->train.batch_size);
        before = ", ";
    }
    if (line.len > 0) n->say(n->ctx, bl_buf_text(&line));
    bl_buf_free(&line);
    free(at);
}

void bl_config_notes(const bl_config *config, void (*say)(void *ctx, const char *line), void *ctx) {
    const note n = {config, say, ctx};
    bl_renamed_notes(config, say, ctx);
    note_sizes(&n, pieces_are_normalised,
               "pieces of %lld rows (train.micro_batch) are normalised each by itself, so this is "
               "not the whole batch's run,",
               (long long)config->train.micro_batch);
    note_sizes(&n, chunk_is_the_batch,
               "model.ghost_size is %lld: the batch is one chunk, as under batch norm,",
               (long long)config->model.ghost_size);
    note_sizes(&n, chunk_of_list_is_the_batch,
               "a ghost_norm of model.layers is larger than the batch: it is one chunk, as under "
               "batch norm,");
    if (config->model.layers[0] != '\0' && !is(config->model.kind, "layers"))
        say(ctx, "note: model.layers is not read, as model.kind is another");
}
