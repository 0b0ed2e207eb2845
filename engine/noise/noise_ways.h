/* Other ways to the noise scale, inside a run whose weights move: what people try first. Each is a
 * row of a table with what it does and what is wrong with it, to be drawn beside the frozen probe
 * (noise.h). They read sums that a run keeps of the gradients of its own batches, all of B
 * examples (engine/train/probe_ways.c). */
#ifndef BL_ENGINE_NOISE_NOISE_WAYS_H
#define BL_ENGINE_NOISE_NOISE_WAYS_H
#include "engine/noise/noise.h"

/* What a run kept up to an evaluation. g_i are the gradients of n batches one after another, the
 * last whole window of them. */
typedef struct bl_noise_ways {
    int64_t step, batch, window; /* updates before it; B; n */
    double average_sq;           /* |m|^2, m = exponential average of g over about n steps */
    double average_variance;     /* sum of the averages of (g - m)^2 */
    double small_sq;             /* mean |g_i|^2 */
    double big_sq;               /* |mean g_i|^2; both 0 before the first whole window */
} bl_noise_ways;

typedef struct bl_noise_way {
    const char *name; /* A, B, C, D */
    const char *does, *wrong;
    bool needs_twice; /* reads a second run with batches of 2 B */
    /* |G|^2 and S as this way has them; NaN where it has none. */
    bl_noise_pair (*pair)(const bl_noise_ways *run, const bl_noise_ways *twice);
} bl_noise_way;

enum { BL_NOISE_WAYS = 4 };
extern const bl_noise_way bl_noise_way_table[BL_NOISE_WAYS];
extern const size_t bl_noise_way_count;

/* S / |G|^2 over `count` records: both are averaged apart and then divided. NaN where |G|^2 comes
 * out at 0 or below. `twice` (may be NULL) has a record for each. */
double bl_noise_way_scale(const bl_noise_way *way, const bl_noise_ways *run,
                          const bl_noise_ways *twice, size_t count);
#endif
