/* The injector sees what it wraps and nothing else: a program that reaches files some other way
 * would pass every test of this folder unharmed. */
#include "engine/base/mem.h"
#include "tests/crash/crash.h"
#include <stdio.h>
#include <string.h>

static const char *const k_unseen[] = {
    "open64",    "openat",          "openat64",        "creat",    "fopen64",
    "freopen",   "fdopen",          "mkstemp64",       "mkostemp", "tmpfile",
    "fdatasync", "sync_file_range", "pwrite",          "writev",   "pwritev",
    "readv",     "sendfile",        "renameat",        "linkat",   "symlinkat",
    "unlinkat",  "mkdirat",         "mknod",           "fstatat",  "statx",
    "fopendir",  "utime",           "utimes",          "futimes",  "truncate",
    "ftruncate", "fallocate",       "posix_fallocate", "remove",   "mmap64",
    "memalign",  "valloc",          "reallocarray",    "sbrk",     "copy_file_range",
};

void part_imports(lab *l) {
    char command[BL_PATH + 64], line[256];
    (void)snprintf(command, sizeof command, "nm -D --undefined-only '%s'", l->batchlab);
    FILE *f = popen(command, "r");
    bool seen = false;
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        char *name = strrchr(line, ' ');
        if (name++ == NULL) continue;
        name[strcspn(name, "@\n")] = '\0';
        seen |= strcmp(name, "rename") == 0;
        for (size_t i = 0; i < BL_COUNT(k_unseen); i++)
            if (strcmp(name, k_unseen[i]) == 0)
                lab_fail(l, "batchlab calls %s, which tests/crash/injector.c does not wrap", name);
    }
    if (f == NULL || pclose(f) != 0 || !seen) lab_fail(l, "%s told nothing", command);
}
