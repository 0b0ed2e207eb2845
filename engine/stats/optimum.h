/* Time and cost of reaching a target. Steps-to-target times what one step costs gives training time
 * T(B) = S(B) t(B) and resource consumption R(B) = S(B) r(B), and with them three best batch sizes.
 * The winner is the plain minimum, the smaller batch size where two are equal; every batch size
 * that these data cannot tell from it is marked. */
#ifndef BL_ENGINE_STATS_OPTIMUM_H
#define BL_ENGINE_STATS_OPTIMUM_H
#include "engine/base/status.h"
#include "engine/stats/critical.h"

/* What is known of one batch size. */
typedef struct bl_stats_cost_input {
    double batch_size;
    /* Its runs at its best learning rate, one per seed. Steps count up to the evaluation that saw
     * the target; steps_prev says how sure that is. */
    const bl_stats_point *runs;
    size_t run_count;             /* 0: not measured */
    bl_stats_value step_seconds;  /* of the timing pass; not known: no time */
    bl_stats_value step_resource; /* per step, in the caller's unit; not known: no resource */
    double upfront_seconds;       /* declared, once per training; 0 when there is none */
    double upfront_resource;
    bool feasible; /* false: may be shown, cannot win */
} bl_stats_cost_input;

/* Sorts runs by batch size and makes an input for each size, feasible, untimed; in[n] has room. The
 * number of sizes. The inputs point into `runs`. */
size_t bl_stats_cost_inputs(bl_stats_cost_input *in, bl_stats_point *runs, size_t n);

typedef enum bl_stats_goal {
    BL_STATS_FEWEST_STEPS,
    BL_STATS_FASTEST,
    BL_STATS_CHEAPEST,
    BL_STATS_GOAL_COUNT
} bl_stats_goal;

/* Steps, seconds and resource of one batch size, indexed by goal. A mean that is only bounded gives
 * bound == +1. */
typedef struct bl_stats_cost_row {
    bl_stats_value cost[BL_STATS_GOAL_COUNT];
    bool tied[BL_STATS_GOAL_COUNT]; /* feasible, not the winner, and not told apart from it */
} bl_stats_cost_row;

/* What the number of seeds allows to see. */
typedef struct bl_stats_power {
    size_t runs, more;          /* runs of a batch size now, and a larger number */
    double factor, factor_more; /* the least ratio to the winner that is told apart with each */
} bl_stats_power;

typedef struct bl_stats_optimum {
    bool known;
    size_t index; /* of the winner's row */
    size_t tied;  /* rows marked */
    bool judged;  /* the scatter is known, so `tied` means something */
    /* Share of draws from all intervals in which this batch size won; NAN without intervals. */
    double confidence;
    bl_stats_power power; /* runs == 0: not known */
} bl_stats_optimum;

/* rows[n] belongs to the caller. Intervals: 95 %, Student's t with the scatter of log steps pooled
 * over batch sizes (no repeats at all: no interval), the evaluation gap and the interval of the
 * cost per step joined to it. BL_EINVAL as in bl_stats_critical_fit. */
bl_status bl_stats_costs(bl_stats_cost_row *rows, bl_stats_optimum best[BL_STATS_GOAL_COUNT],
                         const bl_stats_cost_input *in, size_t n, const bl_stats_options *options,
                         bl_err *err) BL_CHECKED;
#endif
