#include "tests/scratch.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct folder {
    char path[BL_PATH];
    pid_t owner; /* a fork of it leaves the folder alone */
    struct folder *next;
} folder;
static folder *g_folders;

static void remove_folders(void) {
    for (folder *f = g_folders, *next; f != NULL; f = next) {
        next = f->next;
        if (f->owner == getpid()) (void)bl_remove_tree(f->path, NULL);
        free(f);
    }
}

const char *scratch_folder(const char *name) {
    const char *above = getenv("TMPDIR");
    folder *f = bl_xalloc(sizeof *f);
    (void)snprintf(f->path, sizeof f->path, "%s/batchlab-%s-XXXXXX", above ? above : "/tmp", name);
    BL_ASSERT(mkdtemp(f->path) != NULL);
    if (g_folders == NULL) BL_ASSERT(atexit(remove_folders) == 0);
    f->owner = getpid();
    f->next = g_folders;
    g_folders = f;
    return f->path;
}
