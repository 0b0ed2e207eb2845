/* Two sweeps side by side: which target both are read at, what their ratios settle, in words and as
 * JSON. */
#include "engine/base/mem.h"
#include "engine/report/sides.h"
#include "engine/report/text/sides_text.h"
#include "tests/check.h"
#include "tests/unit/report_place.h"
#include <stdlib.h>

/* ---- handmade answers ---- */

/* {"value":V,"low":V/spread,"high":V*spread,"bound":0}; spread 0: no interval. */
static void value_into(bl_jw *w, const char *key, double value, double spread) {
    const bl_stats_value v = {value, spread > 0 ? value / spread : (double)NAN,
                              spread > 0 ? value * spread : (double)NAN, true, 0};
    bl_stats_value_json(w, key, &v);
}

typedef struct part {
    double target, b_crit, curve_b_crit;
    const double *batch_sizes, *steps;
    size_t count;
    double spread;
} part;

static void part_into(bl_jw *w, const part *p) {
    bl_jw_f64(w, "target", p->target);
    bl_jw_object(w, "critical");
    value_into(w, "b_crit", p->b_crit, p->spread);
    bl_jw_end(w);
    bl_jw_object(w, "curve");
    value_into(w, "s_min", 100, 0);
    value_into(w, "b_crit", p->curve_b_crit, 0);
    bl_jw_end(w);
    bl_jw_array(w, "batch_sizes");
    for (size_t i = 0; i < p->count; i++) {
        bl_jw_object(w, NULL);
        bl_jw_f64(w, "batch_size", p->batch_sizes[i]);
        bl_jw_f64(w, "learning_rate", 0.5);
        bl_jw_bool(w, "bracketed", true);
        value_into(w, "steps", p->steps[i], p->spread);
        bl_jw_end(w);
    }
    bl_jw_end(w);
}

/* The first part is the main target. */
static bl_buf answer(const char *metric, const part *parts, size_t count) {
    bl_buf out = {0};
    bl_jw w = bl_jw_open(&out);
    bl_jw_object(&w, NULL);
    bl_jw_str(&w, "experiment", "few");
    bl_jw_str(&w, "preset", "tiny");
    bl_jw_str(&w, "dataset", "none");
    bl_jw_str(&w, "metric", metric);
    bl_jw_bool(&w, "answered", true);
    part_into(&w, &parts[0]);
    bl_jw_array(&w, "easier_targets");
    for (size_t i = 1; i < count; i++) {
        bl_jw_object(&w, NULL);
        part_into(&w, &parts[i]);
        bl_jw_end(&w);
    }
    bl_jw_end(&w);
    bl_jw_end(&w);
    bl_jw_done(&w);
    return out;
}

/* Takes both texts. */
static bl_sides sides_of(bl_buf a, bl_buf b) {
    bl_sides sides = {0};
    CHECK_OK(bl_sides_read(&sides, 0, "few:one", bl_buf_text(&a), a.len, ERR));
    CHECK_OK(bl_sides_read(&sides, 1, "few:two", bl_buf_text(&b), b.len, ERR));
    CHECK_OK(bl_sides_join(&sides, ERR));
    bl_buf_free(&a);
    bl_buf_free(&b);
    return sides;
}

static const double k_first[] = {8, 16, 32}, k_second[] = {16, 32, 64};
static const double k_steps[] = {2000, 1000, 500}, k_fewer[] = {500, 500, 400};

static bl_sides two(const char *metric, double spread) {
    const part a = {0.1, 50, 50, k_first, k_steps, 3, spread};
    const part b = {0.1, 100, 60, k_second, k_fewer, 3, spread};
    return sides_of(answer("error", &a, 1), answer(metric, &b, 1));
}

/* ---- what is compared ---- */

