#include "engine/base/mem.h"
#include "engine/base/sha256.h"
#include "engine/runlog/runlog.h"
#include "engine/store/fsck.h"
#include "tests/crash/crash.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const char lab_experiment[] = "crash";

double lab_seconds(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* xorshift64* (Vigna 2016). */
uint64_t lab_random(lab *l, uint64_t n) {
    l->random ^= l->random >> 12;
    l->random ^= l->random << 25;
    l->random ^= l->random >> 27;
    return l->random * 0x2545F4914F6CDD1Dull % n;
}

void lab_fail(lab *l, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    (void)printf("# ERROR ");
    (void)vprintf(fmt, ap);
    (void)printf("\n");
    (void)fflush(stdout);
    va_end(ap);
    l->failures++;
}

__attribute__((noreturn)) static void give_up(const char *what) {
    (void)fprintf(stderr, "crash: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- processes ---- */

/* In the child. */
__attribute__((noreturn)) static void become_batchlab(const lab *l, const char *const *words,
                                                      bool faulty, int said) {
    char *argv[LAB_MOST_WORDS + 2] = {(char *)(uintptr_t)l->batchlab};
    for (size_t i = 0; i < LAB_MOST_WORDS && words[i] != NULL; i++)
        argv[i + 1] = (char *)(uintptr_t)words[i];
    char runs[BL_PATH + 32], reports[BL_PATH + 32], cache[BL_PATH + 32], path[BL_PATH + 32],
        plan[BL_PATH + 32], preload[BL_PATH + 32];
    (void)snprintf(runs, sizeof runs, "BATCHLAB_RUNS=%s/runs", l->work);
    (void)snprintf(reports, sizeof reports, "BATCHLAB_REPORTS=%s/reports", l->work);
    (void)snprintf(cache, sizeof cache, "BATCHLAB_CACHE=%s/cache", l->work);
    (void)snprintf(path, sizeof path, "PATH=%s/bin", l->root);
    (void)snprintf(plan, sizeof plan, FAULT_VARIABLE "=%s/plan", l->root);
    (void)snprintf(preload, sizeof preload, "LD_PRELOAD=%s", l->injector);
    /* The sanitizer wants to come first; what it replaces, the injector passes on to it. */
    char sanitizer[] = "ASAN_OPTIONS=verify_asan_link_order=0:allocator_may_return_null=1:"
                       "handle_segv=2";
    char beat[] = "BL_CLAIM_BEAT=0.2", stale[] = "BL_CLAIM_STALE=1";
    char *environment[] = {
        beat, stale, runs, reports, cache, path, sanitizer, faulty ? plan : NULL, preload, NULL};
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(nothing, STDOUT_FILENO) < 0 ||
        dup2(said, STDERR_FILENO) < 0)
        _exit(126);
    (void)execve(l->batchlab, argv, environment);
    _exit(127);
}

pid_t lab_start(const lab *l, const char *const *words, bool faulty, int said) {
    const pid_t child = fork();
    if (child == 0) become_batchlab(l, words, faulty, said);
    if (child < 0) give_up("fork");
    return child;
}

ending lab_wait(pid_t child, int said) {
    ending e = {.exit = -1};
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    int state = 0;
    const double end = lab_seconds() + LAB_PATIENCE;
    struct rusage used = {0};
    while (wait4(child, &state, WNOHANG, &used) != child) {
        const struct timespec tick = {1, 0};
        (void)sigtimedwait(&set, NULL, &tick);
        if (lab_seconds() < end) continue;
        (void)kill(child, SIGKILL);
        (void)waitpid(child, &state, 0);
        e.signal = SIGALRM;
        break;
    }
    if (e.signal == 0 && WIFEXITED(state)) e.exit = WEXITSTATUS(state);
    if (e.signal == 0 && WIFSIGNALED(state)) e.signal = WTERMSIG(state);
    e.peak_kib = used.ru_maxrss;
    e.cpu_seconds = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                    1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    const ssize_t n = pread(said, e.said, sizeof e.said - 1, 0);
    e.said[n > 0 ? n : 0] = '\0';
    return e;
}

void lab_arm(lab *l, const fault_plan *plan) {
    *l->plan = *plan;
    (void)snprintf(l->plan->below, sizeof l->plan->below, "%.500s/", l->work);
}

ending lab_run(lab *l, const char *const *words, const fault_plan *plan) {
    const int said = memfd_create("stderr", MFD_CLOEXEC);
    if (said < 0) give_up("memfd_create");
    if (plan != NULL) lab_arm(l, plan);
    const ending e = lab_wait(lab_start(l, words, plan != NULL, said), said);
    (void)close(said);
    return e;
}

ending lab_sweep(lab *l, const fault_plan *plan) {
    const char *const words[] = {"run", lab_experiment, "-j", "1", "--progress", "none", NULL};
    return lab_run(l, words, plan);
}

/* ---- comparing ---- */

static void read_whole(bl_buf *out, const char *folder, const char *file) {
    char path[BL_PATH];
    bl_err err;
    bl_buf_clear(out);
    if (bl_path(path, &err, "%s/%s", folder, file) != BL_OK ||
        bl_file_read(out, path, SIZE_MAX, &err) != BL_OK)
        bl_buf_clear(out);
}

static bool named(const char *file, const char *name) {
    const char *last = strrchr(file, '/');
    return strcmp(last != NULL ? last + 1 : file, name) == 0;
}

/* What is to be the same in every store of one sweep: no clock, no host, no leftover. */
static bool compared(const char *file, bool longer) {
    return named(file, "plan.jsonl") || named(file, "run.json") || named(file, "log.jsonl.gz") ||
           (!longer && named(file, "result.json"));
}

/* result.json without its environment, which has the clock and the host. */
static void read_compared(bl_buf *out, const char *folder, const char *file, bool longer) {
    char path[BL_PATH];
    bl_err err;
    read_whole(out, folder, file);
    if (named(file, "result.json")) {
        const char *end = strstr(bl_buf_text(out), "\"environment\"");
        if (end != NULL) bl_buf_truncate(out, (size_t)(end - out->data));
    }
    if (!longer || !named(file, "log.jsonl.gz")) return;
    bl_buf_clear(out);
    if (bl_path(path, &err, "%s/%s", folder, file) != BL_OK ||
        bl_runlog_read(out, path, &err) != BL_OK)
        bl_buf_clear(out);
    const char *footer = strstr(bl_buf_text(out), "{\"record\":\"footer\"");
    if (footer != NULL) bl_buf_truncate(out, (size_t)(footer - out->data));
}

/* Every compared file of `a` is in `b` with the same bytes; `longer`: or b's log goes further. */
static const char *compare_files(const char *a, const char *b, const lab_files *files,
                                 bool longer) {
    static char words[BL_PATH + 64];
    bl_buf here = {0}, there = {0};
    words[0] = '\0';
    for (size_t i = 0; i < files->count && words[0] == '\0'; i++) {
        const char *file = files->path[i];
        if (!compared(file, longer)) continue;
        read_compared(&here, a, file, longer);
        read_compared(&there, b, file, longer);
        const bool fits = there.len == here.len ||
                          (longer && named(file, "log.jsonl.gz") && there.len > here.len);
        if (here.len == 0 || there.len == 0)
            (void)snprintf(words, sizeof words, "%s is missing", file);
        else if (!fits || memcmp(here.data, there.data, here.len) != 0)
            (void)snprintf(words, sizeof words, "%s differs", file);
    }
    bl_buf_free(&here);
    bl_buf_free(&there);
    return words[0] != '\0' ? words : NULL;
}

bool lab_plan_says(const lab *l, const char *outcome) {
    bl_buf plan = {0};
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, "\"outcome\":\"%s\"", outcome);
    read_whole(&plan, l->runs, "plan.jsonl");
    const bool says = strstr(bl_buf_text(&plan), wanted) != NULL;
    bl_buf_free(&plan);
    return says;
}

const char *lab_difference(const lab *l, bool longer) {
    static char words[BL_PATH + 64];
    char ref[BL_PATH];
    bl_err err;
    if (bl_path(ref, &err, "%s/runs/%s", l->ref, lab_experiment) != BL_OK) give_up(l->ref);
    lab_files expected = lab_list(ref), there = lab_list(l->runs);
    const char *difference = compare_files(ref, l->runs, &expected, longer);
    if (difference == NULL && !longer) difference = compare_files(l->runs, ref, &there, false);
    for (size_t i = 0; i < there.count && difference == NULL; i++)
        if (strstr(there.path[i], ".corrupt-") != NULL) {
            (void)snprintf(words, sizeof words, "%s was set aside", there.path[i]);
            difference = words;
        }
    free(expected.path);
    free(there.path);
    return difference;
}

const char *lab_other_names(const lab *l) {
    static char words[BL_PATH + 64];
    lab_files expected = lab_list_all(l->ref), there = lab_list_all(l->work);
    words[0] = '\0';
    for (size_t i = 0, j = 0; words[0] == '\0' && (i < expected.count || j < there.count);) {
        const int order = i == expected.count ? 1
                          : j == there.count  ? -1
                                              : strcmp(expected.path[i], there.path[j]);
        if (order < 0)
            (void)snprintf(words, sizeof words, "%s is missing", expected.path[i]);
        else if (order > 0)
            (void)snprintf(words, sizeof words, "%s is left over", there.path[j]);
        i += order <= 0;
        j += order >= 0;
    }
    free(expected.path);
    free(there.path);
    return words[0] != '\0' ? words : NULL;
}

static void tell_finding(void *ctx, const bl_finding *finding) {
    (void)ctx;
    if (finding->kind == BL_FOUND_DAMAGE) (void)printf("# %s\n", finding->what);
}

bool lab_recovers(lab *l, const char *what, bool longer) {
    l->checks++;
    const ending e = lab_sweep(l, NULL);
    if (e.exit != l->undisturbed) {
        lab_fail(l, "%s: the next run ends with exit %d, signal %d: %s", what, e.exit, e.signal,
                 e.said);
        l->lost++;
        return false;
    }
    const char *difference = lab_difference(l, longer);
    if (difference == NULL && !longer) difference = lab_other_names(l);
    if (difference == NULL) return true;
    lab_fail(l, "%s: after the next run %s", what, difference);
    l->differences++;
    return false;
}

void lab_report_is_whole(lab *l, const char *what) {
    static const char *const again[] = {"report", lab_experiment, NULL};
    char reports[BL_PATH], kept[BL_PATH];
    bl_buf before = {0}, after = {0};
    (void)snprintf(reports, sizeof reports, "%.900s/reports", l->work);
    (void)snprintf(kept, sizeof kept, "%.900s/kept", l->root);
    lab_remove(kept);
    lab_copy(reports, kept);
    const ending e = lab_run(l, again, NULL);
    if (e.exit != 0 && e.exit != 5)
        lab_fail(l, "%s: report: exit %d, signal %d: %s", what, e.exit, e.signal, e.said);
    lab_files files = lab_list(reports);
    for (size_t i = 0; i < files.count; i++) {
        if (named(files.path[i], ".drawn-from")) continue;
        read_whole(&before, kept, files.path[i]);
        read_whole(&after, reports, files.path[i]);
        if (before.len == after.len &&
            memcmp(bl_buf_text(&before), bl_buf_text(&after), after.len) == 0)
            continue;
        lab_fail(l, "%s: drawing the report again changes %s", what, files.path[i]);
        break;
    }
    free(files.path);
    bl_buf_free(&before);
    bl_buf_free(&after);
}

void lab_undamaged(lab *l, const char *what) {
    bl_store store;
    bl_fsck fsck = {.found = tell_finding, .ctx = l};
    bl_err err = {0};
    (void)snprintf(store.dir, sizeof store.dir, "%s", l->runs);
    if (!bl_dir_exists(l->runs)) return;
    if (bl_store_fsck(&store, &fsck, &err) != BL_OK)
        lab_fail(l, "%s: fsck: %s", what, err.text);
    else if (fsck.damage > 0)
        lab_fail(l, "%s: fsck finds this damage", what);
}

const char *lab_leftover(const lab *l) {
    static char words[BL_PATH];
    lab_files files = lab_list(l->work);
    words[0] = '\0';
    for (size_t i = 0; i < files.count; i++)
        if (strstr(files.path[i], ".tmp-") != NULL)
            (void)snprintf(words, sizeof words, "%s", files.path[i]);
    free(files.path);
    return words[0] != '\0' ? words : NULL;
}

/* ---- the project ---- */

void lab_reset(const lab *l, const char *start) {
    lab_remove(l->work);
    if (start != NULL)
        lab_copy(start, l->work);
    else if (mkdir(l->work, 0777) != 0)
        give_up(l->work);
}

static bool holds(const char *folder, const char *name) {
    lab_files files = lab_list(folder);
    bool found = false;
    for (size_t i = 0; i < files.count; i++) found |= named(files.path[i], name);
    free(files.path);
    return found;
}

void lab_stop_midway(lab *l, char stopped[BL_PATH]) {
    (void)snprintf(stopped, BL_PATH, "%.900s/stopped", l->root);
    lab_remove(stopped);
    for (int64_t k = l->sweep_calls[FAULT_SYNC] / 4; k < l->sweep_calls[FAULT_SYNC]; k += 3) {
        const fault_plan plan = {.kind = FAULT_SYNC, .action = FAULT_TERMINATE, .at = k};
        lab_reset(l, NULL);
        const ending e = lab_sweep(l, &plan);
        if (e.exit != 75)
            lab_fail(l, "a terminated sweep: exit %d, signal %d: %s", e.exit, e.signal, e.said);
        if (!holds(l->work, "log.jsonl.part")) continue;
        lab_copy(l->work, stopped);
        return;
    }
    lab_fail(l, "no terminated sweep leaves an unfinished run");
}

static void write_text(const lab *l, const char *file, const char *text) {
    char path[BL_PATH], folder[BL_PATH];
    bl_err err;
    bl_status status = bl_path(path, &err, "%s/%s", l->root, file);
    if (status == BL_OK) status = bl_path(folder, &err, "%s", path);
    if (status == BL_OK) {
        *strrchr(folder, '/') = '\0';
        status = bl_make_dirs(folder, &err);
    }
    if (status == BL_OK) status = bl_file_write(path, text, strlen(text), &err);
    if (status == BL_OK) return;
    (void)fprintf(stderr, "crash: %s\n", err.text);
    exit(1);
}

/* In place of gnuplot: four drawings that end as theirs do. */
static const char k_gnuplot[] = "#!/bin/sh\n"
                                "name=${2%.gp}\n"
                                "printf '<svg></svg>\\n' >\"$name.svg\" &&\n"
                                "printf 'IEND\\256B`\\202' >\"$name.png\" &&\n"
                                "printf '%%%%EOF\\n' >\"$name.pdf\" &&\n"
                                "printf '<svg></svg>\\n' >\"$name.linear.svg\"\n";

static void write_program(const lab *l, const char *file, const char *text) {
    char path[BL_PATH];
    bl_err err;
    write_text(l, file, text);
    if (bl_path(path, &err, "%s/%s", l->root, file) != BL_OK || chmod(path, 0755) != 0)
        give_up(file);
}

static void link_to(const lab *l, const char *target, const char *name) {
    char path[BL_PATH];
    bl_err err;
    if (bl_path(path, &err, "%s/%s", l->root, name) != BL_OK || symlink(target, path) != 0)
        give_up(name);
}

/* A table, a net of four hidden units, and a sweep of a few runs in races: every kind of record,
 * question and extension, in some ten milliseconds. A few lines of shell stand in for gnuplot:
 * how long it takes does not matter here. */
static void write_project(lab *l) {
    static const char experiment[] =
        "title = \"crash\";\ndataset = \"crash\";\n"
        "model: { hidden = [4]; output = \"sigmoid_range\"; };\nloss = \"mse\";\nmetric = "
        "\"rmse\";\n"
        "optimizer: { name = \"adamw\"; };\nschedule: { name = \"constant\"; };\n"
        "eval: { growth = 1.5; };\n"
        "sweep: { batch_sizes = [16]; targets = [20.0]; seeds = 1; max_epochs = 2.0;\n"
        "  lr_min = 0.015625; lr_start = 0.0625; lr_max = 0.25; budget_epochs = 1.0; budget_steps "
        "= 20; };\n"
        "timing: { repeats = 1; seconds = 0.001; };\n";
    char target[BL_PATH + 32];
    bl_buf table = {0}, words = {0};
    bl_buf_str(&table, "shop,size,sales\n");
    for (int i = 0; i < 400; i++)
        bl_buf_printf(&table, "%d,%d,%d\n", i % 6 + 1, i * 7919 % 1000,
                      20 + i % 6 * 15 + i * 7919 % 1000 / 20);
    char digest[BL_SHA256_HEX];
    bl_sha256_of(table.data, table.len, digest);
    bl_buf_printf(&words,
                  "origin = \"none\";\nfolder = \"./tables\";\n"
                  "tables = ({ name = \"table\"; number = [\"shop\", \"size\", \"sales\"]; date = "
                  "[]; text = [];\n"
                  "  files = ({ file = \"crash.csv\"; sha256 = \"%s\"; }); });\n"
                  "split = { valid = 40; };\ntarget = \"sales\";\ntransform = \"none\";\n"
                  "categorical = [\"shop\"];\ncontinuous = [\"size\"];\nignored = [];\n",
                  digest);
    write_text(l, "tables/crash.csv", bl_buf_text(&table));
    write_text(l, "datasets/crash.cfg", bl_buf_text(&words));
    write_text(l, "experiments/crash/experiment.cfg", experiment);
    bl_buf_clear(&words);
    (void)snprintf(target, sizeof target, "%s/experiments/rossmann/sweep.lua", l->repository);
    bl_err err;
    if (bl_file_read(&words, target, 1 << 20, &err) != BL_OK) give_up(target);
    write_text(l, "experiments/crash/sweep.lua", bl_buf_text(&words));
    bl_buf_free(&table);
    bl_buf_free(&words);
    (void)snprintf(target, sizeof target, "%s/scripts", l->repository);
    link_to(l, target, "scripts");
    (void)snprintf(target, sizeof target, "%s/reports", l->repository);
    link_to(l, target, "reports");
    write_program(l, "bin/gnuplot", k_gnuplot);
}

/* Beside the driver lies the injector, two folders up the program. */
static void find_programs(lab *l, const char *program) {
    char self[PATH_MAX];
    bl_err err;
    if (realpath(program, self) == NULL || getcwd(l->repository, BL_PATH) == NULL) give_up(program);
    *strrchr(self, '/') = '\0';
    bl_status status = bl_path(l->injector, &err, "%s/injector.so", self);
    for (int up = 0; up < 2; up++) *strrchr(self, '/') = '\0';
    if (status == BL_OK) status = bl_path(l->batchlab, &err, "%s/batchlab", self);
    if (status != BL_OK || access(l->batchlab, X_OK) != 0 || access(l->injector, R_OK) != 0)
        give_up(l->batchlab);
    l->sanitized = strstr(l->batchlab, "/asan/") != NULL || strstr(l->batchlab, "/tsan/") != NULL;
}

/* In memory where there is a folder for that: what is tested is the order of calls, not a disk. */
static void make_folders(lab *l) {
    const char *base = getenv("TMPDIR");
    if (base == NULL) base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    bl_err err;
    if (bl_path(l->root, &err, "%s/crash-XXXXXX", base) != BL_OK || mkdtemp(l->root) == NULL)
        give_up(base);
    if (bl_path(l->ref, &err, "%s/ref", l->root) != BL_OK ||
        bl_path(l->work, &err, "%s/work", l->root) != BL_OK ||
        bl_path(l->runs, &err, "%s/runs/%s", l->work, lab_experiment) != BL_OK)
        give_up(l->root);
    write_text(l, "plan", "");
    char path[BL_PATH + 8];
    (void)snprintf(path, sizeof path, "%s/plan", l->root);
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || ftruncate(fd, sizeof *l->plan) != 0) give_up(path);
    void *page = mmap(NULL, sizeof *l->plan, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) give_up(path);
    l->plan = page;
    (void)close(fd);
}

