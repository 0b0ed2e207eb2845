/* The life of a run that is a process (external.h): started when it is first asked for a step, it
 * goes on from evaluation to evaluation as goal.json rises, and ends by itself, by being parked, or
 * by being killed. Everything it says comes by way of listen.c.
 *
 * The folder, while the program runs:
 *
 *     params.json, goal.json    written here
 *     report.jsonl, state       written by the program
 *     out.log                   its output
 *     kept                      a second name of its last whole state, for another start
 *
 * Restart. A program that failed although its state had moved is started from there once more. What
 * it then reports again is ignored: the log has it. */
#include "engine/base/clock.h"
#include "engine/base/file.h"
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/base/sha256.h"
#include "engine/external/clone.h"
#include "engine/external/external.h"
#include "engine/external/external_log.h"
#include "engine/external/external_p.h"
#include "engine/runlog/runlog.h"
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { MOST_EVALS = 4096 };

static void nap(double seconds) {
    const struct timespec t = {0, (long)(1e9 * seconds)};
    (void)nanosleep(&t, NULL);
}

/* ---- open and close ---- */

/* The folder's whole path: the program may be started elsewhere. */
static bl_status resolve_folder(char out[BL_PATH], const char *dir, bl_err *err) {
    BL_TRY(bl_make_dirs(dir, err));
    char *whole = realpath(dir, NULL);
    if (whole == NULL) BL_FAIL(err, BL_EIO, "cannot resolve %s", dir);
    const bl_status status = bl_path(out, err, "%s", whole);
    free(whole);
    return status;
}

/* Starts nothing: the first bl_external_advance does. -1 as a step: there is no state yet. */
bl_status bl_external_open(bl_external **out, const bl_external_options *o, bl_err *err) {
    bl_external *x = bl_xalloc(sizeof *x);
    bl_status status;
    *out = NULL;
    x->config = *o->config;
    (void)snprintf(x->run_id, sizeof x->run_id, "%s", o->run_id);
    x->stale = o->stale;
    x->save_seconds = o->save_seconds;
    x->devices = o->devices;
    x->now.value = x->now.train_loss = x->now.batch_mean = (double)NAN;
    x->peak_bytes = x->train_s = x->data_s = x->data_share = (double)NAN;
    x->spoken.step = x->kept.step = -1;
    BL_GOTO(resolve_folder(x->dir, o->dir, err));
    BL_GOTO(bl_path(x->beat, err, "%s", o->beat));
    BL_GOTO(bl_path(x->keep, err, "%s", o->keep != NULL ? o->keep : ""));
    bl_external_log_header(&x->log, &x->config, x->run_id);
    x->header_n = x->log.len;
    *out = x;
    return BL_OK;
done:
    bl_external_close(x);
    return status;
}

void bl_external_close(bl_external *x) {
    if (x == NULL) return;
    bl_external_child_free(&x->child);
    bl_external_devices_give(x->devices, x->device);
    bl_external_follow_free(&x->follow);
    bl_buf_free(&x->log);
    free(x);
}

const bl_train_state *bl_external_now(const bl_external *x) {
    return &x->now;
}

const bl_buf *bl_external_log(const bl_external *x) {
    return &x->log;
}

double bl_external_peak_bytes(const bl_external *x) {
    return x->peak_bytes;
}

double bl_external_held_bytes(const bl_external *x) {
    return bl_external_child_bytes(&x->child);
}

/* ---- asking ---- */

/* The grid after the last evaluation: a program that does not wait has to know all of it. */
static size_t list_evals(const bl_external *x, int64_t *out) {
    size_t n = 0;
    for (int64_t step = x->now.step; step < x->limit && n < MOST_EVALS; n++)
        out[n] = step =
            bl_train_next_eval(&x->config, x->config.external.epoch_rows, step, x->limit);
    return n;
}

