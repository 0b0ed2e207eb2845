/* The configuration: layers, messages word for word, every row's bounds, identity, round trip. */
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/config/config.h"
#include "engine/config/schema.h"
#include "engine/config/validate.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include <math.h>
#include <stdlib.h>

#define PATH "experiments/shop/experiment.cfg"

static bl_status parse(bl_config *config, const char *text, const char *preset, const char *set,
                       bl_err *err) {
    return bl_config_parse(config, text, strlen(text), PATH, preset, &set, set != NULL, err);
}

/* ---- messages ---- */

// clang-format off
static const struct {
    const char *text, *preset, *set, *message;
} k_refused[] = {
    {"dataset = \"shop\";\nsweep: {\n  bach_sizes = [32, 64, 128];\n};\n", NULL, NULL,
     PATH ":3:3: error: unknown key 'bach_sizes' in group 'sweep'\n"
          "    3 |   bach_sizes = [32, 64, 128];\n"
          "      |   ^^^^^^^^^^ did you mean 'batch_sizes'?   (batchlab check --list-keys sweep)"},
    {"datset = \"shop\";", NULL, NULL,
     PATH ":1:1: error: unknown key 'datset'\n    1 | datset = \"shop\";\n"
          "      | ^^^^^^ did you mean 'dataset'?   (batchlab check --list-keys all)"},
    {"optimiser: { };", NULL, NULL,
     PATH ":1:1: error: unknown key 'optimiser'\n    1 | optimiser: { };\n"
          "      | ^^^^^^^^^ did you mean 'optimizer'?   (batchlab check --list-keys all)"},
    {"batch_size = 3;", NULL, NULL,
     PATH ":1:1: error: unknown key 'batch_size'\n    1 | batch_size = 3;\n"
          "      | ^^^^^^^^^^ did you mean 'train.batch_size'?   (batchlab check --list-keys all)"},
    {"zzzzzz = 3;", NULL, NULL,
     PATH ":1:1: error: unknown key 'zzzzzz'\n    1 | zzzzzz = 3;\n"
          "      | ^^^^^^ (batchlab check --list-keys all)"},
    {"sweep = 3;", NULL, NULL,
     PATH ":1:1: error: 'sweep' is a group: sweep: { ... };\n    1 | sweep = 3;\n      | ^^^^^"},
    {"model: { batch_norm = 3; };", NULL, NULL,
     PATH ":1:10: error: 'batch_norm' is a boolean: true or false, not 3\n"
          "    1 | model: { batch_norm = 3; };\n      |          ^^^^^^^^^^"},
    {"sweep: { seeds = 2.5; };", NULL, NULL,
     PATH ":1:10: error: 'seeds' is a whole number, not 2.5\n"
          "    1 | sweep: { seeds = 2.5; };\n      |          ^^^^^"},
    {"sweep: { seeds = 9999999999; };", NULL, NULL,
     PATH ":1:10: error: 'seeds' is 9999999999; allowed: from 1 to 1000 (runs)\n"
          "    1 | sweep: { seeds = 9999999999; };\n      |          ^^^^^"},
    {"train: { seed = 9007199254740993L; };", NULL, NULL,
     PATH ":1:10: error: 'seed' is 9007199254740993; allowed: from 0 to 2^53\n"
          "    1 | train: { seed = 9007199254740993L; };\n      |          ^^^^"},
    {"model: { dropout = [0.5, 1.0]; };", NULL, NULL,
     PATH ":1:26: error: 'dropout' holds 1; allowed: from 0, below 1\n"
          "    1 | model: { dropout = [0.5, 1.0]; };\n      |                          ^^^"},
    {"sweep: { batch_sizes = [64, 64]; };", NULL, NULL,
     PATH ":1:29: error: 'batch_sizes' has to increase from value to value\n"
          "    1 | sweep: { batch_sizes = [64, 64]; };\n      |                             ^^"},
    {"sweep: { targets = [0.1, 0.2]; };", NULL, NULL,
     PATH ":1:26: error: 'targets' has to decrease from value to value\n"
          "    1 | sweep: { targets = [0.1, 0.2]; };\n      |                          ^^^"},
    {"sweep: { batch_sizes = []; };", NULL, NULL,
     PATH ":1:10: error: 'batch_sizes' has too few values; allowed: from 1 to 64 of them\n"
          "    1 | sweep: { batch_sizes = []; };\n      |          ^^^^^^^^^^^"},
    {"optimizer: { name = \"adan\"; };", NULL, NULL,
     PATH
     ":1:14: error: 'name' is \"adan\"; allowed: sgd, momentum, nesterov, adam, adamw\n"
     "    1 | optimizer: { name = \"adan\"; };\n      |              ^^^^ did you mean 'adam'?"},
    {"dataset = \"../secret\";", NULL, NULL,
     PATH ":1:1: error: 'dataset' is a name of a-z, 0-9 and _, not \"../secret\"\n"
          "    1 | dataset = \"../secret\";\n      | ^^^^^^^"},
    {"title = \"a\\nb\";", NULL, NULL,
     PATH ":1:1: error: 'title' is one line of plain text\n    1 | title = \"a\\nb\";\n"
          "      | ^^^^^"},
    {"cost: { currency = \"0123456789abcdef\"; };", NULL, NULL,
     PATH ":1:9: error: 'currency' is longer than 15 bytes\n"
          "    1 | cost: { currency = \"0123456789abcdef\"; };\n      |         ^^^^^^^^"},
    {"loss = \"mse\";", NULL, NULL,
     PATH ":1:1: error: 'dataset' is missing: name a declaration in datasets/\n"
          "    1 | loss = \"mse\";\n      | ^^^^"},
    {"dataset = \"shop\";\nmodel: { dropout = [0.1, 0.2, 0.3]; };", NULL, NULL,
     PATH ":2:10: error: 'dropout' has 3 values for 2 hidden layers; write one for each, one for "
          "all, or none\n    2 | model: { dropout = [0.1, 0.2, 0.3]; };\n"
          "      |          ^^^^^^^"},
    {"dataset = \"shop\"; schedule: { name = \"cosine\"; };", NULL, NULL,
     PATH ":1:1: error: schedule 'cosine' needs its length: 'horizon_epochs' above 0\n"
          "    1 | dataset = \"shop\"; schedule: { name = \"cosine\"; };\n      | ^^^^^^^"},
    {"dataset = \"shop\"; sweep: { lr_min = 2; lr_max = 1; };", NULL, NULL,
     PATH ":1:28: error: 'lr_min' is above 'lr_max'\n"
          "    1 | dataset = \"shop\"; sweep: { lr_min = 2; lr_max = 1; };\n"
          "      |                            ^^^^^^"},
    {"dataset = \"shop\"; sweep: { lr_start = 100.0; };", NULL, NULL,
     PATH ":1:28: error: 'lr_start' is 100, not between 'lr_min' = 9.53674e-07 and "
          "'lr_max' = 16\n"
          "    1 | dataset = \"shop\"; sweep: { lr_start = 100.0; };\n"
          "      |                            ^^^^^^^^"},
    {"sweep: { targets = [0.2, 0.2]; };", NULL, NULL,
     PATH ":1:26: error: 'targets' has to decrease from value to value\n"
          "    1 | sweep: { targets = [0.2, 0.2]; };\n      |                          ^^^"},
    {"dataset = \"shop\"; schedule: { name = \"one_cycle\"; horizon_epochs = 1;\n"
     "  momentum_low = 0.96; };", NULL, NULL,
     PATH ":2:3: error: 'momentum_low' is above 'momentum_high'\n"
          "    2 |   momentum_low = 0.96; };\n      |   ^^^^^^^^^^^^"},
    /* A preset nobody asked for is checked too. */
    {"dataset = \"shop\";\npresets: { quick: { };\n  paper: { sweep: { seds = 1; }; }; };", "quick",
     NULL, PATH
     ":3:21: error: unknown key 'seds' in group 'sweep'\n"
     "    3 |   paper: { sweep: { seds = 1; }; }; };\n"
     "      |                     ^^^^ did you mean 'seeds'?   (batchlab check --list-keys sweep)"},
    {"dataset = \"shop\";\npresets: { quick: { schedule: { name = \"linear\"; horizon_epochs = 1; "
     "}; };\n"
     "  paper: { schedule: { name = \"linear\"; }; }; };", "quick", NULL,
     PATH ":1:1: error: schedule 'linear' needs its length: 'horizon_epochs' above 0\n"
          "    1 | dataset = \"shop\";\n      | ^^^^^^^"},
    {"dataset = \"shop\";\npresets: { tiny: { presets: { }; }; };", NULL, NULL,
     PATH ":2:20: error: unknown key 'presets'\n    2 | presets: { tiny: { presets: { }; }; };\n"
          "      |                    ^^^^^^^ (batchlab check --list-keys all)"},
    {"dataset = \"shop\"; presets: { tiny = 3; };", NULL, NULL,
     PATH ":1:30: error: preset 'tiny' is a group: tiny: { ... };\n"
          "    1 | dataset = \"shop\"; presets: { tiny = 3; };\n"
          "      |                              ^^^^"},
    {"dataset = \"shop\"; presets: { tiny: { }; quick: { }; };", "tinny", NULL,
     PATH ": error: no preset 'tinny'; there are: tiny, quick; did you mean 'tiny'?"},
    {"dataset = \"shop\";", "paper", NULL, PATH ": error: no preset 'paper'; the file has none"},
    {"dataset = \"shop\";", NULL, "sweep.seeds=x",
     "--set sweep.seeds=x: 'seeds' is a whole number, not \"x\""},
    {"dataset = \"shop\";", NULL, "seeds", "--set seeds: write KEY=VALUE"},
    {"dataset = \"shop\";", NULL, "name=adam",
     "--set name=adam: 'name' may be 'optimizer.name' or 'schedule.name'; write which"},
    {"dataset = \"shop\";", NULL, "batch_sise=3",
     "--set batch_sise=3: unknown key 'batch_sise'; did you mean 'train.batch_size'?   (batchlab "
     "check --list-keys all)"},
    {"dataset = \"shop\";", NULL, "schedule.name=linear",
     "--set schedule.name=linear: schedule 'linear' needs its length: 'horizon_epochs' above 0"},
    {"dataset = \"shop\";", NULL, "batch_sizes=1,,2",
     "--set batch_sizes=1,,2: 'batch_sizes' holds whole numbers, not \"\""},
};
// clang-format on