static void rows_are_those_of_both(void **state) {
    (void)state;
    bl_sides s = two("error", 0);
    assert_true(s.comparable);
    assert_int_equal(s.row_count, 4);
    for (size_t i = 0; i < 4; i++) assert_true(s.rows[i].batch_size == (double)(8 << i));
    assert_true(isnan(s.rows[0].of[1].batch_size) && isnan(s.rows[3].of[0].batch_size));
    assert_true(!s.rows[0].steps.known && !s.rows[3].steps.known);
    check_close(s.rows[1].steps.value, 0.5, 1e-12);
    check_close(s.rows[2].steps.value, 1, 1e-12);
    assert_int_equal(bl_sides_judge(&s.rows[1].steps), BL_SIDES_UNKNOWN);
    bl_sides_free(&s);
}

/* Sides of sqrt(2) log 1.1 each; of two comparisons 2.2414 / 1.9600 times as wide. */
static void intervals_hold_together(void **state) {
    (void)state;
    bl_sides s = two("error", 1.1);
    const double one = sqrt(2) * log(1.1), both = one * 2.2414027276 / 1.9599639845;
    check_close(s.rows[1].steps.low, 0.5 * exp(-both), 1e-6);
    check_close(s.rows[1].steps.high, 0.5 * exp(both), 1e-6);
    check_close(s.critical[BL_STATS_B_CRIT].low, 2 * exp(-one), 1e-8);
    check_close(s.critical[BL_STATS_B_CRIT].high, 2 * exp(one), 1e-8);
    assert_int_equal(bl_sides_judge(&s.rows[1].steps), BL_SIDES_LESS);
    assert_int_equal(bl_sides_judge(&s.rows[2].steps), BL_SIDES_OPEN);
    assert_int_equal(bl_sides_judge(&s.critical[BL_STATS_B_CRIT]), BL_SIDES_MORE);
    bl_sides_free(&s);
}

static void another_metric_has_no_ratio_of_steps(void **state) {
    (void)state;
    bl_sides s = two("loss", 1.1);
    assert_true(!s.comparable);
    assert_string_equal(s.apart, "metric");
    for (size_t i = 0; i < s.row_count; i++) assert_true(!s.rows[i].steps.known);
    check_close(s.critical[BL_STATS_B_CRIT].value, 2, 1e-12);
    bl_sides_free(&s);
}

static void the_hardest_target_of_both_counts(void **state) {
    (void)state;
    const part a[] = {
        {0.1, 50, 50, k_first, k_steps, 3, 0},
        {0.2, 40, 40, k_first, k_fewer, 3, 0},
        {0.3, 30, 30, k_first, k_fewer, 1, 0}
    };
    const part b[] = {
        {0.2, 80, 80, k_first, k_fewer, 3, 0},
        {0.3, 70, 70, k_first, k_fewer, 1, 0}
    };
    const part other = {0.15, 80, 80, k_first, k_fewer, 3, 0};
    bl_sides s = sides_of(answer("error", a, 3), answer("error", b, 2));
    assert_true(s.comparable && s.side[0].target == 0.2 && s.side[1].target == 0.2);
    check_close(s.critical[BL_STATS_B_CRIT].value, 2, 1e-12);
    check_close(s.rows[0].steps.value, 1, 1e-12);
    bl_sides_free(&s);
    s = sides_of(answer("error", a, 3), answer("error", &other, 1));
    assert_true(!s.comparable && s.side[0].target == 0.1);
    assert_string_equal(s.apart, "target");
    bl_sides_free(&s);
}

/* The second's critical size is another than its curve's: it rests on something else. */
static void a_curve_that_is_not_the_answer_is_left_out(void **state) {
    (void)state;
    bl_sides s = two("error", 0);
    assert_true(s.side[0].curve.s_min == 100 && s.side[0].curve.p == BL_STATS_SHAPE_MOST);
    assert_true(isnan(s.side[1].curve.s_min));
    bl_sides_free(&s);
}

static void what_is_no_answer_is_refused(void **state) {
    (void)state;
    bl_err err;
    static const char *const texts[] = {"{}", "[1]", "{\"experiment\":\"a\"}", "no JSON"};
    for (size_t i = 0; i < BL_COUNT(texts); i++) {
        bl_sides s = {0};
        assert_int_equal(bl_sides_read(&s, 0, "a", texts[i], strlen(texts[i]), &err), BL_EFORMAT);
        bl_sides_free(&s);
    }
}

/* ---- what is said ---- */

