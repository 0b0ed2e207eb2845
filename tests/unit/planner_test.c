/* The planner against a host whose runs are a closed form: what the race finds, what it costs, that
 * its decisions depend on nothing else, and what scripts are told when they ask for nonsense. */
#include "engine/base/mem.h"
#include "tests/check.h"
#include "tests/unit/fake_host.h"
#include <math.h>

static const fake_host plain = {.s_min = 100,
                                .b_crit = 300,
                                .lr_opt = 0x1p-9,
                                .curvature = 0.4,
                                .target = 0.2,
                                .diverge_above = 3.5};

static const char critical[] = "local sweep = require 'sweep'\n"
                               "return function(exp)\n"
                               "  local points = sweep.critical_batch(exp, {})\n"
                               "  sweep.budgets(exp, { from = points, epochs = 2, steps = 500 })\n"
                               "end\n";

static bool said(const fake_host *fake, const char *text) {
    return strstr(bl_buf_text(&fake->text), text) != NULL;
}

static void must_say(const fake_host *fake, const char *text) {
    if (!said(fake, text)) fail_msg("no \"%s\" in:\n%s", text, bl_buf_text(&fake->text));
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
            char expected[192], rate[32];
            const double winner = exhaustive(&f, batch, 3, &spent_by_all);
            for (int digits = 1; digits <= 17; digits++) {
                (void)snprintf(rate, sizeof rate, "%.*g", digits, winner);
                if (strtod(rate, NULL) == winner) break;
            }
            (void)snprintf(expected, sizeof expected,
                           "\"batch_size\":%lld,\"bracketed\":true,\"censored\":false,"
                           "\"kind\":\"best\",\"learning_rate\":%s,",
                           (long long)batch, rate);
            must_say(&f, expected);
        }
        worst = fmax(worst, (double)f.steps / spent_by_all);
        bl_buf_free(&f.text);
    }
    print_message("the race took at most %.1f %% of the steps of a seven-point grid\n",
                  100 * worst);
    assert_true(worst < 0.5);
}

static void same_plan_in_any_order(void **state) {
    (void)state;
    bl_config config;
    fake_config(&config, NULL, 0);
    fake_host one = plain, two = plain;
    one.noise = two.noise = 0.1;
    two.backwards = true;
    two.busy = 0.001;
    CHECK_OK(fake_plan(critical, &config, &one, NULL, ERR));
    CHECK_OK(fake_plan(critical, &config, &two, NULL, ERR));
    assert_string_equal(bl_buf_text(&one.text), bl_buf_text(&two.text));
    assert_int_equal(one.decisions, 2 * (6 + 1) + 2 * 6 + 1);
    must_say(&one, "\"kind\":\"critical\"");
    must_say(
        &one,
        "\"amount\":2,\"batch_size\":32,\"best\":true,\"bracketed\":true,\"budget\":\"epochs\"");
    must_say(&one, "steps; perfect scaling predicts ");
    must_say(&one, "2 epochs: batch 32 is best");
    must_say(&one, "500 steps: batch 1024 is best");
    bl_buf_free(&one.text);
    bl_buf_free(&two.text);
}

/* From a centre far off on either side, and against a wall of divergence. */
static void extends_to_both_sides(void **state) {
    (void)state;
    bl_config config;
    static const struct {
        const char *start;
        double diverge_above;
    } cases[] = {
        {"sweep.lr_start=1e-5", 3.5},
        {"sweep.lr_start=1",    3.5},
        {"sweep.lr_start=1",    0.6}
    };
    for (size_t i = 0; i < BL_COUNT(cases); i++) {
        fake_host f = plain;
        f.diverge_above = cases[i].diverge_above;
        fake_config(&config, (const char *[]){cases[i].start, "sweep.batch_sizes=[64]"}, 2);
        CHECK_OK(fake_plan(critical, &config, &f, NULL, ERR));
        must_say(&f, "\"bracketed\":true,\"censored\":false,\"kind\":\"best\","
                     "\"learning_rate\":0.001953125,");
        must_say(&f, i == 0 ? "extends the grid up" : "extends the grid down");
        if (i > 0) must_say(&f, "diverged");
        bl_buf_free(&f.text);
    }
}

