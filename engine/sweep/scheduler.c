/* Threads share one list of trials, and so do processes, through the store.
 *
 * The order of calls in bl_scheduler_run, on the calling thread:
 *     bl_active_trial_init       for each trial: reads what the store has of its run
 *     reject_duplicates          fails if two trials ask for one run
 *     answer_from_store          only with lookup_only: then the call ends here
 *     answer_known               makes the results that the store's runs are enough for
 *     skip_unwanted              leaves out the trials that are not to be trained here
 *     set_state                  for each trial: what is to be done with it
 *     bl_memory_budget_measure   how many bytes each run will take
 *     run_workers                everything below, on up to `jobs` threads
 *     leave_all                  saves the runs that have no answer and gives their claims back
 *     check_skipped              fails if trials that were left out have no answer
 *
 * Each worker repeats three things. next_act() chooses a trial and what to do with it, under the
 * lock. carry_out() does it without the lock. Then all waiting threads are woken. In a race a
 * worker takes the trial with the fewest steps, otherwise the first in order. It advances that
 * trial to its next evaluation and puts it back. So in a race no run goes far beyond the bound that
 * the first to reach the target sets. Such a run is cut when its result is made (stop_rule.h), so
 * the result does not depend on timing.
 *
 * Lock rules. `lock` guards `work` and every trial's `state`. A trial whose state is BUSY belongs
 * to the thread that set it: only that thread touches the rest of it, without the lock. Any other
 * trial is read and changed with the lock held. Files are read and written, and runs trained,
 * without the lock. The progress display is called with it, so one call at a time.
 *
 * Other processes. A trial that another process has claimed is HELD. Now and then the store is
 * asked whether its answer has come, how far it is, or whether it is free. In a race each process
 * shares what it knows of a trial that needs no more. So all of them come to know the fewest steps
 * to the target, and make the same results, before any of them publishes one.
 *
 * Example: two threads, three rates. All three advance in turns. Rate 2 reaches the target at step
 * 80: `best` is 80, and with slack 1.25 the others are needed up to step 100. When the other two
 * are there, no trial needs more, `decided` is set, and all three are published. */
#include "engine/sweep/scheduler.h"
#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include "engine/sweep/active_trial.h"
#include "engine/sweep/memory_budget.h"
#include "engine/sweep/stop_rule.h"
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

/* Seconds between two polls of other processes, at first and at most; the longest wait without a
 * look at `stop`; and polls without news after which a trial that only waits is left to another
 * process, which may need more of it. */
static const double k_first_poll = 0.05, k_last_poll = 1.0, k_slice = 0.1;
enum { PATIENCE = 8 };

typedef struct work {
    const bl_scheduler *s;
    const bl_round *round;
    bl_trial_result *results;
    bl_active_trial *active;
    bl_memory_budget budget;
    bl_claims *claims;
    size_t threads_each;
    size_t first;                 /* all trials before it are answered */
    int64_t best;                 /* fewest steps to target so far, 0: none */
    bool decided;                 /* `best` is the round's: nobody needs more */
    bool other_processes;         /* another process works on this round, too */
    bool polling;                 /* a thread is asking the store */
    double poll_pause, next_poll; /* seconds between polls; the clock at the next one */
    size_t idle_polls;            /* polls without news */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bl_status status; /* the first fault ends the round */
    bl_err *err;
} work;

/* What a thread does next. */
typedef enum act {
    ACT_OVER,
    ACT_WAIT,
    ACT_CLAIM,
    ACT_ADVANCE,
    ACT_SHARE,
    ACT_FINISH,
    ACT_PARK,
    ACT_LEAVE
} act;

static bool needs_more(const work *w, const bl_active_trial *a) {
    return !a->out_of_memory && a->error == NULL &&
           bl_stop_needs_more(a->trial, a->eval, a->evals, w->round->slack, w->best);
}

/* Learns from a trial how few steps the race's target takes. */
static void note_target(work *w, const bl_active_trial *a) {
    const size_t reached =
        bl_stop_first_hit(a->eval, a->evals, a->trial->target, a->trial->max_steps);
    if (!w->round->race || reached == SIZE_MAX || a->error != NULL) return;
    if (w->best == 0 || a->eval[reached].step < w->best) w->best = a->eval[reached].step;
}

/* Trials that are done; a busy one counts as not done. */
static size_t count_done(const work *w) {
    size_t done = 0;
    for (size_t i = 0; i < w->round->count; i++)
        done += w->active[i].state != BL_ACTIVE_BUSY && !needs_more(w, &w->active[i]);
    return done;
}

