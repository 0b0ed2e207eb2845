/* How one process at a time works on a run, without a lock that outlives its owner (docs/store.md).
 *
 *     runs/NAME/ID/                    the folder that is claimed
 *         claim.d/                     the claim: one folder in it, or free
 *             PLACE-PID-START-RANDOM/  the owner's folder; its name says whose it is
 *                 beat                 touched every 15 s while the owner lives
 *                 log.jsonl.gz.tmp-*   what the owner is just writing
 *         log.jsonl.gz  ...            what it has written
 *
 *     take       mkdir claim.d.tmp-ME/ME, create beat, then rename(claim.d.tmp-ME, claim.d)
 *                works over nothing and over an empty folder; fails over somebody's claim
 *     beat       utimensat(claim.d/ME/beat); ENOENT: the claim is lost
 *     write F    create claim.d/ME/F.tmp-*, fsync, then rename(claim.d/ME/F.tmp-*, F)
 *     remove F   rename(F, claim.d/ME/F), then unlink
 *     take over  rename(claim.d/OTHER, claim.d.tmp-OTHER.gone), then as `take`
 *     give back  rename(claim.d/ME, claim.d.tmp-ME.gone), rmdir(claim.d)
 *
 * What holds, whatever is killed or frozen between any two calls:
 *     1. claim.d has at most one folder in it. Every change of owner is one rename of one name.
 *     2. A claim that arrives is whole. There is no moment in which it has an owner but no beat.
 *     3. An owner whose folder was renamed away changes nothing: each write and each removal is a
 *        rename out of or into that folder, and fails. The owner notices and gives up the run.
 *     4. Only a folder that is named by its owner is renamed away. A claim that came after a
 * process looked has another name, so it stays.
 *
 * An owner counts as gone when its name is that of a dead process of this machine. It also does
 * when its beat is BL_CLAIM_STALE seconds older than the time that the file server gives to a file
 * made now. The local clock is not used. A wrong take-over costs time, never a result. */
#include "engine/store/claim.h"
#include "engine/base/buf.h"
#include "engine/base/clock.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/process.h"
#include "engine/base/sha256.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MOST_ATTEMPTS = 16, OWNER = 256 };
static const char k_claim[] = "claim.d", k_temporary[] = "claim.d.tmp-";

struct bl_claim {
    bl_claims *all;
    bl_claim *next;
    int lost; /* atomic */
    char owner[OWNER];
    char dir[BL_PATH], own[BL_PATH]; /* DIR, DIR/claim.d/OWNER */
};

struct bl_claims {
    pthread_mutex_t lock;
    pthread_cond_t closing_now;
    pthread_t thread;
    bool beating, closing;
    bl_claim *first;
    double beat, stale;           /* seconds */
    double server_now, looked_at; /* the file server's clock, and ours when it was read; 0: never */
};

static double setting(const char *name, double otherwise) {
    const char *text = getenv(name);
    char *end;
    const double value = text != NULL ? strtod(text, &end) : 0.0;
    return text != NULL && end != text && *end == '\0' && value > 0.0 && isfinite(value)
               ? value
               : otherwise;
}

double bl_claim_stale_seconds(void) {
    return setting("BL_CLAIM_STALE", 120.0);
}

