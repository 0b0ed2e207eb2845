/* What a sweep writes down of its trials: the plan names every setting that a trial changed. */
#include "engine/base/mem.h"
#include "engine/sweep/sweep.h"
#include "tests/check.h"
#include "tests/unit/tiny_data.h"
#include <stdlib.h>

static const char k_script[] =
    "return function(exp)\n"
    "  exp:run { title = 'one', { batch_size = 32, learning_rate = 0.02, max_steps = 5,\n"
    "    hidden = { 8, 4 }, batch_norm = false, kind = 'tabular' } }\n"
    "end\n";

/* Runs a script on the data into a store of its own and gives its plan. */
static void run_sweep(const bl_dataset *data, const bl_config *config, const char *text,
                      bl_buf *plan, bl_sweep_totals *totals) {
    char dir[] = "/tmp/bl-sweep-XXXXXX", script[BL_PATH], path[BL_PATH];
    bl_store store;
    const bl_kernels *kernels;
    assert_non_null(mkdtemp(dir));
    CHECK_OK(bl_store_open(&store, dir, "x", true, ERR));
    CHECK_OK(bl_kernels_pick(&kernels, ERR));
    CHECK_OK(bl_path(script, ERR, "%s/sweep.lua", dir));
    CHECK_OK(bl_file_write(script, text, strlen(text), ERR));
    const bl_scheduler scheduler = {
        .data = data, .store = &store, .kernels = kernels, .jobs = 1, .checkpoint_seconds = 1e9};
    const bl_sweep_options options = {
        .script = script, .library_dir = "scripts/lua", .write_plan = true};
    CHECK_OK(bl_sweep_run(config, &scheduler, &options, totals, ERR));
    CHECK_OK(bl_path(path, ERR, "%s/plan.jsonl", store.dir));
    CHECK_OK(bl_file_read(plan, path, 16 << 20, ERR));
}

static void the_plan_names_what_a_trial_changed(void **state) {
    (void)state;
    static const char expected[] =
        "\"set\":{\"model.hidden\":[8,4],\"model.batch_norm\":false,\"train.batch_size\":32,"
        "\"train.learning_rate\":0.02,\"train.seed\":1},\"batch_size\":32,";
    bl_dataset data;
    bl_buf plan = {0};
    bl_sweep_totals totals;
    bl_config *config = bl_xalloc(sizeof *config);
    tiny_data(&data, 3, 2);
    tiny_config(config);
    run_sweep(&data, config, k_script, &plan, &totals);
    assert_int_equal(totals.rounds, 1);
    assert_int_equal(totals.trials, 1);
    if (strstr(plan.data, expected) == NULL) fail_msg("%s", plan.data);
    bl_buf_free(&plan);
    free(config);
    tiny_data_free(&data);
}

/* ---- the race against the whole grid ----------------------------------------------------------
 */

/* Every rate and seed of the grid runs to the target or its budget; the race has to name the same
 * winner at every batch size. Steps are counted once for each run, however often it is asked for.
 */
static const char k_exhaustive[] =
    "local sweep, field, grid = require 'sweep', require 'field', require 'grid'\n"
    "local function counting(exp)\n"
    "  local far, total = {}, 0\n"
    "  local function run(_, round)\n"
    "    local results = exp:run(round)\n"
    "    for _, r in ipairs(results) do\n"
    "      total = total + math.max(0, r.steps - (far[r.run] or 0))\n"
    "      far[r.run] = math.max(far[r.run] or 0, r.steps)\n"
    "    end\n"
    "    return results\n"
    "  end\n"
    "  local proxy = { run = run, decide = function(_, d) exp:decide(d) end,\n"
    "    grid_ceil = function(_, n) return exp:grid_ceil(n) end }\n"
    "  return setmetatable(proxy, { __index = function(_, name) return exp[name] end }),\n"
    "    function() return total end\n"
    "end\n"
    "return function(exp)\n"
    "  local one, by_race = counting(exp)\n"
    "  local all, by_grid = counting(exp)\n"
    "  local g = grid.resolve(exp, {})\n"
    "  for _, point in ipairs(sweep.critical_batch(one)) do\n"
    "    local f = field.new(all, { batch_size = point.batch_size, target = point.target,\n"
    "      seeds = point.seeds, slack = 1, max_epochs = exp.config['sweep.max_epochs'] })\n"
    "    local wanted = {}\n"
    "    for k = g.low, g.high do\n"
    "      for seed = 1, #point.seeds do\n"
    "        wanted[#wanted + 1] = { key = k, set = { learning_rate = g:rate(k) }, seed = seed,\n"
    "          reason = 'the whole grid' }\n"
    "      end\n"
    "    end\n"
    "    f:run(wanted, false)\n"
    "    local best = f:leader()\n"
    "    exp:decide { kind = 'compared', text = 'x', same = best.key == point.index\n"
    "      and best.steps == point.steps, batch_size = point.batch_size, race = point.index,\n"
    "      whole = best.key, steps = point.steps, fewest = math.tointeger(best.steps) }\n"
    "  end\n"
    "  exp:decide { kind = 'spent', text = 'x', by_race = by_race(), by_grid = by_grid() }\n"
    "end\n";

