#include "engine/cli/jobs.h"
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

volatile int bl_cli_interrupted;

static void on_signal(int signal) {
    if (signal == SIGINT && __atomic_load_n(&bl_cli_interrupted, __ATOMIC_RELAXED) != 0)
        _exit(BL_EXIT_SECOND_INTERRUPT);
    __atomic_store_n(&bl_cli_interrupted, 1, __ATOMIC_RELAXED);
}

void bl_cli_catch_signals(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < BL_COUNT(signals); i++) (void)sigaction(signals[i], &action, NULL);
}

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