static double seconds_of(struct timespec t) {
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- whose claim ---- */

/* false: nobody's. */
static bool find_owner(const char *dir, char owner[OWNER]) {
    char path[BL_PATH];
    owner[0] = '\0';
    if (bl_path(path, NULL, "%s/%s", dir, k_claim) != BL_OK) return false;
    DIR *d = opendir(path);
    if (d == NULL) return false;
    for (struct dirent *e; owner[0] == '\0' && (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.') (void)snprintf(owner, OWNER, "%s", e->d_name);
    (void)closedir(d);
    return owner[0] != '\0';
}

/* The time of the owner's last beat by the file server; false: the claim is gone. */
static bool last_beat(const char *dir, const char *owner, double *when) {
    char path[BL_PATH];
    struct stat st;
    if (bl_path(path, NULL, "%s/%s/%s/beat", dir, k_claim, owner) != BL_OK || stat(path, &st) != 0)
        return false;
    *when = seconds_of(st.st_mtim);
    return true;
}

/* The time that the file server gives to a file made in `dir` now. A file without a name changes
 * nothing there; where a file system has none, one is made and removed. False: neither works, as in
 * a store that this user may not write. */
static bool ask_server(const char *dir, double *now) {
    char path[BL_PATH], token[BL_PROCESS_TOKEN];
    struct stat st;
    int fd = open(dir, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
    if (fd < 0) {
        bl_process_token(token, sizeof token);
        if (bl_path(path, NULL, "%s/%s%s.now", dir, k_temporary, token) != BL_OK) return false;
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0) return false;
        (void)unlink(path);
    }
    const bool read = fstat(fd, &st) == 0;
    (void)close(fd);
    *now = seconds_of(st.st_mtim);
    return read;
}

/* The file server's clock: asked now and then, and continued by ours. */
static bool server_clock(bl_claims *all, const char *dir, double *now) {
    const double here = bl_clock_seconds();
    (void)pthread_mutex_lock(&all->lock);
    const bool recent = all->looked_at > 0.0 && here - all->looked_at < all->stale / 12;
    *now = all->server_now + (here - all->looked_at);
    (void)pthread_mutex_unlock(&all->lock);
    if (recent) return true;
    if (!ask_server(dir, now)) return false;
    (void)pthread_mutex_lock(&all->lock);
    all->server_now = *now;
    all->looked_at = here;
    (void)pthread_mutex_unlock(&all->lock);
    return true;
}

static bool is_stale(bl_claims *all, const char *dir, const char *owner) {
    double beat, now;
    if (bl_process_is_dead(owner)) return true;
    return server_clock(all, dir, &now) && last_beat(dir, owner, &beat) && now - beat > all->stale;
}

bool bl_claim_server_age(const char *dir, double modified, double *age) {
    double now;
    if (!ask_server(dir, &now)) return false;
    *age = now - modified;
    return true;
}

/* As bl_claim_state_of, of an owner that was found. */
static bl_claim_state state_of_owner(const char *dir, const char *owner) {
    double beat, age;
    if (bl_process_is_dead(owner)) return BL_CLAIM_STALE;
    if (!last_beat(dir, owner, &beat)) return BL_CLAIM_NONE;
    return bl_claim_server_age(dir, beat, &age) && age > bl_claim_stale_seconds() ? BL_CLAIM_STALE
                                                                                  : BL_CLAIM_HELD;
}

bl_claim_state bl_claim_state_of(const char *dir) {
    char owner[OWNER], path[BL_PATH];
    if (find_owner(dir, owner)) return state_of_owner(dir, owner);
    return bl_path(path, NULL, "%s/%s", dir, k_claim) == BL_OK && bl_dir_exists(path)
               ? BL_CLAIM_EMPTY
               : BL_CLAIM_NONE;
}

/* ---- taking and giving back ---- */

/* Takes an owner's folder out of its claim. When several processes try, one rename succeeds; the
 * others find no folder, which is no error. */
static bl_status take_away(const char *dir, const char *owner, bl_err *err) {
    char from[BL_PATH], to[BL_PATH];
    BL_TRY(bl_path(from, err, "%s/%s/%s", dir, k_claim, owner));
    BL_TRY(bl_path(to, err, "%s/%s%s.gone", dir, k_temporary, owner));
    if (rename(from, to) == 0)
        (void)bl_remove_tree(to, NULL);
    else if (errno != ENOENT && errno != ENOTDIR)
        BL_FAIL(err, BL_EIO, "cannot take over %s/%s: %s", dir, k_claim, strerror(errno));
    return BL_OK;
}

bl_status bl_claim_clear(const char *dir, bool *cleared, bl_err *err) {
    char owner[OWNER], path[BL_PATH];
    *cleared = false;
    BL_TRY(bl_path(path, err, "%s/%s", dir, k_claim));
    for (int attempt = 0; find_owner(dir, owner); attempt++) {
        if (attempt == MOST_ATTEMPTS || state_of_owner(dir, owner) != BL_CLAIM_STALE) return BL_OK;
        BL_TRY(take_away(dir, owner, err));
    }
    /* Only an empty folder goes: a claim that came meanwhile keeps it. */
    *cleared = rmdir(path) == 0 || errno == ENOENT;
    if (*cleared || errno == ENOTEMPTY || errno == EEXIST) return BL_OK;
    BL_FAIL(err, BL_EIO, "cannot remove %s: %s", path, strerror(errno));
}

/* When a path could not be made. ENOENT: another process removed the folder meanwhile, because it
 * was faster; the claim is then not won, which is no error. */
static bl_status not_made(const char *path, int error, bool *won, bl_err *err) {
    *won = false;
    if (error == ENOENT) return BL_OK;
    BL_FAIL(err, BL_EIO, "cannot make %s: %s", path, strerror(error));
}

/* Makes the whole claim beside its place, then renames it there: over nothing or an empty folder
 * that works, over somebody's claim it does not. */
static bl_status install(bl_claim *c, bool *won, bl_err *err) {
    char made[BL_PATH], path[BL_PATH];
    BL_TRY(bl_make_dirs(c->dir, err));
    BL_TRY(bl_path(made, err, "%s/%s%s", c->dir, k_temporary, c->owner));
    BL_TRY(bl_path(path, err, "%s/%s", made, c->owner));
    if (mkdir(made, 0777) != 0 || mkdir(path, 0777) != 0) return not_made(path, errno, won, err);
    BL_TRY(bl_path(path, err, "%s/%s/beat", made, c->owner));
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        const int error = errno;
        (void)bl_remove_tree(made, NULL);
        return not_made(path, error, won, err);
    }
    (void)close(fd);
    BL_TRY(bl_path(path, err, "%s/%s", c->dir, k_claim));
    *won = rename(made, path) == 0;
    const int error = errno;
    if (*won) return BL_OK;
    (void)bl_remove_tree(made, NULL);
    if (error == EEXIST || error == ENOTEMPTY || error == ENOENT) return BL_OK;
    BL_FAIL(err, BL_EIO, "cannot make %s: %s", path, strerror(error));
}

/* Removes what dead writers left. Only the holder of the claim writes here, so nothing else is at
 * work. */
static void tidy(const bl_claim *c) {
    bl_names names;
    char path[BL_PATH];
    bl_err ignored;
    if (bl_dir_list(&names, c->dir, &ignored) != BL_OK) return;
    for (size_t i = 0; i < names.count; i++)
        if (strstr(names.name[i], ".tmp-") != NULL &&
            bl_path(path, NULL, "%s/%s", c->dir, names.name[i]) == BL_OK)
            (void)bl_remove_tree(path, NULL);
    bl_names_free(&names);
}

static void note_loss(bl_claim *c) {
    __atomic_store_n(&c->lost, 1, __ATOMIC_RELAXED);
}

static bool still_there(const bl_claim *c) {
    struct stat st;
    return stat(c->own, &st) == 0 || (errno != ENOENT && errno != ENOTDIR && errno != ESTALE);
}

/* Touches every claim, however long the steps of the runs are. A process that is stopped stops
 * beating. */
static void *beat(void *arg) {
    bl_claims *all = arg;
    char path[BL_PATH];
    (void)pthread_mutex_lock(&all->lock);
    while (!all->closing) {
        const double until = bl_clock_seconds() + all->beat;
        const struct timespec when = {(time_t)until, (long)(1e9 * (until - floor(until)))};
        (void)pthread_cond_clockwait(&all->closing_now, &all->lock, CLOCK_MONOTONIC, &when);
        for (bl_claim *c = all->first; c != NULL && !all->closing; c = c->next)
            if (bl_path(path, NULL, "%s/beat", c->own) == BL_OK &&
                utimensat(AT_FDCWD, path, NULL, 0) != 0 && !still_there(c))
                note_loss(c);
    }
    (void)pthread_mutex_unlock(&all->lock);
    return NULL;
}

/* Called with the lock held. */
static bl_status start_beating(bl_claims *all, bl_err *err) {
    if (all->beating) return BL_OK;
    const int error = pthread_create(&all->thread, NULL, beat, all);
    if (error != 0)
        BL_FAIL(err, BL_ENOMEM, "cannot start the thread that keeps claims alive: %s",
                strerror(error));
    all->beating = true;
    return BL_OK;
}

static bl_status enlist(bl_claim *c, bl_err *err) {
    bl_claims *all = c->all;
    (void)pthread_mutex_lock(&all->lock);
    const bl_status status = start_beating(all, err);
    c->next = all->first;
    all->first = c;
    (void)pthread_mutex_unlock(&all->lock);
    return status;
}

/* Each attempt looks for an owner, takes a stale one away, or installs a claim. Where another
 * process was faster, the next attempt looks again; after MOST_ATTEMPTS the folder counts as held.
 */
bl_status bl_claim_acquire(bl_claims *all, const char *dir, bl_claim **out, bl_err *err) {
    char owner[OWNER];
    *out = NULL;
    for (int attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
        if (find_owner(dir, owner)) {
            if (!is_stale(all, dir, owner)) return BL_OK;
            BL_TRY(take_away(dir, owner, err));
            continue;
        }
        bl_claim *c = bl_xalloc(sizeof *c);
        bool won = false;
        c->all = all;
        bl_status status = bl_path(c->dir, err, "%s", dir);
        bl_process_token(c->owner, sizeof c->owner);
        if (status == BL_OK) status = bl_path(c->own, err, "%s/%s/%s", dir, k_claim, c->owner);
        if (status == BL_OK) status = install(c, &won, err);
        if (!won || status != BL_OK) {
            free(c);
            if (status != BL_OK) return status;
            continue;
        }
        tidy(c);
        status = enlist(c, err);
        if (status == BL_OK)
            *out = c;
        else
            bl_claim_release(c);
        return status;
    }
    return BL_OK;
}

void bl_claim_release(bl_claim *c) {
    if (c == NULL) return;
    (void)pthread_mutex_lock(&c->all->lock);
    for (bl_claim **at = &c->all->first; *at != NULL; at = &(*at)->next)
        if (*at == c) {
            *at = c->next;
            break;
        }
    (void)pthread_mutex_unlock(&c->all->lock);
    char path[BL_PATH];
    bl_err ignored;
    (void)take_away(c->dir, c->owner, &ignored);
    /* Neither goes if there is anything in it, such as the claim of the next. */
    if (bl_path(path, NULL, "%s/%s", c->dir, k_claim) == BL_OK) (void)rmdir(path);
    (void)rmdir(c->dir);
    free(c);
}

bl_claims *bl_claims_open(void) {
    bl_claims *all = bl_xalloc(sizeof *all);
    (void)pthread_mutex_init(&all->lock, NULL);
    (void)pthread_cond_init(&all->closing_now, NULL);
    all->beat = setting("BL_CLAIM_BEAT", 15.0);
    all->stale = bl_claim_stale_seconds();
    return all;
}

void bl_claims_close(bl_claims *all) {
    if (all == NULL) return;
    (void)pthread_mutex_lock(&all->lock);
    all->closing = true;
    (void)pthread_cond_signal(&all->closing_now);
    (void)pthread_mutex_unlock(&all->lock);
    if (all->beating) (void)pthread_join(all->thread, NULL);
    while (all->first != NULL) bl_claim_release(all->first);
    (void)pthread_cond_destroy(&all->closing_now);
    (void)pthread_mutex_destroy(&all->lock);
    free(all);
}

/* ---- writing under a claim ---- */

const char *bl_claim_dir(const bl_claim *c) {
    return c->dir;
}

const char *bl_claim_own(const bl_claim *c) {
    return c->own;
}

bool bl_claim_lost(const bl_claim *c) {
    return __atomic_load_n(&c->lost, __ATOMIC_RELAXED) != 0;
}

/* Was it the disk that failed, or the claim that went? */
static bl_status blame(bl_claim *c, bl_status status, bl_err *err) {
    if (status == BL_OK || still_there(c)) return status;
    note_loss(c);
    BL_FAIL(err, BL_EMISSING, "%s: another process took the work over", c->dir);
}

/* What lies where a file has to come and is none, a folder say, is set aside. Only the claim's
 * holder writes in DIR. */
static bl_status make_way(const char *path, bl_err *err) {
    return bl_file_is_other(path) ? bl_file_set_aside(path, err) : BL_OK;
}

bl_status bl_claim_write(bl_claim *c, const char *name, const void *bytes, size_t n, bl_err *err) {
    char path[BL_PATH];
    BL_TRY(bl_path(path, err, "%s/%s", c->dir, name));
    BL_TRY(make_way(path, err));
    return blame(c, bl_file_write_from(c->own, path, bytes, n, err), err);
}

bl_status bl_claim_publish(bl_claim *c, const char *name, const void *bytes, size_t n, bool *won,
                           bl_err *err) {
    char path[BL_PATH];
    BL_TRY(bl_path(path, err, "%s/%s", c->dir, name));
    return blame(c, bl_file_publish_from(c->own, path, bytes, n, won, err), err);
}

bl_status bl_claim_place(bl_claim *c, const char *from, const char *name, bl_err *err) {
    char made[BL_PATH], path[BL_PATH];
    BL_TRY(bl_path(made, err, "%s/%s", c->own, from));
    BL_TRY(bl_path(path, err, "%s/%s", c->dir, name));
    if (rename(made, path) == 0) return BL_OK;
    const int error = errno;
    return blame(c, BL_ERR(err, BL_EIO, "cannot move %s to %s: %s", made, path, strerror(error)),
                 err);
}

bl_status bl_claim_move(bl_claim *c, const char *name, const char *to, bl_err *err) {
    char from[BL_PATH], held[BL_PATH];
    BL_TRY(bl_path(from, err, "%s/%s", c->dir, name));
    BL_TRY(bl_path(held, err, "%s/%s", c->own, name));
    if (rename(from, held) == 0 && rename(held, to) == 0) return BL_OK;
    const int error = errno;
    return blame(c, BL_ERR(err, BL_EIO, "cannot move %s to %s: %s", from, to, strerror(error)),
                 err);
}

void bl_claim_remove(bl_claim *c, const char *name) {
    char from[BL_PATH], held[BL_PATH];
    if (bl_path(from, NULL, "%s/%s", c->dir, name) == BL_OK &&
        bl_path(held, NULL, "%s/%s", c->own, name) == BL_OK && rename(from, held) == 0)
        (void)bl_remove_tree(held, NULL);
}