static void test_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < BL_COUNT(k_refused); i++) {
        bl_config config;
        bl_err err = {0};
        assert_int_equal(
            parse(&config, k_refused[i].text, k_refused[i].preset, k_refused[i].set, &err),
            BL_EINVAL);
        assert_string_equal(err.text, k_refused[i].message);
    }
}

/* ---- layers ---- */

static const char k_shop[] = "title = \"Shop\"; dataset = \"shop\";\n"
                             "model: { hidden = [8]; dropout = [0.5]; };\n"
                             "optimizer: { name = \"adamw\"; weight_decay = 1; };\n"
                             "presets: {\n"
                             "  quick: { sweep: { seeds = 2; targets = [0.5, 0.25]; }; };\n"
                             "  paper: { model: { hidden = [32, 16]; }; sweep: { seeds = 5; }; };\n"
                             "};\n";

static void test_layers(void **state) {
    (void)state;
    bl_config c;
    CHECK_OK(parse(&c, k_shop, NULL, NULL, ERR));
    assert_string_equal(c.preset, "quick");
    assert_string_equal(c.title, "Shop");
    assert_int_equal(c.model.hidden.n, 1);
    assert_true(c.optimizer.weight_decay == 1.0);
    assert_true(c.optimizer.eps == 1e-5 && c.optimizer.beta2 == 0.99); /* defaults */
    assert_true(c.sweep.lr_min == 0x1p-20);
    assert_int_equal(c.sweep.seeds, 2);
    assert_true(c.sweep.targets.n == 2 && c.sweep.targets.v[1] == 0.25);
    assert_int_equal(c.sweep.batch_sizes.n, 6);
    assert_int_equal(c.sweep.batch_sizes.v[5], 1024);

    CHECK_OK(parse(&c, k_shop, "paper", NULL, ERR));
    assert_string_equal(c.preset, "paper");
    assert_int_equal(c.sweep.seeds, 5);
    assert_true(c.model.hidden.n == 2 && c.model.hidden.v[1] == 16);
    assert_int_equal(c.sweep.targets.n, 0); /* of quick alone */

    CHECK_OK(parse(&c, k_shop, "paper", "sweep.seeds=7", ERR));
    assert_int_equal(c.sweep.seeds, 7);
    CHECK_OK(parse(&c, "dataset = \"shop\";", NULL, NULL, ERR));
    assert_string_equal(c.preset, "");
}

