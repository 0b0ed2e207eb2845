#include "tests/unit/report_fixture.h"
#include "engine/base/file.h"
#include "engine/runlog/runlog.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int batch_of(int i) {
    return 32 << i;
}
static int steps_of(int i, int seed) {
    return 200 + 200 * 1024 / batch_of(i) + 5 * (seed - 1);
}
static double rate_of(int i) {
    return ldexp(1, -10 + i / 2);
}

static bool censored(const bl_report_fixture *f, int i) {
    return f->all_censored || (f->last_censored && i == f->sizes - 1);
}

static void run_id(char id[13], int i, int rate, int seed) {
    (void)snprintf(id, 13, "%04x%04x%04x", (unsigned)i & 0xffff, (unsigned)(rate + 1) & 0xffff,
                   (unsigned)seed & 0xffff);
}

/* rate: -1, 0, 1 octaves from the best; the neighbours are cut by the race. */
static void trial(bl_buf *out, const bl_report_fixture *f, int i, int rate, int seed) {
    char id[13];
    run_id(id, i, rate, seed);
    const int steps = rate == 0 ? steps_of(i, seed) : steps_of(i, seed) * 5 / 4;
    const bool hit = !censored(f, i) && rate <= 0;
    bl_buf_printf(out,
                  "{\"record\":\"trial\",\"round\":%d,\"run\":\"%s\",\"batch_size\":%d,"
                  "\"learning_rate\":%.9g,\"seed\":%d,\"max_steps\":60000,\"target\":0.2,"
                  "\"outcome\":\"%s\",\"steps\":%d,\"hit\":%d,\"before\":%d,"
                  "\"reason\":\"rate %d octaves from \\\"best\\\"\"}\n",
                  i + 1, id, batch_of(i), ldexp(rate_of(i), rate), seed,
                  hit         ? "target"
                  : rate == 0 ? "budget"
                              : "race",
                  steps, hit ? steps : 0, hit ? steps - 4 : 0, rate);
}

/* S = 409600 / B up to 128, then 3200: its own runs, none of whose logs is there. */
static int sgd_steps_of(int i) {
    return 409600 / (batch_of(i) < 128 ? batch_of(i) : 128);
}

enum { SGD = 7 }; /* in the ids, where others have the rate */

static void sgd(bl_buf *out, const bl_report_fixture *f, int i) {
    char id[13];
    for (int seed = 1; seed <= f->seeds; seed++) {
        run_id(id, i, SGD, seed);
        bl_buf_printf(out,
                      "{\"record\":\"trial\",\"round\":0,\"run\":\"%s\",\"set\":{"
                      "\"optimizer.name\":\"sgd\"},\"batch_size\":%d,\"learning_rate\":0.5,"
                      "\"seed\":%d,\"max_steps\":60000,\"target\":0.2,\"outcome\":\"target\","
                      "\"steps\":%d,\"hit\":%d,\"before\":%d,\"reason\":\"\"}\n",
                      id, batch_of(i), seed, sgd_steps_of(i), sgd_steps_of(i), sgd_steps_of(i) - 1);
    }
    bl_buf_printf(out,
                  "{\"record\":\"decision\",\"kind\":\"best\",\"series\":\"sgd\",\"batch_size\":%d,"
                  "\"learning_rate\":0.5,\"target\":0.2,\"steps\":%d,\"censored\":false,"
                  "\"bracketed\":true,\"runs\":[",
                  batch_of(i), sgd_steps_of(i));
    for (int seed = 1; seed <= f->seeds; seed++) {
        run_id(id, i, SGD, seed);
        bl_buf_printf(out, "%s\"%s\"", seed > 1 ? "," : "", id);
    }
    bl_buf_str(out, "],\"text\":\"\"}\n");
}

static void best(bl_buf *out, const bl_report_fixture *f, int i) {
    bl_buf_printf(out,
                  "{\"record\":\"decision\",\"round\":%d,\"kind\":\"best\",\"batch_size\":%d,"
                  "\"learning_rate\":%.9g,\"target\":0.2,\"steps\":%d,\"censored\":%s,"
                  "\"bracketed\":%s,%s\"runs\":[",
                  i + 1, batch_of(i), rate_of(i), steps_of(i, 1), censored(f, i) ? "true" : "false",
                  f->first_at_edge && i == 0 ? "false" : "true",
                  f->series ? "\"series\":\"adam\"," : "");
    for (int seed = 1; seed <= f->seeds; seed++) {
        char id[13];
        run_id(id, i, 0, seed);
        bl_buf_printf(out, "%s\"%s\"", seed > 1 ? "," : "", id);
    }
    bl_buf_str(out, "],\"text\":\"\"}\n");
}