bl_status bl_external_write_goal(const bl_external *x, bool park, bl_err *err) {
    char path[BL_PATH], fresh[BL_PATH];
    bl_buf text = {0};
    int64_t *evals = bl_xalloc(MOST_EVALS * sizeof *evals);
    const bl_external_goal goal = {
        .until = x->until, .park = park, .evals = evals, .eval_count = list_evals(x, evals)};
    bl_external_goal_text(&text, &goal);
    free(evals);
    bl_status status = bl_path(path, err, "%s/goal.json", x->dir);
    if (status == BL_OK) status = bl_path(fresh, err, "%s/goal.json.new", x->dir);
    /* No fsync: after a loss of power nobody reads it. */
    FILE *f = status == BL_OK ? fopen(fresh, "we") : NULL;
    const bool written = f != NULL && fwrite(text.data, 1, text.len, f) == text.len;
    const bool closed = f != NULL && fclose(f) == 0;
    if (status == BL_OK && (!written || !closed || rename(fresh, path) != 0))
        status = BL_ERR(err, BL_EIO, "cannot write %s", path);
    bl_buf_free(&text);
    return status;
}

/* What follows is asked of the program from here on: its silence while other runs had their turn
 * was no fault. */
static void begin_wait(bl_external *x) {
    x->sign_of_life = bl_clock_seconds();
}

/* Raises the goal to the next evaluation before `limit`. */
static bl_status ask(bl_external *x, int64_t limit, bl_err *err) {
    const int64_t next =
        bl_train_next_eval(&x->config, x->config.external.epoch_rows, x->now.step, limit);
    if (x->started && next <= x->until && limit <= x->limit) return BL_OK;
    x->limit = limit > x->limit ? limit : x->limit;
    x->until = next > x->until ? next : x->until;
    return bl_external_write_goal(x, false, err);
}

/* ---- the process ---- */

static bl_status write_params(const bl_external *x, bl_err *err) {
    char path[BL_PATH];
    bl_buf text = {0};
    const bl_external_care care = {.beat = x->beat,
                                   .stale = x->stale,
                                   .save_seconds = x->save_seconds,
                                   .checkpoint = x->config.external.checkpoint};
    bl_external_params_text(&text, &x->config, &care);
    bl_status status = bl_path(path, err, "%s/params.json", x->dir);
    if (status == BL_OK) status = bl_file_write(path, text.data, text.len, err);
    bl_buf_free(&text);
    return status;
}

/* The program's state as it was kept, or none. */
static bl_status place_state(const bl_external *x, bl_err *err) {
    char kept[BL_PATH], state[BL_PATH];
    BL_TRY(bl_path(kept, err, "%s/kept", x->dir));
    BL_TRY(bl_path(state, err, "%s/state", x->dir));
    if (x->kept.step >= 0) return bl_external_clone(kept, state, err);
    return bl_remove_tree(state, err);
}

/* What the program reports is read from its beginning at each start, and removed before: the log
 * has what came earlier. */
static bl_status follow_from_start(bl_external *x, bl_err *err) {
    const char *how = x->config.external.scrape;
    const char *file = bl_external_is_scraped(x) ? bl_external_scrape_file(how) : "report.jsonl";
    bl_external_follow_free(&x->follow);
    x->follow = (bl_external_follow){.turns = file == NULL};
    x->scrape = (bl_external_scrape){.how = how, .metric = x->config.metric};
    BL_TRY(bl_path(x->follow.path, err, "%s/%s", x->dir, file != NULL ? file : "out.log"));
    return bl_remove_tree(x->follow.path, err);
}

/* The program with its kept state, if there is one. Nothing runs after a failure. */
static bl_status start(bl_external *x, bl_err *err) {
    char **argv, out[BL_PATH];
    BL_TRY(bl_path(out, err, "%s/out.log", x->dir));
    BL_TRY(bl_external_argv(&argv, &x->config, x->dir, err));
    bl_status status = write_params(x, err);
    if (status == BL_OK) status = place_state(x, err);
    if (status == BL_OK) status = follow_from_start(x, err);
    if (x->device == NULL) x->device = bl_external_devices_take(x->devices);
    free(x->child.mark);
    if (status == BL_OK)
        status = bl_external_child_start(&x->child, argv, x->config.external.folder, x->dir,
                                         x->device, out, err);
    bl_external_argv_free(argv);
    x->began = x->heard = x->kept.step > 0 ? x->kept.step : 0;
    x->waits = x->saves = !bl_external_is_scraped(x);
    x->said_end = x->held = false;
    x->error[0] = '\0';
    x->spoken.step = -1;
    x->sign_of_life = bl_clock_seconds();
    x->started = status == BL_OK;
    return status;
}

