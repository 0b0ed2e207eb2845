/* Starting and ending a program, and all that it has started.
 *
 *     start   fork -> own group, default signals, output to the file -> exec
 *             a pipe that exec closes: what comes through it is the errno of a failed exec
 *     end     the group is killed, then each process with the run's mark in its environment
 *             the program itself is waited for last: until then its number is no one else's
 *
 * /proc is walked until nothing of the run is alive, as a process may start another one meanwhile.
 */
#include "engine/external/child.h"
#include "engine/base/buf.h"
#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* Until a process that was killed is gone: one that waits for a disk takes its time. */
static const double k_patience = 10.0;

static void nap(double seconds) {
    const struct timespec t = {(time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds))};
    (void)nanosleep(&t, NULL);
}

/* How often the kernel has killed for memory; -1: it does not say. */
static int64_t oom_kills(void) {
    char line[128];
    int64_t n = -1;
    FILE *f = fopen("/proc/vmstat", "re");
    while (f != NULL && n < 0 && fgets(line, sizeof line, f) != NULL)
        (void)sscanf(line, "oom_kill %" SCNd64, &n);
    if (f != NULL) (void)fclose(f);
    return n;
}

/* ---- start ---- */

/* Variables that the run gets anew. */
static bool is_replaced(const char *variable, const char *device) {
    static const char run[] = "BATCHLAB_RUN=", devices[] = "CUDA_VISIBLE_DEVICES=";
    return strncmp(variable, run, sizeof run - 1) == 0 ||
           (device != NULL && strncmp(variable, devices, sizeof devices - 1) == 0);
}

/* The environment with this run's name and, unless it is NULL, its device in it; the array is to be
 * freed, its texts are not. */
static char **with_mark(char *mark, char *device, char *unbuffered) {
    size_t n = 0;
    while (environ[n] != NULL) n++;
    char **out = bl_xalloc((n + 4) * sizeof *out);
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        if (!is_replaced(environ[i], device)) out[k++] = environ[i];
    out[k++] = mark;
    if (device != NULL) out[k++] = device;
    if (getenv("PYTHONUNBUFFERED") == NULL) out[k++] = unbuffered;
    return out;
}

/* Between fork and exec in a process that had threads: only what is safe in a signal handler. */
static void become(char *const *argv, char **env, const char *folder, int output, int failure) {
    sigset_t none;
    const int input = open("/dev/null", O_RDONLY);
    (void)setpgid(0, 0);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    for (int s = 1; s < 32; s++) (void)signal(s, SIG_DFL);
    if (input < 0 || dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0 ||
        dup2(failure, 3) < 0 || fcntl(3, F_SETFD, FD_CLOEXEC) != 0)
        _exit(127);
    (void)syscall(SYS_close_range, 4U, ~0U, 0U);
    if (chdir(folder) == 0) (void)execvpe(argv[0], argv, env);
    const int error = errno;
    (void)!write(3, &error, sizeof error);
    _exit(127);
}

/* After a failure child->mark is still to be freed, by bl_external_child_free. BL_EMISSING: the
 * program cannot be executed. */
