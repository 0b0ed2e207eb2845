/* The identity of runs as it was written before format 2 of run ids, so that a store's finished
 * runs are found under the ids they had (engine/store/adopt.c). Nothing else may use it, and it
 * never changes: keys that came later are not here, renamed ones have their old names, absent
 * values are the 0 that stood for them, defaults and epochs are those of then. Ids that this has to
 * give stand in tests/golden/old_ids.txt. It goes when no store of that time is read any more. */
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/base/numerics.h"
#include "engine/config/applies.h"
#include "engine/config/config.h"
#include "engine/config/key.h"
#include "engine/config/renamed.h"
#include <string.h>

/* When a key was part of the identity. */
typedef enum condition {
    ALWAYS,
    TABULAR,
    HIDDEN,
    CONVOLUTIONS,
    LAYERS,
    RESNET,
    MOBILENET,
    GHOST,
    CROSS_ENTROPY,
    NET,
    QUADRATIC,
    SAMPLED,
    PIECES,
    MOMENTUM,
    ADAM,
    SCHEDULE,
    CYCLE,
    CYCLE_MOMENTUM
} condition;

// clang-format off
static const struct {
    const char *was;      /* its name then */
    const char *left_out; /* its default then, as JSON: at that it was no part */
    condition when;
} k_rows[] = { /* in the order of the text */
    {.was = "data.crop", .left_out = "0"},
    {.was = "data.eval_rows"},
    {.was = "data.flip", .left_out = "false"},
    {.was = "data.rows"},
    {.was = "data.split", .left_out = "\"valid\""},
    {.was = "dataset"},
    {.was = "eval.first"},
    {.was = "eval.ratio"},
    {.was = "label_smoothing", .when = CROSS_ENTROPY},
    {.was = "loss", .when = NET},
    {.was = "loss_scale", .left_out = "1024"},
    {.was = "metric"},
    {.was = "model.batch_norm", .when = TABULAR},
    {.was = "model.dropout", .when = HIDDEN},
    {.was = "model.embedding_dropout", .when = TABULAR},
    {.was = "model.filters", .left_out = "[]", .when = CONVOLUTIONS},
    {.was = "model.ghost_size", .left_out = "64", .when = GHOST},
    {.was = "model.hidden", .when = HIDDEN},
    {.was = "model.kind"},
    {.was = "model.layers", .when = LAYERS},
    {.was = "model.norm", .left_out = "\"none\"", .when = RESNET},
    {.was = "model.output", .when = TABULAR},
    {.was = "model.shortcut", .left_out = "\"projection\"", .when = RESNET},
    {.was = "model.width", .left_out = "1", .when = MOBILENET},
    {.was = "numerics"},
    {.was = "optimizer.beta1", .when = ADAM},
    {.was = "optimizer.beta2", .when = ADAM},
    {.was = "optimizer.eps", .when = ADAM},
    {.was = "optimizer.momentum", .when = MOMENTUM},
    {.was = "optimizer.name"},
    {.was = "optimizer.weight_decay"},
    {.was = "precision", .left_out = "\"fp32\""},
    {.was = "quadratic.dimensions", .when = QUADRATIC},
    {.was = "quadratic.noise", .when = QUADRATIC},
    {.was = "quadratic.replicas", .when = SAMPLED},
    {.was = "quadratic.start", .when = QUADRATIC},
    {.was = "quadratic.version", .when = QUADRATIC},
    {.was = "schedule.end_div", .when = CYCLE},
    {.was = "schedule.horizon_epochs", .when = SCHEDULE},
    {.was = "schedule.momentum_high", .when = CYCLE_MOMENTUM},
    {.was = "schedule.momentum_low", .when = CYCLE_MOMENTUM},
    {.was = "schedule.name"},
    {.was = "schedule.start_div", .when = CYCLE},
    {.was = "schedule.warmup", .when = SCHEDULE},
    {.was = "train.batch_size"},
    {.was = "train.learning_rate"},
    {.was = "train.micro_batch", .left_out = "0", .when = PIECES},
    {.was = "train.seed"},
};
// clang-format on

