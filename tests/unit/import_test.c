/* Runs from elsewhere: folders with links, what is refused of their numbers, the targets that are
 * chosen, and an import that is stopped. tests/cli/import_test.sh runs the command. */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/import/import.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include <unistd.h>

static void write_text(const char *dir, const char *name, const char *text) {
    char path[BL_PATH];
    CHECK_OK(bl_path(path, ERR, "%s/%s", dir, name));
    CHECK_OK(bl_file_write(path, text, strlen(text), ERR));
}

static void link_to(const char *dir, const char *name, const char *to) {
    char path[BL_PATH];
    CHECK_OK(bl_path(path, ERR, "%s/%s", dir, name));
    assert_int_equal(symlink(to, path), 0);
}

/* ---- links ---- */

/* A link to the folder itself, one to a folder and one to a file in it: each run comes once, by its
 * own name. */
static void test_links(void **state) {
    (void)state;
    static const char k_run[] = "step,bs,lr,val_loss\n1,2,3,4\n";
    const char *dir = scratch_folder("links");
    char sub[BL_PATH];
    bl_import in;
    CHECK_OK(bl_path(sub, ERR, "%s/runs", dir));
    CHECK_OK(bl_make_dirs(sub, ERR));
    write_text(sub, "one.csv", k_run);
    write_text(dir, "two.csv", k_run);
    link_to(dir, "again", ".");
    link_to(dir, "latest", "runs");
    link_to(dir, "last.csv", "two.csv");
    link_to(sub, "up", "..");
    link_to(sub, "nowhere", "absent");
    const bl_import_wish wish = {.dir = dir};
    CHECK_OK(bl_import_gather(&in, &wish, ERR));
    assert_int_equal(in.runs, 2);
    assert_int_equal(in.files, 2);
    assert_string_equal(in.run[0].name, "runs/one");
    assert_string_equal(in.run[1].name, "two");
    bl_import_free(&in);
}

/* ---- numbers ---- */

static const struct {
    const char *row;   /* under step,bs,lr,seed,val_loss */
    const char *words; /* of the error; NULL: it is taken */
} k_rows[] = {
    {"1,2,3,1,4",                NULL                                              },
    {"1000000000000000,2,3,1,4", NULL                                              },
    {"1,16777217,3,1,4",         "batch_size 16777217 is no whole number from 1 to"},
    {"1,2,0,1,4",                "learning_rate 0 is not above 0"                  },
    {"1,2,1e300,1,4",            "learning_rate 1e300 is above 1000000"            },
    {"1,2,3,-1,4",               "seed -1 is no whole number from 0"               },
    {"1.5,2,3,1,4",              "a.csv:2: step 1.5 is no whole number"            },
    {"1e18,2,3,1,4",             "a.csv:2: step 1e18 is no whole number below 2^53"},
    {"9007199254740991,2,3,1,4", "step 9007199254740991 is above 1000000000000000" },
    {"1,2,3,1,\"0,5\"",          "value '0,5' is no number: a point is needed"     },
};

static bl_status read_row(bl_import *in, const char *dir, const char *row, bl_err *err) {
    char text[200];
    const bl_import_wish wish = {.dir = dir};
    (void)snprintf(text, sizeof text, "step,bs,lr,seed,val_loss\n%s\n", row);
    write_text(dir, "a.csv", text);
    BL_TRY(bl_import_gather(in, &wish, err));
    return bl_import_settle(in, false, err);
}

/* What experiment.cfg or a fit would refuse later is refused here, with the run and its file. */
static void test_ranges(void **state) {
    (void)state;
    const char *dir = scratch_folder("ranges");
    for (size_t i = 0; i < BL_COUNT(k_rows); i++) {
        bl_import in;
        bl_err err = {0};
        const bl_status status = read_row(&in, dir, k_rows[i].row, &err);
        if (k_rows[i].words == NULL && status != BL_OK) fail_msg("%s: %s", k_rows[i].row, err.text);
        if (k_rows[i].words != NULL &&
            (status == BL_OK || strstr(err.text, k_rows[i].words) == NULL ||
             strstr(err.text, "a.csv") == NULL))
            fail_msg("%s: '%s', wanted '%s'", k_rows[i].row, err.text, k_rows[i].words);
        bl_import_free(&in);
    }
}