/* Tells the progress display. Called with the lock held. */
static void report(const work *w, const bl_active_trial *a, size_t done) {
    if (w->s->progress == NULL) return;
    const bl_eval none = {0};
    const bl_eval *last = a->evals > 0 ? &a->eval[a->evals - 1] : &none;
    const bl_progress now = {.round_title = w->round->title,
                             .runs_done = done,
                             .runs = w->round->count,
                             .batch_size = a->trial->batch_size,
                             .learning_rate = a->trial->learning_rate,
                             .step = last->step,
                             .max_steps = a->trial->max_steps,
                             .value = last->value,
                             .train_loss = last->train_loss,
                             .run_done = !needs_more(w, a),
                             .trained = a->trained};
    w->s->progress(w->s->progress_ctx, &now);
}

/* The result of what is known of the trial. */
static void trial_result(const work *w, const bl_active_trial *a, bl_trial_result *r) {
    memcpy(r->run, a->id, sizeof r->run);
    if (a->out_of_memory) {
        r->outcome = BL_OUTCOME_MEMORY;
        return;
    }
    if (a->error != NULL) {
        r->outcome = BL_OUTCOME_FAILED;
        r->error = bl_xstrdup(a->error);
        return;
    }
    r->evals = a->evals;
    r->eval = bl_xalloc(a->evals * sizeof *r->eval);
    memcpy(r->eval, a->eval, a->evals * sizeof *r->eval);
    bl_stop_apply(a->trial, w->round->slack, w->best, r);
}

/* One step toward the published answer of a trial that needs no more: claims it, or opens it where
 * it was left (and may find that it needs more), or publishes it. */
static bl_status finish_trial(const work *w, bl_active_trial *a, bl_err *err) {
    bl_trial_result r = {0};
    bl_status status = BL_OK;
    trial_result(w, a, &r);
    a->answered =
        a->out_of_memory || a->error != NULL || (a->stored.done && a->stored.steps >= r.steps);
    if (!a->answered && a->claim == NULL) {
        status = bl_active_trial_claim(a, w->s, w->claims, err);
    } else if (!a->answered && a->train == NULL) {
        status = bl_active_trial_open(a, w->s, w->threads_each, err);
    } else if (!a->answered) {
        status = bl_active_trial_publish(a, w->s, w->threads_each, &r, err);
        a->answered = status == BL_OK && !a->held;
    }
    if (a->answered) {
        bl_active_trial_release(a);
        w->results[a - w->active] = r;
    } else {
        bl_round_results_free(&r, 1);
    }
    return status;
}

static bool wants_more(const void *ctx, const bl_active_trial *a) {
    return needs_more(ctx, a);
}
static bool wants_none(const void *ctx, const bl_active_trial *a) {
    return !needs_more(ctx, a);
}

/* Returns `what`, or, where that would open a run for which there is no memory, what is done before
 * or instead. Once the round is decided, publishing frees memory. Until then a run is parked that
 * needs no more, or that is more than twice as far as the one that waits: were they to take turns
 * at every evaluation, checkpoints would take longer than steps. Called with the lock held. */
static act within_memory(const work *w, act what, bl_active_trial **a) {
    const bl_active_trial *waiting = *a;
    if (waiting->train != NULL || waiting->claim == NULL ||
        bl_memory_budget_admits(&w->budget, waiting))
        return what;
    *a = bl_memory_budget_victim(&w->budget, false, wants_none, w);
    if (*a != NULL) return what == ACT_FINISH ? ACT_FINISH : ACT_PARK;
    *a = bl_memory_budget_victim(&w->budget, false, wants_more, w);
    if (*a == NULL) return ACT_WAIT;
    const int64_t behind = bl_active_trial_step(waiting),
                  further = bl_active_trial_step(*a) - behind;
    if (what == ACT_FINISH || further > behind) return ACT_PARK;
    *a = bl_memory_budget_victim(&w->budget, true, wants_more, w);
    return ACT_ADVANCE;
}

/* What a thread does next, and with which trial. In this order: finish what is decided, share what
 * a race may be decided by, claim or advance, leave what only waits. Called with the lock held. */
