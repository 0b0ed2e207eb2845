/* Runs grouped by batch size, for all fits; private to the room. Their medians, and resampled
 * medians for the bootstrap. */
#ifndef BL_ENGINE_STATS_GROUPS_H
#define BL_ENGINE_STATS_GROUPS_H
#include "engine/base/status.h"
#include "engine/stats/fit.h"
#include "engine/stats/point.h"
#include "engine/stats/summary.h"

typedef struct bl_stats_run {
    double log_b, log_s;
    bool censored;
} bl_stats_run;

typedef struct bl_stats_groups {
    bl_stats_run *runs; /* ascending in batch size, then in steps */
    size_t run_count;
    bl_stats_cell *cells; /* the median of each batch size, ascending */
    size_t *first;        /* (count + 1): runs of cell i are first[i] .. first[i + 1] - 1 */
    size_t count;
    double *pool; /* deviations in logs that a batch size with one seed borrows */
    size_t pool_count;
    bl_stats_noise noise;
    bl_stats_run *drawn; /* room for one batch size */
    double *scratch;     /* twice that */
} bl_stats_groups;

/* `noise` is SEEDS, BORROWED or NONE afterwards. */
bl_status bl_stats_groups_init(bl_stats_groups *g, const bl_stats_point *points, size_t n,
                               bl_err *err) BL_CHECKED;
void bl_stats_groups_deinit(bl_stats_groups *g);

/* Where nothing was repeated: lets every batch size borrow the deviations of the measured cells
 * from a curve fitted with `parameters` parameters; fitted[count] are its logs. Needs at least six
 * measured cells, else the noise stays NONE. */
void bl_stats_groups_use_residuals(bl_stats_groups *g, const double *fitted, size_t parameters);

/* cells[count]: the medians of replicate number `replicate`. Noise must not be NONE. */
void bl_stats_groups_resample(const bl_stats_groups *g, bl_stats_cell *cells, uint64_t seed,
                              uint64_t replicate);
#endif
