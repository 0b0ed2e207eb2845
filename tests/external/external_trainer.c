/* A program that speaks Protocol 1 (docs/external.md) around batchlab's own training: what an
 * external run comes to is then known to the last digit. With a fault it is a program as users have
 * them on bad days.
 *
 *     trainer EXPERIMENT PRESET [FAULT STEP]
 *
 * trains the runs of a built-in experiment of this project folder, as params.json asks. From STEP
 * on it does what FAULT says (k_faults below). So it does with TRAINER_FAULTS, "FAULT:STEP:SIZE
 * FAULT:STEP:SIZE", in runs of batch size SIZE, or of any with 0: the command is then the same with
 * faults and without. It needs nothing of
 * engine/external. With TRAINER_MIB it holds so much memory, and adds "+" to the file TRAINER_TRACE
 * when it has it and "-" when it ends. Each step takes TRAINER_NAP seconds longer. With TRAINER_KIB
 * it holds so much for each example of a batch, in a process of its own that it starts. It says
 * that it waits for data a part TRAINER_DATA of its time. */
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/config/config.h"
#include "engine/data/dataset_open.h"
#include "engine/train/train.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef struct program {
    const char *folder; /* BATCHLAB_RUN */
    bl_config config;
    bl_dataset data;
    bl_train *train;
    int64_t until, start;
    bool park, has_beat;
    char beat[BL_PATH];
    double stale, train_s, saved_at, save_seconds;
    const char *fault;
    int64_t fault_at;
    bool wide; /* its lines are */
} program;

static volatile sig_atomic_t g_term;

static void on_term(int signal) {
    (void)signal;
    g_term = 1;
}

static void die(const bl_err *err) {
    (void)fprintf(stderr, "trainer: %s\n", err->text);
    exit(1);
}

