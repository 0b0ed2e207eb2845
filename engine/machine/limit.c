/* Control groups of version 2 have one line "0::/path" in /proc/self/cgroup and a file memory.max
 * in each folder of the path; version 1 has a line "N:memory:/path" and memory.limit_in_bytes below
 * the folder "memory". "max", and the huge number of version 1, are no limit. */
#include "engine/machine/limit.h"
#include "engine/base/file.h"
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

const bl_machine_places bl_machine_here = {"/proc/self/cgroup", "/sys/fs/cgroup", "/proc/meminfo"};

enum { FILE_LIMIT = 1 << 16 };
static const double k_no_limit = 0x1p62;

/* A number in a file; infinite for "max". */
static bl_status read_limit(const char *path, double *bytes, bl_err *err) {
    bl_buf text = {0};
    const bl_status status = bl_file_read(&text, path, FILE_LIMIT, err);
    char *end = NULL;
    const char *t = status == BL_OK ? bl_buf_text(&text) : "";
    *bytes = strncmp(t, "max", 3) == 0 ? (double)INFINITY : strtod(t, &end);
    const bool read = end == NULL || end != t;
    bl_buf_free(&text);
    BL_TRY(status);
    if (!read || *bytes < 0) BL_FAIL(err, BL_EIO, "%s: no number of bytes", path);
    if (*bytes >= k_no_limit) *bytes = (double)INFINITY;
    return BL_OK;
}

/* The least limit of the group `at` and of those around it, up to the root. The root group has no
 * file. */
static bl_status least_of(const char *root, const char *at, const char *file, double *least,
                          bl_err *err) {
    char group[BL_PATH], path[BL_PATH];
    BL_TRY(bl_path(group, err, "%s", at));
    for (;;) {
        const size_t n = strlen(group);
        if (n > 0 && group[n - 1] == '/') group[n - 1] = '\0';
        double bytes;
        BL_TRY(bl_path(path, err, "%s%s/%s", root, group, file));
        const bl_status status = read_limit(path, &bytes, err);
        if (status == BL_OK) *least = fmin(*least, bytes);
        if (status != BL_OK && status != BL_EMISSING) return status;
        char *cut = strrchr(group, '/');
        if (cut == NULL) return BL_OK;
        *cut = '\0';
    }
}

/* Infinite: no limit is set. */
static bl_status cgroup_limit(const bl_machine_places *places, double *bytes, bl_err *err) {
    bl_buf text = {0};
    bl_status status = BL_OK;
    *bytes = (double)INFINITY;
    BL_GOTO(bl_file_read(&text, places->cgroup, FILE_LIMIT, err));
    char *save = NULL, root[BL_PATH], none[] = "";
    BL_GOTO(bl_path(root, err, "%s/memory", places->root));
    for (char *line = strtok_r(text.len > 0 ? text.data : none, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        const char *controllers = strchr(line, ':');
        const char *at = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
        if (at == NULL) continue;
        if (strncmp(line, "0::", 3) == 0)
            BL_GOTO(least_of(places->root, at + 1, "memory.max", bytes, err));
        else if (strncmp(controllers, ":memory:", 8) == 0)
            BL_GOTO(least_of(root, at + 1, "memory.limit_in_bytes", bytes, err));
    }
done:
    bl_buf_free(&text);
    return status;
}

/* A row of /proc/meminfo in bytes; 0: it has no such row. */
static bl_status read_meminfo(const bl_machine_places *places, const char *row, double *bytes,
                              bl_err *err) {
    bl_buf text = {0};
    BL_TRY(bl_file_read(&text, places->meminfo, FILE_LIMIT, err));
    const char *at = strstr(bl_buf_text(&text), row);
    *bytes = at != NULL ? 1024 * strtod(at + strlen(row), NULL) : 0;
    bl_buf_free(&text);
    return BL_OK;
}

/* What can be had without swapping, by the kernel's own estimate. */
static bl_status free_memory(const bl_machine_places *places, double *bytes, bl_err *err) {
    BL_TRY(read_meminfo(places, "MemAvailable:", bytes, err));
    if (!(*bytes > 0)) BL_FAIL(err, BL_EIO, "%s does not say what is free", places->meminfo);
    return BL_OK;
}

/* No run can take more than the machine has; where it does not say, nothing is checked. */
static bl_status check_asked(double asked, const bl_machine_places *places, bl_err *err) {
    double all;
    bl_err ignored;
    char wanted[BL_FORMAT_SIZE], has[BL_FORMAT_SIZE];
    if (read_meminfo(places, "MemTotal:", &all, &ignored) != BL_OK || !(all > 0) || asked <= all)
        return BL_OK;
    BL_FAIL(err, BL_EINVAL, "a memory limit of %s: this machine has %s",
            bl_format_size(wanted, asked), bl_format_size(has, all));
}

/* Without a limit of the group what is free counts. A group below that counts alone, as the
 * system ends runs by it. */
bl_status bl_machine_find_limit(bl_machine_limit *out, double asked, double margin,
                                const bl_machine_places *places, bl_err *err) {
    *out = (bl_machine_limit){.bytes = asked};
    double group = (double)INFINITY;
    bl_err why;
    (void)snprintf(out->source, sizeof out->source, "as asked");
    if (asked > 0) {
        BL_TRY(check_asked(asked, places, err));
    } else {
        if (cgroup_limit(places, &group, &why) != BL_OK)
            (void)snprintf(out->note, sizeof out->note,
                           "the control group's limit cannot be read (%.150s): what is free counts",
                           why.text);
        bl_status status = free_memory(places, &out->bytes, err);
        if (status != BL_OK && isinf(group)) return status;
        (void)snprintf(out->source, sizeof out->source, "what is free");
        if (status != BL_OK || group < out->bytes) {
            out->bytes = group;
            (void)snprintf(out->source, sizeof out->source, "the control group's limit");
        }
    }
    out->kept_free = margin * out->bytes;
    return BL_OK;
}

size_t bl_machine_memory(const bl_machine_places *places) {
    const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    double group = (double)INFINITY;
    bl_err ignored;
    if (cgroup_limit(places, &group, &ignored) != BL_OK) group = (double)INFINITY;
    const double all = pages > 0 && size > 0 ? (double)pages * (double)size : (double)INFINITY;
    const double least = fmin(all, group);
    return isfinite(least) ? (size_t)least : 0;
}

bl_machine_use bl_machine_use_now(void) {
    const double page = (double)sysconf(_SC_PAGESIZE);
    double addresses = 0, held = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f != NULL && fscanf(f, "%lf %lf", &addresses, &held) != 2) addresses = held = 0;
    if (f != NULL) (void)fclose(f);
    return (bl_machine_use){page * addresses, page * held};
}

bool bl_machine_read_bytes(const char *text, double *bytes) {
    static const char units[] = "KMGT";
    char *end;
    *bytes = strtod(text, &end);
    if (end == text) return false;
    while (*end == ' ') end++;
    for (const char *u = units; *end != '\0' && *u != '\0'; u++) {
        if (strncasecmp(end, u, 1) != 0) continue;
        *bytes *= exp2(10.0 * (double)(u - units + 1));
        end++;
        if (strncasecmp(end, "iB", 2) == 0) end += 2;
        break;
    }
    if (strcasecmp(end, "B") == 0) end++;
    return *end == '\0' && *bytes > 0 && isfinite(*bytes);
}