/* A program that does not wait at its goal is stopped while nothing is asked of it. */
static void hold(bl_external *x, bool held) {
    if (x->child.pid == 0 || x->held == held || (held && x->waits)) return;
    (void)kill((pid_t)-x->child.pid, held ? SIGSTOP : SIGCONT);
    x->held = held;
}

/* Has it written nothing for too long? */
static bool is_silent(bl_external *x) {
    char path[BL_PATH];
    struct stat st;
    const double now = bl_clock_seconds();
    if (bl_path(path, NULL, "%s/out.log", x->dir) == BL_OK && stat(path, &st) == 0 &&
        st.st_size != x->written) {
        x->written = st.st_size;
        x->sign_of_life = now;
    }
    return now - x->sign_of_life > x->config.external.silence;
}

static bl_status start_again(bl_external *x, bl_err *err) {
    x->retried = true;
    return start(x, err);
}

/* What the end of a program means that was not asked to end. */
static bl_status judge(bl_external *x, bl_err *err) {
    const int status = x->child.status;
    const bool moved = x->kept.step > x->began, oom = strncmp(x->error, "oom", 3) == 0;
    if (strncmp(x->error, "diverged", 8) == 0) {
        bl_external_diverge(x);
        return BL_OK;
    }
    if (oom || (status != 0 && (x->child.memory_kill || bl_external_says_memory(x))))
        BL_FAIL(err, BL_ENOMEM, "run %s found no memory", x->run_id);
    if (x->error[0] != '\0') return bl_external_fail(x, err, "it reports: %s", x->error);
    if (status == 0 && (x->said_end || bl_external_is_scraped(x)) && x->now.step > 0) {
        bl_external_log_end(&x->log, &x->now);
        return BL_OK;
    }
    if (status == 0)
        return bl_external_fail(x, err,
                                "it ended with status 0 at step %" PRId64 ", before step %" PRId64
                                " that it was asked for%s",
                                x->heard, x->until,
                                x->said_end ? "; it has no evaluation at all" : "");
    if (moved && (!x->retried || status == BL_EXIT_RESUMABLE)) return start_again(x, err);
    if (status == BL_EXIT_RESUMABLE)
        return bl_external_fail(
            x, err, "it ended with status %d, as if parked, and nobody asked it", status);
    if (status > 128)
        return bl_external_fail(x, err, "signal %d (%s) ended it after step %" PRId64, status - 128,
                                strsignal(status - 128), x->heard);
    return bl_external_fail(x, err, "it ended with status %d after step %" PRId64, status,
                            x->heard);
}

/* ---- advancing ---- */

/* Has the run come further than `from`, or to its end? */
static bool is_through(const bl_external *x, int64_t from) {
    return x->now.step > from || x->now.diverged || x->now.ended;
}

/* Looks at the files at growing intervals, up to 5 ms: programs whose steps are short are
 * answered soon. */
static bl_status wait_for_eval(bl_external *x, int64_t from, const bl_train_pause *pause,
                               bl_err *err) {
    for (double pause_for = 0.0005; !is_through(x, from);) {
        const bool ended = bl_external_child_ended(&x->child);
        BL_TRY(bl_external_listen(x, true, err));
        if (is_through(x, from)) break;
        if (x->error[0] != '\0') bl_external_child_stop(&x->child, x->config.external.grace);
        if (ended || x->error[0] != '\0') {
            BL_TRY(judge(x, err));
            continue;
        }
        if (is_silent(x))
            return bl_external_fail(x, err,
                                    "it hangs: no line for %g seconds after step %" PRId64
                                    " (external.silence is the longest that it may be quiet)",
                                    x->config.external.silence, x->heard);
        if (pause != NULL && pause->due(pause->ctx))
            BL_FAIL(err, BL_EINTERRUPTED, "paused after step %" PRId64, x->heard);
        nap(pause_for);
        pause_for = fmin(2.0 * pause_for, 0.005);
    }
    return BL_OK;
}

