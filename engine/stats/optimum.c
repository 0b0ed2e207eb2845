/* The cheapest batch sizes: steps times the cost of a step, for each of three goals (optimum.h).
 *
 * A cost is exp(mean log steps) times the measured cost of a step, plus what is paid once. Its
 * logarithm has a variance of three parts: the seeds' (pooled over batch sizes, so that even two
 * runs of each say how sure a mean is), the evaluation gap's and the timing's. Intervals are
 * Student's t.
 *
 * Which sizes cannot be told from the winner is asked of the differences to it. The winner was
 * chosen by the data: of k equal sizes the smallest lies below the largest by the range of k means,
 * so Tukey's studentized range holds, not Dunnett's value for a size that was named beforehand. */
#include "engine/stats/optimum.h"
#include "engine/base/mem.h"
#include "engine/stats/distributions.h"
#include "engine/stats/groups.h"
#include "engine/stats/resample.h"
#include <math.h>

enum { MORE_RUNS = 8 }; /* of the sentence on what further seeds would show */

/* The logarithm of one cost. */
typedef struct log_cost {
    double mean, variance, seeds; /* seeds: the part of the variance that is estimated from them */
} log_cost;

/* The inputs and their runs grouped by batch size. */
typedef struct join {
    const bl_stats_cost_input *in;
    size_t n;
    bl_stats_groups groups;
    size_t *cell; /* (n): the group of each batch size, SIZE_MAX without runs */
    const bl_stats_cost_row *rows;
} join;

static int by_size(const void *pa, const void *pb) {
    const bl_stats_point *a = pa, *b = pb;
    return (a->batch_size > b->batch_size) - (a->batch_size < b->batch_size);
}

size_t bl_stats_cost_inputs(bl_stats_cost_input *in, bl_stats_point *runs, size_t n) {
    size_t sizes = 0;
    if (n > 1) qsort(runs, n, sizeof *runs, by_size);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || runs[i].batch_size != runs[i - 1].batch_size)
            in[sizes++] = (bl_stats_cost_input){.batch_size = runs[i].batch_size,
                                                .runs = runs + i,
                                                .step_seconds = bl_stats_unknown(),
                                                .step_resource = bl_stats_unknown(),
                                                .feasible = true};
        in[sizes - 1].run_count++;
    }
    return sizes;
}

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

