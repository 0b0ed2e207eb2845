/* The planner's side of a script: it makes the script's process, answers its messages (wire.h) by
 * calling the host, and says why the script ended.
 *
 *     planner (this process)                      script (a fork of it)
 *     config, facts, host                         config, facts: read only, as they were
 *     serve(): receive, call the host, answer <-> bl_script_main(): Lua, until END
 *
 * Why a process: a script may be anything, and Lua's C functions (patterns, string.rep) run for
 * ever without calling a hook. A process can be ended at any instruction, by its own timer, and
 * what it held is gone with it. So there is nothing to unwind, no memory to give back and no code
 * that must not be interrupted. It costs a fork, a millisecond or two for each sweep.
 *
 * What the script's process may take:
 *     processor time   a timer that ends it (SIGPROF), and RLIMIT_CPU should that fail;
 *     memory           sandbox.c counts what Lua asks for; RLIMIT_AS bounds the rest;
 *     files            none: it holds no descriptor but its socket and may open none; the planner
 *                      reads the script and its modules.
 *
 * The script checks what it sends, and its time for that counts. The planner applies a trial's
 * settings again, to its own copy of the configuration: what passes between the two is text. */
#include "engine/lua/planner.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/sha256.h"
#include "engine/lua/script.h"
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SCRIPT_BYTES = 1 << 20 };

const bl_planner_limits bl_planner_default_limits = {
    .memory_bytes = (size_t)64 << 20,
    .instructions = 200000000,
    .cpu_seconds = 1.5,
    .max_trials = 100000,
    .max_decisions = 10000,
    .one_decision_bytes = (size_t)16 << 10,
    .decision_bytes = (size_t)8 << 20,
    .trial_bytes = (size_t)64 << 20,
};

/* A trial's configuration as a digest: equal ones are one run. */
typedef struct numbered_id {
    char digest[BL_SHA256_HEX];
    size_t number; /* of the trial, from 1 */
} numbered_id;

typedef struct planner {
    const char *script, *library_dir;
    const bl_config *config;
    const bl_planner_facts *facts;
    const bl_planner_host *host;
    const bl_planner_limits *limits;
    bl_sandbox_place *place; /* shared with the script */
    bl_wire wire;            /* to the script */
    pid_t process;
    char *in; /* the message that came last */
    size_t in_size;
    bl_buf out;         /* the answer */
    bl_round round;     /* in hand: trials that have come so far */
    bl_trial *trials;   /* (announced) */
    numbered_id *ids;   /* (announced) of the trials' configurations */
    bl_chunks sets;     /* what the trials' `sets` point to */
    bl_config resolved; /* the trial that comes */
    bl_buf text;        /* its settings, then its identity */
    size_t announced;   /* trials of the round */
    bool ended;         /* END has come */
} planner;

/* ---- the script's process ---- */

