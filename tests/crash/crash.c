/* crash [--full] [-j N] [PART...]: what happens to a store when everything goes wrong. Without
 * --full a selection that takes seconds and is part of `make test`; `make test-crash` runs all of
 * it. Every part has a process and a project of its own; with -j, N of them at a time, and the long
 * parts are dealt out to N. Speaks TAP; ends with a table of what was done. */
#include "tests/crash/crash.h"
#include "engine/base/mem.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
    const char *name;
    void (*run)(lab *l);
    bool divisible; /* by l->lane of l->lanes */
} k_parts[] = {
    {"imports",     part_imports,     false},
    {"workers",     part_workers,     false}, /* long, and not to be dealt out: early */
    {"faults",      part_faults,      true },
    {"kills",       part_kills,       true },
    {"allocations", part_allocations, true },
    {"corruption",  part_corruption,  true },
    {"together",    part_together,    true },
    {"disk",        part_disk,        false},
    {"scripts",     part_scripts,     false},
};
enum { PARTS = BL_COUNT(k_parts), MOST_LANES = 64 };

/* One part, or one lane of it. */
typedef struct job {
    size_t part;
    pid_t pid; /* 0: not begun, or ended */
    double seconds;
    lab lab; /* written by its process, read by everybody */
} job;

/* Shared by all processes. */
static job *g_job;
static size_t g_jobs;
static volatile sig_atomic_t g_stop;

/* Ctrl-C: every part gives up at its next step, and the scratch folders go. */
static void interrupted(int signal) {
    (void)signal;
    g_stop = 1;
    for (size_t i = 0; i < g_jobs; i++) g_job[i].lab.failures = LAB_INTERRUPTED;
}

static bool wanted(int argc, char **argv, const char *name) {
    bool any = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], name) == 0) return true;
        for (size_t p = 0; p < PARTS; p++) any |= strcmp(argv[i], k_parts[p].name) == 0;
    }
    return !any;
}

static void plan_jobs(int argc, char **argv, size_t lanes) {
    const size_t bytes = PARTS * lanes * sizeof *g_job;
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    BL_ASSERT(at != MAP_FAILED);
    g_job = at;
    for (size_t p = 0; p < PARTS; p++) {
        const size_t n = k_parts[p].divisible ? lanes : 1;
        for (size_t i = 0; i < n && wanted(argc, argv, k_parts[p].name); i++)
            g_job[g_jobs++] = (job){.part = p, .lab.lane = (int)i, .lab.lanes = (int)n};
    }
}

static void begin(job *j, const char *program, bool full) {
    (void)fflush(stdout);
    const pid_t pid = fork();
    BL_ASSERT(pid >= 0);
    if (pid > 0) {
        j->pid = pid; /* by the parent alone: the memory is shared */
        return;
    }
    const double start = lab_seconds();
    lab_open(&j->lab, program, full);
    k_parts[j->part].run(&j->lab);
    lab_close(&j->lab);
    j->seconds = lab_seconds() - start;
    (void)fflush(stdout);
    _exit(0);
}

/* Waits for one; a process that does not come to its end is a failure of its part. */
static void finish(void) {
    int state = 0;
    const pid_t pid = wait(&state);
    size_t i = 0;
    while (i < g_jobs && g_job[i].pid != pid) i++;
    BL_ASSERT(i < g_jobs);
    g_job[i].pid = 0;
    if (!WIFEXITED(state) || WEXITSTATUS(state) != 0) g_job[i].lab.failures++;
}

static void run_jobs(const char *program, bool full, size_t lanes) {
    size_t running = 0;
    for (size_t i = 0; i < g_jobs && !g_stop; i++, running++) {
        if (running == lanes) {
            finish();
            running--;
        }
        begin(&g_job[i], program, full);
    }
    for (; running > 0; running--) finish();
}

