/* A resolved experiment: every setting a run or a sweep has, with defaults filled in.
 * The schema table (schema.h) is the one list of keys. Parsing, checking, the canonical text, the
 * options --set and --list-keys and the fuzz test's round trip follow from it. A value comes from
 * the last of these that gives one: defaults, the file, the chosen preset, --set, a trial's own
 * settings. */
#ifndef BL_ENGINE_CONFIG_CONFIG_H
#define BL_ENGINE_CONFIG_CONFIG_H
#include "engine/base/buf.h"
#include "engine/base/file.h"
#include "engine/base/status.h"
#include "engine/config/doc.h"
#include <stdbool.h>
#include <stdint.h>

enum {
    BL_NAME = 64,
    BL_TITLE = 256,
    BL_LIST = 64,
    BL_PAIRS = 32,
    BL_COMPUTED_BY = 256,
    BL_LAYERS_TEXT = 8192,
    BL_TEXTS = 2048,
    BL_EXTERNAL_PROTOCOL = 1 /* of a run that is a process (docs/external.md) */
};

typedef struct bl_i64_list {
    int64_t v[BL_LIST];
    size_t n;
} bl_i64_list;
typedef struct bl_f64_list {
    double v[BL_LIST];
    size_t n;
} bl_f64_list;
typedef struct bl_i64_pairs {
    int64_t v[BL_PAIRS][2];
    size_t n;
} bl_i64_pairs;

/* Enumerated values are held as their names; schema.c lists what is allowed, from the tables. A key
 * that is "absent" unless given is 0 here, which is no value that could be given. */
