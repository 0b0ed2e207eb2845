/* The sweep library's parts beside the race (tests/unit/planner_test.c), against a host whose runs
 * are a closed form: several targets, quasi-random search, budgets, rules, and that all of them
 * make the same plan whatever order the runs are computed in. */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "tests/check.h"
#include "tests/unit/fake_host.h"
#include <math.h>

static const fake_host plain = {.s_min = 100,
                                .b_crit = 300,
                                .lr_opt = 0x1p-9,
                                .curvature = 0.4,
                                .target = 0.2,
                                .diverge_above = 3.5,
                                .decay_opt = 0x1p-7,
                                .decay_curvature = 0.2};

static void must_say(const fake_host *fake, const char *text) {
    if (strstr(bl_buf_text(&fake->text), text) == NULL)
        fail_msg("no \"%s\" in:\n%s", text, bl_buf_text(&fake->text));
}

static void must_not_say(const fake_host *fake, const char *text) {
    if (strstr(bl_buf_text(&fake->text), text) != NULL)
        fail_msg("\"%s\" in:\n%s", text, bl_buf_text(&fake->text));
}

/* proxy(exp, answer): an experiment whose runs are answer(trial) -> evaluations, outcome; and the
 * list of the trials it was asked for. */
static const char k_proxy[] =
    "local function proxy(exp, answer)\n"
    "  local log = {}\n"
    "  local function run(_, round)\n"
    "    local results = {}\n"
    "    for i, t in ipairs(round) do\n"
    "      local evals, outcome = answer(t)\n"
    "      log[#log + 1] = t\n"
    "      results[i] = { run = tostring(#log), outcome = outcome or 'target', evals = evals,\n"
    "        steps = evals[#evals].step, max_steps = t.max_steps or 99 }\n"
    "    end\n"
    "    return results\n"
    "  end\n"
    "  local own = { run = run, note = function() end, decide = function() end,\n"
    "    limits = function(_, name) return exp:limits(name) end,\n"
    "    grid_ceil = function(_, n) return n end }\n"
    "  return setmetatable(own, { __index = function(_, name) return exp[name] end }), log\n"
    "end\n"
    "local function log2(x) return math.log(x, 2) end\n";

/* The body of a sweep whose asserts are the test. */
static void plan(const char *body, const char *const *sets, size_t n_sets, fake_host *f) {
    bl_config config;
    char script[8192];
    fake_config(&config, sets, n_sets);
    (void)snprintf(script, sizeof script,
                   "local sweep = require 'sweep'\n%sreturn function(exp)\n%s\nend\n", k_proxy,
                   body);
    CHECK_OK(fake_plan(script, &config, f, NULL, ERR));
}

static void plan_quietly(const char *body, const char *const *sets, size_t n_sets) {
    fake_host f = plain;
    plan(body, sets, n_sets, &f);
    bl_buf_free(&f.text);
}

/* ---- what is known of a candidate -------------------------------------------------------------
 */

static void the_first_evaluation_at_the_target_counts(void **state) {
    (void)state;
    plan_quietly(
        "local p = proxy(exp, function(t)\n"
        "  return { { step = 3, value = 0.5 }, { step = 5, value = 0.2 }, { step = 8, value = 0.1 "
        "} }\n"
        "end)\n"
        "local best = sweep.retune(p, { batch_size = 64, target = 0.2, seeds = 1 })\n"
        "assert(best.steps == 5 and best.points[1].steps == 5 and best.points[1].before == 3)",
        NULL, 0);
}

/* A run that diverged would not have arrived within its budget either: the budget is its bound. */
static void a_diverged_leader_counts_its_budget(void **state) {
    (void)state;
    plan_quietly("local p = proxy(exp, function() return { { step = 1 } }, 'diverged' end)\n"
                 "local best = sweep.retune(p, { batch_size = 64, target = 0.2, seeds = 1 })\n"
                 "assert(best.censored and best.points[1].censored and best.points[1].steps == 99)",
                 NULL, 0);
}

/* Values at the end of the budget lead to 2^-12, where nobody arrives; the easy target's best is at
 * 2^-4. There the hard target is reached, too, by runs that stopped at the easy one. A run that is
 * asked for less later does not forget what it knew. */
static void a_missed_target_gets_a_second_chance(void **state) {
    (void)state;
    plan_quietly(
        "local function answer(t)\n"
        "  local k = log2(t.learning_rate)\n"
        "  if k <= -9 then\n"
        "    return { { step = math.floor(40 - 2 * k), value = 0.45 }, { step = 99, value = 0.3 + "
        "0.01 * math.abs(k + "
        "12) } }, 'budget'\n"
        "  end\n"
        "  local evals = { { step = 10 + 2 * math.floor(math.abs(k + 4)), value = 0.4 } }\n"
        "  if t.target < 0.4 then evals[2] = { step = 30, value = k == -4 and 0.2 or 0.35 } end\n"
        "  return evals, #evals == 1 and 'target' or k == -4 and 'target' or 'budget'\n"
        "end\n"
        "local function best(targets)\n"
        "  return sweep.critical_batch(proxy(exp, answer), { batch = { 64 }, targets = targets, "
        "seeds = 1,\n"
        "    retune = { lr_search = 'local', lr = { start = 2^-12 } } })\n"
        "end\n"
        "local alone, both, all = best({ 0.2 }), best({ 0.45, 0.2 })\n"
        "assert(alone[1].censored and alone[1].learning_rate == 2^-12)\n"
        "assert(not both[1].censored and both[1].learning_rate == 2^-4 and both[1].steps == 30)\n"
        "assert(#both[1].rates == 2 and both[1].rates[1] == 2^-4)",
        NULL, 0);
}

