/* Which report the old paths show: the newest answer, never a report without one in its place. */
#include "engine/report/report_folder.h"
#include "tests/check.h"
#include "tests/unit/report_place.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ANSWER = 1, NO_ANSWER = 0 };

static bl_report_model model_of(const place *p, const char *preset, bool answered) {
    bl_report_model a = answer_of(
        p,
        (bl_report_fixture){.sizes = 4, .seeds = 1, .timing = answered, .all_censored = !answered});
    assert_int_equal(a.answered, answered);
    a.plan.head.preset = preset;
    return a;
}

/* As `batchlab run` does it; `expected` is the folder below report/x. */
static void report(const place *p, const char *preset, bool answered, const char *expected) {
    char dir[BL_PATH], want[BL_PATH];
    bl_err err = {0};
    bl_report_model a = model_of(p, preset, answered);
    CHECK_OK(bl_report_place(dir, p->report, "x", preset, answered, ERR));
    CHECK_OK(bl_path(want, ERR, "%s/x%s", p->report, expected));
    assert_string_equal(dir, want);
    const bl_status status = bl_report_write(&a, dir, report_templates, NULL, &err);
    assert_true(status == BL_OK || status == BL_EUNSUPPORTED);
    CHECK_OK(bl_report_make_current(p->report, "x", dir, answered, ERR));
    bl_report_model_free(&a);
}

/* The preset that report/x/recommendation.txt speaks of. */
static void expect_shown(const place *p, const char *preset, bool answered) {
    bl_buf text = contents(p, "x/recommendation.txt");
    char part[64];
    (void)snprintf(part, sizeof part, "fixture, preset %s,", preset);
    assert_non_null(strstr(bl_buf_text(&text), part));
    assert_int_equal(strstr(bl_buf_text(&text), "No answer") == NULL, answered);
    bl_buf_free(&text);
}

static bool is_link(const place *p, const char *file) {
    char path[BL_PATH];
    struct stat st;
    CHECK_OK(bl_path(path, ERR, "%s/x/%s", p->report, file));
    return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

static void each_preset_keeps_its_report(void **state) {
    const place *p = *state;
    report(p, "quick", ANSWER, "/quick");
    expect_shown(p, "quick", ANSWER);
    assert_true(is_link(p, "report.html") && is_link(p, "time.dat"));
    report(p, "tiny", ANSWER, "/tiny");
    expect_shown(p, "tiny", ANSWER);
    assert_true(in_report(p, "x/quick/recommendation.txt"));
    assert_true(in_report(p, "x/quick/time.dat"));
}

static void no_answer_replaces_none(void **state) {
    const place *p = *state;
    report(p, "tiny", NO_ANSWER, "/tiny"); /* better than nothing */
    expect_shown(p, "tiny", NO_ANSWER);
    report(p, "quick", ANSWER, "/quick");
    report(p, "tiny", NO_ANSWER, "/tiny");
    expect_shown(p, "quick", ANSWER);
    report(p, "quick", NO_ANSWER, "/quick-no-answer");
    expect_shown(p, "quick", ANSWER);
    assert_true(in_report(p, "x/quick-no-answer/recommendation.txt"));
}

/* A figure that the newer answer does not have goes; what is not a link stays. */
static void dead_links_go(void **state) {
    const place *p = *state;
    char path[BL_PATH];
    report(p, "quick", ANSWER, "/quick");
    CHECK_OK(bl_path(path, ERR, "%s/x/own.txt", p->report));
    CHECK_OK(bl_file_write(path, "mine", 4, ERR));
    CHECK_OK(bl_path(path, ERR, "%s/x/quick/time.dat", p->report));
    assert_int_equal(unlink(path), 0);
    CHECK_OK(bl_path(path, ERR, "%s/x/quick", p->report));
    CHECK_OK(bl_report_make_current(p->report, "x", path, true, ERR));
    assert_false(is_link(p, "time.dat"));
    assert_true(is_link(p, "scaling.dat"));
    assert_true(in_report(p, "x/own.txt"));
}

static void without_presets_there_are_no_links(void **state) {
    const place *p = *state;
    report(p, "", ANSWER, "");
    assert_false(is_link(p, "report.html"));
    assert_true(in_report(p, "x/report.html"));
}

/* Files of an older report lie where the links go. */
static void an_older_report_is_replaced(void **state) {
    const place *p = *state;
    report(p, "", ANSWER, "");
    report(p, "quick", NO_ANSWER, "/quick");
    assert_false(is_link(p, "report.html"));
    report(p, "quick", ANSWER, "/quick");
    assert_true(is_link(p, "report.html"));
    expect_shown(p, "quick", ANSWER);
}

int main(void) {
    (void)setenv("PATH", "/nowhere", 1); /* drawings are not what this is about */
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, report_enter, report_leave)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(each_preset_keeps_its_report),
        IN_FOLDER(no_answer_replaces_none),
        IN_FOLDER(dead_links_go),
        IN_FOLDER(without_presets_there_are_no_links),
        IN_FOLDER(an_older_report_is_replaced),
    };
    return cmocka_run_group_tests_name("report_folder", tests, NULL, NULL);
}
