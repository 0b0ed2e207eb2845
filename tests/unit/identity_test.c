/* The rows of engine/config/choices.h and the keys of layers against what the engine does: for one
 * other value of each key, the log records of the first 20 steps differ exactly when the identity
 * does. A row that leaves out a key which its optimizer, schedule, loss, layer or model uses fails
 * here, and so does one that names a key which it does not use.
 *
 *     k_cases      the configurations to start from. Every row of every list of choices.h that is
 *                  part of an id has one: a case without a choice stands for all rows of its key
 *     k_other      other values of each key. A key of an id without one fails
 *     k_layers     the same for the kinds of layers that an experiment lists, and their keys
 *
 * A value that the data or the model do not take is refused. The keys that a case's own row names
 * may not be refused, and every key has to change the records of some case. */
#include "engine/base/mem.h"
#include "engine/base/sha256.h"
#include "engine/config/layers.h"
#include "engine/config/schema.h"
#include "engine/config/validate.h"
#include "engine/data/dataset_open.h"
#include "engine/train/train.h"
#include "tests/check.h"
#include "tests/unit/device_run.h"
#include "tests/unit/tiny_data.h"
#include <stdlib.h>

enum { STEPS = 20 };

typedef enum data_kind {
    TABLE,    /* a number from columns: tabular, AdamW, one-cycle */
    CLASSES,  /* a class from two columns: mlp */
    PICTURES, /* a class from pictures of 6 x 6: resnet8 unless the case says another net */
    NONE,     /* the noisy quadratic model */
    KINDS
} data_kind;

typedef struct identity_case {
    const char *key, *choice; /* choice NULL: every one */
    data_kind data;
    const char *sets; /* "key=value" each, between semicolons, before the choice */
    const char *only; /* the one key to compare; NULL: every key */
} identity_case;

#define LAYER(type_, keys_) "{ type = \"" type_ "\"; " keys_ " }"
#define DENSE(units_)       LAYER("dense", "units = " units_ ";")
#define CONV(filters_)      LAYER("conv2d", "filters = " filters_ "; kernel = 3;")

/* An emulated device takes its time. */
#define SMALL  "model.hidden=4, 4;data.eval_rows=20;train.batch_size=8"
#define DEVICE SMALL ";numerics=device"

// clang-format off
static const identity_case k_cases[] = {
    {"optimizer.name", NULL, TABLE, "", NULL},
    {"optimizer.name", NULL, TABLE, "schedule.name=constant", NULL},
    {"optimizer.name", NULL, NONE, "quadratic.expectation=sampled", NULL},
    {"optimizer.name", "sgd", NONE, "", NULL},
    {"optimizer.name", "momentum", NONE, "", NULL},
    {"optimizer.name", "nesterov", NONE, "", NULL},
    {"schedule.name", NULL, TABLE, "", NULL},
    {"schedule.name", NULL, TABLE, "optimizer.name=sgd", NULL},
    {"schedule.name", NULL, TABLE, "optimizer.name=nesterov", NULL},
    {"schedule.name", NULL, NONE, "", NULL},
    {"model.kind", "tabular", TABLE, "", NULL},
    {"model.kind", "mlp", CLASSES, "", NULL},
    {"model.kind", "simple_cnn", PICTURES, "model.filters=3, 4", NULL},
    {"model.kind", "resnet8", PICTURES, "", NULL},
    {"model.kind", "mobilenet_v3_large", PICTURES, "", NULL},
    {"model.kind", "layers", PICTURES, "model.layers=" CONV("4") ", \"batch_norm\", " DENSE("3"), NULL},
    {"model.kind", "layers", CLASSES, "model.layers=" DENSE("4") ", \"relu\", " DENSE("3"), NULL},
    {"model.kind", "quadratic", NONE, "", NULL},
    {"model.output", NULL, TABLE, "", NULL},
    {"model.kind", "tabular", PICTURES, "model.output=linear", "data.crop"},
    {"model.kind", "mlp", PICTURES, "", "data.crop"},
    {"model.norm", NULL, PICTURES, "", NULL},
    {"model.shortcut", NULL, PICTURES, "", NULL},
    {"quadratic.expectation", NULL, NONE, "", NULL},
    {"loss", "mse", TABLE, "", NULL},
    {"loss", "cross_entropy", CLASSES, "", NULL},
    {"metric", "exp_rmspe", TABLE, "", NULL},
    {"metric", "exp_rmse", TABLE, "", NULL},
    {"metric", "rmse", TABLE, "", NULL},
    {"metric", "error", CLASSES, "", NULL},
    {"metric", "auc_error", CLASSES, "", NULL},
    {"metric", "cross_entropy", CLASSES, "", NULL},
    {"metric", "expected_loss", NONE, "", NULL},
    {"data.split", NULL, TABLE, "", NULL},
    {"data.split", NULL, PICTURES, "", "data.split"},
    {"eval.average", NULL, TABLE, "", NULL},
    {"eval.average", NULL, CLASSES, "optimizer.name=sgd", "eval.average_width"},
    {"eval.average", NULL, NONE, "", NULL},
    {"eval.average", NULL, NONE, "quadratic.expectation=sampled", "eval.average_width"},
    {"numerics", "exact", TABLE, "", NULL},
    /* Else what runs on a device gives the processor's bits (device_test.c). */
    {"numerics", "device", TABLE, SMALL, "precision"},
    {"precision", NULL, TABLE, DEVICE, "precision"},
    {"precision", NULL, TABLE, DEVICE, "loss_scale"},
    /* Pieces of 256 examples: the whole batch's bits, unless examples are normalised together. */
    {"model.kind", "mlp", CLASSES, "train.batch_size=600", "train.micro_batch"},
    {"model.kind", "tabular", TABLE, "train.batch_size=600", "train.micro_batch"},
    {"model.norm", NULL, PICTURES, "model.filters=2, 2, 2;train.batch_size=512", "train.micro_batch"},
};

