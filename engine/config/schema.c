/* The table of configuration keys (schema.h), and the look-ups in it.
 *
 * A row is a path, a macro that says type, field and range, and further members by name:
 *
 *     BOOL, I64, F64, STR     one value; I64 and F64 with the smallest and the largest one
 *     I64S, F64S              a list; with the fewest and the most values, too
 *     ENUM                    a text that is a name of a list of choices.h
 *     ABOVE, BELOW            the smallest or the largest value itself is not allowed
 *     IDENTITY                part of a run's id where it means something (applies.h)
 *     IDENTITY_UNLESS_DEFAULT the same, but not at its default: for keys that came later
 *     OPTIONAL                absent unless given
 *     BUILT_IN, EXTERNAL      means something only where batchlab trains itself; only where not
 *
 * Rows of a group stand together, in the order in which `batchlab check --list-keys all` and
 * docs/configuration.md show them. A range is checked when a value is read; what has to hold
 * between two keys is in validate.c. */
#include "engine/config/schema.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/config/choices.h"
#include <stdio.h>
#include <string.h>

/* The names of a list of choices, and what each of them reads. */
#define CHOICES(names, list)                                                                       \
    static const char *const names[] = {list(BL_CHOICE_NAME)};                                     \
    static const char *const names##_reads[] = {list(BL_CHOICE_READS)}
#define MODELS(X)  BL_CHOICES_MODEL(X) BL_CHOICES_PROBLEM(X)
#define METRICS(X) BL_CHOICES_METRIC(X) BL_CHOICES_PROBLEM_METRIC(X)

CHOICES(numerics, BL_CHOICES_NUMERICS);
CHOICES(precisions, BL_CHOICES_PRECISION);
CHOICES(splits, BL_CHOICES_SPLIT);
CHOICES(models, MODELS);
CHOICES(quadratics, BL_CHOICES_QUADRATIC);
CHOICES(outputs, BL_CHOICES_OUTPUT);
CHOICES(shortcuts, BL_CHOICES_SHORTCUT);
CHOICES(norms, BL_CHOICES_NORM);
CHOICES(losses, BL_CHOICES_LOSS);
CHOICES(metrics, METRICS);
CHOICES(optimizers, BL_CHOICES_OPTIMIZER);
CHOICES(schedules, BL_CHOICES_SCHEDULE);
CHOICES(averages, BL_CHOICES_AVERAGE);
CHOICES(repeats, BL_CHOICES_REPEATS);
CHOICES(lr_rules, BL_CHOICES_LR_RULE);
CHOICES(lr_searches, BL_CHOICES_LR_SEARCH);
CHOICES(confirms, BL_CHOICES_CONFIRM);
CHOICES(confirm_rates, BL_CHOICES_CONFIRM_RATE);
CHOICES(scalings, BL_CHOICES_SCALING);

/* A row begins with one of these; further fields follow as .name = value. */
#define FIELD(kind, field)                                                                         \
    .type = (kind), .offset = offsetof(bl_config, field), .size = sizeof(((bl_config *)0)->field)
#define BOOL(field)      FIELD(BL_VALUE_BOOL, field)
#define I64(field, a, b) FIELD(BL_VALUE_I64, field), .min = (a), .max = (b)
#define F64(field, a, b) FIELD(BL_VALUE_F64, field), .min = (a), .max = (b)
#define I64S(field, a, b, least, most)                                                             \
    FIELD(BL_VALUE_I64S, field), .min = (a), .max = (b), .min_count = (least), .max_count = (most)
#define F64S(field, a, b, least, most)                                                             \
    FIELD(BL_VALUE_F64S, field), .min = (a), .max = (b), .min_count = (least), .max_count = (most)
#define TEXTS(field, least, most)                                                                  \
    FIELD(BL_VALUE_TEXTS, field), .min_count = (least), .max_count = (most)
#define STR(field) FIELD(BL_VALUE_STR, field)
#define ENUM(field, names)                                                                         \
    STR(field), .choices = (names), .reads = names##_reads, .choice_count = BL_COUNT(names)
