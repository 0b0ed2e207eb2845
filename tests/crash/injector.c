/* Loaded into batchlab by the driver (LD_PRELOAD), never linked: counts calls and lets the k-th
 * fail, or ends the process there. Counting, not luck: the same k meets the same call again. Calls
 * that touch files count when the path lies below the plan's folder; of other programs that inherit
 * the environment nothing counts. */
#include "tests/crash/injector.h"
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_FILES = 4096, ERROR_SEEN = 0x20 /* glibc: the stream's error indicator */ };

static fault_plan *g_plan;               /* NULL: not our program, or no plan */
static unsigned char g_ours[MOST_FILES]; /* descriptors of files that count */
/* Where the code of a library lies whose allocations are exempt. */
static uintptr_t g_exempt_begin, g_exempt_end;

#define NEXT(name)                                                                                 \
    static __typeof__(&(name)) next;                                                               \
    if (next == NULL) next = (__typeof__(next))dlsym(RTLD_NEXT, #name)

/* libconfig 1.5 does not look at what its allocations return. */
static int find_exempt(struct dl_phdr_info *info, size_t size, void *unused) {
    (void)size, (void)unused;
    if (strstr(info->dlpi_name, "libconfig") == NULL) return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type != PT_LOAD || (p->p_flags & PF_X) == 0) continue;
        g_exempt_begin = info->dlpi_addr + p->p_vaddr;
        g_exempt_end = g_exempt_begin + p->p_memsz;
    }
    return 1;
}

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv(FAULT_VARIABLE);
    if (path == NULL || strcmp(program_invocation_short_name, "batchlab") != 0) return;
    NEXT(open);
    const int fd = next(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void *page = mmap(NULL, sizeof *g_plan, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd);
    (void)dl_iterate_phdr(find_exempt, NULL);
    void *frame[1];
    (void)backtrace(frame, 1); /* the first call allocates */
    if (page != MAP_FAILED) __atomic_store_n(&g_plan, page, __ATOMIC_RELEASE);
}

static bool path_counts(const char *path) {
    return g_plan != NULL && strncmp(path, g_plan->below, strlen(g_plan->below)) == 0;
}

static bool file_counts(int fd) {
    return g_plan != NULL && fd >= 0 && fd < MOST_FILES &&
           __atomic_load_n(&g_ours[fd], __ATOMIC_RELAXED);
}

static void mark(int fd, bool counts) {
    if (fd >= 0 && fd < MOST_FILES) __atomic_store_n(&g_ours[fd], counts, __ATOMIC_RELAXED);
}

static void die(void) {
    (void)kill(getpid(), SIGKILL);
    for (;;) (void)pause();
}

static void note(const char *path, int fd) {
    char link_of[64];
    ssize_t n = 0;
    if (path != NULL) n = snprintf(g_plan->where, sizeof g_plan->where, "%s", path);
    if (path == NULL && fd >= 0) {
        (void)snprintf(link_of, sizeof link_of, "/proc/self/fd/%d", fd);
        n = readlink(link_of, g_plan->where, sizeof g_plan->where - 1);
    }
    if (n >= 0 && (size_t)n < sizeof g_plan->where) g_plan->where[n] = '\0';
    g_plan->read_only = fd >= 0 && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY;
}

/* Counts one call; what is to happen to it. Its file is `path`, or open as `fd`. */
static fault_action strike(fault_kind kind, const char *path, int fd) {
    const int64_t n = __atomic_add_fetch(&g_plan->count[kind], 1, __ATOMIC_RELAXED);
    int64_t all = 0;
    if (kind < FAULT_FILE_KINDS) all = __atomic_add_fetch(&g_plan->files, 1, __ATOMIC_RELAXED);
    const int64_t k = g_plan->kind == FAULT_ANY_FILE ? all : n;
    if (g_plan->kind != FAULT_ANY_FILE && g_plan->kind != (int32_t)kind) return FAULT_NONE;
    const fault_action action = (fault_action)g_plan->action;
    if (action == FAULT_NONE || !(k == g_plan->at || (action == FAULT_FAIL_ON && k > g_plan->at)))
        return FAULT_NONE;
    (void)__atomic_add_fetch(&g_plan->hits, 1, __ATOMIC_RELAXED);
    note(path, fd);
    if (action == FAULT_KILL) die();
    if (action == FAULT_TERMINATE) (void)kill(getpid(), SIGTERM);
    return action == FAULT_FAIL_ON ? FAULT_FAIL : action;
}

