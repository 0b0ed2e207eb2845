/* Time per step as a straight line: a published table, lines known exactly, and what is said where
 * there is no line. */
#include "engine/base/mem.h"
#include "engine/report/text/times_text.h"
#include "engine/stats/equivalence.h"
#include "engine/stats/step_line.h"
#include "tests/check.h"

/* MobileNetV3-large on CIFAR-10 at 224 x 224, one V100: minutes of ten epochs, the last batch
 * dropped, 45,000 training pictures. */
enum { PUBLISHED = 8 };
static const double k_sizes[PUBLISHED] = {100, 127, 128, 129, 156, 511, 512, 513};
static const double k_minutes[PUBLISHED] = {10.50, 9.80, 9.78, 9.92, 9.38, 8.74, 8.71, 8.72};

static void published_table(void **state) {
    (void)state;
    double seconds[PUBLISHED];
    bl_stats_step_size size[PUBLISHED];
    bool tied[PUBLISHED];
    for (size_t i = 0; i < PUBLISHED; i++) {
        seconds[i] = k_minutes[i] * 60 / 10 / floor(45000 / k_sizes[i]);
        size[i] = (bl_stats_step_size){k_sizes[i], &seconds[i], 1, NULL};
    }
    const bl_stats_step_line line = bl_stats_fit_step_line(size, PUBLISHED);
    assert_true(line.known && !line.flat && !line.through_zero);
    check_close(line.fixed.value, 0.0256, 0.002);
    check_close(line.each.value, 0.001116, 0.0005);
    assert_true(line.each.low < 0.001116 && line.each.high > 0.001116);
    check_close(fabs(line.worst), 0.022, 0.02);
    assert_int_equal(line.worst_index, 4);
    for (size_t i = 1; i <= 3; i++) /* 127, 128, 129 */
        assert_true(fabs(bl_stats_step_line_miss(&line, &size[i])) < 0.009);
    check_close(bl_stats_step_line_share(&line, 0.5), 23, 0.005);
    check_close(bl_stats_step_line_share(&line, 0.9), 207, 0.005);
    check_close(bl_stats_step_line_share(&line, 0.95), 436, 0.001);
    assert_int_equal(bl_stats_step_best(size, PUBLISHED, tied), 5);
    for (size_t i = 0; i < PUBLISHED; i++) assert_false(tied[i]); /* one run each: not judged */
    assert_false(bl_stats_step_judged(&size[0]));
    bl_buf words = {0};
    bl_times_words(&words, size, PUBLISHED);
    assert_string_equal(
        bl_buf_text(&words),
        "throughput   t(B) = 25.6 ms + 1.116 ms x B   (8 sizes, worst deviation 2.2 %)\n"
        "             a step costs as much fixed as 23 examples: half speed at 23,\n"
        "             90 % from 207, 95 % from 436\n"
        "             measured best: 858 examples/s at 511; one run each: not judged\n"
        "neighbours   128 against 127: not judged\n"
        "             129 against 128: not judged\n"
        "             512 against 511: not judged\n"
        "             513 against 512: not judged\n"
        "             multiples of 8 against the others: not judged\n");
    bl_buf_free(&words);
}

/* Three points on 2 + 3 B: the line, and intervals of no width. Relative least squares weighs the
 * smallest size most: with (1, 1), (2, 4) and weights 1 and 1/16 a level line would be 20/17. */
