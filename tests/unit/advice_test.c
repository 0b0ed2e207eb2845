/* What is said of a target that was too hard or too easy: no advice leads to a target that is
 * reached without a net. */
#include "engine/base/mem.h"
#include "engine/report/text/advice.h"
#include "tests/check.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A sweep of one size whose target is 0.1 or, reached in 5 steps, 0.9; `lowest` is what its run
 * came to. */
static void advise(bl_buf *out, bool easy, double lowest, double baseline) {
    bl_report_eval eval[] = {
        {5, lowest}
    };
    bl_report_run run = {.batch_size = 64, .learning_rate = 0.01, .eval = eval, .evals = 1};
    bl_stats_point point = {.steps = 5};
    bl_report_size size = {.batch_size = 64, .points = &point, .count = 1};
    bl_report_model m = {.runs = &run, .run_count = 1, .answered = easy};
    m.plan.head.experiment = "own";
    m.plan.head.preset = "tiny";
    m.plan.head.metric = "rmse";
    m.plan.head.baseline = baseline;
    m.main.target = easy ? 0.9 : 0.1;
    m.main.sizes = &size;
    m.main.size_count = 1;
    bl_buf_clear(out);
    bl_advice_target(out, &m);
}

/* The target that the command asks for; NAN: there is no command. */
static double advised(const bl_buf *out) {
    const char *at = strstr(bl_buf_text(out), "sweep.targets=");
    return at != NULL ? strtod(at + strlen("sweep.targets="), NULL) : (double)NAN;
}

static void without_a_baseline(void **state) {
    (void)state;
    bl_buf out = {0};
    advise(&out, false, 0.252, (double)NAN);
    check_close(advised(&out), 0.26, 1e-12);
    advise(&out, true, 0.5, (double)NAN);
    check_close(advised(&out), 0.51, 1e-12);
    bl_buf_free(&out);
}

/* No run was better than what needs no net: that is said, and no command is given. */
static void no_run_beats_the_baseline(void **state) {
    (void)state;
    bl_buf out = {0};
    advise(&out, false, 0.252, 0.242);
    assert_true(isnan(advised(&out)));
    assert_non_null(strstr(bl_buf_text(&out), "The closest was rmse 0.252, at batch size 64"));
    assert_non_null(strstr(bl_buf_text(&out), "no better than 0.242, which needs no net"));
    advise(&out, true, 0.5, 0.5);
    assert_true(isnan(advised(&out)));
    assert_non_null(strstr(bl_buf_text(&out), "Too easy"));
    assert_non_null(strstr(bl_buf_text(&out), "No run was better than 0.5, which needs no net"));
    bl_buf_free(&out);
}

/* The rounded target would be above the baseline: one between the two is given. */
static void between_run_and_baseline(void **state) {
    (void)state;
    bl_buf out = {0};
    advise(&out, false, 0.252, 0.255);
    assert_true(advised(&out) > 0.252 && advised(&out) < 0.255);
    advise(&out, false, 0.252, 0.2520001); /* no number of four digits is between */
    assert_true(isnan(advised(&out)));
    advise(&out, true, 0.5, 0.504);
    assert_true(advised(&out) > 0.5 && advised(&out) < 0.504);
    advise(&out, true, 0.5, 0.6);
    check_close(advised(&out), 0.51, 1e-12);
    bl_buf_free(&out);
}

/* What one seed of three came to is luck: the median counts, of the settings with most seeds. */
static void one_lucky_seed(void **state) {
    (void)state;
    static const double values[] = {0.05, 0.25, 0.27, 0.02};
    bl_report_eval eval[BL_COUNT(values)];
    bl_report_run runs[BL_COUNT(values)];
    for (size_t i = 0; i < BL_COUNT(values); i++) {
        eval[i] = (bl_report_eval){5, values[i]};
        runs[i] = (bl_report_run){.batch_size = i < 3 ? 64 : 128,
                                  .learning_rate = 0.01,
                                  .seed = (int64_t)i,
                                  .eval = &eval[i],
                                  .evals = 1};
    }
    bl_report_size size = {.batch_size = 64, .count = 0};
    bl_report_model m = {.runs = runs, .run_count = BL_COUNT(runs)};
    m.plan.head.experiment = "own";
    m.plan.head.preset = "tiny";
    m.plan.head.metric = "rmse";
    m.plan.head.baseline = (double)NAN;
    m.main.target = 0.1;
    m.main.sizes = &size;
    m.main.size_count = 1;
    bl_buf out = {0};
    bl_advice_target(&out, &m);
    assert_non_null(strstr(bl_buf_text(&out), "The closest was rmse 0.25, at batch size 64"));
    check_close(advised(&out), 0.26, 1e-12);

    eval[1].value = 0.09; /* two of three had the target: one that all had is advised */
    bl_buf_clear(&out);
    bl_advice_target(&out, &m);
    check_close(advised(&out), 0.28, 1e-12);
    bl_buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_baseline),
        cmocka_unit_test(no_run_beats_the_baseline),
        cmocka_unit_test(between_run_and_baseline),
        cmocka_unit_test(one_lucky_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
