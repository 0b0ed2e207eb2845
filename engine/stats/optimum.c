/* The cheapest batch sizes: steps times the cost of a step, for each of three goals (optimum.h).
 *
 * Costs are exp(median log steps) times the measured cost of a step, plus what is paid once. Their
 * intervals come from the bootstrap over seeds together with a log-normal draw for the measured
 * cost of a step; the share of replicates in which a batch size wins is its confidence. */
#include "engine/stats/optimum.h"
#include "engine/base/mem.h"
#include "engine/base/philox.h"
#include "engine/stats/groups.h"
#include <math.h>

/* Draws for costs per step stay clear of the sub-streams that number the batch sizes. */
enum { COST_STREAM = 1 << 30 };
static const double normal_97_5 = 1.959963984540054;
static const double two_pi = 6.283185307179586;

/* The inputs and their runs grouped by batch size. */
typedef struct join {
    const bl_stats_cost_input *in;
    size_t n;
    bl_stats_groups groups;
    size_t *cell; /* (n): the group of each batch size, SIZE_MAX without runs */
} join;

/* All runs in one array, for grouping. *out is the caller's to free. A batch size may be there
 * once. */
static bl_status collect_points(bl_stats_point **out, size_t *count, const bl_stats_cost_input *in,
                                size_t n, bl_err *err) {
    size_t total = 0;
    for (size_t i = 0; i < n; i++) total += in[i].run_count;
    bl_stats_point *points = bl_xalloc(total * sizeof *points);
    *count = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            if (in[j].batch_size != in[i].batch_size) continue;
            free(points);
            BL_FAIL(err, BL_EINVAL, "batch size %g appears twice", in[i].batch_size);
        }
        for (size_t r = 0; r < in[i].run_count; r++) {
            points[*count] = in[i].runs[r];
            points[(*count)++].batch_size = in[i].batch_size;
        }
    }
    *out = points;
    return BL_OK;
}

/* Which group belongs to which input. */
static void match_cells(join *j) {
    for (size_t i = 0; i < j->n; i++) {
        j->cell[i] = SIZE_MAX;
        for (size_t c = 0; c < j->groups.count; c++)
            if (j->in[i].run_count > 0 && j->groups.cells[c].log_b == log(j->in[i].batch_size))
                j->cell[i] = c;
    }
}

static const bl_stats_value *cost_per_step(const bl_stats_cost_input *in, bl_stats_goal goal) {
    return goal == BL_STATS_FASTEST ? &in->step_seconds : &in->step_resource;
}

/* What is paid once, in the goal's unit. */
static double upfront(const bl_stats_cost_input *in, bl_stats_goal goal) {
    return goal == BL_STATS_FEWEST_STEPS ? 0
           : goal == BL_STATS_FASTEST    ? in->upfront_seconds
                                         : in->upfront_resource;
}

/* Median cost of one batch size, without an interval; a lower bound where the median is censored.
 */
static bl_stats_value median_cost(const join *j, size_t i, bl_stats_goal goal) {
    if (j->cell[i] == SIZE_MAX) return bl_stats_unknown();
    const bl_stats_cell *cell = &j->groups.cells[j->cell[i]];
    double cost = exp(cell->log_s);
    if (goal != BL_STATS_FEWEST_STEPS) {
        const bl_stats_value *per_step = cost_per_step(&j->in[i], goal);
        if (!per_step->known) return bl_stats_unknown();
        cost = cost * per_step->value + upfront(&j->in[i], goal);
    }
    bl_stats_value v = bl_stats_exact(cost);
    v.bound = cell->censored ? 1 : 0;
    return v;
}

/* The factor by which a measured cost per step may be off: log-normal, its 95 % interval that of
 * the measurement. 1 where no interval was measured. */
