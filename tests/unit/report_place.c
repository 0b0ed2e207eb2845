#include "tests/unit/report_place.h"
#include "engine/base/file.h"
#include "tests/check.h"
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

const char report_templates[] = "reports/templates";

int report_enter(void **state) {
    place *p = calloc(1, sizeof *p);
    (void)snprintf(p->root, sizeof p->root, "/tmp/report_test.XXXXXX");
    if (mkdtemp(p->root) == NULL) return -1;
    CHECK_OK(bl_path(p->runs, ERR, "%s/runs", p->root));
    CHECK_OK(bl_path(p->report, ERR, "%s/report", p->root));
    CHECK_OK(bl_make_dirs(p->runs, ERR));
    *state = p;
    return 0;
}

static void empty(const char *dir) {
    DIR *d = opendir(dir);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        char path[BL_PATH];
        if (e->d_type == DT_REG) (void)unlinkat(dirfd(d), e->d_name, 0);
        if (e->d_type == DT_DIR && e->d_name[0] != '.' &&
            bl_path(path, ERR, "%s/%s", dir, e->d_name) == BL_OK)
            empty(path);
    }
    if (d != NULL) (void)closedir(d);
    (void)rmdir(dir);
}

int report_leave(void **state) {
    place *p = *state;
    empty(p->runs);
    empty(p->report);
    empty(p->root);
    free(p);
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
    const bl_status status = bl_report_write(a, p->report, report_templates, &err);
    if (status != BL_OK && status != BL_EUNSUPPORTED) fail_msg("%s", err.text);
}

bool in_report(const place *p, const char *file) {
    char path[BL_PATH];
    CHECK_OK(bl_path(path, ERR, "%s/%s", p->report, file));
    return bl_file_exists(path);
}