void lab_open(lab *l, const char *program, bool full) {
    *l = (lab){.full = full,
               .lane = l->lane,
               .lanes = l->lanes,
               .random = 0x9E3779B97F4A7C15ull + (uint64_t)l->lane};
    /* Signals of children are waited for, not delivered. */
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    find_programs(l, program);
    make_folders(l);
    write_project(l);
    if (chdir(l->root) != 0) give_up(l->root);
    lab_reset(l, NULL);
    const fault_plan none = {0};
    const double start = lab_seconds();
    const ending e = lab_sweep(l, &none);
    l->sweep_seconds = lab_seconds() - start;
    l->undisturbed = e.exit;
    if (e.exit != 0 || l->plan->files == 0) {
        (void)fprintf(stderr,
                      "crash: the undisturbed sweep: exit %d, signal %d, %d calls seen: %s\n",
                      e.exit, e.signal, (int)l->plan->files, e.said);
        exit(1);
    }
    memcpy(l->sweep_calls, l->plan->count, sizeof l->sweep_calls);
    l->sweep_files = l->plan->files;
    lab_copy(l->work, l->ref);
}

void lab_close(lab *l) {
    (void)munmap(l->plan, sizeof *l->plan);
    if (chdir("/") != 0) give_up("/");
    if (getenv("CRASH_KEEP") == NULL) lab_remove(l->root);
}
