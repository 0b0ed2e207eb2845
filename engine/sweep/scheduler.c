/* Threads share one list of members, and so do processes, through the store. A thread takes the
 * member that is least far (in a race) or first in order (otherwise), advances it to its next
 * evaluation, and puts it back. In a race nobody can thus run far beyond the bound that the first
 * to reach the target sets; whoever did is cut when results are settled, so that timing leaves no
 * trace.
 *
 * A member that another process has claimed is waited for: now and then the store is asked whether
 * its answer has come, how far it is, or whether it is free. In a race each process writes what it
 * knows of a member that needs no more where the others see it; so all of them come to know the
 * fewest steps to the target, and settle the same answers before anybody publishes one. */
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

/* Seconds between looks at what other processes do; the longest wait without a look at `stop`; and
 * looks without news after which a member that only waits is left to whoever needs more of it. */
static const double k_first_look = 0.05, k_last_look = 1.0, k_slice = 0.1;
enum { PATIENCE = 8 };

typedef struct work {
    const bl_scheduler *s;
    const bl_round *round;
    bl_trial_result *results;
    bl_active_trial *member;
    bl_memory_budget room;
    bl_claims *claims;
    size_t threads_each;
    size_t first;            /* all members before it are settled */
    int64_t best;            /* fewest steps to target so far, 0: none */
    bool decided;            /* `best` is the round's: nobody needs more */
    bool others;             /* another process works on this round */
    bool looking;            /* a thread is looking at what other processes do */
    double pause, next_look; /* seconds between looks; the clock at the next one */
    size_t quiet;            /* looks without news */
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
    ACT_SETTLE,
    ACT_PARK,
    ACT_LEAVE
} act;

static bool needs_more(const work *w, const bl_active_trial *m) {
    return !m->out_of_memory &&
           bl_stop_needs_more(m->trial, m->eval, m->evals, w->round->slack, w->best);
}

static void note_hit(work *w, const bl_active_trial *m) {
    const size_t hit = bl_stop_first_hit(m->eval, m->evals, m->trial->target, m->trial->max_steps);
    if (!w->round->race || hit == SIZE_MAX) return;
    if (w->best == 0 || m->eval[hit].step < w->best) w->best = m->eval[hit].step;
}

/* Called with the lock held; a busy member belongs to its thread and is not looked into. */
static void report(const work *w, const bl_active_trial *m) {
    if (w->s->progress == NULL) return;
    size_t done = 0;
    for (size_t i = 0; i < w->round->count; i++)
        done += w->member[i].state != BL_MEMBER_BUSY && !needs_more(w, &w->member[i]);
    const bl_eval none = {0};
    const bl_eval *last = m->evals > 0 ? &m->eval[m->evals - 1] : &none;
    const bl_progress now = {.round_title = w->round->title,
                             .runs_done = done,
                             .runs = w->round->count,
                             .batch_size = m->trial->config.train.batch_size,
                             .learning_rate = m->trial->config.train.learning_rate,
                             .step = last->step,
                             .max_steps = m->trial->max_steps,
                             .value = last->value,
                             .train_loss = last->train_loss,
                             .run_done = !needs_more(w, m),
                             .trained = m->trained};
    w->s->progress(w->s->progress_ctx, &now);
}

/* The answer that all that is known gives. */
static void answer(const work *w, const bl_active_trial *m, bl_trial_result *r) {
    memcpy(r->run, m->id, sizeof r->run);
    if (m->out_of_memory) {
        r->outcome = BL_OUTCOME_MEMORY;
        return;
    }
    r->evals = m->evals;
    r->eval = bl_xalloc(m->evals * sizeof *r->eval);
    memcpy(r->eval, m->eval, m->evals * sizeof *r->eval);
    bl_stop_apply(m->trial, w->round->slack, w->best, r);
}

/* Brings a member that needs no more closer to a published answer: claims it, opens it where it was
 * left (and may find that it needs more), publishes it. */
static bl_status settle(const work *w, bl_active_trial *m, bl_err *err) {
    bl_trial_result r = {0};
    bl_status status = BL_OK;
    answer(w, m, &r);
    m->settled = m->out_of_memory || (m->stored.done && m->stored.steps >= r.steps);
    if (!m->settled && m->claim == NULL) {
        status = bl_active_trial_claim(m, w->s, w->claims, err);
    } else if (!m->settled && m->train == NULL) {
        status = bl_active_trial_open(m, w->s, w->threads_each, err);
    } else if (!m->settled) {
        status = bl_active_trial_publish(m, w->s, w->threads_each, &r, err);
        m->settled = status == BL_OK && !m->held;
    }
    if (m->settled) {
        bl_active_trial_release(m);
        w->results[m - w->member] = r;
    } else {
        bl_round_results_free(&r, 1);
    }
    return status;
}

