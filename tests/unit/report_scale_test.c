/* A report's work grows as n log n with its trials. Comparisons of texts are counted, not timed:
 * every search by a run's id or by settings makes them, so a search through all trials for each
 * trial would show as their square. */
#include "engine/base/mem.h"
#include "engine/report/recut.h"
#include "tests/check.h"
#include "tests/unit/large_plan.h"
#include "tests/unit/report_place.h"
#include <stdlib.h>
#include <string.h>

static size_t compared;

/* In the place of the C library's, for the whole program. */
int strcmp(const char *a, const char *b) {
    compared++;
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

static bl_report_model model_of(const place *p, size_t trials) {
    char path[BL_PATH];
    bl_buf text = {0};
    bl_report_model m;
    large_plan(&text, trials);
    CHECK_OK(bl_path(path, ERR, "%s/plan.jsonl", p->runs));
    CHECK_OK(bl_file_write(path, bl_buf_text(&text), text.len, ERR));
    bl_buf_free(&text);
    CHECK_OK(bl_report_analyse(&m, p->runs, ERR));
    return m;
}

/* As many comparisons as reading, analysing and writing takes. */
static size_t work_of(const place *p, size_t trials) {
    bl_buf text = {0};
    compared = 0;
    bl_report_model m = model_of(p, trials);
    bl_recommendation_text(&m, &text);
    bl_recommendation_json(&m, &text);
    const size_t work = compared;
    assert_int_equal(m.rate_count, trials);
    assert_int_equal(m.main.size_count, LARGE_PLAN_SIZES);
    assert_true(m.answered && m.regret_count > 0);
    bl_buf_free(&text);
    bl_report_model_free(&m);
    return work;
}

/* Four times the trials: 4 log(8,000) / log(2,000) is 4.7 times the work; a square would be 16. */
static void comparisons_grow_with_the_trials(void **state) {
    const size_t few = work_of(*state, 2000), many = work_of(*state, 8000);
    assert_true(few > 2000);
    if (many > 6 * few) fail_msg("%zu comparisons for 2,000 trials, %zu for 8,000", few, many);
}

/* As if every run's log were there: two evaluations, the first at the easier target. */
static size_t recut_work(const place *p, size_t trials) {
    bl_report_model m = model_of(p, trials);
    for (size_t i = 0; i < m.run_count; i++) {
        m.runs[i].eval = bl_xalloc(2 * sizeof *m.runs[i].eval);
        m.runs[i].eval[0] = (bl_report_eval){10 + (double)(i % 7), 0.3};
        m.runs[i].eval[1] = (bl_report_eval){1000, 0.2};
        m.runs[i].evals = 2;
    }
    bl_report_bests bests;
    compared = 0;
    bl_recut_bests(&bests, &m, 0.3);
    const size_t work = compared;
    assert_int_equal(bests.count, LARGE_PLAN_SIZES);
    bl_report_bests_free(&bests);
    bl_report_model_free(&m);
    return work;
}

static void another_target_grows_with_the_trials(void **state) {
    const size_t few = recut_work(*state, 2000), many = recut_work(*state, 8000);
    assert_true(few > 0);
    if (many > 6 * few) fail_msg("%zu comparisons for 2,000 trials, %zu for 8,000", few, many);
}

int main(void) {
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, report_enter, report_leave)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(comparisons_grow_with_the_trials),
        IN_FOLDER(another_target_grows_with_the_trials),
    };
    return cmocka_run_group_tests_name("report_scale", tests, NULL, NULL);
}