static void limits_are_flagged(void **state) {
    (void)state;
    bl_config config;
    fake_host f = plain;
    fake_config(&config, (const char *[]){"sweep.lr_max=0.001", "sweep.batch_sizes=[64]"}, 2);
    CHECK_OK(fake_plan(critical, &config, &f, NULL, ERR));
    must_say(&f, "\"bracketed\":false,\"censored\":false");
    must_say(&f, "not bracketed: at a limit of the grid");
    bl_buf_free(&f.text);
}

static void censoring(void **state) {
    (void)state;
    bl_config config;
    fake_host f = plain;
    fake_config(&config, (const char *[]){"sweep.max_steps=300"}, 1);
    CHECK_OK(fake_plan(critical, &config, &f, NULL, ERR));
    must_say(&f, "batch 32: target 0.2 not reached within 287 steps; lr 0.000977 came closest");
    must_say(&f, "\"batch_size\":32,\"bracketed\":true,\"censored\":true");
    must_say(&f, "\"batch_size\":1024,\"bracketed\":true,\"censored\":false");
    bl_buf_free(&f.text);
}

static void memory_ends_a_size(void **state) {
    (void)state;
    bl_config config;
    fake_host f = plain;
    f.memory_above = 256;
    fake_config(&config, NULL, 0);
    CHECK_OK(fake_plan(critical, &config, &f, NULL, ERR));
    must_say(&f, "batch 512 does not fit in memory");
    must_say(&f, "batch 1024 does not fit in memory");
    size_t asked = 0; /* the first round of each of the two, and no proof over the whole grid */
    for (const char *t = bl_buf_text(&f.text); (t = strstr(t, " memory ")) != NULL; t++) asked++;
    assert_int_equal(asked, 6);
    assert_false(said(&f, "\"batch_size\":512"));
    must_say(&f, "500 steps: batch 256 is best");
    bl_buf_free(&f.text);
}

/* By hand: at batch 64 the grid's best is the optimum itself, S = 100 (1 + 300 / 64) = 568.75,
 * first evaluated at 569; the race began one below. Its neighbours take 750.5 steps, those beyond
 * 1724, but all stop by 1.25 x 569. What is left of the grid, from 2^-13 to 2^-5, has lost at 569.
 */
static void one_race_by_hand(void **state) {
    (void)state;
    bl_config config;
    fake_host f = plain;
    fake_config(&config,
                (const char *[]){"sweep.batch_sizes=[64, 256]", "sweep.seeds=1", "eval.growth=1",
                                 "sweep.lr_min=0.0001220703125", "sweep.lr_max=0.03125"},
                5);
    CHECK_OK(fake_plan("return function(exp) require('sweep').critical_batch(exp) end", &config, &f,
                       NULL, ERR));
    must_say(
        &f,
        "R batch 64, race\n"
        "T 64 0x1p-11 1 625000 race 712 around 0.000977: the grid's start\n"
        "T 64 0x1p-10 1 625000 race 712 around 0.000977: the grid's start\n"
        "T 64 0x1p-9 1 625000 target 569 around 0.000977: the grid's start\n"
        "R batch 64, race\n"
        "T 64 0x1p-8 1 712 budget 712 extends the grid up: 0.00195 leads\n"
        "T 64 0x1p-7 1 712 budget 712 extends the grid up: 0.00195 leads\n"
        "R batch 64\n"
        "T 64 0x1p-13 1 569 budget 569 may still be the best of the grid: 0.00195 leads, seed 1\n"
        "T 64 0x1p-12 1 569 budget 569 may still be the best of the grid: 0.00195 leads, seed 1\n"
        "T 64 0x1p-6 1 569 budget 569 may still be the best of the grid: 0.00195 leads, seed 1\n"
        "T 64 0x1p-5 1 569 diverged 1 may still be the best of the grid: 0.00195 leads, seed 1\n"
        "D ");
    must_say(&f, "\"whole_grid\":true");
    must_say(&f, "\"steps\":569,");
    must_say(&f, "\"text\":\"batch 64: best lr 0.00195 (bracketed), 569 steps\"");
    must_say(&f,
             "batch 256: best lr 0.00391 (bracketed), 218 steps; perfect scaling predicts 142\"");
    bl_buf_free(&f.text);
}