static void test_set(void **state) {
    (void)state;
    bl_config c;
    CHECK_OK(parse(&c, k_shop, NULL, NULL, ERR));
    CHECK_OK(bl_config_set(&c, "train.batch_size", "4096", ERR));
    CHECK_OK(bl_config_set(&c, "learning_rate", "1e-3", ERR));
    CHECK_OK(bl_config_set(&c, "race_cutoff", "2", ERR));
    CHECK_OK(bl_config_set(&c, "batch_norm", "false", ERR));
    CHECK_OK(bl_config_set(&c, "hidden", "[ 32, 64 ]", ERR));
    CHECK_OK(bl_config_set(&c, "targets", "0.5,0.25", ERR));
    CHECK_OK(bl_config_set(&c, "dropout", "", ERR));
    CHECK_OK(bl_config_set(&c, "optimizer.name", "sgd", ERR));
    assert_int_equal(c.train.batch_size, 4096);
    assert_true(c.train.learning_rate == 1e-3 && c.sweep.race_cutoff == 2.0);
    assert_false(c.model.batch_norm);
    assert_true(c.model.hidden.n == 2 && c.model.hidden.v[1] == 64);
    assert_true(c.sweep.targets.n == 2 && c.sweep.targets.v[0] == 0.5);
    assert_int_equal(c.model.dropout.n, 0);
    assert_string_equal(c.optimizer.name, "sgd");

    const bl_config before = c;
    bl_err err = {0};
    assert_int_equal(bl_config_set(&c, "batch_size", "0", &err), BL_EINVAL);
    assert_string_equal(err.text,
                        "batch_size=0: 'batch_size' is 0; allowed: from 1 to 16777216 (rows)");
    assert_int_equal(bl_config_set(&c, "race_cutoff", "nan", &err), BL_EINVAL);
    assert_int_equal(bl_config_set(&c, "race_cutoff", "1e999", &err), BL_EINVAL);
    assert_int_equal(bl_config_set(&c, "seeds", "99999999999999999999", &err), BL_EINVAL);
    assert_string_equal(err.text, "seeds=99999999999999999999: 'seeds' is a whole number, not "
                                  "1e+20");
    assert_memory_equal(&c, &before, sizeof c); /* a refused value changes nothing */

    CHECK_OK(bl_config_check(&c, ERR));
    CHECK_OK(bl_config_set(&c, "schedule.name", "linear", ERR));
    assert_int_equal(bl_config_check(&c, &err), BL_EINVAL);
    assert_true(bl_config_key_is_identity("train.seed") && bl_config_key_is_identity("batch_size"));
    assert_false(bl_config_key_is_identity("sweep.seeds") || bl_config_key_is_identity("absent"));
}

/* ---- every row ---- */

static bool takes(const bl_key *key, const char *text) {
    bl_config c = {0};
    return bl_config_set(&c, key->path, text, NULL) == BL_OK;
}

static void test_row_bounds(const bl_key *key) {
    char text[64];
    const bool whole = key->type == BL_VALUE_I64 || key->type == BL_VALUE_I64S;
    const double low = whole ? key->min - 1 : nextafter(key->min, -INFINITY);
    const double high = whole ? key->max + 2 : nextafter(key->max, INFINITY);
    const struct {
        double value;
        bool taken;
    } cases[] = {
        {key->min, !key->min_open},
        {key->max, !key->max_open},
        {low,      false         },
        {high,     false         }
    };
    /* Their former 0 is translated, within their limits or not: renamed.c, test_renamed. */
    const bool takes_zero = key->optional || strstr(key->path, "schedule.momentum_") != NULL;
    for (size_t i = 0; i < BL_COUNT(cases); i++) {
        const bool taken = cases[i].taken || (takes_zero && cases[i].value == 0.0);
        (void)snprintf(text, sizeof text, whole ? "%.0f" : "%.17g", cases[i].value);
        if (takes(key, text) != taken)
            fail_msg("%s = %s was %s", key->path, text, taken ? "refused" : "taken");
    }
    if (whole && takes(key, "1.5")) fail_msg("%s takes 1.5", key->path);
}

static void test_row_list(const bl_key *key) {
    bl_buf text = {0};
    for (size_t n = 0; n <= key->max_count + 1; n++) {
        const bool down = key->rule == BL_RULE_DECREASING;
        bl_buf_clear(&text);
        for (size_t i = 0; i < n; i++) {
            const size_t step = 1 + (down ? n - 1 - i : i);
            bl_buf_printf(&text, "%s%.17g", i ? "," : "",
                          key->type == BL_VALUE_I64S ? (double)step : (double)step / 128.0);
        }
        const bool taken = n >= key->min_count && n <= key->max_count;
        if (takes(key, bl_buf_text(&text)) != taken)
            fail_msg("%s with %zu values was %s", key->path, n, taken ? "refused" : "taken");
    }
    bl_buf_free(&text);
}

/* ["relu","relu",...] of as many bytes as there is room for, and of one layer more. */
static void test_longest_list(const bl_key *key) {
    const size_t most = (BL_LAYERS_TEXT - 2) / strlen("\"relu\",");
    bl_buf text = {0};
    for (size_t i = 0; i < most; i++) bl_buf_printf(&text, "%s\"relu\"", i > 0 ? "," : "");
    assert_true(takes(key, bl_buf_text(&text)));
    bl_buf_str(&text, ",\"relu\"");
    assert_false(takes(key, bl_buf_text(&text)));
    bl_buf_free(&text);
}