typedef struct bl_config {
    char name[BL_NAME];   /* of the experiment's folder; not a key */
    char preset[BL_NAME]; /* chosen; not a key */
    char title[BL_TITLE];
    char dataset[BL_NAME];
    char numerics[BL_NAME]; /* "exact" */
    char precision[BL_NAME];
    double loss_scale;
    char computed_by[BL_COMPUTED_BY]; /* at level device: GPU and libraries; not a key */

    struct {
        int64_t rows;        /* training rows used, the first ones; absent: all */
        int64_t eval_rows;   /* validation rows used, a fixed evenly spaced subset; absent: all */
        char split[BL_NAME]; /* valid or test: the rows that evaluations look at */
        int64_t crop;        /* pictures: pixels of random shift */
        bool flip;           /* pictures: mirrored at random */
    } data;
    struct {
        char kind[BL_NAME];          /* a net (model.h), or quadratic: the group below */
        char layers[BL_LAYERS_TEXT]; /* kind layers: canonical text of the list (layers.h) */
        bl_i64_list hidden;
        bl_f64_list dropout; /* one per hidden layer, or one for all, or none */
        double embedding_dropout;
        bool batch_norm;
        bool linear; /* tabular: a dense layer from the inputs to the output, beside the others */
        char output[BL_NAME]; /* "linear" or "sigmoid_range": [0, 1.2 x the largest training target]
                                 on the target's raw scale */
        bl_i64_list filters;  /* of the convolutions of simple_cnn, the stages of resnet8 */
        char norm[BL_NAME];   /* resnet8: none, batch, ghost */
        int64_t ghost_size;   /* examples of a chunk */
        double width;         /* mobilenet_v3_large: channels over those of the paper */
        char shortcut[BL_NAME]; /* resnet8, where the shape changes: projection, pad */
    } model;
    struct {
        char expectation[BL_NAME];    /* exact, sampled */
        int64_t dimensions, replicas; /* coordinates; sampled: independent copies */
        double noise;                 /* c_i = noise * h_i, h_i = 1/i */
        double start;                 /* theta_i^2 before the first step */
    } quadratic;
    char loss[BL_NAME]; /* mse, cross_entropy */
    double label_smoothing;
    char metric[BL_NAME]; /* exp_rmspe, exp_rmse, rmse, error, auc_error, cross_entropy;
                             expected_loss of problems */
    struct {
        char name[BL_NAME]; /* sgd, momentum, nesterov, adam, adamw */
        double momentum, beta1, beta2, eps, weight_decay;
    } optimizer;
    struct {
        char name[BL_NAME];      /* constant, linear, cosine, exponential, one_cycle */
        double horizon_epochs;   /* length of a decaying schedule in epochs; else absent */
        double warmup;           /* fraction of the horizon that rises (one_cycle: 0.3) */
        double div_factor;       /* one_cycle: the first rate is the peak over this */
        double final_div_factor; /* one_cycle: the last rate is the first one over this */
        bool cycle_momentum;     /* one_cycle: momentum (or beta1) goes high-low-high */
        double momentum_low, momentum_high;
    } schedule;
    struct {
        int64_t batch_size;
        int64_t micro_batch; /* examples at once; absent: the whole batch */
        double learning_rate;
        int64_t seed;
    } train;
    struct {                        /* runs that are processes: engine/external */
        char command[BL_TEXTS];     /* list of texts (open_values.h); "": batchlab trains itself */
        char imported[BL_TITLE];    /* folder of runs that were finished elsewhere; "": none */
        char inputs[BL_TEXTS];      /* list of texts: files and folders that decide the result */
        char version[BL_TITLE];     /* of what they run on, in the user's words */
        char settings[BL_TEXTS];    /* open group (open_values.h): further parameters */
        char scrape[BL_TITLE];      /* where its evaluations are read; "": report.jsonl */
        char repeats[BL_NAME];      /* noisy, exact */
        bool checkpoint;            /* it can save its state and go on from it */
        double grace, silence;      /* seconds: to end; without a line */
        int64_t epoch_rows;         /* examples of an epoch */
        int64_t memory_mib;         /* of one process; absent: not counted */
        int64_t memory_total_mib;   /* of all together; absent: what the machine has */
        int64_t jobs_per_device;    /* programs at once on a GPU; absent: they see all GPUs */
        char environment[BL_TEXTS]; /* list of texts: variables that results record */
        char inputs_sha256[65];     /* of the inputs' bytes; not a key */
        char folder[BL_PATH];       /* where the command is started; not a key */
        int64_t repeat; /* noisy: how often the run was begun anew; not a key, part of its id */
    } external;
    struct {
        double growth;         /* evaluate at steps that grow by this factor, at least by 1 step */
        int64_t first;         /* the first evaluation's step */
        char average[BL_NAME]; /* of the weights that are evaluated: none, power */
        double average_width;  /* power: its width, as a share of the steps so far */
        bool batch_mean;       /* log the metric's mean over batches, too */
    } eval;

    /* ---- from here on: questions and conditions, no part of a run's identity ---- */
    struct {
        bl_i64_list batch_sizes;
        bl_f64_list targets; /* of the metric, easiest first; the last is the main one */
        double baseline;     /* the metric without a net; absent: not known */
        int64_t seeds;       /* runs per point for winners and their neighbours */
        double race_cutoff;  /* a race's losers stop at this times the best steps */
        double max_epochs;   /* the budget of one run; with max_steps the smaller counts */
        int64_t max_steps;
        double lr_start, lr_min, lr_max; /* first centre of the grid, and its limits */
        double lr_step;                  /* spacing of the grid in powers of two */
        char lr_rule[BL_NAME];   /* how the centre moves with batch size: keep, sqrt, linear */
        char lr_search[BL_NAME]; /* rates a race's winner is proved against: local, exhaustive */
        double budget_epochs;    /* budgets to compare at; absent: none */
        int64_t budget_steps;
        double budget_seconds;   /* by the recorded time per step */
        double budget_cost;      /* in cost.currency, by the same time */
        char reference[BL_NAME]; /* a table of known steps in the experiment's folder; "": none */
        double rules_limit;   /* rules are run up to this times the tuned steps; absent: no rules */
        bl_i64_pairs compare; /* sizes, compared on fresh seeds */
        int64_t compare_seeds;
        int64_t confirm_seeds;      /* fresh seeds of the sizes below; absent: none */
        char confirm[BL_NAME];      /* fewest: the fewest steps and their ties; all: every size */
        char scaling[BL_NAME];      /* what critical sizes are read from; for the report alone */
        char confirm_rate[BL_NAME]; /* grid: the best rate; between: by a parabola through rates */
        double precision;           /* high / low up to which seeds are added; absent: none are */
        int64_t trials;             /* points of the box that a search looks at */
        double margin;              /* values whose ratio is within 1 + this count as equal */
        double noise_scale;         /* of the gradient, in examples; absent: not known */
        double expected_epochs; /* to the target at small batch sizes: for time estimates only */
        double expected_batch_size; /* where perfect scaling is expected to end: likewise */
    } sweep;
    struct {
        int64_t repeats; /* timing pass: repetitions per batch size, interleaved */
        double seconds;  /* at least this long per repetition */
    } timing;
    struct {
        double share;        /* of the examples trained, that probes may cost; 0: no probes */
        int64_t micro_batch; /* examples of a micro-batch */
        int64_t batches;     /* micro-batches of a probe */
        bool hessian;        /* products with the Hessian, too */
        int64_t window;      /* steps of the ways that do not stop; 0: none of them */
    } noise;
    struct {
        double per_core_hour;
        char currency[16];
        int64_t device_batch_size; /* examples of a step that one device takes; absent: any */
        double device_memory_mib;  /* of a run that one device holds; absent: any amount */
        double upfront_core_hours; /* paid once for every device beyond the first */
        double upfront_seconds;    /* and waited */
    } cost;
    double
        renamed_end_div; /* schedule.final_div_factor as an earlier release had it; 0: not given */
    uint64_t renamed;    /* which names of an earlier release were used (renamed.h); not a key */
} bl_config;

