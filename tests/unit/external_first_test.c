/* The first start of programs that report nothing (bl_external_first_start): of much output, and of
 * one that does not end by itself. tests/cli/init_command_test.sh starts programs of each level. */
#include "engine/base/file.h"
#include "engine/external/first_start.h"
#include "tests/check.h"
#include "tests/scratch.h"

static bool is_never_due(void *ctx) {
    (void)ctx;
    return false;
}

static int quiet;

static void count_quiet(double seconds) {
    assert_true(seconds > 0.2);
    quiet++;
}

static void start(bl_external_first *out, const char *dir, char *script) {
    char sh[] = "sh", c[] = "-c";
    char *const argv[] = {sh, c, script, NULL};
    const bl_external_ask ask = {.argv = argv,
                                 .dir = dir,
                                 .until = 500,
                                 .seconds = 0.1,
                                 .is_quiet = count_quiet,
                                 .silence = 0.2};
    const bl_train_pause pause = {.due = is_never_due};
    CHECK_OK(bl_external_first_start(out, &ask, &pause, ERR));
}

/* What it prints first is read, however much comes after it. */
static void test_much_output(void **state) {
    (void)state;
    char script[] = "for i in 1 2 3; do echo step $i loss 0.$((9 - i)); done; "
                    "yes 0123456789abcdef | head -c 9437184";
    bl_external_first first;
    start(&first, scratch_folder("much"), script);
    assert_int_equal(first.level, 0);
    assert_int_equal(first.guess.points, 3);
    assert_string_equal(first.guess.metric, "loss");
    bl_external_first_free(&first);
}

/* One that knows nothing of goal.json is ended at once, not waited for: the loop would come to its
 * end after 20 seconds. */
static void test_endless(void **state) {
    (void)state;
    char path[BL_PATH],
        script[] = "i=0; while [ $i -lt 200 ]; do i=$((i + 1)); echo step $i loss $((500 - i)); "
                   "sleep 0.1; done; echo >\"$BATCHLAB_RUN/whole\"";
    const char *dir = scratch_folder("endless");
    bl_external_first first;
    start(&first, dir, script);
    assert_int_equal(first.level, 0);
    assert_true(first.guess.points >= 3);
    CHECK_OK(bl_path(path, ERR, "%s/whole", dir));
    assert_false(bl_file_exists(path));
    bl_external_first_free(&first);
}

/* A program that loads data for long is no program that hangs. */
static void test_quiet(void **state) {
    (void)state;
    char script[] = "sleep 1; for i in 1 2 3; do echo step $i loss 0.$((9 - i)); done";
    bl_external_first first;
    quiet = 0;
    start(&first, scratch_folder("quiet"), script);
    assert_int_equal(first.guess.points, 3);
    assert_true(quiet > 0);
    bl_external_first_free(&first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_much_output),
        cmocka_unit_test(test_endless),
        cmocka_unit_test(test_quiet),
    };
    return cmocka_run_group_tests_name("external_first", tests, NULL, NULL);
}
