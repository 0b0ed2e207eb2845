/* Codes of categorical values: sorted, from 1, whatever the column's type. */
#include "engine/base/mem.h"
#include "engine/data/table/levels.h"
#include "tests/check.h"

static void check_codes(const bl_view *view, const uint32_t *rows, size_t n,
                        const uint32_t *expected, size_t all, uint32_t count) {
    bl_levels levels;
    CHECK_OK(bl_levels_build(&levels, view, rows, n, ERR));
    assert_int_equal(levels.count, count);
    for (size_t i = 0; i < all; i++)
        if (bl_levels_code(&levels, i) != expected[i])
            fail_msg("%s: row %zu has code %u, not %u", view->name, i, bl_levels_code(&levels, i),
                     expected[i]);
    bl_levels_free(&levels);
}

static void test_texts(void **state) {
    (void)state;
    static const struct {
        const char *text[4];
        uint32_t code[4];
    } cases[] = {
        {{"10", "9", "-1", "2"}, {4, 3, 1, 2}}, /* all numbers */
        {{"10", "9", "b", "2"},  {1, 3, 4, 2}}, /* as texts */
        {{"1", "01", "1.0", ""}, {2, 1, 3, 0}}
    }; /* equal numbers, still different */
    for (size_t c = 0; c < BL_COUNT(cases); c++) {
        bl_column column = {.type = BL_COLUMN_TEXT};
        uint32_t code[4];
        uint32_t count = 0;
        bl_dict_init(&column.dict);
        column.code = code;
        for (size_t i = 0; i < 4; i++) {
            code[i] = bl_dict_add(&column.dict, cases[c].text[i], strlen(cases[c].text[i]));
            count += cases[c].text[i][0] != '\0';
        }
        check_codes(&(bl_view){"text", &column, NULL}, NULL, 4, cases[c].code, 4, count);
        bl_dict_free(&column.dict);
    }
}

static void test_numbers(void **state) {
    (void)state;
    static const struct {
        double number[5];
        uint32_t code[5];
    } cases[] = {
        {{3, -2, (double)NAN, 3, 7},          {2, 1, 0, 2, 3}}, /* a small range */
        {{1e9, -1e9, (double)NAN, 1e9, 0},    {3, 1, 0, 3, 2}}, /* a wide one */
        {{0.5, 0.25, (double)NAN, 0.5, -0.0}, {3, 2, 0, 3, 1}}
    };
    for (size_t c = 0; c < BL_COUNT(cases); c++) {
        double number[5];
        memcpy(number, cases[c].number, sizeof number);
        const bl_column column = {.type = BL_COLUMN_NUMBER, .number = number};
        check_codes(&(bl_view){"number", &column, NULL}, NULL, 5, cases[c].code, 5, 3);
    }
}

static void test_unseen(void **state) {
    (void)state;
    double number[] = {5, 6, 9, 1000, -3, 6.5};
    const bl_column column = {.type = BL_COLUMN_NUMBER, .number = number};
    const bl_view view = {"number", &column, NULL};
    check_codes(&view, (const uint32_t[]){2, 0}, 2, (const uint32_t[]){1, 0, 2, 0, 0, 0}, 6, 2);
    check_codes(&view, (const uint32_t[]){5, 0}, 2, (const uint32_t[]){1, 0, 0, 0, 0, 2}, 6, 2);
    const uint32_t map[] = {2, BL_NO_ROW, 0};
    check_codes(&(bl_view){"joined", &column, map}, NULL, 3, (const uint32_t[]){2, 0, 1}, 3, 2);
}

static void test_sort(void **state) {
    (void)state;
    const uint32_t key[] = {2, 0, 1, 0, 2};
    uint32_t rows[] = {4, 3, 2, 1, 0};
    const uint32_t expected[] = {3, 1, 2, 4, 0}; /* stable */
    CHECK_OK(bl_sort_rows(rows, 5, key, 2, ERR));
    assert_memory_equal(rows, expected, sizeof rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_texts), cmocka_unit_test(test_numbers),
                                       cmocka_unit_test(test_unseen), cmocka_unit_test(test_sort)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