/* ---- several targets --------------------------------------------------------------------------
 */

/* Every run passes the easier targets on its way: nothing is asked for again. */
static void easier_targets_take_the_same_runs(void **state) {
    (void)state;
    fake_host one = plain, two = plain;
    plan("sweep.critical_batch(exp, { target = 0.2 })", NULL, 0, &one);
    plan("local main, all = sweep.critical_batch(exp, { targets = { 0.4, 0.3, 0.2 } })\n"
         "assert(#all == 3 and all[3] == main and #main == 6)\n"
         "for i, p in ipairs(all[1]) do\n"
         "  assert(p.target == 0.4 and p.bracketed and not p.censored)\n"
         "  assert(p.learning_rate == main[i].learning_rate and p.steps < main[i].steps)\n"
         "  for _, q in ipairs(p.points) do assert(q.before < q.steps and not q.censored) end\n"
         "end",
         NULL, 0, &two);
    assert_int_equal(one.trials, two.trials);
    assert_int_equal(one.steps, two.steps);
    must_say(&two, "batch 64 to 0.4: best lr 0.00195 (bracketed)");
    must_say(&two, "\"text\":\"to 0.4: within 20 % of perfect scaling");
    bl_buf_free(&one.text);
    bl_buf_free(&two.text);
}

/* The hard target is out of reach, the easy one is not. */
static void easier_targets_answer_alone(void **state) {
    (void)state;
    fake_host f = plain;
    plan("local main, all = sweep.critical_batch(exp, { targets = { 0.4, 0.2 }, batch = { 64 } })\n"
         "assert(main[1].censored and not all[1][1].censored)",
         (const char *[]){"sweep.max_steps=300"}, 1, &f);
    must_say(&f, "(target 0.4)");
    must_say(&f, "no batch size reached the target 0.2; the closest was 0.2");
    must_say(&f, "raise the target or the budget");
    bl_buf_free(&f.text);
}

static void refinement_splits_the_knee(void **state) {
    (void)state;
    fake_host f = plain;
    plan(
        "local points = sweep.critical_batch(exp, { target = 0.2, refine = 2 })\n"
        "assert(#points == 8)\n"
        "for i = 2, 8 do assert(points[i].batch_size > points[i - 1].batch_size) end\n"
        "local added = {}\n"
        "for _, p in ipairs(points) do if p.refined then added[#added + 1] = p.batch_size end end\n"
        "assert(#added == 2 and added[1] > 256 and added[2] < 512)",
        NULL, 0, &f);
    must_say(&f, "the examples double between batch 256 and 512: batch 362 is added");
    must_say(&f, "\"refined\":true");
    bl_buf_free(&f.text);
}

/* Behind a worse rate lies a better one: two worse neighbours are asked for, not one. */
static void a_second_valley_is_seen(void **state) {
    (void)state;
    fake_host f = plain;
    plan("local steps = { [-7] = 40, [-6] = 18, [-5] = 20, [-4] = 12, [-3] = 30 }\n"
         "local p = proxy(exp, function(t)\n"
         "  return { { step = steps[math.tointeger(log2(t.learning_rate))] or 50, value = 0.1 } }\n"
         "end)\n"
         "local function best(guard, range)\n"
         "  return sweep.retune(p, { batch_size = 64, target = 0.2, seeds = 1, center = 2^-6,\n"
         "    guard = guard, lr_search = range }).learning_rate\n"
         "end\n"
         "assert(best(nil, 'local') == 2^-4 and best(2, 'local') == 2^-4 and best(1, 'local') == "
         "2^-6)\n"
         "assert(best() == 2^-4 and best(1, 'exhaustive') == 2^-4)",
         NULL, 0, &f);
    bl_buf_free(&f.text);
}

/* ---- the whole grid ----------------------------------------------------------------------------
 */

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
        fake_config(&config, (const char *[]){set}, 1);
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

/* ---- quasi-random search ----------------------------------------------------------------------
 */

#define BOX                                                                                        \
    "box = { sweep.log('learning_rate', 2^-12, 2^-6), sweep.log('weight_decay', 2^-12, 2^-2) }"

