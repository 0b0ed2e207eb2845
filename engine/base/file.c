#include "engine/base/file.h"
#include "engine/base/mem.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
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

static void size_text(char out[32], double bytes) {
    const bool large = bytes >= 1048576.0;
    (void)snprintf(out, 32, "%.1f %s", bytes / (large ? 1048576.0 : 1024.0), large ? "MiB" : "KiB");
}

/* What a failed write tells the user: a full disk with need and free space, else the system's word.
 */
static bl_status write_failed(const char *path, size_t bytes, int error, bl_err *err) {
    char folder[BL_PATH], need[32], there[32];
    struct statvfs fs;
    (void)snprintf(folder, sizeof folder, "%s", path);
    if ((error != ENOSPC && error != EDQUOT) || statvfs(dirname(folder), &fs) != 0)
        BL_FAIL(err, BL_EIO, "cannot write %s: %s", path, strerror(error));
    size_text(need, (double)bytes);
    size_text(there, (double)fs.f_bavail * (double)fs.f_frsize);
    BL_FAIL(err, BL_EIO,
            "disk full writing %s (need %s, %s free); what was finished before is intact. Free "
            "space, then continue with the same command.",
            path, need, there);
}

bl_status bl_file_read(bl_buf *out, const char *path, size_t limit, bl_err *err) {
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        BL_FAIL(err, errno == ENOENT ? BL_EMISSING : BL_EIO, "cannot read %s: %s", path,
                strerror(errno));
    bl_status status = BL_OK;
    char chunk[65536];
    size_t n, total = 0;
    while (status == BL_OK && (n = fread(chunk, 1, sizeof chunk, f)) > 0) {
        total += n;
        if (total > limit)
            status =
                BL_ERR(err, BL_EFORMAT, "%s is larger than %zu bytes, the most that is read of it",
                       path, limit);
        else
            bl_buf_add(out, chunk, n);
    }
    if (status == BL_OK && ferror(f))
        status = BL_ERR(err, BL_EIO, "cannot read %s: %s", path, strerror(errno));
    (void)fclose(f);
    return status;
}

static bl_status sync_folder_of(const char *path, bl_err *err) {
    char folder[BL_PATH];
    (void)snprintf(folder, sizeof folder, "%s", path);
    const int fd = open(dirname(folder), O_RDONLY | O_DIRECTORY);
    if (fd < 0) BL_FAIL(err, BL_EIO, "cannot open the folder of %s: %s", path, strerror(errno));
    const int rc = fsync(fd);
    const int error = errno;
    (void)close(fd);
    /* Some file systems cannot sync a folder; they order renames by themselves. */
    if (rc != 0 && error != EINVAL && error != ENOTSUP)
        BL_FAIL(err, BL_EIO, "cannot sync the folder of %s: %s", path, strerror(error));
    return BL_OK;
}

static bl_status beside(char tmp[BL_PATH], const char *path, bl_err *err) {
    return bl_path(tmp, err, "%s.tmp-XXXXXX", path);
}

static bl_status within(char tmp[BL_PATH], const char *dir, const char *path, bl_err *err) {
    const char *slash = strrchr(path, '/');
    return bl_path(tmp, err, "%s/%s.tmp-XXXXXX", dir, slash != NULL ? slash + 1 : path);
}

/* A finished temporary file, named by the pattern in `tmp`. After a failed fsync it is abandoned,
 * not retried: its pages may be marked clean although they never reached the disk. */
static bl_status write_temporary(char tmp[BL_PATH], const char *path, const void *bytes, size_t n,
                                 bl_err *err) {
    const int fd = mkstemp(tmp);
    if (fd < 0) return write_failed(path, n, errno, err);
    (void)fchmod(fd, 0644);
    const char *at = bytes;
    size_t left = n;
    int error = 0;
    while (left > 0 && error == 0) {
        const ssize_t done = write(fd, at, left);
        if (done < 0 && errno != EINTR) error = errno;
        if (done > 0) at += done, left -= (size_t)done;
    }
    if (error == 0 && fsync(fd) != 0) error = errno;
    if (close(fd) != 0 && error == 0) error = errno;
    if (error == 0) return BL_OK;
    (void)unlink(tmp);
    return write_failed(path, n, error, err);
}

