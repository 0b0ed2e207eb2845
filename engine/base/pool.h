/* A few threads that carry out one call together: fork, join, nothing else. There is no queue, and
 * no task outlives its call. With one thread a call is a plain function call. One thread at a time
 * may use a pool; different pools know nothing of each other.
 *
 *     bl_pool *pool;
 *     BL_TRY(bl_pool_open(&pool, 4, err));
 *     bl_pool_run(pool, add_rows, &work);    calls add_rows(&work, 0..3, 4), each in a thread
 *     bl_pool_close(pool);
 *
 * Results may not depend on the number of parts: what is added up is added in an order that the
 * parts do not change (docs/numerics.md). */
#ifndef BL_ENGINE_BASE_POOL_H
#define BL_ENGINE_BASE_POOL_H
#include "engine/base/status.h"
#include <stddef.h>

typedef struct bl_pool bl_pool;
/* Does part `part` of `parts` of a piece of work. */
typedef void (*bl_pool_fn)(void *ctx, size_t part, size_t parts);

/* `threads` counts the caller, who works too; 0 is 1. *out is the caller's to close. BL_ENOMEM: the
 * system gives no more threads; *out is NULL. */
bl_status bl_pool_open(bl_pool **out, size_t threads, bl_err *err) BL_CHECKED;
void bl_pool_close(bl_pool *pool); /* NULL is fine */
size_t bl_pool_size(const bl_pool *pool);
/* Calls fn(ctx, p, size) for every p, all at once; returns when all have. */
void bl_pool_run(bl_pool *pool, bl_pool_fn fn, void *ctx);
#endif