/* Every other value on top of a case; the choices of a key are its other values by themselves. */
static const struct {
    const char *path, *value;
} k_other[] = {
    {"loss_scale", "16777216"}, /* a power of two shows where fp16 ends */
    {"data.rows", "600"},
    {"data.eval_rows", "50"},
    {"data.crop", "2"},
    {"data.flip", "false"},
    {"data.flip", "true"},
    {"model.layers", DENSE("3")},
    {"model.hidden", "5, 4"},
    {"model.dropout", "0.3"},
    {"model.embedding_dropout", "0.5"},
    {"model.batch_norm", "false"},
    {"model.linear", "true"},
    {"model.filters", "3, 5"},
    {"model.filters", "3, 5, 6"},
    {"model.ghost_size", "3"},
    {"model.width", "0.1"},
    {"quadratic.dimensions", "50"},
    {"quadratic.noise", "2"},
    {"quadratic.start", "2"},
    {"quadratic.replicas", "4"},
    {"label_smoothing", "0.2"},
    {"optimizer.weight_decay", "0.3"},
    {"optimizer.momentum", "0.5"},
    {"optimizer.beta1", "0.5"},
    {"optimizer.beta2", "0.9"},
    {"optimizer.eps", "1e-3"},
    {"schedule.horizon_epochs", "2"},
    {"schedule.warmup", "0.6"},
    {"schedule.div_factor", "5"},
    {"schedule.final_div_factor", "2"},
    {"schedule.cycle_momentum", "false"},
    {"schedule.momentum_low", "0.5"},
    {"schedule.momentum_high", "0.99"},
    {"train.batch_size", "16"},
    {"train.micro_batch", "5"},
    {"train.micro_batch", "256"},
    {"train.learning_rate", "0.02"},
    {"train.seed", "2"},
    {"eval.growth", "1.5"},
    {"eval.first", "3"},
    {"eval.average_width", "0.25"},
    {"eval.batch_mean", "true"},
};
// clang-format on

/* Part of an id although the records are the same, so that ids stay what they were. A name stands
 * for data. Each kind of target has one loss. The quadratic model has a seed although `exact` draws
 * nothing, and rows although nothing but a schedule counts epochs. */
static const struct {
    const char *path;
    data_kind data;
} k_more_in_id[] = {
    {"dataset",    KINDS}, /* no other value can be asked for */
    {"loss",       KINDS},
    {"train.seed", NONE },
    {"data.rows",  NONE },
};

static bool is_more_in_id(const char *path, data_kind data) {
    for (size_t i = 0; i < BL_COUNT(k_more_in_id); i++)
        if (strcmp(k_more_in_id[i].path, path) == 0 && k_more_in_id[i].data == data) return true;
    return false;
}

/* ---- configurations ---- */

static void set(bl_config *config, const char *path, const char *value) {
    CHECK_OK(bl_config_set(config, path, value, ERR));
}