/* experiments/NAME/experiment.cfg with preset (NULL or "": the experiment's default "quick") and
 * `sets` ("key=value" each) laid over it. Names every fault with its position. */
bl_status bl_config_read(bl_config *out, const char *experiments_dir, const char *name,
                         const char *preset, const char *const *sets, size_t n_sets,
                         bl_err *err) BL_CHECKED;
/* For a fault that shows only later in the value of a top-level key: its words become a message
 * with the key's position, if the experiment's file has that value there (and no preset or set). */
void bl_config_locate(const char *experiments_dir, const char *name, const char *key,
                      const char *value, bl_err *err);
/* The same for a fault whose words begin with the path of a layer of config->model.layers, if the
 * list is the one that the file, or its preset, has. */
void bl_config_locate_layer(const char *experiments_dir, const bl_config *config, bl_err *err);
/* The names of the presets that experiments/NAME/experiment.cfg declares, in its order; "" alone
 * when it declares none. To be freed. */
bl_status bl_config_presets(bl_names *out, const char *experiments_dir, const char *name,
                            bl_err *err) BL_CHECKED;
/* The same from text, for tests and fuzzing. */
bl_status bl_config_parse(bl_config *out, const char *text, size_t n, const char *file,
                          const char *preset, const char *const *sets, size_t n_sets,
                          bl_err *err) BL_CHECKED;
/* One "key=value" (or key and value apart) onto `config`: a full path ("optimizer.momentum") or a
 * last part that is unique ("batch_size"). What the planner's trials are made with, too. */
bl_status bl_config_set(bl_config *config, const char *key, const char *value,
                        bl_err *err) BL_CHECKED;
/* What holds between keys (a schedule has a horizon, as many dropouts as layers): to be asked after
 * bl_config_set. bl_config_read and bl_config_parse have asked it. */
bl_status bl_config_check(const bl_config *config, bl_err *err) BL_CHECKED;
/* Only keys that belong to a run's identity may be set by a trial. */
bool bl_config_key_is_identity(const char *key);

/* The canonical text that is hashed: one JSON object of every identity key in path order. Keys that
 * another choice makes meaningless (momentum under adam) are left out, so they cannot change an id.
 */
void bl_config_identity(const bl_config *config, bl_buf *out);
/* The same as an earlier release wrote it: only to find what that has stored. */
void bl_config_old_identity(const bl_config *config, bl_buf *out);
int bl_config_old_epoch(const bl_config *config);
/* Every key of the resolved experiment as libconfig text that reads back to the same structure. */
void bl_config_dump(const bl_config *config, bl_buf *out);
/* Table of keys for --list-keys: "all", or those of one group. BL_EINVAL names the groups. */
bl_status bl_config_list_keys(const char *group, bl_buf *out, bl_err *err) BL_CHECKED;

/* One key's resolved value, for the planner: type and value by path. */
typedef struct bl_config_value {
    enum {
        BL_VALUE_BOOL,
        BL_VALUE_I64,
        BL_VALUE_F64,
        BL_VALUE_STR,
        BL_VALUE_I64S,
        BL_VALUE_F64S,
        BL_VALUE_PAIRS,  /* of whole numbers */
        BL_VALUE_LAYERS, /* str: canonical text (layers.h), "" for an empty list */
        BL_VALUE_TEXTS,  /* str: a list of texts (open_values.h), "" for an empty one */
        BL_VALUE_OPEN    /* str: names and values (open_values.h), "" for none */
    } type;
    bool absent; /* an optional key without a value; then none of these says anything */
    bool boolean;
    int64_t i64;
    double f64;
    const char *str;
    const bl_i64_list *i64s;
    const bl_f64_list *f64s;
    const bl_i64_pairs *pairs;
} bl_config_value;
/* Is a run of this configuration a process of the user's own? */
bool bl_config_is_external(const bl_config *config);
/* Are its runs read from external.imported, finished elsewhere? They are external, too. */
bool bl_config_is_imported(const bl_config *config);
/* Walks the schema: the i-th key's path and value; false past the end. */
bool bl_config_at(const bl_config *config, size_t i, const char **path, bl_config_value *value);
#endif
