/* Looking at a user's table: kinds, split, transform; and that what is written can be opened. */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/data/dataset_open.h"
#include "engine/data/manifest/infer.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include <stdlib.h>
#include <unistd.h>

/* 400 rows; prices grow exponentially, `gain` is symmetric. */
static void write_table(bl_buf *out, char separator) {
    static const char *const towns[] = {"Ulm", "\"Bonn, old\"", "NA"};
    static const char header[] = "row,day,shop,visitors,town,note,flag,price,gain,weight\n";
    bl_buf_str(out, header);
    for (int i = 0; i < 400; i++) {
        bl_buf_printf(out, "%d,2015-%02d-%02d,%d,%d,%s,note %d,7,", i + 1000, 1 + i / 28 % 12,
                      1 + i % 28, 1 + i % 25, (i * 37) % 300, towns[i % 3], i);
        bl_buf_printf(out, "%g,%d,%g\n", (double)(1 << (i % 12)) + 0.5, i % 41 - 20, 0.25 * i);
    }
    for (size_t i = 0; i < out->len; i++)
        if (out->data[i] == ',' && (i == 0 || strncmp(out->data + i, ", old", 5) != 0))
            out->data[i] = separator;
}

static const bl_inferred_column *column(const bl_inferred *in, const char *name) {
    for (size_t i = 0; i < in->columns; i++)
        if (strcmp(in->column[i].name, name) == 0) return &in->column[i];
    fail_msg("no column %s", name);
    return NULL;
}

static void test_kinds(void **state) {
    (void)state;
    static const char separators[] = ",;\t|";
    for (const char *s = separators; *s; s++) {
        bl_buf text = {0};
        bl_inferred in;
        write_table(&text, *s);
        CHECK_OK(bl_infer(&in, bl_buf_text(&text), text.len, "t.csv", "price", NULL, ERR));
        assert_int_equal(in.separator, *s);
        assert_int_equal(in.rows, 400);
        assert_int_equal(in.valid_rows, 40);
        assert_string_equal(in.by, "day");
        assert_true(in.log);
        assert_int_equal(column(&in, "row")->kind, BL_KIND_IGNORED);
        assert_int_equal(column(&in, "day")->kind, BL_KIND_DATE);
        assert_int_equal(column(&in, "shop")->kind, BL_KIND_CATEGORICAL);
        assert_int_equal(column(&in, "visitors")->kind, BL_KIND_CONTINUOUS);
        assert_int_equal(column(&in, "town")->kind, BL_KIND_CATEGORICAL);
        assert_int_equal(column(&in, "town")->distinct, 2);
        assert_int_equal(column(&in, "note")->kind, BL_KIND_IGNORED);
        assert_int_equal(column(&in, "flag")->kind, BL_KIND_IGNORED);
        assert_int_equal(column(&in, "price")->kind, BL_KIND_TARGET);
        assert_int_equal(column(&in, "weight")->kind, BL_KIND_CONTINUOUS);
        bl_inferred_free(&in);
        CHECK_OK(bl_infer(&in, bl_buf_text(&text), text.len, "t.csv", "gain", NULL, ERR));
        assert_false(in.log); /* not positive */
        bl_inferred_free(&in);
        CHECK_OK(bl_infer(&in, bl_buf_text(&text), text.len, "t.csv", "shop", NULL, ERR));
        assert_false(in.log); /* not skewed */
        bl_inferred_free(&in);
        bl_buf_free(&text);
    }
}

static void check_refused(const char *text, const char *target, const char *date,
                          const char *message) {
    bl_inferred in;
    bl_err err = {0};
    assert_int_not_equal(bl_infer(&in, text, strlen(text), "t.csv", target, date, &err), BL_OK);
    if (!strstr(err.text, message)) fail_msg("no '%s' in: %s", message, err.text);
}

static void test_refusals(void **state) {
    (void)state;
    bl_buf text = {0};
    write_table(&text, ',');
    const char *t = bl_buf_text(&text);
    check_refused(t, "prize", NULL, "t.csv:1: error: no column 'prize'; the columns are row, day");
    check_refused(t, "town", NULL, "holds more than numbers");
    check_refused(t, "flag", NULL, "the same value in every row");
    check_refused(t, "price", "shop", "holds more than dates");
    check_refused("", "y", NULL, "the file is empty");
    check_refused("y,y\n1,2\n", "y", NULL, "two columns 'y'");
    check_refused("y,\n1,2\n", "", NULL, "no column ''");
    check_refused("x,y\n", "y", NULL, "0 rows have a target");
    check_refused("y,x\n1,2\n2\n", "y", NULL, "t.csv:3: error: 1 fields, the header has 2");
    check_refused("y,x\n1,2\n2,3\n", "y", NULL, "at least 20 are needed");
    bl_buf_free(&text);
}

/* Row numbers without a name, as pandas writes them, are left out; so is a second such column. */
static void test_columns_without_name(void **state) {
    (void)state;
    bl_buf text = {0}, manifest = {0};
    bl_inferred in;
    bl_buf_str(&text, ",x,,y\n");
    for (int i = 0; i < 60; i++) bl_buf_printf(&text, "%d,%d.5,%d,%d\n", i, i % 7, i % 2, i % 11);
    CHECK_OK(bl_infer(&in, bl_buf_text(&text), text.len, "t.csv", "y", NULL, ERR));
    assert_int_equal(in.column[0].kind, BL_KIND_IGNORED);
    assert_int_equal(in.column[1].kind, BL_KIND_CONTINUOUS);
    assert_string_equal(in.column[2].why, "it has no name");
    bl_inferred_manifest(&in, ".", "t.csv", &manifest);
    assert_non_null(strstr(bl_buf_text(&manifest), "ignored = [];"));
    bl_inferred_free(&in);
    bl_buf_free(&manifest);
    bl_buf_free(&text);
}

/* The written declaration opens and gives what was inferred. */
static void test_round_trip(void **state) {
    (void)state;
    const char *root = scratch_folder("infer");
    char path[BL_PATH];
    bl_buf text = {0}, manifest = {0};
    bl_inferred in;
    bl_dataset d;
    const bl_dataset_options options = {.manifest_dir = root};
    write_table(&text, '\t');
    bl_buf_str(&text, "9999\t2016-01-01\t3\t4\tUlm\tlast\t7\t\t3\t1\n"); /* without a target */
    CHECK_OK(bl_path(path, ERR, "%s/table.csv", root));
    CHECK_OK(bl_file_write(path, text.data, text.len, ERR));
    CHECK_OK(bl_infer(&in, text.data, text.len, path, "price", NULL, ERR));
    bl_inferred_manifest(&in, root, "table.csv", &manifest);
    CHECK_OK(bl_path(path, ERR, "%s/table.cfg", root));
    CHECK_OK(bl_file_write(path, manifest.data, manifest.len, ERR));
    CHECK_OK(bl_dataset_open(&d, "table", &options, ERR));
    assert_int_equal(d.rows, 400);
    assert_int_equal(d.valid_rows, in.valid_rows);
    assert_string_equal(d.target_transform, "log");
    assert_int_equal(d.categorical, 2 + 5); /* shop, town, parts of the day */
    assert_int_equal(d.continuous, 3);      /* visitors, gain, weight */
    bl_dataset_free(&d);
    bl_inferred_free(&in);
    bl_buf_free(&manifest);
    bl_buf_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_columns_without_name), cmocka_unit_test(test_round_trip)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
