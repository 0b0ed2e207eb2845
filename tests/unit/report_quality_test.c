/* The best validation value of each batch size: from decisions and evaluations to verdicts, words
 * and figure. */
#include "engine/base/mem.h"
#include "engine/report/figures/figures.h"
#include "engine/report/quality.h"
#include "engine/report/text/quality_text.h"
#include "tests/check.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 13, SIZES = 5, MOST_RUNS = 2 * SIZES * SEEDS };

typedef struct fixture {
    bl_report_run runs[MOST_RUNS];
    bl_report_eval evals[MOST_RUNS][3];
    bl_plan_decision decisions[2 * SIZES + 1];
    bl_buf data[2 * SIZES];
    bl_report_model model;
} fixture;

/* A run whose lowest value is `lowest`, in the middle of its way; NAN: it diverged there. */
static void add_run(fixture *f, double lowest) {
    const size_t n = f->model.run_count++;
    f->evals[n][0] = (bl_report_eval){10, 0.9};
    f->evals[n][1] = (bl_report_eval){20, lowest};
    f->evals[n][2] = (bl_report_eval){30, 0.8};
    f->runs[n] = (bl_report_run){.eval = f->evals[n], .evals = 3};
    (void)snprintf(f->runs[n].run, sizeof f->runs[n].run, "r%011zx", n);
}

/* A decision of sweep.quality over the `seeds` runs that are added: lowest values first to last. */
static void add_size(fixture *f, const char *part, int batch_size, const double *lowest,
                     size_t seeds) {
    const size_t n = f->model.plan.decision_count++;
    bl_buf *data = &f->data[n];
    bl_buf_printf(data,
                  "{\"quality\":\"%s\",\"batch_size\":%d,\"learning_rate\":0.25,\"steps\":30,"
                  "\"margin\":0.05,\"bracketed\":true,\"settings\":{\"model.dropout\":[0.5]},"
                  "\"runs\":[",
                  part, batch_size);
    for (size_t s = 0; s < seeds; s++) {
        bl_buf_printf(data, "%s\"r%011zx\"", s > 0 ? "," : "", f->model.run_count);
        add_run(f, lowest[s]);
    }
    bl_buf_str(data, "]}");
    f->decisions[n] = bl_plan_decision_empty(BL_PLAN_CUSTOM);
    f->decisions[n].data = bl_buf_text(data);
}

/* Values around 0.15 times `factor`, each seed `scatter` apart from its neighbour in turn. */
static void scattered(double out[SEEDS], double factor, double scatter) {
    for (int s = 0; s < SEEDS; s++)
        out[s] = factor * (0.15 + 0.001 * s) * (1 + (s % 2 > 0 ? scatter : -scatter));
}

static fixture *begin(void) {
    fixture *f = bl_xalloc(sizeof *f);
    *f = (fixture){0};
    f->model.runs = f->runs;
    f->model.plan.decisions = f->decisions;
    f->model.plan.head.metric = "error";
    return f;
}

static void end(fixture *f) {
    for (size_t i = 0; i < f->model.quality_count; i++) {
        free(f->model.quality[i].lowest);
        free(f->model.quality[i].settings);
    }
    free(f->model.quality);
    for (size_t i = 0; i < BL_COUNT(f->data); i++) bl_buf_free(&f->data[i]);
    free(f);
}

static fixture *sweep_of_five(void) {
    static const struct {
        int batch_size;
        double factor, scatter;
    } sizes[SIZES] = {
        {16,     1,    0   },
        {64,     1.01, 0   },
        {256,    1.2,  0.01},
        {1024,   1.04, 0.05},
        {131072, 0.97, 0.01}
    };
    fixture *f = begin();
    double lowest[SEEDS];
    for (size_t i = 0; i < SIZES; i++) {
        scattered(lowest, sizes[i].factor, sizes[i].scatter);
        add_size(f, "all", sizes[i].batch_size, lowest, SEEDS);
    }
    scattered(lowest, 1.3, 0);
    add_size(f, "half", 64, lowest, SEEDS);
    CHECK_OK(bl_report_quality_read(&f->model, ERR));
    assert_int_equal(f->model.quality_count, 6);
    return f;
}