static void budget(bl_buf *out, const char *kind, double amount, int i, double value) {
    bl_buf_printf(out,
                  "{\"record\":\"decision\",\"kind\":\"budget\",\"budget\":\"%s\",\"amount\":%.9g,"
                  "\"batch_size\":%d,\"learning_rate\":%.9g,\"steps\":100,\"value\":%.9g,"
                  "\"values\":[%.9g,%.9g,%.9g],\"run\":\"%04x\",\"text\":\"\"}\n",
                  kind, amount, batch_of(i), rate_of(i), value, value, value + 0.02, value - 0.02,
                  (unsigned)i);
}

enum { FRESH = 11, FRESH_END = 18, FIRST = 0, SECOND = 3 };

static void pair(bl_buf *out, const bl_report_fixture *f) {
    for (int seed = FRESH; seed < FRESH_END; seed++) {
        trial(out, f, FIRST, 0, seed);
        trial(out, f, SECOND, 0, seed);
    }
    bl_buf_printf(out,
                  "{\"record\":\"decision\",\"kind\":\"compare\",\"batch_sizes\":[%d,%d],"
                  "\"learning_rates\":[%.9g,%.9g],\"target\":0.2,\"budget_epochs\":1,"
                  "\"budget_steps\":[4000,600],\"budget_learning_rates\":[0.5,0.25]",
                  batch_of(FIRST), batch_of(SECOND), rate_of(FIRST), rate_of(SECOND));
    for (int list = 0; list < 2; list++) {
        bl_buf_str(out, list == 0 ? ",\"runs\":[" : ",\"budget_runs\":[");
        for (int k = FIRST; k <= SECOND; k += SECOND - FIRST) {
            bl_buf_str(out, k == FIRST ? "[" : ",[");
            for (int seed = FRESH; seed < FRESH_END; seed++) {
                char id[13];
                run_id(id, k, 0, seed);
                bl_buf_printf(out, "%s\"%s\"", seed > FRESH ? "," : "", id);
            }
            bl_buf_str(out, "]");
        }
        bl_buf_str(out, "]");
    }
    bl_buf_str(out, ",\"text\":\"\"}\n");
}

static void plan(bl_buf *out, const bl_report_fixture *f) {
    bl_buf_printf(out,
                  "{\"record\":\"plan\",\"format\":1,\"experiment\":\"fixture\","
                  "\"preset\":\"tiny\",\"title\":\"The fixture's "
                  "sweep\",\"metric\":\"exp_rmspe\",\"optimizer\":\"sgd\","
                  "\"targets\":[0.25,0.2],\"epoch_rows\":4096,\"dataset\":{\"name\":\"handmade\","
                  "\"synthetic\":%s,\"variant\":\"full\",\"sha256\":\"00\"},"
                  "\"cost\":{\"per_core_hour\":0.04,\"currency\":\"EUR\"%s}%s}\n",
                  f->synthetic ? "true" : "false",
                  f->upfront         ? ",\"device_batch_size\":128,\"device_memory\":0,"
                                       "\"upfront_core_hours\":0.001,\"upfront_seconds\":2"
                  : f->device_memory ? ",\"device_batch_size\":0,\"device_memory\":9,"
                                       "\"upfront_core_hours\":0,\"upfront_seconds\":1"
                                     : "",
                  f->known ? ",\"known\":[{\"batch_size\":16,\"steps\":13000},{\"batch_size\":32,"
                             "\"steps\":6700},{\"batch_size\":64,"
                             "\"steps\":3400},{\"batch_size\":256,\"steps\":1100},"
                             "{\"batch_size\":4096,\"steps\":250}]"
                           : "");
    for (int i = 0; f->series && i < f->sizes; i++) sgd(out, f, i);
    for (int i = 0; i < f->sizes; i++) {
        bl_buf_printf(out, "{\"record\":\"round\",\"round\":%d,\"title\":\"batch %d\"}\n", i + 1,
                      batch_of(i));
        for (int rate = -1; rate <= 1; rate++) trial(out, f, i, rate, 1);
        for (int seed = 2; seed <= f->seeds; seed++) trial(out, f, i, 0, seed);
        best(out, f, i);
    }
    if (f->rules)
        bl_buf_str(out, "{\"record\":\"decision\",\"kind\":\"rule\",\"rule\":\"sqrt\","
                        "\"batch_size\":64,\"learning_rate\":0.002,\"target\":0.2,\"regret\":1.1,"
                        "\"at_least\":false,\"text\":\"\"}\n"
                        "{\"record\":\"decision\",\"kind\":\"rule\",\"rule\":\"malladi\","
                        "\"batch_size\":128,\"learning_rate\":0.003,\"target\":0.2,\"regret\":4,"
                        "\"at_least\":true,\"text\":\"\"}\n");
    if (f->pair) pair(out, f);
    if (f->series)
        bl_buf_str(
            out, "{\"record\":\"decision\",\"kind\":\"test\",\"series\":\"adam\",\"batch_size\":64,"
                 "\"learning_rate\":0.5,\"steps\":[4,5],\"value\":0.25,\"values\":[0.25,0.3],"
                 "\"runs\":[],\"text\":\"test rows, adam: 0.25\"}\n"
                 "{\"record\":\"decision\",\"kind\":\"budget\",\"series\":\"sgd\",\"budget\":"
                 "\"steps\",\"amount\":9,\"batch_size\":64,\"learning_rate\":0.5,\"steps\":9,"
                 "\"value\":0.5,\"values\":[0.5],\"run\":\"\",\"text\":\"\"}\n"
                 "{\"record\":\"decision\",\"kind\":\"budget\",\"series\":\"adam\",\"budget\":"
                 "\"steps\",\"amount\":9,\"batch_size\":64,\"learning_rate\":0.5,\"steps\":9,"
                 "\"value\":0.4,\"values\":[0.4],\"run\":\"\",\"text\":\"\"}\n");
    for (int i = 0; f->budgets && i < f->sizes; i++) {
        budget(out, "steps", 2000, i, 0.3 / (1 + i));
        budget(out, "epochs", 2, i, 0.15 + 0.01 * abs(i - 1));
        if (f->all_budgets) budget(out, "seconds", 90, i, 0.2 + 0.01 * abs(i - 2));
        if (f->all_budgets) budget(out, "cost", 0.001, i, 0.25 + 0.01 * abs(i - 2));
        if (f->all_budgets) budget(out, "moons", 1, i, 0.01);
    }
}

