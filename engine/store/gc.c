#include "engine/store/gc.h"
#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include "engine/store/fsck.h"
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>

static int64_t bytes_of(const char *path) {
    bl_names names;
    bl_file_stamp stamp;
    bl_err ignored;
    int64_t total = 0;
    if (!bl_dir_exists(path)) return bl_file_stat(&stamp, path) ? stamp.size : 0;
    if (bl_dir_list(&names, path, &ignored) != BL_OK) return 0;
    for (size_t i = 0; i < names.count; i++) {
        char inner[BL_PATH];
        if (bl_path(inner, &ignored, "%s/%s", path, names.name[i]) == BL_OK)
            total += bytes_of(inner);
    }
    bl_names_free(&names);
    return total;
}

static bl_status drop(bl_gc *gc, bl_gc_kind kind, const char *dir, const char *name, bl_err *err) {
    char path[BL_PATH];
    BL_TRY(bl_path(path, err, "%s/%s", dir, name));
    gc->kind[kind].count++;
    gc->kind[kind].bytes += bytes_of(path);
    if (!gc->dry) bl_remove_tree(path);
    return BL_OK;
}

/* BL_GC_KINDS: needed. */
static bl_gc_kind kind_of_file(const char *dir, const char *name, bool finished) {
    if (strstr(name, ".corrupt-") != NULL) return BL_GC_ASIDE;
    if (bl_store_is_leftover(dir, name)) return BL_GC_TEMPORARY;
    if (finished && (strcmp(name, "checkpoint-A") == 0 || strcmp(name, "checkpoint-B") == 0))
        return BL_GC_CHECKPOINTS;
    return BL_GC_KINDS;
}

/* A run with a log.jsonl.part is on its way, also to a longer prefix. */
static bool is_finished(const char *dir) {
    char result[BL_PATH], part[BL_PATH];
    return bl_claim_state_of(dir) != BL_CLAIM_HELD &&
           bl_path(result, NULL, "%s/result.json", dir) == BL_OK && bl_file_exists(result) &&
           bl_path(part, NULL, "%s/log.jsonl.part", dir) == BL_OK && !bl_file_exists(part);
}

static bl_status clean_folder(bl_gc *gc, const char *dir, bool finished, bl_err *err) {
    bl_names names;
    BL_TRY(bl_dir_list(&names, dir, err));
    bl_status status = BL_OK;
    for (size_t i = 0; status == BL_OK && i < names.count; i++) {
        const bl_gc_kind kind = kind_of_file(dir, names.name[i], finished);
        if (kind != BL_GC_KINDS) status = drop(gc, kind, dir, names.name[i], err);
    }
    bl_names_free(&names);
    return status;
}

bl_status bl_store_gc(const bl_store *store, bl_gc *gc, bl_err *err) {
    bl_names names;
    BL_TRY(clean_folder(gc, store->dir, false, err));
    BL_TRY(bl_dir_list(&names, store->dir, err));
    bl_status status = BL_OK;
    for (size_t i = 0; status == BL_OK && i < names.count; i++) {
        char dir[BL_PATH];
        if (!bl_store_is_run_id(names.name[i])) continue;
        status = bl_path(dir, err, "%s/%s", store->dir, names.name[i]);
        if (status != BL_OK) break;
        if (gc->wanted != NULL && !gc->wanted(gc->ctx, names.name[i]))
            status = drop(gc, BL_GC_UNWANTED, store->dir, names.name[i], err);
        else
            status = clean_folder(gc, dir, is_finished(dir), err);
    }
    bl_names_free(&names);
    return status;
}

/* ---- scratch folders ---- */

enum { OWNER_IS_GONE = 3600, OPEN_FOLDERS = 16 };
static const char *const k_prefixes[] = {".verify-", ".bundle-"};

bl_status bl_scratch_make(char path[BL_PATH], const char *runs_dir, const char *purpose,
                          bl_err *err) {
    char made[BL_PATH];
    path[0] = '\0';
    BL_TRY(bl_make_dirs(runs_dir, err));
    BL_TRY(bl_path(made, err, "%s/.%s-XXXXXX", runs_dir, purpose));
    if (mkdtemp(made) == NULL)
        BL_FAIL(err, BL_EIO, "cannot make a scratch folder in %s/: %s", runs_dir, strerror(errno));
    memcpy(path, made, sizeof made);
    return BL_OK;
}

static bool is_scratch(const char *name) {
    for (size_t i = 0; i < BL_COUNT(k_prefixes); i++)
        if (strncmp(name, k_prefixes[i], strlen(k_prefixes[i])) == 0) return true;
    return false;
}

/* nftw() has no context of its own to pass on. */
static _Thread_local struct {
    time_t last_change;
    int64_t bytes;
} t_seen;

static int see(const char *path, const struct stat *st, int type, struct FTW *where) {
    (void)path, (void)where;
    if (type == FTW_F) t_seen.bytes += st->st_size;
    if (type != FTW_NS && st->st_mtime > t_seen.last_change) t_seen.last_change = st->st_mtime;
    return 0;
}

static bl_status collect(const char *runs_dir, const char *name, bl_gc *gc, bl_err *err) {
    char path[BL_PATH];
    BL_TRY(bl_path(path, err, "%s/%s", runs_dir, name));
    t_seen.last_change = 0;
    t_seen.bytes = 0;
    if (nftw(path, see, OPEN_FOLDERS, FTW_PHYS) != 0) return BL_OK; /* removed meanwhile */
    if (bl_clock_epoch_seconds() - (double)t_seen.last_change <= OWNER_IS_GONE) return BL_OK;
    gc->kind[BL_GC_TEMPORARY].count++;
    gc->kind[BL_GC_TEMPORARY].bytes += t_seen.bytes;
    if (!gc->dry) bl_remove_tree(path);
    return BL_OK;
}

bl_status bl_scratch_gc(const char *runs_dir, bl_gc *gc, bl_err *err) {
    DIR *dir = opendir(runs_dir);
    bl_status status = BL_OK;
    if (dir == NULL && errno == ENOENT) return BL_OK;
    if (dir == NULL) BL_FAIL(err, BL_EIO, "cannot read %s/: %s", runs_dir, strerror(errno));
    for (struct dirent *entry; status == BL_OK && (entry = readdir(dir)) != NULL;)
        if (is_scratch(entry->d_name)) status = collect(runs_dir, entry->d_name, gc, err);
    (void)closedir(dir);
    return status;
}
