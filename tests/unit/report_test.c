/* The report room against a handmade sweep whose answer is known. */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/report/figures/figures.h"
#include "engine/report/lr_regret.h"
#include "engine/report/lr_sensitivity.h"
#include "engine/report/recut.h"
#include "engine/report/text/labels.h"
#include "engine/report/text/sentences.h"
#include "tests/check.h"
#include "tests/unit/report_place.h"
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- the answer ---- */

/* S = 200 (1 + 1024 / B) and 1 ms + B / 64 ms a step: 16 384 saves most steps; B = 256 takes 1000
 * steps of 5 ms, the fastest and, with two threads each, the cheapest. */
static void three_optima(void **state) {
    bl_report_model a =
        answer_of(*state, (bl_report_fixture){.sizes = 10, .seeds = 3, .timing = true});
    assert_true(a.answered && a.timed);
    assert_int_equal(a.main.size_count, 10);
    assert_int_equal(a.main.best[BL_STATS_FEWEST_STEPS].index, 9);
    assert_int_equal(a.main.best[BL_STATS_FASTEST].index, 3);
    assert_int_equal(a.main.best[BL_STATS_CHEAPEST].index, 3);
    const bl_report_size *s = &a.main.sizes[3];
    assert_float_equal(s->learning_rate, 0x1p-9, 0);
    assert_float_equal(s->costs.cost[BL_STATS_FEWEST_STEPS].value, cbrt(1000.0 * 1005 * 1010),
                       1e-9);
    assert_float_equal(s->costs.cost[BL_STATS_FASTEST].value, (cbrt(1000.0 * 1005 * 1010) * 0.005),
                       1e-9);
    assert_float_equal(s->costs.cost[BL_STATS_CHEAPEST].value, (cbrt(1000.0 * 1005 * 1010) * 0.01),
                       1e-9);
    assert_float_equal(bl_report_money(&a, 3600), 0.04, 1e-12);
    assert_float_equal(bl_report_examples(s), (cbrt(1000.0 * 1005 * 1010) * 256), 1e-6);
    assert_true(isnan(bl_report_joules(s)));
    assert_float_equal(a.main.critical.of[BL_STATS_EFFICIENCY_50].value, 1024, 30);
    assert_int_equal(a.main.critical.noise, BL_STATS_NOISE_SEEDS);
    bl_report_model_free(&a);
}

static void the_words(void **state) {
    bl_report_model a = answer_of(*state, (bl_report_fixture){.sizes = 6,
                                                              .seeds = 1,
                                                              .timing = true,
                                                              .budgets = true,
                                                              .last_censored = true,
                                                              .first_at_edge = true});
    golden_report(&a, "largest_censored");
    bl_report_model_free(&a);
}

/* 256 is fastest with 5.025 s until it needs a second device for 2 s more; 128 takes 5.415 s. */
static void a_step_up_in_hardware(void **state) {
    bl_report_model a = answer_of(
        *state, (bl_report_fixture){.sizes = 6, .seeds = 3, .timing = true, .upfront = true});
    static const int64_t devices[] = {1, 1, 1, 2, 4, 8};
    for (size_t i = 0; i < 6; i++) assert_int_equal(a.main.sizes[i].devices, devices[i]);
    assert_int_equal(a.main.best[BL_STATS_FASTEST].index, 2);
    assert_int_equal(a.main.best[BL_STATS_CHEAPEST].index, 2);
    const bl_stats_value *cost = a.main.sizes[3].costs.cost;
    assert_float_equal(cost[BL_STATS_FASTEST].value, (cbrt(1000.0 * 1005 * 1010) * 0.005 + 2),
                       1e-9);
    assert_float_equal(cost[BL_STATS_CHEAPEST].value, (cbrt(1000.0 * 1005 * 1010) * 0.01 + 3.6),
                       1e-9);
    assert_true(cost[BL_STATS_FASTEST].low > 6.8 && cost[BL_STATS_FASTEST].high < 7.3);
    golden_report(&a, "second_device");
    bl_report_model_free(&a);
    a = answer_of(
        *state,
        (bl_report_fixture){.sizes = 6, .seeds = 1, .timing = true, .upfront = true, .logs = true});
    write_report(*state, &a);
    bl_buf dat = contents(*state, "curves_time.dat"); /* 500 steps of 5 ms and 1000, after 2 s */
    assert_non_null(strstr(dat.data, "\n4.5 0.24 0.24\n6.98 0.21 0.21\n7 0.19 0.19\n"));
    bl_buf_free(&dat);
    bl_report_model_free(&a);
    a = answer_of(*state, (bl_report_fixture){.sizes = 6, .seeds = 3, .timing = true});
    assert_int_equal(a.main.sizes[5].devices, 1);
    bl_report_model_free(&a);
}

/* 8.2, 8.8, 10.1, 12.5, 17.4 and 27.2 MiB: a device that is only begun is paid for. */
static void a_device_has_so_much_memory(void **state) {
    bl_report_model a = answer_of(
        *state, (bl_report_fixture){.sizes = 6, .seeds = 1, .timing = true, .device_memory = true});
    static const int64_t devices[] = {1, 1, 2, 2, 2, 4};
    for (size_t i = 0; i < 6; i++) assert_int_equal(a.main.sizes[i].devices, devices[i]);
    assert_float_equal(a.main.sizes[5].costs.cost[BL_STATS_FASTEST].value, 6.8 + 3, 1e-9);
    bl_report_model_free(&a);
}

