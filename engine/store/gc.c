/* What goes, and when.
 *
 *     bl_store_gc     `batchlab gc`: lists or removes the kinds of gc.h, in one store
 *     bl_store_tidy   `batchlab run`, before it begins: what killed processes left in run folders
 *     bl_scratch_gc   both: scratch folders whose process is dead */
#include "engine/store/gc.h"
#include "engine/base/mem.h"
#include "engine/base/process.h"
#include "engine/store/fsck.h"
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

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

/* Renamed first, so that whoever has claimed the run meanwhile has lost it as a whole: what that
 * process still writes fails, and it notices. */
static bl_status remove_run(const char *dir, bl_err *err) {
    char gone[BL_PATH];
    BL_TRY(bl_file_temporary(gone, dir, err));
    if (rename(dir, gone) != 0) BL_FAIL(err, BL_EIO, "cannot remove %s: %s", dir, strerror(errno));
    return bl_remove_tree(gone, err);
}

static bl_status drop(bl_gc *gc, bl_gc_kind kind, const char *dir, const char *name, bl_err *err) {
    char path[BL_PATH];
    BL_TRY(bl_path(path, err, "%s/%s", dir, name));
    gc->kind[kind].count++;
    gc->kind[kind].bytes += bytes_of(path);
    if (gc->dry) return BL_OK;
    if (kind == BL_GC_UNWANTED) return remove_run(path, err);
    return kind == BL_GC_TEMPORARY ? bl_store_remove_leftover(dir, name, err)
                                   : bl_remove_tree(path, err);
}

/* The state of a program lies beside its checkpoint. */
static bool is_checkpoint(const char *name) {
    static const char *const names[] = {"checkpoint-A", "checkpoint-B", "state-A", "state-B"};
    for (size_t i = 0; i < BL_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

/* BL_GC_KINDS: needed. */
static bl_gc_kind kind_of_file(const char *dir, const char *name, bool finished) {
    if (strstr(name, ".corrupt-") != NULL) return BL_GC_ASIDE;
    if (bl_store_is_leftover(dir, name)) return BL_GC_TEMPORARY;
    if (finished && is_checkpoint(name)) return BL_GC_CHECKPOINTS;
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
        const bool unwanted = gc->wanted != NULL && !gc->wanted(gc->ctx, names.name[i]);
        if (unwanted && bl_claim_state_of(dir) != BL_CLAIM_HELD)
            status = drop(gc, BL_GC_UNWANTED, store->dir, names.name[i], err);
        else
            status = clean_folder(gc, dir, is_finished(dir), err);
    }
    bl_names_free(&names);
    return status;
}

/* ---- what the next run removes ---- */

static bool exists_in(const char *dir, const char *name) {
    char path[BL_PATH];
    return bl_path(path, NULL, "%s/%s", dir, name) == BL_OK && bl_file_exists(path);
}

/* Steps of log.jsonl.part; 0: there is none that is whole. */
static int64_t part_steps(const bl_store *store, const char *id) {
    bl_buf text = {0};
    bl_runlog log;
    bl_err ignored;
    int64_t steps = 0;
    if (bl_store_load_part(store, id, &text, &ignored) == BL_OK &&
        bl_runlog_parse(&log, bl_buf_text(&text), text.len, id, &ignored) == BL_OK) {
        steps = log.evals > 0 ? log.eval[log.evals - 1].step : 0;
        bl_runlog_free(&log);
    }
    bl_buf_free(&text);
    return steps;
}

/* Does the newest checkpoint have the log beyond the run's end with it? Then the part is not
 * needed. */
static bool has_tail(const bl_store *store, const char *id) {
    bl_buf state[2] = {{0}, {0}}, log = {0};
    int slot;
    const bool found = bl_store_load_checkpoints(store, id, &slot, state, NULL) == BL_OK &&
                       bl_store_cut_tail(&state[0], &log);
    for (int i = 0; i < 2; i++) bl_buf_free(&state[i]);
    bl_buf_free(&log);
    return found;
}

/* A process that was killed between publishing a run and tidying up left the part of its log, or a
 * second checkpoint. Only a part that goes on beyond the result, and a checkpoint that needs it,
 * are work to be kept. */
static void tidy_done(const bl_store *store, bl_claim *claim, const char *dir, const char *id) {
    bl_stored run;
    if (bl_store_load(store, id, &run, NULL) != BL_OK || !run.done) return;
    const bool two = exists_in(dir, "checkpoint-A") && exists_in(dir, "checkpoint-B");
    const bool one = exists_in(dir, "checkpoint-A") || exists_in(dir, "checkpoint-B");
    const bool ahead = part_steps(store, id) > run.steps && !has_tail(store, id);
    if (!ahead || !one) bl_store_drop_part(claim);
    if (!ahead && two) bl_store_drop_checkpoint(claim, 1);
    bl_stored_free(&run);
}

/* Is there anything in the folder that tidying up could remove? */
static bool is_untidy(const bl_names *names) {
    bool result = false, part = false, temporary = false;
    size_t checkpoints = 0;
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->name[i];
        result |= strcmp(name, "result.json") == 0;
        part |= strcmp(name, "log.jsonl.part") == 0;
        temporary |= strstr(name, BL_TEMPORARY) != NULL;
        checkpoints += strncmp(name, "checkpoint-", 11) == 0;
    }
    return temporary || names->count == 0 || (result && (part || checkpoints > 1));
}