/* A program without memory or without a finite value is ended. Any other failure has ended it
 * already, and one that is interrupted goes on. */
bl_status bl_external_advance(bl_external *x, int64_t limit, const bl_train_pause *pause,
                              bl_err *err) {
    const int64_t from = x->now.step;
    if (x->now.diverged || x->now.ended) return BL_OK;
    if (limit <= from)
        BL_FAIL(err, BL_EINVAL, "a run at step %" PRId64 " cannot go back to step %" PRId64, from,
                limit);
    BL_TRY(ask(x, limit, err));
    if (!x->started) BL_TRY(start(x, err));
    hold(x, false);
    begin_wait(x);
    const bl_status status = wait_for_eval(x, from, pause, err);
    if (x->now.diverged || status == BL_ENOMEM)
        bl_external_child_stop(&x->child, x->config.external.grace);
    hold(x, true);
    return status;
}

/* ---- saving ---- */

/* Has the program save and end, and hears its last words. One that does not wait knows no goal. */
static bl_status park(bl_external *x, bl_err *err) {
    const double grace = x->config.external.grace, begin = bl_clock_seconds();
    if (x->child.pid == 0) return BL_OK;
    hold(x, false);
    BL_TRY(bl_external_write_goal(x, true, err));
    while (x->waits && !bl_external_child_ended(&x->child) && bl_clock_seconds() - begin < grace)
        nap(0.002);
    bl_external_child_stop(&x->child, grace);
    return bl_external_listen(x, false, err);
}

int64_t bl_external_kept_step(const bl_external *x) {
    return x->kept.step;
}

bl_status bl_external_save(bl_external *x, bool last, int64_t but, const char *place, bl_buf *out,
                           bool *saved, bl_err *err) {
    char kept[BL_PATH], digest[BL_SHA256_HEX];
    *saved = false;
    if (last)
        BL_TRY(park(x, err));
    else
        BL_TRY(bl_external_listen(x, true, err));
    if (x->kept.step < 0 || (!last && x->kept.step == but)) return BL_OK;
    BL_TRY(bl_path(kept, err, "%s/kept", x->dir));
    BL_TRY(bl_external_clone(kept, place, err));
    bl_sha256_of(x->log.data, x->kept.log_n, digest);
    bl_jw w = bl_jw_open(out);
    bl_jw_object(&w, NULL);
    bl_jw_i64(&w, "protocol", BL_EXTERNAL_PROTOCOL);
    bl_jw_i64(&w, "step", x->kept.step);
    bl_jw_i64(&w, "log_bytes", (int64_t)x->kept.log_n);
    bl_jw_str(&w, "log_sha256", digest);
    bl_jw_end(&w);
    bl_jw_line(&w);
    *saved = true;
    return BL_OK;
}

/* Where the run stands by the log that belongs to its state. */
static bl_status take_log(bl_external *x, const char *log, size_t n, bl_err *err) {
    bl_runlog parsed;
    if (n < x->header_n || memcmp(log, x->log.data, x->header_n) != 0)
        BL_FAIL(err, BL_EFORMAT, "the log of run %s is another run's", x->run_id);
    BL_TRY(bl_runlog_parse(&parsed, log, n, x->run_id, err));
    bl_buf_clear(&x->log);
    bl_buf_add(&x->log, log, n);
    if (parsed.evals > 0) {
        const bl_runlog_eval *e = &parsed.eval[parsed.evals - 1];
        x->now = (bl_train_state){.step = e->step,
                                  .value = e->value,
                                  .batch_mean = (double)NAN,
                                  .train_loss = e->train_loss,
                                  .diverged = !isfinite(e->value),
                                  .ended = e->ends};
    }
    bl_runlog_free(&parsed);
    return BL_OK;
}

