/* Runs that are programs, as far as no program is needed: lines of report.jsonl, what is read from
 * a program that reports nothing, command lines, and what is part of an id.
 * tests/cli/external_test.sh starts programs. */
#include "engine/base/mem.h"
#include "engine/config/open_values.h"
#include "engine/external/devices.h"
#include "engine/external/exchange.h"
#include "engine/external/follow.h"
#include "engine/external/inputs.h"
#include "engine/external/report.h"
#include "engine/external/scrape.h"
#include "engine/external/terminal.h"
#include "engine/store/store.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include <math.h>
#include <string.h>

static const char k_config[] =
    "external: { command = [\"train\", \"--lr={learning_rate}\", \"{run}/x\", \"{width}\", \"{a "
    "b}\"];\n"
    "  settings: { width = 64; decay = 0.5; name = \"a'b\"; }; epoch_rows = 1000; };\n"
    "metric = \"val_loss\";\n";

static void read_config(bl_config *c) {
    CHECK_OK(bl_config_parse(c, k_config, strlen(k_config), "cfg", NULL, NULL, 0, ERR));
}

/* ---- report.jsonl ---- */

static const struct {
    const char *text;
    bl_external_word word; /* with step -1: refused */
    int64_t step;
} k_lines[] = {
    {"{\"start\":0,\"pid\":1}",                   BL_EXTERNAL_START,   0  },
    {"{\"step\":128,\"value\":0.31}",             BL_EXTERNAL_EVAL,    128},
    {"{\"mark\":3,\"train_s\":1}",                BL_EXTERNAL_MARK,    3  },
    {"{\"step\":4,\"value\":1,\"error\":0.5}",    BL_EXTERNAL_EVAL,    4  },
    {"{\"end\":\"x\",\"step\":4,\"value\":null}", BL_EXTERNAL_EVAL,    4  },
    {"{\"saving\":5}",                            BL_EXTERNAL_SAVING,  5  },
    {"{\"saved\":5}",                             BL_EXTERNAL_SAVED,   5  },
    {"{\"end\":6,\"why\":\"done\"}",              BL_EXTERNAL_END,     6  },
    {"{\"error\":\"oom\"}",                       BL_EXTERNAL_ERROR,   0  },
    {"{\"later\":1}",                             BL_EXTERNAL_NOTHING, 0  },
    {"{\"step\":1}",                              BL_EXTERNAL_EVAL,    -1 },
    {"{\"step\":1.5,\"value\":1}",                BL_EXTERNAL_EVAL,    -1 },
    {"{\"step\":-1,\"value\":1}",                 BL_EXTERNAL_EVAL,    -1 },
    {"{\"step\":\"1\",\"value\":1}",              BL_EXTERNAL_EVAL,    -1 },
    {"{\"step\":1,\"value\":\"x\"}",              BL_EXTERNAL_EVAL,    -1 },
    {"{\"mark\":1,\"data_s\":\"x\"}",             BL_EXTERNAL_MARK,    -1 },
    {"[1]",                                       BL_EXTERNAL_NOTHING, -1 },
    {"{\"step\":1,",                              BL_EXTERNAL_NOTHING, -1 },
    {"",                                          BL_EXTERNAL_NOTHING, -1 },
};

static void test_lines(void **state) {
    (void)state;
    bool seen[BL_EXTERNAL_ERROR + 1] = {false};
    for (size_t i = 0; i < BL_COUNT(k_lines); i++) {
        bl_external_line line;
        bl_err err;
        const bl_status status =
            bl_external_line_read(&line, k_lines[i].text, strlen(k_lines[i].text), "r", i, &err);
        if ((status == BL_OK) != (k_lines[i].step >= 0))
            fail_msg("%s: %s", k_lines[i].text, status == BL_OK ? "taken" : err.text);
        if (status != BL_OK) continue;
        assert_int_equal(line.word, k_lines[i].word);
        assert_int_equal(line.step, k_lines[i].step);
        seen[line.word] = true;
    }
    for (size_t i = 0; i < BL_COUNT(seen); i++) assert_true(seen[i]);
}

