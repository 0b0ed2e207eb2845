/* The planner against a host whose runs are a closed form: what the race finds and costs against
 * the whole grid, what passes between script and host, and where errors are said to be. What the
 * library does is in tests/sweeps/ *_test.lua. */
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include "tests/unit/fake_host.h"
#include <math.h>

static const fake_host plain = {.s_min = 100,
                                .b_crit = 300,
                                .lr_opt = 0x1p-9,
                                .curvature = 0.4,
                                .target = 0.2,
                                .diverge_above = 3.5};

static void must_say(const fake_host *fake, const char *text) {
    if (strstr(bl_buf_text(&fake->text), text) == NULL)
        fail_msg("no \"%s\" in:\n%s", text, bl_buf_text(&fake->text));
}

/* The grid's best rate by computing every point and every seed. As its cost count seven points
 * around the best that stop at eight times the fewest steps: a search that knew where to look. */
static double exhaustive(const fake_host *f, int64_t batch, int64_t seeds, double *steps_spent) {
    double best = INFINITY, best_rate = 0;
    for (int k = -20; k <= 4; k++) {
        double s[3];
        for (int64_t i = 0; i < seeds; i++) {
            s[i] = fake_steps(f, (double)batch, ldexp(1, k), i + 1);
        }
        const double median =
            seeds == 1 ? s[0] : fmax(fmin(s[0], s[1]), fmin(fmax(s[0], s[1]), s[2]));
        if (median < best) {
            best = median;
            best_rate = ldexp(1, k);
        }
    }
    for (int d = -3; d <= 3; d++)
        for (int64_t i = 1; i <= seeds; i++)
            *steps_spent += fmin(8 * best, fake_steps(f, (double)batch, ldexp(best_rate, d), i));
    return best_rate;
}

/* The rate that the sweep found best for the size and the hardest target; NAN where it is censored
 * or not bracketed. */
static double best_rate(const fake_host *fake, int64_t batch) {
    double rate = (double)NAN;
    for (const char *at = bl_buf_text(&fake->text); (at = strstr(at, "\nD ")) != NULL; at++) {
        bl_buf line = {0};
        bl_json_doc doc;
        bl_buf_printf(&line, "%.*s", (int)strcspn(at + 3, "\n"), at + 3);
        CHECK_OK(bl_json_parse(&doc, line.data, line.len, "decision", 1, ERR));
        const bl_json *d = doc.root;
        if (strcmp(bl_json_text(d, "kind", ""), "best") == 0 &&
            bl_json_int(d, "batch_size", 0) == batch && bl_json_number(d, "target", 0) == 0.2 &&
            bl_json_bool(d, "bracketed", false) && !bl_json_bool(d, "censored", true))
            rate = bl_json_number(d, "learning_rate", (double)NAN);
        bl_json_free(&doc);
        bl_buf_free(&line);
    }
    return rate;
}

static void finds_the_exhaustive_winner(void **state) {
    (void)state;
    bl_config config;
    double worst = 0;
    for (int trial = 0; trial < 12; trial++) {
        fake_host f = plain;
        f.lr_opt = 0x1p-9 * exp2((trial - 6) * 0.37);
        f.noise = trial % 2 ? 0.02 : 0;
        f.diverge_above = 100;
        fake_config(&config,
                    (const char *[]){"sweep.seeds=3", "eval.growth=1.001", "sweep.lr_search=local"},
                    3);
        CHECK_OK(fake_plan("local sweep = require 'sweep'\n"
                           "return function(exp) sweep.critical_batch(exp) end\n",
                           &config, &f, NULL, ERR));
        double spent_by_all = 0;
        for (int64_t batch = 32; batch <= 1024; batch *= 2) {
            const double winner = exhaustive(&f, batch, 3, &spent_by_all);
            assert_true(best_rate(&f, batch) == winner);
        }
        worst = fmax(worst, (double)f.steps / spent_by_all);
        bl_buf_free(&f.text);
    }
    print_message("the race took at most %.1f %% of the steps of a seven-point grid\n",
                  100 * worst);
    assert_true(worst < 0.5);
}

