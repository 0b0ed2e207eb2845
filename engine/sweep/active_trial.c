/* One trial between the store, its claim and its run (active_trial.h has the order of calls).
 *
 * What is known of a trial is a list of evaluations. It grows in three ways: from the log of a
 * result, from the part that another process shares (learn), and from training (train_on). A run is
 * opened only when more steps are needed than are known. It then begins from the latest checkpoint
 * whose log is there, or from step 0 (resume).
 *
 * A claim can be lost at any moment. The next write then fails, and unless_lost makes the trial one
 * that another process holds: the work is given up, and the answer will come from the store. */
#include "engine/sweep/active_trial.h"
#include "bl_build.h"
#include "engine/base/clock.h"
#include "engine/base/gzip.h"
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include "engine/noise/noise_record.h"
#include "engine/store/adopt.h"
#include "engine/store/index.h"
#include "engine/sweep/stop_rule.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A finished run's last checkpoint is kept up to this size, so that asking for more steps later
 * does not begin at step 0. */
enum { KEPT_CHECKPOINT_BYTES = 64 << 20, IDENTITY_BYTES = 1 << 20 };

static void add_eval(bl_active_trial *a, bl_eval eval) {
    *BL_PUSH(a->eval, a->evals, "evaluations") = eval;
}

/* Learns from a log, unless as much is known. */
static void learn(bl_active_trial *a, const bl_runlog *log) {
    if (log->evals <= a->evals) return;
    a->evals = 0;
    for (size_t i = 0; i < log->evals; i++) add_eval(a, bl_stop_eval_of(&log->eval[i]));
}

/* Has this file of the run changed since it was last read? */
static bool changed(const bl_active_trial *a, const bl_scheduler *s, const char *name,
                    bl_file_stamp *stamp) {
    char path[BL_PATH];
    return bl_path(path, NULL, "%s/%s/%s", s->store->dir, a->id, name) == BL_OK &&
           bl_file_changed(path, stamp);
}

/* Reads what is published, if it has changed. */
static bl_status load_stored(bl_active_trial *a, const bl_scheduler *s, bl_err *err) {
    if (!changed(a, s, "result.json", &a->result)) return BL_OK;
    bl_stored_free(&a->stored);
    BL_TRY(bl_index_load(s->store, a->id, &a->stored, err));
    learn(a, &a->stored.parsed);
    return BL_OK;
}

/* run.json is what the run's id is the digest of: whatever else is there is damage, and written
 * anew. Whoever writes it writes the same bytes, so this needs no claim. */
static bl_status mend_identity(const bl_active_trial *a, const bl_scheduler *s, bl_err *err) {
    char path[BL_PATH];
    bl_buf text = {0};
    bl_err ignored;
    BL_TRY(bl_path(path, err, "%s/%s/run.json", s->store->dir, a->id));
    const bool same = bl_file_read(&text, path, IDENTITY_BYTES, &ignored) == BL_OK &&
                      text.len == a->identity.len &&
                      memcmp(text.data, a->identity.data, text.len) == 0;
    bl_buf_free(&text);
    return same ? BL_OK : bl_store_write(path, a->identity.data, a->identity.len, err);
}

/* The configuration of the trial's run. */
static void resolve(const bl_active_trial *a, bl_config *config) {
    bl_trial_resolve(a->trial, config);
    config->external.repeat = a->repeat;
}

static void identify(bl_active_trial *a, const bl_scheduler *s) {
    bl_config config;
    resolve(a, &config);
    bl_buf_clear(&a->identity);
    bl_store_run_identity(&config, s->data->sha256, a->id, &a->identity);
}

/* A program that does not give the same values again cannot extend a run that was computed before.
 * Its run is begun anew, as another one. */
static bl_status begin_repeat(bl_active_trial *a, const bl_scheduler *s, bl_err *err) {
    bl_active_trial_release(a);
    a->repeat++;
    a->evals = a->shared = 0;
    a->result = a->part = (bl_file_stamp){0};
    bl_stored_free(&a->stored);
    identify(a, s);
    return load_stored(a, s, err);
}

