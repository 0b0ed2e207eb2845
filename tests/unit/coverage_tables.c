/* Simulated tables of steps: see the header. Every draw is a Philox number of the cell, the table
 * and the run, so that no result depends on how many tables are asked for. */
#include "tests/unit/coverage_tables.h"
#include "engine/base/philox.h"
#include "engine/stats/optimum.h"
#include "engine/stats/seed_plan.h"
#include <math.h>
#include <stdlib.h>

enum { SIZES_MOST = 16, SEEDS_MOST = 64, REPLICATES = 200, SERIES_MOST = 4 };
static const double b_crit = 1000, smallest = 32;

/* Between 200 and 400, another for each table: where it lies between two evaluations is chance. */
static double s_min_of(int table) {
    const bl_u32x4 w = bl_random4((uint64_t)table, BL_STREAM_SYNTH, 7, 0);
    return 200 * exp2(bl_unit_f64(w.v[0], w.v[1]));
}

const char *const coverage_names[COVERAGE_COUNT] = {
    [BL_STATS_B_CRIT] = "B_c",        [BL_STATS_EFFICIENCY_50] = "half",
    [BL_STATS_OVERHEAD_20] = "20 %",  [BL_STATS_PERFECT_END] = "10 %",
    [BL_STATS_MAX_USEFUL] = "useful", [BL_STATS_OVERHEAD_20_FROM] = "Zhang",
    [COVERAGE_S_MIN] = "S_min",       [COVERAGE_P] = "p",
    [COVERAGE_STEPS] = "steps",       [COVERAGE_REFUSED] = "refused",
    [COVERAGE_OTHER] = "other"};

/* A standard normal by Box and Muller. */
static double normal(uint64_t seed, uint32_t sub, uint64_t index) {
    const bl_u32x4 w = bl_random4(seed, BL_STREAM_SYNTH, sub, index);
    const double u = 1 - bl_unit_f64(w.v[0], w.v[1]), v = bl_unit_f64(w.v[2], w.v[3]);
    return sqrt(-2 * log(u)) * cos(2 * 3.14159265358979323846 * v);
}

/* The first evaluation at or after `steps`, and the one before. */
static void see(bl_stats_point *p, double steps, double ratio) {
    double k = ceil(log(steps) / log(ratio));
    while (ceil(pow(ratio, k)) < steps) k++;
    p->steps = ceil(pow(ratio, k));
    do {
        p->steps_prev = ceil(pow(ratio, --k));
    } while (p->steps_prev >= p->steps && k > 0);
}

/* ---- learning rates ---- */

enum { RATES = 3, RACE_SEEDS = 3 };
static const double bend = 0.24; /* log steps are bend x^2 / 2 around the best rate */

static double median3(const double *x) {
    return fmax(fmin(x[0], x[1]), fmin(fmax(x[0], x[1]), x[2]));
}

/* By how much the rates that were chosen are worse than the best, in log steps of each size. Places
 * are doublings from the middle of three rates; best[i] lies within half of one. */