static int fail(void) {
    errno = g_plan->error;
    return -1;
}

/* After the real call has returned `rc`. */
static int after(fault_action action, int rc) {
    if (action == FAULT_TORN) die();
    return action == FAULT_LATE ? fail() : rc;
}

/* ---- files ---- */

/* No case opens LATE: nobody would have the descriptor. */
static int opened(int fd, bool counts) {
    mark(fd, counts);
    return fd;
}

int open(const char *path, int flags, ...) {
    NEXT(open);
    va_list ap;
    va_start(ap, flags);
    const mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    const bool counts = path_counts(path);
    const fault_action action = counts ? strike(FAULT_OPEN, path, -1) : FAULT_NONE;
    if (action == FAULT_FAIL) return fail();
    return opened(next(path, flags, mode), counts);
}

int mkstemp(char *pattern) {
    NEXT(mkstemp);
    const bool counts = path_counts(pattern);
    const fault_action action = counts ? strike(FAULT_OPEN, pattern, -1) : FAULT_NONE;
    if (action == FAULT_FAIL) return fail();
    return opened(next(pattern), counts);
}

FILE *fopen(const char *path, const char *mode) {
    NEXT(fopen);
    const bool counts = path_counts(path);
    /* What stdio writes, and when, is not seen from here. */
    if (counts && mode[0] != 'r') abort();
    const fault_action action = counts ? strike(FAULT_OPEN, path, -1) : FAULT_NONE;
    if (action == FAULT_FAIL && fail() < 0) return NULL;
    FILE *f = next(path, mode);
    if (f != NULL) mark(fileno(f), counts);
    return f;
}

DIR *opendir(const char *path) {
    NEXT(opendir);
    const fault_action action = path_counts(path) ? strike(FAULT_LIST, path, -1) : FAULT_NONE;
    if (action == FAULT_FAIL && fail() < 0) return NULL;
    return next(path);
}

ssize_t write(int fd, const void *bytes, size_t n) {
    NEXT(write);
    const fault_action action = file_counts(fd) ? strike(FAULT_WRITE, NULL, fd) : FAULT_NONE;
    if (action == FAULT_FAIL) return fail();
    const bool half = (action == FAULT_PARTIAL || action == FAULT_TORN) && n > 1;
    const ssize_t done = next(fd, bytes, half ? n / 2 : n);
    if (after(action, 0) != 0) return -1;
    return done;
}

ssize_t read(int fd, void *bytes, size_t n) {
    NEXT(read);
    const fault_action action = file_counts(fd) ? strike(FAULT_READ, NULL, fd) : FAULT_NONE;
    if (action == FAULT_FAIL) return fail();
    return next(fd, bytes, action == FAULT_PARTIAL && n > 1 ? n / 2 : n);
}

ssize_t pread(int fd, void *bytes, size_t n, off_t at) {
    NEXT(pread);
    const fault_action action = file_counts(fd) ? strike(FAULT_READ, NULL, fd) : FAULT_NONE;
    if (action == FAULT_FAIL) return fail();
    return next(fd, bytes, action == FAULT_PARTIAL && n > 1 ? n / 2 : n, at);
}

size_t fread(void *bytes, size_t size, size_t n, FILE *f) {
    NEXT(fread);
    const fault_action action =
        file_counts(fileno(f)) ? strike(FAULT_READ, NULL, fileno(f)) : FAULT_NONE;
    if (action == FAULT_FAIL) {
        f->_flags |= ERROR_SEEN;
        (void)fail();
        return 0;
    }
    return next(bytes, size, n, f);
}

int fclose(FILE *f) {
    NEXT(fclose);
    mark(fileno(f), false);
    return next(f);
}

int close(int fd) {
    NEXT(close);
    const fault_action action = file_counts(fd) ? strike(FAULT_CLOSE, NULL, fd) : FAULT_NONE;
    mark(fd, false);
    const int rc = next(fd);
    return after(action == FAULT_FAIL ? FAULT_LATE : action, rc);
}

#define SIMPLE(kind, counts, path, fd, call)                                                       \
    const fault_action action = (counts) ? strike(kind, path, fd) : FAULT_NONE;                    \
    return action == FAULT_FAIL ? fail() : after(action, call)

int fsync(int fd) {
    NEXT(fsync);
    SIMPLE(FAULT_SYNC, file_counts(fd), NULL, fd, next(fd));
}