static act next_act(work *w, bl_active_trial **out) {
    const bool race = w->round->race;
    bl_active_trial *next = NULL, *share = NULL, *closed = NULL, *idle = NULL;
    bool over = true, open = false;
    *out = NULL;
    while (w->first < w->round->count && w->active[w->first].state == BL_ACTIVE_ANSWERED)
        w->first++;
    for (size_t i = w->first; i < w->round->count; i++) {
        bl_active_trial *a = &w->active[i];
        if (a->state == BL_ACTIVE_ANSWERED) continue;
        over = false;
        const bool more = a->state == BL_ACTIVE_BUSY || needs_more(w, a);
        open = open || more;
        if (a->state != BL_ACTIVE_IDLE) continue;
        if (more) {
            if (next == NULL || (race && bl_active_trial_step(a) < bl_active_trial_step(next)))
                next = a;
            continue;
        }
        if (closed == NULL) closed = a;
        if (a->claim != NULL) idle = a;
        if (a->train != NULL && a->shared < a->evals) share = a;
    }
    if (!open) w->decided = true;
    if (over) return ACT_OVER;
    if (closed != NULL && (w->decided || !race))
        return *out = closed, within_memory(w, ACT_FINISH, out);
    if (share != NULL && w->other_processes) return *out = share, ACT_SHARE;
    if (next != NULL && next->claim == NULL) return *out = next, ACT_CLAIM;
    if (next != NULL) return *out = next, within_memory(w, ACT_ADVANCE, out);
    if (idle != NULL && w->idle_polls >= PATIENCE) return *out = idle, ACT_LEAVE;
    return ACT_WAIT;
}

/* Does what next_act decided, without the lock: the trial is this thread's. */
static bl_status perform(work *w, act what, bl_active_trial *a, bl_err *err) {
    switch (what) {
    case ACT_CLAIM:
        return bl_active_trial_claim(a, w->s, w->claims, err);
    case ACT_ADVANCE:
        return bl_active_trial_advance(a, w->s, w->threads_each, err);
    case ACT_SHARE:
        return bl_active_trial_share(a, err);
    case ACT_FINISH:
        return finish_trial(w, a, err);
    case ACT_PARK:
        return bl_active_trial_park(a, w->s, err);
    case ACT_LEAVE:
        return bl_active_trial_leave(a, w->s, w->threads_each, err);
    case ACT_OVER:
    case ACT_WAIT:
        break;
    }
    return BL_OK;
}

/* Keeps the first error, which ends the round. */
static void fail(work *w, bl_status status, const bl_err *err) {
    if (w->status != BL_OK) return;
    w->status = status;
    if (w->err != NULL) *w->err = *err;
}

/* A program that failed has an answer, too. What it reported counts for nothing: without it the
 * race is as far as the others know, unless it is decided. Called with the lock held. */
static void lose(work *w, bl_active_trial *a, const char *text) {
    bl_active_trial_fail(a, text);
    w->s->failure(w->s->failure_ctx, text);
    if (w->decided) return;
    w->best = 0;
    for (size_t i = 0; i < w->round->count; i++) note_target(w, &w->active[i]);
}

/* Is it time to ask the store for other processes' news? Called with the lock held. */
static bool poll_due(const work *w) {
    if (!w->other_processes || w->polling) return false;
    for (size_t i = 0; i < w->round->count; i++)
        if (w->active[i].state == BL_ACTIVE_HELD) return bl_clock_seconds() >= w->next_poll;
    return false;
}

/* Asks the store about every trial that another process holds; each is tried again afterwards.
 * Called with the lock held, which is released while files are read. */
static void poll_others(work *w) {
    bl_err err = {0};
    size_t news = 0;
    w->polling = true;
    for (size_t i = 0; i < w->round->count && w->status == BL_OK; i++) {
        bl_active_trial *a = &w->active[i];
        if (a->state != BL_ACTIVE_HELD) continue;
        const size_t had = a->evals;
        a->state = BL_ACTIVE_BUSY;
        (void)pthread_mutex_unlock(&w->lock);
        const bl_status status = bl_active_trial_refresh(a, w->s, &err);
        (void)pthread_mutex_lock(&w->lock);
        a->state = BL_ACTIVE_IDLE;
        if (status != BL_OK) fail(w, status, &err);
        news += a->evals > had;
        note_target(w, a);
    }
    w->idle_polls = news > 0 ? 0 : w->idle_polls + 1;
    w->poll_pause = news > 0 ? k_first_poll : fmin(2 * w->poll_pause, k_last_poll);
    w->next_poll = bl_clock_seconds() + w->poll_pause;
    w->polling = false;
    (void)pthread_cond_broadcast(&w->changed);
}

/* Until another thread has done something, a poll is due, or k_slice has passed. Called with the
 * lock held. */