static void choose_rates(double worse[SIZES_MOST], const coverage_setup *s, uint32_t stream,
                         int table) {
    double best[SIZES_MOST], place[SIZES_MOST], slope[SIZES_MOST], sharp = 0;
    int lead[SIZES_MOST];
    for (int i = 0; i < s->sizes; i++) {
        const bl_u32x4 w = bl_random4((uint64_t)table, BL_STREAM_SYNTH, stream + 3, (uint64_t)i);
        double mean[RATES], middle[RATES];
        best[i] = bl_unit_f64(w.v[0], w.v[1]) - 0.5;
        lead[i] = 0;
        for (int k = 0; k < RATES; k++) {
            double run[RACE_SEEDS], off = k - 1 - best[i];
            mean[k] = bend / 2 * off * off;
            for (int r = 0; r < RACE_SEEDS; r++) {
                const uint64_t index = (uint64_t)((i * RATES + k) * RACE_SEEDS + r);
                run[r] =
                    bend / 2 * off * off + s->noise * normal((uint64_t)table, stream + 5, index);
                mean[k] += (run[r] - bend / 2 * off * off) / RACE_SEEDS;
            }
            middle[k] = median3(run);
            if (middle[k] < middle[lead[i]]) lead[i] = k;
        }
        slope[i] = (mean[2] - mean[0]) / 2;
        sharp += (mean[2] - 2 * mean[1] + mean[0]) / s->sizes;
    }
    for (int i = 0; i < s->sizes; i++)
        place[i] = sharp > 0 ? fmin(fmax(-slope[i] / sharp, -1), 1) : lead[i] - 1;
    for (int i = 0; i < s->sizes; i++) {
        const bool inner = i > 0 && i + 1 < s->sizes;
        /* Best rates of neighbours have nothing to do with each other here: the worst case. */
        const double between = inner ? (place[i - 1] + place[i] + place[i + 1]) / 3 : place[i];
        const double at = s->rate == COVERAGE_RATE_BETWEEN ? between : lead[i] - 1;
        const double of_grid = s->rate == COVERAGE_RATE_GRID ? best[i] * best[i] : 0;
        worse[i] = bend / 2 * ((at - best[i]) * (at - best[i]) - of_grid);
    }
}

/* How far the true log steps of size i lie off the curve. */
static double misfit_of(const coverage_setup *s, uint32_t stream, int table, int i) {
    return s->misfit > 0 ? s->misfit * normal((uint64_t)table, stream + 1, (uint64_t)i) : 0;
}

/* Runs of one table; `stream` keeps cells and series apart. */
static size_t draw(bl_stats_point *out, const bl_stats_curve *curve, const coverage_setup *s,
                   uint32_t stream, int table) {
    size_t n = 0;
    double off[SIZES_MOST] = {0};
    if (s->rate != COVERAGE_RATE_KNOWN) choose_rates(off, s, stream, table);
    for (int i = 0; i < s->sizes; i++) off[i] += misfit_of(s, stream, table, i);
    for (int i = 0; i < s->sizes; i++)
        for (int r = 0; r < s->seeds; r++) {
            bl_stats_point p = {.batch_size = smallest * exp2(i), .seed = r};
            const double shift = off[i] + s->noise * normal((uint64_t)table, stream, n);
            see(&p, bl_stats_curve_at(curve, p.batch_size) * exp(shift), s->ratio);
            out[n++] = p;
        }
    return n;
}

static uint32_t stream_of(const coverage_setup *s, int series) {
    return (uint32_t)(lround(s->p * 10) * 1000003 + lround(s->noise * 1000) * 1009 +
                      lround(s->ratio * 1000) * 31 + s->seeds * 7 + s->sizes + series * 50021);
}

static void count(coverage_count *c, const bl_stats_value *v, double truth) {
    if (!bl_stats_has_interval(v)) return;
    c->of++;
    c->held += v->low <= truth && truth <= v->high;
}

/* The mean log steps up to the evaluation that sees the target: half a gap above the curve. */
static void count_steps(coverage_count *c, const bl_stats_point *points, const coverage_setup *s,
                        const bl_stats_curve *curve, int table) {
    bl_stats_cost_input in[SIZES_MOST] = {0};
    bl_stats_cost_row rows[SIZES_MOST];
    bl_stats_optimum best[BL_STATS_GOAL_COUNT];
    const bl_stats_options options = {.seed = 1, .replicates = 1};
    for (int i = 0; i < s->sizes; i++)
        in[i] = (bl_stats_cost_input){.batch_size = points[i * s->seeds].batch_size,
                                      .runs = points + (ptrdiff_t)i * s->seeds,
                                      .run_count = (size_t)s->seeds,
                                      .step_seconds = bl_stats_unknown(),
                                      .step_resource = bl_stats_unknown(),
                                      .feasible = i == 0};
    bl_err err;
    if (bl_stats_costs(rows, best, in, (size_t)s->sizes, &options, &err) != BL_OK) abort();
    for (int i = 0; i < s->sizes; i++)
        count(c, &rows[i].cost[BL_STATS_FEWEST_STEPS],
              bl_stats_curve_at(curve, in[i].batch_size) * sqrt(s->ratio) *
                  exp(misfit_of(s, stream_of(s, 0), table, i)));
}

