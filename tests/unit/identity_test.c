/* The rows of engine/config/choices.h against what the engine does: for one other value of each
 * key, the log records of the first 20 steps differ exactly when the identity does. A row that
 * leaves out a key which its optimizer, schedule, loss or model uses fails here, and so does one
 * that names a key which it does not use. */
#include "engine/base/mem.h"
#include "engine/config/schema.h"
#include "engine/train/train.h"
#include "tests/check.h"
#include "tests/unit/golden.h"
#include "tests/unit/tiny_data.h"

enum { STEPS = 20 };

/* Another value of each key that some row names. A key without one fails the test. */
static const struct {
    const char *path, *value;
} k_other[] = {
    {"optimizer.weight_decay",    "0.3"   },
    {"optimizer.momentum",        "0.5"   },
    {"optimizer.beta1",           "0.5"   },
    {"optimizer.beta2",           "0.9"   },
    {"optimizer.eps",             "1e-3"  },
    {"schedule.horizon_epochs",   "2"     },
    {"schedule.warmup",           "0.6"   },
    {"schedule.div_factor",       "5"     },
    {"schedule.final_div_factor", "2"     },
    {"schedule.cycle_momentum",   "false" },
    {"schedule.momentum_low",     "0.5"   },
    {"schedule.momentum_high",    "0.99"  },
    {"label_smoothing",           "0.2"   },
    {"model.hidden",              "5, 4"  },
    {"model.dropout",             "0.3"   },
    {"model.embedding_dropout",   "0.5"   },
    {"model.batch_norm",          "false" },
    {"model.output",              "linear"},
    {"data.eval_rows",            "50"    },
    {"train.micro_batch",         "8"     },
};

/* Not compared here: other data, a device, or a net of pictures is needed (tests/unit/train_test.c,
 * layers_test.c and device_test.c have those), or the key is the choice itself. */
static const char *const k_elsewhere[] = {
    "data.split",
    "data.crop",
    "data.flip",
    "loss",
    "precision",
    "loss_scale",
    "model.filters",
    "model.norm",
    "model.shortcut",
    "model.ghost_size",
    "model.width",
    "model.layers",
    "quadratic.noise",
    "quadratic.start",
    "quadratic.expectation",
    "quadratic.dimensions",
    "quadratic.replicas",
};

static void records(const bl_config *config, const bl_dataset *data, char out[BL_SHA256_HEX]) {
    const bl_kernels *kernels;
    CHECK_OK(bl_kernels_pick(&kernels, ERR));
    CHECK_OK(golden_log(config, data, kernels, 1, STEPS, out, ERR));
}

/* A number that the optimizer uses and its row leaves out is no number: the run would diverge. */
static void check_sound(const bl_config *config, const bl_dataset *data, const char *what) {
    bl_train *train = NULL;
    bl_train_options options = {.run_id = "sound", .threads = 1};
    CHECK_OK(bl_kernels_pick(&options.kernels, ERR));
    CHECK_OK(bl_train_open(&train, config, data, &options, ERR));
    while (bl_train_now(train)->step < STEPS && !bl_train_now(train)->diverged)
        CHECK_OK(bl_train_advance(train, STEPS, NULL, ERR));
    if (bl_train_now(train)->diverged) fail_msg("%s diverges", what);
    bl_train_close(train);
}

/* Every other value on top of `base`. */
static void compare(const bl_config *base, const bl_dataset *data, const char *what) {
    char plain[BL_SHA256_HEX], other[BL_SHA256_HEX];
    bl_buf id = {0}, other_id = {0};
    check_sound(base, data, what);
    records(base, data, plain);
    bl_config_identity(base, &id);
    for (size_t i = 0; i < BL_COUNT(k_other); i++) {
        bl_config config = *base;
        CHECK_OK(bl_config_set(&config, k_other[i].path, k_other[i].value, ERR));
        records(&config, data, other);
        bl_buf_clear(&other_id);
        bl_config_identity(&config, &other_id);
        const bool same_id = strcmp(bl_buf_text(&id), bl_buf_text(&other_id)) == 0;
        if ((strcmp(plain, other) == 0) != same_id)
            fail_msg("%s: with %s = %s the records are %s, but the identity is %s", what,
                     k_other[i].path, k_other[i].value, same_id ? "other ones" : "the same",
                     same_id ? "the same" : "another");
    }
    bl_buf_free(&id);
    bl_buf_free(&other_id);
}

/* All choices of one key, on top of a tabular net with every part that the keys above speak of. */
static void walk(const char *path) {
    const bl_key *key = bl_key_find(path, strlen(path));
    for (size_t c = 0; c < key->choice_count; c++) {
        bl_config config;
        bl_dataset data;
        tiny_config(&config);
        tiny_data(&data, 3, 2);
        config.schedule.horizon_epochs = 1; /* 21 steps: the rate falls within the first 20 */
        CHECK_OK(bl_config_set(&config, path, key->choices[c], ERR));
        compare(&config, &data, key->choices[c]);
        tiny_data_free(&data);
    }
}

static void test_optimizers(void **state) {
    (void)state;
    walk("optimizer.name");
}

static void test_schedules(void **state) {
    (void)state;
    walk("schedule.name");
}

static void test_losses(void **state) {
    (void)state;
    bl_config config;
    bl_dataset data;
    tiny_config(&config);
    tiny_classes(&data, 3);
    config.schedule.horizon_epochs = 1;
    CHECK_OK(bl_config_set(&config, "model.kind", "mlp", ERR));
    CHECK_OK(bl_config_set(&config, "loss", "cross_entropy", ERR));
    CHECK_OK(bl_config_set(&config, "metric", "cross_entropy", ERR));
    compare(&config, &data, "cross_entropy, mlp");
    tiny_data_free(&data);
}

/* What a row names is compared above or said to be compared elsewhere. */
static void test_every_key_is_compared(void **state) {
    (void)state;
    for (size_t i = 0; i < bl_schema_count; i++) {
        for (size_t c = 0; bl_schema[i].reads != NULL && c < bl_schema[i].choice_count; c++) {
            const char *word = bl_schema[i].reads[c];
            while (*word != '\0') {
                const size_t n = strcspn(word, " ");
                bool found = n == 0;
                for (size_t k = 0; k < BL_COUNT(k_other); k++)
                    found = found ||
                            (strlen(k_other[k].path) == n && memcmp(k_other[k].path, word, n) == 0);
                for (size_t k = 0; k < BL_COUNT(k_elsewhere); k++)
                    found = found ||
                            (strlen(k_elsewhere[k]) == n && memcmp(k_elsewhere[k], word, n) == 0);
                if (!found) fail_msg("no other value for %.*s", (int)n, word);
                word += n + (word[n] == ' ');
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_optimizers),
        cmocka_unit_test(test_schedules),
        cmocka_unit_test(test_losses),
        cmocka_unit_test(test_every_key_is_compared),
    };
    return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