static void known_lines(void **state) {
    (void)state;
    const double t[] = {5, 8, 14};
    const bl_stats_step_size on[] = {
        {1, &t[0], 1, NULL},
        {2, &t[1], 1, NULL},
        {4, &t[2], 1, NULL}
    };
    bl_stats_step_line line = bl_stats_fit_step_line(on, 3);
    check_close(line.fixed.value, 2, 1e-12);
    check_close(line.each.value, 3, 1e-12);
    assert_true(fabs(line.worst) < 1e-12 && bl_stats_has_interval(&line.fixed));
    assert_false(bl_stats_fit_step_line(on, 1).known);
    line = bl_stats_fit_step_line(on, 2);
    assert_true(line.known && !bl_stats_has_interval(&line.each));
    /* Falling times: level, at sum(1/t) / sum(1/t^2) = (1/4 + 1) / (1/16 + 1) = 20/17. */
    const double fall[] = {4, 1};
    const bl_stats_step_size falling[] = {
        {1, &fall[0], 1, NULL},
        {2, &fall[1], 1, NULL}
    };
    line = bl_stats_fit_step_line(falling, 2);
    assert_true(line.flat && line.each.value == 0);
    check_close(line.fixed.value, 20.0 / 17, 1e-12);
    assert_true(isnan(bl_stats_step_line_share(&line, 0.5)));
    /* More than in proportion: through 0, with sum(b/t) / sum(b^2/t^2) = (1 + 2/3) / (1 + 4/9). */
    const double more[] = {1, 3};
    const bl_stats_step_size growing[] = {
        {1, &more[0], 1, NULL},
        {2, &more[1], 1, NULL}
    };
    line = bl_stats_fit_step_line(growing, 2);
    assert_true(line.through_zero && line.fixed.value == 0);
    check_close(line.each.value, (5.0 / 3) / (13.0 / 9), 1e-12);
    assert_true(bl_stats_step_falls(&growing[0], &growing[1]));
    assert_false(bl_stats_step_falls(&on[0], &on[1]));
}

/* Seven rounds: 100 and 101 take turns in being faster per example, 200 is 1 % slower each time. A
 * slow round is slow for all, and tells nothing apart. */
static void ties(void **state) {
    (void)state;
    double a[7], b[7], c[7];
    bool tied[3];
    for (int r = 0; r < 7; r++) {
        const double slow = r == 3 ? 5 : 1;
        a[r] = 100 * slow;
        b[r] = 101 * slow * (r % 2 == 0 ? 1.002 : 0.999);
        c[r] = 200 * slow * 1.01;
    }
    const bl_stats_step_size size[] = {
        {100, a, 7, NULL},
        {101, b, 7, NULL},
        {200, c, 7, NULL}
    };
    assert_int_equal(bl_stats_step_best(size, 3, tied), 0);
    assert_false(tied[0]);
    assert_true(tied[1]);
    assert_false(tied[2]);
    const bl_stats_value speed = bl_stats_step_speed(&size[0]);
    assert_true(speed.value == 1 && speed.high == 1 && speed.low == 0.2);
    bl_buf words = {0};
    bl_times_words(&words, size, 3);
    assert_non_null(strstr(bl_buf_text(&words), " 1.00 examples/s at 100 (0.200 to 1.00)\n"));
    assert_non_null(strstr(bl_buf_text(&words), " 101 cannot be told apart from it\n"));
    bl_buf_free(&words);
}

/* Long lists of ties and large numbers stay within 80 columns. */
static void narrow_lines(void **state) {
    (void)state;
    double t[12][7];
    bl_stats_step_size size[12];
    for (size_t i = 0; i < 12; i++) {
        size[i] = (bl_stats_step_size){(double)(101 + i), t[i], 7, NULL};
        for (size_t r = 0; r < 7; r++) t[i][r] = size[i].batch_size * (r == i % 7 ? 9e-9 : 9.5e-9);
    }
    bl_buf words = {0};
    bl_times_words(&words, size, 12);
    assert_non_null(strstr(bl_buf_text(&words), "105 million examples/s at 1"));
    assert_non_null(strstr(bl_buf_text(&words), "(105 to 111 million)\n"));
    assert_non_null(
        strstr(bl_buf_text(&words), " 112 cannot be told\n             apart from it\n"));
    size_t column = 0;
    for (const char *c = bl_buf_text(&words); *c != '\0'; c++) {
        column = *c == '\n' ? 0 : column + 1;
        if (column > 80) fail_msg("too wide:\n%s", bl_buf_text(&words));
    }
    bl_buf_free(&words);
}

