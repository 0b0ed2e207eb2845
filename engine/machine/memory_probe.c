/* A batch size on trial in a process of its own:
 *
 *     parent    fork ............................ wait4: exit status, and the peak of its memory
 *     child     first to be ended, silent, peak forgotten, address space limited, alarm set
 *               reads the data, a step, an evaluation: exit 0, 3 (no memory) or 4 (another fault)
 *               SIGKILL: the system ran out of memory; SIGALRM: it took too long
 *
 * The child never returns into the caller's code: it leaves by _exit, so that no buffer is written
 * twice. */
#include "engine/machine/memory_probe.h"
#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include "engine/machine/limit.h"
#include "engine/train/train.h"
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_REFUSED = 3, EXIT_FAILED = 4 }; /* of a probe's process */

const char *bl_probe_ending_words(bl_probe_ending ending) {
    static const char *const words[] = {[BL_PROBE_RAN] = "ran",
                                        [BL_PROBE_REFUSED] = "was refused the memory",
                                        [BL_PROBE_KILLED] =
                                            "was ended by the system, out of memory",
                                        [BL_PROBE_OVER] = "took more memory than it may",
                                        [BL_PROBE_TOO_SLOW] = "took too long",
                                        [BL_PROBE_FAILED] = "failed"};
    _Static_assert(BL_COUNT(words) == BL_PROBE_COUNT, "words for each");
    return words[ending];
}

/* One step and one evaluation. */
static bl_status step_and_evaluate(const bl_machine_place *place, int64_t batch_size, bl_err *err) {
    bl_config c = *place->config;
    c.train.batch_size = batch_size;
    c.train.learning_rate = BL_TIMING_RATE;
    bl_train *train = NULL;
    const bl_train_options options = {.kernels = place->kernels,
                                      .device_data = place->device_data,
                                      .run_id = "machine",
                                      .threads = 1};
    BL_TRY(bl_train_open(&train, &c, place->data, &options, err));
    const bl_status status = bl_train_advance(train, 1, NULL, err);
    bl_train_close(train);
    return status;
}

/* The first to go when the system runs out of memory. Where it is not allowed, it is as before. */
static void volunteer(void) {
    const int f = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (f < 0) return;
    const ssize_t written = write(f, "1000", 4);
    (void)written;
    (void)close(f);
}

/* What the parent has held so far is no part of it: peaks count from here (proc(5), clear_refs). */
static void forget_peak(void) {
    (void)malloc_trim(0);
    const int f = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (f < 0) return;
    const ssize_t written = write(f, "5", 1);
    (void)written;
    (void)close(f);
}

/* A byte of each page of a block. */
static void read_pages(const void *block, size_t bytes) {
    const volatile unsigned char *at = block;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t i = 0; at != NULL && i < bytes; i += page) (void)at[i];
}

/* A run comes to read every example in the end. A page of a mapped file counts from then on, so
 * that without this a step of more examples would seem to need more memory for them. */
static void read_data(const bl_dataset *d) {
    read_pages(d->codes, d->rows * d->categorical * sizeof *d->codes);
    read_pages(d->values, d->rows * d->continuous * sizeof *d->values);
    read_pages(d->pixels, d->rows * d->continuous * sizeof *d->pixels);
    read_pages(d->target, d->rows * sizeof *d->target);
}

/* Messages of a probe that fails are not the user's. */
static void be_silent(void) {
    const int f = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (f < 0) return;
    (void)dup2(f, STDERR_FILENO);
    (void)dup2(f, STDOUT_FILENO);
}

static _Noreturn void be_probe(const bl_machine_place *place, int64_t batch_size) {
    bl_err err;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGALRM, SIG_DFL);
    (void)signal(SIGINT, SIG_DFL);
    volunteer();
    be_silent();
    forget_peak();
    if (place->seconds > 0) (void)alarm((unsigned)ceil(place->seconds));
    read_data(place->data);
    if (isfinite(place->bytes)) {
        /* The system limits addresses. Those that hold nothing yet, as most of a library's do, are
         * no memory. What the run takes from here on is both. */
        const bl_machine_use use = bl_machine_use_now();
        const rlim_t most = (rlim_t)fmax(0, place->bytes + use.addresses - use.held);
        (void)setrlimit(RLIMIT_AS, &(const struct rlimit){most, most});
    }
    const bl_status status = step_and_evaluate(place, batch_size, &err);
    _exit(status == BL_OK || status == BL_EDIVERGED ? 0
          : status == BL_ENOMEM                     ? EXIT_REFUSED
                                                    : EXIT_FAILED);
}

static bl_probe_ending ending_of(int status) {
    if (WIFEXITED(status))
        return WEXITSTATUS(status) == 0              ? BL_PROBE_RAN
               : WEXITSTATUS(status) == EXIT_REFUSED ? BL_PROBE_REFUSED
               : WEXITSTATUS(status) == BL_EXIT_RESUMABLE /* bl_out_of_memory */
                   ? BL_PROBE_REFUSED
                   : BL_PROBE_FAILED;
    const int signal = WTERMSIG(status);
    return signal == SIGKILL   ? BL_PROBE_KILLED
           : signal == SIGALRM ? BL_PROBE_TOO_SLOW
                               : BL_PROBE_FAILED;
}

/* On a device: in this process. */
static bl_status run_here(bl_probe_result *out, const bl_machine_place *place, int64_t batch_size,
                          bl_err *err) {
    const double start = bl_clock_seconds();
    const bl_status status = step_and_evaluate(place, batch_size, err);
    *out = (bl_probe_result){.ending = status == BL_ENOMEM ? BL_PROBE_REFUSED : BL_PROBE_RAN,
                             .bytes = (double)NAN,
                             .seconds = bl_clock_seconds() - start};
    return status == BL_ENOMEM || status == BL_EDIVERGED ? BL_OK : status;
}

bl_status bl_probe_run(bl_probe_result *out, const bl_machine_place *place, int64_t batch_size,
                       bl_err *err) {
    if (place->device_data != NULL) return run_here(out, place, batch_size, err);
    const double start = bl_clock_seconds();
    const pid_t child = fork();
    if (child < 0) BL_FAIL(err, BL_EIO, "cannot start a process: %s", strerror(errno));
    if (child == 0) be_probe(place, batch_size);
    struct rusage used = {0};
    int status = 0;
    while (wait4(child, &status, 0, &used) < 0)
        if (errno != EINTR) BL_FAIL(err, BL_EIO, "cannot wait for a probe: %s", strerror(errno));
    *out = (bl_probe_result){.ending = ending_of(status),
                             .bytes = 1024.0 * (double)used.ru_maxrss,
                             .seconds = bl_clock_seconds() - start};
    return BL_OK;
}
