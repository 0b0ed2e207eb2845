#include "tests/unit/report_fixture.h"
#include "engine/base/file.h"
#include "engine/plan/plan.h"
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

static void run_id(char id[BL_RUN_ID], int i, int rate, int seed) {
    (void)snprintf(id, BL_RUN_ID, "r%04x%04x%04x", (unsigned)i & 0xffff,
                   (unsigned)(rate + 1) & 0xffff, (unsigned)seed & 0xffff);
}

/* ---- the plan ---- */

/* The plan's text while it is written. */
typedef struct sheet {
    bl_buf *out;
    const bl_report_fixture *fixture;
    int64_t rounds; /* begun before the first batch size's */
} sheet;

static void begin_round(const sheet *s, int64_t number, const char *title) {
    bl_plan_write_round(s->out, &(bl_plan_round){.round = number, .title = title, .race = true});
}

/* rate: -1, 0, 1 octaves from the best; the neighbours are cut by the race. */
static void trial(const sheet *s, int i, int rate, int seed) {
    const int steps = rate == 0 ? steps_of(i, seed) : steps_of(i, seed) * 5 / 4;
    const bool hit = !censored(s->fixture, i) && rate <= 0;
    char reason[64];
    (void)snprintf(reason, sizeof reason, "rate %d octaves from \"best\"", rate);
    bl_plan_trial t = {.round = s->rounds + i + 1,
                       .set = "{}",
                       .batch_size = batch_of(i),
                       .learning_rate = ldexp(rate_of(i), rate),
                       .seed = seed,
                       .max_steps = 60000,
                       .target = 0.2,
                       .outcome = hit         ? BL_OUTCOME_TARGET
                                  : rate == 0 ? BL_OUTCOME_BUDGET
                                              : BL_OUTCOME_RACE,
                       .steps = steps,
                       .target_step = hit ? steps : 0,
                       .previous_eval_step = hit ? steps - 4 : 0,
                       .reason = reason};
    run_id(t.run, i, rate, seed);
    bl_plan_write_trial(s->out, &t);
}

static void write_best(const sheet *s, bl_plan_decision *d, int i, int rate) {
    char ids[8][BL_RUN_ID];
    for (int seed = 1; seed <= s->fixture->seeds; seed++) run_id(ids[seed - 1], i, rate, seed);
    d->batch_size = batch_of(i);
    d->target = 0.2;
    d->runs = (bl_plan_runs){ids, (size_t)s->fixture->seeds};
    d->text = "";
    bl_plan_write_decision(s->out, d);
}

#define LONG_NAME "a series whose name is longer than any table or legend has room for it: "

static const char *adam_of(const bl_report_fixture *f) {
    return f->long_names ? LONG_NAME "adam" : "adam";
}

static const char *sgd_of(const bl_report_fixture *f) {
    return f->long_names ? LONG_NAME "sgd" : "sgd";
}

static void best(const sheet *s, int i) {
    const bl_report_fixture *f = s->fixture;
    bl_plan_decision d = bl_plan_decision_empty(BL_PLAN_BEST);
    d.learning_rate = rate_of(i);
    d.steps = steps_of(i, 1);
    d.censored = censored(f, i) ? BL_PLAN_YES : BL_PLAN_NO;
    d.bracketed = f->first_at_edge && i == 0 ? BL_PLAN_NO : BL_PLAN_YES;
    d.series = f->series ? adam_of(f) : NULL;
    write_best(s, &d, i, 0);
}

/* S = 409600 / B up to 128, then 3200: its own runs, none of whose logs is there. */
static int sgd_steps_of(int i) {
    return 409600 / (batch_of(i) < 128 ? batch_of(i) : 128);
}

enum { SGD = 7 }; /* in the ids, where others have the rate */