static void budgets_take_the_median_seed(void **state) {
    (void)state;
    bl_config config;
    fake_host f = plain;
    f.noise = 0.3;
    fake_config(&config, NULL, 0);
    CHECK_OK(fake_plan(
        "local sweep = require 'sweep'\n"
        "return function(exp)\n"
        "  local point = { batch_size = 64, learning_rate = 2^-9, seeds = { 1, 2, 3, 4, 5 } }\n"
        "  local round, values = {}, {}\n"
        "  for i = 1, 5 do\n"
        "    round[i] = { batch_size = 64, learning_rate = 2^-9, seed = i, max_steps = 300 }\n"
        "  end\n"
        "  for i, r in ipairs(exp:run(round)) do values[i] = r.evals[#r.evals].value end\n"
        "  table.sort(values)\n"
        "  assert(values[2] < values[3] and values[3] < values[4])\n"
        "  local best = sweep.budgets(exp, { from = { point }, steps = 300 })\n"
        "  assert(#best == 1 and best[1].value == values[3])\n"
        "end\n",
        &config, &f, NULL, ERR));
    bl_buf_free(&f.text);
}

/* The winner is never judged by runs that a race cut. */
static void winner_runs_are_whole(void **state) {
    (void)state;
    bl_config config;
    fake_host f = plain;
    f.noise = 0.4;
    fake_config(&config, (const char *[]){"sweep.seeds=5", "sweep.race_cutoff=1.05"}, 2);
    CHECK_OK(fake_plan("local sweep = require 'sweep'\n"
                       "return function(exp)\n"
                       "  for _, p in ipairs(sweep.critical_batch(exp)) do\n"
                       "    assert(#p.runs == 5)\n"
                       "    for _, r in ipairs(p.results) do\n"
                       "      assert(r.target_step and r.outcome == 'target' and not r.cut)\n"
                       "    end\n"
                       "  end\n"
                       "end\n",
                       &config, &f, NULL, ERR));
    bl_buf_free(&f.text);
}

static void grid_is_exact(void **state) {
    (void)state;
    bl_config config;
    fake_host f = plain;
    fake_config(&config, NULL, 0);
    CHECK_OK(fake_plan(
        "local grid = require 'grid'\n"
        "return function(exp)\n"
        "  local g = grid.resolve(exp, { step = 0.5 })\n"
        "  assert(g:rate(-20) == 2^-10 and g:rate(-19) == 2^-10 * math.sqrt(2))\n"
        "  assert(g.low == -40 and g.high == 8)\n"
        "  assert(g:nearest(-7.5) == -8 and g:nearest(-7.5 + 1e-9) == -8 and g:nearest(-7.4) == "
        "-7)\n"
        "  assert(grid.resolve(exp, { step = 0.25 }):rate(1) == math.sqrt(math.sqrt(2)))\n"
        "  assert(grid.shift(g, 'linear', 4) == 4 and grid.shift(g, 'keep', 4) == 0)\n"
        "  assert(#grid.pow2(32, 16384) == 10 and grid.pow2(33, 64)[1] == 64)\n"
        "end\n",
        &config, &f, NULL, ERR));
    bl_buf_free(&f.text);
}

