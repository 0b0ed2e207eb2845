/* Runs grouped by batch size, and resampling for the bootstrap.
 *
 * A batch size with several seeds is resampled from its own runs. One with a single seed borrows:
 * its run is moved by a deviation drawn from the pool of all other batch sizes' deviations from
 * their medians, each widened by sqrt(n / (n - 1)) for the median that was fitted, and centred so
 * that borrowing moves nothing on average. Draws are Philox numbers of (seed, batch size,
 * replicate, run): a replicate does not depend on the others. */
#include "engine/stats/groups.h"
#include "engine/base/mem.h"
#include "engine/base/philox.h"
#include "engine/stats/summary.h"
#include <math.h>

/* Two deviations say too little about scatter to lend to others. */
enum { POOL_MIN = 3, RESIDUALS_MIN = 6 };

/* Ascending in batch size, then in steps, a censored run after one that arrived at the same step.
 */
static int by_batch_and_steps(const void *pa, const void *pb) {
    const bl_stats_run *a = pa, *b = pb;
    if (a->log_b != b->log_b) return a->log_b < b->log_b ? -1 : 1;
    if (a->log_s != b->log_s) return a->log_s < b->log_s ? -1 : 1;
    return (int)a->censored - (int)b->censored;
}

/* The median of `n` values of which some are lower bounds. It lies between the median with the
 * bounds taken as values and the median with them at infinity; where the two differ, only the lower
 * one is certain. scratch[2 n]. */
static bl_stats_cell median_cell(const bl_stats_run *runs, size_t n, double *scratch) {
    double *low = scratch, *high = scratch + n;
    for (size_t i = 0; i < n; i++) {
        low[i] = runs[i].log_s;
        high[i] = runs[i].censored ? HUGE_VAL : runs[i].log_s;
    }
    bl_stats_sort(low, n);
    bl_stats_sort(high, n);
    const double at_least = bl_stats_quantile_sorted(low, n, 0.5);
    const double at_most = bl_stats_quantile_sorted(high, n, 0.5);
    return (bl_stats_cell){
        .log_b = runs[0].log_b, .log_s = at_least, .censored = at_least < at_most};
}

/* `index` is the place in the caller's array, for the message. */
static bl_status check_point(const bl_stats_point *p, size_t index, bl_err *err) {
    if (!bl_stats_in_domain(p->batch_size))
        BL_FAIL(err, BL_EINVAL, "point %zu: the batch size is %g, allowed are %g to %g", index + 1,
                p->batch_size, BL_STATS_LEAST, BL_STATS_MOST);
    if (!bl_stats_in_domain(p->steps))
        BL_FAIL(err, BL_EINVAL, "point %zu: the steps are %g, allowed are %g to %g", index + 1,
                p->steps, BL_STATS_LEAST, BL_STATS_MOST);
    if (!(p->steps_prev >= 0 && p->steps_prev < p->steps))
        BL_FAIL(err, BL_EINVAL, "point %zu: the evaluation before step %g is said to be at %g",
                index + 1, p->steps, p->steps_prev);
    return BL_OK;
}

/* The pool of deviations of repeated runs from their medians. n / (n - 1) makes up for the degree
 * of freedom that each median took. */
static void pool_seeds(bl_stats_groups *g) {
    for (size_t c = 0; c < g->count; c++) {
        const size_t n = g->first[c + 1] - g->first[c];
        const bl_stats_run *runs = g->runs + g->first[c];
        bool usable = n >= 2;
        for (size_t i = 0; i < n; i++) usable = usable && !runs[i].censored;
        for (size_t i = 0; usable && i < n; i++)
            g->pool[g->pool_count++] =
                (runs[i].log_s - g->cells[c].log_s) * sqrt((double)n / (double)(n - 1));
    }
}

static void centre_pool(bl_stats_groups *g) {
    double sum = 0;
    for (size_t i = 0; i < g->pool_count; i++) sum += g->pool[i];
    for (size_t i = 0; i < g->pool_count; i++) g->pool[i] -= sum / (double)g->pool_count;
}

/* A single run that arrived; a censored one stays as it is. */
static bool borrows(const bl_stats_groups *g, size_t cell) {
    return g->first[cell + 1] - g->first[cell] == 1 && !g->cells[cell].censored;
}