static int came_into_place(const char *path, int rc) {
    static const char name[] = "/result.json";
    const size_t n = strlen(path), m = sizeof name - 1;
    if (rc == 0 && path_counts(path) && g_plan->hits == 0)
        (void)snprintf(g_plan->placed, sizeof g_plan->placed, "%s", path);
    if (rc == 0 && g_plan != NULL && n > m && strcmp(path + n - m, name) == 0 &&
        strstr(path, "/claim.d/") == NULL && strstr(path, ".corrupt-") == NULL)
        (void)__atomic_add_fetch(&g_plan->published, 1, __ATOMIC_RELAXED);
    return rc;
}

int rename(const char *from, const char *to) {
    NEXT(rename);
    SIMPLE(FAULT_RENAME, path_counts(to), to, -1, came_into_place(to, next(from, to)));
}

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    NEXT(renameat2);
    SIMPLE(FAULT_RENAME, path_counts(to), to, -1,
           came_into_place(to, next(from_at, from, to_at, to, flags)));
}

int link(const char *from, const char *to) {
    NEXT(link);
    SIMPLE(FAULT_LINK, path_counts(to), to, -1, came_into_place(to, next(from, to)));
}

int symlink(const char *target, const char *path) {
    NEXT(symlink);
    SIMPLE(FAULT_LINK, path_counts(path), path, -1, next(target, path));
}

int unlink(const char *path) {
    NEXT(unlink);
    SIMPLE(FAULT_UNLINK, path_counts(path), path, -1, next(path));
}

int rmdir(const char *path) {
    NEXT(rmdir);
    SIMPLE(FAULT_UNLINK, path_counts(path), path, -1, next(path));
}

int mkdir(const char *path, mode_t mode) {
    NEXT(mkdir);
    SIMPLE(FAULT_MKDIR, path_counts(path), path, -1, next(path, mode));
}

int stat(const char *path, struct stat *out) {
    NEXT(stat);
    SIMPLE(FAULT_STAT, path_counts(path), path, -1, next(path, out));
}

int lstat(const char *path, struct stat *out) {
    NEXT(lstat);
    SIMPLE(FAULT_STAT, path_counts(path), path, -1, next(path, out));
}

int utimensat(int folder, const char *path, const struct timespec times[2], int flags) {
    NEXT(utimensat);
    SIMPLE(FAULT_TOUCH, path_counts(path), path, -1, next(folder, path, times, flags));
}

int futimens(int fd, const struct timespec times[2]) {
    NEXT(futimens);
    SIMPLE(FAULT_TOUCH, file_counts(fd), NULL, fd, next(fd, times));
}

void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset) {
    NEXT(mmap);
    const fault_action action = file_counts(fd) ? strike(FAULT_MAP, NULL, fd) : FAULT_NONE;
    if (action == FAULT_FAIL && fail() < 0) return MAP_FAILED;
    return next(at, n, protection, flags, fd, offset);
}

/* ---- memory, threads ---- */

/* Directly or through strdup and the like. */
static bool called_by_exempt(void) {
    void *frame[16];
    const int n = backtrace(frame, 16);
    for (int i = 0; i < n; i++)
        if ((uintptr_t)frame[i] >= g_exempt_begin && (uintptr_t)frame[i] < g_exempt_end)
            return true;
    return false;
}

/* Whether this allocation is to fail. */
static bool refuse(void) {
    if (g_plan == NULL || strike(FAULT_ALLOC, NULL, -1) != FAULT_FAIL) return false;
    if (called_by_exempt()) {
        (void)__atomic_add_fetch(&g_plan->exempt, 1, __ATOMIC_RELAXED);
        return false;
    }
    errno = ENOMEM;
    return true;
}

void *malloc(size_t n) {
    NEXT(malloc);
    return refuse() ? NULL : next(n);
}

void *calloc(size_t n, size_t size) {
    NEXT(calloc);
    return refuse() ? NULL : next(n, size);
}

void *realloc(void *old, size_t n) {
    NEXT(realloc);
    return refuse() ? NULL : next(old, n);
}

void *aligned_alloc(size_t align, size_t n) {
    NEXT(aligned_alloc);
    return refuse() ? NULL : next(align, n);
}

int posix_memalign(void **out, size_t align, size_t n) {
    NEXT(posix_memalign);
    return refuse() ? ENOMEM : next(out, align, n);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *argument) {
    NEXT(pthread_create);
    if (g_plan != NULL && strike(FAULT_THREAD, NULL, -1) == FAULT_FAIL) return EAGAIN;
    return next(thread, attributes, run, argument);
}