static void wait_for_change(work *w) {
    const double now = bl_clock_seconds();
    const bool soon = w->other_processes && w->next_poll > now && w->next_poll < now + k_slice;
    const double at = soon ? w->next_poll : now + k_slice;
    const struct timespec when = {(time_t)at, (long)(1e9 * (at - floor(at)))};
    (void)pthread_cond_clockwait(&w->changed, &w->lock, CLOCK_MONOTONIC, &when);
}

static bool is_stopped(const work *w) {
    return w->s->stop != NULL && __atomic_load_n(w->s->stop, __ATOMIC_RELAXED) != 0;
}

/* The state of a trial that no thread owns any more. */
static void set_state(bl_active_trial *a) {
    a->state = a->answered ? BL_ACTIVE_ANSWERED : a->held ? BL_ACTIVE_HELD : BL_ACTIVE_IDLE;
}

/* Processor time of what one worker does: its own, unless its run has threads beside it. Then the
 * worker is alone, and all that the process takes is the run's. */
static double seconds_worked(const work *w) {
    return w->threads_each > 1 ? bl_clock_process_seconds() : bl_clock_cpu_seconds();
}

/* Called with the lock held, which is released meanwhile. */
static void carry_out(work *w, act what, bl_active_trial *a) {
    bl_err err = {0};
    a->state = BL_ACTIVE_BUSY;
    (void)pthread_mutex_unlock(&w->lock);
    const double began = seconds_worked(w);
    bl_status status = perform(w, what, a, &err);
    const double took = seconds_worked(w) - began;
    (void)pthread_mutex_lock(&w->lock);
    if (w->s->spent != NULL)
        *(what == ACT_ADVANCE ? &w->s->spent->training : &w->s->spent->store) += took;
    if (status == BL_EPROGRAM && w->s->failure != NULL) {
        lose(w, a, err.text);
        status = BL_OK;
    }
    set_state(a);
    if (status != BL_OK) fail(w, status, &err);
    if (a->held && !w->other_processes) {
        w->other_processes = true;
        w->next_poll = bl_clock_seconds() + w->poll_pause;
    }
    note_target(w, a);
    if (what == ACT_ADVANCE || (a->answered && !a->shown)) report(w, a, count_done(w));
    a->shown = a->shown || a->answered;
    (void)pthread_cond_broadcast(&w->changed);
}

