/* Puts a batch together: which rows, in which order, and what the net sees of each.
 *
 * A training batch is examples [position, position + count) of the run's stream, a shuffle of the
 * training rows epoch after epoch (engine/data/sampler.h). An evaluation reads rows evenly spaced
 * over its split, the same ones every time. Both are functions of numbers alone, so a resumed run
 * needs no state for them, and any thread can make any part. Pictures are shifted and mirrored by
 * the example's number in the stream; rows of tables are copied. */
#include "engine/data/image/augment.h"
#include "engine/train/run.h"
#include "kernels/part.h"
#include <string.h>

typedef struct gather_job {
    bl_train *train;
    bl_train_gather_from from;
    uint64_t position;
    size_t count;
} gather_job;

/* Evenly spaced over the rows of the split, the same for every run. */
static uint32_t eval_row(const bl_train *t, uint64_t index) {
    return (uint32_t)(t->eval_first + index * t->eval_available / t->eval_rows);
}

/* What the net sees of `row`, as the batch's example `to`. */
static void fill_values(const gather_job *job, size_t to, size_t row) {
    const bl_train *t = job->train;
    const bl_dataset *d = t->data;
    float *values = t->net.values + to * d->continuous;
    if (d->pixels)
        bl_picture_values(values, d, row, job->from == BL_TRAIN_GATHER_STREAM ? &t->augment : NULL,
                          job->position + to);
    else
        memcpy(values, d->values + row * d->continuous, d->continuous * sizeof *values);
}

/* Rows come in no order: the processor is asked for them before their turn. */
enum { ROWS_AHEAD = 16 };
static void fetch(const bl_dataset *d, size_t row) {
    __builtin_prefetch(d->codes + row * d->categorical);
    __builtin_prefetch(d->target + row);
    if (d->pixels) {
        __builtin_prefetch(d->pixels + row * d->continuous);
    } else if (d->continuous > 0) {
        __builtin_prefetch(d->values + row * d->continuous);
        __builtin_prefetch(d->values + (row + 1) * d->continuous - 1);
    }
}

/* A thread's examples. */
static void gather_part(void *ctx, size_t p, size_t parts) {
    const gather_job *job = ctx;
    const bl_train *t = job->train;
    const bl_dataset *d = t->data;
    const bl_part part = {.part = p, .parts = parts};
    const bl_range range = bl_part_range(&part, job->count, 16);
    const size_t n = range.end - range.begin;
    uint32_t *rows = t->rows + range.begin;
    if (job->from == BL_TRAIN_GATHER_STREAM) {
        bl_sampler sampler = t->sampler; /* it caches the keys of one epoch: one copy a thread */
        bl_sampler_rows(&sampler, job->position + range.begin, n, rows);
    } else {
        for (size_t i = 0; i < n; i++) rows[i] = eval_row(t, job->position + range.begin + i);
    }
    for (size_t i = 0; i < n && i < ROWS_AHEAD; i++) fetch(d, rows[i]);
    for (size_t i = 0; i < n; i++) {
        const size_t to = range.begin + i, row = rows[i];
        if (i + ROWS_AHEAD < n) fetch(d, rows[i + ROWS_AHEAD]);
        memcpy(t->net.codes + to * d->categorical, d->codes + row * d->categorical,
               d->categorical * sizeof *d->codes);
        fill_values(job, to, row);
        t->net.target[to] = d->target[row];
    }
}

void bl_train_gather(bl_train *train, bl_train_gather_from from, uint64_t position, size_t count) {
    gather_job job = {train, from, position, count};
    bl_pool_run(train->pool, gather_part, &job);
}
