/* What an answer has to beat: no model at all, and a straight line. Both are fitted on the training
 * rows and measured on the held-out ones, by the experiment's own metric. */
#ifndef BL_ENGINE_STARTER_BASELINE_H
#define BL_ENGINE_STARTER_BASELINE_H
#include "engine/data/dataset.h"
#include "engine/model/metric.h"

typedef struct bl_starter_baseline {
    double constant;      /* always the mean, or for classes their shares in training */
    double least_squares; /* one-hot categories, standardised numbers; NAN: not computed */
} bl_starter_baseline;

/* `seen_rows` of the held-out rows are looked at, evenly spaced, as evaluations do (0: all). */
bl_starter_baseline bl_starter_baselines(const bl_dataset *data, const bl_metric *metric,
                                         size_t seen_rows);
#endif