static void test_rows(void **state) {
    (void)state;
    const char *group = "";
    for (size_t i = 0; i < bl_schema_count; i++) {
        const bl_key *key = &bl_schema[i];
        assert_true(key->help != NULL && key->def != NULL);
        assert_ptr_equal(bl_key_find(key->path, strlen(key->path)), key);
        assert_true(key->max_count <= BL_LIST);
        if (key->type == BL_VALUE_BOOL) {
            assert_true(takes(key, "true") && takes(key, "false") && !takes(key, "1"));
            continue;
        }
        if (key->type == BL_VALUE_TEXTS) {
            assert_true(takes(key, "") && takes(key, "\"a b\", \"c\"") && takes(key, "[\"a\"]"));
            assert_false(takes(key, "3") || takes(key, "[\"a\", [\"b\"]]") ||
                         takes(key, "[\"a\", 1]"));
            continue;
        }
        if (key->type == BL_VALUE_OPEN) {
            assert_true(takes(key, "") && takes(key, "{ a = 1; b = \"c\"; }") &&
                        takes(key, "a = 0.5;"));
            assert_false(takes(key, "3") || takes(key, "{ seed = 1; }") || takes(key, "a = [1];"));
            continue;
        }
        if (key->type == BL_VALUE_STR) {
            char text[2 * BL_TITLE];
            memset(text, 'x', sizeof text);
            text[sizeof text - 1] = '\0';
            assert_false(takes(key, text));
            assert_int_equal(takes(key, "val_loss"), key->choice_count == 0 || key->any_choice);
            for (size_t c = 0; c < key->choice_count; c++) assert_true(takes(key, key->choices[c]));
            continue;
        }
        assert_false(takes(key, "many"));
        if (key->type == BL_VALUE_LAYERS) {
            assert_true(takes(key, "") && takes(key, "\"relu\"") && takes(key, "()"));
            test_longest_list(key);
            continue;
        }
        if (key->type == BL_VALUE_PAIRS) {
            assert_true(takes(key, "") && takes(key, "[64, 512]") &&
                        takes(key, "([1, 2], [3, 4])"));
            assert_false(takes(key, "[64]") || takes(key, "[64, 0]") || takes(key, "([1, 2, 3])"));
            continue;
        }
        test_row_bounds(key);
        if (key->max_count > 0) test_row_list(key);
    }
    /* A group's rows stand together. */
    for (size_t i = 0; i < bl_schema_count; i++) {
        const size_t n = (size_t)(bl_key_leaf(&bl_schema[i]) - bl_schema[i].path);
        if (n == 0 || (strncmp(group, bl_schema[i].path, n) == 0)) continue;
        group = bl_schema[i].path;
        for (size_t j = 0; j < i; j++) assert_true(strncmp(bl_schema[j].path, group, n) != 0);
    }
}

/* ---- text ---- */

static void test_identity(void **state) {
    (void)state;
    static const char expected[] =
        "{\"dataset\":\"shop\",\"eval.first\":1,"
        "\"eval.growth\":1.05,\"loss\":\"mse\",\"metric\":\"exp_rmspe\",\"model.batch_norm\":true,"
        "\"model.dropout\":[0.5],\"model.embedding_dropout\":0.04,\"model.hidden\":[8],"
        "\"model.kind\":\"tabular\",\"model.output\":\"sigmoid_range\",\"numerics\":\"exact\","
        "\"optimizer.beta1\":0.9,\"optimizer.beta2\":0.99,\"optimizer.eps\":1e-05,"
        "\"optimizer.name\":\"adamw\",\"optimizer.weight_decay\":1,\"schedule.name\":\"constant\","
        "\"train.batch_size\":64,\"train.learning_rate\":0.001,\"train.seed\":1}";
    bl_config c;
    bl_buf out = {0};
    CHECK_OK(parse(&c, k_shop, NULL, NULL, ERR));
    bl_config_identity(&c, &out);
    assert_string_equal(bl_buf_text(&out), expected);
    /* What has no meaning here, or is only a question, changes nothing. */
    static const char *const idle[][2] = {
        {"optimizer.momentum",      "0.5"  },
        {"schedule.warmup",         "0.1"  },
        {"schedule.momentum_low",   "0.1"  },
        {"sweep.seeds",             "9"    },
        {"title",                   "Other"},
        {"schedule.horizon_epochs", "3"    },
        {"eval.growth",             "1.05" },
        {"eval.average",            "none" },
        {"eval.average_width",      "0.2"  },
        {"data.rows",               "unset"}
    };
    for (size_t i = 0; i < BL_COUNT(idle); i++) {
        CHECK_OK(bl_config_set(&c, idle[i][0], idle[i][1], ERR));
        bl_buf_clear(&out);
        bl_config_identity(&c, &out);
        assert_string_equal(bl_buf_text(&out), expected);
    }
    CHECK_OK(bl_config_set(&c, "embedding_dropout", "-0.0", ERR));
    bl_buf_clear(&out);
    bl_config_identity(&c, &out);
    assert_non_null(strstr(out.data, "\"model.embedding_dropout\":0,"));
    bl_json_doc json;
    CHECK_OK(bl_json_parse(&json, out.data, out.len, "identity", 1, ERR));
    bl_json_free(&json);
    bl_buf_free(&out);
}