/* A value that no target can have ends a run as one that is not finite does. */
static void test_huge_value(void **state) {
    (void)state;
    bl_import in;
    CHECK_OK(read_row(&in, scratch_folder("huge"), "1,2,3,1,0.5\n2,2,3,1,1e300\n3,2,3,1,0.4", ERR));
    assert_int_equal(in.run[0].rows, 2);
    assert_true(isnan(in.run[0].row[1].value));
    bl_import_free(&in);
}

/* Usual names are parameters in a pattern, too; any other is a setting. */
static void test_pattern(void **state) {
    (void)state;
    const char *dir = scratch_folder("pattern");
    const bl_import_wish wish = {.dir = dir, .pattern = "bs{bs}_lr{lr}_{opt}_seed{seed}"};
    bl_import in;
    write_text(dir, "bs64_lr0.5_sgd_seed3.csv", "step,val_loss\n1,2\n");
    CHECK_OK(bl_import_gather(&in, &wish, ERR));
    CHECK_OK(bl_import_settle(&in, false, ERR));
    assert_int_equal(in.run[0].batch_size, 64);
    assert_int_equal(in.run[0].seed, 3);
    assert_true(in.run[0].learning_rate == 0.5);
    assert_int_equal(in.params, BL_IMPORT_FIXED + 1);
    assert_string_equal(in.run[0].param[BL_IMPORT_FIXED], "sgd");
    bl_import_free(&in);
}

/* ---- targets ---- */

/* Runs that say no seed take numbers that the others leave; "1" and "1.0" are one value. */
static void test_seeds(void **state) {
    (void)state;
    const char *dir = scratch_folder("seeds");
    bl_import in;
    const char *const map[] = {"opt=opt"};
    const bl_import_wish wish = {.dir = dir, .map = map, .maps = 1};
    write_text(dir, "a.csv", "step,bs,lr,seed,opt,val_loss\n1,2,3,,1,4\n");
    write_text(dir, "b.csv", "step,bs,lr,seed,opt,val_loss\n1,2,3,1,1.0,4\n");
    write_text(dir, "c.csv", "step,bs,lr,seed,opt,val_loss\n1,2,3,,1,4\n");
    write_text(dir, "d.csv", "step,bs,lr,seed,opt,val_loss\n1,2,3,3,1e0,4\n");
    write_text(dir, "e.csv", "step,bs,lr,seed,opt,val_loss\n1,2,3,,one,4\n");
    CHECK_OK(bl_import_gather(&in, &wish, ERR));
    CHECK_OK(bl_import_settle(&in, false, ERR));
    static const char *const names[] = {"b", "a", "d", "c", "e"};
    static const int64_t seeds[] = {1, 2, 3, 4, 1};
    assert_int_equal(in.runs, BL_COUNT(names));
    for (size_t i = 0; i < in.runs; i++) {
        assert_string_equal(in.run[i].name, names[i]);
        assert_int_equal(in.run[i].seed, seeds[i]);
    }
    bl_import_free(&in);
    write_text(dir, "c.csv", "step,bs,lr,seed,opt,val_loss\n1,2,3,1,1.00,4\n");
    CHECK_OK(bl_import_gather(&in, &wish, ERR));
    bl_err err = {0};
    assert_int_equal(bl_import_settle(&in, false, &err), BL_EINVAL);
    assert_non_null(strstr(err.text, "runs b and c have the same batch size 2"));
    bl_import_free(&in);
}