static void name(char *out, const char *text) {
    (void)snprintf(out, BL_NAME, "%s", text);
}

/* Runs both and holds them against each other at `sizes` batch sizes. */
static void hold_against_the_grid(const bl_dataset *data, const bl_config *config, size_t sizes) {
    bl_buf plan = {0};
    bl_sweep_totals totals;
    run_sweep(data, config, k_exhaustive, &plan, &totals);
    size_t same = 0;
    for (const char *at = plan.data; (at = strstr(at, "\"kind\":\"compared\"")) != NULL; at++) {
        const char *end = strchr(at, '\n');
        const char *equal = strstr(at, "\"same\":true");
        same += equal != NULL && equal < end;
    }
    assert_int_equal(same, sizes);
    const char *spent = strstr(plan.data, "\"by_grid\":");
    assert_non_null(spent);
    long long by_grid, by_race;
    assert_int_equal(sscanf(spent, "\"by_grid\":%lld,\"by_race\":%lld", &by_grid, &by_race), 2);
    print_message("the race took %.1f %% of the steps of the whole grid\n",
                  100.0 * (double)by_race / (double)by_grid);
    assert_true(2 * by_race <= by_grid);
    bl_buf_free(&plan);
}

static void the_race_finds_the_winner_of_the_whole_grid(void **state) {
    (void)state;
    bl_dataset data;
    bl_config *config = bl_xalloc(sizeof *config);
    tiny_data(&data, 3, 2);
    tiny_config(config);
    name(config->schedule.name, "constant");
    config->schedule.horizon_epochs = 0;
    config->eval.ratio = 1.1;
    config->eval.first = 1;
    name(config->sweep.lr_rule, "sqrt");
    config->sweep.batch_sizes = (bl_i64_list){
        .v = {16, 64, 256},
          .n = 3
    };
    config->sweep.targets = (bl_f64_list){.v = {0.12}, .n = 1};
    config->sweep.seeds = 3;
    config->sweep.slack = 1.25;
    config->sweep.max_epochs = 40;
    config->sweep.max_steps = 2000;
    config->sweep.lr_start = 0x1p-8;
    config->sweep.lr_min = 0x1p-13;
    config->sweep.lr_max = 1;
    config->sweep.lr_step = 1;
    hold_against_the_grid(&data, config, 3);
    free(config);
    tiny_data_free(&data);
}

static void and_on_the_quadratic_model(void **state) {
    (void)state;
    static const char *const sets[] = {"sweep.targets=0.1", "sweep.lr_min=0.01",
                                       "sweep.batch_sizes=[4, 16, 64, 256]"};
    bl_dataset none;
    bl_config *config = bl_xalloc(sizeof *config);
    bl_dataset_none(&none);
    CHECK_OK(bl_config_read(config, "experiments", "quadratic", "tiny", sets, BL_COUNT(sets), ERR));
    hold_against_the_grid(&none, config, 4);
    free(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plan_names_what_a_trial_changed),
        cmocka_unit_test(the_race_finds_the_winner_of_the_whole_grid),
        cmocka_unit_test(and_on_the_quadratic_model),
    };
    return cmocka_run_group_tests_name("sweep", tests, NULL, NULL);
}
