/* kill -9 before every call that touches files, in the middle of writes, and at random times; again
 * while recovering. */
#include "engine/base/mem.h"
#include "tests/crash/crash.h"
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* Before the k-th call of any kind, or halfway through the k-th write. */
static void kill_at(lab *l, bool within_write, int64_t k) {
    char what[64];
    const fault_plan plan = {.kind = within_write ? FAULT_WRITE : FAULT_ANY_FILE,
                             .action = within_write ? FAULT_TORN : FAULT_KILL,
                             .at = k};
    (void)snprintf(what, sizeof what, "killed %s %d", within_write ? "within write" : "before call",
                   (int)k);
    lab_reset(l, NULL);
    ending e = lab_sweep(l, &plan);
    if (l->plan->hits == 0) return; /* this time there were fewer calls */
    if (e.signal != SIGKILL)
        lab_fail(l, "%s: exit %d, signal %d: %s", what, e.exit, e.signal, e.said);
    l->kills++;
    /* Every third time once more, wherever the recovering run then is. */
    if (k % 3 == 0) {
        const fault_plan again = {
            .kind = FAULT_ANY_FILE, .action = FAULT_KILL, .at = 1 + (int64_t)lab_random(l, 60)};
        e = lab_sweep(l, &again);
        if (e.signal == SIGKILL) l->kills++;
    }
    lab_undamaged(l, what);
    (void)lab_recovers(l, what, false);
}

/* A moment within the time the sweep takes. */
static void kill_sometime(lab *l) {
    static const char *const words[] = {"run",        lab_experiment, "-j", "2",
                                        "--progress", "none",         NULL};
    const int said = memfd_create("stderr", MFD_CLOEXEC);
    const uint64_t nanoseconds = (uint64_t)(1e9 * l->sweep_seconds);
    const struct timespec moment = {
        0, (long)lab_random(l, nanoseconds < 999999999 ? nanoseconds : 999999999)};
    const pid_t child = lab_start(l, words, false, said);
    (void)nanosleep(&moment, NULL);
    (void)kill(child, SIGKILL);
    const ending e = lab_wait(child, said);
    (void)close(said);
    l->kills += e.signal == SIGKILL;
}

void part_kills(lab *l) {
    /* After a call is before the next one: nothing lies between them that a store could show. */
    for (int within_write = 0; within_write < 2; within_write++) {
        const int64_t calls = within_write ? l->sweep_calls[FAULT_WRITE] : l->sweep_files;
        for (int64_t k = 1 + l->lane; k <= calls && l->failures <= LAB_MOST_FAILURES;
             k += l->full ? l->lanes : 1 + (int64_t)lab_random(l, (uint64_t)calls / 8))
            kill_at(l, within_write != 0, k);
    }
    /* Killed again and again, then left alone. */
    const int rounds = l->full ? 150 : 4;
    for (int i = l->lane; i < rounds && l->failures <= LAB_MOST_FAILURES; i += l->lanes) {
        lab_reset(l, NULL);
        for (int n = 0; n < 4; n++) kill_sometime(l);
        lab_undamaged(l, "killed four times at random");
        (void)lab_recovers(l, "killed four times at random", false);
    }
}