/* Measured are 6605, 3405 and 1005: the last is furthest off, 1100 / 1005 - 1 = 9.5 %. */
static void beside_a_known_answer(void **state) {
    bl_report_model a =
        answer_of(*state, (bl_report_fixture){.sizes = 6, .seeds = 3, .known = true});
    golden_report(&a, "reference");
    assert_true(isnan(bl_report_reference_steps(&a, 128)) &&
                bl_report_reference_steps(&a, 256) == 1100);
    assert_false(a.reference_critical.segments.known); /* 16 and 4096 were not measured */
    bl_report_model_free(&a);
}

static void ties_are_named(void **state) {
    bl_report_model a =
        answer_of(*state, (bl_report_fixture){.sizes = 10, .seeds = 3, .timing = true});
    a.main.sizes[8].costs.tied[BL_STATS_FEWEST_STEPS] = true;
    a.main.best[BL_STATS_FEWEST_STEPS].tied = 1;
    golden_report(&a, "one_tie");
    a.main.sizes[6].costs.tied[BL_STATS_FEWEST_STEPS] = true;
    a.main.sizes[7].costs.tied[BL_STATS_FEWEST_STEPS] = true;
    a.main.best[BL_STATS_FEWEST_STEPS].tied = 3;
    golden_report(&a, "three_ties");
    a.main.best[BL_STATS_FEWEST_STEPS].judged = false;
    golden_report(&a, "ties_not_judged");
    bl_report_model_free(&a);
}

static void synthetic_data_comes_first(void **state) {
    bl_report_model a =
        answer_of(*state, (bl_report_fixture){.sizes = 4, .seeds = 1, .synthetic = true});
    golden_report(&a, "synthetic");
    write_report(*state, &a);
    bl_buf gp = contents(*state, "scaling.gp"), html = contents(*state, "report.html");
    assert_non_null(strstr(gp.data, "synthetic_text = 'SYNTHETIC DATA'"));
    assert_non_null(strstr(html.data, "<p class=\"synthetic\">SYNTHETIC DATA</p>"));
    bl_buf dat = contents(*state, "scaling.dat"), runs = contents(*state, "runs.csv");
    assert_memory_equal(dat.data, "# handmade (SYNTHETIC DATA)\n", 28);
    assert_non_null(strstr(bl_buf_text(&runs), ",handmade (SYNTHETIC DATA),,exp_rmspe\n"));
    bl_buf_free(&runs);
    bl_buf_free(&dat);
    bl_buf_free(&html);
    bl_buf_free(&gp);
    bl_report_model_free(&a);
}

/* Also where two data sets of one name differ: every file says which it was. */
static void the_data_is_named(void **state) {
    static const struct {
        const char *dataset, *variant;
        bool synthetic;
        const char *words;
    } rows[] = {
        {"cifar10",  "40000_of_50000", false, "cifar10 (40000_of_50000)" },
        {"mnist",    "",               false, "mnist"                    },
        {"rossmann", "full",           true,  "rossmann (SYNTHETIC DATA)"},
        {"sales",    "",               true,  "sales (SYNTHETIC DATA)"   },
        {"none",     "",               false, "no data"                  },
        {"",         "",               false, "no data"                  },
        {"",         "",               true,  "SYNTHETIC DATA"           },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bl_buf words = {0};
        bl_label_dataset(&words, rows[i].dataset, rows[i].variant, rows[i].synthetic);
        assert_string_equal(bl_buf_text(&words), rows[i].words);
        bl_buf_free(&words);
    }
    static const char *const files[] = {"report.html", "recommendation.txt", "runs.csv",
                                        "sizes.tex",   "critical.tex",       "scaling.dat"};
    bl_report_model a = answer_of(*state, (bl_report_fixture){.sizes = 4, .seeds = 1});
    write_report(*state, &a);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        bl_buf text = contents(*state, files[i]);
        if (strstr(bl_buf_text(&text), "handmade (full)") == NULL)
            fail_msg("%s does not name the data", files[i]);
        bl_buf_free(&text);
    }
    bl_report_model_free(&a);
}

static void without_timing(void **state) {
    bl_report_model a = answer_of(*state, (bl_report_fixture){.sizes = 5, .seeds = 2});
    assert_false(a.timed);
    assert_true(a.main.best[BL_STATS_FEWEST_STEPS].known);
    assert_false(a.main.best[BL_STATS_FASTEST].known);
    golden_report(&a, "without_timing");
    write_report(*state, &a);
    assert_false(in_report(*state, "time.gp"));
    assert_true(in_report(*state, "resources.gp"));
    bl_report_model_free(&a);
}

static void one_batch_size(void **state) {
    bl_report_model a =
        answer_of(*state, (bl_report_fixture){.sizes = 1, .seeds = 1, .timing = true});
    golden_report(&a, "one_batch_size");
    assert_false(a.main.critical.of[BL_STATS_EFFICIENCY_50].known);
    write_report(*state, &a);
    bl_report_model_free(&a);
}

static void nothing_reached(void **state) {
    bl_report_model a = answer_of(
        *state, (bl_report_fixture){.sizes = 4, .seeds = 2, .timing = true, .all_censored = true});
    assert_false(a.answered);
    golden_report(&a, "nothing_reached");
    write_report(*state, &a);
    bl_report_model_free(&a);
}