static bool is_noisy(const bl_active_trial *a) {
    const bl_config *c = a->trial->base;
    return bl_config_is_external(c) && strcmp(c->external.repeats, "noisy") == 0;
}

/* Was the run begun anew, as more was asked than is published of it? */
static bool is_superseded(const bl_active_trial *a, const bl_scheduler *s) {
    char path[BL_PATH], id[BL_RUN_ID];
    bl_config config;
    if (!a->stored.done || !is_noisy(a) || !bl_stop_needs_more(a->trial, a->eval, a->evals, 1.0, 0))
        return false;
    resolve(a, &config);
    config.external.repeat++;
    bl_store_run_identity(&config, s->data->sha256, id, NULL);
    return bl_path(path, NULL, "%s/%s/result.json", s->store->dir, id) == BL_OK &&
           bl_file_exists(path);
}

bl_status bl_active_trial_init(bl_active_trial *a, const bl_scheduler *s, const bl_trial *trial,
                               bl_err *err) {
    *a = (bl_active_trial){
        .trial = trial, .checkpoint_seconds = s->checkpoint_seconds, .stop = s->stop};
    identify(a, s);
    BL_TRY(load_stored(a, s, err));
    while (is_superseded(a, s)) BL_TRY(begin_repeat(a, s, err));
    return a->stored.done && !s->lookup_only ? mend_identity(a, s, err) : BL_OK;
}

void bl_active_trial_free(bl_active_trial *a) {
    bl_active_trial_release(a);
    bl_stored_free(&a->stored);
    bl_buf_free(&a->identity);
    bl_buf_free(&a->timing);
    free(a->eval);
    free(a->error);
    *a = (bl_active_trial){0};
}

bl_status bl_active_trial_run(char id[BL_RUN_ID], const bl_scheduler *s, const bl_trial *trial,
                              bl_err *err) {
    bl_active_trial a = {.trial = trial};
    bl_status status = BL_OK;
    if (is_noisy(&a))
        status = bl_active_trial_init(&a, s, trial, err);
    else
        identify(&a, s);
    memcpy(id, a.id, BL_RUN_ID);
    bl_active_trial_free(&a);
    return status;
}

int64_t bl_active_trial_step(const bl_active_trial *a) {
    return a->evals > 0 ? a->eval[a->evals - 1].step : 0;
}

bl_status bl_active_trial_refresh(bl_active_trial *a, const bl_scheduler *s, bl_err *err) {
    BL_TRY(load_stored(a, s, err));
    if (!changed(a, s, "log.jsonl.part", &a->part)) return BL_OK;
    bl_buf text = {0};
    bl_runlog log;
    bl_err ignored; /* one that is not whole tells nothing */
    if (bl_store_load_part(s->store, a->id, &text, &ignored) == BL_OK &&
        bl_runlog_parse(&log, bl_buf_text(&text), text.len, a->id, &ignored) == BL_OK) {
        learn(a, &log);
        bl_runlog_free(&log);
    }
    bl_buf_free(&text);
    return BL_OK;
}

/* A run that an earlier release has finished is taken over under its id of today. */
static bl_status adopt(bl_active_trial *a, const bl_scheduler *s, bl_err *err) {
    bl_config config;
    resolve(a, &config);
    BL_TRY(bl_store_adopt(s->store, a->claim, a->id, bl_buf_text(&a->identity), &config,
                          s->data->sha256, s->data->train_rows, err));
    return load_stored(a, s, err);
}

