/* Two ways to end. A command that trains is asked to stop and saves its state; one that writes
 * files removes them first.
 *
 *     bl_cli_catch_signals    INT, TERM, USR1, USR2, ALRM set a flag; a second INT ends at once
 *     bl_cli_unfinished       INT, TERM, HUP remove the paths, then end the program as usual
 *
 * Handlers call only what is safe in one: unlink, rmdir, signal, raise, _exit. */
#include "engine/cli/signals.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include <signal.h>
#include <stdio.h>
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

/* ---- unfinished files ---- */

static const int k_ends[] = {SIGINT, SIGTERM, SIGHUP};
static char unfinished[BL_CLI_UNFINISHED][BL_PATH];
static volatile sig_atomic_t unfinished_count;

/* A file goes by unlink, a folder, which that refuses, by rmdir if it is empty. */
static void on_end(int number) {
    for (sig_atomic_t i = unfinished_count; i-- > 0;)
        if (unlink(unfinished[i]) != 0) (void)rmdir(unfinished[i]);
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

static void mask_ends(int how) {
    sigset_t set;
    (void)sigemptyset(&set);
    for (size_t i = 0; i < BL_COUNT(k_ends); i++) (void)sigaddset(&set, k_ends[i]);
    (void)sigprocmask(how, &set, NULL);
}

void bl_cli_hold_signals(void) {
    mask_ends(SIG_BLOCK);
}

void bl_cli_release_signals(void) {
    mask_ends(SIG_UNBLOCK);
}

/* A path is in place before the count says so. Signals that are ignored stay ignored, as under
 * nohup. */
void bl_cli_unfinished(const char *path) {
    const struct sigaction action = {.sa_handler = on_end};
    const sig_atomic_t n = unfinished_count;
    if (n == BL_CLI_UNFINISHED) return;
    (void)snprintf(unfinished[n], sizeof unfinished[n], "%s", path);
    unfinished_count = n + 1;
    for (size_t i = 0; i < BL_COUNT(k_ends); i++) {
        struct sigaction before;
        if (sigaction(k_ends[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            (void)sigaction(k_ends[i], &action, NULL);
    }
}

void bl_cli_finished(void) {
    unfinished_count = 0;
}
