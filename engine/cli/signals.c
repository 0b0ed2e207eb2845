#include "engine/cli/signals.h"
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include <signal.h>
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