bl_status bl_active_trial_claim(bl_active_trial *a, const bl_scheduler *s, bl_claims *claims,
                                bl_err *err) {
    char dir[BL_PATH];
    BL_TRY(bl_path(dir, err, "%s/%s", s->store->dir, a->id));
    BL_TRY(bl_claim_acquire(claims, dir, &a->claim, err));
    a->held = a->claim == NULL;
    if (a->held) return BL_OK;
    /* What looked damaged may have been read while another process replaced it, or set it aside. */
    if (a->stored.damaged) {
        a->result = (bl_file_stamp){0};
        bl_stored_free(&a->stored);
    }
    BL_TRY(load_stored(a, s, err));
    if (!a->stored.damaged) return a->stored.done ? BL_OK : adopt(a, s, err);
    bl_stored_free(&a->stored);
    return bl_store_set_aside(s->store, a->claim, a->id, err);
}

void bl_active_trial_release(bl_active_trial *a) {
    bl_trainer_close(a->train);
    a->train = NULL;
    bl_claim_release(a->claim);
    a->claim = NULL;
}

/* What the log's header says is all that others need: evaluations are known from a state that is
 * stored, or not at all. */
static void leave_header(bl_active_trial *a) {
    bl_err ignored;
    bl_buf head = {0};
    if (a->train == NULL || a->saved || a->stored.done) return;
    const bl_buf *log = bl_trainer_log(a->train);
    const char *end = log->len > 0 ? memchr(log->data, '\n', log->len) : NULL;
    if (end != NULL) {
        bl_buf_add(&head, log->data, (size_t)(end - log->data) + 1);
        (void)!bl_store_save_part(a->claim, &head, 0, "", &ignored);
    }
    bl_buf_free(&head);
}

void bl_active_trial_fail(bl_active_trial *a, const char *text) {
    const char *says = strstr(text, " failed: ");
    says = says != NULL ? says + strlen(" failed: ") : text;
    bl_buf line = {0};
    bl_buf_add(&line, says, strcspn(says, "\n"));
    free(a->error);
    a->error = bl_xstrdup(bl_buf_text(&line));
    bl_buf_free(&line);
    leave_header(a);
    bl_active_trial_release(a);
}

/* The status of what was done under a claim: where the claim was lost meanwhile, the trial is held
 * and that is not an error. */
static bl_status unless_lost(bl_active_trial *a, bl_status status) {
    if (a->claim == NULL || !bl_claim_lost(a->claim)) return status;
    bl_active_trial_release(a);
    a->held = true;
    return BL_OK;
}

/* Reads the evaluations from the log of a run that was restored from a checkpoint. */
static bl_status read_evals(bl_active_trial *a, bl_err *err) {
    bl_runlog log;
    const bl_buf *text = bl_trainer_log(a->train);
    BL_TRY(bl_runlog_parse(&log, text->data, text->len, a->id, err));
    a->evals = 0;
    learn(a, &log);
    bl_runlog_free(&log);
    return BL_OK;
}

/* From a checkpoint, and the log that is published or the part that lies beside it. */
static bool restore(const bl_active_trial *a, int slot, bl_buf *state, const bl_buf *published,
                    const bl_buf *part) {
    bl_buf log = {0};
    bl_err ignored;
    if (state->len == 0) return false;
    bl_buf_add(&log, bl_buf_text(published), published->len);
    (void)bl_store_cut_tail(state, &log);
    const bool restored =
        bl_trainer_restore(a->train, slot, state, bl_buf_text(&log), log.len, &ignored) == BL_OK ||
        bl_trainer_restore(a->train, slot, state, bl_buf_text(part), part->len, &ignored) == BL_OK;
    bl_buf_free(&log);
    return restored;
}

/* Restores the newest checkpoint that can be used; without one the run begins at step 0, which
 * costs time and nothing else. The checkpoint's log is the part beside it, or the published one
 * where a finished run's checkpoint was kept. */