/* A sweep that compares fixed recipes asks for no target, and says what it found in notes. */
static void no_target_asked_for(void **state) {
    const place *p = *state;
    char path[BL_PATH];
    bl_report_model a;
    const char *plan =
        "{\"record\":\"plan\",\"format\":1,\"experiment\":\"fixture\",\"preset\":\"\","
        "\"title\":\"\",\"metric\":\"\",\"optimizer\":\"sgd\",\"targets\":[0.4],"
        "\"epoch_rows\":0,\"dataset\":{\"name\":\"none\",\"synthetic\":false,"
        "\"variant\":\"\",\"sha256\":\"\"},\"cost\":{\"per_core_hour\":null,"
        "\"currency\":\"\",\"device_batch_size\":0,\"device_memory\":0,"
        "\"upfront_core_hours\":0,\"upfront_seconds\":0}}\n"
        "{\"record\":\"round\",\"round\":1,\"title\":\"\",\"race\":false,\"slack\":1}\n"
        "{\"record\":\"trial\",\"round\":1,\"run\":\"00\",\"set\":{},\"batch_size\":64,"
        "\"learning_rate\":0.001,\"seed\":1,\"max_steps\":9,\"target\":null,"
        "\"outcome\":\"budget\",\"steps\":9,\"hit\":0,\"before\":0,\"reason\":\"\"}\n"
        "{\"record\":\"trial\",\"round\":1,\"run\":\"01\",\"set\":{},\"batch_size\":4096,"
        "\"learning_rate\":0.001,\"seed\":1,\"max_steps\":9,\"target\":null,"
        "\"outcome\":\"memory\",\"steps\":0,\"hit\":0,\"before\":0,\"reason\":\"\"}\n"
        "{\"record\":\"decision\",\"round\":1,\"kind\":\"note\","
        "\"text\":\"batch 64 comes to 0.3\"}\n";
    CHECK_OK(bl_path(path, ERR, "%s/plan.jsonl", p->runs));
    CHECK_OK(bl_file_write(path, plan, strlen(plan), ERR));
    CHECK_OK(bl_report_analyse(&a, p->runs, ERR));
    assert_true(a.answered);
    golden_report(&a, "no_target");
    write_report(p, &a);
    assert_false(in_report(p, "scaling.gp"));
    bl_report_model_free(&a);
}

static void budgets_of_every_kind(void **state) {
    bl_report_model a = answer_of(
        *state, (bl_report_fixture){.sizes = 4, .seeds = 1, .budgets = true, .all_budgets = true});
    assert_int_equal(a.budget_count, 16);
    golden_report(&a, "budgets");
    bl_report_model_free(&a);
}

static void a_mark_without_limits_says_so(void **state) {
    bl_report_model a = answer_of(*state, (bl_report_fixture){.sizes = 6, .seeds = 3});
    a.main.critical.of[BL_STATS_EFFICIENCY_50] =
        (bl_stats_value){500, 0, (double)INFINITY, true, 0};
    write_report(*state, &a);
    bl_buf gp = contents(*state, "scaling.gp");
    assert_non_null(strstr(gp.data, "= 'half efficiency'\nmark_text[4] = '500 (open)'\n"));
    bl_buf_free(&gp);
    bl_report_model_free(&a);
}

/* Sizes are 32 to 1,024: an interval from below them to 800 leaves its numbers no room, and one up
 * to 300 has more on its right. */
static void a_mark_without_room_says_its_interval(void **state) {
    bl_report_model a = answer_of(*state, (bl_report_fixture){.sizes = 6, .seeds = 3});
    a.main.critical.of[BL_STATS_OVERHEAD_20] = (bl_stats_value){250, 0, 800, true, 0};
    a.main.critical.of[BL_STATS_EFFICIENCY_50] = (bl_stats_value){250, 200, 300, true, 0};
    write_report(*state, &a);
    bl_buf gp = contents(*state, "scaling.gp");
    assert_non_null(strstr(gp.data, "mark_low[2] = 250\nmark_high[2] = 250\n"));
    assert_non_null(strstr(gp.data, "= '20 % overhead'\nmark_text[2] = '300 (up to 800)'\n"));
    assert_non_null(strstr(gp.data, "mark_low[4] = 200\nmark_high[4] = 300\n"));
    assert_non_null(strstr(gp.data, "= 'half efficiency'\nmark_text[4] = '250 (200 to 300)'\n"));
    bl_buf_free(&gp);
    bl_report_model_free(&a);
}

/* The ring of the best rate stands on the curve of its batch size, also where seeds scatter. */
static void best_rates_lie_on_their_curves(void **state) {
    bl_report_model a = answer_of(*state, (bl_report_fixture){.sizes = 4, .seeds = 3});
    a.main.sizes[1].costs.cost[BL_STATS_FEWEST_STEPS].value *= 1.3;
    write_report(*state, &a);
    bl_buf dat = contents(*state, "lr_sensitivity.dat");
    char *best = strstr(dat.data, "# best\n"), *row = strchr(strchr(best, '\n') + 1, '\n') + 1;
    *best = '\0';
    size_t rows = 0;
    for (char *end; (end = strchr(row, '\n')) != NULL; row = end + 1, rows++) {
        *end = '\0';
        if (*row == '\0' || strstr(dat.data, row) == NULL) fail_msg("not on a curve: %s", row);
    }
    assert_int_equal(rows, 4);
    bl_buf_free(&dat);
    bl_report_model_free(&a);
}

