/* Root mean square error on the scale the net predicts. */
#include "engine/model/metric.h"
#include "kernels/shared/exact_math.h"

static double term(const float *y, size_t width, double target) {
    (void)width;
    const double e = (double)y[0] - target;
    return e * e;
}

static double finish(double sum, double count) {
    return bl_sqrt64(sum / count);
}

const bl_metric bl_metric_rmse = {.name = "rmse", .term = term, .finish = finish};
