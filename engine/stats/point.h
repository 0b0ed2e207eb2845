/* One run as the statistics see it, and what all of them share: bounds, levels, sources of noise.
 */
#ifndef BL_ENGINE_STATS_POINT_H
#define BL_ENGINE_STATS_POINT_H
#include <stdbool.h>
#include <stdint.h>

/* Batch sizes and steps outside are mistakes, and would leave the range of a double on the way. */
#define BL_STATS_LEAST 1e-9
#define BL_STATS_MOST  1e15
bool bl_stats_in_domain(double x);

/* One training run at its best learning rate. */
typedef struct bl_stats_point {
    double batch_size; /* total examples per optimizer step */
    double steps;      /* first evaluation at the target; where a censored run stopped */
    double steps_prev; /* the evaluation before: S is in (steps_prev, steps]; 0 if not known */
    bool censored;     /* the target was not reached within `steps` */
    int64_t seed;      /* for the reader: every point counts as a repeat of its batch size */
} bl_stats_point;

/* What critical sizes are read from. */
typedef enum bl_stats_scaling {
    BL_STATS_SCALING_AUTO,     /* one curve, unless three segments explain far more */
    BL_STATS_SCALING_CURVE,    /* said beforehand */
    BL_STATS_SCALING_SEGMENTS, /* said beforehand */
    BL_STATS_SCALING_COUNT
} bl_stats_scaling;

typedef struct bl_stats_options {
    uint64_t seed;  /* of what is drawn */
    int replicates; /* draws; 0: no intervals; BL_STATS_REPLICATES is the usual number */
    bl_stats_scaling scaling;
} bl_stats_options;

enum { BL_STATS_REPLICATES = 1000, BL_STATS_VERDICT = 256 };
#define BL_STATS_LEVEL 0.95 /* of every interval */

/* Where intervals take the scatter of a run from. */
typedef enum bl_stats_noise {
    BL_STATS_NOISE_NONE,      /* no intervals */
    BL_STATS_NOISE_SEEDS,     /* pooled over batch sizes, all of which have several seeds */
    BL_STATS_NOISE_BORROWED,  /* batch sizes with one seed borrow the scatter of the others */
    BL_STATS_NOISE_RESIDUALS, /* one seed everywhere: each curve's own deviations */
    BL_STATS_NOISE_COUNT
} bl_stats_noise;

/* The steps of one run for a fit: sqrt((steps_prev + 1) steps), the geometric middle of the step
 * numbers at which the target can have been crossed; `steps` itself without steps_prev. */
double bl_stats_point_steps(const bl_stats_point *p);
#endif