static void trials_and_results(void **state) {
    (void)state;
    bl_config config;
    fake_host f = plain;
    fake_config(&config, (const char *[]){"eval.growth=2"}, 1);
    CHECK_OK(fake_plan(
        "return function(exp)\n"
        "  assert(exp.name == '' and exp.epoch_rows == 100000 and exp.synthetic == false)\n"
        "  assert(exp.config['sweep.batch_sizes'][6] == 1024 and exp.config['momentum'] == 0.9)\n"
        "  assert(exp:grid_floor(1000) == 512 and exp:grid_ceil(1000) == 1024)\n"
        "  local r = exp:run { title = 'x',\n"
        "    { batch_size = 2^7, learning_rate = 2^-8, seed = 4, max_steps = 100, reason = 'why' "
        "},\n"
        "    { train_x = nil, learning_rate = 0.1 + 0.2, ['optimizer.momentum'] = .5,\n"
        "      max_epochs = 0.0001, target = 0.2 } }\n"
        "  assert(#r == 2 and r[1].batch_size == 128 and r[1].seed == 4 and r[1].max_steps == 64)\n"
        "  assert(r[1].target_step == nil and r[1].outcome == 'budget' and r[1].evals[7].step == "
        "64)\n"
        "  assert(r[1].previous_eval_step == 0 and r[1].learning_rate == 2^-8 and #r[1].run == "
        "12)\n"
        "  assert(r[2].learning_rate == 0.1 + 0.2 and r[2].max_steps == 1)\n"
        "  exp:decide { kind = 'custom', text = 'a \"line\"', data = { n = 1.5, i = 3, yes = "
        "true,\n"
        "    list = { 1, 2.5, 'x' }, empty = {}, inner = { b = 1, a = 2 } } }\n"
        "end\n",
        &config, &f, NULL, ERR));
    must_say(&f,
             "R x\nT 128 0x1p-8 4 64 budget 64 why\nT 64 0x1.3333333333334p-2 1 1 diverged 1 \n");
    must_say(&f, "D {\"record\":\"decision\",\"round\":0,\"data\":{\"empty\":[],\"i\":3,"
                 "\"inner\":{\"a\":2,\"b\":1},\"list\":[1,2.5,\"x\"],\"n\":1.5,\"yes\":true},"
                 "\"kind\":\"custom\",\"text\":\"a \\\"line\\\"\"}\n");
    bl_buf_free(&f.text);
}

/* ---- messages ---------------------------------------------------------------------------------
 */

static void refuses(const char *call, const char *message) {
    bl_config config;
    bl_err err = {0};
    fake_host f = plain;
    char script[1024];
    fake_config(&config, NULL, 0);
    (void)snprintf(script, sizeof script,
                   "local sweep = require 'sweep'\nreturn function(exp)\n  %s\nend\n", call);
    if (fake_plan(script, &config, &f, NULL, &err) == BL_OK) fail_msg("accepted: %s", call);
    if (strstr(err.text, message) == NULL)
        fail_msg("%s:\n%s\nexpected %s", call, err.text, message);
    if (strstr(err.text, "/s.lua:3: ") == NULL) fail_msg("no line in: %s", err.text);
    if (strncmp(err.text, "/tmp/", 5) != 0) fail_msg("no file in: %s", err.text);
    bl_buf_free(&f.text);
}

