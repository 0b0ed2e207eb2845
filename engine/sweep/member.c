#include "engine/sweep/member.h"
#include "bl_build.h"
#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include <inttypes.h>
#include <math.h>

/* A finished run's last checkpoint is kept up to this size, so that asking for more steps later
 * does not begin at step 0. */
enum { KEPT_CHECKPOINT_BYTES = 64 << 20 };

static void add_eval(bl_member *m, bl_eval eval) {
    if (m->evals == m->cap) {
        m->cap = m->cap ? 2 * m->cap : 64;
        m->eval = bl_xrealloc(m->eval, m->cap * sizeof *m->eval);
    }
    m->eval[m->evals++] = eval;
}

bl_status bl_member_init(bl_member *m, const bl_scheduler *s, const bl_trial *trial, bl_err *err) {
    *m = (bl_member){.trial = trial, .last_saved = bl_clock_seconds()};
    bl_run_identity(&trial->config, s->data->sha256, m->id, &m->identity);
    BL_TRY(bl_store_load(s->store, m->id, &m->stored, err));
    if (m->stored.damaged && !s->lookup_only) BL_TRY(bl_store_set_aside(s->store, m->id, err));
    for (size_t i = 0; i < m->stored.parsed.evals; i++) {
        const bl_runlog_eval *e = &m->stored.parsed.eval[i];
        add_eval(m, (bl_eval){e->step, e->value, e->train_loss});
    }
    return BL_OK;
}

void bl_member_free(bl_member *m) {
    bl_train_close(m->train);
    bl_stored_free(&m->stored);
    bl_buf_free(&m->identity);
    bl_buf_free(&m->timing);
    free(m->eval);
    *m = (bl_member){0};
}

/* Evaluations of a log that the run restored from a checkpoint has behind it. */
static bl_status take_evals(bl_member *m, bl_err *err) {
    bl_runlog log;
    const bl_buf *text = bl_train_log(m->train);
    BL_TRY(bl_runlog_parse(&log, text->data, text->len, m->id, err));
    m->evals = 0;
    for (size_t i = 0; i < log.evals; i++)
        add_eval(m, (bl_eval){log.eval[i].step, log.eval[i].value, log.eval[i].train_loss});
    bl_runlog_free(&log);
    return BL_OK;
}

static bool restore(const bl_member *m, const bl_buf *state, const bl_buf *log) {
    bl_err ignored;
    return bl_train_restore(m->train, state->data, state->len, bl_buf_text(log), log->len,
                            &ignored) == BL_OK;
}

/* A checkpoint that cannot be used costs time, never correctness: the run then begins at step 0.
 * Its log is the part beside it, or the published one where a finished run's checkpoint was kept.
 */
static bl_status resume(bl_member *m, const bl_scheduler *s, bl_err *err) {
    bl_buf state = {0}, part = {0};
    bl_err ignored;
    bool restored = false;
    if (bl_store_load_checkpoint(s->store, m->id, &m->slot, &state, &ignored) == BL_OK) {
        if (bl_store_load_part(s->store, m->id, &part, &ignored) == BL_OK)
            restored = restore(m, &state, &part);
        if (!restored && m->stored.done) restored = restore(m, &state, &m->stored.log);
    }
    bl_buf_free(&state);
    bl_buf_free(&part);
    return restored ? take_evals(m, err) : BL_OK;
}

static bl_status open_run(bl_member *m, const bl_scheduler *s, size_t threads, bl_err *err) {
    const bl_train_options options = {.kernels = s->kernels, .run_id = m->id, .threads = threads};
    const bl_status status = bl_train_open(&m->train, &m->trial->config, s->data, &options, err);
    if (status == BL_ENOMEM) {
        m->out_of_memory = true;
        return BL_OK;
    }
    BL_TRY(status);
    m->evals = 0; /* recomputed from step 0, or taken from the checkpoint's log */
    return resume(m, s, err);
}

/* One line for each stretch between evaluations, its evaluation included. Other runs share the
 * machine: the timing pass is what answers are made of. */
static void note_time(bl_member *m, int64_t from, double seconds) {
    const int64_t to = bl_train_now(m->train)->step;
    bl_buf_printf(&m->timing,
                  "{\"record\":\"timing\",\"from\":%" PRId64 ",\"step\":%" PRId64
                  ",\"seconds\":%.6f,\"examples_per_second\":%.1f}\n",
                  from, to, seconds,
                  (double)((to - from) * m->trial->config.train.batch_size) / fmax(seconds, 1e-9));
}