static bool wants_more(const void *ctx, const bl_active_trial *m) {
    return needs_more(ctx, m);
}
static bool wants_none(const void *ctx, const bl_active_trial *m) {
    return !needs_more(ctx, m);
}

/* Called with the lock held: `what`, or, where that would open a run that has no room, what is done
 * before or instead. Once the round is decided, publishing makes room; until then a run that needs
 * no more, or that is more than twice as far as the one that waits, goes on disk: were they to take
 * turns at every evaluation, checkpoints would take longer than steps. */
static act with_room(const work *w, act what, bl_active_trial **m) {
    const bl_active_trial *waiting = *m;
    if (waiting->train != NULL || waiting->claim == NULL ||
        bl_memory_budget_admits(&w->room, waiting))
        return what;
    *m = bl_memory_budget_victim(&w->room, false, wants_none, w);
    if (*m != NULL) return what == ACT_SETTLE ? ACT_SETTLE : ACT_PARK;
    *m = bl_memory_budget_victim(&w->room, false, wants_more, w);
    if (*m == NULL) return ACT_WAIT;
    const int64_t behind = bl_active_trial_step(waiting),
                  further = bl_active_trial_step(*m) - behind;
    if (what == ACT_SETTLE || further > behind) return ACT_PARK;
    *m = bl_memory_budget_victim(&w->room, true, wants_more, w);
    return ACT_ADVANCE;
}

/* Called with the lock held. */
static act choose(work *w, bl_active_trial **out) {
    const bool race = w->round->race;
    bl_active_trial *next = NULL, *share = NULL, *closed = NULL, *idle = NULL;
    bool over = true, open = false;
    *out = NULL;
    while (w->first < w->round->count && w->member[w->first].state == BL_MEMBER_SETTLED) w->first++;
    for (size_t i = w->first; i < w->round->count; i++) {
        bl_active_trial *m = &w->member[i];
        if (m->state == BL_MEMBER_SETTLED) continue;
        over = false;
        const bool more = m->state == BL_MEMBER_BUSY || needs_more(w, m);
        open = open || more;
        if (m->state != BL_MEMBER_IDLE) continue;
        if (more) {
            if (next == NULL || (race && bl_active_trial_step(m) < bl_active_trial_step(next)))
                next = m;
            continue;
        }
        if (closed == NULL) closed = m;
        if (m->claim != NULL) idle = m;
        if (m->train != NULL && m->shared < m->evals) share = m;
    }
    if (!open) w->decided = true;
    if (over) return ACT_OVER;
    if (closed != NULL && (w->decided || !race))
        return *out = closed, with_room(w, ACT_SETTLE, out);
    if (share != NULL && w->others) return *out = share, ACT_SHARE;
    if (next != NULL && next->claim == NULL) return *out = next, ACT_CLAIM;
    if (next != NULL) return *out = next, with_room(w, ACT_ADVANCE, out);
    if (idle != NULL && w->quiet >= PATIENCE) return *out = idle, ACT_LEAVE;
    return ACT_WAIT;
}

static bl_status perform(work *w, act what, bl_active_trial *m, bl_err *err) {
    switch (what) {
    case ACT_CLAIM:
        return bl_active_trial_claim(m, w->s, w->claims, err);
    case ACT_ADVANCE:
        return bl_active_trial_advance(m, w->s, w->threads_each, err);
    case ACT_SHARE:
        return bl_active_trial_share(m, err);
    case ACT_SETTLE:
        return settle(w, m, err);
    case ACT_PARK:
        return bl_active_trial_park(m, w->s, err);
    case ACT_LEAVE:
        return bl_active_trial_leave(m, w->s, w->threads_each, err);
    case ACT_OVER:
    case ACT_WAIT:
        break;
    }
    return BL_OK;
}

static void fail(work *w, bl_status status, const bl_err *err) {
    if (w->status != BL_OK) return;
    w->status = status;
    if (w->err != NULL) *w->err = *err;
}