static void search_comes_near_the_optimum(void **state) {
    (void)state;
    fake_host f = plain;
    plan("local best = sweep.search(exp, { batch_size = 64, target = 0.2, trials = 64, seeds = 2,\n"
         "  " BOX " })\n"
         "assert(math.abs(math.log(best.learning_rate / 2^-9, 2)) < 1)\n"
         "local decay = math.log(best.settings['optimizer.weight_decay'] / 2^-7, 2)\n"
         "assert(math.abs(decay) < 1.5, decay .. ' ' .. best.steps)\n"
         "assert(best.bracketed and best.box.widened == 0 and #best.runs == 2)\n"
         "assert(best.box.feasible == 64 and best.box.diverged == 0 and not best.box.short)\n"
         "assert(best.steps < 1.15 * 569)",
         NULL, 0, &f);
    bl_buf_free(&f.text);
}

/* Diverged points do not use up the trials, and the same points are asked of every size. */
static void diverged_points_are_counted_apart(void **state) {
    (void)state;
    fake_host f = plain;
    f.diverge_above = 1.5;
    plan("local seen\n"
         "for _, size in ipairs { 64, 256 } do\n"
         "  local best = sweep.search(exp, { batch_size = size, target = 0.2, trials = 16,\n"
         "    seeds = 1, widen = 0, " BOX " })\n"
         "  assert(best.box.feasible == 16 and best.box.diverged > 0)\n"
         "end",
         NULL, 0, &f);
    must_say(&f, "16 feasible wanted: ");
    const char *first = strstr(bl_buf_text(&f.text), "T 64 "), *second;
    assert_non_null(first);
    second = strstr(first, "T 256 ");
    assert_non_null(second);
    assert_memory_equal(first + 5, second + 6, 20); /* the rate, in full */
    bl_buf_free(&f.text);
}

static void search_gives_up_on_a_diverging_box(void **state) {
    (void)state;
    fake_host f = plain;
    plan("local best = sweep.search(exp, { batch_size = 64, target = 0.2, trials = 8, seeds = 1,\n"
         "  widen = 0, box = { sweep.log('learning_rate', 2^-2, 2^2) } })\n"
         "assert(best.box.short and best.box.feasible == 0 and best.box.diverged == 32)\n"
         "assert(best.censored)",
         NULL, 0, &f);
    bl_buf_free(&f.text);
}

static void a_best_point_at_the_edge_widens_the_box(void **state) {
    (void)state;
    fake_host f = plain;
    plan(
        "local best = sweep.search(exp, { batch_size = 64, target = 0.2, trials = 16, seeds = 1,\n"
        "  widen = 4, box = { sweep.log('learning_rate', 2^-15, 2^-11.5) } })\n"
        "assert(best.box.widened > 0 and best.bracketed and #best.box.edge == 0)\n"
        "assert(best.learning_rate > 2^-10 and best.learning_rate < 2^-8)\n"
        "local stuck = sweep.search(exp, { batch_size = 64, target = 0.2, trials = 16, seeds = 1,\n"
        "  widen = 0, box = { sweep.log('learning_rate', 2^-15, 2^-11.5) } })\n"
        "assert(not stuck.bracketed and stuck.box.edge[1] == 'learning_rate')",
        NULL, 0, &f);
    must_say(&f, "lies at the edge of learning_rate: the box is widened");
    bl_buf_free(&f.text);
}

/* On the lower side, too; and a best point of the narrower box is not at the wider one's edge. */
static void the_lower_edge_widens(void **state) {
    (void)state;
    plan_quietly(
        "local function answer(t)\n"
        "  return { { step = math.floor(20 + 10 * math.abs(log2(t.learning_rate) + 9)), value = "
        "0.1 } }\n"
        "end\n"
        "local p, log = proxy(exp, answer)\n"
        "local best = sweep.search(p, { batch_size = 64, target = 0.2, trials = 16, seeds = 1,\n"
        "  widen = 3, box = { sweep.log('learning_rate', 2^-8, 2^-2) } })\n"
        "assert(best.box.widened == 1 and best.bracketed, best.box.widened)\n"
        "assert(math.abs(log2(best.learning_rate) + 9) < 0.5)\n"
        "local only = {}\n" /* nothing beats the point of the first box: its edge was looked beyond
                             */
        "p = proxy(exp, function(t)\n"
        "  local first = only.lr == nil or t.learning_rate < only.lr and #only < 16\n"
        "  only[#only + 1] = t\n"
        "  if first then only.lr = t.learning_rate end\n"
        "  return { { step = #only <= 16 and math.floor(1000 + 100 * log2(t.learning_rate)) or "
        "900, value = 0.1 } }\n"
        "end)\n"
        "best = sweep.search(p, { batch_size = 64, target = 0.2, trials = 16, seeds = 1, widen = "
        "3,\n"
        "  box = { sweep.log('learning_rate', 2^-8, 2^-2) } })\n"
        "assert(best.learning_rate == only.lr and best.box.widened == 1 and best.bracketed)",
        NULL, 0);
}

static void the_first_few_get_every_seed(void **state) {
    (void)state;
    fake_host f = plain;
    plan("sweep.search(exp, { batch_size = 64, target = 0.2, trials = 16, seeds = 2, slack = 3,\n"
         "  finalists = 3, box = { sweep.log('learning_rate', 2^-11, 2^-7) } })",
         NULL, 0, &f);
    must_say(&f, "is number 1 so far, seed 2");
    must_say(&f, "is number 3 so far, seed 2");
    must_not_say(&f, "is number 4 so far");
    bl_buf_free(&f.text);
}