static void messages(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"exp:run(3)",                                                               ":3: exp:run takes a table"                                },
        {"exp.run{ {} }",                                                            "with a colon"                                             },
        {"exp:run{}",                                                                "at least one trial"                                       },
        {"exp:run{ rase = true, {} }",                                               "a round has no 'rase', did you mean 'race'?"              },
        {"exp:run{ learning_rate = 1, {} }",                                         "a round has no 'learning_rate'"                           },
        {"exp:run{ race = 1, {} }",                                                  "'race' has to be true or false"                           },
        {"exp:run{ slack = .5, {} }",                                                "'slack' has to be at least 1"                             },
        {"exp:run{ slack = 0/0, {} }",                                               "'slack' has to be a finite number above 0"                },
        {"exp:run{ title = 'a\\nb', {} }",                                           "'title' has to be one line"                               },
        {"exp:run{ title = ('x'):rep(200), {} }",                                    "'title' is longer than 127 bytes"                         },
        {"exp:run{ [1] = {}, [3] = {} }",                                            "numbered 1, 2, 3 without gaps"                            },
        {"exp:run{ [true] = {} }",                                                   "keys of type boolean"                                     },
        {"exp:run{ 5 }",                                                             "trial 1: a trial is a table of settings, not a number"    },
        {"exp:run{ {}, { 5 } }",                                                     "trial 2: settings have names"                             },
        {"exp:run{ { bach_size = 5 } }",
         "trial 1: unknown setting 'bach_size', did you mean 'batch_size'?"                                                                     },
        {"exp:run{ { name = 'adam' } }",                                             "'name' may be optimizer.name or schedule.name"            },
        {"exp:run{ { title = 'x' } }",                                               "belongs to the experiment"                                },
        {"exp:run{ { slack = 2 } }",                                                 "'sweep.race_cutoff' belongs to the experiment"            },
        {"exp:run{ { batch_size = 0 } }",                                            "trial 1: "                                                },
        {"exp:run{ { batch_size = -1 } }",                                           "trial 1: "                                                },
        {"exp:run{ { batch_size = 1.5 } }",                                          "trial 1: "                                                },
        {"exp:run{ { batch_size = 1e300 } }",                                        "trial 1: "                                                },
        {"exp:run{ { batch_size = 200000 } }",                                       "larger than the data set (100000 training rows)"          },
        {"exp:run{ { learning_rate = 0/0 } }",                                       "'learning_rate' is not a finite number"                   },
        {"exp:run{ { learning_rate = 1/0 } }",                                       "'learning_rate' is not a finite number"                   },
        {"exp:run{ { learning_rate = exp } }",                                       "'learning_rate' cannot be a userdata"                     },
        {"exp:run{ { hidden = { 'x' } } }",                                          "'hidden' has to be a list of numbers"                     },
        {"exp:run{ { max_steps = 0 } }",
         "'max_steps' has to be a whole number of steps, at least 1"                                                                            },
        {"exp:run{ { max_steps = 1.5 } }",                                           "'max_steps' has to be a whole number"                     },
        {"exp:run{ { max_epochs = -1 } }",                                           "'max_epochs' has to be a finite number above 0"           },
        {"exp:run{ { target = 0/0 } }",                                              "'target' has to be a finite number"                       },
        {"exp:run{ { reason = 5 } }",                                                "'reason' has to be text"                                  },
        {"exp:decide()",                                                             "exp:decide takes a table"                                 },
        {"exp:decide{ kind = 'x' }",                                                 "a decision needs 'text'"                                  },
        {"exp:decide{ text = 'x' }",                                                 "a decision needs 'kind'"                                  },
        {"exp:decide{ kind = 'X', text = 'x' }",
         "unknown kind of decision 'X'; there are: best, budget"                                                                                },
        {"exp:decide{ kind = 'note', text = 'x', a = 1 }",                           "a decision of kind 'note' has no 'a'"                     },
        {"exp:decide{ kind = 'note', text = 'x', round = 1 }",
         "a decision has no 'round' or 'record'"                                                                                                },
        {"exp:decide{ kind = 'best', text = 'x' }",
         "a decision of kind 'best' needs 'batch_size', a number"                                                                               },
        {"exp:decide{ kind = 'critical', text = 'x', target = 1, reached = 'all' }",
         "'reached' of a decision of kind 'critical' is not a number"                                                                           },
        {"exp:decide{ kind = 'x', text = 'x', a = 1/0 }",                            "'a' is not a finite number"                               },
        {"exp:decide{ kind = 'x', text = 'x', a = exp }",                            "'a' cannot be a userdata"                                 },
        {"exp:decide{ kind = 'x', text = 'x', a = { 1, b = 2 } }",                   "mixes numbered and named"                                 },
        {"local t = {} t.t = t exp:decide{ kind = 'x', text = 'x', a = t }",         "nested too deeply"                                        },
        {"exp:note(5)",                                                              "exp:note takes a text"                                    },
        {"exp.x = 1",                                                                "the experiment is read-only: 'x' cannot be set"           },
        {"local x = exp.nmae",                                                       "the experiment has no 'nmae', did you mean 'name'?"       },
        {"local x = exp.config['sweep.race_cut']",                                   "did you mean 'sweep.race_cutoff'?"                        },
        {"exp.config.slack = 1",                                                     "read-only"                                                },
        {"exp:grid_floor(0)",                                                        "at least 1"                                               },
        {"sweep.critical_batch(exp, { bach = {} })",                                 "critical_batch has no option 'bach'"                      },
        {"sweep.critical_batch(exp, { batch = {} })",                                "a list of batch sizes is needed"                          },
        {"sweep.critical_batch(exp, { batch = { 64, 32 } })",                        "batch sizes have to increase"                             },
        {"sweep.critical_batch(exp, { batch = { 1e6 } })",                           "larger than the data set"                                 },
        {"sweep.critical_batch(exp, { target = 0/0 })",                              "target has to be a finite number"                         },
        {"sweep.critical_batch(exp, { seeds = 0 })",                                 "the number of seeds"                                      },
        {"sweep.critical_batch(exp, { retune = { rule = 'cube' } })",                "keep, sqrt or linear"                                     },
        {"sweep.critical_batch(exp, { retune = { lr = { step = 0.3 } } })",          "power of two"                                             },
        {"sweep.critical_batch(exp, { retune = { lr = { min = 2, max = 1 } } })",
         "no learning rate of the grid"                                                                                                         },
        {"sweep.log2grid { step = 0 }",                                              "log2grid's step has to be a finite number above 0"        },
        {"sweep.pow2(0, 5)",                                                         "the first of pow2 has to be a finite number of at least 1"},
        {"sweep.budgets(exp)",                                                       "budgets needs from"                                       },
        {"error 'mine'",                                                             "/s.lua:3: mine"                                           },
        {"error({})",                                                                "/s.lua:3: error raised with a table value"                },
        {"require 'nothing'",                                                        "no module 'nothing'"                                      },
        {"require '../x'",                                                           "module names are made of"                                 },
        {"local x = nil + 1",                                                        "attempt to perform arithmetic"                            },
    };
    for (size_t i = 0; i < BL_COUNT(cases); i++) refuses(cases[i][0], cases[i][1]);
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