static void sgd(const sheet *s, int i) {
    for (int seed = 1; seed <= s->fixture->seeds; seed++) {
        bl_plan_trial t = {.round = 1,
                           .set = "{\"optimizer.name\":\"sgd\"}",
                           .batch_size = batch_of(i),
                           .learning_rate = 0.5,
                           .seed = seed,
                           .max_steps = 60000,
                           .target = 0.2,
                           .outcome = BL_OUTCOME_TARGET,
                           .steps = sgd_steps_of(i),
                           .target_step = sgd_steps_of(i),
                           .previous_eval_step = sgd_steps_of(i) - 1,
                           .reason = ""};
        run_id(t.run, i, SGD, seed);
        bl_plan_write_trial(s->out, &t);
    }
    bl_plan_decision d = bl_plan_decision_empty(BL_PLAN_BEST);
    d.series = sgd_of(s->fixture);
    d.learning_rate = 0.5;
    d.steps = sgd_steps_of(i);
    d.censored = BL_PLAN_NO;
    d.bracketed = BL_PLAN_YES;
    write_best(s, &d, i, SGD);
}

static void budget(const sheet *s, bl_plan_budget kind, double amount, int i, double value) {
    char id[BL_RUN_ID];
    double values[] = {value, value + 0.02, value - 0.02};
    bl_plan_decision d = bl_plan_decision_empty(BL_PLAN_BUDGET);
    (void)snprintf(id, sizeof id, "%04x", (unsigned)i);
    d.budget = (int)kind;
    d.amount = amount;
    d.batch_size = batch_of(i);
    d.learning_rate = rate_of(i);
    d.steps = 100;
    d.value = value;
    d.values = (bl_plan_numbers){values, 3};
    d.run = id;
    d.text = "";
    bl_plan_write_decision(s->out, &d);
}

static void series_budget(const sheet *s, const char *series, double value) {
    bl_plan_decision d = bl_plan_decision_empty(BL_PLAN_BUDGET);
    d.series = series;
    d.budget = BL_PLAN_STEPS;
    d.amount = 9;
    d.batch_size = 64;
    d.learning_rate = 0.5;
    d.steps = 9;
    d.value = value;
    d.values = (bl_plan_numbers){&value, 1};
    d.run = d.text = "";
    bl_plan_write_decision(s->out, &d);
}

static void test_rows(const sheet *s) {
    char none[1][BL_RUN_ID];
    double steps[] = {4, 5}, values[] = {0.25, 0.3};
    bl_plan_decision d = bl_plan_decision_empty(BL_PLAN_TEST);
    d.series = adam_of(s->fixture);
    d.batch_size = 64;
    d.learning_rate = 0.5;
    d.step_list = (bl_plan_numbers){steps, 2};
    d.value = 0.25;
    d.values = (bl_plan_numbers){values, 2};
    d.runs = (bl_plan_runs){none, 0};
    d.text = "test rows, adam: 0.25";
    bl_plan_write_decision(s->out, &d);
}

static void rule(const sheet *s, bl_plan_rule which, double batch_size, double rate, double regret,
                 bl_plan_answer at_least) {
    char none[1][BL_RUN_ID];
    bl_plan_decision d = bl_plan_decision_empty(BL_PLAN_RULE);
    d.rule = (int)which;
    d.batch_size = batch_size;
    d.learning_rate = rate;
    d.target = 0.2;
    d.regret = regret;
    d.at_least = at_least;
    d.tuned = 100;
    d.runs = (bl_plan_runs){none, 0};
    d.text = "";
    bl_plan_write_decision(s->out, &d);
}

enum { FRESH = 11, FRESH_END = 18, FIRST = 0, SECOND = 3 };