/* As Python's json module writes them; in a text they stay. */
static void test_not_finite(void **state) {
    (void)state;
    static const char *const values[] = {"NaN", "Infinity", "-Infinity", "null"};
    for (size_t i = 0; i < BL_COUNT(values); i++) {
        bl_external_line line;
        char text[128];
        const int n = snprintf(text, sizeof text, "{\"step\":1,\"value\": %s, \"loss\":%s}",
                               values[i], values[i]);
        CHECK_OK(bl_external_line_read(&line, text, (size_t)n, "r", 1, ERR));
        assert_true(isnan(line.value) && isnan(line.loss));
    }
    bl_external_line line;
    static const char text[] = "{\"end\":1,\"why\":\"NaN \\\" Infinity\"}";
    CHECK_OK(bl_external_line_read(&line, text, strlen(text), "r", 1, ERR));
    assert_string_equal(line.why, "NaN \" Infinity");
}

/* ---- scrape ---- */

static bl_external_line scrape(const char *how, const char *lines) {
    bl_external_scrape s = {.how = how, .metric = "val_loss"};
    bl_external_line out = {0};
    while (*lines != '\0') {
        const size_t n = strcspn(lines, "\n");
        CHECK_OK(bl_external_scrape_line(&s, &out, lines, n, ERR));
        lines += n + (lines[n] == '\n');
    }
    return out;
}

static void check_scraped(const char *how, const char *lines, int64_t step, double value) {
    const bl_external_line line = scrape(how, lines);
    assert_int_equal(line.word, step > 0 ? BL_EXTERNAL_EVAL : BL_EXTERNAL_NOTHING);
    if (step > 0) assert_int_equal(line.step, step);
    if (step > 0 && isnan(value)) assert_true(isnan(line.value));
    if (step > 0 && !isnan(value)) assert_true(line.value == value);
}

static void test_scrape(void **state) {
    (void)state;
    static const char pattern[] = "step {step} of {} val_loss {value}";
    check_scraped("m.csv", "step,loss,val_loss\n10,1,0.5", 10, 0.5);
    check_scraped("m.csv", "val_loss, step\n\"0.25\",20", 20, 0.25);
    check_scraped("m.csv", "step,val_loss\n10,nan", 10, (double)NAN);
    check_scraped("m.csv", "step,val_loss\n10,", 0, 0.0);
    check_scraped("m.csv", "note,step,val_loss\n\"a, b\",10,0.5", 10, 0.5);
    check_scraped("m.csv", "\"a \"\"b\"\", c\" ,step,val_loss\nx,10,0.5", 10, 0.5);
    check_scraped("m.csv", "step,val_loss,note\n10,0.5,\"not closed, 7", 10, 0.5);
    check_scraped("m.jsonl", "{\"step\":7,\"val_loss\":0.125,\"x\":1}", 7, 0.125);
    check_scraped("m.jsonl", "{\"step\":7,\"val_loss\":NaN}", 7, (double)NAN);
    check_scraped("m.jsonl", "{\"step\":7,\"val_loss\":0.5,\"loss\":-Infinity}", 7, 0.5);
    check_scraped("m.jsonl", "not json", 0, 0.0);
    check_scraped(pattern, "2026 INFO  step  12 of 99   val_loss 0.5, done", 12, 0.5);
    check_scraped(pattern, "step 12 of 99 val_loss inf", 12, (double)NAN);
    check_scraped(pattern, "\033[1mstep\033[0m 12 of 99 val_loss \033[32m0.5\033[0m", 12, 0.5);
    check_scraped(pattern, "\xe9tape: step 12 of \xe9 val_loss 0.5", 12, 0.5);
    check_scraped("step {step} loss={value}", "step  1 loss= 9.5\nstep 2 loss=10.5", 2, 10.5);
    check_scraped(pattern, "laststep 12 of 99 val_loss 1", 0, 0.0);
    check_scraped(pattern, "step twelve of 99 val_loss 1", 0, 0.0);
    assert_true(bl_external_scrape_holds(pattern) && bl_external_scrape_holds("a.csv"));
    assert_false(bl_external_scrape_holds("loss {value}"));
    /* The file is removed before the program starts: none outside the run's folder. */
    assert_true(bl_external_scrape_holds("logs/a..b/metrics.csv"));
    static const char *const outside[] = {"../a.csv", "logs/../../a.jsonl", "/tmp/a.csv",
                                          "x/..a/../a.csv"};
    for (size_t i = 0; i < BL_COUNT(outside); i++)
        assert_false(bl_external_scrape_holds(outside[i]));
    bl_external_scrape s = {.how = "m.csv", .metric = "val_loss"};
    bl_external_line line;
    bl_err err;
    assert_int_equal(bl_external_scrape_line(&s, &line, "step,loss", 9, &err), BL_EFORMAT);
    assert_string_equal(err.text, "m.csv has no column 'val_loss'; its header is step,loss");
}

