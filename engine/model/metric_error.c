/* Share of examples whose largest output is not that of their class: 1 - accuracy. Of equal outputs
 * the first counts. A NaN among the outputs makes the metric NaN. */
#include "engine/model/metric.h"
#include <math.h>

static double term(const float *y, size_t width, double target) {
    size_t best = 0;
    for (size_t j = 0; j < width; j++) {
        if (y[j] != y[j]) return (double)NAN;
        if (y[j] > y[best]) best = j;
    }
    return best == (size_t)target ? 0.0 : 1.0;
}

static double finish(double sum, double count) {
    return sum / count;
}

const bl_metric bl_metric_error = {
    .name = "error", .classes = true, .of_class = term, .finish = finish};