#define IDENTITY                .identity = true
#define IDENTITY_UNLESS_DEFAULT .identity = true, .omit_default_from_id = true
#define BUILT_IN                .when = BL_WHEN_BUILT_IN
#define EXTERNAL                .when = BL_WHEN_EXTERNAL
#define OPTIONAL                .optional = true, .def = ""
#define ABOVE                   .min_open = true
#define BELOW                   .max_open = true

/* Tables and JSON readers hold whole numbers exactly up to here. */
#define MOST 9007199254740992.0

// clang-format off
const bl_key bl_schema[] = {
    {"title", STR(title), .rule = BL_RULE_TEXT, .def = "",
     .help = "what figures and reports are headed with"},
    {"dataset", STR(dataset), .rule = BL_RULE_NAME, .def = "", IDENTITY, BUILT_IN,
     .help = "a declaration in datasets/, which has to be given; \"none\" for a problem without data"},
    {"numerics", ENUM(numerics, numerics), .def = "exact", IDENTITY, BUILT_IN,
     .help = "exact: the same bits anywhere; device: on one model of GPU and its libraries"},
    {"precision", ENUM(precision, precisions), .def = "fp32", IDENTITY_UNLESS_DEFAULT,
     .help = "type of matrix-product inputs (numerics = device); sums and parameters stay fp32"},
    {"loss_scale", F64(loss_scale, 1, 16777216), .def = "1024", IDENTITY_UNLESS_DEFAULT,
     .help = "precision fp16: gradients are computed times this power of two"},

    {"data.rows", I64(data.rows, 1, MOST), OPTIONAL, .unit = "rows", IDENTITY, BUILT_IN,
     .help = "training rows used, the first ones; all unless given"},
    {"data.eval_rows", I64(data.eval_rows, 1, MOST), OPTIONAL, .unit = "rows", IDENTITY,
     .help = "rows of an evaluation, evenly spaced; all unless given"},
    {"data.split", ENUM(data.split, splits), .def = "valid", IDENTITY_UNLESS_DEFAULT,
     .help = "rows to evaluate on: valid; test for the single final evaluation; train: those trained on"},
    {"data.crop", I64(data.crop, 0, 64), .def = "0", .unit = "pixels", IDENTITY_UNLESS_DEFAULT,
     .help = "pictures: shifted at random by up to this, filled with the mean"},
    {"data.flip", BOOL(data.flip), .def = "false", IDENTITY_UNLESS_DEFAULT,
     .help = "pictures: half of them mirrored left to right"},

    {"model.kind", ENUM(model.kind, models), .def = "tabular", IDENTITY, BUILT_IN,
     .help = "the family of nets, or a problem with a known answer"},
    {"model.layers", FIELD(BL_VALUE_LAYERS, model.layers), .def = "", IDENTITY_UNLESS_DEFAULT,
     .help = "kind layers: the net, layer by layer (--list-keys layers)"},
    {"model.hidden", I64S(model.hidden, 1, 65536, 0, 16), .def = "200, 100", .unit = "units", IDENTITY,
     .help = "widths of the hidden layers"},
    {"model.dropout", F64S(model.dropout, 0, 1, 0, 16), BELOW, .def = "", IDENTITY,
     .help = "after hidden layers: one for each, one for all, or none"},
    {"model.embedding_dropout", F64(model.embedding_dropout, 0, 1), BELOW, .def = "0.04", IDENTITY,
     .help = "of the embedded categories"},
    {"model.batch_norm", BOOL(model.batch_norm), .def = "true", IDENTITY,
     .help = "batch normalisation of continuous inputs and after hidden layers"},
    {"model.linear", BOOL(model.linear), .def = "false", IDENTITY_UNLESS_DEFAULT,
     .help = "tabular: a straight line from the inputs to the output beside the hidden layers"},
    {"model.output", ENUM(model.output, outputs), .def = "sigmoid_range", IDENTITY,
     .help = "linear, or kept in the range of the target by a sigmoid"},
    {"model.filters", I64S(model.filters, 1, 4096, 0, 3), .def = "", IDENTITY_UNLESS_DEFAULT,
     .help = "simple_cnn: of 2 convolutions; resnet8: of 3 stages; none: those of the literature"},
    {"model.norm", ENUM(model.norm, norms), .def = "none", IDENTITY_UNLESS_DEFAULT,
     .help = "resnet8: normalisation after convolutions, by the batch or by chunks of it"},
    {"model.ghost_size", I64(model.ghost_size, 2, 16777216), .def = "64", .unit = "rows", IDENTITY_UNLESS_DEFAULT,
     .help = "examples that are normalised together"},
    {"model.width", F64(model.width, 0.01, 4), .def = "1", IDENTITY_UNLESS_DEFAULT,
     .help = "mobilenet_v3_large: channels over those of the paper"},
    {"model.shortcut", ENUM(model.shortcut, shortcuts), .def = "projection", IDENTITY_UNLESS_DEFAULT,
     .help = "resnet8, where the shape changes: a 1 x 1 convolution, or added channels of 0"},

    {"quadratic.expectation", ENUM(quadratic.expectation, quadratics), .def = "exact", IDENTITY,
     .help = "exact: expectations are carried exactly; sampled: they are means over random replicas"},
    {"quadratic.dimensions", I64(quadratic.dimensions, 1, 1024), .def = "100", IDENTITY,
     .help = "coordinates; the i-th has curvature 1/i"},
    {"quadratic.noise", F64(quadratic.noise, 0, 1e6), .def = "1", IDENTITY,
     .help = "variance of an example's gradient over the curvature"},
    {"quadratic.start", F64(quadratic.start, 0, 1e6), ABOVE, .def = "1", IDENTITY,
     .help = "square of each coordinate before the first step"},
    {"quadratic.replicas", I64(quadratic.replicas, 1, 65536), .def = "256", IDENTITY,
     .help = "independent copies that expectations are means over"},

    {"loss", ENUM(loss, losses), .def = "mse", IDENTITY, .help = "what training lowers"},
    {"label_smoothing", F64(label_smoothing, 0, 1), BELOW, .def = "0", IDENTITY,
     .help = "cross_entropy: share of the target spread evenly over all classes"},
    {"metric", ENUM(metric, metrics), .any_choice = true, .def = "exp_rmspe", IDENTITY,
     .help = "what targets are set on, over the validation rows"},

    {"optimizer.name", ENUM(optimizer.name, optimizers), .def = "adam", IDENTITY, BUILT_IN,
     .help = "the update rule"},
    {"optimizer.momentum", F64(optimizer.momentum, 0, 1), BELOW, .def = "0.9", IDENTITY, .when = BL_WHEN_STILL,
     .help = "share of the velocity kept from step to step (momentum, nesterov)"},
    {"optimizer.beta1", F64(optimizer.beta1, 0, 1), BELOW, .def = "0.9", IDENTITY, .when = BL_WHEN_STILL,
     .help = "decay of the mean gradient (adam, adamw)"},
    {"optimizer.beta2", F64(optimizer.beta2, 0, 1), BELOW, .def = "0.99", IDENTITY,
     .help = "decay of the mean squared gradient (adam, adamw)"},
    {"optimizer.eps", F64(optimizer.eps, 1e-10, 1), .def = "1e-5", IDENTITY,
     .help = "added to the root of the mean square (adam, adamw)"},
    {"optimizer.weight_decay", F64(optimizer.weight_decay, 0, 10), .def = "0", IDENTITY,
     .help = "L2 penalty; adamw: decoupled weight decay"},

    {"schedule.name", ENUM(schedule.name, schedules), .def = "constant", IDENTITY, BUILT_IN,
     .help = "the learning rate over time"},
    {"schedule.horizon_epochs", F64(schedule.horizon_epochs, 0, 1e6), ABOVE, OPTIONAL, .unit = "epochs", IDENTITY,
     .help = "length of a schedule that is not constant, which needs it"},
    {"schedule.warmup", F64(schedule.warmup, 0, 1), BELOW, .def = "0.3", IDENTITY,
     .help = "fraction of the horizon in which the rate rises"},
    {"schedule.div_factor", F64(schedule.div_factor, 1, 1e9), .def = "25", IDENTITY,
     .help = "one_cycle, exponential: the first rate is the peak over this"},
    {"schedule.final_div_factor", F64(schedule.final_div_factor, 1e-9, 1e9), .def = "1e4", IDENTITY,
     .help = "one_cycle: the last rate is the first one over this"},
    {"schedule.cycle_momentum", BOOL(schedule.cycle_momentum), .def = "true", IDENTITY, .when = BL_WHEN_MOMENTUM,
     .help = "one_cycle: momentum or beta1 moves against the rate"},
    {"schedule.momentum_low", F64(schedule.momentum_low, 0, 1), ABOVE, BELOW, .def = "0.85", IDENTITY, .when = BL_WHEN_CYCLED,
     .help = "one_cycle: momentum or beta1 at the peak"},
    {"schedule.momentum_high", F64(schedule.momentum_high, 0, 1), ABOVE, BELOW, .def = "0.95", IDENTITY, .when = BL_WHEN_CYCLED,
     .help = "one_cycle: momentum or beta1 at both ends"},

    {"train.batch_size", I64(train.batch_size, 1, 16777216), .def = "64", .unit = "rows", IDENTITY,
     .help = "examples per optimizer step"},
    {"train.micro_batch", I64(train.micro_batch, 1, 16777216), OPTIONAL, .unit = "rows", IDENTITY_UNLESS_DEFAULT, .when = BL_WHEN_PIECES,
     .help = "examples at once, gradients added up; the whole batch unless given"},
    {"train.learning_rate", F64(train.learning_rate, 0, 1e6), ABOVE, .def = "1e-3", IDENTITY,
     .help = "of the optimizer; the peak, where a schedule moves it"},
    {"train.seed", I64(train.seed, 0, MOST), .def = "1", IDENTITY,
     .help = "of initial weights, order and dropout"},

    {"external.command", TEXTS(external.command, 0, 64), .def = "", IDENTITY, EXTERNAL,
     .help = "the program that trains, and its arguments; {batch_size} and the like are replaced"},
    {"external.imported", STR(external.imported), .rule = BL_RULE_TEXT, .def = "", EXTERNAL,
     .help = "instead of a command: the folder of finished runs that `batchlab import` wrote"},
    {"external.inputs", TEXTS(external.inputs, 0, 64), .def = "", EXTERNAL,
     .help = "files and folders that decide what it computes; their bytes are part of run ids"},
    {"external.version", STR(external.version), .rule = BL_RULE_TEXT, .def = "", IDENTITY, EXTERNAL,
     .help = "of what it runs on, in your words; part of run ids"},
    {"external.settings", FIELD(BL_VALUE_OPEN, external.settings), .def = "", IDENTITY, EXTERNAL,
     .help = "further parameters of the program, of any name"},
    {"external.scrape", STR(external.scrape), .rule = BL_RULE_TEXT, .def = "", IDENTITY, EXTERNAL,
     .help = "for a program that reports nothing: a CSV or JSON lines file, or a pattern of its output"},
    {"external.repeats", ENUM(external.repeats, repeats), .def = "noisy", EXTERNAL,
     .help = "exact: the same parameters give the same values again; noisy: they do not"},
    {"external.checkpoint", BOOL(external.checkpoint), .def = "true", EXTERNAL,
     .help = "the program saves its state and goes on from it"},
    {"external.grace", F64(external.grace, 0, 86400), ABOVE, .def = "60", .unit = "seconds", EXTERNAL,
     .help = "time to save and end before it is killed"},
    {"external.silence", F64(external.silence, 0, 1e6), ABOVE, .def = "600", .unit = "seconds", EXTERNAL,
     .help = "without a line for so long, it counts as hung"},
    {"external.epoch_rows", I64(external.epoch_rows, 1, MOST), OPTIONAL, .unit = "rows", EXTERNAL,
     .help = "examples of an epoch, which has to be given"},
    {"external.memory_mib", I64(external.memory_mib, 1, 1073741824), OPTIONAL, .unit = "MiB", EXTERNAL,
     .help = "of one process; those of a race that do not fit into memory_total_mib are parked"},
    {"external.memory_total_mib", I64(external.memory_total_mib, 1, 1073741824), OPTIONAL, .unit = "MiB", EXTERNAL,
     .help = "of all processes together, as on a GPU; the machine's memory, or its control group's, unless given"},
    {"external.jobs_per_device", I64(external.jobs_per_device, 1, 1024), OPTIONAL, .unit = "runs", EXTERNAL,
     .help = "programs at once on each GPU; each sees one, by CUDA_VISIBLE_DEVICES; without it they see all"},
    {"external.environment", TEXTS(external.environment, 0, 64), .def = "", EXTERNAL,
     .help = "environment variables that results record"},

    {"eval.growth", F64(eval.growth, 1, 100), .def = "1.05", IDENTITY,
     .help = "the step of each evaluation is this times the step of the one before"},
    {"eval.first", I64(eval.first, 1, MOST), .def = "1", .unit = "steps", IDENTITY,
     .help = "the first evaluation's step"},
    {"eval.average", ENUM(eval.average, averages), .def = "none", IDENTITY_UNLESS_DEFAULT, BUILT_IN,
     .help = "weights that are evaluated: none: the last step's; power: an average over the steps so far"},
    {"eval.average_width", F64(eval.average_width, 0, 0.288), ABOVE, .def = "0.1", IDENTITY,
     .help = "power: width of the average, relative to the steps so far; 0.1 is the power 6.94"},
    {"eval.batch_mean", BOOL(eval.batch_mean), .def = "false", IDENTITY_UNLESS_DEFAULT,
     .help = "the log also has the metric's mean over batches of train.batch_size rows, as fastai 1 has"},

    {"sweep.batch_sizes", I64S(sweep.batch_sizes, 1, 16777216, 1, BL_LIST), .rule = BL_RULE_INCREASING,
     .def = "32, 64, 128, 256, 512, 1024", .unit = "rows", .help = "the sizes compared"},
    {"sweep.targets", F64S(sweep.targets, 0, 1e200, 0, 16), ABOVE, .rule = BL_RULE_DECREASING, .def = "",
     .help = "values of the metric, easiest first; the last is the main one"},
    {"sweep.baseline", F64(sweep.baseline, 0, 1e200), ABOVE, OPTIONAL,
     .help = "the metric without a net, as batchlab init measures it: targets should be below it"},
    {"sweep.seeds", I64(sweep.seeds, 1, 1000), .def = "3", .unit = "runs",
     .help = "runs per point for winners and their neighbours"},
    {"sweep.race_cutoff", F64(sweep.race_cutoff, 1, 1000), .def = "1.25",
     .help = "the losers of a race stop at this times the best run's steps"},
    {"sweep.max_epochs", F64(sweep.max_epochs, 0, 1e6), ABOVE, .def = "10", .unit = "epochs",
     .help = "budget of one run; the smaller of this and max_steps counts"},
    {"sweep.max_steps", I64(sweep.max_steps, 1, MOST), .def = "1000000", .unit = "steps",
     .help = "budget of one run"},
    {"sweep.lr_start", F64(sweep.lr_start, 0, 1e6), ABOVE, .def = "1e-3",
     .help = "the first centre of the learning-rate grid"},
    {"sweep.lr_min", F64(sweep.lr_min, 0, 1e6), ABOVE, .def = "9.5367431640625e-07",
     .help = "the grid's lower limit"},
    {"sweep.lr_max", F64(sweep.lr_max, 0, 1e6), ABOVE, .def = "16",
     .help = "the grid's upper limit"},
    {"sweep.lr_step", F64(sweep.lr_step, 0, 16), ABOVE, .def = "1", .unit = "powers of 2",
     .help = "spacing of the grid"},
    {"sweep.lr_rule", ENUM(sweep.lr_rule, lr_rules), .def = "sqrt",
     .help = "how the centre moves with the batch size"},
    {"sweep.lr_search", ENUM(sweep.lr_search, lr_searches), .def = "local",
     .help = "local: the best rate beats its neighbours; exhaustive: it beats all from lr_min to lr_max"},
    {"sweep.budget_epochs", F64(sweep.budget_epochs, 0, 1e6), ABOVE, OPTIONAL, .unit = "epochs",
     .help = "epoch budget to compare sizes at"},
    {"sweep.budget_steps", I64(sweep.budget_steps, 1, MOST), OPTIONAL, .unit = "steps",
     .help = "step budget to compare sizes at"},
    {"sweep.budget_seconds", F64(sweep.budget_seconds, 0, 1e9), ABOVE, OPTIONAL, .unit = "seconds",
     .help = "training time to compare sizes at, on this machine"},
    {"sweep.budget_cost", F64(sweep.budget_cost, 0, 1e9), ABOVE, OPTIONAL,
     .help = "cost of training to compare sizes at, in cost.currency"},
    {"sweep.reference", STR(sweep.reference), .rule = BL_RULE_NAME, .def = "",
     .help = "NAME.csv beside the file: reference batch_size and steps to the main target"},
    {"sweep.compare", FIELD(BL_VALUE_PAIRS, sweep.compare), .min = 1, .max = 16777216, .max_count = BL_PAIRS, .def = "", .unit = "rows",
     .help = "pairs of sizes to compare on fresh seeds, the second with the first: ( [64, 512] )"},
    {"sweep.compare_seeds", I64(sweep.compare_seeds, 1, 1000), .def = "10", .unit = "runs",
     .help = "fresh seeds for each pair; fewer than 7 give no 95 % interval"},
    {"sweep.confirm_seeds", I64(sweep.confirm_seeds, 1, 1000), OPTIONAL, .unit = "runs",
     .help = "fresh seeds for the sizes that sweep.confirm names"},
    {"sweep.confirm", ENUM(sweep.confirm, confirms), .def = "fewest",
     .help = "fewest: the size with the fewest steps and those not told from it get fresh seeds; all: every size"},
    {"sweep.confirm_rate", ENUM(sweep.confirm_rate, confirm_rates), .def = "grid",
     .help = "grid: fresh seeds run at the best rate of the grid; between: where steps are least by it and its neighbours"},
    {"sweep.precision", F64(sweep.precision, 1, 1000), ABOVE, OPTIONAL,
     .help = "rounds of fresh seeds until high / low of the critical size's and fewest steps' intervals is this"},
    {"sweep.scaling", ENUM(sweep.scaling, scalings), .def = "auto",
     .help = "critical sizes by one curve, by three segments, or (auto) by segments where they explain far more"},
    {"sweep.trials", I64(sweep.trials, 1, 10000), .def = "16", .unit = "points",
     .help = "points of the box that a quasi-random search looks at, at each batch size"},
    {"sweep.margin", F64(sweep.margin, 0, 10), ABOVE, .def = "0.05",
     .help = "sweep.quality: values whose ratio is within 1 plus this count as equal"},
    {"sweep.rules_limit", F64(sweep.rules_limit, 0, 1000), ABOVE, OPTIONAL,
     .help = "learning-rate rules run to this times the tuned steps; the script decides unless given"},
    {"sweep.noise_scale", F64(sweep.noise_scale, 0, 1e12), ABOVE, OPTIONAL, .unit = "examples",
     .help = "the gradient noise scale, as batchlab find measures it: the rule surge needs it"},
    {"sweep.expected_epochs", F64(sweep.expected_epochs, 0, 1e6), ABOVE, .def = "1", .unit = "epochs",
     .help = "epochs to the target at small batch sizes; for time estimates only"},
    {"sweep.expected_batch_size", F64(sweep.expected_batch_size, 1, 1e9), .def = "1024", .unit = "rows",
     .help = "batch size where perfect scaling is expected to end; for time estimates only"},

    {"timing.repeats", I64(timing.repeats, 1, 1000), .def = "7",
     .help = "repetitions per batch size, interleaved"},
    {"timing.seconds", F64(timing.seconds, 0, 3600), ABOVE, .def = "0.1", .unit = "seconds",
     .help = "length of a repetition, at least"},
    {"noise.share", F64(noise.share, 0, 1), .def = "0",
     .help = "of the examples trained, what probes of the gradient noise may cost; 0: no probes"},
    {"noise.micro_batch", I64(noise.micro_batch, 1, 16777216), .def = "64", .unit = "examples",
     .help = "smallest batch that a probe measures"},
    {"noise.batches", I64(noise.batches, 4, 65536), .def = "32",
     .help = "micro-batches of a probe, a power of two"},
    {"noise.hessian", BOOL(noise.hessian), .def = "false",
     .help = "also measures the noise along the curvature, by differences of gradients"},
    {"noise.window", I64(noise.window, 0, 65536), .def = "0", .unit = "steps",
     .help = "also estimates the noise from so many steps of the run itself, for comparison; 0: no"},
    {"cost.per_core_hour", F64(cost.per_core_hour, 0, 1e6), .def = "0.04",
     .help = "price of one processor core for an hour"},
    {"cost.currency", STR(cost.currency), .rule = BL_RULE_TEXT, .def = "EUR",
     .help = "the price's currency"},
    {"cost.device_batch_size", I64(cost.device_batch_size, 1, 16777216), OPTIONAL, .unit = "rows",
     .help = "examples of a step that one device takes; any number unless given"},
    {"cost.device_memory_mib", F64(cost.device_memory_mib, 0, 1e9), ABOVE, OPTIONAL, .unit = "MiB",
     .help = "memory of a run that one device holds; any amount unless given"},
    {"cost.upfront_core_hours", F64(cost.upfront_core_hours, 0, 1e9), .def = "0", .unit = "core-hours",
     .help = "paid once for every device beyond the first"},
    {"cost.upfront_seconds", F64(cost.upfront_seconds, 0, 1e9), .def = "0", .unit = "seconds",
     .help = "waited once for every device beyond the first"},
};
// clang-format on
const size_t bl_schema_count = BL_COUNT(bl_schema);