/* Called with the lock held. */
static bool look_due(const work *w) {
    if (!w->others || w->looking) return false;
    for (size_t i = 0; i < w->round->count; i++)
        if (w->member[i].state == BL_MEMBER_HELD) return bl_clock_seconds() >= w->next_look;
    return false;
}

/* Called with the lock held, which is free while files are read. Whoever was held is then tried
 * again. */
static void look(work *w) {
    bl_err err = {0};
    size_t news = 0;
    w->looking = true;
    for (size_t i = 0; i < w->round->count && w->status == BL_OK; i++) {
        bl_active_trial *m = &w->member[i];
        if (m->state != BL_MEMBER_HELD) continue;
        const size_t had = m->evals;
        m->state = BL_MEMBER_BUSY;
        (void)pthread_mutex_unlock(&w->lock);
        const bl_status status = bl_active_trial_refresh(m, w->s, &err);
        (void)pthread_mutex_lock(&w->lock);
        m->state = BL_MEMBER_IDLE;
        if (status != BL_OK) fail(w, status, &err);
        news += m->evals > had;
        note_hit(w, m);
    }
    w->quiet = news > 0 ? 0 : w->quiet + 1;
    w->pause = news > 0 ? k_first_look : fmin(2 * w->pause, k_last_look);
    w->next_look = bl_clock_seconds() + w->pause;
    w->looking = false;
    (void)pthread_cond_broadcast(&w->changed);
}

/* Called with the lock held. */
static void wait_a_little(work *w) {
    const double now = bl_clock_seconds();
    const bool soon = w->others && w->next_look > now && w->next_look < now + k_slice;
    const double at = soon ? w->next_look : now + k_slice;
    const struct timespec when = {(time_t)at, (long)(1e9 * (at - floor(at)))};
    (void)pthread_cond_clockwait(&w->changed, &w->lock, CLOCK_MONOTONIC, &when);
}

static bool is_stopped(const work *w) {
    return w->s->stop != NULL && __atomic_load_n(w->s->stop, __ATOMIC_RELAXED) != 0;
}

static void put_back(bl_active_trial *m) {
    m->state = m->settled ? BL_MEMBER_SETTLED : m->held ? BL_MEMBER_HELD : BL_MEMBER_IDLE;
}

/* Called with the lock held. */
static void act_on(work *w, act what, bl_active_trial *m) {
    bl_err err = {0};
    m->state = BL_MEMBER_BUSY;
    (void)pthread_mutex_unlock(&w->lock);
    bl_status status = perform(w, what, m, &err);
    (void)pthread_mutex_lock(&w->lock);
    put_back(m);
    if (status != BL_OK) fail(w, status, &err);
    if (m->held && !w->others) {
        w->others = true;
        w->next_look = bl_clock_seconds() + w->pause;
    }
    note_hit(w, m);
    if (what == ACT_ADVANCE || (m->settled && !m->shown)) report(w, m);
    m->shown = m->shown || m->settled;
    (void)pthread_cond_broadcast(&w->changed);
}