/* The box ends where the setting does: nothing lies beyond, so nothing is flagged. */
static void a_natural_limit_is_no_edge(void **state) {
    (void)state;
    fake_host f = plain;
    f.decay_opt = 64;
    f.decay_curvature = 0.05;
    plan("local best = sweep.search(exp, { batch_size = 64, target = 0.2, trials = 32, seeds = 1,\n"
         "  settings = { learning_rate = 2^-9 }, box = { sweep.log('weight_decay', 2^-6, 10) } })\n"
         "assert(best.bracketed and best.box.widened == 0)",
         NULL, 0, &f);
    bl_buf_free(&f.text);
}

static void axes_take_any_number(void **state) {
    (void)state;
    fake_host f = plain;
    plan("local p, seen = proxy(exp, function(t)\n"
         "  return { { step = 5, value = math.abs(t['model.embedding_dropout'] - 0.5) } }, "
         "'budget'\n"
         "end)\n"
         "sweep.search(p, { batch_size = 64, max_steps = 5, trials = 64, seeds = 1, widen = 0, "
         "box = {\n"
         "  sweep.log('1-optimizer.beta1', 0.01, 0.5), sweep.linear('embedding_dropout', 0, 0.9),\n"
         "  sweep.linear('eval.first', 1, 9), sweep.linear('model.dropout', 0, 0.5) } })\n"
         "assert(#seen == 64)\n"
         "local low = 0\n"
         "for _, t in ipairs(seen) do\n"
         "  assert(t['optimizer.beta1'] >= 0.5 and t['optimizer.beta1'] <= 0.99)\n"
         "  assert(math.type(t['eval.first']) == 'integer' and t['eval.first'] <= 9)\n"
         "  assert(#t['model.dropout'] == 1 and t['model.dropout'][1] < 0.5)\n"
         "  if 1 - t['optimizer.beta1'] < math.sqrt(0.01 * 0.5) then low = low + 1 end\n"
         "end\n"
         "assert(low == 32, low)",
         NULL, 0, &f);
    bl_buf_free(&f.text);
}

/* ---- budgets ----------------------------------------------------------------------------------
 */

/* The fake's best rate is the same for any budget: the answer is found from a centre that is off,
 * and what the race ran already serves. */
static void budgets_retune(void **state) {
    (void)state;
    fake_host f = plain;
    plan("local point = { batch_size = 64, learning_rate = 2^-11, seeds = { 1, 2, 3 } }\n"
         "local kept = sweep.budgets(exp, { from = { point }, steps = 300, retune = false })\n"
         "local best = sweep.budgets(exp, { from = { point }, steps = 300 })\n"
         "assert(kept[1].learning_rate == 2^-11 and best[1].learning_rate == 2^-9)\n"
         "assert(best[1].value < kept[1].value)",
         NULL, 0, &f);
    must_say(&f, "\"best\":true,\"bracketed\":true,\"budget\":\"steps\"");
    must_say(&f, "\"retuned\":false");
    must_say(
        &f,
        "the rate tuned for the target, read at the budget: batch 64, budget of 300 steps, seed 2");
    must_say(&f, "extends the grid up: 0.000977 leads");
    bl_buf_free(&f.text);
}

/* A neighbour that is not worse than the leader's worst seed runs with every seed; others do not.
 */
static void contenders_get_seeds_under_a_budget(void **state) {
    (void)state;
    plan_quietly(
        "local value = { [-9] = { 0.20, 0.30 }, [-8] = { 0.25, 0.10 }, [-10] = { 0.4, 0.0 } }\n"
        "local p, log = proxy(exp, function(t)\n"
        "  local v = value[math.tointeger(log2(t.learning_rate))] or { 0.9, 0.9 }\n"
        "  return { { step = 9, value = v[t.seed] } }, 'budget'\n"
        "end)\n"
        "local best = sweep.retune(p, { batch_size = 64, max_steps = 9, seeds = 2, center = 2^-9 "
        "})\n"
        "assert(best.learning_rate == 2^-8)\n"
        "local seconds = {}\n"
        "for _, t in ipairs(log) do\n"
        "  if t.seed == 2 then seconds[#seconds + 1] = math.tointeger(log2(t.learning_rate)) end\n"
        "end\n"
        "assert(#seconds == 2 and seconds[1] + seconds[2] == -17)",
        NULL, 0);
}

/* Rates tuned for every target are begun with; one that is not on the grid gets a grid around it.
 */