/* The state and the log belong together: the checkpoint has the log's length then, and the
 * digest of so many bytes. */
bl_status bl_external_restore(bl_external *x, const char *place, const void *bytes, size_t n,
                              const char *log, size_t log_n, bl_err *err) {
    char kept[BL_PATH], digest[BL_SHA256_HEX];
    bl_json_doc doc;
    BL_TRY(bl_json_parse(&doc, bytes, n, "checkpoint", 1, err));
    const int64_t step = bl_json_int(doc.root, "step", -1);
    const int64_t length = bl_json_int(doc.root, "log_bytes", -1);
    bool good = step >= 0 && length >= 0 && (size_t)length <= log_n;
    if (good) {
        bl_sha256_of(log, (size_t)length, digest);
        good = strcmp(digest, bl_json_text(doc.root, "log_sha256", "")) == 0;
    }
    bl_json_free(&doc);
    if (!good) BL_FAIL(err, BL_EFORMAT, "the checkpoint of run %s has another log", x->run_id);
    BL_TRY(bl_path(kept, err, "%s/kept", x->dir));
    BL_TRY(bl_external_clone(place, kept, err));
    BL_TRY(take_log(x, log, (size_t)length, err));
    x->kept = (bl_external_state){step, (size_t)length};
    return BL_OK;
}

/* ---- time ---- */

/* Until the program has reported its time at the goal. */
static bl_status reach(bl_external *x, int64_t until, const bl_train_pause *pause, bl_err *err) {
    x->until = until;
    x->limit = 0; /* no evaluations */
    BL_TRY(bl_external_write_goal(x, false, err));
    if (!x->started) BL_TRY(start(x, err));
    begin_wait(x);
    while (x->timed < until) {
        const bool ended = bl_external_child_ended(&x->child);
        BL_TRY(bl_external_listen(x, false, err));
        if (x->timed >= until) break;
        if (ended) return judge(x, err);
        if (!x->waits) BL_FAIL(err, BL_EUNSUPPORTED, "the program does not wait at its goal");
        if (is_silent(x))
            return bl_external_fail(x, err,
                                    "it says no \"mark\" at step %" PRId64
                                    ", where it was to wait: nothing for %g seconds "
                                    "(external.silence is the longest that it may be quiet)",
                                    until, x->config.external.silence);
        if (pause->due(pause->ctx)) BL_FAIL(err, BL_EINTERRUPTED, "interrupted in the timing pass");
        nap(0.001);
    }
    return BL_OK;
}

/* The first steps warm up; then twice as many each time, until `seconds` have passed by the
 * program's own clock. */
bl_status bl_external_time(bl_external *x, double seconds, const bl_train_pause *pause,
                           double *seconds_per_step, bl_err *err) {
    enum { WARM = 3, MOST_STEPS = 1 << 20 };
    if (bl_external_is_scraped(x))
        BL_FAIL(err, BL_EUNSUPPORTED, "a program that is only read reports no times");
    if (!x->started) BL_TRY(reach(x, WARM, pause, err));
    const int64_t from = x->timed;
    const double begin = x->train_s, data = x->data_s;
    for (int64_t steps = 4;; steps *= 2) {
        BL_TRY(reach(x, x->timed + steps, pause, err));
        if (x->now.ended || isnan(x->train_s))
            BL_FAIL(err, BL_EUNSUPPORTED, "the program reports no times");
        if (x->train_s - begin >= seconds || steps >= MOST_STEPS) break;
    }
    *seconds_per_step = (x->train_s - begin) / (double)(x->timed - from);
    x->data_share = (x->data_s - data) / (x->train_s - begin);
    return BL_OK;
}

bool bl_external_says_data(const bl_external *x) {
    return !isnan(x->data_s) && !isnan(x->train_s);
}

double bl_external_data_share(const bl_external *x) {
    return x->data_share;
}