/* Which keys belong to an identity under each choice. */
static void test_identity_choices(void **state) {
    (void)state;
    static const struct {
        const char *optimizer, *schedule, *key;
        bool there;
    } cases[] = {
        {"sgd",      "constant",  "optimizer.momentum",      false},
        {"sgd",      "constant",  "optimizer.weight_decay",  true },
        {"sgd",      "one_cycle", "schedule.momentum_low",   false},
        {"momentum", "constant",  "optimizer.momentum",      true },
        {"nesterov", "constant",  "optimizer.momentum",      true },
        {"nesterov", "constant",  "optimizer.beta1",         false},
        {"adam",     "constant",  "optimizer.beta2",         true },
        {"adam",     "constant",  "schedule.horizon_epochs", false},
        {"adam",     "linear",    "schedule.horizon_epochs", true },
        {"adam",     "cosine",    "schedule.warmup",         true },
        {"adam",     "cosine",    "schedule.div_factor",     false},
        {"adam",     "one_cycle", "schedule.div_factor",     true },
        {"sgd",      "one_cycle", "schedule.cycle_momentum", false},
        {"adam",     "one_cycle", "schedule.cycle_momentum", true },
        {"adam",     "one_cycle", "schedule.momentum_high",  true },
        {"adam",     "linear",    "schedule.momentum_high",  false},
    };
    bl_config c;
    bl_buf out = {0};
    CHECK_OK(parse(&c, k_shop, NULL, NULL, ERR));
    for (size_t i = 0; i < BL_COUNT(cases); i++) {
        char quoted[64];
        CHECK_OK(bl_config_set(&c, "optimizer.name", cases[i].optimizer, ERR));
        CHECK_OK(bl_config_set(&c, "schedule.name", cases[i].schedule, ERR));
        CHECK_OK(bl_config_set(&c, "schedule.horizon_epochs", "2", ERR));
        bl_buf_clear(&out);
        bl_config_identity(&c, &out);
        (void)snprintf(quoted, sizeof quoted, "\"%s\":", cases[i].key);
        if ((strstr(out.data, quoted) != NULL) != cases[i].there)
            fail_msg("%s under %s, %s", cases[i].key, cases[i].optimizer, cases[i].schedule);
    }
    bl_buf_free(&out);
}

/* A key that came later leaves the ids of runs that do not use it as they were. */
static void test_identity_late(void **state) {
    (void)state;
    static const char *const other[][2] = {
        {"data.split",        "test"    },
        {"model.filters",     "4, 8"    },
        {"model.layers",      "\"relu\""},
        {"model.norm",        "ghost"   },
        {"model.ghost_size",  "32"      },
        {"model.shortcut",    "pad"     },
        {"model.width",       "0.5"     },
        {"data.crop",         "4"       },
        {"data.flip",         "true"    },
        {"train.micro_batch", "48"      },
        {"precision",         "tf32"    },
        {"loss_scale",        "2048"    },
        {"model.linear",      "true"    },
        {"eval.average",      "power"   },
        {"eval.batch_mean",   "true"    }
    };
    bl_config c;
    bl_buf without = {0}, with = {0};
    size_t late = 0;
    CHECK_OK(parse(&c, k_shop, NULL, NULL, ERR));
    bl_config_identity(&c, &without);
    for (size_t i = 0; i < bl_schema_count; i++) {
        const bl_key *key = &bl_schema[i];
        if (!key->omit_default_from_id) continue;
        size_t k = 0;
        while (k < BL_COUNT(other) && strcmp(other[k][0], key->path) != 0) k++;
        if (k == BL_COUNT(other)) fail_msg("no other value for %s", key->path);
        assert_null(strstr(bl_buf_text(&without), key->path));
        if (strncmp(key->path, "model.", 6) == 0)
            CHECK_OK(bl_config_set(&c, "model.kind",
                                   strcmp(key->path, "model.width") == 0    ? "mobilenet_v3_large"
                                   : strcmp(key->path, "model.layers") == 0 ? "layers"
                                   : strcmp(key->path, "model.linear") == 0 ? "tabular"
                                                                            : "resnet8",
                                   ERR));
        CHECK_OK(bl_config_set(&c, "numerics", "device", ERR));
        if (strcmp(key->path, "loss_scale") == 0)
            CHECK_OK(bl_config_set(&c, "precision", "fp16", ERR));
        CHECK_OK(bl_config_set(&c, key->path, other[k][1], ERR));
        bl_buf_clear(&with);
        bl_config_identity(&c, &with);
        assert_non_null(strstr(bl_buf_text(&with), key->path));
        late++;
    }
    assert_int_equal(late, BL_COUNT(other));
    bl_buf_free(&without);
    bl_buf_free(&with);
}

/* Pieces are part of a run's id exactly where they change its bits; with a norm its epoch says that
 * running statistics move once a step, and with convolutions what they see outside of images. */
static void test_identity_of_pieces(void **state) {
    (void)state;
    static const struct {
        const char *kind, *norm, *ghost, *batch, *micro;
        bool there;
        int epoch;
    } cases[] = {
        {"mlp",     "none",  "64", "1000", "256",  false, 1},
        {"mlp",     "none",  "64", "1000", "250",  true,  1},
        {"mlp",     "none",  "64", "1000", "1000", false, 1},
        {"tabular", "none",  "64", "1024", "256",  true,  2}, /* batch norm */
        {"resnet8", "none",  "64", "1000", "512",  false, 3},
        {"resnet8", "batch", "64", "1024", "256",  true,  3},
        {"resnet8", "ghost", "64", "1024", "256",  false, 3},
        {"resnet8", "ghost", "64", "1000", "256",  true,  3},
        {"resnet8", "ghost", "48", "1024", "256",  true,  3},
        {"resnet8", "ghost", "64", "1024", "192",  true,  3},
        {"resnet8", "ghost", "64", "192",  "256",  false, 3},
    };
    bl_config c;
    bl_buf out = {0};
    CHECK_OK(parse(&c, k_shop, NULL, NULL, ERR));
    for (size_t i = 0; i < BL_COUNT(cases); i++) {
        CHECK_OK(bl_config_set(&c, "model.kind", cases[i].kind, ERR));
        CHECK_OK(bl_config_set(&c, "model.norm", cases[i].norm, ERR));
        CHECK_OK(bl_config_set(&c, "model.ghost_size", cases[i].ghost, ERR));
        CHECK_OK(bl_config_set(&c, "train.batch_size", cases[i].batch, ERR));
        CHECK_OK(bl_config_set(&c, "train.micro_batch", cases[i].micro, ERR));
        bl_buf_clear(&out);
        bl_config_identity(&c, &out);
        if ((strstr(out.data, "train.micro_batch") != NULL) != cases[i].there)
            fail_msg("case %zu: %s", i, out.data);
        assert_int_equal(bl_config_numerics_epoch(&c), cases[i].epoch);
    }
    bl_buf_free(&out);
}