/* A step costs 1 ms and 1/64 ms an example more; five repeats scatter by 2 %. */
static void timing(bl_buf *out, const bl_report_fixture *f) {
    bl_buf_str(out, "{\"format\":1,\"key\":\"00\",\"host\":{\"processor\":\"handmade\","
                    "\"cores\":2,\"impl\":\"ref\"},\"threads\":2,\n \"points\":[");
    for (int i = 0; i < f->sizes; i++) {
        const double seconds = 0.001 * (1 + batch_of(i) / 64.0);
        bl_buf_printf(out, "%s{\"batch_size\":%d,\"seconds_per_step\":[", i > 0 ? ",\n  " : "",
                      batch_of(i));
        for (int r = -2; r <= 2; r++)
            bl_buf_printf(out, "%s%.9g", r > -2 ? "," : "", seconds * (1 + 0.01 * r));
        bl_buf_printf(out, "],\"memory_bytes\":%d,\"joules_per_step\":null}",
                      8000000 + 20000 * batch_of(i));
    }
    bl_buf_str(out, "]}\n");
}

static void eval(bl_buf *out, int step, double value) {
    bl_buf_printf(out, "{\"record\":\"eval\",\"step\":%d,\"value\":%.9g}\n", step, value);
}

static bl_status run_log(const bl_report_fixture *f, const char *dir, int i, int rate, int seed,
                         bl_err *err) {
    char id[13], path[BL_PATH];
    run_id(id, i, rate, seed);
    BL_TRY(bl_path(path, err, "%s/%s", dir, id));
    BL_TRY(bl_make_dirs(path, err));
    BL_TRY(bl_path(path, err, "%s/%s/log.jsonl.gz", dir, id));
    const int steps = rate == 0 ? steps_of(i, seed) : steps_of(i, seed) * 5 / 4;
    bl_buf text = {0};
    bl_buf_printf(&text, "{\"record\":\"header\",\"format\":1,\"run\":\"%s\"}\n", id);
    eval(&text, steps / 2, 0.24);
    eval(&text, steps - 4, 0.21);
    eval(&text, steps, !censored(f, i) && rate <= 0 ? 0.19 : 0.22);
    eval(&text, 2 * steps, 0.1);
    const bl_status status = bl_runlog_write(path, text.data, text.len, err);
    bl_buf_free(&text);
    return status;
}

static bl_status logs(const bl_report_fixture *f, const char *dir, bl_err *err) {
    for (int i = 0; i < f->sizes; i++)
        for (int rate = -1; rate <= 1; rate++)
            for (int seed = 1; seed <= (rate == 0 ? f->seeds : 1); seed++)
                BL_TRY(run_log(f, dir, i, rate, seed, err));
    for (int seed = FRESH; f->pair && seed < FRESH_END; seed++) {
        BL_TRY(run_log(f, dir, FIRST, 0, seed, err));
        BL_TRY(run_log(f, dir, SECOND, 0, seed, err));
    }
    return BL_OK;
}

bl_status bl_report_fixture_write(const bl_report_fixture *fixture, const char *dir, bl_err *err) {
    char path[BL_PATH];
    bl_buf text = {0};
    bl_status status = BL_OK;
    plan(&text, fixture);
    BL_GOTO(bl_path(path, err, "%s/plan.jsonl", dir));
    BL_GOTO(bl_file_write(path, bl_buf_text(&text), text.len, err));
    bl_buf_clear(&text);
    if (fixture->logs) BL_GOTO(logs(fixture, dir, err));
    if (!fixture->timing) goto done;
    timing(&text, fixture);
    BL_GOTO(bl_path(path, err, "%s/timing.json", dir));
    BL_GOTO(bl_file_write(path, bl_buf_text(&text), text.len, err));
done:
    bl_buf_free(&text);
    return status;
}
