/* Runs grouped by batch size, for all fits; private to the room: one cell each, with the variance
 * that seeds and the gap between two evaluations leave in it. */
#ifndef BL_ENGINE_STATS_GROUPS_H
#define BL_ENGINE_STATS_GROUPS_H
#include "engine/base/status.h"
#include "engine/stats/fit.h"
#include "engine/stats/point.h"

typedef struct bl_stats_run {
    double log_b, log_s;
    double
        gap; /* log ratio of the two evaluations between which the target was crossed; 0: exact */
    bool censored;
} bl_stats_run;

typedef struct bl_stats_groups {
    bl_stats_run *runs; /* ascending in batch size, then in steps */
    size_t run_count;
    bl_stats_cell *cells; /* the mean of the logs of each batch size, ascending; weights 1 */
    size_t *first;        /* (count + 1): runs of cell i are first[i] .. first[i + 1] - 1 */
    double *gap;          /* (count): root mean square of its runs' gaps */
    size_t count;
    size_t repeated; /* cells with two runs at least */
    /* Pooled over the batch sizes whose runs all arrived: the variance of one run's log steps as
     * observed, its degrees of freedom, and the part of it that no gap explains. */
    double variance, freedom, smooth;
} bl_stats_groups;

/* What the fits count: the middle of the gap (bl_stats_point_steps); or what a training takes, the
 * steps up to the evaluation that saw the target. */
typedef enum bl_stats_count { BL_STATS_COUNT_MIDDLE, BL_STATS_COUNT_SEEN } bl_stats_count;

bl_status bl_stats_groups_init(bl_stats_groups *g, const bl_stats_point *points, size_t n,
                               bl_stats_count count, bl_err *err) BL_CHECKED;
void bl_stats_groups_deinit(bl_stats_groups *g);

/* The variance of one run of which the cell's has `n`: 1 for a mean, pi / 2 for a median, over n.
 */
double bl_stats_cell_share(const bl_stats_groups *g, size_t cell);
/* The variance that all runs of a cell have in common, since they stop at the same evaluations. */
double bl_stats_cell_shared_gap(const bl_stats_groups *g, size_t cell);
/* The same as it counts in a fit: times the number of cells that stop at the same evaluations. */
double bl_stats_cell_common_gap(const bl_stats_groups *g, size_t cell);
#endif
