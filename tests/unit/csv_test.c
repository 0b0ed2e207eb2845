/* Reading tables of text: what is a field, a row, a number, a date; and where a fault is. */
#include "engine/base/mem.h"
#include "engine/data/table/calendar.h"
#include "engine/data/table/csv.h"
#include "tests/check.h"
#include <stdlib.h>

/* All fields as "a|b|c\n", or the message. */
static void check_rows(const char *text, const char *expected) {
    bl_csv csv;
    bl_buf seen = {0};
    bl_err err = {0};
    bool more = true;
    bl_csv_init(&csv, text, strlen(text), "t.csv", ',');
    bl_status status = BL_OK;
    while (more && (status = bl_csv_row(&csv, &more, &err)) == BL_OK && more)
        for (size_t i = 0; i < csv.count; i++)
            bl_buf_printf(&seen, "%.*s%s", (int)csv.field[i].n, csv.field[i].text,
                          i + 1 < csv.count ? "|" : "\n");
    if (status != BL_OK) bl_buf_printf(&seen, "! %s", err.text);
    assert_string_equal(bl_buf_text(&seen), expected);
    bl_buf_free(&seen);
    bl_csv_free(&csv);
}

static void test_rows(void **state) {
    (void)state;
    check_rows("", "");
    check_rows("a,b\n1,2\n", "a|b\n1|2\n");
    check_rows("a,b\r\n1,2", "a|b\n1|2\n");
    check_rows("\xEF\xBB\xBF"
               "a,b\n",
               "a|b\n");
    check_rows("a,,\n,b,\n", "a||\n|b|\n");
    check_rows("a,", "a|\n");
    check_rows("a\n\n\r\nb\n", "a\nb\n");
    check_rows("\"Jan,Apr\",\"\",x\n", "Jan,Apr||x\n");
    check_rows("\"a\r\nb\",c\r\n", "a\r\nb|c\n");
    check_rows("\"say \"\"so\"\"\",\"\"\"\",y\n", "say \"so\"|\"|y\n");
    check_rows("5\" pipe,6\n", "5\" pipe|6\n");
}

static void test_faults(void **state) {
    (void)state;
    check_rows("a\nb\n\"c\nd\n", "a\nb\n! t.csv:3: error: a quoted field does not end");
    check_rows("\"a\nb\"\n\"c\"d\n", "a\nb\n! t.csv:3: error: text after a closing quote");
    static const struct {
        const char *text;
        size_t n;
    } k_zero[] = {
        {"a\0b\n",            4},
        {"\"a\0b\"\n",        6},
        {"\"a\"\"\0\"\"\"\n", 8}
    };
    for (size_t i = 0; i < BL_COUNT(k_zero); i++) {
        bl_csv csv;
        bl_err err = {0};
        bool more;
        bl_csv_init(&csv, k_zero[i].text, k_zero[i].n, "t.csv", ',');
        assert_int_equal(bl_csv_row(&csv, &more, &err), BL_EFORMAT);
        assert_string_equal(err.text, "t.csv:1: error: a zero byte: this is no text");
        bl_csv_free(&csv);
    }
}

static bool number(const char *text, double *value) {
    return bl_csv_number((bl_csv_field){text, strlen(text)}, value);
}

static void test_numbers(void **state) {
    (void)state;
    static const char *const good[] = {"0",
                                       "-0",
                                       "17",
                                       "+17",
                                       "-3.25",
                                       ".5",
                                       "5.",
                                       "0.1",
                                       "1e3",
                                       "1E-3",
                                       "0.30000000000000004",
                                       "75860",
                                       "999999999999999",
                                       "9007199254740993",
                                       "123456789012345678901234567890",
                                       "2.2250738585072011e-308",
                                       "179769313486231570000000e280"};
    static const char *const bad[] = {"",      "-",   ".",     "1e",   "1e+", "e5",
                                      "nan",   "inf", "0x10",  " 1",   "1 ",  "1,5",
                                      "1.2.3", "--1", "1e999", "1e5x", "NA"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        double value;
        if (!number(good[i], &value)) fail_msg("'%s' was refused", good[i]);
        const double expected = strtod(good[i], NULL);
        assert_memory_equal(&value, &expected, sizeof value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        double value;
        if (number(bad[i], &value)) fail_msg("'%s' was read as %g", bad[i], value);
    }
}

static void check_day(const char *text, int32_t days, int32_t weekday, int32_t week) {
    int32_t found;
    assert_true(bl_parse_date(text, strlen(text), &found));
    assert_int_equal(found, days);
    assert_int_equal(bl_weekday(found), weekday);
    assert_int_equal(bl_iso_week(found, NULL), week);
}

static void test_dates(void **state) {
    (void)state;
    check_day("1970-01-01", 0, 4, 1);
    check_day("1969-12-31", -1, 3, 1);
    check_day("2000-02-29", 11016, 2, 9);
    check_day("2013-01-01", 15706, 2, 1);
    check_day("2015-07-31", 16647, 5, 31);
    check_day("2016-01-03", 16803, 7, 53);
    check_day("2012-12-31", 15705, 1, 1);
    static const char *const bad[] = {
        "2015-02-29", "1900-02-29", "2015-13-01", "2015-00-01",  "2015-01-32",
        "2015-1-01",  "2015/01/01", "15-01-01",   "2015-01-01 ", ""};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int32_t days;
        if (bl_parse_date(bad[i], strlen(bad[i]), &days)) fail_msg("'%s' is no date", bad[i]);
    }
    /* Every day there and back, and weeks that change on Mondays only. */
    for (int32_t d = bl_days_from_civil(1890, 1, 1); d < bl_days_from_civil(2110, 1, 1); d++) {
        int32_t y, m, day, year;
        bl_civil_from_days(d, &y, &m, &day);
        assert_int_equal(bl_days_from_civil(y, m, day), d);
        const int32_t week = bl_iso_week(d, &year);
        assert_int_equal(bl_iso_monday(year, week), d - bl_weekday(d) + 1);
    }
}

