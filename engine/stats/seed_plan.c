/* Where further seeds help.
 *
 * log b_crit is, near its fit, a weighted sum of the means: log b_crit = sum c_i y_i with
 * c = C J' W, C the covariance of the fit, J the curve's slopes, W the weights. A mean whose seeds
 * have the variance v_i adds c_i^2 v_i to the variance of log b_crit, and n of its n + 1 parts stay
 * when it gets one seed more. The size with the largest share gains most. */
#include "engine/stats/seed_plan.h"
#include "engine/base/mem.h"
#include "engine/stats/groups.h"
#include "engine/stats/optimum.h"
#include <math.h>
#include <string.h>

static const bl_stats_options exact = {.seed = 1, .replicates = 1};

/* The fewest steps and what cannot be told from them. Sorts `runs`. */
static bl_status find_ties(bl_stats_seed_plan *out, bl_stats_point *runs, size_t n, bl_err *err) {
    bl_stats_cost_input *in = bl_xalloc((n + 1) * sizeof *in);
    bl_stats_cost_row *rows = bl_xalloc(BL_STATS_SEED_SIZES * sizeof *rows);
    bl_stats_optimum best[BL_STATS_GOAL_COUNT];
    bl_status status = BL_OK;
    const size_t count = bl_stats_cost_inputs(in, runs, n);
    if (count > BL_STATS_SEED_SIZES) {
        status = BL_ERR(err, BL_EINVAL, "more than %d batch sizes", BL_STATS_SEED_SIZES);
        goto done;
    }
    BL_GOTO(bl_stats_costs(rows, best, in, count, &exact, err));
    if (best[BL_STATS_FEWEST_STEPS].known) out->fewest = best[BL_STATS_FEWEST_STEPS].index;
    out->count = count;
    for (size_t i = 0; i < count; i++)
        out->size[i] = (bl_stats_seed_size){.batch_size = in[i].batch_size,
                                            .steps = rows[i].cost[BL_STATS_FEWEST_STEPS],
                                            .tied = rows[i].tied[BL_STATS_FEWEST_STEPS]};
done:
    free(rows);
    free(in);
    return status;
}

/* The shares at a fit with the free parameters of `c`. */
static void find_shares(bl_stats_seed_plan *out, const bl_stats_groups *g,
                        const bl_stats_curve *c) {
    double spread[3][3];
    const int free = bl_stats_curve_free(c, BL_STATS_SHAPE_MOST);
    if (!bl_stats_curve_covariance(spread, c, free, g->cells, g->count)) return;
    double all = 0;
    for (size_t i = 0; i < g->count; i++) {
        double by[3], pull = 0;
        if (g->cells[i].censored) continue;
        bl_stats_curve_slopes(by, log(c->b_crit) - g->cells[i].log_b, c->p);
        for (int k = 0; k < free; k++) pull += spread[1][k] * by[k];
        pull *= g->cells[i].weight;
        out->size[i].share = pull * pull * bl_stats_cell_share(g, i);
        all += out->size[i].share;
    }
    for (size_t i = 0; i < g->count && all > 0; i++) out->size[i].share /= all;
}

bl_status bl_stats_plan_seeds(bl_stats_seed_plan *out, const bl_stats_point *points, size_t n,
                              bl_err *err) {
    *out = (bl_stats_seed_plan){.b_crit = bl_stats_unknown(), .fewest = SIZE_MAX};
    bl_stats_critical c;
    BL_TRY(bl_stats_critical_fit(&c, points, n, &exact, err));
    bl_stats_point *runs = bl_xalloc((n + 1) * sizeof *runs);
    bl_stats_groups g = {0};
    if (n > 0) memcpy(runs, points, n * sizeof *runs);
    bl_status status = BL_OK;
    BL_GOTO(find_ties(out, runs, n, err));
    BL_GOTO(bl_stats_groups_init(&g, points, n, BL_STATS_COUNT_MIDDLE, err));
    out->b_crit = c.curve.b_crit;
    for (size_t i = 0; i < g.count; i++) g.cells[i].weight = 1 / bl_stats_cell_share(&g, i);
    if (c.curve.known) find_shares(out, &g, &c.curve.curve);
done:
    bl_stats_groups_deinit(&g);
    free(runs);
    return status;
}
