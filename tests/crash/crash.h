/* The crash driver: makes a small project, runs batchlab in it while something goes wrong, and
 * compares what is left, after the same command was run again, with an undisturbed store. */
#ifndef BL_TESTS_CRASH_CRASH_H
#define BL_TESTS_CRASH_CRASH_H
#include "engine/base/file.h"
#include "tests/crash/injector.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Folders, all absolute: the project's own files, which no fault meets; `ref`, what an undisturbed
 * sweep leaves; `work`, where faults happen. `ref` and `work` hold runs/, reports/ and cache/. */
typedef struct lab {
    char root[BL_PATH], repository[BL_PATH], batchlab[BL_PATH], injector[BL_PATH];
    char ref[BL_PATH], work[BL_PATH], runs[BL_PATH]; /* runs: work's store of the experiment */
    fault_plan *plan;
    bool full;       /* every k, every bit; otherwise a selection that takes seconds */
    int lane, lanes; /* this process does every lanes-th k, beginning with its own */
    bool sanitized;  /* batchlab was built with a sanitizer */
    int undisturbed; /* exit status of the sweep in `ref` */
    int64_t sweep_calls[FAULT_KINDS]; /* calls of that sweep */
    int64_t sweep_files;
    double sweep_seconds;
    uint64_t random;               /* state of lab_random */
    char skipped[64];              /* why a part could not be done here */
    double most_mib, most_seconds; /* that a hostile script took */
    int64_t together, workers, frozen, scripts, faults, disks, kills, damages, found, runs_done,
        lost, twice, differences, checks, failures;
} lab;

/* How a program ended, and the beginning of what it said on stderr. */
typedef struct ending {
    int exit;   /* status; -1: ended by `signal` */
    int signal; /* SIGALRM: it hung and was ended after LAB_PATIENCE seconds */
    char said[4096];
    long peak_kib; /* of resident memory */
    double cpu_seconds;
} ending;
enum {
    LAB_PATIENCE = 900, /* of a machine that others use, too: 5,000 runs one after the other */
    LAB_MOST_WORDS = 16,
    LAB_MOST_FAILURES = 20, /* a part then gives up */
    LAB_INTERRUPTED = 1000000
};

extern const char lab_experiment[];

/* Makes the project and the undisturbed store; exits with a message when that is not possible. */
void lab_open(lab *l, const char *program, bool full); /* lane and lanes are set */
void lab_close(lab *l);

/* The plan of all that is started `faulty` from now on, its counters at 0. */
void lab_arm(lab *l, const fault_plan *plan);
/* Starts batchlab with these words (NULL-terminated, without the program); stderr goes to `said`.
 * With `faulty` the injector is loaded. */
pid_t lab_start(const lab *l, const char *const *words, bool faulty, int said);
ending lab_wait(pid_t child, int said);
/* The sweep, from start to end; with the plan's fault where `plan` is not NULL (copied, counters
 * at 0; l->plan then has the counters). */
ending lab_sweep(lab *l, const fault_plan *plan);
ending lab_run(lab *l, const char *const *words, const fault_plan *plan);

/* `work` becomes a copy of the folder `start` (NULL: empty). */
void lab_reset(const lab *l, const char *start);
/* Makes the folder `stopped`: a copy of `work` after a sweep was terminated halfway, within a run.
 */
void lab_stop_midway(lab *l, char stopped[BL_PATH]);
/* The same runs with the same logs and results, the same plan, nothing set aside. With `longer`,
 * logs may go further and there may be more runs: what was asked for before is kept. NULL, or what
 * differs, in words that live until the next call. */
const char *lab_difference(const lab *l, bool longer);
/* The same files and folders below `work` as an undisturbed sweep leaves, in store, reports and
 * cache: no leftover of any kind. NULL, or what differs, until the next call. */
const char *lab_other_names(const lab *l);
/* One sweep without faults, then lab_difference and, unless `longer`, lab_other_names; counts what
 * it finds. False: told and counted. */
bool lab_recovers(lab *l, const char *what, bool longer);

/* Some trial of the plan has this outcome. */
bool lab_plan_says(const lab *l, const char *outcome);

/* The report is what drawing it again from the store gives, byte for byte. */
void lab_report_is_whole(lab *l, const char *what);

/* Nothing in the store is damaged, whatever has just happened to its writer. */
void lab_undamaged(lab *l, const char *what);

/* Half-written files of writers that were not killed; NULL, or one of them until the next call. */
const char *lab_leftover(const lab *l);

/* Uniform below n; the same sequence in every run of the tests. */
uint64_t lab_random(lab *l, uint64_t n);
double lab_seconds(void);

/* A failed check: printed at once with its part's name, counted. */
BL_PRINTF(2, 3) void lab_fail(lab *l, const char *fmt, ...);

/* Files below a folder, relative, sorted. */
typedef struct lab_files {
    char (*path)[BL_PATH];
    size_t count;
} lab_files;
lab_files lab_list(const char *folder);
lab_files lab_list_all(const char *folder); /* folders as well */
void lab_remove(const char *folder);
void lab_copy(const char *from, const char *to);

/* ---- parts ---- */
void part_imports(lab *l);
void part_faults(lab *l);
void part_kills(lab *l);
void part_allocations(lab *l);
void part_corruption(lab *l);
void part_together(lab *l);
void part_disk(lab *l);
void part_scripts(lab *l);
void part_workers(lab *l);
#endif