static bl_status resume(bl_active_trial *a, const bl_scheduler *s, bl_err *err) {
    bl_buf state[2] = {{0}, {0}}, part = {0}, lone = {0};
    bl_err ignored;
    bool restored = false;
    if (a->stored.done && a->stored.log.len == 0) { /* the index said what it says */
        bl_stored_free(&a->stored);
        BL_TRY(bl_store_load(s->store, a->id, &a->stored, err));
    }
    if (bl_store_load_part(s->store, a->id, &part, &ignored) != BL_OK) bl_buf_clear(&part);
    if (!a->stored.done && bl_store_load_lone_log(s->store, a->id, &lone, &ignored) != BL_OK)
        bl_buf_clear(&lone);
    if (bl_store_load_checkpoints(s->store, a->id, &a->slot, state, &ignored) == BL_OK)
        for (int i = 0; i < 2 && !restored; i++) {
            restored = restore(a, i == 0 ? 1 - a->slot : a->slot, &state[i],
                               a->stored.done ? &a->stored.log : &lone, &part);
            if (restored && i == 1) a->slot = 1 - a->slot; /* the newer one is of no use */
        }
    for (int i = 0; i < 2; i++) bl_buf_free(&state[i]);
    bl_buf_free(&part);
    bl_buf_free(&lone);
    a->saved = restored;
    return restored ? read_evals(a, err) : BL_OK;
}

bl_status bl_active_trial_open(bl_active_trial *a, const bl_scheduler *s, size_t threads,
                               bl_err *err) {
    bl_config config;
    resolve(a, &config);
    const bl_status status = bl_trainer_open(&a->train, s, &config, a->id, a->claim, threads, err);
    if (status == BL_ENOMEM) {
        a->out_of_memory = true;
        return BL_OK;
    }
    BL_TRY(status);
    a->evals = 0; /* recomputed from step 0, or taken from the checkpoint's log */
    a->last_saved = bl_clock_seconds();
    BL_TRY(resume(a, s, err));
    return a->stored.done && !a->saved && is_noisy(a) ? begin_repeat(a, s, err) : BL_OK;
}

/* One line for each stretch between evaluations, its evaluation included. Other runs share the
 * machine: the timing pass is what answers are made of. */
static void note_time(bl_active_trial *a, int64_t from, double seconds) {
    const int64_t to = bl_trainer_now(a->train)->step;
    const double examples = (double)((to - from) * a->trial->batch_size);
    bl_jw w = bl_jw_open(&a->timing);
    bl_jw_object(&w, NULL);
    bl_jw_str(&w, "record", "timing");
    bl_jw_i64(&w, "from", from);
    bl_jw_i64(&w, "step", to);
    bl_jw_fixed(&w, "seconds", seconds, 6);
    bl_jw_fixed(&w, "examples_per_second", examples / fmax(seconds, 1e-9), 1);
    bl_jw_end(&w);
    bl_jw_line(&w);
}

static bool checkpoint_due(const bl_active_trial *a) {
    return bl_clock_seconds() - a->last_saved > a->checkpoint_seconds;
}

/* Another thread may set it, or a signal. */
static bool is_stopped(const bl_active_trial *a) {
    return a->stop != NULL && __atomic_load_n(a->stop, __ATOMIC_RELAXED) != 0;
}

static bool pause_due(void *ctx) {
    const bl_active_trial *a = ctx;
    return is_stopped(a) || checkpoint_due(a) || bl_claim_lost(a->claim);
}

/* Writes a checkpoint and the log that it speaks of. */
static bl_status save(bl_active_trial *a, const bl_scheduler *s, bool last, bl_err *err) {
    bl_buf state = {0};
    bool any;
    bl_status status = bl_trainer_save(a->train, last, a->slot, &state, &any, err);
    const bl_train_state *now = bl_trainer_now(a->train);
    a->last_saved = bl_clock_seconds();
    if (status != BL_OK || !any) {
        bl_buf_free(&state);
        return status;
    }
    /* The log first: a checkpoint speaks of a log of at least its own length. */
    status =
        bl_store_save_part(a->claim, bl_trainer_log(a->train), now->step, now->params_sha256, err);
    if (status == BL_OK)
        status = bl_store_save_checkpoint(s->store, a->claim, a->id, &a->slot, &state, err);
    a->saved = a->saved || status == BL_OK;
    bl_buf_free(&state);
    return status;
}

