/* How a file becomes whole or is not there, in the order of the calls:
 *
 *     replace     PATH.tmp-TOKEN written, fsync, rename over PATH, fsync of the folder
 *     publish     the same with link, which fails where PATH is, and unlink, for rename
 *     folders     syncfs, a rename that replaces nothing, fsync of the folder above
 *
 * The token names the process, so that a temporary file of one that is dead is known as such and
 * swept away later (bl_dir_sweep). */
#include "engine/base/file.h"
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include "engine/base/process.h"
#include "engine/base/vec.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* A path that names nothing, as opposed to one that cannot be looked at just now. */
static bool names_nothing(int error) {
    return error == ENOENT || error == ENOTDIR || error == ENAMETOOLONG || error == ELOOP;
}

bool bl_file_exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 ? S_ISREG(st.st_mode) : !names_nothing(errno);
}

/* A link to nothing is "other" too: it is in the way, and opening it says that no file is there. */
bool bl_file_is_other(const char *path) {
    struct stat st;
    if (stat(path, &st) == 0) return !S_ISREG(st.st_mode);
    return names_nothing(errno) && lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

bool bl_dir_exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 ? S_ISDIR(st.st_mode) : !names_nothing(errno);
}

bool bl_file_stat(bl_file_stamp *out, const char *path) {
    struct stat st;
    if (stat(path, &st) != 0) return false;
    *out = (bl_file_stamp){.size = st.st_size,
                           .mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
                           .inode = (int64_t)st.st_ino};
    return true;
}

bl_status bl_path(char out[BL_PATH], bl_err *err, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    const int n = vsnprintf(out, BL_PATH, fmt, ap);
    va_end(ap);
    if (n < 0 || n >= BL_PATH) BL_FAIL(err, BL_EINVAL, "path too long: %.200s...", out);
    return BL_OK;
}

bl_status bl_make_dirs(const char *path, bl_err *err) {
    char part[BL_PATH];
    BL_TRY(bl_path(part, err, "%s", path));
    for (char *p = part + 1;; p++) {
        if (*p != '/' && *p != '\0') continue;
        const char held = *p;
        *p = '\0';
        if (mkdir(part, 0777) != 0 && !(errno == EEXIST && bl_dir_exists(part)))
            BL_FAIL(err, BL_EIO, "cannot make the folder %s: %s", part, strerror(errno));
        if (held == '\0') return BL_OK;
        *p = held;
    }
}

/* Bytes that are free on the disk of the file, which need not exist. */
static bool free_bytes(const char *path, double *out) {
    char folder[BL_PATH];
    struct statvfs fs;
    (void)snprintf(folder, sizeof folder, "%s", path);
    if (statvfs(dirname(folder), &fs) != 0) return false;
    *out = (double)fs.f_bavail * (double)fs.f_frsize;
    return true;
}

/* `need` and `there` in bytes. */
static bl_status disk_full(const char *path, double need, double there, bl_err *err) {
    char needed[BL_FORMAT_SIZE], available[BL_FORMAT_SIZE];
    BL_FAIL(err, BL_EIO,
            "disk full writing %s (need %s, %s free); what was finished before is intact. Free "
            "space, then continue with the same command.",
            path, bl_format_size(needed, need), bl_format_size(available, there));
}

bl_status bl_file_disk_full(const char *path, size_t need, bl_err *err) {
    double there;
    if (!free_bytes(path, &there) || there >= (double)need) return BL_OK;
    return disk_full(path, (double)need, there, err);
}

/* What a failed write tells the user: a full disk with need and free space, else the system's word.
 */
static bl_status write_failed(const char *path, size_t bytes, int error, bl_err *err) {
    double there;
    if ((error == ENOSPC || error == EDQUOT) && free_bytes(path, &there))
        return disk_full(path, (double)bytes, there, err);
    BL_FAIL(err, BL_EIO, "cannot write %s: %s", path, strerror(error));
}

static const char *kind_of(mode_t mode) {
    return S_ISDIR(mode)                    ? "a folder"
           : S_ISFIFO(mode)                 ? "a FIFO"
           : S_ISSOCK(mode)                 ? "a socket"
           : S_ISCHR(mode) || S_ISBLK(mode) ? "a device"
                                            : "something else";
}

/* Opens a plain file for reading; *st is its stat. Without O_NONBLOCK, opening a FIFO would wait
 * for a writer. */
static bl_status open_plain(int *fd, struct stat *st, const char *path, bl_err *err) {
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0)
        BL_FAIL(err, errno == ENOENT ? BL_EMISSING : BL_EIO, "cannot read %s: %s", path,
                strerror(errno));
    const int rc = fstat(*fd, st), error = errno;
    if (rc == 0 && S_ISREG(st->st_mode)) return BL_OK;
    (void)close(*fd);
    if (rc != 0) BL_FAIL(err, BL_EIO, "cannot read %s: %s", path, strerror(error));
    BL_FAIL(err, BL_EIO, "cannot read %s: it is %s, not a plain file", path, kind_of(st->st_mode));
}