bl_status bl_member_advance(bl_member *m, const bl_scheduler *s, size_t threads, bl_err *err) {
    const double start = bl_clock_seconds();
    if (m->train == NULL) {
        const size_t had = m->evals;
        BL_TRY(open_run(m, s, threads, err));
        if (m->out_of_memory || m->evals > had) return BL_OK;
    }
    const int64_t from = bl_train_now(m->train)->step;
    /* To the same grid of evaluations whatever the budget is: budgets lie on the grid. */
    BL_TRY(bl_train_advance(m->train, m->trial->max_steps, s->stop, err));
    const bl_train_state *now = bl_train_now(m->train);
    add_eval(m, (bl_eval){now->step, now->diverged ? (double)NAN : now->value, now->train_loss});
    m->trained = true;
    const double end = bl_clock_seconds();
    m->seconds += end - start;
    note_time(m, from, end - start);
    if (end - m->last_saved > s->checkpoint_seconds) return bl_member_checkpoint(m, s, err);
    return BL_OK;
}

bl_status bl_member_checkpoint(bl_member *m, const bl_scheduler *s, bl_err *err) {
    if (m->train == NULL) return BL_OK;
    bl_buf state = {0};
    bl_train_save(m->train, &state);
    const bl_status status =
        bl_store_save_checkpoint(s->store, m->id, &m->slot, &state, bl_train_log(m->train), err);
    bl_buf_free(&state);
    m->last_saved = bl_clock_seconds();
    return status;
}

static bl_status keep_checkpoint(bl_member *m, const bl_scheduler *s, bl_err *err) {
    bl_buf state = {0};
    bl_train_save(m->train, &state);
    bl_status status = BL_OK;
    if (state.len <= KEPT_CHECKPOINT_BYTES)
        status = bl_store_save_checkpoint(s->store, m->id, &m->slot, &state, bl_train_log(m->train),
                                          err);
    bl_buf_free(&state);
    bl_store_drop_part(s->store, m->id);
    return status;
}

static void write_environment(bl_buf *out, const bl_member *m, const bl_scheduler *s,
                              size_t threads) {
    char finished[24];
    bl_clock_text(finished);
    bl_buf_printf(out, "\"impl\":\"%s\",\"compiler\":", s->kernels->name);
    bl_json_string(out, BL_BUILD_CC);
    bl_buf_printf(out, ",\"build\":\"%s\",\"threads\":%zu,\"finished\":\"%s\",\"seconds\":%.3f",
                  BL_BUILD_TYPE, threads, finished, m->seconds);
}

static bl_status write_timing(const bl_member *m, const bl_scheduler *s, size_t threads,
                              bl_err *err) {
    char path[BL_PATH];
    size_t bytes = 0;
    bl_buf text = {0};
    BL_TRY(bl_train_memory(&m->trial->config, s->data, &bytes, err));
    BL_TRY(bl_path(path, err, "%s/%s/timing.jsonl.gz", s->store->dir, m->id));
    bl_buf_printf(&text,
                  "{\"record\":\"header\",\"format\":1,\"run\":\"%s\",\"memory_bytes\":%zu,"
                  "\"threads\":%zu,\"impl\":\"%s\"}\n",
                  m->id, bytes, threads, s->kernels->name);
    bl_buf_add(&text, bl_buf_text(&m->timing), m->timing.len);
    const bl_status status = bl_runlog_write(path, text.data, text.len, err);
    bl_buf_free(&text);
    return status;
}

bl_status bl_member_publish(bl_member *m, const bl_scheduler *s, size_t threads,
                            const bl_trial_result *result, bl_err *err) {
    if (m->train == NULL || (m->stored.done && m->stored.steps >= result->steps)) return BL_OK;
    const bl_buf *text = bl_train_log(m->train);
    bl_runlog log;
    BL_TRY(bl_runlog_parse(&log, text->data, text->len, m->id, err));
    const size_t last = result->evals - 1;
    BL_ASSERT(last < log.evals && log.eval[last].step == result->steps);
    bl_buf environment = {0};
    write_environment(&environment, m, s, threads);
    const bl_publication what = {.id = m->id,
                                 .identity = m->identity.data,
                                 .log = text->data,
                                 .log_n = log.eval[last].end,
                                 .outcome = bl_outcome_name(result->outcome),
                                 .params = log.eval[last].params,
                                 .environment = environment.data,
                                 .steps = result->steps,
                                 .examples = log.eval[last].examples,
                                 .evals = (int64_t)result->evals};
    bl_status status = bl_store_publish(s->store, &what, err);
    if (status == BL_OK) status = write_timing(m, s, threads, err);
    bl_runlog_free(&log);
    bl_buf_free(&environment);
    /* Only a run that stands exactly where its prefix ends can be continued from there. */
    if (status == BL_OK && bl_train_now(m->train)->step == result->steps)
        status = keep_checkpoint(m, s, err);
    return status;
}
