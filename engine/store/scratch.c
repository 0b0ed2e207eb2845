#include "engine/store/scratch.h"
#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>

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