bl_status bl_file_read(bl_buf *out, const char *path, size_t limit, bl_err *err) {
    int fd;
    struct stat st;
    char chunk[65536];
    size_t total = 0;
    BL_TRY(open_plain(&fd, &st, path, err));
    bl_status status = BL_OK;
    for (ssize_t n; status == BL_OK && (n = read(fd, chunk, sizeof chunk)) != 0;) {
        if (n < 0 && errno == EINTR) continue;
        total += n > 0 ? (size_t)n : 0;
        if (n < 0)
            status = BL_ERR(err, BL_EIO, "cannot read %s: %s", path, strerror(errno));
        else if (total > limit)
            status =
                BL_ERR(err, BL_EFORMAT, "%s is larger than %zu bytes, the most that is read of it",
                       path, limit);
        else
            bl_buf_add(out, chunk, (size_t)n);
    }
    (void)close(fd);
    return status;
}

/* An fsync that a signal interrupts has not failed: it is asked for again. */
static int sync_fully(int fd) {
    int rc;
    do rc = fsync(fd);
    while (rc != 0 && errno == EINTR);
    return rc;
}

/* `of` is what a message says before the path. */
static bl_status sync_folder(const char *folder, const char *of, const char *path, bl_err *err) {
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) BL_FAIL(err, BL_EIO, "cannot open the folder %s%s: %s", of, path, strerror(errno));
    const int rc = sync_fully(fd);
    const int error = errno;
    (void)close(fd);
    /* Some file systems cannot sync a folder; they order renames by themselves. */
    if (rc != 0 && error != EINVAL && error != ENOTSUP)
        BL_FAIL(err, BL_EIO, "cannot sync the folder %s%s: %s", of, path, strerror(error));
    return BL_OK;
}

bl_status bl_dir_sync(const char *path, bl_err *err) {
    return sync_folder(path, "", path, err);
}

bl_status bl_dir_sync_above(const char *path, bl_err *err) {
    char folder[BL_PATH];
    (void)snprintf(folder, sizeof folder, "%s", path);
    return sync_folder(dirname(folder), "of ", path, err);
}

bl_status bl_file_temporary(char out[BL_PATH], const char *path, bl_err *err) {
    char token[BL_PROCESS_TOKEN];
    bl_process_token(token, sizeof token);
    return bl_path(out, err, "%s%s%s", path, BL_TEMPORARY, token);
}

bool bl_file_is_abandoned(const char *name) {
    const char *mark = strstr(name, BL_TEMPORARY);
    return mark != NULL && bl_process_is_dead(mark + sizeof BL_TEMPORARY - 1);
}

/* A temporary name for `path`, but in the folder `dir`, which has to be on the same disk. */
static bl_status within(char tmp[BL_PATH], const char *dir, const char *path, bl_err *err) {
    const char *slash = strrchr(path, '/');
    char inside[BL_PATH];
    BL_TRY(bl_path(inside, err, "%s/%s", dir, slash != NULL ? slash + 1 : path));
    return bl_file_temporary(tmp, inside, err);
}

/* Writes all bytes; 0 or errno. */
static int write_fully(int fd, const void *bytes, size_t n) {
    const char *at = bytes;
    while (n > 0) {
        const ssize_t done = write(fd, at, n);
        if (done < 0 && errno != EINTR) return errno;
        if (done > 0) at += done, n -= (size_t)done;
    }
    return 0;
}

/* A finished temporary file of this name. After a failed fsync it is abandoned, not retried: its
 * pages may be marked clean although they never reached the disk. */
static bl_status write_new(const char *tmp, const char *path, const void *bytes, size_t n,
                           bool sync, bl_err *err) {
    const int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) return write_failed(path, n, errno, err);
    (void)fchmod(fd, 0644);
    int error = write_fully(fd, bytes, n);
    if (error == 0 && sync && sync_fully(fd) != 0) error = errno;
    if (close(fd) != 0 && error == 0) error = errno;
    if (error == 0) return BL_OK;
    (void)unlink(tmp);
    return write_failed(path, n, error, err);
}

static bl_status write_temporary(const char *tmp, const char *path, const void *bytes, size_t n,
                                 bl_err *err) {
    return write_new(tmp, path, bytes, n, true, err);
}

bl_status bl_file_write_unsynced(const char *path, const void *bytes, size_t n, bl_err *err) {
    return write_new(path, path, bytes, n, false, err);
}

/* syncfs, since every file in the folder has to be on the disk before its name is: one call for
 * all. */