static void words_say_what_is_settled(void **state) {
    (void)state;
    static const char *const wanted[] = {
        "A  few, preset tiny: no data, until error <= 0.1\n",
        "   16      0.5     1,000      0.5       500   0.5 (0.43 to 0.58)\n",
        "  critical         A 50 (45 to 55), B 100 (91 to 110), B / A 2 (1.7 to 2.3)\n",
        "  B takes fewer steps at batch size 16.\n",
        "  Steps cannot be told apart at batch size 32.\n",
        "  Critical batch size: larger in B, 2 (1.7 to 2.3) times A's.\n"};
    bl_sides s = two("error", 1.1);
    bl_buf text = {0};
    bl_sides_words(&text, &s);
    for (size_t i = 0; i < BL_COUNT(wanted); i++)
        if (strstr(bl_buf_text(&text), wanted[i]) == NULL)
            fail_msg("not said: %s in\n%s", wanted[i], bl_buf_text(&text));
    for (const char *at = bl_buf_text(&text); *at != '\0'; at += strcspn(at, "\n") + 1)
        assert_in_range(strcspn(at, "\n"), 0, 80);
    bl_buf_free(&text);
    bl_sides_free(&s);
}

static void json_has_ratios_and_verdicts(void **state) {
    (void)state;
    bl_sides s = two("error", 1.1);
    bl_buf text = {0};
    bl_json_doc doc;
    bl_sides_json(&text, &s);
    CHECK_OK(bl_json_parse(&doc, bl_buf_text(&text), text.len - 1, "json", 1, ERR));
    const bl_json *rows = bl_json_get(doc.root, "batch_sizes");
    assert_int_equal(rows->count, 4);
    assert_int_equal(bl_json_get(rows->first, "b")->type, BL_JSON_NULL);
    const bl_json *second = rows->first->next;
    check_close(bl_json_number(bl_json_get(second, "steps_ratio"), "value", 0), 0.5, 1e-9);
    assert_string_equal(bl_json_text(second, "steps_verdict", ""), "less");
    const bl_json *crit = bl_json_get(bl_json_get(doc.root, "critical"), "b_crit");
    assert_string_equal(bl_json_text(crit, "verdict", ""), "more");
    bl_json_free(&doc);
    bl_buf_free(&text);
    bl_sides_free(&s);
}

/* ---- a sweep's own answer, and the figure ---- */

static void a_sweep_is_like_itself(void **state) {
    place *p = *state;
    bl_report_model model =
        answer_of(p, (bl_report_fixture){.sizes = 6, .seeds = 3, .timing = true});
    bl_buf a = {0}, b = {0};
    bl_recommendation_json(&model, &a);
    bl_recommendation_json(&model, &b);
    bl_sides s = sides_of(a, b);
    assert_true(s.comparable && s.row_count == 6);
    for (size_t i = 0; i < s.row_count; i++) {
        check_close(s.rows[i].steps.value, 1, 1e-12);
        check_close(s.rows[i].seconds.value, 1, 1e-12);
    }
    assert_true(!isnan(s.side[0].curve.s_min));
    const bl_status drawn = bl_sides_write(&s, p->report, report_templates, ERR);
    if (drawn != BL_EUNSUPPORTED) {
        CHECK_OK(drawn);
        assert_true(in_report(p, "compare.svg") && in_report(p, "compare.pdf"));
    }
    bl_buf dat = contents(p, "compare.dat");
    assert_non_null(strstr(bl_buf_text(&dat), "# critical_2\n"));
    bl_buf_free(&dat);
    bl_sides_free(&s);
    bl_report_model_free(&model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_those_of_both),
        cmocka_unit_test(intervals_hold_together),
        cmocka_unit_test(another_metric_has_no_ratio_of_steps),
        cmocka_unit_test(the_hardest_target_of_both_counts),
        cmocka_unit_test(a_curve_that_is_not_the_answer_is_left_out),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(words_say_what_is_settled),
        cmocka_unit_test(json_has_ratios_and_verdicts),
        cmocka_unit_test_setup_teardown(a_sweep_is_like_itself, report_enter, report_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
