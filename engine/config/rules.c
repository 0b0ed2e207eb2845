#include "engine/config/rules.h"
#include "engine/base/mem.h"
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

static bool is(const char *value, const char *name) { return strcmp(value, name) == 0; }

static bool schedule_holds(const bl_config *c, bl_rule_fault *fault) {
    if (is(c->schedule.name, "constant")) return true;
    if (c->schedule.horizon_epochs <= 0)
        return refuse(fault, "schedule.horizon_epochs",
                      "schedule '%s' needs its length: 'horizon_epochs' above 0", c->schedule.name);
    if (is(c->schedule.name, "one_cycle") && c->schedule.momentum_low > c->schedule.momentum_high)
        return refuse(fault, "schedule.momentum_low", "'momentum_low' is above 'momentum_high'");
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
    return schedule_holds(c, fault);
}

bool bl_rules_matter(const bl_config *c, const char *path) {
    const char *optimizer = c->optimizer.name, *schedule = c->schedule.name;
    const bool adam = is(optimizer, "adam") || is(optimizer, "adamw");
    const bool cycle = is(schedule, "one_cycle");
    const struct {
        const char *path;
        bool matters;
    } some[] = {
        {"optimizer.momentum", is(optimizer, "momentum") || is(optimizer, "nesterov")},
        {"optimizer.beta1", adam},
        {"optimizer.beta2", adam},
        {"optimizer.eps", adam},
        {"schedule.horizon_epochs", !is(schedule, "constant")},
        {"schedule.warmup", !is(schedule, "constant")},
        {"schedule.start_div", cycle},
        {"schedule.end_div", cycle},
        {"schedule.momentum_low", cycle && !is(optimizer, "sgd")},
        {"schedule.momentum_high", cycle && !is(optimizer, "sgd")},
    };
    for (size_t i = 0; i < BL_COUNT(some); i++)
        if (is(path, some[i].path)) return some[i].matters;
    return true;
}