static void budgets_begin_at_tuned_rates(void **state) {
    (void)state;
    fake_host f = plain;
    plan("sweep.budgets(exp, { steps = 100, from = { { batch_size = 64, learning_rate = 2^-9,\n"
         "  rates = { 2^-9, 2^-4 }, seeds = { 1 } } } })\n"
         "sweep.budgets(exp, { steps = 100, from = { { batch_size = 64, learning_rate = 0.003,\n"
         "  seeds = { 1 } } } })",
         (const char *[]){"eval.growth=1"}, 1, &f);
    must_say(&f, "T 64 0x1p-5 1 100 diverged 1 around 0.0625: tuned for a target");
    must_say(&f, " around 0.003: tuned for a target");
    must_say(&f, "\"batch_size\":64,\"best\":true,\"bracketed\":true,\"budget\":\"steps\","
                 "\"kind\":\"budget\",\"learning_rate\":0.0015,");
    bl_buf_free(&f.text);
}

static void budgets_stand_alone(void **state) {
    (void)state;
    fake_host f = plain;
    plan("local c = sweep.budgets(exp, { batch = { 32, 1024 }, epochs = { 1, 2 }, steps = 500 })\n"
         "assert(#c == 3 and c[1].amount == 1 and c[2].amount == 2)\n"
         "assert(c[1].batch_size == 32 and c[3].batch_size == 1024)",
         NULL, 0, &f);
    must_say(&f, "1 epoch: batch 32 is best");
    bl_buf_free(&f.text);
}

/* The fake's step takes 1 ms + 10 us for each example: 1 s is 757 steps of 32, 88 of 1024. */
static void time_and_cost_become_steps(void **state) {
    (void)state;
    fake_host f = plain;
    f.memory_above = 512;
    plan("sweep.budgets(exp, { batch = { 32, 512, 1024 }, seconds = 1, seeds = 1,\n"
         "  cost = 1 / 3600 })",
         (const char *[]){"cost.per_core_hour=0.5", "eval.growth=1"}, 2, &f);
    must_say(&f, "T 32 0x1p-10 1 757 budget 757 around 0.000977: the grid's start");
    must_say(&f, "T 512 0x1p-8 1 163 budget 163 ");
    must_say(&f, "T 32 0x1p-10 1 1515 budget 1515 ");
    must_say(&f, "\"seconds_per_step\":0.0013");
    must_say(&f, "1 s: batch 1024 has no time per step: it does not fit in memory");
    must_say(&f, "\"budget\":\"cost\"");
    must_say(&f, "0.000277778 EUR: batch ");
    bl_buf_free(&f.text);
}

/* 512 needs four devices of 128: three times half a second, or 1e-4 core-hours, are gone before the
 * first step of 6.12 ms. */
static void devices_cost_upfront(void **state) {
    (void)state;
    fake_host f = plain;
    plan("sweep.budgets(exp, { batch = { 64, 512, 1024 }, seconds = 2, seeds = 1, cost = 0.001 })",
         (const char *[]){"cost.per_core_hour=1", "eval.growth=1", "cost.device_batch_size=128",
                          "cost.upfront_seconds=0.5", "cost.upfront_core_hours=1e-4"},
         5, &f);
    must_say(&f, "T 64 0x1p-10 1 1219 budget 1219 ");
    must_say(&f, "T 512 0x1p-8 1 81 budget 81 ");
    must_say(&f, "2 s: batch 1024 is left out: not one step fits (0.0112 s each)");
    must_say(&f, "T 512 0x1p-8 1 411 budget 411 ");
    bl_buf_free(&f.text);
}

/* ---- rules ------------------------------------------------------------------------------------
 */

/* lr_opt(B) grows by the square root, so that rule costs nothing; keep is off by half a doubling
 * for each doubling of B: at 16 times the size 2^(0.4 * 2^2) = 3.03 times the steps. */
static void rules_are_judged(void **state) {
    (void)state;
    fake_host f = plain;
    plan("local points = sweep.critical_batch(exp, { target = 0.2, batch = { 64, 1024 }, seeds = 1 "
         "})\n"
         "assert(points[1].learning_rate == 2^-9 and points[2].learning_rate == 2^-7)\n"
         "local sums = sweep.rules(exp, { from = points, rules = { 'keep', 'sqrt', 'linear' }, "
         "limit = 4 })\n"
         "assert(sums[1].rule == 'keep' and math.abs(sums[1].worst - 2^1.6) < 0.05)\n"
         "assert(sums[2].worst == 1 and math.abs(sums[3].worst - 2^1.6) < 0.05)\n"
         "local low = sweep.rules(exp, { from = points, rules = { 'keep' }, limit = 1.5 })\n"
         "assert(low[1].bound and low[1].worst == 1.5)",
         (const char *[]){"eval.growth=1.001"}, 1, &f);
    must_say(&f, "rule sqrt at batch 1024: lr 0.00781 takes 1.00 times the steps of lr 0.00781");
    must_say(&f, "rule keep at batch 1024: lr 0.00195 takes at least 1.50 times");
    must_say(&f, "the rule keep from batch 64, seed 1");
    bl_buf_free(&f.text);
}