/* A program may report evaluations while its state is kept. The log has them, so they are known. */
static bl_status save_on_the_way(bl_active_trial *a, const bl_scheduler *s, bl_err *err) {
    const int64_t step = bl_trainer_now(a->train)->step;
    BL_TRY(save(a, s, false, err));
    return bl_trainer_now(a->train)->step > step ? read_evals(a, err) : BL_OK;
}

/* Trains to the next evaluation, with checkpoints on the way. The grid of evaluations is the same
 * whatever the budget is: budgets lie on it. */
static bl_status train_on(bl_active_trial *a, const bl_scheduler *s, bl_err *err) {
    const bl_train_pause pause = {.due = pause_due, .ctx = a};
    const int64_t from = bl_trainer_now(a->train)->step;
    for (;;) {
        const bl_status status = bl_trainer_advance(a->train, a->trial->max_steps, &pause, err);
        if (status != BL_EINTERRUPTED || is_stopped(a) || bl_claim_lost(a->claim)) return status;
        BL_TRY(save_on_the_way(a, s, err));
        if (bl_trainer_now(a->train)->step > from) return BL_OK;
    }
}

/* A program that found none while it was training. */
static bl_status find_no_memory(bl_active_trial *a) {
    bl_trainer_close(a->train);
    a->train = NULL;
    a->out_of_memory = true;
    return BL_OK;
}

bl_status bl_active_trial_advance(bl_active_trial *a, const bl_scheduler *s, size_t threads,
                                  bl_err *err) {
    const double start = bl_clock_seconds();
    if (a->train == NULL) {
        const size_t had = a->evals;
        BL_TRY(bl_active_trial_open(a, s, threads, err));
        if (a->train == NULL || a->evals > had) return BL_OK;
    }
    const int64_t from = bl_trainer_now(a->train)->step;
    bl_status status = train_on(a, s, err);
    if (status == BL_ENOMEM) return find_no_memory(a);
    const bl_train_state *now = bl_trainer_now(a->train);
    if (now->ended && a->evals > 0) a->eval[a->evals - 1].ends = true;
    if (now->step == from) return unless_lost(a, status);
    if (bl_active_trial_step(a) < now->step)
        add_eval(a, (bl_eval){.step = now->step,
                              .value = now->diverged ? (double)NAN : now->value,
                              .train_loss = now->train_loss,
                              .batch_mean = now->batch_mean});
    a->trained = true;
    const double seconds = bl_clock_seconds() - start;
    a->seconds += seconds;
    note_time(a, from, seconds);
    if (status == BL_OK && checkpoint_due(a)) status = save_on_the_way(a, s, err);
    return unless_lost(a, status);
}

bl_status bl_active_trial_share(bl_active_trial *a, bl_err *err) {
    const bl_train_state *now = bl_trainer_now(a->train);
    a->shared = a->evals;
    return unless_lost(a, bl_store_save_part(a->claim, bl_trainer_log(a->train), now->step,
                                             now->params_sha256, err));
}

bl_status bl_active_trial_checkpoint(bl_active_trial *a, const bl_scheduler *s, bl_err *err) {
    return a->train == NULL ? BL_OK : unless_lost(a, save(a, s, true, err));
}

bl_status bl_active_trial_park(bl_active_trial *a, const bl_scheduler *s, bl_err *err) {
    BL_TRY(bl_active_trial_checkpoint(a, s, err));
    bl_trainer_close(a->train);
    a->train = NULL;
    a->shared = a->evals; /* with the checkpoint */
    return BL_OK;
}

/* The variables that external.environment names, as they are; those that are not set are left out.
 */