/* The cost of one batch size, without an interval; a lower bound where too few runs arrived. */
static bl_stats_value plain_cost(const join *j, size_t i, bl_stats_goal goal) {
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

/* The variance of the logarithm of a measured cost per step, from its 95 % interval. */
static double step_variance(const bl_stats_value *per_step) {
    if (!bl_stats_has_interval(per_step) || !(per_step->low > 0) || !isfinite(per_step->high))
        return 0;
    const double sd = log(per_step->high / per_step->low) / (2 * bl_stats_normal_quantile(0.975));
    return sd * sd;
}

/* Of a known cost. What is paid once does not scatter. */
static log_cost log_cost_of(const join *j, size_t i, bl_stats_goal goal) {
    const size_t cell = j->cell[i];
    const double cost = j->rows[i].cost[goal].value;
    const double moves = (cost - upfront(&j->in[i], goal)) / cost;
    const double seeds = j->groups.variance * bl_stats_cell_share(&j->groups, cell);
    double variance = seeds + bl_stats_cell_shared_gap(&j->groups, cell);
    if (goal != BL_STATS_FEWEST_STEPS) variance += step_variance(cost_per_step(&j->in[i], goal));
    return (log_cost){log(cost), variance * moves * moves, seeds * moves * moves};
}

/* Satterthwaite's degrees of freedom of a sum of variances. */
static double freedom_of(const join *j, double variance, double seeds) {
    if (!(seeds > 0)) return HUGE_VAL;
    return j->groups.freedom * (variance / seeds) * (variance / seeds);
}

static void set_interval(bl_stats_value *v, const join *j, size_t i, bl_stats_goal goal) {
    if (v->bound > 0) {
        v->low = v->value;
        v->high = HUGE_VAL;
        return;
    }
    const log_cost c = log_cost_of(j, i, goal);
    const double t =
        bl_stats_t_quantile((1 + BL_STATS_LEVEL) / 2, freedom_of(j, c.variance, c.seeds));
    v->low = v->value * exp(-t * sqrt(c.variance));
    v->high = v->value * exp(t * sqrt(c.variance));
}

/* A cost that is only bounded cannot win: it may be anything above. */
static bool can_win(const join *j, size_t i, bl_stats_goal goal) {
    const bl_stats_value *v = &j->rows[i].cost[goal];
    return j->in[i].feasible && v->known && v->bound == 0;
}

/* The plain minimum; of equal costs the smaller batch size. */
static void find_winner(const join *j, bl_stats_optimum *best, bl_stats_goal goal) {
    *best = (bl_stats_optimum){.confidence = (double)NAN};
    for (size_t i = 0; i < j->n; i++) {
        if (!can_win(j, i, goal)) continue;
        const double here = j->rows[i].cost[goal].value,
                     old = j->rows[best->index].cost[goal].value;
        const bool smaller = j->in[i].batch_size < j->in[best->index].batch_size;
        if (!best->known || here < old || (here == old && smaller)) best->index = i;
        best->known = true;
    }
}

/* The share of draws in which the winner wins. */
static double confidence(const join *j, const bl_stats_optimum *best, bl_stats_goal goal,
                         const bl_stats_options *options) {
    log_cost *costs = bl_xalloc(j->n * sizeof *costs);
    for (size_t i = 0; i < j->n; i++)
        if (can_win(j, i, goal)) costs[i] = log_cost_of(j, i, goal);
    int wins = 0;
    for (int r = 0; r < options->replicates; r++) {
        size_t winner = best->index;
        double least = HUGE_VAL;
        for (size_t i = 0; i < j->n; i++) {
            if (!can_win(j, i, goal)) continue;
            const double z = bl_stats_normal(options->seed, (uint32_t)i, (uint64_t)r);
            const double here = costs[i].mean + sqrt(costs[i].variance) * z;
            if (here < least) winner = i, least = here;
        }
        wins += winner == best->index;
    }
    free(costs);
    return wins / (double)options->replicates;
}

/* The contenders: feasible, with a cost. Their number; their summed variances. */
static size_t contenders(const join *j, bl_stats_goal goal, log_cost *sum) {
    size_t k = 0;
    *sum = (log_cost){0};
    for (size_t i = 0; i < j->n; i++) {
        if (!j->in[i].feasible || !j->rows[i].cost[goal].known) continue;
        const log_cost c = log_cost_of(j, i, goal);
        sum->variance += c.variance;
        sum->seeds += c.seeds;
        k++;
    }
    return k;
}

/* Differences of two means of k in units of their standard deviation that chance makes in 5 %. */
static double critical_difference(size_t k, double freedom) {
    return bl_stats_range_quantile(BL_STATS_LEVEL, (int)k, freedom) / sqrt(2);
}

/* What is told apart with the runs of the winner, and with more at every size. */
static bl_stats_power power_of(const join *j, size_t winner, size_t k, double d) {
    const bl_stats_groups *g = &j->groups;
    const size_t cell = j->cell[winner], runs = g->first[cell + 1] - g->first[cell];
    const size_t more = runs < MORE_RUNS ? MORE_RUNS : 2 * runs;
    const double gap = bl_stats_cell_shared_gap(g, cell);
    const double later = critical_difference(k, (double)(k * (more - 1)));
    return (bl_stats_power){.runs = runs,
                            .more = more,
                            .factor = exp(d * sqrt(2 * (g->variance / (double)runs + gap))),
                            .factor_more =
                                exp(later * sqrt(2 * (g->variance / (double)more + gap)))};
}

/* Those whose difference to the winner may be chance. */
static void mark_ties(bl_stats_cost_row *rows, bl_stats_optimum *best, const join *j,
                      bl_stats_goal goal) {
    log_cost sum;
    const size_t k = contenders(j, goal, &sum);
    best->judged = true;
    if (k < 2) return;
    const double d = critical_difference(k, freedom_of(j, sum.variance, sum.seeds));
    const log_cost winner = log_cost_of(j, best->index, goal);
    for (size_t i = 0; i < j->n; i++) {
        if (i == best->index || !j->in[i].feasible || !rows[i].cost[goal].known) continue;
        const log_cost c = log_cost_of(j, i, goal);
        rows[i].tied[goal] = c.mean - winner.mean <= d * sqrt(c.variance + winner.variance);
        best->tied += rows[i].tied[goal];
    }
    if (goal == BL_STATS_FEWEST_STEPS) best->power = power_of(j, best->index, k, d);
}

/* Intervals, ties and confidence, where the scatter is known. */
static void judge(bl_stats_cost_row *rows, bl_stats_optimum *best, const join *j,
                  const bl_stats_options *options) {
    for (int goal = 0; goal < BL_STATS_GOAL_COUNT; goal++) {
        const bl_stats_goal g = (bl_stats_goal)goal;
        for (size_t i = 0; i < j->n; i++)
            if (rows[i].cost[goal].known) set_interval(&rows[i].cost[goal], j, i, g);
        if (!best[goal].known) continue;
        mark_ties(rows, &best[goal], j, g);
        best[goal].confidence = confidence(j, &best[goal], g, options);
    }
}

bl_status bl_stats_costs(bl_stats_cost_row *rows, bl_stats_optimum best[BL_STATS_GOAL_COUNT],
                         const bl_stats_cost_input *in, size_t n, const bl_stats_options *options,
                         bl_err *err) {
    join j = {.in = in, .n = n, .rows = rows};
    bl_stats_point *points = NULL;
    size_t count = 0;
    BL_TRY(collect_points(&points, &count, in, n, err));
    const bl_status status =
        bl_stats_groups_init(&j.groups, points, count, BL_STATS_COUNT_SEEN, err);
    free(points);
    if (status != BL_OK) return status;
    j.cell = bl_xalloc((n + 1) * sizeof *j.cell);
    match_cells(&j);
    for (size_t i = 0; i < n; i++) {
        rows[i] = (bl_stats_cost_row){0};
        for (int goal = 0; goal < BL_STATS_GOAL_COUNT; goal++)
            rows[i].cost[goal] = plain_cost(&j, i, (bl_stats_goal)goal);
    }
    for (int goal = 0; goal < BL_STATS_GOAL_COUNT; goal++)
        find_winner(&j, &best[goal], (bl_stats_goal)goal);
    if (options->replicates > 0 && j.groups.freedom > 0) judge(rows, best, &j, options);
    free(j.cell);
    bl_stats_groups_deinit(&j.groups);
    return BL_OK;
}