bl_status bl_external_child_start(bl_external_child *c, char *const *argv, const char *folder,
                                  const char *run, const char *device, const char *out,
                                  bl_err *err) {
    bl_buf mark = {0}, visible = {0};
    char unbuffered[] = "PYTHONUNBUFFERED=1";
    int failure[2], error = 0;
    *c = (bl_external_child){.oom_kills = oom_kills()};
    const int output = open(out, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (output < 0) BL_FAIL(err, BL_EIO, "cannot write %s: %s", out, strerror(errno));
    if (pipe2(failure, O_CLOEXEC) != 0) {
        (void)close(output);
        BL_FAIL(err, BL_EIO, "cannot start %s: %s", argv[0], strerror(errno));
    }
    bl_buf_printf(&mark, "BATCHLAB_RUN=%s", run);
    c->mark = mark.data;
    if (device != NULL) bl_buf_printf(&visible, "CUDA_VISIBLE_DEVICES=%s", device);
    char **env = with_mark(c->mark, visible.data, unbuffered);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    const pid_t pid = fork();
    if (pid == 0) become(argv, env, folder, output, failure[1]);
    const int fork_error = errno;
    if (pid > 0) (void)setpgid(pid, pid); /* whichever of the two is first */
    (void)close(output);
    (void)close(failure[1]);
    free(env);
    bl_buf_free(&visible);
    const ssize_t n = pid > 0 ? read(failure[0], &error, sizeof error) : 0;
    (void)close(failure[0]);
    if (pid < 0) BL_FAIL(err, BL_EIO, "cannot start %s: %s", argv[0], strerror(fork_error));
    if (n == (ssize_t)sizeof error) {
        (void)waitpid(pid, NULL, 0);
        BL_FAIL(err, BL_EMISSING, "external.command: cannot start '%s' in %s: %s", argv[0], folder,
                strerror(error));
    }
    c->pid = pid;
    return BL_OK;
}

/* ---- what is left of it ---- */

/* Of a process: its parent, group and session, and a letter for its state (Z: dead, and nobody has
 * waited for it). */
typedef struct relations {
    long parent, group, session;
    char state;
} relations;

/* False: it is gone. */
static bool look_up(long pid, relations *r) {
    char path[64], text[512];
    (void)snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *f = fopen(path, "re");
    if (f == NULL) return false;
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    (void)fclose(f);
    const char *after = strrchr(text, ')');
    return after != NULL &&
           sscanf(after + 1, " %c %ld %ld %ld", &r->state, &r->parent, &r->group, &r->session) == 4;
}

/* Has the process this run's mark in its environment? */
static bool is_marked(long pid, const char *mark) {
    char path[64];
    static const size_t most = 1 << 20;
    bl_buf text = {0};
    char block[4096];
    bool found = false;
    (void)snprintf(path, sizeof path, "/proc/%ld/environ", pid);
    FILE *f = fopen(path, "re");
    for (size_t n; f != NULL && text.len < most && (n = fread(block, 1, sizeof block, f)) > 0;)
        bl_buf_add(&text, block, n);
    if (f != NULL) (void)fclose(f);
    for (size_t at = 0; at < text.len && !found; at += strlen(text.data + at) + 1)
        found = strcmp(text.data + at, mark) == 0;
    bl_buf_free(&text);
    return found;
}

/* Is it dead, and left to this process by a program that has started it? The dead have no
 * environment. But programs are in this process's session, and another's dead can only be orphans.
 */
static bool is_orphan(const bl_external_child *c, long pid, const relations *r) {
    return r->state == 'Z' && r->parent == (long)getpid() && pid != c->pid &&
           (r->group == c->pid || r->session != (long)getsid(0));
}

/* Kills each process of the run that is still there, and waits for those that are dead: the number
 * of the former. */
static size_t kill_marked(const bl_external_child *c) {
    size_t alive = 0;
    DIR *d = opendir("/proc");
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        const long pid = strtol(e->d_name, NULL, 10);
        relations r;
        if (pid <= 1 || pid == (long)getpid() || !look_up(pid, &r)) continue;
        if (is_orphan(c, pid, &r)) (void)waitpid((pid_t)pid, NULL, WNOHANG);
        if (r.state == 'Z' || (r.group != c->pid && !is_marked(pid, c->mark))) continue;
        (void)kill((pid_t)pid, SIGKILL);
        alive++;
    }
    if (d != NULL) (void)closedir(d);
    return alive;
}

/* The most that a process has held; 0: it is gone, or the system does not say. */
static double most_bytes(long pid) {
    char path[64], line[256];
    double kib = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/status", pid);
    FILE *f = fopen(path, "re");
    while (f != NULL && kib == 0 && fgets(line, sizeof line, f) != NULL)
        (void)sscanf(line, "VmHWM: %lf", &kib);
    if (f != NULL) (void)fclose(f);
    return 1024 * kib;
}

double bl_external_child_bytes(const bl_external_child *c) {
    double bytes = 0;
    DIR *d = c->pid != 0 ? opendir("/proc") : NULL;
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        const long pid = strtol(e->d_name, NULL, 10);
        relations r;
        if (pid <= 1 || pid == (long)getpid() || !look_up(pid, &r) || r.state == 'Z') continue;
        if (r.group == c->pid || is_marked(pid, c->mark)) bytes += most_bytes(pid);
    }
    if (d != NULL) (void)closedir(d);
    return bytes;
}

/* The program itself is dead and not yet waited for, so its group's number is not another's. */
static void end_rest(bl_external_child *c) {
    const double start = bl_clock_seconds();
    (void)kill((pid_t)-c->pid, SIGKILL);
    while (kill_marked(c) > 0 && bl_clock_seconds() - start < k_patience) nap(0.002);
}

/* Leaves the dead program unwaited for, so that its number stays its own. */
static bool is_over(const bl_external_child *c) {
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid == (pid_t)c->pid;
}

/* The kernel's count of kills for memory is the whole machine's: a SIGKILL while it rose is
 * taken for one of them. */
bool bl_external_child_ended(bl_external_child *c) {
    int how = 0;
    if (c->pid == 0) return c->ended;
    if (!is_over(c)) return false;
    end_rest(c);
    (void)waitpid((pid_t)c->pid, &how, 0);
    (void)kill_marked(c); /* what the program's own end has set free */
    c->status = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + (WIFSIGNALED(how) ? WTERMSIG(how) : 0);
    c->memory_kill = c->status == 128 + SIGKILL && c->oom_kills >= 0 && oom_kills() > c->oom_kills;
    c->pid = 0;
    c->ended = true;
    return true;
}

void bl_external_child_stop(bl_external_child *c, double grace) {
    if (c->pid == 0) return;
    const double start = bl_clock_seconds();
    if (grace > 0.0) (void)kill((pid_t)-c->pid, SIGTERM);
    while (grace > 0.0 && !is_over(c) && bl_clock_seconds() - start < grace) nap(0.005);
    if (!is_over(c)) (void)kill((pid_t)-c->pid, SIGKILL);
    while (!is_over(c) && bl_clock_seconds() - start < grace + k_patience) nap(0.002);
    if (!bl_external_child_ended(c)) c->pid = 0; /* it cannot be ended: nothing waits for it */
}

void bl_external_child_free(bl_external_child *c) {
    bl_external_child_stop(c, 0.0);
    free(c->mark);
    *c = (bl_external_child){0};
}