static void write_variables(bl_jw *w, const char *names) {
    bl_json_doc doc;
    bl_err ignored;
    if (names[0] == '\0' ||
        bl_json_parse(&doc, names, strlen(names), "environment", 1, &ignored) != BL_OK)
        return;
    bl_jw_object(w, "variables");
    for (const bl_json *name = doc.root->first; name != NULL; name = name->next) {
        const char *value = getenv(name->string);
        if (value != NULL) bl_jw_str(w, name->string, value);
    }
    bl_jw_end(w);
    bl_json_free(&doc);
}

/* What computed the run: part of result.json, not of its identity. */
static void write_environment(bl_buf *out, const bl_active_trial *a, const bl_scheduler *s,
                              size_t threads) {
    char finished[24];
    bl_clock_text(finished);
    bl_jw w = bl_jw_open(out);
    bl_jw_object(&w, NULL);
    bl_jw_str(&w, "impl", bl_computed_by(s->kernels, s->device_data));
    bl_jw_str(&w, "compiler", BL_BUILD_CC);
    bl_jw_str(&w, "build", BL_BUILD_TYPE);
    bl_jw_i64(&w, "threads", (int64_t)threads);
    bl_jw_i64(&w, "jobs", (int64_t)s->jobs);
    bl_jw_str(&w, "finished", finished);
    bl_jw_fixed(&w, "seconds", a->seconds, 3);
    write_variables(&w, a->trial->base->external.environment);
    bl_jw_end(&w);
    bl_jw_done(&w);
}

/* timing.jsonl.gz: a header with memory and threads, then the segments in a->timing. Nothing
 * without a segment. */
static bl_status write_timing(const bl_active_trial *a, const bl_scheduler *s, size_t threads,
                              bl_err *err) {
    size_t bytes = 0;
    bl_buf text = {0}, packed = {0};
    if (a->timing.len == 0) return BL_OK;
    bl_config config;
    resolve(a, &config);
    BL_TRY(bl_trainer_memory(s, &config, &bytes, err));
    bl_jw w = bl_jw_open(&text);
    bl_jw_object(&w, NULL);
    bl_jw_str(&w, "record", "header");
    bl_jw_i64(&w, "format", 1);
    bl_jw_str(&w, "run", a->id);
    bl_jw_i64(&w, "memory_bytes", (int64_t)bytes);
    bl_jw_i64(&w, "threads", (int64_t)threads);
    bl_jw_str(&w, "impl", bl_computed_by(s->kernels, s->device_data));
    bl_jw_end(&w);
    bl_jw_line(&w);
    bl_buf_add(&text, bl_buf_text(&a->timing), a->timing.len);
    bl_status status = bl_gzip(&packed, text.data, text.len, err);
    if (status == BL_OK)
        status = bl_claim_write(a->claim, "timing.jsonl.gz", packed.data, packed.len, err);
    bl_buf_free(&text);
    bl_buf_free(&packed);
    return status;
}

bl_status bl_active_trial_leave(bl_active_trial *a, const bl_scheduler *s, size_t threads,
                                bl_err *err) {
    bl_status status = a->train != NULL ? write_timing(a, s, threads, err) : BL_OK;
    if (status == BL_OK && a->train != NULL) status = save(a, s, true, err);
    BL_TRY(unless_lost(a, status));
    bl_active_trial_release(a);
    return BL_OK;
}

/* What a finished run keeps besides its log and result. */
typedef struct ending {
    bl_active_trial *a;
    const bl_scheduler *s;
    size_t threads;
    size_t log_n;   /* of the log, what is published */
    bool too_large; /* its last state, to be kept */
} ending;

/* A finished run keeps one checkpoint: its last state as checkpoint-A, if that is not too large,
 * followed by the log that goes on beyond its end. In a race most runs are a little further than
 * the step at which they are cut. Only from where it stands can a run be continued. */