/* Each of "key=value;key=value". */
static void set_all(bl_config *config, const char *sets) {
    while (*sets != '\0') {
        char one[BL_LAYERS_TEXT];
        const size_t n = strcspn(sets, sets[strcspn(sets, "=") + 1] == '{' ? "" : ";");
        (void)snprintf(one, sizeof one, "%.*s", (int)n, sets);
        char *equals = strchr(one, '=');
        *equals = '\0';
        set(config, one, equals + 1);
        sets += n + (sets[n] == ';');
    }
}

static void configure_quadratic(bl_config *config) {
    tiny_quadratic_config(config, "momentum", "exact");
    set(config, "schedule.name", "one_cycle");
    set(config, "optimizer.weight_decay", "0.01");
    set(config, "data.rows", "700");
    config->quadratic.dimensions = 20;
}

/* A case's configuration without its choice. */
static void configure(const identity_case *c, bl_config *config) {
    if (c->data == NONE) {
        configure_quadratic(config);
    } else if (c->data == PICTURES) {
        tiny_picture_config(config, "resnet8");
        set(config, "model.filters", "4, 4, 6");
        set(config, "model.shortcut", "projection");
        set(config, "model.width", "0.05");
        set(config, "model.norm", "ghost");
        config->model.ghost_size = 4;
        config->train.batch_size = 8;
        config->data.eval_rows = 20;
    } else {
        tiny_config(config);
    }
    if (c->data == CLASSES) {
        set(config, "model.kind", "mlp");
        set(config, "loss", "cross_entropy");
        set(config, "metric", "cross_entropy");
    }
    set(config, "precision", "fp32");
    set(config, "data.split", "valid");
    config->loss_scale = 1024.0;
    config->sweep.lr_max = config->sweep.lr_start = config->sweep.lr_min = 1.0;
    config->schedule.horizon_epochs = 1; /* 21 steps: the rate falls within the first 20 */
    set_all(config, c->sets);
}

/* ---- one comparison ---- */

typedef struct bench {
    bl_dataset data[KINDS];
    bl_train_device_data device_data; /* of the table */
    bool matters[BL_KEYS_MAX];        /* by row of the schema: changed the records of some case */
    bool taken[BL_KEYS_MAX]; /* the same: a case of the present choice took another value */
    size_t complaints;
} bench;

/* All that is wrong is told before the test fails. */
#define COMPLAIN(b, ...) ((b)->complaints++, print_error(__VA_ARGS__), print_error("\n"))

/* What STEPS steps of a configuration come to. */
typedef struct outcome {
    bool refused, diverged;
    char records[BL_SHA256_HEX]; /* of the log without its header */
} outcome;

/* Level `device` runs on a device, where it has a meaning. */
static bl_status open_train(const bench *b, const bl_config *config, data_kind kind,
                            bl_train **train) {
    bl_err err;
    bl_config_fault fault;
    const bool device = kind == TABLE && strcmp(config->numerics, "device") == 0;
    bl_train_options options = {
        .run_id = "identity", .threads = 1, .device_data = device ? &b->device_data : NULL};
    CHECK_OK(bl_kernels_pick(&options.kernels, ERR));
    *train = NULL;
    if (!bl_config_validate(config, &fault)) return BL_EINVAL;
    return bl_train_open(train, config, &b->data[kind], &options, &err);
}

static outcome run(const bench *b, const bl_config *config, data_kind kind) {
    outcome out = {.refused = true};
    bl_train *train;
    const bl_status status = open_train(b, config, kind, &train);
    if (status == BL_EINVAL || status == BL_EUNSUPPORTED) return out;
    CHECK_OK(status);
    while (bl_train_now(train)->step < STEPS && !bl_train_now(train)->diverged)
        CHECK_OK(bl_train_advance(train, STEPS, NULL, ERR));
    const char *after = strchr(bl_buf_text(bl_train_log(train)), '\n');
    bl_sha256_of(after, strlen(after), out.records);
    out.diverged = bl_train_now(train)->diverged;
    out.refused = false;
    bl_train_close(train);
    return out;
}

static bool same_identity(const bl_config *a, const bl_config *b) {
    bl_buf x = {0}, y = {0};
    bl_config_identity(a, &x);
    bl_config_identity(b, &y);
    const bool same = strcmp(bl_buf_text(&x), bl_buf_text(&y)) == 0;
    bl_buf_free(&x);
    bl_buf_free(&y);
    return same;
}

/* A case with its choice and what it gives. */
typedef struct started {
    const identity_case *of;
    bl_config config;
    outcome outcome;
    char what[2 * BL_NAME];
} started;