/* Findings: a size that the line misses, and a time that grows faster than the batch. */
static void findings(void **state) {
    (void)state;
    const double t[] = {10, 20, 62, 80};
    const bl_stats_step_size size[] = {
        {1, &t[0], 1, NULL},
        {2, &t[1], 1, NULL},
        {4, &t[2], 1, NULL},
        {8, &t[3], 1, NULL}
    };
    bl_buf words = {0};
    bl_times_words(&words, size, 4);
    assert_non_null(strstr(bl_buf_text(&words), "no straight line: a batch of 4 takes "));
    assert_non_null(
        strstr(bl_buf_text(&words), "2 to 4: 3.1 times the time for 2 times the batch\n"));
    bl_buf_free(&words);
    bl_times_words(&words, size, 1);
    assert_non_null(strstr(bl_buf_text(&words), "one batch size: no line\n"));
    bl_buf_free(&words);
}

/* A quiet size; one whose steps were on the processor a quarter of the time; one that a neighbour
 * made slow now and then, which only the spread shows. */
static void disturbances(void **state) {
    (void)state;
    const double quiet[] = {1, 1.01, 1.02}, waits[] = {4, 8, 8}, runs[] = {2, 2, 2.5};
    const double slow[] = {1, 1.3, 1.6};
    const bl_stats_step_size size[] = {
        {1, quiet, 3, quiet},
        {2, waits, 3, runs },
        {4, slow,  3, slow },
        {4, slow,  2, NULL }
    };
    bl_stats_disturbance d = bl_stats_step_disturbance(&size[0], 1);
    check_close(d.off, 0.01, 1e-9);
    assert_true(d.other == 0);
    d = bl_stats_step_disturbance(size, 2);
    check_close(d.off, 3, 1e-9);        /* 8 by the clock, 2 on the processor */
    check_close(d.other, 0.6875, 1e-9); /* of 0.5, 0.75, 0.6875 */
    d = bl_stats_step_disturbance(&size[2], 1);
    check_close(d.off, 0.3, 1e-9);
    assert_true(d.other == 0);
    d = bl_stats_step_disturbance(&size[3], 1); /* two repeats say nothing */
    assert_true(d.off == 0 && isnan(d.other));
    const bl_stats_step_line line = bl_stats_fit_processor_line(size, 2);
    check_close(line.each.value, 0.99, 1e-9); /* (1, 1.01) and (2, 2) */
    assert_false(bl_stats_fit_processor_line(size, 4).known);
    bl_buf words = {0};
    bl_times_busy_words(&words, &size[0], 1, "");
    assert_string_equal(bl_buf_text(&words), "");
    bl_times_busy_words(&words, size, 2, "");
    assert_string_equal(bl_buf_text(&words),
                        "the machine was busy, 69 % of the time with other work;\n"
                        "times by the clock may be up to 4 times as long as on a quiet one\n"
                        "by processor time t(B) = 20 ms + 990.0 ms x B, half speed at 0\n");
    bl_buf_free(&words);
    bl_times_busy_words(&words, &size[2], 1, "");
    assert_string_equal(bl_buf_text(&words), "the machine was busy;\n"
                                             "times by the clock may be up to 30 % too long\n");
    bl_buf_free(&words);
}

/* Seven rounds on 10 + B: 127 and 128 as the line says, up to 1 %; 129 takes 10 % more each time. A
 * slow round is slow for all. Processor times count before the clock's. */