/* Of the rates that were stopped the ones beside those that arrived are drawn. */
static void far_stopped_rates_are_not_drawn(void **state) {
    bl_report_model a = answer_of(*state, (bl_report_fixture){.sizes = 4, .seeds = 1});
    for (size_t i = 0; i < a.rate_count; i++) {
        bl_sensitivity_rate *r = &a.rates[i];
        if (r->batch_size != 32) continue;
        r->steps = r->learning_rate == 0x1p-9 ? 9000 : HUGE_VAL;
        r->ran = 7000;
    }
    write_report(*state, &a);
    bl_buf dat = contents(*state, "lr_sensitivity.dat");
    assert_non_null(strstr(dat.data, "0.00048828125 7000 1 1 0\n0.0009765625 7000 1 1 1\n"));
    assert_non_null(strstr(dat.data, "0.001953125 9000 1 0 1\n"));
    bl_buf_free(&dat);
    bl_report_model_free(&a);
}

/* 0 has no place on a logarithmic axis and wins all the same. */
static void a_budget_that_ends_at_zero(void **state) {
    bl_report_model a =
        answer_of(*state, (bl_report_fixture){.sizes = 3, .seeds = 1, .budgets = true});
    write_report(*state, &a);
    bl_buf text = contents(*state, "budgets.dat"), gp = contents(*state, "budgets.gp");
    assert_non_null(strstr(text.data,
                           "# zero\n# batch_size value low high learning_rate steps curve\n"
                           "NaN NaN NaN NaN NaN NaN NaN\n"));
    assert_non_null(strstr(gp.data, "has_zero = 0\n"));
    bl_buf_free(&gp);
    bl_buf_free(&text);
    for (size_t i = 0; i < a.budget_count; i++)
        if (a.budgets[i].best) a.budgets[i].value = 0;
    write_report(*state, &a);
    text = contents(*state, "budgets.dat");
    gp = contents(*state, "budgets.gp");
    assert_non_null(strstr(text.data,
                           "# zero\n# batch_size value low high learning_rate steps curve\n"
                           "64 0 0.13 0.17 0.0009765625 100 1\n"
                           "128 0 0.08 0.12 0.001953125 100 2\n"));
    assert_non_null(strstr(gp.data, "has_zero = 1\n"));
    assert_null(strstr(gp.data, "y_low = 0\n"));
    bl_buf_free(&gp);
    bl_buf_free(&text);
    bl_report_model_free(&a);
}

/* Rates beside the best take 1.25 times the steps: told apart where runs scatter little. */
static void rates_that_tie(void **state) {
    bl_report_model a = answer_of(*state, (bl_report_fixture){.sizes = 6, .seeds = 3});
    double rates[8];
    assert_int_equal(bl_sensitivity_tied(&a, 3, rates, 8), 0);
    a.main.critical.scatter = 0.2;
    /* The rate on the other side was cut in its race and is known to need more. */
    assert_int_equal(bl_sensitivity_tied(&a, 3, rates, 8), 1);
    assert_true(rates[0] != a.main.sizes[3].learning_rate);
    assert_int_equal(bl_sensitivity_tied(&a, 3, rates, 0), 0);
    bl_buf text = {0};
    bl_sentences(&text, &a);
    assert_non_null(strstr(bl_buf_text(&text), "At batch size 1,024, learning rate"));
    assert_non_null(strstr(bl_buf_text(&text), " cannot be told apart from the best.\n"));
    bl_buf_free(&text);
    a.main.critical.scatter_freedom = 0;
    assert_int_equal(bl_sensitivity_tied(&a, 3, rates, 8), 0);
    bl_report_model_free(&a);
}

/* Regrets of up to 1.25 are read from the rates tried; what the sweep ran itself goes before them.
 */
static void rules_are_judged(void **state) {
    bl_report_model a =
        answer_of(*state, (bl_report_fixture){.sizes = 8, .seeds = 3, .timing = true});
    const bl_regret_summary keep = bl_regret_sum(&a, BL_PLAN_KEEP);
    assert_true(keep.sizes == 7 && keep.worst > 1.2 && keep.worst <= 1.25 && keep.mean_is_bound);
    assert_true(bl_regret_sum(&a, BL_PLAN_SATURATING).sizes > 0);
    const double b_crit = a.main.critical.of[BL_STATS_B_CRIT].value; /* 1024 or nearly */
    const double sgd = 0x1p-10 * (1 + b_crit / 32) / (1 + b_crit / 1024);
    assert_float_equal(bl_regret_rate(&a, BL_PLAN_SATURATING, 1024), sgd, 1e-12);
    a.plan.head.optimizer = "adamw";
    assert_float_equal(bl_regret_rate(&a, BL_PLAN_SATURATING, 1024), sqrt(sgd * 0x1p-10), 1e-12);
    assert_int_equal(bl_regret_sum(&a, BL_PLAN_MALLADI).sizes, 0);
    bl_report_model_free(&a);
    a = answer_of(*state,
                  (bl_report_fixture){.sizes = 8, .seeds = 3, .timing = true, .rules = true});
    assert_int_equal(a.regret_count, 2);
    golden_report(&a, "rules_that_ran");
    write_report(*state, &a);
    bl_buf csv = contents(*state, "rules.csv");
    assert_string_equal(csv.data, "rule,batch_size,learning_rate,regret,at_least,from\n"
                                  "square_root,64,0.002,1.1,0,runs\nmalladi,128,0.003,4,1,runs\n");
    bl_buf_free(&csv);
    bl_report_model_free(&a);
}

/* ---- the runs' logs ---- */