/* One other value: false if it is refused. */
static bool compare(bench *b, const started *s, const bl_key *key, const char *value) {
    bl_config config = s->config;
    set(&config, key->path, value);
    const outcome other = run(b, &config, s->of->data);
    if (other.refused) return false;
    const bool same_records = strcmp(s->outcome.records, other.records) == 0;
    const bool same_id = same_identity(&s->config, &config);
    const bool more = same_records && is_more_in_id(key->path, s->of->data);
    if (same_records != same_id && !more)
        COMPLAIN(b, "%s (%s): with %s = %s the records are %s, but the identity is %s", s->what,
                 s->of->sets, key->path, value, same_records ? "the same" : "other ones",
                 same_id ? "the same" : "another");
    if (!same_records) b->matters[key - bl_schema] = true;
    return true;
}

/* All other values of one key; false if none is taken. */
static bool compare_key(bench *b, const started *s, const bl_key *key) {
    bool taken = false, any = key->choice_count > 0 || is_more_in_id(key->path, KINDS);
    for (size_t i = 0; i < key->choice_count; i++)
        taken = compare(b, s, key, key->choices[i]) || taken;
    for (size_t i = 0; i < BL_COUNT(k_other); i++) {
        if (strcmp(k_other[i].path, key->path) != 0) continue;
        any = true;
        taken = compare(b, s, key, k_other[i].value) || taken;
    }
    if (!any) COMPLAIN(b, "no other value for %s", key->path);
    return taken;
}

