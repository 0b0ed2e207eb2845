/* What a sweep writes down of its trials: the plan names every setting that a trial changed. */
#include "engine/base/mem.h"
#include "engine/data/dataset_open.h"
#include "engine/sweep/sweep.h"
#include "tests/check.h"
#include "tests/scratch.h"
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
    char script[BL_PATH], path[BL_PATH];
    const char *dir = scratch_folder("sweep");
    bl_store store;
    const bl_kernels *kernels;
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

/* ---- the race against the whole grid ---- */

/* The number behind "name": in a decision. */
static long long number_of(const char *line, const char *name) {
    char quoted[32];
    (void)snprintf(quoted, sizeof quoted, "\"%s\":", name);
    const char *at = strstr(line, quoted);
    assert_non_null(at);
    return strtoll(at + strlen(quoted), NULL, 10);
}

/* tests/sweeps/whole_grid.lua: at each target the race names the winner of every rate and seed for
 * at most half the steps. Gives the winners that a race near its best misses. */
static long long hold_against_the_grid(const bl_dataset *data, const bl_config *config) {
    bl_buf script = {0}, plan = {0};
    bl_sweep_totals totals;
    CHECK_OK(bl_file_read(&script, "tests/sweeps/whole_grid.lua", 1 << 16, ERR));
    run_sweep(data, config, script.data, &plan, &totals);
    size_t targets = 0;
    long long missed = 0;
    for (char *at = plan.data, *end; (at = strstr(at, "{\"record\":\"decision\"")) != NULL;
         at = end) {
        end = strchr(at, '\n');
        *end++ = '\0';
        if (strstr(at, "\"kind\":\"custom\"") == NULL) continue;
        const char *text = strstr(at, "\"text\":\"");
        assert_non_null(text);
        print_message("%.*s\n", (int)strcspn(text + 8, "\""), text + 8);
        assert_int_equal(number_of(at, "sizes"), config->sweep.batch_sizes.n);
        assert_int_equal(number_of(at, "all"), config->sweep.batch_sizes.n);
        assert_true(2 * number_of(at, "by_all") <= number_of(at, "by_grid"));
        missed += number_of(at, "sizes") - number_of(at, "near");
        targets++;
    }
    assert_int_equal(targets, config->sweep.targets.n);
    bl_buf_free(&script);
    bl_buf_free(&plan);
    return missed;
}

static void the_race_finds_the_winner_of_the_whole_grid(void **state) {
    (void)state;
    bl_dataset data;
    bl_config *config = bl_xalloc(sizeof *config);
    tiny_data(&data, 3, 2);
    tiny_config(config);
    tiny_name(config->schedule.name, "constant");
    config->schedule.horizon_epochs = 0;
    config->eval.growth = 1.1;
    config->eval.first = 1;
    tiny_name(config->sweep.lr_rule, "sqrt");
    config->sweep.batch_sizes = (bl_i64_list){
        .v = {16, 64, 256},
          .n = 3
    };
    config->sweep.targets = (bl_f64_list){
        .v = {0.12, 0.1},
          .n = 2
    };
    config->sweep.seeds = 3;
    config->sweep.race_cutoff = 1.25;
    config->sweep.max_epochs = 40;
    config->sweep.max_steps = 2000;
    config->sweep.lr_start = 0x1p-8;
    config->sweep.lr_min = 0x1p-13;
    config->sweep.lr_max = 1;
    config->sweep.lr_step = 0.5; /* so fine that a race near its best misses a winner */
    assert_true(hold_against_the_grid(&data, config) > 0); /* or all of this shows nothing */
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
    assert_int_equal(hold_against_the_grid(&none, config), 0); /* it has one valley */
    free(config);
}

/* ---- a box of everything ---- */

/* Learning rate, 1 - beta1, weight decay, the schedule's length, label smoothing and dropout are
 * drawn together, the same points at both sizes, and every one of them reaches the trained net. */
static const char k_box[] =
    "local sweep = require 'sweep'\n"
    "return function(exp)\n"
    "  local points = sweep.critical_batch(exp, { seeds = 2, retune = { trials = 8, finalists = 2, "
    "widen = 0, box = {\n"
    "    sweep.log('learning_rate', 2^-8, 2^-3), sweep.log('1-beta1', 0.05, 0.5),\n"
    "    sweep.log('weight_decay', 1e-4, 1e-1), sweep.linear('horizon_epochs', 4, 12),\n"
    "    sweep.linear('label_smoothing', 0, 0.2), sweep.linear('model.dropout', 0, 0.5) } } })\n"
    "  assert(#points == 2)\n"
    "  for _, p in ipairs(points) do\n"
    "    assert(not p.censored and #p.runs == 2 and p.runs[1] ~= p.runs[2] and p.box.feasible == "
    "8)\n"
    "    local d = p.settings['model.dropout']\n"
    "    assert(#d == 1 and d[1] >= 0 and d[1] < 0.5)\n"
    "  end\n"
    "  local seen, point = {}, { batch_size = 32, learning_rate = 2^-6, max_steps = 40 }\n"
    "  for _, change in ipairs { { 'learning_rate', 2^-5 }, { 'beta1', 0.6 }, { 'weight_decay', "
    "0.05 },\n"
    "    { 'horizon_epochs', 5.0 }, { 'label_smoothing', 0.1 }, { 'model.dropout', { 0.3 } } } do\n"
    "    local other = {}\n"
    "    for name, value in pairs(point) do other[name] = value end\n"
    "    other[change[1]] = change[2]\n"
    "    local r = exp:run { point, other }\n"
    "    assert(r[1].evals[#r[1].evals].value ~= r[2].evals[#r[2].evals].value, change[1])\n"
    "  end\n"
    "end\n";

static size_t occurrences(const char *text, const char *what) {
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at++) n++;
    return n;
}

static void a_box_of_everything_is_searched(void **state) {
    (void)state;
    static const char *const axes[] = {"\"model.dropout\":[0.", "\"label_smoothing\":0.",
                                       "\"schedule.horizon_epochs\":", "\"optimizer.beta1\":0.",
                                       "\"optimizer.weight_decay\":"};
    bl_dataset data;
    bl_buf plan = {0};
    bl_sweep_totals totals;
    bl_config *config = bl_xalloc(sizeof *config);
    tiny_classes(&data, 3);
    tiny_config(config);
    tiny_name(config->model.kind, "mlp");
    tiny_name(config->model.output, "linear");
    tiny_name(config->loss, "cross_entropy");
    tiny_name(config->metric, "cross_entropy");
    tiny_name(config->schedule.name, "cosine");
    config->sweep.batch_sizes = (bl_i64_list){
        .v = {32, 128},
          .n = 2
    };
    config->sweep.targets = (bl_f64_list){.v = {0.8}, .n = 1};
    config->sweep.race_cutoff = 1.25;
    config->sweep.max_epochs = 12;
    config->sweep.max_steps = 1000;
    run_sweep(&data, config, k_box, &plan, &totals);
    const size_t drawn = occurrences(plan.data, "of the box, 8 feasible wanted");
    assert_true(drawn >= 16);
    for (size_t i = 0; i < BL_COUNT(axes); i++)
        assert_true(occurrences(plan.data, axes[i]) >= drawn);
    bl_buf_free(&plan);
    free(config);
    tiny_data_free(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plan_names_what_a_trial_changed),
        cmocka_unit_test(the_race_finds_the_winner_of_the_whole_grid),
        cmocka_unit_test(and_on_the_quadratic_model),
        cmocka_unit_test(a_box_of_everything_is_searched),
    };
    return cmocka_run_group_tests_name("sweep", tests, NULL, NULL);
}