/* Where the scatter of each batch size comes from: its own seeds, the pool, or nowhere. */
static void choose_noise(bl_stats_groups *g) {
    size_t lenders = 0, borrowers = 0;
    for (size_t c = 0; c < g->count; c++) {
        borrowers += borrows(g, c);
        lenders += g->first[c + 1] - g->first[c] >= 2;
    }
    pool_seeds(g);
    centre_pool(g);
    if (lenders == 0 || (borrowers > 0 && g->pool_count < POOL_MIN))
        g->noise = BL_STATS_NOISE_NONE;
    else
        g->noise = borrowers > 0 ? BL_STATS_NOISE_BORROWED : BL_STATS_NOISE_SEEDS;
}

/* Fills first[], cells[] and the room for resampling from the sorted runs. */
static void group_runs(bl_stats_groups *g) {
    size_t widest = 1;
    for (size_t i = 0; i < g->run_count; i++) {
        if (i == 0 || g->runs[i].log_b != g->runs[i - 1].log_b) g->first[g->count++] = i;
        g->first[g->count] = i + 1;
        widest = bl_size_max(widest, i + 1 - g->first[g->count - 1]);
    }
    g->drawn = bl_xalloc(widest * sizeof *g->drawn);
    g->scratch = bl_xalloc(2 * widest * sizeof *g->scratch);
    for (size_t c = 0; c < g->count; c++)
        g->cells[c] = median_cell(g->runs + g->first[c], g->first[c + 1] - g->first[c], g->scratch);
}

bl_status bl_stats_groups_init(bl_stats_groups *g, const bl_stats_point *points, size_t n,
                               bl_err *err) {
    *g = (bl_stats_groups){0};
    for (size_t i = 0; i < n; i++) BL_TRY(check_point(&points[i], i, err));
    g->run_count = n;
    g->runs = bl_xalloc(n * sizeof *g->runs);
    g->cells = bl_xalloc(n * sizeof *g->cells);
    g->first = bl_xalloc((n + 1) * sizeof *g->first);
    g->pool = bl_xalloc(n * sizeof *g->pool);
    for (size_t i = 0; i < n; i++)
        g->runs[i] = (bl_stats_run){.log_b = log(points[i].batch_size),
                                    .log_s = log(bl_stats_point_steps(&points[i])),
                                    .censored = points[i].censored};
    if (n > 1) qsort(g->runs, n, sizeof *g->runs, by_batch_and_steps);
    group_runs(g);
    choose_noise(g);
    return BL_OK;
}

void bl_stats_groups_deinit(bl_stats_groups *g) {
    free(g->runs);
    free(g->cells);
    free(g->first);
    free(g->pool);
    free(g->drawn);
    free(g->scratch);
    *g = (bl_stats_groups){0};
}

void bl_stats_groups_use_residuals(bl_stats_groups *g, const double *fitted, size_t parameters) {
    size_t n = 0;
    for (size_t c = 0; c < g->count; c++) n += !g->cells[c].censored;
    if (n < RESIDUALS_MIN) return;
    const double inflate = sqrt((double)n / (double)(n - parameters));
    g->pool_count = 0;
    for (size_t c = 0; c < g->count; c++)
        if (!g->cells[c].censored)
            g->pool[g->pool_count++] = (g->cells[c].log_s - fitted[c]) * inflate;
    centre_pool(g);
    g->noise = BL_STATS_NOISE_RESIDUALS;
}

void bl_stats_groups_resample(const bl_stats_groups *g, bl_stats_cell *cells, uint64_t seed,
                              uint64_t replicate) {
    BL_ASSERT(g->noise != BL_STATS_NOISE_NONE);
    for (size_t c = 0; c < g->count; c++) {
        const size_t n = g->first[c + 1] - g->first[c];
        const size_t from = borrows(g, c) ? g->pool_count : n;
        for (size_t i = 0; i < n; i++) {
            const uint32_t word = bl_random_u32(seed, BL_STREAM_BOOTSTRAP, (uint32_t)c,
                                                replicate * (g->run_count + 1) + i);
            const size_t pick = (size_t)(((uint64_t)word * from) >> 32);
            g->drawn[i] = g->runs[g->first[c] + (borrows(g, c) ? i : pick)];
            if (borrows(g, c)) g->drawn[i].log_s += g->pool[pick];
        }
        cells[c] = median_cell(g->drawn, n, g->scratch);
    }
}