/* Two series under one target: each has its own curve; the last one is what the rest shows. */
static void series_apart(void **state) {
    bl_report_model a = answer_of(
        *state, (bl_report_fixture){.sizes = 8, .seeds = 3, .timing = true, .series = true});
    assert_int_equal(a.series_count, 2);
    assert_string_equal(a.series[0].name, "sgd");
    const bl_report_target *sgd = &a.series[0].main, *adam = &a.series[1].main;
    assert_int_equal(sgd->size_count, 8);
    assert_float_equal(sgd->sizes[0].points[2].steps, 12800, 0);
    assert_float_equal(sgd->critical.of[BL_STATS_PERFECT_END].value, 140.8f, 1);
    assert_float_equal(adam->critical.of[BL_STATS_EFFICIENCY_50].value, 1024, 30);
    assert_int_equal(a.main.size_count, 8);
    assert_float_equal(a.main.critical.of[BL_STATS_EFFICIENCY_50].value,
                       adam->critical.of[BL_STATS_EFFICIENCY_50].value, 0);
    assert_float_equal(a.main.sizes[0].learning_rate, adam->sizes[0].learning_rate, 0);
    assert_int_equal(a.budget_count, 2);
    assert_true(a.budgets[0].best && a.budgets[1].best);
    golden_report(&a, "series");
    bl_report_model_free(&a);
}

/* Names that begin alike are two series, however long they are. */
static void long_names_stay_apart(void **state) {
    bl_report_model a = answer_of(
        *state, (bl_report_fixture){.sizes = 8, .seeds = 3, .series = true, .long_names = true});
    assert_int_equal(a.series_count, 2);
    assert_string_equal(strrchr(a.series[0].name, ' '), " sgd");
    assert_string_equal(strrchr(a.series[1].name, ' '), " adam");
    assert_int_equal(a.series[0].main.size_count, 8);
    assert_int_equal(a.series[1].main.size_count, 8);
    bl_report_model_free(&a);
}

/* The series that was asked last reached nothing: the answer is the other's, and says so. */
static void the_best_series_answers(void **state) {
    bl_report_model a = answer_of(
        *state, (bl_report_fixture){
                    .sizes = 8, .seeds = 3, .timing = true, .series = true, .all_censored = true});
    assert_true(a.answered);
    assert_int_equal(a.main_series, 0);
    assert_float_equal(a.main.sizes[0].learning_rate, 0.5, 0);
    assert_int_equal(bl_report_winner_of(&a, BL_STATS_FASTEST).series, 0);
    golden_report(&a, "best_series");
    write_report(*state, &a);
    bl_buf html = contents(*state, "report.html");
    assert_non_null(strstr(html.data, "Table and figures: series sgd"));
    bl_buf_free(&html);
    bl_report_model_free(&a);
}

/* One seed gives no intervals, but 3,200 steps are 3,200 steps. */
static void equal_steps_are_named(void **state) {
    bl_report_model a = answer_of(
        *state, (bl_report_fixture){.sizes = 5, .seeds = 1, .series = true, .all_censored = true});
    assert_false(a.main.best[BL_STATS_FEWEST_STEPS].judged);
    golden_report(&a, "equal_steps");
    bl_report_model_free(&a);
}

/* Each goal has its own winner: adam needs fewer steps, sgd's are made the cheapest. */
static void each_goal_has_its_series(void **state) {
    bl_report_model a = answer_of(
        *state, (bl_report_fixture){.sizes = 8, .seeds = 3, .timing = true, .series = true});
    assert_int_equal(a.main_series, 1);
    bl_report_target *sgd = &a.series[0].main;
    sgd->sizes[sgd->best[BL_STATS_CHEAPEST].index].costs.cost[BL_STATS_CHEAPEST].value = 1e-3;
    assert_int_equal(bl_report_winner_of(&a, BL_STATS_FEWEST_STEPS).series, 1);
    assert_int_equal(bl_report_winner_of(&a, BL_STATS_CHEAPEST).series, 0);
    golden_report(&a, "two_winners");
    bl_report_model_free(&a);
}

/* A sweep's notes are the last thing in the text and a section of report.html. */
static void notes_are_shown(void **state) {
    bl_report_model a = answer_of(*state, (bl_report_fixture){.sizes = 4, .seeds = 1});
    const char *said[] = {"a note of one's own", "<b> is text"};
    const char **own = a.notes;
    a.notes = said;
    a.note_count = 2;
    golden_report(&a, "notes");
    write_report(*state, &a);
    bl_buf html = contents(*state, "report.html");
    assert_non_null(strstr(html.data,
                           "<h2 id=\"notes\">Notes of the sweep</h2>\n<ul>\n<li>a note of one's own"
                           "</li>\n<li>&lt;b&gt; is text</li>\n</ul>"));
    bl_buf_free(&html);
    a.notes = own;
    a.note_count = 0;
    bl_report_model_free(&a);
}

/* Series that share a budget are named by the curves, the budget by the axis. */
static void budgets_of_series(void **state) {
    bl_report_model a =
        answer_of(*state, (bl_report_fixture){.sizes = 3, .seeds = 1, .series = true});
    write_report(*state, &a);
    bl_buf gp = contents(*state, "budgets.gp");
    assert_non_null(strstr(gp.data, "budget_text[1] = 'sgd'\n"));
    assert_non_null(strstr(gp.data, "y_text = 'exp_rmspe within 9 steps'\n"));
    bl_buf_free(&gp);
    a.budgets[1].amount = 8;
    write_report(*state, &a);
    gp = contents(*state, "budgets.gp");
    assert_non_null(strstr(gp.data, "budget_text[1] = 'sgd, 9 steps'\n"));
    assert_non_null(strstr(gp.data, "y_text = 'exp_rmspe'\n"));
    bl_buf_free(&gp);
    bl_report_model_free(&a);
}

