/* Time per step against batch size, as a straight line
 *
 *     t(B) = fixed + each B            seconds, B examples
 *
 * by relative least squares: the sum of ((t - line) / t)^2 over the sizes is least, so that a small
 * size counts as much as a large one. From the line follow
 *
 *     half speed       B = fixed / each, where half of a step does not depend on the batch
 *     a share q        B = fixed / each q / (1 - q): 9 times that for 90 %, 19 times for 95 %
 *     1 / each         the examples per second that no batch size passes, if the line holds
 *
 * A line that misses a size by more than BL_STATS_LINE_FINDING is a finding, not an answer.
 *
 * The order: one bl_stats_step_size for each batch size, ascending; bl_stats_fit_step_line; then
 * bl_stats_step_best for the fastest size measured and those not told apart from it. Example:
 *
 *     const double a[] = {.140}, b[] = {.167}, c[] = {.596};
 *     const bl_stats_step_size size[] = {{100, a, 1, NULL}, {128, b, 1, NULL}, {511, c, 1, NULL}};
 *     const bl_stats_step_line line = bl_stats_fit_step_line(size, 3);
 *     line.fixed.value, line.each.value, bl_stats_step_line_share(&line, 0.9)
 *
 * Callers: batchlab fit --times, machine, run and its figures. Pure. */
#ifndef BL_ENGINE_STATS_STEP_LINE_H
#define BL_ENGINE_STATS_STEP_LINE_H
#include "engine/stats/equivalence.h"
#include "engine/stats/summary.h"
#include <stdbool.h>
#include <stddef.h>

#define BL_STATS_LINE_FINDING 0.05
#define BL_STATS_DISTURBED    0.10

typedef struct bl_stats_step_size {
    double batch_size;
    const double *seconds;   /* (repeats) of one step; repeat r of all sizes belongs to one round */
    size_t repeats;          /* at least 1 */
    const double *processor; /* (repeats) processor time of the same steps; NULL: not known */
} bl_stats_step_size;

typedef struct bl_stats_step_line {
    bool known;                 /* two batch sizes or more; else nothing below says anything */
    bl_stats_value fixed, each; /* seconds; intervals from three sizes on, by Student's t */
    double worst;               /* the largest t / line - 1 by its amount, sign kept */
    size_t worst_index;         /* of which size */
    bool flat;                  /* the time does not grow with the batch: `each` is 0 */
    bool through_zero;          /* a free line would have begun below 0: `fixed` is 0 */
} bl_stats_step_line;

/* Sizes in ascending order, each once; their medians count. */
bl_stats_step_line bl_stats_fit_step_line(const bl_stats_step_size *size, size_t n);
double bl_stats_step_line_at(const bl_stats_step_line *line, double batch_size);
/* The batch size at which a share in (0, 1) of the line's most examples per second is reached; NAN
 * where the line is flat or unknown. 0.5 is the knee. */
double bl_stats_step_line_share(const bl_stats_step_line *line, double share);
/* Median of t / line - 1. */
double bl_stats_step_line_miss(const bl_stats_step_line *line, const bl_stats_step_size *size);

/* Is the size measured often enough for an interval? */
bool bl_stats_step_judged(const bl_stats_step_size *size);
/* Examples per second, with the interval of a median. */
bl_stats_value bl_stats_step_speed(const bl_stats_step_size *size);
/* The index of the size with the most examples per second. tied[n]: the size's matched repeats do
 * not tell it apart from that one; false for all where a repeat is missing. n >= 1. */
size_t bl_stats_step_best(const bl_stats_step_size *size, size_t n, bool *tied);

/* How other work on the machine shows in the times of some sizes. A step that waits for nothing
 * takes as long by the clock as on the processor. A neighbour that shares caches or a core makes
 * both longer, from which the fastest repeat has suffered least:
 *
 *     off = median by the clock / least processor time - 1        (without it: least by the clock)
 *
 * The times may be so much too long. Above BL_STATS_DISTURBED that has to be said. */
typedef struct bl_stats_disturbance {
    double other; /* share of the clock that the steps were not on the processor, the worst size's
                     median; NAN: processor times are not known */
    double off;   /* of the worst size; 0: fewer than 3 repeats and no processor times */
} bl_stats_disturbance;
bl_stats_disturbance bl_stats_step_disturbance(const bl_stats_step_size *size, size_t n);
/* The line through the medians of processor times; unknown where a size has none. */
bl_stats_step_line bl_stats_fit_processor_line(const bl_stats_step_size *size, size_t n);

/* Sizes at most so far apart are neighbours, which differ in nothing but a number: 127 and 128. */
#define BL_STATS_NEIGHBOURS 1.04
/* The margin within which times count as equal. */
#define BL_STATS_EQUAL_MARGIN 0.02
/* Is the time of b what a's says it should be, off the line of all others? By matched
 * repeats, of processor times where both have them. *ratio: b over a. */
bl_stats_equal bl_stats_step_equal(bl_stats_value *ratio, const bl_stats_step_size *size, size_t n,
                                   size_t a, size_t b);
/* The same of the sizes that are multiples of `of` against the others: ratios of geometric means
 * over sizes, repeat by repeat. UNJUDGED where one of the groups is empty. */
bl_stats_equal bl_stats_step_multiples(bl_stats_value *ratio, const bl_stats_step_size *size,
                                       size_t n, double of);

/* The same of the sizes that `named`[i] marks. */
bl_stats_equal bl_stats_step_named(bl_stats_value *ratio, const bl_stats_step_size *size, size_t n,
                                   const bool *named);

/* Memory against batch size: what an evaluation takes, whatever the batch, until a step takes more:
 *
 *     M(B) = max(least, fixed + each B)
 *
 * The smallest sizes that agree to 1 %, or to `noise`, lie on `least`, if there are two or more;
 * the line goes through the others. */
typedef struct bl_stats_floor_line {
    bl_stats_step_line line; /* flat: no size lies above `least` */
    double least;            /* 0: no such sizes */
    double worst;            /* as in bl_stats_step_line, of sizes off by more than noise */
    double worst_size;       /* ... at this batch size */
} bl_stats_floor_line;
bl_stats_floor_line bl_stats_fit_floor_line(const bl_stats_step_size *size, size_t n, double noise);
/* NAN: the line is not known. */
double bl_stats_floor_line_at(const bl_stats_floor_line *fit, double batch_size);

/* Between neighbours a step takes longer than in proportion to the batch by more than the finding's
 * 5 %: throughput falls. */
bool bl_stats_step_falls(const bl_stats_step_size *size, const bl_stats_step_size *next);
#endif