static void no_target(void **state) {
    (void)state;
    bl_config config;
    bl_err err = {0};
    fake_host f = plain;
    fake_config(&config, (const char *[]){"sweep.targets=[]"}, 1);
    assert_int_equal(fake_plan(critical, &config, &f, NULL, &err), BL_EINVAL);
    assert_non_null(strstr(err.text, ":3: no target: set sweep.targets"));
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_exhaustive_winner),
        cmocka_unit_test(same_plan_in_any_order),
        cmocka_unit_test(extends_to_both_sides),
        cmocka_unit_test(limits_are_flagged),
        cmocka_unit_test(censoring),
        cmocka_unit_test(memory_ends_a_size),
        cmocka_unit_test(one_race_by_hand),
        cmocka_unit_test(budgets_take_the_median_seed),
        cmocka_unit_test(winner_runs_are_whole),
        cmocka_unit_test(grid_is_exact),
        cmocka_unit_test(trials_and_results),
        cmocka_unit_test(messages),
        cmocka_unit_test(library_lines_are_named_too),
        cmocka_unit_test(no_target),
        cmocka_unit_test(bad_scripts),
        cmocka_unit_test(host_stops_the_script),
        cmocka_unit_test(rossmann_sweep),
    };
    return cmocka_run_group_tests_name("planner", tests, NULL, NULL);
}
