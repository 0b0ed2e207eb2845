/* Two different commands on one store at once: a sweep, and beside it again and again a command
 * that looks, draws, packs or cleans up. Half of the time one of the two is killed somewhere.
 * Whatever meets whatever: nothing is damaged, the next sweep leaves what an undisturbed one
 * leaves, and its report is whole, that is, drawing it again changes no byte. */
#include "engine/base/mem.h"
#include "tests/crash/crash.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How a command beside a sweep may end, other than killed. A mismatch (3), damage (4) or a file
 * that cannot be read or written (74) is a failure of every one. */
enum {
    ENDS_AS_SWEEP = 1, /* as the sweep does that nothing disturbs, and in no other way */
    ENDS_WELL = 2,     /* 0 */
    ENDS_EARLY = 4,    /* 2: the sweep has not written yet what is asked for, and it says so */
    ENDS_OPEN = 8,     /* 5: these runs give no answer yet */
};

typedef struct other {
    const char *words[6];
    unsigned ends;
    bool removes; /* more than leftovers: checkpoints of finished runs */
} other;

static const other k_others[] = {
    {{"work", lab_experiment, "-j", "1", NULL},     ENDS_AS_SWEEP,                      false},
    {{"run", lab_experiment, "--progress", "none"}, ENDS_AS_SWEEP,                      false},
    {{"report", lab_experiment, NULL},              ENDS_WELL | ENDS_EARLY | ENDS_OPEN, false},
    {{"plot", lab_experiment, NULL},                ENDS_WELL | ENDS_EARLY | ENDS_OPEN, false},
    {{"bundle", lab_experiment, "-o", "/dev/null"}, ENDS_WELL | ENDS_EARLY,             false},
    {{"gc", lab_experiment, NULL},                  ENDS_WELL | ENDS_EARLY,             true },
    {{"fsck", lab_experiment, "--repair", NULL},    ENDS_WELL | ENDS_EARLY,             false},
    {{"fsck", NULL},                                ENDS_WELL,                          false},
    {{"status", NULL},                              ENDS_WELL,                          false},
    {{"ls", NULL},                                  ENDS_WELL,                          false},
    {{"recommend", lab_experiment, NULL},           ENDS_WELL | ENDS_EARLY | ENDS_OPEN, false},
    {{"plan", lab_experiment, NULL},                ENDS_WELL,                          false},
    {{"export", lab_experiment, NULL},              ENDS_WELL | ENDS_EARLY,             false},
};

static bool says_early(const char *said) {
    static const char *const words[] = {"there are no runs of '", "there is no plan.jsonl; ",
                                        "no run of crash is done; "};
    for (size_t i = 0; i < BL_COUNT(words); i++)
        if (strstr(said, words[i]) != NULL) return true;
    return false;
}

static bool may_end_so(const lab *l, const other *o, const ending *e) {
    return (o->ends & ENDS_AS_SWEEP && e->exit == l->undisturbed) ||
           (o->ends & ENDS_WELL && e->exit == 0) ||
           (o->ends & ENDS_EARLY && e->exit == 2 && says_early(e->said)) ||
           (o->ends & ENDS_OPEN && e->exit == 5);
}

static pid_t begin(const lab *l, const char *const *words, int *said) {
    *said = memfd_create("stderr", MFD_CLOEXEC);
    if (*said < 0) abort();
    return lab_start(l, words, false, *said);
}

static bool has_ended(pid_t child) {
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == child;
}

/* The other command, again and again, until the sweep has ended. With `kill_other` one of them is
 * killed on its way, with `kill_sweep` the sweep. */
static void meet(lab *l, const other *o, bool kill_sweep, bool kill_other) {
    static const char *const sweep[] = {"run",        lab_experiment, "-j", "1",
                                        "--progress", "none",         NULL};
    int said, others_said;
    const uint64_t nanoseconds = (uint64_t)(1e9 * l->sweep_seconds) % 999999999;
    const pid_t first = begin(l, sweep, &said);
    for (bool last = false; !last;) {
        const struct timespec moment = {0, (long)lab_random(l, nanoseconds + 1)};
        const pid_t second = begin(l, o->words, &others_said);
        if (kill_sweep || kill_other) (void)nanosleep(&moment, NULL);
        if (kill_other) (void)kill(second, SIGKILL);
        if (kill_sweep) (void)kill(first, SIGKILL);
        const ending e = lab_wait(second, others_said);
        (void)close(others_said);
        l->kills += e.signal == SIGKILL;
        if (!(kill_other && e.signal == SIGKILL) && !may_end_so(l, o, &e))
            lab_fail(l, "%s beside a sweep: exit %d, signal %d: %s", o->words[0], e.exit, e.signal,
                     e.said);
        kill_other = false;
        last = has_ended(first);
    }
    const ending e = lab_wait(first, said);
    (void)close(said);
    l->kills += e.signal == SIGKILL;
    if (!(kill_sweep && e.signal == SIGKILL) && e.exit != l->undisturbed)
        lab_fail(l, "a sweep beside %s: exit %d, signal %d: %s", o->words[0], e.exit, e.signal,
                 e.said);
}

void part_together(lab *l) {
    const int rounds = l->full ? 40 : 1;
    for (int round = 0; round < rounds; round++)
        for (size_t i = (size_t)l->lane; i < BL_COUNT(k_others); i += (size_t)l->lanes) {
            char what[64];
            const int which = (int)lab_random(l, 4);
            (void)snprintf(what, sizeof what, "a sweep and %s at once", k_others[i].words[0]);
            lab_reset(l, NULL);
            meet(l, &k_others[i], which == 1, which == 2);
            lab_undamaged(l, what);
            (void)lab_recovers(l, what, k_others[i].removes);
            lab_report_is_whole(l, what);
            l->together++;
            if (l->failures > LAB_MOST_FAILURES) return;
        }
}