static void malladi_has_a_domain(void **state) {
    (void)state;
    fake_host f = plain;
    plan("local points = sweep.critical_batch(exp, { target = 0.2, batch = { 64, 128, 1024 }, "
         "seeds = 1 })\n"
         "sweep.rules(exp, { from = points, rules = { 'malladi', 'saturating', 'sqrt', 'sqrt' }, "
         "b_star = 64,\n  "
         "limit = 4 })",
         NULL, 0, &f);
    must_say(&f, "rule malladi at batch 128: lr 0.00276 takes ");
    must_say(&f, "rule malladi at batch 1024: leaves its domain: a beta would fall below 0");
    /* 2^-9 sqrt((1 + 64/64) / (1 + 64/128)) and at 1024 2^-9 sqrt(2 / (1 + 1/16)) */
    must_say(&f, "rule saturating at batch 128: lr 0.00226 takes ");
    must_say(&f, "rule saturating at batch 1024: lr 0.00268 takes ");
    bl_buf_free(&f.text);
}

/* ---- series and the test rows ------------------------------------------------------------------
 */

static void series_say_their_name(void **state) {
    (void)state;
    fake_host f = plain;
    plan("local p = sweep.critical_batch(exp, { batch = { 64 }, target = 0.2, seeds = 2, series = "
         "'plain sgd' })\n"
         "sweep.budgets(exp, { from = p, steps = 100, series = 'plain sgd' })\n"
         "assert(sweep.evaluate_test_set(exp, { from = p[1], series = 'plain sgd' }))\n",
         NULL, 0, &f);
    must_say(&f, "plain sgd, batch 64: best lr");
    size_t said = 0; /* by best, critical, budget and test */
    for (const char *at = bl_buf_text(&f.text); (at = strstr(at, "\"series\":\"plain sgd\"")); at++)
        said++;
    assert_int_equal(said, 4);
    must_say(&f, "plain sgd, after 100 steps: batch 64");
    must_say(&f, "test rows, plain sgd, batch 64 at lr ");
    bl_buf_free(&f.text);
}

/* One evaluation, at the step where each seed reached its target, on all test rows; a seed that did
 * not has no look. */
static void one_look_at_the_test_rows(void **state) {
    (void)state;
    fake_host f = plain;
    plan("local own, log = proxy(exp, function(t)\n"
         "  return { { step = t.max_steps, value = t.seed == 2 and 0.3 or 0.25 } }, 'budget'\n"
         "end)\n"
         "local point = { batch_size = 64, learning_rate = 0.5, settings = { momentum = 0.8 }, "
         "points = {\n"
         "  { seed = 1, steps = 40 }, { seed = 2, steps = 50 }, { seed = 3, steps = 99, censored = "
         "true } } }\n"
         "assert(sweep.evaluate_test_set(own, { from = point }) == 0.25)\n"
         "assert(#log == 2 and log[2].seed == 2 and log[2].momentum == 0.8)\n"
         "assert(log[2].max_steps == 50 and log[2]['eval.first'] == 50)\n"
         "assert(log[1]['data.split'] == 'test' and log[1]['data.eval_rows'] == 'unset')\n"
         "point.points = { point.points[3] }\n"
         "assert(sweep.evaluate_test_set(own, { from = point }) == nil)\n"
         "sweep.evaluate_test_set(own, { batch_size = 64, learning_rate = 0.5, max_epochs = 2, "
         "seeds = 1 })\n"
         "assert(#log == 3 and log[3].max_steps == 2 * exp.epoch_rows // 64)\n",
         NULL, 0, &f);
    bl_buf_free(&f.text);
}

/* ---- everything together ----------------------------------------------------------------------
 */

static void same_plan_in_any_order(void **state) {
    (void)state;
    static const char everything[] =
        "local points = sweep.critical_batch(exp, { batch = { 32, 128, 512 }, refine = 1 })\n"
        "sweep.rules(exp, { from = points, limit = 2 })\n"
        "sweep.budgets(exp, { from = points, epochs = 0.1, steps = 400, seconds = 2, cost = 1e-5 "
        "})\n"
        "points = sweep.critical_batch(exp, { batch = { 32, 128 }, retune = { trials = 8, " BOX
        " } })\n"
        "sweep.budgets(exp, { from = points, steps = 100 })\n";
    fake_host one = plain, two = plain;
    one.noise = two.noise = 0.1;
    two.backwards = true;
    two.busy = 0.0005;
    plan(everything, NULL, 0, &one);
    plan(everything, NULL, 0, &two);
    assert_string_equal(bl_buf_text(&one.text), bl_buf_text(&two.text));
    must_say(&one, "\"box\":{\"diverged\":");
    must_not_say(&one, " \n"); /* every run has its reason */
    bl_buf_free(&one.text);
    bl_buf_free(&two.text);
}

/* ---- messages ---------------------------------------------------------------------------------
 */