/* Bytes of addresses that this process has; 0: unknown. */
static size_t address_space(void) {
    bl_buf text = {0};
    bl_err ignored;
    size_t pages = 0;
    if (bl_file_read(&text, "/proc/self/statm", 4096, &ignored) == BL_OK)
        pages = strtoull(bl_buf_text(&text), NULL, 10);
    bl_buf_free(&text);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void limit(int what, size_t value) {
    const struct rlimit both = {value, value};
    (void)setrlimit(what, &both);
}

/* In the new process: nothing of the other one's is used any more. Interrupts are the planner's
 * business: it closes the socket. */
static void confine(const bl_planner_limits *limits, int fd, size_t addresses) {
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
    sigset_t none;
    (void)sigemptyset(&none);
    for (size_t i = 0; i < BL_COUNT(ignored); i++) (void)signal(ignored[i], SIG_IGN);
    (void)signal(SIGPROF, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (fd > 3) (void)close_range(3, (unsigned)fd - 1, 0);
    (void)close_range((unsigned)fd + 1, ~0u, 0);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_NOFILE, 0);
    limit(RLIMIT_CPU, (size_t)ceil(limits->cpu_seconds) + 1);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    if (addresses > 0) limit(RLIMIT_AS, addresses + limits->memory_bytes);
#else
    (void)addresses; /* a sanitizer's own memory has no such bound */
#endif
    const double whole = floor(limits->cpu_seconds);
    const struct itimerval timer = {
        .it_value = {(time_t)whole, (suseconds_t)((limits->cpu_seconds - whole) * 1e6)}
    };
    BL_ASSERT(setitimer(ITIMER_PROF, &timer, NULL) == 0);
}

/* Makes the shared page, the sockets and the process. What was made before an error is freed by
 * finish(). */
static bl_status start(planner *p, bl_err *err) {
    int pair[2];
    const size_t addresses = address_space();
    p->place =
        mmap(NULL, sizeof *p->place, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p->place == MAP_FAILED) {
        p->place = NULL;
        BL_FAIL(err, BL_ENOMEM, "no memory for a sweep script");
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        BL_FAIL(err, BL_EIO, "cannot start a sweep script: %s", strerror(errno));
    p->process = fork();
    if (p->process == 0) {
        confine(p->limits, pair[1], addresses);
        bl_script *s = bl_xalloc(sizeof *s);
        s->box.script = p->script;
        s->box.library_dir = p->library_dir;
        s->box.place = p->place;
        s->wire.fd = pair[1];
        s->config = p->config;
        s->facts = p->facts;
        s->limits = p->limits;
        bl_script_main(s);
    }
    (void)close(pair[1]);
    p->wire.fd = pair[0];
    if (p->process > 0) return BL_OK;
    BL_FAIL(err, errno == ENOMEM || errno == EAGAIN ? BL_ENOMEM : BL_EIO,
            "cannot start a sweep script: %s", strerror(errno));
}

/* Why the script's process ended without saying so itself. */
static bl_status ending(const planner *p, int state, bl_err *err) {
    const int sig = WIFSIGNALED(state) ? WTERMSIG(state) : 0;
    if (sig == SIGPROF || sig == SIGXCPU)
        return bl_sandbox_limit(p->place, p->script, p->limits->cpu_seconds, "s of processor time",
                                err);
    if (WIFEXITED(state) && WEXITSTATUS(state) == BL_EXIT_RESUMABLE)
        BL_FAIL(err, BL_ENOMEM, "no memory for the sweep script %s", p->script);
    if (sig == SIGKILL) BL_FAIL(err, BL_ENOMEM, "the process of %s was killed", p->script);
    BL_FAIL(err, BL_EINVAL, "the process of %s ended with %s %d", p->script,
            sig != 0 ? "signal" : "status", sig != 0 ? sig : WEXITSTATUS(state));
}

/* Ends the process, if it has not ended, and frees what belongs to it. */
static bl_status finish(planner *p, bl_status status, bl_err *err) {
    int state = 0;
    if (p->process > 0) {
        if (status != BL_OK) (void)kill(p->process, SIGKILL);
        while (waitpid(p->process, &state, 0) < 0 && errno == EINTR) continue;
        if (status == BL_OK && !p->ended) status = ending(p, state, err);
    }
    if (p->wire.fd >= 0) (void)close(p->wire.fd);
    bl_wire_free(&p->wire);
    if (p->place != NULL) (void)munmap(p->place, sizeof *p->place);
    free(p->in);
    bl_buf_free(&p->out);
    bl_buf_free(&p->text);
    bl_chunks_free(&p->sets);
    free(p->trials);
    free(p->ids);
    return status;
}

/* ---- answers ---- */

static bl_status nonsense(const planner *p, bl_err *err) {
    BL_FAIL(err, BL_EINVAL, "the process of %s sent what no script can ask for", p->script);
}

/* Sends p->out. A process that is gone is seen by the next read. */
static void answer(planner *p, bl_wire_kind kind) {
    (void)(bl_wire_add(&p->wire, kind, &p->out) && bl_wire_send(&p->wire));
}

static void refuse(planner *p, const char *why) {
    bl_buf_clear(&p->out);
    bl_wire_put_text(&p->out, why);
    answer(p, BL_WIRE_REFUSED);
}

/* The script's folder; "." where its path has none. */
static void folder_of(const char *script, char out[BL_PATH]) {
    const char *slash = strrchr(script, '/');
    const int length = slash == NULL ? 1 : (int)(slash - script);
    (void)snprintf(out, BL_PATH, "%.*s", length, slash == NULL ? "." : script);
}

/* Path of a module: the library's first, then one beside the script. */
static bl_status module_path(const planner *p, const char *name, char path[BL_PATH], bl_err *err) {
    char folder[BL_PATH];
    folder_of(p->script, folder);
    const char *const folders[] = {p->library_dir, folder};
    for (size_t i = 0; i < BL_COUNT(folders); i++) {
        BL_TRY(bl_path(path, err, "%s/%s.lua", folders[i], name));
        if (bl_file_exists(path)) return BL_OK;
    }
    BL_FAIL(err, BL_EINVAL, "no module '%s': looked for %s.lua in %s and %s", name, name,
            folders[0], folders[1]);
}

/* LOAD: the text of the script or of a module. A file that cannot be read is the script's error. */
static void answer_load(planner *p, bl_wire_reader *in) {
    char path[BL_PATH];
    bl_err fault = {0};
    bl_buf text = {0};
    const char *name = bl_wire_get_text(in, NULL);
    bl_status status = name[0] == '\0' ? bl_path(path, &fault, "%s", p->script)
                       : name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] != '\0'
                           ? nonsense(p, &fault)
                           : module_path(p, name, path, &fault);
    if (status == BL_OK) status = bl_file_read(&text, path, SCRIPT_BYTES, &fault);
    bl_buf_clear(&p->out);
    if (status == BL_OK) {
        bl_wire_put_text(&p->out, path);
        bl_wire_put_bytes(&p->out, bl_buf_text(&text), text.len);
    }
    bl_buf_free(&text);
    if (status == BL_OK)
        answer(p, BL_WIRE_ANSWER);
    else
        refuse(p, fault.text);
}

/* DECIDE: the host gets the decision as the plan holds it. The script has checked it the same way.
 */
static bl_status answer_decide(planner *p, bl_wire_reader *in, bl_err *err) {
    size_t n = 0;
    const char *json = bl_wire_get_text(in, &n);
    bl_json_doc doc = {0};
    bl_chunks memory = {0};
    bl_plan_decision decision;
    bl_err fault = {0};
    if (in->bad) return nonsense(p, err);
    bl_status status = bl_json_parse(&doc, json, n, "decision", 1, &fault);
    if (status == BL_OK) status = bl_plan_decision_parse(&decision, doc.root, &memory, &fault);
    if (status == BL_OK) {
        status = p->host->decide(p->host->ctx, &decision, err);
        bl_buf_clear(&p->out);
        if (status == BL_OK) answer(p, BL_WIRE_ANSWER);
    } else {
        refuse(p, fault.text);
        status = BL_OK;
    }
    bl_chunks_free(&memory);
    bl_json_free(&doc);
    return status;
}

static bl_status answer_times(planner *p, bl_wire_reader *in, bl_err *err) {
    int64_t sizes[BL_LIST];
    double seconds[BL_LIST];
    const int64_t n = bl_wire_get_i64(in);
    if (n < 1 || n > BL_LIST) return nonsense(p, err);
    for (int64_t i = 0; i < n; i++) sizes[i] = bl_wire_get_i64(in);
    if (in->bad) return nonsense(p, err);
    BL_TRY(p->host->step_times(p->host->ctx, sizes, (size_t)n, seconds, err));
    bl_buf_clear(&p->out);
    for (int64_t i = 0; i < n; i++) bl_wire_put_f64(&p->out, seconds[i]);
    answer(p, BL_WIRE_ANSWER);
    return BL_OK;
}

/* ---- rounds ---- */

/* A round that the script gave up half way, by an error that it caught, is forgotten. */
static bl_status begin_round(planner *p, bl_wire_reader *in, bl_err *err) {
    p->round = (bl_round){0};
    (void)snprintf(p->round.title, sizeof p->round.title, "%s", bl_wire_get_text(in, NULL));
    p->round.race = bl_wire_get_i64(in) != 0;
    p->round.slack = bl_wire_get_f64(in);
    p->announced = (size_t)bl_wire_get_i64(in);
    if (in->bad || p->announced > p->limits->max_trials) return nonsense(p, err);
    free(p->trials);
    free(p->ids);
    bl_chunks_free(&p->sets);
    p->trials = bl_xalloc(p->announced * sizeof *p->trials);
    p->ids = bl_xalloc(p->announced * sizeof *p->ids);
    return BL_OK;
}

/* What every trial has as a member of its own. */
static bool is_member(const char *path) {
    return strcmp(path, "train.batch_size") == 0 || strcmp(path, "train.learning_rate") == 0 ||
           strcmp(path, "train.seed") == 0;
}

/* Reads the trial's settings into p->resolved and keeps them in the trial. */
static bl_status take_settings(planner *p, bl_trial *t, bl_wire_reader *in, bl_err *err) {
    p->resolved = *p->config;
    bl_buf_clear(&p->text);
    while (!in->bad && in->at < in->end) {
        const char *path = bl_wire_get_text(in, NULL), *value = bl_wire_get_text(in, NULL);
        if (in->bad || path[0] == '\0') return nonsense(p, err);
        BL_TRY(bl_config_set(&p->resolved, path, value, err));
        if (is_member(path)) continue;
        bl_buf_add(&p->text, path, strlen(path) + 1);
        bl_buf_add(&p->text, value, strlen(value) + 1);
    }
    *t = bl_trial_of(&p->resolved);
    t->base = p->config;
    if (p->text.len == 0) return BL_OK;
    char *sets = bl_chunks_take(&p->sets, p->text.len + 1); /* with the "" at the end */
    memcpy(sets, p->text.data, p->text.len);
    t->sets = sets;
    return BL_OK;
}

static bl_status add_trial(planner *p, bl_wire_reader *in, bl_err *err) {
    if (p->round.count >= p->announced) return nonsense(p, err);
    bl_trial *t = &p->trials[p->round.count++];
    const int64_t max_steps = bl_wire_get_i64(in);
    const double target = bl_wire_get_f64(in);
    const char *reason = bl_wire_get_text(in, NULL);
    BL_TRY(take_settings(p, t, in, err));
    t->max_steps = max_steps;
    t->target = target;
    (void)snprintf(t->reason, sizeof t->reason, "%s", reason);
    bl_buf_clear(&p->text);
    bl_config_identity(&p->resolved, &p->text);
    numbered_id *id = &p->ids[p->round.count - 1];
    bl_sha256_of(p->text.data, p->text.len, id->digest);
    id->number = p->round.count;
    return in->bad || t->max_steps < 1 ? nonsense(p, err) : BL_OK;
}

static int by_digest(const void *a, const void *b) {
    const numbered_id *x = a, *y = b;
    const int order = strcmp(x->digest, y->digest);
    return order != 0 ? order : (x->number > y->number) - (x->number < y->number);
}

/* Numbers of two trials of the round that are one run, from 1; false when there are none. */
static bool find_duplicate(planner *p, size_t *first, size_t *second) {
    const size_t n = p->round.count;
    numbered_id *ids = p->ids;
    qsort(ids, n, sizeof *ids, by_digest);
    size_t i = 1;
    while (i < n && strcmp(ids[i - 1].digest, ids[i].digest) != 0) i++;
    if (i >= n) return false;
    *first = ids[i - 1].number;
    *second = ids[i].number;
    return true;
}

/* A key in which the two trials differ although it means nothing to either; NULL: they are equal.
 */
static const char *idle_difference(const bl_config *a, const bl_config *b) {
    const char *path;
    bl_config_value left, right;
    for (size_t i = 0; bl_config_at(a, i, &path, &left) && bl_config_at(b, i, &path, &right); i++)
        if ((left.type == BL_VALUE_F64 && left.f64 != right.f64) ||
            (left.type == BL_VALUE_I64 && left.i64 != right.i64))
            return path;
    return NULL;
}

/* One run twice in a round would be stopped by two rules at once. */
static void reject_duplicates(planner *p, size_t first, size_t second) {
    char why[512];
    bl_config a, b;
    bl_trial_resolve(&p->trials[first - 1], &a);
    bl_trial_resolve(&p->trials[second - 1], &b);
    const char *idle = idle_difference(&a, &b);
    if (idle == NULL)
        (void)snprintf(why, sizeof why, "trials %zu and %zu are the same run: leave one out", first,
                       second);
    else
        (void)snprintf(why, sizeof why,
                       "trials %zu and %zu are the same run: '%s' means nothing under their other "
                       "settings",
                       first, second, idle);
    refuse(p, why);
}

/* The fields are in the order in which script_round.c reads them. */
static void put_result(bl_buf *out, const bl_trial *t, const bl_trial_result *r) {
    bl_wire_put_text(out, r->run);
    bl_wire_put_text(out, bl_outcome_name(r->outcome));
    bl_wire_put_i64(out, r->steps);
    bl_wire_put_i64(out, r->target_step);
    bl_wire_put_i64(out, r->previous_eval_step);
    bl_wire_put_i64(out, t->max_steps);
    bl_wire_put_i64(out, t->batch_size);
    bl_wire_put_i64(out, t->seed);
    bl_wire_put_f64(out, t->learning_rate);
    bl_wire_put_i64(out, (int64_t)r->evals);
    for (size_t i = 0; i < r->evals; i++) {
        bl_wire_put_i64(out, r->eval[i].step);
        bl_wire_put_f64(out, r->eval[i].value);
        bl_wire_put_f64(out, r->eval[i].train_loss);
        bl_wire_put_f64(out, r->eval[i].batch_mean);
    }
}

/* RUN: carries out the round whose trials have come. */
static bl_status answer_run(planner *p, bl_err *err) {
    const size_t n = p->round.count;
    size_t first = 0, second = 0;
    if (n == 0 || n != p->announced) return nonsense(p, err);
    if (find_duplicate(p, &first, &second)) {
        reject_duplicates(p, first, second);
        return BL_OK;
    }
    p->round.trial = p->trials;
    bl_trial_result *results = bl_xalloc(n * sizeof *results);
    const bl_status status = p->host->run(p->host->ctx, &p->round, results, err);
    bl_buf_clear(&p->out);
    for (size_t i = 0; status == BL_OK && i < n; i++)
        put_result(&p->out, &p->trials[i], &results[i]);
    bl_round_results_free(results, n);
    free(results);
    if (status == BL_OK) answer(p, BL_WIRE_ANSWER);
    return status;
}

/* ---- running ---- */

static bl_status take_ending(planner *p, bl_wire_reader *in, bl_err *err) {
    const bl_status status = (bl_status)bl_wire_get_i64(in);
    const char *why = bl_wire_get_text(in, NULL);
    p->ended = true;
    return status == BL_OK ? BL_OK : BL_ERR(err, status, "%s", why);
}

/* Any status but BL_OK ends the script. What the script did wrong is refused, with BL_OK. */
static bl_status answer_message(planner *p, bl_wire_kind kind, size_t length, bl_err *err) {
    bl_wire_reader in = {p->in, p->in + length, false};
    switch (kind) {
    case BL_WIRE_LOAD:
        answer_load(p, &in);
        return BL_OK;
    case BL_WIRE_ROUND:
        return begin_round(p, &in, err);
    case BL_WIRE_TRIAL:
        return add_trial(p, &in, err);
    case BL_WIRE_RUN:
        return answer_run(p, err);
    case BL_WIRE_DECIDE:
        return answer_decide(p, &in, err);
    case BL_WIRE_TIMES:
        return answer_times(p, &in, err);
    case BL_WIRE_END:
        return take_ending(p, &in, err);
    case BL_WIRE_ANSWER:
    case BL_WIRE_REFUSED:
        break;
    }
    return nonsense(p, err);
}

/* Until the script has ended, or its process has. */
static bl_status serve(planner *p, bl_err *err) {
    bl_wire_kind kind;
    size_t length;
    while (!p->ended && bl_wire_receive_head(&p->wire, &kind, &length)) {
        if (length > p->limits->memory_bytes) return nonsense(p, err);
        if (length >= p->in_size) p->in = bl_xrealloc(p->in, p->in_size = length + 1);
        if (!bl_wire_receive(&p->wire, p->in, length)) break;
        BL_TRY(answer_message(p, kind, length, err));
    }
    return BL_OK;
}

bl_status bl_planner_run(const char *script_path, const char *library_dir, const bl_config *config,
                         const bl_planner_facts *facts, const bl_planner_host *host,
                         const bl_planner_limits *limits, bl_err *err) {
    planner p = {.script = script_path,
                 .library_dir = library_dir,
                 .config = config,
                 .facts = facts,
                 .host = host,
                 .limits = limits != NULL ? limits : &bl_planner_default_limits,
                 .wire.fd = -1};
    bl_status status = start(&p, err);
    if (status == BL_OK) status = serve(&p, err);
    return finish(&p, status, err);
}