static bool names(const char *reads, const char *path) {
    const size_t n = strlen(path);
    for (const char *at = strstr(reads, path); at != NULL; at = strstr(at + 1, path))
        if ((at == reads || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0')) return true;
    return false;
}

static void compare_all(bench *b, const identity_case *c, const bl_key *key, size_t choice) {
    started s = {.of = c};
    (void)snprintf(s.what, sizeof s.what, "%s = %s", key->path, key->choices[choice]);
    configure(c, &s.config);
    set(&s.config, key->path, key->choices[choice]);
    s.outcome = run(b, &s.config, c->data);
    if (s.outcome.refused) COMPLAIN(b, "%s (%s) is refused", s.what, c->sets);
    /* As it would where the optimizer uses a number that its row leaves out. */
    if (s.outcome.diverged) COMPLAIN(b, "%s (%s) diverges", s.what, c->sets);
    for (size_t i = 0; i < bl_schema_count; i++) {
        const bl_key *other = &bl_schema[i];
        if (other->when == BL_WHEN_EXTERNAL) continue; /* tests/unit/external_test.c */
        if (!other->identity || (c->only != NULL && strcmp(c->only, other->path) != 0)) continue;
        b->taken[i] = compare_key(b, &s, other) || b->taken[i];
    }
}

/* What a row names is compared in some case of it. */
static void check_taken(bench *b, const bl_key *key, size_t choice) {
    for (size_t i = 0; i < bl_schema_count; i++) {
        const bl_key *other = &bl_schema[i];
        const bool one = other->choice_count > 0; /* `loss` has one row for each kind of target */
        if (names(key->reads[choice], other->path) && !b->taken[i] && !one)
            COMPLAIN(b, "%s = %s reads %s, but no case takes another value of it", key->path,
                     key->choices[choice], other->path);
    }
}

/* ---- layers ---- */

/* A kind of layer in a list, the list with another layer in its place, and where it stands. */
typedef struct layer_case {
    const char *kind;
    data_kind data;
    const char *list, *without, *path;
} layer_case;

/* Nets for pictures of 6 x 6 x 2 in 3 classes, and for the table. */
// clang-format off
#define AFTER_CONV(layer_) CONV("4") ", " layer_ ", " DENSE("3")
#define POOL(type_)        AFTER_CONV(LAYER(type_, "size = 2;"))
#define BESIDE(layer_)     CONV("4") ", { type = \"" layer_ "\"; layers = ( "
#define EMBEDDED           "{ type = \"concat\"; layers = ( \"embedding\" ); }, "
static const layer_case k_layers[] = {
    {"conv2d", PICTURES, CONV("4") ", " DENSE("3"), DENSE("3"), "[0]"},
    {"dense", PICTURES, DENSE("5") ", \"relu\", " DENSE("3"), "\"relu\", " DENSE("3"), "[0]"},
    {"relu", PICTURES, AFTER_CONV("\"relu\""), AFTER_CONV("\"hard_swish\""), "[1]"},
    {"hard_swish", PICTURES, AFTER_CONV("\"hard_swish\""), AFTER_CONV("\"hard_sigmoid\""), "[1]"},
    {"hard_sigmoid", PICTURES, AFTER_CONV("\"hard_sigmoid\""), AFTER_CONV("\"relu\""), "[1]"},
    {"max_pool", PICTURES, POOL("max_pool"), POOL("avg_pool"), "[1]"},
    {"avg_pool", PICTURES, POOL("avg_pool"), POOL("max_pool"), "[1]"},
    {"global_pool", PICTURES, AFTER_CONV("\"global_pool\""), AFTER_CONV(LAYER("max_pool", "size = 4;")), "[1]"},
    {"dropout", PICTURES, AFTER_CONV(LAYER("dropout", "rate = 0.5;")), AFTER_CONV("\"relu\""), "[1]"},
    {"batch_norm", PICTURES, AFTER_CONV("\"batch_norm\""), AFTER_CONV("\"layer_norm\""), "[1]"},
    {"ghost_norm", PICTURES, AFTER_CONV(LAYER("ghost_norm", "size = 4;")), AFTER_CONV("\"batch_norm\""), "[1]"},
    {"group_norm", PICTURES, AFTER_CONV(LAYER("group_norm", "groups = 2;")), AFTER_CONV("\"layer_norm\""), "[1]"},
    {"layer_norm", PICTURES, AFTER_CONV("\"layer_norm\""), AFTER_CONV("\"batch_norm\""), "[1]"},
    {"residual", PICTURES, BESIDE("residual") "\"relu\" ); }, " DENSE("3"), AFTER_CONV("\"relu\""), "[1]"},
    {"scale", PICTURES, BESIDE("scale") "\"global_pool\", " DENSE("4") " ); }, " DENSE("3"), AFTER_CONV("\"relu\""), "[1]"},
    {"concat", PICTURES, DENSE("4") ", { type = \"concat\"; layers = ( \"relu\" ); }, " DENSE("3"),
     DENSE("4") ", \"relu\", " DENSE("3"), "[1]"},
    {"pad_channels", PICTURES, AFTER_CONV(LAYER("pad_channels", "channels = 6;")), AFTER_CONV("\"relu\""), "[1]"},
    {"embedding", TABLE, EMBEDDED DENSE("1"),
     "{ type = \"concat\"; layers = ( \"embedding\", \"relu\" ); }, " DENSE("1"), "[0]"},
    {"sigmoid_range", TABLE, EMBEDDED DENSE("1") ", " LAYER("sigmoid_range", "low = -1; high = 3;"),
     EMBEDDED DENSE("1"), "[2]"},
};

/* Another value of each key of each kind. */
static const struct {
    const char *path, *value;
} k_layer_other[] = {
    {"conv2d.filters", "6"},
    {"conv2d.kernel", "2"},
    {"conv2d.stride", "2"},
    {"conv2d.padding", "same"},
    {"conv2d.groups", "2"},
    {"conv2d.bias", "false"},
    {"max_pool.size", "3"},
    {"max_pool.stride", "1"},
    {"avg_pool.size", "3"},
    {"avg_pool.stride", "1"},
    {"dense.units", "7"},
    {"dropout.rate", "0.2"},
    {"batch_norm.eps", "0.1"},
    {"batch_norm.momentum", "0.5"},
    {"ghost_norm.size", "3"},
    {"ghost_norm.eps", "0.1"},
    {"ghost_norm.momentum", "0.5"},
    {"group_norm.groups", "4"},
    {"group_norm.eps", "0.1"},
    {"layer_norm.eps", "0.1"},
    {"pad_channels.channels", "8"},
    {"pad_channels.stride", "2"},
    {"sigmoid_range.low", "-2"},
    {"sigmoid_range.high", "4"},
};
// clang-format on

/* Both the records and the identity of `config` are others than those of `plain`. */
static void check_other(bench *b, const layer_case *c, const bl_config *plain,
                        const bl_config *config, const char *what) {
    const outcome x = run(b, plain, c->data), y = run(b, config, c->data);
    if (x.refused || y.refused)
        COMPLAIN(b, "layer %s: refused, %s", c->kind, what);
    else if (strcmp(x.records, y.records) == 0)
        COMPLAIN(b, "layer %s: the records are the same, %s", c->kind, what);
    if (same_identity(plain, config))
        COMPLAIN(b, "layer %s: the identity is the same, %s", c->kind, what);
}

static void check_layer_key(bench *b, const layer_case *c, const bl_config *plain,
                            const bl_key *key) {
    char path[BL_CONFIG_LAYER_PATH];
    for (size_t i = 0; i < BL_COUNT(k_layer_other); i++) {
        bl_config config = *plain;
        if (strcmp(k_layer_other[i].path, key->path) != 0) continue;
        (void)snprintf(path, sizeof path, "model.layers%s.%s", c->path, bl_key_leaf(key));
        set(&config, path, k_layer_other[i].value);
        check_other(b, c, plain, &config, key->path);
        return;
    }
    COMPLAIN(b, "no other value for %s", key->path);
}

static void check_layer(bench *b, const layer_case *c, const bl_config_layer_kind *kind) {
    bl_config config, without;
    const identity_case of = {.data = c->data, .sets = "schedule.name=constant"};
    configure(&of, &config);
    set(&config, "model.kind", "layers");
    without = config;
    set(&config, "model.layers", c->list);
    set(&without, "model.layers", c->without);
    check_other(b, c, &config, &without, "without it");
    for (size_t i = 0; i < kind->key_count; i++) check_layer_key(b, c, &config, &kind->keys[i]);
}

/* Every kind of layer that an experiment may list, and every key of it. */
static void test_every_layer(void **state) {
    bench *b = *state;
    b->complaints = 0;
    for (size_t i = 0; i < bl_config_layer_kind_count; i++) {
        const bl_config_layer_kind *kind = &bl_config_layer_kinds[i];
        size_t c = 0;
        while (c < BL_COUNT(k_layers) && strcmp(k_layers[c].kind, kind->name) != 0) c++;
        if (c < BL_COUNT(k_layers))
            check_layer(b, &k_layers[c], kind);
        else
            COMPLAIN(b, "no case for the layer %s", kind->name);
    }
    assert_int_equal(b->complaints, 0);
}

/* ---- the tables ---- */

static int setup(void **state) {
    bench *b = bl_xalloc(sizeof *b);
    (void)setenv("FAKE_CUBLASLT", "rounds", 1);
    tiny_data(&b->data[TABLE], 3, 2);
    tiny_classes(&b->data[CLASSES], 3);
    tiny_pictures(&b->data[PICTURES], 3);
    bl_dataset_none(&b->data[NONE]);
    for (size_t d = 0; d < NONE; d++) b->data[d].valid_rows = 200, b->data[d].test_rows = 100;
    CHECK_OK(bl_train_device_data_open(&b->device_data, open_device(), &b->data[TABLE], ERR));
    *state = b;
    return 0;
}

static int teardown(void **state) {
    bench *b = *state;
    bl_train_device_data_close(&b->device_data);
    for (size_t d = 0; d < NONE; d++) tiny_data_free(&b->data[d]);
    free(b);
    return 0;
}

/* Every row of every list that is part of an id, in each of its cases. */
static void test_every_choice(void **state) {
    bench *b = *state;
    for (size_t i = 0; i < bl_schema_count; i++) {
        const bl_key *key = &bl_schema[i];
        for (size_t c = 0; key->identity && c < key->choice_count; c++) {
            size_t cases = 0;
            memset(b->taken, 0, sizeof b->taken);
            for (size_t k = 0; k < BL_COUNT(k_cases); k++) {
                const identity_case *of = &k_cases[k];
                if (strcmp(of->key, key->path) != 0) continue;
                if (of->choice != NULL && strcmp(of->choice, key->choices[c]) != 0) continue;
                compare_all(b, of, key, c);
                cases++;
            }
            if (cases == 0) COMPLAIN(b, "no case for %s = %s", key->path, key->choices[c]);
            check_taken(b, key, c);
        }
    }
    assert_int_equal(b->complaints, 0);
}

/* After the others. */
static void test_every_key_matters(void **state) {
    const bench *b = *state;
    for (size_t i = 0; i < bl_schema_count; i++) {
        if (bl_schema[i].when == BL_WHEN_EXTERNAL) continue; /* tests/unit/external_test.c */
        const bool expected = bl_schema[i].identity && !is_more_in_id(bl_schema[i].path, KINDS);
        if (expected && !b->matters[i])
            fail_msg("%s changes the records of no case", bl_schema[i].path);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_choice),
        cmocka_unit_test(test_every_key_matters),
        cmocka_unit_test(test_every_layer),
    };
    return cmocka_run_group_tests_name("identity", tests, setup, teardown);
}
