#include "engine/base/process.h"
#include "engine/base/sha256.h"
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/types.h>
#include <unistd.h>

enum { PLACE = 9 }; /* 8 hex digits and the terminator */

/* "" where the system does not say. */
static void place_of(char out[PLACE]) {
    char text[256] = "";
    out[0] = '\0';
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "r");
    const size_t n = f != NULL ? fread(text, 1, 64, f) : 0;
    if (f != NULL) (void)fclose(f);
    const ssize_t m = readlink("/proc/self/ns/pid", text + n, sizeof text - n);
    if (n == 0 || m <= 0) return;
    char digest[BL_SHA256_HEX];
    bl_sha256_of(text, n + (size_t)m, digest);
    memcpy(out, digest, PLACE - 1);
    out[PLACE - 1] = '\0';
}

/* State letter and start of a process; false: the system does not say. */
static bool read_process(long pid, char *state, uint64_t *start) {
    char path[64], text[1024];
    (void)snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *f = fopen(path, "r");
    if (f == NULL) return false;
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    (void)fclose(f);
    /* proc(5): pid (name) state, and the start is the 22nd field; a name may hold anything. */
    const char *after = strrchr(text, ')');
    return after != NULL &&
           sscanf(after + 1,
                  " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                  "%" SCNu64,
                  state, start) == 2;
}

void bl_process_token(char *out, size_t size) {
    char place[PLACE], state;
    uint64_t start = 0, random = 0;
    place_of(place);
    (void)read_process((long)getpid(), &state, &start);
    (void)getrandom(&random, sizeof random, 0);
    (void)snprintf(out, size, "%s-%ld-%" PRIu64 "-%016" PRIx64,
                   place[0] != '\0' ? place : "nowhere", (long)getpid(), start, random);
}

bool bl_process_is_dead(const char *token) {
    char there[PLACE], here[PLACE], state;
    long pid;
    uint64_t began, start;
    place_of(here);
    if (sscanf(token, "%8[0-9a-f]-%ld-%" SCNu64 "-", there, &pid, &began) != 3 || pid <= 0)
        return false;
    if (here[0] == '\0' || strcmp(here, there) != 0) return false;
    if (kill((pid_t)pid, 0) != 0 && errno == ESRCH) return true;
    return read_process(pid, &state, &start) && (start != began || state == 'Z' || state == 'X');
}
