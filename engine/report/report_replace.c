/* From the folder where a report was drawn to the place where it is read.
 *
 *     nothing is there              rename
 *     a report is there             exchange the two folders in one call, then remove the old one
 *     something else is there too   move the files in one by one; other files stay
 *     exchange is not possible      the same
 *
 * "A report" is a folder with nothing but names that a report owns. A folder in which somebody
 * keeps a file is never removed. */
#include "engine/report/report_replace.h"
#include "engine/report/report_stamp.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The new folder has the permissions of the one it replaces. */
bl_status bl_report_begin(char drawing[BL_PATH], const char *place, bl_err *err) {
    struct stat st;
    BL_TRY(bl_file_temporary(drawing, place, err));
    BL_TRY(bl_make_dirs(drawing, err));
    if (stat(place, &st) == 0) (void)chmod(drawing, st.st_mode & 07777);
    return BL_OK;
}

static bool is_folder(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Does the folder hold nothing but files of a report, or links with their names? */
static bool only_a_report(const char *place, bl_report_owns *owns) {
    DIR *dir = opendir(place);
    bool only = dir != NULL;
    for (struct dirent *e; only && (e = readdir(dir)) != NULL;) {
        char path[BL_PATH];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        only = owns(e->d_name) && bl_path(path, NULL, "%s/%s", place, e->d_name) == BL_OK &&
               !is_folder(path);
    }
    if (dir != NULL) (void)closedir(dir);
    return only;
}

static bl_status move_in(const char *drawing, const char *place, const char *file, bl_err *err) {
    char from[BL_PATH], to[BL_PATH];
    BL_TRY(bl_path(from, err, "%s/%s", drawing, file));
    BL_TRY(bl_path(to, err, "%s/%s", place, file));
    if (rename(from, to) == 0) return BL_OK;
    BL_FAIL(err, BL_EIO, "%s: cannot replace this file of the report: %s", to, strerror(errno));
}

/* Removes a file that is there: of the names that a report owns. */
static bl_status drop(const char *place, const char *file, bl_err *err) {
    char path[BL_PATH];
    BL_TRY(bl_path(path, err, "%s/%s", place, file));
    if (unlink(path) == 0 || errno == ENOENT) return BL_OK;
    BL_FAIL(err, BL_EIO, "%s: cannot remove an old file of the report: %s", path, strerror(errno));
}

static bool has(const bl_names *names, const char *file) {
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->name[i], file) == 0) return true;
    return false;
}

/* File by file. Without its note a report is drawn again: the note goes first and comes last. */
static bl_status fill(const char *drawing, const char *place, bl_report_owns *owns, bl_err *err) {
    bl_names drawn = {0}, old = {0};
    char note[BL_PATH];
    bl_status status = BL_OK;
    BL_TRY(bl_make_dirs(place, err));
    BL_TRY(drop(place, BL_REPORT_NOTE, err));
    BL_GOTO(bl_dir_list(&drawn, drawing, err));
    BL_GOTO(bl_dir_list(&old, place, err));
    for (size_t i = 0; i < old.count; i++)
        if (owns(old.name[i]) && !has(&drawn, old.name[i])) BL_GOTO(drop(place, old.name[i], err));
    for (size_t i = 0; i < drawn.count; i++) BL_GOTO(move_in(drawing, place, drawn.name[i], err));
    BL_GOTO(bl_path(note, err, "%s/%s", drawing, BL_REPORT_NOTE));
    if (bl_file_exists(note)) BL_GOTO(move_in(drawing, place, BL_REPORT_NOTE, err));
    BL_GOTO(bl_dir_sync(place, err));
done:
    bl_names_free(&drawn);
    bl_names_free(&old);
    return status;
}

/* Is it the kind of place, not a fault, that forbids to exchange two folders: a mount, a file
 * system that cannot do it? */
static bool cannot_exchange(int error) {
    return error == EINVAL || error == ENOSYS || error == ENOTSUP || error == EXDEV ||
           error == EBUSY || error == EPERM;
}

/* Puts the folder in the place of the old one at once; *done says whether that could be. */
static bl_status exchange(const char *drawing, const char *place, bl_report_owns *owns, bool *done,
                          bl_err *err) {
    *done = rename(drawing, place) == 0;
    int error = errno;
    if (*done) return BL_OK;
    const bool occupied =
        error == EEXIST || error == ENOTEMPTY || error == ENOTDIR || error == EISDIR;
    if (occupied && is_folder(place) && only_a_report(place, owns)) {
        *done = renameat2(AT_FDCWD, drawing, AT_FDCWD, place, RENAME_EXCHANGE) == 0;
        error = errno;
    } else if (occupied) {
        return BL_OK;
    }
    if (*done || cannot_exchange(error)) return BL_OK;
    BL_FAIL(err, BL_EIO, "%s: cannot replace the report: %s", place, strerror(error));
}

/* What is removed at the end is the old report, the folder the files were moved from, or nothing.
 * What of it stays is a leftover that a later run sweeps. */
bl_status bl_report_replace(const char *drawing, const char *place, bl_report_owns *owns,
                            bl_err *err) {
    bool exchanged;
    BL_TRY(exchange(drawing, place, owns, &exchanged, err));
    if (exchanged)
        BL_TRY(bl_dir_sync_above(place, err));
    else
        BL_TRY(fill(drawing, place, owns, err));
    (void)bl_remove_tree(drawing, NULL);
    return BL_OK;
}