/* One folder of the store. The names are read first, so that a folder in order costs no claim. */
static bl_status tidy_folder(const bl_store *store, bl_claims *claims, const char *name,
                             bl_err *err) {
    char dir[BL_PATH];
    bl_names names;
    bl_claim *claim;
    bool cleared = true;
    if (bl_path(dir, NULL, "%s/%s", store->dir, name) != BL_OK ||
        bl_dir_list(&names, dir, NULL) != BL_OK)
        return BL_OK;
    bool untidy = is_untidy(&names);
    for (size_t i = 0; i < names.count; i++)
        if (strcmp(names.name[i], "claim.d") == 0) {
            if (bl_claim_clear(dir, &cleared, NULL) != BL_OK) cleared = false;
            untidy = untidy || names.count == 1;
        }
    bl_names_free(&names);
    /* Taking the claim removes temporary files, giving it back an empty folder. */
    if (!cleared || !untidy) return BL_OK;
    BL_TRY(bl_claim_acquire(claims, dir, &claim, err));
    if (claim == NULL) return BL_OK;
    if (bl_store_is_run_id(name)) tidy_done(store, claim, dir, name);
    bl_claim_release(claim);
    return BL_OK;
}

bl_status bl_store_tidy(const bl_store *store, bl_err *err) {
    bl_names names;
    bl_status status = BL_OK;
    if (bl_dir_list(&names, store->dir, NULL) != BL_OK) return BL_OK;
    bl_claims *claims = bl_claims_open();
    bl_dir_sweep(store->dir);
    for (size_t i = 0; status == BL_OK && i < names.count; i++)
        if (bl_store_is_run_id(names.name[i]) || strcmp(names.name[i], "measuring") == 0)
            status = tidy_folder(store, claims, names.name[i], err);
    bl_claims_close(claims);
    bl_names_free(&names);
    return status;
}

/* ---- scratch folders ---- */

enum { OWNER_IS_GONE = 3600, OPEN_FOLDERS = 16 };
static const char *const k_prefixes[] = {".verify-", ".bundle-"};

bl_status bl_scratch_make(char path[BL_PATH], const char *runs_dir, const char *purpose,
                          bl_err *err) {
    char made[BL_PATH], token[BL_PROCESS_TOKEN];
    path[0] = '\0';
    BL_TRY(bl_make_dirs(runs_dir, err));
    bl_process_token(token, sizeof token);
    BL_TRY(bl_path(made, err, "%s/.%s-%s", runs_dir, purpose, token));
    if (mkdir(made, 0700) != 0)
        BL_FAIL(err, BL_EIO, "cannot make a scratch folder in %s/: %s", runs_dir, strerror(errno));
    memcpy(path, made, sizeof made);
    return BL_OK;
}

/* The owner's token in the name of a scratch folder; NULL: it is none. */
static const char *scratch_owner(const char *name) {
    for (size_t i = 0; i < BL_COUNT(k_prefixes); i++)
        if (strncmp(name, k_prefixes[i], strlen(k_prefixes[i])) == 0)
            return name + strlen(k_prefixes[i]);
    return NULL;
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
    double age;
    BL_TRY(bl_path(path, err, "%s/%s", runs_dir, name));
    t_seen.last_change = 0;
    t_seen.bytes = 0;
    if (nftw(path, see, OPEN_FOLDERS, FTW_PHYS) != 0) return BL_OK; /* removed meanwhile */
    if (!bl_process_is_dead(scratch_owner(name)) &&
        (!bl_claim_server_age(runs_dir, (double)t_seen.last_change, &age) || age <= OWNER_IS_GONE))
        return BL_OK;
    gc->kind[BL_GC_TEMPORARY].count++;
    gc->kind[BL_GC_TEMPORARY].bytes += t_seen.bytes;
    return gc->dry ? BL_OK : bl_remove_tree(path, err);
}

bl_status bl_scratch_gc(const char *runs_dir, bl_gc *gc, bl_err *err) {
    DIR *dir = opendir(runs_dir);
    bl_status status = BL_OK;
    if (dir == NULL && errno == ENOENT) return BL_OK;
    if (dir == NULL) BL_FAIL(err, BL_EIO, "cannot read %s/: %s", runs_dir, strerror(errno));
    for (struct dirent *entry; status == BL_OK && (entry = readdir(dir)) != NULL;)
        if (scratch_owner(entry->d_name) != NULL)
            status = collect(runs_dir, entry->d_name, gc, err);
    (void)closedir(dir);
    return status;
}
