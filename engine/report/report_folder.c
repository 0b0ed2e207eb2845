/* The folders of reports, and which of them the old paths show. */
#include "engine/report/report_folder.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ANSWER_LIMIT = 64 << 20 };

/* Whether a report with an answer lies in the folder: its recommendation.json says so. */
static bool holds_answer(const char *dir) {
    char path[BL_PATH];
    bl_buf text = {0};
    bl_json_doc doc = {0};
    bl_err ignored;
    bool answered = false;
    if (bl_path(path, NULL, "%s/recommendation.json", dir) == BL_OK && bl_file_exists(path) &&
        bl_file_read(&text, path, ANSWER_LIMIT, &ignored) == BL_OK &&
        bl_json_parse(&doc, bl_buf_text(&text), text.len, path, 1, &ignored) == BL_OK) {
        const bl_json *steps = bl_json_get(doc.root, "steps");
        answered = bl_json_bool(doc.root, "answered", steps != NULL && steps->type != BL_JSON_NULL);
    }
    bl_json_free(&doc);
    bl_buf_free(&text);
    return answered;
}

bl_status bl_report_place(char out[BL_PATH], const char *reports_dir, const char *name,
                          const char *preset, bool answered, bl_err *err) {
    if (preset[0] == '\0') return bl_path(out, err, "%s/%s", reports_dir, name);
    BL_TRY(bl_path(out, err, "%s/%s/%s", reports_dir, name, preset));
    if (answered || !holds_answer(out)) return BL_OK;
    return bl_path(out, err, "%s/%s/%s-no-answer", reports_dir, name, preset);
}

/* Finds the preset's report, with or without an answer. *out is its folder; BL_EMISSING says
 * which command makes it. A preset with a '/' in it is no folder's name, and is never looked
 * for. */
bl_status bl_report_kept(char out[BL_PATH], bool *answered, const char *reports_dir,
                         const char *name, const char *preset, bl_err *err) {
    static const char *const endings[] = {"", "-no-answer"};
    for (size_t i = 0; i < BL_COUNT(endings) && strchr(preset, '/') == NULL; i++) {
        char file[BL_PATH];
        BL_TRY(bl_path(out, err, "%s/%s/%s%s", reports_dir, name, preset, endings[i]));
        BL_TRY(bl_path(file, err, "%s/recommendation.json", out));
        *answered = holds_answer(out);
        if (bl_file_exists(file)) return BL_OK;
    }
    BL_FAIL(
        err, BL_EMISSING,
        "there is no report of preset '%s' of %s in %s/; `batchlab run %s --preset %s` makes it",
        preset, name, reports_dir, name, preset);
}

/* Replaces dir/file by a link to FOLDER/file, at once. */
static bl_status link_file(const char *dir, const char *folder, const char *file, bl_err *err) {
    char path[BL_PATH], tmp[BL_PATH], target[BL_PATH];
    BL_TRY(bl_path(path, err, "%s/%s", dir, file));
    BL_TRY(bl_file_temporary(tmp, path, err));
    BL_TRY(bl_path(target, err, "%s/%s", folder, file));
    (void)unlink(tmp);
    if (symlink(target, tmp) == 0 && rename(tmp, path) == 0) return BL_OK;
    const int why = errno;
    (void)unlink(tmp);
    BL_FAIL(err, BL_EIO, "cannot link %s to %s: %s", path, target, strerror(why));
}

/* A link of an earlier report to a file that the current one does not have. */
static void drop_dead_link(const char *dir, const char *place, const char *file) {
    char path[BL_PATH], current[BL_PATH];
    struct stat st;
    if (bl_path(path, NULL, "%s/%s", dir, file) != BL_OK ||
        bl_path(current, NULL, "%s/%s", place, file) != BL_OK)
        return;
    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode) && !bl_file_exists(current))
        (void)unlink(path);
}

/* A report without an answer does not become current over one that has an answer. Files are
 * linked one by one, each by a rename, so that a reader always finds the old one or the new one. */
bl_status bl_report_make_current(const char *reports_dir, const char *name, const char *place,
                                 bool answered, bl_err *err) {
    char dir[BL_PATH];
    bl_names files, old;
    BL_TRY(bl_path(dir, err, "%s/%s", reports_dir, name));
    if (strcmp(dir, place) == 0 || (!answered && holds_answer(dir))) return BL_OK;
    const char *folder = strrchr(place, '/') + 1;
    BL_TRY(bl_dir_list(&files, place, err));
    bl_status status = BL_OK;
    for (size_t i = 0; i < files.count && status == BL_OK; i++)
        status = link_file(dir, folder, files.name[i], err);
    bl_names_free(&files);
    if (status != BL_OK || bl_dir_list(&old, dir, err) != BL_OK) return status;
    for (size_t i = 0; i < old.count; i++) drop_dead_link(dir, place, old.name[i]);
    bl_names_free(&old);
    return BL_OK;
}