static double now(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void nap(double seconds) {
    const struct timespec t = {(time_t)seconds, (long)(1e9 * fmod(seconds, 1.0))};
    (void)nanosleep(&t, NULL);
}

static const char *in(const program *p, const char *name) {
    static char path[BL_PATH];
    (void)snprintf(path, sizeof path, "%s/%s", p->folder, name);
    return path;
}

static void append(const program *p, const char *text, size_t n) {
    const int fd = open(in(p, "report.jsonl"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0 || write(fd, text, n) != (ssize_t)n) exit(1);
    (void)close(fd);
}

/* The time so far. */
static void add_times(const program *p, bl_jw *w) {
    bl_jw_f64(w, "train_s", p->train_s);
    if (getenv("TRAINER_DATA") != NULL)
        bl_jw_f64(w, "data_s", p->train_s * strtod(getenv("TRAINER_DATA"), NULL));
}

/* {"KEY":STEP} and the time so far. */
static void say(const program *p, const char *key, int64_t step) {
    bl_buf line = {0};
    bl_jw w = bl_jw_open(&line);
    bl_jw_object(&w, NULL);
    bl_jw_i64(&w, key, step);
    add_times(p, &w);
    bl_jw_end(&w);
    bl_jw_line(&w);
    append(p, line.data, line.len);
    bl_buf_free(&line);
}

/* A member of more than a megabyte. */
static void add_weights(bl_jw *w) {
    bl_jw_array(w, "weights");
    for (int i = 0; i < 1 << 17; i++) bl_jw_f64(w, NULL, 0.125 + i);
    bl_jw_end(w);
}

static void report(const program *p, int64_t step, double value) {
    const bl_train_state *s = bl_train_now(p->train);
    bl_buf line = {0};
    bl_jw w = bl_jw_open(&line);
    bl_jw_object(&w, NULL);
    bl_jw_i64(&w, "step", step);
    bl_jw_f64(&w, "value", value);
    bl_jw_f64(&w, "loss", s->train_loss);
    add_times(p, &w);
    if (p->wide) add_weights(&w);
    bl_jw_end(&w);
    bl_jw_line(&w);
    append(p, line.data, line.len);
    bl_buf_free(&line);
}

/* ---- the state: its bytes, the log's length before them, the log behind ---- */

static void save(program *p) {
    bl_buf state = {0}, file = {0};
    bl_err err;
    char fresh[BL_PATH];
    const bl_buf *log = bl_train_log(p->train);
    if (bl_train_save(p->train, &state, &err) != BL_OK) die(&err);
    const uint64_t n = state.len;
    bl_buf_add(&file, &n, sizeof n);
    bl_buf_add(&file, state.data, state.len);
    bl_buf_add(&file, log->data, log->len);
    (void)snprintf(fresh, sizeof fresh, "%s/state.new", p->folder);
    if (bl_file_write(fresh, file.data, file.len, &err) != BL_OK) die(&err);
    say(p, "saving", bl_train_now(p->train)->step);
    if (rename(fresh, in(p, "state")) != 0) exit(1);
    say(p, "saved", bl_train_now(p->train)->step);
    bl_buf_free(&state);
    bl_buf_free(&file);
    p->saved_at = now();
}

static void restore(program *p) {
    bl_buf file = {0};
    bl_err err;
    uint64_t n;
    if (!bl_file_exists(in(p, "state"))) return;
    if (bl_file_read(&file, in(p, "state"), (size_t)1 << 30, &err) != BL_OK) die(&err);
    memcpy(&n, file.data, sizeof n);
    const char *log = file.data + sizeof n + n;
    if (bl_train_restore(p->train, file.data + sizeof n, (size_t)n, log,
                         file.len - sizeof n - (size_t)n, &err) != BL_OK)
        die(&err);
    p->start = bl_train_now(p->train)->step;
    bl_buf_free(&file);
}

/* ---- what is asked ---- */

static void read_json(bl_json_doc *doc, const char *path) {
    bl_buf text = {0};
    bl_err err;
    if (bl_file_read(&text, path, (size_t)1 << 24, &err) != BL_OK ||
        bl_json_parse(doc, bl_buf_text(&text), text.len, path, 1, &err) != BL_OK)
        die(&err);
    bl_buf_free(&text);
}

static void look(program *p) {
    bl_json_doc doc;
    read_json(&doc, in(p, "goal.json"));
    p->until = bl_json_int(doc.root, "until", 0);
    p->park = bl_json_bool(doc.root, "park", false);
    bl_json_free(&doc);
}

static void read_params(program *p) {
    bl_json_doc doc;
    read_json(&doc, in(p, "params.json"));
    const bl_json *care = bl_json_get(doc.root, "batchlab");
    p->config.train.batch_size = bl_json_int(doc.root, "batch_size", 0);
    p->config.train.learning_rate = bl_json_number(doc.root, "learning_rate", 0.0);
    p->config.train.seed = bl_json_int(doc.root, "seed", 0);
    p->has_beat = care != NULL;
    (void)snprintf(p->beat, sizeof p->beat, "%s", bl_json_text(care, "beat", ""));
    p->stale = bl_json_number(care, "stale", 120.0);
    p->save_seconds = bl_json_number(care, "save_seconds", (double)INFINITY);
    bl_json_free(&doc);
}

/* By the clock of the disk that has both files. */
static bool is_orphan(const program *p) {
    struct stat beat, here;
    const int fd = open(in(p, "alive"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || futimens(fd, NULL) != 0 || fstat(fd, &here) != 0) return true;
    (void)close(fd);
    return stat(p->beat, &beat) != 0 ||
           (double)(here.st_mtim.tv_sec - beat.st_mtim.tv_sec) > p->stale;
}

/* Until more is asked for; parks where that is asked. */
static void wait_for_goal(program *p) {
    const int64_t step = bl_train_now(p->train)->step;
    if (step >= p->until) say(p, "mark", step);
    for (double begin = now();;) {
        look(p);
        if (g_term || p->park) {
            save(p);
            exit(75);
        }
        if (step < p->until) return;
        if (!p->has_beat) exit(0);
        nap(0.001);
        if (now() - begin > 0.2 && is_orphan(p)) exit(75);
    }
}

/* ---- faults ---- */

static void hang(program *p) {
    (void)p;
    for (;;) nap(1.0);
}
static void ignore_term(program *p) {
    (void)signal(SIGTERM, SIG_IGN);
    hang(p);
}
/* A grandchild in a session of its own outlives its parents. */
static void fork_twice(program *p) {
    (void)p;
    if (fork() == 0) {
        (void)setsid();
        if (fork() == 0)
            for (;;) nap(1.0);
        _exit(0);
    }
    nap(0.05);
    exit(3);
}
static void tear(program *p) {
    append(p, "{\"step\":12,\"va", 14);
    exit(9);
}
static void garble(program *p) {
    append(p, "{\"step\":12,\"va\n", 15);
    hang(p);
}
static void repeat(program *p) {
    const bl_train_state *s = bl_train_now(p->train);
    report(p, s->step, s->value);
    report(p, s->step, s->value);
    hang(p);
}
static void go_back(program *p) {
    report(p, bl_train_now(p->train)->step, 1.0);
    report(p, 1, 1.0);
    hang(p);
}
static void skip(program *p) {
    report(p, bl_train_now(p->train)->step + 1000, 1.0);
    hang(p);
}
static void say_value(program *p, const char *value) {
    bl_buf line = {0};
    bl_buf_printf(&line, "{\"step\":%lld,\"value\":%s}\n", (long long)bl_train_now(p->train)->step,
                  value);
    append(p, line.data, line.len);
    bl_buf_free(&line);
    hang(p);
}
static void nan_value(program *p) {
    say_value(p, "NaN");
}
static void infinite_value(program *p) {
    say_value(p, "-Infinity");
}
static void null_value(program *p) {
    say_value(p, "null");
}
static void oom_line(program *p) {
    append(p, "{\"error\":\"oom\"}\n", 16);
    exit(1);
}
static void oom_text(program *p) {
    (void)p;
    (void)puts("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB");
    exit(1);
}
static void exit_early(program *p) {
    (void)p;
    exit(0);
}
static void say_end(program *p) {
    const bl_train_state *s = bl_train_now(p->train);
    report(p, s->step, s->value);
    say(p, "end", s->step);
    exit(0);
}
static void long_line(program *p) {
    bl_buf line = {0};
    for (int i = 0; i < 1 << 16; i++) bl_buf_str(&line, "0123456789abcdef");
    append(p, line.data, line.len);
    hang(p);
}
/* From here on its evaluations are lines of more than a megabyte. */
static void wide_lines(program *p) {
    p->wide = true;
    p->fault_at = INT64_MAX;
}
static void crash(program *p) {
    (void)p;
    (void)fputs("Traceback: the reason\n", stderr);
    abort();
}
static void park_itself(program *p) {
    (void)p;
    exit(75);
}
/* Saves, then fails, the first time alone: where it was started at step 0. */
static void fail_once(program *p) {
    const bl_train_state *s = bl_train_now(p->train);
    if (p->start > 0) return;
    report(p, s->step, s->value);
    save(p);
    exit(7);
}

static void killed(program *p) {
    (void)p;
    (void)kill(getpid(), SIGKILL);
}
/* Until the disk, or the limit of the test's own, has no more room. */
static void fill_disk(program *p) {
    static const char block[1 << 16];
    const int fd = open(in(p, "big"), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    ssize_t n = fd < 0 ? 0 : 1;
    for (long written = 0; n > 0 && written < 1L << 28; written += n)
        n = write(fd, block, sizeof block);
    (void)fputs("OSError: no space left on device\n", stderr);
    exit(1);
}
/* Its own folder goes. */
static void wipe(program *p) {
    bl_err ignored;
    (void)bl_remove_tree(p->folder, &ignored);
    exit(1);
}
static void truncate_report(program *p) {
    if (truncate(in(p, "report.jsonl"), 0) != 0) exit(1);
    hang(p);
}
/* A line in two halves is a whole line in the end. */
static void halves(program *p) {
    append(p, "{\"note\":\"in two", 15);
    nap(0.02);
    append(p, " halves\"}\n", 10);
}
/* No faults of a run, but work for whoever ends it: workers as data loaders have them, in the
 * program's group and as a session of its own, with the program's files open; much output. Once. */
static void start_workers(program *p) {
    for (int i = 0; i < 4; i++) {
        if (fork() != 0) continue;
        if (i % 2 == 1) (void)setsid();
        if (i > 1) (void)signal(SIGTERM, SIG_IGN);
        if (i > 2 && fork() != 0) _exit(0);
        for (;;) nap(1.0);
    }
    p->fault_at = INT64_MAX;
}
static void flood(program *p) {
    for (int i = 0; i < 1 << 12; i++)
        (void)puts("a progress bar that says the same thing again, and much of it \r\x1b[2K");
    (void)fflush(stdout);
    p->fault_at = INT64_MAX;
}

/* No fault: time for the test to do something meanwhile. */
static void dawdle(program *p) {
    (void)p;
    nap(0.05);
}

static const struct {
    const char *name;
    void (*act)(program *p);
} k_faults[] = {
    {"hang",        hang           },
    {"ignore_term", ignore_term    },
    {"fork_twice",  fork_twice     },
    {"tear",        tear           },
    {"garble",      garble         },
    {"repeat",      repeat         },
    {"go_back",     go_back        },
    {"skip",        skip           },
    {"nan",         nan_value      },
    {"infinite",    infinite_value },
    {"null",        null_value     },
    {"oom_line",    oom_line       },
    {"oom_text",    oom_text       },
    {"exit_early",  exit_early     },
    {"end",         say_end        },
    {"long_line",   long_line      },
    {"wide_lines",  wide_lines     },
    {"crash",       crash          },
    {"park_itself", park_itself    },
    {"fail_once",   fail_once      },
    {"killed",      killed         },
    {"fill_disk",   fill_disk      },
    {"wipe",        wipe           },
    {"truncate",    truncate_report},
    {"halves",      halves         },
    {"workers",     start_workers  },
    {"flood",       flood          },
    {"dawdle",      dawdle         },
};

static void act(program *p) {
    if (p->fault == NULL || bl_train_now(p->train)->step < p->fault_at) return;
    for (size_t i = 0; i < BL_COUNT(k_faults); i++)
        if (strcmp(k_faults[i].name, p->fault) == 0) k_faults[i].act(p);
}

/* What TRAINER_FAULTS says for this batch size: `fault` and `fault_at` are each in turn. */
static void misbehave(program *p) {
    static int64_t at[8]; /* a fault that is over has moved its step beyond all */
    static char name[8][32];
    const char *next = getenv("TRAINER_FAULTS");
    act(p);
    for (size_t i = 0; i < BL_COUNT(at) && next != NULL && *next != '\0'; i++) {
        long long step, size;
        if (sscanf(next, "%31[a-z_]:%lld:%lld", name[i], &step, &size) != 3) exit(2);
        if (at[i] == 0) at[i] = step;
        p->fault = name[i];
        p->fault_at = at[i];
        if (size == 0 || size == p->config.train.batch_size) act(p);
        at[i] = p->fault_at;
        p->fault = NULL;
        next = strchr(next, ' ');
        if (next != NULL) next++;
    }
}

/* ---- memory ---- */

static void trace(const char *sign) {
    const char *path = getenv("TRAINER_TRACE");
    const int fd = path != NULL ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
    if (fd < 0) return;
    if (write(fd, sign, 2) != 2) exit(1);
    (void)close(fd);
}

static void trace_end(void) {
    trace("-\n");
}

/* Every page is written to. */
static bool hold(size_t n) {
    char *bytes = n > 0 ? malloc(n) : NULL;
    if (bytes == NULL) return false;
    memset(bytes, 1, n);
    __asm__ volatile("" : : "r"(bytes) : "memory"); /* so that it is not left out */
    return true;
}

/* A worker, such as those that read data: in a session of its own, as long as the program lives. It
 * holds its memory when this returns. */
static void start_worker(int64_t batch_size) {
    const char *kib = getenv("TRAINER_KIB");
    int ready[2];
    char done = 0;
    if (kib == NULL || pipe(ready) != 0) return;
    const pid_t worker = fork();
    if (worker == 0) {
        (void)setsid();
        (void)hold((size_t)batch_size * (strtoull(kib, NULL, 10) << 10));
        (void)!write(ready[1], "!", 1);
        for (;;) nap(1.0);
    }
    (void)!read(ready[0], &done, 1);
}

static void hold_memory(void) {
    const char *mib = getenv("TRAINER_MIB");
    if (mib == NULL || !hold((size_t)strtoull(mib, NULL, 10) << 20)) return;
    trace("+\n");
    (void)atexit(trace_end);
}

/* ---- the run ---- */

static void open_run(program *p, const char *experiment, const char *preset) {
    bl_err err;
    const bl_dataset_options data = {.manifest_dir = "datasets", .synthetic = true};
    const bl_kernels *kernels;
    if (bl_config_read(&p->config, "experiments", experiment, preset, NULL, 0, &err) != BL_OK ||
        bl_dataset_open(&p->data, p->config.dataset, &data, &err) != BL_OK ||
        bl_kernels_pick(&kernels, &err) != BL_OK)
        die(&err);
    read_params(p);
    const bl_train_options options = {.kernels = kernels, .run_id = "r000000000000", .threads = 1};
    if (bl_train_open(&p->train, &p->config, &p->data, &options, &err) != BL_OK) die(&err);
    restore(p);
    start_worker(p->config.train.batch_size);
}

static void step_on(program *p) {
    bl_err err;
    const double begin = now();
    const bl_status status = bl_train_advance(p->train, p->until, NULL, &err);
    if (status != BL_OK) die(&err);
    if (getenv("TRAINER_NAP") != NULL) nap(strtod(getenv("TRAINER_NAP"), NULL));
    p->train_s += now() - begin;
    const bl_train_state *s = bl_train_now(p->train);
    misbehave(p);
    report(p, s->step, s->diverged ? (double)NAN : s->value);
    if (s->diverged) exit(0);
    if (now() - p->saved_at > p->save_seconds) save(p);
}

int main(int argc, char **argv) {
    program *p = bl_xalloc(sizeof *p);
    p->folder = getenv("BATCHLAB_RUN");
    if (argc < 3 || p->folder == NULL) return 2;
    if (argc > 4) {
        p->fault = argv[3];
        p->fault_at = strtoll(argv[4], NULL, 10);
    }
    (void)signal(SIGTERM, on_term);
    hold_memory();
    open_run(p, argv[1], argv[2]);
    p->saved_at = now();
    say(p, "start", p->start);
    for (;;) {
        wait_for_goal(p);
        while (bl_train_now(p->train)->step < p->until && !g_term) step_on(p);
    }
}