static void neighbours(void **state) {
    (void)state;
    static const double sizes[] = {64, 127, 128, 129, 512};
    double clock[5][7], processor[5][7];
    bl_stats_step_size size[5];
    bl_stats_value ratio;
    for (size_t i = 0; i < 5; i++) {
        for (size_t r = 0; r < 7; r++) {
            const double wobble = 1 + 0.01 * (double)((r + i) % 2), slow = r == 2 ? 3 : 1;
            processor[i][r] = (10 + sizes[i]) * wobble * slow * (i == 3 ? 1.1 : 1);
            clock[i][r] = processor[i][r] * (1 + (double)((r * 5 + i * 3) % 7));
        }
        size[i] = (bl_stats_step_size){sizes[i], clock[i], 7, processor[i]};
    }
    assert_int_equal(bl_stats_step_equal(&ratio, size, 5, 1, 2), BL_STATS_EQUAL_SHOWN);
    assert_true(ratio.low > 0.985 && ratio.high < 1.015);
    assert_int_equal(bl_stats_step_equal(&ratio, size, 5, 2, 3), BL_STATS_EQUAL_REFUTED);
    assert_true(ratio.low > 1.07 && ratio.high < 1.13);
    assert_int_equal(bl_stats_step_multiples(&ratio, size, 5, 8), BL_STATS_EQUAL_REFUTED);
    assert_true(ratio.high < 0.98);
    assert_int_equal(bl_stats_step_multiples(&ratio, size, 5, 1), BL_STATS_EQUAL_UNJUDGED);
    const bool slow_one[] = {false, false, false, true, false}, nobody[5] = {false};
    assert_int_equal(bl_stats_step_named(&ratio, size, 5, slow_one), BL_STATS_EQUAL_REFUTED);
    assert_true(ratio.low > 1.07);
    assert_int_equal(bl_stats_step_named(&ratio, size, 5, nobody), BL_STATS_EQUAL_UNJUDGED);
    size[0].processor = NULL; /* then the clock counts, which says nothing here */
    assert_int_equal(bl_stats_step_equal(&ratio, size, 5, 1, 2), BL_STATS_EQUAL_UNDECIDED);
    size[0].processor = processor[0];
    bl_buf words = {0};
    bl_times_words(&words, size, 5);
    assert_non_null(
        strstr(bl_buf_text(&words), "neighbours   128 against 127: equal within 2 % ("));
    assert_non_null(strstr(bl_buf_text(&words), "             129 against 128: different ("));
    assert_non_null(strstr(bl_buf_text(&words), "multiples of 8 against the others: different ("));
    bl_buf_free(&words);
}

/* A group's factor is found whole, wherever its sizes lie: a line through all sizes follows them.
 */
static void factor_of_a_group(void **state) {
    (void)state;
    static const double sizes[] = {126, 127, 128, 129, 130, 256};
    static const bool groups[][6] = {
        {false, false, true,  false, false, true },
        {false, false, false, false, false, true },
        {true,  true,  false, true,  true,  true },
        {true,  false, false, false, false, false}
    };
    static const double factors[] = {0.8, 1.25, 0.995};
    for (size_t k = 0; k < BL_COUNT(groups) * BL_COUNT(factors); k++) {
        const bool *named = groups[k / BL_COUNT(factors)];
        const double factor = factors[k % BL_COUNT(factors)];
        double seconds[6][8];
        bl_stats_step_size size[6];
        bl_stats_value ratio;
        for (size_t i = 0; i < 6; i++) {
            for (size_t r = 0; r < 8; r++)
                seconds[i][r] = (0.5 + 0.01 * sizes[i]) * (named[i] ? factor : 1);
            size[i] = (bl_stats_step_size){sizes[i], seconds[i], 8, NULL};
        }
        (void)bl_stats_step_named(&ratio, size, 6, named);
        check_close(ratio.value, factor, 1e-9);
    }
}