static void verdicts(void **state) {
    (void)state;
    static const bl_stats_equal expected[] = {BL_STATS_EQUAL_UNJUDGED, BL_STATS_EQUAL_SHOWN,
                                              BL_STATS_EQUAL_REFUTED,  BL_STATS_EQUAL_UNDECIDED,
                                              BL_STATS_EQUAL_SHOWN,    BL_STATS_EQUAL_REFUTED};
    fixture *f = sweep_of_five();
    const bl_report_quality *q = f->model.quality;
    for (size_t i = 0; i < BL_COUNT(expected); i++) assert_int_equal(q[i].verdict, expected[i]);
    assert_false(q[0].ratio.known);
    check_close(q[0].median.value, 0.156, 1e-12);
    check_close(q[1].ratio.value, 1.01, 1e-12);
    assert_ptr_equal(bl_report_quality_base(&f->model, 3), &q[0]);
    assert_ptr_equal(bl_report_quality_base(&f->model, 5), &q[1]); /* half against all, not 16 */
    check_close(q[5].ratio.value, 1.3 / 1.01, 1e-12);
    assert_string_equal(q[1].settings, "{\"model.dropout\":[0.5]}");
    end(f);
}

/* Runs that diverged are beyond any ratio; those without a log are left out; few are not judged. */
static void seeds_that_are_missing(void **state) {
    (void)state;
    fixture *f = begin();
    double lowest[SEEDS], diverged[SEEDS];
    scattered(lowest, 1, 0);
    scattered(diverged, 1, 0);
    for (int s = 0; s < 10; s++) diverged[s] = (double)NAN;
    add_size(f, "none", 16, lowest, SEEDS);
    add_size(f, "none", 64, diverged, SEEDS);
    add_size(f, "none", 256, lowest, SEEDS);
    add_size(f, "rate", 16, lowest, 4);
    add_size(f, "rate", 64, lowest, 4);
    for (int s = 0; s < 3; s++) f->runs[2 * SEEDS + s].evals = 0;
    f->decisions[5] = bl_plan_decision_empty(BL_PLAN_CUSTOM);
    f->decisions[5].data = "{\"finder\":\"learning_rate\",\"quality\":\"other\",\"runs\":[]}";
    f->model.plan.decision_count = 6;
    CHECK_OK(bl_report_quality_read(&f->model, ERR));
    const bl_report_quality *q = f->model.quality;
    assert_int_equal(f->model.quality_count, 5);
    assert_true(isinf(q[1].median.value) && q[1].verdict == BL_STATS_EQUAL_REFUTED);
    assert_int_equal(q[2].valued, SEEDS - 3);
    assert_int_equal(q[2].verdict, BL_STATS_EQUAL_SHOWN);
    assert_int_equal(q[4].verdict, BL_STATS_EQUAL_UNJUDGED);
    assert_false(bl_stats_has_interval(&q[4].ratio));
    bl_buf words = {0};
    bl_quality_words(&words, &f->model);
    bl_quality_sentences(&words, &f->model);
    assert_non_null(strstr(words.data, "        64   diverged "));
    assert_non_null(strstr(words.data, "The rate alone retuned: 64 not judged.\n"));
    bl_buf_free(&words);
    end(f);
}

static void words_and_data(void **state) {
    (void)state;
    fixture *f = sweep_of_five();
    bl_buf text = {0};
    bl_quality_sentences(&text, &f->model);
    assert_string_equal(
        bl_buf_text(&text),
        "Best validation error of 13 fresh seeds. Equal: within 5 % of batch size 16, by two "
        "one-sided tests.\n"
        "Everything retuned: 64, 131,072 equal; 256 different; 1,024 undecided.\n"
        "Half of the steps, against all of them: 64 different.\n");
    bl_buf_clear(&text);
    bl_quality_words(&text, &f->model);
    assert_non_null(
        strstr(text.data,
               "\n     1,024   0.160 (0.152 to 0.171)     0.988 (0.988 to 1.09)    undecided\n"));
    for (const char *line = text.data; *line != '\0'; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 80);
    bl_buf_clear(&text);
    bl_figure_quality.data(&text, &f->model);
    assert_non_null(strstr(text.data, "# none\n# batch_size value low high learning_rate steps\n"
                                      "NaN NaN NaN NaN NaN NaN\n"));
    bl_buf_clear(&text);
    bl_jw w = bl_jw_open(&text);
    bl_jw_object(&w, NULL);
    bl_quality_json(&w, &f->model);
    bl_jw_end(&w);
    bl_jw_done(&w);
    assert_non_null(
        strstr(text.data, "{\"quality\":{\"margin\":0.05,\"sizes\":[{\"part\":\"all\","));
    assert_non_null(strstr(text.data, "\"ratio\":{\"value\":null"));
    assert_non_null(strstr(text.data, "\"verdict\":\"base\""));
    bl_buf_free(&text);
    end(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(verdicts),
                                       cmocka_unit_test(seeds_that_are_missing),
                                       cmocka_unit_test(words_and_data)};
    return cmocka_run_group_tests_name("report_quality", tests, NULL, NULL);
}