/* Eight fields of any text in a long name that does not fit: each is tried once at each place. */
static void test_long_name(void **state) {
    (void)state;
    const char *dir = scratch_folder("long");
    char name[BL_NAME + 200];
    bl_import in;
    memset(name, 'a', 180);
    memcpy(name + 180, ".csv", 5);
    write_text(dir, name, "step,bs,lr,val_loss\n1,2,3,4\n");
    const bl_import_wish wish = {.dir = dir, .pattern = "{a}{b}{c}{d}{e}{f}{g}{h}x"};
    CHECK_OK(bl_import_gather(&in, &wish, ERR)); /* else it takes hours */
    assert_null(in.run[0].param[BL_IMPORT_FIXED]);
    bl_import_free(&in);
}

/* A target is the nearest number to its three digits, and never below what was reached. */
static void test_targets(void **state) {
    (void)state;
    static const char *const values[] = {"0.0812", "0.08113", "0.07",  "0.9999", "1e-7",
                                         "123.4",  "0.274",   "99999", "3e199"};
    const char *dir = scratch_folder("targets");
    for (size_t i = 0; i < BL_COUNT(values); i++) {
        char row[64], text[32];
        bl_import in;
        (void)snprintf(row, sizeof row, "1,2,3,1,%s", values[i]);
        CHECK_OK(read_row(&in, dir, row, ERR));
        bl_import_targets(&in);
        (void)snprintf(text, sizeof text, "%.3g", in.targets[0]);
        assert_true(strtod(text, NULL) == in.targets[0]);
        assert_true(in.targets[0] >= strtod(values[i], NULL));
        assert_true(in.targets[0] <= 1.01 * strtod(values[i], NULL));
        bl_import_free(&in);
    }
}

/* ---- an import that is stopped ---- */

static bool at_second(void *ctx, size_t written, size_t runs) {
    size_t *seen = ctx;
    *seen = runs;
    return written == 1;
}

static bool never(void *ctx, size_t written, size_t runs) {
    (void)ctx, (void)written, (void)runs;
    return false;
}

static size_t entries(const char *dir) {
    bl_names names;
    CHECK_OK(bl_dir_list(&names, dir, ERR));
    const size_t count = names.count;
    bl_names_free(&names);
    return count;
}

static void test_stopped(void **state) {
    (void)state;
    const char *to = scratch_folder("written");
    char folder[BL_PATH], runs[BL_PATH];
    bl_import in;
    bl_err err;
    size_t seen = 0;
    const char *from = scratch_folder("two");
    write_text(from, "a.csv", "step,bs,lr,val_loss\n1,2,3,4\n");
    write_text(from, "b.csv", "step,bs,lr,val_loss\n1,4,3,4\n");
    const bl_import_wish wish = {.dir = from};
    CHECK_OK(bl_import_gather(&in, &wish, ERR));
    CHECK_OK(bl_import_settle(&in, false, ERR));
    bl_import_targets(&in);
    CHECK_OK(bl_path(folder, ERR, "%s/one", to));
    bl_import_plan plan = {.name = "one",
                           .folder = folder,
                           .from = from,
                           .targets = in.targets,
                           .target_count = 1,
                           .stops = at_second,
                           .ctx = &seen};
    assert_int_equal(bl_import_write(&in, &plan, &err), BL_EINTERRUPTED);
    assert_int_equal(seen, 2);
    assert_int_equal(entries(to), 0);
    plan.stops = never;
    CHECK_OK(bl_import_write(&in, &plan, ERR));
    assert_int_equal(entries(to), 1);
    assert_int_equal(entries(folder), 3);
    CHECK_OK(bl_path(runs, ERR, "%s/runs", folder));
    assert_int_equal(entries(runs), 2);
    assert_int_not_equal(bl_import_write(&in, &plan, &err), BL_OK); /* it is there */
    assert_int_equal(entries(to), 1);
    bl_import_free(&in);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_links),   cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_pattern), cmocka_unit_test(test_huge_value),
        cmocka_unit_test(test_targets), cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_seeds),   cmocka_unit_test(test_long_name),
    };
    return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