const char *bl_key_leaf(const bl_key *key) {
    const char *dot = strrchr(key->path, '.');
    return dot != NULL ? dot + 1 : key->path;
}

const bl_key *bl_key_find(const char *path, size_t n) {
    /* Most are asked for by the schema's own text. */
    for (size_t i = 0; i < bl_schema_count; i++)
        if (bl_schema[i].path == path && path[n] == '\0') return &bl_schema[i];
    for (size_t i = 0; i < bl_schema_count; i++)
        if (bl_schema[i].path[0] == path[0] && strlen(bl_schema[i].path) == n &&
            memcmp(bl_schema[i].path, path, n) == 0)
            return &bl_schema[i];
    return NULL;
}

void bl_key_range(const bl_key *key, char out[96]) {
    char low[32], high[32];
    bl_json_f64_text(low, key->min);
    bl_json_f64_text(high, key->max);
    if (key->max == MOST) (void)snprintf(high, sizeof high, "2^53");
    const char *first = key->min_open ? "above" : "from";
    const char *last = key->max_open ? ", below" : key->min_open ? ", up to" : " to";
    (void)snprintf(out, 96, "%s %s%s %s", first, low, last, high);
}

static size_t group_length(const char *path) {
    const char *dot = strrchr(path, '.');
    return dot != NULL ? (size_t)(dot - path) : 0;
}

bool bl_schema_group(size_t i, const char **name, size_t *n) {
    size_t seen = 0;
    for (size_t r = 0; r < bl_schema_count; r++) {
        const char *path = bl_schema[r].path;
        const size_t len = group_length(path);
        const bool begins = len > 0 && (r == 0 || group_length(bl_schema[r - 1].path) != len ||
                                        memcmp(bl_schema[r - 1].path, path, len) != 0);
        if (!begins || seen++ != i) continue;
        *name = path;
        *n = len;
        return true;
    }
    return false;
}