static void pair(const sheet *s) {
    char ids[2][FRESH_END - FRESH][BL_RUN_ID];
    for (int seed = FRESH; seed < FRESH_END; seed++) {
        trial(s, FIRST, 0, seed);
        trial(s, SECOND, 0, seed);
        run_id(ids[0][seed - FRESH], FIRST, 0, seed);
        run_id(ids[1][seed - FRESH], SECOND, 0, seed);
    }
    double sizes[] = {batch_of(FIRST), batch_of(SECOND)}, steps[] = {4000, 600};
    double rates[] = {rate_of(FIRST), rate_of(SECOND)}, within[] = {0.5, 0.25};
    bl_plan_decision d = bl_plan_decision_empty(BL_PLAN_COMPARE);
    for (int k = 0; k < 2; k++) d.both[k] = d.within[k] = (bl_plan_runs){ids[k], FRESH_END - FRESH};
    d.batch_sizes = (bl_plan_numbers){sizes, 2};
    d.learning_rates = (bl_plan_numbers){rates, 2};
    d.target = 0.2;
    d.budget_epochs = 1;
    d.budget_steps = (bl_plan_numbers){steps, 2};
    d.budget_learning_rates = (bl_plan_numbers){within, 2};
    d.text = "";
    bl_plan_write_decision(s->out, &d);
}

static void head(const sheet *s) {
    const bl_report_fixture *f = s->fixture;
    double targets[] = {0.25, 0.2};
    bl_plan_reference known[] = {
        {16,   13000},
        {32,   6700 },
        {64,   3400 },
        {256,  1100 },
        {4096, 250  }
    };
    bl_plan_head h = {
        .experiment = "fixture",
        .preset = "tiny",
        .title = "The fixture's sweep",
        .metric = "exp_rmspe",
        .optimizer = "sgd",
        .targets = {targets,       2     },
        .baseline = (double)NAN,
        .epoch_rows = 4096,
        .dataset = {"handmade",    "full", "00", f->synthetic},
        .cost = {.per_core_hour = 0.04, .currency = "EUR"      }
    };
    if (f->device_memory) h.cost.device_memory = 9;
    if (f->device_memory) h.cost.upfront_seconds = 1;
    if (f->upfront) {
        h.cost.device_batch_size = 128;
        h.cost.device_memory = 0;
        h.cost.upfront_core_hours = 0.001;
        h.cost.upfront_seconds = 2;
    }
    if (f->known) h.references = (bl_plan_references){known, 5};
    bl_plan_write_head(s->out, &h);
}

static void plan(bl_buf *out, const bl_report_fixture *f) {
    sheet s = {.out = out, .fixture = f, .rounds = f->series ? 1 : 0};
    head(&s);
    if (f->series) begin_round(&s, 1, "sgd");
    for (int i = 0; f->series && i < f->sizes; i++) sgd(&s, i);
    for (int i = 0; i < f->sizes; i++) {
        char title[32];
        (void)snprintf(title, sizeof title, "batch %d", batch_of(i));
        begin_round(&s, s.rounds + i + 1, title);
        for (int rate = -1; rate <= 1; rate++) trial(&s, i, rate, 1);
        for (int seed = 2; seed <= f->seeds; seed++) trial(&s, i, 0, seed);
        best(&s, i);
    }
    if (f->rules) rule(&s, BL_PLAN_SQRT, 64, 0.002, 1.1, BL_PLAN_NO);
    if (f->rules) rule(&s, BL_PLAN_MALLADI, 128, 0.003, 4, BL_PLAN_YES);
    if (f->pair) pair(&s);
    if (f->series) {
        test_rows(&s);
        series_budget(&s, sgd_of(f), 0.5);
        series_budget(&s, adam_of(f), 0.4);
    }
    for (int i = 0; f->budgets && i < f->sizes; i++) {
        budget(&s, BL_PLAN_STEPS, 2000, i, 0.3 / (1 + i));
        budget(&s, BL_PLAN_EPOCHS, 2, i, 0.15 + 0.01 * abs(i - 1));
        if (f->all_budgets) budget(&s, BL_PLAN_SECONDS, 90, i, 0.2 + 0.01 * abs(i - 2));
        if (f->all_budgets) budget(&s, BL_PLAN_COST, 0.001, i, 0.25 + 0.01 * abs(i - 2));
    }
    bl_plan_seal(out);
}

/* ---- timing and logs ---- */

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
    char id[BL_RUN_ID], path[BL_PATH];
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
