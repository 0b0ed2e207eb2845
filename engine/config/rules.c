#include "engine/config/rules.h"
#include "engine/config/ghost.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

BL_PRINTF(3, 4)
static bool refuse(bl_rule_fault *fault, const char *path, const char *fmt, ...) {
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

static bool schedule_holds(const bl_config *c, bl_rule_fault *fault) {
    if (is(c->schedule.name, "constant")) return true;
    if (c->schedule.horizon_epochs <= 0)
        return refuse(fault, "schedule.horizon_epochs",
                      "schedule '%s' needs its length: 'horizon_epochs' above 0", c->schedule.name);
    if (is(c->schedule.name, "one_cycle") && c->schedule.momentum_low > c->schedule.momentum_high)
        return refuse(fault, "schedule.momentum_low", "'momentum_low' is above 'momentum_high'");
    return true;
}

/* A problem brings its own measure and no data; a net needs both. */
static bool problem_holds(const bl_config *c, bl_rule_fault *fault) {
    const bool quadratic = is(c->model.kind, "quadratic");
    if (quadratic != is(c->metric, "expected_loss"))
        return refuse(fault, "metric",
                      "the metric 'expected_loss' and the model 'quadratic' belong together");
    if (quadratic != is(c->dataset, "none"))
        return refuse(fault, "dataset",
                      "the dataset 'none' and the model 'quadratic' belong together");
    if (quadratic && c->data.rows == 0)
        return refuse(
            fault, "data.rows",
            "there is no data set to count: write how many examples an epoch has, 'rows' above 0");
    return true;
}

bool bl_rules_hold(const bl_config *c, bl_rule_fault *fault) {
    if (c->dataset[0] == '\0')
        return refuse(fault, "dataset", "'dataset' is missing: name a declaration in datasets/");
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

/* Does the net normalise other examples together when the batch comes in pieces? */
static bool norm_shows(const bl_config *c) {
    if (is(c->model.kind, "tabular")) return c->model.batch_norm;
    if (!is(c->model.kind, "resnet8") || is(c->model.norm, "none")) return false;
    return is(c->model.norm, "batch") ||
           !bl_ghost_same_chunks((size_t)c->train.batch_size, (size_t)c->train.micro_batch,
                                 (size_t)c->model.ghost_size);
}

/* Micro-batches of 256 * 2^k examples give the bits of the whole batch (engine/train/batch.c),
 * unless the net normalises by the statistics of other examples. */
static bool pieces_show(const bl_config *c) {
    const int64_t micro = c->train.micro_batch;
    const bool whole = micro == 0 || micro >= c->train.batch_size;
    const bool aligned = micro % 256 == 0 && (micro & (micro - 1)) == 0;
    return !whole && (!aligned || norm_shows(c));
}

bool bl_rules_matter(const bl_config *c, bl_key_when when) {
    const char *optimizer = c->optimizer.name;
    const bool cycle = is(c->schedule.name, "one_cycle");
    const bool quadratic = is(c->model.kind, "quadratic");
    switch (when) {
    case BL_WHEN_TABULAR:
        return is(c->model.kind, "tabular");
    case BL_WHEN_HIDDEN:
        return !quadratic && !is(c->model.kind, "resnet8");
    case BL_WHEN_RESNET:
        return is(c->model.kind, "resnet8");
    case BL_WHEN_GHOST:
        return is(c->model.kind, "resnet8") && is(c->model.norm, "ghost");
    case BL_WHEN_NET:
        return !quadratic;
    case BL_WHEN_QUADRATIC:
        return quadratic;
    case BL_WHEN_SAMPLED:
        return quadratic && is(c->quadratic.version, "sampled");
    case BL_WHEN_PIECES:
        return !quadratic && pieces_show(c);
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
