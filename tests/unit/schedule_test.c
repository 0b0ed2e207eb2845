/* Schedules at their corners, against closed forms, and past their end. */
#include "engine/base/mem.h"
#include "engine/optim/schedule.h"
#include "tests/check.h"
#include "tests/unit/tiny_data.h"
#include <math.h>

/* 1000 rows, batches of 10, 2 epochs: 200 steps, 60 of them rising. */
static bl_schedule_plan plan_of(const char *name) {
    bl_schedule_plan plan;
    bl_config config;
    tiny_config(&config);
    (void)snprintf(config.schedule.name, BL_NAME, "%s", name);
    config.schedule.horizon_epochs = 2;
    config.train.batch_size = 10;
    config.train.learning_rate = 0.5;
    CHECK_OK(bl_schedule_resolve(&plan, &config, 1000, ERR));
    return plan;
}

static void near(double got, double expected) {
    if (!(fabs(got - expected) <= 1e-6 * fabs(expected) + 1e-12))
        fail_msg("%.12g, not %.12g", got, expected);
}

static double rate(const bl_schedule_plan *plan, int64_t step) {
    return bl_schedule_at(plan, step).rate;
}

static void check_constant(void) {
    const bl_schedule_plan p = plan_of("constant");
    near(rate(&p, 0), 0.5);
    near(rate(&p, 1000000), 0.5);
    assert_true(bl_schedule_at(&p, 3).momentum == 0.0);
}

static void check_linear(void) {
    const bl_schedule_plan p = plan_of("linear");
    near(rate(&p, 0), 0.5 / 61);
    near(rate(&p, 59), 0.5 * 60 / 61);
    near(rate(&p, 60), 0.5);
    near(rate(&p, 130), 0.25);
    near(rate(&p, 199), 0.5 / 140);
    near(rate(&p, 5000), 0.5 / 140);
}

static void check_cosine(void) {
    const bl_schedule_plan p = plan_of("cosine");
    near(rate(&p, 0), 0.5 / 61);
    for (int64_t step = 60; step < 200; step++)
        near(rate(&p, step), 0.25 * (1.0 + cos(acos(-1.0) * (double)(step - 60) / 140.0)));
    near(rate(&p, 5000), rate(&p, 199));
}

static void check_one_cycle(void) {
    const bl_schedule_plan p = plan_of("one_cycle");
    assert_int_equal(p.horizon, 200);
    assert_int_equal(p.rising, 60);
    near(rate(&p, 0), 0.5 / 25);
    near(rate(&p, 30), 0.5 * (0.5 + 0.5 / 25));
    near(rate(&p, 60), 0.5);
    near(rate(&p, 130), 0.25 * (1.0 + 1.0 / 2.5e5));
    const double last = 0.5 * (1.0 - cos(acos(-1.0) / 140.0));
    near(rate(&p, 199), 0.5 * (last + (1.0 - last) / 2.5e5));
    near(rate(&p, INT64_MAX), rate(&p, 199));
    near(bl_schedule_at(&p, 0).momentum, 0.95);
    near(bl_schedule_at(&p, 30).momentum, 0.9);
    near(bl_schedule_at(&p, 60).momentum, 0.85);
    near(bl_schedule_at(&p, 130).momentum, 0.9);
    bl_schedule_plan still = p;
    still.cycle_momentum = false;
    assert_true(bl_schedule_at(&still, 30).momentum == 0.0);
}

/* Equal factors from a 25th of the peak to the peak, no warm-up. */
static void check_exponential(void) {
    const bl_schedule_plan p = plan_of("exponential");
    for (int64_t step = 0; step < 200; step++)
        near(rate(&p, step), 0.5 * pow(25.0, (double)(step - 199) / 199.0));
    near(rate(&p, 5000), 0.5);
    bl_schedule_plan one = p;
    one.horizon = 1;
    near(rate(&one, 0), 0.5);
}

static const struct {
    const char *name;
    void (*check)(void);
} k_cases[] = {
    {"constant",    check_constant   },
    {"linear",      check_linear     },
    {"cosine",      check_cosine     },
    {"exponential", check_exponential},
    {"one_cycle",   check_one_cycle  },
};

static void test_every_schedule(void **state) {
    (void)state;
    for (size_t i = 0; i < bl_schedule_count; i++) {
        size_t c = 0;
        while (c < BL_COUNT(k_cases) && strcmp(k_cases[c].name, bl_schedule_table[i]->name) != 0)
            c++;
        if (c == BL_COUNT(k_cases))
            fail_msg("schedule %s has no case here", bl_schedule_table[i]->name);
        k_cases[c].check();
    }
}

static void test_horizon(void **state) {
    (void)state;
    bl_schedule_plan plan;
    bl_config config;
    bl_err err;
    tiny_config(&config);
    config.schedule.horizon_epochs = 1.5;
    config.train.batch_size = 64;
    CHECK_OK(bl_schedule_resolve(&plan, &config, 1000, ERR)); /* 23.4 */
    assert_int_equal(plan.horizon, 23);
    CHECK_OK(bl_schedule_resolve(&plan, &config, 1003, ERR)); /* 23.51 */
    assert_int_equal(plan.horizon, 24);
    CHECK_OK(bl_schedule_resolve(&plan, &config, 1, ERR));
    assert_int_equal(plan.horizon, 1);
    assert_true(isfinite(bl_schedule_at(&plan, 0).rate));
    config.schedule.horizon_epochs = (double)INFINITY;
    assert_int_equal(bl_schedule_resolve(&plan, &config, 1, &err), BL_EINVAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_schedule),
        cmocka_unit_test(test_horizon),
    };
    return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