/* The logs pass 0.25 at half the steps of 0.2: the same curve at half the height. */
static void easier_targets_from_the_same_runs(void **state) {
    bl_report_model a = answer_of(
        *state, (bl_report_fixture){
                    .sizes = 10, .seeds = 3, .timing = true, .last_censored = true, .logs = true});
    assert_int_equal(a.easier_count, 1);
    const bl_report_target *t = &a.easier[0];
    assert_float_equal(t->target, 0.25, 0);
    assert_int_equal(t->size_count, 10);
    for (size_t i = 0; i < 10; i++) {
        const bl_report_size *s = &t->sizes[i];
        assert_float_equal(s->learning_rate, a.main.sizes[i].learning_rate, 0);
        assert_int_equal(s->count, 3);
        assert_true(s->bracketed);
        assert_float_equal(s->points[0].steps, floor(a.main.sizes[i].points[0].steps / 2), 0);
        assert_false(s->points[0].censored);
    }
    assert_float_equal(t->critical.of[BL_STATS_EFFICIENCY_50].value, 1024, 30);
    assert_float_equal(t->critical.hyperbola.s_min.value, 100, 3);
    assert_float_equal(t->sizes[3].costs.cost[BL_STATS_FASTEST].value,
                       (cbrt(500.0 * 502 * 505) * 0.005), 1e-9);
    const bl_report_target hard = bl_report_target_at(&a, 1);
    assert_true(hard.target == 0.2 && hard.sizes == a.main.sizes);
    bl_report_model_free(&a);
}

static void drop(bl_report_model *a, double batch_size, double learning_rate) {
    for (size_t i = 0; i < a->trial_count; i++)
        if (a->trials[i].batch_size == batch_size && a->trials[i].learning_rate == learning_rate)
            a->trials[i].is_comparison = true;
}

/* 32 without the higher rate, 64 without the lower one, 128 with both. */
static void bracketed_needs_both_sides(void **state) {
    bl_report_model a =
        answer_of(*state, (bl_report_fixture){.sizes = 3, .seeds = 2, .logs = true});
    drop(&a, 32, 0x1p-9);
    drop(&a, 64, 0x1p-11);
    bl_report_bests bests;
    bl_recut_bests(&bests, &a, 0.25);
    assert_int_equal(bests.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_float_equal(bests.best[i].learning_rate, a.main.sizes[i].learning_rate, 0);
        assert_int_equal(bests.best[i].runs, 2);
        assert_int_equal(bests.best[i].bracketed, i == 2);
    }
    bl_report_bests_free(&bests);
    bl_report_model_free(&a);
}

/* Other sweeps on the same store may have continued a run: 0.1 lies beyond this plan. */
static void only_what_was_asked(void **state) {
    bl_report_model a =
        answer_of(*state, (bl_report_fixture){.sizes = 4, .seeds = 3, .logs = true});
    assert_int_equal(a.run_count, 4 * 5);
    for (size_t i = 0; i < a.run_count; i++) {
        assert_int_equal(a.runs[i].evals, 3);
        assert_true(i == 0 || strcmp(a.runs[i - 1].run, a.runs[i].run) < 0);
    }
    const bl_report_run *run = bl_report_typical_run(&a, &a.main.sizes[2]);
    assert_float_equal(run->eval[2].step, 1805, 0); /* 1800, 1805, 1810: the median seed */
    bl_report_model_free(&a);
}

/* Steps 6650 .. 6680 and 1050 .. 1080; a step takes 1.5 ms and 5 ms, with 2 % scatter that cancels.
 * After one epoch all runs stand at 0.24. */
static void a_pair_on_fresh_seeds(void **state) {
    const bl_report_fixture fixture = {
        .sizes = 6, .seeds = 3, .timing = true, .pair = true, .logs = true};
    bl_report_model a = answer_of(*state, fixture);
    const bl_report_pair *p = &a.pairs[0];
    assert_int_equal(a.pair_count, 1);
    assert_true(p->seeds == 7 && p->reached == 7 && p->valued == 7);
    assert_float_equal(p->steps.value, 1065.0 / 6665, 1e-12);
    assert_float_equal(p->steps.low, 1050.0 / 6650, 1e-12);
    assert_float_equal(p->steps.high, 1080.0 / 6680, 1e-12);
    assert_float_equal(p->examples.value, 8520.0 / 6665, 1e-12);
    assert_float_equal(p->time.value, 3550.0 / 6665, 1e-12);
    assert_float_equal(p->difference.value, 0, 0);
    golden_report(&a, "pair");
    /* The fresh seeds take no part in anything else. */
    bl_report_model b = answer_of(
        *state, (bl_report_fixture){.sizes = 6, .seeds = 3, .timing = true, .logs = true});
    assert_int_equal(a.main.sizes[3].count, b.main.sizes[3].count);
    assert_true(a.regret_count > 0 && a.regret_count == b.regret_count);
    for (size_t i = 0; i < a.regret_count; i++)
        assert_memory_equal(&a.regrets[i].regret, &b.regrets[i].regret, sizeof(double));
    assert_int_equal(a.easier[0].sizes[3].count, b.easier[0].sizes[3].count);
    bl_report_model_free(&a);
    bl_report_model_free(&b);
}