/* MobileNet, and nets on few rows, began or shuffled in another way in earlier epochs. */
static void test_epoch_of_starts(void **state) {
    (void)state;
    static const struct {
        const char *kind, *rows;
        int epoch;
    } cases[] = {
        {"mobilenet_v3_large", "1000", 4},
        {"mlp",                "64",   4},
        {"mlp",                "65",   1},
        {"resnet8",            "64",   4},
        {"quadratic",          "64",   1},
    };
    bl_config c;
    CHECK_OK(parse(&c, k_shop, NULL, NULL, ERR));
    for (size_t i = 0; i < BL_COUNT(cases); i++) {
        CHECK_OK(bl_config_set(&c, "model.kind", cases[i].kind, ERR));
        CHECK_OK(bl_config_set(&c, "data.rows", cases[i].rows, ERR));
        assert_int_equal(bl_config_numerics_epoch(&c), cases[i].epoch);
    }
}

static void add_line(void *ctx, const char *line) {
    bl_buf_printf(ctx, "%s\n", line);
}

static void test_notes(void **state) {
    (void)state;
    bl_config c;
    bl_buf out = {0};
    CHECK_OK(parse(&c, k_shop, NULL, NULL, ERR));
    CHECK_OK(bl_config_set(&c, "sweep.batch_sizes", "32, 256, 512, 1000", ERR));
    bl_config_notes(&c, add_line, &out);
    assert_int_equal(out.len, 0);
    CHECK_OK(bl_config_set(&c, "model.kind", "resnet8", ERR));
    CHECK_OK(bl_config_set(&c, "model.norm", "ghost", ERR));
    CHECK_OK(bl_config_set(&c, "train.micro_batch", "256", ERR));
    bl_config_notes(&c, add_line, &out);
    assert_string_equal(bl_buf_text(&out),
                        "note: pieces of 256 rows (train.micro_batch) are normalised each by "
                        "itself, so this is not the whole batch's run, at batch size 1000\n"
                        "note: model.ghost_size is 64: the batch is one chunk, as under batch "
                        "norm, at batch size 32\n");
    bl_buf_clear(&out);
    CHECK_OK(bl_config_set(&c, "model.norm", "batch", ERR));
    bl_config_notes(&c, add_line, &out);
    assert_non_null(strstr(bl_buf_text(&out), "at batch size 512, 1000\n"));
    bl_buf_free(&out);
    /* Batch norm of one example gives its own mean: nothing is left of the input. */
    CHECK_OK(parse(&c, k_shop, NULL, NULL, ERR));
    CHECK_OK(bl_config_set(&c, "sweep.batch_sizes", "1, 16", ERR));
    for (int normed = 0; normed < 2; normed++) {
        CHECK_OK(bl_config_set(&c, "model.batch_norm", normed ? "true" : "false", ERR));
        bl_config_notes(&c, add_line, &out);
        assert_string_equal(bl_buf_text(&out),
                            normed ? "note: the statistics of one example say nothing: what is "
                                     "normalised over the batch is not learnt, at batch size 1\n"
                                   : "");
    }
    bl_buf_free(&out);
}

/* ---- names of the release before ---- */

/* What an old text says is what the new one says, and a note tells the new name. */
static void test_renamed(void **state) {
    (void)state;
    static const struct {
        const char *was, *is, *note;
    } cases[] = {
        {"eval.ratio=1.5",                  "eval.growth=1.5",                         "note: 'eval.ratio' is called 'eval.growth' now\n"       },
        {"ratio=1.5",                       "growth=1.5",                              "note: 'eval.ratio' is called 'eval.growth' now\n"       },
        {"slack=2",                         "race_cutoff=2",                           "note: 'sweep.slack' is called 'sweep.race_cutoff' now\n"},
        {"sweep.cover=near",                "sweep.lr_search=local",
         "note: 'sweep.cover' is called 'sweep.lr_search' now\n"
         "note: sweep.lr_search = \"near\" is called \"local\" now\n"                                                                           },
        {"sweep.lr_search=all",             "sweep.lr_search=exhaustive",
         "note: sweep.lr_search = \"all\" is called \"exhaustive\" now\n"                                                                       },
        {"sweep.known=table",               "sweep.reference=table",
         "note: 'sweep.known' is called 'sweep.reference' now\n"                                                                                },
        {"cost.device_memory=8",            "cost.device_memory_mib=8",
         "note: 'cost.device_memory' is called 'cost.device_memory_mib' now\n"                                                                  },
        {"quadratic.version=sampled",       "quadratic.expectation=sampled",
         "note: 'quadratic.version' is called 'quadratic.expectation' now\n"                                                                    },
        {"schedule.start_div=10",           "schedule.div_factor=10",
         "note: 'schedule.start_div' is called 'schedule.div_factor' now\n"                                                                     },
        {"schedule.end_div=2.5e3",          "schedule.final_div_factor=100",
         "note: 'schedule.end_div' is called 'schedule.final_div_factor' now\n"                                                                 },
        {"data.rows=0",                     "data.rows=unset",                         "note: a 0 that meant \"all\" or \"none\""               },
        {"sweep.budget_cost=0.0",           "sweep.budget_cost=unset",
         "note: a 0 that meant \"all\" or \"none\""                                                                                             },
        {"momentum_low=0",                  "cycle_momentum=false",
         "note: momentum_low = 0 or momentum_high = 0 is written cycle_momentum = false\n"                                                      },
        {"momentum_high=0",                 "cycle_momentum=false",
         "note: momentum_low = 0 or momentum_high = 0 is written cycle_momentum = false\n"                                                      },
        {"sweep.compare=64, 512, 32, 1024", "sweep.compare=( [64, 512], [32, 1024] )",
         "note: sweep.compare is a list of pairs: compare = ( [64, 512] )\n"                                                                    },
    };
    for (size_t i = 0; i < BL_COUNT(cases); i++) {
        bl_config was, is;
        bl_buf notes = {0};
        CHECK_OK(bl_config_parse(&was, k_shop, strlen(k_shop), PATH, NULL, &cases[i].was, 1, ERR));
        CHECK_OK(bl_config_parse(&is, k_shop, strlen(k_shop), PATH, NULL, &cases[i].is, 1, ERR));
        bl_config_notes(&was, add_line, &notes);
        if (strstr(bl_buf_text(&notes), cases[i].note) == NULL)
            fail_msg("%s says %s", cases[i].was, bl_buf_text(&notes));
        bl_buf_clear(&notes);
        bl_config_notes(&is, add_line, &notes);
        assert_null(strstr(bl_buf_text(&notes), "called"));
        was.renamed = 0;
        was.renamed_end_div = 0.0;
        assert_memory_equal(&was, &is, sizeof was);
        bl_buf_free(&notes);
    }
}