/* tests/sweeps/random_tables.lua, on six sets of tables. What the proof costs there, 59 % of the
 * steps of tables without any order in them, may fall. */
static void no_table_of_runs_deceives_the_race(void **state) {
    (void)state;
    int spent = 0;
    bl_config config;
    bl_buf script = {0};
    CHECK_OK(bl_file_read(&script, "tests/sweeps/random_tables.lua", 1 << 16, ERR));
    for (int seed = 1; seed <= 6; seed++) {
        char set[32];
        fake_host f = plain;
        (void)snprintf(set, sizeof set, "train.seed=%d", seed);
        fake_config(&config, (const char *[]){set, "sweep.lr_search=exhaustive"}, 2);
        CHECK_OK(fake_plan(script.data, &config, &f, NULL, ERR));
        const char *text = strstr(bl_buf_text(&f.text), "100 winners");
        assert_non_null(text);
        print_message("%.*s\n", (int)strcspn(text, "\""), text);
        spent += atoi(strstr(text, "25; ") + 4);
        bl_buf_free(&f.text);
    }
    assert_in_range(spent, 1, 21183);
    bl_buf_free(&script);
}

/* Members in sorted order; a table with a first element is an array, and so is an empty one. */
static void decisions_are_json(void **state) {
    (void)state;
    bl_config config;
    fake_host f = plain;
    fake_config(&config, NULL, 0);
    CHECK_OK(fake_plan("return function(exp)\n"
                       "  exp:decide { kind = 'custom', text = 'a \"line\"', data = { n = 1.5, i = "
                       "3, yes = true,\n"
                       "    list = { 1, 2.5, 'x' }, empty = {}, inner = { b = 1, a = 2 } } }\n"
                       "end\n",
                       &config, &f, NULL, ERR));
    must_say(&f, "D {\"record\":\"decision\",\"round\":0,\"data\":{\"empty\":[],\"i\":3,"
                 "\"inner\":{\"a\":2,\"b\":1},\"list\":[1,2.5,\"x\"],\"n\":1.5,\"yes\":true},"
                 "\"kind\":\"custom\",\"text\":\"a \\\"line\\\"\"}\n");
    bl_buf_free(&f.text);
}

static void library_lines_are_named_too(void **state) {
    (void)state;
    bl_config config;
    bl_err err = {0};
    fake_host f = plain;
    fake_config(&config, NULL, 0);
    assert_int_equal(fake_plan("local sweep = require 'sweep'\nreturn function(exp)\n\n"
                               "  sweep.budgets(exp)\nend\n",
                               &config, &f, NULL, &err),
                     BL_EINVAL);
    assert_non_null(strstr(err.text, "/s.lua:4: budgets needs from"));
    assert_non_null(strstr(err.text, "\n  found by scripts/lua/budgets.lua:"));
}

static void bad_scripts(void **state) {
    (void)state;
    bl_config config;
    bl_err err = {0};
    fake_host f = plain;
    fake_config(&config, NULL, 0);
    assert_int_equal(fake_plan("return function(exp)\n  exp:run{{\nend\n", &config, &f, NULL, &err),
                     BL_EINVAL);
    assert_non_null(strstr(err.text, "/s.lua:3: unexpected symbol near 'end'"));
    assert_int_equal(fake_plan("return 5", &config, &f, NULL, &err), BL_EINVAL);
    assert_non_null(strstr(err.text, "a sweep returns a function"));
    const bl_planner_host host = fake_host_of(&f);
    assert_int_equal(bl_planner_run("experiments/none/sweep.lua", "scripts/lua", &config,
                                    &fake_facts, &host, NULL, &err),
                     BL_EINVAL);
    assert_non_null(strstr(err.text, "experiments/none/sweep.lua"));
}

/* No pcall of a script hides what the host says. */
static void host_stops_the_script(void **state) {
    (void)state;
    bl_config config;
    bl_err err = {0};
    fake_host f = plain;
    f.fail = BL_EINTERRUPTED;
    fake_config(&config, NULL, 0);
    assert_int_equal(fake_plan("return function(exp)\n"
                               "  while true do pcall(exp.run, exp, { {} }) end\nend\n",
                               &config, &f, NULL, &err),
                     BL_EINTERRUPTED);
    assert_string_equal(err.text, "the host says stop");
}

