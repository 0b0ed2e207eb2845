/* crash [--full] [PART...]: what happens to a store when everything goes wrong. Without --full a
 * selection that takes seconds and is part of `make test`; `make test-crash` runs all of it. Speaks
 * TAP; ends with a table of what was done. */
#include "tests/crash/crash.h"
#include "engine/base/mem.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const part k_parts[] = {
    {"imports",     part_imports    },
    {"faults",      part_faults     },
    {"kills",       part_kills      },
    {"allocations", part_allocations},
    {"corruption",  part_corruption },
    {"disk",        part_disk       },
    {"scripts",     part_scripts    },
    {"workers",     part_workers    },
};

static bool wanted(int argc, char **argv, const char *name) {
    bool any = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--full") == 0) continue;
        any = true;
        if (strcmp(argv[i], name) == 0) return true;
    }
    return !any;
}

/* Ctrl-C: every part gives up at its next step, and the scratch folder goes. */
static lab *g_lab;
static void interrupted(int signal) {
    (void)signal;
    g_lab->failures = LAB_INTERRUPTED;
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
    lab *l = bl_xalloc(sizeof *l);
    const double start = lab_seconds();
    bool full = false;
    for (int i = 1; i < argc; i++) full |= strcmp(argv[i], "--full") == 0;
    lab_open(l, argv[0], full);
    g_lab = l;
    (void)signal(SIGINT, interrupted);
    (void)signal(SIGTERM, interrupted);
    int64_t failures = 0;
    for (size_t i = 0; i < BL_COUNT(k_parts); i++) {
        if (!wanted(argc, argv, k_parts[i].name)) continue;
        const double begin = lab_seconds();
        l->failures = 0;
        l->skipped = NULL;
        k_parts[i].run(l);
        if (l->skipped != NULL) /* as cmocka writes it, for tests/run.sh */
            (void)printf("not ok %zu # SKIP %s: %s\n", i + 1, k_parts[i].name, l->skipped);
        else
            (void)printf("%sok %zu - %s (%.1f s)\n", l->failures > 0 ? "not " : "", i + 1,
                         k_parts[i].name, lab_seconds() - begin);
        (void)fflush(stdout);
        failures += l->failures;
        if (l->failures >= LAB_INTERRUPTED) break;
    }
    show_totals(l, lab_seconds() - start);
    lab_close(l);
    free(l);
    return failures > 0;
}