/* In a file, too, and whichever of the two divisors comes first. */
static void test_renamed_in_a_file(void **state) {
    (void)state;
    static const char text[] = "dataset = \"shop\";\n"
                               "schedule: { name = \"one_cycle\"; horizon_epochs = 2.0; end_div = "
                               "1000.0; start_div = 10.0; };\n"
                               "sweep: { slack = 1.5; compare = [64, 512]; cover = \"near\"; };\n";
    bl_config c;
    bl_buf notes = {0};
    bl_err err = {0};
    CHECK_OK(parse(&c, text, NULL, NULL, ERR));
    assert_true(c.schedule.div_factor == 10.0 && c.schedule.final_div_factor == 100.0);
    assert_true(c.sweep.race_cutoff == 1.5 && c.sweep.compare.n == 1);
    assert_true(c.sweep.compare.v[0][0] == 64 && c.sweep.compare.v[0][1] == 512);
    assert_string_equal(c.sweep.lr_search, "local");
    bl_config_notes(&c, add_line, &notes);
    assert_non_null(strstr(bl_buf_text(&notes), "'sweep.slack' is called 'sweep.race_cutoff'"));
    bl_buf_free(&notes);
    static const char zero[] =
        "dataset = \"shop\";\nmodel: { kind = \"layers\"; layers = ( { type = "
        "\"residual\"; layers = ( { type = \"max_pool\"; size = 2; stride "
        "= 0; } ); } ); };\n";
    CHECK_OK(parse(&c, zero, NULL, NULL, ERR));
    notes = (bl_buf){0};
    bl_config_notes(&c, add_line, &notes);
    assert_non_null(strstr(bl_buf_text(&notes), "(of a pool's stride: the size)"));
    bl_buf_free(&notes);
    const char *const odd[] = {"sweep.compare=64, 512, 32"};
    assert_int_equal(bl_config_parse(&c, text, strlen(text), PATH, NULL, odd, 1, &err), BL_EINVAL);
    assert_non_null(strstr(err.text, "the last one lacks its second number"));
}

static void check_round_trip(const bl_config *config) {
    bl_config again;
    bl_buf text = {0};
    bl_config_dump(config, &text);
    CHECK_OK(parse(&again, bl_buf_text(&text), NULL, NULL, ERR));
    memcpy(again.name, config->name, sizeof again.name);
    memcpy(again.preset, config->preset, sizeof again.preset);
    assert_memory_equal(&again, config, sizeof again);
    bl_buf_free(&text);
}

static void test_round_trip(void **state) {
    (void)state;
    bl_config c;
    CHECK_OK(parse(&c, k_shop, NULL, NULL, ERR));
    check_round_trip(&c);
    CHECK_OK(bl_config_set(&c, "title", "Say \"a\\b\" \xc3\xa9", ERR));
    CHECK_OK(bl_config_set(&c, "train.seed", "9007199254740992", ERR));
    CHECK_OK(bl_config_set(&c, "data.rows", "5000000000", ERR));
    CHECK_OK(bl_config_set(&c, "race_cutoff", "1.1000000000000001", ERR));
    CHECK_OK(bl_config_set(&c, "lr_start", "9.5367431640625e-07", ERR)); /* lr_min itself */
    CHECK_OK(bl_config_set(&c, "learning_rate", "4.9e-324", ERR));
    CHECK_OK(bl_config_set(&c, "targets", "1e12, 3, 1e-300", ERR));
    bl_buf text = {0};
    bl_config_dump(&c, &text);
    assert_non_null(strstr(text.data, "rows = 5000000000L;")); /* for libconfig 1.5 */
    assert_non_null(strstr(text.data, "1.0e-300];"));
    bl_buf_free(&text);
    check_round_trip(&c);
}

static void test_at(void **state) {
    (void)state;
    bl_config c;
    const char *path;
    bl_config_value value;
    size_t i = 0, seen = 0;
    CHECK_OK(parse(&c, k_shop, NULL, NULL, ERR));
    for (; bl_config_at(&c, i, &path, &value); i++) {
        if (strcmp(path, "model.hidden") == 0)
            seen += value.type == BL_VALUE_I64S && value.i64s->v[0] == 8;
        if (strcmp(path, "sweep.seeds") == 0) seen += value.type == BL_VALUE_I64 && value.i64 == 2;
        if (strcmp(path, "dataset") == 0) seen += strcmp(value.str, "shop") == 0;
        if (strcmp(path, "model.batch_norm") == 0) seen += value.boolean;
        if (strcmp(path, "sweep.race_cutoff") == 0) seen += value.f64 == 1.25;
        if (strcmp(path, "sweep.targets") == 0) seen += value.f64s->v[1] == 0.25;
    }
    assert_int_equal(i, bl_schema_count);
    assert_int_equal(seen, 6);
}