/* The script of this repository, as it stands. */
static void rossmann_sweep(void **state) {
    (void)state;
    bl_config config;
    fake_host f = plain;
    fake_config(&config, (const char *[]){"sweep.budget_epochs=2", "sweep.budget_steps=400"}, 2);
    const bl_planner_host host = fake_host_of(&f);
    CHECK_OK(bl_planner_run("experiments/rossmann/sweep.lua", "scripts/lua", &config, &fake_facts,
                            &host, NULL, ERR));
    must_say(&f, "batch 1024: best lr 0.00781 (bracketed)");
    must_say(&f, "400 steps: batch 1024 is best");
    bl_buf_free(&f.text);
}

/* Every block of Lua in docs/sweeps.md runs as it stands: a whole script, or the body of one. */
static void the_examples_of_the_page_run(void **state) {
    (void)state;
    bl_buf page = {0}, script = {0};
    size_t ran = 0;
    CHECK_OK(bl_file_read(&page, "docs/sweeps.md", 1 << 20, ERR));
    bl_config config;
    fake_config(&config, (const char *[]){"sweep.batch_sizes=[64, 512]"}, 1);
    for (const char *at = bl_buf_text(&page); (at = strstr(at, "\n```lua\n")) != NULL; ran++) {
        const char *begin = at + 8, *end = strstr(begin, "```\n");
        assert_non_null(end);
        const bool whole = strstr(begin, "return function(exp)") != NULL &&
                           strstr(begin, "return function(exp)") < end;
        fake_host f = plain;
        bl_err err = {0};
        bl_buf_clear(&script);
        if (!whole) bl_buf_str(&script, "local sweep = require 'sweep'\nreturn function(exp)\n");
        bl_buf_add(&script, begin, (size_t)(end - begin));
        if (!whole) bl_buf_str(&script, "end\n");
        if (fake_plan(script.data, &config, &f, NULL, &err) != BL_OK)
            fail_msg("docs/sweeps.md: %s\n%s", err.text, script.data);
        bl_buf_free(&f.text);
        at = end;
    }
    assert_true(ran >= 8);
    bl_buf_free(&page);
    bl_buf_free(&script);
}

/* Answers each trial with one evaluation, whose value is the trial's seed. */
static bl_status answer_with_seeds(void *ctx, const bl_round *round, bl_trial_result *results,
                                   bl_err *err) {
    (void)err;
    bl_config config;
    for (size_t i = 0; i < round->count; i++) {
        const bl_trial *t = &round->trial[i];
        bl_trial_resolve(t, &config);
        assert_true(config.train.seed == t->seed && config.optimizer.weight_decay == 0.25);
        (void)snprintf(results[i].run, sizeof results[i].run, "%012u", (unsigned)i % 1000000);
        results[i].outcome = BL_OUTCOME_BUDGET;
        results[i].steps = t->max_steps;
        results[i].evals = 1;
        results[i].eval = bl_xalloc(sizeof *results[i].eval);
        results[i].eval[0] = (bl_eval){.step = t->max_steps,
                                       .value = (double)t->seed,
                                       .train_loss = 0.5,
                                       .batch_mean = config.eval.batch_mean ? 0.25 : (double)NAN};
    }
    *(size_t *)ctx = round->count;
    return BL_OK;
}

static bl_status ask(const char *body, size_t *trials, bl_err *err) {
    static const char *folder;
    char path[BL_PATH];
    bl_config config;
    bl_buf script = {0};
    fake_config(&config, NULL, 0);
    bl_buf_printf(&script, "return function(exp)\n%s\nend\n", body);
    if (folder == NULL) folder = scratch_folder("round");
    CHECK_OK(bl_path(path, ERR, "%s/s.lua", folder));
    CHECK_OK(bl_file_write(path, script.data, script.len, ERR));
    bl_buf_free(&script);
    const bl_planner_host host = {.ctx = trials, .run = answer_with_seeds};
    *trials = 0;
    return bl_planner_run(path, "scripts/lua", &config, &fake_facts, &host, NULL, err);
}