/* Adds what a job did to the sum. */
static void add(lab *sum, const lab *l) {
    const struct {
        int64_t *to;
        int64_t n;
    } rows[] = {
        {&sum->faults,      l->faults     },
        {&sum->disks,       l->disks      },
        {&sum->kills,       l->kills      },
        {&sum->checks,      l->checks     },
        {&sum->damages,     l->damages    },
        {&sum->found,       l->found      },
        {&sum->scripts,     l->scripts    },
        {&sum->together,    l->together   },
        {&sum->workers,     l->workers    },
        {&sum->runs_done,   l->runs_done  },
        {&sum->frozen,      l->frozen     },
        {&sum->lost,        l->lost       },
        {&sum->twice,       l->twice      },
        {&sum->differences, l->differences},
        {&sum->failures,    l->failures   },
    };
    for (size_t i = 0; i < BL_COUNT(rows); i++) *rows[i].to += rows[i].n;
    if (l->skipped[0] != '\0') memcpy(sum->skipped, l->skipped, sizeof sum->skipped);
    if (l->most_mib > sum->most_mib) sum->most_mib = l->most_mib;
    if (l->most_seconds > sum->most_seconds) sum->most_seconds = l->most_seconds;
}

static void show_part(size_t part, lab *all) {
    lab *sum = bl_xalloc(sizeof *sum);
    double seconds = 0.0;
    bool any = false;
    for (size_t i = 0; i < g_jobs; i++) {
        if (g_job[i].part != part) continue;
        any = true;
        add(sum, &g_job[i].lab);
        if (g_job[i].seconds > seconds) seconds = g_job[i].seconds;
    }
    if (any && sum->skipped[0] != '\0') /* as cmocka writes it, for tests/run.sh */
        (void)printf("not ok %zu # SKIP %s: %s\n", part + 1, k_parts[part].name, sum->skipped);
    else if (any)
        (void)printf("%sok %zu - %s (%.1f s)\n", sum->failures > 0 ? "not " : "", part + 1,
                     k_parts[part].name, seconds);
    add(all, sum);
    free(sum);
}

static void show_totals(const lab *l, double seconds) {
    const struct {
        const char *what;
        int64_t n;
    } rows[] = {
        {"faults injected",            l->faults     },
        {"sizes of a full disk",       l->disks      },
        {"kills",                      l->kills      },
        {"stores compared afterwards", l->checks     },
        {"files damaged",              l->damages    },
        {"of these found",             l->found      },
        {"hostile scripts",            l->scripts    },
        {"pairs of commands at once",  l->together   },
        {"workers on one store",       l->workers    },
        {"  runs they did",            l->runs_done  },
        {"  times one was frozen",     l->frozen     },
        {"lost",                       l->lost       },
        {"published twice",            l->twice      },
        {"differences",                l->differences},
    };
    for (size_t i = 0; i < BL_COUNT(rows); i++)
        (void)printf("# %-28s %8lld\n", rows[i].what, (long long)rows[i].n);
    (void)printf("# %-28s %8.1f MiB\n", "  the most they took", l->most_mib);
    (void)printf("# %-28s %8.2f s\n", "  and of processor time", l->most_seconds);
    (void)printf("# %-28s %8.1f s\n", "time", seconds);
}

int main(int argc, char **argv) {
    const double start = lab_seconds();
    bool full = false;
    long lanes = 1;
    for (int i = 1; i < argc; i++) {
        full |= strcmp(argv[i], "--full") == 0;
        if (strcmp(argv[i], "-j") == 0 && i + 1 < argc) lanes = strtol(argv[i + 1], NULL, 10);
    }
    BL_ASSERT(lanes >= 1 && lanes <= MOST_LANES);
    plan_jobs(argc, argv, full ? (size_t)lanes : 1);
    (void)signal(SIGINT, interrupted);
    (void)signal(SIGTERM, interrupted);
    run_jobs(argv[0], full, (size_t)lanes);
    lab *all = bl_xalloc(sizeof *all);
    for (size_t p = 0; p < PARTS; p++) show_part(p, all);
    show_totals(all, lab_seconds() - start);
    const bool failed = all->failures > 0;
    free(all);
    return failed;
}
