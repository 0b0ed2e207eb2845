/* Many workers on one store, killed, frozen and replaced all the time: in the end every run is
 * there, published once, with the bytes that one worker alone makes. Frozen workers sleep past the
 * age at which their claims count as given up, and wake up beside whoever took their runs over. */
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

enum { MOST_WORKERS = 32, EVERY = 50 /* a frozen worker's claims are stale after 1 s */ };

typedef struct worker {
    pid_t pid; /* 0: none */
    int said;
    double thaw; /* when it goes on; 0: it is not frozen */
} worker;

typedef struct crowd {
    worker worker[MOST_WORKERS];
    int workers, attacks, left; /* attacks in all, and still to come */
    int64_t runs, frozen;
} crowd;

static const char *const k_words[] = {"work",       lab_experiment, "-j", "1",
                                      "--progress", "none",         NULL};
static const char k_script[] = "experiments/crash/sweep.lua";

/* Runs of a few steps, a thousandth of a second each, in rounds of EVERY. */
static void write_sweep(int64_t runs) {
    FILE *f = fopen(k_script, "wb");
    if (f == NULL ||
        fprintf(f,
                "return function(exp)\n"
                "  for first = 1, %lld, %d do\n"
                "    local round = { title = 'from ' .. first }\n"
                "    for seed = first, math.min(first + %d, %lld) do\n"
                "      round[#round + 1] = { batch_size = 16, learning_rate = 2^-5, seed = seed, "
                "max_steps = 4 }\n"
                "    end\n"
                "    exp:run(round)\n"
                "  end\n"
                "end\n",
                (long long)runs, EVERY, EVERY - 1, (long long)runs) < 0 ||
        fclose(f) != 0)
        abort();
}

static void hire(const lab *l, worker *w) {
    *w = (worker){.said = memfd_create("stderr", MFD_CLOEXEC)};
    if (w->said < 0) abort();
    w->pid = lab_start(l, k_words, true, w->said);
}

/* Takes leave of a worker that has ended, and judges how. */
static void dismiss(lab *l, worker *w, int state) {
    char said[1024];
    const ssize_t n = pread(w->said, said, sizeof said - 1, 0);
    said[n > 0 ? n : 0] = '\0';
    if (WIFSIGNALED(state) && WTERMSIG(state) != SIGKILL)
        lab_fail(l, "a worker ends by signal %d: %s", WTERMSIG(state), said);
    if (WIFEXITED(state) && WEXITSTATUS(state) != 0) {
        l->differences += WEXITSTATUS(state) == 3;
        lab_fail(l, "a worker ends with %d: %s", WEXITSTATUS(state), said);
    }
    (void)close(w->said);
    *w = (worker){0};
}

static void attack(lab *l, crowd *c) {
    worker *w = &c->worker[lab_random(l, (uint64_t)c->workers)];
    if (w->pid == 0 || w->thaw > 0.0) return;
    c->left--;
    if (lab_random(l, 3) > 0) {
        int state;
        (void)kill(w->pid, SIGKILL);
        if (waitpid(w->pid, &state, 0) != w->pid) abort();
        l->kills += WIFSIGNALED(state);
        dismiss(l, w, state);
        hire(l, w);
        return;
    }
    (void)kill(w->pid, SIGSTOP);
    w->thaw = lab_seconds() + 3e-3 * (double)lab_random(l, 1000);
    c->frozen++;
}

/* Until nobody is left; a worker that has ended by itself has seen the end of the sweep. */
static void let_work(lab *l, crowd *c) {
    const double patience = lab_seconds() + 1800.0;
    for (int i = 0; i < c->workers; i++) hire(l, &c->worker[i]);
    for (int left = c->workers;
         left > 0 && lab_seconds() < patience && l->failures <= LAB_MOST_FAILURES;) {
        const struct timespec pause = {0,
                                       (long)(1000000 * (1 + lab_random(l, l->full ? 200 : 60)))};
        (void)nanosleep(&pause, NULL);
        if (c->left > 0) attack(l, c);
        left = 0;
        for (int i = 0; i < c->workers; i++) {
            worker *w = &c->worker[i];
            int state;
            if (w->thaw > 0.0 && lab_seconds() > w->thaw) {
                (void)kill(w->pid, SIGCONT);
                w->thaw = 0.0;
            }
            if (w->pid != 0 && waitpid(w->pid, &state, WNOHANG) == w->pid) dismiss(l, w, state);
            left += w->pid != 0;
        }
    }
    for (int i = 0; i < c->workers; i++) {
        if (c->worker[i].pid == 0) continue;
        lab_fail(l, "a worker never ends");
        (void)kill(c->worker[i].pid, SIGKILL);
        (void)waitpid(c->worker[i].pid, NULL, 0);
    }
}

static int64_t results(const lab *l) {
    lab_files files = lab_list(l->runs);
    int64_t n = 0;
    for (size_t i = 0; i < files.count; i++) {
        const size_t length = strlen(files.path[i]);
        n += length == strlen("r0123456789ab/result.json") &&
             strcmp(files.path[i] + length - strlen("result.json"), "result.json") == 0;
    }
    free(files.path);
    return n;
}

void part_workers(lab *l) {
    crowd c = {
        .workers = l->full ? 32 : 4, .runs = l->full ? 5000 : 60, .attacks = l->full ? 300 : 12};
    char kept[BL_PATH];
    bl_buf script = {0};
    bl_err err;
    c.left = c.attacks;
    if (bl_file_read(&script, k_script, 1 << 20, &err) != BL_OK) lab_fail(l, "%s", err.text);
    write_sweep(c.runs);
    lab_reset(l, NULL);
    const ending alone = lab_run(l, k_words, NULL);
    if (alone.exit != 0) lab_fail(l, "one worker alone: exit %d: %s", alone.exit, alone.said);
    /* What it leaves is what the others' store is compared with. */
    (void)snprintf(kept, sizeof kept, "%s", l->ref);
    (void)snprintf(l->ref, sizeof l->ref, "%.900s/alone", l->root);
    lab_copy(l->work, l->ref);

    lab_reset(l, NULL);
    lab_arm(l, &(fault_plan){0});
    let_work(l, &c);
    const int64_t there = results(l), published = l->plan->published;
    l->runs_done += c.runs;
    l->lost += c.runs - there;
    l->twice += published > there ? published - there : 0;
    if (there != c.runs || published > there)
        lab_fail(l, "%lld runs, %lld results, published %lld times", (long long)c.runs,
                 (long long)there, (long long)published);
    lab_undamaged(l, "the workers' store");
    const char *difference = lab_difference(l, false);
    if (difference != NULL) {
        lab_fail(l, "with %d workers %s", c.workers, difference);
        l->differences++;
    }
    l->checks++;
    l->workers += c.workers;
    l->frozen += c.frozen;
    (void)snprintf(l->ref, sizeof l->ref, "%s", kept);
    if (bl_file_write(k_script, bl_buf_text(&script), script.len, &err) != BL_OK)
        lab_fail(l, "%s", err.text);
    bl_buf_free(&script);
}