bl_status bl_dir_publish(const char *from, const char *to, bl_err *err) {
    const int fd = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return write_failed(to, 0, errno, err);
    int error = syncfs(fd) != 0 ? errno : 0;
    if (close(fd) != 0 && error == 0) error = errno;
    if (error == 0 && renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) != 0) error = errno;
    if (error == EINVAL || error == ENOSYS) /* a file system without that flag */
        error = rename(from, to) != 0 ? errno : 0;
    if (error != 0) return write_failed(to, 0, error, err);
    return bl_dir_sync_above(to, err);
}

/* After a failed rename the old file is there as it was. */
static bl_status replace(const char *tmp, const char *path, const void *bytes, size_t n,
                         bl_err *err) {
    BL_TRY(write_temporary(tmp, path, bytes, n, err));
    if (rename(tmp, path) != 0) {
        const int error = errno;
        (void)unlink(tmp);
        return write_failed(path, n, error, err);
    }
    return bl_dir_sync_above(path, err);
}

/* *won: `path` was free. link() decides it in one step. */
static bl_status publish(const char *tmp, const char *path, const void *bytes, size_t n, bool *won,
                         bl_err *err) {
    BL_TRY(write_temporary(tmp, path, bytes, n, err));
    const int rc = link(tmp, path);
    const int error = errno;
    (void)unlink(tmp);
    if (rc != 0 && error != EEXIST) return write_failed(path, n, error, err);
    *won = rc == 0;
    return bl_dir_sync_above(path, err);
}

bl_status bl_file_write(const char *path, const void *bytes, size_t n, bl_err *err) {
    char tmp[BL_PATH];
    BL_TRY(bl_file_temporary(tmp, path, err));
    return replace(tmp, path, bytes, n, err);
}

bl_status bl_file_write_from(const char *tmp_dir, const char *path, const void *bytes, size_t n,
                             bl_err *err) {
    char tmp[BL_PATH];
    BL_TRY(within(tmp, tmp_dir, path, err));
    return replace(tmp, path, bytes, n, err);
}

bl_status bl_file_publish(const char *path, const void *bytes, size_t n, bool *won, bl_err *err) {
    char tmp[BL_PATH];
    BL_TRY(bl_file_temporary(tmp, path, err));
    return publish(tmp, path, bytes, n, won, err);
}

bl_status bl_file_publish_from(const char *tmp_dir, const char *path, const void *bytes, size_t n,
                               bool *won, bl_err *err) {
    char tmp[BL_PATH];
    BL_TRY(within(tmp, tmp_dir, path, err));
    return publish(tmp, path, bytes, n, won, err);
}

bool bl_file_changed(const char *path, bl_file_stamp *stamp) {
    const bl_file_stamp was = *stamp;
    if (!bl_file_stat(stamp, path)) *stamp = (bl_file_stamp){0};
    return was.inode != stamp->inode || was.size != stamp->size || was.mtime_ns != stamp->mtime_ns;
}

bl_status bl_file_output(const char *path, const void *bytes, size_t n, bl_err *err) {
    struct stat st;
    char target[PATH_MAX];
    if (lstat(path, &st) != 0) return bl_file_write(path, bytes, n, err);
    if (S_ISLNK(st.st_mode) && stat(path, &st) != 0)
        BL_FAIL(err, BL_EINVAL, "cannot write %s: it is a link to a file that does not exist",
                path);
    if (S_ISDIR(st.st_mode)) BL_FAIL(err, BL_EINVAL, "cannot write %s: it is a folder", path);
    if (S_ISREG(st.st_mode)) /* behind a link, too, so that the link stays */
        return bl_file_write(realpath(path, target) != NULL ? target : path, bytes, n, err);
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) BL_FAIL(err, BL_EIO, "cannot write %s: %s", path, strerror(errno));
    int error = write_fully(fd, bytes, n);
    if (close(fd) != 0 && error == 0) error = errno;
    return error == 0 ? BL_OK : write_failed(path, n, error, err);
}

/* Renames, unless something has the new name: 0 or errno. Some file systems cannot promise that in
 * one call. There the new name is taken first, by an empty file or folder that the rename replaces.
 */
static int rename_to_free(const char *from, const char *to) {
    struct stat st;
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP) return errno;
    if (lstat(from, &st) != 0) return errno;
    const bool folder = S_ISDIR(st.st_mode);
    const int taken =
        folder ? mkdir(to, 0777) : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (taken < 0) return errno;
    if (!folder) (void)close(taken);
    if (rename(from, to) == 0) return 0;
    const int error = errno;
    (void)(folder ? rmdir(to) : unlink(to));
    return error;
}