/* Bad scripts and the whole first line of what they are told, after "FILE:3: ". */
static void bad_scripts_are_told_what_is_wrong(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"sweep.critical_batch(exp, { bach = { 64 } })",
         "critical_batch has no option 'bach', did you mean 'batch'?"                                                                                     },
        {"sweep.critical_batch(exp, { colour = 1, batch = { 64 } })",
         "critical_batch has no option 'colour'; it has batch, retune, seeds, target, targets, "
         "slack, "
         "max_steps, max_epochs, settings, refine, series"                                                                                                },
        {"sweep.critical_batch(exp, { retune = { rul = 'sqrt' } })",
         "critical_batch's retune has no option 'rul', did you mean 'rule'?"                                                                              },
        {"sweep.critical_batch(exp, { batch = {} })",                                      "a list of batch sizes is needed"                              },
        {"sweep.critical_batch(exp, { batch = { 200000 } })",
         "batch size 200000 is larger than the data set (100000 training rows)"                                                                           },
        {"sweep.critical_batch(exp, { batch = { 64.5 } })",
         "a batch size has to be a whole number"                                                                                                          },
        {"sweep.critical_batch(exp, { target = -1 })",
         "target -1 cannot be reached: exp_rmspe is never below 0"                                                                                        },
        {"sweep.critical_batch(exp, { target = 1/0 })",                                    "target has to be a finite number"                             },
        {"sweep.critical_batch(exp, { targets = { 0.2, 0.3 } })",
         "targets have to decrease: easiest first"                                                                                                        },
        {"sweep.critical_batch(exp, { targets = { 0.2 }, target = 0.2 })",
         "critical_batch takes a target or targets, not both"                                                                                             },
        {"sweep.critical_batch(exp, { refine = -1 })",
         "refine has to be a finite number of at least 0"                                                                                                 },
        {"sweep.critical_batch(exp, { retune = { lr = { step = -1 } } })",
         "log2grid's step has to be a finite number above 0"                                                                                              },
        {"sweep.critical_batch(exp, { retune = { lr = { step = 0/0 } } })",
         "log2grid's step has to be a finite number above 0"                                                                                              },
        {"sweep.critical_batch(exp, { retune = { lr = { min = 1e-9, max = 1/0 } } })",
         "log2grid's max has to be a finite number above 0"                                                                                               },
        {"sweep.critical_batch(exp, { retune = { trials = 5 } })",
         "critical_batch's retune: trials, widen and finalists belong to a box"                                                                           },
        {"sweep.critical_batch(exp, { retune = { rule = 'sqrt', box = {} } })",
         "critical_batch's retune takes a box, or lr, rule and lr_search: not both"                                                                       },
        {"sweep.retune(exp, { batch_size = 64 })",
         "retune needs a target, or a budget: max_steps or max_epochs"                                                                                    },
        {"sweep.retune(exp, { target = 0.2 })",
         "a batch size has to be a finite number of at least 1"                                                                                           },
        {"sweep.retune(exp, { batch_size = 64, target = 0.2, center = 0 })",
         "center has to be a finite number above 0"                                                                                                       },
        {"sweep.retune(exp, { batch_size = 64, target = 0.2, slack = 0.5 })",
         "slack has to be a finite number of at least 1"                                                                                                  },
        {"sweep.retune(exp, { batch_size = 64, target = 0.2, seeds = {} })",
         "a list of seeds needs at least one"                                                                                                             },
        {"sweep.retune(exp, { batch_size = 64, target = 0.2, max_steps = 0 })",
         "trial 1: 'max_steps' has to be a whole number of steps, at least 1"                                                                             },
        {"sweep.search(exp, { batch_size = 64, target = 0.2 })",
         "a box is a list of axes: { sweep.log(\"learning_rate\", 2^-12, 2^-4), ... }"                                                                    },
        {"sweep.search(exp, { batch_size = 64, target = 0.2, box = { { 'lr', 1, 2 } } })",
         "axis 1 of the box: use sweep.log or sweep.linear"                                                                                               },
        {"sweep.log('learning_rate', 0, 1)",
         "log's low end of learning_rate has to be a finite number above 0"                                                                               },
        {"sweep.linear('dropout', 0.5, 0.1)",
         "linear's high end of dropout has to be a finite number above 0.5"                                                                               },
        {"sweep.search(exp, { batch_size = 64, target = 0.2, box = { sweep.log('leaning_rate', 1, "
         "2) } })",                                                               "unknown setting 'leaning_rate', did you mean 'learning_rate'?"},
        {"sweep.search(exp, { batch_size = 64, target = 0.2, box = { sweep.linear('beta1', 0, 2) } "
         "})",                                                                    "beta1: 0 to 2 is not within its limits, 0 to 1"               },
        {"sweep.search(exp, { batch_size = 64, target = 0.2, box = { sweep.log('1-beta1', 0.1, 2) "
         "} })",                                                                  "1-beta1: 0.1 to 2 is not within its limits, 0 to 1"           },
        {"sweep.search(exp, { batch_size = 64, target = 0.2, box = { sweep.linear('metric', 0, 1) "
         "} })",                                                                  "'metric' is not a number"                                     },
        {"sweep.search(exp, { batch_size = 64, target = 0.2, trials = 2,\n"
         "  box = { sweep.log('momentum', 0.1, 0.9) } })",                        "trials 1 and 2 are the same run: 'optimizer.momentum' means nothing under their other "
         "settings"                                                                    },
        {"sweep.search(exp, { batch_size = 64, target = 0.2, trials = 0, box = { sweep.log('lr', "
         "1, 2) } })",                                                            "trials has to be a finite number of at least 1"               },
        {"sweep.budgets(exp, { batch = { 64 }, epochs = -1 })",
         "epochs has to be a finite number of at least 0"                                                                                                 },
        {"sweep.budgets(exp, { batch = { 64 }, steps = 1.5 })",                            "steps has to be a whole number"                               },
        {"sweep.budgets(exp, { batch = { 64 }, second = 1 })",
         "budgets has no option 'second', did you mean 'seconds'?"                                                                                        },
        {"sweep.budgets(exp, { batch = { 64 }, steps = 10, retune = false })",
         "budgets with batch has no rates to keep: retune cannot be false"                                                                                },
        {"sweep.rules(exp, { from = {}, rules = { 'squrt' } })",
         "no rule 'squrt', did you mean 'sqrt'?"                                                                                                          },
        {"sweep.rules(exp)",                                                               "rules needs from: what critical_batch returned"               },
        {"sweep.critical_batch(exp, { series = 'a,b' })",
         "a series is named with letters, digits, spaces, and any of _ . + -"                                                                             },
        {"sweep.evaluate_test_set(exp, { batch_size = 64, learning_rate = 1 })",
         "evaluate_test_set needs from: an answer, or max_epochs or max_steps"                                                                            },
        {"exp:step_times{}",                                                               "step_times takes a list of 1 to 64 batch sizes"               },
        {"exp:step_times{ 0 }",                                                            "step_times: batch sizes are whole numbers from 1 to 100000"   },
        {"exp:run{ { seed = 1 }, { seed = 2 }, { seed = 1 } }",
         "trials 1 and 3 are the same run: leave one out"                                                                                                 },
        {"exp:run{ { ['schedule.name'] = 'cosine' } }",
         "trial 1: schedule.horizon_epochs: schedule 'cosine' needs its length: 'horizon_epochs' "
         "above 0"                                                                                                                                        },
        {"math.sobol(1, 17)",                                                              "bad argument #2 to 'sobol' (there are 16 coordinates)"        },
    };
    for (size_t i = 0; i < BL_COUNT(cases); i++) {
        bl_config config;
        bl_err err = {0};
        fake_host f = plain;
        char script[1024];
        fake_config(&config, NULL, 0);
        (void)snprintf(script, sizeof script,
                       "local sweep = require 'sweep'\nreturn function(exp)\n  %s\nend\n",
                       cases[i][0]);
        if (fake_plan(script, &config, &f, NULL, &err) == BL_OK)
            fail_msg("accepted: %s", cases[i][0]);
        char *said = strstr(err.text, "/s.lua:3: ");
        if (said == NULL) fail_msg("no line in: %s", err.text);
        said += strlen("/s.lua:3: ");
        said[strcspn(said, "\n")] = '\0';
        if (strcmp(said, cases[i][1]) != 0)
            fail_msg("%s\nsays     %s\nexpected %s", cases[i][0], said, cases[i][1]);
        bl_buf_free(&f.text);
    }
}