/* A line of `text`, then n bytes more, then `end`. */
static char *long_line(const char *text, size_t n, const char *end) {
    bl_buf line = {0};
    bl_buf_str(&line, text);
    for (size_t i = 0; i < n; i++) bl_buf_str(&line, "9");
    bl_buf_str(&line, end);
    return line.data; /* the caller's */
}

/* Bars are drawn again, and a summary names the best step. Steps of epochs start over. */
static void test_order(void **state) {
    (void)state;
    static const char pattern[] = "step {step} val_loss {value}";
    bl_external_scrape s = {.how = pattern, .metric = "val_loss"};
    bl_external_line line;
    bl_err err;
    static const struct {
        const char *text;
        bl_external_word word;
    } k[] = {
        {"step 1 val_loss 3",  BL_EXTERNAL_EVAL   },
        {"step 1 val_loss 2",  BL_EXTERNAL_NOTHING},
        {"step 9 val_loss 2",  BL_EXTERNAL_EVAL   },
        {"step 2 val_loss 1",  BL_EXTERNAL_NOTHING},
        {"step 9 val_loss 1",  BL_EXTERNAL_NOTHING},
        {"step 10 val_loss 1", BL_EXTERNAL_EVAL   },
        {"step 1 val_loss 1",  BL_EXTERNAL_NOTHING},
    };
    for (size_t i = 0; i < BL_COUNT(k); i++) {
        CHECK_OK(bl_external_scrape_line(&s, &line, k[i].text, strlen(k[i].text), ERR));
        assert_int_equal(line.word, k[i].word);
    }
    assert_int_equal(bl_external_scrape_line(&s, &line, "step 2 val_loss 1", 17, &err), BL_EFORMAT);
    assert_string_equal(err.text,
                        "its steps start over: step 2 comes after step 10. batchlab needs a "
                        "count that goes on through all epochs");
    assert_true(s.starts_over);
}

/* Of a long line what is whole in its beginning counts. */
static void test_long_lines(void **state) {
    (void)state;
    static const struct {
        const char *how, *text, *end; /* how NULL: report.jsonl */
        int64_t step;                 /* 0: nothing is read */
        double value;
    } lines[] = {
        {NULL,                           "{\"step\":3,\"value\":0.5,\"x\":[1,{\"y\":2,\"z\":", "}]}", 3, 0.5},
        {NULL,                           "{\"step\":3,\"value\":0.5,\"x\":\"a,b",              "\"}", 3, 0.5},
        {NULL,                           "{\"mark\":3",                                        "}",   0, 0  },
        {NULL,                           "",                                                   "",    0, 0  },
        {"m.csv",                        "3,0.5,",                                             "",    3, 0.5},
        {"m.csv",                        "3,0.",                                               "",    0, 0  },
        {"m.jsonl",                      "{\"step\":3,\"val_loss\":0.5,\"x\":",                "}",   3, 0.5},
        {"m.jsonl",                      "",                                                   "",    0, 0  },
        {"step {step} val_loss {value}", "step 3 val_loss 0.5 ",                               "",    3, 0.5},
        {"step {step} val_loss {value}", "step 3 val_loss 0.",                                 "",    0, 0  },
    };
    for (size_t i = 0; i < BL_COUNT(lines); i++) {
        char *text = long_line(lines[i].text, BL_EXTERNAL_LINE + 1, lines[i].end);
        bl_external_scrape s = {
            .how = lines[i].how, .metric = "val_loss", .step = 1, .value = 2, .lines = 1};
        bl_external_line out;
        print_message("%s %s\n", lines[i].how != NULL ? lines[i].how : "report", lines[i].text);
        if (lines[i].how != NULL)
            CHECK_OK(bl_external_scrape_line(&s, &out, text, strlen(text), ERR));
        else
            CHECK_OK(bl_external_line_read(&out, text, strlen(text), "r", 1, ERR));
        assert_int_equal(out.word, lines[i].step > 0 ? BL_EXTERNAL_EVAL : BL_EXTERNAL_NOTHING);
        if (lines[i].step > 0) assert_int_equal(out.step, lines[i].step);
        if (lines[i].step > 0) assert_true(out.value == lines[i].value);
        free(text);
    }
}

