/* What has to hold between keys, once each has a value of its own range; and the numerics epoch
 * that a run's settings belong to. The first fault is told, with the path of the key to be
 * changed: bl_config_validate knows no file.
 *
 * Settings that are allowed and may surprise are notes: batch norm in pieces, a ghost norm whose
 * chunk is the whole batch. */
#include "engine/config/validate.h"
#include "engine/base/mem.h"
#include "engine/base/numerics.h"
#include "engine/config/applies.h"
#include "engine/config/layers.h"
#include "engine/config/renamed.h"
#include "engine/config/value.h"
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

static bool is_net(const bl_config *c) {
    return !is(c->model.kind, "quadratic");
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

/* Without a command the group means nothing, and with one it needs to know what an epoch is. */
static bool external_holds(const bl_config *c, bl_config_fault *fault) {
    if (bl_config_is_imported(c) && c->external.command[0] != '\0')
        return refuse(fault, "external.imported",
                      "imported runs have no command: leave out one of 'imported' and 'command'");
    if (c->external.epoch_rows == 0)
        return refuse(
            fault, "external.epoch_rows",
            "'epoch_rows' is missing: say how many examples an epoch of your program has");
    if (is(c->metric, ""))
        return refuse(fault, "metric", "'metric' is missing: name what your program reports");
    if (c->noise.share > 0)
        return refuse(fault, "noise.share", "batchlab cannot probe the gradients of a program");
    return true;
}

/* The metrics that batchlab computes; a program of the user's own has others. */
static bool metric_holds(const bl_config *c, bl_config_fault *fault) {
    const bl_key *key = bl_key_find("metric", strlen("metric"));
    bl_fault why;
    if (bl_value_check_choice(key, c->metric, &why)) return true;
    memcpy(fault->hint, why.hint, sizeof fault->hint);
    return refuse(fault, "metric", "%.255s", why.message);
}

/* A probe adds micro-batches two by two; at level device it would choose algorithms, which the log
 * names. */
static bool noise_holds(const bl_config *c, bl_config_fault *fault) {
    if ((c->noise.batches & (c->noise.batches - 1)) != 0)
        return refuse(fault, "noise.batches", "'batches' is %lld; it has to be a power of two",
                      (long long)c->noise.batches);
    if (c->noise.share > 0 && is(c->numerics, "device"))
        return refuse(fault, "noise.share", "probes of the noise need numerics = \"exact\"");
    if (c->noise.window == 1)
        return refuse(fault, "noise.window", "'window' is 1; one step has no scatter");
    if (c->noise.window > 0 && (c->noise.share == 0 || !is_net(c)))
        return refuse(fault, "noise.window",
                      "'window' compares with probes of a net: noise.share has to be above 0");
    return true;
}

/* What no single key can see: rules between keys. The first that is broken is named in *fault,
 * by the key that a user would change. Keys themselves were checked when they were read. */
bool bl_config_validate(const bl_config *c, bl_config_fault *fault) {
    fault->hint[0] = '\0';
    if (!bl_config_is_external(c) && !metric_holds(c, fault)) return false;
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
        return refuse(fault, "sweep.lr_start",
                      "'lr_start' is %g, not between 'lr_min' = %g and 'lr_max' = %g",
                      c->sweep.lr_start, c->sweep.lr_min, c->sweep.lr_max);
    if (bl_config_is_external(c)) return external_holds(c, fault);
    return problem_holds(c, fault) && schedule_holds(c, fault) && noise_holds(c, fault);
}

static bool pieces_are_normalised(const bl_config *c) {
    const int64_t micro = c->train.micro_batch;
    return micro > 0 && micro < c->train.batch_size && bl_config_norm_shows(c);
}

/* The epoch in which the bits of such runs last changed; all other runs keep the ids they had
 * before it. */
int bl_config_numerics_epoch(const bl_config *c) {
    const bool small = c->data.rows > 0 && c->data.rows <= BL_SHUFFLED_ROWS;
    if (is(c->model.kind, "mobilenet_v3_large") || (small && is_net(c)))
        return BL_NUMERICS_EPOCH_STARTS;
    if (bl_config_has_convolutions(c)) return BL_NUMERICS_EPOCH_GAPS;
    return bl_config_has_norm(c) && is_net(c) && bl_config_pieces_show(c) ? BL_NUMERICS_EPOCH_PIECES
                                                                          : BL_NUMERICS_EPOCH;
}

/* ---- notes ---- */

/* Each of these is asked at every batch size of the sweep (note_sizes). */
static bool chunk_is_the_batch(const bl_config *c) {
    return is(c->model.kind, "resnet8") && is(c->model.norm, "ghost") &&
           c->train.batch_size < c->model.ghost_size;
}

static bool chunk_of_list_is_the_batch(const bl_config *c) {
    bool found = false;
    bl_config_layer_facts facts;
    if (!is(c->model.kind, "layers")) return false;
    bl_config_layers_facts(&facts, c->model.layers);
    for (size_t i = 0; i < facts.ghosts; i++) found = found || facts.ghost[i] > c->train.batch_size;
    return found;
}

static bool one_example_is_normalised(const bl_config *c) {
    return c->train.batch_size == 1 && bl_config_has_norm(c) && is_net(c);
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
    note_sizes(&n, one_example_is_normalised,
               "the statistics of one example say nothing: what is normalised over the batch is "
               "not learnt,");
    note_sizes(&n, chunk_is_the_batch,
               "model.ghost_size is %lld: the batch is one chunk, as under batch norm,",
               (long long)config->model.ghost_size);
    note_sizes(&n, chunk_of_list_is_the_batch,
               "a ghost_norm of model.layers is larger than the batch: it is one chunk, as under "
               "batch norm,");
    if (config->model.layers[0] != '\0' && !is(config->model.kind, "layers"))
        say(ctx, "note: model.layers is not read, as model.kind is another");
}