static bool is(const char *value, const char *name) {
    return strcmp(value, name) == 0;
}

/* When a key of the release before was part of an identity. These rules are fixed for ever: they
 * make the ids of runs that are in stores. */
static bool applies(const bl_config *c, condition when) {
    const char *kind = c->model.kind, *optimizer = c->optimizer.name;
    const bool cycle = is(c->schedule.name, "one_cycle"), quadratic = is(kind, "quadratic");
    switch (when) {
    case ALWAYS:
        return true;
    case TABULAR:
        return is(kind, "tabular");
    case HIDDEN:
        return is(kind, "tabular") || is(kind, "mlp") || is(kind, "simple_cnn");
    case CONVOLUTIONS:
        return is(kind, "simple_cnn") || is(kind, "resnet8");
    case LAYERS:
        return is(kind, "layers");
    case RESNET:
        return is(kind, "resnet8");
    case MOBILENET:
        return is(kind, "mobilenet_v3_large");
    case GHOST:
        return is(kind, "resnet8") && is(c->model.norm, "ghost");
    case CROSS_ENTROPY:
        return is(c->loss, "cross_entropy");
    case NET:
        return !quadratic;
    case QUADRATIC:
        return quadratic;
    case SAMPLED:
        return quadratic && is(c->quadratic.expectation, "sampled");
    case PIECES:
        return !quadratic && bl_config_pieces_show(c);
    case MOMENTUM:
        return is(optimizer, "momentum") || is(optimizer, "nesterov");
    case ADAM:
        return is(optimizer, "adam") || is(optimizer, "adamw");
    case SCHEDULE:
        return !is(c->schedule.name, "constant");
    case CYCLE:
        return cycle;
    case CYCLE_MOMENTUM:
        return cycle && !is(optimizer, "sgd");
    }
    return false;
}

/* The value as it was then. */
static bl_config_value old_value(const bl_key *key, const char *was, const bl_config *c) {
    bl_config_value value = bl_value_of(key, c);
    const bool momentum = is(was, "schedule.momentum_low") || is(was, "schedule.momentum_high");
    value.absent = false;
    if (is(was, "schedule.end_div"))
        value.f64 = c->schedule.div_factor * c->schedule.final_div_factor;
    if (momentum && !c->schedule.cycle_momentum) value.f64 = 0.0;
    return value;
}

/* Today's row of a key. A former name that renamed.c forgets has to be told here then. */
static const bl_key *key_of(const char *was) {
    const bl_key *key = bl_key_find(was, strlen(was));
    if (key == NULL) key = bl_renamed_key(was, strlen(was), NULL);
    BL_ASSERT(key != NULL);
    return key;
}

void bl_config_old_identity(const bl_config *config, bl_buf *out) {
    bl_buf text = {0};
    bl_jw w = bl_jw_open(out);
    bl_jw_object(&w, NULL);
    for (size_t i = 0; i < BL_COUNT(k_rows); i++) {
        const char *was = k_rows[i].was, *left_out = k_rows[i].left_out;
        if (!applies(config, k_rows[i].when)) continue;
        const bl_config_value value = old_value(key_of(was), was, config);
        bl_buf_clear(&text);
        bl_key_write(&value, BL_FORM_JSON, &text);
        if (left_out == NULL || strcmp(bl_buf_text(&text), left_out) != 0)
            bl_jw_raw(&w, was, bl_buf_text(&text));
    }
    bl_jw_end(&w);
    bl_jw_done(&w);
    bl_buf_free(&text);
}

int bl_config_old_epoch(const bl_config *c) {
    if (bl_config_has_convolutions(c)) return BL_NUMERICS_EPOCH_GAPS;
    return bl_config_has_norm(c) && applies(c, PIECES) ? BL_NUMERICS_EPOCH_PIECES
                                                       : BL_NUMERICS_EPOCH;
}