static double cost_noise(const bl_stats_value *per_step, uint64_t seed, uint32_t sub,
                         uint64_t replicate) {
    if (!bl_stats_has_interval(per_step) || !(per_step->low > 0) || !isfinite(per_step->high))
        return 1;
    const double sd = log(per_step->high / per_step->low) / (2 * normal_97_5);
    const bl_u32x4 w = bl_random4(seed, BL_STREAM_BOOTSTRAP, sub, replicate);
    const double radius = sqrt(-2 * log(1 - bl_unit_f64(w.v[0], w.v[1])));
    return exp(sd * radius * cos(two_pi * bl_unit_f64(w.v[2], w.v[3])));
}

/* A cost that is only bounded cannot win: it may be anything above. */
static bool can_win(const join *j, const bl_stats_cost_row *row, size_t i, bl_stats_goal goal) {
    return j->in[i].feasible && row->cost[goal].known && row->cost[goal].bound == 0;
}

/* The plain minimum; of equal costs the smaller batch size. */
static void find_winner(const join *j, const bl_stats_cost_row *rows, bl_stats_optimum *best,
                        bl_stats_goal goal) {
    *best = (bl_stats_optimum){.confidence = (double)NAN};
    for (size_t i = 0; i < j->n; i++) {
        if (!can_win(j, &rows[i], i, goal)) continue;
        const double here = rows[i].cost[goal].value, old = rows[best->index].cost[goal].value;
        const bool smaller = j->in[i].batch_size < j->in[best->index].batch_size;
        if (!best->known || here < old || (here == old && smaller)) best->index = i;
        best->known = true;
    }
}

/* Costs of one replicate; what is censored in it is at infinity, and cannot win there. */
static void replicate_costs(double *costs, const join *j, const bl_stats_cost_row *rows,
                            bl_stats_cell *cells, const bl_stats_options *options, size_t r) {
    bl_stats_groups_resample(&j->groups, cells, options->seed, r);
    for (size_t i = 0; i < j->n; i++) {
        for (int goal = 0; goal < BL_STATS_GOAL_COUNT; goal++) {
            double *cost = &costs[i * BL_STATS_GOAL_COUNT + (size_t)goal];
            *cost = HUGE_VAL;
            if (!rows[i].cost[goal].known || cells[j->cell[i]].censored) continue;
            *cost = exp(cells[j->cell[i]].log_s);
            if (goal == BL_STATS_FEWEST_STEPS) continue;
            const bl_stats_value *per_step = cost_per_step(&j->in[i], goal);
            const uint32_t sub = COST_STREAM + (uint32_t)(i * BL_STATS_GOAL_COUNT) + (uint32_t)goal;
            *cost *= per_step->value * cost_noise(per_step, options->seed, sub, r);
            *cost += upfront(&j->in[i], goal);
        }
    }
}

/* The winner of one replicate by the same rule; SIZE_MAX when nobody arrived. */
static size_t winner_of(const double *costs, const join *j, const bl_stats_cost_row *rows,
                        bl_stats_goal goal) {
    size_t winner = SIZE_MAX;
    double least = HUGE_VAL;
    for (size_t i = 0; i < j->n; i++) {
        const double cost = costs[i * BL_STATS_GOAL_COUNT + goal];
        if (!can_win(j, &rows[i], i, goal) || cost > least || isinf(cost)) continue;
        if (cost == least && j->in[i].batch_size > j->in[winner].batch_size) continue;
        winner = i, least = cost;
    }
    return winner;
}

/* 95 % percentile intervals from all[replicate][batch size][goal]. */
static void intervals_of(bl_stats_cost_row *rows, const double *all, const join *j, size_t n) {
    const size_t stride = j->n * BL_STATS_GOAL_COUNT;
    const size_t tail = (size_t)floor((1 - BL_STATS_LEVEL) / 2 * (double)(n - 1));
    double *one = bl_xalloc(n * sizeof *one);
    for (size_t k = 0; k < stride; k++) {
        bl_stats_value *v = &rows[k / BL_STATS_GOAL_COUNT].cost[k % BL_STATS_GOAL_COUNT];
        if (!v->known) continue;
        for (size_t r = 0; r < n; r++) one[r] = all[r * stride + k];
        bl_stats_sort(one, n);
        /* A censored median is a lower bound, so its interval starts there at the latest. */
        v->low = v->bound > 0 ? fmin(v->value, one[tail]) : one[tail];
        v->high = one[n - 1 - tail];
    }
    free(one);
}