/* The largest round that a sweep may have, asked for and read within the script's limits. */
static void a_round_of_100000_trials(void **state) {
    (void)state;
    size_t trials;
    bl_err err = {0};
    CHECK_OK(ask("local t = {} for i = 1, 100000 do t[i] = { seed = i, weight_decay = 0.25, "
                 "max_steps = 1 } end\n"
                 "local sum = 0\n"
                 "for i, r in ipairs(exp:run(t)) do\n"
                 "  assert(r.seed == i and r.outcome == 'budget' and r.target_step == nil)\n"
                 "  if i % 100 == 0 then sum = sum + r.evals[1].value end end\n"
                 "assert(sum == 100 * 1000 * 1001 / 2)",
                 &trials, ERR));
    assert_int_equal(trials, 100000);
    assert_int_equal(ask("local e, t = { seed = 1 }, {} for i = 1, 100001 do t[i] = e end\n"
                         "exp:run(t)",
                         &trials, &err),
                     BL_EINVAL);
    assert_non_null(
        strstr(err.text, "a round of 100001 trials is more trials than a sweep may have (100000)"));
    assert_int_equal(trials, 0);
}

/* Fields of a result are made on demand; what a script can see of that is nothing. */
static void results_are_tables(void **state) {
    (void)state;
    size_t trials;
    CHECK_OK(ask("local r = exp:run { { seed = 7, weight_decay = 0.25, max_steps = 1 } }[1]\n"
                 "assert(type(r) == 'table' and r.evals == r.evals and r.nothing == nil)\n"
                 "r.mine, r.steps = 'x', 5\n"
                 "local seen = ''\n"
                 "for k, v in pairs(r) do\n"
                 "  seen = seen .. k .. '=' .. (k == 'evals' and #v or tostring(v)) .. ' ' end\n"
                 "local want = 'batch_size=64 evals=1 learning_rate=0.001 max_steps=1 mine=x '\n"
                 "  .. 'outcome=budget previous_eval_step=0 run=000000000000 seed=7 steps=5 '\n"
                 "assert(seen == want, seen)\n"
                 "assert(r.steps == 5 and r.target_step == nil and r.seed == 7)",
                 &trials, ERR));
    assert_int_equal(trials, 1);
}

/* What an evaluation has beside the value, and only where the run has it. */
static void evaluations(void **state) {
    (void)state;
    size_t trials;
    CHECK_OK(ask("local a = { seed = 7, weight_decay = 0.25, max_steps = 1 }\n"
                 "local b = { seed = 8, weight_decay = 0.25, max_steps = 1,\n"
                 "  ['eval.batch_mean'] = true }\n"
                 "local r = exp:run { b, a, { seed = 9, weight_decay = 0.25, max_steps = 1 } }\n"
                 "local first, second, third = r[1].evals[1], r[2].evals[1], r[3].evals[1]\n"
                 "assert(first.value == 8 and second.value == 7 and third.value == 9)\n"
                 "assert(first.train_loss == 0.5 and second.train_loss == 0.5)\n"
                 "assert(first.batch_mean == 0.25 and second.batch_mean == nil)",
                 &trials, ERR));
    assert_int_equal(trials, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_exhaustive_winner),
        cmocka_unit_test(no_table_of_runs_deceives_the_race),
        cmocka_unit_test(decisions_are_json),
        cmocka_unit_test(library_lines_are_named_too),
        cmocka_unit_test(bad_scripts),
        cmocka_unit_test(host_stops_the_script),
        cmocka_unit_test(rossmann_sweep),
        cmocka_unit_test(the_examples_of_the_page_run),
        cmocka_unit_test(a_round_of_100000_trials),
        cmocka_unit_test(results_are_tables),
        cmocka_unit_test(evaluations),
    };
    return cmocka_run_group_tests_name("planner", tests, NULL, NULL);
}
