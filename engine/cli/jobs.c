#include "engine/cli/jobs.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

bool bl_cli_jobs(const char *text, size_t *jobs) {
    if (text == NULL) {
        const long cores = sysconf(_SC_NPROCESSORS_ONLN);
        *jobs = cores > 0 ? (size_t)cores : 1;
        return true;
    }
    char *end;
    errno = 0;
    const unsigned long n = strtoul(text, &end, 10);
    *jobs = (size_t)n;
    return errno == 0 && *end == '\0' && end != text && text[0] != '-' && n >= 1 && n <= 256;
}
