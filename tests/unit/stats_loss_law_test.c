/* The loss law: what was put in comes out, and what a table cannot say is not said. */
#include "engine/stats/loss_law.h"
#include "tests/check.h"
#include <math.h>

enum { SIZES = 5, LENGTHS = 6, POINTS = SIZES * LENGTHS };

typedef struct table {
    double batch_size[POINTS], steps[POINTS], loss[POINTS];
} table;

static void make(table *t, const bl_stats_loss_law *law, double off) {
    for (int i = 0; i < POINTS; i++) {
        t->batch_size[i] = 32 * exp2(i % SIZES);
        t->steps[i] = 100 * exp2(i / SIZES);
        t->loss[i] = (law->e + law->p * pow(t->batch_size[i], -law->beta) +
                      law->q * pow(t->steps[i], -law->gamma)) *
                     (1 + off * sin(7 * i));
    }
}

static void exact_laws(void **state) {
    (void)state;
    const bl_stats_loss_law laws[] = {
        {.e = 1.7, .p = 2,   .beta = 0.5, .q = 30, .gamma = 0.7},
        {.e = 0.1, .p = 0.5, .beta = 1,   .q = 4,  .gamma = 0.3},
        {.e = 0,   .p = 3,   .beta = 0.4, .q = 9,  .gamma = 0.6}
    };
    for (size_t i = 0; i < sizeof laws / sizeof *laws; i++) {
        table t;
        bl_stats_loss_law found;
        make(&t, &laws[i], 0);
        assert_true(bl_stats_fit_loss_law(&found, t.batch_size, t.steps, t.loss, POINTS));
        assert_true(fabs(found.e - laws[i].e) < 1e-4);
        check_close(found.beta, laws[i].beta, 1e-4);
        check_close(found.gamma, laws[i].gamma, 1e-4);
        check_close(found.p, laws[i].p, 1e-3);
        check_close(found.q, laws[i].q, 1e-3);
        assert_true(found.rms < 1e-6);
    }
}

static void noise_is_said(void **state) {
    (void)state;
    const bl_stats_loss_law law = {.e = 1.7, .p = 2, .beta = 0.5, .q = 30, .gamma = 0.7};
    table t;
    bl_stats_loss_law found;
    make(&t, &law, 0.02);
    assert_true(bl_stats_fit_loss_law(&found, t.batch_size, t.steps, t.loss, POINTS));
    assert_true(found.rms > 0.01 && found.rms < 0.02);
    assert_true(fabs(found.e - 1.7) < 0.2);
}

/* No term is negative, whatever a table would like. */
static void nothing_is_negative(void **state) {
    (void)state;
    const bl_stats_loss_law wanted[] = {
        {.e = -0.3, .p = 2,  .beta = 0.3, .q = 30, .gamma = 0.5},
        {.e = 2,    .p = -1, .beta = 0.5, .q = 30, .gamma = 0.7}
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        table t;
        bl_stats_loss_law found;
        make(&t, &wanted[i], 0);
        assert_true(bl_stats_fit_loss_law(&found, t.batch_size, t.steps, t.loss, POINTS));
        assert_true(found.e >= 0 && found.p >= 0 && found.q >= 0);
    }
}

static void too_little(void **state) {
    (void)state;
    const bl_stats_loss_law law = {.e = 1.7, .p = 2, .beta = 0.5, .q = 30, .gamma = 0.7};
    table t;
    bl_stats_loss_law found;
    make(&t, &law, 0);
    assert_false(bl_stats_fit_loss_law(&found, t.batch_size, t.steps, t.loss, 6));
    assert_false(
        bl_stats_fit_loss_law(&found, t.batch_size, t.steps, t.loss, 10)); /* two lengths */
    t.loss[3] = 0;
    assert_false(bl_stats_fit_loss_law(&found, t.batch_size, t.steps, t.loss, POINTS));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_laws),
        cmocka_unit_test(noise_is_said),
        cmocka_unit_test(nothing_is_negative),
        cmocka_unit_test(too_little),
    };
    return cmocka_run_group_tests_name("stats_loss_law", tests, NULL, NULL);
}
