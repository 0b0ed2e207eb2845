/* The live line of a sweep: at every width of a terminal it keeps off the last column, and what is
 * trained stands first. */
#include "engine/base/mem.h"
#include "engine/cli/progress.h"
#include "tests/check.h"
#include <math.h>
#include <string.h>

static const bl_progress k_usual = {.runs_done = 5,
                                    .runs = 8,
                                    .batch_size = 64,
                                    .learning_rate = 0.25,
                                    .step = 1800,
                                    .max_steps = 2400,
                                    .value = 0.2,
                                    .train_loss = 0.0132};
/* 20 seconds into a round that began after 40, with four runs trained in it. */
static const bl_display k_display = {.started = 0, .round_started = 40, .trained = 4};

static void line_of_80_and_40_columns(void **state) {
    (void)state;
    char line[BL_DISPLAY_LINE];
    bl_display_line(line, &k_display, &k_usual, 60, 80);
    assert_string_equal(
        line, "batch 64 lr 0.25  [#####---]  5/8 runs  at least 15s more  step 1,800/2,400");
    bl_display_line(line, &k_display, &k_usual, 60, 40);
    assert_string_equal(line, "batch 64 lr 0.25  [#####---]  5/8 runs");
    /* A part that does not fit is the last, also where a later one would. */
    bl_display_line(line, &k_display, &k_usual, 60, 38);
    assert_string_equal(line, "batch 64 lr 0.25  [#####---]");
    bl_display_line(line, &k_display, &k_usual, 60, 200);
    assert_string_equal(line, "batch 64 lr 0.25  [#####---]  5/8 runs  at least 15s more  step "
                              "1,800/2,400  loss 0.0132  1m00s");
}

/* Nothing is said of the time that is left before a run was trained, nor of a loss that is none. */
static void what_is_unknown_is_left_out(void **state) {
    (void)state;
    char line[BL_DISPLAY_LINE];
    const bl_display fresh = {.started = 0, .round_started = 0};
    bl_progress p = k_usual;
    p.runs_done = 0;
    p.train_loss = NAN;
    bl_display_line(line, &fresh, &p, 60, 200);
    assert_string_equal(line, "batch 64 lr 0.25  [--------]  0/8 runs  step 1,800/2,400  1m00s");
    p.run_done = true;
    p.runs_done = 8;
    bl_display_line(line, &k_display, &p, 60, 200);
    assert_non_null(strstr(line, "[########]  8/8 runs  step"));
    p.step = 5000; /* in the store the run goes on beyond what this round asks for */
    bl_display_line(line, &k_display, &p, 60, 200);
    assert_non_null(strstr(line, "step 2,400/2,400"));
    p.runs = p.runs_done = 0; /* no run, no bar */
    bl_display_line(line, &k_display, &p, 60, 200);
    assert_non_null(strstr(line, "lr 0.25  0/0 runs"));
}

static void no_width_is_passed(void **state) {
    (void)state;
    const bl_progress long_one = {.runs_done = 99999,
                                  .runs = 100000,
                                  .batch_size = INT64_MAX,
                                  .learning_rate = -1.23456e-300,
                                  .step = INT64_MAX - 1,
                                  .max_steps = INT64_MAX,
                                  .train_loss = -1.23456e-300};
    const bl_progress *const cases[] = {&k_usual, &long_one};
    for (size_t i = 0; i < BL_COUNT(cases); i++)
        for (size_t columns = 0; columns < 400; columns++) {
            char line[BL_DISPLAY_LINE];
            bl_display_line(line, &k_display, cases[i], 1e6, columns);
            assert_true(line[0] == '\0' || strlen(line) < columns);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_of_80_and_40_columns),
        cmocka_unit_test(what_is_unknown_is_left_out),
        cmocka_unit_test(no_width_is_passed),
    };
    return cmocka_run_group_tests_name("display", tests, NULL, NULL);
}