static bl_status before_result(void *ctx, bl_err *err) {
    ending *e = ctx;
    bl_active_trial *a = e->a;
    const bl_buf *log = bl_trainer_log(a->train);
    bl_buf state = {0};
    BL_TRY(write_timing(a, e->s, e->threads, err));
    bool any;
    const int slot = a->slot;
    a->slot = 0;
    bl_status status = bl_trainer_save(a->train, true, a->slot, &state, &any, err);
    e->too_large = state.len > KEPT_CHECKPOINT_BYTES;
    if (e->too_large) a->slot = slot;
    if (status == BL_OK && any && !e->too_large) {
        bl_store_add_tail(&state, log->data + e->log_n, log->len - e->log_n);
        status = bl_store_save_checkpoint(e->s->store, a->claim, a->id, &a->slot, &state, err);
    }
    bl_buf_free(&state);
    return status;
}

/* Length of the probes up to `steps`. */
static bl_status noise_length(size_t *n, const bl_active_trial *a, int64_t steps, bl_err *err) {
    const bl_buf *text = bl_trainer_noise(a->train);
    bl_noise_log log;
    *n = 0;
    if (text->len == 0) return BL_OK;
    BL_TRY(bl_noise_read(&log, text->data, text->len, a->id, err));
    *n = bl_noise_prefix(&log, steps);
    bl_noise_log_free(&log);
    return BL_OK;
}

/* Publishes the log up to the result's last evaluation, and what the run was computed with. */
static bl_status publish(bl_active_trial *a, const bl_scheduler *s, size_t threads,
                         const bl_trial_result *result, bl_err *err) {
    const bl_buf *text = bl_trainer_log(a->train);
    bl_runlog log;
    size_t noise_n;
    BL_TRY(noise_length(&noise_n, a, result->steps, err));
    BL_TRY(bl_runlog_parse(&log, text->data, text->len, a->id, err));
    bl_buf kept = {0}; /* a program that is parked may add to its log */
    bl_buf_add(&kept, text->data, text->len);
    const size_t last = result->evals - 1;
    BL_ASSERT(last < log.evals && log.eval[last].step == result->steps);
    ending e = {.a = a, .s = s, .threads = threads, .log_n = log.eval[last].end};
    bl_buf environment = {0};
    write_environment(&environment, a, s, threads);
    const bl_publication what = {.id = a->id,
                                 .identity = a->identity.data,
                                 .log = kept.data,
                                 .log_n = log.eval[last].end,
                                 .noise = bl_trainer_noise(a->train)->data,
                                 .noise_n = noise_n,
                                 .outcome = bl_outcome_name(result->outcome),
                                 .params = log.eval[last].params,
                                 .environment = environment.data,
                                 .steps = result->steps,
                                 .examples = log.eval[last].examples,
                                 .evals = (int64_t)result->evals,
                                 .before_result = before_result,
                                 .ctx = &e};
    const bl_status status = bl_store_publish(s->store, a->claim, &what, err);
    bl_runlog_free(&log);
    bl_buf_free(&kept);
    bl_buf_free(&environment);
    BL_TRY(status);
    if (!e.too_large || !a->saved) bl_store_drop_part(a->claim);
    bl_store_drop_checkpoint(a->claim, a->slot);
    bl_claim_remove(a->claim, BL_STORE_FAILED); /* of an earlier try */
    return BL_OK;
}

/* Discards the run in memory when its log is not what it has to be. The next attempt begins with
 * the published files. */
static void forget(bl_active_trial *a) {
    for (int slot = 0; slot < 2; slot++) bl_store_drop_checkpoint(a->claim, slot);
    bl_store_drop_part(a->claim);
    bl_active_trial_release(a);
}

bl_status bl_active_trial_publish(bl_active_trial *a, const bl_scheduler *s, size_t threads,
                                  const bl_trial_result *result, bl_err *err) {
    bl_status status = publish(a, s, threads, result, err);
    if (status == BL_EMISMATCH) forget(a);
    return unless_lost(a, status);
}