static void damaged_log(void **state) {
    const place *p = *state;
    bl_report_fixture fixture = {.sizes = 3, .seeds = 1, .logs = true};
    char path[BL_PATH];
    bl_err err = {0};
    bl_report_model a;
    CHECK_OK(bl_report_fixture_write(&fixture, p->runs, ERR));
    CHECK_OK(bl_path(path, ERR, "%s/r000000010001/log.jsonl.gz", p->runs));
    CHECK_OK(bl_file_write(path, "no gzip", 7, ERR));
    assert_int_equal(bl_report_analyse(&a, p->runs, &err), BL_EFORMAT);
    assert_non_null(strstr(err.text, "r000000010001/log.jsonl.gz"));
    assert_int_equal(unlink(path), 0);
    CHECK_OK(bl_report_analyse(&a, p->runs, &err)); /* one curve less, nothing else */
    assert_null(bl_report_typical_run(&a, &a.main.sizes[0]));
    assert_non_null(bl_report_typical_run(&a, &a.main.sizes[1]));
    bl_report_model_free(&a);
}

static void figures_from_logs_are_exact(void **state) {
    bl_report_model a = answer_of(
        *state, (bl_report_fixture){.sizes = 3, .seeds = 1, .timing = true, .logs = true});
    write_report(*state, &a);
    const struct {
        const char *file, *part;
    } expected[] = {
        {"curves_steps.dat",    "# size_2\n# steps best_so_far value\n"
                             "# batch size 64, learning rate 0.0009765625, run r000100010001\n"
                             "1700 0.24 0.24\n3396 0.21 0.21\n3400 0.19 0.19\n"},
        {"curves_examples.dat", "108800 0.24 0.24\n217344 0.21 0.21\n217600 0.19 0.19\n"                   },
        {"curves_time.dat",     "# time in s\n"                                                            },
        {"curves_time.dat",     "\n3.4 0.24 0.24\n6.792 0.21 0.21\n6.8 0.19 0.19\n"                        },
        {"lr_sensitivity.dat",  "# arrived_1\n# learning_rate steps trials arrived shown\n"
                               "# batch size 32\n0.00048828125 8250 1 1 1\n"
                               "0.0009765625 6600 1 1 1\n\n\n# lost_1\n"
                               "# learning_rate at_least trials arrived shown\n"
                               "# batch size 32\n0.001953125 8250 1 0 1\n"   },
        {"pareto.dat",          "# target_1\n"                                                             },
        {"pareto.dat",          "# target 0.25\n32 3300 NaN NaN 105600 NaN NaN 0.0009765625\n"             },
        {"pareto.dat",          "# target 0.2\n32 6600 NaN NaN 211200 NaN NaN 0.0009765625\n"              },
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        bl_buf text = contents(*state, expected[i].file);
        if (strstr(text.data, expected[i].part) == NULL)
            fail_msg("%s lacks %s", expected[i].file, expected[i].part);
        bl_buf_free(&text);
    }
    bl_report_model_free(&a);
}

/* The metric rises on the way: the line stays where it was. */
static void best_so_far_does_not_rise(void **state) {
    bl_report_model a =
        answer_of(*state, (bl_report_fixture){.sizes = 1, .seeds = 1, .logs = true});
    const bl_report_run *run = bl_report_typical_run(&a, &a.main.sizes[0]);
    a.runs[run - a.runs].eval[1].value = 0.3;
    write_report(*state, &a);
    bl_buf text = contents(*state, "curves_steps.dat");
    assert_non_null(strstr(text.data, "3300 0.24 0.24\n6596 0.24 0.3\n6600 0.19 0.19\n"));
    bl_buf_free(&text);
    bl_report_model_free(&a);
}

/* ---- colours, lines, ticks ---- */

static void expect_settings(bl_buf *gp, const char *expected) {
    assert_string_equal(bl_buf_text(gp), expected);
    bl_buf_clear(gp);
}

/* The ends and the middle are stops of the scale, the rest lies between its neighbours. */
static void colours_run_from_dark_to_light(void **state) {
    (void)state;
    bl_buf gp = {0};
    bl_gp_palette(&gp, "c", 3);
    expect_settings(&gp, "array c[3]\nc[1] = '#440154'\nc[2] = '#21918c'\nc[3] = '#deb41e'\n");
    bl_gp_palette(&gp, "c", 1);
    expect_settings(&gp, "array c[1]\nc[1] = '#440154'\n");
    bl_gp_palette(&gp, "c", 0);
    expect_settings(&gp, "array c[1]\n");
    bl_gp_palette(&gp, "c", 9);
    assert_non_null(strstr(bl_buf_text(&gp), "c[1] = '#440154'\nc[2] = '#402a70'\n"));
    bl_buf_free(&gp);
}

static void lines_are_chosen_evenly(void **state) {
    (void)state;
    static const size_t of_25[BL_FIGURE_LINES] = {0, 2, 5, 8, 10, 13, 16, 18, 21, 24};
    size_t index[BL_FIGURE_LINES];
    assert_int_equal(bl_figure_choose(25, index), BL_FIGURE_LINES);
    assert_memory_equal(index, of_25, sizeof index);
    assert_int_equal(bl_figure_choose(1, index), 1);
    assert_int_equal(index[0], 0);
    assert_int_equal(bl_figure_choose(3, index), 3);
    assert_int_equal(index[2], 2);
    assert_int_equal(bl_figure_choose(0, index), 0);
}