static void *worker(void *arg) {
    work *w = arg;
    bl_active_trial *m;
    act what;
    (void)pthread_mutex_lock(&w->lock);
    while (w->status == BL_OK && (what = choose(w, &m)) != ACT_OVER) {
        if (what == ACT_WAIT && is_stopped(w)) {
            const bl_err err = {.code = BL_EINTERRUPTED, .text = "stopped while waiting"};
            fail(w, BL_EINTERRUPTED, &err);
        } else if (look_due(w)) {
            look(w);
        } else if (what == ACT_WAIT) {
            wait_a_little(w);
        } else {
            act_on(w, what, m);
        }
    }
    (void)pthread_cond_broadcast(&w->changed);
    (void)pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void run_workers(work *w) {
    enum { MOST = 256 };
    size_t open = 0;
    for (size_t i = 0; i < w->round->count; i++) open += needs_more(w, &w->member[i]);
    const size_t jobs = w->s->jobs > 0 ? w->s->jobs : 1;
    const size_t n = bl_min_size(bl_min_size(jobs, open), MOST);
    /* Parallel over runs first; a run alone in its round has the other cores inside its kernels. */
    w->threads_each = open == 1 ? jobs : 1;
    pthread_t thread[MOST];
    size_t started = 0;
    while (started + 1 < n && pthread_create(&thread[started], NULL, worker, w) == 0) started++;
    (void)worker(w);
    for (size_t i = 0; i < started; i++) (void)pthread_join(thread[i], NULL);
}

/* What was computed is not thrown away: the same command goes on from here. A fault in doing so
 * counts unless there was one already. */
static bl_status put_away(work *w, bl_err *err) {
    bl_err ignored;
    for (size_t i = 0; i < w->round->count; i++) {
        bl_active_trial *m = &w->member[i];
        if (m->claim == NULL) continue;
        const bl_status status = bl_active_trial_leave(m, w->s, w->threads_each, &ignored);
        if (status != BL_OK && w->status == BL_EINTERRUPTED) {
            if (err != NULL) *err = ignored;
            return status;
        }
    }
    return w->status;
}

/* Settles what the store answers, in one go: in a race all or nothing. */
static bl_status settle_known(work *w, bl_err *err) {
    size_t open = 0;
    for (size_t i = 0; i < w->round->count; i++) open += needs_more(w, &w->member[i]);
    if (w->round->race && open > 0) return BL_OK;
    for (size_t i = 0; i < w->round->count; i++) {
        bl_active_trial *m = &w->member[i];
        if (!m->stored.done || needs_more(w, m)) continue;
        BL_TRY(settle(w, m, err));
    }
    return BL_OK;
}

/* Answers from the store alone. */
static bl_status look_up(work *w, bl_err *err) {
    for (size_t i = 0; i < w->round->count; i++)
        if (needs_more(w, &w->member[i]))
            BL_FAIL(err, BL_EMISSING, "run %s is not done", w->member[i].id);
    for (size_t i = 0; i < w->round->count; i++) answer(w, &w->member[i], &w->results[i]);
    return BL_OK;
}

/* Trials that are not wanted and have no answer yet: nobody here works on them. */
static void leave_out(work *w) {
    for (size_t i = 0; w->s->wanted != NULL && i < w->round->count; i++) {
        bl_active_trial *m = &w->member[i];
        m->left_out = !m->settled && needs_more(w, m) && !w->s->wanted(w->s->wanted_ctx, m->trial);
        m->settled = m->settled || m->left_out;
    }
}

static bl_status check_left_out(const work *w, bl_err *err) {
    size_t n = 0;
    for (size_t i = 0; i < w->round->count; i++) n += w->member[i].left_out;
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

/* One run asked twice in a round could publish the answer to either question first, and its log
 * would end with that one's outcome: what is published would depend on timing. */
static bl_status refuse_repeats(const work *w, bl_err *err) {
    const size_t n = w->round->count;
    const bl_active_trial **order = bl_xalloc(n * sizeof *order);
    for (size_t i = 0; i < n; i++) order[i] = &w->member[i];
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
              .pause = k_first_look};
    w.member = bl_xalloc(round->count * sizeof *w.member);
    w.room = (bl_memory_budget){s->memory, w.member, round->count};
    memset(results, 0, round->count * sizeof *results);
    (void)pthread_mutex_init(&w.lock, NULL);
    (void)pthread_cond_init(&w.changed, NULL);
    bl_status status;
    for (size_t i = 0; i < round->count; i++) {
        BL_GOTO(bl_active_trial_init(&w.member[i], s, &round->trial[i], err));
        note_hit(&w, &w.member[i]);
    }
    BL_GOTO(refuse_repeats(&w, err));
    if (s->lookup_only) {
        status = look_up(&w, err);
        goto done;
    }
    for (size_t i = 0; i < round->count; i++) {
        w.member[i].shown = !needs_more(&w, &w.member[i]);
        if (w.member[i].shown) report(&w, &w.member[i]);
    }
    BL_GOTO(settle_known(&w, err));
    leave_out(&w);
    for (size_t i = 0; i < round->count; i++) put_back(&w.member[i]);
    bl_memory_budget_measure(&w.room, s);
    w.claims = bl_claims_open();
    run_workers(&w);
    status = put_away(&w, err);
    if (status == BL_OK) status = check_left_out(&w, err);
done:
    if (status != BL_OK) bl_round_results_free(results, round->count);
    for (size_t i = 0; i < round->count; i++) bl_active_trial_free(&w.member[i]);
    bl_claims_close(w.claims);
    free(w.member);
    (void)pthread_cond_destroy(&w.changed);
    (void)pthread_mutex_destroy(&w.lock);
    return status;
}