/* One order for all: of every pair below the first comes first, whatever else is sorted with it. */
static void test_order(void **state) {
    (void)state;
    static const char *const ascending[] = {"-1e3", "-2", "0.5", "2",  "10", "1e9",
                                            "",     "-",  "1a",  "2b", "one"};
    for (size_t i = 0; i < BL_COUNT(ascending); i++)
        for (size_t k = 0; k < BL_COUNT(ascending); k++) {
            const int order = bl_csv_compare(ascending[i], ascending[k]);
            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
        }
    assert_int_equal(bl_csv_compare("1", "1.0"), 0);
    assert_int_equal(bl_csv_compare("100", "1e2"), 0);
    assert_true(bl_csv_compare("a", "A") != 0);
}

/* Columns that are lined up by any number of blanks and tabs. */
static void test_lined_up(void **state) {
    (void)state;
    static const char text[] = "  name     x    y\n"
                               "a          1   2.5  \r\n"
                               "   \n"
                               "  \"b  c\"  \t30    4";
    static const char *const want[3][3] = {
        {"name", "x",  "y"  },
        {"a",    "1",  "2.5"},
        {"b  c", "30", "4"  }
    };
    static const size_t line[3] = {1, 2, 4};
    bl_csv csv;
    bool more;
    assert_int_equal(bl_csv_separator_or_blank(text, sizeof text - 1), BL_CSV_BLANKS);
    bl_csv_init(&csv, text, sizeof text - 1, "t", BL_CSV_BLANKS);
    for (size_t r = 0; r < 3; r++) {
        CHECK_OK(bl_csv_row(&csv, &more, ERR));
        assert_true(more);
        assert_int_equal(csv.count, 3);
        assert_int_equal(csv.line, line[r]);
        for (size_t f = 0; f < 3; f++) {
            assert_int_equal(csv.field[f].n, strlen(want[r][f]));
            assert_memory_equal(csv.field[f].text, want[r][f], csv.field[f].n);
        }
    }
    CHECK_OK(bl_csv_row(&csv, &more, ERR));
    assert_false(more);
    bl_csv_free(&csv);
}

/* One blank each is a separator of its own, so that two have an empty field between them. */
static void test_blank_or_blanks(void **state) {
    (void)state;
    static const struct {
        const char *text;
        char separator;
    } cases[] = {
        {"a b c\n1 2 3\n4 5 6\n",    ' '          },
        {"a b c\n1  3\n4 5 6\n",     ' '          }, /* no value in the middle */
        {"a  b c\n1 20 3\n4 5  6\n", BL_CSV_BLANKS},
        {" a b c\n 1 2 3\n 4 5 6\n", BL_CSV_BLANKS},
        {"a,b\n1,  2\n",             ','          },
        {"a\tb\n1\t  2\n",           '\t'         },
    };
    for (size_t i = 0; i < BL_COUNT(cases); i++)
        if (bl_csv_separator_or_blank(cases[i].text, strlen(cases[i].text)) != cases[i].separator)
            fail_msg("'%s'", cases[i].text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lined_up), cmocka_unit_test(test_blank_or_blanks),
        cmocka_unit_test(test_rows),     cmocka_unit_test(test_faults),
        cmocka_unit_test(test_numbers),  cmocka_unit_test(test_dates),
        cmocka_unit_test(test_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
