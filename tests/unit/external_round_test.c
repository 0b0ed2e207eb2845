/* A round whose run is a program that does not wait: it reports while batchlab keeps its state.
 * Every evaluation that the log has is then known, whenever it came. */
#include "engine/base/mem.h"
#include "engine/external/inputs.h"
#include "engine/sweep/scheduler.h"
#include "engine/train/train.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include "tests/unit/tiny_data.h"
#include <string.h>

static const char k_config[] =
    "external: { command = [\"sh\", \"-c\", \"i=0; while [ $i -lt 300 ]; do i=$((i + 1)); "
    "echo '{\\\"step\\\":'$i',\\\"value\\\":'$i'.5}'; done >>$BATCHLAB_RUN/report.jsonl; "
    "echo '{\\\"end\\\":300}' >>$BATCHLAB_RUN/report.jsonl\"]; repeats = \"exact\"; epoch_rows = "
    "100000; };\nmetric = \"value\";\n";

/* With a checkpoint at every moment. */
static void reports_while_its_state_is_kept(void **state) {
    (void)state;
    bl_config config;
    bl_dataset data;
    bl_store store;
    const bl_kernels *kernels;
    bl_trial_result result = {0};
    tiny_data(&data, 3, 2);
    CHECK_OK(bl_kernels_pick(&kernels, ERR));
    CHECK_OK(bl_config_parse(&config, k_config, strlen(k_config), "config", NULL, NULL, 0, ERR));
    CHECK_OK(bl_external_identify(&config, ".", NULL, false, ERR));
    CHECK_OK(bl_store_open(&store, scratch_folder("round"), "x", true, ERR));
    bl_trial trial = bl_trial_of(&config);
    for (int64_t step = 0; step <= 200;) { /* budgets lie on the grid */
        trial.max_steps = step;
        step = bl_train_next_eval(&config, 100000, step, INT64_MAX);
    }
    const bl_round round = {.title = "round", .trial = &trial, .count = 1, .slack = 1.25};
    const bl_scheduler s = {.data = &data, .store = &store, .kernels = kernels, .jobs = 1};
    CHECK_OK(bl_scheduler_run(&s, &round, &result, ERR));
    int64_t step = 0;
    for (size_t i = 0; i < result.evals; i++) {
        step = bl_train_next_eval(&config, 100000, step, INT64_MAX);
        assert_int_equal(result.eval[i].step, step);
        assert_true(result.eval[i].value == (double)step + 0.5);
    }
    assert_int_equal(step, trial.max_steps);
    bl_round_results_free(&result, 1);
    tiny_data_free(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(reports_while_its_state_is_kept)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