void coverage_run(coverage_count out[COVERAGE_COUNT], const coverage_setup *setup, int first,
                  int tables) {
    bl_stats_point points[SIZES_MOST * SEEDS_MOST];
    for (int i = 0; i < COVERAGE_COUNT; i++) out[i] = (coverage_count){0};
    for (int table = first; table < first + tables; table++) {
        bl_stats_critical c;
        const bl_stats_curve truth = {s_min_of(table), b_crit, setup->p};
        const size_t n = draw(points, &truth, setup, stream_of(setup, 0), table);
        const bl_stats_options options = {.seed = (uint64_t)table, .replicates = REPLICATES};
        bl_err err;
        if (bl_stats_critical_fit(&c, points, n, &options, &err) != BL_OK) abort();
        for (int i = 0; i < BL_STATS_DEFINITION_COUNT; i++)
            count(&out[i], &c.of[i],
                  exp(bl_stats_definition_at((bl_stats_definition)i, &truth, log(smallest))));
        count(&out[COVERAGE_S_MIN], &c.curve.s_min, truth.s_min);
        count(&out[COVERAGE_P], &c.curve.p, setup->p);
        if (setup->seeds > 1) count_steps(&out[COVERAGE_STEPS], points, setup, &truth, table);
        out[COVERAGE_REFUSED].of += c.curve.known;
        out[COVERAGE_REFUSED].held += c.curve.refused;
        out[COVERAGE_OTHER].of++;
        out[COVERAGE_OTHER].held += c.source != BL_STATS_BY_CURVE;
    }
}

coverage_count coverage_equal_sizes(double noise, int seeds, int sizes, double ratio, int first,
                                    int tables) {
    const coverage_setup setup = {
        .p = 1, .noise = noise, .ratio = ratio, .seeds = seeds, .sizes = sizes};
    bl_stats_point points[SIZES_MOST * SEEDS_MOST];
    coverage_count out = {0};
    for (int table = first; table < first + tables; table++) {
        bl_stats_cost_input in[SIZES_MOST] = {0};
        bl_stats_cost_row rows[SIZES_MOST];
        bl_stats_optimum best[BL_STATS_GOAL_COUNT];
        const bl_stats_options options = {.seed = 1, .replicates = 1};
        const bl_stats_curve flat = {s_min_of(table), 1e-9, 1};
        (void)draw(points, &flat, &setup, stream_of(&setup, 99), table);
        for (int i = 0; i < sizes; i++)
            in[i] = (bl_stats_cost_input){.batch_size = points[i * seeds].batch_size,
                                          .runs = points + (ptrdiff_t)i * seeds,
                                          .run_count = (size_t)seeds,
                                          .step_seconds = bl_stats_unknown(),
                                          .step_resource = bl_stats_unknown(),
                                          .feasible = true};
        bl_err err;
        if (bl_stats_costs(rows, best, in, (size_t)sizes, &options, &err) != BL_OK) abort();
        out.of++;
        out.held += best[BL_STATS_FEWEST_STEPS].tied < (size_t)sizes - 1;
    }
    return out;
}

/* One pair of series. True where it is told apart. */
static bool pair(coverage_series *out, const bl_stats_critical *a, const bl_stats_critical *b,
                 size_t series, double truth) {
    const bl_stats_value v =
        bl_stats_ratio_of(&a->of[BL_STATS_B_CRIT], &b->of[BL_STATS_B_CRIT], series);
    count(&out->held, &v, truth);
    out->sign.of++;
    out->sign.held += v.known && (v.value > 1) == (truth > 1);
    return bl_stats_has_interval(&v) && (v.low > 1 || v.high < 1);
}