static void ticks_are_few_and_round(void **state) {
    (void)state;
    bl_buf gp = {0};
    bl_gp_axis(&gp, "x", &(bl_axis){1000, 100000}, 0, 0, BL_TICKS_SHORT);
    expect_settings(&gp, "set xrange [1000:100000]\nset xtics ('1k' 1000, '2k' 2000, '5k' 5000, "
                         "'10k' 10000, '20k' 20000, '50k' 50000, '100k' 100000)\n"
                         "x_linear = \"set xrange [0:100000]; set xtics ('0' 0, '20k' 20000, "
                         "'40k' 40000, '60k' 60000, '80k' 80000, '100k' 100000)\"\n");
    bl_gp_axis(&gp, "x", &(bl_axis){1, 10000}, 0, 0, BL_TICKS_SHORT);
    expect_settings(&gp, "set xrange [1:10000]\nset xtics ('1' 1, '10' 10, '100' 100, "
                         "'1k' 1000, '10k' 10000)\n"
                         "x_linear = \"set xrange [0:10000]; set xtics ('0' 0, '2,000' 2000, "
                         "'4,000' 4000, '6,000' 6000, '8,000' 8000, '10,000' 10000)\"\n");
    bl_gp_axis(&gp, "y", &(bl_axis){1, 4}, 0, 1, BL_TICKS_POWERS);
    expect_settings(
        &gp, "set yrange [1:8]\nset ytics ('2^{0}' 1, '2^{1}' 2, '2^{2}' 4, '2^{3}' 8)\n"
             "y_linear = \"set yrange [0:8]; set ytics ('0' 0, '2' 2, '4' 4, '6' 6, '8' 8)\"\n");
    bl_gp_axis(&gp, "x", &(bl_axis){1, 512}, 0, 0, BL_TICKS_PLAIN);
    expect_settings(&gp,
                    "set xrange [1:512]\nset xtics ('1' 1, '4' 4, '16' 16, '64' 64, '256' 256)\n"
                    "x_linear = \"set xrange [0:512]; set xtics ('0' 0, '100' 100, '200' 200, "
                    "'300' 300, '400' 400, '500' 500)\"\n");
    bl_gp_axis(&gp, "x", &(bl_axis){512, 2048}, 0, 0, BL_TICKS_PLAIN);
    expect_settings(&gp, "set xrange [512:2048]\nset xtics ('512' 512, '1,024' 1024, "
                         "'2,048' 2048)\n"
                         "x_linear = \"set xrange [0:2048]; set xtics ('0' 0, '500' 500, '1,000' "
                         "1000, '1,500' 1500, '2,000' 2000)\"\n");
    bl_buf_free(&gp);
}

/* From the smallest size that failed to the right edge, and not at all where that is not seen. */
static void what_does_not_fit_is_shaded(void **state) {
    (void)state;
    static const struct {
        double failed;
        const char *drawn; /* "": nothing */
    } cases[] = {
        {1000, "from 1000, graph 0 to 1448.15469"     },
        {20,   "from 22.627417, graph 0 to 1448.15469"}, /* the left edge */
        {1448, "from 1448, graph 0 to 1448.15469"     },
        {1449, ""                                     },
        {0,    ""                                     }, /* everything ran */
    };
    const bl_axis axis = {32, 1024};
    bl_report_model *m = bl_xalloc(sizeof *m);
    for (size_t i = 0; i < 2 * BL_COUNT(cases); i++) {
        bl_buf gp = {0};
        const char *drawn = i < BL_COUNT(cases) ? cases[i].drawn : ""; /* not known: nothing */
        m->machine.known = i < BL_COUNT(cases);
        m->machine.failed = cases[i % BL_COUNT(cases)].failed;
        bl_gp_too_large(&gp, m, &axis);
        if (drawn[0] == '\0' ? gp.len > 0 : strstr(bl_buf_text(&gp), drawn) == NULL)
            fail_msg("failed at %g: %s", m->machine.failed, bl_buf_text(&gp));
        bl_buf_free(&gp);
    }
    free(m);
}

int main(void) {
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, report_enter, report_leave)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(three_optima),
        IN_FOLDER(the_words),
        IN_FOLDER(ties_are_named),
        IN_FOLDER(synthetic_data_comes_first),
        IN_FOLDER(the_data_is_named),
        IN_FOLDER(without_timing),
        IN_FOLDER(one_batch_size),
        IN_FOLDER(nothing_reached),
        IN_FOLDER(no_target_asked_for),
        IN_FOLDER(series_apart),
        IN_FOLDER(long_names_stay_apart),
        IN_FOLDER(budgets_of_series),
        IN_FOLDER(the_best_series_answers),
        IN_FOLDER(each_goal_has_its_series),
        IN_FOLDER(equal_steps_are_named),
        IN_FOLDER(notes_are_shown),
        IN_FOLDER(easier_targets_from_the_same_runs),
        IN_FOLDER(a_step_up_in_hardware),
        IN_FOLDER(beside_a_known_answer),
        IN_FOLDER(budgets_of_every_kind),
        IN_FOLDER(best_rates_lie_on_their_curves),
        IN_FOLDER(far_stopped_rates_are_not_drawn),
        IN_FOLDER(a_mark_without_limits_says_so),
        IN_FOLDER(a_mark_without_room_says_its_interval),
        IN_FOLDER(a_budget_that_ends_at_zero),
        IN_FOLDER(rates_that_tie),
        IN_FOLDER(rules_are_judged),
        IN_FOLDER(a_pair_on_fresh_seeds),
        IN_FOLDER(only_what_was_asked),
        IN_FOLDER(damaged_log),
        IN_FOLDER(figures_from_logs_are_exact),
        IN_FOLDER(a_device_has_so_much_memory),
        IN_FOLDER(bracketed_needs_both_sides),
        IN_FOLDER(best_so_far_does_not_rise),
        cmocka_unit_test(colours_run_from_dark_to_light),
        cmocka_unit_test(lines_are_chosen_evenly),
        cmocka_unit_test(what_does_not_fit_is_shaded),
        cmocka_unit_test(ticks_are_few_and_round),
    };
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
