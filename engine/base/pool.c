#include "engine/base/pool.h"
#include "engine/base/mem.h"
#include <pthread.h>
#include <string.h>

typedef struct worker {
    bl_pool *pool;
    size_t part;
    pthread_t thread;
} worker;

struct bl_pool {
    size_t size;     /* parts, the caller's own included */
    worker *workers; /* size - 1 */
    size_t started;
    pthread_mutex_t lock;
    pthread_cond_t begin, end;
    bl_pool_fn fn;
    void *ctx;
    size_t call;    /* number of the call; a worker has done every call up to its own count */
    size_t working; /* workers not yet done with it */
    int closing;
};

/* A worker: waits for a call that it has not done, does its part without the lock, and wakes the
 * caller when it is the last one. */
static void *work(void *arg) {
    const worker *self = arg;
    bl_pool *pool = self->pool;
    size_t done = 0;
    (void)pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (pool->call == done && !pool->closing)
            (void)pthread_cond_wait(&pool->begin, &pool->lock);
        if (pool->closing) break;
        done = pool->call;
        const bl_pool_fn fn = pool->fn;
        void *ctx = pool->ctx;
        (void)pthread_mutex_unlock(&pool->lock);
        fn(ctx, self->part, pool->size);
        (void)pthread_mutex_lock(&pool->lock);
        if (--pool->working == 0) (void)pthread_cond_signal(&pool->end);
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* The caller is the first of the threads; `size - 1` are started. pool->started says how many there
 * are to join if one cannot be had. */
bl_status bl_pool_open(bl_pool **out, size_t threads, bl_err *err) {
    bl_pool *pool = bl_xalloc(sizeof *pool);
    *out = NULL;
    pool->size = threads > 1 ? threads : 1;
    pool->workers = bl_xalloc((pool->size - 1) * sizeof *pool->workers);
    (void)pthread_mutex_init(&pool->lock, NULL);
    (void)pthread_cond_init(&pool->begin, NULL);
    (void)pthread_cond_init(&pool->end, NULL);
    for (; pool->started < pool->size - 1; pool->started++) {
        worker *w = &pool->workers[pool->started];
        *w = (worker){.pool = pool, .part = pool->started + 1};
        const int error = pthread_create(&w->thread, NULL, work, w);
        if (error != 0) {
            const size_t got = pool->started + 1;
            bl_pool_close(pool);
            BL_FAIL(err, BL_ENOMEM, "%zu threads wanted, %zu to be had: %s", threads, got,
                    strerror(error));
        }
    }
    *out = pool;
    return BL_OK;
}

void bl_pool_close(bl_pool *pool) {
    if (pool == NULL) return;
    (void)pthread_mutex_lock(&pool->lock);
    pool->closing = 1;
    (void)pthread_cond_broadcast(&pool->begin);
    (void)pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->started; i++) (void)pthread_join(pool->workers[i].thread, NULL);
    (void)pthread_cond_destroy(&pool->begin);
    (void)pthread_cond_destroy(&pool->end);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool->workers);
    free(pool);
}

size_t bl_pool_size(const bl_pool *pool) {
    return pool->size;
}

void bl_pool_run(bl_pool *pool, bl_pool_fn fn, void *ctx) {
    if (pool->size == 1) {
        fn(ctx, 0, 1);
        return;
    }
    (void)pthread_mutex_lock(&pool->lock);
    pool->fn = fn;
    pool->ctx = ctx;
    pool->working = pool->size - 1;
    pool->call++;
    (void)pthread_cond_broadcast(&pool->begin);
    (void)pthread_mutex_unlock(&pool->lock);
    fn(ctx, 0, pool->size);
    (void)pthread_mutex_lock(&pool->lock);
    while (pool->working != 0) (void)pthread_cond_wait(&pool->end, &pool->lock);
    (void)pthread_mutex_unlock(&pool->lock);
}