static void test_list_keys(void **state) {
    (void)state;
    bl_buf out = {0};
    bl_err err = {0};
    CHECK_OK(bl_config_list_keys("eval", &out, ERR));
    assert_string_equal(
        bl_buf_text(&out),
        "key                 type     range                 default  unit   meaning\n"
        "eval.growth         number   from 1 to 100         1.05            the step of each "
        "evaluation is this times the step of the one before\n"
        "eval.first          integer  from 1 to 2^53        1        steps  the first evaluation's "
        "step\n"
        "eval.average        text     none power            none            weights that are "
        "evaluated: none: the last step's; power: an average over the steps so far\n"
        "eval.average_width  number   above 0, up to 0.288  0.1             power: width of the "
        "average, relative to the steps so far; 0.1 is the power 6.94\n"
        "eval.batch_mean     boolean  true false            false           the log also has the "
        "metric's mean over batches of train.batch_size rows, as fastai 1 has\n");
    bl_buf_clear(&out);
    CHECK_OK(bl_config_list_keys(NULL, &out, ERR));
    for (size_t i = 0; i < bl_schema_count; i++)
        assert_non_null(strstr(out.data, bl_schema[i].path));
    assert_int_equal(bl_config_list_keys("swep", &out, &err), BL_EINVAL);
    assert_string_equal(
        err.text, "no group 'swep' of keys; there are: all, data, model, quadratic, "
                  "optimizer, schedule, train, external, eval, sweep, timing, noise, cost, layers");
    bl_buf_free(&out);
}

static const char *takes_of(const bl_key *key, bl_buf *out) {
    static const char *const one[] = {[BL_VALUE_BOOL] = "true or false",
                                      [BL_VALUE_LAYERS] = "a list of layers",
                                      [BL_VALUE_I64] = "an integer ",
                                      [BL_VALUE_F64] = "a number ",
                                      [BL_VALUE_I64S] = "integers ",
                                      [BL_VALUE_F64S] = "numbers ",
                                      [BL_VALUE_PAIRS] = "pairs ",
                                      [BL_VALUE_TEXTS] = "a list of texts",
                                      [BL_VALUE_OPEN] = "a group of names and values"};
    char range[96] = "";
    bl_buf_clear(out);
    for (size_t i = 0; i < key->choice_count; i++)
        bl_buf_printf(out, "%s%s", i > 0 ? ", " : "one of ", key->choices[i]);
    if (key->choice_count > 0) return bl_buf_text(out);
    if (key->type == BL_VALUE_STR)
        return key->rule == BL_RULE_NAME ? "a name of a-z, 0-9, _" : "text";
    if (key->type == BL_VALUE_TEXTS || key->type == BL_VALUE_OPEN) return one[key->type];
    if (key->max_count > 0) bl_buf_printf(out, "%zu to %zu ", key->min_count, key->max_count);
    const bool ranged = key->type != BL_VALUE_BOOL && key->type != BL_VALUE_LAYERS;
    if (ranged) bl_key_range(key, range);
    bl_buf_printf(out, "%s%s", one[key->type], range);
    if (key->unit != NULL) bl_buf_printf(out, " (%s)", key->unit);
    return bl_buf_text(out);
}

/* docs/configuration.md has an item for every key: its help, its default and what it takes, over as
 * many lines as it needs. */
static void test_page(void **state) {
    (void)state;
    bl_buf page = {0}, text = {0}, item = {0}, takes = {0};
    CHECK_OK(bl_file_read(&page, "docs/configuration.md", 1 << 20, ERR));
    for (const char *at = bl_buf_text(&page); *at != '\0'; at++) {
        const bool goes_on = strncmp(at, "\n  ", 3) == 0;
        bl_buf_add(&text, goes_on ? " " : at, 1);
        at += goes_on ? 2 : 0;
    }
    for (size_t i = 0; i < bl_schema_count; i++) {
        const bl_key *key = &bl_schema[i];
        bl_buf_clear(&item);
        bl_buf_printf(&item, "\n* `%s`: %s. ", key->path, key->help);
        if (key->def[0] != '\0') bl_buf_printf(&item, "Default `%s`; ", key->def);
        bl_buf_printf(&item, "%sakes %s.\n", key->def[0] != '\0' ? "t" : "T",
                      takes_of(key, &takes));
        if (strstr(bl_buf_text(&text), bl_buf_text(&item)) == NULL)
            fail_msg("docs/configuration.md lacks this item:%s", bl_buf_text(&item));
    }
    bl_buf_free(&page);
    bl_buf_free(&text);
    bl_buf_free(&item);
    bl_buf_free(&takes);
}

/* ---- files ---- */

static void test_read(void **state) {
    (void)state;
    const char *dir = scratch_folder("config");
    char path[BL_PATH], expected[BL_PATH + 128];
    const char *const sets[] = {"seeds=4"};
    static const char *const names[] = {"rossmann", "shop", "No-Name"};
    bl_config c;
    bl_err err = {0};
    for (size_t i = 0; i < BL_COUNT(names); i++) {
        CHECK_OK(bl_path(path, ERR, "%s/%s", dir, names[i]));
        CHECK_OK(bl_make_dirs(path, ERR));
        CHECK_OK(bl_path(path, ERR, "%s/%s/experiment.cfg", dir, names[i]));
        CHECK_OK(bl_file_write(path, k_shop, strlen(k_shop), ERR));
    }
    CHECK_OK(bl_path(path, ERR, "%s/drafts", dir)); /* no experiment: it has no experiment.cfg */
    CHECK_OK(bl_make_dirs(path, ERR));
    CHECK_OK(bl_config_read(&c, dir, "shop", "paper", sets, 1, ERR));
    assert_string_equal(c.name, "shop");
    assert_string_equal(c.preset, "paper");
    assert_int_equal(c.sweep.seeds, 4);
    assert_int_equal(bl_config_read(&c, dir, "rosman", NULL, NULL, 0, &err), BL_EMISSING);
    (void)snprintf(expected, sizeof expected,
                   "no experiment 'rosman' in %s; there are: rossmann, shop; did you mean "
                   "'rossmann'?",
                   dir);
    assert_string_equal(err.text, expected);
    assert_int_equal(bl_config_read(&c, dir, "../shop", NULL, NULL, 0, &err), BL_EINVAL);
    assert_string_equal(err.text, "an experiment's name is of a-z, 0-9 and _, not '../shop'");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_identity_choices),
        cmocka_unit_test(test_identity_late),
        cmocka_unit_test(test_identity_of_pieces),
        cmocka_unit_test(test_epoch_of_starts),
        cmocka_unit_test(test_notes),
        cmocka_unit_test(test_renamed),
        cmocka_unit_test(test_renamed_in_a_file),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_at),
        cmocka_unit_test(test_list_keys),
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_read),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