coverage_series coverage_compare(const coverage_setup *setup, int series, double factor, int first,
                                 int tables) {
    coverage_series out = {0};
    bl_stats_point points[SIZES_MOST * SEEDS_MOST];
    for (int table = first; table < first + tables; table++) {
        bl_stats_critical c[SERIES_MOST];
        for (int i = 0; i < series; i++) {
            const bl_stats_curve truth = {s_min_of(table), b_crit / sqrt(factor) * pow(factor, i),
                                          setup->p};
            const size_t n = draw(points, &truth, setup, stream_of(setup, i + 1), table);
            const bl_stats_options options = {.seed = 1, .replicates = REPLICATES};
            bl_err err;
            if (bl_stats_critical_fit(&c[i], points, n, &options, &err) != BL_OK) abort();
        }
        bool apart = false;
        for (int i = 0; i < series; i++)
            for (int j = i + 1; j < series; j++)
                apart = pair(&out, &c[i], &c[j], (size_t)series, pow(factor, j - i)) || apart;
        out.apart.of++;
        out.apart.held += apart;
    }
    return out;
}

/* The runs that count now: each size's fresh ones, seeds .. fresh[i] - 1, where it has some. */
static size_t gather(bl_stats_point *out, const bl_stats_point *all, const coverage_setup *s,
                     const int *fresh) {
    size_t n = 0;
    for (int i = 0; i < s->sizes; i++) {
        const int from = fresh[i] > 0 ? s->seeds : 0, count = fresh[i] > 0 ? fresh[i] : s->seeds;
        for (int r = from; r < from + count; r++) out[n++] = all[i * SEEDS_MOST + r];
    }
    return n;
}

static bool is_wide(const bl_stats_value *v, double precision) {
    return !bl_stats_has_interval(v) || !(v->low > 0) || v->high / v->low > precision;
}

/* The size that needs seeds, as scripts/lua/fresh.lua has it; SIZE_MAX: none. */
static size_t needed(const bl_stats_seed_plan *plan, double precision) {
    size_t widest = 0;
    for (size_t i = 1; i < plan->count; i++)
        if (plan->size[i].share > plan->size[widest].share) widest = i;
    if (is_wide(&plan->b_crit, precision) && plan->size[widest].share > 0) return widest;
    return is_wide(&plan->size[plan->fewest].steps, precision) ? plan->fewest : SIZE_MAX;
}

coverage_sharpened coverage_sharpen(const coverage_setup *setup, double precision, int first,
                                    int tables) {
    static bl_stats_point all[SIZES_MOST * SEEDS_MOST], now[SIZES_MOST * SEEDS_MOST];
    coverage_sharpened out = {0};
    coverage_setup many = *setup;
    many.seeds = SEEDS_MOST;
    for (int table = first; table < first + tables; table++) {
        const bl_stats_curve truth = {s_min_of(table), b_crit, setup->p};
        int fresh[SIZES_MOST] = {0}, spent = 0;
        (void)draw(all, &truth, &many, stream_of(setup, 77), table);
        for (;;) {
            bl_stats_seed_plan plan;
            bl_err err;
            const size_t n = gather(now, all, setup, fresh);
            if (bl_stats_plan_seeds(&plan, now, n, &err) != BL_OK) abort();
            const size_t at = needed(&plan, precision);
            if (at == SIZE_MAX || spent + setup->seeds > setup->seeds * setup->sizes ||
                fresh[at] + 2 * setup->seeds > SEEDS_MOST) {
                count(&out.held, &plan.b_crit, b_crit);
                out.known.of++;
                out.known.held += at == SIZE_MAX && !is_wide(&plan.b_crit, precision);
                break;
            }
            fresh[at] += setup->seeds;
            spent += setup->seeds;
        }
        out.runs += (double)spent / tables;
    }
    return out;
}
