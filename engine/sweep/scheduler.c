/* Threads share one list of members. A thread takes the one that is least far (in a race) or first
 * in order (otherwise), advances it to its next evaluation, and puts it back. In a race nobody can
 * thus run far beyond the bound that the first to reach the target sets; whoever did is cut when
 * results are settled, so that timing leaves no trace. */
#include "engine/sweep/scheduler.h"
#include "engine/base/mem.h"
#include "engine/sweep/member.h"
#include "engine/sweep/question.h"
#include <pthread.h>
#include <string.h>

typedef struct work {
    const bl_scheduler *s;
    const bl_round *round;
    bl_trial_result *results;
    bl_member *member;
    size_t threads_each;
    int64_t best; /* fewest steps to target so far, 0: none */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bl_status status; /* the first fault ends the round */
    bl_err *err;
} work;

static bool needs_more(const work *w, const bl_member *m) {
    return !m->out_of_memory &&
           bl_question_open(m->trial, m->eval, m->evals, w->round->slack, w->best);
}

static int64_t last_step(const bl_member *m) {
    return m->evals > 0 ? m->eval[m->evals - 1].step : 0;
}

static void note_hit(work *w, const bl_member *m) {
    const size_t hit = bl_question_hit(m->eval, m->evals, m->trial->target, m->trial->max_steps);
    if (!w->round->race || hit == SIZE_MAX) return;
    if (w->best == 0 || m->eval[hit].step < w->best) w->best = m->eval[hit].step;
}

/* Called with the lock held; a busy member belongs to its thread and is not looked into. */
static void report(const work *w, const bl_member *m) {
    if (w->s->progress == NULL) return;
    size_t done = 0;
    for (size_t i = 0; i < w->round->count; i++)
        done += !w->member[i].busy && !needs_more(w, &w->member[i]);
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

/* Settles and publishes one member; its memory is given back. */
static bl_status settle(const work *w, size_t i, bl_err *err) {
    bl_member *m = &w->member[i];
    bl_trial_result *r = &w->results[i];
    if (r->eval != NULL || r->outcome == BL_OUTCOME_MEMORY) return BL_OK;
    memcpy(r->run, m->id, sizeof r->run);
    if (m->out_of_memory) {
        r->outcome = BL_OUTCOME_MEMORY;
        return BL_OK;
    }
    r->evals = m->evals;
    r->eval = bl_xalloc(m->evals * sizeof *r->eval);
    memcpy(r->eval, m->eval, m->evals * sizeof *r->eval);
    bl_question_settle(m->trial, w->round->slack, w->best, r);
    BL_TRY(bl_member_publish(m, w->s, w->threads_each, r, err));
    bl_train_close(m->train);
    m->train = NULL;
    return BL_OK;
}

/* Called with the lock held. NULL: nothing to do now; *over: nor later. */
static bl_member *next_member(const work *w, bool *over) {
    bl_member *best = NULL;
    *over = true;
    for (size_t i = 0; i < w->round->count; i++) {
        bl_member *m = &w->member[i];
        if (m->busy) *over = false;
        if (m->busy || !needs_more(w, m)) continue;
        *over = false;
        if (best == NULL || (w->round->race && last_step(m) < last_step(best))) best = m;
    }
    return best;
}

static void fail(work *w, bl_status status, const bl_err *err) {
    if (w->status != BL_OK) return;
    w->status = status;
    if (w->err != NULL) *w->err = *err;
}

static void *worker(void *arg) {
    work *w = arg;
    bl_err err = {0};
    (void)pthread_mutex_lock(&w->lock);
    while (w->status == BL_OK) {
        bool over;
        bl_member *m = next_member(w, &over);
        if (over) break;
        if (m == NULL) {
            (void)pthread_cond_wait(&w->changed, &w->lock);
            continue;
        }
        m->busy = true;
        (void)pthread_mutex_unlock(&w->lock);
        bl_status status = bl_member_advance(m, w->s, w->threads_each, &err);
        (void)pthread_mutex_lock(&w->lock);
        m->busy = false;
        if (status == BL_OK) {
            note_hit(w, m);
            if (!w->round->race && !needs_more(w, m))
                status = settle(w, (size_t)(m - w->member), &err);
            report(w, m);
        }
        if (status != BL_OK) fail(w, status, &err);
        (void)pthread_cond_broadcast(&w->changed);
    }
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
    if (n > 0) (void)worker(w);
    for (size_t i = 0; i < started; i++) (void)pthread_join(thread[i], NULL);
}

static bl_status finish(work *w, bl_err *err) {
    for (size_t i = 0; i < w->round->count && w->status == BL_OK; i++)
        w->status = settle(w, i, err);
    if (w->status == BL_OK) return BL_OK;
    /* What was computed is not thrown away: the same command goes on from here. */
    bl_err ignored;
    for (size_t i = 0; i < w->round->count; i++) {
        const bl_status status = bl_member_checkpoint(&w->member[i], w->s, &ignored);
        if (status != BL_OK && w->status == BL_EINTERRUPTED) {
            if (err != NULL) *err = ignored;
            return status;
        }
    }
    return w->status;
}

static int by_id(const void *a, const void *b) {
    return strcmp((*(const bl_member *const *)a)->id, (*(const bl_member *const *)b)->id);
}

/* One run asked twice in a round could publish the answer to either question first, and its log
 * would end with that one's outcome: what is published would depend on timing. */
static bl_status refuse_repeats(const work *w, bl_err *err) {
    const size_t n = w->round->count;
    const bl_member **order = bl_xalloc(n * sizeof *order);
    for (size_t i = 0; i < n; i++) order[i] = &w->member[i];
    if (n > 1) qsort(order, n, sizeof *order, by_id);
    size_t same = 1;
    while (same < n && by_id(&order[same - 1], &order[same]) != 0) same++;
    const bl_status status =
        same < n ? bl_err_set(err, BL_EINVAL, __FILE__, __LINE__,
                              "round '%s' asks the run %s twice: leave one trial out",
                              w->round->title, order[same]->id)
                 : BL_OK;
    free(order);
    return status;
}

bl_status bl_scheduler_run(const bl_scheduler *s, const bl_round *round, bl_trial_result *results,
                           bl_err *err) {
    work w = {.s = s, .round = round, .results = results, .err = err, .threads_each = 1};
    w.member = bl_xalloc(round->count * sizeof *w.member);
    memset(results, 0, round->count * sizeof *results);
    (void)pthread_mutex_init(&w.lock, NULL);
    (void)pthread_cond_init(&w.changed, NULL);
    bl_status status;
    for (size_t i = 0; i < round->count; i++) {
        BL_GOTO(bl_member_init(&w.member[i], s, &round->trial[i], err));
        note_hit(&w, &w.member[i]);
    }
    BL_GOTO(refuse_repeats(&w, err));
    if (s->lookup_only) {
        for (size_t i = 0; i < round->count; i++)
            if (needs_more(&w, &w.member[i])) {
                status = bl_err_set(err, BL_EMISSING, __FILE__, __LINE__, "run %s is not done",
                                    w.member[i].id);
                goto done;
            }
    } else {
        for (size_t i = 0; i < round->count; i++)
            if (!needs_more(&w, &w.member[i])) report(&w, &w.member[i]);
        run_workers(&w);
    }
    status = finish(&w, err);
done:
    if (status != BL_OK) bl_round_results_free(results, round->count);
    for (size_t i = 0; i < round->count; i++) bl_member_free(&w.member[i]);
    free(w.member);
    (void)pthread_cond_destroy(&w.changed);
    (void)pthread_mutex_destroy(&w.lock);
    return status;
}
