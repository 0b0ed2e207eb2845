/* The loss law L = E + p / M^beta + q / K^gamma of a table of losses: after K steps with batch size
 * M the loss lies p / M^beta above what any batch size reaches at the end and q / K^gamma above
 * what steps without end reach. */
#ifndef BL_ENGINE_STATS_LOSS_LAW_H
#define BL_ENGINE_STATS_LOSS_LAW_H
#include <stdbool.h>
#include <stddef.h>

typedef struct bl_stats_loss_law {
    double e, p, beta, q, gamma;
    double rms; /* of the relative deviations, over the points less the five parameters */
} bl_stats_loss_law;

enum { BL_STATS_LOSS_LAW_MIN = 7, BL_STATS_LOSS_LAW_VALUES = 3 };

/* One loss above 0 for each batch size and number of steps. By least squares of relative
 * deviations with E, p, q not negative and exponents from 0.05 to 3. False with fewer than 7
 * points, or 3 different batch sizes or numbers of steps. No intervals. */
bool bl_stats_fit_loss_law(bl_stats_loss_law *out, const double *batch_size, const double *steps,
                           const double *loss, size_t n);
#endif
