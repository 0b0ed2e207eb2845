/* Small files and folders, as the driver needs them; every fault here ends the driver. */
#include "engine/base/mem.h"
#include "tests/crash/crash.h"
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

__attribute__((noreturn)) static void give_up(const char *what, const char *path) {
    (void)fprintf(stderr, "crash: cannot %s %s: %s\n", what, path, strerror(errno));
    exit(1);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at) {
    (void)st, (void)type, (void)at;
    if (remove(path) != 0) give_up("remove", path);
    return 0;
}

void lab_remove(const char *folder) {
    if (nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        give_up("remove", folder);
}

/* nftw has no argument for its function. */
static struct {
    lab_files files;
    size_t cap, lead;
    bool folders; /* list these, too */
} g_list;

static int list_one(const char *path, const struct stat *st, int type, struct FTW *at) {
    (void)st, (void)at;
    if (type != FTW_F && !(g_list.folders && type == FTW_D && path[g_list.lead - 1] != '\0'))
        return 0;
    if (g_list.files.count == g_list.cap) {
        g_list.cap = g_list.cap ? 2 * g_list.cap : 64;
        g_list.files.path = bl_xrealloc(g_list.files.path, g_list.cap * BL_PATH);
    }
    (void)snprintf(g_list.files.path[g_list.files.count++], BL_PATH, "%s", path + g_list.lead);
    return 0;
}

static int by_name(const void *a, const void *b) {
    return strcmp(a, b);
}

static lab_files list(const char *folder, bool folders) {
    g_list.folders = folders;
    g_list.files = (lab_files){0};
    g_list.cap = 0;
    g_list.lead = strlen(folder) + 1;
    if (nftw(folder, list_one, 16, FTW_PHYS) != 0 && errno != ENOENT) give_up("list", folder);
    if (g_list.files.count > 0) qsort(g_list.files.path, g_list.files.count, BL_PATH, by_name);
    return g_list.files;
}

lab_files lab_list(const char *folder) {
    return list(folder, false);
}

lab_files lab_list_all(const char *folder) {
    return list(folder, true);
}

static char g_to[BL_PATH];
static size_t g_from;

static int copy_one(const char *path, const struct stat *st, int type, struct FTW *at) {
    (void)st, (void)at;
    char to[BL_PATH];
    bl_err err;
    bl_buf bytes = {0};
    if (bl_path(to, &err, "%s%s", g_to, path + g_from) != BL_OK) give_up("copy", path);
    if (type == FTW_D && mkdir(to, 0777) != 0 && errno != EEXIST) give_up("make", to);
    if (type != FTW_F) return 0;
    FILE *f = fopen(to, "wb");
    if (f == NULL || bl_file_read(&bytes, path, SIZE_MAX, &err) != BL_OK ||
        fwrite(bl_buf_text(&bytes), 1, bytes.len, f) != bytes.len || fclose(f) != 0)
        give_up("copy", path);
    bl_buf_free(&bytes);
    return 0;
}

void lab_copy(const char *from, const char *to) {
    (void)snprintf(g_to, sizeof g_to, "%s", to);
    g_from = strlen(from);
    if (nftw(from, copy_one, 16, FTW_PHYS) != 0) give_up("copy", from);
}