static void append_to(const char *path, const char *text, size_t n) {
    FILE *f = fopen(path, "ae");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* The file grows as a program writes it, in blocks of any size. */
static void test_follow(void **state) {
    (void)state;
    bl_external_follow f = {0};
    bl_buf told = {0};
    const char *line;
    size_t n;
    char *wide = long_line("", 3 * BL_EXTERNAL_LINE, "");
    CHECK_OK(bl_path(f.path, ERR, "%s/report.jsonl", scratch_folder("follow")));
    append_to(f.path, "one\ntw", 6);
    assert_true(bl_external_follow_next(&f, &line, &n) && n == 3);
    assert_false(bl_external_follow_next(&f, &line, &n));
    bl_external_follow_tell(&told, &f);
    assert_int_equal(told.len, 0);
    append_to(f.path, "o\n", 2);
    assert_true(bl_external_follow_next(&f, &line, &n) && n == 3 && memcmp(line, "two", 3) == 0);
    append_to(f.path, wide, strlen(wide)); /* and goes on */
    assert_true(bl_external_follow_next(&f, &line, &n) && n == BL_EXTERNAL_LINE + 1);
    assert_false(bl_external_follow_next(&f, &line, &n));
    append_to(f.path, "\nfour\n", 6);
    assert_true(bl_external_follow_next(&f, &line, &n) && n == 4 && memcmp(line, "four", 4) == 0);
    assert_int_equal(f.number, 4);
    append_to(f.path, wide, BL_EXTERNAL_LINE);
    append_to(f.path, "\n", 1);
    assert_true(bl_external_follow_next(&f, &line, &n) && n == BL_EXTERNAL_LINE);
    append_to(f.path, wide, BL_EXTERNAL_LINE + 1);
    append_to(f.path, "\nseven\n", 7);
    assert_true(bl_external_follow_next(&f, &line, &n) && n == BL_EXTERNAL_LINE + 1);
    assert_true(bl_external_follow_next(&f, &line, &n) && n == 5 && memcmp(line, "seven", 5) == 0);
    bl_external_follow_tell(&told, &f);
    assert_string_equal(bl_buf_text(&told), "\nLine 3 of report.jsonl, and 1 more, have more than "
                                            "65536 bytes. The rest was passed over.");
    bl_external_follow_free(&f);
    bl_buf_free(&told);
    free(wide);
}

/* ---- what a terminal would do ---- */

static void test_terminal(void **state) {
    (void)state;
    static const struct {
        const char *text, *plain, *shown;
    } k[] = {
        {"loss 1",                              "loss 1",                    "loss 1"               },
        {"\033[1;32mloss\033[0m 1",             "loss 1",                    "loss 1"               },
        {"10%|##  |\r20%|### |\r\033[2K100%\r", "10%|##  | 20%|### | 100% ", "100%"                 },
        {"\033]0;title\007a\033]8;;x\033\\b",   "ab",                        "ab"                   },
        {"\033(Ba\033Mb\tc\bd",                 "ab c d",                    "ab c d"               },
        {"na\xefve \xe2\x96\x88",               "na\xefve \xe2\x96\x88",     "na\xefve \xe2\x96\x88"},
        {"a\033[3",                             "a",                         "a"                    },
        {"a\033",                               "a",                         "a"                    },
        {"",                                    "",                          ""                     },
    };
    for (size_t i = 0; i < BL_COUNT(k); i++) {
        bl_buf text = {0};
        bl_external_plain(&text, k[i].text, strlen(k[i].text));
        assert_string_equal(bl_buf_text(&text), k[i].plain);
        bl_buf_clear(&text);
        bl_external_shown(&text, k[i].text, strlen(k[i].text));
        assert_string_equal(bl_buf_text(&text), k[i].shown);
        bl_buf_free(&text);
    }
}

/* ---- what a program is given ---- */

static void test_command(void **state) {
    (void)state;
    bl_config c;
    char **argv;
    bl_buf text = {0};
    bl_err err;
    read_config(&c);
    CHECK_OK(bl_external_argv(&argv, &c, "/r", ERR));
    bl_external_argv_text(&text, argv);
    assert_string_equal(bl_buf_text(&text), "train --lr=0.001 /r/x 64 '{a b}'");
    bl_external_argv_free(argv);
    bl_buf_clear(&text);
    bl_external_params_text(&text, &c, NULL);
    assert_string_equal(bl_buf_text(&text),
                        "{\"batch_size\":64,\"learning_rate\":0.001,\"seed\":1,\"decay\":0.5,"
                        "\"name\":\"a'b\",\"width\":64}\n");
    CHECK_OK(bl_config_set(&c, "external.command", "\"x\", \"{widht}\"", ERR));
    assert_int_equal(bl_external_argv(&argv, &c, "/r", &err), BL_EINVAL);
    assert_string_equal(
        err.text, "external.command: {widht} is no parameter of a run; did you mean 'width'?");
    bl_buf_clear(&text);
    const int64_t evals[] = {1, 2};
    const bl_external_goal goal = {2, true, evals, 2};
    bl_external_goal_text(&text, &goal);
    assert_string_equal(bl_buf_text(&text), "{\"until\":2,\"evals\":[1,2],\"park\":true}\n");
    bl_buf_free(&text);
}

/* Settings by name, from a trial or --set; a name that is not there is another key's. */
static void test_settings(void **state) {
    (void)state;
    bl_config c;
    char path[BL_OPEN_PATH];
    read_config(&c);
    assert_true(bl_config_setting_find(&c, "decay", path));
    assert_string_equal(path, "external.settings.decay");
    assert_false(bl_config_setting_find(&c, "momentum", path));
    CHECK_OK(bl_config_set(&c, "decay", "0.25", ERR));
    CHECK_OK(bl_config_set(&c, path, "0.125", ERR));
    CHECK_OK(bl_config_set(&c, "name", "two words", ERR));
    assert_string_equal(c.external.settings,
                        "{\"decay\":0.125,\"name\":\"two words\",\"width\":64}");
    assert_true(bl_config_key_is_identity("external.settings.decay"));
    CHECK_OK(bl_config_set(&c, "weight_decay", "0.5", ERR));
    assert_true(c.optimizer.weight_decay == 0.5);
}

/* ---- identity ---- */

/* What is part of an id, and what is not. */
static const struct {
    const char *path, *value;
    bool in_id;
} k_keys[] = {
    {"external.command",          "\"other\"",     true },
    {"external.imported",         "runs",          false}, /* the bytes of what lies there are */
    {"external.version",          "2",             true },
    {"external.settings",         "width = 65;",   true },
    {"external.scrape",           "a.csv",         true },
    {"external.inputs",           "\"x\"",         false}, /* their bytes are */
    {"external.repeats",          "exact",         false},
    {"external.checkpoint",       "false",         false},
    {"external.grace",            "1",             false},
    {"external.silence",          "1",             false},
    {"external.epoch_rows",       "5",             false},
    {"external.memory_mib",       "5",             false},
    {"external.memory_total_mib", "5",             false},
    {"external.jobs_per_device",  "5",             false},
    {"external.environment",      "\"HOME\"",      false},
    {"metric",                    "other",         true },
    {"train.batch_size",          "32",            true },
    {"train.learning_rate",       "0.5",           true },
    {"train.seed",                "7",             true },
    {"eval.growth",               "2",             true },
    {"eval.first",                "3",             true },
    {"optimizer.name",            "sgd",           false},
    {"optimizer.beta2",           "0.5",           false},
    {"model.hidden",              "3",             false},
    {"loss",                      "cross_entropy", false},
    {"schedule.name",             "cosine",        false},
    {"data.rows",                 "5",             false},
};

static void test_identity(void **state) {
    (void)state;
    bl_config base, other;
    char was[BL_RUN_ID], is[BL_RUN_ID];
    read_config(&base);
    bl_store_run_identity(&base, "data", was, NULL);
    for (size_t i = 0; i < BL_COUNT(k_keys); i++) {
        other = base;
        CHECK_OK(bl_config_set(&other, k_keys[i].path, k_keys[i].value, ERR));
        bl_store_run_identity(&other, "data", is, NULL);
        if ((strcmp(was, is) != 0) != k_keys[i].in_id)
            fail_msg("%s is %spart of an id", k_keys[i].path, k_keys[i].in_id ? "no " : "");
    }
    for (size_t i = 0; i < bl_schema_count; i++) {
        size_t k = 0;
        while (k < BL_COUNT(k_keys) && strcmp(k_keys[k].path, bl_schema[i].path) != 0) k++;
        if (bl_schema[i].when == BL_WHEN_EXTERNAL && k == BL_COUNT(k_keys))
            fail_msg("%s has no case here", bl_schema[i].path);
    }
    other = base;
    other.external.repeat = 1;
    bl_store_run_identity(&other, "data", is, NULL);
    assert_string_not_equal(was, is);
}

static void write_text(const char *dir, const char *name, const char *text) {
    char path[BL_PATH];
    CHECK_OK(bl_path(path, ERR, "%s/%s", dir, name));
    CHECK_OK(bl_file_write(path, text, strlen(text), ERR));
}

/* ---- devices ---- */

/* The first of those that fewest hold: by a list with names of any kind, and by the files of a
 * machine that has numbers 0 and 2. */
static void test_devices(void **state) {
    (void)state;
    const char *dev = scratch_folder("dev");
    bl_external_devices *d;
    bl_err err;
    CHECK_OK(bl_external_devices_open(&d, "3, GPU-8a56,MIG-1/2/0", dev, ERR));
    assert_int_equal(bl_external_devices_count(d), 3);
    const char *first = bl_external_devices_take(d), *second = bl_external_devices_take(d);
    assert_string_equal(first, "3");
    assert_string_equal(second, "GPU-8a56");
    assert_string_equal(bl_external_devices_take(d), "MIG-1/2/0");
    assert_string_equal(bl_external_devices_take(d), "3");
    bl_external_devices_give(d, second);
    assert_string_equal(bl_external_devices_take(d), "GPU-8a56");
    bl_external_devices_close(d);
    assert_int_equal(bl_external_devices_open(&d, NULL, dev, &err), BL_EUNSUPPORTED);
    assert_non_null(strstr(err.text, "there is no GPU here (no nvidia0 in "));
    assert_int_equal(bl_external_devices_open(&d, " ,", dev, &err), BL_EUNSUPPORTED);
    write_text(dev, "nvidia0", "");
    write_text(dev, "nvidia2", "");
    write_text(dev, "nvidiactl", "");
    CHECK_OK(bl_external_devices_open(&d, NULL, dev, ERR));
    assert_int_equal(bl_external_devices_count(d), 2);
    assert_string_equal(bl_external_devices_take(d), "0");
    assert_string_equal(bl_external_devices_take(d), "2");
    bl_external_devices_close(d);
    assert_null(bl_external_devices_take(NULL));
}

/* Bytes and names of inputs count; what a program leaves beside them does not. */
static void test_inputs(void **state) {
    (void)state;
    const char *dir = scratch_folder("inputs");
    bl_config c;
    bl_err err;
    char first[BL_SHA256_HEX], sub[BL_PATH], cache[BL_PATH];
    read_config(&c);
    CHECK_OK(bl_path(sub, ERR, "%s/src/__pycache__", dir));
    CHECK_OK(bl_path(cache, ERR, "%s/cache", dir));
    CHECK_OK(bl_make_dirs(sub, ERR));
    write_text(dir, "a.py", "one");
    write_text(dir, "src/b.py", "two");
    CHECK_OK(bl_config_set(&c, "external.inputs", "\"a.py\", \"src\"", ERR));
    CHECK_OK(bl_external_identify(&c, dir, cache, true, ERR));
    memcpy(first, c.external.inputs_sha256, sizeof first);
    write_text(dir, "src/__pycache__/b.pyc", "x");
    write_text(dir, "src/.hidden", "x");
    CHECK_OK(bl_external_identify(&c, dir, cache, true, ERR));
    assert_string_equal(c.external.inputs_sha256, first);
    CHECK_OK(bl_external_identify(&c, dir, NULL, false, ERR));
    assert_string_equal(c.external.inputs_sha256, first);
    write_text(dir, "src/b.py", "2wo");
    CHECK_OK(bl_external_identify(&c, dir, cache, true, ERR));
    assert_string_not_equal(c.external.inputs_sha256, first);
    CHECK_OK(bl_config_set(&c, "external.inputs", "\"absent\"", ERR));
    assert_int_equal(bl_external_identify(&c, dir, NULL, false, &err), BL_EMISSING);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),      cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_scrape),     cmocka_unit_test(test_order),
        cmocka_unit_test(test_long_lines), cmocka_unit_test(test_follow),
        cmocka_unit_test(test_terminal),   cmocka_unit_test(test_command),
        cmocka_unit_test(test_settings),   cmocka_unit_test(test_identity),
        cmocka_unit_test(test_devices),    cmocka_unit_test(test_inputs),
    };
    return cmocka_run_group_tests_name("external", tests, NULL, NULL);
}
