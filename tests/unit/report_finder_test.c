/* From the finder's decisions and logs to its figure. */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/report/figures/figures.h"
#include "engine/report/finder_read.h"
#include "engine/report/rate_budget.h"
#include "engine/runlog/runlog.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include <math.h>
#include <stdlib.h>

static const char *g_dir;

/* Losses 4, 2, 1 and then none, at rates 0.1, 0.2, 0.4. */
static void put_log(const char *run) {
    static const double loss[] = {4, 2, 1, (double)NAN};
    char path[BL_PATH];
    bl_buf text = {0};
    bl_buf_printf(&text, "{\"record\":\"header\",\"format\":1,\"run\":\"%s\"}\n", run);
    for (int i = 0; i < 4; i++) {
        bl_buf_printf(&text, "{\"record\":\"step\",\"step\":%d,\"mean_loss\":", i + 1);
        if (isfinite(loss[i]))
            bl_buf_printf(&text, "%g", loss[i]);
        else
            bl_buf_str(&text, "null");
        bl_buf_printf(&text,
                      ",\"learning_rate\":%g}\n{\"record\":\"eval\",\"step\":%d,\"value\":1,"
                      "\"params\":\"p\"}\n",
                      0.1 * (1 << i), i + 1);
    }
    CHECK_OK(bl_path(path, ERR, "%s/%s", g_dir, run));
    CHECK_OK(bl_make_dirs(path, ERR));
    CHECK_OK(bl_path(path, ERR, "%s/%s/log.jsonl.gz", g_dir, run));
    CHECK_OK(bl_runlog_write(path, text.data, text.len, ERR));
    bl_buf_free(&text);
}

static bl_plan_decision decision(bl_plan_kind kind, const char *data) {
    bl_plan_decision d = bl_plan_decision_empty(kind);
    d.data = data;
    return d;
}

static void courses_and_suggestions(void **state) {
    (void)state;
    bl_plan_decision decisions[] = {
        decision(BL_PLAN_NOTE, NULL), decision(BL_PLAN_CUSTOM, "{\"anything\":[1,2]}"),
        decision(BL_PLAN_CUSTOM, "{\"finder\":\"learning_rate\",\"batch_size\":64,\"run\":"
                                 "\"r00000000000a\",\"tuned\":0.25,\"suggestions\":["
                                 "{\"name\":\"steepest\",\"learning_rate\":0.19,\"regret\":1.5,"
                                 "\"at_least\":false},{\"name\":\"valley\"},"
                                 "{\"name\":\"minimum/10\",\"learning_rate\":0.04,\"regret\":4,"
                                 "\"at_least\":true}]}"),
        decision(BL_PLAN_CUSTOM, "{\"finder\":\"learning_rate\",\"batch_size\":128,\"run\":"
                                 "\"r00000000000b\",\"suggestions\":[]}")};
    bl_report_model m = {
        .plan = {.decisions = decisions, .decision_count = BL_COUNT(decisions)}
    };
    put_log("r00000000000a"); /* the other one's log is gone */
    CHECK_OK(bl_report_finder_read(&m, g_dir, ERR));
    assert_int_equal(m.finder_count, 1);
    const bl_report_finder *f = &m.finders[0];
    assert_true(f->batch_size == 64 && f->tuned == 0.25);
    assert_int_equal(f->points, 3);
    check_close(f->point[0].loss, 4, 1e-9);
    check_close(f->point[1].loss, (4 * 0.98 + 2) / 1.98, 1e-9);
    check_close(f->point[2].loss, (4 * 0.98 * 0.98 + 2 * 0.98 + 1) / (0.98 * 0.98 + 1.98), 1e-9);
    check_close(f->point[2].learning_rate, 0.4, 1e-9);
    assert_int_equal(f->suggestions, 3);
    assert_true(f->suggestion[0].regret == 1.5 && !f->suggestion[0].at_least);
    assert_true(isnan(f->suggestion[1].learning_rate) && isnan(f->suggestion[1].regret));
    assert_true(f->suggestion[2].at_least);
    /* The marks stand on the curve, at their own rates. */
    bl_buf dat = {0};
    assert_true(bl_figure_finder.has_data(&m));
    bl_figure_finder.data(&dat, &m);
    assert_non_null(strstr(dat.data, "# suggestion_1\n# learning_rate loss batch_size\n0.19 2.98"));
    assert_non_null(strstr(dat.data, "# suggestion_3\n# learning_rate loss batch_size\n0.04 4 64"));
    assert_non_null(
        strstr(dat.data, "# suggestion_2\n# learning_rate loss batch_size\nNaN NaN NaN"));
    bl_buf_free(&dat);
    free(m.finders[0].point);
    free(m.finders);
}

static int folder(void **state) {
    (void)state;
    g_dir = scratch_folder("finder");
    return 0;
}

/* A line of experiments/rate_over_budget, beside another script's decision. */
static void rates_by_budget(void **state) {
    (void)state;
    bl_plan_decision decisions[] = {
        decision(BL_PLAN_CUSTOM, "{\"anything\":[1,2]}"),
        decision(BL_PLAN_CUSTOM,
                 "{\"rate_over_budget\":\"Li's "
                 "cosine\",\"choice\":\"best\",\"slope\":-0.25,\"half\":0.1,"
                 "\"points\":[{\"epochs\":0.5,\"log2_rate\":-3,\"half\":1,\"batch_size\":64},"
                 "{\"epochs\":2,\"log2_rate\":-4,\"batch_size\":32}]}")};
    bl_report_model m = {
        .plan = {.decisions = decisions, .decision_count = BL_COUNT(decisions)}
    };
    bl_buf text = {0};
    assert_false(bl_figure_rate_budget.has_data(&m));
    CHECK_OK(bl_report_rate_budget_read(&m, ERR));
    assert_int_equal(m.rate_budget_count, 1);
    assert_int_equal(m.rate_budgets[0].points, 2);
    assert_true(isnan(m.rate_budgets[0].point[1].low));
    assert_true(bl_figure_rate_budget.has_data(&m));
    bl_figure_rate_budget.data(&text, &m);
    assert_non_null(strstr(text.data, "\n0.5 0.125 0.0625 0.25 64\n"));
    bl_buf_clear(&text);
    bl_figure_rate_budget.settings(&text, &m);
    assert_non_null(
        strstr(text.data, "line_text[1] = 'Li''s cosine, best size: -0.25 (-0.35 to -0.15)'\n"));
    bl_buf_free(&text);
    free(m.rate_budgets);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(rates_by_budget),
                                       cmocka_unit_test(courses_and_suggestions)};
    return cmocka_run_group_tests_name("report_finder", tests, folder, NULL);
}