bl_status bl_file_set_aside(const char *path, bl_err *err) {
    char to[BL_PATH];
    for (int n = 1;; n++) {
        BL_TRY(bl_path(to, err, "%s.corrupt-%d", path, n));
        const int error = rename_to_free(path, to);
        if (error == 0) return BL_OK;
        if (error != EEXIST) BL_FAIL(err, BL_EIO, "cannot set %s aside: %s", path, strerror(error));
    }
}

/* nftw() passes no context on. The first entry that stays; `error` 0: none. */
static _Thread_local struct {
    int error;
    char path[BL_PATH];
} t_stays;

/* Goes on after a failure, so that as much as possible is gone. */
static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where) {
    (void)st, (void)where;
    if ((type == FTW_DP || type == FTW_DNR ? rmdir(path) : unlink(path)) == 0 || errno == ENOENT ||
        t_stays.error != 0)
        return 0;
    t_stays.error = errno;
    (void)snprintf(t_stays.path, sizeof t_stays.path, "%s", path);
    return 0;
}

bl_status bl_remove_tree(const char *path, bl_err *err) {
    enum { OPEN_FOLDERS = 8 };
    t_stays.error = 0;
    if (nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        BL_FAIL(err, errno == ENOMEM ? BL_ENOMEM : BL_EIO, "cannot remove %s: %s", path,
                strerror(errno));
    if (t_stays.error != 0)
        BL_FAIL(err, BL_EIO, "cannot remove %s: %s", t_stays.path, strerror(t_stays.error));
    return BL_OK;
}

/* An empty file has no mapping: data NULL, size 0, BL_OK. */
bl_status bl_file_map(bl_map *out, const char *path, bl_err *err) {
    *out = (bl_map){0};
    int fd;
    struct stat st;
    void *data = MAP_FAILED;
    BL_TRY(open_plain(&fd, &st, path, err));
    if (st.st_size > 0) data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (st.st_size == 0) return BL_OK;
    if (data == MAP_FAILED) BL_FAIL(err, BL_EIO, "cannot map %s: %s", path, strerror(errno));
    *out = (bl_map){data, (size_t)st.st_size};
    return BL_OK;
}

void bl_file_passed(const void *bytes, size_t n) {
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from = (uintptr_t)bytes;
    const uintptr_t first = (from + page - 1) / page * page, end = (from + n) / page * page;
    if (end > first) (void)madvise((void *)first, end - first, MADV_DONTNEED);
}

void bl_file_unmap(bl_map *map) {
    if (map->data != NULL) (void)munmap((void *)(uintptr_t)map->data, map->size);
    *map = (bl_map){0};
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The C library needs memory for an open folder. */
static bl_status folder_unread(const char *path, int error, bl_err *err) {
    const bl_status status = error == ENOENT ? BL_EMISSING : error == ENOMEM ? BL_ENOMEM : BL_EIO;
    BL_FAIL(err, status, "cannot read the folder %s: %s", path, strerror(error));
}

bl_status bl_dir_list(bl_names *out, const char *path, bl_err *err) {
    *out = (bl_names){0};
    DIR *dir = opendir(path);
    if (dir == NULL) return folder_unread(path, errno, err);
    errno = 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL; errno = 0)
        if (e->d_name[0] != '.')
            *BL_PUSH(out->name, out->count, "names in a folder") = bl_xstrdup(e->d_name);
    const int error = errno;
    (void)closedir(dir);
    if (error != 0) {
        bl_names_free(out);
        return folder_unread(path, error, err);
    }
    if (out->count > 0) qsort(out->name, out->count, sizeof *out->name, by_name);
    return BL_OK;
}

/* Without a word of what fails: the next command tries again. */
void bl_dir_sweep(const char *path) {
    DIR *dir = opendir(path);
    if (dir == NULL) return;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        char found[BL_PATH];
        if (bl_file_is_abandoned(e->d_name) &&
            bl_path(found, NULL, "%s/%s", path, e->d_name) == BL_OK)
            (void)bl_remove_tree(found, NULL);
    }
    (void)closedir(dir);
}

void bl_names_free(bl_names *names) {
    for (size_t i = 0; i < names->count; i++) free(names->name[i]);
    free(names->name);
    *names = (bl_names){0};
}

void bl_dir_of_program(char out[BL_PATH]) {
    const ssize_t n = readlink("/proc/self/exe", out, BL_PATH - 1);
    out[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(out, '/');
    if (slash != NULL) *slash = '\0';
}

/* Beside the program, as it is built, or in ../lib/batchlab, as it is installed. */
bool bl_file_of_program(char out[BL_PATH], const char *name) {
    static const char *const places[] = {"", "/../lib/batchlab"};
    char folder[BL_PATH];
    bl_dir_of_program(folder);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (bl_path(out, NULL, "%s%s/%s", folder, places[i], name) == BL_OK && bl_file_exists(out))
            return true;
    return false;
}
