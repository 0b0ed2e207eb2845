/* Rules for the learning rate, and the regret of following one. */
#include "engine/stats/lr_rules.h"
#include "tests/check.h"
#include <math.h>

static void predictions(void **state) {
    (void)state;
    check_close(bl_lr_rule_predict(BL_LR_KEEP, 0.1, 64, 1024, 0, 0), 0.1, 1e-9);
    check_close(bl_lr_rule_predict(BL_LR_LINEAR, 0.1, 64, 1024, 0, 0), 1.6, 1e-9);
    check_close(bl_lr_rule_predict(BL_LR_SQRT, 0.1, 64, 1024, 0, 0), 0.4, 1e-9);
    /* At B = B_star half of the maximum, at B_star / 3 a quarter. */
    check_close(bl_lr_rule_predict(BL_LR_SATURATING, 0.1, 100, 300, 300, 1), 0.2, 1e-9);
    check_close(bl_lr_rule_predict(BL_LR_SATURATING, 0.1, 100, 300, 300, 0.5), 0.1 * sqrt(2), 1e-9);
    check_close(bl_lr_rule_predict(BL_LR_SATURATING, 0.1, 100, 1e15, 300, 1), 0.4, 1e-9);
    for (int rule = 0; rule < BL_LR_RULE_COUNT; rule++) {
        assert_non_null(bl_lr_rule_name(rule));
        check_close(bl_lr_rule_predict(rule, 0.3, 64, 64, 500, 1), 0.3, 1e-9);
    }
}

static void malladi(void **state) {
    (void)state;
    const bl_malladi base = {.lr = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    const bl_malladi four = bl_lr_malladi(&base, 4);
    check_close(four.lr, 2e-3, 1e-9);
    check_close(four.beta1, 0.6, 1e-9);
    check_close(four.beta2, 0.996, 1e-9);
    check_close(four.epsilon, 5e-9, 1e-9);
    assert_true(four.valid);
    assert_false(bl_lr_malladi(&base, 16).valid);
}

/* Surge: the square root far below B_n, highest there, and the inverse root far above. */
static void surge(void **state) {
    (void)state;
    const double peak = bl_lr_rule_predict(BL_LR_SURGE, 0.1, 100, 400, 400, 0);
    check_close(peak, 0.1 * (2 + 0.5) / 2, 1e-12);
    assert_true(bl_lr_rule_predict(BL_LR_SURGE, 0.1, 100, 350, 400, 0) < peak);
    assert_true(bl_lr_rule_predict(BL_LR_SURGE, 0.1, 100, 450, 400, 0) < peak);
    check_close(bl_lr_rule_predict(BL_LR_SURGE, 0.1, 1, 4, 1e12, 0), 0.2, 1e-9);
    check_close(bl_lr_rule_predict(BL_LR_SURGE, 0.1, 1e9, 4e9, 1, 0), 0.05, 1e-6);
    check_close(bl_lr_rule_predict(BL_LR_SURGE, 0.1, 100, 1600, 400, 0), 0.1, 1e-12);
}

/* Half of the average is as many examples old; the decay takes as many epochs. */
static void other_settings(void **state) {
    (void)state;
    const double examples = 64 * log(2) / -log(0.9);
    check_close(512 * log(2) / -log(bl_lr_half_life(0.9, 8)), examples, 1e-12);
    check_close(bl_lr_half_life(0.999, 4), bl_lr_malladi(&(bl_malladi){.beta2 = 0.999}, 4).beta2,
                1e-5);
    assert_true(bl_lr_half_life(0.9, 64) > 0);
    const double decay = bl_lr_weight_decay(0.01, 8, 0.1, 0.1 * sqrt(8));
    check_close(512 / (0.1 * sqrt(8) * decay), 64 / (0.1 * 0.01), 1e-12);
    check_close(bl_lr_weight_decay(0.01, 8, 0.1, 0.8), 0.01, 1e-12);
}

static void regret(void **state) {
    (void)state;
    const bl_lr_trial tried[] = {
        {0.1, 400     },
        {0.2, 200     },
        {0.4, 100     },
        {0.8, 300     },
        {1.6, INFINITY}
    };
    const struct {
        double lr, value;
        int bound;
    } cases[] = {
        {0.4,           1,       0},
        {0.1,           4,       0},
        {0.2 * sqrt(2), sqrt(2), 0}, /* half-way in logs between 200 and 100 */
        {0.05,          4,       1},
        {1.0,           3,       1}, /* 300 arrived, the next did not */
        {1.6,           3,       1},
        {9.9,           3,       1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const bl_stats_value v = bl_lr_regret(tried, 5, cases[i].lr);
        assert_true(v.known);
        assert_int_equal(v.bound, cases[i].bound);
        check_close(v.value, cases[i].value, 1e-9);
    }
}

static void regret_unknown(void **state) {
    (void)state;
    const bl_lr_trial falling[] = {
        {0.1, 400},
        {0.2, 200}
    };
    const bl_lr_trial lost[] = {
        {0.1, INFINITY},
        {0.2, INFINITY}
    };
    const bl_lr_trial gap[] = {
        {0.1, INFINITY},
        {0.2, INFINITY},
        {0.4, 100     },
        {0.8, 200     }
    };
    assert_false(bl_lr_regret(falling, 2, 0.3).known);
    assert_true(bl_lr_regret(falling, 2, 0.05).bound == 1);
    assert_false(bl_lr_regret(falling, 0, 0.3).known);
    assert_false(bl_lr_regret(lost, 2, 0.15).known);
    assert_false(bl_lr_regret(falling, 1, 0.05).known);
    check_close(bl_lr_regret(falling, 1, 0.1).value, 1, 1e-9);
    /* Between trials that both failed: no better than the best, and nothing more. */
    const bl_stats_value v = bl_lr_regret(gap, 4, 0.15);
    assert_true(v.known && v.bound == 1);
    check_close(v.value, 1, 1e-9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(predictions), cmocka_unit_test(malladi),
        cmocka_unit_test(surge),       cmocka_unit_test(other_settings),
        cmocka_unit_test(regret),      cmocka_unit_test(regret_unknown),
    };
    return cmocka_run_group_tests_name("stats_lr_rules", tests, NULL, NULL);
}