/* Takes the lock, works until the round is over or has failed, and wakes the others at its end. */
static void *worker(void *arg) {
    work *w = arg;
    bl_active_trial *a;
    act what;
    (void)pthread_mutex_lock(&w->lock);
    while (w->status == BL_OK && (what = next_act(w, &a)) != ACT_OVER) {
        if (what == ACT_WAIT && is_stopped(w)) {
            const bl_err err = {.code = BL_EINTERRUPTED, .text = "stopped while waiting"};
            fail(w, BL_EINTERRUPTED, &err);
        } else if (poll_due(w)) {
            poll_others(w);
        } else if (what == ACT_WAIT) {
            wait_for_change(w);
        } else {
            carry_out(w, what, a);
        }
    }
    (void)pthread_cond_broadcast(&w->changed);
    (void)pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void run_workers(work *w) {
    enum { MOST = 256 };
    size_t open = 0;
    for (size_t i = 0; i < w->round->count; i++) open += needs_more(w, &w->active[i]);
    const size_t jobs = w->s->jobs > 0 ? w->s->jobs : 1;
    const size_t n = bl_size_min(bl_size_min(jobs, open), MOST);
    /* Parallel over runs first; a run alone in its round has the other cores inside its kernels. */
    w->threads_each = open == 1 ? jobs : 1;
    pthread_t thread[MOST];
    size_t started = 0;
    while (started + 1 < n && pthread_create(&thread[started], NULL, worker, w) == 0) started++;
    (void)worker(w);
    for (size_t i = 0; i < started; i++) (void)pthread_join(thread[i], NULL);
}

/* Checkpoints all trials that are still claimed, so that the same command continues from here. An
 * error in doing so counts only after an interrupt: otherwise there was a worse one already. */
static bl_status leave_all(work *w, bl_err *err) {
    bl_err ignored;
    for (size_t i = 0; i < w->round->count; i++) {
        bl_active_trial *a = &w->active[i];
        if (a->claim == NULL) continue;
        const bl_status status = bl_active_trial_leave(a, w->s, w->threads_each, &ignored);
        if (status != BL_OK && w->status == BL_EINTERRUPTED) {
            if (err != NULL) *err = ignored;
            return status;
        }
    }
    return w->status;
}

/* Answers the trials that the store answers: in a race all or none. */
static bl_status answer_known(work *w, bl_err *err) {
    size_t open = 0;
    for (size_t i = 0; i < w->round->count; i++) open += needs_more(w, &w->active[i]);
    if (w->round->race && open > 0) return BL_OK;
    for (size_t i = 0; i < w->round->count; i++) {
        bl_active_trial *a = &w->active[i];
        if (!a->stored.done || needs_more(w, a)) continue;
        BL_TRY(finish_trial(w, a, err));
    }
    return BL_OK;
}

/* Answers from the store alone. */
static bl_status answer_from_store(work *w, bl_err *err) {
    for (size_t i = 0; i < w->round->count; i++)
        if (needs_more(w, &w->active[i]))
            BL_FAIL(err, BL_EMISSING, "run %s is not done", w->active[i].id);
    for (size_t i = 0; i < w->round->count; i++) trial_result(w, &w->active[i], &w->results[i]);
    return BL_OK;
}

/* Nobody here works on a trial that is not wanted and has no answer. */
static void skip_unwanted(work *w) {
    for (size_t i = 0; w->s->wanted != NULL && i < w->round->count; i++) {
        bl_active_trial *a = &w->active[i];
        a->skipped = !a->answered && needs_more(w, a) && !w->s->wanted(w->s->wanted_ctx, a->trial);
        a->answered = a->answered || a->skipped;
    }
}

static bl_status check_skipped(const work *w, bl_err *err) {
    size_t n = 0;
    for (size_t i = 0; i < w->round->count; i++) n += w->active[i].skipped;
    if (n == 0) return BL_OK;
    BL_FAIL(
        err, BL_EMISSING,
        "round '%s' waits for %zu of its %zu runs, which were left out and are not in the store",
        w->round->title, n, w->round->count);
}

static int by_id(const void *a, const void *b) {
    return strcmp((*(const bl_active_trial *const *)a)->id,
                  (*(const bl_active_trial *const *)b)->id);
}

/* One run asked for twice in a round could publish the answer to either trial first, and its log
 * would end with that one's outcome: what is published would depend on timing. */
static bl_status reject_duplicates(const work *w, bl_err *err) {
    const size_t n = w->round->count;
    const bl_active_trial **order = bl_xalloc(n * sizeof *order);
    for (size_t i = 0; i < n; i++) order[i] = &w->active[i];
    if (n > 1) qsort(order, n, sizeof *order, by_id);
    size_t same = 1;
    while (same < n && by_id(&order[same - 1], &order[same]) != 0) same++;
    const bl_status status =
        same < n ? BL_ERR(err, BL_EINVAL, "round '%s' asks the run %s twice: leave one trial out",
                          w->round->title, order[same]->id)
                 : BL_OK;
    free(order);
    return status;
}

bl_status bl_scheduler_run(const bl_scheduler *s, const bl_round *round, bl_trial_result *results,
                           bl_err *err) {
    work w = {.s = s,
              .round = round,
              .results = results,
              .err = err,
              .threads_each = 1,
              .poll_pause = k_first_poll};
    w.active = bl_xalloc(round->count * sizeof *w.active);
    w.budget = (bl_memory_budget){s->memory, w.active, round->count};
    memset(results, 0, round->count * sizeof *results);
    (void)pthread_mutex_init(&w.lock, NULL);
    (void)pthread_cond_init(&w.changed, NULL);
    bl_status status;
    for (size_t i = 0; i < round->count; i++) {
        BL_GOTO(bl_active_trial_init(&w.active[i], s, &round->trial[i], err));
        note_target(&w, &w.active[i]);
    }
    BL_GOTO(reject_duplicates(&w, err));
    if (s->lookup_only) {
        status = answer_from_store(&w, err);
        goto done;
    }
    const size_t done = count_done(&w);
    for (size_t i = 0; i < round->count; i++) {
        w.active[i].shown = !needs_more(&w, &w.active[i]);
        if (w.active[i].shown) report(&w, &w.active[i], done);
    }
    BL_GOTO(answer_known(&w, err));
    skip_unwanted(&w);
    for (size_t i = 0; i < round->count; i++) set_state(&w.active[i]);
    bl_memory_budget_measure(&w.budget, s);
    w.claims = bl_claims_open();
    run_workers(&w);
    status = leave_all(&w, err);
    if (status == BL_OK) status = check_skipped(&w, err);
done:
    if (status != BL_OK) bl_round_results_free(results, round->count);
    for (size_t i = 0; i < round->count; i++) bl_active_trial_free(&w.active[i]);
    bl_claims_close(w.claims);
    free(w.active);
    (void)pthread_cond_destroy(&w.changed);
    (void)pthread_mutex_destroy(&w.lock);
    return status;
}