/* Intervals of all costs, and the confidence of each winner. */
static void bootstrap(bl_stats_cost_row *rows, bl_stats_optimum *best, const join *j,
                      const bl_stats_options *options) {
    const size_t n = (size_t)options->replicates, stride = j->n * BL_STATS_GOAL_COUNT;
    size_t wins[BL_STATS_GOAL_COUNT] = {0};
    double *all = bl_xalloc(n * stride * sizeof *all);
    bl_stats_cell *cells = bl_xalloc(j->groups.count * sizeof *cells);
    for (size_t r = 0; r < n; r++) {
        replicate_costs(all + r * stride, j, rows, cells, options, r);
        for (int goal = 0; goal < BL_STATS_GOAL_COUNT; goal++)
            wins[goal] +=
                best[goal].known && winner_of(all + r * stride, j, rows, goal) == best[goal].index;
    }
    intervals_of(rows, all, j, n);
    for (int goal = 0; goal < BL_STATS_GOAL_COUNT; goal++)
        if (best[goal].known) best[goal].confidence = (double)wins[goal] / (double)n;
    free(cells);
    free(all);
}

/* Those whose intervals overlap the winner's: the data cannot tell them apart. */
static void mark_ties(bl_stats_cost_row *rows, bl_stats_optimum *best, const join *j,
                      bl_stats_goal goal) {
    if (!best->known) return;
    const bl_stats_value *winner = &rows[best->index].cost[goal];
    best->judged = true;
    for (size_t i = 0; i < j->n; i++) {
        const bl_stats_value *v = &rows[i].cost[goal];
        if (!j->in[i].feasible || !v->known) continue;
        best->judged = best->judged && bl_stats_has_interval(v);
        rows[i].tied[goal] = i != best->index && bl_stats_has_interval(v) &&
                             bl_stats_has_interval(winner) && v->low <= winner->high &&
                             winner->low <= v->high;
        best->tied += rows[i].tied[goal];
    }
}

bl_status bl_stats_costs(bl_stats_cost_row *rows, bl_stats_optimum best[BL_STATS_GOAL_COUNT],
                         const bl_stats_cost_input *in, size_t n, const bl_stats_options *options,
                         bl_err *err) {
    join j = {.in = in, .n = n};
    bl_stats_point *points = NULL;
    size_t count = 0;
    BL_TRY(collect_points(&points, &count, in, n, err));
    const bl_status status = bl_stats_groups_init(&j.groups, points, count, err);
    free(points);
    if (status != BL_OK) return status;
    j.cell = bl_xalloc(n * sizeof *j.cell);
    match_cells(&j);
    for (size_t i = 0; i < n; i++) {
        rows[i] = (bl_stats_cost_row){0};
        for (int goal = 0; goal < BL_STATS_GOAL_COUNT; goal++)
            rows[i].cost[goal] = median_cost(&j, i, goal);
    }
    for (int goal = 0; goal < BL_STATS_GOAL_COUNT; goal++) find_winner(&j, rows, &best[goal], goal);
    if (options->replicates > 0 && j.groups.noise != BL_STATS_NOISE_NONE)
        bootstrap(rows, best, &j, options);
    for (int goal = 0; goal < BL_STATS_GOAL_COUNT; goal++) mark_ties(rows, &best[goal], &j, goal);
    free(j.cell);
    bl_stats_groups_deinit(&j.groups);
    return BL_OK;
}