/* By the 90 % interval of order statistics: of 5 to 7 the range, of 8 the second to the seventh. */
static void equivalence(void **state) {
    (void)state;
    bl_stats_value m;
    const double near[] = {0.99, 1, 1.01, 1.005, 0.995, 1, 1.5, 0.5};
    assert_int_equal(bl_stats_equivalent(&m, near, 4, 0.02), BL_STATS_EQUAL_UNJUDGED);
    assert_false(bl_stats_has_interval(&m));
    assert_int_equal(bl_stats_equivalent(&m, near, 5, 0.02), BL_STATS_EQUAL_SHOWN);
    assert_true(m.low == 0.99 && m.high == 1.01 && m.value == 1);
    assert_int_equal(bl_stats_equivalent(&m, near, 7, 0.02), BL_STATS_EQUAL_UNDECIDED);
    assert_int_equal(bl_stats_equivalent(&m, near, 8, 0.02), BL_STATS_EQUAL_SHOWN);
    assert_int_equal(bl_stats_equivalent(&m, near, 8, 0.005), BL_STATS_EQUAL_UNDECIDED);
    const double slower[] = {1.03, 1.05, 1.04, 1.06, 1.07};
    assert_int_equal(bl_stats_equivalent(&m, slower, 5, 0.02), BL_STATS_EQUAL_REFUTED);
    assert_int_equal(bl_stats_equivalent(&m, slower, 5, 0.04), BL_STATS_EQUAL_UNDECIDED);
    assert_int_equal(bl_stats_equivalent(&m, slower, 0, 0.02), BL_STATS_EQUAL_UNJUDGED);
    assert_false(m.known);
    assert_string_equal(bl_stats_equal_word(BL_STATS_EQUAL_SHOWN), "equal");
    assert_string_equal(bl_stats_equal_word(BL_STATS_EQUAL_REFUTED), "different");
    assert_string_equal(bl_stats_equal_word(BL_STATS_EQUAL_UNDECIDED), "undecided");
    assert_string_equal(bl_stats_equal_word(BL_STATS_EQUAL_UNJUDGED), "not judged");
}

/* max(1000, 900 + B): sizes on the floor, one or more above it, none of either. */
static void line_above_a_floor(void **state) {
    (void)state;
    enum { SIZES = 7 };
    double bytes[SIZES];
    bl_stats_step_size size[SIZES];
    for (size_t i = 0; i < SIZES; i++) {
        const double b = exp2((double)i + 4); /* 16 to 1,024; the first three on the floor */
        bytes[i] = fmax(1000, 900 + b);
        size[i] = (bl_stats_step_size){b, &bytes[i], 1, NULL};
    }
    bl_stats_floor_line fit = bl_stats_fit_floor_line(size, SIZES, 0);
    assert_true(fit.line.known && !fit.line.flat && fit.least == 1000);
    check_close(fit.line.fixed.value, 900, 1e-9);
    check_close(fit.line.each.value, 1, 1e-9);
    assert_true(fabs(fit.worst) < 1e-9);
    assert_true(bl_stats_floor_line_at(&fit, 50) == 1000);
    check_close(bl_stats_floor_line_at(&fit, 500), 1400, 1e-9);
    fit = bl_stats_fit_floor_line(size, 4, 0); /* one above: from 64 to 128 */
    check_close(fit.line.each.value, 28.0 / 64, 1e-9);
    assert_true(fit.least == 1000 && !fit.line.flat);
    fit = bl_stats_fit_floor_line(size, 3, 0); /* none above */
    assert_true(fit.line.known && fit.line.flat && fit.line.fixed.value == 1000);
    fit = bl_stats_fit_floor_line(size + 3, 4, 0); /* none on it */
    assert_true(fit.least == 0);
    check_close(fit.line.fixed.value, 900, 1e-9);
    fit = bl_stats_fit_floor_line(size, SIZES, 200); /* up to 256, which takes 156 more */
    assert_true(fit.least == 1156 && !fit.line.flat);
    check_close(fit.line.each.value, 1, 1e-9);
    assert_true(fit.worst == 0 && fit.worst_size == 0); /* 1,000 for 1,156 is noise */
    bytes[5] *= 1.2;                                    /* 512 */
    fit = bl_stats_fit_floor_line(size, SIZES, 0);
    assert_true(fit.worst > 0.05 && fit.worst_size == 512);
    assert_false(bl_stats_fit_floor_line(size, 1, 0).line.known);
    assert_true(isnan(bl_stats_floor_line_at(&(bl_stats_floor_line){0}, 5)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_table),    cmocka_unit_test(known_lines),
        cmocka_unit_test(line_above_a_floor), cmocka_unit_test(ties),
        cmocka_unit_test(findings),           cmocka_unit_test(narrow_lines),
        cmocka_unit_test(disturbances),       cmocka_unit_test(neighbours),
        cmocka_unit_test(factor_of_a_group),  cmocka_unit_test(equivalence)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