static bl_status replace(char tmp[BL_PATH], const char *path, const void *bytes, size_t n,
                         bl_err *err) {
    BL_TRY(write_temporary(tmp, path, bytes, n, err));
    if (rename(tmp, path) != 0) {
        const int error = errno;
        (void)unlink(tmp);
        return write_failed(path, n, error, err);
    }
    return sync_folder_of(path, err);
}

static bl_status publish(char tmp[BL_PATH], const char *path, const void *bytes, size_t n,
                         bool *won, bl_err *err) {
    BL_TRY(write_temporary(tmp, path, bytes, n, err));
    const int rc = link(tmp, path);
    const int error = errno;
    (void)unlink(tmp);
    if (rc != 0 && error != EEXIST) return write_failed(path, n, error, err);
    *won = rc == 0;
    return sync_folder_of(path, err);
}

bl_status bl_file_write(const char *path, const void *bytes, size_t n, bl_err *err) {
    char tmp[BL_PATH];
    BL_TRY(beside(tmp, path, err));
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
    BL_TRY(beside(tmp, path, err));
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

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where) {
    (void)st, (void)type, (void)where;
    (void)remove(path);
    return 0;
}

void bl_remove_tree(const char *path) {
    enum { OPEN_FOLDERS = 8 };
    (void)nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}

static const char *kind_of(mode_t mode) {
    return S_ISDIR(mode)                    ? "a folder"
           : S_ISFIFO(mode)                 ? "a FIFO"
           : S_ISSOCK(mode)                 ? "a socket"
           : S_ISCHR(mode) || S_ISBLK(mode) ? "a device"
                                            : "something else";
}

bl_status bl_file_map(bl_map *out, const char *path, bl_err *err) {
    *out = (bl_map){0};
    /* A FIFO would keep a blocking open waiting for a writer. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        BL_FAIL(err, errno == ENOENT ? BL_EMISSING : BL_EIO, "cannot read %s: %s", path,
                strerror(errno));
    struct stat st = {0};
    void *data = MAP_FAILED;
    const bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    if (regular && st.st_size > 0)
        data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (!regular)
        BL_FAIL(err, BL_EIO, "cannot read %s: it is %s, not a plain file", path,
                kind_of(st.st_mode));
    if (st.st_size == 0) return BL_OK;
    if (data == MAP_FAILED) BL_FAIL(err, BL_EIO, "cannot map %s: %s", path, strerror(errno));
    *out = (bl_map){data, (size_t)st.st_size};
    return BL_OK;
}

void bl_file_unmap(bl_map *map) {
    if (map->data != NULL) (void)munmap((void *)(uintptr_t)map->data, map->size);
    *map = (bl_map){0};
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

bl_status bl_dir_list(bl_names *out, const char *path, bl_err *err) {
    *out = (bl_names){0};
    DIR *dir = opendir(path);
    if (dir == NULL)
        BL_FAIL(err, errno == ENOENT ? BL_EMISSING : BL_EIO, "cannot read the folder %s: %s", path,
                strerror(errno));
    size_t cap = 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.') continue;
        if (out->count == cap) {
            cap = cap ? 2 * cap : 16;
            out->name = bl_xrealloc(out->name, cap * sizeof *out->name);
        }
        out->name[out->count++] = bl_xstrdup(e->d_name);
    }
    (void)closedir(dir);
    if (out->count > 0) qsort(out->name, out->count, sizeof *out->name, by_name);
    return BL_OK;
}

void bl_names_free(bl_names *names) {
    for (size_t i = 0; i < names->count; i++) free(names->name[i]);
    free(names->name);
    *names = (bl_names){0};
}