/* ---- the page's examples ----------------------------------------------------------------------
 */

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_evaluation_at_the_target_counts),
        cmocka_unit_test(a_diverged_leader_counts_its_budget),
        cmocka_unit_test(a_missed_target_gets_a_second_chance),
        cmocka_unit_test(easier_targets_take_the_same_runs),
        cmocka_unit_test(easier_targets_answer_alone),
        cmocka_unit_test(refinement_splits_the_knee),
        cmocka_unit_test(a_second_valley_is_seen),
        cmocka_unit_test(no_table_of_runs_deceives_the_race),
        cmocka_unit_test(search_comes_near_the_optimum),
        cmocka_unit_test(diverged_points_are_counted_apart),
        cmocka_unit_test(search_gives_up_on_a_diverging_box),
        cmocka_unit_test(a_best_point_at_the_edge_widens_the_box),
        cmocka_unit_test(the_lower_edge_widens),
        cmocka_unit_test(the_first_few_get_every_seed),
        cmocka_unit_test(a_natural_limit_is_no_edge),
        cmocka_unit_test(axes_take_any_number),
        cmocka_unit_test(budgets_retune),
        cmocka_unit_test(contenders_get_seeds_under_a_budget),
        cmocka_unit_test(budgets_begin_at_tuned_rates),
        cmocka_unit_test(budgets_stand_alone),
        cmocka_unit_test(time_and_cost_become_steps),
        cmocka_unit_test(devices_cost_upfront),
        cmocka_unit_test(rules_are_judged),
        cmocka_unit_test(malladi_has_a_domain),
        cmocka_unit_test(same_plan_in_any_order),
        cmocka_unit_test(bad_scripts_are_told_what_is_wrong),
        cmocka_unit_test(series_say_their_name),
        cmocka_unit_test(one_look_at_the_test_rows),
        cmocka_unit_test(the_examples_of_the_page_run),
    };
    return cmocka_run_group_tests_name("sweep library", tests, NULL, NULL);
}
