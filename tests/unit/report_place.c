#include "tests/unit/report_place.h"
#include "engine/base/file.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char report_templates[] = "reports/templates";

int report_enter(void **state) {
    place *p = calloc(1, sizeof *p);
    p->root = scratch_folder("report");
    CHECK_OK(bl_path(p->runs, ERR, "%s/fixture", p->root));
    CHECK_OK(bl_path(p->report, ERR, "%s/report", p->root));
    CHECK_OK(bl_make_dirs(p->runs, ERR));
    *state = p;
    return 0;
}

int report_leave(void **state) {
    free(*state);
    return 0;
}

bl_report_model answer_of(const place *p, bl_report_fixture fixture) {
    bl_report_model a;
    CHECK_OK(bl_report_fixture_write(&fixture, p->runs, ERR));
    CHECK_OK(bl_report_analyse(&a, p->runs, ERR));
    return a;
}

bl_buf contents(const place *p, const char *file) {
    char path[BL_PATH];
    bl_buf out = {0};
    CHECK_OK(bl_path(path, ERR, "%s/%s", p->report, file));
    CHECK_OK(bl_file_read(&out, path, 1 << 24, ERR));
    return out;
}

/* Everything but the drawings, which need gnuplot. */
void write_report(const place *p, const bl_report_model *a) {
    bl_err err = {0};
    const bl_status status = bl_report_write(a, p->report, report_templates, NULL, &err);
    if (status != BL_OK && status != BL_EUNSUPPORTED) fail_msg("%s", err.text);
}

bool in_report(const place *p, const char *file) {
    char path[BL_PATH];
    CHECK_OK(bl_path(path, ERR, "%s/%s", p->report, file));
    return bl_file_exists(path);
}

static void golden_file(const char *name, const char *ending, const bl_buf *text) {
    char path[BL_PATH];
    bl_buf expected = {0};
    CHECK_OK(bl_path(path, ERR, "tests/golden/report_%s.%s", name, ending));
    if (getenv("BL_GOLDEN_UPDATE") != NULL)
        CHECK_OK(bl_file_write(path, bl_buf_text(text), text->len, ERR));
    CHECK_OK(bl_file_read(&expected, path, 1 << 24, ERR));
    if (expected.len != text->len || memcmp(expected.data, bl_buf_text(text), text->len) != 0)
        fail_msg("%s is another text (`make golden-update` and git diff show both):\n%s", path,
                 bl_buf_text(text));
    bl_buf_free(&expected);
}

/* One member of the object a line, so that a difference is a short one. */
static void break_lines(bl_buf *out, const char *json) {
    int depth = 0;
    bool quoted = false;
    for (const char *p = json; *p != '\0'; p++) {
        if (*p == '"' && (p == json || p[-1] != '\\')) quoted = !quoted;
        if (!quoted && (*p == '{' || *p == '[')) depth++;
        if (!quoted && (*p == '}' || *p == ']')) depth--;
        bl_buf_add(out, p, 1);
        if (!quoted && *p == ',' && depth <= 3) bl_buf_str(out, "\n");
    }
    bl_buf_str(out, "\n");
}

void golden_report(const bl_report_model *a, const char *name) {
    bl_buf text = {0}, json = {0}, lines = {0};
    bl_recommendation_text(a, &text);
    golden_file(name, "txt", &text);
    bl_recommendation_json(a, &json);
    break_lines(&lines, bl_buf_text(&json));
    golden_file(name, "json", &lines);
    bl_buf_free(&lines);
    bl_buf_free(&json);
    bl_buf_free(&text);
}
