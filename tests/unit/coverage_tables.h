/* Simulated tables of steps with a known truth, and how often what is printed of them is right.
 * tests/bench/coverage.c prints 2,000 tables a cell, tests/unit/stats_coverage_test.c runs fewer.
 */
#ifndef BL_TESTS_UNIT_COVERAGE_TABLES_H
#define BL_TESTS_UNIT_COVERAGE_TABLES_H
#include "engine/stats/critical.h"
#include <stdint.h>

/* How the learning rate of a size was chosen. Log steps rise by 0.12 x^2 around the best rate, x in
 * doublings, which lies anywhere between two rates of the grid. Three seeds each run at the three
 * rates around it; the runs of the table have seeds of their own. */
typedef enum coverage_rate {
    COVERAGE_RATE_KNOWN,  /* the best */
    COVERAGE_RATE_GRID,   /* the lowest median of the three */
    COVERAGE_RATE_BETWEEN /* by parabolas, as scripts/lua/fresh.lua has it */
} coverage_rate;

/* One cell of the table: S = S_min (1 + (1000 / B)^p)^(1 / p) at `sizes` doublings from 32, S_min
 * between 200 and 400, `seeds`
 * runs each whose log steps scatter by `noise`; a target is seen at evaluations whose steps grow by
 * the factor `ratio`. */
typedef struct coverage_setup {
    double p, noise, ratio;
    int seeds, sizes;
    double misfit; /* standard deviation of the true log steps of the sizes around the curve */
    coverage_rate rate;
} coverage_setup;

/* What can be asked of each table, after the definitions of bl_stats_definition. */
enum {
    COVERAGE_S_MIN = BL_STATS_DEFINITION_COUNT,
    COVERAGE_P,
    COVERAGE_STEPS,   /* the mean steps of every batch size */
    COVERAGE_REFUSED, /* not an interval: tables whose curve was refused */
    COVERAGE_OTHER,   /* neither: tables that one curve does not answer */
    COVERAGE_COUNT
};
extern const char *const coverage_names[COVERAGE_COUNT];

typedef struct coverage_count {
    int held, of; /* intervals that held the truth, of those printed */
} coverage_count;

/* The tables `first` .. `first + tables - 1` of a cell: equal numbers on every machine. */
void coverage_run(coverage_count out[COVERAGE_COUNT], const coverage_setup *setup, int first,
                  int tables);

/* Sizes that are truly equal: tables in which one is told apart from the winner. */
coverage_count coverage_equal_sizes(double noise, int seeds, int sizes, double ratio, int first,
                                    int tables);

/* `series` curves whose B_crit grow by `factor` from one to the next, compared in all pairs: the
 * pairs' intervals that hold the truth; tables in which some pair is told apart; pairs of which the
 * estimate has the right sign. */
typedef struct coverage_series {
    coverage_count held, apart, sign;
} coverage_series;
coverage_series coverage_compare(const coverage_setup *setup, int series, double factor, int first,
                                 int tables);

/* Seeds where they are needed (scripts/lua/fresh.lua): rounds of setup->seeds go to the size with
 * the largest share until high / low of b_crit is `precision`, then to the size with the fewest
 * steps until that of its steps is, or until as many runs were added as there were. `held`: of
 * b_crit; `known`: tables in which both came so far; `runs`: further runs per table. */
typedef struct coverage_sharpened {
    coverage_count held, known;
    double runs;
} coverage_sharpened;
coverage_sharpened coverage_sharpen(const coverage_setup *setup, double precision, int first,
                                    int tables);
#endif
