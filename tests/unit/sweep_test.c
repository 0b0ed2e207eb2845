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

static void read_plan(bl_dataset *data, bl_buf *plan) {
    char dir[] = "/tmp/bl-sweep-XXXXXX", script[BL_PATH], path[BL_PATH];
    bl_store store;
    const bl_kernels *kernels;
    bl_config *config = bl_xalloc(sizeof *config);
    bl_sweep_totals totals;
    assert_non_null(mkdtemp(dir));
    CHECK_OK(bl_store_open(&store, dir, "x", true, ERR));
    CHECK_OK(bl_kernels_pick(&kernels, ERR));
    CHECK_OK(bl_path(script, ERR, "%s/sweep.lua", dir));
    CHECK_OK(bl_file_write(script, k_script, strlen(k_script), ERR));
    tiny_config(config);
    const bl_scheduler scheduler = {
        .data = data, .store = &store, .kernels = kernels, .jobs = 1, .checkpoint_seconds = 1e9};
    const bl_sweep_options options = {
        .script = script, .library_dir = "scripts/lua", .write_plan = true};
    CHECK_OK(bl_sweep_run(config, &scheduler, &options, &totals, ERR));
    assert_int_equal(totals.rounds, 1);
    assert_int_equal(totals.trials, 1);
    CHECK_OK(bl_path(path, ERR, "%s/plan.jsonl", store.dir));
    CHECK_OK(bl_file_read(plan, path, 1 << 20, ERR));
    free(config);
}

static void the_plan_names_what_a_trial_changed(void **state) {
    (void)state;
    static const char expected[] =
        "\"set\":{\"model.hidden\":[8,4],\"model.batch_norm\":false,\"train.batch_size\":32,"
        "\"train.learning_rate\":0.02,\"train.seed\":1},\"batch_size\":32,";
    bl_dataset data;
    bl_buf plan = {0};
    tiny_data(&data, 3, 2);
    read_plan(&data, &plan);
    if (strstr(plan.data, expected) == NULL) fail_msg("%s", plan.data);
    bl_buf_free(&plan);
    tiny_data_free(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plan_names_what_a_trial_changed),
    };
    return cmocka_run_group_tests_name("sweep", tests, NULL, NULL);
}
