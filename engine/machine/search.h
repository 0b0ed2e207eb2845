/* The largest batch size that runs, by bisection over sizes that are really tried. */
#ifndef BL_ENGINE_MACHINE_SEARCH_H
#define BL_ENGINE_MACHINE_SEARCH_H
#include "engine/machine/memory_probe.h"

typedef struct bl_machine_try {
    int64_t batch_size;
    bl_probe_result result;
} bl_machine_try;

typedef struct bl_machine_search {
    /* What is asked for. */
    bl_status (*probe)(void *ctx, int64_t batch_size, bl_probe_result *result, bl_err *err);
    /* Seconds that a probe of this size is expected to take; NULL: no time at all. */
    double (*expected)(void *ctx, int64_t batch_size);
    void *ctx;
    int64_t most;   /* no size above is of use: the rows of an epoch */
    double seconds; /* a probe that is expected to leave this budget is not begun */
    double gap;     /* 0.02: bisection ends where the sizes differ by 2 % */
    /* What was found. */
    bl_machine_try *tried; /* in the order of trying */
    size_t count;
    int64_t largest;     /* that ran; 0: none */
    int64_t failed;      /* the smallest that did not run; 0: none */
    bl_probe_ending how; /* it ended */
    double bytes;        /* of the largest */
    bool out_of_time;    /* larger ones were not tried for want of time */
    double spent;        /* seconds of probes */
} bl_machine_search;

/* Tries each of sizes[n], ascending, until one does not run. */
bl_status bl_machine_try_sizes(bl_machine_search *s, const int64_t *sizes, size_t n,
                               bl_err *err) BL_CHECKED;
/* Goes on: first `guess`, if it lies between what ran and what failed, then doubling, then halves
 * between the two. Ends at `most`, at the gap, or when the time is over. */
bl_status bl_machine_search_on(bl_machine_search *s, int64_t guess, bl_err *err) BL_CHECKED;
void bl_machine_search_free(bl_machine_search *s);
#endif
